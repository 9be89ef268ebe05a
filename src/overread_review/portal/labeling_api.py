"""A lead's labeling jobs: how far they are, what can be changed in them, and new ones like them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overread_review.portal.bodies import json_object
from overread_review.portal.door import Door, guarded
from overread_review.portal.replies import invalid, json_reply, text_member
from overread_review.service.errors import RequestRefusedError
from overread_review.service.labeling.desk import LabelingDesk, Subset
from overread_review.service.labeling.instructions import Instructions
from overread_review.service.labeling.jobs import output_manifest
from overread_review.service.labeling.model import Job
from overread_review.service.model import Reviewer
from overread_review.service.output import timestamp
from overread_review.service.review_service import ReviewService
from overread_review.wire.labeling import labeling_job_document, refused, settings_of

_MAX_BYTES = 256 * 1024
_Change = Callable[[Reviewer, str, dict[str, Any]], Job]


class LabelingApi:
    """`lead/labeling`, the list, and `lead/labeling/{name}`, a job; the service refuses everybody else."""

    def __init__(self, service: ReviewService, *, door: Door) -> None:
        self._service = service
        self._desk = desk = service.labeling_desk
        self._door = door
        self.routes = [
            Route("/portal/api/lead/labeling", guarded(self._list), methods=["GET"]),
            Route("/portal/api/lead/labeling/{name}", guarded(self._get), methods=["GET"]),
            Route("/portal/api/lead/labeling/{name}/again/count", guarded(self._count), methods=["POST"]),
            self._post("pause", lambda who, name, _body: desk.pause(who, name)),
            self._post("resume", lambda who, name, _body: desk.resume(who, name)),
            self._post("stop", lambda who, name, _body: desk.stop(who, name)),
            self._post("settings", lambda who, name, body: desk.update(who, name, **settings_of(body))),
            self._post("instructions", lambda who, name, body: desk.instruct(who, name, _instructions(body))),
            self._post("like", lambda who, name, body: _created_like(desk, who, name, body)),
            self._post("again", lambda who, name, body: _labeled_again(desk, who, name, body)),
        ]

    async def _list(self, request: Request) -> Response:
        lead = await self._door.reviewer(request)
        jobs = await run_in_threadpool(lambda: [self._document(job) for job in self._desk.list(lead)])
        return json_reply({"jobs": jobs, "now": timestamp(self._service.clock())})

    async def _get(self, request: Request) -> Response:
        lead = await self._door.reviewer(request)
        name = request.path_params["name"]
        return json_reply(await run_in_threadpool(self._whole, lead, name))

    async def _count(self, request: Request) -> Response:
        lead = await self._door.acting(request)
        subset = _subset(await json_object(request, limit=_MAX_BYTES))
        name = request.path_params["name"]
        count = await run_in_threadpool(lambda: self._desk.count(lead, name, subset=subset))
        return json_reply({"objects": count})

    def _post(self, action: str, change: _Change) -> Route:
        async def endpoint(request: Request) -> Response:
            lead = await self._door.acting(request)
            body = await json_object(request, limit=_MAX_BYTES)
            name = request.path_params["name"]
            return json_reply(await run_in_threadpool(self._changed, change, lead, name, body))

        return Route(f"/portal/api/lead/labeling/{{name}}/{action}", guarded(endpoint), methods=["POST"])

    def _changed(self, change: _Change, lead: Reviewer, name: str, body: dict[str, Any]) -> Mapping[str, Any]:
        try:
            return self._whole(lead, change(lead, name, body).name)
        except RequestRefusedError as error:
            raise refused(str(error)) from error

    def _whole(self, lead: Reviewer, name: str) -> dict[str, Any]:
        job = self._desk.job(lead, name)
        instructions = self._desk.instructions(lead, name)
        return self._document(job) | {
            "label_attribute": job.attribute,
            "manifest": job.request["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"],
            "output_manifest": output_manifest(job),
            "categories": list(job.state.categories),
            "instructions": {"short": instructions.short, "full": instructions.full},
        }

    def _document(self, job: Job) -> dict[str, Any]:
        return labeling_job_document(job, is_paused=self._desk.is_paused(job)) | {
            "queue": job.key,
            "description": job.task["TaskDescription"],
            "team": job.task["WorkteamArn"].rsplit("/", 1)[-1],
        }


def _created_like(desk: LabelingDesk, lead: Reviewer, name: str, body: dict[str, Any]) -> Job:
    manifest = text_member(body, "manifest") if body.get("manifest") else ""
    return desk.create_like(lead, name, new_name=text_member(body, "name"), manifest=manifest, **_task(body))


def _labeled_again(desk: LabelingDesk, lead: Reviewer, name: str, body: dict[str, Any]) -> Job:
    return desk.label_again(
        lead, name, new_name=text_member(body, "name"), subset=_subset(body), **_task(body)
    )


def _task(body: Mapping[str, Any]) -> dict[str, Any]:
    """Members of HumanTaskConfig that a new job has otherwise than its pattern. Raises PortalProblemError."""
    found: dict[str, Any] = {}
    if body.get("title"):
        found["TaskTitle"] = text_member(body, "title")
    numbers = {name: body[name] for name in ("workers", "time_limit_s") if body.get(name) is not None}
    checked = settings_of(numbers) if numbers else {}
    if "workers" in checked:
        found["NumberOfHumanWorkersPerDataObject"] = checked["workers"]
    if "time_limit_s" in checked:
        found["TaskTimeLimitInSeconds"] = checked["time_limit_s"]
    return found


def _instructions(body: Mapping[str, Any]) -> Instructions:
    if body.get("short") is None and body.get("full") is None:
        raise invalid("short, full or both must be given")
    return Instructions(
        *(None if body.get(name) is None else text_member(body, name) for name in ("short", "full"))
    )


def _subset(body: Mapping[str, Any]) -> Subset:
    failed, below, classes = body.get("failed", False), body.get("below"), body.get("classes", [])
    faults = []
    if not isinstance(failed, bool):
        faults.append("failed must be true or false")
    if below is not None and (
        not isinstance(below, int | float) or isinstance(below, bool) or not 0 < below <= 1
    ):
        faults.append("below must be a confidence above 0 and up to 1")
    if not isinstance(classes, list) or not all(isinstance(one, str) for one in classes):
        faults.append("classes must be a list of labels")
    if not faults and not failed and below is None and not classes:
        faults.append("one of failed, below and classes must be given")
    if faults:
        raise invalid("; ".join(faults))
    return Subset(failed=failed, below=below, classes=frozenset(classes))
