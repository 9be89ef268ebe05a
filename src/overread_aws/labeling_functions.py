"""The Lambda functions of labeling jobs, called in the name of their job's role."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError, ReadTimeoutError

from overread_aws.failures import RETRYABLE_CODES, error_code, error_message
from overread_aws.review_documents import ClientOfRole
from overread_review.service.errors import DocumentRefusedError, DocumentUnavailableError
from overread_review.service.labeling.ports import CallFailed

_AT_ONCE = 8
_LONGEST_REASON = 300


class LambdaAnnotationFunctions:
    """Implements `overread_review.service.labeling.ports.AnnotationFunctions`.

    `client_of_role` gives a Lambda client that acts as the role of that ARN.
    """

    def __init__(self, client_of_role: ClientOfRole) -> None:
        self._client_of_role = client_of_role

    def call(self, arn: str, events: Sequence[Mapping[str, Any]], *, role_arn: str) -> list[Any | CallFailed]:
        """The function's answer to each event, in their order; several are asked at once."""
        client = self._client_of_role(role_arn)
        with ThreadPoolExecutor(max_workers=min(_AT_ONCE, max(1, len(events)))) as pool:
            return list(pool.map(lambda event: _called(client, arn, event), events))


def _called(client: Any, arn: str, event: Mapping[str, Any]) -> Any | CallFailed:
    try:
        reply = client.invoke(FunctionName=arn, Payload=json.dumps(event, ensure_ascii=False).encode())
        payload = reply["Payload"].read()
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        message = f"Lambda {arn}: {error_code(error)} {error_message(error)}".rstrip()
        if status >= 500 or status == 429 or error_code(error) in RETRYABLE_CODES:
            raise DocumentUnavailableError(message) from error
        raise DocumentRefusedError(message) from error
    except ReadTimeoutError:
        return CallFailed("it gave no answer in time")
    except ParamValidationError as error:
        raise DocumentRefusedError(f"Lambda {arn}: {error}") from error
    except BotoCoreError as error:
        raise DocumentUnavailableError(f"Lambda: {error}") from error
    try:
        answer = json.loads(payload or b"null")
    except ValueError:
        return CallFailed("its answer is not JSON")
    if reply.get("FunctionError"):
        return CallFailed(_reason(answer))
    return answer


def _reason(answer: object) -> str:
    """A failed function's own words."""
    if not isinstance(answer, dict):
        return "it failed without a word"
    words = [str(answer[name]) for name in ("errorType", "errorMessage") if answer.get(name)]
    return ": ".join(words)[:_LONGEST_REASON] or "it failed without a word"
