"""docs/api.md names every call, command and error that there is."""

import json
import re
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import click
import pytest

import overread_client
from overread_cli.main import COMMANDS

PAGE = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")


def test_every_call_is_in_the_table() -> None:
    paths = json.loads(files("overread_client").joinpath("openapi.json").read_text("utf-8"))["paths"]
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    for path, calls in paths.items():
        for method in calls:
            row = rf"\| .*`{method.upper()}\b.*" + re.escape(path) + r"[`?]"
            assert any(re.match(row, line) for line in rows) or (
                any(f"`{method.upper()}`" in line and path in line for line in rows)
            ), f"{method} {path}"


@pytest.mark.parametrize("name", ["decide", "decisions", "kill-switch", "roster"])
def test_every_command_is_shown(name: str) -> None:
    module, attribute, _ = COMMANDS[name]
    command = getattr(import_module(module), attribute)
    assert f"overread {name}" in PAGE
    if name == "decisions":
        assert isinstance(command, click.Group)
        shown = set(re.findall(r"[a-z]+", " ".join(re.findall(r"overread decisions (\S+)", PAGE))))
        assert set(command.commands) <= shown


def test_every_error_is_in_the_table() -> None:
    errors = {
        name
        for name, value in vars(overread_client).items()
        if isinstance(value, type) and issubclass(value, overread_client.OverreadClientError)
    } - {"OverreadClientError"}
    documented = set(re.findall(r"^\| `(\w+Error)` \|", PAGE, re.MULTILINE))
    assert errors - {"WebhookRefusedError"} == documented
