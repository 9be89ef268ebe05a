"""Drawn objects whose truth is known, and people's answers to them in the words of the portal's elements."""

from __future__ import annotations

import base64
import random
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from tests.local.labeling_site import Kind, Scene

SIZE = 64
COLOURS = {"road": (255, 0, 0), "field": (0, 255, 0)}
NAMES = ("Ann", "Bob", "Eve", "Otto", "Mia", "Lea")
TOWNS = ("Rome", "Oslo", "Bern", "Riga", "Kyiv")


def png(pixels: np.ndarray) -> bytes:
    """An RGB picture, height × width × 3."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = pixels.shape[:2]
    rows = b"".join(b"\0" + pixels[row].astype(np.uint8).tobytes() for row in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def digits(count: int) -> list[Scene]:
    """Handwritten digits of scikit-learn as pictures of 64 by 64 pixels."""
    found = load_digits()
    return [
        Scene(
            line={"n": number},
            truth=str(found.target[number]),
            picture=png(
                np.kron(np.repeat(255 - found.images[number][..., None] * 15, 3, axis=2), np.ones((8, 8, 1)))
            ),
        )
        for number in range(count)
    ]


def read_digit(truth: str, drawn: random.Random, error: float) -> Mapping[str, Any]:
    """A digit, mistaken for any other one at that rate."""
    others = [each for each in DIGITS.labels if each != truth]
    return {"category": {"label": drawn.choice(others) if drawn.random() < error else truth}}


def boxes(count: int, *, seed: int = 1) -> list[Scene]:
    """Scenes of one or two rectangles; the truth is their boxes."""
    drawn, scenes = random.Random(seed), []
    for number in range(count):
        pixels = np.full((SIZE, SIZE, 3), 255)
        truth = []
        for place in range(drawn.randint(1, 2)):
            left, top = drawn.randint(2, 10) + 32 * place, drawn.randint(2, 30)
            width, height = drawn.randint(12, 20), drawn.randint(12, 28)
            label = drawn.choice(BOXES.labels)
            truth.append({"label": label, "left": left, "top": top, "width": width, "height": height})
            pixels[top : top + height, left : left + width] = (200, 0, 0) if label == "car" else (0, 0, 200)
        scenes.append(Scene(line={"n": number}, truth=truth, picture=png(pixels)))
    return scenes


def draw_boxes(truth: Sequence[Mapping[str, Any]], drawn: random.Random, error: float) -> Mapping[str, Any]:
    """Boxes a pixel or so off; at that rate one is forgotten or called by another name."""
    made = []
    for box in truth:
        fate = drawn.random()
        if fate < error / 2:
            continue
        moved = {side: box[side] + drawn.randint(-1, 1) for side in ("left", "top", "width", "height")}
        label = drawn.choice(BOXES.labels) if fate < error else box["label"]
        made.append({**moved, "label": label})
    size = {"height": SIZE, "width": SIZE}
    return {"objects": {"boundingBoxes": made, "inputImageProperties": size}}


def masks(count: int, *, seed: int = 1) -> list[Scene]:
    """Scenes of a road between fields; the truth is the road's columns."""
    drawn, scenes = random.Random(seed), []
    for number in range(count):
        left = drawn.randint(8, 30)
        right = left + drawn.randint(10, 24)
        pixels = np.full((SIZE, SIZE, 3), (90, 160, 90))
        pixels[:, left:right] = (120, 120, 120)
        scenes.append(Scene(line={"n": number}, truth=(left, right), picture=png(pixels)))
    return scenes


def paint(truth: tuple[int, int], drawn: random.Random, error: float) -> Mapping[str, Any]:
    """A mask whose border is a pixel or so off; at that rate everything is taken for field."""
    pixels = np.full((SIZE, SIZE, 3), COLOURS["field"])
    if drawn.random() >= error:
        left, right = (side + drawn.randint(-1, 1) for side in truth)
        pixels[:, left:right] = COLOURS["road"]
    return {
        "mask": {
            "inputImageProperties": {"height": SIZE, "width": SIZE},
            "labelMappings": {
                label: {"color": "#{:02x}{:02x}{:02x}".format(*colour)} for label, colour in COLOURS.items()
            },
            "labeledImage": {"pngImageData": base64.b64encode(png(pixels)).decode()},
        }
    }


def sentences(count: int, *, seed: int = 1) -> list[Scene]:
    """Sentences of people and towns; the truth is their places, in characters."""
    drawn, scenes = random.Random(seed), []
    for number in range(count):
        who, whom, town = drawn.choice(NAMES), drawn.choice(NAMES), drawn.choice(TOWNS)
        text = f"{who} met {whom} in {town}, case {number:04}."
        truth = [
            {"label": "person", "startOffset": 0, "endOffset": len(who)},
            {"label": "person", "startOffset": len(who) + 5, "endOffset": len(who) + 5 + len(whom)},
            {"label": "place", "startOffset": text.index(" in ") + 4, "endOffset": text.index(",")},
        ]
        scenes.append(Scene(line={"source": text}, truth=truth))
    return scenes


def mark(truth: Sequence[Mapping[str, Any]], drawn: random.Random, error: float) -> Mapping[str, Any]:
    """Entities, each forgotten at that rate."""
    return {"entities": {"entities": [dict(each) for each in truth if drawn.random() >= error]}}


DIGITS = Kind("ImageMultiClass", "image-classification", tuple("0123456789"), read_digit)
BOXES = Kind("BoundingBox", "bounding-box", ("car", "person"), draw_boxes)
MASKS = Kind("SemanticSegmentation", "semantic-segmentation", tuple(COLOURS), paint, "label-ref")
ENTITIES = Kind("NamedEntityRecognition", "named-entities", ("person", "place"), mark)


def keys_of(name: str, scenes: Sequence[Scene]) -> dict[str, Any]:
    """The truth by what a page shows of its object."""
    return {
        f"{name}/{number:05}.png" if scene.picture else str(scene.line["source"]): scene.truth
        for number, scene in enumerate(scenes)
    }
