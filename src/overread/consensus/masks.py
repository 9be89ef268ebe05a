"""Masks: each pixel's class is the one that most annotators, or most of their weight, say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.errors import InvalidDataError

Codes = NDArray[np.uint8]
_MOST_MASKS = 255
_MOST_CLASSES = 256


@dataclass(frozen=True, slots=True)
class MaskConsensus:
    """The consensus on one image of R masks (H, W) of class codes; arrays are read-only.

    `confidence` (H, W) is the share of the votes that the pixel's class has. `disputed` is the share of
    pixels where masks differ, `disputed_confidence` the mean confidence there (None where none does): over
    all pixels a large plain background would make every image look sure. `tied` pixels had several classes
    with the most votes. `pairwise_iou` (R, R) is the mean, over the classes other than 0 that either mask
    has, of their intersection over union; NaN for two masks with nothing but 0.
    """

    mask: Codes
    confidence: NDArray[np.float32]
    disputed: float
    disputed_confidence: float | None
    tied: int
    pairwise_iou: NDArray[np.float64]


def vote_masks(
    masks: Sequence[Any], *, classes: int = 2, weights: Sequence[float] | None = None
) -> MaskConsensus:
    """The vote of up to 255 masks of the same image; a code is 0 (background) to `classes` − 1.

    Ties go to the lowest code, so to the background where it is among them. Takes memory for two counters a
    pixel, however many classes there are: one byte each without weights.

    Raises:
        InvalidDataError: no masks, unequal or empty shapes, codes that are no whole numbers of a class (with
            the mask and the first pixels, counted from 1), weights that cannot be.
    """
    codes = _checked(masks, classes=classes, weights=weights)
    each = None if weights is None else np.asarray(weights, dtype=np.float32)
    best, winner, is_tied = _count(codes, classes=classes, weights=each)
    total = np.float32(len(codes) if each is None else each.sum(dtype=np.float32))
    confidence = np.minimum(best.astype(np.float32) / total, np.float32(1.0))
    is_disputed = np.zeros(winner.shape, dtype=np.bool_)
    for mask in codes[1:]:
        is_disputed |= mask != codes[0]
    for array in (winner, confidence):
        array.flags.writeable = False
    return MaskConsensus(
        mask=winner,
        confidence=confidence,
        disputed=float(is_disputed.mean()),
        disputed_confidence=float(confidence[is_disputed].mean(dtype=np.float64))
        if is_disputed.any()
        else None,
        tied=int(is_tied.sum()),
        pairwise_iou=_pairwise_iou(codes, is_disputed, classes=classes),
    )


def _count(
    codes: Sequence[Codes], *, classes: int, weights: NDArray[np.float32] | None
) -> tuple[NDArray[Any], Codes, NDArray[np.bool_]]:
    """The most votes of a class on each pixel, that class, and whether another has as many."""
    shape = codes[0].shape
    kind = np.uint8 if weights is None else np.float32
    best = np.zeros(shape, dtype=kind)
    winner = np.zeros(shape, dtype=np.uint8)
    is_tied = np.zeros(shape, dtype=np.bool_)
    count = np.empty(shape, dtype=kind)
    for code in range(classes):
        count[:] = 0
        for place, mask in enumerate(codes):
            is_code = mask == code
            count += is_code if weights is None else is_code * weights[place]
        is_more = count > best
        is_tied = (is_tied & ~is_more) | ((count == best) & (best > 0))
        np.copyto(best, count, where=is_more)
        winner[is_more] = code
    return best, winner, is_tied


def _pairwise_iou(
    codes: Sequence[Codes], is_disputed: NDArray[np.bool_], *, classes: int
) -> NDArray[np.float64]:
    """Only disputed pixels are compared; the others are the same for each pair, counted once."""
    common = np.bincount(codes[0][~is_disputed], minlength=classes)[1:]
    parts = [mask[is_disputed].astype(np.int32) for mask in codes]
    found = np.full((len(codes), len(codes)), np.nan)
    for one, own in enumerate(parts):
        for other in range(one, len(parts)):
            table = np.bincount(own * classes + parts[other], minlength=classes * classes)
            pairs = table.reshape(classes, classes)
            both = np.diagonal(pairs)[1:] + common
            either = pairs.sum(axis=0)[1:] + pairs.sum(axis=1)[1:] - np.diagonal(pairs)[1:] + common
            if (either > 0).any():
                found[one, other] = found[other, one] = float((both[either > 0] / either[either > 0]).mean())
    found.flags.writeable = False
    return found


def _checked(masks: Sequence[Any], *, classes: int, weights: Sequence[float] | None) -> list[Codes]:
    faults = []
    arrays = [np.asarray(mask) for mask in masks]
    if not 2 <= classes <= _MOST_CLASSES:
        faults.append(f"classes must be 2 to {_MOST_CLASSES}, got {classes}")
    if not 1 <= len(arrays) <= _MOST_MASKS:
        faults.append(f"masks must be 1 to {_MOST_MASKS}, got {len(arrays)}")
    if arrays and (arrays[0].ndim != 2 or not arrays[0].size):
        faults.append(f"masks must have two dimensions that are not empty, got {arrays[0].shape}")
    for place, array in enumerate(arrays, start=1):
        if array.shape != arrays[0].shape:
            faults.append(
                f"mask {place} must have the shape of the first, {arrays[0].shape}, got {array.shape}"
            )
        elif array.ndim == 2:
            faults += _code_faults(array, place=place, classes=classes)
    faults += _weight_faults(weights, masks=len(arrays))
    if faults:
        raise InvalidDataError(faults)
    return [array.astype(np.uint8, copy=False) for array in arrays]


def _code_faults(array: NDArray[Any], *, place: int, classes: int) -> list[str]:
    if array.dtype.kind not in "buif":
        return [f"mask {place} must be of whole numbers, got {array.dtype}"]
    if array.dtype.kind == "b":
        return []
    is_wrong = ~((array >= 0) & (array < classes))  # also true of NaN
    if array.dtype.kind == "f":
        is_wrong |= array != np.floor(array)
    if not is_wrong.any():
        return []
    rows, columns = np.nonzero(is_wrong)
    shown = ", ".join(f"({row + 1}, {column + 1})" for row, column in zip(rows[:5], columns[:5], strict=True))
    more = f" and {rows.size - 5:,} more" if rows.size > 5 else ""
    value = array[rows[0], columns[0]]
    return [
        f"mask {place} must have whole numbers from 0 to {classes - 1}, got {value} (pixels {shown}{more})"
    ]


def _weight_faults(weights: Sequence[float] | None, *, masks: int) -> list[str]:
    if weights is None:
        return []
    if len(weights) != masks:
        return [f"weights must be as many as the {masks} masks, got {len(weights)}"]
    wrong = [place for place, weight in enumerate(weights, start=1) if not 0 <= weight < np.inf]
    faults = [f"weight of mask {place} must be at least 0, got {weights[place - 1]}" for place in wrong[:5]]
    if not faults and masks and not sum(weights) > 0:
        faults.append("weights must not all be 0")
    return faults
