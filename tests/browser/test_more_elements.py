"""Choices of several, texts with entities, forms that Textract read, elements that only speak or arrange."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect
from tests.browser.drawing import PICTURE, SCRIPT, Canvas, close_to


def form(body: str) -> str:
    return f"{SCRIPT}<crowd-form>{body}</crowd-form>"


# Choices of several


@pytest.mark.parametrize("tag", ["crowd-classifier-multi-select", "crowd-image-classifier-multi-select"])
def test_several_answers_and_the_one_that_excludes_them(desk: Callable[..., Any], tag: str) -> None:
    template = form(
        f"""<{tag} name="topics" src="{PICTURE}" header="Topics" categories="['billing', 'refund', 'other']"
          exclusion-category="{{ text: 'None apply' }}"><classification-target>x</classification-target>
          <full-instructions header="How">f</full-instructions>
          <short-instructions>s</short-instructions></{tag}>"""
    )
    at_desk = desk(template)
    frame = at_desk.frame
    frame.get_by_role("button", name="Submit").click()
    expect(frame.get_by_text("Choose at least one of the answers.")).to_be_visible()
    frame.get_by_role("checkbox", name="None apply").check()
    frame.get_by_role("checkbox", name="refund").check()
    expect(frame.get_by_role("checkbox", name="None apply")).not_to_be_checked()
    frame.get_by_role("checkbox", name="billing").check()
    assert at_desk.submit() == {"topics": {"labels": ["billing", "refund"]}}

    other = desk(template)
    other.frame.get_by_role("checkbox", name="billing").focus()
    other.page.keyboard.press("2")
    other.page.keyboard.press("4")
    assert other.submit() == {"topics": {"labels": ["None apply"]}}


def test_a_single_choice_can_have_an_excluding_category_too(desk: Callable[..., Any]) -> None:
    at_desk = desk(
        form(
            """<crowd-classifier name="c" header="H" categories="['a','b']"
              exclusion-category="{text:'neither'}"></crowd-classifier>"""
        )
    )
    at_desk.frame.get_by_role("radio", name="neither").check()
    assert at_desk.submit() == {"c": {"label": "neither"}}


@pytest.mark.parametrize(
    ("overlay", "seen"),
    [
        (
            '{"boundingBox":{"labels":["dog"],"value":[{"height":100,"label":"dog","left":30,"top":40,"width":80}]}}',
            "rect",
        ),
        (
            f"{{semanticSegmentation:{{labels:['dog'],labelMappings:{{dog:{{color:'#2ca02c'}}}},src:'{PICTURE}'}}}}",
            ".mask",
        ),
        (
            f"{{instanceSegmentation:{{labels:['dog'],instances:[{{color:'#1f77b4',label:'dog'}}],src:'{PICTURE}'}}}}",
            ".mask",
        ),
    ],
)
def test_labels_to_verify_are_shown_over_the_image(desk: Callable[..., Any], overlay: str, seen: str) -> None:
    at_desk = desk(
        form(
            f"""<crowd-image-classifier name="v" src="{PICTURE}" header="Right?" categories="['yes','no']"
              overlay="{overlay.replace('"', "&quot;")}"></crowd-image-classifier>"""
        )
    )
    element = at_desk.frame.locator("crowd-image-classifier")
    expect(element.locator(seen)).to_have_count(1)
    expect(element.locator(".legend")).to_have_text("dog")
    picture, drawn = element.locator(".picture").bounding_box(), element.locator(".mask, svg").bounding_box()
    assert picture is not None
    assert drawn == pytest.approx(picture, abs=1)
    at_desk.frame.get_by_role("radio", name="no").check()
    assert at_desk.submit() == {"v": {"label": "no"}}


MODERATION = "AWS/Rekognition/DetectModerationLabels/Image/V3"


