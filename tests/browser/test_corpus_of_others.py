"""Templates in `templates_of_others/`, written as teams and samples write them, worked in as they are."""

from __future__ import annotations

import base64
import io
import json
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect
from tests.browser.drawing import HEIGHT, PICTURE, WIDTH

from overread_review.app import create_app
from overread_templates import S3Location
from overread_testing.review_fakes import ReviewLab, review_lab
from overread_testing.review_server import served

CORPUS = Path(__file__).parent / "templates_of_others"
SUFFIX = ".liquid.html"
SIZE = {"height": HEIGHT, "width": WIDTH}
IMAGE = "s3://pictures/one.png"


def _silence() -> str:
    sound = io.BytesIO()
    with wave.open(sound, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(1)
        written.setframerate(8000)
        written.writeframes(b"\x80" * 80)
    return "data:audio/wav;base64," + base64.b64encode(sound.getvalue()).decode()


SILENCE = _silence()


@dataclass
class Seat:
    """Somebody before one task of the corpus."""

    lab: ReviewLab
    page: Page
    name: str
    button: str = "Submit"
    errors: list[str] = field(default_factory=list)

    @property
    def frame(self) -> FrameLocator:
        return self.page.frame_locator("iframe")

    def draw(self, tag: str, *keys: str) -> None:
        """By the keyboard, from the middle of the image."""
        expect(self.frame.locator(".loading")).to_have_count(0)
        self.frame.locator(f"{tag} .viewport").focus()
        for key in ("ArrowLeft", *keys):
            self.page.keyboard.press(key)

    def send(self) -> None:
        self.frame.get_by_role("button", name=self.button, exact=True).click()

    def answer(self) -> dict[str, Any]:
        """What was stored."""
        self.page.get_by_role("heading", name="Answer saved").wait_for()
        (answer,) = self.lab.loop(self.name).answers
        content: dict[str, Any] = json.loads(self.lab.documents.get(answer.content_key))
        return content


def nothing(seat: Seat) -> None:
    """The page is right as it comes, once its images are there."""
    expect(seat.frame.locator(".loading")).to_have_count(0)


def radio(name: str) -> Callable[[Seat], None]:
    return lambda seat: seat.frame.get_by_role("radio", name=name, exact=True).check()


def boxes(*names: str) -> Callable[[Seat], None]:
    def work(seat: Seat) -> None:
        for name in names:
            seat.frame.get_by_role("checkbox", name=name, exact=True).check()

    return work


@dataclass(frozen=True)
class Case:
    """What a task brings, what somebody does in it, and the answer that must be stored."""

    answer: Any
    work: Callable[[Seat], None] = nothing
    given: dict[str, Any] = field(default_factory=dict)
    button: str = "Submit"


def polygons_drawn(seat: Seat) -> None:
    seat.draw("crowd-polygon", "Space", "Shift+ArrowRight", "Space", "Shift+ArrowDown", "Space", "Enter")


def painted(tag: str) -> Callable[[Seat], None]:
    return lambda seat: seat.draw(
        tag, "Space", "Shift+ArrowRight", "Space", "Shift+ArrowDown", "Space", "Enter"
    )


def key_values(seat: Seat) -> None:
    seat.frame.get_by_label("Value of Name").fill("Ada L.")
    seat.frame.get_by_label("Value of Name").blur()
    nothing(seat)


def tabular(seat: Seat) -> None:
    seat.frame.locator("[name=agree0][value=yes]").check()
    seat.send()
    assert not seat.lab.loop(seat.name).answers
    seat.frame.locator("[name=agree1][value=no]").check()
    seat.frame.locator("[name=corrected1]").fill("12")


def pairwise(seat: Seat) -> None:
    seat.frame.locator("[name=helpful][value='3']").check()


def video(seat: Seat) -> None:
    seat.frame.get_by_role("textbox", name="Words for this clip").fill("a dog")
    seat.frame.get_by_role("radio", name="yes").check()


def audio(seat: Seat) -> None:
    assert seat.frame.locator("source").get_attribute("src") == SILENCE
    seat.frame.get_by_role("textbox").fill("hello there")
    seat.frame.get_by_role("checkbox", name="Noise").check()


def translation(seat: Seat) -> None:
    seat.frame.locator("textarea").fill("Guten\nTag")
    seat.frame.locator("select").select_option("good")


def sentiment(seat: Seat) -> None:
    expect(seat.frame.locator("blockquote")).to_have_text("It was <b>quite</b> good, all in all,...")
    seat.frame.get_by_role("radio", name="Negative").check()
    seat.frame.get_by_role("radio", name="Neither").check()
    seat.frame.get_by_role("slider").focus()
    seat.page.keyboard.press("ArrowRight")
    seat.frame.get_by_role("switch").check()


def tabs(seat: Seat) -> None:
    seat.frame.get_by_role("tab", name="Instructions").click()
    seat.frame.get_by_role("button", name="See a picture").click()
    expect(seat.frame.get_by_text("An invoice, in words.")).to_be_visible()
    seat.page.keyboard.press("Escape")
    seat.frame.get_by_role("tab", name="Task").click()
    seat.frame.get_by_role("button", name="Add a line").click()
    expect(seat.frame.get_by_text("Line added")).to_be_visible()
    seat.frame.get_by_role("textbox", name="Total").fill("12.50")


def plain_form(seat: Seat) -> None:
    seat.frame.get_by_role("radio", name="b").check()
    seat.send()
    assert not seat.lab.loop(seat.name).answers
    seat.frame.locator("[name=why]").fill("so")


def value_reader(seat: Seat) -> None:
    seat.frame.get_by_role("radio", name="drop").check()
    expect(seat.frame.get_by_text("You said drop")).to_be_visible()
    seat.frame.get_by_role("textbox", name="Why drop it").fill("old")


def submit_handlers(seat: Seat) -> None:
    seat.send()
    expect(seat.frame.get_by_text("Tick at least one area")).to_be_visible()
    seat.page.keyboard.press("Escape")
    seat.frame.get_by_role("checkbox", name="back").check()


def own_button(seat: Seat) -> None:
    seat.frame.get_by_role("textbox", name="Plate").fill("B 1")
    seat.frame.get_by_role("button", name="Next").click()


def labels_by_script(seat: Seat) -> None:
    nothing(seat)
    seat.frame.get_by_role("radio", name="blurred").check()


def capitals(seat: Seat) -> None:
    seat.frame.get_by_role("textbox", name="First name").fill("Ada")
    seat.frame.get_by_role("textbox", name="Last name").fill("Lovelace")


def without_names(seat: Seat) -> None:
    seat.frame.get_by_role("checkbox", name="a", exact=True).check()
    seat.frame.get_by_role("textbox", name="Lost").fill("x")
    seat.frame.get_by_role("textbox", name="Kept").fill("y")


def liquid(seat: Seat) -> None:
    expect(seat.frame.locator("h2")).to_have_text("Anna & lena")
    expect(seat.frame.locator("#raw")).to_have_text("{{ not liquid }}")
    expect(seat.frame.get_by_role("textbox", name="Note")).to_have_value('it\'s <5> & "so"')


def verification(seat: Seat) -> None:
    expect(seat.frame.locator("crowd-image-classifier rect")).to_have_count(1)
    seat.frame.get_by_role("radio", name="incorrect - labels").check()
    seat.frame.get_by_role("textbox").fill("no box on the second")


def remembers(seat: Seat) -> None:
    expect(seat.frame.get_by_text("Visit 1")).to_be_visible()
    seat.frame.get_by_role("button", name="View instructions").click()
    expect(seat.frame.get_by_text("At length")).to_be_visible()
    seat.page.keyboard.press("Escape")
    seat.frame.get_by_role("spinbutton", name="Answer").fill("42")
    seat.frame.get_by_role("button", name="Submit").click()
    expect(seat.frame.get_by_text("Send 42?")).to_be_visible()


def named_people(seat: Seat) -> None:
    seat.frame.locator(".text").focus()
    for key in ("Home", "Control+Shift+ArrowRight", "1"):
        seat.page.keyboard.press(key)
    seat.frame.get_by_role("textbox", name="Anything odd?").fill("no")


def loose(seat: Seat) -> None:
    expect(seat.frame.get_by_text("Is this spam?")).to_be_visible()
    expect(seat.frame.get_by_text("never shown")).to_be_hidden()
    nothing(seat)
    seat.frame.get_by_role("radio", name="spam", exact=True).check()


def late(seat: Seat) -> None:
    nothing(seat)
    expect(seat.frame.get_by_role("radio", name="van", exact=True)).to_be_visible()
    seat.frame.get_by_role("radio", name="night").check()
    seat.frame.get_by_role("button", name="Enough").click()


def forms_around(seat: Seat) -> None:
    seat.frame.get_by_role("radio", name="4").check()
    seat.frame.get_by_role("tab", name="Comment").click()
    seat.frame.get_by_role("textbox", name="Comment").fill("short")
    seat.send()
    expect(seat.frame.get_by_text("At least 10 characters, please.")).to_be_visible()
    seat.frame.get_by_role("textbox", name="Comment").fill("long enough")


def two_columns(seat: Seat) -> None:
    nothing(seat)
    seat.send()
    expect(seat.frame.get_by_text("Please fill this in.")).to_be_visible()
    seat.frame.get_by_role("textbox", name="Reason").fill("unclear")
    seat.frame.get_by_role("radio", name="sure", exact=True).check()
    expect(seat.frame.locator(".low")).to_have_count(1)
    expect(seat.frame.locator(".low")).to_have_text("date (40%)")


ROWS = [{"id": "r1", "text": "a <b>", "flagged": True}, {"id": "r2", "text": "c & d", "flagged": False}]
BLOCKS = [
    {
        "BlockType": "KEY_VALUE_SET",
        "Id": "k",
        "EntityTypes": ["KEY"],
        "Relationships": [{"Type": "VALUE", "Ids": ["v"]}, {"Type": "CHILD", "Ids": ["w"]}],
    },
    {"BlockType": "KEY_VALUE_SET", "Id": "v", "EntityTypes": ["VALUE"]},
    {"BlockType": "WORD", "Id": "w", "Text": "Name"},
]
S3_OBJECT = {"s3Object": {"bucket": "pictures", "name": "one.png"}}


def a_shape(found: dict[str, Any]) -> bool:
    (drawn,) = found["annotatedResult"]["polygons"][1:]
    return bool(
        found["annotatedResult"]["polygons"][0]
        == {"label": "shed", "vertices": [{"x": 1, "y": 2}, {"x": 30, "y": 4}, {"x": 5, "y": 60}]}
        and drawn["label"] == "roof"
        and len(drawn["vertices"]) == 3
        and found["annotatedResult"]["initialValueModified"] is True
    )


def a_point(found: dict[str, Any]) -> bool:
    (point,) = found["annotatedResult"]["keypoints"]
    return set(point) == {"label", "x", "y"} and point["label"] == "nose"


def a_mask(found: dict[str, Any]) -> bool:
    mask = found["crowd-semantic-segmentation"]
    png = base64.b64decode(mask["labeledImage"]["pngImageData"])
    return (
        list(mask["labelMappings"]) == ["sky"]
        and png.startswith(b"\x89PNG")
        and set(mask) == {"inputImageProperties", "labelMappings", "labeledImage"}
    )


def a_cell(found: dict[str, Any]) -> bool:
    cells = found["annotatedResult"]
    return [cell["label"] for cell in cells["instances"]] == ["cell"] and set(cells) == {
        "inputImageProperties",
        "instances",
        "labeledImage",
    }


def corrected_blocks(found: dict[str, Any]) -> bool:
    blocks = found["AWS/Textract/AnalyzeDocument/Forms/V1"]["blocks"]
    return [block.get("text") for block in blocks] == [None, None, "Name", "Ada L."]


CASES = {
    "audio": Case(
        {"transcription": "hello there", "problems": {"noise": True, "accent": False}},
        audio,
        {"taskObject": "https://sounds.s3.eu-west-1.amazonaws.com/one.wav", "initialTranscription": "hullo"},
    ),
    "boxes-to-adjust": Case(
        {
            "boundingBox": {
                "boundingBoxes": [
                    {"height": 50, "label": "car", "left": 12, "top": 30, "width": 100},
                    {"height": 60, "label": "truck", "left": 300, "top": 200, "width": 90},
                ],
                "inputImageProperties": SIZE,
                "initialValueModified": False,
            }
        },
        given={"taskObject": IMAGE, "labels": ["car", "truck"]},
    ),
    "capitals": Case(
        {"first": "Ada", "last": "Lovelace", "member": {"yes": True}}, capitals, {"title": "Card"}
    ),
    "cells": Case(a_cell, painted("crowd-instance-segmentation"), {"taskObject": IMAGE}),
    "entities": Case(
        {"crowd-entity-annotation": {"entities": [{"endOffset": 6, "label": "per", "startOffset": 3}]}},
        given={
            "taskObject": 'Ah Ada, you\'re "in" <Cork>',
            "labels": [{"label": "per", "shortDisplayName": "PER"}, {"label": "loc"}],
            "entities": [{"label": "per", "startOffset": 3, "endOffset": 6}],
        },
    ),
    "forms-around": Case(
        {
            "stars": {"1": False, "2": False, "3": False, "4": True, "5": False},
            "comment": "long enough",
            "mood": {"labels": ["calm"]},
            "colors": {"red": True, "green": True, "blue": False},
            "agree": {"yes": True},
        },
        forms_around,
        {"initial": ["calm"]},
        button="Send rating",
    ),
    "image-classification": Case(
        {"crowd-image-classifier": {"label": "cat & kittens"}},
        radio("cat & kittens"),
        {"taskObject": IMAGE, "header": "What's here?", "labels": ["cat & kittens", "dog's"]},
    ),
    "image-several-classes": Case(
        {"scene": {"labels": ["indoors", "vehicles"]}},
        boxes("vehicles", "indoors"),
        {"image_url": "https://s3.eu-west-1.amazonaws.com/pictures/one%20more.png"},
    ),
    "key-values": Case(
        corrected_blocks,
        key_values,
        {
            "aiServiceRequest": {"document": S3_OBJECT},
            "selectedAiServiceResponse": {"blocks": BLOCKS},
            "humanLoopContext": {"importantFormKeys": [{"importantFormKey": "Name"}]},
        },
    ),
    "keypoints": Case(a_point, lambda seat: seat.draw("crowd-keypoint", "Space"), {"taskObject": IMAGE}),
    "labels-by-script": Case(
        {
            "boxes": {
                "boundingBoxes": [{"height": 40, "label": "dog", "left": 1, "top": 2, "width": 30}],
                "inputImageProperties": SIZE,
                "initialValueModified": False,
            },
            "quality": {"label": "blurred"},
            "note": "from a script",
        },
        labels_by_script,
        {"image": IMAGE, "labels": ["cat", "dog"]},
    ),
    "lanes": Case(
        {
            "lanes": {
                "inputImageProperties": SIZE,
                "initialValueModified": False,
                "polylines": [
                    {
                        "label": "left",
                        "vertices": [{"x": 10, "y": 590}, {"x": 200, "y": 300}, {"x": 260, "y": 200}],
                    }
                ],
            },
            "horizon": {
                "inputImageProperties": SIZE,
                "initialValueModified": False,
                "lines": [{"label": "horizon", "vertices": [{"x": 0, "y": 100}, {"x": 799, "y": 120}]}],
            },
        },
        given={"taskObject": IMAGE},
    ),
    "late-properties": Case(
        {
            "boxes": {"boundingBoxes": [], "inputImageProperties": SIZE},
            "when": {"label": "night"},
            "note": "set early",
            "agree": {"on": True},
        },
        late,
        {"image": IMAGE},
    ),
    "liquid": Case(
        {
            "parts": "2",
            "total": "3.75",
            "names": "ink, pen",
            "raw": '[{"name":"pen","price":1.25},{"name":"ink","price":2.5}]',
            "bare": '{"name":"pen","price":1.25}',
            "missing": "none",
            "pairs": "k=1;l=2;",
            "first": "1:ink",
            "note": 'it\'s <5> & "so"',
            "kind": "a or b",
            "open": "2026",
        },
        liquid,
        {
            "code": "anna-lena",
            "items": [{"name": "pen", "price": 1.25}, {"name": "ink", "price": 2.5}],
            "map": {"k": 1, "l": 2},
            "note": 'it\'s <5> & "so"',
            "kind": "b",
            "date": "2026-03-02",
        },
    ),
    "loose-content": Case(
        {
            "kind": {"label": "spam"},
            "points": {
                "keypoints": [{"label": "a", "x": 3, "y": 4}],
                "inputImageProperties": SIZE,
                "initialValueModified": False,
            },
        },
        loose,
        {
            "text": "Is this spam?",
            "labels": '["spam", "ham"]',
            "image": IMAGE,
            "config": {"labels": [{"label": "a"}, {"label": "b"}]},
            "points": '[{"label": "a", "x": 3, "y": 4}]',
        },
    ),
    "moderation": Case(
        {
            "AWS/Rekognition/DetectModerationLabels/Image/V3": {
                "ModerationLabels": [{"name": "Weapons", "parentName": "Violence", "confidence": 71.5}]
            }
        },
        boxes("Violence: Weapons"),
        {
            "aiServiceRequest": {"image": S3_OBJECT},
            "selectedAiServiceResponse": {
                "moderationLabels": [
                    {"name": "Violence", "parentName": ""},
                    {"name": "Weapons", "parentName": "Violence"},
                ]
            },
        },
    ),
    "names-with-questions": Case(
        {
            "crowd-entity-annotation": {"entities": [{"endOffset": 3, "label": "person", "startOffset": 0}]},
            "odd": "no",
        },
        named_people,
        {"taskObject": "Ada writes", "labels": [{"label": "person"}, {"label": "place"}]},
    ),
    "own-button": Case({"plate": "B 1"}, own_button, button="Yes, send"),
    "pairwise": Case(
        {
            "helpful": {"1": False, "2": False, "3": True},
            "honest": {"1": False, "2": True, "3": False},
        },
        pairwise,
        {"prompt": "Why?", "responses": ["<i>Because</i>", "So"]},
    ),
    "polygons-to-adjust": Case(
        a_shape,
        polygons_drawn,
        {
            "manifestLine": {
                "source-ref": IMAGE,
                "roofs": {
                    "annotations": [
                        {
                            "class_id": "1",
                            "vertices": [{"x": 1, "y": 2}, {"x": 30, "y": 4}, {"x": 5, "y": 60}],
                        }
                    ]
                },
                "roofs-metadata": {"class-map": {"0": "roof", "1": "shed"}, "job-name": "roofs-1"},
            }
        },
    ),
    "remembers": Case({"answer": "42"}, remembers, button="OK"),
    "segmentation": Case(
        a_mask,
        painted("crowd-semantic-segmentation"),
        {"taskObject": IMAGE, "labels": ["sky", "sea"]},
    ),
    "sentiment": Case(
        {
            "sentiment": {"positive": False, "negative": False, "on": True},
            "intensity": 6,
            "sarcasm": {"on": True},
        },
        sentiment,
        {"taskObject": "It was <b>quite</b> good, all in all, I would say"},
    ),
    "submit-handlers": Case(
        {"areas": {"front": False, "back": True}, "seconds": "12", "summary": '["back"]'},
        submit_handlers,
        {"text": "Where?"},
    ),
    "table-by-script": Case(
        {"row0": {"r1": True}, "row1": {"r2": False}, "keep": "typed by a script"},
        given={"rows": ROWS},
    ),
    "tabs-and-notes": Case({"total": "12.50", "line1": "line 1"}, tabs, {"number": 7}, button="Send it"),
    "tabular": Case(
        {
            "agree0": {"yes": True, "no": False},
            "agree1": {"yes": False, "no": True},
            "corrected0": "",
            "corrected1": "12",
        },
        tabular,
        {"table": {"columns": ["age", "score"], "rows": [[31, 0.7], [48, 0.2]]}},
        button="Done",
    ),
    "translation": Case(
        {"german": "Guten\nTag", "quality": "good", "seen_on": "2026-02-03", "minutes": "5"},
        translation,
        {"source_text": "Good day", "draft": "Gut Tag"},
    ),
    "value-reader": Case({"category": {"label": "drop"}, "why": "old"}, value_reader, {"text": "x"}),
    "verification": Case(
        {"verify": {"label": "incorrect - labels", "workerComment": "no box on the second"}},
        verification,
        {
            "taskObject": IMAGE,
            "labels": ["dog"],
            "boxes": [{"left": 3, "top": 4, "width": 80, "height": 100, "label": "dog"}],
        },
    ),
    "two-columns": Case(
        {
            "annotatedResult": {
                "boundingBoxes": [{"height": 20, "label": "stamp", "left": 1, "top": 2, "width": 10}],
                "inputImageProperties": SIZE,
                "initialValueModified": False,
            },
            "fields": {"name": False, "date": True},
            "confidence": {"low": False, "high": True},
            "reason": "unclear",
            "reviewed": "2 of 3",
        },
        two_columns,
        {
            "doc": {"bucket": "pictures", "key": "one.png"},
            "predictions": [{"field": "name", "score": 0.91}, {"field": "date", "score": 0.4}],
        },
    ),
    "video": Case({"tags": "a dog", "people": {"yes": True, "no": False}}, video, {"video": "s3://v/1.mp4"}),
    "without-crowd-form": Case(
        {"kind": {"label": "b"}, "why": "so"}, plain_form, {"question": "Which?"}, button="Send"
    ),
    "without-names": Case(
        {"crowd-classifier-multi-select": {"labels": ["a"]}, "kept": "y"}, without_names, {"text": "t"}
    ),
}


def address(location: S3Location) -> str:
    return SILENCE if location.key.endswith(".wav") else PICTURE


@pytest.fixture(scope="module")
def office(browser: Browser) -> Iterator[tuple[ReviewLab, str, BrowserContext]]:
    """One review service with a task of every template, and one reviewer's browser."""
    lab = review_lab()
    lab.documents.address_of = address
    for name, case in CASES.items():
        content = (CORPUS / f"{name}{SUFFIX}").read_text()
        lab.call(lab.service.task_uis.create, HumanTaskUiName=name, UiTemplate={"Content": content})
        ui = lab.service.settings.arn(f"human-task-ui/{name}")
        lab.flow_definition(name, HumanTaskUiArn=ui, TaskTimeLimitInSeconds=3600)
        lab.start(name, flow=name, **case.given)
    with served(create_app(lab.service)) as url:
        context = browser.new_context(viewport={"width": 1280, "height": 860}, reduced_motion="reduce")
        context.set_default_timeout(5_000)
        context.request.post(f"{url}/portal/api/session", data={"reviewer": "ada"})
        yield lab, url, context
        context.close()


def test_every_template_of_the_corpus_has_its_answer() -> None:
    assert sorted(CASES) == sorted(path.name.removesuffix(SUFFIX) for path in CORPUS.iterdir())


@pytest.mark.parametrize("name", CASES)
def test_a_template_of_others_gives_its_answer(
    office: tuple[ReviewLab, str, BrowserContext], name: str
) -> None:
    lab, url, context = office
    case = CASES[name]
    seat = Seat(lab, context.new_page(), name, case.button)
    seat.page.on("pageerror", lambda error: seat.errors.append(str(error)))
    seat.page.goto(f"{url}/portal/#/tasks/{name}")
    seat.frame.locator("crowd-form, form").first.wait_for(state="attached")
    case.work(seat)
    seat.send()
    found = seat.answer()
    if callable(case.answer):
        assert case.answer(found), found
    else:
        assert found == case.answer
    assert seat.errors == []
    seat.page.close()
