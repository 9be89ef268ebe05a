"""How several people's answers to one human loop become one; the order of the answers does not matter."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from overread.routing.policy import MergePolicy

CANNOT_DECIDE = "cannot_decide"
DISAGREEMENT = "disagreement"


@dataclass(frozen=True, slots=True, order=True)
class Reading:
    """One person's label (empty: cannot decide) and when it was submitted, in the backend's spelling."""

    submitted_at: str
    worker_id: str
    label: str


@dataclass(frozen=True, slots=True)
class Merged:
    """The label of all, or (then it is empty) why there is none in `code`."""

    label: str
    code: str = ""


def merge(readings: Collection[Reading], *, policy: MergePolicy) -> Merged:
    """The readings as one.

    Unanimous: the one label of all. Majority: the label of more than half. First: the label submitted first.
    One who cannot decide is enough for "cannot decide", except that the first answer counts alone.

    Raises:
        ValueError: there are no readings.
    """
    if not readings:
        raise ValueError("there must be at least one reading")
    if policy is MergePolicy.FIRST:
        first = min(readings)
        return Merged(first.label, "" if first.label else CANNOT_DECIDE)
    labels = Counter(reading.label for reading in readings)
    if "" in labels:
        return Merged("", CANNOT_DECIDE)
    needed = len(readings) if policy is MergePolicy.UNANIMOUS else len(readings) // 2 + 1
    winners = [label for label, votes in labels.items() if votes >= needed]
    return Merged(winners[0]) if winners else Merged("", DISAGREEMENT)
