"""The mechanisms switched off one at a time: who does not notice proves nothing by finding no fault."""

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from itertools import count
from typing import Any
from unittest.mock import patch

from tests.simulation import actors
from tests.simulation.actors import Functions
from tests.simulation.handlers import Handler, LoopsPort, RecordsPort
from tests.simulation.runner import Run, run_worlds
from tests.simulation.store import Store
from tests.simulation.world import World

from overread.decisions import (
    audit_details,
    documents,
    entitlement,
    ingest,
    moves,
    news,
    predict,
    seats,
    settling,
    start_loop,
    submit,
    sweep,
    transitions,
)
from overread.decisions.agreement import Agreement
from overread.decisions.commit import commit_change
from overread.decisions.documents import task_document
from overread.decisions.ports import Batch, Guard, Switches
from overread.decisions.record import (
    TERMINAL,
    Change,
    Fence,
    LoopEnd,
    LoopEntry,
    OutboxEntry,
    Outcome,
    Record,
    Review,
    Seat,
    SeatAnswer,
    State,
    StoredObject,
)
from overread.errors import RecordConflictError
from overread.review.wire import HumanLoop, LoopStatus
from overread.routing import prediction, route
from overread.routing.prediction import Reason
from overread.strict_json import canonical_json, parse_json
from overread_testing.decision_fakes import OUTPUT_BUCKET

