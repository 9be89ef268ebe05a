"""`inference.py` at its edges: bad bodies, bad fields, withheld columns, and its PNG decoder."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from example_models import digit_reading, inference
from example_models.use_case import TrainedModel
from hypothesis import given
from hypothesis import strategies as st

SIGNATURE = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "body must be JSON in UTF-8"),
        (b"{", "body must be JSON in UTF-8"),
        (b"\xff\xfe", "body must be JSON in UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[1, 2]", r"body must be one JSON object, got \[1, 2\]"),
        ("null", "body must be one JSON object, got None"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(body: bytes | str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        inference.input_fn(body, "application/json")


@pytest.mark.parametrize("content_type", ["text/csv", "application/x-npy", "", "application/jsonlines"])
def test_another_content_type_is_refused(content_type: str) -> None:
    with pytest.raises(ValueError, match="content type must be application/json, got"):
        inference.input_fn("{}", content_type)


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=UTF-8"])
def test_json_is_read_from_bytes_text_and_bytearray(content_type: str) -> None:
    for body in (b'{"a": 1}', '{"a": 1}', bytearray(b'{"a": 1}')):
        assert inference.input_fn(body, content_type) == {"a": 1}


def test_a_caller_who_accepts_no_json_is_refused() -> None:
    with pytest.raises(ValueError, match="accept must allow application/json, got 'text/csv'"):
        inference.output_fn({"label": "a"}, "text/csv")


@pytest.mark.parametrize("accept", ["application/json", "*/*", "", "text/html, application/json;q=0.5"])
def test_replies_are_json(accept: str) -> None:
    assert inference.output_fn({"label": "a"}, accept) == ('{"label": "a"}', "application/json")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"amount": "9600"}, "amount must be a number, got '9600'"),
        ({"amount": True}, "amount must be a number, got True"),
        ({"amount": None}, "amount must be a number, got None"),
        ({"amount": float("nan")}, "amount must be a finite number, got nan"),
        ({"amount": float("inf")}, "amount must be a finite number, got inf"),
        ({"amount": 10**400}, "amount must be a finite number, got 1000"),
        ({"amount": 0}, "amount must be above 0, got 0"),
        ({"purpose": "yacht"}, "purpose must be one of 'business', .*, got 'yacht'"),
        ({"purpose": 3}, "purpose must be one of .*, got 3"),
        ({"purpose": ["new car"]}, r"purpose must be one of .*, got \['new car'\]"),
    ],
)
def test_a_field_outside_its_domain_is_named(
    trained: Mapping[str, TrainedModel],
    served: Mapping[str, dict[str, Any]],
    changes: dict[str, object],
    message: str,
) -> None:
    record = {**trained["loan-approval"].held_out[0].input, **changes}
    with pytest.raises(ValueError, match=message):
        inference.predict_fn(record, served["loan-approval"])


def test_all_faults_of_a_record_come_together(served: Mapping[str, dict[str, Any]]) -> None:
    fields = [feature["field"] for feature in served["tumor-screening"]["features"]]
    record = {field: 1.0 for field in fields if field != "mean_area"} | {"worst_area": "large"}
    with pytest.raises(ValueError, match=r"^mean_area is missing; worst_area must be a number, got 'large'$"):
        inference.predict_fn(record, served["tumor-screening"])


def test_withheld_columns_are_no_features(
    trained: Mapping[str, TrainedModel], served: Mapping[str, dict[str, Any]]
) -> None:
    fields = {feature["field"] for feature in served["loan-approval"]["features"]}
    assert fields == set(trained["loan-approval"].held_out[0].input) - {"sex", "age", "foreign_worker"}


@pytest.mark.parametrize(
    "change",
    [
        lambda record: {**record, "sex": "female" if record["sex"] == "male" else "male"},
        lambda record: {**record, "age": 19 if record["age"] > 40 else 75},
        lambda record: {**record, "foreign_worker": "no" if record["foreign_worker"] == "yes" else "yes"},
        lambda record: {k: v for k, v in record.items() if k not in {"sex", "age", "foreign_worker"}},
    ],
    ids=["sex", "age", "foreign_worker", "absent"],
)
def test_predictions_do_not_move_with_withheld_columns(
    trained: Mapping[str, TrainedModel],
    served: Mapping[str, dict[str, Any]],
    change: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    model = served["loan-approval"]
    for record in trained["loan-approval"].held_out[:100]:
        changed = change(dict(record.input))
        assert changed != record.input
        assert inference.predict_fn(changed, model) == inference.predict_fn(dict(record.input), model)


def test_a_model_file_of_another_schema_is_refused(tmp_path: Any) -> None:
    (tmp_path / "model.json").write_text(json.dumps({"schema": 2}))
    with pytest.raises(ValueError, match=r"model\.json must be of schema 1, got 2"):
        inference.model_fn(str(tmp_path))


@pytest.mark.parametrize("row_filter", range(5))
@given(pixels=st.binary(min_size=64, max_size=64))
def test_every_row_filter_of_png_is_undone(row_filter: int, pixels: bytes) -> None:
    content = _png(_filtered(pixels, width=8, kind=row_filter))
    assert inference.decode_grey_png(content, width=8, height=8) == pixels


def test_row_filters_may_change_from_row_to_row() -> None:
    pixels = np.random.default_rng(3).integers(0, 256, 40, dtype=np.uint8).tobytes()
    whole = [_filtered(pixels, width=8, kind=kind) for kind in range(5)]
    rows = b"".join(whole[kind][kind * 9 : kind * 9 + 9] for kind in range(5))
    assert inference.decode_grey_png(_png(rows, height=5), width=8, height=5) == pixels


def test_pixels_split_over_chunks_are_joined() -> None:
    packed = zlib.compress(bytes(72))
    parts = [_chunk(b"tEXt", b"note\0x"), _chunk(b"IDAT", packed[:5]), _chunk(b"IDAT", packed[5:])]
    content = SIGNATURE + _chunk(b"IHDR", _header()) + b"".join(parts) + _chunk(b"IEND", b"")
    assert inference.decode_grey_png(content, width=8, height=8) == bytes(64)


def test_own_encoder_and_decoder_agree() -> None:
    pixels = bytes(range(64))
    content = digit_reading.encode_grey_png(pixels, width=8)
    assert inference.decode_grey_png(content, width=8, height=8) == pixels


GOOD = SIGNATURE + b"".join(
    [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in (
            (b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)),
            (b"IDAT", zlib.compress(bytes(72))),
            (b"IEND", b""),
        )
    ]
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"GIF89a", "must be a PNG, got another file"),
        (GOOD[:-5], "it ends too early"),
        (GOOD[:40], "it ends too early"),
        (GOOD[:20] + b"\x07" + GOOD[21:], "wrong checksum in chunk b'IHDR'"),
        (SIGNATURE + b"\xff\xff\xff\xffIDAT" + bytes(20), "wrong checksum in chunk b'IDAT'"),
    ],
)
def test_a_damaged_png_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        inference.decode_grey_png(content, width=8, height=8)


@pytest.mark.parametrize(
    ("rows", "header", "message"),
    [
        (bytes(72), (8, 9, 8, 0, 0, 0, 0), "must be a grey PNG of 8 bits, 8 by 8"),
        (bytes(72), (8, 8, 16, 0, 0, 0, 0), "must be a grey PNG of 8 bits"),
        (bytes(72), (8, 8, 8, 2, 0, 0, 0), "must be a grey PNG of 8 bits"),
        (bytes(72), (8, 8, 8, 0, 0, 0, 1), "not interlaced"),
        (bytes(71), (8, 8, 8, 0, 0, 0, 0), "its pixels are not 8 by 8"),
        (bytes(50_000_000), (8, 8, 8, 0, 0, 0, 0), "its pixels are not 8 by 8"),
        (b"\x05" + bytes(71), (8, 8, 8, 0, 0, 0, 0), "unknown row filter 5"),
    ],
)
def test_a_png_of_another_kind_is_refused(rows: bytes, header: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        inference.decode_grey_png(_png(rows, header=header), width=8, height=8)


def test_pixels_that_do_not_inflate_are_refused() -> None:
    content = SIGNATURE + _chunk(b"IHDR", _header()) + _chunk(b"IDAT", b"plain") + _chunk(b"IEND", b"")
    with pytest.raises(ValueError, match="must be an undamaged PNG"):
        inference.decode_grey_png(content, width=8, height=8)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (None, "image must be a data URL"),
        (
            "https://example.com/x.png",
            "image must be a data URL that starts with 'data:image/png;base64,', got",
        ),
        ("data:image/png;base64,%%%", "image must hold valid base64"),
        ("data:image/png;base64," + base64.b64encode(b"GIF89a").decode(), "image must be a PNG, got another"),
    ],
)
def test_an_image_that_is_no_png_is_named(
    served: Mapping[str, dict[str, Any]], image: object, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        inference.predict_fn({"image": image}, served["digit-reading"])


def _header(*, height: int = 8) -> bytes:
    return struct.pack(">IIBBBBB", 8, height, 8, 0, 0, 0, 0)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(rows: bytes, *, height: int = 8, header: tuple[int, ...] = ()) -> bytes:
    described = struct.pack(">IIBBBBB", *header) if header else _header(height=height)
    packed = zlib.compress(rows)
    return SIGNATURE + _chunk(b"IHDR", described) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _filtered(pixels: bytes, *, width: int, kind: int) -> bytes:
    """PNG's filters written from the standard's own definition (ISO/IEC 15948, section 9.2)."""
    grid = np.frombuffer(pixels, dtype=np.uint8).reshape(-1, width).astype(int)
    padded = np.pad(grid, ((1, 0), (1, 0)))
    a, b, c = padded[1:, :-1], padded[:-1, 1:], padded[:-1, :-1]
    estimate = a + b - c
    pa, pb, pc = abs(estimate - a), abs(estimate - b), abs(estimate - c)
    paeth = np.where((pa <= pb) & (pa <= pc), a, np.where(pb <= pc, b, c))
    predicted = [np.zeros_like(grid), a, b, (a + b) // 2, paeth][kind]
    rows = ((grid - predicted) % 256).astype(np.uint8)
    return b"".join(bytes([kind]) + row.tobytes() for row in rows)
