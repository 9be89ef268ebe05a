"""Takes each template's `screenshot.png` in Chromium: `python templates/make_screenshots.py`."""

from __future__ import annotations

import io
import json
import os
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from overread_cli.template.standalone import render, standalone_page
from overread_templates import parse_template

HERE = Path(__file__).parent
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
COLORS = 64


def main() -> None:
    """Writes the pictures beside the templates."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1120, "height": 700})
        for path in sorted(HERE.glob("*/template.liquid.html")):
            sample = json.loads((path.parent / "sample-input.json").read_text())
            objects = path.parent / "objects"
            template = parse_template(path.read_text(), name=str(path))
            html = standalone_page(render(template, sample, objects=objects if objects.is_dir() else None))
            file = Path(folder) / "page.html"
            file.write_text(html)
            page.goto(file.as_uri())
            page.wait_for_timeout(400)
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(COLORS)
            picture.save(path.parent / "screenshot.png", optimize=True)
        browser.close()


if __name__ == "__main__":
    main()
