"""The items of the review service's table, by what they hold.

pk LOOP#name            sk LOOP                      a human loop; in the indexes flow, open and due
pk FLOW#arn             sk OPEN                      how many of the flow definition's loops are open
pk FLOW#arn             sk DONE#end#name             a loop that ended with answers
pk PERSON#key           sk LOOP#name                 the way from a person to a loop of theirs
pk PERSON#key           sk HISTORY#submission#name   an answer as its author looks back on it
pk SEPARATION#key       sk person                    the loop that the person answered of that separation
pk RESOURCE#kind        sk name                      a control-plane resource
pk RECORD#kind          sk key                       a small record
pk SECRET#name          sk SECRET
"""

from __future__ import annotations

from overread_aws.review_table import Item
from overread_review.service import transitions
from overread_review.service.model import Completion, HistoryEntry, Loop, Resource, ResourceKind
from overread_review.service.ports import RecordKind, StoredRecord
from overread_review.service.records import (
    loop_text,
    parse_loop,
    parse_record,
    parse_resource,
    record_text,
    resource_text,
    sortable,
)
from overread_review.service.side_records import Separated, queue_key

DUE = "DUE"
WAY, HISTORY, DONE = "LOOP#", "HISTORY#", "DONE#"


def key(pk: str, sk: str) -> Item:
    """The table's key."""
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def loop_key(name: str) -> Item:
    """Where a loop lies."""
    return key(f"LOOP#{name}", "LOOP")


def count_key(flow_definition_arn: str) -> Item:
    """Where the number of open loops lies."""
    return key(f"FLOW#{flow_definition_arn}", "OPEN")


def resource_key(kind: ResourceKind, name: str) -> Item:
    """Where a resource lies."""
    return key(f"RESOURCE#{kind}", name)


def record_key(kind: RecordKind, key_: str) -> Item:
    """Where a small record lies."""
    return key(f"RECORD#{kind}", key_)


def loop_item(loop: Loop) -> Item:
    """The loop with its places in the indexes. Gold questions are in no listing."""
    item = loop_key(loop.name) | _versioned(loop_text(loop), loop.version)
    if loop.is_open:
        item["is_open"] = {"S": "yes"}
    if loop.gold is None:
        item["flow_arn"] = {"S": loop.terms.flow_definition_arn}
        item["created_key"] = {"S": f"{sortable(loop.created_at)}#{loop.name}"}
        if loop.is_open:
            item["open_flow"] = {"S": loop.terms.flow_definition_arn}
            item["queue_key"] = {"S": queue_key(loop)}
    if (due_at := transitions.due_at(loop)) is not None:
        item |= {"due_group": {"S": DUE}, "due_key": {"S": f"{sortable(due_at)}#{loop.name}"}}
    return item


def loop_of(item: Item) -> Loop:
    """The loop behind `loop_item`."""
    return parse_loop(item["body"]["S"], version=version_of(item))


def way_item(person: str, loop: Loop) -> Item:
    """The way from a person to a loop, marked with the version of the loop that made it."""
    return key(f"PERSON#{person}", f"{WAY}{loop.name}") | {"version": {"N": str(loop.version)}}


def history_item(person: str, entry: HistoryEntry) -> Item:
    """An answer in the person's history."""
    place = f"{HISTORY}{sortable(entry.submitted_at)}#{entry.loop_name}"
    return key(f"PERSON#{person}", place) | {"body": {"S": record_text(entry)}}


def history_of(item: Item) -> HistoryEntry:
    """The entry behind `history_item`."""
    return parse_record(HistoryEntry, item["body"]["S"])


def separation_key(separation: str, person: str) -> Item:
    """Where it lies which loop the person answered of those with that separation."""
    return key(f"SEPARATION#{separation}", person)


def separation_item(separated: Separated) -> Item:
    """What keeps a person from answering other loops with that separation."""
    place = separation_key(separated.separation, separated.person)
    return place | {"loop_name": {"S": separated.loop_name}}


def completion_item(done: Completion) -> Item:
    """A loop that ended with answers."""
    place = f"{DONE}{sortable(done.ended_at)}#{done.loop_name}"
    return key(f"FLOW#{done.flow_definition_arn}", place) | {"body": {"S": record_text(done)}}


def completion_of(item: Item) -> Completion:
    """The completion behind `completion_item`."""
    return parse_record(Completion, item["body"]["S"])


def resource_item(resource: Resource) -> Item:
    """A resource."""
    return resource_key(resource.kind, resource.name) | _versioned(resource_text(resource), resource.version)


def resource_of(item: Item) -> Resource:
    """The resource behind `resource_item`."""
    return parse_resource(item["body"]["S"], version=version_of(item))


def record_item(record: StoredRecord) -> Item:
    """A small record."""
    return record_key(record.kind, record.key) | _versioned(record.text, record.version)


def record_of(item: Item, *, kind: RecordKind) -> StoredRecord:
    """The record behind `record_item`."""
    return StoredRecord(kind, item["sk"]["S"], item["body"]["S"], version_of(item))


def version_of(item: Item) -> int:
    """The version that writes are checked against."""
    return int(item["version"]["N"])


def _versioned(text: str, version: int) -> Item:
    return {"body": {"S": text}, "version": {"N": str(version)}}
