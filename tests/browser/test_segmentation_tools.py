"""Painting on images: polygon, brush, eraser, masks that came with the task, and the picture that results."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from tests.browser.drawing import HEIGHT, WIDTH, Canvas, tool

BLUE, ORANGE = (0x1F, 0x77, 0xB4), (0xFF, 0x7F, 0x0E)


def pixels_of(answer: dict[str, Any]) -> Any:
    """The answer's mask as an array of (height, width, 4)."""
    text = answer["labeledImage"]["pngImageData"]
    assert text.startswith("iVBOR")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGBA"))


def share(pixels: Any, color: tuple[int, int, int]) -> float:
    """Which part of the picture is exactly this colour."""
    return float((pixels == (*color, 255)).all(axis=2).mean())


def mask_address(*regions: tuple[tuple[int, int, int], tuple[int, int, int, int]]) -> str:
    """A mask as a data address: a colour and left, top, right, bottom of each region."""
    picture = Image.new("RGBA", (WIDTH, HEIGHT))
    for color, box in regions:
        picture.paste((*color, 255), box)
    sink = io.BytesIO()
    picture.save(sink, "PNG")
    return "data:image/png;base64," + base64.b64encode(sink.getvalue()).decode()


def test_polygons_become_pixels_of_their_labels(desk: Callable[..., Any]) -> None:
    canvas = Canvas(desk(tool("crowd-semantic-segmentation")))
    for corner in ((100, 100), (300, 100), (300, 300), (100, 300), (100, 100)):
        canvas.click(*corner)
    canvas.press("2")
    for corner in ((400, 100), (600, 100), (600, 300), (400, 300)):
        canvas.click(*corner)
    canvas.press("Enter")
    answer = canvas.desk.submit()["marks"]
    assert answer["labelMappings"] == {"car": {"color": "#1f77b4"}, "dog": {"color": "#ff7f0e"}}
    assert answer["inputImageProperties"] == {"height": HEIGHT, "width": WIDTH}
    assert set(answer) == {"labelMappings", "inputImageProperties", "labeledImage"}
    pixels = pixels_of(answer)
    assert pixels.shape == (HEIGHT, WIDTH, 4)
    square = 200 * 200 / (WIDTH * HEIGHT)
    assert share(pixels, BLUE) == pytest.approx(square, rel=0.03)
    assert share(pixels, ORANGE) == pytest.approx(square, rel=0.03)
    assert share(pixels, BLUE) + share(pixels, ORANGE) + float((pixels[..., 3] == 0).mean()) == 1.0


def test_brush_and_eraser_with_undo(desk: Callable[..., Any]) -> None:
    canvas = Canvas(desk(tool("crowd-semantic-segmentation")))
    canvas.viewport.focus()
    canvas.press("b")
    canvas.drag((100, 100), (500, 100))
    canvas.press("2")
    canvas.drag((100, 400), (500, 400))
    canvas.press("e", "]", "]")
    canvas.drag((80, 400), (540, 400))
    answer = canvas.desk.frame.locator("crowd-semantic-segmentation").evaluate("tool => tool.value")
    assert set(answer["labelMappings"]) == {"car"}  # only what is there in the end
    canvas.press("Control+z")
    answer = canvas.desk.submit()["marks"]
    assert set(answer["labelMappings"]) == {"car", "dog"}
    pixels = pixels_of(answer)
    assert tuple(pixels[100, 300][:3]) == BLUE
    assert tuple(pixels[400, 300][:3]) == ORANGE


def test_painting_by_keyboard_alone(desk: Callable[..., Any]) -> None:
    canvas = Canvas(desk(tool("crowd-semantic-segmentation")))
    canvas.viewport.focus()
    canvas.press(
        "b", "ArrowLeft", "Enter", "Shift+ArrowRight", "Shift+ArrowRight", "Enter", "Shift+ArrowDown", "Space"
    )
    pixels = pixels_of(canvas.desk.submit()["marks"])
    painted = np.argwhere((pixels == (*BLUE, 255)).all(axis=2))
    assert (
        np.ptp(painted[:, 1]) > 2 * np.ptp(painted[:, 0]) * 0.8
    )  # a stroke to the right, a dab below its end
    assert np.ptp(painted[:, 0]) > 60


