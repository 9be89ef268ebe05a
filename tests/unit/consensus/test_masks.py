"""Votes on pixels."""

import tracemalloc

import numpy as np
import pytest

from overread.consensus.masks import vote_masks
from overread.errors import InvalidDataError


def test_by_hand() -> None:
    # Pixels: all 0; two of three 1; one of three 1; all 1.
    found = vote_masks([[[0, 1, 1, 1]], [[0, 1, 0, 1]], [[0, 0, 0, 1]]])
    assert found.mask.tolist() == [[0, 1, 0, 1]]
    assert found.confidence[0] == pytest.approx([1, 2 / 3, 2 / 3, 1])
    # Two of four pixels are disputed, at 2/3 each.
    assert (found.disputed, found.tied) == (0.5, 0)
    assert found.disputed_confidence == pytest.approx(2 / 3)
    # First and second: 2 in both of 3 in either; first and third 1 of 3; second and third 1 of 2.
    assert found.pairwise_iou == pytest.approx(
        np.array([[1, 2 / 3, 1 / 3], [2 / 3, 1, 1 / 2], [1 / 3, 1 / 2, 1]])
    )


def test_ties_go_to_the_lowest_code_and_are_counted() -> None:
    found = vote_masks([[[2, 2, 1]], [[1, 0, 1]]], classes=3)
    assert found.mask.tolist() == [[1, 0, 1]]
    assert found.tied == 2
    assert vote_masks([[[1]], [[2]], [[2]]], classes=3).tied == 0
    # A tie that a third class beats is none.
    assert vote_masks([[[0]], [[1]], [[2]], [[2]]], classes=3).tied == 0


def test_weights_decide_and_equal_weights_change_nothing() -> None:
    masks = np.random.default_rng(1).integers(4, size=(7, 20, 30))
    plain, even = vote_masks(list(masks), classes=4), vote_masks(list(masks), classes=4, weights=[0.5] * 7)
    assert (plain.mask == even.mask).all()
    assert plain.confidence == pytest.approx(even.confidence)
    assert plain.tied == even.tied > 0
    heavy = vote_masks(list(masks), classes=4, weights=[10, 1, 1, 1, 1, 1, 1])
    assert (heavy.mask == masks[0]).all()


def test_the_vote_is_that_of_counting_and_the_order_of_masks_does_not_matter() -> None:
    masks = np.random.default_rng(2).integers(5, size=(9, 16, 16))
    counts = (masks[:, :, :, None] == np.arange(5)).sum(axis=0)
    found, turned = vote_masks(list(masks), classes=5), vote_masks(list(masks[::-1]), classes=5)
    assert (found.mask == counts.argmax(axis=2)).all()
    assert found.confidence == pytest.approx(counts.max(axis=2) / 9)
    assert (found.tied == ((counts == counts.max(axis=2, keepdims=True)).sum(axis=2) > 1).sum()).all()
    assert (found.mask == turned.mask).all()
    assert found.pairwise_iou == pytest.approx(turned.pairwise_iou[::-1, ::-1])


def test_full_agreement_and_empty_masks() -> None:
    same = vote_masks([np.ones((4, 4), dtype=bool)] * 3)
    assert (same.disputed, same.disputed_confidence, same.confidence.min()) == (0.0, None, 1.0)
    assert (same.pairwise_iou == 1).all()
    assert np.isnan(vote_masks([np.zeros((4, 4))] * 2).pairwise_iou).all()


def test_memory_does_not_grow_with_the_classes() -> None:
    masks = [np.zeros((500, 500), dtype=np.uint8)] * 5
    tracemalloc.start()
    vote_masks(masks, classes=200)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 * 500 * 500  # a counter a class would take 200 bytes a pixel


def test_every_fault_is_told_with_its_mask_and_pixels() -> None:
    with pytest.raises(InvalidDataError) as caught:
        vote_masks([[[0, 1]], [[0, 2]], [[np.nan, 0.5]], [[0]]], weights=[1, 1])
    assert caught.value.faults == (
        "mask 2 must have whole numbers from 0 to 1, got 2 (pixels (1, 2))",
        "mask 3 must have whole numbers from 0 to 1, got nan (pixels (1, 1), (1, 2))",
        "mask 4 must have the shape of the first, (1, 2), got (1, 1)",
        "weights must be as many as the 4 masks, got 2",
    )
    with pytest.raises(InvalidDataError, match="1 to 255, got 0"):
        vote_masks([])
    with pytest.raises(InvalidDataError, match="must not all be 0"):
        vote_masks([[[0]]], weights=[0.0])
