"""The portal's page, the task frame in its sandbox, and the built scripts and styles."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from overread_review.portal.door import Door
from overread_review.portal.problems import PortalProblemError
from overread_review.portal.replies import task_id_of
from overread_review.service.errors import DocumentRefusedError, TaskRefusedError, UnavailableError
from overread_review.service.review_service import ReviewService
from overread_templates import TemplateError, without_element_styles

STATIC = Path(__file__).parent.parent / "static"

_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; frame-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
)
_ELEMENT_SCRIPT = re.compile(
    r"""(<script\b[^<>]*?\bsrc\s*=\s*["']?)(?:https?:)?//assets\.crowd\.aws/crowd-html-elements(?:-v2)?\.js""",
    re.IGNORECASE,
)
_EXACT_SOURCES, _EXACT_LENGTH = 16, 2_000
"""They stand in a header twice, and API Gateway's headers have 10,240 bytes in all."""
_ELEMENT_SCRIPT_HERE = "../../static/crowd-html-elements.js"

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<base href="{base}">
<title>Overread</title>
<link rel="icon" href="static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="static/portal.css">
<script type="module" src="static/portal.js"></script>
</head>
<body><overread-portal></overread-portal><noscript>Reviewing needs JavaScript.</noscript></body>
</html>
"""


def portal_pages(service: ReviewService, *, door: Door) -> list[BaseRoute]:
    """The routes under /portal that give pages."""

    async def page(request: Request) -> Response:
        if not (STATIC / "portal.js").is_file():
            text = "The portal's scripts have not been built. Run `make setup`, or `npm run build`."
            return Response(text, status_code=503, media_type="text/plain")
        # Behind some gateways the path comes without its last slash: links must not depend on it.
        base = html.escape(f"{request.scope.get('root_path', '')}/portal/")
        return HTMLResponse(_PAGE.replace("{base}", base), headers=_page_headers(_PAGE_POLICY))

    async def frame(request: Request) -> Response:
        try:
            reviewer = await door.reviewer(request)
            task = await run_in_threadpool(service.tasks.page, task_id_of(request), reviewer=reviewer)
        except (TaskRefusedError, PortalProblemError) as error:
            return _frame(f"<p>{html.escape(str(error))}</p>", status=error.status)
        except (DocumentRefusedError, UnavailableError, TemplateError) as error:
            return _frame(f"<p>This task cannot be shown: {html.escape(str(error))}</p>", status=503)
        return _frame(task.html, signed_urls=task.signed_urls)

    async def root(request: Request) -> Response:
        return RedirectResponse(f"{request.scope.get('root_path', '')}/portal/")

    return [
        Route("/", root, methods=["GET"]),
        Route("/portal", page),
        Route("/portal/", page),
        Route("/portal/tasks/{task_id}/frame", frame),
        Mount(
            "/portal/static",
            app=_Static(directory=STATIC, check_dir=False),
            middleware=[Middleware(GZipMiddleware, minimum_size=1024)],
        ),
    ]


def frame_html(rendered: str) -> str:
    """A rendered template as a page whose crowd elements are Overread's own."""
    here = without_element_styles(_ELEMENT_SCRIPT.sub(rf"\g<1>{_ELEMENT_SCRIPT_HERE}", rendered))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<script src="{_ELEMENT_SCRIPT_HERE}"></script>\n{here}'
    )


def frame_policy(signed_urls: Iterable[str]) -> str:
    """What a task's page may load: its inline code, Overread's elements, and the objects signed for it."""
    urls = [urlsplit(url) for url in signed_urls]
    objects = {f"{url.scheme}://{url.netloc}{url.path}" for url in urls}
    if len(objects) > _EXACT_SOURCES or sum(map(len, objects)) > _EXACT_LENGTH:
        objects = {f"{url.scheme}://{url.netloc}/{_first_folder(url.path)}" for url in urls}
    quoted = {source.replace(";", "%3B").replace(",", "%2C") for source in objects}
    media = " ".join(["data:", "blob:", *sorted(quoted)])
    return (
        "sandbox allow-scripts allow-forms; default-src 'none'; script-src 'self' 'unsafe-inline'; "
        f"style-src 'unsafe-inline'; img-src {media}; media-src {media}; font-src data:; connect-src 'none'; "
        "frame-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )


def _first_folder(path: str) -> str:
    """The bucket, or where the host names that the first folder in it; empty for an object in no folder."""
    return "".join(path.lstrip("/").partition("/")[:2]) if "/" in path.lstrip("/") else ""


def _frame(rendered: str, *, status: int = 200, signed_urls: Iterable[str] = ()) -> Response:
    headers = _page_headers(frame_policy(signed_urls)) | {"X-DNS-Prefetch-Control": "off"}
    return HTMLResponse(frame_html(rendered), status_code=status, headers=headers)


def _page_headers(policy: str) -> dict[str, str]:
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": policy,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


class _Static(StaticFiles):
    """Built files; any origin may load them, because the task frame has none of its own."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