def test_a_mask_that_came_with_the_task(desk: Callable[..., Any]) -> None:
    address = mask_address(((1, 2, 3), (0, 0, 400, 600)), ((200, 100, 50), (400, 0, 800, 300)))
    mappings = "{'car':{'color':'#010203'},dog:{color:'#c86432'}}"
    template = tool(
        "crowd-semantic-segmentation",
        more=f"""initial-value="{{labelMappings:{mappings},src:'{address}'}}\"""",
    )
    untouched = Canvas(desk(template))
    answer = untouched.desk.submit()["marks"]
    assert answer["initialValueModified"] is False
    assert answer["labelMappings"] == {"car": {"color": "#010203"}, "dog": {"color": "#c86432"}}
    pixels = pixels_of(answer)
    assert share(pixels, (1, 2, 3)) == 0.5
    assert share(pixels, (200, 100, 50)) == 0.25
    changed = Canvas(desk(template))
    changed.viewport.focus()
    changed.press("e")
    changed.drag((100, 100), (200, 100))
    answer = changed.desk.submit()["marks"]
    assert answer["initialValueModified"] is True
    assert 0.4 < share(pixels_of(answer), (1, 2, 3)) < 0.5


def test_a_mask_that_cannot_be_loaded_keeps_the_form(desk: Callable[..., Any]) -> None:
    more = """initial-value="{labelMappings:{car:{color:'#010203'}},src:'data:image/png;base64,AAAA'}\""""
    at_desk = desk(tool("crowd-semantic-segmentation", more=more))
    expect(at_desk.frame.get_by_role("alert")).to_contain_text("mask that came with this task")
    at_desk.frame.get_by_role("button", name="Submit").click()
    expect(at_desk.frame.get_by_text("Something is still missing.")).to_be_visible()
    assert at_desk.lab.loop("loop-1").answers == ()


def test_instances_of_one_label_have_colours_of_their_own(desk: Callable[..., Any]) -> None:
    canvas = Canvas(desk(tool("crowd-instance-segmentation")))
    for left in (100, 300, 500):
        for corner in ((left, 100), (left + 100, 100), (left + 100, 200), (left, 200), (left, 100)):
            canvas.click(*corner)
    frame = canvas.desk.frame
    frame.get_by_role("button", name="2 car").click()
    frame.get_by_label("Label of instance 2").select_option("dog")
    frame.get_by_role("button", name="Erase instance 2").click()
    canvas.viewport.focus()
    canvas.press("Control+z")
    frame.get_by_role("button", name="3 car").click()
    frame.get_by_role("button", name="Erase instance 3").click()
    answer = canvas.desk.submit()["marks"]
    assert answer["instances"] == [
        {"color": "#1f77b4", "label": "car"},
        {"color": "#ff7f0e", "label": "dog"},
    ]
    pixels = pixels_of(answer)
    assert share(pixels, BLUE) == pytest.approx(100 * 100 / (WIDTH * HEIGHT), rel=0.06)
    assert share(pixels, (0x2C, 0xA0, 0x2C)) == 0
    assert set(answer) == {"instances", "inputImageProperties", "labeledImage"}


def test_a_stroke_goes_on_with_the_chosen_instance(desk: Callable[..., Any]) -> None:
    initial = mask_address(((10, 20, 30), (0, 0, 100, 100)))
    more = f"""initial-value="{{instances:[{{color:'#0a141e',label:'car'}}],src:'{initial}'}}\""""
    canvas = Canvas(desk(tool("crowd-instance-segmentation", more=more)))
    canvas.viewport.focus()
    canvas.press("b")
    canvas.desk.frame.get_by_role("button", name="1 car").click()
    canvas.drag((300, 300), (400, 300))
    canvas.press("2")
    canvas.drag((300, 500), (400, 500))
    answer = canvas.desk.submit()["marks"]
    assert [item["label"] for item in answer["instances"]] == ["car", "dog"]
    assert answer["instances"][0]["color"] == "#0a141e"
    assert tuple(pixels_of(answer)[300, 350][:3]) == (10, 20, 30)
    assert answer["initialValueModified"] is True


def test_what_is_painted_comes_back_as_a_draft(desk: Callable[..., Any]) -> None:
    canvas = Canvas(desk(tool("crowd-instance-segmentation")))
    for corner in ((100, 100), (200, 100), (200, 200), (100, 100)):
        canvas.click(*corner)
    expect(canvas.desk.frame.get_by_role("heading", name="1 instance")).to_be_visible()
    canvas.desk.page.wait_for_timeout(900)
    canvas.desk.page.reload()
    expect(canvas.desk.frame.get_by_role("heading", name="1 instance")).to_be_visible()
    answer = canvas.desk.submit()["marks"]
    assert share(pixels_of(answer), BLUE) > 0
