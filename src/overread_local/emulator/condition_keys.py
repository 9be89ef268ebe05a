"""Condition keys of policies as AWS gives them: the role behind a session, the endpoint of a private API."""

from collections.abc import Callable
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import apigateway_v1, iam

Resolve = Callable[[str, Any], Any]


def install() -> None:
    """Corrects what conditions see."""
    iam_evaluator._resolve_condition_key = _as_on_aws(iam_evaluator._resolve_condition_key)


def _as_on_aws(resolve: Resolve) -> Resolve:
    def resolve_key(key: str, context: Any) -> Any:
        value = resolve(key, context)
        if key.lower() == "aws:principalarn":
            return role_of(str(value))
        if key.lower() == "aws:sourcevpce" and value is None:
            return _endpoint_of(context.resource_arn)
        return value

    return resolve_key


def role_of(arn: str) -> str:
    """The role that a session acts as; other principals as they are."""
    before, kind, session = arn.partition(":assumed-role/")
    if not kind:
        return arn
    name = session.partition("/")[0]
    role = iam._roles.get(name) or {}
    account = before.rsplit(":", 1)[-1]
    return str(role.get("Arn") or f"arn:aws:iam::{account}:role/{name}")


def _endpoint_of(arn: str) -> str | None:
    """The VPC endpoint of the private API that an `execute-api` ARN names: callers came through it."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[2] != "execute-api":
        return None
    api = apigateway_v1._rest_apis.get_scoped(parts[4], parts[3], parts[5].split("/", 1)[0]) or {}
    # CloudFormation's spelling differs from the API's in its capitals, and is kept as it came.
    configuration = {name.lower(): value for name, value in (api.get("endpointConfiguration") or {}).items()}
    endpoints = configuration.get("vpcendpointids") or ()
    return str(endpoints[0]) if "PRIVATE" in configuration.get("types", ()) and endpoints else None
