"""A decision made again from its audit entries: the route, the pages that readers saw, and the outcome.

Nothing is taken from the record but what the entries' hashes vouch for: the policy is the archived text of
its version, the input and the pages are held against their hashes, the outcome is worked out from the
readers' answers. The record is what the result is held against.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from overread.audit.chain import Link, link_hash
from overread.decisions.agreement import agree
from overread.decisions.audit_details import sign_off_document
from overread.decisions.documents import task_document
from overread.decisions.record import Record, Seat, SeatAnswer, State
from overread.decisions.seats import is_of_second_team
from overread.errors import InvalidPolicyError
from overread.review.merging import Reading, merge
from overread.review.wire import content_sha256
from overread.routing.policy import MergePolicy, UseCasePolicy, parse_policy
from overread.routing.prediction import Prediction, Reason, ReasonCode
from overread.routing.prediction import Reading as PredictionReading
from overread.routing.route import route, visible_part
from overread.strict_json import parse_json

ROUTED = frozenset({"decided_by_model", "sent_to_people", "contest_received"})
_ANSWERED = frozenset({"answer_accepted", "readers_disagree", "decided_by_people"})
_NOT_OF_THE_POLICY = frozenset(
    {ReasonCode.SPOT_CHECK, ReasonCode.KILL_SWITCH, ReasonCode.INTERRUPTED, ReasonCode.CONTESTED}
)
"""Reasons that the policy, the input and the prediction do not tell: a secret draw, people, an accident."""
_OF_THE_POLICY = frozenset(
    {
        ReasonCode.ALWAYS_REVIEW,
        ReasonCode.CONFIDENCE_BELOW_THRESHOLD,
        ReasonCode.RULE,
        ReasonCode.RULE_ERROR,
        ReasonCode.RULE_NOT_BOOLEAN,
    }
)

_Facts = list[tuple[str, object, object]]
"""What it is, what the record says, what the entries tell."""
FindLink = Callable[[str, int], Link | None]
"""What a chain holds at a place; None when nothing is there (yet: an index lags a little)."""
FindText = Callable[[str], str | None]
"""An archived text by its hash; None when there is none."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was made again. `is_right` None: it cannot be told, and `detail` says why."""

    name: str
    is_right: bool | None
    detail: str


@dataclass(frozen=True, slots=True)
class Page:
    """What a reader was shown: the worker template and its content; `content` None where it is not known.

    `is_of_other_terms`: the review's terms were replaced since, and the record has the new ones only.
    """

    loop_name: str
    content_sha256: str
    content: Mapping[str, Any] | None
    template_sha256: str
    template: str | None
    is_of_other_terms: bool


@dataclass(frozen=True, slots=True)
class Replay:
    """The decision as its audit entries tell it, and every check of it."""

    decision_id: str
    state: str
    label: str
    source: str
    reasons: tuple[Mapping[str, Any], ...]
    reviewers: tuple[str, ...]
    entries: tuple[Mapping[str, Any], ...]
    pages: tuple[Page, ...]
    checks: tuple[Check, ...]

    @property
    def is_confirmed(self) -> bool:
        """Whether nothing was found wrong; what cannot be told is not wrong."""
        return all(check.is_right is not False for check in self.checks)


def replay(
    links: Iterable[Link],
    *,
    record: Record | None,
    input_body: bytes | None,
    policy_sha256s: Sequence[str],
    find_text: FindText,
    find_link: FindLink,
) -> Replay:
    """The decision again.

    `input_body` is None when it was erased. `policy_sha256s` are the hashes of all policies of the use case
    that the change log knows, the newest first. The entries are held against what `find_link` finds in the
    chain; whether the chain itself is intact is for `verify` to say.

    Raises:
        ValueError: there are no entries.
    """
    linked = list(links)
    entries = [link.entry for link in linked]
    if not entries:
        raise ValueError("there are no audit entries")
    decision_id = str(entries[0]["decision_id"])
    routing = next((entry["detail"] for entry in entries if entry["event"] in ROUTED), None)
    document = _input(input_body)
    policy = _policy(routing, policy_sha256s, find_text) if routing else None
    label, source = _outcome(entries)
    reasons = tuple(routing["route"]["reasons"]) if routing and routing["route"] else ()
    pages = _pages(entries, record=record, input_document=document, find_text=find_text)
    checks = [
        _check_links(linked, find_link),
        _check_sequence(entries),
        _check_input(routing, input_body),
        _check_route(routing, decision_id=decision_id, policy=policy, input_document=document),
        *_check_pages(pages),
        _check_answers(entries, record=record),
        *_check_record(record, entries=entries, label=label, source=source),
    ]
    return Replay(
        decision_id=decision_id,
        state=str(entries[-1]["to_state"]),
        label=label,
        source=source,
        reasons=reasons,
        reviewers=_reviewers(entries),
        entries=tuple(entries),
        pages=pages,
        checks=tuple(checks),
    )


