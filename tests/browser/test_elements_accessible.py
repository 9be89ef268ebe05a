"""No crowd element has a serious or critical finding of axe-core, at work and in both schemes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect
from tests.browser.axe import findings
from tests.browser.drawing import PICTURE, SCRIPT, Canvas, tool

DARK_TOO = (
    "<style>:root { color-scheme: light dark } body { background: light-dark(#ffffff, #12171d) }</style>"
)
REGIONS = "<full-instructions header='How'>f</full-instructions><short-instructions>s</short-instructions>"


def check(at_desk: Any) -> None:
    (frame,) = [frame for frame in at_desk.page.frames if "/frame" in frame.url]
    assert findings(frame) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "tag",
    [
        "crowd-bounding-box",
        "crowd-polygon",
        "crowd-keypoint",
        "crowd-instance-segmentation",
        "crowd-semantic-segmentation",
    ],
)
def test_tools_on_images(desk: Callable[..., Any], tag: str, scheme: str) -> None:
    canvas = Canvas(desk(DARK_TOO + tool(tag), scheme=scheme))
    if tag == "crowd-bounding-box":
        canvas.drag((100, 100), (300, 200))
    else:
        for corner in ((100, 100), (300, 120), (200, 300), (100, 100)):
            canvas.click(*corner)
    canvas.desk.frame.locator("summary", has_text="Keys").click()
    check(canvas.desk)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_choices_and_the_rest(desk: Callable[..., Any], scheme: str) -> None:
    at_desk = desk(
        f"""{DARK_TOO}{SCRIPT}<crowd-form>
        <crowd-entity-annotation name="e" header="Names" text="Ada met Grace" labels="['person','place']"
          initial-value="[{{label:'person',startOffset:0,endOffset:3}}]">
          {REGIONS}</crowd-entity-annotation>
        <crowd-image-classifier-multi-select name="m" src="{PICTURE}" header="All" categories="['a','b']"
          exclusion-category="{{text:'none'}}"
          overlay="{{boundingBox:{{labels:['x'],
            value:[{{label:'x',left:1,top:1,width:50,height:50}}]}}}}"
          >{REGIONS}</crowd-image-classifier-multi-select>
        <crowd-alert type="error" dismissible>Careful</crowd-alert>
        <crowd-alert type="warning">Slow</crowd-alert>
        <crowd-alert type="success">Good</crowd-alert>
        <crowd-slider name="s" label="How sure" editable></crowd-slider>
        <crowd-toggle-button name="t" checked>Sure</crowd-toggle-button>
        <crowd-modal link-text="More"><p>more</p></crowd-modal>
        <crowd-icon-button icon="star" title="Star"></crowd-icon-button>
        <crowd-fab label="A" title="Add"></crowd-fab>
        <crowd-button icon="check">Check</crowd-button></crowd-form>""",
        scheme=scheme,
    )
    at_desk.frame.locator("mark").click()
    expect(at_desk.frame.get_by_label("Label of Ada")).to_be_visible()
    check(at_desk)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forms_that_textract_read(desk: Callable[..., Any], scheme: str) -> None:
    block = "{blockType:'KEY_VALUE_SET',id:'k',entityTypes:['KEY'],relationships:[{type:'CHILD',ids:['w']}]}"
    at_desk = desk(
        f"""{DARK_TOO}{SCRIPT}<crowd-form>
        <crowd-textract-analyze-document src="{PICTURE}" header="Check" block-types="['KEY_VALUE_SET']"
          initial-value="[{block},{{blockType:'WORD',id:'w',text:'Name'}}]"
          keys="[{{importantFormKey:'Date'}}]">{REGIONS}</crowd-textract-analyze-document></crowd-form>""",
        scheme=scheme,
    )
    expect(at_desk.frame.get_by_label("Value of Name")).to_be_visible()
    check(at_desk)
