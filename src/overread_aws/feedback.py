"""What decided cases teach the next model, as a data set in a bucket."""

import json
from typing import Any

from overread.decisions.record import OutboxEntry
from overread.delivery.lessons import manifest_key, manifest_line
from overread_aws.failures import calling


class FeedbackReceiver:
    """The port `Receiver` of target `feedback`: an object a case, whose name makes twice once."""

    def __init__(self, client: Any, *, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def deliver(self, entry: OutboxEntry) -> None:
        """Puts the case's line."""
        lesson = json.loads(entry.payload)
        with calling("PutObject"):
            self._client.put_object(
                Bucket=self._bucket,
                Key=manifest_key(lesson),
                Body=manifest_line(lesson),
                ContentType="application/jsonlines",
            )
