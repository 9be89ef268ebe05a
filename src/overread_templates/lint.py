"""Faults of a worker template that show without rendering it, each with its place and a stable code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Literal
from urllib.parse import urlsplit

from overread_templates.crowd_elements import DOCUMENTED, ELEMENT_SCRIPTS, ELEMENT_STYLES, RENDERED
from overread_templates.rendering import TemplateError, parse_template

MAX_TEMPLATE_CHARACTERS = 128_000
"""Longest `UiTemplate.Content` that AWS takes."""

_LIQUID = re.compile(
    r"\{%-?\s*comment\s*-?%\}.*?\{%-?\s*endcomment\s*-?%\}"
    r"|(?P<raw>\{%-?\s*raw\s*-?%\})(?P<literal>.*?)(?P<endraw>\{%-?\s*endraw\s*-?%\})"
    r"|(?P<output>\{\{.*?\}\})"
    r"|(?P<tag>\{%.*?%\})",
    re.DOTALL,
)
_SKIP_AUTOESCAPE = re.compile(r"\|\s*skip_autoescape\b")
_NOT_NEWLINE = re.compile(r"[^\n]")


@dataclass(frozen=True)
class Finding:
    """One fault, its place counted from 1. An error makes the template unusable, a warning does not."""

    line: int
    column: int
    code: str
    message: str
    severity: Literal["error", "warning"]


def lint_template(text: str, *, name: str) -> tuple[Finding, ...]:
    """All faults of the template `text`, in the order of their places; none means that it can be deployed.

    Errors: `too-large`, `empty`, `liquid-syntax`, `missing-crowd-form`, `second-crowd-form`, `self-closing`,
    `unknown-element`. Warnings: `unsupported-element` (AWS renders it, Overread does not yet),
    `missing-element-script`, `foreign-script`, `foreign-style`, `skip-autoescape`. `name` is the file's name.
    """
    return tuple(sorted(_findings(text, name=name), key=lambda found: (found.line, found.column, found.code)))


def _findings(text: str, *, name: str) -> Iterator[Finding]:
    if len(text) > MAX_TEMPLATE_CHARACTERS:
        message = f"a template may have at most {MAX_TEMPLATE_CHARACTERS:,} characters, got {len(text):,}"
        yield Finding(1, 1, "too-large", message, "error")
    if not text.strip():
        yield Finding(1, 1, "empty", "the template is empty", "error")
        return
    try:
        parse_template(text, name=name)
    except TemplateError as error:
        yield Finding(error.line, error.column, "liquid-syntax", error.message, "error")
    yield from _unescaped_outputs(text)
    page = _Page()
    page.feed(_without_liquid(text))
    page.close()
    yield from page.findings
    if page.forms == 0:
        message = "a worker template needs one <crowd-form>, or nothing can be submitted"
        yield Finding(1, 1, "missing-crowd-form", message, "error")
    if not page.has_element_script:
        message = f'A2I needs <script src="{min(ELEMENT_SCRIPTS, key=len)}"></script> to draw crowd elements'
        yield Finding(1, 1, "missing-element-script", message, "warning")


def _unescaped_outputs(text: str) -> Iterator[Finding]:
    for region in _LIQUID.finditer(text):
        if region["output"] is None and region["tag"] is None:
            continue
        for match in _SKIP_AUTOESCAPE.finditer(region[0]):
            line, column = _place(text, region.start() + match.start())
            message = "skip_autoescape lets task data become markup; use to_json, or escape by hand"
            yield Finding(line, column, "skip-autoescape", message, "warning")


def _place(text: str, index: int) -> tuple[int, int]:
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


def _without_liquid(text: str) -> str:
    """The page with Liquid blanked out, every character in its old place; outputs stay as underscores."""

    def blank(region: re.Match[str]) -> str:
        if region["raw"] is not None:
            ends = (_NOT_NEWLINE.sub(" ", region["raw"]), _NOT_NEWLINE.sub(" ", region["endraw"]))
            return ends[0] + region["literal"] + ends[1]
        return _NOT_NEWLINE.sub("_" if region["output"] is not None else " ", region[0])

    return _LIQUID.sub(blank, text)


class _Page(HTMLParser):
    """Walks the markup and notes what is wrong with single elements."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.findings: list[Finding] = []
        self.forms = 0
        self.has_element_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {key: value or "" for key, value in attrs}
        if tag == "crowd-form":
            self.forms += 1
            if self.forms > 1:
                self._note(
                    "second-crowd-form", "a worker template has one <crowd-form>, found another", "error"
                )
        elif tag.startswith("crowd-"):
            self._crowd_element(tag)
        elif tag == "script" and "src" in attributes:
            self._script(attributes["src"].strip())
        elif tag == "link" and "stylesheet" in attributes.get("rel", "").lower():
            address = attributes.get("href", "").strip()
            if _is_foreign(address) and address not in ELEMENT_STYLES:
                self._note("foreign-style", f"style sheet from another origin: {address}", "warning")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag.startswith("crowd-"):
            self._note(
                "self-closing", f"<{tag}/> must be closed with </{tag}>: HTML ignores the slash", "error"
            )
        self.handle_starttag(tag, attrs)

    def _crowd_element(self, tag: str) -> None:
        if tag not in DOCUMENTED:
            self._note("unknown-element", f"<{tag}> is no Crowd HTML Element", "error")
        elif tag not in RENDERED:
            message = f"<{tag}> is not drawn by Overread's own review pages yet, only by A2I"
            self._note("unsupported-element", message, "warning")

    def _script(self, address: str) -> None:
        if address in ELEMENT_SCRIPTS:
            self.has_element_script = True
        elif _is_foreign(address):
            message = f"script from another origin: {address} (Overread's review pages block it)"
            self._note("foreign-script", message, "warning")

    def _note(self, code: str, message: str, severity: Literal["error", "warning"]) -> None:
        line, offset = self.getpos()
        self.findings.append(Finding(line, offset + 1, code, message, severity))


def _is_foreign(address: str) -> bool:
    if address.startswith("//"):
        return True
    try:
        return urlsplit(address).scheme in {"http", "https"}
    except ValueError:
        return True
