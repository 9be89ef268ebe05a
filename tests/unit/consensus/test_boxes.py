"""Boxes of several workers, matched and voted on."""

from dataclasses import replace

import numpy as np
import pytest

from overread.consensus import assignment
from overread.consensus.assignment import best_pairs, hungarian
from overread.consensus.boxes import overlap, vote_boxes
from overread.errors import InvalidDataError

NEAR, FAR = (0.0, 0.0, 10.0, 10.0), (50.0, 50.0, 60.0, 60.0)


def _moved(box: tuple[float, ...], by: float) -> tuple[float, ...]:
    return tuple(each + by for each in box)


def test_by_hand() -> None:
    # Moved by 1 and 1 a square of 10 shares 81 of 119 with itself: .681. Medians of 0, 1, 2 are 1.
    assert overlap(np.array([NEAR]), np.array([_moved(NEAR, 1)]))[0, 0] == pytest.approx(81 / 119)
    corners = [NEAR, _moved(NEAR, 1), _moved(NEAR, 2), FAR]
    found = vote_boxes(["i"] * 4, ["a", "b", "c", "c"], ["dog"] * 4, corners)
    (near,) = found.boxes
    assert (near.x1, near.y1, near.x2, near.y2) == (1.0, 1.0, 11.0, 11.0)
    assert (near.workers, near.seen, near.confidence) == (("a", "b", "c"), 3, 1.0)
    (far,) = found.dropped
    assert (far.workers, far.confidence) == (("c",), pytest.approx(1 / 3))
    assert found.existence == "share"


def test_each_worker_has_one_box_in_an_object_and_total_overlap_decides() -> None:
    # Two objects side by side: matching greedily by the largest overlap would leave one box alone.
    left, right = (0.0, 0.0, 10.0, 10.0), (4.0, 0.0, 14.0, 10.0)
    corners = [left, right, (1.0, 0.0, 11.0, 10.0), (3.0, 0.0, 13.0, 10.0)]
    found = vote_boxes(["i"] * 4, ["a", "a", "b", "b"], ["x"] * 4, corners)
    assert [(box.x1, box.workers) for box in found.boxes] == [(0.5, ("a", "b")), (3.5, ("a", "b"))]


def test_classes_are_apart_and_half_of_those_who_saw_it_are_enough() -> None:
    found = vote_boxes(["i"] * 3, ["a", "b", "b"], ["dog", "cat", "dog"], [NEAR, NEAR, _moved(NEAR, 1)])
    assert [(box.label, box.workers) for box in found.boxes] == [("cat", ("b",)), ("dog", ("a", "b"))]
    seen = [("i", "c"), ("i", "d"), ("elsewhere", "e")]
    wide = vote_boxes(["i"] * 3, ["a", "b", "b"], ["dog", "cat", "dog"], [NEAR, NEAR, NEAR], seen=seen)
    assert [(box.label, box.seen, box.confidence) for box in wide.boxes] == [("dog", 4, 0.5)]
    assert [box.label for box in wide.dropped] == ["cat"]


def test_skills_weight_the_corners() -> None:
    found = vote_boxes(["i"] * 2, ["a", "b"], ["x"] * 2, [NEAR, _moved(NEAR, 1)], skills={"a": 3.0, "b": 1.0})
    assert found.boxes[0].x1 == pytest.approx(0.25)


def _crowd(seed: int, *, images: int) -> tuple[list[tuple[str, str, str]], list[tuple[float, ...]]]:
    """Six objects an image; a, b and c draw nearly all, d draws half and as many that are not there."""
    rng = np.random.default_rng(seed)
    rows, corners = [], []
    for image in range(images):
        for number in range(6):
            for worker, rate in (("a", 0.95), ("b", 0.95), ("c", 0.9), ("d", 0.5)):
                if rng.random() < rate:
                    rows.append((f"{image:03}", worker, "x"))
                    corners.append(tuple(_moved(NEAR, 100.0 * number) + rng.uniform(-0.5, 0.5, size=4)))
        for number in range(3):
            rows.append((f"{image:03}", "d", "x"))
            corners.append(_moved(NEAR, 1_000.0 + 100.0 * number))
    return rows, corners


