"""`overread template`: what it prints, writes and refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from overread_cli.main import main

SCRIPT = '<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>\n'
TEMPLATE = (
    SCRIPT + "<crowd-form>\n<crowd-checkbox name='seen' value='{{ task.input.value }}'>x</crowd-checkbox>\n"
    "<img src='{{ task.input.image | grant_read_access }}'></crowd-form>"
)


def overread(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["template", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    here = tmp_path / "case"
    (here / "objects/bucket/a").mkdir(parents=True)
    (here / "objects/bucket/a/b.png").write_bytes(b"picture")
    (here / "template.liquid.html").write_text(TEMPLATE)
    (here / "sample-input.json").write_text('{"value": "yes", "image": "s3://bucket/a/b.png"}')
    (here / "expected-answer.json").write_text('{"seen": {"yes": true}}')
    return here


def test_lint_lists_findings_with_their_places(folder: Path) -> None:
    path = folder / "template.liquid.html"
    assert overread("lint", path).output == "1 template: 0 errors, 0 warnings\n"
    path.write_text(TEMPLATE + "<crowd-nope></crowd-nope>{{ a | skip_autoescape }}")
    done = overread("lint", path)
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        f"{path}:4:68: error: <crowd-nope> is no Crowd HTML Element (unknown-element)",
        f"{path}:4:98: warning: skip_autoescape lets task data become markup; use to_json, or escape by hand"
        " (skip-autoescape)",
        "1 template: 1 error, 1 warning",
    ]
    found: dict[str, Any] = json.loads(overread("lint", path, "--json").output)
    assert (found["errors"], found["warnings"]) == (1, 1)
    assert found["findings"][0] == {
        "file": str(path),
        "line": 4,
        "column": 68,
        "code": "unknown-element",
        "message": "<crowd-nope> is no Crowd HTML Element",
        "severity": "error",
    }


def test_warnings_alone_are_no_failure(folder: Path) -> None:
    path = folder / "template.liquid.html"
    path.write_text(TEMPLATE + "{{ a | skip_autoescape }}")
    assert overread("lint", path).exit_code == 0


def test_a_rendered_page_needs_nothing_from_elsewhere(folder: Path) -> None:
    page = folder / "page.html"
    done = overread("render", folder / "template.liquid.html", "--output", page)
    assert done.exit_code == 0, done.output
    text = page.read_text()
    assert "value='yes'" in text
    assert "src='data:image/png;base64,cGljdHVyZQ=='" in text
    assert "assets.crowd.aws" not in text.replace('("https://assets.crowd.aws', "")
    assert "customElements.define" in text


def test_objects_that_are_not_there_keep_their_addresses(folder: Path) -> None:
    sample = folder / "other.json"
    sample.write_text('{"image": "s3://bucket/../../sample-input.json"}')
    page = folder / "page.html"
    overread("render", folder / "template.liquid.html", "--input", sample, "--output", page)
    assert "src='https://bucket.s3.amazonaws.com/../../sample-input.json'" in page.read_text()


def test_schema_and_diff(folder: Path) -> None:
    path = folder / "template.liquid.html"
    schema = json.loads(overread("schema", path).output)
    assert schema["required"] == ["seen"]
    assert schema["title"] == "template.liquid.html"
    new = folder / "new.html"
    new.write_text(TEMPLATE.replace("'seen'", "'looked'"))
    done = overread("diff", path, new)
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        "breaking: $.seen is gone",
        "compatible: $.looked is new",
        "2 differences, 1 of which may break code for the old answers",
    ]
    assert json.loads(overread("diff", path, new, "--json").output)["breaking"] is True
    same = overread("diff", path, path)
    assert (same.exit_code, same.output) == (0, "the answers are alike\n")


def test_a_folder_stands_for_the_template_in_it(folder: Path, tmp_path: Path) -> None:
    path = folder / "template.liquid.html"
    assert overread("lint", folder.parent).output == overread("lint", path).output
    assert overread("schema", folder).output == overread("schema", path).output
    assert overread("diff", folder, path).output == "the answers are alike\n"
    page = tmp_path / "page.html"
    assert overread("render", folder, "--output", page).exit_code == 0
    assert page.is_file()


def test_golden_answers_are_held_against_the_rendered_page(folder: Path) -> None:
    done = overread("test", folder.parent)
    assert (done.exit_code, done.output) == (0, f"ok  {folder}\n1 template, 0 failed\n")
    (folder / "sample-input.json").write_text('{"value": "no"}')
    done = overread("test", folder.parent)
    assert done.exit_code == 1
    assert "FAILED" in done.output
    assert "$.seen" in done.output
    (folder / "template.liquid.html").write_text("<crowd-nope></crowd-nope>")
    assert "is no Crowd HTML Element" in overread("test", folder).output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("lint", "nowhere.html"), "nowhere.html: No such file or directory"),
        (("schema", "{folder}/objects"), "Is a directory"),
        (("lint", "{folder}/objects"), "no template.liquid.html in it"),
        (
            ("schema", "{folder}/broken.html"),
            "broken.html:1:1: {% if %} is never closed: {% endif %} is missing",
        ),
        (
            ("render", "{folder}/template.liquid.html", "--output", "{folder}/no/page.html"),
            "cannot be written",
        ),
        (
            ("render", "{folder}/template.liquid.html", "--input", "{folder}/list.json", "--output", "x"),
            "list.json: must be a JSON object",
        ),
        (
            ("render", "{folder}/template.liquid.html", "--input", "{folder}/bad.json", "--output", "x"),
            "bad.json:1:2: not JSON",
        ),
        (("lint", "{folder}/latin.html"), "latin.html: not UTF-8 (byte 1)"),
        (("test", "{folder}/objects"), "no folder with a template.liquid.html in it"),
    ],
)
def test_bad_input_is_one_clear_sentence(folder: Path, arguments: tuple[str, ...], words: str) -> None:
    (folder / "broken.html").write_text("{% if a %}")
    (folder / "list.json").write_text("[]")
    (folder / "bad.json").write_text("{oops")
    (folder / "latin.html").write_bytes(b"x\xe9")
    done = overread(*(argument.replace("{folder}", str(folder)) for argument in arguments))
    assert done.exit_code == 1
    assert words in done.output
    assert len(done.output.splitlines()) == 1
    assert "Traceback" not in done.output
