"""Reviews by two readers and a second team: who decides in the end, and who may not."""

import json
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from overread.decisions.callers import cancel
from overread.decisions.commit import commit_change
from overread.decisions.ingest import IngestResult, ingest
from overread.decisions.record import LoopEnd, Record, State
from overread.decisions.settling import escalate
from overread.decisions.start_loop import StartResult, start_loop
from overread.decisions.sweep import SweepResult, reverse_sweep, sweep_review
from overread.errors import AmbiguousError, PermanentError, RetryableError
from overread.routing.prediction import Reason
from overread_testing.decision_builders import (
    FLOW_DEFINITION_ARN,
    NEXT_FLOW_DEFINITION_ARN,
    answer,
    output_document,
    policy,
)
from overread_testing.decision_fakes import World, service_error
from overread_testing.decision_worlds import post

UNSURE = b'{"label": "approve", "confidence": 0.71}'
SECOND_TEAM_ARN = FLOW_DEFINITION_ARN.replace("loan", "loan-seniors")


def waiting(**changes: Any) -> World:
    """A world whose one decision waits for people."""
    world = World(policy(review__escalation_flow_definition_arn=SECOND_TEAM_ARN, **changes))
    world.models.reply = UNSURE
    post(world)
    return world


def start(world: World) -> StartResult:
    return start_loop(
        world.records.only().decision_id, ports=world.start_ports, clock=world.clock, jitter=0.0
    )


def names(world: World) -> list[str]:
    """The open loops, oldest first."""
    return [review.loop_name for review in world.records.only().open_reviews]


def say(world: World, name: str, label: str, *, who: str, **changes: Any) -> IngestResult:
    """Somebody answers the loop, and the news arrives."""
    content = world.loops.content(name)
    document = output_document(
        loop_name=name,
        decision_id=content["decision_id"],
        answers=[answer(label, workerId=who, **changes)],
        inputContent=content,
        flowDefinitionArn=world.loops.loops[name].flow_definition_arn,
    )
    world.answer(name, document)
    return ingest(name, ports=world.ingest_ports, clock=world.clock)


def pair(**changes: Any) -> World:
    """Two loops are open for two readers."""
    world = waiting(review__two_person=True, **changes)
    assert start(world) is StartResult.STARTED
    return world


def outcome(world: World) -> tuple[str, str, list[str]]:
    record = world.records.only()
    assert record.outcome is not None
    return (
        record.outcome.source,
        record.outcome.label,
        sorted(one.worker_id for one in record.outcome.reviewers),
    )


def test_two_readers_get_a_loop_of_one_worker_each() -> None:
    world = pair()
    record = world.records.only()
    assert record.state is State.IN_REVIEW
    assert [name[-4:] for name in names(world)] == ["g1-a", "g1-b"]
    a, b = (world.loops.content(name) for name in names(world))
    assert a == b
    assert a["separation"] == record.separation


def test_two_readers_who_agree_decide_and_both_sign() -> None:
    world = pair()
    a, b = names(world)
    assert say(world, a, "decline", who="ada") is IngestResult.ANSWER_ACCEPTED
    assert world.records.only().state is State.IN_REVIEW
    assert say(world, b, "decline", who="bob") is IngestResult.DECIDED
    assert outcome(world) == ("human", "decline", ["ada", "bob"])


def test_an_answer_counts_while_the_other_loop_is_yet_to_start() -> None:
    world = waiting(review__two_person=True)
    world.rate.tokens = 1
    start(world)
    assert world.records.only().state is State.PENDING
    (a,) = names(world)
    assert say(world, a, "approve", who="ada") is IngestResult.ANSWER_ACCEPTED
    world.rate.tokens = None
    world.clock.pass_seconds(31)
    start(world)
    (b,) = names(world)
    assert say(world, b, "approve", who="bob") is IngestResult.DECIDED


@pytest.mark.parametrize("third", ["approve", "decline"])
def test_a_third_reader_settles_a_disagreement(third: str) -> None:
    world = pair()
    a, b = names(world)
    say(world, a, "approve", who="ada")
    assert say(world, b, "decline", who="bob") is IngestResult.ANSWER_ACCEPTED
    assert world.records.only().state is State.PENDING
    start(world)
    (c,) = names(world)
    assert c.endswith("-c")
    say(world, c, third, who="cyd")
    assert outcome(world)[1] == third
    assert outcome(world)[2] == sorted(["cyd", "ada" if third == "approve" else "bob"])


