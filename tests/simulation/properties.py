"""What must hold in every world, each as a function that yields what is wrong, in words.

The functions look at what really happened (what people did, what the model said, when a switch was on), which
the code under test cannot see, and do not use its judgement where it can be judged apart from it.
"""

import hmac
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from tests.simulation.history import History
from tests.simulation.review_backend import LATE, MISSING, POISONS, Given, Loop
from tests.simulation.scenario import (
    GROUNDS_CANARY,
    INPUT_CANARY,
    ISSUER,
    PUBLIC_TEAM,
    QUEUE,
    REFERENCE_CANARY,
    WITHHELD_CANARY,
    flow_definition,
    roster_of,
)
from tests.simulation.scheduler import EPOCH
from tests.simulation.store import Commit
from tests.simulation.world import POLICY_STALE_S

from overread.audit.chain import Head, Link, genesis, verify
from overread.decisions.record import TERMINAL, LoopEnd, Record, Reviewer, Seat, SignOff, State
from overread.decisions.seats import accepted, is_of_second_team, places
from overread.decisions.start_rate import MAX_AHEAD
from overread.instants import format_instant, parse_instant
from overread.review.wire import LoopStatus, content_sha256
from overread.routing.policy import MergePolicy
from overread_testing.decision_fakes import SPOT_CHECK_KEY

SLACK_S = 120.0
"""How long one run of a function may take, its slowest calls included."""
_OBJECTIONS = frozenset(
    {
        "reviewer_not_on_roster",
        "reviewer_revoked",
        "reviewer_not_qualified",
        "training_expired",
        "conflict_of_interest",
        "authority_exceeded",
    }
)
AUTOMATIC, BY_PEOPLE = "model", "human"
_ANSWER_EVENTS = frozenset({"answer_accepted", "readers_disagree", "decided_by_people"})
_PERSONAL = (WITHHELD_CANARY, INPUT_CANARY, REFERENCE_CANARY, GROUNDS_CANARY)

