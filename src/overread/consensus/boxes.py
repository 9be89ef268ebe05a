"""Boxes around objects: which boxes of several workers mean the same object, and where it is, if it is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from overread.consensus.assignment import best_pairs
from overread.consensus.dawid_skene import dawid_skene
from overread.consensus.votes import Votes, votes
from overread.errors import InvalidDataError
from overread.risk.columns import ColumnFaults

Array = NDArray[np.float64]
GATE = 0.5
QUORUM = 0.5
ENOUGH_IMAGES = 20
"""From so many images on, who misses or invents objects can be learnt."""
_ABSENT, _PRESENT = "absent", "present"
_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Box:
    """An object that workers have drawn: corners in the image's own units, x1 <= x2 and y1 <= y2.

    `workers` drew it, of `seen` who saw the image. `confidence` says how probably it is there, in [0, 1].
    """

    item: str
    label: str
    x1: float
    y1: float
    x2: float
    y2: float
    confidence: float
    workers: tuple[str, ...]
    seen: int


@dataclass(frozen=True, slots=True)
class BoxConsensus:
    """The boxes of all images, in order of image, class and corners; `dropped` had too few workers.

    `existence` is how confidence was found: "dawid-skene", or "share" of the workers who saw the image.
    """

    boxes: tuple[Box, ...]
    dropped: tuple[Box, ...]
    existence: str


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Valid input: n boxes (n, 4) with their image, worker and class, as codes of the votes."""

    cast: Votes
    corners: Array
    seen: Mapping[str, frozenset[str]]


@dataclass(slots=True)
class _Cluster:
    """Boxes that mean one object, at most one a worker."""

    members: dict[str, Array] = field(default_factory=dict)

    def box(self, skills: Mapping[str, float] | None) -> Array:
        """The median of each coordinate; with skills their weighted mean."""
        corners = np.array([self.members[worker] for worker in sorted(self.members)])
        if skills is None:
            return np.asarray(np.median(corners, axis=0))
        return np.asarray(
            np.average(corners, axis=0, weights=[skills[worker] for worker in sorted(self.members)])
        )


def vote_boxes(
    items: Any,
    workers: Any,
    labels: Any,
    corners: ArrayLike,
    *,
    seen: Iterable[tuple[str, str]] | None = None,
    sizes: Mapping[str, tuple[float, float]] | None = None,
    skills: Mapping[str, float] | None = None,
    gate: float = GATE,
    quorum: float = QUORUM,
) -> BoxConsensus:
    """The objects of each image, from one row a drawn box: image, worker, class, and (x1, y1, x2, y2).

    For each image and class workers are taken one after another, first whose boxes overlap those of the
    others most (then by name); their boxes are matched one to one to the objects found so far, with the
    greatest total intersection over union among pairs of at least `gate`, and what has no match is a new
    object. Then all are matched once more to the objects' final places. An object stands when at least
    `quorum` of those who saw the image drew it; its box is the median of each coordinate, or with `skills`
    the weighted mean.

    `seen` are pairs (image, worker), needed where a worker saw an image and drew nothing; who drew anything
    in an image has seen it. `sizes` are (width, height) of images; boxes must then lie inside.
    Confidence is the posterior of "present" by Dawid-Skene over all objects, each worker who saw the image
    voting present or absent, from 20 images on; else the share who drew it. Matching: H. W. Kuhn 1955,
    doi:10.1002/nav.3800020109.

    Raises:
        InvalidDataError: no rows, missing ids or classes, coordinates that are not finite, x1 > x2 or
            y1 > y2, no area, boxes outside the image, skills that are missing or not positive, gate or quorum
            outside (0, 1]; all faults together, with their rows.
    """
    drawn = _checked(
        items, workers, labels, corners, seen=seen, sizes=sizes, skills=skills, gate=gate, quorum=quorum
    )
    found: list[tuple[str, str, _Cluster]] = []
    cast = drawn.cast
    for rows in _groups(cast.item.astype(np.int64) * len(cast.classes) + cast.label):
        of_worker = {
            cast.workers[code]: drawn.corners[rows[cast.worker[rows] == code]]
            for code in np.unique(cast.worker[rows]).tolist()
        }
        item, label = cast.items[cast.item[rows[0]]], cast.classes[cast.label[rows[0]]]
        found += [(item, label, each) for each in _clusters(of_worker, gate=gate, skills=skills)]
    existence, confidence = _existence(found, seen=drawn.seen)
    kept: list[Box] = []
    dropped: list[Box] = []
    for (item, label, cluster), sure in zip(found, confidence, strict=True):
        box = _box(item, label, cluster, confidence=sure, seen=len(drawn.seen[item]), skills=skills)
        (kept if len(box.workers) >= quorum * box.seen - _SLACK else dropped).append(box)
    place = {name: code for code, name in enumerate(cast.items)}

    def order(box: Box) -> tuple[Any, ...]:
        return place[box.item], box.label, box.x1, box.y1, box.x2, box.y2, box.workers

    return BoxConsensus(tuple(sorted(kept, key=order)), tuple(sorted(dropped, key=order)), existence)


