"""Reading one handwritten digit: scikit-learn's 8 by 8 digits and a small neural network."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from example_models.use_case import Numbers, Record, TrainedModel, dense_layer, model_document

USE_CASE = "digit-reading"
SIDE = 8
INK_LEVELS = 16
PAPER = 255
GREY_STEP = 15  # 16 levels of ink x 15 = 240: full ink stays just above black, and every step is exact


def train() -> TrainedModel:
    """The model, trained on 60 % of the 1,797 digits; 40 % are held out."""
    images, digits = load_digits(return_X_y=True)
    rows = np.arange(len(digits))
    fitted, held_out = train_test_split(rows, test_size=0.4, random_state=0, stratify=digits)
    network = MLPClassifier((48,), alpha=0.03, max_iter=600, random_state=0)
    network.fit(images[fitted] / INK_LEVELS, digits[fitted])
    labels = [str(digit) for digit in network.classes_]
    feature = {
        "field": "image",
        "kind": "grey-png",
        "width": SIDE,
        "height": SIDE,
        "paper": PAPER,
        "ink_range": INK_LEVELS * GREY_STEP,
    }
    layers = [
        dense_layer(weights, biases, activation=activation)
        for weights, biases, activation in zip(
            network.coefs_, network.intercepts_, ("relu", "identity"), strict=True
        )
    ]
    return TrainedModel(
        use_case=USE_CASE,
        labels=labels,
        document=model_document(use_case=USE_CASE, labels=labels, features=[feature], layers=layers),
        training=[_record(images[row], digit=int(digits[row]), row=row) for row in fitted],
        held_out=[_record(images[row], digit=int(digits[row]), row=row) for row in held_out],
        held_out_probabilities=network.predict_proba(images[held_out] / INK_LEVELS),
        origin="Alpaydin, Kaynak: Optical Recognition of Handwritten Digits, UCI, CC BY 4.0; in scikit-learn",
    )


def _record(image: Numbers, *, digit: int, row: int) -> Record:
    grey = bytes((PAPER - GREY_STEP * image).astype(int).tolist())
    content = base64.b64encode(encode_grey_png(grey, width=SIDE)).decode("ascii")
    return Record(
        reference=f"digit-{row:04}", input={"image": f"data:image/png;base64,{content}"}, truth=str(digit)
    )


def encode_grey_png(pixels: bytes, *, width: int) -> bytes:
    """A PNG of 8-bit grey `pixels`, row by row."""
    height = len(pixels) // width
    rows = b"".join(b"\x00" + pixels[start : start + width] for start in range(0, len(pixels), width))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
