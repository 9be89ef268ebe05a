"""What the table's stream tells. Whatever it lacks is left to the sweeps, which need no stream."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from overread_lambda.logs import log

Attributes = Mapping[str, Any]
StreamReply = dict[str, Any]
NO_FAILURE: StreamReply = {"batchItemFailures": []}


@dataclass(frozen=True, slots=True)
class Told:
    """One item that was written: its key, and its attributes in DynamoDB's notation."""

    pk: str
    sk: str
    image: Attributes
    sequence_number: str

    def failure(self) -> StreamReply:
        """The reply that makes the stream repeat the batch from this item on."""
        return {"batchItemFailures": [{"itemIdentifier": self.sequence_number}]}


def told_by(event: Mapping[str, Any]) -> Iterator[Told]:
    """The items that a batch tells of, in its order; a record that is none is skipped."""
    records = event.get("Records")
    for record in records if isinstance(records, list) else ():
        change = member(record, "dynamodb")
        keys = member(change, "Keys")
        pk, sk = text(keys, "pk"), text(keys, "sk")
        number = change.get("SequenceNumber")
        if pk and sk and isinstance(number, str):
            yield Told(pk=pk, sk=sk, image=member(change, "NewImage"), sequence_number=number)
        else:
            log.warning("stream record without an item")


def member(document: Any, name: str) -> Mapping[str, Any]:
    """The object of that name in the document, empty when there is none."""
    found = document.get(name) if isinstance(document, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def text(attributes: Attributes, name: str) -> str:
    """The attribute that is a text, empty when it is none."""
    found = member(attributes, name).get("S")
    return found if isinstance(found, str) else ""
