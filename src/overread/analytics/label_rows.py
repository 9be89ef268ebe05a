"""Rows of labels, from the lines of a labeling job's output manifest; what was labeled stays behind."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from overread.analytics.columns import LABELS
from overread.analytics.pseudonyms import Pseudonyms

_JOB = "labeling-job/"
_SOURCES = ("source-ref", "source")
_TYPE = "groundtruth/"
OTHER = "other"


def label_rows(
    lines: Iterable[bytes], *, pseudonyms: Pseudonyms, categories: Collection[str] | None = None
) -> Iterator[tuple[date, dict[str, Any]]]:
    """The day and row of every label of every line; lines that are no data objects are passed over.

    A label is an attribute with metadata that name its job and type. `categories`: those that may go out as
    they are (others are `other`); by default those of built-in task types do, which a job's category file
    lists, and custom ones do not.
    """
    for line in lines:
        entry = _parsed(line)
        identity = next((str(entry[name]) for name in _SOURCES if entry.get(name)), "")
        if not identity:
            continue
        for name, metadata in entry.items():
            attribute = name.removesuffix("-metadata")
            if attribute != name and isinstance(metadata, Mapping) and attribute in entry:
                row = _row(metadata, attribute=attribute, value=entry[attribute], categories=categories)
                if row is not None:
                    row["object"] = pseudonyms.of("object", identity)
                    yield row["created_at"].date(), row


def _row(
    metadata: Mapping[str, Any], *, attribute: str, value: Any, categories: Collection[str] | None
) -> dict[str, Any] | None:
    created, kind = _created(metadata.get("creation-date")), str(metadata.get("type", ""))
    if created is None or not kind.startswith(_TYPE):
        return None
    is_custom = kind.endswith("/custom")

    def shown(name: Any) -> str:
        allowed = not is_custom if categories is None else name in categories
        return str(name) if allowed else OTHER

    single = metadata.get("class-name")
    names = _names(metadata)
    items = _items(value)
    return LABELS.row(
        job=str(metadata.get("job-name", "")).removeprefix(_JOB),
        label_attribute=attribute,
        type=kind,
        category=shown(single) if isinstance(single, str) else None,
        categories=",".join(sorted({shown(name) for name in names})) or None,
        items=len(items) if items is not None else None,
        confidence=_confidence(metadata),
        human_annotated={"yes": True, "no": False}.get(str(metadata.get("human-annotated"))),
        created_at=created,
    )


def _names(metadata: Mapping[str, Any]) -> list[str]:
    mapped = metadata.get("class-map")
    if isinstance(mapped, Mapping):
        return [name for name in mapped.values() if isinstance(name, str)]
    return [metadata["class-name"]] if isinstance(metadata.get("class-name"), str) else []


def _items(value: Any) -> list[Any] | None:
    if isinstance(value, Mapping):
        for name in ("annotations", "entities"):
            inner = value.get(name)
            if isinstance(inner, Mapping):
                inner = inner.get("entities")
            if isinstance(inner, list):
                return inner
    return None


def _confidence(metadata: Mapping[str, Any]) -> float | None:
    told: list[Any] = [metadata.get("confidence")]
    objects = metadata.get("objects", metadata.get("entities"))
    if isinstance(objects, list):
        told = [one.get("confidence") for one in objects if isinstance(one, Mapping)]
    figures = [float(one) for one in told if isinstance(one, int | float) and not isinstance(one, bool)]
    return min(figures, default=None)


def _created(text: Any) -> datetime | None:
    """Ground Truth writes UTC without saying so."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _parsed(line: bytes) -> Mapping[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, Mapping) else {}
