"""Output manifests of several jobs merged over one input."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.labeling.manifest_lines import lines_of
from overread.labeling.manifest_merge import Conflict, JobOutput, merge

Rows = list[dict[str, Any]]


def manifest(rows: Rows) -> io.BytesIO:
    return io.BytesIO("".join(json.dumps(row) + "\n" for row in rows).encode())


def merged(base: Rows, *outputs: Rows, conflict: Conflict = Conflict.REFUSE) -> tuple[Rows, list[str]]:
    read = [JobOutput(manifest(rows), name=f"job-{n}") for n, rows in enumerate(outputs, 1)]
    rows, faults = [], []
    for line in merge(lines_of(manifest(base)), read, conflict=conflict):
        faults += [f"{fault.file}:{fault.line} {fault.code}" for fault in line.faults]
        if not line.faults:
            rows.append(json.loads(line.text))
    return rows, faults


def obj(name: str, **more: Any) -> dict[str, Any]:
    return {"source-ref": f"s3://scans/{name}.jpg", **more}


def labeled(name: str, label: int, *, job: str = "kinds", **more: Any) -> dict[str, Any]:
    return obj(name, **{"kind": label, "kind-metadata": {"job-name": job}}, **more)


def test_labels_of_two_jobs_come_together_in_the_order_of_the_input() -> None:
    base = [obj("a", id=1), obj("b", id=2), obj("c", id=3)]
    first = [labeled("c", 0, id=3), labeled("a", 1, id=1)]
    second = [obj("b", boxes={}, **{"boxes-metadata": {}}), obj("a", boxes={}, **{"boxes-metadata": {}})]
    rows, faults = merged(base, first, second)
    assert faults == []
    assert rows == [
        labeled("a", 1, id=1) | {"boxes": {}, "boxes-metadata": {}},
        obj("b", id=2, boxes={}, **{"boxes-metadata": {}}),
        labeled("c", 0, id=3),
    ]


def test_labels_that_a_chained_job_passes_on_are_no_second_label() -> None:
    first = [labeled("a", 1)]
    chained = [labeled("a", 1, boxes={}, **{"boxes-metadata": {}})]
    rows, faults = merged([obj("a")], first, chained)
    assert (rows, faults) == (chained, [])


@pytest.mark.parametrize("second", [labeled("a", 2), labeled("a", 1, job="again")])
def test_an_object_labeled_twice_is_a_fault_unless_the_later_file_is_preferred(
    second: dict[str, Any],
) -> None:
    base, first = [obj("b"), obj("a")], [labeled("a", 1)]
    assert merged(base, first, [second])[1] == ["input:2 labeled_twice"]
    assert merged(base, first, [second], conflict=Conflict.LATER) == ([obj("b"), second], [])


def test_a_label_and_its_metadata_are_of_the_same_file() -> None:
    first = [obj("a", **{"kind": 1, "kind-metadata": {"job-name": "x"}})]
    second = [obj("a", kind=2)]
    rows, _ = merged([obj("a")], first, second, conflict=Conflict.LATER)
    assert rows == second


def test_a_label_counts_before_a_failure_whichever_comes_first() -> None:
    failed = [obj("a", **{"kind-metadata": {"failure-reason": "expired"}})]
    for outputs in ((failed, [labeled("a", 1)]), ([labeled("a", 1)], failed)):
        assert merged([obj("a")], *outputs) == ([labeled("a", 1)], [])
    assert merged([obj("a")], failed) == (failed, [])


def test_what_the_input_says_otherwise_is_a_fault_too() -> None:
    assert merged([obj("a", id=1)], [obj("a", id=2)])[1] == ["input:1 labeled_twice"]


def test_objects_twice_or_unknown_are_told_with_file_and_line() -> None:
    assert merged([obj("a"), obj("a")])[1] == ["input:2 duplicate_object"]
    assert merged([obj("a")], [obj("a"), obj("a")])[1] == ["job-1:2 duplicate_object"]
    assert merged([obj("a")], [obj("a"), obj("x")], [obj("y")])[1] == [
        "job-1:2 not_in_input",
        "job-2:1 not_in_input",
    ]


def test_lines_that_cannot_be_read_are_told_with_file_and_line() -> None:
    broken = JobOutput(io.BytesIO(b'{"source":"x"}\n\n{"id":1}\n'), name="job")
    (line,) = merge([b'{"source":"x"}'], [broken])
    assert [(one.line, one.code) for one in line.faults] == [(2, "empty_line"), (3, "no_source")]


def test_a_line_that_nothing_is_added_to_stays_byte_for_byte() -> None:
    odd = b'{ "source":"\\u00e9" , "id": 1.50 }'
    (line,) = merge([odd], [JobOutput(io.BytesIO(b'{"source":"\xc3\xa9"}'), name="job")])
    assert line.text == odd


def test_a_text_that_spells_an_address_is_another_object() -> None:
    assert merged([{"source": "s3://scans/a.jpg"}], [obj("a")])[1] == ["job-1:1 not_in_input"]


def test_an_object_of_the_same_hash_is_not_taken_for_another() -> None:
    output = JobOutput(manifest([obj("a")]), name="job")
    key = hash("s3://scans/a.jpg")
    assert output.row_of("s3://scans/b.jpg", key) is None
    assert output.row_of("s3://scans/a.jpg", key) == obj("a")


@given(
    st.permutations(range(12)),
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1)), min_size=12, max_size=12),
)
def test_every_label_arrives_whatever_the_order_of_the_outputs(
    order: list[int], given_labels: list[tuple[int, int]]
) -> None:
    base = [obj(str(n), id=n) for n in range(12)]
    outputs: list[Rows] = [[], [], []]
    for n in order:
        output, label = given_labels[n]
        outputs[output].append(labeled(str(n), label, id=n))
    rows, faults = merged(base, *outputs)
    assert faults == []
    assert [row["kind"] for row in rows] == [label for _, label in given_labels]
    assert [row["id"] for row in rows] == list(range(12))
