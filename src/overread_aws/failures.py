"""What a failed AWS call means: nothing happened and it may be repeated, nobody knows, or it is pointless."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
    ProxyConnectionError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)
from botocore.parsers import ResponseParserError

from overread.errors import AmbiguousError, PermanentError, RetryableError, ServiceError

RETRYABLE_CODES = frozenset(
    {
        "HumanLoopQuotaExceededException",
        "LimitExceededException",
        "ModelNotReadyException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "ServiceQuotaExceededException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
_NEVER_SENT = (ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError)
_MAYBE_DONE = (BotoConnectionError, HTTPClientError, IncompleteReadError, ResponseParserError)


def error_code(error: ClientError) -> str:
    """The service's own code of the error."""
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


def error_message(error: ClientError) -> str:
    """The service's own words for the error."""
    return str(error.response.get("Error", {}).get("Message", ""))


def service_error(
    error: ClientError | BotoCoreError | ResponseParserError, *, operation: str
) -> ServiceError:
    """The error of the right class for a failed call."""
    if isinstance(error, ClientError):
        code, message = error_code(error), error_message(error)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in RETRYABLE_CODES or status in {429, 503}:
            return RetryableError(code, operation=operation, message=message)
        if status >= 500:
            return AmbiguousError(code, operation=operation, message=message)
        return PermanentError(code, operation=operation, message=message)
    code = type(error).__name__
    if isinstance(error, _NEVER_SENT):
        return RetryableError(code, operation=operation)
    if isinstance(error, _MAYBE_DONE):
        return AmbiguousError(code, operation=operation)
    return PermanentError(code, operation=operation, message=str(error)[:300])


@contextmanager
def calling(operation: str) -> Iterator[None]:
    """Turns whatever a botocore call raises into a `ServiceError` that names the operation."""
    try:
        yield
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        raise service_error(error, operation=operation) from error
