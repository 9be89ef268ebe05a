"""Input manifests held to Ground Truth's rules, line by line."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.labeling.first_lines import FirstLines
from overread.labeling.manifest import Code, identity, line_text, parse_line
from overread.labeling.manifest_check import ManifestCheck
from overread.labeling.manifest_lines import KEPT_BYTES, lines_of

TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40).filter(str.strip)


def faults(data: bytes) -> list[tuple[int, str]]:
    check = ManifestCheck()
    return [(f.line, f.code.value) for line in check(lines_of(io.BytesIO(data))) for f in line.faults]


def line(**row: Any) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


GOOD = line(**{"source-ref": "s3://scans/a.jpg"})


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\n", "empty_line"),
        (b" \t \n", "empty_line"),
        (b"\xef\xbb\xbf" + line(source="x"), "byte_order_mark"),
        (b'{"source":"x"}\r\n', "carriage_return"),
        (b'{"source":"\xe9"}\n', "not_utf8"),
        (b'{"source":"x"\n', "not_json"),
        (b'{"source":"x"} {"source":"y"}\n', "not_json"),
        (b'{"source":"a\tb"}\n', "not_json"),
        (b"{'source':'x'}\n", "not_json"),
        (b'{"source":"\\ud83d"}\n', "not_json"),
        (b'{"source":"x","id":' + b"[" * 20000 + b"]" * 20000 + b"}\n", "not_json"),
        (b'{"source":"x","id":NaN}\n', "not_a_number"),
        (b'{"source":"x","id":-Infinity}\n', "not_a_number"),
        (b'{"source":"x","id":1e999}\n', "not_a_number"),
        (b'{"source":"x","source":"y"}\n', "duplicate_key"),
        (b'{"source":"x","m":{"a":1,"a":2}}\n', "duplicate_key"),
        (b'["source"]\n', "not_an_object"),
        (b'"source"\n', "not_an_object"),
        (line(id=1), "no_source"),
        (line(**{"source": "x", "source-ref": "s3://scans/b.jpg"}), "two_sources"),
        (line(source=3), "source_invalid"),
        (line(source=None), "source_invalid"),
        (line(source=" "), "source_invalid"),
        (line(**{"source-ref": "https://scans.example/a.jpg"}), "source_ref_invalid"),
        (line(**{"source-ref": "s3://scans"}), "source_ref_invalid"),
        (line(**{"source-ref": "s3://scans/"}), "source_ref_invalid"),
        (line(**{"source-ref": "s3://Sc_ans/a.jpg"}), "source_ref_invalid"),
        (line(**{"source-ref": "s3://scans/" + "é" * 513}), "source_ref_invalid"),
        (line(**{"source-ref": None}), "source_ref_invalid"),
        (line(**{"source": "x", "$id": 1}), "reserved_key"),
        (line(source="x" * 20_001), "attribute_too_long"),
        (line(source="x", boxes=["y" * 9_998, "z" * 9_998]), "attribute_too_long"),
    ],
)
def test_each_fault_is_told_with_its_line(data: bytes, code: str) -> None:
    assert faults(data) == [(1, code)]
    if code != "byte_order_mark":
        assert faults(GOOD + data + line(source="last")) == [(2, code)]


@pytest.mark.parametrize(
    "row",
    [
        {"source": 'he said "no"\nand left'},
        {"source": "a\u2028b\u2029c\x85d\x0c\x1e"},
        {"source": "\U0001f600 \u0000"},
        {"source-ref": "s3://scans/a b+c%20\u00e9\n.jpg"},
        {"source-ref": "s3://scans/" + "k" * 1024},
        {"source-ref": "s3://a.b-c/x", "source-ref-metadata": {"format": "text/xyz"}},
        {"source": "x" * 20_000, "note": "é" * 20_000},
    ],
)
def test_what_looks_odd_and_is_allowed_has_no_fault(row: dict[str, Any]) -> None:
    assert faults(line(**row)) == []


def test_escaped_and_spaced_lines_have_no_fault() -> None:
    assert faults(b'  {"source" : "\\ud83d\\ude00\\u2028"}  \n') == []


def lines_of_length(characters: int, *, filler: str) -> bytes:
    parts = {f"p{n}": filler * 19_000 for n in range(5)}
    spare = characters - len(line_text({"source": "", **parts}))
    return line_text({"source": filler * spare, **parts}).encode() + b"\n"


@pytest.mark.parametrize("filler", ["x", "é", "\U0001f600"])
def test_a_line_has_up_to_a_hundred_thousand_characters_however_many_bytes(filler: str) -> None:
    assert faults(lines_of_length(100_000, filler=filler) + GOOD) == []
    assert faults(lines_of_length(100_001, filler=filler) + GOOD) == [(1, "line_too_long")]


def test_the_same_object_again_names_the_line_that_had_it_first() -> None:
    data = GOOD + line(source="s3://scans/a.jpg") + line(**{"source-ref": "s3://scans/a.jpg", "id": 2})
    (found,) = [fault for one in ManifestCheck()(lines_of(io.BytesIO(data))) for fault in one.faults]
    assert (found.line, found.code) == (3, Code.DUPLICATE_OBJECT)
    assert "line 1" in found.reason


def test_a_line_may_have_several_faults() -> None:
    assert faults(b'{"$a":1,"$b":2}\r\n') == [
        (1, "carriage_return"),
        (1, "no_source"),
        (1, "reserved_key"),
        (1, "reserved_key"),
    ]


def test_the_last_line_needs_no_line_feed_and_an_empty_file_has_no_lines() -> None:
    assert faults(GOOD + GOOD.strip()) == [(2, "duplicate_object")]
    check = ManifestCheck()
    assert list(check(lines_of(io.BytesIO(b"")))) == []
    assert check.lines == 0


def test_objects_and_faults_are_counted() -> None:
    check = ManifestCheck()
    list(check(lines_of(io.BytesIO(GOOD + line(source="x") + b"\n\n" + GOOD))))
    assert (check.lines, check.objects) == (5, 2)
    assert check.counts() == {"source-ref": 2, "source": 1, "duplicate_object": 1, "empty_line": 2}


@given(st.lists(st.one_of(st.just("s3://scans/1"), TEXT), max_size=30))
def test_lines_that_are_written_are_read_as_they_were(sources: list[str]) -> None:
    rows: list[dict[str, Any]] = [{"source": source, "id": [source]} for source in sources]
    data = "".join(line_text(row) + "\n" for row in rows).encode()
    assert [parse_line(one) for one in lines_of(io.BytesIO(data))] == rows
    first: dict[str, int] = {}
    again = [n for n, row in enumerate(rows, 1) if first.setdefault(identity(row), n) != n]
    assert faults(data) == [(number, "duplicate_object") for number in again]


@given(st.binary(max_size=400))
def test_no_bytes_raise(data: bytes) -> None:
    assert all(1 <= number <= data.count(b"\n") + 1 for number, _ in faults(data))


@given(st.lists(st.binary(max_size=30).filter(lambda one: b"\n" not in one)), st.integers(1, 40))
def test_lines_are_parted_at_line_feeds_wherever_reads_end(parts: list[bytes], size: int) -> None:
    class Slow(io.BytesIO):
        def read(self, _: int | None = -1, /) -> bytes:
            return super().read(size)

    data = b"\n".join(parts)
    expected = data.split(b"\n")
    assert list(lines_of(Slow(data))) == (expected if expected[-1] else expected[:-1])


def test_a_line_without_end_is_not_kept() -> None:
    class Endless(io.RawIOBase):
        left = 2_000

        def read(self, size: int | None = -1, /) -> bytes:
            self.left -= 1
            return b"x" * 10_000 if self.left else b""

    tracemalloc.start()
    (one,) = lines_of(Endless())  # type: ignore[arg-type]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(one) == KEPT_BYTES
    assert peak < 2_000_000


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 2), max_size=3000))
def test_first_lines_are_those_of_a_dictionary(keys: list[int]) -> None:
    table, known = FirstLines(), dict[int, int]()
    for number, key in enumerate(keys, 1):
        same = (key % 2**64) or 1
        assert table.get(key) == known.get(same)
        assert table.add(key, number) == known.get(same)
        known.setdefault(same, number)
    assert len(table) == len(known)


def test_a_table_that_grew_still_knows_every_line() -> None:
    keys = [hash(f"s3://scans/{n}.jpg") for n in range(20_000)]
    table = FirstLines()
    assert {table.add(key, number) for number, key in enumerate(keys, 1)} == {None}
    assert [table.get(key) for key in keys] == list(range(1, 20_001))


def many_lines(number: int) -> Iterator[bytes]:
    return (b'{"source-ref":"s3://scans/%d.jpg"}' % one for one in range(number))


def test_a_line_costs_at_most_forty_eight_bytes() -> None:
    tracemalloc.start()
    for _ in ManifestCheck()(many_lines(50_000)):
        pass
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held < 50_000 * 48 + 100_000
