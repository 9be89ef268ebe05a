"""Loops from start to end over fakes: idempotency, output documents, events, expiry, deletion, late work."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from overread.review.wire import FailureCode, LoopStatus, parse_output
from overread_review.service import transitions
from overread_review.service.errors import (
    ConflictError,
    RequestInvalidError,
    ResourceMissingError,
    TaskConflictError,
    TaskGoneError,
    TaskUnknownError,
)
from overread_review.service.loop_changes import LoopChanges
from overread_review.service.model import Loop
from overread_review.service.records import loop_text, parse_loop
from overread_testing.review_fakes import ADA, GRACE, KATHERINE, STRANGER, ReviewLab, review_lab


@pytest.fixture
def lab() -> ReviewLab:
    lab = review_lab()
    lab.flow_definition()
    return lab


def answer(lab: ReviewLab, name: str, *, reviewer: object = ADA, label: str = "approve") -> None:
    tasks = lab.service.tasks
    tasks.claim(name, reviewer=reviewer)  # type: ignore[arg-type]
    lab.clock.advance(66.787)
    tasks.answer(name, reviewer=reviewer, content={"decision": {"label": label}})  # type: ignore[arg-type]


def test_output_document_is_exactly_as_a2i_writes_it(lab: ReviewLab) -> None:
    lab.start("claim-000123", taskObject="s3://bucket/claims/123.png", score=0.41)
    answer(lab, "claim-000123")
    ((uri, body),) = lab.documents.outputs.items()
    assert uri == "s3://outputs/reviews/flow/2026/03/02/09/14/56/claim-000123/output.json"
    assert json.loads(body) == {
        "flowDefinitionArn": "arn:aws:sagemaker:eu-west-1:111122223333:flow-definition/flow",
        "humanAnswers": [
            {
                "acceptanceTime": "2026-03-02T09:14:56.600Z",
                "answerContent": {"decision": {"label": "approve"}},
                "submissionTime": "2026-03-02T09:16:03.387Z",
                "timeSpentInSeconds": 66.787,
                "workerId": json.loads(body)["humanAnswers"][0]["workerId"],
                "workerMetadata": {
                    "identityData": {
                        "identityProviderType": "Cognito",
                        "issuer": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123",
                        "sub": ADA.sub,
                    }
                },
            }
        ],
        "humanLoopName": "claim-000123",
        "inputContent": {"taskObject": "s3://bucket/claims/123.png", "score": 0.41},
    }
    assert len(json.loads(body)["humanAnswers"][0]["workerId"]) == 16
    assert parse_output(body).answers[0].sub == ADA.sub


def test_completion_event_is_exactly_as_eventbridge_delivers_it(lab: ReviewLab) -> None:
    lab.start("loop-1")
    answer(lab, "loop-1")
    arn = "arn:aws:sagemaker:eu-west-1:111122223333:human-loop/loop-1"
    assert lab.events.delivered == [
        {
            "detail-type": "SageMaker A2I HumanLoop Status Change",
            "resources": [arn],
            "detail": {
                "creationTime": "2026-03-02T09:14:56.600Z",
                "failureCode": None,
                "failureReason": None,
                "flowDefinitionArn": "arn:aws:sagemaker:eu-west-1:111122223333:flow-definition/flow",
                "humanLoopArn": arn,
                "humanLoopName": "loop-1",
                "humanLoopOutput": {
                    "outputS3Uri": "s3://outputs/reviews/flow/2026/03/02/09/14/56/loop-1/output.json"
                },
                "humanLoopStatus": "Completed",
            },
        }
    ]


def test_starting_again_with_the_same_input_changes_nothing(lab: ReviewLab) -> None:
    first = lab.start("loop-1", a=1)
    assert lab.start("loop-1", a=1) == first
    with pytest.raises(ConflictError, match="same name as another active human loop"):
        lab.start("loop-1", a=2)


@pytest.mark.parametrize(
    "content", ["[1]", "{", '{"a": NaN}', '"text"', r'{"a": "\ud800"}', '{"a": "\ud800"}']
)
def test_input_that_is_no_json_object_is_refused(lab: ReviewLab, content: str) -> None:
    with pytest.raises(RequestInvalidError, match="InputContent"):
        lab.call(
            lab.service.loops.start,
            HumanLoopName="loop-1",
            FlowDefinitionArn=lab.service.settings.arn("flow-definition/flow"),
            HumanLoopInput={"InputContent": content},
        )
    assert lab.store.find_loop("loop-1") is None


def test_a_flow_definition_is_not_usable_before_it_is_active() -> None:
    lab = review_lab()
    lab.flow_definition("early")
    lab.clock.advance(-0.1)
    with pytest.raises(RequestInvalidError, match="not Active but Initializing"):
        lab.start("loop-1", flow="early")


def test_a_template_that_refuses_the_input_fails_the_loop_with_an_event() -> None:
    lab = review_lab(template="<crowd-form>{{ task.input.n | divided_by: task.input.by }}</crowd-form>")
    lab.flow_definition()
    loop = lab.start("loop-1", n=1, by=0)
    assert (loop.status, loop.failure_code) == (LoopStatus.FAILED, FailureCode.VALIDATION_ERROR)
    assert "cannot be rendered" in loop.failure_reason
    ((code, reason),) = (
        (e["detail"]["failureCode"], e["detail"]["failureReason"]) for e in lab.events.delivered
    )
    assert (code, reason) == (
        "ValidationError",
        "The worker template cannot be rendered with this input",
    )
    assert loop.failure_reason.startswith(f"{reason}: ")


def test_three_workers_give_one_output_in_the_order_of_submission() -> None:
    lab = review_lab()
    lab.flow_definition(TaskCount=3)
    lab.start("loop-1")
    for reviewer, label in ((GRACE, "decline"), (ADA, "approve"), (KATHERINE, "cannot-decide")):
        answer(lab, "loop-1", reviewer=reviewer, label=label)
    (body,) = lab.documents.outputs.values()
    labels = [one["answerContent"]["decision"]["label"] for one in json.loads(body)["humanAnswers"]]
    assert labels == ["decline", "approve", "cannot-decide"]


def test_no_more_answers_than_the_task_count_under_concurrency() -> None:
    lab = review_lab()
    lab.flow_definition(TaskCount=2)
    lab.start("loop-1")

    def attempt(reviewer: object) -> str:
        try:
            answer(lab, "loop-1", reviewer=reviewer)
        except (TaskConflictError, TaskGoneError) as error:
            return type(error).__name__
        return "answered"

    with ThreadPoolExecutor(9) as pool:
        results = list(pool.map(attempt, [ADA, GRACE, KATHERINE] * 3))
    assert results.count("answered") == 2
    assert len({a.sub for a in lab.loop("loop-1").answers}) == 2
    assert lab.loop("loop-1").status is LoopStatus.COMPLETED


def test_one_worker_submitting_many_times_at_once_is_stored_once() -> None:
    lab = review_lab()
    lab.flow_definition(TaskCount=2)
    lab.start("loop-1")
    lab.service.tasks.claim("loop-1", reviewer=ADA)

    def submit(number: int) -> bool:
        try:
            lab.service.tasks.answer("loop-1", reviewer=ADA, content={"n": number})
        except TaskConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(submit, range(16))) == 1
    (stored,) = lab.loop("loop-1").answers
    assert json.loads(lab.documents.get(stored.content_key))["n"] in range(16)


def test_an_untouched_loop_expires_without_output(lab: ReviewLab) -> None:
    lab.start("loop-1")
    lab.clock.advance(864_000)
    assert lab.service.loops.sweep() == 1
    loop = lab.loop("loop-1")
    assert (loop.status, loop.failure_code, loop.output_uri) == (LoopStatus.FAILED, FailureCode.EXPIRED, "")
    assert lab.documents.outputs == {}
    assert lab.events.delivered[0]["detail"]["humanLoopOutput"] is None
    assert lab.service.loops.sweep() == 0


def test_one_loop_that_cannot_be_concluded_keeps_no_other_from_its_end(
    lab: ReviewLab, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lab.start("loop-1")
    lab.start("loop-2")
    conclude = LoopChanges.conclude

    def broken(loops: LoopChanges, loop: Loop) -> object:
        if loop.name == "loop-1":
            raise ValueError("half of a surrogate pair")
        return conclude(loops, loop)

    monkeypatch.setattr(LoopChanges, "conclude", broken)
    lab.clock.advance(864_000)
    lab.service.loops.sweep()
    assert lab.loop("loop-1").status == LoopStatus.IN_PROGRESS
    assert lab.loop("loop-2").status == LoopStatus.FAILED
    (record,) = caplog.records
    assert record.getMessage() == "human loop cannot be concluded"
    assert (vars(record)["human_loop"], vars(record)["error"]) == ("loop-1", "ValueError")
    monkeypatch.undo()
    lab.service.loops.sweep()
    assert lab.loop("loop-1").status == LoopStatus.FAILED


def test_loops_whose_bucket_is_out_of_reach_keep_no_other_from_its_end(lab: ReviewLab) -> None:
    for number in range(60):
        lab.start(f"stuck-{number}")
        lab.documents.unavailable = 1
        answer(lab, f"stuck-{number}")
    lab.start("fine")
    lab.documents.unavailable = 1
    answer(lab, "fine")
    lab.clock.advance(6)
    lab.documents.unavailable = 60
    lab.service.loops.sweep()
    assert lab.loop("fine").status is LoopStatus.COMPLETED
    assert lab.loop("stuck-0").is_open
    for _ in range(2):
        lab.service.loops.sweep()
    assert not any(lab.loop(f"stuck-{number}").is_open for number in range(60))


def test_an_event_that_could_not_be_delivered_is_sent_by_the_sweep(lab: ReviewLab) -> None:
    lab.events.undeliverable = 2
    lab.start("loop-1")
    answer(lab, "loop-1")
    assert lab.events.delivered == []
    lab.clock.advance(6)
    lab.service.loops.sweep()
    lab.service.loops.sweep()
    lab.service.loops.sweep()
    assert len(lab.events.delivered) == 1


def test_an_output_that_could_not_be_written_now_is_written_by_the_sweep(lab: ReviewLab) -> None:
    lab.documents.unavailable = 1
    lab.start("loop-1")
    answer(lab, "loop-1")
    assert lab.loop("loop-1").status is LoopStatus.IN_PROGRESS
    lab.clock.advance(6)
    lab.service.loops.sweep()
    assert lab.loop("loop-1").status is LoopStatus.COMPLETED
    assert len(lab.documents.outputs) == 1


def test_an_output_bucket_that_is_missing_fails_the_loop_and_says_so(lab: ReviewLab) -> None:
    lab.documents.missing_buckets = frozenset({"outputs"})
    lab.start("loop-1")
    answer(lab, "loop-1")
    loop = lab.loop("loop-1")
    assert (loop.status, loop.failure_code) == (LoopStatus.FAILED, FailureCode.INTERNAL_ERROR)
    assert "s3://outputs/reviews/flow" in loop.failure_reason


def test_deleting_a_flow_definition_stops_what_nobody_has_begun_and_lets_the_rest_finish(
    lab: ReviewLab,
) -> None:
    lab.start("begun")
    lab.start("untouched")
    lab.service.tasks.claim("begun", reviewer=ADA)
    lab.call(lab.service.loops.delete_flow_definition, FlowDefinitionName="flow")
    assert lab.store.find_loop("untouched") is None
    assert lab.call(lab.service.flow_definitions.describe, FlowDefinitionName="flow")[
        "FlowDefinitionStatus"
    ] == ("Deleting")
    with pytest.raises(RequestInvalidError, match="Deleting"):
        lab.start("another")
    lab.clock.advance(10)
    lab.service.tasks.answer("begun", reviewer=ADA, content={"decision": {"label": "approve"}})
    assert lab.loop("begun").status is LoopStatus.COMPLETED
    with pytest.raises(ResourceMissingError):
        lab.call(lab.service.flow_definitions.describe, FlowDefinitionName="flow")
    lab.flow_definition()


def test_a_deleted_loop_is_forgotten_but_its_output_stays(lab: ReviewLab) -> None:
    lab.start("loop-1")
    with pytest.raises(RequestInvalidError, match="InProgress"):
        lab.call(lab.service.loops.delete, HumanLoopName="loop-1")
    answer(lab, "loop-1")
    lab.call(lab.service.loops.delete, HumanLoopName="loop-1")
    with pytest.raises(ResourceMissingError):
        lab.call(lab.service.loops.describe, HumanLoopName="loop-1")
    assert len(lab.documents.outputs) == 1
    assert not [key for key in lab.documents.kept if "loop-1" in key]


def test_open_loops_keep_their_template_when_the_task_ui_goes(lab: ReviewLab) -> None:
    lab.start("loop-1", note="still here")
    lab.call(lab.service.task_uis.delete, HumanTaskUiName="ui")
    lab.clock.advance(1)
    lab.service.tasks.claim("loop-1", reviewer=ADA)
    assert "still here" in lab.service.tasks.page("loop-1", reviewer=ADA).html


def test_reviewers_see_only_the_tasks_of_their_teams(lab: ReviewLab) -> None:
    lab.start("loop-1")
    assert [t.loop.name for t in lab.service.tasks.offered(ADA)] == ["loop-1"]
    assert lab.service.tasks.offered(STRANGER) == []
    with pytest.raises(TaskUnknownError):
        lab.service.tasks.claim("loop-1", reviewer=STRANGER)
    with pytest.raises(TaskUnknownError):
        lab.service.tasks.page("loop-1", reviewer=STRANGER)


def test_a_page_is_shown_only_to_who_holds_the_task(lab: ReviewLab) -> None:
    lab.start("loop-1")
    lab.service.tasks.claim("loop-1", reviewer=ADA)
    with pytest.raises(TaskConflictError):
        lab.service.tasks.page("loop-1", reviewer=GRACE)


def test_own_claims_come_first_in_the_list_then_the_oldest(lab: ReviewLab) -> None:
    for name in ("first", "second", "third"):
        lab.start(name)
        lab.clock.advance(1)
    lab.service.tasks.claim("third", reviewer=ADA)
    assert [t.loop.name for t in lab.service.tasks.offered(ADA)] == ["third", "first", "second"]


def test_a_loop_survives_its_way_through_text(lab: ReviewLab) -> None:
    lab.start("loop-1", note="ü")
    lab.service.tasks.claim("loop-1", reviewer=GRACE)
    answer(lab, "loop-1", reviewer=GRACE)
    loop = lab.loop("loop-1")
    assert parse_loop(loop_text(loop), version=loop.version) == loop


def test_an_output_written_too_late_does_not_lose_the_answer_that_was_faster(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The sweep read one answer; while S3 kept it waiting another came in, still in time by its own clock."""
    lab = review_lab()
    lab.flow_definition(TaskCount=2, TaskTimeLimitInSeconds=300)
    lab.start("loop-1")
    answer(lab, "loop-1")
    lab.service.tasks.claim("loop-1", reviewer=GRACE)
    lab.call(lab.service.loops.stop, HumanLoopName="loop-1")
    lab.clock.advance(301)
    write = lab.documents.write_output

    def slow(*arguments: Any, **named: Any) -> None:
        monkeypatch.undo()
        lab.clock.advance(-10)
        lab.service.tasks.answer("loop-1", reviewer=GRACE, content={"decision": {"label": "decline"}})
        lab.clock.advance(10)
        write(*arguments, **named)

    monkeypatch.setattr(lab.documents, "write_output", slow)
    lab.service.loops.sweep()
    assert [one.person for one in lab.loop("loop-1").answers] == [ADA.key, GRACE.key]
    (output,) = lab.documents.outputs.values()
    assert len(json.loads(output)["humanAnswers"]) == 2
    assert len(lab.events.delivered) == 1


