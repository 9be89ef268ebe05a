"""The custom resources of labeling jobs: a job itself, and the files that whoever starts one needs.

`Custom::OverreadLabelingFiles` puts category document, worker template and `job.json` into a bucket.
`Custom::OverreadLabelingJob` creates the job; another specification is another job, and the old one stops.
"""

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from overread.errors import InvalidDataError
from overread.labeling.job_documents import read_spec, requests
from overread.labeling.jobs import LabelingJobSpec
from overread_aws.clients import make_client
from overread_aws.failures import calling
from overread_aws.provisioned_jobs import ProvisionedJobs
from overread_aws.provisioning import Patience, ProvisioningRefusedError
from overread_lambda.backend_clients import make_sagemaker_client
from overread_lambda.cloudformation_answer import NOT_CREATED, Answer, Result, put_answer
from overread_lambda.entry import entry

FILES = "Custom::OverreadLabelingFiles"
JOB = "Custom::OverreadLabelingJob"
ANSWER_S = 10.0
SPARE_S = 30.0


class Context(Protocol):
    """What the handler asks of Lambda's context."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the function."""


class Objects(Protocol):
    """Objects of a bucket."""

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Writes an object."""

    def delete(self, bucket: str, key: str) -> None:
        """Deletes an object; one that is not there is fine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the resources are made with."""

    jobs: ProvisionedJobs
    objects: Objects


@entry()
def handler(event: Mapping[str, Any], context: Context) -> None:
    """What CloudFormation calls."""
    remaining_s = context.get_remaining_time_in_millis() / 1000
    respond(event, make=_services, send=put_answer, remaining_s=remaining_s, monotonic=time.monotonic)


def respond(
    event: Mapping[str, Any],
    *,
    make: Callable[[Callable[[], float]], Services],
    send: Callable[[str, bytes], None],
    remaining_s: float,
    monotonic: Callable[[], float],
) -> None:
    """Does what the event asks and answers once, FAILED shortly before Lambda would end the function."""
    answer = Answer(event, send=send)
    late = Result(physical_id=_id_on_failure(event), reason="the function ran out of time")
    watchdog = threading.Timer(max(0.0, remaining_s - ANSWER_S), partial(answer.give, late))
    watchdog.daemon = True
    watchdog.start()
    end = monotonic() + max(0.0, remaining_s - ANSWER_S - SPARE_S)
    try:
        result = _provide(event, make(lambda: end - monotonic()))
    except Exception as error:  # noqa: BLE001 - CloudFormation would wait for an hour
        result = Result(physical_id=late.physical_id, reason=f"{type(error).__name__}: {error}")
    finally:
        watchdog.cancel()
    answer.give(result)


def provide_job(
    request: str, physical_id: str, *, properties: Mapping[str, Any], jobs: ProvisionedJobs
) -> Result:
    """Creates, keeps or stops; another specification is another job, other tags are not."""
    if request == "Delete":
        return _stop(physical_id, names=_names(properties), jobs=jobs)
    spec = read_spec(merged(properties)["spec"])
    names = _names(properties)
    try:
        if request == "Update" and physical_id in names:
            return _keep(physical_id, spec=spec, jobs=jobs)
        name, arn = jobs.create(requests(spec))
    except ProvisioningRefusedError as error:
        return Result(
            physical_id=_made_name(error, names=names) if error.is_ours else NOT_CREATED + names[0],
            reason=error.message,
        )
    return _made(name, arn=arn)


def provide_files(
    request: str, physical_id: str, *, properties: Mapping[str, Any], objects: Objects
) -> Result:
    """Writes the files, `job.json` last; deletion takes that only: jobs may still read the others."""
    bucket, folder = str(properties["Bucket"]), str(properties["Folder"])
    made = f"{bucket}/{folder}"
    if request == "Delete":
        gone_bucket, _, gone_folder = physical_id.partition("/")
        objects.delete(gone_bucket, f"{gone_folder}/job.json")
        return Result(physical_id=physical_id)
    for file in properties.get("Files") or ():
        body = str(file["Content"]).encode()
        if hashlib.sha256(body).hexdigest() != file["Sha256"]:
            return Result(
                physical_id=physical_id or NOT_CREATED + made,
                reason=f"{file['Name']} did not arrive as it was synthesised: "
                "write characters beyond ASCII as HTML entities",
            )
        objects.put(bucket, f"{folder}/{file['Name']}", body)
    document = json.dumps(merged(properties), indent=1, sort_keys=True)
    objects.put(bucket, f"{folder}/job.json", document.encode())
    return Result(physical_id=made, data={"Uri": f"s3://{made}/job.json"})


def merged(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The job's document, with what only CloudFormation knew in its place."""
    document: dict[str, Any] = json.loads(properties["Document"])
    for section, values in (properties.get("Values") or {}).items():
        document[section] = document.get(section, {}) | values
    return document


