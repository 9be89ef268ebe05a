"""What a check says, its class, and the exit code that a run of checks ends with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """`unknown` is said whenever the account did not tell; it is never guessed."""

    OK = "ok"
    FAIL = "fail"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class Family(StrEnum):
    """Classes of checks; each has its exit code."""

    CREDENTIALS = "credentials"
    PERMISSIONS = "permissions"
    QUOTAS = "quotas"
    NETWORK = "network"
    BOOTSTRAP = "bootstrap"
    REGION = "region"
    REVIEWS = "reviews"
    LICENCE = "licence"
    TOOLS = "tools"


EXIT_CODES = {
    Family.CREDENTIALS: 3,
    Family.PERMISSIONS: 10,
    Family.QUOTAS: 11,
    Family.NETWORK: 12,
    Family.BOOTSTRAP: 13,
    Family.REGION: 14,
    Family.REVIEWS: 15,
    Family.LICENCE: 16,
    Family.TOOLS: 17,
}
ALL_WELL, SEVERAL_CLASSES, FAULTY_INPUT, ONLY_UNKNOWN = 0, 1, 2, 4


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found; `fix` says what to do, and is empty where nothing is to be done."""

    status: Status
    detail: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One check's verdict, under its name."""

    id: str
    family: Family
    verdict: Verdict

    def document(self) -> dict[str, str]:
        """Its JSON form."""
        verdict = self.verdict
        return {
            "id": self.id,
            "status": verdict.status.value,
            "detail": verdict.detail,
            "fix": verdict.fix,
        }


class UnreadError(Exception):
    """The account did not tell: `action` was refused or failed."""

    def __init__(self, *, action: str, reason: str, is_refused: bool) -> None:
        super().__init__(f"{action}: {reason}")
        self.action = action
        self.reason = reason
        self.is_refused = is_refused

    def verdict(self) -> Verdict:
        """Unknown, with the missing action by name."""
        if self.is_refused:
            return Verdict(
                Status.UNKNOWN, f"{self.action} was refused", f"allow {self.action}, and run again"
            )
        return Verdict(Status.UNKNOWN, f"{self.action} failed: {self.reason}", "run again")


def ok(detail: str) -> Verdict:
    """Nothing to do."""
    return Verdict(Status.OK, detail)


def fail(detail: str, *, fix: str) -> Verdict:
    """A deployment would fail, or not work."""
    return Verdict(Status.FAIL, detail, fix)


def unknown(detail: str, *, fix: str) -> Verdict:
    """Nobody can tell from here."""
    return Verdict(Status.UNKNOWN, detail, fix)


def skipped(detail: str) -> Verdict:
    """This deployment does not need it, or it could not be asked for."""
    return Verdict(Status.SKIPPED, detail)


def exit_code(checks: Sequence[Check]) -> int:
    """The failed class's code; 1 for several classes; 4 when none failed and something is unknown."""
    failed = {check.family for check in checks if check.verdict.status is Status.FAIL}
    if len(failed) == 1:
        return EXIT_CODES[failed.pop()]
    if failed:
        return SEVERAL_CLASSES
    is_unknown = any(check.verdict.status is Status.UNKNOWN for check in checks)
    return ONLY_UNKNOWN if is_unknown else ALL_WELL


def as_document(checks: Iterable[Check]) -> dict[str, Any]:
    """The JSON form of a run."""
    return {"checks": [check.document() for check in checks]}
