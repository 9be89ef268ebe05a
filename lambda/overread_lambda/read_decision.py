"""GET /v1/decisions/{id} and /v1/decisions: decisions as they stand, for the caller who asked for them."""

import os
from functools import cache
from typing import Protocol

from overread.decisions.documents import decision_document
from overread.decisions.ids import is_decision_id
from overread.decisions.ports import Records
from overread.decisions.record import State
from overread.errors import Problem, RequestRefusedError
from overread_aws.clients import make_client
from overread_aws.decision_lists import DecisionLists, DecisionPage, Listing
from overread_aws.dynamodb_records import DynamoDbRecords
from overread_lambda.entry import entry
from overread_lambda.rest_proxy import (
    Event,
    Reply,
    answer,
    caller_of,
    part_of,
    path_parameter,
    query_parameter,
    reply,
)
from overread_lambda.settings import read_settings

DEFAULT_LIMIT, HIGHEST_LIMIT = 20, 100
_PARAMETERS = ("state", "reference", "use_case", "cursor", "limit")


class DecisionPages(Protocol):
    """What lists decisions."""

    def page(self, listing: Listing, *, limit: int, cursor: str = "") -> DecisionPage:
        """One page behind the place that `cursor` names."""


@entry()
def handler(event: Event, context: object) -> Reply:
    """What API Gateway calls."""
    return answer(lambda: respond(event, records=_records(), lists=_lists()))


def respond(event: Event, *, records: Records, lists: DecisionPages) -> Reply:
    """A decision, or a page of them; another caller's decision is as unknown as one that never was.

    Raises:
        OverreadError: the decision is unknown, the query is at fault, or the records cannot be read.
    """
    scope = caller_of(event)
    if "id" not in part_of(event, "pathParameters"):
        return reply(200, _page(event, scope, lists=lists))
    decision_id = path_parameter(event, "id")
    record = records.get(decision_id) if is_decision_id(decision_id) else None
    if record is None or record.caller_scope != scope:
        detail = f"decision {decision_id[:80]!r} is unknown"
        raise RequestRefusedError(Problem.UNKNOWN_DECISION, detail, field="id")
    return reply(200, decision_document(record))


def _page(event: Event, scope: str, *, lists: DecisionPages) -> dict[str, object]:
    for name in part_of(event, "queryStringParameters"):
        if name not in _PARAMETERS:
            detail = f"{name[:40]} is unknown, allowed are {', '.join(_PARAMETERS)}"
            raise RequestRefusedError(Problem.INVALID_REQUEST, detail, field=name[:40])
    listing = Listing(
        caller_scope=scope,
        state=_state(event),
        reference=query_parameter(event, "reference"),
        use_case=query_parameter(event, "use_case"),
    )
    page = lists.page(listing, limit=_limit(event), cursor=query_parameter(event, "cursor"))
    document: dict[str, object] = {
        "decisions": [
            {
                "decision_id": one.decision_id,
                "use_case": one.use_case,
                "state": str(one.state),
                **({"reference": one.reference} if one.reference else {}),
                "received_at": one.received_at,
                "links": {"self": f"/v1/decisions/{one.decision_id}"},
            }
            for one in page.decisions
        ]
    }
    return {**document, "cursor": page.cursor} if page.cursor else document


def _state(event: Event) -> State | None:
    text = query_parameter(event, "state")
    if not text:
        return None
    if text not in set(State):
        detail = f"state must be one of {', '.join(State)}, got {text[:40]!r}"
        raise RequestRefusedError(Problem.INVALID_REQUEST, detail, field="state")
    return State(text)


def _limit(event: Event) -> int:
    text = query_parameter(event, "limit") or str(DEFAULT_LIMIT)
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= HIGHEST_LIMIT):
        detail = f"limit must be a whole number from 1 to {HIGHEST_LIMIT}, got {text[:40]!r}"
        raise RequestRefusedError(Problem.INVALID_REQUEST, detail, field="limit")
    return int(text)


@cache
def _records() -> DynamoDbRecords:
    return DynamoDbRecords(make_client("dynamodb"), table=read_settings(os.environ).table)


@cache
def _lists() -> DecisionLists:
    return DecisionLists(make_client("dynamodb"), table=read_settings(os.environ).table)
