"""Parts of a manifest, what is in one, and manifests made of lists."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from overread.labeling.manifest_make import rows_of_keys, rows_of_texts
from overread.labeling.manifest_split import Part, Splitter
from overread.labeling.manifest_stats import Confidences, ManifestStats, classes_of

PARTS = [Part("train", 80), Part("validation", 10), Part("test", 10)]


def test_an_object_is_always_in_the_same_part_and_in_another_with_another_key() -> None:
    names = [f"s3://scans/{n}.jpg" for n in range(200)]
    first, second, other = (Splitter(PARTS, key=key) for key in ("k", "k", "other"))
    assert [first.part_of(n) for n in names] == [second.part_of(n) for n in reversed(names)][::-1]
    assert [first.part_of(n) for n in names] != [other.part_of(n) for n in names]


def test_the_part_of_an_object_stays_the_same_over_versions() -> None:
    parts = [Splitter(PARTS, key="").part_of(f"s3://scans/{n}.jpg") for n in range(12)]
    assert " ".join(parts) == "train test validation train train train train train train train train test"


def test_parts_are_about_as_large_as_asked() -> None:
    splitter = Splitter(PARTS, key="k")
    sizes = Counter(splitter.part_of(str(n)) for n in range(10_000))
    assert abs(sizes["train"] - 8_000) < 3 * 40
    assert abs(sizes["test"] - 1_000) < 3 * 30


@pytest.mark.parametrize(
    ("parts", "key"),
    [
        ([], ""),
        ([Part("a", 1), Part("a", 1)], ""),
        ([Part("", 1)], ""),
        ([Part("a", 0)], ""),
        (PARTS, "k" * 65),
    ],
)
def test_parts_that_cannot_be_are_refused(parts: list[Part], key: str) -> None:
    with pytest.raises(ValueError, match=r"part|key"):
        Splitter(parts, key=key)


def kind(name: str, confidence: float, *, human: str = "yes") -> dict[str, Any]:
    metadata = {
        "class-name": name,
        "confidence": confidence,
        "human-annotated": human,
        "job-name": "labeling-job/k",
    }
    return {"source": "x", "kind": 0, "kind-metadata": metadata}


def test_labels_are_counted_by_class_annotator_and_job() -> None:
    stats = ManifestStats()
    failed = {"source": "z", "kind-metadata": {"job-name": "labeling-job/k", "failure-reason": "expired"}}
    rows = [failed, kind("cat", 0.9), kind("cat", 0.5, human="no"), kind("dog", 0.7), {"source": "y"}]
    for row in rows:
        stats.add(row)
    told = stats.document()
    assert told["objects"] == 5
    assert told["keys"] == {"source": 5, "kind-metadata": 4, "kind": 3}
    one = told["attributes"]["kind"]
    assert {name: one[name] for name in ("labeled", "unlabeled", "failed", "human", "machine")} == {
        "labeled": 3,
        "unlabeled": 2,
        "failed": 1,
        "human": 2,
        "machine": 1,
    }
    assert one["classes"] == {"cat": 2, "dog": 1}
    assert one["jobs"] == {"k": 3}
    assert one["confidence"] == {
        "0": 0.5, "0.05": 0.5, "0.25": 0.5, "0.5": 0.7, "0.75": 0.9, "0.95": 0.9, "1": 0.9
    }  # fmt: skip


@pytest.mark.parametrize(
    ("label", "metadata", "classes"),
    [
        ([0, 2], {"class-map": {"0": "praise", "2": "service"}}, ["praise", "service"]),
        (
            {"annotations": [{"class_id": 0}, {"class_id": 0}, {"class_id": 7}]},
            {"class-map": {"0": "car"}},
            ["car", "car", "7"],
        ),
        ({"annotations": [{"class-id": 1}]}, {"class_map": {"1": "bus"}}, ["bus"]),
        ({"annotations": {"entities": [{"label": "person"}]}}, {}, ["person"]),
        ("s3://o/m.png", {"internal-color-map": {"0": {"class-name": "BACKGROUND"}}}, ["BACKGROUND"]),
        ({"annotations": []}, {"class-map": {"0": "car"}}, []),
        (7, {"class-map": 3}, []),
        ({"annotations": 3}, {}, []),
    ],
)
def test_the_classes_of_each_kind_of_label(label: Any, metadata: dict[str, Any], classes: list[str]) -> None:
    assert list(classes_of(label, metadata)) == classes


def test_a_label_without_a_class_is_empty_not_unlabeled() -> None:
    stats = ManifestStats()
    stats.add({"source": "x", "boxes": {"annotations": []}, "boxes-metadata": {"objects": []}})
    assert (stats.attributes["boxes"].labeled, stats.attributes["boxes"].empty) == (1, 1)


def test_quantiles_are_of_numbers_between_0_and_1_only() -> None:
    confidences = Confidences()
    assert confidences.quantiles() == {}
    for value in (None, "0.3", True, -0.1, 1.1):
        confidences.add(value)
    assert confidences.quantiles() == {}
    confidences.add(1)
    assert set(confidences.quantiles().values()) == {1.0}


def test_keys_get_the_prefix_and_addresses_stay() -> None:
    rows = list(rows_of_keys(["a b.jpg", "s3://other/c.jpg"], prefix="s3://scans/2026/"))
    assert [row["source-ref"] for row in rows] == ["s3://scans/2026/a b.jpg", "s3://other/c.jpg"]
    assert list(rows_of_texts(["a\nb"])) == [{"source": "a\nb"}]
