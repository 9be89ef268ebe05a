"""The review service's status events on EventBridge."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from overread_review.service.errors import EventUndeliveredError

SOURCE = "overread.review"
"""On AWS only AWS may emit as `aws.sagemaker`; rules that match both sources see no other difference."""


class EventBridgeEvents:
    """Implements `overread_review.service.ports.EventSink`."""

    def __init__(self, client: Any, *, bus: str) -> None:
        self._client = client
        self._bus = bus

    def emit(self, *, resource_arn: str, detail_type: str, detail: Mapping[str, Any]) -> None:
        """Put one event on the bus. Raises EventUndeliveredError when it has to be tried again."""
        entry = {
            "EventBusName": self._bus,
            "Source": SOURCE,
            "DetailType": detail_type,
            "Resources": [resource_arn],
            "Detail": json.dumps(detail),
        }
        try:
            reply = self._client.put_events(Entries=[entry])
        except (ClientError, BotoCoreError) as error:
            raise EventUndeliveredError(f"PutEvents: {error}") from error
        if reply["FailedEntryCount"]:
            failure = reply["Entries"][0]
            raise EventUndeliveredError(f"PutEvents: {failure['ErrorCode']}: {failure['ErrorMessage']}")