def overlap(one: Array, other: Array) -> Array:
    """Intersection over union of each of the boxes (n, 4) with each of the others (m, 4): (n, m)."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    both = np.prod(np.maximum(high - low, 0.0), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (one, other)]
    return np.asarray(np.minimum(both / (areas[0][:, None] + areas[1][None, :] - both), 1.0))


def _clusters(
    of_worker: Mapping[str, Array], *, gate: float, skills: Mapping[str, float] | None
) -> list[_Cluster]:
    clusters: list[_Cluster] = []
    order = sorted(of_worker, key=lambda worker: (-_centrality(worker, of_worker), worker))
    for worker in order:
        own = of_worker[worker]
        matched = _matched(own, clusters, gate=gate, skills=skills)
        for row, corners in enumerate(own):
            if row not in matched:
                clusters.append(_Cluster())
            clusters[matched.get(row, -1)].members[worker] = corners
    return _matched_again(of_worker, clusters, order=order, gate=gate, skills=skills)


def _matched_again(
    of_worker: Mapping[str, Array],
    clusters: Sequence[_Cluster],
    *,
    order: Sequence[str],
    gate: float,
    skills: Mapping[str, float] | None,
) -> list[_Cluster]:
    """Every box to where its object has come to lie; what fits none any more stays an object of its own."""
    again = [_Cluster() for _ in clusters]
    alone: list[_Cluster] = []
    for worker in order:
        matched = _matched(of_worker[worker], clusters, gate=gate, skills=skills)
        for row, corners in enumerate(of_worker[worker]):
            if row in matched:
                again[matched[row]].members[worker] = corners
            else:
                alone.append(_Cluster({worker: corners}))
    return [each for each in (*again, *alone) if each.members]


def _matched(
    own: Array, clusters: Sequence[_Cluster], *, gate: float, skills: Mapping[str, float] | None
) -> dict[int, int]:
    """The cluster of each box of a worker that has one."""
    if not clusters:
        return {}
    shares = overlap(own, np.array([each.box(skills) for each in clusters]))
    benefit = np.where(shares >= gate, shares, 0.0)
    return {row: column for row, column in best_pairs(benefit) if benefit[row, column] > 0}


def _centrality(worker: str, of_worker: Mapping[str, Array]) -> float:
    """How much the worker's boxes overlap the nearest ones of the others; rounded, so that ties are ties."""
    own = of_worker[worker]
    total = sum(
        float(overlap(own, of_worker[other]).max(axis=1).sum()) for other in of_worker if other != worker
    )
    return round(total, 9)


def _existence(
    found: Sequence[tuple[str, str, _Cluster]], *, seen: Mapping[str, frozenset[str]]
) -> tuple[str, list[float]]:
    images = {item for item, _, _ in found}
    if len(images) < ENOUGH_IMAGES:
        return "share", [len(cluster.members) / len(seen[item]) for item, _, cluster in found]
    rows = [
        (number, worker, _PRESENT if worker in cluster.members else _ABSENT)
        for number, (item, _, cluster) in enumerate(found)
        for worker in sorted(seen[item])
    ]
    cast = votes(*zip(*rows, strict=True), classes=(_ABSENT, _PRESENT))
    present = dawid_skene(cast).posteriors[:, 1]
    place = {name: row for row, name in enumerate(cast.items)}
    return "dawid-skene", [min(1.0, float(present[place[str(number)]])) for number in range(len(found))]


