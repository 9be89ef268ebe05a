"""The decision's use cases in any order, with faults, deaths and races between any two of their steps.

Whatever happens, nobody decides who may not, nothing that ended changes, and afterwards the sweeps alone,
without a single event, bring every decision to its end.
"""

import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from overread.audit.chain import genesis, verify
from overread.decisions.callers import cancel, contest, learn_truth
from overread.decisions.codec import audit_item, record_of
from overread.decisions.documents import decision_document
from overread.decisions.ingest import ingest
from overread.decisions.record import TERMINAL, Change, LoopEnd, Record, State
from overread.decisions.resume import resume
from overread.decisions.seats import is_of_second_team, places
from overread.decisions.start_loop import start_loop, start_waiting
from overread.decisions.steered import ALL
from overread.decisions.steering import put_roster, turn_off, turn_on
from overread.decisions.sweep import SWEPT, reverse_sweep, sweep_review
from overread.errors import (
    AmbiguousError,
    PermanentError,
    RequestRefusedError,
    RetryableError,
    ServiceError,
)
from overread.instants import format_instant
from overread_testing.decision_builders import (
    FLOW_DEFINITION_ARN,
    NEXT_FLOW_DEFINITION_ARN,
    answer,
    output_document,
    policy,
)
from overread_testing.decision_fakes import World, service_error
from overread_testing.decision_worlds import post

SECOND_TEAM_ARN = FLOW_DEFINITION_ARN.replace("loan", "loan-seniors")
READERS = ("ada", "bob", "cyd", "dan")
STRANGER = "mal"
WHO = (*READERS, *READERS, STRANGER)
SAID = ("approve", "approve", "decline", "decline", "cannot-decide")
QUEUE = "loans"
SURE, UNSURE = b'{"label": "approve", "confidence": 0.95}', b'{"label": "approve", "confidence": 0.5}'
REPLIES = (SURE, UNSURE, UNSURE, UNSURE, b"oops")
SPOILT = ("", "", "", "", "", "label", "content", "missing", "elsewhere", "loop")
LABELS = ("approve", "decline")
ARNS = (FLOW_DEFINITION_ARN, NEXT_FLOW_DEFINITION_ARN, SECOND_TEAM_ARN)
ARROWS = {
    None: {State.RECEIVED, State.PENDING},
    State.RECEIVED: {State.RECEIVED, State.FINAL, State.PENDING, State.CANCELLED},
    State.PENDING: {State.PENDING, State.IN_REVIEW, State.ESCALATED, State.FINAL, State.CANCELLED},
    State.IN_REVIEW: {State.IN_REVIEW, State.PENDING, State.ESCALATED, State.FINAL, State.CANCELLED},
    State.ESCALATED: {State.ESCALATED, State.FINAL, State.CANCELLED},
    State.FINAL: {State.FINAL},
    State.CANCELLED: {State.CANCELLED},
}
NEWS = {
    State.FINAL: "Decision Final",
    State.ESCALATED: "Decision Escalated",
    State.CANCELLED: "Decision Cancelled",
}
BEFORE = (
    *("get", "guard", "write", "find_loop", "put_input", "read_input", "predict", "current_policy", "start"),
    *("describe", "stop", "names", "read_output", "roster", "spot_check_key", "due", "waiting"),
)
AFTER = ("write", "put_input", "start", "stop")
RACES = ("get", "guard", "write", "start", "describe", "read_output", "predict")


class KilledError(Exception):
    """The function died: nothing of it catches this."""


