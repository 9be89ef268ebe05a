"""A labeling job on the deployed review service: its driver, roles and functions, IAM enforced."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from tests.local.conftest import LAMBDA_PYTHON, ROOT, Deployment, client_of
from tests.local.review_backends import Backend, CognitoPeople, Sweeper, deployed_backend, function_of, until

from overread.labeling.job_documents import read_spec, requests
from overread_cli.demo.deployment import deploy
from overread_local.stack import LocalStack

SENTENCES = {
    f"Number {number:02}: {'the parcel came late' if number % 2 else 'the card was charged twice'}.": (
        "delivery" if number % 2 else "payment"
    )
    for number in range(8)
}


@pytest.fixture(scope="module")
def labeling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """config/labeling.yaml, deployed by the CDK's command line."""
    folder = tmp_path_factory.mktemp("labeling-deployed")
    stack = LocalStack.start(
        state_dir=folder / "state", lambda_python=LAMBDA_PYTHON, status_lag_s=0.2, tied=True
    )
    stack.enforce_iam(True)
    try:
        outputs = deploy(
            root=ROOT,
            config=ROOT / "config/labeling.yaml",
            work_dir=folder / "work",
            environment=stack.environment(),
            report=lambda _line: None,
        )
        yield Deployment(stack=stack, outputs=outputs, work_dir=folder / "work", environment="labeling")
    finally:
        stack.stop()


@pytest.fixture(scope="module")
def backend(labeling: Deployment) -> Backend:
    return deployed_backend(
        labeling.stack,
        review_url=labeling.output("review", "ReviewUrl"),
        portal_url=labeling.output("review", "PortalUrl"),
        pool_id=labeling.output("review", "UserPoolId"),
    )


def test_a_job_is_labeled_by_people_who_sign_in(labeling: Deployment, backend: Backend) -> None:
    s3 = labeling.client("s3")
    spec = read_spec(_document(labeling)["spec"])
    bucket, _, key = spec.manifest_uri.removeprefix("s3://").partition("/")
    lines = "".join(json.dumps({"source": text}) + "\n" for text in SENTENCES)
    s3.put_object(Bucket=bucket, Key=key, Body=lines.encode())
    request = next(requests(spec))
    drive = Sweeper(labeling.stack, function=function_of(labeling.stack, "drive_labeling"))
    backend.sagemaker.create_labeling_job(**request)
    name = request["LabelingJobName"]
    drive()
    begun = backend.sagemaker.describe_labeling_job(LabelingJobName=name)
    assert begun["LabelingJobStatus"] == "InProgress", begun.get("FailureReason")
    team = backend.sagemaker.describe_workteam(WorkteamName=spec.workteam_arn.rpartition("/")[2])
    (member,) = team["Workteam"]["MemberDefinitions"]
    people = CognitoPeople(
        labeling.stack, pool_id=labeling.output("review", "UserPoolId"), portal_url=backend.portal_url
    )
    for person in ("ada", "grace", "katherine"):
        people.add(person, groups=[member["CognitoMemberDefinition"]["UserGroup"]])
        with closing(people.sign_in(person)) as portal:
            _answer(portal, count=len(SENTENCES))

    def ended() -> dict[str, Any] | None:
        drive()
        found: dict[str, Any] = backend.sagemaker.describe_labeling_job(LabelingJobName=name)
        return found if found["LabelingJobStatus"] in {"Completed", "Failed"} else None

    described = until(ended, what="the job has ended")
    assert described["LabelingJobStatus"] == "Completed", described.get("FailureReason")
    bucket, _, key = described["LabelingJobOutput"]["OutputDatasetS3Uri"].removeprefix("s3://").partition("/")
    rows = [json.loads(line) for line in s3.get_object(Bucket=bucket, Key=key)["Body"].read().splitlines()]
    found = {row["source"]: row[f"{spec.label_attribute}-metadata"]["class-name"] for row in rows}
    assert found == SENTENCES
    denied = [
        check
        for check in labeling.stack.access_checks()
        if not check["allowed"] and "labeling" in str(check).lower()
    ]
    assert denied == []


def _document(labeling: Deployment) -> dict[str, Any]:
    """What the stack leaves for whoever starts the job `sentences`."""
    bucket, _, key = labeling.output("labeling", "LabelingJobSentences").removeprefix("s3://").partition("/")
    body = client_of(labeling.stack, "s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    document: dict[str, Any] = json.loads(body)
    return document


def _answer(portal: Any, *, count: int) -> None:
    """One person answers everything rightly."""
    for _ in range(count):
        task = until(lambda: _next(portal), what="a task is offered")
        page = portal.page(task["frame_url"]).raise_for_status().text
        (label,) = {label for text, label in SENTENCES.items() if text in page}
        portal.answer(task["task_id"], {"category": {"label": label}}).raise_for_status()


def _next(portal: Any) -> dict[str, Any] | None:
    reply: dict[str, Any] = portal.post("tasks/next").raise_for_status().json()
    return reply if reply["task_id"] else None
