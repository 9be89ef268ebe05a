"""How far a labeling job is: its counters, its rate and when it will be done; pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

ENDED = frozenset({"Completed", "Failed", "Stopped"})
_WINDOW_S = 600.0
"""A rate is that of the last ten minutes of watching: people come and go."""


@dataclass(frozen=True, slots=True)
class Counters:
    """LabelCounters; a job that has not read its manifest yet counts nothing."""

    total_labeled: int
    human_labeled: int
    machine_labeled: int
    failed: int
    unlabeled: int

    @property
    def objects(self) -> int:
        """All that the job knows of."""
        return self.total_labeled + self.failed + self.unlabeled

    @property
    def done(self) -> int:
        """Objects with which nothing more happens."""
        return self.total_labeled + self.failed


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """A job as ListLabelingJobs or DescribeLabelingJob tells it.

    `workers` and `time_limit_s` are None in a list. `passed` objects need nobody and `is_paused` says that no
    task is offered; only a review service tells these, of one job.
    """

    name: str
    arn: str
    status: str
    counters: Counters
    created_at: datetime
    changed_at: datetime
    failure_reason: str = ""
    output_uri: str = ""
    workers: int | None = None
    time_limit_s: int | None = None
    passed: int = 0
    is_paused: bool | None = None

    @property
    def objects(self) -> int:
        """Objects that the job has to label: not those that have their label already."""
        return max(self.counters.objects - self.passed, 0)

    @property
    def left(self) -> int:
        """Objects of which nothing is known yet."""
        return max(self.counters.unlabeled - self.passed, 0)

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in ENDED

    @property
    def average_an_hour(self) -> float:
        """Objects done an hour since the job began."""
        seconds = (self.changed_at - self.created_at).total_seconds()
        return self.counters.done * 3600 / seconds if seconds > 0 else 0.0


def job_view(told: Mapping[str, Any]) -> JobView:
    """The job in a reply of the API."""
    task = told.get("HumanTaskConfig", {})
    return JobView(
        name=told["LabelingJobName"] if "LabelingJobName" in told else _name_of(told["LabelingJobArn"]),
        arn=told["LabelingJobArn"],
        status=told["LabelingJobStatus"],
        counters=counters_of(told.get("LabelCounters", {})),
        created_at=told["CreationTime"],
        changed_at=told.get("LastModifiedTime", told["CreationTime"]),
        failure_reason=told.get("FailureReason", ""),
        output_uri=told.get("LabelingJobOutput", {}).get("OutputDatasetS3Uri", ""),
        workers=task.get("NumberOfHumanWorkersPerDataObject"),
        time_limit_s=task.get("TaskTimeLimitInSeconds"),
    )


def counters_of(told: Mapping[str, int]) -> Counters:
    """LabelCounters of a reply; what is not told is 0."""
    return Counters(
        total_labeled=told.get("TotalLabeled", 0),
        human_labeled=told.get("HumanLabeled", 0),
        machine_labeled=told.get("MachineLabeled", 0),
        failed=told.get("FailedNonRetryableError", 0),
        unlabeled=told.get("Unlabeled", 0),
    )


class Pace:
    """The rate of a job that is watched: of the last minutes, or of its whole life while there are none."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def look(self, job: JobView, *, now: datetime) -> float:
        """Objects done an hour, as of now; 0 while nothing has been done."""
        at = now.timestamp()
        self._seen.append((at, job.counters.done))
        while len(self._seen) > 2 and self._seen[0][0] < at - _WINDOW_S:
            self._seen.popleft()
        (first, before), (last, after) = self._seen[0], self._seen[-1]
        if after > before and last > first:
            return (after - before) * 3600 / (last - first)
        return hourly(job, now=now)


def hourly(job: JobView, *, now: datetime) -> float:
    """Objects done an hour since the job began; until its end, once it has ended."""
    if job.has_ended:
        return job.average_an_hour
    seconds = (now - job.created_at).total_seconds()
    return job.counters.done * 3600 / seconds if seconds > 0 else 0.0


def remaining_s(job: JobView, *, an_hour: float) -> float | None:
    """Seconds until all objects are done at that rate; None where nobody can tell, 0 for an ended job."""
    if job.has_ended:
        return 0.0
    if an_hour <= 0 or not job.objects or job.is_paused:
        return None
    return job.left * 3600 / an_hour


def document(job: JobView, *, an_hour: float) -> dict[str, Any]:
    """The job for programs."""
    return {
        "name": job.name,
        "arn": job.arn,
        "status": job.status,
        "counters": asdict(job.counters),
        "objects": job.objects,
        "paused": job.is_paused,
        "objects_an_hour": round(an_hour, 3),
        "remaining_s": remaining_s(job, an_hour=an_hour),
        "created_at": job.created_at.isoformat(),
        "changed_at": job.changed_at.isoformat(),
        "failure_reason": job.failure_reason or None,
        "output_uri": job.output_uri or None,
        "workers": job.workers,
        "time_limit_s": job.time_limit_s,
    }


def _name_of(arn: str) -> str:
    return arn.rpartition("/")[2]
