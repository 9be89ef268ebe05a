"""Many decisions at deployed stacks: asked for, read by synthetic people, swept, and reckoned up."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError
from tests.local.conftest import Deployment
from tests.local.faults import Faults

from overread.audit.anchors import read_anchors, verify_log
from overread.decisions.codec import outbox_of
from overread.decisions.record import TERMINAL, LoopEnd, Record, State
from overread_aws.attribute_values import plain_item
from overread_aws.audit_archive import S3AuditArchive
from overread_aws.audit_log import DynamoDbAuditLog
from overread_cli.demo.cases import load_cases

ROOT = Path(__file__).parents[2]
READERS = tuple(f"reader-{number}" for number in range(1, 41))
LABELS = {
    "digit-reading": tuple("0123456789"),
    "loan-approval": ("approve", "decline"),
    "tumor-screening": ("benign", "malignant"),
}
ENDS = {
    "decided_by_model": "Decision Final",
    "decided_by_people": "Decision Final",
    "cancelled": "Decision Cancelled",
}
"""The events with one of which a decision ends, and what the world hears of it."""
SWEEPS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("resume_decisions", {}),
    ("start_loop", {}),
    ("ingest_review", {"sweep": "due"}),
    ("deliver_outbox", {}),
)
AHEAD_S = 3700.0
"""So far the functions' clock goes ahead before each sweep: whatever waits for a look is due then."""
_TRIES = 40


@dataclass(frozen=True)
class Asked:
    """A request as its caller knows it, whatever became of it on the way."""

    use_case: str
    key: str
    body: bytes


@dataclass
class Heard:
    """What callers heard of their requests, by idempotency key."""

    ids: dict[str, set[str]] = field(default_factory=dict)
    finals: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)

    def note(self, key: str, document: Mapping[str, Any]) -> None:
        """One reply with a decision."""
        self.ids.setdefault(key, set()).add(document["decision_id"])
        if document["state"] == "FINAL":
            self.finals.setdefault(document["decision_id"], []).append(document["outcome"])


