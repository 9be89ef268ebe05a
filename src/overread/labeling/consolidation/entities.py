"""Consensus on the spans that workers marked in a text."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from overread.consensus.spans import Span, vote_spans
from overread.labeling.consolidation.answers import (
    AnswerError,
    Consolidated,
    RawObject,
    confidence_of,
    element_of,
    label_of,
    valid_objects,
)


def entities(objects: Sequence[RawObject], *, categories: Sequence[str] = ()) -> list[Consolidated]:
    """The entities of each text. Votes are on the pieces between all the ends that anybody set, so the text
    itself is not needed."""
    made = []
    for each in valid_objects(objects, read=lambda answer: _read(answer, categories=categories)):
        if not each.answers:
            continue
        workers = len(each.answers)
        ends = sorted({end for spans in each.answers.values() for s in spans for end in (s.start, s.end)})
        found = vote_spans(each.answers, tokens=list(pairwise(ends))).spans if ends else ()
        marked_none = sum(not spans for spans in each.answers.values()) / workers
        made.append(
            Consolidated(
                id=each.id,
                label={
                    "entities": [
                        {
                            "label": one.span.label,
                            "startOffset": one.span.start,
                            "endOffset": one.span.end,
                            "confidence": round(confidence_of(one.confidence, workers=workers), 6),
                        }
                        for one in found
                    ]
                },
                confidence=confidence_of(
                    min((one.confidence for one in found), default=marked_none), workers=workers
                ),
                workers=workers,
                skipped=tuple(each.skipped),
                comments=tuple(each.comments),
            )
        )
    return made


def _read(answer: Mapping[str, Any], *, categories: Sequence[str]) -> list[Span]:
    listed = element_of(answer, key="entities")["entities"]
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise AnswerError("entities is no list of entities")
    spans = []
    for each in listed:
        start, end = each.get("startOffset"), each.get("endOffset")
        if type(start) is not int or type(end) is not int or not 0 <= start < end:
            raise AnswerError("an entity has no extent")
        spans.append(Span(start, end, label_of(each.get("label"), categories=categories)))
    spans.sort()
    if any(one.end > other.start for one, other in pairwise(spans)):
        raise AnswerError("entities overlap")
    return spans
