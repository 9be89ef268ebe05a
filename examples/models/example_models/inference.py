"""SageMaker's serving contract (model_fn, input_fn, predict_fn, output_fn) for a model kept as plain numbers.

This file travels in the archive as `code/inference.py`. It needs numpy and the standard library only and
keeps to Python 3.7, so every scikit-learn image of SageMaker serves it. What the model reads, and how, is
data in `model.json`: a list of features, dense layers, and a softmax over the labels.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

JSON = "application/json"
SCHEMA = 1
DATA_URL = "data:image/png;base64,"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def model_fn(model_dir: str) -> dict[str, Any]:
    """The model in `model_dir/model.json`, its layers as arrays.

    Raises:
        ValueError: the file is of another schema.
    """
    model: dict[str, Any] = json.loads((Path(model_dir) / "model.json").read_text(encoding="utf-8"))
    if model.get("schema") != SCHEMA:
        raise ValueError(f"model.json must be of schema {SCHEMA}, got {model.get('schema')!r}")
    layers = [
        {
            "weights": np.array(layer["weights"], dtype=np.float64),
            "biases": np.array(layer["biases"], dtype=np.float64),
            "activation": layer["activation"],
        }
        for layer in model["layers"]
    ]
    return {**model, "layers": layers}


def input_fn(body: bytes | bytearray | str, content_type: str = JSON) -> dict[str, Any]:
    """The record in a request's body: one JSON object.

    Raises:
        ValueError: the content type is not JSON, or the body is not one JSON object in UTF-8.
    """
    if _media_type(content_type) != JSON:
        raise ValueError(f"content type must be {JSON}, got {content_type!r}")
    try:
        text = body if isinstance(body, str) else bytes(body).decode("utf-8")
        record = json.loads(text)
    except ValueError as error:
        raise ValueError(f"body must be JSON in UTF-8: {error}") from error
    except RecursionError as error:
        raise ValueError("body must be one flat JSON object, got JSON nested too deeply") from error
    if not isinstance(record, dict):
        raise ValueError(f"body must be one JSON object, got {_shown(record)}")
    return record


def predict_fn(record: dict[str, Any], model: dict[str, Any]) -> dict[str, Any]:
    """Label, confidence and the probability of every label. Fields that are no feature are ignored.

    Raises:
        ValueError: a feature is missing or out of its domain; all faults of the record in one message.
    """
    values = feature_vector(record, model["features"])
    for layer in model["layers"]:
        values = values @ layer["weights"] + layer["biases"]
        if layer["activation"] == "relu":
            values = np.maximum(values, 0.0)
    odds = np.exp(values - values.max())
    probabilities = odds / odds.sum()
    best = int(np.argmax(probabilities))
    return {
        "label": model["labels"][best],
        "confidence": float(probabilities[best]),
        "probabilities": {label: float(probabilities[i]) for i, label in enumerate(model["labels"])},
    }


def output_fn(prediction: dict[str, Any], accept: str = JSON) -> tuple[str, str]:
    """The reply's body and its content type.

    Raises:
        ValueError: the caller accepts no JSON.
    """
    accepted = {_media_type(kind) for kind in (accept or "*/*").split(",")}
    if not accepted & {JSON, "application/*", "*/*"}:
        raise ValueError(f"accept must allow {JSON}, got {accept!r}")
    return json.dumps(prediction, allow_nan=False), JSON


def feature_vector(record: dict[str, Any], features: list[dict[str, Any]]) -> np.ndarray[Any, Any]:
    """The numbers that the model reads from `record`, in the order of `features`.

    Raises:
        ValueError: a field is missing or out of its domain; all faults in one message.
    """
    readers = {"number": _number, "category": _category, "grey-png": _grey_png}
    columns: list[float] = []
    faults: list[str] = []
    for feature in features:
        field = feature["field"]
        if field not in record:
            faults.append(f"{field} is missing")
            continue
        try:
            columns.extend(readers[feature["kind"]](record[field], feature))
        except ValueError as error:
            faults.append(f"{field} {error}")
    if faults:
        raise ValueError("; ".join(faults))
    return np.array(columns, dtype=np.float64)


def _number(value: object, feature: dict[str, Any]) -> list[float]:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"must be a number, got {_shown(value)}")
    try:
        number = float(value)
    except OverflowError as error:
        raise ValueError(f"must be a finite number, got {_shown(value)}") from error
    if not math.isfinite(number):
        raise ValueError(f"must be a finite number, got {value!r}")
    if feature["logarithm"]:
        if number <= 0:
            raise ValueError(f"must be above 0, got {value!r}")
        number = math.log(number)
    return [(number - feature["mean"]) / feature["scale"]]


def _category(value: object, feature: dict[str, Any]) -> list[float]:
    categories = feature["categories"]
    if not isinstance(value, str) or value not in categories:
        raise ValueError(f"must be one of {', '.join(map(repr, categories))}, got {_shown(value)}")
    return [1.0 if value == category else 0.0 for category in categories]


def _grey_png(value: object, feature: dict[str, Any]) -> list[float]:
    if not isinstance(value, str) or not value.startswith(DATA_URL):
        raise ValueError(f"must be a data URL that starts with {DATA_URL!r}, got {_shown(value)}")
    try:
        content = base64.b64decode(value[len(DATA_URL) :], validate=True)
    except binascii.Error as error:
        raise ValueError(f"must hold valid base64: {error}") from error
    pixels = decode_grey_png(content, width=feature["width"], height=feature["height"])
    return [(feature["paper"] - pixel) / feature["ink_range"] for pixel in pixels]


def decode_grey_png(content: bytes, *, width: int, height: int) -> bytes:
    """The pixels, row by row, of a grey PNG of 8 bits without interlacing; all five row filters.

    Raises:
        ValueError: the file is damaged, or of another kind or size.
    """
    header = b""
    packed = b""
    for kind, data in _chunks(content):
        if kind == b"IHDR":
            header = data
        elif kind == b"IDAT":
            packed += data
    wanted = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    if header != wanted:
        raise ValueError(f"must be a grey PNG of 8 bits, {width} by {height}, not interlaced")
    inflater = zlib.decompressobj()
    try:
        rows = inflater.decompress(packed, height * (width + 1) + 1)
    except zlib.error as error:
        raise ValueError(f"must be an undamaged PNG: {error}") from error
    if len(rows) != height * (width + 1) or not inflater.eof:
        raise ValueError(f"must be an undamaged PNG: its pixels are not {width} by {height}")
    return _unfiltered(rows, width=width)


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    if not content.startswith(PNG_SIGNATURE):
        raise ValueError("must be a PNG, got another file")
    chunks: list[tuple[bytes, bytes]] = []
    offset = len(PNG_SIGNATURE)
    while not chunks or chunks[-1][0] != b"IEND":
        if offset + 12 > len(content):
            raise ValueError("must be an undamaged PNG: it ends too early")
        (length,) = struct.unpack_from(">I", content, offset)
        kind = content[offset + 4 : offset + 8]
        data = content[offset + 8 : offset + 8 + length]
        checksum = content[offset + 8 + length : offset + 12 + length]
        if struct.pack(">I", zlib.crc32(kind + data) & 0xFFFFFFFF) != checksum:
            raise ValueError(f"must be an undamaged PNG: wrong checksum in chunk {kind!r}")
        chunks.append((kind, data))
        offset += 12 + length
    return chunks


def _unfiltered(rows: bytes, *, width: int) -> bytes:
    pixels = bytearray()
    above = bytes(width)
    for start in range(0, len(rows), width + 1):
        kind = rows[start]
        line = bytearray(rows[start + 1 : start + 1 + width])
        for x in range(width):
            left = line[x - 1] if x else 0
            upper_left = above[x - 1] if x else 0
            line[x] = (line[x] + _predicted(kind, left=left, up=above[x], upper_left=upper_left)) & 0xFF
        pixels += line
        above = bytes(line)
    return bytes(pixels)


def _predicted(kind: int, *, left: int, up: int, upper_left: int) -> int:
    """What PNG's row filter number `kind` predicts for a pixel from its neighbours."""
    if kind == 0:
        return 0
    if kind == 1:
        return left
    if kind == 2:
        return up
    if kind == 3:
        return (left + up) // 2
    if kind == 4:
        estimate = left + up - upper_left
        return min((left, up, upper_left), key=lambda neighbour: abs(estimate - neighbour))
    raise ValueError(f"must be an undamaged PNG: unknown row filter {kind}")


def _media_type(content_type: str) -> str:
    return (content_type or "").split(";")[0].strip().lower()


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
