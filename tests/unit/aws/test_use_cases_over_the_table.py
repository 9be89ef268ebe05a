"""The decision's use cases over the real table: what they write is taken, found again and hangs together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from overread.audit.chain import SHARDS, genesis, verify
from overread.decisions.callers import cancel, contest, learn_truth
from overread.decisions.ingest import ingest
from overread.decisions.record import Record, State
from overread.decisions.requests import parse_submission
from overread.decisions.start_loop import StartResult, start_loop, start_waiting
from overread.decisions.start_rate import Rate
from overread.decisions.steered import ALL
from overread.decisions.steering import turn_on
from overread.decisions.submit import submit
from overread_aws import decision_items as items
from overread_aws.audit_log import DynamoDbAuditLog
from overread_aws.decision_lists import DecisionLists, Listing
from overread_aws.decision_table import DecisionTable
from overread_aws.dynamodb_records import DynamoDbRecords
from overread_aws.outbox_store import DynamoDbOutbox
from overread_aws.queue_gauges import QueueGauges
from overread_aws.rosters import S3Rosters
from overread_aws.start_rate import DynamoDbStartRate
from overread_aws.steering import DynamoDbSteering
from overread_testing.decision_builders import (
    CALLER_SCOPE,
    answer,
    output_document,
    policy,
    request_body,
)
from overread_testing.decision_fakes import World

TABLE, BUCKET = "decisions", "inputs"
SURE = b'{"label": "approve", "confidence": 1.0}'
UNSURE = b'{"label": "approve", "confidence": 0.71}'
PAIR = {"review__two_person": True, "review__queue": {"name": "loans", "max_open": 2, "max_waiting": 9}}


class RealWorld:
    """Everything that the table keeps is in the table; models, people and inputs are made up."""

    def __init__(self, dynamodb: Any, s3: Any, **changes: Any) -> None:
        self.world = World(policy(**changes))
        self.world.models.reply = UNSURE
        self.clock = self.world.clock
        self.table = DecisionTable(dynamodb, name=TABLE)
        self.records = DynamoDbRecords(dynamodb, table=TABLE)
        self.steering = DynamoDbSteering(dynamodb, s3, table=TABLE, bucket=BUCKET)
        self.lists = DecisionLists(dynamodb, table=TABLE)
        self.outbox = DynamoDbOutbox(dynamodb, table=TABLE)
        self.log = DynamoDbAuditLog(dynamodb, table=TABLE)
        self.submit_ports = replace(
            self.world.submit_ports, records=self.records, gauges=QueueGauges(dynamodb, table=TABLE)
        )
        rate = DynamoDbStartRate(dynamodb, table=TABLE, rate=Rate(per_second=100.0, burst=100))
        self.start_ports = replace(self.world.start_ports, records=self.records, rate=rate)
        self.ingest_ports = replace(
            self.world.ingest_ports,
            records=self.records,
            rosters=S3Rosters(dynamodb, s3, table=TABLE, bucket=BUCKET),
        )
        self.change_ports = replace(self.world.change_ports, records=self.records)

    def post(self, key: str) -> Record:
        """What a caller's request comes to."""
        return submit(
            parse_submission(request_body()),
            use_case="loan-approval",
            environment="test",
            caller_scope=CALLER_SCOPE,
            idempotency_key=key,
            ports=self.submit_ports,
            clock=self.clock,
        )

    def start(self, record: Record) -> StartResult:
        """Its human loops, as far as there are places."""
        return start_loop(record.decision_id, ports=self.start_ports, clock=self.clock, jitter=0.0)

    def read(self, record: Record) -> Record:
        """The record as of now."""
        found = self.records.get(record.decision_id)
        assert found is not None
        return found

    def say(self, name: str, label: str, *, who: str) -> None:
        """Somebody answers the loop, and the news arrives."""
        content = self.world.loops.content(name)
        document = output_document(
            loop_name=name,
            decision_id=content["decision_id"],
            answers=[answer(label, workerId=who)],
            inputContent=content,
            flowDefinitionArn=self.world.loops.loops[name].flow_definition_arn,
        )
        self.world.answer(name, document)
        ingest(name, ports=self.ingest_ports, clock=self.clock)

    def open_places(self) -> int:
        """How many places of the queue are taken."""
        return int((self.table.get(items.queue_key("loans")) or {"open": 0})["open"])

    def events(self, record: Record) -> list[str]:
        """What the audit tells of the decision; all chains are verified beside it."""
        for shard in SHARDS:
            report = verify(self.log.links(shard, after=0), from_head=genesis(shard))
            assert report.is_intact, report.faults
            assert report.head == self.log.head(shard)
        entries = [link.entry for link in self.log.entries(record.decision_id)]
        assert [entry["number"] for entry in entries] == list(range(1, self.read(record).audit_length + 1))
        return [entry["event"] for entry in entries]


