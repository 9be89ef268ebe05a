"""What a log line may say, and what leaves a function that fails."""

import ast
import importlib
import json
import logging
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import overread_lambda
from overread.errors import MissingSettingsError, RetryableError, ServiceError
from overread_lambda.entry import FunctionFailedError, entry
from overread_lambda.logs import FIELDS, LIBRARY_MESSAGE, JsonLines, log, take_over

ROOT = Path(__file__).parents[3]
SOURCES = [
    path
    for folder in ("lambda/overread_lambda", "src/overread_aws", "src/overread_review")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}
NAMES_OF_LOGGERS = {"log", "_log", "_LOG", "logger"}
PERSONAL = "Zoë Canary, born 1971-02-03"


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_field_that_is_not_listed_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    log.info("done", extra={"copies": 3, "label": PERSONAL, "worker_id": "w-1"})
    (line,) = lines(capsys)
    assert line.keys() == {"at", "level", "message", "copies"}


@pytest.mark.parametrize("name", sorted(FIELDS))
@pytest.mark.parametrize("value", [PERSONAL, "zoe@example.org", {"name": "Zoë"}, [PERSONAL], None])
def test_no_field_shows_what_has_not_its_form(
    capsys: pytest.CaptureFixture[str], name: str, value: object
) -> None:
    log.warning("done", extra={name: value})
    (line,) = lines(capsys)
    assert line[name] == "(masked)"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("decision_id", "d-modiahu6ljcw3rsdvfaznkaifn"),
        ("human_loop", "h-cfqegwmgq3uexvpurkaom6ryvn-g1-a"),
        ("field", "prediction.label"),
        ("reasons", ["confidence_below_threshold"]),
        ("results", {"started": 2}),
        ("is_on", False),
        ("scope", "*"),
        ("code", "ThrottlingException"),
        ("anchor", "anchors/2026-11-22T21:00:00.000Z.json"),
    ],
)
def test_a_value_of_its_form_is_written_as_it_is(
    capsys: pytest.CaptureFixture[str], name: str, value: object
) -> None:
    log.info("done", extra={name: value})
    assert lines(capsys)[0][name] == value


def test_a_member_that_a_caller_made_up_is_not_named(capsys: pytest.CaptureFixture[str]) -> None:
    log.info("request refused", extra={"field": "zoecanary"})
    assert lines(capsys)[0]["field"] == "(masked)"


def test_words_of_libraries_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    library = logging.getLogger("some.library")
    library.addHandler(handler := JsonLines())
    try:
        library.warning("cannot parse %s", PERSONAL)
        library.warning(f"cannot parse {PERSONAL}")
    finally:
        library.removeHandler(handler)
    found = lines(capsys)
    assert [(line["message"], line["logger"]) for line in found] == [(LIBRARY_MESSAGE, "some.library")] * 2


def test_a_failure_is_told_by_its_kind_and_its_places(capsys: pytest.CaptureFixture[str]) -> None:
    portal = logging.getLogger("overread_review.portal.door")
    portal.addHandler(handler := JsonLines())
    try:
        int(PERSONAL)
    except ValueError:
        portal.exception("a call of the portal failed")
    finally:
        portal.removeHandler(handler)
    (line,) = lines(capsys)
    assert (line["message"], line["error"]) == ("a call of the portal failed", "ValueError")
    assert [place.partition(":")[0] for place in line["places"]] == ["test_logs.py"]
    assert line.keys() == {"at", "level", "message", "error", "places"}


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    before = root.handlers
    yield root
    root.handlers = before


def test_in_lambda_every_logger_writes_masked_lines(
    root_logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_over()
    assert not any(isinstance(one, JsonLines) for one in root_logger.handlers)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "overread-test-steer")
    take_over()
    (kept,) = root_logger.handlers
    take_over()
    assert root_logger.handlers == [kept]
    assert isinstance(kept, JsonLines)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyError(PERSONAL), "KeyError"),
        (RetryableError("SlowDown", operation="Get", message=PERSONAL), "RetryableError SlowDown Get"),
        (ServiceError(PERSONAL, operation="Get"), "ServiceError (masked) Get"),
    ],
)
def test_no_words_of_an_error_leave_a_function(
    error: Exception, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    @entry()
    def handler(event: object, context: object) -> None:
        raise error

    with pytest.raises(FunctionFailedError) as caught:
        handler({}, None)
    assert str(caught.value) == said
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    text = capsys.readouterr().out
    line = json.loads(text)
    assert (line["message"], line["error"]) == ("function failed", type(error).__name__)
    assert line["places"][-1].startswith("test_logs.py:")
    assert "Canary" not in text


def test_errors_whose_words_are_ours_leave_as_they_are() -> None:
    @entry(ZeroDivisionError)
    def handler(error: Exception) -> None:
        raise error

    with pytest.raises(ZeroDivisionError):
        handler(ZeroDivisionError("approved by nobody"))
    with pytest.raises(MissingSettingsError, match="OVERREAD_TABLE"):
        handler(MissingSettingsError(["OVERREAD_TABLE"]))


@pytest.mark.parametrize("module", [one.name for one in pkgutil.iter_modules(overread_lambda.__path__)])
def test_every_function_is_guarded(module: str) -> None:
    handler = getattr(importlib.import_module(f"overread_lambda.{module}"), "handler", None)
    if handler is not None:
        assert handler.__module__ == f"overread_lambda.{module}"
        assert "guarded" in handler.__code__.co_qualname


def _calls(tree: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
            logger = node.func.value
            if isinstance(logger, ast.Name) and logger.id in NAMES_OF_LOGGERS:
                yield node


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_messages_are_constant_and_their_fields_are_listed(path: Path) -> None:
    tree = ast.parse(path.read_text())
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for call in _calls(tree):
        where = f"{path.name}:{call.lineno}"
        (message,) = call.args
        assert isinstance(message, ast.Constant), where
        given = [keyword.value for keyword in call.keywords if keyword.arg == "extra"]
        made = [
            functions[node.func.id]
            for extra in given
            for node in ast.walk(extra)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions
        ]
        for node in (part for extra in (*given, *made) for part in ast.walk(extra)):
            if isinstance(node, ast.Dict):
                names = {key.value for key in node.keys if isinstance(key, ast.Constant)}
                assert names <= FIELDS.keys(), where
