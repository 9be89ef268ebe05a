"""Liquid in a template's text: where it stands, and the page without it, every character in its old place."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

OUTPUT_MARK = "\ue000"
"""Stands for each character of an output statement: no template has it, and no parser changes it."""

_LIQUID = re.compile(
    r"\{%-?\s*comment\s*-?%\}.*?\{%-?\s*endcomment\s*-?%\}"
    r"|(?P<raw>\{%-?\s*raw\s*-?%\})(?P<literal>.*?)(?P<endraw>\{%-?\s*endraw\s*-?%\})"
    r"|(?P<output>\{\{.*?\}\})"
    r"|(?P<tag>\{%.*?%\})",
    re.DOTALL,
)
_NOT_NEWLINE = re.compile(r"[^\n]")
_TAG_NAME = re.compile(r"\{%-?\s*(\w+)")
_CONDITIONAL = frozenset({"if", "unless", "case", "for", "tablerow"})


def statements(text: str) -> Iterator[re.Match[str]]:
    """Outputs (`{{ … }}`, group `output`) and tags (`{% … %}`, group `tag`), in their order."""
    return (
        found for found in _LIQUID.finditer(text) if found["output"] is not None or found["tag"] is not None
    )


def place(text: str, index: int) -> tuple[int, int]:
    """Line and column of a character, from 1."""
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


def without_liquid(text: str) -> str:
    """The page with Liquid blanked out; what an output prints is `OUTPUT_MARK`s."""

    def blank(region: re.Match[str]) -> str:
        if region["raw"] is not None:
            ends = (_NOT_NEWLINE.sub(" ", region["raw"]), _NOT_NEWLINE.sub(" ", region["endraw"]))
            return ends[0] + region["literal"] + ends[1]
        return _NOT_NEWLINE.sub(OUTPUT_MARK if region["output"] is not None else " ", region[0])

    return _LIQUID.sub(blank, text)


class Conditions:
    """Which parts of a template stand inside `if`, `case` or a loop: a page may come without them."""

    def __init__(self, text: str) -> None:
        self._starts: list[int] = [0]
        self._open: list[tuple[str, ...]] = [()]
        blocks: tuple[str, ...] = ()
        for found in statements(text):
            if found["tag"] is None:
                continue
            named = _TAG_NAME.match(found["tag"])
            name = named[1] if named else ""
            if name in _CONDITIONAL:
                blocks = (*blocks, found["tag"])
            elif name.removeprefix("end") in _CONDITIONAL and name.startswith("end"):
                blocks = blocks[:-1]
            else:
                continue
            self._starts.append(found.end())
            self._open.append(blocks)
        self._lines = [0, *(found.end() for found in re.finditer("\n", text))]

    def at(self, index: int) -> tuple[str, ...]:
        """The opening tags of the blocks around a character."""
        return self._open[bisect_right(self._starts, index) - 1]

    def at_place(self, line: int, column: int) -> tuple[str, ...]:
        """The same by line and column, from 1."""
        return self.at(self._lines[line - 1] + column - 1)
