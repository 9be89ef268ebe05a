"""What a lead does with the labeling jobs of their teams, from creation to labeling some objects again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from overread.labeling import jobs as job_rules
from overread.labeling.manifest import LineError, parse_line
from overread.labeling.manifest_lines import lines_of
from overread.labeling.manifest_stats import classes_of
from overread_review.service.errors import QueueUnknownError, RequestInvalidError
from overread_review.service.labeling import files
from overread_review.service.labeling.instructions import Instructions, instructions_of, with_instructions
from overread_review.service.labeling.jobs import LabelingJobs, output_manifest
from overread_review.service.labeling.model import Job, JobState, JobStatus
from overread_review.service.labeling.ports import LabelingObjects
from overread_review.service.model import Loop, Reviewer
from overread_review.service.people import People
from overread_review.service.ports import Documents, ReviewStore
from overread_review.service.task_uis import template_key
from overread_review.service.teams import Teams

_OPEN_PAGE = 100
_OF_THE_TASK = ("TaskTitle", "TaskDescription", "NumberOfHumanWorkersPerDataObject", "TaskTimeLimitInSeconds")
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subset:
    """Which objects of a finished job are labeled again: those that fit any of what is given.

    `failed`: without a label. `below`: less sure than this. `classes`: labeled so.
    """

    failed: bool = False
    below: float | None = None
    classes: frozenset[str] = frozenset()

    def has(self, row: Row, *, attribute: str) -> bool:
        """Whether the line of an output manifest belongs to it."""
        metadata = row.get(f"{attribute}-metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        if attribute not in row:
            return self.failed
        if self.below is not None and any(one < self.below for one in _confidences(metadata)):
            return True
        return bool(self.classes) and not self.classes.isdisjoint(classes_of(row[attribute], metadata))


class LabelingDesk:
    """Every method raises NotLeadError for others, and knows only jobs of the lead's teams.

    Changes raise RequestInvalidError for what cannot be, in words.
    """

    def __init__(
        self,
        *,
        jobs: LabelingJobs,
        people: People,
        teams: Teams,
        store: ReviewStore,
        documents: Documents,
        objects: LabelingObjects,
        change_loop: Callable[[Loop, Callable[[Loop], Loop]], Loop],
    ) -> None:
        self._jobs = jobs
        self._people = people
        self._teams = teams
        self._store = store
        self._documents = documents
        self._objects = objects
        self._change_loop = change_loop

    def list(self, lead: Reviewer) -> Sequence[Job]:
        """The jobs of the lead's teams, the newest first."""
        self._people.check_lead(lead)
        arns = frozenset(self._teams.arns_of(lead))
        own = [job for job in self._jobs.all() if job.task["WorkteamArn"] in arns]
        return sorted(own, key=lambda job: (job.resource.created_at, job.key), reverse=True)

    def job(self, lead: Reviewer, name: str) -> Job:
        """One of them. Raises QueueUnknownError."""
        found = next((job for job in self.list(lead) if job.key == name.lower()), None)
        if found is None:
            raise QueueUnknownError(f"there is no labeling job {name!r}, or it is not for you")
        return found

    def is_paused(self, job: Job) -> bool:
        """Whether nothing of the job is offered for now."""
        return self._jobs.is_paused(job)

    def pause(self, lead: Reviewer, name: str) -> Job:
        """Offer nothing of the job; who has begun may finish."""
        return self._jobs.pause(self.job(lead, name).name, by=lead.name)

    def resume(self, lead: Reviewer, name: str) -> Job:
        """Offer the job's tasks again."""
        return self._jobs.resume(self.job(lead, name).name)

    def update(
        self, lead: Reviewer, name: str, *, workers: int | None = None, time_limit_s: int | None = None
    ) -> Job:
        """Other numbers from now on."""
        job = self.job(lead, name)
        return self._jobs.update(job.name, workers=workers, time_limit_s=time_limit_s)

    def stop(self, lead: Reviewer, name: str) -> Job:
        """Stop the job for good; what people have done is written."""
        job = self.job(lead, name)
        self._jobs.stop({"LabelingJobName": job.name})
        return self.job(lead, name)

    # Instructions

    def instructions(self, lead: Reviewer, name: str) -> Instructions:
        """What people read now; nothing while the job has not read its template."""
        sha256 = self.job(lead, name).state.template_sha256
        return instructions_of(self._template(sha256)) if sha256 else Instructions(None, None)

    def instruct(self, lead: Reviewer, name: str, wanted: Instructions) -> Job:
        """Other instructions for every task that nobody has begun or answered; the rest keep what they had.

        The guideline version of an answer is the template's hash, so it tells which ones its author read.
        """
        job = self.job(lead, name)
        if job.state.status is not JobStatus.IN_PROGRESS:
            raise RequestInvalidError(f"Labeling job {job.name} is {job.state.status}, not in progress")
        text = with_instructions(self._template(job.state.template_sha256), wanted)
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        self._documents.put(template_key(sha256), text.encode())

        def instructed(state: JobState) -> JobState:
            return replace(state, template_sha256=sha256)

        changed = self._jobs.change(job, instructed)
        self._renew_open_loops(changed, sha256=sha256)
        return changed

    def _renew_open_loops(self, job: Job, *, sha256: str) -> None:
        def renewed(loop: Loop) -> Loop:
            if not loop.is_open or loop.claims or loop.answers:
                return loop
            terms = replace(loop.terms, template_sha256=sha256, guideline_version=f"sha256:{sha256[:12]}")
            return replace(loop, terms=terms)

        cursor = ""
        while True:
            page = self._store.open_loops(job.arn, limit=_OPEN_PAGE, cursor=cursor)
            for loop in page.loops:
                self._change_loop(loop, renewed)
            cursor = page.next_cursor
            if not cursor:
                return

    def _template(self, sha256: str) -> str:
        return self._documents.get(template_key(sha256)).decode()

    # New jobs

    def create_like(
        self, lead: Reviewer, name: str, *, new_name: str, manifest: str = "", **task: Any
    ) -> Job:
        """A new job as `name` is: the same team, template, functions, role and label, over other objects.

        `manifest` is the S3 address of its objects, by default the same ones; `task` may give members of
        HumanTaskConfig: title, description, workers and time limit.
        """
        pattern = self.job(lead, name)
        request = self._request_like(pattern, new_name=new_name, task=task)
        if manifest:
            try:
                files.location(manifest)
            except ValueError as error:
                raise RequestInvalidError(f"manifest {error}") from error
            _check_own(manifest, pattern=pattern)
            request["InputConfig"] = {"DataSource": {"S3DataSource": {"ManifestS3Uri": manifest}}}
        return self._created(lead, request)

    def label_again(self, lead: Reviewer, name: str, *, new_name: str, subset: Subset, **task: Any) -> Job:
        """A new job over the objects of a finished one that belong to the subset, without their labels.

        Its manifest lies below its own output. `overread label merge --prefer later` joins both.
        """
        pattern = self.job(lead, name)
        if not _is_finished(pattern):
            raise RequestInvalidError(
                f"Labeling job {pattern.name} is {pattern.state.status}: only objects of a finished one can "
                "be labeled again"
            )
        request = self._request_like(pattern, new_name=new_name, task=task)
        folder = pattern.request["OutputConfig"]["S3OutputPath"].rstrip("/")
        uri = f"{folder}/{new_name}/manifests/input/again.manifest"
        rows = self._subset(pattern, subset)
        first = next(rows, None)
        if first is None:
            raise RequestInvalidError(f"no object of {pattern.name} is of that kind")
        self._write(pattern, chain((first,), rows), uri=uri)
        request["InputConfig"] = {"DataSource": {"S3DataSource": {"ManifestS3Uri": uri}}}
        return self._created(lead, request)

    def count(self, lead: Reviewer, name: str, *, subset: Subset) -> int:
        """How many objects of a finished job would be labeled again."""
        job = self.job(lead, name)
        return 0 if not _is_finished(job) else sum(1 for _ in self._subset(job, subset))

    def _request_like(self, pattern: Job, *, new_name: str, task: Mapping[str, Any]) -> dict[str, Any]:
        faults = list(_task_faults(task))
        if not job_rules.JOB_NAME.allows(new_name):
            faults.append(f"name must be {job_rules.JOB_NAME}, got {new_name[:80]!r}")
        if any(job.key == new_name.lower() for job in self._jobs.all()):
            faults.append(f"Labeling job name {new_name} is taken: such a name is used once")
        if faults:
            raise RequestInvalidError("; ".join(faults))
        state = pattern.state
        now = {
            "NumberOfHumanWorkersPerDataObject": state.workers,
            "TaskTimeLimitInSeconds": state.time_limit_s,
        }
        given = {member: task[member] for member in _OF_THE_TASK if task.get(member) is not None}
        tags = [{"Key": key, "Value": value} for key, value in sorted(pattern.resource.tags.items())]
        return {
            **pattern.request,
            "LabelingJobName": new_name,
            "HumanTaskConfig": {**pattern.task, **now, **given},
            "Tags": tags,
        }

    def _created(self, lead: Reviewer, request: Mapping[str, Any]) -> Job:
        self._jobs.create(request)
        return self.job(lead, request["LabelingJobName"])

    def _write(self, job: Job, rows: Iterable[Row], *, uri: str) -> None:
        lines = (files.lines_bytes([row]) for row in rows)
        key = job.request["OutputConfig"].get("KmsKeyId", "")
        self._objects.write_parts(files.location(uri), lines, role_arn=job.role_arn, kms_key_id=key)

    def _subset(self, job: Job, subset: Subset) -> Iterator[dict[str, Any]]:
        """The lines of the subset without the job's label."""
        own = (job.attribute, f"{job.attribute}-metadata")
        with self._objects.open(files.location(output_manifest(job)), role_arn=job.role_arn) as stream:
            for line in lines_of(stream):
                try:
                    row = parse_line(line)
                except LineError:
                    continue
                if subset.has(row, attribute=job.attribute):
                    yield {key: value for key, value in row.items() if key not in own}


