"""Labeling jobs as Ground Truth's API creates, describes, lists and stops them.

They can also be paused and changed, which Ground Truth cannot.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from overread.labeling import jobs as job_rules
from overread.labeling import task_types
from overread.labeling.label_attributes import name_faults
from overread.labeling.task_types import TaskType
from overread_review.service.errors import RequestInvalidError, ResourceMissingError, ResourceTakenError
from overread_review.service.flow_definitions import is_public
from overread_review.service.labeling.model import (
    Adaptive,
    Job,
    JobState,
    JobStatus,
    job_of,
    members_of,
    with_state,
)
from overread_review.service.model import Loop, Resource, ResourceKind
from overread_review.service.ports import ReviewStore
from overread_review.service.queues import Queues
from overread_review.service.resources import Resources, page, tags_of
from overread_review.service.settings import ServiceSettings
from overread_review.service.teams import Teams

TASK_TYPE_TAG = "overread:task-type"
"""On a job: which built-in type its labels are written as; without it they are custom ones."""
ADAPTIVE_TAG = "overread:adaptive-votes"
"""On a job: `7@0.95` asks for up to 7 votes while a label is less sure than 0.95."""
_ADAPTIVE = re.compile(r"([2-9])@(0\.[0-9]{1,4})")
_DESCRIBED = (
    "LabelingJobName",
    "LabelAttributeName",
    "InputConfig",
    "OutputConfig",
    "RoleArn",
    "LabelCategoryConfigS3Uri",
    "StoppingConditions",
)
_OPEN_PAGE = 100


class LabelingJobs:
    """The API calls about labeling jobs; `LabelingDriver` is what brings them on."""

    def __init__(
        self,
        *,
        resources: Resources,
        store: ReviewStore,
        teams: Teams,
        queues: Queues,
        settings: ServiceSettings,
        change_loop: Callable[[Loop, Callable[[Loop], Loop]], Loop],
    ) -> None:
        self._resources = resources
        self._store = store
        self._teams = teams
        self._queues = queues
        self._settings = settings
        self._change_loop = change_loop

    def create(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """CreateLabelingJob. What lies in S3 is looked at afterwards: a fault there makes the job Failed.

        Raises:
            RequestInvalidError: the request has faults (all are named), or the service cannot do such a job.
            ResourceTakenError: there is or was a job of that name, whatever its case.
        """
        tags = tags_of(params.get("Tags", ()))
        faults = list(_faults(params, tags=tags))
        if faults:
            raise RequestInvalidError("; ".join(faults))
        task = params["HumanTaskConfig"]
        self._check_team(task["WorkteamArn"])
        key = params["LabelingJobName"].lower()
        state = JobState(
            status=JobStatus.INITIALIZING,
            workers=task["NumberOfHumanWorkersPerDataObject"],
            time_limit_s=task["TaskTimeLimitInSeconds"],
            adaptive=_adaptive(tags),
        )
        members = members_of(params, state) | {"Tags": params.get("Tags", ())}
        try:
            created = self._resources.create(
                ResourceKind.LABELING_JOB, name=key, path=f"labeling-job/{key}", request=members
            )
        except ResourceTakenError as error:
            name = params["LabelingJobName"]
            raise ResourceTakenError(
                f"Labeling job name {name} is taken: such a name is used once"
            ) from error
        return {"LabelingJobArn": created.arn}

    def describe(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeLabelingJob."""
        job = self.named(params["LabelingJobName"])
        state = job.state
        document = {
            "LabelingJobStatus": str(state.status),
            "LabelCounters": _counters(state),
            "CreationTime": job.resource.created_at,
            "LastModifiedTime": state.changed_at or job.resource.updated_at,
            "JobReferenceCode": hashlib.sha256(job.arn.encode()).hexdigest()[:32],
            "LabelingJobArn": job.arn,
            "HumanTaskConfig": dict(job.task)
            | {
                "NumberOfHumanWorkersPerDataObject": state.workers,
                "TaskTimeLimitInSeconds": state.time_limit_s,
            },
            "Tags": [{"Key": key, "Value": value} for key, value in sorted(job.resource.tags.items())],
        }
        document |= {member: job.request[member] for member in _DESCRIBED if member in job.request}
        if state.failure_reason:
            document["FailureReason"] = state.failure_reason
        if has_output(job):
            document["LabelingJobOutput"] = {"OutputDatasetS3Uri": output_manifest(job)}
        return document

    def list(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """ListLabelingJobs."""
        wanted = params.get("StatusEquals")
        found = [
            resource
            for resource in self._resources.live(ResourceKind.LABELING_JOB)
            if wanted is None or job_of(resource).state.status == wanted
        ]
        chosen, token = page(found, params, by_name=params.get("SortBy") == "Name")
        summaries = [_summary(job_of(one)) for one in chosen]
        return {"LabelingJobSummaryList": summaries} | ({"NextToken": token} if token else {})

    def stop(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """StopLabelingJob. What people have done by then is written; nothing of it can be started again.

        Raises:
            RequestInvalidError: the job has ended.
        """
        job = self.named(params["LabelingJobName"])
        if job.state.status.has_ended:
            raise RequestInvalidError(f"Labeling job {job.arn} has ended with status {job.state.status}")
        self.change(job, lambda state: replace(state, status=_stopping(state)))
        return {}

    # What Ground Truth cannot

    def pause(self, name: str, *, by: str) -> Job:
        """From now on no task of the job is offered, and none is made; who has begun may finish."""
        job = self._running(name)
        self._queues.pause(job.arn, by=by)
        return job

    def resume(self, name: str) -> Job:
        """The job's tasks are offered again."""
        job = self._running(name)
        self._queues.resume(job.arn)
        return job

    def is_paused(self, job: Job) -> bool:
        """Whether nothing of the job is offered for now."""
        return self._queues.state(job.arn).paused

    def update(self, name: str, *, workers: int | None = None, time_limit_s: int | None = None) -> Job:
        """Other numbers for all tasks that are made from now on, and for open ones as far as they still can.

        A task with more answers than are wanted now ends with what it has.

        Raises:
            RequestInvalidError: a number is not allowed, or the job has ended.
        """
        faults = []
        for label, value, limit in (
            ("NumberOfHumanWorkersPerDataObject", workers, job_rules.WORKERS),
            ("TaskTimeLimitInSeconds", time_limit_s, job_rules.TIME_LIMIT_S),
        ):
            if value is not None and not limit.allows(value):
                faults.append(f"{label} must be {limit}, got {value}")
        if faults:
            raise RequestInvalidError("; ".join(faults))

        def settled(state: JobState) -> JobState:
            return replace(
                state,
                workers=state.workers if workers is None else workers,
                time_limit_s=state.time_limit_s if time_limit_s is None else time_limit_s,
            )

        job = self.change(self._running(name), settled)
        self.settle(job)
        return job

    def named(self, name: str) -> Job:
        """The job of that name, in any case. Raises ResourceMissingError."""
        found = self._resources.find(ResourceKind.LABELING_JOB, name=name.lower())
        if found is None:
            arn = self._settings.arn(f"labeling-job/{name.lower()}")
            raise ResourceMissingError(f"Requested resource not found: labeling job {arn}")
        return job_of(found)

    def all(self) -> Sequence[Job]:
        """Every job, whatever its status."""
        return [job_of(one) for one in self._resources.live(ResourceKind.LABELING_JOB)]

    def _running(self, name: str) -> Job:
        job = self.named(name)
        if job.state.status not in {JobStatus.INITIALIZING, JobStatus.IN_PROGRESS}:
            raise RequestInvalidError(f"Labeling job {job.arn} is {job.state.status}, not running")
        return job

    def change(self, job: Job, by: Callable[[JobState], JobState]) -> Job:
        """The job after `by`, which is applied again to the newest state when others write meanwhile."""
        now = self._resources.now()

        def changed(newest: Resource) -> Resource:
            current = job_of(newest)
            return replace(with_state(current, replace(by(current.state), changed_at=now)), updated_at=now)

        return job_of(self._resources.change(job.resource, by=changed))

    def settle(self, job: Job) -> None:
        """The job's numbers for its open tasks."""
        cursor = ""
        while True:
            found = self._store.open_loops(job.arn, limit=_OPEN_PAGE, cursor=cursor)
            for loop in found.loops:
                self._change_loop(loop, lambda newest: _settled(newest, state=job.state))
            cursor = found.next_cursor
            if not cursor:
                return

    def _check_team(self, arn: str) -> None:
        if ":workteam/private-crowd/" in arn:
            name = self._settings.own_name(arn.replace("/private-crowd/", "/"), kind=ResourceKind.WORKTEAM)
            self._teams.workteam(name)
        else:
            self._teams.vendors.named(arn)


def output_manifest(job: Job) -> str:
    """The S3 address of the job's labels."""
    return f"{job.output_path}/manifests/output/output.manifest"


def has_output(job: Job) -> bool:
    """Whether the output manifest is written: not by a job that was stopped before it had begun."""
    return job.state.status in {JobStatus.COMPLETED, JobStatus.STOPPED} and job.state.objects > 0


def task_type_of(tags: Mapping[str, str]) -> TaskType:
    """The type that the labels are written as."""
    return task_types.TASK_TYPES[tags.get(TASK_TYPE_TAG, task_types.CUSTOM_NAME)]


def _settled(loop: Loop, *, state: JobState) -> Loop:
    if not loop.is_open:
        return loop
    begun = len(loop.answers) + len(loop.claims)
    seats = loop.terms.task_count if loop.is_extra_vote else max(state.workers, begun, 1)
    return replace(loop, terms=replace(loop.terms, task_count=seats, time_limit_s=state.time_limit_s))


def _stopping(state: JobState) -> JobStatus:
    return state.status if state.status.has_ended else JobStatus.STOPPING


def _counters(state: JobState) -> dict[str, int]:
    labeled = state.labeled + state.answered
    left = state.objects - labeled - state.failed
    return {
        "TotalLabeled": labeled,
        "HumanLabeled": labeled,
        "MachineLabeled": 0,
        "FailedNonRetryableError": state.failed,
        "Unlabeled": max(left, 0),
    }


def _summary(job: Job) -> dict[str, Any]:
    task = job.task
    summary = {
        "LabelingJobName": job.name,
        "LabelingJobArn": job.arn,
        "CreationTime": job.resource.created_at,
        "LastModifiedTime": job.state.changed_at or job.resource.updated_at,
        "LabelingJobStatus": str(job.state.status),
        "LabelCounters": _counters(job.state),
        "WorkteamArn": task["WorkteamArn"],
        "InputConfig": job.request["InputConfig"],
    }
    if "PreHumanTaskLambdaArn" in task:
        summary["PreHumanTaskLambdaArn"] = task["PreHumanTaskLambdaArn"]
    if "AnnotationConsolidationConfig" in task:
        summary["AnnotationConsolidationLambdaArn"] = task["AnnotationConsolidationConfig"][
            "AnnotationConsolidationLambdaArn"
        ]
    if job.state.failure_reason:
        summary["FailureReason"] = job.state.failure_reason
    if has_output(job):
        summary["LabelingJobOutput"] = {"OutputDatasetS3Uri": output_manifest(job)}
    return summary


def _faults(params: Mapping[str, Any], *, tags: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the request, and what of it this service cannot do."""
    task = params["HumanTaskConfig"]
    yield from _label_faults(params, name=tags.get(TASK_TYPE_TAG, task_types.CUSTOM_NAME))
    yield from _input_faults(params)
    if "UiTemplateS3Uri" not in task["UiConfig"]:
        yield "HumanTaskConfig.UiConfig.UiTemplateS3Uri must be given: Amazon's own UIs need Ground Truth"
    for member, arn in _functions(task):
        if any(f":{account}:function:" in arn for account in task_types.ACCOUNTS.values()):
            yield f"HumanTaskConfig.{member}: Amazon's own functions can be called by Ground Truth alone"
    if is_public(task["WorkteamArn"]):
        yield "HumanTaskConfig.WorkteamArn: this service has no way to Mechanical Turk"
    for member, limit in (
        ("TaskTimeLimitInSeconds", job_rules.TIME_LIMIT_S),
        ("TaskAvailabilityLifetimeInSeconds", job_rules.AVAILABILITY_S),
    ):
        if member in task and not limit.allows(task[member]):
            yield f"HumanTaskConfig.{member} must be {limit} seconds, got {task[member]}"
    if ADAPTIVE_TAG in tags and _adaptive(tags) is None:
        yield f"tag {ADAPTIVE_TAG} must be votes@confidence, such as 7@0.95, got {tags[ADAPTIVE_TAG]!r}"


def _label_faults(params: Mapping[str, Any], *, name: str) -> Iterator[str]:
    kind = task_types.TASK_TYPES.get(name)
    if kind is None:
        known = ", ".join(task_types.TASK_TYPES)
        yield f"tag {TASK_TYPE_TAG} must be one of {known}, got {name!r}"
    elif kind.is_sequence:
        yield f"task type {name} needs Ground Truth: the review portal has no tool for {kind.medium}"
    else:
        # Which attribute a job verifies or adjusts is its template's and function's to know, not the API's.
        yield from name_faults(params["LabelAttributeName"], task=kind)


def _input_faults(params: Mapping[str, Any]) -> Iterator[str]:
    source = params["InputConfig"]["DataSource"]
    if "SnsDataSource" in source:
        yield "InputConfig.DataSource.SnsDataSource: streaming jobs need Ground Truth"
    if "S3DataSource" not in source:
        yield "InputConfig.DataSource.S3DataSource.ManifestS3Uri must be given"
    if "LabelingJobAlgorithmsConfig" in params:
        yield "LabelingJobAlgorithmsConfig: automated labeling by Amazon's algorithms needs Ground Truth"


def _functions(task: Mapping[str, Any]) -> list[tuple[str, str]]:
    consolidation = task.get("AnnotationConsolidationConfig", {})
    found = [
        ("PreHumanTaskLambdaArn", task.get("PreHumanTaskLambdaArn", "")),
        (
            "AnnotationConsolidationConfig.AnnotationConsolidationLambdaArn",
            consolidation.get("AnnotationConsolidationLambdaArn", ""),
        ),
    ]
    return [(member, arn) for member, arn in found if arn]


def _adaptive(tags: Mapping[str, str]) -> Adaptive | None:
    found = _ADAPTIVE.fullmatch(tags.get(ADAPTIVE_TAG, ""))
    return Adaptive(int(found[1]), float(found[2])) if found else None


def availability_s(job: Job) -> int:
    """How long a task of the job is offered."""
    return int(job.task.get("TaskAvailabilityLifetimeInSeconds", job_rules.AVAILABILITY_S.maximum))
