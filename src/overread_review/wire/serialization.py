"""Replies as botocore's models prescribe them: only known members, timestamps in the protocol's form."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from overread.instants import format_instant


def serialize(shape: Any, value: Any) -> Any:
    """`value` ready for JSON; `shape` is botocore's output shape (None for operations without output)."""
    if shape is None:
        return {}
    kind = shape.type_name
    if kind == "structure":
        return {
            name: serialize(member, value[name])
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if kind == "list":
        return [serialize(shape.member, item) for item in value]
    if kind == "timestamp":
        return _timestamp(value, form=shape.serialization.get("timestampFormat", "unixTimestamp"))
    return value


def _timestamp(moment: datetime, *, form: str) -> float | str:
    if form == "iso8601":
        return format_instant(moment)
    return round(moment.timestamp(), 3)