def test_a_decision_of_the_model(dynamodb: Any, s3_client: Any) -> None:
    real = RealWorld(dynamodb, s3_client)
    real.world.models.reply = SURE
    record = real.post("order-1")
    assert record.state is State.FINAL
    assert real.read(record) == record
    assert real.events(record) == ["decided_by_model"]
    assert list(real.outbox.due(until=real.clock())) == [(record.decision_id, 1, "events")]
    assert real.post("order-1") == record
    listed = real.lists.page(Listing(CALLER_SCOPE, state=State.FINAL), limit=5)
    assert [one.decision_id for one in listed.decisions] == [record.decision_id]


def test_a_kill_switch_sends_what_the_model_is_sure_of_to_people(dynamodb: Any, s3_client: Any) -> None:
    real = RealWorld(dynamodb, s3_client)
    real.world.models.reply = SURE
    turn_on(ALL, by="ada", reason="drill", steering=real.steering, clock=real.clock)
    record = real.post("order-1")
    assert record.state is State.PENDING
    assert record.route is not None
    assert "kill_switch" in [reason.code for reason in record.route.reasons]
    assert real.events(record) == ["sent_to_people"]


def test_two_readers_in_a_queue_that_has_places_for_one_pair(dynamodb: Any, s3_client: Any) -> None:
    real = RealWorld(dynamodb, s3_client, **PAIR)
    first = real.post("order-1")
    real.clock.pass_seconds(1)
    second = real.post("order-2")
    real.clock.pass_seconds(120)
    assert list(real.records.waiting("loans")) == [first.decision_id, second.decision_id]
    assert QueueGauges(dynamodb, table=TABLE).measure("loans") == 2
    assert real.start(first) is StartResult.STARTED
    assert real.start(second) is StartResult.QUEUE_FULL
    assert (real.open_places(), list(real.records.waiting("loans"))) == (2, [second.decision_id])
    for name, who in zip(
        [one.loop_name for one in real.read(first).open_reviews], ("ada", "bo"), strict=True
    ):
        real.say(name, "decline", who=who)
    final = real.read(first)
    assert (final.state, final.outcome and final.outcome.label) == (State.FINAL, "decline")
    assert real.open_places() == 0
    started = start_waiting("loans", ports=real.start_ports, clock=real.clock, jitter=0.0)
    assert (started, real.open_places(), list(real.records.waiting("loans"))) == (1, 2, [])
    assert real.events(first)[-1] == "decided_by_people"


def test_what_callers_do_later(dynamodb: Any, s3_client: Any) -> None:
    real = RealWorld(dynamodb, s3_client, **PAIR)
    waiting = real.post("order-1")
    real.start(waiting)
    cancelled = cancel(
        waiting.decision_id, reason="sold", by="caller", ports=real.change_ports, clock=real.clock
    )
    assert real.read(waiting) == cancelled
    assert real.open_places() == 2
    for review in cancelled.open_reviews:
        real.world.loops.end(review.loop_name, "Stopped")
        ingest(review.loop_name, ports=real.ingest_ports, clock=real.clock)
    assert real.open_places() == 0
    real.world.models.reply = SURE
    final = real.post("order-2")
    learn_truth(
        final.decision_id,
        label="decline",
        learnt_at=real.clock(),
        by="caller",
        ports=real.change_ports,
        clock=real.clock,
    )
    contested = contest(
        final.decision_id,
        grounds="income",
        idempotency_key="contest-1",
        by="caller",
        ports=real.change_ports,
        clock=real.clock,
    )
    assert contested.supersedes == final.decision_id
    assert real.read(final).contested_by == contested.decision_id
    for record in (waiting, final, contested):
        assert real.events(record)


def test_who_signed_is_kept_with_the_outcome(dynamodb: Any, s3_client: Any) -> None:
    real = RealWorld(dynamodb, s3_client)
    record = real.post("order-1")
    real.clock.pass_seconds(120)
    real.start(record)
    real.say(real.read(record).open_reviews[0].loop_name, "approve", who="ada")
    final = real.read(record)
    assert final.outcome is not None
    assert [sign_off.reviewer.worker_id for sign_off in final.outcome.sign_offs] == ["ada"]