def _box(
    item: str,
    label: str,
    cluster: _Cluster,
    *,
    confidence: float,
    seen: int,
    skills: Mapping[str, float] | None,
) -> Box:
    x1, y1, x2, y2 = cluster.box(skills).tolist()
    return Box(item, label, x1, y1, x2, y2, confidence, tuple(sorted(cluster.members)), seen)


def _groups(codes: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    order = np.argsort(codes, kind="stable")
    return [each for each in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1) if each.size]


def _checked(
    items: Any,
    workers: Any,
    labels: Any,
    corners: ArrayLike,
    *,
    seen: Iterable[tuple[str, str]] | None,
    sizes: Mapping[str, tuple[float, float]] | None,
    skills: Mapping[str, float] | None,
    gate: float,
    quorum: float,
) -> _Drawn:
    faults = ColumnFaults()
    for name, value in (("gate", gate), ("quorum", quorum)):
        if not 0 < value <= 1:
            faults.add(f"{name} must be above 0 and at most 1, got {value}")
    table = _table(corners, faults=faults)
    try:
        cast: Votes | None = votes(items, workers, labels)
    except InvalidDataError as error:
        cast = None
        faults.found += error.faults
    if cast is not None and cast.missing:
        faults.add(f"label is missing in {cast.missing:,} rows")
    elif cast is not None and len(cast) != len(table):
        faults.add(f"corners must have a row for each of the {len(cast):,} boxes, got {len(table):,}")
    elif cast is not None:
        _note_outside(cast, table, sizes=sizes, faults=faults)
    if cast is not None and skills is not None:
        wrong = [worker for worker in cast.workers if not 0 < skills.get(worker, 0.0) < np.inf]
        for worker in wrong[:5]:
            faults.add(f"skills must have a number above 0 for worker {worker!r}, got {skills.get(worker)}")
    if faults.found or cast is None:
        raise InvalidDataError(faults.found)
    return _Drawn(cast, table, _seen(cast, seen))


def _table(corners: ArrayLike, *, faults: ColumnFaults) -> Array:
    try:
        table = np.asarray(corners, dtype=np.float64)
    except (TypeError, ValueError):
        faults.add("corners must be numbers, four a box: x1, y1, x2, y2")
        return np.zeros((0, 4))
    if table.ndim != 2 or table.shape[1] != 4:
        faults.add(f"corners must have four numbers a box, x1, y1, x2, y2, got shape {table.shape}")
        return np.zeros((0, 4))
    is_finite = np.isfinite(table).all(axis=1)
    faults.add_rows("corners must be finite numbers", np.asarray(~is_finite))
    for low, high, names in ((0, 2, ("x1", "x2")), (1, 3, ("y1", "y2"))):
        is_wrong = is_finite & ~(table[:, low] < table[:, high])
        if is_wrong.any():
            first = table[np.flatnonzero(is_wrong)[0]]
            faults.add_rows(
                f"{names[0]} must be below {names[1]}",
                is_wrong,
                example=f"{first[low]:g} and {first[high]:g}",
            )
    return table


def _note_outside(
    cast: Votes, table: Array, *, sizes: Mapping[str, tuple[float, float]] | None, faults: ColumnFaults
) -> None:
    if sizes is None:
        return
    missing = [item for item in cast.items if item not in sizes]
    for item in missing[:5]:
        faults.add(f"sizes must have item {item!r}")
    limits = np.array([sizes.get(item, (np.inf, np.inf)) for item in cast.items], dtype=np.float64)[cast.item]
    is_outside = np.asarray((table[:, :2] < 0).any(axis=1) | (table[:, 2:] > limits).any(axis=1))
    faults.add_rows("box must lie inside its image", is_outside)


def _seen(cast: Votes, seen: Iterable[tuple[str, str]] | None) -> dict[str, frozenset[str]]:
    """Who has seen each image that has boxes."""
    found: dict[str, set[str]] = {item: set() for item in cast.items}
    for item, worker in zip(cast.item.tolist(), cast.worker.tolist(), strict=True):
        found[cast.items[item]].add(cast.workers[worker])
    for item_name, worker_name in seen or ():
        if str(item_name) in found:
            found[str(item_name)].add(str(worker_name))
    return {item: frozenset(workers) for item, workers in found.items()}
