"""The review service's store in DynamoDB: one table, every write conditional on the version read before."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from overread_aws import review_items as items
from overread_aws.review_table import Item, Pause, ReviewTable, table_definition
from overread_review.service import side_records
from overread_review.service.errors import (
    OpenLimitReachedError,
    PersonSeparatedError,
    RecordChangedError,
    RecordExistsError,
)
from overread_review.service.model import (
    Completion,
    HistoryPage,
    Loop,
    LoopPage,
    Resource,
    ResourceKind,
)
from overread_review.service.ports import LoopQuery, RecordKind, StoredRecord
from overread_review.service.records import sortable

__all__ = ["DynamoReviewStore", "table_definition"]


@dataclass(frozen=True, slots=True)
class _Write:
    """One write of a transaction, and what it means when its condition does not hold."""

    request: Mapping[str, Any]
    failure: Exception = field(default_factory=lambda: RecordChangedError("without a condition"))


class DynamoReviewStore:
    """Implements `overread_review.service.ports.ReviewStore`; safe for many threads and processes at once."""

    def __init__(self, client: Any, *, table_name: str, pause: Pause = time.sleep) -> None:
        self._table = ReviewTable(client, table_name=table_name, pause=pause)

    # Loops

    def create_loop(self, loop: Loop, *, open_limit: int) -> Loop:
        """Store a new loop; see the port."""
        stored = replace(loop, version=1)
        exists = RecordExistsError(loop.name)
        writes = [_Write({"Put": self._table.put_request(items.loop_item(stored), version=None)}, exists)]
        if loop.is_open and loop.gold is None:
            below = "attribute_not_exists(open_loops) OR open_loops < :limit"
            counted = self._count(loop, change=1, condition=below, limit=open_limit)
            writes.append(_Write(counted, OpenLimitReachedError(loop.terms.flow_definition_arn)))
        writes += self._aside(None, stored)
        self._write(writes, item=items.loop_item(stored), version=None)
        return stored

    def replace_loop(self, loop: Loop, *, before: Loop | None = None) -> Loop:
        """Store `loop` over its own version; see the port."""
        changed = RecordChangedError(loop.name)
        if before is None or before.version != loop.version:
            before = self.find_loop(loop.name)
            if before is None or before.version != loop.version:
                raise changed
        stored = replace(loop, version=loop.version + 1)
        item = items.loop_item(stored)
        writes = [_Write({"Put": self._table.put_request(item, version=loop.version)}, changed)]
        if before.is_open and not stored.is_open and stored.gold is None:
            counted = self._count(stored, change=-1, condition="open_loops > :limit", limit=0)
            writes.append(_Write(counted, changed))
        writes += self._aside(before, stored)
        self._write(writes, item=item, version=loop.version)
        return stored

    def _aside(self, before: Loop | None, stored: Loop) -> list[_Write]:
        """What is written beside the loop's own item, in its transaction."""
        beside = [
            items.history_item(person, entry) for person, entry in side_records.new_entries(before, stored)
        ]
        beside += [items.way_item(person, stored) for person in side_records.newly_concerned(before, stored)]
        if (done := side_records.completion(before, stored)) is not None:
            beside.append(items.completion_item(done))
        separations = side_records.newly_separated(before, stored)
        return [
            *(_Write(self._table.plain_put(item)) for item in beside),
            *(self._separation(separated) for separated in separations),
        ]

    def _separation(self, separated: side_records.Separated) -> _Write:
        """The person's mark under the separation, unless they have one of another loop."""
        put = self._table.unless_other_put(
            items.separation_item(separated), name="loop_name", value=separated.loop_name
        )
        return _Write(put, PersonSeparatedError(separated.loop_name))

    def _write(self, writes: Sequence[_Write], *, item: Item, version: int | None) -> None:
        if len(writes) == 1:
            self._table.put(item, version=version, failure=writes[0].failure)
        else:
            failures = [write.failure for write in writes]
            self._table.transact([write.request for write in writes], failures=failures)

    def _count(self, loop: Loop, *, change: int, condition: str, limit: int) -> dict[str, Any]:
        key = items.count_key(loop.terms.flow_definition_arn)
        return self._table.count_update(key, change=change, condition=condition, limit=limit)

    def delete_loop(self, loop: Loop) -> None:
        """Remove exactly this version of an ended loop; see the port."""
        self._table.delete(
            items.loop_key(loop.name),
            version=loop.version,
            failure=RecordChangedError(loop.name),
            also="attribute_not_exists(is_open)",
        )

    def find_loop(self, name: str) -> Loop | None:
        """The loop as of now; see the port."""
        item = self._table.get(items.loop_key(name))
        return None if item is None else items.loop_of(item)

    def list_loops(self, query: LoopQuery) -> LoopPage:
        """One page in the order of creation; see the port."""
        low, high = "", "~"
        if query.created_after is not None:
            low = f"{sortable(query.created_after)}#~"
        if query.created_before is not None:
            high = f"{sortable(query.created_before)}#"
        if query.cursor and query.ascending:
            low = max(low, f"{query.cursor}!")
        elif query.cursor:
            high = min(high, query.cursor)
        if low > high:
            return LoopPage(())
        found = self._table.query_index(
            "flow",
            query.flow_definition_arn,
            between=(low or "!", high),
            ascending=query.ascending,
            limit=query.limit + 2,
        )
        fresh = [item for item in found if item["created_key"]["S"] != query.cursor]
        chosen = fresh[: query.limit]
        following = chosen[-1]["created_key"]["S"] if len(fresh) > query.limit else ""
        return LoopPage(tuple(map(items.loop_of, chosen)), following)

    def open_loops(self, flow_definition_arn: str, *, limit: int, cursor: str = "") -> LoopPage:
        """One page in the order of the queue; see the port."""
        between = (f"{cursor}!", "~")
        found = self._table.query_index("open", flow_definition_arn, between=between, limit=limit + 1)
        chosen = found[:limit]
        following = chosen[-1]["queue_key"]["S"] if len(found) > limit else ""
        return LoopPage(tuple(map(items.loop_of, chosen)), following)

    def open_loops_of_person(self, person: str) -> Sequence[Loop]:
        """The person's own; see the port. Ways that lead nowhere any more are removed as they are found."""
        own: list[Loop] = []
        for way in self._table.query(f"PERSON#{person}", between=(items.WAY, f"{items.WAY}~")):
            loop = self.find_loop(way["sk"]["S"].removeprefix(items.WAY))
            if loop is not None and person in side_records.concerned(loop):
                own.append(loop)
            else:
                self._forget_way(way)
        return own

    def _forget_way(self, way: Item) -> None:
        place = {"pk": way["pk"], "sk": way["sk"]}
        gone = RecordChangedError(way["sk"]["S"])
        try:
            self._table.delete(place, version=items.version_of(way), failure=gone)
        except RecordChangedError:
            return

    def separated(self, person: str, *, loops: Sequence[Loop]) -> frozenset[str]:
        """Those of the loops that the person may not answer; see the port."""
        keyed = [loop for loop in loops if loop.separation]
        places = {loop.separation: items.separation_key(loop.separation, person) for loop in keyed}
        marks = {
            mark["pk"]["S"]: mark["loop_name"]["S"] for mark in self._table.get_many(list(places.values()))
        }
        return frozenset(
            loop.name
            for loop in keyed
            if marks.get(places[loop.separation]["pk"]["S"], loop.name) != loop.name
        )

    def count_open_loops(self, flow_definition_arn: str) -> int:
        """The number of open loops; see the port."""
        item = self._table.get(items.count_key(flow_definition_arn))
        return 0 if item is None else int(item["open_loops"]["N"])

    def due_loops(self, now: datetime, *, limit: int) -> Sequence[Loop]:
        """Loops that are due; see the port. Read again one by one, because the index may lag."""
        found = self._table.query_index("due", items.DUE, between=("!", f"{sortable(now)}#~"), limit=limit)
        names = [item["pk"]["S"].removeprefix("LOOP#") for item in found]
        return [loop for name in names if (loop := self.find_loop(name)) is not None]

    def history(self, person: str, *, limit: int, cursor: str = "") -> HistoryPage:
        """What the person answered, the newest first; see the port."""
        high = f"{items.HISTORY}{cursor}" if cursor else f"{items.HISTORY}~"
        found = self._table.query(
            f"PERSON#{person}", between=(items.HISTORY, high), limit=limit + 2, ascending=False
        )
        places = [item["sk"]["S"].removeprefix(items.HISTORY) for item in found]
        fresh = [(place, item) for place, item in zip(places, found, strict=True) if place != cursor]
        chosen = fresh[:limit]
        following = chosen[-1][0] if len(fresh) > limit else ""
        return HistoryPage(tuple(items.history_of(item) for _, item in chosen), following)

    def completions(self, flow_definition_arn: str, *, since: datetime, limit: int) -> Sequence[Completion]:
        """What ended with answers since then; see the port."""
        between = (f"{items.DONE}{sortable(since)}#", f"{items.DONE}~")
        found = self._table.query(
            f"FLOW#{flow_definition_arn}", between=between, limit=limit, ascending=False
        )
        return [items.completion_of(item) for item in found]

    # Resources

    def create_resource(self, resource: Resource) -> Resource:
        """Store a new resource; see the port."""
        stored = replace(resource, version=1)
        self._table.put(items.resource_item(stored), version=None, failure=RecordExistsError(resource.arn))
        return stored

    def replace_resource(self, resource: Resource) -> Resource:
        """Store `resource` over its own version; see the port."""
        stored = replace(resource, version=resource.version + 1)
        changed = RecordChangedError(resource.arn)
        self._table.put(items.resource_item(stored), version=resource.version, failure=changed)
        return stored

    def delete_resource(self, resource: Resource) -> None:
        """Remove exactly this version; see the port."""
        key = items.resource_key(resource.kind, resource.name)
        self._table.delete(key, version=resource.version, failure=RecordChangedError(resource.arn))

    def find_resource(self, kind: ResourceKind, *, name: str) -> Resource | None:
        """The resource as of now; see the port."""
        item = self._table.get(items.resource_key(kind, name))
        return None if item is None else items.resource_of(item)

    def list_resources(self, kind: ResourceKind) -> Sequence[Resource]:
        """All resources of a kind; see the port."""
        return [items.resource_of(item) for item in self._table.query(f"RESOURCE#{kind}")]

    # Small records

    def create_record(self, record: StoredRecord) -> StoredRecord:
        """Store a new record; see the port."""
        stored = replace(record, version=1)
        self._table.put(items.record_item(stored), version=None, failure=RecordExistsError(record.key))
        return stored

    def replace_record(self, record: StoredRecord) -> StoredRecord:
        """Store `record` over its own version; see the port."""
        stored = replace(record, version=record.version + 1)
        changed = RecordChangedError(record.key)
        self._table.put(items.record_item(stored), version=record.version, failure=changed)
        return stored

    def delete_record(self, record: StoredRecord) -> None:
        """Remove exactly this version; see the port."""
        key = items.record_key(record.kind, record.key)
        self._table.delete(key, version=record.version, failure=RecordChangedError(record.key))

    def find_record(self, kind: RecordKind, *, key: str) -> StoredRecord | None:
        """The record as of now; see the port."""
        item = self._table.get(items.record_key(kind, key))
        return None if item is None else items.record_of(item, kind=kind)

    def list_records(self, kind: RecordKind, *, prefix: str = "") -> Sequence[StoredRecord]:
        """All records of a kind under `prefix`; see the port."""
        found = self._table.query(f"RECORD#{kind}", between=(prefix or "!", f"{prefix}\U0010ffff"))
        return [items.record_of(item, kind=kind) for item in found]

    def secret(self, name: str, *, proposal: str) -> str:
        """The secret kept under `name`; see the port."""
        key = items.key(f"SECRET#{name}", "SECRET")
        try:
            self._table.put({**key, "value": {"S": proposal}}, version=None, failure=RecordExistsError(name))
        except RecordExistsError:
            item = self._table.get(key)
            if item is not None:
                return item["value"]["S"]
        return proposal
