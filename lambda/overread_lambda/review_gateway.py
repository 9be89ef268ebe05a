"""The review service's programs behind a REST API: Lambda proxy events to ASGI and back."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from mangum import Mangum
from starlette.types import ASGIApp, Receive, Scope, Send

# Whatever is text goes as text: API Gateway decodes the rest only for callers whose Accept asks for it, and
# boto3 sends none.
_TEXT = ("text/", "application/json", "application/javascript", "application/problem+json", "image/svg+xml")
_AWS_JSON = ("application/x-amz-json-1.1", "application/x-amz-json-1.0")
Event = dict[str, Any]
Handler = Callable[[Event, Any], dict[str, Any]]


def rest_handler(app: ASGIApp, *, url: str) -> Handler:
    """What API Gateway calls to reach `app`, whose public address is `url`."""
    text_types = [*_TEXT, *_AWS_JSON]
    handler: Handler = Mangum(_Addressed(app, url=url), lifespan="off", text_mime_types=text_types)
    return handler


class _Addressed:
    """Tells the program below which path and scheme the browser sees it.

    The event's path lacks the stage, and behind a custom domain the stage is not what the browser sees
    either: the address that the deployment gave the program is.
    """

    def __init__(self, app: ASGIApp, *, url: str) -> None:
        self._app = app
        parts = urlsplit(url)
        self._scheme = parts.scheme
        self._root = parts.path.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = self._root + scope["path"]
        addressed = {**scope, "scheme": self._scheme, "root_path": self._root, "path": path}
        await self._app(addressed | {"raw_path": path.encode()}, receive, send)