class Decisions(RuleBasedStateMachine):
    """One team, its seniors, callers, and everything that can go wrong between them."""

    world: World

    @initialize(
        two_person=st.booleans(),
        max_generations=st.integers(1, 3),
        max_open=st.sampled_from([None, 1, 2, 3]),
        requires_roster=st.booleans(),
        spot_check=st.sampled_from([0, 0, 1]),
        two_readers=st.sampled_from([0, 1]),
        has_seniors=st.booleans(),
        mode=st.sampled_from(["live", "live", "shadow"]),
    )
    def begin(
        self,
        *,
        two_person: bool,
        max_generations: int,
        max_open: int | None,
        requires_roster: bool,
        spot_check: int,
        two_readers: int,
        has_seniors: bool,
        mode: str,
    ) -> None:
        self.terms: dict[str, Any] = {
            "mode": mode,
            "routing__spot_check_probability": spot_check,
            "routing__spot_check_two_reader_share": two_readers,
            "review__two_person": two_person,
            "review__max_generations": max_generations,
            "review__queue": {"name": QUEUE} if max_open is None else {"name": QUEUE, "max_open": max_open},
            "review__requires_roster": requires_roster,
            "review__escalation_flow_definition_arn": SECOND_TEAM_ARN if has_seniors else None,
            "delivery": {"webhook": True, "feedback": True},
        }
        self.world = World(policy(**self.terms))
        self.said: dict[str, tuple[str, str, bool]] = {}
        self.off_roster: set[str] = {STRANGER}
        self.checked = 0
        self.last: dict[str, Record] = {}
        self.now_on_roster()

    # What callers do.

    @rule(
        key=st.integers(0, 3),
        reply=st.sampled_from(REPLIES),
        priority=st.sampled_from(["low", "normal", "high"]),
        deadline_s=st.sampled_from([None, None, 60, 7200]),
    )
    def ask(self, key: int, reply: bytes, priority: str, deadline_s: int | None) -> None:
        """A new request; a key that is known may have been used with another body."""
        self.world.models.reply = reply
        deadline = None
        if deadline_s is not None:
            deadline = format_instant(self.world.clock.now + timedelta(seconds=deadline_s))
        self.run(lambda: post(self.world, str(key), priority=priority, deadline=deadline))

    @rule(key=st.integers(4, 5), reply=st.sampled_from(REPLIES))
    def ask_again_and_again(self, key: int, reply: bytes) -> None:
        """The same request, which the model might answer otherwise at every attempt."""
        self.world.models.reply = reply
        before = {name for name in self.world.records.items if self.record(name).state is not State.RECEIVED}
        record = self.run(lambda: post(self.world, str(key)))
        if record is not None and record.decision_id in before:
            assert record == self.record(record.decision_id)

    @precondition(lambda self: self.world.records.items)
    @rule(
        what=st.sampled_from(["cancel", "contest", "contest", "truth"]),
        which=st.integers(0, 9),
        key=st.sampled_from("kl"),
        label=st.sampled_from(LABELS),
    )
    def come_back(self, what: str, which: int, key: str, label: str) -> None:
        """A caller withdraws, contests, or has learnt the truth."""
        world, name = self.world, self.pick(which)
        given: dict[str, Any] = {"by": "caller", "ports": world.change_ports, "clock": world.clock}
        calls: dict[str, Callable[[], Any]] = {
            "cancel": lambda: cancel(name, reason="withdrawn", **given),
            "contest": lambda: contest(name, grounds="", idempotency_key=key, **given),
            "truth": lambda: learn_truth(name, label=label, learnt_at=world.clock.now, **given),
        }
        self.run(calls[what])

    # What functions do.

    @precondition(lambda self: self.world.records.items)
    @rule(which=st.integers(0, 9), jitter=st.sampled_from([0.0, 0.9]))
    def start(self, which: int, jitter: float) -> None:
        self.run(self.starting(self.pick(which), jitter))

    @precondition(lambda self: self.world.loops.loops)
    @rule(which=st.integers(0, 9))
    def news(self, which: int) -> None:
        """An event about a loop: true, late, or again."""
        loops = sorted(self.world.loops.loops)
        self.run(self.ingesting(loops[which % len(loops)]))

    @rule()
    def sweep(self) -> None:
        self.sweep_all()
        self.stop_orphans()

    # What people do.

    @precondition(lambda self: self.world.records.items)
    @rule(
        answers=st.lists(
            st.tuples(st.sampled_from(WHO), st.sampled_from(SAID), st.sampled_from(SPOILT)),
            min_size=1,
            max_size=4,
        ),
        is_heard=st.booleans(),
    )
    def work(self, answers: list[tuple[str, str, str]], is_heard: bool) -> None:
        """Some minutes in which everything is started that can be, and the first loops are answered."""
        self.world.clock.pass_seconds(900)
        for name in sorted(self.world.records.items):
            self.run(self.starting(name, 0.0))
        is_open = [name for name, loop in self.world.loops.loops.items() if loop.status == "InProgress"]
        for name, (who, label, spoilt) in zip(is_open, answers, strict=False):
            self.say(name, who, label, spoilt=spoilt)
            if is_heard:
                self.run(self.ingesting(name))

    @precondition(lambda self: self.world.loops.loops)
    @rule(
        which=st.integers(0, 9),
        who=st.sampled_from(WHO),
        label=st.sampled_from(SAID),
        spoilt=st.sampled_from(SPOILT),
        is_heard=st.booleans(),
    )
    def answer(self, which: int, who: str, label: str, spoilt: str, is_heard: bool) -> None:
        """Somebody answers a loop; one that was stopped can be answered all the same."""
        loops = [name for name, loop in sorted(self.world.loops.loops.items()) if loop.status != "Completed"]
        if not loops:
            return
        name = loops[which % len(loops)]
        self.say(name, who, label, spoilt=spoilt)
        if is_heard:
            self.run(self.ingesting(name))

    @precondition(lambda self: self.world.loops.loops)
    @rule(which=st.integers(0, 9), status=st.sampled_from(["Failed", "Stopped"]))
    def end(self, which: int, status: str) -> None:
        """A loop ends without an answer."""
        name = sorted(self.world.loops.loops)[which % len(self.world.loops.loops)]
        if self.world.loops.loops[name].status == "InProgress":
            self.world.loops.end(name, status, failure_code="Expired" if status == "Failed" else "")

    @rule(seconds=st.sampled_from([10, 60, 600, 3600, 4 * 3600]))
    def wait(self, seconds: int) -> None:
        self.world.clock.pass_seconds(seconds)

    # What operators do, and what goes wrong.

    @rule(
        what=st.sampled_from(["on", "off", "revoke", "reinstate", "redeploy", "limit", "unlimit"]),
        scope=st.sampled_from([ALL, "loan-approval"]),
        who=st.sampled_from(READERS),
        arn=st.sampled_from([FLOW_DEFINITION_ARN, NEXT_FLOW_DEFINITION_ARN]),
    )
    def operate(self, what: str, scope: str, who: str, arn: str) -> None:
        """Kill switches, the roster, another flow definition in force, human loops at a limited rate."""
        if what in ("on", "off"):
            self.turn_switch(what == "on", scope)
        elif what == "redeploy":
            self.world.policies.policy = policy(**self.terms, review__flow_definition_arn=arn)
            self.world.loops.gone = {FLOW_DEFINITION_ARN, NEXT_FLOW_DEFINITION_ARN} - {arn}
        elif what in ("limit", "unlimit"):
            self.world.rate.tokens = 1 if what == "limit" else None
        else:
            self.off_roster = self.off_roster | {who} if what == "revoke" else {STRANGER}
            self.now_on_roster()

    @rule(
        operation=st.sampled_from(BEFORE),
        kind=st.sampled_from([RetryableError, AmbiguousError, PermanentError, KilledError]),
    )
    def fail_before(self, operation: str, kind: type[Exception]) -> None:
        self.world.faults.before.setdefault(operation, []).append(fault(kind))

    @rule(operation=st.sampled_from(AFTER), kind=st.sampled_from([AmbiguousError, KilledError]))
    def fail_after(self, operation: str, kind: type[Exception]) -> None:
        self.world.faults.after.setdefault(operation, []).append(fault(kind))

    @rule(
        operation=st.sampled_from(RACES),
        what=st.sampled_from(["cancel", "start", "news", "sweep", "switch", "answer", "resume"]),
        which=st.integers(0, 9),
    )
    def race(self, operation: str, what: str, which: int) -> None:
        """Another function runs just before the next such operation."""
        self.world.faults.hooks.setdefault(operation, []).append(lambda: self.meanwhile(what, which))

    # What must hold.

    @invariant()
    def every_write_is_an_arrow_and_what_ended_does_not_change(self) -> None:
        writes = self.world.records.writes
        for change in writes[self.checked :]:
            before = self.last.get(change.record.decision_id)
            check_arrow(before, change)
            if "decided_by_people" in {entry.event for entry in change.audit}:
                check_who_decided(change.record)
            self.last[change.record.decision_id] = change.record
        self.checked = len(writes)

    @invariant()
    def accepted_is_what_somebody_entitled_said(self) -> None:
        for record in self.records():
            for review in record.reviews:
                if review.end is LoopEnd.ANSWERED and review.answer is not None:
                    who, label, is_usable = self.said[review.loop_name]
                    assert is_usable
                    (sign_off,) = review.answer.sign_offs
                    assert sign_off.reviewer.worker_id == who
                    assert review.answer.label == ("" if label == "cannot-decide" else label)
                    assert who != STRANGER or not record.terms.requires_roster

    @invariant()
    def every_seat_has_one_loop_and_every_loop_an_entry(self) -> None:
        for record in self.records():
            is_open = Counter(review.seat for review in record.open_reviews)
            assert max(is_open.values(), default=0) <= 1
            assert len({is_of_second_team(seat) for seat in is_open}) <= 1, "both teams read at a time"
        assert set(self.world.loops.loops) <= set(self.world.records.loops)

    @invariant()
    def the_queue_holds_what_its_decisions_hold(self) -> None:
        assert self.world.records.open.get(QUEUE, 0) == sum(places(record) for record in self.records())

    @invariant()
    def the_model_never_decides_while_it_is_switched_off(self) -> None:
        on: set[str] = set()
        for link in self.world.records.links:
            event, detail = link.entry["event"], link.entry["detail"]
            if event in ("kill_switch_on", "kill_switch_off"):
                on = on | {detail["scope"]} if detail["is_on"] else on - {detail["scope"]}
            assert event != "decided_by_model" or not on

    @invariant()
    def nothing_open_is_forgotten(self) -> None:
        for record in self.records():
            is_open = record.state not in TERMINAL or record.open_reviews
            assert (record.due_at is not None) is bool(is_open)

    @invariant()
    def the_audit_tells_every_step_in_order(self) -> None:
        entries: dict[str, list[Any]] = {}
        for entry in self.world.records.audit:
            entries.setdefault(entry.decision_id, []).append(entry)
        for record in self.records():
            told = entries.get(record.decision_id, [])
            assert [entry.number for entry in told] == list(range(1, record.audit_length + 1))
            assert not told or told[-1].to_state == record.state
            assert all(one.to_state == next_.from_state for one, next_ in pairwise(told))

    @invariant()
    def the_world_is_told_of_every_end_once(self) -> None:
        told = Counter((one.decision_id, one.number, one.target) for one in self.world.records.outbox)
        assert max(told.values(), default=0) <= 1
        ends = Counter(
            (one.decision_id, one.event) for one in self.world.records.outbox if one.target == "webhook"
        )
        for record in self.records():
            for state, event in NEWS.items():
                was_there = record.state is state or (state is State.ESCALATED and record.escalation)
                assert ends[(record.decision_id, event)] == (1 if was_there else 0)

    @invariant()
    def a_waiting_caller_does_not_learn_what_the_model_said(self) -> None:
        for record in self.records():
            if record.state is not State.FINAL:
                text = json.dumps(decision_document(record))
                assert not any(told in text for told in ("approve", "decline", "0.5", "0.95", "outcome"))

    @invariant()
    def the_model_is_asked_once_an_attempt(self) -> None:
        asked = Counter(inference_id for _, _, inference_id in self.world.models.asked)
        assert max(asked.values(), default=0) <= 1

    def teardown(self) -> None:
        """Peace: from here on nothing fails, everybody answers, and no event is ever heard."""
        if not hasattr(self, "world"):
            return
        world = self.world
        world.faults.before.clear()
        world.faults.after.clear()
        world.faults.hooks.clear()
        world.rate.tokens = None
        world.loops.gone = set()
        world.policies.policy = policy(
            **{**self.terms, "review__escalation_flow_definition_arn": SECOND_TEAM_ARN}
        )
        fresh = [f"new-{index}" for index in range(400)]
        self.off_roster = {STRANGER}
        self.now_on_roster(*fresh)
        for scope in (ALL, "loan-approval"):
            self.turn_switch(False, scope)
        for _ in range(80):
            if not any(record.state not in TERMINAL or record.open_reviews for record in self.records()):
                break
            for name, loop in sorted(world.loops.loops.items()):
                if loop.status == "InProgress":
                    self.say(name, fresh.pop(), "approve")
            world.clock.pass_seconds(3600)
            self.sweep_all()
        self.check_the_end()

    def check_the_end(self) -> None:
        """Every decision has ended, no loop is open that people would answer in vain, the log is whole."""
        records, world = self.records(), self.world
        assert [record.state for record in records if record.state not in TERMINAL] == []
        assert [review for record in records for review in record.open_reviews] == []
        self.stop_orphans()
        assert [name for name, loop in world.loops.loops.items() if loop.status == "InProgress"] == []
        assert world.records.open.get(QUEUE, 0) == 0
        shards = {link.shard for link in world.records.links}
        for shard in shards:
            links = [link for link in world.records.links if link.shard == shard]
            assert verify(links, from_head=genesis(shard), anchors=[world.records.heads[shard]]).is_intact
        sealed = [dict(link.entry) for link in world.records.links if link.shard != "changes"]
        assert [entry["event"] for entry in sealed] == [
            audit_item(entry)["event"] for entry in world.records.audit
        ]
        for method in (
            self.every_write_is_an_arrow_and_what_ended_does_not_change,
            self.accepted_is_what_somebody_entitled_said,
            self.the_world_is_told_of_every_end_once,
        ):
            method()

    # How it is done.

    def run(self, work: Callable[[], Any]) -> Any:
        """What the work comes to; None when it was refused, failed in a way that it may, or died."""
        try:
            return work()
        except (RequestRefusedError, ServiceError, KilledError):
            return None

    def meanwhile(self, what: str, which: int) -> None:
        """Somebody else's function, between two steps of the first."""
        if what == "switch":
            self.turn_switch(True, ALL)
        elif what == "sweep":
            self.sweep_all()
        elif what == "answer" and self.world.loops.loops:
            name = sorted(self.world.loops.loops)[which % len(self.world.loops.loops)]
            if self.world.loops.loops[name].status != "Completed":
                self.say(name, READERS[which % len(READERS)], "decline")
        elif what == "news" and self.world.loops.loops:
            self.news(which)
        elif self.world.records.items:
            name = self.pick(which)
            world = self.world
            by = {"reason": "", "by": "caller"}
            works: dict[str, Callable[[], Any]] = {
                "cancel": lambda: cancel(name, **by, ports=world.change_ports, clock=world.clock),
                "start": self.starting(name, 0.0),
                "resume": lambda: resume(name, ports=world.submit_ports, clock=world.clock),
            }
            if what in works:
                self.run(works[what])

    def starting(self, name: str, jitter: float) -> Callable[[], Any]:
        world = self.world
        return lambda: start_loop(name, ports=world.start_ports, clock=world.clock, jitter=jitter)

    def ingesting(self, name: str) -> Callable[[], Any]:
        world = self.world
        return lambda: ingest(name, ports=world.ingest_ports, clock=world.clock)

    def sweep_all(self) -> None:
        """All that the schedules do each minute."""
        world = self.world
        for name in self.due(State.RECEIVED):
            self.run(lambda name=name: resume(name, ports=world.submit_ports, clock=world.clock))  # type: ignore[misc]
        for state in SWEPT:
            for name in self.due(state):
                self.run(lambda name=name: sweep_review(name, ports=world.ingest_ports, clock=world.clock))  # type: ignore[misc]
        self.run(lambda: start_waiting(QUEUE, ports=world.start_ports, clock=world.clock, jitter=0.0))
        for state in (State.ESCALATED, State.PENDING):
            for name in self.due(state):
                self.run(self.starting(name, 0.0))

    def stop_orphans(self) -> None:
        self.run(lambda: reverse_sweep(ARNS, ports=self.world.ingest_ports))

    def due(self, state: State) -> list[str]:
        return self.run(lambda: list(self.world.records.due(state, until=self.world.clock.now))) or []

    def say(self, name: str, who: str, label: str, *, spoilt: str = "") -> None:
        """Somebody's answer lies where the loop says, unless it is spoilt."""
        content = self.world.loops.content(name)
        document = output_document(
            loop_name="h-another" if spoilt == "loop" else name,
            decision_id=content["decision_id"],
            answers=[answer("maybe" if spoilt == "label" else label, workerId=who)],
            inputContent={**content, "labels": ["x"]} if spoilt == "content" else content,
            flowDefinitionArn=self.world.loops.loops[name].flow_definition_arn,
        )
        self.said[name] = (who, label, not spoilt)
        self.world.answer(name, document)
        if spoilt in ("missing", "elsewhere"):
            bucket = "outputs" if spoilt == "missing" else "elsewhere"
            self.world.loops.end(name, "Completed", output_uri=f"s3://{bucket}/nowhere.json")

    def turn_switch(self, is_on: bool, scope: str) -> None:
        world = self.world
        by: dict[str, Any] = {"by": "ann", "reason": "", "steering": world.steering, "clock": world.clock}
        if is_on:
            turn_on(scope, **by)
        else:
            turn_off(scope, needs_two=False, **by)

    def now_on_roster(self, *others: str) -> None:
        issuer = answer()["workerMetadata"]["identityData"]["issuer"]
        people = [
            {
                "sub": f"sub-of-{name}",
                "issuer": issuer,
                "name": name,
                "use_cases": {"loan-approval": {"qualified_until": "2036-01-01T00:00:00Z"}},
            }
            for name in (*READERS, *others)
            if name not in self.off_roster
        ]
        body = json.dumps({"schema": 1, "people": people}).encode()
        world = self.world
        put_roster(body, by="ann", reason="", needs_two=False, steering=world.steering, clock=world.clock)

    def pick(self, which: int) -> str:
        names = sorted(self.world.records.items)
        return names[which % len(names)]

    def record(self, name: str) -> Record:
        return record_of(self.world.records.items[name])

    def records(self) -> list[Record]:
        return [record_of(item) for item in self.world.records.items.values()]


