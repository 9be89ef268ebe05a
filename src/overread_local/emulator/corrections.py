"""Where ministack itself differs from AWS in a way that a deployment notices."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import eventbridge, iam, lambda_svc
from ministack.services.cloudformation import custom_resource, provisioners

Resource = tuple[str, dict[str, Any]]
Execute = Callable[[Mapping[str, Any], Any], dict[str, Any]]
_RANDOM_TAIL = len("-123456")


def install() -> None:
    """Corrects ministack."""
    eventbridge._dispatch_to_lambda = _invoke_asynchronously
    lambda_svc._execute_function_with_config_scope = _answering_for_the_dead(
        lambda_svc._execute_function_with_config_scope
    )
    lambda_svc._restore_esm_positions = _at_the_beginning(lambda_svc._restore_esm_positions)
    iam_evaluator._gather_role_policies = _below_paths(iam_evaluator._gather_role_policies)
    provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"] = {
        "create": _create_secret,
        "update": _update_secret,
        "update_with_logical_id": True,
        "delete": _delete_secret,
    }
    roles = provisioners._RESOURCE_HANDLERS["AWS::IAM::Role"]
    roles["create"] = _bounded(roles["create"], properties=1)
    roles["update"] = _bounded(roles["update"], properties=2)


def _invoke_asynchronously(arn: str, payload: str) -> None:
    """EventBridge invokes functions asynchronously: with retries and the function's failure destination."""
    function, config, _ = lambda_svc._get_func_record_for_ref(arn)
    if function and config:
        record = lambda_svc._execution_record_for_config(function, config)
        lambda_svc.invoke_async_with_retry(record, json.loads(payload))


def _answering_for_the_dead(execute: Execute) -> Execute:
    """A custom resource whose function fails without an answer fails at once, with the function's error.

    AWS waits for the answer until ServiceTimeout is over; nobody developing on a laptop wants to.
    """

    def execute_and_answer(function: Mapping[str, Any], event: Any) -> dict[str, Any]:
        result = execute(function, event)
        if isinstance(event, dict) and "ResponseURL" in event and result.get("error"):
            _fail_unanswered(event["ResponseURL"].rsplit("/", 1)[-1], result["body"]["errorMessage"])
        return result

    return execute_and_answer


def _fail_unanswered(token: str, message: str) -> None:
    with custom_resource._lock:
        entry = custom_resource._pending.get(token)
        unanswered = entry is not None and entry["result"] is None
    if unanswered:
        reason = f"the function failed and gave no answer: {message}"
        custom_resource.deliver_response(token, {"Status": "FAILED", "Reason": reason})


def _below_paths(gather: Callable[[str, str], list[Any]]) -> Callable[[str, str], list[Any]]:
    """SimulatePrincipalPolicy takes a role's name from its ARN with the path before it."""
    return lambda name, account: gather(name.rsplit("/", 1)[-1], account)


def _at_the_beginning(restore: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """A table's stream begins anew with every start: old positions would skip as many new records."""

    def restored(store: Any, positions: Any) -> None:
        restore(store, positions)
        if store is lambda_svc._dynamodb_stream_positions:
            for mapping in store._data:
                store._data[mapping] = 0

    return restored


def _bounded(make: Callable[..., Resource], *, properties: int) -> Callable[..., Resource]:
    """CloudFormation gives a role its permissions boundary. `properties`: where its properties are passed."""

    def make_bounded(*arguments: Any, **named: Any) -> Resource:
        name, attributes = make(*arguments, **named)
        iam._roles[name]["PermissionsBoundary"] = arguments[properties].get("PermissionsBoundary")
        return name, attributes

    return make_bounded


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
