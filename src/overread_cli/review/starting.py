"""Starting human loops from JSON: everything is checked before the first one starts."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from overread.review.limits import HUMAN_LOOP_NAME, INPUT_CONTENT
from overread.strict_json import parse_json

_MOST_FAULTS = 20


@dataclass(frozen=True)
class LoopToStart:
    """One loop: its name and its InputContent as it goes over the wire."""

    name: str
    content: str


class InputFaultsError(Exception):
    """What is wrong with the input, one sentence a fault; nothing was started."""

    def __init__(self, faults: list[str]) -> None:
        shown = faults[:_MOST_FAULTS]
        if len(faults) > len(shown):
            shown.append(f"… and {len(faults) - len(shown):,} faults more")
        super().__init__("\n".join(shown))


def loops_to_start(
    text: str, *, source: str, flow_definition_arn: str, name: str | None
) -> list[LoopToStart]:
    """The loops that `text` asks for: one JSON object, or JSON Lines with one object a line.

    Without `name`, a loop's name is a hash of flow definition and content: to start the same again starts
    nothing twice.

    Raises:
        InputFaultsError: with every fault and its line.
    """
    faults: list[str] = []
    found: dict[str, int] = {}
    loops: list[LoopToStart] = []
    numbered = list(_objects(text))
    if not numbered:
        raise InputFaultsError([f"{source}: there is no JSON object in it"])
    if name is not None and len(numbered) > 1:
        raise InputFaultsError([f"{source}: --name is for one object, got {len(numbered):,} lines"])
    for line, written in numbered:
        place = f"{source}:{line}" if len(numbered) > 1 else source
        try:
            content = _content(written)
        except ValueError as error:
            faults.append(f"{place}: {error}")
            continue
        loop = LoopToStart(name or derived_name(flow_definition_arn, content), content)
        if (first := found.setdefault(loop.name, line)) != line:
            faults.append(f"{place}: the same input as in line {first}; give each case a member of its own")
        loops.append(loop)
    if name is not None and not HUMAN_LOOP_NAME.allows(name):
        faults.append(f"--name must have {HUMAN_LOOP_NAME}, got {name!r}")
    if faults:
        raise InputFaultsError(faults)
    return loops


def derived_name(flow_definition_arn: str, content: str) -> str:
    """The same name for the same input under the same flow definition."""
    digest = hashlib.sha256(f"{flow_definition_arn}\n{content}".encode()).digest()
    return f"r-{base64.b32encode(digest).decode()[:26].lower()}"


def _objects(text: str) -> Iterator[tuple[int, str]]:
    """The pieces that hold one JSON value each, with their line: the whole text, or its lines."""
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if len(lines) > 1 and _is_value(lines[0][1]):
        yield from lines
    elif lines:
        yield lines[0][0], text


def _is_value(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _content(written: str) -> str:
    """InputContent in one spelling. Raises ValueError, which says what is wrong."""
    try:
        value = parse_json(written)
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ValueError(f"must be a JSON object, got {written.strip()[:60]}")
    content = json.dumps(value, ensure_ascii=False)
    if len(content) > INPUT_CONTENT.maximum:
        raise ValueError(f"may have at most {INPUT_CONTENT.maximum:,} characters, got {len(content):,}")
    return content
