"""A rendered template as one page that needs no server: elements, style and sample objects are inside it."""

from __future__ import annotations

import base64
import mimetypes
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from overread_templates import S3Location, Template, TemplateError, without_element_styles

CORE = "crowd-html-elements.js"
_FAMILIES = {
    "crowd-entity-annotation.js": ("crowd-entity-annotation",),
    "crowd-image-tools.js": (
        "crowd-bounding-box",
        "crowd-instance-segmentation",
        "crowd-keypoint",
        "crowd-line",
        "crowd-polygon",
        "crowd-polyline",
        "crowd-semantic-segmentation",
        "crowd-textract-analyze-document",
    ),
}
_ELEMENT_SCRIPT = re.compile(
    r"<script\b[^<>]*?\bsrc\s*=\s*[\"']?(?:https?:)?//assets\.crowd\.aws/crowd-html-elements[^<>]*>\s*</script\s*>",
    re.IGNORECASE,
)
_SHOW_ANSWER = """
document.addEventListener("overread-message", (event) => {
  if (event.detail.type !== "submit") return;
  const place = document.getElementById("overread-answer") ?? document.createElement("pre");
  place.id = "overread-answer";
  place.textContent = JSON.stringify(event.detail.answer, null, 2);
  document.body.append(place);
  place.scrollIntoView();
  window.postMessage({ type: "accepted", overread: "" }, "*");
});
"""


def static_folder() -> Path:
    """Where the built elements are.

    Raises:
        click.ClickException: they have not been built.
    """
    folder = Path(str(files("overread_review"))) / "static"
    if not (folder / CORE).is_file():
        raise click.ClickException("the elements have not been built: run `make setup`")
    return folder


def object_address(location: S3Location, *, objects: Path | None) -> str:
    """An address for an object: the file OBJECTS/BUCKET/KEY as data, else the object's own in S3."""
    if objects is not None:
        path = objects / location.bucket / location.key
        if path.is_file() and path.resolve().is_relative_to(objects.resolve()):
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
    return f"https://{location.bucket}.s3.amazonaws.com/{quote(location.key)}"


def render(template: Template, task_input: Mapping[str, Any], *, objects: Path | None) -> str:
    """The template's page for one task.

    Raises:
        click.ClickException: a filter refuses its value, or a limit is passed.
    """
    try:
        return template.render(
            task_input, sign_url=lambda location: object_address(location, objects=objects)
        )
    except TemplateError as error:
        raise click.ClickException(str(error)) from error


def standalone_page(rendered: str) -> str:
    """A rendered template with everything that draws it; what is submitted is shown below it.

    Raises:
        click.ClickException: the elements have not been built.
    """
    folder = static_folder()
    needed = [name for name, tags in _FAMILIES.items() if any(f"<{tag}" in rendered.lower() for tag in tags)]
    scripts = "".join(f"<script>{_inside_script(folder / name)}</script>\n" for name in (CORE, *needed))
    body = without_element_styles(_ELEMENT_SCRIPT.sub("", rendered))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"{scripts}<script>{_SHOW_ANSWER}</script>\n{body}"
    )


def _inside_script(path: Path) -> str:
    return path.read_text(encoding="utf-8").replace("</script", "<\\/script")