def _input(body: bytes | None) -> Mapping[str, Any] | None:
    if body is None:
        return None
    document = parse_json(body)
    return document if isinstance(document, dict) else None


def _policy(routing: Mapping[str, Any], sha256s: Sequence[str], find_text: FindText) -> UseCasePolicy | None:
    """The archived policy of the version that the entry names."""
    for sha256 in sha256s:
        text = find_text(sha256)
        try:
            policy = parse_policy(text) if text else None
        except InvalidPolicyError:
            continue
        if policy is not None and policy.version == routing["policy_version"]:
            return policy
    return None


def _outcome(entries: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    for entry in entries:
        if entry["event"] == "decided_by_model":
            return str(entry["detail"]["label"]), "model"
        if entry["event"] == "decided_by_people":
            return str(entry["detail"]["label"]), "human"
    return "", ""


def _reviewers(entries: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    signed = [entry["detail"]["reviewers"] for entry in entries if entry["event"] == "decided_by_people"]
    return tuple(str(one["sub"] or one["worker_id"]) for one in signed[0]) if signed else ()


def _check_links(links: Sequence[Link], find_link: FindLink) -> Check:
    """An entry counts because of its place in the chain, not because it lies beside the record."""
    found = [find_link(link.shard, link.seq) for link in links]
    wrong = [
        str(link.entry["number"])
        for link, other in zip(links, found, strict=True)
        if other not in (None, link) or not _has_its_hash(link)
    ]
    if wrong:
        return Check("log", False, f"not what the chain holds: number {', '.join(wrong)}")
    if None in found:
        return Check("log", None, "the index of the chain does not have every entry yet")
    return Check("log", True, f"{len(links)} entries, each in its place in the chain")


def _has_its_hash(link: Link) -> bool:
    try:
        return link.hash == link_hash(link.entry, shard=link.shard, seq=link.seq, previous=link.previous)
    except ValueError:
        return False


def _check_sequence(entries: Sequence[Mapping[str, Any]]) -> Check:
    numbers = [entry["number"] for entry in entries]
    if numbers != list(range(1, len(entries) + 1)):
        return Check("entries", False, f"must be numbered 1 to {len(entries)}, got {numbers}")
    for before, after in pairwise(entries):
        if after["from_state"] != before["to_state"]:
            detail = f"number {after['number']} begins in {after['from_state']}, not in {before['to_state']}"
            return Check("entries", False, detail)
    return Check("entries", True, f"{len(entries)} entries, each where the one before ended")


def _check_input(routing: Mapping[str, Any] | None, body: bytes | None) -> Check:
    if routing is None:
        return Check("input", None, "no entry tells of a route yet")
    if body is None:
        return Check("input", None, "the input is not there any more; its hash is " + routing["input_sha256"])
    found = hashlib.sha256(body).hexdigest()
    is_right = found == routing["input_sha256"]
    return Check(
        "input", is_right, f"hash {found}" + ("" if is_right else f", was {routing['input_sha256']}")
    )


def _check_route(
    routing: Mapping[str, Any] | None,
    *,
    decision_id: str,
    policy: UseCasePolicy | None,
    input_document: Mapping[str, Any] | None,
) -> Check:
    """The policy applied again to input and prediction gives the reasons that the entry tells."""
    if routing is None or routing["route"] is None:
        return Check("route", None, "no entry tells of a route yet")
    told = [reason for reason in routing["route"]["reasons"] if reason["code"] not in _NOT_OF_THE_POLICY]
    if any(reason["code"] == ReasonCode.CONTESTED for reason in routing["route"]["reasons"]):
        return Check("route", True, "contested: people decide, whatever the policy says")
    if policy is None:
        detail = f"policy {routing['policy_version']} is not in the change log"
        return Check("route", None, detail)
    if input_document is None:
        return Check("route", None, "the input is not there any more")
    chosen = route(
        replace(policy, spot_check_probability=0.0),
        decision_id=decision_id,
        visible_input=visible_part(input_document, withheld=policy.review.withheld),
        reading=_prediction_read(routing, told),
        spot_check_key=b"",
    )
    again = [reason.document() for reason in chosen.reasons]
    if _sorted(again) != _sorted(told):
        return Check("route", False, f"policy {policy.version} gives {again}, the entry tells {told}")
    codes = ", ".join(str(reason["code"]) for reason in routing["route"]["reasons"]) or "none"
    return Check("route", True, f"policy {policy.version} gives the same; reasons: {codes}")


def _prediction_read(routing: Mapping[str, Any], told: Sequence[Mapping[str, Any]]) -> PredictionReading:
    """What the model's answer was read as; of an unusable one, only its faults are kept."""
    stated = routing["prediction"]
    if stated:
        return PredictionReading(Prediction(label=stated["label"], confidence=float(stated["confidence"])))
    faults = [reason for reason in told if reason["code"] not in _OF_THE_POLICY]
    return PredictionReading(
        None,
        tuple(
            Reason(fault["code"], {name: value for name, value in fault.items() if name != "code"})
            for fault in faults
        ),
    )


def _sorted(reasons: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted(str(sorted(reason.items())) for reason in reasons)


def _pages(
    entries: Sequence[Mapping[str, Any]],
    *,
    record: Record | None,
    input_document: Mapping[str, Any] | None,
    find_text: FindText,
) -> tuple[Page, ...]:
    replaced = [entry["number"] for entry in entries if entry["event"] == "review_terms_replaced"]
    pages = []
    for entry in entries:
        if entry["event"] != "review_started":
            continue
        detail = entry["detail"]
        content = _content(record, detail["human_loop"], input_document)
        template_sha256 = record.terms.task_ui_sha256 if record else ""
        pages.append(
            Page(
                loop_name=detail["human_loop"],
                content_sha256=detail["input_content_sha256"],
                content=content,
                template_sha256=template_sha256,
                template=find_text(template_sha256) if template_sha256 else None,
                is_of_other_terms=any(number > entry["number"] for number in replaced),
            )
        )
    return tuple(pages)


def _content(
    record: Record | None, loop_name: str, input_document: Mapping[str, Any] | None
) -> Mapping[str, Any] | None:
    review = record.review_named(loop_name) if record else None
    if record is None or review is None or input_document is None:
        return None
    seat = Seat(review.seat, review.generation)
    return task_document(record, seat=seat, input_document=input_document)


def _check_pages(pages: Sequence[Page]) -> list[Check]:
    checks = []
    for page in pages:
        name = f"page of {page.loop_name}"
        if page.content is None:
            checks.append(
                Check(name, None, f"input or record is not there any more; hash {page.content_sha256}")
            )
            continue
        found = content_sha256(page.content)
        is_right = found == page.content_sha256
        if not is_right and page.is_of_other_terms:
            detail = f"the review's terms were replaced since; hash {page.content_sha256}"
            checks.append(Check(name, None, detail))
            continue
        detail = f"content {found}" + ("" if is_right else f", was {page.content_sha256}")
        if page.template is None:
            detail += f"; template {page.template_sha256 or 'unknown'} is not in the change log"
        else:
            detail += f"; template {page.template_sha256}"
        checks.append(Check(name, is_right, detail))
    return checks


def _check_answers(entries: Sequence[Mapping[str, Any]], *, record: Record | None) -> Check:
    """The readers' answers, merged again, give the label that the entry tells."""
    if record is None:
        return Check("answers", None, "there is no record that tells how answers are merged")
    answers: dict[str, SeatAnswer] = {}
    for entry in entries:
        detail = entry["detail"]
        if entry["event"] not in _ANSWERED:
            continue
        answers[detail["seat"]] = _seat_answer(detail, policy=record.terms.merge)
        if entry["event"] == "decided_by_people":
            team = [
                answer
                for seat, answer in answers.items()
                if is_of_second_team(seat) is is_of_second_team(detail["seat"])
            ]
            merged = agree(team)
            told = f"{len(team)} readers' answers give {merged.label!r}, the entry tells {detail['label']!r}"
            return Check("answers", merged.label == detail["label"], told)
    return Check("answers", None, "people have not decided")


def _seat_answer(detail: Mapping[str, Any], *, policy: MergePolicy) -> SeatAnswer:
    readings = [Reading(one["submitted_at"], one["worker_id"], one["label"]) for one in detail["answers"]]
    merged = merge(readings, policy=policy)
    return SeatAnswer(label=merged.label, no_label_code=merged.code, sign_offs=(), seconds=None)


def _check_record(
    record: Record | None, *, entries: Sequence[Mapping[str, Any]], label: str, source: str
) -> list[Check]:
    if record is None:
        return [Check("record", False, "there is no record")]
    last = entries[-1]
    facts: list[tuple[str, object, object]] = [
        ("state", str(record.state), last["to_state"]),
        ("entries", record.audit_length, len(entries)),
        ("label", record.outcome.label if record.outcome else "", label),
        ("source", str(record.outcome.source) if record.outcome else "", source),
        *_facts_of_route(record, entries),
        *_facts_of_sign_offs(record, entries),
        ("contested_by", record.contested_by, _last(entries, "contested").get("contested_by", "")),
        (
            "truth",
            record.truth.label if record.truth else "",
            _last(entries, "truth_recorded").get("label", ""),
        ),
    ]
    wrong = [f"{name} is {got!r}, the entries tell {told!r}" for name, got, told in facts if got != told]
    if record.state is State.RECEIVED:
        wrong.append("it is still RECEIVED")
    return [Check("record", not wrong, "; ".join(wrong) or "says what the entries tell")]


def _facts_of_route(record: Record, entries: Sequence[Mapping[str, Any]]) -> _Facts:
    routing = next((entry["detail"] for entry in entries if entry["event"] in ROUTED), None)
    if routing is None:
        return []
    route, prediction = record.route, record.prediction
    told_route, told = routing["route"] or {"to": "", "reasons": ()}, routing["prediction"] or {}
    return [
        ("policy", record.policy.version, routing["policy_version"]),
        ("input", record.input.sha256, routing["input_sha256"]),
        ("route", str(route.to) if route else "", told_route["to"]),
        (
            "reasons",
            [str(reason.code) for reason in route.reasons] if route else [],
            [reason["code"] for reason in told_route["reasons"]],
        ),
        (
            "prediction",
            (prediction.label, prediction.model, prediction.version) if prediction else (),
            (told["label"], told["model"], told["version"]) if told else (),
        ),
        # As near as every store can tell: none holds what is nearer to zero.
        (
            "confidence",
            round(prediction.confidence, 15) if prediction else None,
            round(float(told["confidence"]), 15) if told else None,
        ),
    ]


def _facts_of_sign_offs(record: Record, entries: Sequence[Mapping[str, Any]]) -> _Facts:
    decided = _last(entries, "decided_by_people")
    signed = record.outcome.sign_offs if record.outcome else ()
    return [
        ("reason_code", record.outcome.reason_code if record.outcome else "", decided.get("reason_code", "")),
        (
            "sign-offs",
            list(map(_signed, map(sign_off_document, signed))),
            list(map(_signed, decided.get("reviewers", ()))),
        ),
    ]


def _signed(sign_off: Mapping[str, Any]) -> dict[str, Any]:
    """All of it but the seconds, which not every store holds alike."""
    return {name: value for name, value in sign_off.items() if name != "seconds"}


def _last(entries: Sequence[Mapping[str, Any]], event: str) -> Mapping[str, Any]:
    """What the last entry of that event tells; nothing when there is none."""
    return next((entry["detail"] for entry in reversed(entries) if entry["event"] == event), {})
