"""One table of rules for the props of a construct, and the error that reports every broken rule at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from aws_cdk import Duration, Token
from constructs import Construct

from overread.errors import OverreadError

P = TypeVar("P")
_SHOWN = 120


class PropsError(OverreadError, ValueError):
    """The props of one construct break rules; `faults` has one line for each."""

    def __init__(self, *, construct: str, faults: Sequence[str]) -> None:
        self.construct = construct
        self.faults = tuple(faults)
        super().__init__(f"{construct}: " + "; ".join(self.faults))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Generic[P]):
    """`prop` must …, unless it holds a token: its value is known to CloudFormation only."""

    prop: str
    must: str
    holds: Callable[[P], bool]


def check(
    scope: Construct, *, construct: str, props: P, rules: Iterable[Rule[P]], more: Iterable[str] = ()
) -> None:
    """Hold `props` against every rule of the table.

    Raises:
        PropsError: with the broken rules, and `more`, which the caller found by other means.
    """
    faults = [*broken(props, rules=rules), *more]
    if faults:
        raise PropsError(construct=f"{construct} at {scope.node.path or 'the app'}", faults=faults)


def broken(props: P, *, rules: Iterable[Rule[P]]) -> list[str]:
    """What each broken rule says: what is wrong, what is allowed, the value got."""
    faults = []
    for rule in rules:
        value = getattr(props, rule.prop)
        if not _has_token(value) and not rule.holds(props):
            faults.append(f"{rule.prop} must {rule.must}, got {_shown(value)}")
    return faults


def _has_token(value: object) -> bool:
    if isinstance(value, (str, list, int, float, Duration)):
        return Token.is_unresolved(value)
    return isinstance(value, tuple) and any(_has_token(item) for item in value)


def _shown(value: object) -> str:
    if isinstance(value, Duration):
        return value.to_human_string()
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"
