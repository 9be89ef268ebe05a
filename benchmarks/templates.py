"""Worker templates in Debian's Chromium: until they can be worked in, and how fast a box follows the hand.

The baseline of a template's time is that of an empty form in the same browser; that of a moved box is a page
with one box in place of 200. The latency is what passes from a pointer's move to the frame that shows it.
"""

import gzip
import json
import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Measurement, median, percentile
from playwright.sync_api import Page, sync_playwright

from overread_cli.template.files import read_object, read_template
from overread_cli.template.standalone import render, standalone_page, static_folder
from overread_templates import parse_template
from overread_testing.pictures import grey_picture

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
TEMPLATES = Path("templates")
RUNS = 7
WIDTH, HEIGHT = 4000, 3000
BOXES, MOVES = 200, 120
SCRIPT = '<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>'
EMPTY = f"{SCRIPT}<crowd-form><crowd-input name='x'></crowd-input></crowd-form>"
_READY = """<script>document.addEventListener("all-crowd-elements-ready", () => {
  requestAnimationFrame(() => { window.readyAt = performance.now(); });
});</script>"""
_RECORD = """() => {
  window.frames_ms = [];
  const viewport = document.querySelector("crowd-bounding-box").shadowRoot.querySelector(".viewport");
  viewport.addEventListener("pointermove", (event) => {
    requestAnimationFrame(() => setTimeout(() => window.frames_ms.push(performance.now() - event.timeStamp)));
  });
}"""


def run() -> list[Measurement]:
    """Sizes of the scripts, time to interactive of each template, latency with 200 boxes on 12 megapixels."""
    measured = list(_sizes())
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        measured += _times(page, Path(folder))
        measured += _latency(page, Path(folder))
        browser.close()
    return measured


def _sizes() -> Iterator[Measurement]:
    for path in sorted(static_folder().glob("crowd-*.js")):
        size = len(gzip.compress(path.read_bytes())) / 1e3
        yield Measurement(f"templates: {path.name}, compressed", size, "kB")


def _times(page: Page, folder: Path) -> Iterator[Measurement]:
    empty = _interactive_ms(page, _page(EMPTY, {}), folder)
    yield Measurement("templates: an empty form, interactive", empty, "ms")
    for path in sorted(TEMPLATES.glob("*/template.liquid.html")):
        objects = path.parent / "objects"
        rendered = render(
            read_template(path),
            read_object(path.parent / "sample-input.json"),
            objects=objects if objects.is_dir() else None,
        )
        taken = _interactive_ms(page, standalone_page(rendered), folder)
        name = f"templates: {path.parent.name}, interactive"
        yield Measurement.against(name, value=taken, unit="ms", baseline=empty)


def _interactive_ms(page: Page, html: str, folder: Path) -> float:
    file = folder / "page.html"
    file.write_text(html.replace("<head>", f"<head>{_READY}", 1), encoding="utf-8")
    taken = []
    for _ in range(RUNS):
        page.goto(file.as_uri())
        page.wait_for_function("window.readyAt !== undefined")
        taken.append(float(page.evaluate("window.readyAt")))
    return median(taken)


def _latency(page: Page, folder: Path) -> Iterator[Measurement]:
    one, many = (_frames(page, folder, boxes=count) for count in (1, BOXES))
    for share, word in ((0.5, "p50"), (0.95, "p95")):
        name = f"templates: a box moved among {BOXES}, {word}"
        value, baseline = percentile(many, share), percentile(one, share)
        yield Measurement.against(name, value=value, unit="ms", baseline=baseline)


def _frames(page: Page, folder: Path, *, boxes: int) -> list[float]:
    drawn = random.Random(7)
    initial = [
        {
            "label": "car",
            "left": drawn.randrange(0, WIDTH - 200),
            "top": drawn.randrange(0, HEIGHT - 200),
            "width": 150,
            "height": 120,
        }
        for _ in range(boxes - 1)
    ] + [{"label": "car", "left": 1900, "top": 1400, "width": 200, "height": 200}]
    picture = grey_picture(WIDTH, HEIGHT)
    tool = (
        f"{SCRIPT}<crowd-form><crowd-bounding-box name='b' header='Boxes' labels=\"['car']\" src='{picture}'"
        f" initial-value='{json.dumps(initial)}'></crowd-bounding-box></crowd-form>"
    )
    file = folder / "boxes.html"
    file.write_text(_page(tool, {}), encoding="utf-8")
    page.goto(file.as_uri())
    page.wait_for_function("document.querySelector('crowd-bounding-box')?.size != null")
    page.wait_for_timeout(300)
    image = page.locator("crowd-bounding-box img").bounding_box()
    if image is None:
        raise RuntimeError("the image has no place on the page")
    scale = image["width"] / WIDTH
    x, y = image["x"] + 2000 * scale, image["y"] + 1500 * scale
    page.mouse.click(x, y)
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(_RECORD)
    for step in range(MOVES):
        page.mouse.move(x + step % 40, y + step % 25)
    page.mouse.up()
    page.wait_for_timeout(200)
    found = page.evaluate("window.frames_ms")
    return [float(value) for value in found]


def _page(template: str, task_input: dict[str, object]) -> str:
    return standalone_page(render(parse_template(template, name="benchmark"), task_input, objects=None))
