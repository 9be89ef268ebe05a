"""Refuses what other websites' pages send to this machine's loopback."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
REFUSAL = "requests of other sites are refused"


class CrossSiteGuard:
    """Answers 403 to a request that changes something and comes from a page of another origin.

    Browsers let any page post text to any address; they say where it came from. Other programs say nothing.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what is not refused."""
        if scope["type"] == "http" and comes_from_another_site(scope["method"], Headers(scope=scope)):
            refusal = PlainTextResponse(f"{REFUSAL}\n", status_code=403)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def comes_from_another_site(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a page of another origin asks for a change; `headers` by their names in lower case."""
    if method in _READING:
        return False
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host"):
        return True
    return headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}
