"""Everything signed for `sagemaker`: permission first, then the local SageMaker or the review service."""

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlencode

import httpx
from ministack import app as ministack_app
from ministack.core.responses import get_account_id, get_region

from overread_local.cross_site import REFUSAL, comes_from_another_site
from overread_local.emulator.permissions import Permission, control_permissions, loop_permission
from overread_local.sagemaker.errors import ServiceUnavailable, UnknownOperationException
from overread_local.sagemaker.records import Caller
from overread_local.sagemaker.runtime import Answer
from overread_local.sagemaker.service import SageMaker, json_error, rest_error

_INVOKE = re.compile(r"^/endpoints/(?P<name>[^/]+)/invocations$")
_LOOPS = re.compile(r"^/human-loops(?:/|$)")
_REVIEWED = ("HumanTaskUi", "FlowDefinition", "Workteam", "Workforce", "LabelingJob", "UiTemplate")
_REVIEWED_ARNS = ("human-task-ui/", "flow-definition/", "workteam/", "workforce/", "labeling-job/")
_FORWARDED_HEADERS = ("content-type", "x-amz-target", "accept", "authorization", "x-amz-date")
_RETURNED_HEADERS = ("content-type", "x-amzn-errortype")
_FORWARD_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class AwsRequest:
    """A request as ministack hands it over, and whom it speaks for."""

    caller: Caller
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, list[str]]


class Gateway:
    """The handler that ministack calls for the service `sagemaker`."""

    def __init__(self, sagemaker: SageMaker, *, review_url: str) -> None:
        self._sagemaker = sagemaker
        self._review = httpx.AsyncClient(base_url=review_url, trust_env=False, timeout=_FORWARD_TIMEOUT_S)

    async def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, list[str]]
    ) -> Answer:
        """Answers one request of the account and region that ministack read from its signature."""
        if comes_from_another_site(method, headers):
            return 403, {"Content-Type": "text/plain"}, f"{REFUSAL}\n".encode()
        caller = Caller(account=get_account_id(), region=get_region())
        request = AwsRequest(caller, method, path, headers, body, query)
        if match := _INVOKE.match(path):
            name = unquote(match["name"])
            permission = Permission("InvokeEndpoint", caller.arn("endpoint", name))
            return _denied([permission], request) or await self._sagemaker.invoke(
                caller, name, headers=headers, body=body
            )
        if _LOOPS.match(path):
            permission = loop_permission(caller, method, path, body=body)
            return _denied([permission], request) or await self._forward(request)
        return await self._control(request)

    async def _control(self, request: AwsRequest) -> Answer:
        operation = request.headers.get("x-amz-target", "").removeprefix("SageMaker.")
        if not operation or request.path != "/":
            return json_error(UnknownOperationException(f"{request.method} {request.path} is no operation"))
        params = _object(request.body)
        if denied := _denied(control_permissions(request.caller, operation, params), request):
            return denied
        if _is_reviewed(operation, params):
            return await self._forward(request)
        return await self._sagemaker.call(request.caller, operation, request.body)

    async def _forward(self, request: AwsRequest) -> Answer:
        sent = {name: request.headers[name] for name in _FORWARDED_HEADERS if name in request.headers}
        target = request.path + (f"?{urlencode(request.query, doseq=True)}" if request.query else "")
        try:
            reply = await self._review.request(request.method, target, content=request.body, headers=sent)
        except httpx.TransportError as error:
            down = ServiceUnavailable(f"The review service does not answer: {error}")
            return rest_error(down) if _LOOPS.match(request.path) else json_error(down)
        kept = {name: reply.headers[name] for name in _RETURNED_HEADERS if name in reply.headers}
        return reply.status_code, kept, reply.content


def _denied(permissions: list[Permission], request: AwsRequest) -> Answer | None:
    """The refusal of the first check that fails; None when all pass, or IAM is not enforced."""
    for permission in permissions:
        denied: Answer | None = ministack_app._enforce_data_plane(
            "sagemaker",
            permission.action,
            request.headers,
            request.query,
            str(uuid.uuid4()),
            resource_arn=permission.resource,
            service_context=dict(permission.context),
            named_resource=permission.resource,
        )
        if denied is not None:
            return denied
    return None


def _is_reviewed(operation: str, params: Mapping[str, Any]) -> bool:
    if operation in {"AddTags", "ListTags", "DeleteTags"}:
        resource = str(params.get("ResourceArn", "")).split(":", 5)[-1]
        return resource.startswith(_REVIEWED_ARNS)
    return any(noun in operation for noun in _REVIEWED)


def _object(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body or b"{}")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