Property = Callable[[History], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Violation:
    """A property that does not hold in a world, and how."""

    seed: int
    property: str
    detail: str


def check(history: History) -> list[Violation]:
    """Everything that is wrong with a world."""
    seed = history.world.seed
    return [Violation(seed, one.__name__, detail) for one in PROPERTIES for detail in one(history)]


def at_most_one_decision_per_key(history: History) -> Iterator[str]:
    """A caller's key means one decision however often it is sent, and never another request's."""
    seen: dict[tuple[str, str, str], str] = {}
    for reply in history.world.replies:
        if reply.record is None or not reply.key[0]:
            continue
        known = seen.setdefault(reply.key, reply.record.decision_id)
        if known != reply.record.decision_id:
            yield f"key {reply.key[2]} gave {known} and {reply.record.decision_id}"
        if reply.record.request_sha256 != reply.request_sha256:
            yield f"key {reply.key[2]} gave the decision of another request"
    asked = {(one.caller, one.use_case, one.key) for one in history.world.asked}
    begun = sum(1 for record in history.records.values() if not record.supersedes)
    if begun > len(asked):
        yield f"{begun} decisions for {len(asked)} keys"
    for name, commits in history.commits.items():
        if sum(1 for one in commits if one.change.fence is None) > 1:
            yield f"{name} was begun twice"


def every_accepted_terminates(history: History) -> Iterator[str]:
    """What was ever taken on comes to an end once the faults have, with nothing left to do about it."""
    for record in history.records.values():
        if record.state not in TERMINAL:
            yield f"{record.decision_id} is still {record.state}"
        elif record.open_reviews:
            yield f"{record.decision_id} is {record.state} with reviews that nobody looks at"
    for reply in history.world.replies:
        if reply.record is not None and reply.record.decision_id not in history.records:
            yield f"{reply.record.decision_id} was promised and is not there"


def one_final(history: History) -> Iterator[str]:
    """A decision comes to its end once; nothing changes its outcome afterwards."""
    for name, commits in history.commits.items():
        ended: Record | None = None
        for commit in commits:
            record = commit.change.record
            if ended is not None and (record.state, record.outcome) != (ended.state, ended.outcome):
                yield f"{name} was {ended.state} and became {record.state} with another outcome"
            if record.state in TERMINAL:
                ended = record


def one_audit(history: History) -> Iterator[str]:
    """Every change of state has its one audit entry: numbered without a gap, and of that change."""
    for name, record in history.records.items():
        numbers = [link.entry["number"] for link in history.links.get(name, ())]
        if numbers != list(range(1, record.audit_length + 1)):
            yield f"{name} has audit entries {numbers}, not {record.audit_length}"
        moves = [
            ("RECEIVED" if one.before is None else str(one.before.state), str(one.change.record.state))
            for one in history.commits[name]
            if str(one.change.record.state) != ("RECEIVED" if one.before is None else str(one.before.state))
        ]
        told = [
            (link.entry["from_state"], link.entry["to_state"])
            for link in history.links.get(name, ())
            if link.entry["from_state"] != link.entry["to_state"]
        ]
        if moves != told:
            yield f"{name} went {moves}, the audit tells {told}"


def one_effect_equal(history: History) -> Iterator[str]:
    """Every end is told to every receiver; all copies are equal, and after deduplication there is one."""
    payloads: dict[tuple[str, str], str] = {}
    ends: Counter[tuple[str, str]] = Counter()
    for told in history.world.told:
        entry = told.entry
        known = payloads.get((entry.target, entry.dedupe_key))
        if known is None:
            payloads[entry.target, entry.dedupe_key] = entry.payload
            if entry.event in {"Decision Final", "Decision Cancelled"}:
                ends[entry.target, entry.decision_id] += 1
                yield from _wrong_payload(history, entry.decision_id, entry.target, entry.payload)
        elif known != entry.payload:
            yield f"{entry.dedupe_key} was told differently"
    for name, record in history.records.items():
        for target in ("events", "webhook") if record.terms.webhook else ("events",):
            if record.state in TERMINAL and ends[target, name] != 1:
                yield f"the end of {name} was told {ends[target, name]} times to {target}"


def _wrong_payload(history: History, name: str, target: str, payload: str) -> Iterator[str]:
    record = history.records.get(name)
    if record is None or target == "feedback":
        return
    told = json.loads(payload)
    label = record.outcome.label if record.outcome else None
    if (told["state"], told.get("outcome", {}).get("label")) != (record.state, label):
        yield f"{name} is {record.state} {label}, told was {told['state']} {told.get('outcome')}"


def chain_intact(history: History) -> Iterator[str]:
    """The audit chains are unbroken, and hold every entry once."""
    shards: dict[str, list[Link]] = {}
    for link in history.world.store.links:
        shards.setdefault(link.shard, []).append(link)
    for shard, links in shards.items():
        end: Head = history.world.store.head(shard)
        found = verify(links, from_head=genesis(shard), anchors=[end])
        for fault in found.faults:
            yield f"chain {shard}: {fault.code} at {fault.seq}: {fault.detail}"


def version_pinned(history: History) -> Iterator[str]:
    """What a review depends on stays as it was when routed, unless its team is gone and that is told."""
    for commit in history.world.store.commits:
        before, record = commit.before, commit.change.record
        if before is None or before.state is State.RECEIVED:
            continue
        is_replaced = bool(commit.change.audit) and commit.change.audit[0].event == "review_terms_replaced"
        if before.policy != record.policy or (before.terms != record.terms and not is_replaced):
            yield f"{record.decision_id} changed its policy on the way"
    for closing in history.closings:
        review, loop = closing.review, history.loop(closing.review.loop_name)
        if review.end is not LoopEnd.ANSWERED or loop is None:
            continue
        if loop.flow_definition_arn != review.flow_definition_arn:
            yield f"{loop.name} belongs to {loop.flow_definition_arn}, noted is {review.flow_definition_arn}"
        content = json.loads(loop.content)
        if content_sha256(content) != review.input_content_sha256:
            yield f"{loop.name} showed people something else than what was noted"
        if content.get("statement", "") != closing.commit.change.record.terms.statement:
            signed = {one.statement for one in review.answer.sign_offs} if review.answer else set()
            if signed - {content.get("statement", "")}:
                yield f"{loop.name} showed one statement and another was signed"


def human_when_required(history: History) -> Iterator[str]:
    """The model decides only what it is sure of, where no rule, draw or setting wants people."""
    for commit in history.settlements:
        record = commit.change.record
        if record.outcome is None or record.outcome.source != AUTOMATIC:
            continue
        deployed = history.deployed(record)
        policy, said = deployed.policy, history.said(record)
        if policy.mode == "shadow":
            continue
        if said is None or not isinstance(said.confidence, float):
            yield f"{record.decision_id} was decided by a model that said nothing of use"
        elif not said.confidence >= policy.threshold:
            yield f"{record.decision_id} was decided at {said.confidence} under {policy.threshold}"
        if policy.always_review:
            yield f"{record.decision_id} was decided by the model where people always look"
        if policy.rules and history.input_of(record)["amount"] > 9000:
            yield f"{record.decision_id} was decided by the model against a rule"
        if _position(record.decision_id) < policy.spot_check_probability:
            yield f"{record.decision_id} was decided by the model although it was drawn"


def kill_switch_no_leak(history: History) -> Iterator[str]:
    """No decision of the model takes effect while a kill switch over it is on."""
    for commit in history.settlements:
        outcome = commit.change.record.outcome
        if commit.is_switched_off and outcome is not None and outcome.source == AUTOMATIC:
            yield f"{commit.change.record.decision_id} was decided by the model while it was switched off"


def authorised_reviewer(history: History) -> Iterator[str]:
    """What people decided was said by those very people, who were entitled to by the roster in force."""
    for commit in history.settlements:
        record = commit.change.record
        if record.outcome is None or record.outcome.source != BY_PEOPLE:
            continue
        if not record.outcome.sign_offs:
            yield f"{record.decision_id} was decided by nobody"
        for sign_off in record.outcome.sign_offs:
            if not _was_said(history, record, sign_off):
                yield f"{record.decision_id}: {sign_off.reviewer.sub} never said {sign_off.label}"
    for closing in history.closings:
        record, review = closing.commit.change.record, closing.review
        if review.end is LoopEnd.ANSWERED and record.terms.requires_roster:
            for sign_off in review.answer.sign_offs if review.answer else ():
                yield from _objections(history, closing.commit, sign_off)


def _was_said(history: History, record: Record, sign_off: SignOff) -> bool:
    return any(
        (given.person.sub, ISSUER, given.label)
        == (sign_off.reviewer.sub, sign_off.reviewer.issuer, sign_off.label)
        for loop in history.loops.get(record.decision_id, ())
        for given in loop.given
        if loop.status is LoopStatus.COMPLETED and loop.output_kind not in POISONS
    )


def _objections(history: History, commit: Commit, sign_off: SignOff) -> Iterator[str]:
    """By every roster that was in force while the answer was judged: one must allow it."""
    store, record = history.world.store, commit.change.record
    facts = history.input_of(record)
    times = (parse_instant(sign_off.accepted_at), parse_instant(sign_off.submitted_at))
    objections = []
    for index, roster in enumerate(store.rosters):
        ends_at = store.rosters[index + 1].at if index + 1 < len(store.rosters) else float("inf")
        if roster.at > commit.at or ends_at < commit.at - SLACK_S:
            continue
        found = roster_of(store.roster_bodies[roster.sha256])
        objection = None
        for at in times:
            objection = objection or found.objection(
                sign_off.reviewer,
                use_case=record.use_case,
                at=at,
                amount=facts["amount"],
                conflict_key=facts["customer"],
            )
        if objection is None:
            return
        objections.append(objection.code)
    yield f"{record.decision_id}: {sign_off.reviewer.sub} was not entitled: {objections or 'no roster'}"


def distinct_reviewers(history: History) -> Iterator[str]:
    """Nobody reads a case twice, nor one that contests a decision of theirs; two persons means two."""
    for record in history.records.values():
        people = [
            sign_off.reviewer.person
            for review in record.reviews
            if review.end is LoopEnd.ANSWERED and review.answer
            for sign_off in review.answer.sign_offs
        ]
        if len(set(people)) < len(people):
            yield f"{record.decision_id} was read twice by one person"
        old = history.records.get(record.supersedes)
        before: tuple[Reviewer, ...] = old.outcome.reviewers if old and old.outcome else ()
        if set(people) & {reviewer.person for reviewer in before}:
            yield f"{record.decision_id} was read by somebody whose decision it contests"
        is_by_people = record.outcome is not None and record.outcome.source == BY_PEOPLE
        if is_by_people and record.terms.two_person and len(set(people)) < 2:
            yield f"{record.decision_id} wants two persons and had {len(set(people))}"
        labels = [answer.label for answer in accepted(record) if answer.label]
        is_settled = len(labels) > 2 or (record.outcome and labels.count(record.outcome.label) > 1)
        if is_by_people and record.terms.two_person and not is_settled:
            yield f"{record.decision_id} was decided by one of {labels}"


def answer_at_current_generation(history: History) -> Iterator[str]:
    """Only answers to the generation that the decision waits for decide it."""
    for commit in history.settlements:
        record, before = commit.change.record, commit.before
        if record.outcome is None or record.outcome.source != BY_PEOPLE or before is None:
            continue
        current = {(seat.name, seat.generation) for seat in before.seats}
        for sign_off in record.outcome.sign_offs:
            if not any(
                sign_off in review.answer.sign_offs and (review.seat, review.generation) in current
                for review in record.reviews
                if review.answer is not None
            ):
                yield f"{record.decision_id} was decided by an answer of an old generation"


def no_discarded_answer(history: History) -> Iterator[str]:
    """A review is closed only when it has ended; a valid answer counts, or came after the decision's end."""
    for closing in history.closings:
        review, commit = closing.review, closing.commit
        loop = history.loop(review.loop_name)
        if loop is None:
            continue
        if loop.ended_at is None or loop.ended_at > commit.at:
            yield f"{loop.name} was closed as {review.end} {review.end_code} while people could answer"
            continue
        if review.end is LoopEnd.UNUSABLE and loop.is_answered:
            yield from _unjustified(history, loop, review.end_code, commit)
        if review.end is LoopEnd.LATE and commit.before is not None:
            is_current = Seat(review.seat, review.generation) in commit.before.seats
            if is_current and commit.before.state not in TERMINAL and loop.is_answered:
                yield f"the answer of {loop.name} was late for a decision that waits for it"
    for record in history.records.values():
        for loop in history.loops.get(record.decision_id, ()):
            if loop.is_answered and loop.output_kind != MISSING and _is_lost(record, loop, history):
                yield f"the answer of {loop.name} was never heard of"


def _unjustified(history: History, loop: Loop, code: str, commit: Commit) -> Iterator[str]:
    """Why an answer that people gave may be refused: who they are, or that nobody could read it in time."""
    record = commit.change.record
    people = {(given.person.sub, ISSUER) for given in loop.given}
    if code == "output_unreadable":
        is_justified = loop.output_kind in {LATE, MISSING} or _was_out(history)
    elif code == "same_reviewer":
        is_justified = bool(people & _readers(record))
    elif code == "excluded_reviewer":
        is_justified = bool(people & {reviewer.person for reviewer in record.excluded})
    else:
        is_justified = code in _OBJECTIONS and record.terms.requires_roster
    if not is_justified:
        yield f"{loop.name} was answered and closed as {code}"


def _readers(record: Record) -> set[tuple[str, ...]]:
    """Everybody whose answer to the decision counts."""
    return {
        sign_off.reviewer.person
        for review in record.reviews
        if review.end is LoopEnd.ANSWERED and review.answer
        for sign_off in review.answer.sign_offs
    }


def _was_out(history: History) -> bool:
    """Whether the outputs' store may have been down for so long that waiting had its end."""
    return history.world.planned_rate > 0.1 or any(
        out[0] == "outputs" for out in history.world.planned_outages
    )


def _is_lost(record: Record, loop: Loop, history: History) -> bool:
    """Whether an answer that the decision was waiting for stands nowhere in its record.

    Who cancels does not ask for loops that were never noted.
    """
    review = record.review_named(loop.name)
    if review is not None:
        return review.end is LoopEnd.OPEN
    if record.state is State.CANCELLED:
        return False
    ended = next(
        (c.at for c in history.commits[record.decision_id] if c.change.record.state in TERMINAL), 0.0
    )
    entry = history.world.store.loops[loop.name]
    is_current = Seat(entry.seat, entry.generation) in record.seats
    return is_current and record.escalation is None and loop.ended_at is not None and loop.ended_at < ended


def one_active_loop(history: History) -> Iterator[str]:
    """No seat has two loops open at once, and the second team begins when the first has ended.

    What cannot be prevented, as StartHumanLoop knows no fence: a start that was under way when the decision
    was escalated. Its starter stops that loop when it finds out, else the reverse sweep does.
    """
    store = history.world.store
    for name, loops in history.loops.items():
        for loop in loops:
            seat = store.loops[loop.name].seat
            for other in loops:
                if other is loop or other.started_at > loop.started_at:
                    continue
                ended_at = float("inf") if other.ended_at is None else other.ended_at
                if ended_at <= loop.started_at:
                    continue
                other_seat = store.loops[other.name].seat
                is_handed_over = is_of_second_team(seat) and not is_of_second_team(other_seat)
                if seat == other_seat or (is_handed_over and not _was_under_way(history, name, other)):
                    yield f"{name}: {loop.name} began while {other.name} was open"


def _was_under_way(history: History, name: str, loop: Loop) -> bool:
    """Whether whoever started the loop may not have known yet that the decision was escalated."""
    escalated = (commit for commit in history.commits[name] if commit.change.record.escalation is not None)
    first = next(escalated, None)
    if first is None or first.change.record.review_named(loop.name) is not None:
        return False
    return loop.started_at > first.at - SLACK_S


def no_orphan_loop(history: History) -> Iterator[str]:
    """Every human loop belongs to a decision that named it before it began; in the end none is open."""
    named = {
        entry.loop_name: commit.at for commit in history.world.store.commits for entry in commit.change.loops
    }
    for loop in history.world.backend.loops.values():
        if named.get(loop.name, float("inf")) > loop.started_at:
            yield f"{loop.name} began without a decision that names it"
        if loop.is_open:
            yield f"{loop.name} is open for ever"


def expiry_never_auto(history: History) -> Iterator[str]:
    """What people were asked about is never given to the model by an expiry, failure or deadline."""
    for commit in history.settlements:
        outcome, before = commit.change.record.outcome, commit.before
        if outcome is None or outcome.source != AUTOMATIC:
            continue
        if before is None or before.state is not State.RECEIVED or before.reviews:
            yield f"{commit.change.record.decision_id} was with people and decided by the model"


def nan_to_human(history: History) -> Iterator[str]:
    """No reply without a known label and a confidence in [0, 1] ever becomes an outcome."""
    for commit in history.settlements:
        record = commit.change.record
        if record.outcome is None or record.outcome.source != AUTOMATIC:
            continue
        said = history.said(record)
        if said is None or not said.is_usable or said.label != record.outcome.label:
            yield f"{record.decision_id} was decided by an abnormal reply"


def sample_stable(history: History) -> Iterator[str]:
    """Whether a case is a spot check is fixed by its id: no retry rolls again."""
    for record in history.records.values():
        if record.route is None or record.supersedes:
            continue
        probability = history.deployed(record).policy.spot_check_probability
        drawn = _position(record.decision_id) < probability
        if record.route.is_spot_check is not drawn:
            yield f"{record.decision_id} is a spot check: {record.route.is_spot_check}, drawn was {drawn}"


def merge_commutative(history: History) -> Iterator[str]:
    """Several answers come to what they say together, whatever order they arrived in."""
    for commit in history.settlements:
        record = commit.change.record
        if record.outcome is None or record.outcome.source != BY_PEOPLE or commit.before is None:
            continue
        answered = [review for review in record.reviews if review.end is LoopEnd.ANSWERED]
        is_second = bool(answered) and any(
            is_of_second_team(review.seat)
            and commit.before.review_named(review.loop_name) in commit.before.open_reviews
            for review in answered
        )
        current = {(seat.name, seat.generation) for seat in record.seats}
        labels = []
        for review in answered:
            loop = history.loop(review.loop_name)
            if (
                is_of_second_team(review.seat) is is_second
                and (review.seat, review.generation) in current
                and loop
            ):
                labels.append(_merged(loop.given, record.terms.merge))
        if _agreed(labels) != record.outcome.label:
            yield f"{record.decision_id} is {record.outcome.label}, its readers said {labels}"


def _merged(given: list[Given], merge: MergePolicy) -> str:
    """One loop's answers by the use case's rule; empty where they come to none."""
    if merge is MergePolicy.FIRST:
        return min(given, key=lambda one: (_text(one.submitted_at), one.person.worker_id)).label
    labels = [one.label for one in given]
    if "" in labels:
        return ""
    needed = len(labels) if merge is MergePolicy.UNANIMOUS else len(labels) // 2 + 1
    return next((label for label in labels if labels.count(label) >= needed), "")


def _agreed(labels: list[str]) -> str:
    if len(labels) == 1:
        return labels[0]
    return next((label for label in labels if labels.count(label) > 1 and "" not in labels), "")


def _text(seconds: float) -> str:
    return format_instant(EPOCH + timedelta(seconds=seconds))


def replay_same_response(history: History) -> Iterator[str]:
    """Who asks again gets what stood there before, or what came after it; an end stays as it was."""
    latest: dict[str, tuple[float, Record]] = {}
    for reply in history.world.replies:
        record = reply.record
        if record is None:
            continue
        known = latest.get(record.decision_id)
        if known is not None and reply.began_at >= known[0]:
            before = known[1]
            if record.revision < before.revision:
                yield f"{record.decision_id} was shown at revision {before.revision}, then {record.revision}"
            if before.state in TERMINAL and (record.state, record.outcome) != (before.state, before.outcome):
                yield f"{record.decision_id} was shown as {before.state}, then as something else"
        if known is None or record.revision >= known[1].revision:
            latest[record.decision_id] = (reply.at, record)


def erase_keeps_chain(history: History) -> Iterator[str]:
    """The audit chain holds nothing of a case's content, so that erasing the content breaks no link."""
    for link in history.world.store.links:
        text = str(link.entry)
        if "canary" in text:
            found = [one for one in _PERSONAL if one in text]
            yield f"entry {link.seq} of chain {link.shard} holds {', '.join(found)}"


def no_pii_public(history: History) -> Iterator[str]:
    """Withheld fields reach neither model nor people, and public teams only what has no personal data."""
    for loop in history.world.backend.loops.values():
        if WITHHELD_CANARY.encode() in loop.content:
            yield f"{loop.name} shows a field that is withheld"
        is_public = flow_definition(loop.flow_definition_arn).team == PUBLIC_TEAM
        if is_public and not loop.free_of_personal_data:
            yield f"{loop.name} went to a public team with personal data"
    for spoke in history.world.spoken:
        if WITHHELD_CANARY.encode() in spoke.body:
            yield f"{spoke.inference_id} told the model a field that is withheld"


def bounded_staleness(history: History) -> Iterator[str]:
    """A decision is routed by a version that was in force when its run began, or a cache's life before."""
    for commit in history.routings:
        record = commit.change.record
        deployed = history.deployed(record)
        begin = commit.at - POLICY_STALE_S - SLACK_S
        if not history.in_force(deployed, record.use_case, begin=begin, end=commit.at):
            yield f"{record.decision_id} was routed by version {record.policy.version}, long replaced"


def budget_respected(history: History) -> Iterator[str]:
    """A team has no more open loops than it may, places are given back, and starts keep to their rate.

    A loop that was not noted when its decision was escalated holds no place until it is.
    """
    store = history.world.store
    held = sum(places(record) for record in history.records.values())
    if store.places.get(QUEUE, 0) != held:
        yield f"{store.places.get(QUEUE, 0)} places are taken, {held} are held"
    limits = [
        one.policy.review.max_open or 0 for versions in history.world.policies.values() for one in versions
    ]
    noted = {
        commit.change.audit[0].detail["human_loop"]
        for commit in store.commits
        if commit.change.audit
        and commit.change.audit[0].event == "review_started"
        and commit.change.record.escalation is None
    }
    open_now: list[tuple[float, int]] = []
    for name, loops in history.loops.items():
        if history.records[name].terms.max_open is None:
            continue
        for loop in loops:
            if history.is_first_team(loop) and loop.name in noted:
                open_now += [(loop.started_at, 1), (loop.ended_at or float("inf"), -1)]
    count = 0
    for _, change in sorted(open_now):
        count += change
        if count > max(limits):
            yield f"{count} loops were open in a queue of {max(limits)}"
            break
    yield from _too_fast(history)


def _too_fast(history: History) -> Iterator[str]:
    world, starts = history.world, history.world.backend.starts
    if world.planned_skew_s > MAX_AHEAD.total_seconds():
        return  # between clocks that far apart the bucket is set back, and fills again
    slack_s = 2 * world.planned_skew_s + SLACK_S * (world.planned_rate > 0) + 2.0
    for first, began in enumerate(starts):
        for last in range(first + world.rate.burst, len(starts)):
            allowed = world.rate.burst + world.rate.per_second * (starts[last] - began + slack_s) + 1
            if last - first + 1 > allowed:
                yield f"{last - first + 1} loops were started within {starts[last] - began:.1f} s"
                return


def invocations_identified(history: History) -> Iterator[str]:
    """Every question to the model carries decision and attempt; none is asked twice under one name."""
    names = Counter(one.inference_id for one in history.world.spoken)
    for name, times in names.items():
        if times > 1:
            yield f"{name} was asked {times} times"


def no_unexpected_error(history: History) -> Iterator[str]:
    """No function dies of anything but what services and callers do to it."""
    yield from history.world.errors


def _position(decision_id: str) -> float:
    digest = hmac.digest(SPOT_CHECK_KEY, decision_id.encode(), sha256)
    return int.from_bytes(digest[:6], "big") / 2**48


PROPERTIES: tuple[Property, ...] = (
    at_most_one_decision_per_key,
    every_accepted_terminates,
    one_final,
    one_audit,
    one_effect_equal,
    chain_intact,
    version_pinned,
    human_when_required,
    kill_switch_no_leak,
    authorised_reviewer,
    distinct_reviewers,
    answer_at_current_generation,
    no_discarded_answer,
    one_active_loop,
    no_orphan_loop,
    expiry_never_auto,
    nan_to_human,
    sample_stable,
    merge_commutative,
    replay_same_response,
    erase_keeps_chain,
    no_pii_public,
    bounded_staleness,
    budget_respected,
    invocations_identified,
    no_unexpected_error,
)