def test_moderation_labels_come_out_under_their_fixed_key(desk: Callable[..., Any]) -> None:
    tag = "crowd-rekognition-detect-moderation-labels"
    categories = """[{name:'Weapons',parentName:'Violence'},'Drugs']"""
    template = form(
        f"""<{tag} header="What is in it?" src="{PICTURE}" categories="{categories}"
          exclusion-category="{{text:'Nothing of these'}}"></{tag}>"""
    )
    at_desk = desk(template)
    at_desk.frame.get_by_role("checkbox", name="Violence: Weapons").check()
    at_desk.frame.get_by_role("checkbox", name="Drugs").check()
    assert at_desk.submit() == {
        MODERATION: {
            "ModerationLabels": [
                {"name": "Weapons", "parentName": "Violence"},
                {"name": "Drugs", "parentName": ""},
            ]
        }
    }
    nothing = desk(template)
    nothing.frame.get_by_role("checkbox", name="Nothing of these").check()
    assert nothing.submit() == {MODERATION: {"ModerationLabels": []}}


# Entities

TEXT = "Zoë 😀 Smith met Ada Lovelace in São Paulo."
LABELS = "[{label:'person',shortDisplayName:'PER',fullDisplayName:'A person'},{label:'place'}]"


def entities(*, more: str = "", name: str = 'name="entities"') -> str:
    return form(
        f"""<crowd-entity-annotation {name} header="Names" text="{TEXT}" labels="{LABELS}" {more}>
          <full-instructions header="How">f</full-instructions><short-instructions>s</short-instructions>
        </crowd-entity-annotation>"""
    )


def span(label: str, words: str) -> dict[str, Any]:
    start = TEXT.index(words)
    return {"endOffset": start + len(words), "label": label, "startOffset": start}


def select_text(at_desk: Any, words: str) -> None:
    """Select words with the mouse, from before their first letter to behind their last."""
    at_desk.frame.locator(".text").wait_for()  # its script comes on demand
    edges = at_desk.frame.locator("crowd-entity-annotation").evaluate(
        """(element, words) => {
          const text = element.shadowRoot.querySelector('.text');
          const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
          for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            const at = node.data.indexOf(words);
            if (at < 0) continue;
            const range = document.createRange();
            range.setStart(node, at);
            range.setEnd(node, at + words.length);
            const box = range.getBoundingClientRect();
            return [box.left, box.right, box.top + box.height / 2];
          }
        }""",
        words,
    )
    frame = at_desk.page.locator("iframe").bounding_box()
    left, right, middle = edges
    at_desk.page.mouse.move(frame["x"] + left + 0.5, frame["y"] + middle)
    at_desk.page.mouse.down()
    at_desk.page.mouse.move(frame["x"] + (left + right) / 2, frame["y"] + middle)
    at_desk.page.mouse.move(frame["x"] + right, frame["y"] + middle)
    at_desk.page.mouse.up()


def test_entities_are_marked_with_the_mouse_and_counted_in_code_points(desk: Callable[..., Any]) -> None:
    at_desk = desk(entities())
    select_text(at_desk, "Ada Lovelace ")
    at_desk.page.keyboard.press("2")
    select_text(at_desk, "São Paulo")
    expect(at_desk.frame.get_by_role("heading", name="2 entities")).to_be_visible()
    assert at_desk.submit() == {
        "entities": {"entities": [span("person", "Ada Lovelace"), span("place", "São Paulo")]}
    }


def test_entities_are_marked_by_keyboard_changed_and_deleted(desk: Callable[..., Any]) -> None:
    given = json.dumps([span("person", "Smith")]).replace('"', "&quot;")
    at_desk = desk(entities(more=f'initial-value="{given}"'))
    at_desk.frame.locator(".text").focus()
    press = at_desk.page.keyboard.press
    press("End")
    press("ArrowLeft")
    press("Control+Shift+ArrowLeft")
    press("Control+Shift+ArrowLeft")
    press("2")
    assert at_desk.frame.locator("crowd-entity-annotation").evaluate("e => e.value") == {
        "entities": [span("person", "Smith"), span("place", "São Paulo")]
    }
    at_desk.frame.get_by_role("button", name="Smith").click()
    at_desk.frame.get_by_label("Label of Smith").select_option("place")
    at_desk.frame.locator("mark", has_text="São Paulo").click()
    at_desk.frame.locator(".text").focus()
    press("Delete")
    assert at_desk.submit() == {"entities": {"entities": [span("place", "Smith")]}}


def test_without_a_name_the_elements_tag_is_the_key(desk: Callable[..., Any]) -> None:
    at_desk = desk(entities(name=""))
    assert at_desk.submit() == {"crowd-entity-annotation": {"entities": []}}


# Textract

DOCUMENT = "AWS/Textract/AnalyzeDocument/Forms/V1"


