"""What the handlers' work adds to the metrics: each thing once, whatever is repeated."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from overread.decisions.steering import put_roster
from overread.errors import PermanentError, RetryableError
from overread_lambda import anchor_audit, counted, deliver_outbox, watch_errors
from overread_lambda.ingest_review import respond as hear
from overread_lambda.ingest_review import stop_orphans, sweep_due
from overread_lambda.resume_decisions import resume_due
from overread_lambda.route_prediction import respond as route
from overread_lambda.settings import PolicySource, RouteSettings
from overread_lambda.start_loop import start_due
from overread_testing.decision_builders import (
    FLOW_DEFINITION_ARN,
    NEXT_FLOW_DEFINITION_ARN,
    answer,
    output_document,
    policy,
    proxy_event,
    request_body,
)
from overread_testing.decision_fakes import World, service_error

USE_CASE = "loan-approval"
SETTINGS = RouteSettings(
    environment="test",
    table="t",
    input_bucket="b",
    use_cases=frozenset({USE_CASE}),
    policies=PolicySource("a", "e"),
    spot_check_secret="s",
)


class Bench:
    """A world driven through its handlers, and what they have measured since it was last asked."""

    def __init__(self, read: Callable[[], str], *, confidence: float = 0.71, **terms: Any) -> None:
        changes = {"review__second_flow_definition_arn": NEXT_FLOW_DEFINITION_ARN, **terms}
        self.world = World(policy(**changes))
        self.world.models.reply = json.dumps({"label": "approve", "confidence": confidence}).encode()
        self._read = read
        self.lines: list[dict[str, Any]] = []

    @property
    def clock(self) -> Callable[[], Any]:
        return self.world.clock

    def ask(self, key: str = "key-1", body: bytes | None = None) -> None:
        event = proxy_event(
            body=(body or request_body()).decode(), path={"name": USE_CASE}, headers={"Idempotency-Key": key}
        )
        route(event, settings=SETTINGS, ports=self.world.submit_ports, clock=self.clock)

    def start(self) -> None:
        self.world.clock.pass_seconds(60)
        start_due(
            self.world.records,
            queues=(),
            gauges=self.world.gauges,
            ports=self.world.start_ports,
            clock=self.clock,
            jitter=lambda: 0.0,
            remaining_ms=lambda: 60_000,
        )

    @property
    def loop(self) -> str:
        (review,) = self.world.records.only().open_reviews
        return review.loop_name

    def complete(self, label: str = "decline", **changes: Any) -> str:
        name, record = self.loop, self.world.records.only()
        content = self.world.loops.content(name)
        document = output_document(
            loop_name=name,
            decision_id=record.decision_id,
            answers=[answer(label)],
            **{"inputContent": content, **changes},
        )
        self.world.answer(name, document)
        return name

    def hear(self, name: str) -> None:
        hear({"detail": {"humanLoopName": name}}, ports=self.world.ingest_ports, clock=self.clock)

    def sweep(self) -> None:
        self.world.clock.pass_seconds(7200)
        sweep_due(
            self.world.records, ports=self.world.ingest_ports, clock=self.clock, remaining_ms=lambda: 60_000
        )

    def measured(self) -> dict[str, list[float]]:
        """Values by metric since the last time."""
        self.lines = [line for text in self._read().splitlines() if "_aws" in (line := json.loads(text))]
        values: dict[str, list[float]] = {}
        for line in self.lines:
            for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]:
                values.setdefault(metric["Name"], []).append(line[metric["Name"]])
        return values


Make = Callable[..., Bench]


@pytest.fixture
def bench(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Make:
    monkeypatch.setenv("OVERREAD_DEPLOYMENT", "overread-test")
    return lambda **options: Bench(lambda: capsys.readouterr().out, **options)


def test_a_decision_by_the_model_counts_once_however_often_it_is_asked_for(bench: Make) -> None:
    sure = bench(confidence=0.97)
    sure.ask()
    sure.ask()
    assert sure.measured() == {"DecisionsReceived": [1], "DecisionsAuto": [1], "DecisionsFinal": [1]}
    assert sure.lines[0]["UseCase"] == USE_CASE


def test_a_decision_by_people_counts_from_its_request_to_its_answer(bench: Make) -> None:
    unsure = bench()
    unsure.ask()
    assert unsure.measured() == {"DecisionsReceived": [1], "DecisionsHuman": [1]}
    unsure.start()
    assert unsure.measured() == {"LoopsStarted": [1]}
    unsure.hear(unsure.complete())
    assert unsure.measured() == {"DecisionsFinal": [1], "OverrideRate": [1], "ReviewSeconds": [41.2]}


def test_people_who_agree_with_what_they_saw_override_nothing(bench: Make) -> None:
    unsure = bench()
    unsure.ask()
    unsure.start()
    unsure.hear(unsure.complete("approve"))
    assert unsure.measured()["OverrideRate"] == [0]


@pytest.mark.parametrize(("label", "agreement"), [("approve", 1), ("decline", 0)])
def test_people_who_do_not_see_the_prediction_agree_or_not(bench: Make, label: str, agreement: float) -> None:
    blind = bench(review__blind=True)
    blind.ask()
    blind.start()
    blind.hear(blind.complete(label))
    measured = blind.measured()
    assert (measured["BlindAgreement"], "OverrideRate" in measured) == ([agreement], False)


def test_news_heard_twice_are_a_duplicate(bench: Make) -> None:
    unsure = bench()
    unsure.ask()
    unsure.start()
    name = unsure.complete()
    unsure.hear(name)
    unsure.measured()
    unsure.hear(name)
    assert unsure.measured() == {"DuplicateEvents": [1]}


def test_an_answer_that_only_the_sweep_found_is_a_repair(bench: Make) -> None:
    unsure = bench()
    unsure.ask()
    unsure.start()
    unsure.complete()
    unsure.measured()
    unsure.sweep()
    measured = unsure.measured()
    assert (measured["SweeperRepairs"], measured["DecisionsFinal"]) == ([1], [1])


def test_a_deadline_that_the_sweep_minds_is_no_repair(bench: Make) -> None:
    unsure = bench()
    unsure.ask(body=request_body(deadline="2026-11-22T22:30:00Z"))
    unsure.start()
    unsure.measured()
    unsure.sweep()
    assert unsure.measured() == {"DecisionsEscalated": [1]}


def test_what_a_dead_router_left_is_a_repair(bench: Make) -> None:
    class Died(BaseException):
        pass

    def dying() -> None:
        raise Died

    unsure = bench()
    unsure.world.faults.hooks["predict"] = [dying]
    with pytest.raises(Died):
        unsure.ask()
    unsure.world.clock.pass_seconds(60)
    resume_due(
        unsure.world.records,
        ports=unsure.world.submit_ports,
        clock=unsure.clock,
        remaining_ms=lambda: 60_000,
    )
    assert unsure.measured() == {"DecisionsReceived": [1], "DecisionsHuman": [1], "SweeperRepairs": [1]}


@pytest.mark.parametrize(
    ("error", "metric"),
    [
        (service_error(RetryableError, "ThrottlingException"), "StartHumanLoopThrottles"),
        (service_error(PermanentError, "AccessDeniedException"), "StartHumanLoopRefusals"),
    ],
)
def test_a_start_that_the_service_does_not_take_counts(bench: Make, error: Exception, metric: str) -> None:
    unsure = bench()
    unsure.ask()
    unsure.measured()
    unsure.world.faults.before["start"] = [error]
    unsure.start()
    assert unsure.measured() == {metric: [1]}


def test_an_output_that_cannot_be_used_is_poison(bench: Make) -> None:
    unsure = bench()
    unsure.ask()
    unsure.start()
    unsure.measured()
    unsure.hear(unsure.complete(inputContent={"decision_id": "another"}))
    assert unsure.measured() == {"PoisonOutputs": [1], "GenerationBumps": [1]}


@pytest.mark.parametrize(
    ("status", "code", "metric"),
    [
        ("Failed", "Expired", "LoopExpired"),
        ("Failed", "InternalError", "LoopFailed"),
        ("Stopped", "", "LoopFailed"),
    ],
)
def test_a_loop_without_an_answer_counts_by_why(bench: Make, status: str, code: str, metric: str) -> None:
    unsure = bench()
    unsure.ask()
    unsure.start()
    unsure.measured()
    unsure.world.loops.end(unsure.loop, status, failure_code=code)
    unsure.hear(unsure.loop)
    assert unsure.measured() == {metric: [1], "GenerationBumps": [1]}


def test_an_answer_of_somebody_who_is_not_on_the_roster_is_rejected(bench: Make) -> None:
    strict = bench(review__requires_roster=True)
    put_roster(
        b'{"schema": 1, "people": []}',
        by="ann",
        reason="",
        needs_two=False,
        steering=strict.world.steering,
        clock=strict.clock,
    )
    strict.ask()
    strict.start()
    strict.measured()
    strict.hear(strict.complete())
    assert strict.measured() == {"RosterRejects": [1], "GenerationBumps": [1]}


def test_loops_that_nobody_waits_for_are_a_repair(bench: Make) -> None:
    unsure = bench()
    orphan = "h-" + "a" * 26 + "-g1"
    unsure.world.loops.start(
        orphan, flow_definition_arn=FLOW_DEFINITION_ARN, input_content=b"{}", free_of_personal_data=False
    )
    stop_orphans(
        [USE_CASE], policies=unsure.world.policies, ports=unsure.world.ingest_ports, clock=unsure.clock
    )
    assert unsure.measured() == {"SweeperRepairs": [1]}


def test_every_metric_has_a_name_of_its_own_and_says_what_it_tells() -> None:
    metrics = [
        metric
        for module in (anchor_audit, counted, deliver_outbox, watch_errors)
        for metric in module.METRICS
    ]
    names = [metric.name for metric in metrics]
    assert len(set(names)) == len(names)
    assert all(metric.tells and metric.name[0].isupper() for metric in metrics)
