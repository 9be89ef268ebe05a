"""The masked export of real decisions: Parquet that pyarrow reads back, again and again without doubles."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Mapping
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.local.conftest import ROOT, Deployment
from tests.local.test_journey import Caller, Site

from overread.analytics import TABLES, Kind
from overread.errors import RecordConflictError
from overread_aws.export_marks import ExportMarks
from overread_cli.demo.cases import load_cases
from overread_client import ReviewSandbox
from overread_lambda.export_analytics import MARK, TABLES_PREFIX, ExportSettings, run

USE_CASE = "loan-approval"
BUCKET, SECRET, JOB = "analytics-export", "analytics-key", "digits-1"
CANARY = "ZqCanaryqZ"
CASES = 6
PATIENCE_S = 60.0
ARROW = {
    Kind.TEXT: pa.string(),
    Kind.FLAG: pa.bool_(),
    Kind.COUNT: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.TIME: pa.timestamp("ms", tz="UTC"),
}
Decisions = list[Mapping[str, Any]]


@pytest.fixture(scope="module")
def decided(deployed: Deployment) -> Decisions:
    """Decisions of the model and of people, whose callers gave a reference."""
    caller = Caller(Site(deployed, reviewer=lambda: iter(()), settle=lambda: None), name="analysed")
    replies = []
    for case in load_cases(ROOT / "build/models", use_cases=[USE_CASE], each=CASES):
        reply = caller.post(USE_CASE, {"input": case.input, "reference": CANARY})
        assert reply.status_code in {200, 202}, reply.text
        replies.append(reply.json())
    return [_final(deployed, caller, one) for one in replies]


def _final(deployed: Deployment, caller: Caller, decision: Mapping[str, Any]) -> Mapping[str, Any]:
    record = deployed.stack.record
    session = boto3.Session(record.account, "local", region_name=record.region)
    sandbox = ReviewSandbox(deployed.stack.portal_url, session=session)
    end = time.monotonic() + PATIENCE_S
    answered = False
    while decision["state"] != "FINAL":
        assert time.monotonic() < end, decision
        if decision["state"] == "IN_REVIEW" and not answered:
            sandbox.answer_decision(decision["decision_id"], {"decision": {"label": "decline"}})
            answered = True
        time.sleep(0.2)
        decision = caller.get(decision["decision_id"]).json()
    return decision


@pytest.fixture(scope="module")
def settings(deployed: Deployment) -> ExportSettings:
    """A bucket, a key, and a labeling job's output manifest."""
    s3 = deployed.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    line = {
        "source-ref": f"s3://{BUCKET}/{CANARY}.png",
        "digit": 7,
        "digit-metadata": {
            "class-name": "7",
            "confidence": 0.8,
            "type": "groundtruth/image-classification",
            "job-name": f"labeling-job/{JOB}",
            "human-annotated": "yes",
            "creation-date": "2026-11-23T10:00:00.000000",
        },
    }
    manifest = (json.dumps(line) + "\n").encode() * 2
    s3.put_object(Bucket=BUCKET, Key=f"jobs/{JOB}/manifests/output/output.manifest", Body=manifest)
    secret = deployed.client("secretsmanager").create_secret(Name=SECRET, SecretString="k" * 64)
    return ExportSettings(
        table=deployed.output("data", "TableName"),
        bucket=BUCKET,
        key_secret=secret["ARN"],
        reason_codes=(),
        label_outputs=(f"s3://{BUCKET}/jobs/",),
    )


@pytest.fixture(scope="module")
def exported(deployed: Deployment, decided: Decisions, settings: ExportSettings) -> dict[str, int]:
    """What the first run wrote, once the index shows every decision."""
    time.sleep(0.5)
    return run(settings, clients=deployed.client, remaining_ms=lambda: 900_000)


def files(deployed: Deployment) -> dict[str, bytes]:
    s3 = deployed.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=TABLES_PREFIX)
    keys = [one["Key"] for page in pages for one in page.get("Contents", ())]
    return {key: s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}


