"""What is wrong with the elements, attributes and scripts of a template's page."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Literal
from urllib.parse import urlsplit

from overread_templates.crowd_elements import (
    DOCUMENTED,
    ELEMENTS,
    ElementFacts,
    is_element_script,
    is_element_style,
)
from overread_templates.findings import Finding
from overread_templates.markup import OUTPUT_MARK, without_liquid

_SINKS = {
    "innerHTML": r"\.innerHTML\s*\+?=(?!=)",
    "outerHTML": r"\.outerHTML\s*\+?=(?!=)",
    "insertAdjacentHTML": r"\binsertAdjacentHTML\s*\(",
    "document.write": r"\bdocument\s*\.\s*write(?:ln)?\s*\(",
    "eval": r"(?<![\w.])eval\s*\(",
    "new Function": r"\bnew\s+Function\s*\(",
    "a timer with text": r"\bset(?:Timeout|Interval)\s*\(\s*[\"'`]",
    "createContextualFragment": r"\bcreateContextualFragment\s*\(",
    "jQuery's html()": r"\.html\s*\(\s*[^)\s]",
}
_SINK = re.compile("|".join(f"(?P<s{index}>{sink})" for index, sink in enumerate(_SINKS.values())))
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_UNQUOTED_OUTPUT = re.compile(rf"=\s*[^\s\"'>]*{OUTPUT_MARK}")
_EVERYWHERE = frozenset(
    {"id", "class", "style", "title", "slot", "hidden", "tabindex", "lang", "dir", "role", "part", "inert"}
    | {"draggable", "contenteditable", "spellcheck", "translate", "autofocus", "nonce"}
)
_SAFE_IN_SCRIPT = re.compile(r"\{\{-?.*?\|\s*to_json\s*\|\s*skip_autoescape\s*-?\}\}", re.DOTALL)
_MEDIA = frozenset({"img", "video", "audio", "source"})
_FRAMES = frozenset({"iframe", "embed", "object"})
_SCRIPTED_ATTRIBUTES = ("href", "src", "action", "formaction", "xlink:href")


@dataclass
class _Open:
    """A crowd element that is not closed yet."""

    tag: str
    line: int
    column: int
    regions: set[str] = field(default_factory=set)


def lint_page(text: str) -> PageLint:
    """Walks the page of a template."""
    page = PageLint(text)
    page.feed(without_liquid(text))
    page.close()
    return page


class PageLint(HTMLParser):
    """Walks the markup and notes what is wrong with single elements."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self._lines = text.split("\n")
        self.findings: list[Finding] = []
        self.forms = 0
        self.has_element_script = False
        self._in_script = False
        self._open: list[_Open] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {key: value or "" for key, value in attrs}
        self._attributes(attributes)
        self._media(tag, attributes)
        if tag == "crowd-form":
            self._form()
        elif tag.startswith("crowd-"):
            self._crowd_element(tag, attributes)
        elif tag == "script":
            self._in_script = True
            if "src" in attributes:
                self._script(attributes["src"].strip())
        elif tag == "link" and "stylesheet" in attributes.get("rel", "").lower():
            address = attributes.get("href", "").strip()
            if _is_foreign(address) and not is_element_style(address):
                self._note("foreign-style", f"style sheet from another origin: {address}", "warning")
        elif self._open:
            self._open[-1].regions.add(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag.startswith("crowd-"):
            self._note(
                "self-closing", f"<{tag}/> must be closed with </{tag}>: HTML ignores the slash", "error"
            )
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._in_script = False
        if not any(element.tag == tag for element in self._open):
            return
        while self._open:
            closed = self._open.pop()
            self._regions(closed)
            if closed.tag == tag:
                return

    def handle_data(self, data: str) -> None:
        if not self._in_script:
            return
        for sink in _SINK.finditer(data):
            self._sink(_named(sink), *self._within(data, sink.start()))
        for printed in re.finditer(f"{OUTPUT_MARK}+", data):
            line, column = self._within(data, printed.start())
            if _SAFE_IN_SCRIPT.match("\n".join([self._lines[line - 1][column - 1 :], *self._lines[line:]])):
                continue
            message = (
                "this is escaped for HTML, not for a script: "
                "keep it in a data attribute, or print it with to_json | skip_autoescape"
            )
            self.findings.append(Finding(line, column, "liquid-in-script", message, "warning"))

    def close(self) -> None:
        super().close()
        for element in self._open:
            self._regions(element)

    def _form(self) -> None:
        self.forms += 1
        if self.forms > 1:
            self._note("second-crowd-form", "a worker template has one <crowd-form>, found another", "error")

    def _attributes(self, attributes: dict[str, str]) -> None:
        for name, value in attributes.items():
            if name.startswith("on"):
                if OUTPUT_MARK in value:
                    self._note(
                        "xss-sink", f"task data inside {name}: a script would be made of it", "warning"
                    )
                for sink in _SINK.finditer(value):
                    self._sink(_named(sink), *self._here())
            elif name in _SCRIPTED_ATTRIBUTES and value.strip().lower().startswith("javascript:"):
                self._note("xss-sink", f"{name} holds a script: use an event listener", "warning")
        raw = _QUOTED.sub('""', self.get_starttag_text() or "")
        if _UNQUOTED_OUTPUT.search(raw):
            message = "task data in an attribute without quotes: a space in it begins another attribute"
            self._note("unquoted-output", message, "warning")

    def _media(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in _FRAMES:
            self._note(
                "frame", f"<{tag}> stays empty on Overread's review pages: they show no frames", "warning"
            )
        elif tag in _MEDIA or tag.startswith("crowd-"):
            address = attributes.get("src", "").strip()
            if _is_foreign(address):
                message = f"{address} is blocked on Overread's review pages: print it with grant_read_access"
                self._note("foreign-media", message, "warning")

    def _crowd_element(self, tag: str, attributes: dict[str, str]) -> None:
        facts = ELEMENTS.get(tag)
        if tag not in DOCUMENTED:
            self._note("unknown-element", f"<{tag}> is no Crowd HTML Element", "error")
        elif facts is None:
            message = f"<{tag}> is not drawn by Overread's own review pages yet, only by A2I"
            self._note("unsupported-element", message, "warning")
        else:
            self._known_element(tag, attributes, facts)

    def _known_element(self, tag: str, attributes: dict[str, str], facts: ElementFacts) -> None:
        for name in attributes:
            if not _is_known(name, facts):
                self._note("unknown-attribute", f"<{tag}> has no attribute {name}", "warning")
        given = {name.replace("-", "") for name in attributes}
        if facts.answers and not facts.fixed_key and "name" not in given:
            self._note("unnamed-element", _unnamed(tag), "warning")
        for name in facts.required:
            if name != "name" and name.replace("-", "") not in given:
                self._note("missing-attribute", f"<{tag}> needs the attribute {name}", "warning")
        if facts.regions:
            line, column = self._here()
            self._open.append(_Open(tag, line, column))

    def _regions(self, element: _Open) -> None:
        for region in ELEMENTS[element.tag].regions:
            if region in element.regions:
                continue
            code = "missing-instructions" if region.endswith("instructions") else "missing-target"
            message = f"<{element.tag}> needs a <{region}>, even an empty one"
            self.findings.append(Finding(element.line, element.column, code, message, "warning"))

    def _script(self, address: str) -> None:
        if is_element_script(address):
            self.has_element_script = True
        elif _is_foreign(address):
            message = f"script from another origin: {address} (Overread's review pages block it)"
            self._note("foreign-script", message, "warning")

    def _sink(self, name: str, line: int, column: int) -> None:
        message = f"{name} makes markup or a script out of text; use textContent or setAttribute"
        self.findings.append(Finding(line, column, "xss-sink", message, "warning"))

    def _note(self, code: str, message: str, severity: Literal["error", "warning"]) -> None:
        line, column = self._here()
        self.findings.append(Finding(line, column, code, message, severity))

    def _here(self) -> tuple[int, int]:
        line, offset = self.getpos()
        return line, offset + 1

    def _within(self, data: str, index: int) -> tuple[int, int]:
        """The place of a character of the data that is being handled."""
        line, column = self._here()
        before = data[:index]
        if "\n" not in before:
            return line, column + index
        return line + before.count("\n"), index - before.rfind("\n")


def _named(sink: re.Match[str]) -> str:
    return list(_SINKS)[int((sink.lastgroup or "s0")[1:])]


def _is_known(name: str, facts: ElementFacts) -> bool:
    """Whether an element takes an attribute, in kebab or camel case, which HTML writes small."""
    if OUTPUT_MARK in name or name in _EVERYWHERE or name.startswith(("on", "data-", "aria-")):
        return True
    plain = name.replace("-", "")
    return any(plain == known.replace("-", "") for known in facts.attributes)


def _unnamed(tag: str) -> str:
    if ELEMENTS[tag].regions:
        return f'<{tag}> has no name: its answer will be under "{tag}"'
    return f"<{tag}> has no name: what a worker answers there is lost"


def _is_foreign(address: str) -> bool:
    if address.startswith("//"):
        return True
    try:
        return urlsplit(address).scheme in {"http", "https"}
    except ValueError:
        return True
