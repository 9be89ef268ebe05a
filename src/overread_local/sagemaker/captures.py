"""The local endpoints' log of invocations, laid out like SageMaker's data capture, without any payload.

`{folder}/{endpoint}/{variant}/{year}/{month}/{day}/{hour}/capture.jsonl`, one line an invocation that a model
got, whatever it answered.
"""

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path

from overread_local.sagemaker.records import Clock


class Captures:
    """Appends lines; the emulator is the only writer, and a line is one write."""

    def __init__(self, folder: Path, *, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock

    def add(self, *, endpoint: str, variant: str, inference_id: str | None) -> None:
        """Notes an invocation; `inference_id` None when its caller gave none."""
        at = datetime.fromtimestamp(self._clock(), UTC)
        metadata = {
            "eventId": str(uuid.uuid4()),
            "inferenceTime": at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        }
        if inference_id is not None:
            metadata["inferenceId"] = inference_id
        path = self._folder / endpoint / variant / at.strftime("%Y/%m/%d/%H") / "capture.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as out:
            out.write(json.dumps({"captureData": {}, "eventMetadata": metadata, "eventVersion": "0"}) + "\n")
