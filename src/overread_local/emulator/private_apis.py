"""Private REST APIs: whoever reaches one here has come through its VPC endpoint, as on AWS."""

from collections.abc import Callable
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import apigateway_v1

_SOURCE_ENDPOINT = "aws:sourcevpce"
Resolve = Callable[[str, Any], Any]


def install() -> None:
    """Makes resource policies see the API's own endpoint as the source of a call."""
    iam_evaluator._resolve_condition_key = _seeing_endpoints(iam_evaluator._resolve_condition_key)


def _seeing_endpoints(resolve: Resolve) -> Resolve:
    def resolve_key(key: str, context: Any) -> Any:
        value = resolve(key, context)
        if value is None and key.lower() == _SOURCE_ENDPOINT:
            return _endpoint_of(context.resource_arn)
        return value

    return resolve_key


def _endpoint_of(arn: str) -> str | None:
    """The VPC endpoint of the private API that an `execute-api` ARN names."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[2] != "execute-api":
        return None
    api = apigateway_v1._rest_apis.get_scoped(parts[4], parts[3], parts[5].split("/", 1)[0]) or {}
    # CloudFormation's spelling differs from the API's in its capitals, and is kept as it came.
    configuration = {name.lower(): value for name, value in (api.get("endpointConfiguration") or {}).items()}
    endpoints = configuration.get("vpcendpointids") or ()
    return str(endpoints[0]) if "PRIVATE" in configuration.get("types", ()) and endpoints else None
