"""News of decisions on the application's event bus."""

from typing import Any

from overread.decisions.record import OutboxEntry
from overread.errors import RetryableError
from overread_aws.failures import calling

SOURCE = "overread"


class EventBridgeReceiver:
    """The port `Receiver` of target `events`."""

    def __init__(self, client: Any, *, bus: str) -> None:
        self._client = client
        self._bus = bus

    def deliver(self, entry: OutboxEntry) -> None:
        """Puts one event on the bus."""
        event = {
            "EventBusName": self._bus,
            "Source": SOURCE,
            "DetailType": entry.event,
            "Resources": [],
            "Detail": entry.payload,
        }
        with calling("PutEvents"):
            reply = self._client.put_events(Entries=[event])
        if reply.get("FailedEntryCount"):
            failure = reply["Entries"][0]
            raise RetryableError(
                failure.get("ErrorCode", "FailedEntry"),
                operation="PutEvents",
                message=failure.get("ErrorMessage", ""),
            )
