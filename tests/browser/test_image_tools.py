"""Drawing on images: with mouse and keyboard, from initial values, and what comes out, in natural pixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect
from tests.browser.drawing import HEIGHT, PICTURE, WIDTH, Canvas, close_to, tool


def test_a_box_is_drawn_moved_resized_and_submitted_in_natural_pixels(desk: Callable[..., Any]) -> None:
    canvas = Canvas(desk(tool("crowd-bounding-box")))
    canvas.press("2")
    canvas.drag((100, 100), (300, 200))
    canvas.drag((200, 150), (250, 180))  # the new box is selected: a drag inside moves it
    canvas.drag((350, 230), (400, 300))  # its lower right corner
    answer = canvas.desk.submit()
    (box,) = answer["marks"]["boundingBoxes"]
    assert list(box) == ["height", "label", "left", "top", "width"]
    assert box["label"] == "dog"
    assert all(isinstance(box[side], int) for side in ("height", "left", "top", "width"))
    assert close_to(box["left"], 150)
    assert close_to(box["top"], 130)
    assert close_to(box["width"], 250)
    assert close_to(box["height"], 170)
    assert answer["marks"]["inputImageProperties"] == {"height": HEIGHT, "width": WIDTH}
    assert set(answer["marks"]) == {"boundingBoxes", "inputImageProperties"}


def test_a_box_is_drawn_and_changed_by_keyboard_alone(desk: Callable[..., Any]) -> None:
    canvas = Canvas(desk(tool("crowd-bounding-box")))
    canvas.viewport.focus()
    canvas.press(
        "ArrowLeft", "ArrowUp", "Space", *["Shift+ArrowRight"] * 2, *["Shift+ArrowDown"] * 2, "Space"
    )
    expect(canvas.desk.frame.get_by_role("heading", name="1 box")).to_be_visible()
    box = canvas.desk.frame.locator("crowd-bounding-box")
    before = box.evaluate("tool => tool.value.boundingBoxes[0]")
    canvas.press("ArrowRight", "Shift+ArrowDown")
    canvas.press("Tab", "Tab", "Tab", "Shift+ArrowRight")  # the corner at the top right
    after = box.evaluate("tool => tool.value.boundingBoxes[0]")
    assert after == {
        **before,
        "left": before["left"] + 1,
        "top": before["top"] + 10,
        "width": before["width"] + 10,
    }
    canvas.viewport.focus()
    canvas.press("Delete")
    assert canvas.desk.submit()["marks"]["boundingBoxes"] == []


def test_the_first_space_shows_where_the_next_ones_draw(desk: Callable[..., Any]) -> None:
    canvas = Canvas(desk(tool("crowd-keypoint")))
    canvas.viewport.focus()
    canvas.press("Space")
    expect(canvas.desk.frame.locator(".cross")).to_have_count(1)
    expect(canvas.desk.frame.get_by_role("heading", name="0 points")).to_be_visible()
    canvas.press("Space")
    (point,) = canvas.desk.submit()["marks"]["keypoints"]
    assert (point["x"], point["y"]) == (WIDTH // 2, HEIGHT // 2)


def test_undo_and_redo_go_through_every_change(desk: Callable[..., Any]) -> None:
    canvas = Canvas(desk(tool("crowd-bounding-box")))
    frame = canvas.desk.frame
    canvas.drag((100, 100), (300, 200))
    canvas.press("Escape")
    canvas.drag((400, 300), (500, 400))
    canvas.press("Delete")
    expect(frame.get_by_role("heading", name="1 box")).to_be_visible()
    canvas.press("Control+z")
    expect(frame.get_by_role("heading", name="2 boxes")).to_be_visible()
    canvas.press("Control+z", "Control+z")
    expect(frame.get_by_role("heading", name="0 boxes")).to_be_visible()
    canvas.press("Control+Shift+z")
    expect(frame.get_by_role("heading", name="1 box")).to_be_visible()
    frame.get_by_role("button", name="Undo").click()
    expect(frame.get_by_role("heading", name="0 boxes")).to_be_visible()


INITIAL = (
    "[{label:'car',left:10.5,top:20,width:30,height:40,},"
    "{'label':'dog','left':100,'top':100,'width':50,'height':60}]"
)


@pytest.mark.parametrize("spelling", ["initial-value", "initialValue"])
def test_boxes_that_came_with_the_task(desk: Callable[..., Any], spelling: str) -> None:
    untouched = Canvas(desk(tool("crowd-bounding-box", more=f'{spelling}="{INITIAL}"')))
    assert untouched.desk.submit()["marks"] == {
        "boundingBoxes": [
            {"height": 40, "label": "car", "left": 10.5, "top": 20, "width": 30},
            {"height": 60, "label": "dog", "left": 100, "top": 100, "width": 50},
        ],
        "inputImageProperties": {"height": HEIGHT, "width": WIDTH},
        "initialValueModified": False,
    }
    changed = Canvas(desk(tool("crowd-bounding-box", more=f'{spelling}="{INITIAL}"')))
    changed.click(120, 120)
    changed.desk.frame.get_by_label("Label of box 2, dog").select_option("car")
    answer = changed.desk.submit()["marks"]
    assert answer["initialValueModified"] is True
    assert [box["label"] for box in answer["boundingBoxes"]] == ["car", "car"]


def test_a_polygon_is_closed_on_its_first_corner_or_by_enter(desk: Callable[..., Any]) -> None:
    canvas = Canvas(desk(tool("crowd-polygon")))
    for corner in ((100, 100), (300, 120), (200, 300), (100, 100)):
        canvas.click(*corner)
    canvas.press("Escape", "2")
    for corner in ((500, 100), (700, 120), (600, 300)):
        canvas.click(*corner)
    canvas.press("Enter")
    answer = canvas.desk.submit()["marks"]
    assert set(answer) == {"polygons", "inputImageProperties"}
    assert [shape["label"] for shape in answer["polygons"]] == ["car", "dog"]
    for shape, corners in zip(
        answer["polygons"],
        [[(100, 100), (300, 120), (200, 300)], [(500, 100), (700, 120), (600, 300)]],
        strict=True,
    ):
        found = [(point["x"], point["y"]) for point in shape["vertices"]]
        assert len(found) == 3
        assert all(close_to(a, c) and close_to(b, d) for (a, b), (c, d) in zip(found, corners, strict=True))


def test_a_polygon_that_is_not_finished_keeps_the_form(desk: Callable[..., Any]) -> None:
    canvas = Canvas(desk(tool("crowd-polygon")))
    canvas.click(100, 100)
    canvas.click(300, 120)
    canvas.desk.frame.get_by_role("button", name="Submit").click()
    expect(canvas.desk.frame.get_by_text("Finish or cancel the polygon that you began.")).to_be_visible()
    canvas.desk.frame.get_by_role("button", name="Cancel").click()
    assert canvas.desk.submit()["marks"]["polygons"] == []


def test_a_polygon_by_keyboard(desk: Callable[..., Any]) -> None:
    canvas = Canvas(desk(tool("crowd-polygon")))
    canvas.viewport.focus()
    canvas.press("ArrowLeft", "Space", "Shift+ArrowRight", "Space", "Shift+ArrowDown", "Space", "Enter")
    (shape,) = canvas.desk.submit()["marks"]["polygons"]
    (a, b, c) = shape["vertices"]
    assert a["y"] == b["y"]
    assert b["x"] == c["x"]
    assert c["y"] > b["y"]


def test_polylines_and_lines_with_their_own_colours(desk: Callable[..., Any]) -> None:
    initial = "{polylines:[{label:'car',vertices:[{x:1,y:2},{x:3,y:4}]}]}"
    more = f"""label-colors="['#112233', '#445566']" initial-value="{initial}\""""
    canvas = Canvas(desk(tool("crowd-polyline", more=more)))
    style = canvas.viewport.locator("g[style]").first.get_attribute("style")
    assert style is not None
    assert "#112233" in style
    for corner in ((400, 100), (500, 200), (600, 100)):
        canvas.click(*corner)
    canvas.click(600, 100)
    answer = canvas.desk.submit()["marks"]
    assert [len(line["vertices"]) for line in answer["polylines"]] == [2, 3]
    assert answer["polylines"][0] == {"label": "car", "vertices": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]}
    assert answer["initialValueModified"] is True

    lines = Canvas(desk(tool("crowd-line")))
    lines.drag((100, 100), (300, 400))
    (line,) = lines.desk.submit()["marks"]["lines"]
    assert len(line["vertices"]) == 2
    assert close_to(line["vertices"][1]["y"], 400)


