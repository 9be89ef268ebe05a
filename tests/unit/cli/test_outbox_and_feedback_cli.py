"""`overread outbox` and `overread feedback` over a real table and bucket."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from overread.decisions.record import OutboxEntry
from overread.delivery.lessons import manifest_key, manifest_line
from overread_aws.audited_writes import news
from overread_aws.decision_table import DecisionTable, table_definition
from overread_aws.outbox_store import DynamoDbOutbox
from overread_cli import feedback as reading
from overread_cli.audit import target as targets
from overread_cli.audit.target import Target
from overread_cli.main import main
from overread_testing.aws_emulator import AwsEmulator, running_emulator
from overread_testing.stored_records import NOW, make_news

TABLE, BUCKET = "decisions", "inputs"
OUTPUTS = {"TableName": TABLE, "InputBucketName": BUCKET}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsEmulator]:
    with running_emulator(tmp_path_factory.mktemp("aws")) as running:
        running.client("dynamodb").create_table(**table_definition(TABLE))
        s3 = running.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield running


@dataclass(frozen=True)
class Desk:
    """The deployment's table and bucket, and commands on them."""

    dynamodb: Any
    s3: Any

    def make_client(self, service: str) -> Any:
        return {"dynamodb": self.dynamodb, "s3": self.s3}[service]

    def run(self, line: str) -> Result:
        return CliRunner().invoke(main, shlex.split(line))

    @property
    def outbox(self) -> DynamoDbOutbox:
        return DynamoDbOutbox(self.dynamodb, table=TABLE)

    def store(self, entry: OutboxEntry, *, gave_up: str = "") -> None:
        table = DecisionTable(self.dynamodb, name=TABLE)
        table.write(news([entry], table=table))
        if gave_up:
            assert self.outbox.give_up(entry, code=gave_up)

    def teach(self, decision_id: str, *, number: int = 2, **changes: Any) -> Mapping[str, Any]:
        """A line of the data set about an input that is there."""
        key = f"inputs/{decision_id}.json"
        version = self.s3.put_object(Bucket=BUCKET, Key=key, Body=b"{}")["VersionId"]
        lesson = {
            "dedupe_key": f"{decision_id}/{number}",
            "use_case": "loan-approval",
            "input": {"bucket": BUCKET, "key": key, "version_id": version},
            "label": "decline",
            "labels": ["approve", "decline"],
            "source": "human",
            "at": "2026-11-22T21:07:44.120Z",
            **changes,
        }
        self.s3.put_object(Bucket=BUCKET, Key=manifest_key(lesson), Body=manifest_line(lesson))
        return lesson


@pytest.fixture
def desk(emulator: AwsEmulator, monkeypatch: pytest.MonkeyPatch) -> Desk:
    dynamodb, s3 = emulator.client("dynamodb"), emulator.client("s3")
    for item in dynamodb.scan(TableName=TABLE)["Items"]:
        dynamodb.delete_item(TableName=TABLE, Key={"pk": item["pk"], "sk": item["sk"]})
    for one in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
        s3.delete_object(Bucket=BUCKET, Key=one["Key"])
    made = Desk(dynamodb, s3)
    found = Target(
        name="here",
        deployment="here",
        make_client=made.make_client,
        outputs=OUTPUTS,
        state_dir=None,
        invocations=None,
    )
    monkeypatch.setattr(targets, "_on_local_stack", lambda *_: found)
    return made


# Outbox


def test_what_was_set_aside_is_listed_with_its_reason(desk: Desk) -> None:
    desk.store(make_news("d-1", number=4, target="webhook", attempts=21), gave_up="HTTP 500")
    desk.store(make_news("d-2"))
    done = desk.run("outbox list")
    assert done.exit_code == 0
    assert done.output == (
        "d-1/4/webhook  Decision Final  loan-approval  22 attempts since 2026-11-22T21:07:44.120Z  HTTP 500\n"
    )