def _task_faults(task: Mapping[str, Any]) -> Iterator[str]:
    """What the wire would refuse of a request that comes over it."""
    for member, limit in (
        ("NumberOfHumanWorkersPerDataObject", job_rules.WORKERS),
        ("TaskTimeLimitInSeconds", job_rules.TIME_LIMIT_S),
        ("TaskTitle", job_rules.TASK_TITLE),
    ):
        value = task.get(member)
        if value is not None and not limit.allows(value):
            yield f"{member} must be {limit}, got {value!r:.80}"


def _is_finished(job: Job) -> bool:
    return job.state.status in {JobStatus.COMPLETED, JobStatus.STOPPED}


def _confidences(metadata: Mapping[str, Any]) -> Iterator[float]:
    """How sure the label is: one figure, or one of each box, span or class."""
    found: list[Any] = [metadata.get("confidence")]
    for name in ("objects", "entities"):
        several = metadata.get(name)
        if isinstance(several, list):
            found += [one.get("confidence") for one in several if isinstance(one, dict)]
    by_class = metadata.get("confidence-map")
    found += by_class.values() if isinstance(by_class, dict) else []
    yield from (float(one) for one in found if isinstance(one, int | float) and not isinstance(one, bool))


def _check_own(manifest: str, *, pattern: Job) -> None:
    """Raises RequestInvalidError for objects that may be other teams', which the role might read, too."""
    source: str = pattern.request["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"]
    folders = (source.rpartition("/")[0] + "/", pattern.output_path + "/")
    if ".." in manifest or not manifest.startswith(folders):
        raise RequestInvalidError(f"manifest must lie below {' or '.join(folders)}, got {manifest[:200]!r}")
