"""Labeling jobs as CloudFormation makes them: created, kept, replaced, stopped, and never deleted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.unit.labeling.test_jobs import spec_of

from overread.labeling.job_documents import requests, spec_document
from overread.labeling.jobs import LabelingJobSpec
from overread.labeling.task_types import TASK_TYPES
from overread_aws.provisioned_jobs import ProvisionedJobs
from overread_aws.provisioning import Patience
from overread_lambda.labeling_job_resource import FILES, JOB, Services, respond

SPEC = replace(spec_of(TASK_TYPES["ImageMultiClass"]), tags={"cost": "7"})
ARN = "arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/"


def failed(operation: str, code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


class SageMaker:
    """Labeling jobs in memory: each describe moves a new job one status on."""

    def __init__(self) -> None:
        self.jobs: dict[str, str] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.calls: list[str] = []
        self.errors: list[ClientError] = []
        self.becomes = "InProgress"

    def create_labeling_job(self, **request: Any) -> dict[str, str]:
        name = request["LabelingJobName"]
        self._enter(f"create {name}")
        if name in self.jobs:
            raise failed("CreateLabelingJob", "ResourceInUse")
        self.jobs[name] = "Initializing"
        self.tags[ARN + name] = {one["Key"]: one["Value"] for one in request.get("Tags", [])}
        return {"LabelingJobArn": ARN + name}

    def describe_labeling_job(self, **request: str) -> dict[str, Any]:
        name = request["LabelingJobName"]
        if name not in self.jobs:
            raise failed("DescribeLabelingJob", "ResourceNotFound")
        status = self.jobs[name]
        if status == "Initializing":
            self.jobs[name] = self.becomes
        return {"LabelingJobArn": ARN + name, "LabelingJobStatus": status, "FailureReason": "no manifest"}

    def stop_labeling_job(self, **request: str) -> None:
        name = request["LabelingJobName"]
        self._enter(f"stop {name}")
        self.jobs[name] = "Stopping"

    def add_tags(self, **request: Any) -> None:
        self.tags[request["ResourceArn"]] |= {one["Key"]: one["Value"] for one in request["Tags"]}

    def delete_tags(self, **request: Any) -> None:
        for key in request["TagKeys"]:
            del self.tags[request["ResourceArn"]][key]

    def get_paginator(self, name: str) -> SageMaker:
        assert name == "list_tags"
        return self

    def paginate(self, **request: str) -> Iterator[dict[str, Any]]:
        yield {
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags[request["ResourceArn"]].items()]
        }

    def _enter(self, call: str) -> None:
        self.calls.append(call)
        if self.errors:
            raise self.errors.pop(0)


class Objects:
    """S3 objects in memory."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], bytes] = {}

    def put(self, bucket: str, key: str, body: bytes) -> None:
        self.held[bucket, key] = body

    def delete(self, bucket: str, key: str) -> None:
        self.held.pop((bucket, key), None)


@pytest.fixture
def sagemaker() -> SageMaker:
    return SageMaker()


def names(spec: LabelingJobSpec = SPEC) -> list[str]:
    return [one["LabelingJobName"] for one in requests(spec)]


def event(
    request: str, *, spec: LabelingJobSpec = SPEC, kind: str = JOB, physical_id: str = "", **properties: Any
) -> dict[str, Any]:
    """As CloudFormation sends it: the role's ARN comes apart, for a template could not know it."""
    document = {"schema": 1, "name": "kinds", "spec": spec_document(spec), "places": {"service_url": ""}}
    role = document["spec"].pop("role_arn")  # type: ignore[attr-defined]
    values = {"spec": {"role_arn": role}, "places": {"input_bucket": "inputs"}}
    return {
        "RequestType": request,
        "ResourceType": kind,
        "PhysicalResourceId": physical_id,
        "ResponseURL": "https://answers.example/1",
        "StackId": "stack",
        "RequestId": "request-1",
        "LogicalResourceId": "Job",
        "ResourceProperties": {"Document": json.dumps(document), "Values": values, **properties},
    }


def answer(
    asked: Mapping[str, Any], *, sagemaker: SageMaker | None = None, objects: Objects | None = None
) -> dict[str, Any]:
    """The one answer that CloudFormation got."""
    sent: list[dict[str, Any]] = []
    left = iter(range(60, 0, -1))

    def make(_: Callable[[], float]) -> Services:
        patience = Patience(budget_s=lambda: float(next(left, 0)), sleep=lambda _: None)
        return Services(jobs=ProvisionedJobs(sagemaker, patience=patience), objects=objects or Objects())

    respond(
        asked,
        make=make,
        send=lambda _, body: sent.append(json.loads(body)),
        remaining_s=300.0,
        monotonic=lambda: 1.0,
    )
    (only,) = sent
    return only


