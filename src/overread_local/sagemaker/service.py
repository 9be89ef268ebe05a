"""The local SageMaker as a service: requests in, checked, dispatched, answered on AWS's wire."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overread_local.sagemaker.apps import Apps
from overread_local.sagemaker.captures import Captures
from overread_local.sagemaker.domains import Domains
from overread_local.sagemaker.endpoints import Endpoints
from overread_local.sagemaker.errors import (
    AwsError,
    ResourceNotFound,
    SerializationException,
    UnknownOperationException,
)
from overread_local.sagemaker.hosting import Hosting
from overread_local.sagemaker.jobs import JobHost
from overread_local.sagemaker.models import Models, Operation
from overread_local.sagemaker.records import Caller, Clock, Records
from overread_local.sagemaker.runtime import Answer, Runtime
from overread_local.sagemaker.serving import ModelServer
from overread_local.sagemaker.shapes import check_request
from overread_local.sagemaker.studio_life import Lifecycle
from overread_local.sagemaker.training import TrainingJobs
from overread_local.sagemaker.transform import TransformJobs

_JSON = "application/x-amz-json-1.1"
INVOCATIONS = "invocations"
"""The folder of the endpoints' log of invocations, beside the records' file."""


class SageMaker:
    """The control plane and the runtime, over records in one file."""

    def __init__(
        self, path: Path, *, clock: Clock, server: ModelServer, jobs: JobHost, status_lag_s: float
    ) -> None:
        self._records = Records(path)
        self._hosting = Hosting(server, host=jobs)
        self._endpoints = Endpoints(
            self._records, clock=clock, hosting=self._hosting, status_lag_s=status_lag_s
        )
        life = Lifecycle(self._records, clock=clock, status_lag_s=status_lag_s)
        self._apps = Apps(life)
        self._domains = Domains(life, apps=self._apps)
        self._training = TrainingJobs(self._records, host=jobs)
        self._transforms = TransformJobs(self._records, host=jobs, server=server)
        captures = Captures(path.parent / INVOCATIONS, clock=clock)
        self._runtime = Runtime(self._endpoints, captures=captures)
        self._operations: dict[str, Operation] = {
            **Models(self._records, clock=clock).operations,
            **self._endpoints.operations,
            **self._domains.operations,
            **self._apps.operations,
            **self._training.operations,
            **self._transforms.operations,
            "AddTags": self._add_tags,
            "ListTags": self._list_tags,
            "DeleteTags": self._delete_tags,
        }

    def resume(self) -> None:
        """Goes on with what a stopped emulator left half done; call once the event loop runs."""
        self._endpoints.resume()
        self._domains.resume()
        self._apps.resume()
        self._training.resume()
        self._transforms.resume()

    def end_programs(self) -> None:
        """Ends the programs of jobs and endpoints.

        The jobs are reported as failed after the next start; endpoints start again when they are invoked.
        """
        self._hosting.kill()
        self._training.kill()
        self._transforms.kill()

    async def call(self, caller: Caller, operation: str, body: bytes) -> Answer:
        """Answers a control-plane request."""
        try:
            reply = await self._perform(caller, operation, body)
        except AwsError as error:
            return json_error(error)
        return 200, {"Content-Type": _JSON}, json.dumps(reply).encode()

    async def invoke(self, caller: Caller, name: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answers InvokeEndpoint."""
        try:
            return await self._runtime.invoke(caller, name, headers=headers, body=body)
        except AwsError as error:
            return rest_error(error)

    async def _perform(self, caller: Caller, operation: str, body: bytes) -> dict[str, Any]:
        perform = self._operations.get(operation)
        if perform is None:
            raise UnknownOperationException(f"The local SageMaker does not know the operation {operation}.")
        try:
            params = json.loads(body or b"{}")
        except ValueError as error:
            raise SerializationException(f"The request body is not JSON: {error}") from error
        check_request("sagemaker", operation, params)
        return await perform(caller, params)

    async def _add_tags(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        record = self._tagged(params)
        record.tags.update({tag["Key"]: tag["Value"] for tag in params["Tags"]})
        self._records.put(record)
        return {"Tags": _tag_list(record.tags)}

    async def _list_tags(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        return {"Tags": _tag_list(self._tagged(params).tags)}

    async def _delete_tags(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        record = self._tagged(params)
        record.tags = {key: value for key, value in record.tags.items() if key not in params["TagKeys"]}
        self._records.put(record)
        return {}

    def _tagged(self, params: Mapping[str, Any]) -> Any:
        if (record := self._records.get(params["ResourceArn"])) is None:
            raise ResourceNotFound(f"Resource {params['ResourceArn']} does not exist.")
        return record


def json_error(error: AwsError) -> Answer:
    """An error on the JSON protocol, which the control plane speaks."""
    body = {"__type": error.code, "message": error.message, **error.members}
    return error.status, {"Content-Type": _JSON}, json.dumps(body).encode()


def rest_error(error: AwsError) -> Answer:
    """An error on the REST protocol, which the runtimes speak."""
    headers = {"Content-Type": "application/json", "x-amzn-errortype": error.code}
    return error.status, headers, json.dumps({"Message": error.message, **error.members}).encode()


def _tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
