"""A lead's queues and tasks: overview, reading, steering."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, cast

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overread_review.portal import documents
from overread_review.portal.bodies import json_object
from overread_review.portal.door import Door, Endpoint, guarded
from overread_review.portal.replies import cursor_of, invalid, json_reply, task_id_of, text_member
from overread_review.service.lead import Queue
from overread_review.service.model import Loop, Reviewer
from overread_review.service.output import timestamp
from overread_review.service.review_service import ReviewService

_MAX_BYTES = 16 * 1024
_STATES = ("open", "flagged", "ended")
_TaskAction = Callable[[Reviewer, str, dict[str, Any]], Loop]


class LeadApi:
    """`lead/overview`, `lead/tasks` and `lead/queues`; the service refuses everybody else."""

    def __init__(self, service: ReviewService, *, door: Door) -> None:
        self._service = service
        self._door = door
        lead = service.lead
        self.routes = [
            Route("/portal/api/lead/overview", guarded(self._overview), methods=["GET"]),
            Route("/portal/api/lead/tasks", guarded(self._tasks), methods=["GET"]),
            Route("/portal/api/lead/tasks/{task_id}", guarded(self._task), methods=["GET"]),
            self._post("assign", lambda who, task, body: lead.assign(who, task, person=_person(body))),
            self._post(
                "return",
                lambda who, task, body: lead.return_answer(
                    who, task, person=text_member(body, "person"), comment=text_member(body, "comment")
                ),
            ),
            self._post("stop", lambda who, task, _body: lead.stop(who, task)),
            self._post("hold", lambda who, task, _body: lead.hold(who, task)),
            self._post("unhold", lambda who, task, _body: lead.unhold(who, task)),
            self._post(
                "reply", lambda who, task, body: lead.reply(who, task, text=text_member(body, "text"))
            ),
            _queue_route("pause", self._on_queue(lead.pause_queue)),
            _queue_route("resume", self._on_queue(lead.resume_queue)),
        ]

    async def _overview(self, request: Request) -> Response:
        lead = await self._door.reviewer(request)
        overview = await run_in_threadpool(self._service.lead.overview, lead)
        return json_reply(
            {
                "queues": [documents.queue_document(queue) for queue in overview.queues],
                "statistics": self._service.settings.statistics,
                "now": timestamp(self._service.clock()),
            }
        )

    async def _tasks(self, request: Request) -> Response:
        lead, query = await self._door.reviewer(request), request.query_params
        state = query.get("state", "open")
        if state not in _STATES:
            raise invalid(f"state must be one of {', '.join(_STATES)}, got {state[:40]!r}")
        page = await run_in_threadpool(
            self._service.lead.tasks,
            lead,
            flow_definition=query.get("flow_definition", ""),
            state=cast(Literal["open", "flagged", "ended"], state),
            cursor=cursor_of(query),
        )
        tasks = await run_in_threadpool(lambda: [self._document(loop, reader=lead) for loop in page.loops])
        now = timestamp(self._service.clock())
        return json_reply({"tasks": tasks, "next_cursor": page.next_cursor, "now": now})

    async def _task(self, request: Request) -> Response:
        lead = await self._door.reviewer(request)
        found = await run_in_threadpool(self._service.lead.task, lead, task_id_of(request))
        document = await run_in_threadpool(self._document, found.loop, reader=lead)
        return json_reply(document | {"input": found.task_input, "contents": list(found.contents)})

    def _post(self, action: str, act: _TaskAction) -> Route:
        async def endpoint(request: Request) -> Response:
            lead = await self._door.acting(request)
            body = await json_object(request, limit=_MAX_BYTES)
            loop = await run_in_threadpool(act, lead, task_id_of(request), body)
            return json_reply(await run_in_threadpool(self._document, loop, reader=lead))

        return Route(f"/portal/api/lead/tasks/{{task_id}}/{action}", guarded(endpoint), methods=["POST"])

    def _on_queue(self, act: Callable[[Reviewer, str], Queue]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            lead = await self._door.acting(request)
            queue = await run_in_threadpool(act, lead, request.path_params["flow_definition"])
            return json_reply(documents.queue_document(queue))

        return endpoint

    def _document(self, loop: Loop, *, reader: Reviewer) -> dict[str, Any]:
        return documents.lead_task_document(
            loop, people=self._service.people, reader=reader.key, now=self._service.clock()
        )


def _queue_route(action: str, endpoint: Endpoint) -> Route:
    path = f"/portal/api/lead/queues/{{flow_definition}}/{action}"
    return Route(path, guarded(endpoint), methods=["POST"])


def _person(body: dict[str, Any]) -> str | None:
    return None if body.get("person") is None else text_member(body, "person")
