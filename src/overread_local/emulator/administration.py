"""The host's own paths, `/_overread/…`, for the stack's other processes: events, IAM, checkpoints."""

import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ministack import app as ministack_app
from ministack.core.persistence import save_all
from ministack.core.responses import request_scope
from ministack.services import eventbridge
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from overread_local.emulator import lambda_workers
from overread_local.emulator.access_log import AccessLog
from overread_local.state import ACCOUNT, REGION, StateFolder, write_private

TOKEN_HEADER = "x-overread-token"  # noqa: S105 - a header's name
PREFIX = "/_overread/"
_LOGGER = logging.getLogger("overread.emulator")
Asgi = Callable[[Any, Any, Any], Awaitable[None]]


def set_iam(folder: StateFolder, *, enforced: bool) -> None:
    """Switches IAM enforcement and remembers it for the next start.

    Warm Lambda workers end: those from before would go on with the credentials that they began with.
    """
    ministack_app.AUTH = enforced
    write_private(folder.iam, json.dumps({"enforced": enforced}))
    lambda_workers.end_all()


def restore_iam(folder: StateFolder) -> None:
    """Sets IAM enforcement as it was when the emulator stopped."""
    if folder.iam.is_file():
        ministack_app.AUTH = bool(json.loads(folder.iam.read_text())["enforced"])


def checkpoint() -> None:
    """Writes the state of every service to disk; S3 objects are there already."""
    save_all(ministack_app._build_persistence_save_dict())


def emit(entry: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    """Puts one event on the default bus as an AWS service does."""
    with request_scope(ACCOUNT, REGION):
        reply: tuple[int, dict[str, str], bytes] = eventbridge._put_events(
            {"Entries": [entry]}, allow_aws_source=True
        )
    return reply


class OrderedEvents:
    """`emit` for the event loop: one event after the other, in a thread, so that no target is waited for."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="events")

    def __call__(self, entry: dict[str, Any]) -> None:
        self._thread.submit(self._emit, entry)

    def _emit(self, entry: dict[str, Any]) -> None:
        status, _, body = emit(entry)
        if status != 200:
            _LOGGER.error("event %s was refused: %s", entry["DetailType"], body[:500])


class Administration:
    """The routes under `/_overread/`; each needs the stack's token."""

    def __init__(self, folder: StateFolder, *, access: AccessLog, token: str) -> None:
        self._folder = folder
        self._access = access
        self._token = token
        self._touched = False
        self._routes = Starlette(
            routes=[
                Route("/_overread/healthz", self.health),
                Route("/_overread/iam", self.iam, methods=["POST"]),
                Route("/_overread/access", self.checks),
                Route("/_overread/checkpoint", self.save, methods=["POST"]),
                Route("/_overread/events", self.events, methods=["POST"]),
            ]
        )

    def wrap(self, emulator: Asgi) -> Asgi:
        """The emulator's application with these routes in front."""

        async def application(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http" and scope["path"].startswith(PREFIX):
                await self._routes(scope, receive, send)
                return
            self._touched = True
            # Loopback stands for TLS: policies that refuse plain HTTP (aws:SecureTransport) see it as such.
            await emulator({**scope, "scheme": "https"} if scope["type"] == "http" else scope, receive, send)

        return application

    def save_if_touched(self) -> None:
        """A checkpoint, when requests came in since the last one."""
        if self._touched:
            self._touched = False
            checkpoint()

    async def health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok", "iam_enforced": bool(ministack_app.AUTH)})

    async def iam(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        enforced = bool((await request.json())["enforced"])
        await run_in_threadpool(set_iam, self._folder, enforced=enforced)
        return JSONResponse({"enforced": bool(ministack_app.AUTH)})

    async def checks(self, request: Request) -> Response:
        """What roles asked for while IAM was on."""
        return self._refusal(request) or JSONResponse(
            {"checks": await run_in_threadpool(self._access.checks)}
        )

    async def save(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        await run_in_threadpool(checkpoint)
        return JSONResponse({"saved": True})

    async def events(self, request: Request) -> Response:
        """Emits an event as an AWS service does, `aws.*` sources included."""
        if refusal := self._refusal(request):
            return refusal
        event = await request.json()
        entry = {
            "Source": event["source"],
            "DetailType": event["detail-type"],
            "Resources": event.get("resources", []),
            "Detail": json.dumps(event["detail"]),
        }
        status, _, body = await run_in_threadpool(emit, entry)
        return Response(body, status_code=status, media_type="application/json")

    def _refusal(self, request: Request) -> Response | None:
        given = request.headers.get(TOKEN_HEADER, "")
        if hmac.compare_digest(given.encode(), self._token.encode()):
            return None
        return JSONResponse({"message": f"{TOKEN_HEADER} is missing or wrong"}, status_code=403)
