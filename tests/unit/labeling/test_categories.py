"""The label category configuration."""

from __future__ import annotations

from typing import Any

import pytest

from overread.labeling.categories import Category, Instructions, build, check
from overread.labeling.task_types import TASK_TYPES

BOX, KIND, ENTITIES = (TASK_TYPES[n] for n in ("BoundingBox", "ImageMultiClass", "NamedEntityRecognition"))


def labels(*names: Any) -> dict[str, Any]:
    return {"document-version": "2018-11-28", "labels": [{"label": name} for name in names]}


def test_the_document_has_the_shape_of_the_developer_guide() -> None:
    document = build(
        [Category("person", "per"), Category("place")],
        task=ENTITIES,
        instructions=Instructions("Mark names", "<p>All</p>"),
    )
    assert document == {
        "document-version": "2018-11-28",
        "labels": [{"label": "person", "shortDisplayName": "per"}, {"label": "place"}],
        "instructions": {"shortInstruction": "Mark names", "fullInstruction": "<p>All</p>"},
    }


def test_a_document_with_faults_is_not_built() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        build([Category("cat")], task=KIND)


@pytest.mark.parametrize(
    ("document", "task", "fault"),
    [
        (labels("cat", "dog"), KIND, ""),
        (labels("cat"), BOX, ""),
        (labels(), BOX, "at least 1"),
        (labels("cat", "cat"), KIND, "different labels, got 'cat'"),
        (labels("x" * 257), BOX, "labels[0].label must be a text of 1 to 256"),
        (labels(*map(str, range(51))), BOX, "at most 50"),
        (labels(7), BOX, "labels[0].label"),
        ({"document-version": "2018-11-28"}, BOX, "labels is missing"),
        (labels("cat") | {"document-version": "2020-03-01"}, BOX, "one of 2018-11-28"),
        (labels("cat") | {"extra": 1}, BOX, "extra is unknown"),
        (labels("cat") | {"labels": "cat"}, BOX, "labels must be a list"),
        (labels("person"), ENTITIES, "instructions is missing"),
        (labels("cat") | {"instructions": {"shortInstruction": 3}}, BOX, "instructions.shortInstruction"),
        ([], BOX, "an object"),
        (labels("car"), TASK_TYPES["VideoObjectTracking"], "2020-03-01"),
    ],
)
def test_each_fault_of_a_document_is_named(document: Any, task: Any, fault: str) -> None:
    found = check(document, task=task)
    assert [fault in one for one in found] == ([True] if fault else [])


def test_automated_labeling_of_masks_allows_twenty_labels() -> None:
    masks = TASK_TYPES["SemanticSegmentation"]
    many = labels(*map(str, range(21)))
    assert not check(many, task=masks)
    assert "at most 20" in check(many, task=masks, is_automated=True)[0]
