"""Spans of text (names, places): each token's tag by vote, spans from the tags, agreement by exact spans."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from overread.errors import InvalidDataError

Boundaries = Sequence[tuple[int, int]]
OUTSIDE = ""
_Tag = tuple[str, bool]
"""A class, OUTSIDE for none, and whether a span begins here."""
_NOTHING: _Tag = (OUTSIDE, False)
_SLACK = 1e-9


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Characters `start` up to, not including, `end`, of class `label`."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class AgreedSpan:
    """A span of the consensus.

    `confidence` is the mean, over its tokens, of the share of votes for this class; `exact` the share of the
    workers (by weight) with exactly this span, `overlapping` of those with one of this class that overlaps.
    """

    span: Span
    confidence: float
    exact: float
    overlapping: float


@dataclass(frozen=True, slots=True)
class SpanConsensus:
    """The agreed spans in order; `dropped` had too few workers who marked anything of the class there.

    `f1` has for each pair of workers, in order of their names, the F1 of their exact spans; None where
    neither marked any.
    """

    spans: tuple[AgreedSpan, ...]
    dropped: tuple[AgreedSpan, ...]
    tags: tuple[str, ...]
    f1: Mapping[tuple[str, str], float | None]


def vote_spans(
    spans: Mapping[str, Sequence[Span]],
    *,
    tokens: Boundaries,
    weights: Mapping[str, float] | None = None,
    quorum: float = 0.5,
) -> SpanConsensus:
    """The vote of the workers, each with the spans that they marked in one text (none is a vote as well).

    A token belongs to a span that has one of its characters. For each token first the class is voted on, then
    whether a span begins there, among the votes for that class. Ties: outside before a class, classes in the
    order of their names, going on before beginning. What then continues a span of another class, or none,
    begins one (I-X after O or Y becomes B-X). A span stands when workers of at least `quorum` of the weight
    have one of its class overlapping it. Token votes for BIO tags: A. T. Nguyen et al., Aggregating and
    predicting sequence labels from crowd annotations, 2017, doi:10.18653/v1/P17-1028.

    Raises:
        InvalidDataError: tokens or a worker's spans that are empty, overlap or leave the text, spans without
            a token or class, no workers, weights or a quorum that cannot be; all faults together.
    """
    _require_valid(spans, tokens=tokens, weights=weights, quorum=quorum)
    weight = {worker: 1.0 if weights is None else float(weights[worker]) for worker in sorted(spans)}
    total = sum(weight.values())
    tags = {worker: _tags(spans[worker], tokens=tokens) for worker in weight}
    voted = [
        _vote([(tags[worker][place], weight[worker]) for worker in weight]) for place in range(len(tokens))
    ]
    repaired = _repaired([tag for tag, _ in voted])
    snapped = {worker: set(_spans(tags[worker], tokens=tokens)) for worker in weight}
    found: list[AgreedSpan] = []
    dropped: list[AgreedSpan] = []
    for first, last in _runs(repaired):
        span = Span(tokens[first][0], tokens[last][1], repaired[first][0])
        exact = sum(weight[worker] for worker in weight if span in snapped[worker])
        near = sum(weight[worker] for worker in weight if any(_overlap(span, own) for own in snapped[worker]))
        shares = [voted[place][1] / total for place in range(first, last + 1)]
        agreed = AgreedSpan(
            span=span,
            confidence=min(1.0, sum(shares) / len(shares)),
            exact=min(1.0, exact / total),
            overlapping=min(1.0, near / total),
        )
        (found if near / total >= quorum - _SLACK else dropped).append(agreed)
    return SpanConsensus(
        spans=tuple(found),
        dropped=tuple(dropped),
        tags=tuple(_written(tag) for tag in repaired),
        f1={
            (one, other): exact_f1(snapped[one], snapped[other])
            for one in weight
            for other in weight
            if one < other
        },
    )


def exact_f1(one: Sequence[Span] | set[Span], other: Sequence[Span] | set[Span]) -> float | None:
    """2 |both| / (|one| + |other|) for spans equal in start, end and class; None where there are none."""
    ones, others = set(one), set(other)
    if not ones and not others:
        return None
    return 2 * len(ones & others) / (len(ones) + len(others))


def _vote(votes: Sequence[tuple[_Tag, float]]) -> tuple[_Tag, float]:
    """The tag that wins, and the weight of its class."""
    weights: Counter[str] = Counter()
    beginning: Counter[str] = Counter()
    for (label, is_begin), weight in votes:
        weights[label] += weight  # type: ignore[assignment]  # counters hold floats as well
        beginning[label] += weight if is_begin else 0.0  # type: ignore[assignment]
    most = max(weights.values())
    label = min(each for each, weight in weights.items() if weight >= most - _SLACK)
    return (label, beginning[label] > weights[label] / 2 + _SLACK), weights[label]


def _repaired(tags: Sequence[_Tag]) -> list[_Tag]:
    """No span goes on that had not begun."""
    if not tags:
        return []
    before = [_NOTHING, *tags[:-1]]
    return [
        (label, bool(label) and (is_begin or previous[0] != label))
        for (label, is_begin), previous in zip(tags, before, strict=True)
    ]


def _tags(spans: Sequence[Span], *, tokens: Boundaries) -> list[_Tag]:
    tags = [_NOTHING] * len(tokens)
    for span in spans:
        inside = [place for place, token in enumerate(tokens) if _meets(span, token)]
        for place in inside:
            tags[place] = (span.label, place == inside[0])
    return tags


def _spans(tags: Sequence[_Tag], *, tokens: Boundaries) -> Iterator[Span]:
    for first, last in _runs(tags):
        yield Span(tokens[first][0], tokens[last][1], tags[first][0])


def _runs(tags: Sequence[_Tag]) -> Iterator[tuple[int, int]]:
    """First and last token of each span."""
    first = None
    for place, (label, is_begin) in enumerate([*tags, _NOTHING]):
        if first is not None and (is_begin or not label):
            yield first, place - 1
            first = None
        if is_begin:
            first = place


def _overlap(one: Span, other: Span) -> bool:
    return one.label == other.label and one.start < other.end and other.start < one.end


def _meets(span: Span, token: tuple[int, int]) -> bool:
    return span.start < token[1] and token[0] < span.end


def _written(tag: _Tag) -> str:
    label, is_begin = tag
    return f"{'B' if is_begin else 'I'}-{label}" if label else "O"


def _require_valid(
    spans: Mapping[str, Sequence[Span]],
    *,
    tokens: Boundaries,
    weights: Mapping[str, float] | None,
    quorum: float,
) -> None:
    faults = []
    if not spans:
        faults.append("spans must have at least one worker, got none")
    if not 0 < quorum <= 1:
        faults.append(f"quorum must be above 0 and at most 1, got {quorum}")
    for place, (start, end) in enumerate(tokens, start=1):
        if not 0 <= start < end:
            faults.append(f"token {place} must have 0 <= start < end, got {start} to {end}")
    for place, (one, other) in enumerate(pairwise(tokens), start=2):
        if other[0] < one[1]:
            faults.append(
                f"token {place} must not start before the one before it ends, at {one[1]}, got {other[0]}"
            )
    for worker in sorted(spans):
        faults += _span_faults(worker, spans[worker], tokens=tokens)
    if weights is not None:
        missing = [worker for worker in sorted(spans) if worker not in weights]
        wrong = [worker for worker in sorted(spans) if not 0 <= weights.get(worker, 0.0) < float("inf")]
        faults += [f"weights must have worker {worker!r}" for worker in missing[:5]]
        faults += [
            f"weight of worker {worker!r} must be at least 0, got {weights[worker]}" for worker in wrong[:5]
        ]
        if spans and not missing and not wrong and not sum(weights[worker] for worker in spans) > 0:
            faults.append("weights must not all be 0")
    if faults:
        raise InvalidDataError(faults)


def _span_faults(worker: str, spans: Sequence[Span], *, tokens: Boundaries) -> list[str]:
    faults = []
    taken: dict[int, int] = {}
    for place, span in enumerate(spans, start=1):
        name = f"span {place} of worker {worker!r}"
        inside = [number for number, token in enumerate(tokens) if _meets(span, token)]
        if not 0 <= span.start < span.end:
            faults.append(f"{name} must have 0 <= start < end, got {span.start} to {span.end}")
        elif not span.label:
            faults.append(f"{name} must have a class")
        elif not inside or span.end > tokens[-1][1]:
            faults.append(f"{name} must lie on tokens of the text, got {span.start} to {span.end}")
        elif shared := [taken[number] for number in inside if number in taken]:
            faults.append(f"{name} must not share a token with span {shared[0]}")
        taken.update(dict.fromkeys(inside, place))
    return faults