def test_what_is_still_tried_is_listed_on_demand_however_late_it_is_due(desk: Desk) -> None:
    later = NOW + timedelta(days=400)
    desk.store(make_news("d-1"), gave_up="HTTP 500")
    desk.store(make_news("change/roster", number=3, use_case="", attempts=2, due_at=later))
    done = desk.run("outbox list --due --json")
    assert [json.loads(line) for line in done.output.splitlines()] == [
        {
            "key": "change/roster/3/events",
            "event": "Decision Final",
            "use_case": "",
            "attempts": 2,
            "created_at": "2026-11-22T21:07:44.120Z",
            "due_at": "2027-12-27T21:07:44.120Z",
            "gave_up_code": None,
        }
    ]


def test_an_empty_outbox_says_so(desk: Desk) -> None:
    assert desk.run("outbox list").output == "none were set aside\n"
    assert desk.run("outbox list --due").output == "none are due\n"
    assert desk.run("outbox list --json").output == ""


def test_news_are_due_again_by_the_key_that_the_list_shows(desk: Desk) -> None:
    entry = make_news("change/kill-switch/all", number=3, attempts=20)
    desk.store(entry, gave_up="Throttled")
    desk.store(make_news("d-2"), gave_up="Throttled")
    key = desk.run("outbox list").output.split("  ")[0]
    assert key == "change/kill-switch/all/3/events"
    done = desk.run(f"outbox redrive {key}")
    assert (done.exit_code, done.output) == (0, "1 due again\n")
    again = desk.outbox.get(entry.decision_id, number=3, target="events")
    assert again is not None
    assert again == replace(entry, attempts=0, due_at=again.due_at)
    assert list(desk.outbox.dead()) == [("d-2", 1, "events")]


def test_all_of_a_use_case_are_due_again(desk: Desk) -> None:
    for number in range(3):
        desk.store(make_news(f"d-{number}"), gave_up="HTTP 404")
    desk.store(make_news("other", use_case="tumor-screening"), gave_up="HTTP 404")
    done = desk.run("outbox redrive --all --use-case loan-approval")
    assert (done.exit_code, done.output) == (0, "3 due again\n")
    assert list(desk.outbox.dead()) == [("other", 1, "events")]


def test_news_that_were_not_set_aside_are_named(desk: Desk) -> None:
    desk.store(make_news("d-1"))
    done = desk.run("outbox redrive d-1/1/events d-9/1/webhook")
    assert done.exit_code == 1
    assert "not set aside: d-1/1/events, d-9/1/webhook" in done.output


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("outbox redrive", "name the news by their keys, or give --all"),
        ("outbox redrive --all d-1/1/events", "name the news by their keys, or give --all"),
        ("outbox redrive d-1/1/events --use-case x", "--use-case goes with --all"),
        ("outbox redrive d-1", "'d-1' must be decision/number/target"),
        ("outbox redrive d-1/x/events", "must be decision/number/target"),
        ("outbox redrive d-1/1/nobody", "must be decision/number/target"),
        ("outbox redrive /1/events", "must be decision/number/target"),
        ("feedback export --use-case loan-approval", "Missing option '--output'"),
    ],
)
def test_a_wrong_command_line_does_nothing(desk: Desk, line: str, said: str) -> None:
    desk.store(make_news("d-1"), gave_up="HTTP 500")
    done = desk.run(line)
    assert done.exit_code == 2
    assert said in done.output
    assert list(desk.outbox.dead()) == [("d-1", 1, "events")]


# Feedback


def exported(desk: Desk, output: Path, *, use_case: str = "loan-approval") -> Result:
    return desk.run(f"feedback export --use-case {use_case} --output {output}")


def test_a_manifest_has_of_each_decision_its_last_line(desk: Desk, tmp_path: Path) -> None:
    desk.teach("d-1", number=9)
    told = desk.teach("d-1", number=10, source="outcome", label="approve", at="2026-11-24T00:00:00.000Z")
    only = desk.teach("d-2", number=3)
    desk.teach("d-3", use_case="loan-approval-eu")
    done = exported(desk, tmp_path / "manifest.jsonl")
    assert (done.exit_code, done.output) == (0, f"2 cases in {tmp_path / 'manifest.jsonl'}\n")
    written = (tmp_path / "manifest.jsonl").read_bytes()
    assert written == manifest_line(only) + manifest_line(told)
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.jsonl"]


