"""Whether code that reads the answers of one template can read those of another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference; a breaking one may make code fail that was written for the old answers."""

    path: str
    message: str
    kind: Literal["breaking", "compatible"]


def schema_changes(old: Schema, new: Schema) -> tuple[Change, ...]:
    """All differences between the answers of two templates, breaking ones first."""
    found = list(_changes(old, new, path="$"))
    return tuple(sorted(found, key=lambda change: (change.kind != "breaking", change.path)))


def _changes(old: Schema, new: Schema, *, path: str) -> Iterator[Change]:
    if _kind(old) != _kind(new):
        yield Change(path, f"was {_kind(old)}, is {_kind(new)}", "breaking")
        return
    yield from _choices(old, new, path=path)
    yield from _limits(old, new, path=path)
    yield from _keys(old, new, path=path)
    if "items" in old or "items" in new:
        yield from _changes(old.get("items", {}), new.get("items", {}), path=f"{path}[]")


def _kind(schema: Schema) -> str:
    kind = str(schema.get("type", "anything"))
    return "text" if "enum" in schema or kind == "string" else kind


def _choices(old: Schema, new: Schema, *, path: str) -> Iterator[Change]:
    before, after = old.get("enum"), new.get("enum")
    if before == after:
        return
    if before is None:
        after = after or []
        yield Change(path, f"may only be one of {', '.join(map(repr, after))} now", "compatible")
    elif after is None:
        yield Change(path, "may be any text now", "breaking")
    else:
        for choice in (item for item in after if item not in before):
            yield Change(
                path, f"may be {choice!r} now: code that knows all choices does not know it", "breaking"
            )
        for choice in (item for item in before if item not in after):
            yield Change(path, f"is never {choice!r} any more", "compatible")


def _limits(old: Schema, new: Schema, *, path: str) -> Iterator[Change]:
    for key, wider in (("maximum", 1), ("minimum", -1), ("maxLength", 1), ("minLength", -1)):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        is_wider = after is None or (before is not None and (after - before) * wider > 0)
        kind: Literal["breaking", "compatible"] = (
            "breaking" if is_wider and before is not None else "compatible"
        )
        yield Change(path, f"{key} was {before}, is {after}", kind)


def _keys(old: Schema, new: Schema, *, path: str) -> Iterator[Change]:
    for group in ("properties", "patternProperties"):
        before, after = old.get(group, {}), new.get(group, {})
        for name in before.keys() - after.keys():
            yield Change(f"{path}.{name}", "is gone", "breaking")
        for name in after.keys() - before.keys():
            yield Change(f"{path}.{name}", "is new", "compatible")
        for name in before.keys() & after.keys():
            yield from _changes(before[name], after[name], path=f"{path}.{name}")
            was, now = name in old.get("required", ()), name in new.get("required", ())
            if was and not now:
                yield Change(f"{path}.{name}", "may be missing now", "breaking")
            elif now and not was:
                yield Change(f"{path}.{name}", "is always there now", "compatible")