def test_a_job_is_created_and_awaited_until_it_runs(sagemaker: SageMaker) -> None:
    got = answer(event("Create"), sagemaker=sagemaker)
    assert (got["Status"], got["PhysicalResourceId"]) == ("SUCCESS", names()[0])
    assert got["Data"] == {"LabelingJobArn": ARN + names()[0], "LabelingJobName": names()[0]}
    assert sagemaker.jobs == {names()[0]: "InProgress"}


def test_a_job_that_fails_at_once_is_told_in_its_own_words_and_stopped_by_the_rollback(
    sagemaker: SageMaker,
) -> None:
    sagemaker.becomes = "Failed"
    got = answer(event("Create"), sagemaker=sagemaker)
    assert got["Status"] == "FAILED"
    assert f"{names()[0]} is Failed: no manifest" in got["Reason"]
    assert got["PhysicalResourceId"] == names()[0]
    again = answer(event("Delete", physical_id=names()[0]), sagemaker=sagemaker)
    assert (again["Status"], sagemaker.jobs[names()[0]]) == ("SUCCESS", "Failed")


def test_a_changed_job_is_another_one_and_the_old_one_is_left_to_its_deletion(sagemaker: SageMaker) -> None:
    answer(event("Create"), sagemaker=sagemaker)
    wider = replace(SPEC, workers=5)
    got = answer(event("Update", spec=wider, physical_id=names()[0]), sagemaker=sagemaker)
    assert got["PhysicalResourceId"] == names(wider)[0] != names()[0]
    assert set(sagemaker.jobs.values()) == {"InProgress"}
    answer(event("Delete", physical_id=names()[0]), sagemaker=sagemaker)
    assert sagemaker.jobs == {names()[0]: "Stopping", names(wider)[0]: "InProgress"}


def test_only_other_tags_keep_the_job_and_change_in_place(sagemaker: SageMaker) -> None:
    answer(event("Create"), sagemaker=sagemaker)
    tagged = replace(SPEC, tags={"team": "x"})
    got = answer(event("Update", spec=tagged, physical_id=names()[0]), sagemaker=sagemaker)
    assert (got["Status"], got["PhysicalResourceId"]) == ("SUCCESS", names()[0])
    assert sagemaker.tags[ARN + names()[0]] == {"team": "x"}
    assert sagemaker.calls == [f"create {names()[0]}"]


def test_going_back_to_a_job_that_was_stopped_makes_it_again_under_the_next_name(
    sagemaker: SageMaker,
) -> None:
    sagemaker.jobs = {names()[0]: "Stopped", names()[1]: "Failed"}
    got = answer(event("Create"), sagemaker=sagemaker)
    assert got["PhysicalResourceId"] == names()[2]
    kept = answer(event("Update", physical_id=names()[2]), sagemaker=sagemaker)
    assert kept["PhysicalResourceId"] == names()[2]


def test_no_name_left_is_refused(sagemaker: SageMaker) -> None:
    sagemaker.jobs = dict.fromkeys(names(), "Stopped")
    got = answer(event("Create"), sagemaker=sagemaker)
    assert got["Status"] == "FAILED"
    assert "no name for it is left" in got["Reason"]
    assert got["PhysicalResourceId"].startswith("not-created:")


@pytest.mark.parametrize("status", ["InProgress", "Completed"])
def test_a_repeated_request_takes_the_job_that_is_there(status: str, sagemaker: SageMaker) -> None:
    sagemaker.jobs = {names()[0]: status}
    got = answer(event("Create"), sagemaker=sagemaker)
    assert (got["Status"], got["PhysicalResourceId"]) == ("SUCCESS", names()[0])
    assert list(sagemaker.jobs) == [names()[0]]


@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopping", "Stopped"])
def test_deletion_leaves_what_has_ended(status: str, sagemaker: SageMaker) -> None:
    sagemaker.jobs = {names()[0]: status}
    got = answer(event("Delete", physical_id=names()[0]), sagemaker=sagemaker)
    assert (got["Status"], sagemaker.calls) == ("SUCCESS", [])


