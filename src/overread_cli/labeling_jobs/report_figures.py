"""What a job's answers and labels say of its workers and of its objects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from heapq import nsmallest
from statistics import median
from typing import Any

from overread.consensus.agreement import Agreement, krippendorff
from overread.consensus.votes import gold_of, votes
from overread.consensus.worker_quality import worker_quality
from overread.labeling.manifest_stats import classes_of
from overread.risk.binomial import wilson
from overread_cli.labeling_jobs.answers import Answer, Answers

_HARDEST = 20
_LEAST_FOR_DRIFT = 20
_MOST_CLASSES = 15


@dataclass(frozen=True, slots=True)
class Label:
    """An object's line in the output manifest: its source, its label as text (None without one), how sure."""

    object_id: str
    source: str
    label: str | None
    confidence: float | None
    has_failed: bool
    by_machine: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFigures:
    """One worker. `agreed` of `compared` answers are the final label of their object, with a 95 % interval;
    `early` and `late` are the shares in the first and the second half of their answers. `gold_upper` is the
    exact upper bound of their accuracy on gold."""

    worker: str
    answers: int
    median_s: float | None
    compared: int
    agreed: int
    interval: tuple[float, float] | None
    early: float | None
    late: float | None
    gold_right: int
    gold_total: int
    gold_upper: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HardObject:
    """An object whose label is least sure, with what people said."""

    object_id: str
    source: str
    label: str | None
    confidence: float | None
    said: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFigures:
    """The whole job. `confusion` counts answers by final label and label given; `hours` are of work."""

    objects: int
    labeled: int
    failed: int
    by_machine: int
    answers: int
    hours: float
    median_s: float | None
    unreadable: int
    agreement: Agreement | None
    workers: Sequence[WorkerFigures]
    labels: Mapping[str, int]
    confusion: Mapping[str, Mapping[str, int]]
    hardest: Sequence[HardObject]
    submitted: Sequence[str]
    mean_confidence: float | None

    @property
    def document(self) -> dict[str, Any]:
        """The figures for programs; shares are of 1."""
        return {name: value for name, value in asdict(self).items() if name != "submitted"}


