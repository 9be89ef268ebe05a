"""One decision with everything that an audit of it reads: entries, record, input, archived texts."""

import json
from hashlib import sha256
from typing import Any

from overread.audit.chain import Link
from overread.audit.replay import Replay, replay
from overread.decisions.ingest import ingest
from overread.decisions.record import Record
from overread.decisions.requests import parse_submission
from overread.decisions.start_loop import start_loop
from overread.decisions.submit import submit
from overread.routing.policy import parse_policy
from overread_testing.decision_builders import (
    CALLER_SCOPE,
    answer,
    output_document,
    policy_document,
    request_body,
)
from overread_testing.decision_fakes import World

TEMPLATE = "<p>{{ task.input.input.amount }}</p>"


class AuditCase:
    """One decision of a world with archived texts, and its replay with whatever a test changes."""

    def __init__(self, **changes: Any) -> None:
        template = sha256(TEMPLATE.encode()).hexdigest()
        text = json.dumps(policy_document(review__task_ui_sha256=template, **changes))
        self.texts = {template: TEMPLATE, sha256(text.encode()).hexdigest(): text}
        self.policies = [sha256(text.encode()).hexdigest()]
        self.world = World(parse_policy(text))
        self.decision_id = self.submit()

    def submit(self) -> str:
        record = submit(
            parse_submission(request_body()),
            use_case="loan-approval",
            environment="test",
            caller_scope=CALLER_SCOPE,
            idempotency_key="order-1",
            ports=self.world.submit_ports,
            clock=self.world.clock,
        )
        return record.decision_id

    @property
    def record(self) -> Record:
        record = self.world.records.get(self.decision_id)
        assert record is not None
        return record

    @property
    def links(self) -> list[Link]:
        return [link for link in self.world.records.links if link.entry["decision_id"] == self.decision_id]

    def link_at(self, shard: str, seq: int) -> Link | None:
        """What the chain holds there."""
        links = self.world.records.links
        return next((link for link in links if (link.shard, link.seq) == (shard, seq)), None)

    def read(self, *labels: str) -> None:
        """Every reader's loop is started and answered, one label each."""
        start_loop(self.decision_id, ports=self.world.start_ports, clock=self.world.clock, jitter=0.0)
        for number, (review, label) in enumerate(zip(self.record.open_reviews, labels, strict=True)):
            output = output_document(
                loop_name=review.loop_name,
                decision_id=self.decision_id,
                generation=review.generation,
                answers=[answer(label, workerId=f"w{len(self.links)}{number}")],
                inputContent=self.world.loops.content(review.loop_name),
            )
            self.world.answer(review.loop_name, output)
            ingest(review.loop_name, ports=self.world.ingest_ports, clock=self.world.clock)

    def replay(self, **changes: Any) -> Replay:
        given: dict[str, Any] = {
            "record": self.record,
            "input_body": self.world.inputs.read(self.record.input),
            "policy_sha256s": self.policies,
            "find_text": self.texts.get,
            "find_link": self.link_at,
            **changes,
        }
        return replay(given.pop("links", self.links), **given)
