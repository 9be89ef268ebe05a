"""Lines of output manifests, as Ground Truth writes them for each task type."""

from datetime import UTC, datetime
from typing import Any

import pytest

from overread.labeling.augmented_lines import LabeledBy, LabelMetadata, augmented, metadata_of
from overread.labeling.consolidation.answers import Consolidated
from overread.labeling.task_types import TASK_TYPES

ROW = {"source-ref": "s3://b/1.jpg"}
AT = datetime(2026, 1, 5, 10, 0, 12, 1, tzinfo=UTC)
COMMON = {
    "job-name": "labeling-job/kinds",
    "human-annotated": "yes",
    "creation-date": "2026-01-05T10:00:12.000001",
}


def line(task: str, label: Any, **more: Any) -> dict[str, Any]:
    by = LabeledBy(
        task=TASK_TYPES[task], job="kinds", attribute="x", categories=("cat", "dog", "car"), created=AT
    )
    return augmented(ROW, label=Consolidated(id="0", label=label, confidence=0.95, workers=3), by=by, **more)


def test_a_class_is_its_number() -> None:
    metadata = {"class-name": "dog", "confidence": 0.95, "type": "groundtruth/image-classification", **COMMON}
    assert line("ImageMultiClass", "dog") == {**ROW, "x": 1, "x-metadata": metadata}


def test_several_classes_have_a_map_and_none_is_an_empty_list() -> None:
    found = line("ImageMultiClassMultiLabel", {"car": 0.5, "cat": 1.0})
    assert found["x"] == [0, 2]
    assert found["x-metadata"]["confidence-map"] == {"0": 1.0, "2": 0.5}
    assert line("ImageMultiClassMultiLabel", {})["x"] == []


def test_adjusted_boxes_say_so() -> None:
    box = {"left": 44, "top": 210, "width": 260, "height": 120}
    size = [{"width": 1280, "height": 720, "depth": 3}]
    label = {"image_size": size, "annotations": [{**box, "label": "car", "confidence": 0.88}]}
    found = line("AdjustmentBoundingBox", label, is_adjusted=True)
    assert found["x"] == {"image_size": size, "annotations": [{"class_id": 2, **box}]}
    assert found["x-metadata"]["objects"] == [{"confidence": 0.88}]
    assert found["x-metadata"]["adjustment-status"] == "adjusted"
    assert "adjustment-status" not in line("BoundingBox", label)["x-metadata"]


def test_a_verdict_is_a_text() -> None:
    assert line("VerificationBoundingBox", "cat")["x"] == "0"


def test_a_mask_is_an_address() -> None:
    label = {"internal-color-map": {"0": {"class-name": "BACKGROUND", "hex-color": "#ffffff"}}}
    found = line("SemanticSegmentation", label, image="s3://b/0.png")
    assert found["x"] == "s3://b/0.png"
    assert found["x-metadata"]["internal-color-map"]["0"]["confidence"] == 0.95


def test_a_label_that_is_no_category_is_refused() -> None:
    with pytest.raises(ValueError, match="must be one of cat, dog, car, got 'cow'"):
        line("ImageMultiClass", "cow")


@pytest.mark.parametrize("task", ["PassThrough", "ImageMultiClass"])
def test_metadata_is_read_with_hyphens_and_underscores(task: str) -> None:
    found = line(task, "dog")
    assert ("job_name" in found["x-metadata"]) == (task == "PassThrough")
    assert metadata_of(found, attribute="x") == LabelMetadata(
        job="kinds",
        type=TASK_TYPES[task].output_type,
        is_human=True,
        created="2026-01-05T10:00:12.000001",
    )


def test_an_unlabeled_object_has_no_metadata() -> None:
    assert metadata_of(ROW, attribute="x") is None
