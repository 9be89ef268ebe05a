"""Faults of a worker template that show without rendering it, each with its place and a stable code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from overread_templates.crowd_elements import ELEMENT_SCRIPT
from overread_templates.findings import Finding
from overread_templates.lint_page import lint_page
from overread_templates.markup import Conditions, place, statements
from overread_templates.rendering import TemplateError, parse_template

MAX_TEMPLATE_CHARACTERS = 128_000
"""Longest `UiTemplate.Content` that AWS takes."""

_SKIP_AUTOESCAPE = re.compile(r"\|\s*skip_autoescape\b")
_TO_JSON = re.compile(r"\|\s*to_json\b")
_ALIAS = re.compile(r"\{%-?\s*assign\s+([\w-]+)\s*=\s*(.*?)-?%\}", re.DOTALL)
_PREDICTION = "task.input.prediction"


def lint_template(text: str, *, name: str) -> tuple[Finding, ...]:
    """All faults of the template `text`, in the order of their places; none means that it can be deployed.

    Errors: `too-large`, `empty`, `liquid-syntax`, `missing-crowd-form`, `second-crowd-form`, `self-closing`,
    `unknown-element`. Warnings: `unsupported-element` (AWS renders it, Overread does not yet),
    `unknown-attribute`, `missing-attribute`, `missing-instructions`, `unnamed-element`,
    `missing-element-script`, `foreign-script`, `foreign-style`, `foreign-media`, `frame`,
    `skip-autoescape`, `xss-sink`, `liquid-in-script`, `unquoted-output`, `model-answer-shown`.
    `name` is the file's name.
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
    yield from _shown_predictions(text)
    page = lint_page(text)
    yield from page.findings
    if page.forms == 0:
        message = "a worker template needs one <crowd-form>, or nothing can be submitted"
        yield Finding(1, 1, "missing-crowd-form", message, "error")
    if not page.has_element_script:
        message = f'A2I needs <script src="{ELEMENT_SCRIPT}"></script> to draw crowd elements'
        yield Finding(1, 1, "missing-element-script", message, "warning")


def _unescaped_outputs(text: str) -> Iterator[Finding]:
    for region in statements(text):
        for match in _SKIP_AUTOESCAPE.finditer(region[0]):
            line, column = place(text, region.start() + match.start())
            message = "skip_autoescape lets task data become markup; use to_json, or escape by hand"
            if _TO_JSON.search(region[0], 0, match.start()):
                message = "skip_autoescape after to_json is for scripts only, where no entity is read"
            yield Finding(line, column, "skip-autoescape", message, "warning")


def _shown_predictions(text: str) -> Iterator[Finding]:
    """The model's answer printed where nothing asks whether it is there: a blind review has none to print."""
    names = {_PREDICTION}
    for assigned, source in _ALIAS.findall(text):
        if any(_mentions(source, known) for known in names):
            names.add(assigned)
    conditions = Conditions(text)
    for region in statements(text):
        if region["output"] is None or not any(_mentions(region[0], known) for known in names):
            continue
        around = conditions.at(region.start())
        if not any(_mentions(tag, known) for tag in around for known in names):
            line, column = place(text, region.start())
            message = (
                "the model's answer is shown whether or not the review is blind: "
                "put it inside {% if task.input.prediction %}"
            )
            yield Finding(line, column, "model-answer-shown", message, "warning")


def _mentions(markup: str, name: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", markup) is not None
