"""Liquid as A2I renders it: hyphenated names, bare objects as JSON, automatic escaping that never doubles."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

from liquid import Environment, RenderContext
from liquid.builtin.expressions import FilteredExpression
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.capture_tag import CaptureNode, CaptureTag
from liquid.builtin.tags.cycle_tag import CycleNode, CycleTag
from liquid.exceptions import LiquidError
from liquid.filter import with_context
from liquid.template import BoundTemplate

from overread.errors import OverreadError
from overread_templates import escaping
from overread_templates.s3_location import SignUrl, parse_s3_location

_ESCAPE_FILTERS = frozenset({"escape", "escape_once"})
_SIGNER = "__overread_sign_url"
_TAG = re.compile(r"\{%-?\s*(?P<name>\w+).*?%\}", re.DOTALL)
_UNCLOSED = re.compile(r"expected tag end(\w+)")
_MARKUP = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)


class TemplateError(OverreadError):
    """A worker template that cannot be parsed or rendered, with the place where it went wrong (from 1)."""

    def __init__(self, message: str, *, name: str, line: int, column: int) -> None:
        super().__init__(f"{name}:{line}:{column}: {message}")
        self.message = message
        self.name = name
        self.line = line
        self.column = column


class _EscapingOutputNode(OutputNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        value = self.expression.evaluate(context)
        names = _filter_names(self.expression)
        if "skip_autoescape" in names and not isinstance(value, escaping.RawText):
            value = escaping.raw(value)
        return buffer.write(escaping.printed(value, escaped_in_chain=bool(names & _ESCAPE_FILTERS)))


class _EscapingOutput(Output):
    node_class = _EscapingOutputNode


class _EscapingCycleNode(CycleNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        group = self.group.evaluate(context) if self.group else None
        values = [argument.evaluate(context) for argument in self.args]
        key = escaping.to_text(group) or str(values)
        chosen = values[context.cycle(key, len(values)) % len(values)]
        return buffer.write(escaping.printed(chosen, escaped_in_chain=False))


class _EscapingCycle(CycleTag):
    node_class = _EscapingCycleNode


class _EscapedCaptureNode(CaptureNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        captured = context.get_buffer(buffer)
        self.block.render(context, captured)
        context.assign(self.name, escaping.EscapedText(captured.getvalue()))
        return 0


class _EscapedCapture(CaptureTag):
    node_class = _EscapedCaptureNode


class _WorkerEnvironment(Environment):
    """Liquid with AWS's filters; every way in which a value reaches the page goes through `escaping`."""

    loop_iteration_limit = 1_000_000
    output_stream_limit = 32 * 1024 * 1024

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        for tag in (_EscapingOutput, _EscapingCycle, _EscapedCapture):
            self.add_tag(tag)
        for name in ("echo", "include", "render"):
            self.tags.pop(name, None)
        for name in ("safe", "escapejs"):
            self.filters.pop(name, None)
        self.add_filter("escape", _escape)
        self.add_filter("escape_once", _escape_once)
        self.add_filter("to_json", escaping.to_json)
        self.add_filter("skip_autoescape", escaping.raw)
        self.add_filter("grant_read_access", _signed)
        self.add_filter("s3_presign", _signed)


def _escape(value: object) -> escaping.EscapedText:
    text = escaping.to_text(value)
    return text if isinstance(text, escaping.EscapedText) else escaping.escape(text)


def _escape_once(value: object) -> escaping.EscapedText:
    return escaping.escape_once(escaping.to_text(value))


@with_context
def _signed(value: object, *, context: RenderContext) -> str:
    text = escaping.unescape(escaping.to_text(value))
    location = parse_s3_location(text)
    if location is None:
        return text
    sign_url = context.globals[_SIGNER]
    return str(sign_url(location))  # type: ignore[operator]


def _filter_names(expression: object) -> frozenset[str]:
    if not isinstance(expression, FilteredExpression):
        return frozenset()
    return frozenset(used.name for used in expression.filters or ())


_ENVIRONMENT = _WorkerEnvironment()


@dataclass(frozen=True)
class Template:
    """A worker template whose Liquid has been parsed; rendered once a task."""

    name: str
    text: str
    parsed: BoundTemplate

    def render(self, task_input: Mapping[str, object], *, sign_url: SignUrl) -> str:
        """The HTML of one task; `task.input` in the template is `task_input`.

        `sign_url` answers `grant_read_access` and `s3_presign`; text that is no S3 address passes unchanged.

        Raises:
            TemplateError: a filter is unknown or refuses its value, or a limit on loops or size is passed.
        """
        try:
            return self.parsed.render(**{"task": {"input": task_input}, _SIGNER: sign_url})
        except LiquidError as error:
            raise _template_error(error, name=self.name, text=self.text) from error


def parse_template(text: str, *, name: str) -> Template:
    """The template behind `text`; `name` (a file name) appears in errors.

    Raises:
        TemplateError: the Liquid in it is malformed or uses a tag or filter that A2I does not have.
    """
    try:
        parsed = _ENVIRONMENT.from_string(text, name=name)
    except LiquidError as error:
        raise _template_error(error, name=name, text=text) from error
    for filter_name, spans in parsed.analyze().filters.items():
        if filter_name not in _ENVIRONMENT.filters:
            line, column = spans[0].line_col(text)
            message = f"unknown filter '{filter_name}'"
            raise TemplateError(message, name=name, line=line, column=column + 1)
    return Template(name=name, text=text, parsed=parsed)


def _template_error(error: LiquidError, *, name: str, text: str) -> TemplateError:
    try:
        context = error.context()
    except ValueError:  # python-liquid cannot place an error at the very end of the text
        context = None
    if context:
        line, column = context[0], context[1] + 1
    elif _breaks_off(error):
        line, column = _first_that_breaks_off(text)
    else:
        line, column = _last_open_block(text)
    return TemplateError(_in_words(error), name=name, line=line, column=column)


def _in_words(error: LiquidError) -> str:
    message = str(error.message or "malformed Liquid")
    if unclosed := _UNCLOSED.match(message):
        return f"{{% {unclosed[1]} %}} is never closed: {{% end{unclosed[1]} %}} is missing"
    return message


def _breaks_off(error: LiquidError) -> bool:
    """Whether an expression ends where it should go on: python-liquid does not say where that is."""
    # The end of the whole text has no place either, but there a tag is what is missing.
    return error.token is not None and error.token.start_index < 0 and " tag " not in str(error.message)


def _first_that_breaks_off(text: str) -> tuple[int, int]:
    """Where the first tag or output begins whose expression breaks off."""
    marked = list(_MARKUP.finditer(text))

    def is_reached(found: re.Match[str]) -> bool:
        try:
            _ENVIRONMENT.from_string(text[: found.end()])
        except LiquidError as error:
            return _breaks_off(error)
        return False

    index = bisect_left(marked, True, key=is_reached)
    return _place(text, marked[index].start() if index < len(marked) else 0)


def _last_open_block(text: str) -> tuple[int, int]:
    """Where the block begins that the end of the text leaves open; else the first character."""
    opened: list[re.Match[str]] = []
    for tag in _TAG.finditer(text):
        name = tag["name"]
        if name.startswith("end") and opened and opened[-1]["name"] == name.removeprefix("end"):
            opened.pop()
        elif getattr(_ENVIRONMENT.tags.get(name), "block", False):
            opened.append(tag)
    return _place(text, opened[-1].start() if opened else 0)


def _place(text: str, start: int) -> tuple[int, int]:
    """Line and column, both from 1."""
    return text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
