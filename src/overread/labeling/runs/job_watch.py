"""What DescribeLabelingJob says of a job, as the run goes by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """How far a job is."""

    RUNNING = "RUNNING"
    DONE = "DONE"
    DONE_WITH_FAILURES = "DONE_WITH_FAILURES"
    STOPPED = "STOPPED"
    FAILED = "FAILED"


_RUNNING = ("Initializing", "InProgress", "Stopping")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A job's outcome with the numbers of its objects; `output_uri` is "" until there are labels."""

    outcome: Outcome
    labeled: int
    failed: int
    left: int
    output_uri: str
    reason: str


def watched(described: Mapping[str, Any]) -> Watched:
    """The job's outcome; a status that is not known counts as failed, so that nobody waits for ever."""
    counters = described.get("LabelCounters") or {}
    failed = int(counters.get("FailedNonRetryableError", 0))
    left = int(counters.get("Unlabeled", 0))
    return Watched(
        outcome=_outcome(str(described.get("LabelingJobStatus", "")), incomplete=failed + left > 0),
        labeled=int(counters.get("TotalLabeled", 0)),
        failed=failed,
        left=left,
        output_uri=str((described.get("LabelingJobOutput") or {}).get("OutputDatasetS3Uri", "")),
        reason=str(described.get("FailureReason", "")),
    )


def _outcome(status: str, *, incomplete: bool) -> Outcome:
    if status in _RUNNING:
        return Outcome.RUNNING
    if status == "Completed":
        return Outcome.DONE_WITH_FAILURES if incomplete else Outcome.DONE
    return Outcome.STOPPED if status == "Stopped" else Outcome.FAILED


def needs_repair(job: Watched, *, attempt: int, most: int) -> bool:
    """Whether a follow-up job is due; `attempt` rounds have been done of `most`.

    A job that somebody stopped is not taken up again: that was their will.
    """
    return job.outcome is Outcome.DONE_WITH_FAILURES and attempt < most