def test_a_loop_started_under_a_name_that_is_being_deleted_keeps_its_input(
    lab: ReviewLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.start("loop-1", note="x")
    answer(lab, "loop-1")
    delete = lab.documents.delete

    def meanwhile(keys: Sequence[str]) -> None:
        monkeypatch.undo()
        lab.start("loop-1", note="x")
        delete(keys)

    monkeypatch.setattr(lab.documents, "delete", meanwhile)
    lab.call(lab.service.loops.delete, HumanLoopName="loop-1")
    left = lab.store.find_loop("loop-1")
    assert left is None or left.input_key in lab.documents.kept
    assert lab.start("loop-1", note="x").input_key in lab.documents.kept


def test_a_deletion_goes_on_although_one_loop_ends_in_between(
    lab: ReviewLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        lab.start(f"loop-{number}")
    stop = transitions.stop

    def ending_first(loop: Loop) -> Loop:
        monkeypatch.undo()
        answer(lab, loop.name)
        return stop(lab.loop(loop.name))

    monkeypatch.setattr(transitions, "stop", ending_first)
    lab.call(lab.service.loops.delete_flow_definition, FlowDefinitionName="flow")
    assert lab.loop("loop-0").status is LoopStatus.COMPLETED
    assert [lab.store.find_loop(f"loop-{number}") for number in (1, 2)] == [None, None]


def test_an_interrupted_deletion_goes_on_with_the_next_call(
    lab: ReviewLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def delete() -> None:
        lab.call(lab.service.loops.delete_flow_definition, FlowDefinitionName="flow")

    lab.start("begun")
    lab.service.tasks.claim("begun", reviewer=ADA)
    lab.start("untouched")

    def interrupted(*_: object, **__: object) -> Loop:
        raise KeyboardInterrupt

    monkeypatch.setattr(LoopChanges, "change", interrupted)
    with pytest.raises(KeyboardInterrupt):
        delete()
    monkeypatch.undo()
    assert lab.loop("untouched").status is LoopStatus.IN_PROGRESS
    delete()
    assert lab.store.find_loop("untouched") is None
    with pytest.raises(ResourceMissingError):
        delete()
