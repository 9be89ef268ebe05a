"""Requests and replies of the REST API as API Gateway's Lambda proxy carries them."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any

from overread.decisions.documents import problem_document
from overread.decisions.ids import caller_scope
from overread.errors import (
    AmbiguousError,
    MissingSettingsError,
    OverreadError,
    PolicyUnavailableError,
    Problem,
    RequestRefusedError,
    RetryableError,
    ServiceError,
)
from overread_lambda.logs import log, of_error

Event = Mapping[str, Any]
Reply = dict[str, Any]
RETRY_AFTER_S = 5


def part_of(event: Event, name: str) -> Mapping[str, Any]:
    """A member that is an object; API Gateway writes null where there is nothing in it."""
    part = event.get(name)
    return part if isinstance(part, Mapping) else {}


def path_parameter(event: Event, name: str) -> str:
    """A variable part of the path; empty when absent."""
    return str(part_of(event, "pathParameters").get(name) or "")


def query_parameter(event: Event, name: str) -> str:
    """A parameter of the query, the last where it is given twice; empty when absent."""
    return str(part_of(event, "queryStringParameters").get(name) or "")


def header_values(event: Event, name: str) -> list[str]:
    """Every value of a header, whatever the spelling of its name."""
    several, single = part_of(event, "multiValueHeaders"), part_of(event, "headers")
    named = [values for key, values in (several or single).items() if key.lower() == name.lower()]
    values = [value for one in named for value in (one if isinstance(one, list) else [one])]
    return [value.strip() for value in values if isinstance(value, str)]


def body_bytes(event: Event) -> bytes:
    """The body as it was sent.

    Raises:
        RequestRefusedError: it cannot be told.
    """
    body = event.get("body") or ""
    if not isinstance(body, str):
        raise RequestRefusedError(Problem.MALFORMED_JSON, "the body is not text")
    try:
        return base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
    except (binascii.Error, ValueError) as error:
        raise RequestRefusedError(Problem.MALFORMED_JSON, f"the body is not text: {error}") from error


def caller_of(event: Event) -> str:
    """The scope of the authenticated caller.

    Raises:
        RequestRefusedError: API Gateway names none.
    """
    context = part_of(event, "requestContext")
    # Only the function that checks tokens can have written this: callers have no part in the context.
    client = part_of(context, "authorizer").get("caller_scope")
    if isinstance(client, str) and client.startswith("oidc:"):
        return client
    scope = caller_scope(str(part_of(context, "identity").get("userArn") or ""))
    if not scope:
        raise RequestRefusedError(Problem.CALLER_UNKNOWN, "the request is not signed by an IAM principal")
    return scope


def reply(
    status: int,
    document: Mapping[str, Any],
    *,
    content_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """A JSON reply that nobody caches."""
    return {
        "statusCode": status,
        "headers": {"Content-Type": content_type, "Cache-Control": "no-store", **(headers or {})},
        "body": json.dumps(document, ensure_ascii=False, separators=(",", ":")),
        "isBase64Encoded": False,
    }


def problem_reply(problem: Problem, *, detail: str, field: str = "") -> Reply:
    """The reply that refuses a request."""
    return reply(
        problem.status,
        problem_document(problem, detail=detail, field=field),
        content_type="application/problem+json",
        headers={"Retry-After": str(RETRY_AFTER_S)} if problem.status in (429, 503) else None,
    )


def answer(respond: Callable[[], Reply]) -> Reply:
    """What `respond` replies, or the problem document for the error it raises."""
    try:
        return respond()
    except RequestRefusedError as error:
        log.info("request refused", extra={"problem": error.problem.slug, "field": error.field})
        return problem_reply(error.problem, detail=error.detail, field=error.field)
    except PolicyUnavailableError:
        log.error("no routing policy")
        detail = "no good routing policy could be fetched; send the same request again"
        return problem_reply(Problem.ROUTING_POLICY_UNAVAILABLE, detail=detail)
    except (RetryableError, AmbiguousError) as error:
        log.warning("service unavailable", extra={"code": error.code, "operation": error.operation})
        detail = "a service needed for this did not answer; send the same request again"
        return problem_reply(Problem.TEMPORARILY_UNAVAILABLE, detail=detail)
    except ServiceError as error:
        log.error("service refused", extra={"code": error.code, "operation": error.operation})
        return problem_reply(Problem.INTERNAL_ERROR, detail="the request could not be served")
    except OverreadError as error:
        missing = list(error.names) if isinstance(error, MissingSettingsError) else []
        log.error("function misconfigured", extra={**of_error(error), "settings": missing})
        return problem_reply(Problem.INTERNAL_ERROR, detail="the request could not be served")
