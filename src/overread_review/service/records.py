"""Loops and resources as JSON text, the form in which stores keep them."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from overread.review.wire import FailureCode, LoopStatus
from overread_review.service.model import Answer, Claim, FlowTerms, Loop, Resource, ResourceKind


def loop_text(loop: Loop) -> str:
    """The loop without its version, which the store keeps beside it."""
    return _text(loop)


def parse_loop(text: str, *, version: int) -> Loop:
    """The loop behind `loop_text`."""
    members = json.loads(text)
    terms = members["terms"]
    return Loop(
        **members
        | {
            "terms": FlowTerms(**terms | {"keywords": tuple(terms["keywords"])}),
            "created_at": _moment(members["created_at"]),
            "expires_at": _moment(members["expires_at"]),
            "ended_at": _moment(members["ended_at"]) if members["ended_at"] else None,
            "classifiers": tuple(members["classifiers"]),
            "declined_by": tuple(members["declined_by"]),
            "status": LoopStatus(members["status"]),
            "failure_code": FailureCode(members["failure_code"]) if members["failure_code"] else None,
            "claims": tuple(Claim(**_moments(claim)) for claim in members["claims"]),
            "answers": tuple(Answer(**_moments(answer)) for answer in members["answers"]),
            "version": version,
        }
    )


def resource_text(resource: Resource) -> str:
    """The resource without its version, which the store keeps beside it."""
    return _text(resource)


def parse_resource(text: str, *, version: int) -> Resource:
    """The resource behind `resource_text`."""
    members = json.loads(text)
    return Resource(**_moments(members) | {"kind": ResourceKind(members["kind"]), "version": version})


def sortable(moment: datetime) -> str:
    """A moment as text of one length that sorts by time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _text(record: Loop | Resource) -> str:
    members = asdict(record)
    del members["version"]
    return json.dumps(members, separators=(",", ":"), ensure_ascii=False, default=_plain)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return sortable(value)
    raise TypeError(f"{type(value).__name__} has no place in a record")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _moments(members: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _moment(value) if name.endswith("_at") and value else value for name, value in members.items()
    }
