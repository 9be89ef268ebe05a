"""News are heard at least once, in equal words, whichever call fails and however."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from overread.decisions.record import OutboxEntry
from overread.delivery.deliver import ATTEMPTS_AT_LEAST, PATIENCE, DeliverResult, backoff, deliver
from overread.delivery.ports import DeliverPorts
from overread.errors import AmbiguousError, MissingSettingsError, PermanentError, RetryableError
from overread_aws.decision_events import EventBridgeReceiver
from overread_lambda.deliver_outbox import deliver_due, deliver_settings, deliver_streamed
from overread_testing.decision_fakes import Faults, ManualClock
from overread_testing.stored_records import NOW, make_news

Place = tuple[str, int, str]


class MemoryOutbox:
    """The port `Outbox` over a dictionary, with its conditions."""

    def __init__(self, *entries: OutboxEntry, faults: Faults) -> None:
        self.entries: dict[Place, OutboxEntry] = {(e.decision_id, e.number, e.target): e for e in entries}
        self.delivered: dict[Place, datetime] = {}
        self.dead: dict[Place, str] = {}
        self._faults = faults

    def get(self, decision_id: str, *, number: int, target: str) -> OutboxEntry | None:
        self._faults.enter("get")
        place = (decision_id, number, target)
        return None if place in self.delivered or place in self.dead else self.entries.get(place)

    def due(self, *, until: datetime) -> Iterator[Place]:
        self._faults.enter("due")
        waiting = {p: e for p, e in self.entries.items() if p not in self.delivered and p not in self.dead}
        yield from sorted(
            (p for p, e in waiting.items() if e.due_at <= until), key=lambda p: waiting[p].due_at
        )

    def done(self, entry: OutboxEntry, *, at: datetime) -> None:
        self._faults.enter("done")
        self.delivered.setdefault((entry.decision_id, entry.number, entry.target), at)
        self._faults.leave("done")

    def postpone(self, entry: OutboxEntry, *, due_at: datetime) -> bool:
        self._faults.enter("postpone")
        is_mine = self._attempt(entry, replace(entry, attempts=entry.attempts + 1, due_at=due_at))
        self._faults.leave("postpone")
        return is_mine

    def give_up(self, entry: OutboxEntry, *, code: str) -> bool:
        self._faults.enter("give_up")
        if is_mine := self._attempt(entry, replace(entry, attempts=entry.attempts + 1)):
            self.dead[entry.decision_id, entry.number, entry.target] = code
        return is_mine

    def _attempt(self, entry: OutboxEntry, after: OutboxEntry) -> bool:
        place = (entry.decision_id, entry.number, entry.target)
        if place in self.delivered or place in self.dead or self.entries[place].attempts != entry.attempts:
            return False
        self.entries[place] = after
        return True


class Listener:
    """A receiver that may fail, also after it has acted."""

    def __init__(self, faults: Faults) -> None:
        self.heard: list[OutboxEntry] = []
        self._faults = faults

    def deliver(self, entry: OutboxEntry) -> None:
        self._faults.enter("deliver")
        self.heard.append(entry)
        self._faults.leave("deliver")


class Street:
    """An outbox with news to three targets, and who hears them."""

    def __init__(self, *entries: OutboxEntry) -> None:
        self.faults, self.clock = Faults(), ManualClock(NOW)
        targets = ("events", "webhook", "feedback")
        self.outbox = MemoryOutbox(
            *(entries or (make_news(target=target) for target in targets)), faults=self.faults
        )
        self.listeners = {target: Listener(self.faults) for target in targets}
        self.ports = DeliverPorts(outbox=self.outbox, receivers=self.listeners)

    def deliver(self, target: str = "webhook", *, jitter: float = 0.0) -> DeliverResult:
        return deliver("d-1", number=1, target=target, ports=self.ports, clock=self.clock, jitter=jitter)

    def sweep(self, *, remaining_ms: int = 60_000) -> dict[str, int]:
        return deliver_due(
            ports=self.ports, clock=self.clock, jitter=lambda: 0.5, remaining_ms=lambda: remaining_ms
        )

    def stream(self, *targets: str, remaining_ms: int = 60_000) -> dict[str, Any]:
        records = [
            {
                "eventName": "INSERT",
                "dynamodb": {
                    "Keys": {"pk": {"S": "d-1"}, "sk": {"S": f"OUTBOX#00000001#{target}"}},
                    "SequenceNumber": f"sequence-{target}",
                },
            }
            for target in targets
        ]
        return deliver_streamed(
            {"Records": records},
            ports=self.ports,
            clock=self.clock,
            jitter=lambda: 0.5,
            remaining_ms=lambda: remaining_ms,
        )


ERRORS = (
    RetryableError("Throttled", operation="x"),
    AmbiguousError("Timeout", operation="x"),
    PermanentError("Denied", operation="x"),
)
CALLS = ("get", "due", "deliver", "done")


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", CALLS)
def test_whichever_call_fails_everybody_hears_the_same_words(call: str, when: str, error: Exception) -> None:
    street = Street()
    words = {target: one.payload for (_, _, target), one in street.outbox.entries.items()}
    planned = street.faults.before if when == "before" else street.faults.after
    planned[call] = [error]
    for _ in range(6):
        try:
            street.sweep()
        except type(error):
            assert call == "due"
        street.clock.pass_seconds(60)
    assert len(street.outbox.delivered) == 3
    for target, listener in street.listeners.items():
        assert {one.payload for one in listener.heard} == {words[target]}
        assert {one.dedupe_key for one in listener.heard} == {"d-1/1"}
    assert sum(len(one.heard) for one in street.listeners.values()) <= 4, "one fault, at most one repetition"


def test_who_applies_and_then_answers_500_hears_the_same_again() -> None:
    street = Street()
    street.faults.after["deliver"] = [RetryableError("HTTP 500", operation="PostWebhook")]
    assert street.deliver() is DeliverResult.POSTPONED
    street.clock.pass_seconds(15)
    assert street.deliver() is DeliverResult.DELIVERED
    first, second = street.listeners["webhook"].heard
    assert (first.payload, first.dedupe_key) == (second.payload, second.dedupe_key)


def test_delivered_news_are_not_told_again() -> None:
    street = Street()
    assert street.deliver() is DeliverResult.DELIVERED
    assert street.deliver() is DeliverResult.NOTHING_TO_DO
    assert street.sweep() == {"delivered": 2}
    assert [len(one.heard) for one in street.listeners.values()] == [1, 1, 1]


def test_postponed_news_wait_for_their_time() -> None:
    street = Street()
    street.faults.before["deliver"] = [RetryableError("HTTP 503", operation="PostWebhook")]
    assert street.deliver(jitter=0.0) is DeliverResult.POSTPONED
    street.clock.pass_seconds(7.4)
    assert street.deliver() is DeliverResult.NOTHING_TO_DO
    street.clock.pass_seconds(0.1)
    assert street.deliver() is DeliverResult.DELIVERED


def test_pauses_double_from_15_seconds_to_6_hours() -> None:
    longest = [backoff(attempts, jitter=1.0).total_seconds() for attempts in range(1, 14)]
    assert longest[:4] == [15, 30, 60, 120]
    assert longest[-3:] == [15_360, 21_600, 21_600]
    assert backoff(1, jitter=0.0) == timedelta(seconds=7.5)
    assert backoff(10**6, jitter=0.5) == timedelta(hours=4.5)


@pytest.mark.parametrize("jitter", [0.0, 0.5, 0.99])
def test_a_deaf_receiver_is_given_up_after_three_days_or_little_more(jitter: float) -> None:
    street = Street(make_news(target="webhook"))
    while not street.outbox.dead:
        street.faults.before["deliver"] = [RetryableError("HTTP 503", operation="PostWebhook")]
        assert street.deliver(jitter=jitter) is not DeliverResult.DELIVERED
        street.clock.pass_seconds(
            (street.outbox.entries["d-1", 1, "webhook"].due_at - street.clock()).total_seconds()
        )
    assert street.outbox.dead == {("d-1", 1, "webhook"): "HTTP 503"}
    assert PATIENCE <= street.clock() - NOW <= PATIENCE + timedelta(hours=6)
    assert street.deliver() is DeliverResult.NOTHING_TO_DO


def test_redriven_news_have_all_their_attempts_again() -> None:
    old = make_news(target="webhook", created_at=NOW - timedelta(days=30), attempts=0)
    street = Street(old)
    street.faults.before["deliver"] = [RetryableError("HTTP 503", operation="PostWebhook")]
    assert street.deliver() is DeliverResult.POSTPONED
    late = Street(replace(old, attempts=ATTEMPTS_AT_LEAST - 1))
    late.faults.before["deliver"] = [RetryableError("HTTP 503", operation="PostWebhook")]
    assert late.deliver() is DeliverResult.GIVEN_UP


def test_who_lost_the_race_changes_nothing() -> None:
    street = Street()
    stale = street.outbox.entries["d-1", 1, "webhook"]

    class Overtaken(Listener):
        def deliver(self, entry: OutboxEntry) -> None:
            street.outbox.done(stale, at=street.clock())
            raise RetryableError("HTTP 500", operation="PostWebhook")

    ports = replace(street.ports, receivers={"webhook": Overtaken(street.faults)})
    result = deliver("d-1", number=1, target="webhook", ports=ports, clock=street.clock, jitter=0.0)
    assert result is DeliverResult.NOTHING_TO_DO
    assert street.outbox.entries["d-1", 1, "webhook"] == stale


def test_news_without_a_receiver_wait_for_one() -> None:
    street = Street(make_news(target="webhook"))
    street.ports = replace(street.ports, receivers={})
    assert street.deliver() is DeliverResult.POSTPONED


# The function


def test_the_stream_s_news_are_told_at_once() -> None:
    street = Street()
    assert street.stream("events", "webhook", "feedback") == {"batchItemFailures": []}
    assert len(street.outbox.delivered) == 3


def test_the_stream_repeats_from_the_first_that_failed() -> None:
    street = Street()
    assert street.stream("events") == {"batchItemFailures": []}
    street.faults.before["done"] = [RetryableError("Throttled", operation="UpdateItem")]
    reply = street.stream("events", "webhook", "feedback")
    assert reply == {"batchItemFailures": [{"itemIdentifier": "sequence-webhook"}]}
    assert not street.listeners["feedback"].heard
    assert street.stream("webhook", "feedback") == {"batchItemFailures": []}
    assert len(street.outbox.delivered) == 3


def test_a_receiver_that_fails_does_not_hold_up_the_stream() -> None:
    street = Street()
    street.faults.before["deliver"] = [RetryableError("HTTP 500", operation="PostWebhook")]
    assert street.stream("webhook", "events") == {"batchItemFailures": []}
    assert list(street.outbox.delivered) == [("d-1", 1, "events")]


def test_what_the_time_is_too_short_for_is_left_to_the_sweep() -> None:
    street = Street()
    assert street.stream("events", "webhook", remaining_ms=14_999) == {"batchItemFailures": []}
    assert not street.outbox.delivered
    assert street.sweep(remaining_ms=14_999) == {}
    assert street.sweep() == {"delivered": 3}


# The event bus


class Bus:
    def __init__(self, reply: dict[str, Any]) -> None:
        self.reply, self.entries = reply, list[dict[str, Any]]()

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's
        self.entries += Entries
        return self.reply


def test_an_event_carries_the_payload_as_it_was_written() -> None:
    bus = Bus({"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]})
    EventBridgeReceiver(bus, bus="default").deliver(make_news())
    (entry,) = bus.entries
    told = {name: entry[name] for name in ("EventBusName", "Source", "DetailType", "Detail")}
    assert told == {
        "EventBusName": "default",
        "Source": "overread",
        "DetailType": "Decision Final",
        "Detail": make_news().payload,
    }


def test_an_event_that_the_bus_refused_within_a_good_reply_is_no_delivery() -> None:
    refused = {"ErrorCode": "ThrottlingException", "ErrorMessage": "slower"}
    bus = Bus({"FailedEntryCount": 1, "Entries": [refused]})
    with pytest.raises(RetryableError, match="PutEvents: ThrottlingException: slower"):
        EventBridgeReceiver(bus, bus="default").deliver(make_news())


# Settings

ENVIRON = {"OVERREAD_TABLE": "t", "OVERREAD_EVENT_BUS": "default", "OVERREAD_INPUT_BUCKET": "b"}


def test_without_webhooks_no_secret_is_needed() -> None:
    assert deliver_settings(ENVIRON).webhooks == {}


def test_webhooks_need_a_secret() -> None:
    hooks = '{"loans": {"url": "https://core.example/", "allowed_networks": ["10.1.0.0/16"]}}'
    with pytest.raises(MissingSettingsError, match="OVERREAD_WEBHOOK_SECRET"):
        deliver_settings({**ENVIRON, "OVERREAD_WEBHOOKS": hooks})
    settings = deliver_settings({**ENVIRON, "OVERREAD_WEBHOOKS": hooks, "OVERREAD_WEBHOOK_SECRET": "arn"})
    assert str(settings.webhooks["loans"].allowed[0]) == "10.1.0.0/16"


def test_deliveries_are_measured_by_their_target(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OVERREAD_DEPLOYMENT", "overread-test")
    street = Street(make_news(target="webhook"))
    street.faults.before["deliver"] = [RetryableError("Throttled", operation="x")]
    street.stream("webhook")
    street.clock.now = street.outbox.entries["d-1", 1, "webhook"].due_at
    street.sweep()
    street.sweep()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    told = [(line["Target"], line.get("NewsPostponed"), line.get("NewsDelivered")) for line in lines]
    assert told == [("webhook", 1, None), ("webhook", None, 1)]


def test_news_that_are_given_up_are_measured(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OVERREAD_DEPLOYMENT", "overread-test")
    street = Street(make_news(target="webhook"))
    while not street.outbox.dead:
        street.faults.before["deliver"] = [PermanentError("Denied", operation="x")]
        street.clock.now = street.outbox.entries["d-1", 1, "webhook"].due_at
        street.sweep()
    *_, last = (json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line)
    assert last["NewsGivenUp"] == 1