def rows(deployed: Deployment, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for key, body in files(deployed).items():
        if key.startswith(f"{TABLES_PREFIX}{table}/dt="):
            found += pq.read_table(io.BytesIO(body)).to_pylist()
    return found


def test_every_decision_and_every_answer_is_a_row(
    deployed: Deployment, decided: Decisions, exported: Mapping[str, int]
) -> None:
    human = [one for one in decided if one["outcome"]["source"] == "human"]
    assert human, "no case went to people"
    assert len(human) < len(decided), "no case was the model's"
    found = rows(deployed, "decisions")
    assert len(found) == exported["decisions"] >= len(decided)
    mine = [row for row in found if row["case"] is not None and row["use_case"] == USE_CASE]
    # The same caller's same reference is one case.
    (case,) = {
        row["case"] for row in mine if [one["case"] for one in mine].count(row["case"]) == len(decided)
    }
    own = [row for row in mine if row["case"] == case]
    assert sorted(row["source"] for row in own) == sorted(one["outcome"]["source"] for one in decided)
    reviews = {row["decision"]: row for row in rows(deployed, "reviews")}
    for row in own:
        assert (row["decision"] in reviews) is (row["source"] == "human")
        if row["source"] == "human":
            assert reviews[row["decision"]]["label"] == row["label"] == "decline"
            assert row["overridden"] is (row["predicted_label"] != "decline")
            assert reviews[row["decision"]]["submitted_at"] is not None


def test_the_files_have_the_documented_columns(deployed: Deployment, exported: Mapping[str, int]) -> None:
    for key, body in files(deployed).items():
        table = TABLES[key.removeprefix(TABLES_PREFIX).split("/")[0]]
        schema = pq.read_schema(io.BytesIO(body))
        assert [(field.name, field.type) for field in schema] == [
            (column.name, ARROW[column.kind]) for column in table.columns
        ]


def test_no_file_names_a_case_a_decision_or_a_person(
    deployed: Deployment, decided: Decisions, exported: Mapping[str, int]
) -> None:
    people = {*deployed.stack.reviewer_names(), *deployed.stack.reviewer_names().values()}
    secret = {CANARY, "amount", *(one["decision_id"] for one in decided), *people}
    for key, body in files(deployed).items():
        text = json.dumps(pq.read_table(io.BytesIO(body)).to_pylist(), default=str)
        assert [word for word in secret if word in text or word.encode() in body] == [], key


def test_labels_come_from_output_manifests(deployed: Deployment, exported: Mapping[str, int]) -> None:
    found = rows(deployed, "labels")
    assert len(found) == exported["labels"] == 2
    assert {(row["job"], row["category"], row["human_annotated"]) for row in found} == {(JOB, "7", True)}
    assert any(key.startswith(f"{TABLES_PREFIX}labels/dt=2026-11-23/{JOB}-0000.") for key in files(deployed))


def test_another_run_adds_nothing_and_one_after_a_lost_mark_doubles_nothing(
    deployed: Deployment, settings: ExportSettings, exported: Mapping[str, int]
) -> None:
    before = files(deployed)
    again = run(settings, clients=deployed.client, remaining_ms=lambda: 900_000)
    assert "decisions" not in again
    assert again["labels"] == 0
    assert files(deployed) == before
    deployed.client("s3").delete_object(Bucket=BUCKET, Key=MARK)
    repeated = run(settings, clients=deployed.client, remaining_ms=lambda: 900_000)
    assert repeated["decisions"] >= exported["decisions"]
    assert set(files(deployed)) == set(before)


def test_a_run_without_time_leaves_the_mark_where_it_was(
    deployed: Deployment, settings: ExportSettings, exported: Mapping[str, int]
) -> None:
    s3 = deployed.client("s3")
    before = s3.get_object(Bucket=BUCKET, Key=MARK)["Body"].read()
    assert "decisions" not in run(settings, clients=deployed.client, remaining_ms=lambda: 0)
    assert s3.get_object(Bucket=BUCKET, Key=MARK)["Body"].read() == before


def test_of_two_runs_at_once_one_gives_way(deployed: Deployment, exported: Mapping[str, int]) -> None:
    marks = ExportMarks(deployed.client("s3"), bucket=BUCKET, key="export/other.json")
    first = marks.read()
    marks.write(first)
    with pytest.raises(RecordConflictError):
        marks.write(first)