def box(left: float, top: float) -> dict[str, Any]:
    return {"BoundingBox": {"Left": left, "Top": top, "Width": 0.1, "Height": 0.05}, "Polygon": []}


def kv(identity: str, kind: str, words: list[str], place: dict[str, Any], value: str = "") -> dict[str, Any]:
    relations = [{"Type": "VALUE", "Ids": [value]}] if value else []
    relations += [{"Type": "CHILD", "Ids": words}] if words else []
    return {
        "BlockType": "KEY_VALUE_SET",
        "Confidence": 71.5,
        "EntityTypes": [kind],
        "Geometry": place,
        "Id": identity,
        "Relationships": relations,
    }


def word(identity: str, text: str) -> dict[str, Any]:
    return {"BlockType": "WORD", "Confidence": 98.0, "Geometry": box(0, 0), "Id": identity, "Text": text}


BLOCKS = [
    {"BlockType": "PAGE", "Id": "page", "Geometry": box(0, 0)},
    kv("k1", "KEY", ["w1", "w2"], box(0.1, 0.1), "v1"),
    kv("v1", "VALUE", ["w3"], box(0.4, 0.1)),
    kv("k2", "KEY", ["w4"], box(0.1, 0.5), "v2"),
    kv("v2", "VALUE", ["w5"], box(0.4, 0.5)),
    word("w1", "Mail"),
    word("w2", "address:"),
    word("w3", "12 Main"),
    word("w4", "Phone"),
    word("w5", "555"),
]


def document(more: str = "") -> str:
    return form(
        f"""<crowd-textract-analyze-document src="{PICTURE}" header="Check the form"
          initial-value="{{{{ task.input.selectedAiServiceResponse.blocks }}}}"
          keys="{{{{ task.input.humanLoopContext.importantFormKeys }}}}"
          block-types="['KEY_VALUE_SET']" {more}>
          <full-instructions header="How">f</full-instructions><short-instructions>s</short-instructions>
        </crowd-textract-analyze-document>"""
    )


KEYS = [
    {"importantFormKey": "Mail address", "importantFormKeyAliases": ["Mail address:"]},
    {"importantFormKey": "Date", "importantFormKeyAliases": []},
]


def with_blocks(desk: Callable[..., Any], template: str) -> Any:
    return desk(
        template,
        selectedAiServiceResponse={"blocks": BLOCKS},
        humanLoopContext={"importantFormKeys": KEYS},
    )


def lower(value: Any) -> Any:
    if isinstance(value, list):
        return [lower(item) for item in value]
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: lower(item) for key, item in value.items()}
    return value


def test_an_unchanged_document_comes_out_as_it_came(desk: Callable[..., Any]) -> None:
    at_desk = with_blocks(desk, document())
    expect(at_desk.frame.get_by_label("Value of Mail address:")).to_have_value("12 Main")
    assert at_desk.submit() == {DOCUMENT: {"blocks": lower(BLOCKS)}}


def test_a_value_is_corrected_a_pair_removed_and_a_missing_key_added(desk: Callable[..., Any]) -> None:
    at_desk = with_blocks(desk, document())
    frame = at_desk.frame
    frame.get_by_label("Value of Mail address:").fill("12 Main Street")
    frame.get_by_role("button", name="Remove Phone").click()
    expect(frame.get_by_text("Not found: Date")).to_be_visible()
    frame.get_by_role("button", name="Add it").click()
    canvas = Canvas(at_desk)
    canvas.drag((400, 450), (600, 510))
    frame.get_by_label("Value of Date").fill("2026-11-23")
    blocks = {block["id"]: block for block in at_desk.submit()[DOCUMENT]["blocks"]}
    assert set(blocks) & {"k2", "v2", "w4", "w5", "w3"} == set()
    (words,) = [relation["ids"] for relation in blocks["v1"]["relationships"] if relation["type"] == "CHILD"]
    assert [blocks[one]["text"] for one in words] == ["12 Main Street"]
    assert blocks["k1"] == lower(BLOCKS[1])
    (key,) = [one for one in blocks.values() if one["id"].endswith("-key")]
    (value_id,) = next(relation["ids"] for relation in key["relationships"] if relation["type"] == "VALUE")
    value = blocks[value_id]
    assert value["entityTypes"] == ["VALUE"]
    place = value["geometry"]["boundingBox"]
    assert close_to(place["left"] * 800, 400)
    assert close_to(place["height"] * 600, 60)
    assert blocks[f"{key['id']}-text"]["text"] == "Date"
    assert blocks[f"{value_id}-text"]["text"] == "2026-11-23"


