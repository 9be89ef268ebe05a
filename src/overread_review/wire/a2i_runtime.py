"""`/human-loops…` in REST-JSON: the calls of the `sagemaker-a2i-runtime` client."""

from __future__ import annotations

import json
import re
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

_STATUS = {
    "ValidationException": 400,
    "ResourceNotFoundException": 404,
    "ConflictException": 409,
    "ServiceQuotaExceededException": 402,
    "ThrottlingException": 429,
    "InternalServerException": 500,
}
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_CODES = {"ResourceNotFound": "ResourceNotFoundException"}
_Call = Callable[[Mapping[str, Any]], dict[str, Any]]


class A2IRuntimeWire:
    """The five human-loop operations as routes."""

    def __init__(self, service: ReviewService) -> None:
        self._model = service_model("sagemaker-a2i-runtime")
        loops = service.loops
        self.routes = [
            Route("/human-loops", self._by_body("StartHumanLoop", loops.start), methods=["POST"]),
            Route("/human-loops", self._by_query("ListHumanLoops", loops.list), methods=["GET"]),
            Route("/human-loops/stop", self._by_body("StopHumanLoop", loops.stop), methods=["POST"]),
            # `path`, so that a name with a slash is refused as a name and not as an address.
            Route(
                "/human-loops/{HumanLoopName:path}",
                self._by_path("DescribeHumanLoop", loops.describe),
                methods=["GET"],
            ),
            Route(
                "/human-loops/{HumanLoopName:path}",
                self._by_path("DeleteHumanLoop", loops.delete),
                methods=["DELETE"],
            ),
        ]

    def _by_body(self, operation: str, call: _Call) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            return await run_in_threadpool(self._answer_body, operation, call, body)

        return endpoint

    def _by_path(self, operation: str, call: _Call) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            return await run_in_threadpool(self._answer, operation, call, dict(request.path_params))

        return endpoint

    def _by_query(self, operation: str, call: _Call) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            raw: dict[str, Any] = dict(request.query_params)
            if _INTEGER.fullmatch(size := raw.get("MaxResults", "")):
                raw["MaxResults"] = int(size)
            return await run_in_threadpool(self._answer, operation, call, raw)

        return endpoint

    def _answer_body(self, operation: str, call: _Call, body: bytes) -> Response:
        try:
            raw = json.loads(body or b"{}")
        except (ValueError, RecursionError) as error:
            return _error("ValidationException", f"The request body is not JSON: {error}")
        if not isinstance(raw, dict):
            return _error("ValidationException", "The request body is not a JSON object")
        return self._answer(operation, call, raw)

    def _answer(self, operation: str, call: _Call, raw: Mapping[str, Any]) -> Response:
        model = self._model.operation_model(operation)
        try:
            result = call(parse_request(model.input_shape, raw))
        except RequestRefusedError as error:
            return _error(_CODES.get(error.code, error.code), str(error))
        except DocumentRefusedError as error:
            return _error(RequestInvalidError.code, str(error))
        except UnavailableError as error:
            return _error("InternalServerException", str(error))
        return _reply(serialize(model.output_shape, result), 200, headers={})


def _error(code: str, message: str) -> Response:
    return _reply({"Message": message}, _STATUS[code], headers={"x-amzn-ErrorType": code})


def _reply(document: Mapping[str, Any], status: int, *, headers: Mapping[str, str]) -> Response:
    return Response(
        json.dumps(document),
        status_code=status,
        media_type="application/json",
        headers={"x-amzn-RequestId": str(uuid.uuid4()), "Cache-Control": "no-store", **headers},
    )