def test_of_a_contested_decision_the_new_one_counts_and_the_truth_before_both(
    desk: Desk, tmp_path: Path
) -> None:
    def exported_label() -> str:
        assert exported(desk, tmp_path / "m.jsonl").exit_code == 0
        (line,) = (tmp_path / "m.jsonl").read_text().splitlines()
        return str(json.loads(line)["loan-approval-metadata"]["class-name"])

    same = desk.teach("z-old", label="approve")["input"]
    desk.teach("a-new", number=8, label="decline", input=same, at="2026-11-23T09:00:00.000Z")
    assert exported_label() == "decline"
    desk.teach(
        "z-old", number=9, label="approve", source="outcome", input=same, at="2026-11-22T22:00:00.000Z"
    )
    assert exported_label() == "approve"


def test_a_case_whose_input_was_erased_is_left_out(desk: Desk, tmp_path: Path) -> None:
    kept, erased = desk.teach("d-1"), desk.teach("d-2")["input"]
    desk.s3.delete_object(Bucket=BUCKET, Key=erased["key"], VersionId=erased["version_id"])
    done = exported(desk, tmp_path / "m.jsonl")
    assert done.output == f"1 cases in {tmp_path / 'm.jsonl'}, 1 left out that were erased\n"
    assert (tmp_path / "m.jsonl").read_bytes() == manifest_line(kept)


def test_more_cases_than_are_read_at_once_are_all_there(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_BATCH", 4)
    for number in range(10):
        desk.teach(f"d-{number:03}")
    assert exported(desk, tmp_path / "m.jsonl").exit_code == 0
    lines = (tmp_path / "m.jsonl").read_text().splitlines()
    assert [json.loads(line)["source-ref"][-10:-5] for line in lines] == [f"d-{n:03}" for n in range(10)]


def test_whoever_reads_the_old_manifest_reads_it_to_its_end(desk: Desk, tmp_path: Path) -> None:
    desk.teach("d-1")
    manifest = tmp_path / "m.jsonl"
    manifest.write_text("old\n")
    with manifest.open() as reader:
        assert exported(desk, manifest).exit_code == 0
        assert reader.read() == "old\n"
    assert manifest.read_text() != "old\n"


def test_no_feedback_at_all_is_no_manifest(desk: Desk, tmp_path: Path) -> None:
    done = exported(desk, tmp_path / "m.jsonl")
    assert done.exit_code == 1
    assert "there is no feedback of 'loan-approval', nor of any other use case" in done.output
    desk.teach("d-1", use_case="tumor-screening")
    done = exported(desk, tmp_path / "m.jsonl", use_case="loan")
    assert "there is no feedback of 'loan', there is some of tumor-screening" in done.output
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_leaves_the_old_manifest(desk: Desk, tmp_path: Path) -> None:
    desk.teach("d-1")
    done = exported(desk, tmp_path / "nowhere" / "m.jsonl")
    assert done.exit_code == 1
    assert "cannot be written: No such file or directory" in done.output
    old = tmp_path / "m.jsonl"
    old.write_text("old\n")
    desk.s3.put_object(Bucket=BUCKET, Key="feedback/loan-approval/2026-11-22/d-2-1.jsonl", Body=b"{}")
    done = exported(desk, old)
    assert done.exit_code == 1
    assert "feedback/loan-approval/2026-11-22/d-2-1.jsonl" in done.output
    assert old.read_text() == "old\n"


@pytest.mark.parametrize("metadata", [None, 7, {}, {"job-name": 7, "creation-date": ""}])
def test_a_line_of_something_else_is_named(desk: Desk, tmp_path: Path, metadata: Any) -> None:
    place = desk.teach("d-1")["input"]
    line = {"source-ref": f"s3://{BUCKET}/{place['key']}", "source-ref-version": place["version_id"]}
    body = json.dumps({**line, "loan-approval-metadata": metadata}).encode()
    desk.s3.put_object(Bucket=BUCKET, Key="feedback/loan-approval/2026-11-22/d-1-2.jsonl", Body=body)
    done = exported(desk, tmp_path / "m.jsonl")
    assert done.exit_code == 1
    assert f"NoManifestLine: s3://{BUCKET}/inputs/d-1.json" in done.output
