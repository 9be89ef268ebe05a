"""Consensus on one class an object, or on several."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from overread.consensus.dawid_skene import dawid_skene
from overread.consensus.majority import majority
from overread.consensus.votes import votes
from overread.labeling.consolidation.answers import (
    AnswerError,
    Consolidated,
    RawObject,
    confidence_of,
    element_of,
    label_of,
    valid_objects,
)

ENOUGH_OBJECTS = 20
"""From so many objects in a batch on, what each worker confuses can be learnt."""


def single(objects: Sequence[RawObject], *, categories: Sequence[str] = ()) -> list[Consolidated]:
    """The class of each object: by Dawid-Skene in a batch that is large enough, else by majority.

    Also for verification, whose classes are verdicts. Objects without a valid answer are left out.
    """

    def read(answer: Mapping[str, Any]) -> str:
        return label_of(element_of(answer, key="label")["label"], categories=categories)

    valid = [each for each in valid_objects(objects, read=read) if each.answers]
    if not valid:
        return []
    rows = [
        (place, worker, label) for place, each in enumerate(valid) for worker, label in each.answers.items()
    ]
    cast = votes([f"{row[0]:09}" for row in rows], [row[1] for row in rows], [row[2] for row in rows])
    found = dawid_skene(cast) if len(valid) >= ENOUGH_OBJECTS else majority(cast)
    agreed = dict(zip(found.items, zip(found.labels, found.confidence.tolist(), strict=True), strict=True))
    made = []
    for place, each in enumerate(valid):
        label, sure = agreed[f"{place:09}"]
        made.append(
            Consolidated(
                id=each.id,
                label=label,
                confidence=confidence_of(sure, workers=len(each.answers)),
                workers=len(each.answers),
                skipped=tuple(each.skipped),
                comments=tuple(each.comments),
            )
        )
    return made


def multiple(objects: Sequence[RawObject], *, categories: Sequence[str] = ()) -> list[Consolidated]:
    """The classes of each object: every one that anybody chose, with the share who did as its confidence."""

    def read(answer: Mapping[str, Any]) -> frozenset[str]:
        labels = element_of(answer, key="labels")["labels"]
        if not isinstance(labels, list):
            raise AnswerError("labels is no list")
        return frozenset(label_of(each, categories=categories) for each in labels)

    made = []
    for each in valid_objects(objects, read=read):
        if not each.answers:
            continue
        workers = len(each.answers)
        chosen = Counter(label for labels in each.answers.values() for label in labels)
        shares = {label: confidence_of(chosen[label] / workers, workers=workers) for label in sorted(chosen)}
        agreed = (
            sum(max(n, workers - n) for n in chosen.values()) / (len(chosen) * workers) if chosen else 1.0
        )
        made.append(
            Consolidated(
                id=each.id,
                label=shares,
                confidence=confidence_of(agreed, workers=workers),
                workers=workers,
                skipped=tuple(each.skipped),
                comments=tuple(each.comments),
            )
        )
    return made