def test_the_order_of_answers_does_not_matter() -> None:
    readers = {"a": ("ada", "approve"), "b": ("bob", "decline")}
    results = set()
    for order in permutations("ab"):
        world = pair()
        loops = dict(zip("ab", names(world), strict=True))
        for seat in order:
            say(world, loops[seat], readers[seat][1], who=readers[seat][0])
        start(world)
        (c,) = names(world)
        say(world, c, "decline", who="cyd")
        results.add(json.dumps(outcome(world)))
    assert len(results) == 1


def test_the_same_person_twice_is_asked_for_somebody_else_twice_then_the_second_team_decides() -> None:
    world = pair()
    a, b = names(world)
    say(world, a, "decline", who="ada")
    for _ in range(2):
        assert say(world, b, "decline", who="ada") is IngestResult.REVIEW_REPEATED
        start(world)
        (b,) = names(world)
    assert say(world, b, "decline", who="ada") is IngestResult.ESCALATED
    record = world.records.only()
    assert record.escalation is not None
    assert record.escalation.code == "same_reviewer"
    start(world)
    e, f = names(world)  # one person's word is no second reading: the second team gives two
    assert say(world, e, "approve", who="eve") is IngestResult.ANSWER_ACCEPTED
    assert say(world, f, "approve", who="fay") is IngestResult.DECIDED
    assert outcome(world) == ("human", "approve", ["eve", "fay"])


def test_one_seat_is_opened_again_while_the_others_answer_stands() -> None:
    world = pair()
    a, b = names(world)
    say(world, a, "decline", who="ada")
    world.loops.end(b, "Failed", failure_code="Expired")
    assert ingest(b, ports=world.ingest_ports, clock=world.clock) is IngestResult.REVIEW_REPEATED
    start(world)
    (again,) = names(world)
    assert again.endswith("-g2-b")
    assert say(world, again, "decline", who="bob") is IngestResult.DECIDED


def test_who_cannot_decide_passes_the_case_to_the_second_team() -> None:
    world = waiting()
    start(world)
    assert say(world, names(world)[0], "cannot-decide", who="ada") is IngestResult.ESCALATED
    assert start(world) is StartResult.STARTED
    (e,) = names(world)
    assert world.loops.loops[e].flow_definition_arn == SECOND_TEAM_ARN
    assert world.records.only().state is State.ESCALATED
    assert say(world, e, "approve", who="ada") is IngestResult.REVIEW_REPEATED  # not the same person
    world.clock.pass_seconds(3600)
    start(world)
    assert say(world, names(world)[0], "approve", who="eve") is IngestResult.DECIDED


def test_two_of_the_second_team_read_what_nobody_of_the_first_answered() -> None:
    world = pair(review__max_generations=1)
    a, b = names(world)
    world.loops.end(a, "Failed", failure_code="Expired")
    assert ingest(a, ports=world.ingest_ports, clock=world.clock) is IngestResult.ESCALATED
    assert start(world) is StartResult.NOTHING_TO_DO, "the first team's other loop is still open"
    assert sweep(world) is SweepResult.MOVED
    assert world.loops.loops[b].status == "Stopped"
    start(world)
    e, f = names(world)
    say(world, e, "approve", who="eve")
    assert world.records.only().state is State.ESCALATED
    assert say(world, f, "approve", who="fay") is IngestResult.DECIDED


def test_a_second_team_that_fails_is_asked_again_for_ever() -> None:
    world = waiting(review__max_generations=1)
    start(world)
    world.loops.end(names(world)[0], "Failed", failure_code="Expired")
    ingest(names(world)[0], ports=world.ingest_ports, clock=world.clock)
    for _ in range(12):
        world.clock.pass_seconds(3600)
        assert start(world) is StartResult.STARTED
        (e,) = names(world)
        world.loops.end(e, "Failed", failure_code="Expired")
        assert ingest(e, ports=world.ingest_ports, clock=world.clock) is IngestResult.REVIEW_REPEATED
        assert world.records.only().state is State.ESCALATED


def test_the_record_of_a_second_team_that_fails_for_weeks_can_still_be_written() -> None:
    world = waiting(review__max_generations=1)
    start(world)
    decision_id, begun = world.records.only().decision_id, world.clock.now
    while world.clock.now - begun < timedelta(days=20):
        for name in names(world):
            world.loops.end(name, "Failed", failure_code="ValidationError")
            ingest(name, ports=world.ingest_ports, clock=world.clock)
        due_at = world.records.only().due_at
        assert due_at is not None
        world.clock.now = due_at
        start(world)
    assert len(json.dumps(world.records.items[decision_id])) < 300_000


