"""How the review service of a local stack behaves: who may sign in, and what is done for tests' sake."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from overread_local.errors import LocalStackError

DEFAULT_REVIEWERS = ("ada", "grace", "katherine")
DEFAULT_SENIORS = ("margaret", "evelyn", "radia")
DEFAULT_LEADS = ("barbara",)
STATISTICS = ("off", "pseudonymous", "named")
_NAME = re.compile(r"\S(.{0,62}\S)?")


@dataclass(frozen=True)
class Chaos:
    """The shares, from 0 to 1, of status events that are emitted twice and that are held back for a while."""

    duplicate: float = 0.0
    delay: float = 0.0


def check_people(*, reviewers: Sequence[str], seniors: Sequence[str], leads: Sequence[str]) -> None:
    """Refuses names that nobody could sign in with.

    Raises:
        LocalStackError: with every fault.
    """
    names = [*reviewers, *seniors, *leads]
    faults = [
        f"a name has 1 to 64 characters and neither begins nor ends with a space, got {name!r}"
        for name in names
        if not _NAME.fullmatch(name)
    ]
    faults += [
        f"{name!r} is given {names.count(name)} times, as reviewer, senior or lead; each name is one person"
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    if not names:
        faults.append("at least one reviewer, senior or lead is needed, got none")
    if faults:
        raise LocalStackError("reviewers: " + "; ".join(faults))


def check_behaviour(*, chaos: Chaos, statistics: str) -> None:
    """Refuses shares that are none and unknown kinds of statistics.

    Raises:
        LocalStackError: with every fault.
    """
    faults = [
        f"chaos.{name} must be a share from 0 to 1, got {share}"
        for name, share in (("duplicate", chaos.duplicate), ("delay", chaos.delay))
        if not 0 <= share <= 1
    ]
    if chaos.delay == 1:
        faults.append("chaos.delay must be less than 1, or no event would ever arrive")
    if statistics not in STATISTICS:
        faults.append(f"statistics must be one of {', '.join(STATISTICS)}, got {statistics!r}")
    if faults:
        raise LocalStackError("; ".join(faults))