class DecisionWorld:
    """Callers, readers and sweeps of one deployment."""

    def __init__(self, deployed: Deployment, *, faults: Faults, seed: int = 7) -> None:
        self.deployed = deployed
        self.faults = faults
        self.heard = Heard()
        self._seed = seed
        self._lock = threading.Lock()
        self._ahead_s = 0.0
        self._answered: set[str] = set()
        self.table = deployed.output("data", "TableName")
        self.log = DynamoDbAuditLog(deployed.client("dynamodb"), table=self.table)
        self._credentials = _caller_credentials(deployed)
        self._http = httpx.Client(timeout=60.0, trust_env=False, limits=httpx.Limits(max_connections=32))
        self._url = deployed.stack.invoke_url(
            deployed.output("inference", "ApiId"), deployed.output("inference", "ApiStage")
        )

    def close(self) -> None:
        self._http.close()

    @cached_property
    def functions(self) -> Mapping[str, str]:
        """The deployed functions' names by the module of their handler."""
        pages = self.deployed.client("lambda").get_paginator("list_functions").paginate()
        found = [one for page in pages for one in page["Functions"] if "overread_lambda" in one["Handler"]]
        return {one["Handler"].split(".")[1]: one["FunctionName"] for one in found}

    # Callers

    def requests(self, count: int, *, name: str) -> list[Asked]:
        """Requests of all use cases, some of which a model may decide and others go to people."""
        cases = load_cases(ROOT / "build/models", use_cases=["loan-approval", "tumor-screening"], each=60)
        made = []
        for number in range(count):
            case = cases[(number * 37) % len(cases)]
            content = dict(case.input)
            if case.use_case == "loan-approval" and number % 3 == 0:
                content["amount"] = 15_000 + number
            body = json.dumps({"input": content, "reference": f"{name}-{number}"}).encode()
            made.append(Asked(case.use_case, f"{name}-{self._seed}-{number}", body))
        return made

    def ask_all(self, asked: Sequence[Asked], *, at_once: int = 8) -> list[str]:
        """The decisions' ids; every request is sent again, under the same key, until it is answered."""
        with ThreadPoolExecutor(at_once) as callers:
            return list(callers.map(self.ask, asked))

    def ask(self, asked: Asked) -> str:
        """One decision's id."""
        path = f"/v1/use-cases/{asked.use_case}/decisions"
        return self._heard(asked.key, self.until_answered("POST", path, body=asked.body, key=asked.key))

    def ask_once(self, asked: Asked) -> None:
        """A request whose caller does not come back, whatever became of it."""
        path = f"/v1/use-cases/{asked.use_case}/decisions"
        reply = self.send("POST", path, body=asked.body, key=asked.key)
        if reply is not None and reply.is_success:
            self._heard(asked.key, reply.json())

    def found(self, asked: Asked) -> str | None:
        """The decision that a request left in the table, whatever its caller heard."""
        reference = json.loads(asked.body)["reference"]
        ids = [one["pk"] for one in self.items() if one.get("reference") == reference]
        with self._lock:
            self.heard.ids.setdefault(asked.key, set()).update(ids)
        return ids[0] if ids else None

    def talk(self, ids: Sequence[str]) -> list[str]:
        """What callers do with final decisions: read, tell the truth of, contest; contests are new ones."""
        made = []
        for number, decision_id in enumerate(ids):
            path = f"/v1/decisions/{decision_id}"
            document = self.until_answered("GET", path)
            if number % 2:
                truth = json.dumps({"label": document["outcome"]["label"]}).encode()
                self.until_answered("POST", f"{path}/outcome", body=truth)
            else:
                key = f"contest-{decision_id}"
                body = b'{"grounds": "wrong-person"}'
                document = self.until_answered("POST", f"{path}/contest", body=body, key=key)
                made.append(self._heard(key, document))
        return made

    def cancel(self, decision_id: str) -> None:
        """The decision as cancelled, unless it was final before."""
        self.until_answered("POST", f"/v1/decisions/{decision_id}/cancel", body=b"{}", allowed={409})

    def turn(self, use_case: str, *, is_on: bool) -> None:
        """The kill switch of a use case."""
        body = json.dumps({"is_on": is_on, "reason": "test"}).encode()
        self.until_answered("PUT", f"/v1/kill-switches/{use_case}", body=body)

    def _heard(self, key: str, document: Mapping[str, Any]) -> str:
        with self._lock:
            self.heard.note(key, document)
        return str(document["decision_id"])

    def until_answered(
        self, method: str, path: str, *, body: bytes = b"", key: str = "", allowed: Container[int] = ()
    ) -> Mapping[str, Any]:
        """The document of the first reply that is one; who hears nothing, or of trouble, sends it again."""
        for attempt in range(_TRIES):
            reply = self.send(method, path, body=body, key=key)
            if reply is not None and (reply.is_success or reply.status_code in allowed):
                document: Mapping[str, Any] = reply.json()
                return document
            if reply is not None and reply.status_code not in {429, 500, 502, 503, 504}:
                raise AssertionError(f"{method} {path}: {reply.status_code} {reply.text}")
            time.sleep(min(1.0, 0.05 * 2**attempt))
        raise AssertionError(f"{method} {path} was not answered in {_TRIES} tries")

    def send(self, method: str, path: str, *, body: bytes = b"", key: str = "") -> httpx.Response | None:
        """One try; None when there was no reply at all."""
        url = self._url + path
        headers = {"Idempotency-Key": key} if key else {}
        request = AWSRequest(method, url, data=body or None, headers=headers)
        SigV4Auth(self._credentials, "execute-api", self.deployed.stack.record.region).add_auth(request)
        began = time.monotonic()
        try:
            reply = self._http.request(method, url, content=body, headers=dict(request.headers))
        except httpx.TransportError:
            return None
        with self._lock:
            self.heard.statuses[reply.status_code] += 1
            self.heard.latencies_s.append(time.monotonic() - began)
        return reply

    # Readers and sweeps

    def work_off(self, ids: Sequence[str], *, patience_s: float, sweeps: bool = True) -> dict[str, Record]:
        """The records once all of them have ended, read by people and swept meanwhile."""
        deadline = time.monotonic() + patience_s
        records: dict[str, Record] = {}
        swept = time.monotonic()
        while left := [one for one in ids if one not in records]:
            moved = self._look_at(left, records=records)
            assert time.monotonic() < deadline, self._stuck(left)
            if sweeps and (not moved or time.monotonic() - swept > 5.0):
                self.sweep()
                swept = time.monotonic()
            elif not moved:
                time.sleep(0.2)
        return records

    def state(self, decision_id: str) -> State | None:
        """The decision's state now."""
        record = self.log.record(decision_id)
        return None if record is None else record.state

    def look(self, ids: Sequence[str]) -> None:
        """Readers answer what is open now."""
        self._look_at(ids, records={})

    @contextmanager
    def deaf(self) -> Iterator[None]:
        """Neither streams nor rules, schedules among them, call the functions; callers and `sweep` do."""
        functions, events = self.deployed.client("lambda"), self.deployed.client("events")
        streams = [one["UUID"] for one in functions.list_event_source_mappings()["EventSourceMappings"]]
        rules = [one["Name"] for one in events.list_rules()["Rules"] if one["State"] == "ENABLED"]
        for uuid in streams:
            functions.update_event_source_mapping(UUID=uuid, Enabled=False)
        for rule in rules:
            events.disable_rule(Name=rule)
        try:
            yield
        finally:
            for uuid in streams:
                functions.update_event_source_mapping(UUID=uuid, Enabled=True)
            for rule in rules:
                events.enable_rule(Name=rule)

    def _look_at(self, left: Sequence[str], *, records: dict[str, Record]) -> bool:
        with ThreadPoolExecutor(4) as readers:
            found = list(readers.map(self._looked_at, left))
        done = {one.decision_id: one for one, _ in found if one and one.state in TERMINAL and _is_done(one)}
        records |= done
        return bool(done) or any(answered for _, answered in found)

    def _looked_at(self, decision_id: str) -> tuple[Record | None, bool]:
        """The record as it is, and whether one of its human loops was answered now."""
        try:
            record = self.log.record(decision_id)
        except (BotoCoreError, ClientError, OSError):
            return None, False
        if record is None:
            return None, False
        open_loops = [(one.loop_name, one.seat) for one in record.reviews if one.end is LoopEnd.OPEN]
        fresh = [(name, seat) for name, seat in open_loops if name not in self._answered]
        answered = [self.answer(name, seat=seat, record=record) for name, seat in fresh]
        return record, any(answered)

    def answer(self, loop_name: str, *, seat: str, record: Record) -> bool:
        """Whether somebody who may answers the human loop now."""
        drawn = random.Random(f"{self._seed}{loop_name}")
        right = self.right_label(record)
        others = [label for label in LABELS[record.use_case] if label != right]
        chance = drawn.random()
        label = right
        if seat == "b" and chance < 0.2:
            label = others[0]
        elif seat == "" and chance < 0.05:
            label = "cannot-decide"
        elif seat in {"", "a"} and chance < 0.1:
            label = "no-label-at-all"
        answer = {"decision": {"label": label}, "reason_code": "fault-test"}
        for reader in drawn.sample(READERS, len(READERS)):
            status = self._submit(loop_name, answer, reader=reader)
            if status in {200, 404, 410}:
                self._answered.add(loop_name)
                return status == 200
            if status != 409:
                return False
        return False

    def _submit(self, loop_name: str, answer: Mapping[str, Any], *, reader: str) -> int:
        url = f"{self.deployed.stack.portal_url}/sandbox/human-loops/{loop_name}/answers"
        try:
            return self._http.post(url, json={"answer": dict(answer), "reviewer": reader}).status_code
        except httpx.TransportError:
            return 0

    def right_label(self, record: Record) -> str:
        """What readers say of the case, but for those who err."""
        labels = LABELS[record.use_case]
        return labels[sum(record.decision_id.encode()) % len(labels)]

    def sweep(self) -> None:
        """What the schedules do, at once, and with all that waits for its time being due."""
        self._ahead_s += AHEAD_S
        self.faults.clock_ahead(self._ahead_s)
        for module, event in SWEEPS:
            self.run(module, event)

    def cold(self) -> None:
        """All workers end: the next calls are the first of new ones."""
        self.deployed.stack.enforce_iam(True)

    def run(self, module: str, event: Mapping[str, Any]) -> bool:
        """Whether the function went through; one that fails comes again."""
        if module not in self.functions:
            return False
        payload = json.dumps(event).encode()
        try:
            reply = self.deployed.client("lambda").invoke(
                FunctionName=self.functions[module], Payload=payload
            )
        except (BotoCoreError, ClientError):
            return False
        return "FunctionError" not in reply

    def deliver(self, *, patience_s: float = 30.0) -> None:
        """Until no news are due any more."""
        deadline = time.monotonic() + patience_s
        while self.news_due():
            assert time.monotonic() < deadline, f"news are due: {self.news_due()[:5]}"
            self.sweep()

    def news_due(self) -> list[Mapping[str, Any]]:
        """News that nobody has delivered yet."""
        return [item for item in self.items() if item.get("outbox_state") == "due"]

    # Reckoning

    def items(self) -> Iterator[Mapping[str, Any]]:
        """Everything in the table of decisions."""
        pages = self.deployed.client("dynamodb").get_paginator("scan")
        for page in pages.paginate(TableName=self.table, ConsistentRead=True):
            for item in page["Items"]:
                yield {"pk": item["pk"]["S"], "sk": item["sk"]["S"], **plain_item(item)}

    def reckoning(self, records: Mapping[str, Record]) -> list[str]:
        """What is wrong with the decisions, their audit entries, news and human loops; nothing if all is."""
        by_decision: dict[str, list[Mapping[str, Any]]] = {}
        for item in self.items():
            by_decision.setdefault(item["pk"], []).append(item)
        faults = [
            f"{decision_id}: {fault}"
            for decision_id, record in records.items()
            for fault in self._faults_of(record, by_decision.get(decision_id, []))
        ]
        for key, ids in self.heard.ids.items():
            if len(ids) > 1:
                faults.append(f"key {key} has {len(ids)} decisions")
        received = {pk for pk, own in by_decision.items() if any(one["sk"] == "DECISION" for one in own)}
        unknown = received - {one for ids in self.heard.ids.values() for one in ids}
        faults += [f"{one}: a decision that nobody heard of" for one in sorted(unknown)]
        bucket = self.deployed.output("data", "AuditBucketName")
        anchors = read_anchors(S3AuditArchive(self.deployed.client("s3"), bucket=bucket))
        faults += [] if anchors.anchors else ["no end of a chain was ever anchored"]
        reports = verify_log(log=self.log, read=anchors, pause=time.sleep)
        faults += [f"chain {one.shard}: {fault}" for one in reports for fault in one.faults]
        return faults

    def _faults_of(self, record: Record, items: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        entries = sorted((one for one in items if one["sk"].startswith("AUDIT#")), key=lambda one: one["sk"])
        numbers = [int(one["number"]) for one in entries]
        if numbers != list(range(1, record.audit_length + 1)):
            yield f"audit entries {numbers}, its record says {record.audit_length}"
        ends = [one["event"] for one in entries if one["event"] in ENDS]
        if len(ends) != 1:
            yield f"it ended {len(ends)} times: {ends}"
        for before, after in pairwise(entries):
            if before["to_state"] != after["from_state"]:
                yield f"{after['event']} begins in {after['from_state']}, not in {before['to_state']}"
        yield from self._faults_of_news(record, items)
        if record.open_reviews:
            yield f"its human loops are open: {[one.loop_name for one in record.open_reviews]}"
        yield from self._faults_of_outcome(record)

    def _faults_of_news(self, record: Record, items: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        news = [outbox_of(one) for one in items if one["sk"].startswith("OUTBOX#")]
        final = Counter(one.target for one in news if one.event in ENDS.values())
        if final.get("events") != 1 or any(count != 1 for count in final.values()):
            yield f"news of its end: {dict(final)}"
        keys = Counter((one.dedupe_key, one.target) for one in news)
        if any(count != 1 for count in keys.values()):
            yield f"news twice: {dict(keys)}"

    def _faults_of_outcome(self, record: Record) -> Iterator[str]:
        outcome = record.outcome
        if record.state is State.CANCELLED:
            if outcome is not None or self.heard.finals.get(record.decision_id):
                yield "it is cancelled with an outcome"
            return
        if outcome is None:
            yield "it is final without an outcome"
            return
        for said in self.heard.finals.get(record.decision_id, ()):
            if said["label"] != outcome.label:
                yield f"its caller heard {said['label']}, it is {outcome.label}"
        people = [(one.reviewer.issuer, one.reviewer.sub) for one in outcome.sign_offs]
        if len(set(people)) != len(people):
            yield f"one person signed twice: {people}"
        if people and outcome.label != self.right_label(record):
            yield f"people decided {outcome.label}, they said {self.right_label(record)}"

    def _stuck(self, left: Sequence[str]) -> str:
        states = []
        for decision_id in left[:5]:
            record = self.log.record(decision_id)
            states.append(f"{decision_id} {record and (record.state, record.due_at, record.reviews)}")
        return f"{len(left)} decisions have not ended: {'; '.join(states)}"


def _is_done(record: Record) -> bool:
    """Whether nothing is left to do: a cancelled decision's human loops are stopped first."""
    return not record.open_reviews


def _caller_credentials(deployed: Deployment) -> Credentials:
    iam = deployed.client("iam")
    name = f"caller-{int(time.time() * 1000)}"
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="invoke", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])