def fault(kind: type[Exception]) -> Exception:
    return service_error(kind, "Broken") if issubclass(kind, ServiceError) else kind()


def check_arrow(before: Record | None, change: Change) -> None:
    """The write leads where an arrow leads, and leaves an end as it is."""
    after = change.record
    assert after.state in ARROWS[before.state if before else None]
    if before is None:
        return
    assert after.revision == before.revision + 1
    assert after.generation >= before.generation
    kept = ("outcome", "cancellation", "escalation")
    for name in kept:
        assert getattr(before, name) in (None, getattr(after, name))
    for name in (
        "decision_id",
        "input",
        "caller_scope",
        "request_sha256",
        "supersedes",
        "excluded",
        "separation",
    ):
        assert getattr(before, name) == getattr(after, name)
    if before.state in TERMINAL:
        assert after.route == before.route
        assert after.prediction == before.prediction
        assert after.seats == before.seats


def check_who_decided(record: Record) -> None:
    """People who are different, entitled, and as many as the case wants, said just this."""
    outcome = record.outcome
    assert outcome is not None
    people = [reviewer.person for reviewer in outcome.reviewers]
    assert len(set(people)) == len(people) >= 1
    assert not set(people) & {reviewer.person for reviewer in record.excluded}
    assert {sign_off.label for sign_off in outcome.sign_offs} == {outcome.label}
    accepted = [
        (review.seat, sign_off.reviewer.person)
        for review in record.reviews
        if review.end is LoopEnd.ANSWERED and review.answer is not None
        for sign_off in review.answer.sign_offs
    ]
    assert len({person for _, person in accepted}) == len(accepted)
    wants_two = record.terms.two_person or (record.route is not None and record.route.readers == 2)
    if wants_two and not any(is_of_second_team(seat) for seat, _ in accepted):
        assert len(people) >= 2
    if record.terms.two_person:
        assert len({person for _, person in accepted}) >= 2


Decisions.TestCase.settings = settings(
    max_examples=200,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestDecisions = Decisions.TestCase
