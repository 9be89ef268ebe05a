"""What is in a manifest: objects, label attributes, classes, who labeled, how confidently; in flat memory."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from overread.labeling.label_attributes import METADATA, label_attributes
from overread.labeling.manifest import Row

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
_BINS = 1000


@dataclass(slots=True)
class Confidences:
    """Counts of confidences in steps of 0.001; what is no number in [0, 1] is left out."""

    bins: list[int] = field(default_factory=lambda: [0] * (_BINS + 1))

    def add(self, confidence: Any) -> None:
        """Counts one."""
        if isinstance(confidence, int | float) and not isinstance(confidence, bool) and 0 <= confidence <= 1:
            self.bins[round(confidence * _BINS)] += 1

    def quantiles(self) -> dict[float, float]:
        """The smallest confidence (to 0.001) that reaches each share of all; empty where there is none."""
        total = sum(self.bins)
        if not total:
            return {}
        found: dict[float, float] = {}
        seen, wanted = 0, list(QUANTILES)
        for step, count in enumerate(self.bins):
            seen += count
            while wanted and seen and seen >= wanted[0] * total:
                found[wanted.pop(0)] = step / _BINS
        return found


@dataclass(slots=True)
class AttributeStats:
    """What one label attribute says of the objects that have it.

    `classes` counts labels: an object with two boxes counts twice. `failed` objects have only metadata.
    """

    labeled: int = 0
    failed: int = 0
    empty: int = 0
    by_human: int = 0
    by_machine: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    jobs: Counter[str] = field(default_factory=Counter)
    confidences: Confidences = field(default_factory=Confidences)


@dataclass(slots=True)
class ManifestStats:
    """Counts rows as they come; `keys` are how many objects have each key."""

    objects: int = 0
    keys: Counter[str] = field(default_factory=Counter)
    attributes: dict[str, AttributeStats] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Counts one object."""
        self.objects += 1
        self.keys.update(row.keys())
        for name in label_attributes(row):
            self._add_label(name, row[name], row[name + METADATA])
        for name, metadata in row.items():
            if name.endswith(METADATA) and _is_of_a_job(metadata) and name.removesuffix(METADATA) not in row:
                self.attributes.setdefault(name.removesuffix(METADATA), AttributeStats()).failed += 1

    def document(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "objects": self.objects,
            "keys": dict(self.keys.most_common()),
            "attributes": {
                name: {
                    "labeled": one.labeled,
                    "unlabeled": self.objects - one.labeled,
                    "failed": one.failed,
                    "empty": one.empty,
                    "human": one.by_human,
                    "machine": one.by_machine,
                    "classes": dict(one.classes.most_common()),
                    "jobs": dict(one.jobs.most_common()),
                    "confidence": {
                        f"{share:g}": value for share, value in one.confidences.quantiles().items()
                    },
                }
                for name, one in sorted(self.attributes.items())
            },
        }

    def _add_label(self, name: str, label: Any, metadata: Any) -> None:
        one = self.attributes.setdefault(name, AttributeStats())
        one.labeled += 1
        if not isinstance(metadata, dict):
            return
        one.by_human += metadata.get("human-annotated") == "yes"
        one.by_machine += metadata.get("human-annotated") == "no"
        job = _job(metadata)
        if isinstance(job, str):
            one.jobs[job.removeprefix("labeling-job/")] += 1
        found = list(classes_of(label, metadata))
        one.classes.update(found)
        one.empty += not found
        for confidence in _confidences(metadata):
            one.confidences.add(confidence)


def _job(metadata: Mapping[str, Any]) -> Any:
    return metadata.get("job-name", metadata.get("job_name"))  # custom jobs write underscores


def _is_of_a_job(metadata: Any) -> bool:
    return isinstance(metadata, dict) and isinstance(_job(metadata), str)


def classes_of(label: Any, metadata: Mapping[str, Any]) -> Iterator[str]:
    """The classes that a label names, once for each box or span; those of a mask by its colors."""
    if isinstance(name := metadata.get("class-name"), str):
        yield name
        return
    colors = metadata.get("internal-color-map", metadata.get("color-map"))
    if isinstance(colors, dict):
        yield from (
            str(one["class-name"]) for one in colors.values() if isinstance(one, dict) and "class-name" in one
        )
        return
    names = metadata.get("class-map", metadata.get("class_map"))
    names = names if isinstance(names, dict) else {}
    for index in _indexes(label):
        yield str(names.get(str(index), index))


def _indexes(label: Any) -> Iterator[Any]:
    if isinstance(label, list):
        yield from label
    annotations = label.get("annotations") if isinstance(label, dict) else None
    if isinstance(annotations, list):
        for one in annotations:
            if isinstance(one, dict):
                yield one.get("class_id", one.get("class-id"))
    entities = annotations.get("entities") if isinstance(annotations, dict) else None
    if isinstance(entities, list):
        yield from (one["label"] for one in entities if isinstance(one, dict) and "label" in one)


def _confidences(metadata: Mapping[str, Any]) -> Iterator[Any]:
    """One for the object, or one for each box, span, class or color."""
    if "confidence" in metadata:
        yield metadata["confidence"]
        return
    for name in ("objects", "entities"):
        if isinstance(several := metadata.get(name), list):
            yield from (one.get("confidence") for one in several if isinstance(one, dict))
    if isinstance(by_class := metadata.get("confidence-map"), dict):
        yield from by_class.values()
    if isinstance(colors := metadata.get("internal-color-map"), dict):
        yield from (one.get("confidence") for one in list(colors.values())[:1] if isinstance(one, dict))