def test_keypoints_are_set_moved_and_unknown_ones_left_out(desk: Callable[..., Any]) -> None:
    more = """initial-value="[{label:'car',x:50,y:60},{label:'cat',x:5,y:5}]\""""
    canvas = Canvas(desk(tool("crowd-keypoint", more=more)))
    canvas.press("2")
    canvas.click(400, 300)
    canvas.drag((50, 60), (90, 100))
    answer = canvas.desk.submit()["marks"]
    assert [point["label"] for point in answer["keypoints"]] == ["car", "dog"]
    assert close_to(answer["keypoints"][0]["x"], 90)
    assert close_to(answer["keypoints"][1]["y"], 300)
    assert set(answer["keypoints"][0]) == {"label", "x", "y"}


def test_zoomed_in_a_click_means_what_is_under_it(desk: Callable[..., Any]) -> None:
    canvas = Canvas(desk(tool("crowd-keypoint")))
    before = canvas.on_screen(700, 500)
    canvas.desk.frame.get_by_role("button", name="Zoom in").click(click_count=1)
    for _ in range(4):
        canvas.desk.frame.get_by_role("button", name="Zoom in").click()
    assert canvas.on_screen(700, 500) != before
    canvas.click(420, 310)
    canvas.desk.frame.get_by_role("button", name="Fit").click()
    assert canvas.on_screen(700, 500) == pytest.approx(before, abs=1)
    (point,) = canvas.desk.submit()["marks"]["keypoints"]
    assert close_to(point["x"], 420)
    assert close_to(point["y"], 310)


def test_an_image_that_does_not_come_keeps_the_form(desk: Callable[..., Any]) -> None:
    template = tool("crowd-bounding-box").replace(PICTURE, "data:image/png;base64,AAAA")
    at_desk = desk(template)
    expect(at_desk.frame.get_by_role("alert")).to_contain_text("could not be loaded")
    at_desk.frame.get_by_role("button", name="Submit").click()
    expect(at_desk.frame.get_by_text("Something is still missing.")).to_be_visible()
    assert at_desk.lab.loop("loop-1").answers == ()


def test_what_is_drawn_comes_back_as_a_draft(desk: Callable[..., Any]) -> None:
    canvas = Canvas(desk(tool("crowd-bounding-box")))
    canvas.drag((100, 100), (300, 200))
    expect(canvas.desk.frame.get_by_role("heading", name="1 box")).to_be_visible()
    canvas.desk.page.wait_for_timeout(900)
    canvas.desk.page.reload()
    expect(canvas.desk.frame.get_by_role("heading", name="1 box")).to_be_visible()
