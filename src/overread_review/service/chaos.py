"""Deliberate duplicates and delays of status events: consumers have to survive at-least-once delivery."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from overread_review.service.errors import EventUndeliveredError
from overread_review.service.ports import EventSink


class ChaoticEvents:
    """Implements `EventSink`: a share of the events is held back for a while, a share is handed over twice.

    A held-back event stays due and the sweep tries it again, with the same chance; `delay` is therefore less
    than 1. The loop whose event it is has ended all the same. `random` draws from [0, 1).
    """

    def __init__(
        self, sink: EventSink, *, duplicate: float, delay: float, random: Callable[[], float]
    ) -> None:
        self._sink = sink
        self._duplicate = duplicate
        self._delay = delay
        self._random = random

    def emit(self, *, resource_arn: str, detail_type: str, detail: Mapping[str, Any]) -> None:
        """Hand the event over once or twice. Raises EventUndeliveredError when it is held back."""
        if self._random() < self._delay:
            raise EventUndeliveredError("held back on purpose (chaos.delay)")
        twice = self._random() < self._duplicate
        self._sink.emit(resource_arn=resource_arn, detail_type=detail_type, detail=detail)
        if twice:
            self._sink.emit(resource_arn=resource_arn, detail_type=detail_type, detail=detail)
