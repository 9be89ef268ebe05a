"""The audit report of a period, worked out from audit entries alone."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from overread.audit.chain import Link
from overread.audit.intervals import Share, difference, percentile
from overread.instants import format_instant, parse_instant
from overread.routing.prediction import ReasonCode

SCHEMA = 1
_ROUTED = frozenset({"decided_by_model", "sent_to_people", "contest_received"})
_AGAIN = frozenset({"review_repeated", "escalation_repeated", "review_closed"})
_DRILL = "drill"
Document = dict[str, Any]


@dataclass(slots=True)
class _Decision:
    """What the entries tell of one decision."""

    use_case: str = ""
    routed_at: datetime | None = None
    is_shadow: bool = False
    is_blind: bool = False
    is_spot_check: bool = False
    predicted: str = ""
    final_at: datetime | None = None
    label: str = ""
    source: str = ""
    seconds: list[float] = field(default_factory=list)


@dataclass(slots=True)
class _UseCase:
    """The figures of one use case."""

    routes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    days: Counter[str] = field(default_factory=Counter)
    again: Counter[str] = field(default_factory=Counter)
    escalations: Counter[str] = field(default_factory=Counter)
    truths: list[bool] = field(default_factory=list)


def report(links: Iterable[Link], *, begin: datetime, end: datetime) -> Document:
    """The figures of everything from `begin` to before `end`.

    `links` are all chains, in any order of the chains, from early enough that the routes of the decisions
    that were made in the period are among them.
    """
    decisions: dict[str, _Decision] = defaultdict(_Decision)
    use_cases: dict[str, _UseCase] = defaultdict(_UseCase)
    changes: list[Mapping[str, Any]] = []
    first = last = ""
    count = 0
    for link in links:
        entry = link.entry
        at = parse_instant(entry["at"])
        if at >= end:
            continue
        is_within = at >= begin
        if is_within:
            count += 1
            first, last = min(first or entry["at"], entry["at"]), max(last, entry["at"])
        if str(entry["decision_id"]).startswith("change/"):
            changes.append(entry)
            continue
        decision = decisions[entry["decision_id"]]
        _note(decision, entry, at=at, is_within=is_within)
        if is_within:
            _count(use_cases[decision.use_case], decision, entry)
    made = [one for one in decisions.values() if one.final_at and begin <= one.final_at]
    return {
        "schema": SCHEMA,
        "from": format_instant(begin),
        "to": format_instant(end),
        "entries": count,
        "first_entry_at": first,
        "last_entry_at": last,
        "use_cases": {
            name: _figures(use_cases[name], [one for one in made if one.use_case == name])
            for name in sorted(use_cases)
        },
        "changes": [_change(entry) for entry in changes if parse_instant(entry["at"]) >= begin],
        "kill_switch": _switched(changes, begin=begin, end=end),
    }


def _note(decision: _Decision, entry: Mapping[str, Any], *, at: datetime, is_within: bool) -> None:
    event, detail = entry["event"], entry["detail"]
    if event in _ROUTED:
        decision.use_case = detail["use_case"]
        decision.routed_at = at
        decision.is_shadow = detail["mode"] == "shadow"
        decision.is_spot_check = bool(detail["is_spot_check"])
        decision.is_blind = bool(detail["blind"]) or decision.is_spot_check or event == "contest_received"
        decision.predicted = detail["prediction"]["label"] if detail["prediction"] else ""
    if event in ("decided_by_model", "decided_by_people"):
        decision.final_at, decision.label = at, detail["label"]
        decision.source = "model" if event == "decided_by_model" else "human"
    if "answers" in detail and is_within:
        seconds = [one["seconds"] for one in detail["answers"] if one.get("seconds") is not None]
        decision.seconds += [float(one) for one in seconds]


def _count(figures: _UseCase, decision: _Decision, entry: Mapping[str, Any]) -> None:
    event, detail = entry["event"], entry["detail"]
    figures.events[event] += 1
    if event in _ROUTED:
        figures.days[str(entry["at"])[:10]] += 1
        route = "shadow" if decision.is_shadow else "model" if event == "decided_by_model" else "human"
        figures.routes[route] += 1
        for reason in detail["route"]["reasons"] if detail["route"] else ():
            figures.reasons[reason["code"]] += 1
            if reason["code"] == ReasonCode.RULE:
                figures.rules[reason["rule"]] += 1
    elif event in _AGAIN:
        figures.again[detail["reason"]["code"]] += 1
    elif event == "escalated":
        figures.escalations[detail["reason"]["code"]] += 1
    elif event == "truth_recorded" and decision.label:
        figures.truths.append(detail["label"] == decision.label)


def _figures(figures: _UseCase, made: list[_Decision]) -> Document:
    people = [one for one in made if one.source == "human"]
    compared = [one for one in people if one.predicted]
    shown = [one for one in compared if not one.is_blind]
    blind = [one for one in compared if one.is_blind]
    checks = [one for one in compared if one.is_spot_check]
    seconds = [value for one in made for value in one.seconds]
    return {
        "decisions": {
            "received": sum(figures.routes.values()),
            "final": len(made),
            "final_by_model": len(made) - len(people),
            "final_by_people": len(people),
            "cancelled": figures.events["cancelled"],
            "contested": figures.events["contested"],
            "escalated": figures.events["escalated"],
            "received_by_day": dict(sorted(figures.days.items())),
        },
        "routes": dict(sorted(figures.routes.items())),
        "reasons": dict(figures.reasons.most_common()),
        "rules": dict(figures.rules.most_common()),
        "override": _override(compared),
        "agreement": {
            "shown": _agreement(shown),
            "blind": _agreement(blind),
            "shown_less_blind": _gap(shown, blind),
        },
        "spot_checks": {"decided": len(checks), "override": _override(checks)},
        "truth": Share(hits=sum(figures.truths), cases=len(figures.truths)).document(),
        "time_on_task_s": _spread(seconds),
        "time_to_final_s": {
            source: _spread([_waited(one) for one in made if one.source == source and one.routed_at])
            for source in ("model", "human")
        },
        "reviews": {
            "started": figures.events["review_started"],
            "came_to_nothing": dict(figures.again.most_common()),
            "escalated_for": dict(figures.escalations.most_common()),
            "readers_disagreed": figures.events["readers_disagree"],
            "late_answers_kept": figures.events["late_answer_kept"],
            "terms_replaced": figures.events["review_terms_replaced"],
        },
    }


def _override(decisions: list[_Decision]) -> Document:
    overridden = sum(1 for one in decisions if one.label != one.predicted)
    return Share(hits=overridden, cases=len(decisions)).document()


def _agreement(decisions: list[_Decision]) -> Document:
    return _agreeing(decisions).document()


def _agreeing(decisions: list[_Decision]) -> Share:
    return Share(hits=sum(1 for one in decisions if one.label == one.predicted), cases=len(decisions))


def _gap(shown: list[_Decision], blind: list[_Decision]) -> Document | None:
    """How much more people agree with a model whose answer they see: a sign of automation bias."""
    found = difference(_agreeing(shown), _agreeing(blind))
    if found is None:
        return None
    value, low, high = found
    return {"difference": value, "low": low, "high": high}


def _spread(values: list[float]) -> Document:
    return {
        "count": len(values),
        "mean": round(sum(values) / len(values), 3) if values else None,
        "p50": percentile(values, 0.5),
        "p95": percentile(values, 0.95),
        "longest": max(values, default=None),
    }


def _waited(decision: _Decision) -> float:
    if decision.final_at is None or decision.routed_at is None:
        return 0.0
    return (decision.final_at - decision.routed_at).total_seconds()


def _change(entry: Mapping[str, Any]) -> Document:
    detail = entry["detail"]
    return {
        "at": entry["at"],
        "subject": str(entry["decision_id"]).removeprefix("change/"),
        "event": entry["event"],
        "proposed_by": detail.get("proposed_by", ""),
        "approved_by": detail.get("approved_by", ""),
        "ticket": detail.get("ticket", ""),
        "reason": detail.get("reason", ""),
        "sha256": detail.get("to_sha256", ""),
        "changed": detail.get("changed", []),
    }


def _switched(changes: list[Mapping[str, Any]], *, begin: datetime, end: datetime) -> list[Document]:
    """Each time that a kill switch was on in the period; one whose reason begins with "drill" was a drill."""
    on: dict[str, Mapping[str, Any]] = {}
    times: list[Document] = []
    for entry in sorted(changes, key=lambda one: (one["decision_id"], one["number"])):
        scope = entry["decision_id"]
        if entry["event"] == "kill_switch_on":
            on.setdefault(scope, entry)
        elif entry["event"] == "kill_switch_off" and scope in on:
            times.append(_time_on(on.pop(scope), until=parse_instant(entry["at"]), by=entry))
    times += [_time_on(entry, until=None, by=None) for entry in on.values()]
    since = format_instant(begin)
    return sorted(
        (one for one in times if one["off_at"] is None or one["off_at"] >= since),
        key=lambda one: str(one["on_at"]),
    )


def _time_on(entry: Mapping[str, Any], *, until: datetime | None, by: Mapping[str, Any] | None) -> Document:
    detail = entry["detail"]
    seconds = None if until is None else (until - parse_instant(entry["at"])).total_seconds()
    return {
        "scope": detail["scope"],
        "is_drill": str(detail["reason"]).casefold().startswith(_DRILL),
        "reason": detail["reason"],
        "on_at": entry["at"],
        "on_by": detail["approved_by"],
        "off_at": None if until is None else format_instant(until),
        "off_by": None if by is None else by["detail"]["approved_by"],
        "seconds": seconds,
    }