def test_without_a_second_team_the_case_waits_until_the_policy_names_one() -> None:
    world = World(policy())
    world.models.reply = UNSURE
    post(world)
    start(world)
    say(world, names(world)[0], "cannot-decide", who="ada")
    assert start(world) is StartResult.POSTPONED
    assert world.records.only().waiting is not None
    assert world.records.only().waiting.code == "NoSecondTeam"  # type: ignore[union-attr]
    world.policies.policy = policy(review__escalation_flow_definition_arn=SECOND_TEAM_ARN)
    world.clock.pass_seconds(3600)
    assert start(world) is StartResult.STARTED
    assert say(world, names(world)[0], "approve", who="eve") is IngestResult.DECIDED


def sweep(world: World) -> SweepResult:
    world.clock.pass_seconds(2 * 3600)
    return sweep_review(world.records.only().decision_id, ports=world.ingest_ports, clock=world.clock)


def late_world() -> World:
    world = World(policy(review__escalation_flow_definition_arn=SECOND_TEAM_ARN))
    world.models.reply = UNSURE
    post(world, deadline="2026-11-22T22:00:00Z")
    start(world)
    return world


def test_the_deadline_escalates_and_stops_the_loop_before_the_second_team_begins() -> None:
    world = late_world()
    (first,) = names(world)
    assert sweep(world) is SweepResult.MOVED
    record = world.records.only()
    assert (record.state, record.escalation and record.escalation.code) == (
        State.ESCALATED,
        "deadline_passed",
    )
    assert start(world) is StartResult.NOTHING_TO_DO
    sweep(world)
    assert world.loops.loops[first].status == "Stopped"
    assert start(world) is StartResult.STARTED
    assert "Decision Escalated" in {entry.event for entry in world.records.outbox}


def test_an_answer_that_came_in_time_beats_the_deadline() -> None:
    world = late_world()
    (name,) = names(world)
    content = world.loops.content(name)
    world.answer(
        name,
        output_document(loop_name=name, decision_id=content["decision_id"], inputContent=content),
    )
    sweep(world)
    assert outcome(world)[0] == "human"


def test_an_answer_that_a_stop_came_too_late_for_still_decides() -> None:
    world = late_world()
    (name,) = names(world)
    sweep(world)
    assert world.records.only().state is State.ESCALATED
    assert say(world, name, "decline", who="ada") is IngestResult.DECIDED
    assert start(world) is StartResult.NOTHING_TO_DO


def test_an_unreadable_output_is_waited_for_four_hours_then_the_review_is_repeated() -> None:
    world = waiting()
    start(world)
    (name,) = names(world)
    world.loops.end(name, "Completed", output_uri="s3://outputs/nowhere.json")
    with pytest.raises(RetryableError):
        ingest(name, ports=world.ingest_ports, clock=world.clock)
    world.clock.now += timedelta(hours=3, minutes=59)
    with pytest.raises(RetryableError):
        ingest(name, ports=world.ingest_ports, clock=world.clock)
    world.clock.now += timedelta(minutes=2)
    assert ingest(name, ports=world.ingest_ports, clock=world.clock) is IngestResult.REVIEW_REPEATED
    assert world.records.only().reviews[0].end_code == "output_unreadable"


def test_a_loop_that_was_deleted_is_waited_for_four_hours_then_the_review_is_repeated() -> None:
    world = waiting()
    start(world)
    (name,) = names(world)
    del world.loops.loops[name]
    assert sweep(world) is SweepResult.NOTHING_NEW
    assert sweep(world) is SweepResult.NOTHING_NEW
    assert world.events()[-1] == "review_started"
    assert sweep(world) is SweepResult.MOVED
    record = world.records.only()
    assert (record.state, record.reviews[0].end_code) == (State.PENDING, "loop_gone")
    assert start(world) is StartResult.STARTED
    assert names(world) != [name]


def test_a_loop_that_is_found_again_is_missed_anew_the_next_time() -> None:
    world = waiting()
    start(world)
    (name,) = names(world)
    loop = world.loops.loops.pop(name)
    sweep(world)
    world.loops.loops[name] = loop
    sweep(world)
    assert world.records.only().reviews[0].unreadable_since is None
    del world.loops.loops[name]
    assert sweep(world) is SweepResult.NOTHING_NEW
    assert sweep(world) is SweepResult.NOTHING_NEW
    assert names(world) == [name]