FIRST_SEED = 1


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mechanism off: what stands instead of which attributes of which objects."""

    name: str
    """What is wrong, in words."""
    patches: Callable[[], list[tuple[object, str, object]]]

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """While it is in place of what is right."""
        with ExitStack() as stack:
            for target, attribute, instead in self.patches():
                stack.enter_context(patch.object(target, attribute, instead))
            yield


def kill(mutant: Mutant, *, most: int) -> Run:
    """Worlds with the mutant until a property does not hold, or until so many decisions."""
    with mutant.at_work():
        return run_worlds(count(FIRST_SEED), decisions=most, is_enough=lambda run: bool(run.violations))


def kill_all(names: list[str], *, most: int) -> Iterator[tuple[Mutant, Run]]:
    """The mutants of those names, or all, and what it took."""
    for mutant in MUTANTS:
        if not names or mutant.name in names:
            yield mutant, kill(mutant, most=most)


def _nothing(*arguments: object, **named: object) -> None:
    return None


def _random_name(prefix: str) -> Callable[..., str]:
    numbers = count()

    def name(*arguments: object, **named: object) -> str:
        digest = base64.b32encode(sha256(str(next(numbers)).encode()).digest()).decode().lower()
        return f"{prefix}{digest[:26]}" + ("-g1" if prefix == "h-" else "")

    return name


def _fence_by_state(self: Store, before: Record | None, fence: Fence | None, record: Record) -> None:
    if (before is None) is not (fence is None) or (before and fence and before.state is not fence.state):
        raise RecordConflictError(record.decision_id)


_check_fence = Store.check_fence


def _no_fence_at_the_end(self: Store, before: Record | None, fence: Fence | None, record: Record) -> None:
    if record.state is not State.FINAL:
        _check_fence(self, before, fence, record)


class _Told:
    """A `HumanLoops` that knows a loop from its event."""

    def __init__(self, handler: Handler, told: HumanLoop) -> None:
        self._told = told
        self._port = LoopsPort(handler)

    def describe(self, name: str) -> HumanLoop | None:
        return self._told

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)


def _hear(self: Functions, name: str, claimed: str, handler: Handler) -> None:
    loop = self.world.backend.loops.get(name)
    if loop is None:
        return
    uri = f"s3://{OUTPUT_BUCKET}/{name}/output.json"
    told = _Told(handler, HumanLoop(name, "", loop.flow_definition_arn, claimed, uri))
    ports = replace(handler.ingest_ports, loops=told)
    ingest.ingest(name, ports=ports, clock=handler.clock)


def _cached_guard() -> Callable[..., Guard]:
    head_and_switches = Store.guard
    seen: dict[tuple[int, str], tuple[float, Switches]] = {}

    def guard(self: Store, shard: str, use_case: str) -> Guard:
        now, key = self._now(), (id(self), use_case)
        current = head_and_switches(self, shard, use_case)
        cached = seen.get(key)
        if cached is None or not 0 <= now - cached[0] < 60.0:
            seen.clear()
            seen[key] = cached = (now, current.switches)
        return replace(current, switches=cached[1])

    return guard


def _audit_afterwards(self: RecordsPort, batch: Batch) -> None:
    handler, store = self._handler, self._handler.world.store
    handler.call("commit", store.commit, replace(batch, links=()))
    if batch.links:
        handler.call("audit", store.append, batch.links)


def _tell_at_once(self: RecordsPort, batch: Batch) -> None:
    handler, world = self._handler, self._handler.world
    handler.call("commit", world.store.commit, replace(batch, change=replace(batch.change, outbox=())))
    for entry in batch.change.outbox:
        handler.call("deliver", world.receive, entry)


def _start_before_commit(self: RecordsPort, batch: Batch) -> None:
    handler, record = self._handler, batch.change.record
    if record.state is State.PENDING and batch.change.audit and not record.reviews:
        (seat, *_), body = record.seats, handler.world.read_input(record.input)
        handler.call(
            "start",
            handler.world.backend.start,
            seats.loop_of(record, seat),
            seats.flow_definition_of(record.terms, seat.name),
            canonical_json(task_document(record, seat=seat, input_document=parse_json(body))),
            record.terms.free_of_personal_data,
        )
    handler.call("commit", handler.world.store.commit, batch)


def _unpinned(self: RecordsPort, decision_id: str) -> Record | None:
    world = self._handler.world
    record = self._handler.call("get", world.store.get, decision_id)
    if record is None or record.state in {State.RECEIVED, State.FINAL, State.CANCELLED}:
        return record
    return replace(record, terms=world.policy_in_sight(record.use_case).review)


def _new_key() -> Callable[[World, OutboxEntry], None]:
    receive, numbers = World.receive, count()

    def received(self: World, entry: OutboxEntry) -> None:
        receive(self, replace(entry, dedupe_key=f"{entry.dedupe_key}/{next(numbers)}"))

    return received


def _new_payload() -> Callable[[World, OutboxEntry], None]:
    receive = World.receive

    def received(self: World, entry: OutboxEntry) -> None:
        record = self.store.records.get(entry.decision_id)
        if record is not None:
            entry = replace(entry, payload=news.news_of(record, entry.event, at=entry.created_at)[0].payload)
        receive(self, entry)

    return received


def _by_the_model(record: Record, *, at: datetime) -> Change:
    label = record.prediction.label if record.prediction else record.terms.labels[0]
    outcome = Outcome(label=label, source="model", reason_code="", decided_at=at, seconds=None, sign_offs=())
    return moves.move(
        record,
        State.FINAL,
        sources=frozenset(State),
        at=at,
        event="decided_by_model",
        tell=news.FINAL,
        outcome=outcome,
        waiting=None,
        is_admitted=False,
        due_at=at if record.open_reviews else None,
    )


_review_again, _escalate, _postpone = settling.review_again, settling.escalate, transitions.postpone


def _approve_expired(
    record: Record, *, seat: Seat, reason: Reason, output: StoredObject | None, at: datetime
) -> Change:
    if reason.code == "loop_failed" and record.state is State.IN_REVIEW:
        return _by_the_model(record, at=at)
    return _review_again(record, seat=seat, reason=reason, output=output, at=at)


def _approve_late(record: Record, *, reason: Reason, at: datetime) -> Change:
    return _by_the_model(record, at=at)


def _restart(record: Record, *, is_unknown: bool, at: datetime, **named: Any) -> Change:
    if not is_unknown:
        return _postpone(record, is_unknown=False, at=at, **named)
    seat = seats.seats_to_start(record)[0]
    return _review_again(record, seat=seat, reason=Reason("start_failed"), output=None, at=at)


def _impatient(record: Record, review: Review, error: Exception, *, at: datetime) -> Change:
    return ingest._again(record, review, Reason("output_unreadable"), output=None, at=at)


def _stop_and_forget(record: Record, review: Review, *, ports: Any) -> None:
    if not sweep._is_unwanted(record, review):
        return
    ports.loops.stop(review.loop_name)
    seat = Seat(review.seat, review.generation)
    at = record.due_at or record.updated_at
    change = _review_again(record, seat=seat, reason=Reason("loop_stopped"), output=None, at=at)
    commit_change(change, records=ports.records)


_objection_to = entitlement.objection_to


def _no_roster(answer: SeatAnswer, *, record: Record, **named: Any) -> Reason | None:
    terms = replace(record.terms, requires_roster=False)
    return _objection_to(answer, record=replace(record, terms=terms), **named)


def _nobody_excluded(answer: SeatAnswer, *, record: Record, **named: Any) -> Reason | None:
    return _objection_to(answer, record=replace(record, excluded=()), **named)


def _first_says_it_all(answers: list[SeatAnswer]) -> Agreement:
    return Agreement(label=answers[0].label, code="" if answers[0].label else "cannot_decide")


def _reroll() -> Callable[..., bool]:
    numbers = count()

    def drawn(key: bytes, *, decision_id: str, probability: float) -> bool:
        return (next(numbers) * 0.37) % 1.0 < probability

    return drawn


def _not_a_number(confidence: object) -> Reason | None:
    return None if isinstance(confidence, float) else Reason("confidence_not_a_number")


def _visible(document: Mapping[str, Any], *, withheld: tuple[str, ...]) -> dict[str, Any]:
    return dict(document)


def _any_generation(record: Record, group: tuple[Seat, ...]) -> list[SeatAnswer] | None:
    answers = []
    for seat in group:
        found = [one.answer for one in record.reviews if one.seat == seat.name and one.answer is not None]
        if not found:
            return None
        answers.append(found[-1])
    return answers


def _count_late(
    record: Record,
    review: Review | None,
    loop: HumanLoop,
    *,
    entry: LoopEntry,
    ports: Any,
    clock: Callable[[], datetime],
) -> Change | None:
    """Whatever is completed counts, whichever generation it answers."""
    if review is None or loop.status != LoopStatus.COMPLETED or record.state in TERMINAL:
        return None
    if review.end is LoopEnd.ANSWERED:
        return None
    return ingest._settle(record, review, loop, entry=entry, ports=ports, clock=clock)


def _stop_and_reopen(record: Record, review: Review, *, ports: Any) -> None:
    """A loop that takes long is given to the next generation while people may still answer it."""
    if record.state is not State.IN_REVIEW:
        return
    ports.loops.stop(review.loop_name)
    seat = Seat(review.seat, review.generation)
    at = record.due_at or record.updated_at
    change = _review_again(record, seat=seat, reason=Reason("took_long"), output=None, at=at)
    commit_change(change, records=ports.records)


def _same_attempt(record: Record, **named: Any) -> Change:
    change = _claim_attempt(record, **named)
    return replace(change, record=replace(change.record, attempts=record.attempts))


_claim_attempt, _routing_detail = transitions.claim_attempt, audit_details.routing_detail


def _telling_detail(record: Record) -> dict[str, Any]:
    return {**_routing_detail(record), "reference": record.reference}


def _start_as_public(self: LoopsPort, name: str, **named: Any) -> None:
    _start(self, name, **{**named, "free_of_personal_data": False})


_start = LoopsPort.start


def _ready(record: Record, clock: Callable[[], datetime]) -> bool:
    if record.state not in {State.PENDING, State.ESCALATED} or not seats.seats_to_start(record):
        return False
    return record.waiting is None or record.waiting.next_attempt_at <= clock()


def _one_senior(record: Record, *, generation: int) -> tuple[Seat, ...]:
    return (Seat(seats.SECOND_TEAM[0], generation),)


def _no_sweep() -> list[tuple[object, str, object]]:
    return [(Functions, "_plan_tick", _nothing)]


MUTANTS: tuple[Mutant, ...] = (
    Mutant("the fence knows no generation", lambda: [(Store, "check_fence", _fence_by_state)]),
    Mutant("the end is written without a fence", lambda: [(Store, "check_fence", _no_fence_at_the_end)]),
    Mutant("no idempotency key", lambda: [(submit, "decision_id", _random_name("d-"))]),
    Mutant("another body under a used key", lambda: [(submit, "_check_same_request", _nothing)]),
    Mutant("random names of loops", lambda: [(seats, "loop_name", _random_name("h-"))]),
    Mutant("the event's word counts", lambda: [(Functions, "hear", _hear)]),
    Mutant("kill switch read, then written", lambda: [(Store, "check_switches", _nothing)]),
    Mutant(
        "kill switch from a cache",
        lambda: [(Store, "check_switches", _nothing), (Store, "guard", _cached_guard())],
    ),
    Mutant("the chain's end is not compared", lambda: [(Store, "check_chain", _nothing)]),
    Mutant("audit outside the transaction", lambda: [(RecordsPort, "commit", _audit_afterwards)]),
    Mutant("no outbox", lambda: [(RecordsPort, "commit", _tell_at_once)]),
    Mutant("a new dedupe key each time", lambda: [(World, "receive", _new_key())]),
    Mutant("news made anew each time", lambda: [(World, "receive", _new_payload())]),
    Mutant("expiry approves", lambda: [(settling, "review_again", _approve_expired)]),
    Mutant("the deadline approves", lambda: [(settling, "escalate", _approve_late)]),
    Mutant("no sweeps", _no_sweep),
    Mutant("nobody resumes", lambda: [(actors, "resume", _nothing)]),
    Mutant("unknown is failed", lambda: [(transitions, "postpone", _restart)]),
    Mutant("no wait for the output", lambda: [(ingest, "_unreadable", _impatient)]),
    Mutant("no look after the stop", lambda: [(sweep, "_stop_unwanted", _stop_and_forget)]),
    Mutant("the next generation before the stop", lambda: [(sweep, "_stop_unwanted", _stop_and_reopen)]),
    Mutant("one senior decides alone", lambda: [(settling, "second_team_seats", _one_senior)]),
    Mutant("the second team does not wait", lambda: [(start_loop, "_is_ready", _ready)]),
    Mutant("unnoted loops are forgotten", lambda: [(start_loop, "_forgotten", _nothing)]),
    Mutant("loop before record", lambda: [(RecordsPort, "commit", _start_before_commit)]),
    Mutant("terms are not pinned", lambda: [(RecordsPort, "get", _unpinned)]),
    Mutant(
        "answers of any generation count",
        lambda: [(settling, "answers_of", _any_generation), (ingest, "_keep_if_late", _count_late)],
    ),
    Mutant("no roster", lambda: [(ingest, "objection_to", _no_roster)]),
    Mutant("one person twice", lambda: [(entitlement, "_readers_before", lambda record: set())]),
    Mutant("the first reader of a contest", lambda: [(ingest, "objection_to", _nobody_excluded)]),
    Mutant("no limit of the queue", lambda: [(Store, "check_queue", _nothing)]),
    Mutant("no rate of starts", lambda: [(Store, "take_start", lambda self, now: 0.0)]),
    Mutant("the first answer wins", lambda: [(settling, "agree", _first_says_it_all)]),
    Mutant("spot checks are drawn anew", lambda: [(route, "is_spot_check", _reroll())]),
    Mutant("any number is a confidence", lambda: [(prediction, "_confidence_fault", _not_a_number)]),
    Mutant("an attempt is not counted", lambda: [(transitions, "claim_attempt", _same_attempt)]),
    Mutant(
        "withheld fields are shown",
        lambda: [(documents, "visible_part", _visible), (predict, "visible_part", _visible)],
    ),
    Mutant("the audit tells the reference", lambda: [(transitions, "routing_detail", _telling_detail)]),
    Mutant("personal data in public", lambda: [(LoopsPort, "start", _start_as_public)]),
    Mutant(
        "the policy is never read again",
        lambda: [(World, "policy_in_sight", lambda self, use_case: self.policies[use_case][0].policy)],
    ),
)
