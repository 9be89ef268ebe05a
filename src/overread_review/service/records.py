"""The service's records as JSON text, the form in which stores keep them.

A member that a text lacks takes its default, one that it has too many is left out: texts outlive versions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import asdict, fields, is_dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from overread_review.service.model import Answer, Claim, Loop, Resource

_Record = TypeVar("_Record")


def record_text(record: Any) -> str:
    """A dataclass of `model` without its version, which the store keeps beside it."""
    members = asdict(record)
    members.pop("version", None)
    return json.dumps(members, separators=(",", ":"), ensure_ascii=False, default=_plain)


def parse_record(kind: type[_Record], text: str, *, version: int | None = None) -> _Record:
    """The record of that dataclass behind `record_text`."""
    members = json.loads(text) | ({} if version is None else {"version": version})
    decode = _decoder(cast(Hashable, kind))
    record: _Record = decode(members)
    return record


def loop_text(loop: Loop) -> str:
    """The loop without its version."""
    return record_text(loop)


def parse_loop(text: str, *, version: int) -> Loop:
    """The loop behind `loop_text`."""
    return parse_record(Loop, text, version=version)


def resource_text(resource: Resource) -> str:
    """The resource without its version."""
    return record_text(resource)


def parse_resource(text: str, *, version: int) -> Resource:
    """The resource behind `resource_text`."""
    return parse_record(Resource, text, version=version)


def sortable(moment: datetime) -> str:
    """A moment as text of one length that sorts by time."""
    # Not strftime: its %Y writes the year 999 with three digits, which nobody can read again.
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return sortable(value)
    raise TypeError(f"{type(value).__name__} has no place in a record")


@lru_cache(maxsize=256)
def _decoder(kind: Any) -> Callable[[Any], Any]:
    """What makes a value of a dataclass member's type out of JSON."""
    origin, arguments = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return _record_decoder(kind)
    if origin in {Union, UnionType}:
        (present,) = (one for one in arguments if one is not NoneType)
        inner = _decoder(present)
        return lambda value: None if value is None else inner(value)
    if origin is tuple:
        each = _decoder(arguments[0])
        return lambda values: tuple(map(each, values))
    if kind is datetime:
        return datetime.fromisoformat
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind
    return _same


def _record_decoder(kind: Any) -> Callable[[Mapping[str, Any]], Any]:
    hints = get_type_hints(kind)
    decoders = {one.name: _decoder(hints[one.name]) for one in fields(kind)}

    def decode(members: Mapping[str, Any]) -> Any:
        known = _renamed(kind, members)
        return kind(**{name: decoders[name](value) for name, value in known.items() if name in decoders})

    return decode


def _renamed(kind: Any, members: Mapping[str, Any]) -> Mapping[str, Any]:
    """Claims and answers of the first version know only a `sub`, and nobody could pause then."""
    if kind not in {Claim, Answer} or "person" in members:
        return members
    first_version = {**members, "person": members["sub"]}
    if kind is Claim:
        return first_version | {"running_since": members["accepted_at"]}
    begun, ended = (datetime.fromisoformat(members[name]) for name in ("accepted_at", "submitted_at"))
    return first_version | {"worked_s": (ended - begun).total_seconds()}


def _same(value: Any) -> Any:
    return value
