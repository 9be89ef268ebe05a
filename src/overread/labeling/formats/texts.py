"""Texts with entities: read from lines of an augmented manifest and written as such."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from overread.labeling.formats.dataset import FormatError, Stamp, labeled_part, shown
from overread.labeling.label_attributes import METADATA

KIND = "text-span"


@dataclass(frozen=True, slots=True)
class Span:
    """An entity: characters of the text from `start` up to but not including `end`."""

    label: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Marked:
    """What people marked in a text; no spans: there is nothing of the kind in it."""

    spans: tuple[Span, ...] = ()
    labels: tuple[str, ...] = field(default=())
    """All that could be chosen, in their order."""


@dataclass(frozen=True, slots=True)
class Passage:
    """`marked` is None where nobody has labeled it, which is not the same as no spans."""

    text: str
    marked: Marked | None


def passage_of(row: Mapping[str, Any], *, attribute: str) -> Passage:
    """The text on a line.

    Raises:
        FormatError: the text is in S3, or the label is no valid list of entities.
    """
    text = row.get("source")
    if not isinstance(text, str):
        raise FormatError("must have source, the text itself; one in S3 is not read")
    found = labeled_part(row, attribute=attribute, kind=KIND)
    if found is None:
        return Passage(text, None)
    label = found[0].get("annotations") if isinstance(found[0], dict) else None
    if not isinstance(label, dict) or not isinstance(label.get("entities"), list):
        raise FormatError(f"{attribute}.annotations.entities must be a list")
    given = label.get("labels", [])
    names = [one.get("label") for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    if not all(isinstance(name, str) and name for name in names) or len(set(names)) != len(names):
        raise FormatError(f"{attribute}.annotations.labels must be different labels, got {shown(given)}")
    spans, reasons = [], []
    for place, one in enumerate(label["entities"]):
        try:
            spans.append(_span(one, length=len(text), names=names))
        except FormatError as error:
            reasons.append(f"{attribute}.annotations.entities[{place}] {error}")
    if reasons:
        raise FormatError(*reasons)
    return Passage(text, Marked(tuple(spans), tuple(str(name) for name in names)))


def row_of(passage: Passage, *, stamp: Stamp) -> dict[str, Any]:
    """The line of an augmented manifest; only the text of one that is not labeled. Confidences are 0."""
    marked = passage.marked
    if marked is None:
        return {"source": passage.text}
    entities = [
        {"label": span.label, "startOffset": span.start, "endOffset": span.end} for span in marked.spans
    ]
    labels = [{"label": name} for name in marked.labels]
    return {
        "source": passage.text,
        stamp.attribute: {"annotations": {"labels": labels, "entities": entities}},
        stamp.attribute + METADATA: {
            "entities": [{"confidence": 0} for _ in entities],
            **stamp.metadata(KIND),
        },
    }


def _span(one: Any, *, length: int, names: list[Any]) -> Span:
    if not isinstance(one, dict):
        raise FormatError(f"must be an object, got {shown(one)}")
    label, start, end = (one.get(key) for key in ("label", "startOffset", "endOffset"))
    if label not in names:
        raise FormatError(f"must be one of the labels, got {shown(label)}")
    if type(start) is not int or type(end) is not int or not 0 <= start < end <= length:
        raise FormatError(f"must lie within {length} characters, got {shown(start)} to {shown(end)}")
    return Span(str(label), start, end)
