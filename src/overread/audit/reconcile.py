"""What endpoints were asked, held against what was decided: every invocation has a decision, and back."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from overread.audit.chain import Link
from overread.decisions.record import Record, State
from overread.instants import format_instant, parse_instant

_ROUTED = frozenset({"decided_by_model", "sent_to_people"})


@dataclass(frozen=True, slots=True)
class Invocation:
    """One invocation of a model, from the endpoint's own log; `inference_id` is empty when it had none."""

    inference_id: str
    endpoint: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Everything that does not fit, as lists of ids; `repeats` are attempts, which are allowed but told.

    `without_decision`: invocations that no decision made (with or without an id). `without_invocation`:
    predictions of a model that its log does not know. `without_audit`: decisions that lack audit entries.
    `without_record`: decisions that have audit entries only. `doubled`: the same attempt invoked twice.
    """

    invocations: int
    decisions: int
    without_decision: tuple[Invocation, ...]
    without_invocation: tuple[str, ...]
    without_audit: tuple[str, ...]
    without_record: tuple[str, ...]
    doubled: tuple[str, ...]
    repeats: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Whether everything fits; a decision that needed several attempts is no fault."""
        faults = (
            self.without_decision,
            self.without_invocation,
            self.without_audit,
            self.without_record,
            self.doubled,
        )
        return not any(faults)

    def document(self) -> dict[str, Any]:
        """The result as a JSON object."""
        return {
            "invocations": self.invocations,
            "decisions": self.decisions,
            "is_clean": self.is_clean,
            "invocations_without_decision": [
                {"inference_id": one.inference_id, "endpoint": one.endpoint, "at": format_instant(one.at)}
                for one in self.without_decision
            ],
            "decisions_without_invocation": list(self.without_invocation),
            "decisions_without_audit": list(self.without_audit),
            "audit_without_decision": list(self.without_record),
            "invoked_twice": list(self.doubled),
            "decisions_with_several_attempts": list(self.repeats),
        }


@dataclass(frozen=True, slots=True)
class Case:
    """One decision as it is stored: its record and all its audit entries, either of which may be missing."""

    record: Record | None
    links: tuple[Link, ...]


def reconcile(
    *, begin: datetime, end: datetime, invocations: Iterable[Invocation], cases: Mapping[str, Case]
) -> Reconciliation:
    """Holds them against each other, from `begin` to before `end`.

    `cases` are the decisions that invocations of the period name, and those that were written in it.
    `invocations` reach a little further than the period: an answer is routed after the model was asked.
    """
    asked = list(invocations)
    known = {one.inference_id for one in asked}
    within = [one for one in asked if begin <= one.at < end]
    ids = Counter(one.inference_id for one in within)
    attempts = Counter(map(_decision_of, ids))
    return Reconciliation(
        invocations=len(within),
        decisions=sum(1 for case in cases.values() if case.record is not None),
        without_decision=tuple(one for one in within if not _is_of(one.inference_id, cases)),
        without_invocation=tuple(sorted(_used(cases, begin=begin, end=end) - known)),
        without_audit=tuple(sorted(one for one, case in cases.items() if _lacks_audit(case))),
        without_record=tuple(sorted(one for one, case in cases.items() if case.links and not case.record)),
        doubled=tuple(sorted(one for one, count in ids.items() if one and count > 1)),
        repeats=tuple(sorted(one for one, count in attempts.items() if one in cases and count > 1)),
    )


def _decision_of(inference_id: str) -> str:
    return inference_id.rpartition("/")[0]


def _is_of(inference_id: str, cases: Mapping[str, Case]) -> bool:
    """Whether the decision made an attempt of this number."""
    decision_id, _, attempt = inference_id.rpartition("/")
    record = cases[decision_id].record if decision_id in cases else None
    return record is not None and attempt.isdecimal() and 1 <= int(attempt) <= record.attempts


def _used(cases: Mapping[str, Case], *, begin: datetime, end: datetime) -> set[str]:
    """The invocations whose answers routed a case in the period; callers' own predictions have attempt 0."""
    return {
        f"{decision_id}/{prediction['attempt']}"
        for decision_id, case in cases.items()
        for link in case.links
        if link.entry["event"] in _ROUTED and begin <= parse_instant(link.entry["at"]) < end
        if (prediction := link.entry["detail"].get("prediction")) and prediction["attempt"]
    }


def _lacks_audit(case: Case) -> bool:
    """Whether an entry is missing, or there is one too many, for what the record has counted."""
    if case.record is None:
        return False
    numbers = [link.entry["number"] for link in case.links]
    return numbers != list(range(1, case.record.audit_length + 1)) or (
        not numbers and case.record.state is not State.RECEIVED
    )
