"""Where ministack itself differs from AWS in a way that a deployment notices."""

import json
from collections.abc import Mapping
from typing import Any

from ministack.services import eventbridge, lambda_svc
from ministack.services.cloudformation import provisioners

Resource = tuple[str, dict[str, Any]]
_RANDOM_TAIL = len("-123456")


def install() -> None:
    """Corrects ministack."""
    eventbridge._dispatch_to_lambda = _invoke_asynchronously
    provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"] = {
        "create": _create_secret,
        "update": _update_secret,
        "update_with_logical_id": True,
        "delete": _delete_secret,
    }


def _invoke_asynchronously(arn: str, payload: str) -> None:
    """EventBridge invokes functions asynchronously: with retries and the function's failure destination."""
    function, config, _ = lambda_svc._get_func_record_for_ref(arn)
    if function and config:
        record = lambda_svc._execution_record_for_config(function, config)
        lambda_svc.invoke_async_with_retry(record, json.loads(payload))


def _create_secret(logical_id: str, props: Mapping[str, Any], stack_name: str) -> Resource:
    """Ref of a secret is its ARN on AWS; policies and functions that name it by Ref depend on that."""
    _, attributes = provisioners._sm_secret_create(logical_id, props, stack_name)
    return attributes["Arn"], attributes


def _update_secret(
    physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any], stack_name: str, logical_id: str
) -> Resource:
    _, attributes = provisioners._sm_secret_update(
        _secret_name(physical_id), old, new, stack_name, logical_id
    )
    return attributes["Arn"], attributes


def _delete_secret(physical_id: str, props: Mapping[str, Any]) -> None:
    provisioners._sm_secret_delete(_secret_name(physical_id), props)


def _secret_name(arn: str) -> str:
    return arn.rsplit(":", 1)[-1][:-_RANDOM_TAIL]
