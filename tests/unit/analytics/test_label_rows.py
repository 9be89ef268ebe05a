"""Rows of labels from output manifests: counted, dated, and without what was labeled."""

import json
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from overread.analytics import Pseudonyms, label_rows

PSEUDONYMS = Pseudonyms(bytes(range(32)))
CREATED = "2026-11-23T21:07:44.120000"


def shaped(*entries: Any, **options: Any) -> list[tuple[date, dict[str, Any]]]:
    lines = [entry if isinstance(entry, bytes) else json.dumps(entry).encode() for entry in entries]
    return list(label_rows(lines, pseudonyms=PSEUDONYMS, **options))


def classified(**metadata: Any) -> dict[str, Any]:
    return {
        "source-ref": "s3://bucket/smith.png",
        "digit": 7,
        "digit-metadata": {
            "class-name": "7",
            "confidence": 0.9,
            "type": "groundtruth/image-classification",
            "job-name": "labeling-job/digits",
            "human-annotated": "yes",
            "creation-date": CREATED,
            **metadata,
        },
    }


def test_a_class_is_a_row_on_the_day_it_was_made() -> None:
    ((day, row),) = shaped(classified())
    assert day == date(2026, 11, 23)
    assert row == {
        "job": "digits",
        "label_attribute": "digit",
        "object": PSEUDONYMS.of("object", "s3://bucket/smith.png"),
        "type": "groundtruth/image-classification",
        "category": "7",
        "categories": "7",
        "items": None,
        "confidence": 0.9,
        "human_annotated": True,
        "created_at": datetime(2026, 11, 23, 21, 7, 44, 120000, tzinfo=UTC),
    }


def test_boxes_are_counted_and_their_lowest_confidence_told() -> None:
    entry = {
        "source-ref": "s3://bucket/a.png",
        "boxes": {"annotations": [{"class_id": 0, "left": 1}, {"class_id": 1, "left": 2}], "image_size": []},
        "boxes-metadata": {
            "objects": [{"confidence": 0.9}, {"confidence": 0.6}],
            "class-map": {"0": "car", "1": "bike"},
            "type": "groundtruth/object-detection",
            "job-name": "labeling-job/boxes",
            "human-annotated": "no",
            "creation-date": CREATED,
        },
    }
    ((_, row),) = shaped(entry)
    assert (row["items"], row["categories"], row["confidence"]) == (2, "bike,car", 0.6)
    assert (row["category"], row["human_annotated"]) == (None, False)


def test_categories_of_custom_types_go_out_only_when_they_are_listed() -> None:
    entry = classified(type="groundtruth/custom")
    assert shaped(entry)[0][1]["category"] == "other"
    assert shaped(entry, categories={"7"})[0][1]["category"] == "7"
    assert shaped(classified(), categories={"8"})[0][1]["category"] == "other"


def test_lines_without_a_label_and_broken_ones_are_passed_over() -> None:
    assert (
        shaped(b"{", b"[]", {"source": "x"}, {"digit": 1}, classified(**{"creation-date": "yesterday"})) == []
    )


@given(canary=st.text(min_size=6, max_size=30).map(lambda text: f"Zq{text}qZ"))
def test_no_column_carries_the_object_or_a_text(canary: str) -> None:
    text = {
        "source": canary,
        "caption": canary,
        "caption-metadata": {
            "type": "groundtruth/custom",
            "job-name": "labeling-job/captions",
            "class-name": canary,
            "human-annotated": "yes",
            "creation-date": CREATED,
        },
        "entities": {"annotations": {"entities": [{"label": "person", "startOffset": 0}], "note": canary}},
        "entities-metadata": {
            "entities": [{"confidence": 0.5}],
            "type": "groundtruth/text-span",
            "job-name": "labeling-job/names",
            "human-annotated": "yes",
            "creation-date": CREATED,
        },
    }
    found = shaped(text)
    assert len(found) == 2
    assert all(canary not in str(row) for _, row in found)
