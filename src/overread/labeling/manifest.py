"""One line of a labeling manifest: read, held to Ground Truth's rules, and told apart from other objects."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NoReturn

from overread.labeling.manifest_lines import KEPT_BYTES, LINE_CHARACTERS

ATTRIBUTE_CHARACTERS = 20_000
"""What the value of one attribute may have, as text or as JSON."""

KEY_BYTES = 1024
S3_URI = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.+)", re.DOTALL)
_BOM = b"\xef\xbb\xbf"
_UNSPACED = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

Row = Mapping[str, Any]


class Code(StrEnum):
    """What can be wrong with a line."""

    EMPTY_LINE = "empty_line"
    BYTE_ORDER_MARK = "byte_order_mark"
    CARRIAGE_RETURN = "carriage_return"
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    NOT_A_NUMBER = "not_a_number"
    DUPLICATE_KEY = "duplicate_key"
    NOT_AN_OBJECT = "not_an_object"
    NO_SOURCE = "no_source"
    TWO_SOURCES = "two_sources"
    SOURCE_INVALID = "source_invalid"
    SOURCE_REF_INVALID = "source_ref_invalid"
    RESERVED_KEY = "reserved_key"
    LINE_TOO_LONG = "line_too_long"
    ATTRIBUTE_TOO_LONG = "attribute_too_long"
    DUPLICATE_OBJECT = "duplicate_object"
    OBJECT_MISSING = "object_missing"
    OBJECT_UNREADABLE = "object_unreadable"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a physical line, counted from 1."""

    line: int
    code: Code
    reason: str


class LineError(ValueError):
    """A line that cannot be read; `code` says why in a word."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def parse_line(line: bytes) -> Row:
    """The object that a line holds, with whatever else may be wrong with it.

    Raises:
        LineError: it is empty, too long, not UTF-8, not JSON, has a key twice or NaN, or is no object.
    """
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        if len(line) >= KEPT_BYTES:
            raise _too_long("more than ") from error
        raise LineError(Code.NOT_UTF8, f"must be UTF-8, byte {error.start + 1} is not") from error
    if len(text) > LINE_CHARACTERS:
        raise _too_long("more than " if len(line) >= KEPT_BYTES else "", count=len(text))
    start = 0
    if text[:1] in " \t\r":
        start = len(text) - len(text.lstrip(" \t\r"))
        if start == len(text):
            raise LineError(Code.EMPTY_LINE, "must hold an object, is empty")
    try:
        value, end = _decode(text, start)
    except json.JSONDecodeError as error:
        raise LineError(Code.NOT_JSON, f"must be JSON: {error.msg} at character {error.pos + 1}") from error
    except RecursionError as error:
        raise LineError(Code.NOT_JSON, "must be JSON that is not nested too deeply") from error
    if end != len(text) and text[end:].strip(" \t\r"):
        raise LineError(Code.NOT_JSON, f"must be one JSON object, more follows at character {end + 1}")
    if type(value) is not dict:
        raise LineError(Code.NOT_AN_OBJECT, f"must be a JSON object, got {_shown(value)}")
    if "\\u" in text:
        _refuse_half_pairs(value)
    return value


def is_blank(line: bytes) -> bool:
    """Whether a line holds nothing."""
    return not line.strip(b" \t\r")


def without_bom(line: bytes) -> bytes:
    """The line without a byte order mark at its start."""
    return line.removeprefix(_BOM)


def row_faults(row: Row, *, characters: int) -> list[tuple[Code, str]]:
    """What is wrong with a line of so many characters that could be read."""
    found: list[tuple[Code, str]] = []
    uri, text = row.get("source-ref", _ABSENT), row.get("source", _ABSENT)
    if uri is _ABSENT:
        if text is _ABSENT:
            found.append((Code.NO_SOURCE, "must have source or source-ref, has neither"))
        elif type(text) is not str or not text.strip():
            found.append((Code.SOURCE_INVALID, f"source must be a text, got {_shown(text)}"))
    elif text is not _ABSENT:
        found.append((Code.TWO_SOURCES, "must have source or source-ref, has both"))
    elif type(uri) is not str or not is_s3_uri(uri):
        found.append((Code.SOURCE_REF_INVALID, f"source-ref must be s3://BUCKET/KEY, got {_shown(uri)}"))
    for key in row:
        if key[:1] == "$":
            found.append((Code.RESERVED_KEY, f"a key must not begin with $, got {_shown(key)}"))
    if characters > ATTRIBUTE_CHARACTERS:
        found += _long_attributes(row)
    return found


def identity(row: Row) -> str:
    """What makes an object the same as another: its address, or its text; "" where it has neither."""
    uri = row.get("source-ref")
    if type(uri) is str:
        return uri
    text = row.get("source")
    return f"\0{text}" if type(text) is str else ""


def is_s3_uri(uri: str) -> bool:
    """Whether `uri` is s3://BUCKET/KEY with a bucket's name and a key that S3 allows."""
    found = S3_URI.fullmatch(uri)
    return found is not None and (len(uri) <= KEY_BYTES // 4 or len(found[2].encode()) <= KEY_BYTES)


def line_text(row: Row) -> str:
    """`row` as a line of a manifest, without its line feed.

    Raises:
        ValueError: it holds NaN or an infinity.
    """
    return _UNSPACED.encode(row)


_ABSENT = object()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise LineError(Code.DUPLICATE_KEY, f"the key {_shown(twice)} stands twice in one object")
    return document


def _refuse_constant(name: str) -> NoReturn:
    raise LineError(Code.NOT_A_NUMBER, f"{name} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise LineError(Code.NOT_A_NUMBER, f"{digits[:40]} is too large for a number")
    return number


# One decoder for all lines: json.loads with hooks would make a new one for each.
_decode = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_finite
).raw_decode


def _refuse_half_pairs(value: Any) -> None:
    try:
        _UNSPACED.encode(value).encode()
    except UnicodeEncodeError as error:
        raise LineError(Code.NOT_JSON, "holds half of a surrogate pair, which is no character") from error


def _long_attributes(row: Row) -> list[tuple[Code, str]]:
    found = []
    for key, value in row.items():
        length = len(value) if isinstance(value, str) else len(_UNSPACED.encode(value))
        if length > ATTRIBUTE_CHARACTERS:
            found.append(
                (
                    Code.ATTRIBUTE_TOO_LONG,
                    f"{_shown(key)} must have at most {ATTRIBUTE_CHARACTERS:,} characters, has {length:,}",
                )
            )
    return found


def _too_long(more: str, *, count: int = LINE_CHARACTERS) -> LineError:
    return LineError(
        Code.LINE_TOO_LONG, f"must have at most {LINE_CHARACTERS:,} characters, has {more}{count:,}"
    )


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else shown[:80] + "…"
