"""One rule of the pack."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from overread_constructs.rules.template import Resource, Templates

PACK = "Overread"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateRule:
    """What each resource of some CloudFormation types must hold.

    `faults` gives the paths of the properties at fault; nothing when the resource keeps the rule.
    """

    name: str
    kinds: tuple[str, ...]
    must: str
    why: str
    faults: Callable[[Resource, Templates], Iterator[str]]

    @property
    def id(self) -> str:
        """As reports and acknowledgements call it."""
        return f"{PACK}-{self.name}"