def _keep(name: str, *, spec: LabelingJobSpec, jobs: ProvisionedJobs) -> Result:
    arn = jobs.arn_of(name)
    if not arn:
        return Result(physical_id=name, reason=f"{name} does not exist any more")
    jobs.tag(arn, spec.tags)
    return _made(name, arn=arn)


def _stop(name: str, *, names: list[str], jobs: ProvisionedJobs) -> Result:
    """Stops the job, and what a creation that ran out of time may have left under its next name."""
    try:
        jobs.stop(name)
        for other in names:
            if other != name:
                if not jobs.arn_of(other):
                    break
                jobs.stop(other)
    except ProvisioningRefusedError as error:
        return Result(physical_id=name, reason=error.message)
    return Result(physical_id=name)


def _made(name: str, *, arn: str) -> Result:
    return Result(physical_id=name, data={"LabelingJobArn": arn, "LabelingJobName": name})


def _names(properties: Mapping[str, Any]) -> list[str]:
    return [str(one["LabelingJobName"]) for one in requests(read_spec(merged(properties)["spec"]))]


def _id_on_failure(event: Mapping[str, Any]) -> str:
    """The old id where there is one; else the name that may have come to be: a rollback stops it."""
    if event.get("PhysicalResourceId"):
        return str(event["PhysicalResourceId"])
    if event.get("ResourceType") == JOB:
        try:
            return _names(event["ResourceProperties"])[0]
        except (InvalidDataError, KeyError, TypeError, ValueError):
            pass
    return f"{NOT_CREATED}{event['RequestId']}"


def _made_name(error: ProvisioningRefusedError, *, names: list[str]) -> str:
    """Which of the names the words of a refusal are about: that job exists, and a rollback stops it."""
    return next((name for name in names if name in error.message), names[0])


def _provide(event: Mapping[str, Any], services: Services) -> Result:
    request, properties = event["RequestType"], event["ResourceProperties"]
    physical_id = str(event.get("PhysicalResourceId") or "")
    if request == "Delete" and physical_id.startswith(NOT_CREATED):
        return Result(physical_id=physical_id)
    match event["ResourceType"]:
        case "Custom::OverreadLabelingJob":
            return provide_job(request, physical_id, properties=properties, jobs=services.jobs)
        case "Custom::OverreadLabelingFiles":
            return provide_files(request, physical_id, properties=properties, objects=services.objects)
    raise ValueError(f"ResourceType must be {FILES} or {JOB}, got {event['ResourceType']}")


class _S3Objects:
    """Objects in S3."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def put(self, bucket: str, key: str, body: bytes) -> None:
        with calling("PutObject"):
            self._client.put_object(Bucket=bucket, Key=key, Body=body)

    def delete(self, bucket: str, key: str) -> None:
        with calling("DeleteObject"):
            self._client.delete_object(Bucket=bucket, Key=key)


def _services(budget_s: Callable[[], float]) -> Services:
    patience = Patience(budget_s=budget_s, sleep=time.sleep)
    return Services(
        jobs=ProvisionedJobs(make_sagemaker_client(os.environ, read_timeout_s=10.0), patience=patience),
        objects=_S3Objects(make_client("s3")),
    )
