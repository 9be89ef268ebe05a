"""`/labeling-jobs/{name}`: what Ground Truth cannot do with a running job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.routing import Route

from overread_review.portal.bodies import json_object
from overread_review.portal.documents import moment
from overread_review.portal.problems import PortalProblemError
from overread_review.service.errors import RequestInvalidError
from overread_review.service.labeling.model import Job
from overread_review.service.review_service import ReviewService
from overread_review.wire.documents import documented

_BODY_BYTES = 4096
_BY_CALL = "a signed call"
_SETTINGS = ("workers", "time_limit_s")


class LabelingWire:
    """`GET /labeling-jobs/{name}`, and `POST` to its `pause`, `resume` and `settings`: each gives the job."""

    def __init__(self, service: ReviewService) -> None:
        self._jobs = service.labeling_jobs
        self.routes = [
            Route("/labeling-jobs/{name}", documented(self._get), methods=["GET"]),
            Route("/labeling-jobs/{name}/pause", documented(self._pause), methods=["POST"]),
            Route("/labeling-jobs/{name}/resume", documented(self._resume), methods=["POST"]),
            Route("/labeling-jobs/{name}/settings", documented(self._settings), methods=["POST"]),
        ]

    async def _get(self, request: Request) -> Mapping[str, Any]:
        return await run_in_threadpool(lambda: self._document(self._jobs.named(_name(request))))

    async def _pause(self, request: Request) -> Mapping[str, Any]:
        return await run_in_threadpool(
            lambda: self._changed(lambda: self._jobs.pause(_name(request), by=_BY_CALL))
        )

    async def _resume(self, request: Request) -> Mapping[str, Any]:
        return await run_in_threadpool(lambda: self._changed(lambda: self._jobs.resume(_name(request))))

    async def _settings(self, request: Request) -> Mapping[str, Any]:
        wanted = settings_of(await json_object(request, limit=_BODY_BYTES))
        return await run_in_threadpool(
            lambda: self._changed(lambda: self._jobs.update(_name(request), **wanted))
        )

    def _changed(self, change: Any) -> dict[str, Any]:
        try:
            return self._document(change())
        except RequestInvalidError as error:
            raise refused(str(error)) from error

    def _document(self, job: Job) -> dict[str, Any]:
        return labeling_job_document(job, is_paused=self._jobs.is_paused(job))


def labeling_job_document(job: Job, *, is_paused: bool) -> dict[str, Any]:
    """A job as its leads see it; times and counts as of now."""
    state = job.state
    return {
        "name": job.name,
        "arn": job.arn,
        "title": job.task["TaskTitle"],
        "status": str(state.status),
        "paused": is_paused,
        "failure_reason": state.failure_reason,
        "workers": state.workers,
        "time_limit_s": state.time_limit_s,
        "objects": state.objects,
        "labeled": state.labeled + state.answered,
        "failed": state.failed,
        "passed": state.passed,
        "created_at": moment(job.resource.created_at),
        "changed_at": moment(state.changed_at),
        "output": job.output_path,
    }


def settings_of(body: Mapping[str, Any]) -> dict[str, int]:
    """`workers` and `time_limit_s` of a request's body.

    Raises:
        PortalProblemError: it has others, none, or one that is no whole number.
    """
    faults = [f"{name} must be one of {', '.join(_SETTINGS)}" for name in body if name not in _SETTINGS]
    faults += [
        f"{name} must be a whole number, got {body[name]!r:.40}"
        for name in _SETTINGS
        if name in body and (not isinstance(body[name], int) or isinstance(body[name], bool))
    ]
    if not body:
        faults.append(f"one of {', '.join(_SETTINGS)} must be given")
    if faults:
        raise refused("; ".join(faults))
    return {name: body[name] for name in _SETTINGS if name in body}


def refused(detail: str) -> PortalProblemError:
    """The problem of a change that cannot be made."""
    return PortalProblemError(
        "labeling-job-unchanged", status=409, title="The labeling job is not changed", detail=detail
    )


def _name(request: Request) -> str:
    name: str = request.path_params["name"]
    return name