def label_of_line(row: Mapping[str, Any], *, object_id: str, attribute: str) -> Label:
    """What a line of the output manifest says of its object."""
    metadata = row.get(f"{attribute}-metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    has_label = attribute in row
    names = sorted(set(classes_of(row[attribute], metadata))) if has_label else []
    confidence = metadata.get("confidence")
    is_number = isinstance(confidence, int | float) and not isinstance(confidence, bool)
    return Label(
        object_id=object_id,
        source=str(row.get("source-ref", row.get("source", "")))[:300],
        label=(" + ".join(names) or "none") if has_label else None,
        confidence=float(confidence) if is_number and confidence is not None else None,
        has_failed="failure-reason" in metadata,
        by_machine=has_label and metadata.get("human-annotated") == "no",
    )


def job_figures(
    answers: Answers, labels: Iterable[Label], *, truth: Mapping[str, str] | None = None
) -> JobFigures:
    """All figures; `truth` is the right label of gold objects, by their source."""
    final = {one.object_id: one for one in labels}
    rows = list(answers.rows.values())
    seconds = [one.seconds for one in rows if one.seconds is not None]
    confidences = [one.confidence for one in final.values() if one.confidence is not None]
    return JobFigures(
        objects=len(final),
        labeled=sum(one.label is not None for one in final.values()),
        failed=sum(one.has_failed for one in final.values()),
        by_machine=sum(one.by_machine for one in final.values()),
        answers=len(rows),
        hours=sum(seconds) / 3600,
        median_s=median(seconds) if seconds else None,
        unreadable=len(answers.unreadable),
        agreement=_agreement(rows),
        workers=_workers(rows, final, truth=truth or {}),
        labels=dict(Counter(one.label for one in final.values() if one.label is not None).most_common()),
        confusion=_confusion(rows, final),
        hardest=_hardest(rows, final),
        submitted=sorted(one.submitted_at for one in rows if one.submitted_at),
        mean_confidence=sum(confidences) / len(confidences) if confidences else None,
    )


def _agreement(rows: Sequence[Answer]) -> Agreement | None:
    """Krippendorff's alpha of the choices; None where nobody chose a label."""
    chosen = [one for one in rows if one.label is not None]
    if not chosen:
        return None
    cast = votes(
        [one.object_id for one in chosen], [one.worker for one in chosen], [one.label for one in chosen]
    )
    return krippendorff(cast)


def _workers(
    rows: Sequence[Answer], final: Mapping[str, Label], *, truth: Mapping[str, str]
) -> list[WorkerFigures]:
    by_worker: dict[str, list[Answer]] = {}
    for one in sorted(rows, key=lambda one: one.submitted_at):
        by_worker.setdefault(one.worker, []).append(one)
    gold = _gold(rows, final, truth=truth)
    found = [_worker(name, given, final, gold=gold.get(name)) for name, given in by_worker.items()]
    return sorted(found, key=lambda one: -one.answers)


def _worker(
    name: str, given: Sequence[Answer], final: Mapping[str, Label], *, gold: tuple[int, int, float] | None
) -> WorkerFigures:
    agreed = [
        one.label == final[one.object_id].label
        for one in given
        if one.label is not None and one.object_id in final and final[one.object_id].label is not None
    ]
    half = len(agreed) // 2
    seconds = [one.seconds for one in given if one.seconds is not None]
    drifts = len(agreed) >= _LEAST_FOR_DRIFT
    right, total, upper = gold or (0, 0, None)
    return WorkerFigures(
        worker=name,
        answers=len(given),
        median_s=median(seconds) if seconds else None,
        compared=len(agreed),
        agreed=sum(agreed),
        interval=wilson(sum(agreed), len(agreed), confidence=0.95) if agreed else None,
        early=sum(agreed[:half]) / half if drifts else None,
        late=sum(agreed[half:]) / (len(agreed) - half) if drifts else None,
        gold_right=right,
        gold_total=total,
        gold_upper=upper,
    )


def _gold(
    rows: Sequence[Answer], final: Mapping[str, Label], *, truth: Mapping[str, str]
) -> dict[str, tuple[int, int, float]]:
    """Right, total and exact upper bound on gold, by worker."""
    known = {one.object_id: truth[one.source] for one in final.values() if one.source in truth}
    chosen = [one for one in rows if one.label is not None and one.object_id in known]
    if not chosen:
        return {}
    classes = sorted({*(str(one.label) for one in chosen), *known.values()})
    cast = votes(
        [one.object_id for one in chosen],
        [one.worker for one in chosen],
        [one.label for one in chosen],
        classes=classes,
    )
    asked = {one.object_id for one in chosen}
    gold = gold_of(list(asked), [known[one] for one in asked], votes=cast)
    return {
        one.worker: (one.gold_right, one.gold_total, one.clopper_pearson[1])
        for one in worker_quality(cast, gold=gold)
    }


def _confusion(rows: Sequence[Answer], final: Mapping[str, Label]) -> dict[str, dict[str, int]]:
    """Answers by final label and given label, of the labels that are given most."""
    pairs = Counter(
        (str(final[one.object_id].label), one.label)
        for one in rows
        if one.label is not None and one.object_id in final and final[one.object_id].label is not None
    )
    often = Counter[str]()
    for (right, given), count in pairs.items():
        often[right] += count
        often[given] += count
    names = sorted(name for name, _ in often.most_common(_MOST_CLASSES))
    return {right: {given: pairs[right, given] for given in names} for right in names}


def _hardest(rows: Sequence[Answer], final: Mapping[str, Label]) -> list[HardObject]:
    """The objects whose label is least sure, of those that people answered differently or that are unsure."""
    said: dict[str, Counter[str]] = {}
    for one in rows:
        if one.label is not None:
            said.setdefault(one.object_id, Counter())[one.label] += 1
    disputed = [
        one
        for one in final.values()
        if len(said.get(one.object_id, ())) > 1 or (one.confidence is not None and 0 < one.confidence < 0.9)
    ]

    def unsure(one: Label) -> tuple[float, str]:
        share = 1.0 if one.confidence is None else one.confidence
        return share, one.object_id.rjust(12, "0")

    return [
        HardObject(
            object_id=one.object_id,
            source=one.source,
            label=one.label,
            confidence=one.confidence,
            said=dict(said.get(one.object_id, Counter()).most_common()),
        )
        for one in nsmallest(_HARDEST, disputed, key=unsure)
    ]