def test_a_deleted_loop_of_a_cancelled_decision_does_not_stay_open() -> None:
    world = waiting()
    start(world)
    (name,) = names(world)
    decision_id = world.records.only().decision_id
    cancel(decision_id, reason="", by="role/loans", ports=world.change_ports, clock=world.clock)
    del world.loops.loops[name]
    for _ in range(3):
        sweep(world)
    record = world.records.only()
    assert (record.state, record.open_reviews, record.due_at) == (State.CANCELLED, (), None)


def test_a_look_that_fails_keeps_neither_the_deadline_nor_the_other_loop_waiting() -> None:
    world = pair()
    first, second = names(world)
    content = world.loops.content(second)
    document = output_document(loop_name=second, decision_id=content["decision_id"], inputContent=content)
    world.answer(second, document)
    world.faults.before["describe"] = [service_error(PermanentError, "AccessDeniedException")]
    with pytest.raises(PermanentError, match="AccessDenied"):
        sweep(world)
    assert names(world) == [first]
    late = late_world()
    late.faults.before["describe"] = [service_error(PermanentError, "AccessDeniedException")]
    with pytest.raises(PermanentError, match="AccessDenied"):
        sweep(late)
    assert late.records.only().state is State.ESCALATED
    assert "Decision Escalated" in {entry.event for entry in late.records.outbox}


def test_the_sweep_settles_without_any_event() -> None:
    world = pair()
    for name, who in zip(names(world), ("ada", "bob"), strict=True):
        content = world.loops.content(name)
        document = output_document(
            loop_name=name,
            decision_id=content["decision_id"],
            answers=[answer("decline", workerId=who)],
            inputContent=content,
        )
        world.answer(name, document)
    assert sweep(world) is SweepResult.MOVED
    assert outcome(world)[1] == "decline"


def test_a_look_at_open_loops_comes_later_each_time() -> None:
    world = waiting()
    start(world)
    waits = []
    for _ in range(6):
        record = world.records.only()
        assert record.due_at is not None
        world.clock.now = record.due_at
        decision_id = record.decision_id
        assert (
            sweep_review(decision_id, ports=world.ingest_ports, clock=world.clock) is SweepResult.NOTHING_NEW
        )
        after = world.records.only()
        assert after.due_at is not None
        waits.append(after.due_at - world.clock.now)
    assert waits == sorted(waits)
    assert waits[-1] <= timedelta(hours=1)


def test_loops_that_no_decision_waits_for_are_stopped() -> None:
    world = waiting()
    start(world)
    (wanted,) = names(world)
    orphan, foreign = "h-" + "a" * 26 + "-g1", "somebody-elses"
    for name in (orphan, foreign):
        world.loops.start(
            name, flow_definition_arn=FLOW_DEFINITION_ARN, input_content=b"{}", free_of_personal_data=False
        )
    assert reverse_sweep([FLOW_DEFINITION_ARN], ports=world.ingest_ports) == [orphan]
    assert world.loops.loops[wanted].status == "InProgress"
    assert world.loops.loops[foreign].status == "InProgress"


def test_a_loop_is_not_an_orphan_while_its_start_is_being_noted() -> None:
    world = waiting()
    world.faults.after["start"] = [service_error(RetryableError, "ReplyLost")]
    start(world)
    assert reverse_sweep([FLOW_DEFINITION_ARN], ports=world.ingest_ports) == []


def test_a_loop_started_while_the_caller_cancels_is_stopped() -> None:
    world = waiting()
    decision_id = world.records.only().decision_id

    def cancelling() -> None:
        cancel(decision_id, reason="", by="caller", ports=world.change_ports, clock=world.clock)

    world.faults.hooks["start"] = [cancelling]
    start(world)
    record = world.records.only()
    assert record.state is State.CANCELLED
    assert [loop.status for loop in world.loops.loops.values()] == ["Stopped"]


def test_the_second_readers_team_may_be_another_one() -> None:
    world = waiting(review__two_person=True, review__second_flow_definition_arn=NEXT_FLOW_DEFINITION_ARN)
    start(world)
    a, b = names(world)
    assert world.loops.loops[a].flow_definition_arn == FLOW_DEFINITION_ARN
    assert world.loops.loops[b].flow_definition_arn == NEXT_FLOW_DEFINITION_ARN