def test_fixed_keys_and_boxes_stay(desk: Callable[..., Any]) -> None:
    at_desk = with_blocks(desk, document("no-key-edit no-geometry-edit"))
    frame = at_desk.frame
    expect(frame.get_by_label("Key 1")).to_have_attribute("readonly", "")
    expect(frame.get_by_role("button", name="Add a pair")).to_have_count(0)
    frame.get_by_label("Value of Phone").focus()
    Canvas(at_desk).drag((400, 450), (600, 510))
    assert at_desk.submit() == {DOCUMENT: {"blocks": lower(BLOCKS)}}


# Inputs and layout


def test_sliders_and_toggles(desk: Callable[..., Any]) -> None:
    at_desk = desk(
        form(
            """<crowd-slider name="rating" min="0" max="10" step="1" value="4" editable required>
                 <crowd-slider-label position="0">bad</crowd-slider-label></crowd-slider>
               <crowd-slider name="silent" min="5" max="9"></crowd-slider>
               <crowd-toggle-button name="theme" required>Dark</crowd-toggle-button>
               <crowd-toggle-button name="sure" value="yes" checked>Sure</crowd-toggle-button>"""
        )
    )
    frame = at_desk.frame
    frame.get_by_role("slider", name="rating").focus()
    at_desk.page.keyboard.press("ArrowRight")
    expect(frame.get_by_role("spinbutton", name="rating")).to_have_value("5")
    frame.get_by_role("spinbutton", name="rating").fill("99")
    frame.get_by_role("button", name="Submit").click()
    expect(frame.get_by_text("Please tick this box to go on.")).to_be_visible()
    frame.get_by_role("switch", name="Dark").click()
    assert at_desk.submit() == {"rating": 10, "silent": 5, "theme": {"on": True}, "sure": {"yes": True}}


def test_elements_that_speak_or_arrange(desk: Callable[..., Any]) -> None:
    at_desk = desk(
        form(
            """<crowd-alert type="warning" dismissible>Mind the gap</crowd-alert>
               <crowd-modal link-text="Examples" link-type="button"><p>An example</p></crowd-modal>
               <crowd-toast id="toast" text="Saved" duration="60000"></crowd-toast>
               <crowd-icon-button id="up" icon="thumb-up" title="Good"></crowd-icon-button>
               <crowd-badge for="up" label="1234"></crowd-badge>
               <crowd-fab icon="add" title="Add"></crowd-fab><crowd-fab label="XY" title="Ex"></crowd-fab>
               <crowd-button icon="star" icon-align="right">Star</crowd-button>
               <crowd-button variant="link" href="https://example.org/guide">Guide</crowd-button>
               <crowd-input name="x" value="1"></crowd-input>"""
        )
    )
    frame = at_desk.frame
    expect(frame.get_by_role("alert")).to_be_visible()
    expect(frame.get_by_text("Mind the gap")).to_be_visible()
    frame.get_by_role("button", name="Dismiss").click()
    expect(frame.get_by_text("Mind the gap")).to_be_hidden()
    expect(frame.get_by_text("An example")).to_be_hidden()
    frame.get_by_role("button", name="Examples").click()
    expect(frame.get_by_text("An example")).to_be_visible()
    at_desk.page.keyboard.press("Escape")
    expect(frame.get_by_text("An example")).to_be_hidden()
    expect(frame.get_by_text("Saved")).to_be_hidden()
    frame.locator("#toast").evaluate("toast => { toast.opened = true }")
    expect(frame.get_by_text("Saved")).to_be_visible()
    expect(frame.get_by_role("button", name="Good").locator("svg")).to_have_count(1)
    expect(frame.locator("crowd-badge span")).to_have_text("123")
    expect(frame.get_by_role("button", name="Ex", exact=True)).to_have_text("X")
    expect(frame.get_by_role("link", name="Guide")).to_have_attribute("href", "https://example.org/guide")
    assert at_desk.submit() == {"x": "1"}
