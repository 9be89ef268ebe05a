"""A caller's decisions, newest first, in pages."""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from overread.decisions.record import State
from overread.errors import Problem, RequestRefusedError
from overread.strict_json import canonical_json
from overread_aws.attribute_values import plain_item
from overread_aws.decision_items import caller_reference, listed_at
from overread_aws.decision_table import CALLER_INDEX, REFERENCE_INDEX, Condition, DecisionTable, Item

_LOOKED_AT, _PAGES = 200, 10
"""A listing by state or use case looks at so many at a time, so often; then it gives out what it found."""
_LONGEST_KEY = 2048
"""Bytes; DynamoDB refuses to look for a longer one, which nothing can have been stored under."""
_FIRST = "~"  # sorts behind every position
_CHECK_BYTES = 9


@dataclass(frozen=True, slots=True)
class ListedDecision:
    """What a listing tells of a decision."""

    decision_id: str
    use_case: str
    state: State
    reference: str
    received_at: str


@dataclass(frozen=True, slots=True)
class DecisionPage:
    """A page of a listing. It may be short, even empty, while `cursor` leads on; "" is the end."""

    decisions: tuple[ListedDecision, ...]
    cursor: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Whose decisions, and which of them; `state` None, `reference` "" and `use_case` "" mean any."""

    caller_scope: str
    state: State | None = None
    reference: str = ""
    use_case: str = ""


class DecisionLists:
    """Reads the indexes by caller. What was written within the last second may be missing from them."""

    def __init__(self, client: Any, *, table: str) -> None:
        self._table = DecisionTable(client, name=table)

    def page(self, listing: Listing, *, limit: int, cursor: str = "") -> DecisionPage:
        """One page behind the place that `cursor` names.

        Raises:
            RequestRefusedError: the cursor is none that this listing gave out.
        """
        if len(_reference_of(listing).encode()) > _LONGEST_KEY:
            return DecisionPage((), "")
        position = _read_cursor(cursor, listing) if cursor else _FIRST
        found: list[ListedDecision] = []
        for page in islice(self._pages_behind(position, listing, limit=limit), _PAGES):
            found += map(_listed, page["Items"])
            if len(found) > limit:
                return DecisionPage(tuple(found[:limit]), _cursor(_position(found[limit - 1]), listing))
            if "LastEvaluatedKey" not in page:
                return DecisionPage(tuple(found), "")
            position = page["LastEvaluatedKey"]["listed_at"]["S"]
        return DecisionPage(tuple(found), _cursor(position, listing))

    def _pages_behind(self, position: str, listing: Listing, *, limit: int) -> Iterator[dict[str, Any]]:
        index, name, value = CALLER_INDEX, "caller_scope", listing.caller_scope
        if listing.reference:
            index, name = REFERENCE_INDEX, "caller_reference"
            value = _reference_of(listing)
        values, names = {":whose": value, ":position": position}, {}
        members: dict[str, Any] = {"ScanIndexForward": False, "Limit": limit + 1}
        filters = []
        if listing.state is not None:
            values[":state"], names["#state"] = str(listing.state), "state"
            filters.append("#state = :state")
        if listing.reference:  # the client "a" with "b#c" has the same key as the client "a#b" with "c"
            values[":reference"], names["#reference"] = listing.reference, "reference"
            filters.append("#reference = :reference")
        if listing.use_case:
            values[":use_case"] = listing.use_case
            filters.append("use_case = :use_case")
        if filters:
            members |= {"FilterExpression": " AND ".join(filters), "Limit": max(limit + 1, _LOOKED_AT)}
        key = Condition(f"{name} = :whose AND listed_at < :position", values, names)
        return self._table.pages(index, key=key, **members)


def _reference_of(listing: Listing) -> str:
    return caller_reference(listing.caller_scope, listing.reference)


def _listed(attributes: Item) -> ListedDecision:
    item = plain_item(attributes)
    return ListedDecision(
        decision_id=item["decision_id"],
        use_case=item["use_case"],
        state=State(item["state"]),
        reference=item["reference"],
        received_at=item["listed_at"].partition("#")[0],
    )


def _position(decision: ListedDecision) -> str:
    return listed_at(decision.received_at, decision.decision_id)


def _cursor(position: str, listing: Listing) -> str:
    """The position with a check sum, because a cursor of another listing would silently skip decisions.

    It is no secret: a listing never leaves its caller's own decisions, whatever the position.
    """
    return urlsafe_b64encode(_check_sum(position, listing) + position.encode()).decode().rstrip("=")


def _read_cursor(cursor: str, listing: Listing) -> str:
    try:
        content = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        position = content[_CHECK_BYTES:].decode()
    except ValueError:
        position = ""
    if not position or _cursor(position, listing) != cursor:
        detail = "cursor must be one that a page of this listing gave, with the same filters"
        raise RequestRefusedError(Problem.INVALID_REQUEST, detail, field="cursor")
    return position


def _check_sum(position: str, listing: Listing) -> bytes:
    parts = [listing.caller_scope, str(listing.state or ""), listing.reference, listing.use_case, position]
    return hashlib.sha256(canonical_json(parts)).digest()[:_CHECK_BYTES]
