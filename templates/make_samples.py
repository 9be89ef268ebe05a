"""Draws the sample pictures of the templates: `python templates/make_samples.py`."""

from __future__ import annotations

import random
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter, ImageFont

HERE = Path(__file__).parent
SIZE = (640, 480)
USED_BY = {
    "street": (
        "image-classification",
        "image-classification-multi-select",
        "bounding-box",
        "polygon",
        "semantic-segmentation",
        "image-moderation",
    ),
    "figure": ("keypoint",),
    "receipt": ("transcription",),
    "form": ("document-key-values",),
    "scan": ("medical-image-reading",),
}


def street() -> Image.Image:
    """A street with a house, a tree and a car."""
    picture = Image.new("RGB", SIZE, "#a9cdea")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 300, 640, 480), fill="#7fa36b")
    draw.polygon(((0, 480), (640, 480), (640, 380), (0, 380)), fill="#5f646b")
    draw.rectangle((350, 200, 530, 370), fill="#d9b38c")
    draw.polygon(((330, 200), (440, 110), (550, 200)), fill="#9c4a3c")
    draw.rectangle((420, 280, 465, 370), fill="#6b4a34")
    draw.rectangle((140, 230, 160, 360), fill="#6b4a34")
    draw.ellipse((95, 120, 205, 250), fill="#4f8a4b")
    draw.rounded_rectangle((80, 375, 230, 415), 12, fill="#2f6fb3")
    draw.rounded_rectangle((110, 350, 200, 385), 14, fill="#8fb7de")
    for x in (105, 185):
        draw.ellipse((x, 400, x + 28, 428), fill="#22262b")
    return picture


def figure() -> Image.Image:
    """A figure of lines."""
    picture = Image.new("RGB", SIZE, "#f0ede6")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((285, 75, 355, 145), fill="#d9a066")
    for line in (
        ((320, 145), (320, 290)),
        ((320, 180), (430, 230)),
        ((320, 180), (215, 235)),
        ((320, 290), (380, 420)),
        ((320, 290), (260, 420)),
    ):
        draw.line(line, fill="#3a5a78", width=18)
    return picture


def receipt() -> Image.Image:
    """A receipt on a table."""
    picture = Image.new("RGB", SIZE, "#a27b52")
    draw = ImageDraw.Draw(picture)
    draw.polygon(((190, 40), (460, 60), (440, 450), (180, 430)), fill="#fbfaf5")
    font = ImageFont.load_default(28)
    draw.text((225, 120), "BREAD  3.20", fill="#222222", font=font)
    draw.text((222, 180), "MILK   1.10", fill="#222222", font=font)
    return picture


def form() -> Image.Image:
    """A form with two fields."""
    picture = Image.new("RGB", SIZE, "#ffffff")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(24)
    for top, key, value in ((98, "Name", "Ada Lovelace"), (198, "Date", "10 December")):
        draw.text((55, top), key, fill="#333333", font=font)
        draw.rectangle((195, top - 8, 560, top + 36), outline="#999999")
        draw.text((210, top), value, fill="#1a3f8b", font=font)
    return picture


def scan() -> Image.Image:
    """Grey noise with one bright spot: no image of a patient."""
    drawn = random.Random(7)  # noqa: S311 - noise in a picture
    picture = Image.new("L", SIZE, 20)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((90, 60, 310, 440), fill=95)
    draw.ellipse((330, 60, 550, 440), fill=95)
    draw.ellipse((395, 185, 445, 235), fill=185)
    for _ in range(1500):
        x, y = drawn.randrange(640), drawn.randrange(480)
        draw.point((x, y), fill=drawn.randrange(60, 130))
    return picture.filter(ImageFilter.GaussianBlur(5))


def main() -> None:
    """Writes each picture into the `objects` folder of every template whose sample names it."""
    drawings = {"street": street, "figure": figure, "receipt": receipt, "form": form, "scan": scan}
    for name, templates in USED_BY.items():
        picture = drawings[name]().quantize(32)
        for template in templates:
            path = HERE / template / "objects/overread-samples" / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            picture.save(path, optimize=True)


if __name__ == "__main__":
    main()
