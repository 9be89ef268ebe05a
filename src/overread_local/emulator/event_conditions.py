"""The condition keys of events:PutEvents: policies see which source and detail type is sent, as on AWS."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core import iam_actions

_KEYS = {"events:source": "Source", "events:detail-type": "DetailType"}
ContextOf = Callable[[str, str, bytes, Mapping[str, Any]], dict[str, Any]]


def install() -> None:
    """Adds the keys to what ministack's checks know of a request."""
    iam_actions.request_tag_context = _with_events(iam_actions.request_tag_context)


def _with_events(context_of: ContextOf) -> ContextOf:
    def context(service: str, iam_action: str, body: bytes, params: Mapping[str, Any]) -> dict[str, Any]:
        found = context_of(service, iam_action, body, params)
        return found | keys_of(body) if iam_action == "events:PutEvents" else found

    return context


def keys_of(body: bytes) -> dict[str, Any]:
    """The keys' values in a request: a text where all entries say the same, else a list."""
    try:
        entries = json.loads(body or b"{}").get("Entries", [])
    except (ValueError, AttributeError):
        return {}
    said = {
        key: sorted({str(entry[member]) for entry in entries if isinstance(entry, dict) and member in entry})
        for key, member in _KEYS.items()
    }
    return {key: values[0] if len(values) == 1 else values for key, values in said.items() if values}