def test_deletion_waits_until_a_new_job_can_be_stopped(sagemaker: SageMaker) -> None:
    sagemaker.jobs = {names()[0]: "Initializing"}
    got = answer(event("Delete", physical_id=names()[0]), sagemaker=sagemaker)
    assert (got["Status"], sagemaker.jobs[names()[0]]) == ("SUCCESS", "Stopping")


def test_deletion_of_a_job_that_never_was_is_fine(sagemaker: SageMaker) -> None:
    assert answer(event("Delete", physical_id=names()[0]), sagemaker=sagemaker)["Status"] == "SUCCESS"
    made = answer(event("Delete", physical_id=f"not-created:{names()[0]}"), sagemaker=sagemaker)
    assert (made["Status"], sagemaker.calls) == ("SUCCESS", [])


def test_a_rollback_stops_what_a_creation_left_under_a_later_name(sagemaker: SageMaker) -> None:
    sagemaker.jobs = {names()[0]: "Stopped", names()[1]: "InProgress"}
    answer(event("Delete", physical_id=names()[0]), sagemaker=sagemaker)
    assert sagemaker.jobs[names()[1]] == "Stopping"


def test_a_new_role_is_awaited_and_any_other_refusal_is_told(sagemaker: SageMaker) -> None:
    unknown = failed("CreateLabelingJob", "ValidationException", "could not assume the role")
    sagemaker.errors = [unknown, unknown]
    assert answer(event("Create"), sagemaker=sagemaker)["Status"] == "SUCCESS"
    sagemaker = SageMaker()
    sagemaker.errors = [failed("CreateLabelingJob", "ResourceLimitExceeded", "one job at a time")]
    got = answer(event("Create"), sagemaker=sagemaker)
    assert "ResourceLimitExceeded: one job at a time" in got["Reason"]
    assert got["PhysicalResourceId"] == f"not-created:{names()[0]}"


def test_an_account_that_ground_truth_refuses_is_told_what_to_do(sagemaker: SageMaker) -> None:
    words = "Ground Truth is no longer available to new customers"
    sagemaker.errors = [failed("CreateLabelingJob", "ValidationException", words)]
    assert "labeling.backend overread" in answer(event("Create"), sagemaker=sagemaker)["Reason"]


def test_a_specification_with_faults_creates_nothing(sagemaker: SageMaker) -> None:
    got = answer(event("Create", spec=replace(SPEC, workers=12)), sagemaker=sagemaker)
    assert got["Status"] == "FAILED"
    assert "workers must be" in got["Reason"]
    assert sagemaker.jobs == {}


def files(content: str = "<p>ä</p>", arrived: str | None = None) -> dict[str, Any]:
    digest = hashlib.sha256(content.encode()).hexdigest()
    page = {"Name": "template-1.html", "Content": content if arrived is None else arrived, "Sha256": digest}
    return {"Bucket": "inputs", "Folder": "labeling/kinds", "Files": [page]}


def test_files_are_written_and_the_document_has_what_cloudformation_knew() -> None:
    objects = Objects()
    got = answer(event("Create", kind=FILES, **files()), objects=objects)
    assert got["Data"] == {"Uri": "s3://inputs/labeling/kinds/job.json"}
    assert objects.held["inputs", "labeling/kinds/template-1.html"] == "<p>ä</p>".encode()
    document = json.loads(objects.held["inputs", "labeling/kinds/job.json"])
    assert document["spec"] == spec_document(SPEC)
    assert document["places"] == {"service_url": "", "input_bucket": "inputs"}


def test_deletion_takes_the_document_and_leaves_what_jobs_may_read() -> None:
    objects = Objects()
    made = answer(event("Create", kind=FILES, **files()), objects=objects)["PhysicalResourceId"]
    answer(event("Delete", kind=FILES, physical_id=made, **files()), objects=objects)
    assert list(objects.held) == [("inputs", "labeling/kinds/template-1.html")]


def test_a_file_that_arrives_otherwise_is_refused_before_the_document_is_written() -> None:
    objects = Objects()
    got = answer(event("Create", kind=FILES, **files(arrived="<p>?</p>")), objects=objects)
    assert got["Status"] == "FAILED"
    assert "HTML entities" in got["Reason"]
    assert objects.held == {}


def test_another_type_is_refused() -> None:
    assert "ResourceType must be" in answer(event("Create", kind="Custom::Other"))["Reason"]