def test_with_many_images_who_invents_objects_is_learnt() -> None:
    rows, corners = _crowd(3, images=40)
    found = vote_boxes(*zip(*rows, strict=True), corners)
    assert found.existence == "dawid-skene"
    assert all(0.0 <= box.confidence <= 1.0 for box in (*found.boxes, *found.dropped))
    real = [box.confidence for box in (*found.boxes, *found.dropped) if box.x1 < 900]
    invented = [box.confidence for box in (*found.boxes, *found.dropped) if box.x1 > 900]
    assert len(real) >= 238
    assert len(invented) == 120
    assert np.mean(real) > 0.97
    assert max(invented) < 0.05
    assert vote_boxes(*zip(*_crowd(3, images=5)[0], strict=True), _crowd(3, images=5)[1]).existence == "share"


def test_order_of_rows_and_names_of_workers_do_not_matter() -> None:
    rows, corners = _crowd(4, images=6)
    order = np.random.default_rng(1).permutation(len(rows))
    found = vote_boxes(*zip(*rows, strict=True), corners)
    shuffled = vote_boxes(
        *zip(*(rows[place] for place in order), strict=True), [corners[place] for place in order]
    )
    assert shuffled == found
    names = {"a": "z", "b": "y", "c": "x", "d": "w"}
    renamed = vote_boxes(
        [row[0] for row in rows], [names[row[1]] for row in rows], ["x"] * len(rows), corners
    )
    back = [replace(box, workers=tuple(sorted(names[each] for each in box.workers))) for box in found.boxes]
    assert list(renamed.boxes) == back


def test_the_same_box_twice_by_one_worker_is_two_objects() -> None:
    found = vote_boxes(["i"] * 3, ["a", "a", "b"], ["x"] * 3, [NEAR, NEAR, NEAR])
    assert sorted(len(box.workers) for box in found.boxes) == [1, 2]


def test_the_own_solver_is_exact_and_used_without_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    from scipy.optimize import linear_sum_assignment

    rng = np.random.default_rng(2)
    for _ in range(60):
        cost = rng.random(rng.integers(1, 8, size=2)).round(1)
        rows, columns = linear_sum_assignment(cost)
        pairs = hungarian(cost)
        assert sum(cost[pair] for pair in pairs) == pytest.approx(cost[rows, columns].sum())
        assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == min(cost.shape)
    data, corners = _crowd(5, images=4)
    expected = vote_boxes(*zip(*data, strict=True), corners)
    monkeypatch.setattr(assignment, "HAS_SCIPY", False)
    assert vote_boxes(*zip(*data, strict=True), corners) == expected
    assert best_pairs(np.empty((0, 3))) == []


def test_every_fault_is_told_with_its_rows() -> None:
    corners = [
        NEAR,
        (5.0, 0.0, 1.0, 9.0),
        (0.0, np.nan, 1.0, 1.0),
        (0.0, 3.0, 1.0, 3.0),
        (0.0, 0.0, 30.0, 5.0),
    ]
    with pytest.raises(InvalidDataError) as caught:
        vote_boxes(
            ["i"] * 5, ["a"] * 5, ["x"] * 5, corners, sizes={"i": (20.0, 20.0)}, skills={"b": 1.0}, gate=0.0
        )
    assert caught.value.faults == (
        "gate must be above 0 and at most 1, got 0.0",
        "corners must be finite numbers (row 3)",
        "x1 must be below x2, got '5 and 1' (row 2)",
        "y1 must be below y2, got '3 and 3' (row 4)",
        "box must lie inside its image (row 5)",
        "skills must have a number above 0 for worker 'a', got None",
    )
    with pytest.raises(InvalidDataError, match="corners must have a row for each of the 2 boxes, got 1"):
        vote_boxes(["i"] * 2, ["a"] * 2, ["x"] * 2, [NEAR])
    with pytest.raises(InvalidDataError, match="at least one row"):
        vote_boxes([], [], [], np.empty((0, 4)))
    with pytest.raises(InvalidDataError, match="label is missing in every row"):
        vote_boxes(["i"], ["a"], [None], [NEAR])
