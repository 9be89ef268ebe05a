"""What a human loop may do next: claims, answers, stopping, expiry."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from overread.review.wire import LoopStatus
from overread_review.service import transitions, work_time
from overread_review.service.errors import RequestInvalidError, TaskConflictError, TaskGoneError
from overread_review.service.model import Answer, FlowTerms, Loop

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TERMS = FlowTerms(
    flow_definition_arn="arn:aws:sagemaker:eu-west-1:111122223333:flow-definition/flow",
    flow_definition_name="flow",
    workteam_arn="arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/team",
    role_arn="arn:aws:iam::111122223333:role/flow",
    output_path="s3://outputs/reviews",
    kms_key_id="",
    template_sha256="0" * 64,
    title="Review",
    description="Review it",
    keywords=(),
    task_count=2,
    time_limit_s=60,
)
LOOP = Loop(
    name="loop",
    arn="arn:aws:sagemaker:eu-west-1:111122223333:human-loop/loop",
    terms=TERMS,
    created_at=NOW,
    expires_at=NOW + timedelta(seconds=600),
    input_key="inputs/loop.json",
    input_sha256="1" * 64,
)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def claimed(loop: Loop, *subs: str, seconds: float = 0) -> Loop:
    for sub in subs:
        loop = transitions.claim(loop, person=sub, now=at(seconds))
    return loop


def answered(loop: Loop, sub: str, *, seconds: float = 1) -> Loop:
    answer = Answer(
        person=sub,
        sub=sub,
        worker_id=f"w-{sub}",
        identity_provider="Cognito",
        issuer="https://issuer.example",
        accepted_at=at(0),
        submitted_at=at(seconds),
        content_key=f"answers/{sub}.json",
    )
    return transitions.answer(loop, answer, now=at(seconds))


def test_a_claim_lasts_for_the_time_limit() -> None:
    (claim,) = claimed(LOOP, "ada").claims
    assert (claim.accepted_at, claim.deadline_at) == (at(0), at(60))


def test_claiming_again_keeps_the_first_claim() -> None:
    once = claimed(LOOP, "ada")
    assert transitions.claim(once, person="ada", now=at(30)) == once


def test_seats_are_limited_to_the_task_count() -> None:
    full = claimed(LOOP, "ada", "grace")
    with pytest.raises(TaskConflictError, match="another reviewer"):
        claimed(full, "katherine")
    assert not transitions.is_offered(full, person="katherine", now=at(1))


def test_answers_take_seats_too() -> None:
    loop = claimed(answered(claimed(LOOP, "ada"), "ada"), "grace", seconds=2)
    with pytest.raises(TaskConflictError):
        claimed(loop, "katherine", seconds=3)


def test_a_claim_whose_time_is_over_frees_its_seat() -> None:
    loop = claimed(LOOP, "ada", "grace")
    assert transitions.is_offered(loop, person="katherine", now=at(60))
    assert {c.person for c in claimed(loop, "katherine", seconds=60).claims} == {"katherine"}


def test_nobody_answers_twice() -> None:
    loop = answered(claimed(LOOP, "ada"), "ada")
    with pytest.raises(TaskConflictError, match="already answered"):
        claimed(loop, "ada", seconds=2)
    with pytest.raises(TaskConflictError, match="already answered"):
        answered(loop, "ada", seconds=2)


def test_only_the_holder_of_a_claim_may_answer() -> None:
    with pytest.raises(TaskConflictError, match="not claimed"):
        answered(claimed(LOOP, "ada"), "grace")


def test_an_answer_at_the_deadline_is_too_late() -> None:
    with pytest.raises(TaskGoneError, match="time for this task is over"):
        answered(claimed(LOOP, "ada"), "ada", seconds=60)


def test_a_declined_task_is_not_offered_again_but_can_still_be_claimed_by_address() -> None:
    loop = transitions.release(claimed(LOOP, "ada"), person="ada", now=at(1), decline=True)
    assert loop.claims == ()
    assert not transitions.is_offered(loop, person="ada", now=at(1))
    assert transitions.is_offered(loop, person="grace", now=at(1))
    assert claimed(loop, "ada", seconds=2).declined_by == ()


def test_a_released_task_is_offered_again() -> None:
    loop = transitions.release(claimed(LOOP, "ada"), person="ada", now=at(1), decline=False)
    assert transitions.is_offered(loop, person="ada", now=at(1))


def test_releasing_without_a_claim_is_refused() -> None:
    with pytest.raises(TaskConflictError):
        transitions.release(LOOP, person="ada", now=at(1), decline=False)


def test_an_expired_task_cannot_be_claimed_but_a_claim_from_before_may_finish() -> None:
    loop = claimed(LOOP, "ada", seconds=590)
    with pytest.raises(TaskGoneError, match="expired"):
        claimed(loop, "grace", seconds=600)
    assert transitions.conclusion(loop, now=at(600)) is None
    assert transitions.due_at(loop) == at(650)
    assert len(answered(loop, "ada", seconds=649).answers) == 1
    assert transitions.conclusion(loop, now=at(650)) is LoopStatus.FAILED


def test_a_loop_is_complete_with_the_last_answer() -> None:
    half = answered(claimed(LOOP, "ada"), "ada")
    assert transitions.conclusion(half, now=at(1)) is None
    whole = answered(claimed(half, "grace", seconds=2), "grace", seconds=3)
    assert transitions.conclusion(whole, now=at(3)) is LoopStatus.COMPLETED


def test_a_loop_that_nobody_has_begun_stops_at_once() -> None:
    assert transitions.conclusion(transitions.stop(LOOP), now=at(0)) is LoopStatus.STOPPED


def test_who_has_begun_may_submit_while_the_loop_is_stopping() -> None:
    stopping = transitions.stop(claimed(LOOP, "ada"))
    assert stopping.status is LoopStatus.STOPPING
    assert transitions.is_offered(stopping, person="ada", now=at(1))
    assert not transitions.is_offered(stopping, person="grace", now=at(1))
    with pytest.raises(TaskGoneError):
        claimed(stopping, "grace", seconds=1)
    assert transitions.conclusion(stopping, now=at(1)) is None
    assert transitions.conclusion(answered(stopping, "ada"), now=at(1)) is LoopStatus.STOPPED
    assert transitions.conclusion(stopping, now=at(60)) is LoopStatus.STOPPED


def test_the_last_answer_completes_a_loop_that_is_stopping() -> None:
    single = replace(LOOP, terms=replace(TERMS, task_count=1))
    loop = answered(transitions.stop(claimed(single, "ada")), "ada")
    assert transitions.conclusion(loop, now=at(1)) is LoopStatus.COMPLETED


def test_stopping_twice_is_fine_but_not_after_the_end() -> None:
    stopping = transitions.stop(claimed(LOOP, "ada"))
    assert transitions.stop(stopping) == stopping
    with pytest.raises(RequestInvalidError, match="already ended"):
        transitions.stop(
            transitions.conclude(LOOP, status=LoopStatus.COMPLETED, output_uri="s3://o", now=NOW)
        )


def test_an_ended_loop_is_due_only_until_its_event_is_out() -> None:
    ended = transitions.conclude(LOOP, status=LoopStatus.STOPPED, output_uri="", now=at(7))
    assert transitions.due_at(ended) == at(12)
    assert transitions.due_at(replace(ended, event_due=False)) is None
    assert transitions.conclusion(ended, now=at(100)) is None


PAUSES: dict[str, Any] = {"person": "ada", "max_pause_s": 100.0}


def test_a_pause_moves_the_deadline_by_its_length() -> None:
    loop = transitions.pause(claimed(LOOP, "ada"), now=at(20), **PAUSES)
    assert transitions.claim_of(loop, person="ada", now=at(69)) is not None
    (claim,) = transitions.resume(loop, now=at(70), **PAUSES).claims
    assert (claim.deadline_at, claim.worked_s, claim.paused_s) == (at(110), 20, 50)
    assert work_time.worked_s(claim, now=at(75)) == 25


def test_pausing_and_resuming_twice_change_nothing() -> None:
    once = transitions.pause(claimed(LOOP, "ada"), now=at(20), **PAUSES)
    assert transitions.pause(once, now=at(30), **PAUSES) == once
    running = transitions.resume(once, now=at(40), **PAUSES)
    assert transitions.resume(running, now=at(50), **PAUSES) == running


def test_all_pauses_of_a_claim_move_the_deadline_by_a_maximum_only() -> None:
    loop = transitions.pause(claimed(LOOP, "ada"), now=at(10), **PAUSES)
    loop = transitions.resume(loop, now=at(90), **PAUSES)
    loop = transitions.pause(loop, now=at(100), **PAUSES)
    assert loop.claims[0].deadline_at == at(160)
    (claim,) = transitions.resume(loop, now=at(150), **PAUSES).claims
    assert (claim.deadline_at, claim.paused_s, claim.worked_s) == (at(160), 130, 20)


def test_a_claim_that_is_never_resumed_lapses_when_no_pause_is_left() -> None:
    loop = transitions.pause(claimed(LOOP, "ada"), now=at(10), **PAUSES)
    assert transitions.due_at(replace(loop, expires_at=at(0))) == at(160)
    with pytest.raises(TaskGoneError, match="time for this task is over"):
        transitions.resume(loop, now=at(160), **PAUSES)
    assert transitions.is_offered(loop, person="katherine", now=at(160))


def test_only_a_claim_can_be_paused() -> None:
    with pytest.raises(TaskConflictError, match="not claimed"):
        transitions.pause(LOOP, now=at(1), **PAUSES)


def test_who_claims_again_after_a_pause_ran_out_begins_anew() -> None:
    loop = transitions.pause(claimed(LOOP, "ada"), now=at(10), **PAUSES)
    (claim,) = transitions.claim(loop, person="ada", now=at(200)).claims
    assert (claim.accepted_at, claim.worked_s, claim.deadline_at) == (at(200), 0, at(260))
