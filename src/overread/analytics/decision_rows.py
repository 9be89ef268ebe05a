"""Rows of decisions, reviews and outcomes, from an audit entry and its decision's record.

Nothing that a case says is read: no input, no output, no reference but as a pseudonym. Labels go out only
when they are the use case's own, reason codes only when the deployment lists them; reasons by their codes.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from overread.analytics.columns import DECISIONS, OUTCOMES, REVIEWS, Table
from overread.analytics.pseudonyms import Pseudonyms
from overread.audit.chain import Link
from overread.decisions.record import TERMINAL, Record, Reviewer, State
from overread.instants import parse_instant

OTHER = "other"
CALLER = "caller"
_ENDS = frozenset(str(state) for state in TERMINAL)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one table for one day."""

    table: Table
    day: date
    rows: tuple[Mapping[str, Any], ...]


def rows_of_link(
    link: Link, record: Record, *, pseudonyms: Pseudonyms, reason_codes: Collection[str] = ()
) -> tuple[Rows, ...]:
    """What one audit entry adds to the tables; for most entries nothing.

    `reason_codes`: those that may go out as they are.
    """
    entry, at = link.entry, parse_instant(str(link.entry["at"]))
    detail = entry["detail"]
    mask = _Mask(record, pseudonyms=pseudonyms, reason_codes=frozenset(reason_codes))
    found: list[Rows] = []
    if detail.get("answers"):
        answers = tuple(mask.review(one, entry=entry) for one in detail["answers"])
        found.append(Rows(REVIEWS, at.date(), answers))
    if entry["to_state"] in _ENDS and entry["from_state"] != entry["to_state"]:
        found.append(Rows(DECISIONS, at.date(), (mask.decision(at),)))
    if entry["event"] == "truth_recorded":
        found.append(Rows(OUTCOMES, at.date(), (mask.outcome(detail),)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Mask:
    """What may be said of a record."""

    record: Record
    pseudonyms: Pseudonyms
    reason_codes: frozenset[str]

    def decision(self, ended_at: datetime) -> dict[str, Any]:
        record, outcome, prediction = self.record, self.record.outcome, self.record.prediction
        label = self._label(outcome.label) if outcome else None
        return DECISIONS.row(
            decision=self._decision(record.decision_id),
            case=self._case(),
            use_case=record.use_case,
            state=str(State(record.state)),
            mode=str(record.policy.mode),
            priority=record.priority,
            received_at=record.received_at.astimezone(UTC),
            ended_at=ended_at,
            seconds_to_end=(ended_at - record.received_at).total_seconds(),
            **self._route(),
            policy_version=record.policy.version,
            guarantee=record.policy.guarantee or None,
            **self._model(),
            predicted_label=self._predicted,
            confidence=prediction.confidence if prediction else None,
            label=label,
            source=str(outcome.source) if outcome else None,
            overridden=label != self._predicted
            if outcome and outcome.source == "human" and prediction
            else None,
            reason_code=self._reason_code(outcome.reason_code) if outcome else None,
            sign_offs=len(outcome.sign_offs) if outcome else 0,
            review_seconds=outcome.seconds if outcome else None,
            generations=record.generation,
            escalated=record.escalation is not None,
            supersedes=self._decision(record.supersedes) if record.supersedes else None,
        )

    def review(self, answer: Mapping[str, Any], *, entry: Mapping[str, Any]) -> dict[str, Any]:
        reviewer = Reviewer(
            worker_id=str(answer["worker_id"]), sub=str(answer["sub"]), issuer=str(answer["issuer"])
        )
        label = self._label(str(answer["label"])) if answer["label"] else None
        seconds = answer.get("seconds")
        route = self.record.route
        return REVIEWS.row(
            decision=self._decision(self.record.decision_id),
            use_case=self.record.use_case,
            reviewer=self.pseudonyms.of("reviewer", reviewer.person),
            seat=str(entry["detail"].get("seat") or "") or None,
            generation=int(entry["generation"]),
            label=label,
            predicted_label=self._predicted,
            agrees_with_model=label == self._predicted if label and self._predicted else None,
            blind=self.record.terms.blind or bool(route and route.is_spot_check_only),
            reason_code=self._reason_code(str(answer["reason_code"])),
            accepted_at=_instant(answer.get("accepted_at")),
            submitted_at=_instant(answer.get("submitted_at")),
            seconds=None if seconds is None else float(seconds),
        )

    def outcome(self, detail: Mapping[str, Any]) -> dict[str, Any]:
        decided = self.record.outcome
        label = self._label(str(detail["label"]))
        decided_label = self._label(decided.label) if decided else None
        return OUTCOMES.row(
            decision=self._decision(self.record.decision_id),
            use_case=self.record.use_case,
            label=label,
            decided_label=decided_label,
            correct=str(detail["label"]) == decided.label if decided else None,
            source=str(decided.source) if decided else None,
            learnt_at=_instant(detail["learnt_at"]),
        )

    @property
    def _predicted(self) -> str | None:
        return self._label(self.record.prediction.label) if self.record.prediction else None

    def _route(self) -> dict[str, Any]:
        route = self.record.route
        if route is None:
            return {}
        return {
            "route": str(route.to),
            "route_reasons": ",".join(sorted({str(reason.code) for reason in route.reasons})) or None,
            "spot_check": route.is_spot_check,
            "spot_check_probability": route.spot_check_probability,
        }

    def _model(self) -> dict[str, Any]:
        """What callers say of models of their own is their text, and stays behind."""
        prediction = self.record.prediction
        if prediction is None:
            return {}
        if not prediction.attempt:
            return {"model": CALLER}
        return {"model": prediction.model, "model_version": prediction.version}

    def _decision(self, decision_id: str) -> str:
        return self.pseudonyms.of("decision", decision_id)

    def _case(self) -> str | None:
        """References are the caller's: another caller's equal reference is another case."""
        record = self.record
        if not record.reference:
            return None
        return self.pseudonyms.of("case", (record.caller_scope, record.use_case, record.reference))

    def _label(self, label: str) -> str:
        return label if label in self.record.terms.labels else OTHER

    def _reason_code(self, code: str) -> str | None:
        if not code:
            return None
        return code if code in self.reason_codes else OTHER


def _instant(text: Any) -> datetime | None:
    """A backend's own spelling of a time; null when it is none."""
    try:
        return parse_instant(str(text))
    except ValueError:
        return None