def test_terms_are_replaced_for_the_seat_whose_flow_definition_is_gone() -> None:
    world = waiting()
    world.loops.gone = {FLOW_DEFINITION_ARN}
    world.policies.policy = policy(review__flow_definition_arn=NEXT_FLOW_DEFINITION_ARN)
    assert start(world) is StartResult.STARTED
    (name,) = names(world)
    assert world.loops.loops[name].flow_definition_arn == NEXT_FLOW_DEFINITION_ARN


def test_every_loop_of_a_record_has_an_entry() -> None:
    world = pair()
    a, b = names(world)
    say(world, a, "approve", who="ada")
    say(world, b, "decline", who="bob")
    start(world)
    record: Record = world.records.only()
    assert {review.loop_name for review in record.reviews} <= set(world.records.loops)
    assert [review.end for review in record.reviews].count(LoopEnd.ANSWERED) == 2


def test_a_loop_that_began_unnoted_has_ended_before_the_second_team_begins() -> None:
    world = waiting()
    world.faults.after["start"] = [service_error(AmbiguousError, "ReadTimeoutError")]
    world.faults.before["describe"] = [service_error(RetryableError, "ThrottlingException")] * 20
    start(world)
    record = world.records.only()
    commit_change(escalate(record, reason=Reason("deadline_passed"), at=world.clock()), records=world.records)
    world.faults.before.clear()
    world.clock.pass_seconds(60)
    assert start(world) is StartResult.STARTED
    (forgotten,) = names(world)
    assert forgotten.endswith("-g1")
    assert len(world.loops.loops) == 1
    assert say(world, forgotten, "decline", who="ada") is IngestResult.DECIDED


def test_a_forgotten_loop_is_noted_though_the_queue_is_full() -> None:
    world = waiting(review__queue={"name": "loans", "max_open": 1})
    world.faults.after["start"] = [service_error(AmbiguousError, "ReadTimeoutError")]
    start(world)
    record = world.records.only()
    commit_change(escalate(record, reason=Reason("deadline_passed"), at=world.clock()), records=world.records)
    assert world.records.open == {"loans": 0}
    world.records.open["loans"] = 1  # somebody else's by now
    assert start(world) is StartResult.NOTHING_TO_DO, "a starter may be about to begin a loop"
    world.clock.pass_seconds(60)
    assert start(world) is StartResult.STARTED
    assert world.records.open == {"loans": 2}


def test_the_answer_to_a_loop_that_began_unnoted_waits_for_the_note() -> None:
    world = waiting()
    world.faults.after["start"] = [service_error(AmbiguousError, "ReadTimeoutError")]
    start(world)
    record = world.records.only()
    commit_change(escalate(record, reason=Reason("deadline_passed"), at=world.clock()), records=world.records)
    (name,) = world.loops.loops
    with pytest.raises(RetryableError, match="StartNotNoted"):
        say(world, name, "decline", who="ada")
    world.clock.pass_seconds(60)
    start(world)
    assert ingest(name, ports=world.ingest_ports, clock=world.clock) is IngestResult.DECIDED


def test_before_terms_are_replaced_the_other_readers_unnoted_loop_is_noted() -> None:
    """Found by the simulator: the loop under our own name was later taken for a stranger's, and left open."""
    world = waiting(review__two_person=True)
    world.faults.hooks["start"] = [
        lambda: None,
        lambda: world.faults.after.update(start=[service_error(AmbiguousError, "ReadTimeoutError")]),
    ]
    start(world)
    (a,) = names(world)
    (b,) = set(world.loops.loops) - {a}
    world.loops.end(a, "Failed", failure_code="Expired")
    ingest(a, ports=world.ingest_ports, clock=world.clock)
    world.loops.gone = {FLOW_DEFINITION_ARN}
    world.policies.policy = policy(
        review__two_person=True, review__flow_definition_arn=NEXT_FLOW_DEFINITION_ARN
    )
    world.clock.pass_seconds(3600)
    assert start(world) is StartResult.STARTED
    record = world.records.only()
    assert record.state is State.IN_REVIEW
    assert {review.loop_name[-4:]: review.flow_definition_arn for review in record.open_reviews} == {
        "g1-b": FLOW_DEFINITION_ARN,
        "g2-a": NEXT_FLOW_DEFINITION_ARN,
    }
    assert b in names(world)
