"""The preview's server: a template in its sandbox, its sample beside it, the answer as it would be stored."""

from __future__ import annotations

import json
import threading
import webbrowser
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from overread_cli.template.files import read_object, read_text
from overread_cli.template.golden import answer_faults
from overread_cli.template.standalone import object_address, static_folder
from overread_review.portal.pages import frame_html
from overread_templates import TemplateError, lint_template, parse_template

_PAGE = Path(__file__).with_name("preview.html")
_FRAME_POLICY = (
    "sandbox allow-scripts allow-forms; default-src 'none'; script-src 'self' 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data: blob: https:; media-src data: blob: https:; font-src data:; "
    "connect-src 'none'; form-action 'none'"
)


@dataclass
class Previewed:
    """What is being looked at; an input that was edited in the browser stands before the file's."""

    template: Path
    sample: Path
    objects: Path | None
    edited: dict[str, Any] | None = field(default=None)

    def task_input(self) -> dict[str, Any]:
        """The input to render with.

        Raises:
            click.ClickException: the sample cannot be read.
        """
        return read_object(self.sample) if self.edited is None else self.edited

    def rendered(self) -> str:
        """The page of the task.

        Raises:
            TemplateError: it cannot be parsed or rendered.
            click.ClickException: a file cannot be read.
        """
        template = parse_template(read_text(self.template), name=self.template.name)
        return template.render(
            self.task_input(), sign_url=lambda location: object_address(location, objects=self.objects)
        )

    def version(self) -> str:
        """Another text whenever the template, the sample or the edited input is another."""
        stamps = [path.stat().st_mtime_ns if path.exists() else 0 for path in (self.template, self.sample)]
        return json.dumps([*stamps, self.edited])


def create_app(previewed: Previewed) -> Starlette:
    """The preview's pages; nothing in them writes a file."""

    async def page(_request: Request) -> Response:
        return HTMLResponse(_PAGE.read_text(encoding="utf-8").replace("{{name}}", previewed.template.name))

    async def frame(_request: Request) -> Response:
        try:
            rendered = await run_in_threadpool(previewed.rendered)
        except (TemplateError, click.ClickException) as error:
            text = error.format_message() if isinstance(error, click.ClickException) else str(error)
            return Response(text, status_code=422, media_type="text/plain")
        headers = {"Content-Security-Policy": _FRAME_POLICY, "Cache-Control": "no-store"}
        return HTMLResponse(frame_html(rendered), headers=headers)

    async def state(_request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(_state, previewed))

    async def edit(request: Request) -> Response:
        try:
            given = json.loads(await request.body())
        except ValueError as error:
            return JSONResponse({"fault": f"not JSON: {error}"}, status_code=422)
        if given is not None and not isinstance(given, dict):
            return JSONResponse({"fault": "must be a JSON object"}, status_code=422)
        previewed.edited = given
        return JSONResponse({"fault": ""})

    async def check(request: Request) -> Response:
        answer = json.loads(await request.body())
        faults = answer_faults(await run_in_threadpool(previewed.rendered), answer, name="answer")
        return JSONResponse({"faults": faults})

    return Starlette(
        routes=[
            Route("/", page),
            Route("/preview/task/frame", frame),
            Route("/state", state),
            Route("/input", edit, methods=["PUT"]),
            Route("/check", check, methods=["POST"]),
            Mount("/static", app=StaticFiles(directory=static_folder())),
        ]
    )


def _state(previewed: Previewed) -> dict[str, Any]:
    try:
        text = read_text(previewed.template)
        task_input = json.dumps(previewed.task_input(), indent=2, ensure_ascii=False)
    except click.ClickException as error:
        return {"version": previewed.version(), "fault": error.format_message(), "input": "", "findings": []}
    findings = [
        f"{found.line}:{found.column} {found.severity}: {found.message}"
        for found in lint_template(text, name=previewed.template.name)
    ]
    return {"version": previewed.version(), "fault": "", "input": task_input, "findings": findings}


def serve(template: Path, *, sample: Path, objects: Path | None, port: int) -> None:
    """Serves the preview on this machine only, until Ctrl+C."""
    app = create_app(Previewed(template, sample, objects))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    listening = server.config.bind_socket()
    address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
    click.echo(f"{template} at {address}; Ctrl+C ends it")
    threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    server.run(sockets=[listening])
