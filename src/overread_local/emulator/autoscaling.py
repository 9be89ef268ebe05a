"""Application Auto Scaling as records: targets and policies are kept and checked, nothing is ever scaled."""

import json
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ministack.core.responses import get_account_id, get_region

from overread_local.sagemaker.errors import (
    AwsError,
    ObjectNotFoundException,
    SerializationException,
    UnknownOperationException,
    ValidationException,
)
from overread_local.sagemaker.records import Caller, Clock, Record, Records, without
from overread_local.sagemaker.runtime import Answer
from overread_local.sagemaker.service import json_error
from overread_local.sagemaker.shapes import check_request

_TARGET, _POLICY = "scalable-target", "scaling-policy"
Operation = Callable[[Caller, Mapping[str, Any]], dict[str, Any]]


class ApplicationAutoScaling:
    """The handler that ministack calls for the service `application-autoscaling`."""

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self._records = Records(path)
        self._clock = clock
        self._operations: dict[str, Operation] = {
            "RegisterScalableTarget": self._register,
            "DescribeScalableTargets": self._describe_targets,
            "DeregisterScalableTarget": self._deregister,
            "PutScalingPolicy": self._put_policy,
            "DescribeScalingPolicies": self._describe_policies,
            "DeleteScalingPolicy": self._delete_policy,
        }

    async def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, list[str]]
    ) -> Answer:
        """Answers one request of the account and region that ministack read from its signature."""
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        caller = Caller(account=get_account_id(), region=get_region())
        try:
            reply = self._perform(caller, operation, body)
        except AwsError as error:
            return json_error(error)
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(reply).encode()

    def _perform(self, caller: Caller, operation: str, body: bytes) -> dict[str, Any]:
        if operation not in self._operations:
            raise UnknownOperationException(f"Unknown operation {operation}")
        try:
            params = json.loads(body or b"{}")
        except ValueError as error:
            raise SerializationException(f"The request body is not JSON: {error}") from error
        check_request("application-autoscaling", operation, params)
        return self._operations[operation](caller, params)

    def _register(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        arn = caller.arn(_TARGET, _key(params))
        before = self._records.get(arn)
        document = {
            **(before.document if before else {"CreationTime": self._clock(), "ScalableTargetARN": arn}),
            **without(params, "Tags"),
        }
        least, most = document.get("MinCapacity"), document.get("MaxCapacity")
        if least is None or most is None:
            raise ValidationException("MinCapacity and MaxCapacity are required for a new scalable target")
        if least > most:
            raise ValidationException("Minimum capacity cannot be greater than maximum capacity")
        self._records.put(Record(arn, _TARGET, _key(params), document))
        return {"ScalableTargetARN": arn}

    def _describe_targets(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        wanted = params.get("ResourceIds")
        return {
            "ScalableTargets": [
                record.document
                for record in self._records.of_kind(_TARGET, caller=caller)
                if record.document["ServiceNamespace"] == params["ServiceNamespace"]
                and (not wanted or record.document["ResourceId"] in wanted)
            ]
        }

    def _deregister(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        target = self._target(caller, params)
        for record in self._records.of_kind(_POLICY, caller=caller):
            if _key(record.document) == target.name:
                self._records.remove(record.arn)
        self._records.remove(target.arn)
        return {}

    def _put_policy(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        self._target(caller, params)
        key = caller.arn(_POLICY, f"{_key(params)}:{params['PolicyName']}")
        before = self._records.get(key)
        arn = (
            before.document["PolicyARN"]
            if before
            else f"arn:aws:autoscaling:{caller.region}:{caller.account}:scalingPolicy:{uuid.uuid4()}:"
            f"resource/{params['ServiceNamespace']}/{params['ResourceId']}:policyName/{params['PolicyName']}"
        )
        document = {"CreationTime": self._clock(), **dict(params), "PolicyARN": arn}
        self._records.put(Record(key, _POLICY, params["PolicyName"], document))
        return {"PolicyARN": arn, "Alarms": []}

    def _describe_policies(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        names, resource = params.get("PolicyNames"), params.get("ResourceId")
        return {
            "ScalingPolicies": [
                {"Alarms": [], **record.document}
                for record in self._records.of_kind(_POLICY, caller=caller)
                if record.document["ServiceNamespace"] == params["ServiceNamespace"]
                and (not names or record.document["PolicyName"] in names)
                and resource in {None, record.document["ResourceId"]}
            ]
        }

    def _delete_policy(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        key = caller.arn(_POLICY, f"{_key(params)}:{params['PolicyName']}")
        if self._records.get(key) is None:
            raise ObjectNotFoundException(f"No scaling policy found for policy name {params['PolicyName']}")
        self._records.remove(key)
        return {}

    def _target(self, caller: Caller, params: Mapping[str, Any]) -> Record:
        if (record := self._records.get(caller.arn(_TARGET, _key(params)))) is None:
            raise ObjectNotFoundException(
                f"No scalable target found for service namespace: {params['ServiceNamespace']}, resource ID:"
                f" {params['ResourceId']}, scalable dimension: {params['ScalableDimension']}"
            )
        return record


def _key(params: Mapping[str, Any]) -> str:
    return "|".join((params["ServiceNamespace"], params["ResourceId"], params["ScalableDimension"]))
