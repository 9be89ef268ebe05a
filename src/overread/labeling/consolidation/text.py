"""Consensus on what workers wrote: a transcription, a caption."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from overread.labeling.consolidation.answers import (
    AnswerError,
    Consolidated,
    RawObject,
    confidence_of,
    valid_objects,
)

_BY_CHARACTER = 500
"""Longer texts are compared word by word: the time grows with the square of the length."""


def texts(objects: Sequence[RawObject], *, categories: Sequence[str] = ()) -> list[Consolidated]:
    """The text of each object: what more than half wrote alike, else the one nearest to all others by
    normalised edit distance. Confidence is its mean nearness to the others' texts. Categories mean nothing.
    """
    made = []
    for each in valid_objects(objects, read=_read):
        if not each.answers:
            continue
        written = Counter(each.answers.values())
        text, sure = _medoid(written)
        made.append(
            Consolidated(
                id=each.id,
                label=text,
                confidence=confidence_of(sure, workers=len(each.answers)),
                workers=len(each.answers),
                skipped=tuple(each.skipped),
                comments=tuple(each.comments),
            )
        )
    return made


def _medoid(written: Counter[str]) -> tuple[str, float]:
    others = max(1, written.total() - 1)
    known: dict[frozenset[str], float] = {}

    def near(one: str, other: str) -> float:
        pair = frozenset((one, other))
        if pair not in known:
            known[pair] = 1.0 - distance(one, other)
        return known[pair]

    near_all = {
        text: sum(near(text, other) * (n - (other == text)) for other, n in written.items()) / others
        for text in written
    }
    best = max(sorted(written), key=lambda text: (written[text] * 2 > written.total(), near_all[text]))
    return best, near_all[best]


def distance(one: str, other: str) -> float:
    """Levenshtein's distance over the longer length, in [0, 1]; by words where a text is long."""
    if one == other:
        return 0.0
    is_long = max(len(one), len(other)) > _BY_CHARACTER
    a, b = (one.split(), other.split()) if is_long else (list(one), list(other))
    row = list(range(len(b) + 1))
    for place, piece in enumerate(a, 1):
        before, row[0] = row[0], place
        for column, against in enumerate(b, 1):
            kept = before + (piece != against)
            before = row[column]
            row[column] = min(kept, row[column] + 1, row[column - 1] + 1)
    return row[-1] / max(len(a), len(b), 1)


def _read(answer: Mapping[str, Any]) -> str:
    for each in answer.values():
        if isinstance(each, str):
            if not each.strip():
                break
            return each.strip()
    raise AnswerError("no text")
