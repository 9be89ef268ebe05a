"""`POST /` in AWS JSON 1.1: the control-plane calls of the `sagemaker` client.

`POST /sagemaker/{operation}` is the same with the operation in the path, where API Gateway's permissions
can tell one operation from another.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overread_review.service.errors import (
    DocumentRefusedError,
    RequestInvalidError,
    RequestRefusedError,
    UnavailableError,
)
from overread_review.service.review_service import ReviewService
from overread_review.wire.models import service_model
from overread_review.wire.serialization import serialize
from overread_review.wire.validation import parse_request

_CONTENT_TYPE = "application/x-amz-json-1.1"
_Call = Callable[[Mapping[str, Any]], dict[str, Any]]


class SageMakerWire:
    """Dispatches by X-Amz-Target, validates with botocore's model, answers with AWS's error codes."""

    def __init__(self, service: ReviewService) -> None:
        self._calls: dict[str, _Call] = {
            "CreateHumanTaskUi": service.task_uis.create,
            "DescribeHumanTaskUi": service.task_uis.describe,
            "DeleteHumanTaskUi": service.task_uis.delete,
            "ListHumanTaskUis": service.task_uis.list,
            "RenderUiTemplate": service.task_uis.render,
            "CreateFlowDefinition": service.flow_definitions.create,
            "DescribeFlowDefinition": service.flow_definitions.describe,
            "DeleteFlowDefinition": service.loops.delete_flow_definition,
            "ListFlowDefinitions": service.flow_definitions.list,
            "CreateWorkforce": service.teams.create_workforce,
            "DescribeWorkforce": service.teams.describe_workforce,
            "UpdateWorkforce": service.teams.update_workforce,
            "DeleteWorkforce": service.teams.delete_workforce,
            "ListWorkforces": service.teams.list_workforces,
            "CreateWorkteam": service.teams.create_workteam,
            "DescribeWorkteam": service.teams.describe_workteam,
            "UpdateWorkteam": service.teams.update_workteam,
            "DeleteWorkteam": service.teams.delete_workteam,
            "ListWorkteams": service.teams.list_workteams,
            "DescribeSubscribedWorkteam": service.teams.vendors.describe,
            "ListSubscribedWorkteams": service.teams.vendors.list,
            "CreateLabelingJob": service.labeling_jobs.create,
            "DescribeLabelingJob": service.labeling_jobs.describe,
            "ListLabelingJobs": service.labeling_jobs.list,
            "StopLabelingJob": service.labeling_jobs.stop,
            "AddTags": service.tags.add,
            "DeleteTags": service.tags.remove,
            "ListTags": service.tags.list,
        }

        self.routes = [
            Route("/", self._by_header, methods=["POST"]),
            Route("/sagemaker/{operation}", self._by_path, methods=["POST"]),
        ]

    @property
    def operations(self) -> frozenset[str]:
        """The operations served here; the local stack forwards exactly these."""
        return frozenset(self._calls)

    async def _by_path(self, request: Request) -> Response:
        """Never another operation than the one in the path: that is the one whose caller was authorised."""
        named = request.path_params["operation"]
        target = request.headers.get("x-amz-target", "")
        if target != f"SageMaker.{named}":
            message = f"X-Amz-Target must be 'SageMaker.{named}' as in the path, got '{target}'"
            return _error("UnknownOperationException", message, 400)
        return await self._by_header(request)

    async def _by_header(self, request: Request) -> Response:
        prefix, _, operation = request.headers.get("x-amz-target", "").partition(".")
        call = self._calls.get(operation)
        if prefix != "SageMaker" or call is None:
            return _error("UnknownOperationException", f"The operation '{operation}' is not served here", 400)
        body = await request.body()
        return await run_in_threadpool(self._answer, operation, call, body)

    def _answer(self, operation: str, call: _Call, body: bytes) -> Response:
        # Here, not at the start: the model is large, and a function that only serves the portal needs none.
        model = service_model("sagemaker").operation_model(operation)
        try:
            raw = json.loads(body or b"{}")
        except (ValueError, RecursionError) as error:
            return _error("SerializationException", f"The request body is not JSON: {error}", 400)
        if not isinstance(raw, dict):
            return _error("SerializationException", "The request body is not a JSON object", 400)
        try:
            result = call(parse_request(model.input_shape, raw))
        except RequestRefusedError as error:
            return _error(error.code, str(error), 400)
        except DocumentRefusedError as error:
            return _error(RequestInvalidError.code, str(error), 400)
        except UnavailableError as error:
            return _error("ServiceUnavailable", str(error), 503)
        return _reply(serialize(model.output_shape, result), 200)


def _error(code: str, message: str, status: int) -> Response:
    return _reply({"__type": code, "message": message}, status)


def _reply(document: Mapping[str, Any], status: int) -> Response:
    return Response(
        json.dumps(document),
        status_code=status,
        media_type=_CONTENT_TYPE,
        headers={"x-amzn-RequestId": str(uuid.uuid4()), "Cache-Control": "no-store"},
    )
