"""A reviewer's tasks: the list, the next one, claiming, pausing, answering, asking, looking back."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overread_review.portal import documents
from overread_review.portal.bodies import json_object
from overread_review.portal.door import Door, Endpoint, guarded
from overread_review.portal.replies import cursor_of, json_reply, task_id_of, text_member
from overread_review.service.model import Loop, Reviewer
from overread_review.service.notes import notes_for
from overread_review.service.output import timestamp
from overread_review.service.review_service import ReviewService
from overread_review.service.tasks import ClaimedTask

_MAX_TEXT_BYTES = 16 * 1024
_ENVELOPE_BYTES = 1024
"""What the request says around the answer."""


class TaskApi:
    """`tasks` and `history`, always in the name of the signed-in reviewer."""

    def __init__(self, service: ReviewService, *, door: Door) -> None:
        self._service = service
        self._door = door
        tasks = service.tasks
        self.routes = [
            Route("/portal/api/tasks", guarded(self._list), methods=["GET"]),
            Route("/portal/api/history", guarded(self._history), methods=["GET"]),
            Route("/portal/api/tasks/next", guarded(self._next), methods=["POST"]),
            _post("claim", self._holding(tasks.claim)),
            _post("pause", self._holding(tasks.pause)),
            _post("resume", self._holding(tasks.resume)),
            _post("answer", self._answer),
            _post("cannot-decide", self._cannot_decide),
            _post("notes", self._note),
            _post("decline", self._giving_back(decline=True)),
            _post("release", self._giving_back(decline=False)),
        ]

    async def _list(self, request: Request) -> Response:
        reviewer = await self._door.reviewer(request)
        offered, paused = await run_in_threadpool(
            lambda: (self._service.tasks.offered(reviewer), self._service.queues.paused())
        )
        queues = await run_in_threadpool(self._service.queues.of, reviewer)
        return json_reply(
            {
                "tasks": [
                    documents.task_document(task, notes=len(notes_for(task.loop, person=reviewer.key)))
                    for task in offered
                ],
                "paused_queues": [
                    {"flow_definition": queue.name, "title": queue.request["HumanLoopConfig"]["TaskTitle"]}
                    for queue in queues
                    if queue.arn in paused
                ],
                "now": timestamp(self._service.clock()),
            }
        )

    async def _history(self, request: Request) -> Response:
        reviewer = await self._door.reviewer(request)
        page = await run_in_threadpool(
            self._service.tasks.history, reviewer, cursor=cursor_of(request.query_params)
        )
        answers = [documents.history_document(entry) for entry in page.entries]
        return json_reply({"answers": answers, "next_cursor": page.next_cursor})

    async def _next(self, request: Request) -> Response:
        reviewer = await self._door.acting(request)
        claimed = await run_in_threadpool(self._service.tasks.next, reviewer)
        if claimed is None:
            return json_reply({"task_id": None})
        return self._claimed(request, claimed, reviewer=reviewer)

    def _holding(self, action: Callable[..., ClaimedTask]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            reviewer = await self._door.acting(request)
            claimed = await run_in_threadpool(action, task_id_of(request), reviewer=reviewer)
            return self._claimed(request, claimed, reviewer=reviewer)

        return endpoint

    async def _answer(self, request: Request) -> Response:
        reviewer = await self._door.acting(request)
        limit = self._service.settings.max_answer_bytes
        # JSON may spell a character in twelve bytes that the answer as it is kept has in four.
        body = await json_object(request, limit=3 * limit + _ENVELOPE_BYTES)
        loop = await run_in_threadpool(
            self._service.tasks.answer,
            task_id_of(request),
            reviewer=reviewer,
            content=body.get("answer"),
        )
        return _submitted(loop)

    async def _cannot_decide(self, request: Request) -> Response:
        reviewer = await self._door.acting(request)
        body = await json_object(request, limit=_MAX_TEXT_BYTES)
        loop = await run_in_threadpool(
            self._service.tasks.cannot_decide,
            task_id_of(request),
            reviewer=reviewer,
            reason=text_member(body, "reason"),
        )
        return _submitted(loop)

    async def _note(self, request: Request) -> Response:
        reviewer = await self._door.acting(request)
        body = await json_object(request, limit=_MAX_TEXT_BYTES)
        loop = await run_in_threadpool(
            self._service.tasks.note,
            task_id_of(request),
            reviewer=reviewer,
            kind=text_member(body, "kind"),
            text=text_member(body, "text"),
        )
        shown = notes_for(loop, person=reviewer.key)
        return json_reply({"notes": [documents.note_document(one, person=reviewer.key) for one in shown]})

    def _giving_back(self, *, decline: bool) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            reviewer, task_id = await self._door.acting(request), task_id_of(request)
            await run_in_threadpool(
                self._service.tasks.give_back, task_id, reviewer=reviewer, decline=decline
            )
            return json_reply({"task_id": task_id})

        return endpoint

    def _claimed(self, request: Request, claimed: ClaimedTask, *, reviewer: Reviewer) -> Response:
        return json_reply(
            documents.claimed_document(
                claimed,
                notes=notes_for(claimed.loop, person=reviewer.key),
                person=reviewer.key,
                now=self._service.clock(),
                root=request.scope.get("root_path", ""),
            )
        )


def _post(action: str, endpoint: Endpoint) -> Route:
    return Route(f"/portal/api/tasks/{{task_id}}/{action}", guarded(endpoint), methods=["POST"])


def _submitted(loop: Loop) -> Response:
    return json_reply({"task_id": loop.name, "human_loop": loop.name, "status": str(loop.status)})
