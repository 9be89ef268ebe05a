"""A picture, a template around an image tool, and a hand that draws in the image's own pixels."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, expect

from overread_testing.pictures import grey_picture

SCRIPT = '<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>'
WIDTH, HEIGHT = 800, 600


PICTURE = grey_picture(WIDTH, HEIGHT)


def tool(tag: str, *, more: str = "", name: str = "marks", labels: str = "['car', 'dog']") -> str:
    return f"""{SCRIPT}<crowd-form>
      <{tag} name="{name}" src="{PICTURE}" header="Mark them" labels="{labels}" {more}>
      <full-instructions header="How">Draw tightly.</full-instructions>
      <short-instructions>Tightly.</short-instructions></{tag}></crowd-form>"""


class Canvas:
    """The image as the reviewer's hand knows it: places are natural pixels."""

    def __init__(self, at_desk: Any) -> None:
        self.desk = at_desk
        self.viewport: Locator = at_desk.frame.locator(".viewport")
        expect(at_desk.frame.locator(".loading")).to_have_count(0)
        self.viewport.scroll_into_view_if_needed()

    def on_screen(self, x: float, y: float) -> tuple[float, float]:
        box = self.viewport.locator("img").bounding_box()
        assert box is not None
        return box["x"] + x * box["width"] / WIDTH, box["y"] + y * box["height"] / HEIGHT

    def click(self, x: float, y: float) -> None:
        self.desk.page.mouse.click(*self.on_screen(x, y))

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        mouse = self.desk.page.mouse
        mouse.move(*self.on_screen(*start))
        mouse.down()
        mouse.move(*self.on_screen((start[0] + end[0]) / 2, (start[1] + end[1]) / 2))
        mouse.move(*self.on_screen(*end))
        mouse.up()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.desk.page.keyboard.press(key)


def close_to(found: float, wanted: float) -> bool:
    return abs(found - wanted) <= 2
