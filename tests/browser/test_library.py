"""The library's templates as reviewers meet them: drawn, worked in, submitted by the portal, accessible."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from tests.browser.axe import findings

from overread_cli.template.golden import answer_faults
from overread_templates import S3Location, parse_template

TEMPLATES = Path(__file__).parents[2] / "templates"
NAMES = sorted(path.parent.name for path in TEMPLATES.glob("*/template.liquid.html"))


def act_text(at_desk: Any) -> None:
    at_desk.frame.get_by_role("radio").first.check()


def act_several(at_desk: Any) -> None:
    at_desk.frame.get_by_role("checkbox").first.check()


def draw(at_desk: Any, *keys: str) -> None:
    """By the keyboard alone, around the middle of the image."""
    at_desk.frame.locator(".viewport").focus()
    for key in ("ArrowLeft", *keys):
        at_desk.page.keyboard.press(key)


def act_box(at_desk: Any) -> None:
    draw(at_desk, "Space", "Shift+ArrowRight", "Shift+ArrowDown", "Space")


def act_outline(at_desk: Any) -> None:
    draw(at_desk, "Space", "Shift+ArrowRight", "Space", "Shift+ArrowDown", "Space", "Enter")


def act_point(at_desk: Any) -> None:
    draw(at_desk, "Space")


def act_decision(at_desk: Any) -> None:
    act_text(at_desk)
    at_desk.frame.locator("select[name=reason_code]").select_option(index=1)


def act_entities(at_desk: Any) -> None:
    at_desk.frame.locator(".text").focus()
    for key in ("Home", "Control+Shift+ArrowRight", "1"):
        at_desk.page.keyboard.press(key)


def act_transcription(at_desk: Any) -> None:
    at_desk.frame.get_by_label("What the image shows, in one sentence").fill("A receipt.")


def act_document(at_desk: Any) -> None:
    at_desk.frame.get_by_label("Value of Name").fill("Ada Lovelace")
    at_desk.frame.get_by_label("Value of Name").blur()


def act_reading(at_desk: Any) -> None:
    act_box(at_desk)
    at_desk.frame.get_by_role("radio", name="Needs a follow-up").check()
    at_desk.frame.get_by_label("Report").fill("One round opacity.")


ACTS: dict[str, Callable[[Any], None]] = {
    "bounding-box": act_box,
    "digit-reading": act_decision,
    "document-key-values": act_document,
    "fraud-review": act_decision,
    "image-classification": act_text,
    "image-classification-multi-select": act_several,
    "image-moderation": act_several,
    "keypoint": act_point,
    "loan-approval": act_decision,
    "medical-image-reading": act_reading,
    "named-entities": act_entities,
    "pairwise-ranking": act_text,
    "polygon": act_outline,
    "semantic-segmentation": act_outline,
    "text-classification": act_text,
    "text-classification-multi-select": act_several,
    "transcription": act_transcription,
    "tumor-screening": act_decision,
}


def test_every_template_is_tried() -> None:
    assert sorted(ACTS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_template_is_worked_in_and_submitted(desk: Callable[..., Any], name: str) -> None:
    folder = TEMPLATES / name
    text = (folder / "template.liquid.html").read_text()
    sample = json.loads((folder / "sample-input.json").read_text())

    def address(location: S3Location) -> str:
        picture = (folder / "objects" / location.bucket / location.key).read_bytes()
        return "data:image/png;base64," + base64.b64encode(picture).decode()

    at_desk = desk(text, sign_url=address, **sample)
    frame = at_desk.frame
    expect(frame.get_by_role("button", name="Submit")).to_be_visible()
    expect(frame.locator(".loading")).to_have_count(0)
    (inner,) = [found for found in at_desk.page.frames if "/frame" in found.url]
    assert findings(inner) == []
    ACTS[name](at_desk)
    answer = at_desk.submit()
    page = parse_template(text, name=name).render(sample, sign_url=address)
    assert answer_faults(page, answer, name=name) == []
    assert answer
