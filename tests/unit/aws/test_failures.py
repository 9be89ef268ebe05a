"""What a failed AWS call means."""

from typing import Any

import pytest
from botocore import exceptions
from botocore.parsers import ResponseParserError

from overread.errors import AmbiguousError, PermanentError, RetryableError
from overread_aws.failures import calling, service_error


def client_error(code: str, status: int) -> exceptions.ClientError:
    reply: Any = {
        "Error": {"Code": code, "Message": "m"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return exceptions.ClientError(reply, "StartHumanLoop")


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ThrottlingException", 400, RetryableError),
        ("ThrottlingException", 429, RetryableError),
        ("ServiceQuotaExceededException", 402, RetryableError),
        ("ProvisionedThroughputExceededException", 400, RetryableError),
        ("SlowDown", 503, RetryableError),
        ("AnythingNew", 503, RetryableError),
        ("AnythingNew", 429, RetryableError),
        ("InternalServerException", 500, AmbiguousError),
        ("InternalServerError", 500, AmbiguousError),
        ("AnythingNew", 504, AmbiguousError),
        ("ValidationException", 400, PermanentError),
        ("AccessDeniedException", 403, PermanentError),
        ("ModelError", 424, PermanentError),
    ],
)
def test_an_error_of_the_service_is_classed_by_code_and_status(code: str, status: int, kind: type) -> None:
    error = service_error(client_error(code, status), operation="StartHumanLoop")
    assert type(error) is kind
    assert (error.code, error.operation, error.message) == (code, "StartHumanLoop", "m")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (exceptions.ConnectTimeoutError(endpoint_url="u"), RetryableError),
        (exceptions.EndpointConnectionError(endpoint_url="u"), RetryableError),
        (exceptions.ProxyConnectionError(proxy_url="u"), RetryableError),
        (exceptions.ReadTimeoutError(endpoint_url="u"), AmbiguousError),
        (exceptions.ConnectionClosedError(endpoint_url="u"), AmbiguousError),
        (exceptions.HTTPClientError(error="x"), AmbiguousError),
        (exceptions.IncompleteReadError(actual_bytes=1, expected_bytes=2), AmbiguousError),
        (ResponseParserError("garbage"), AmbiguousError),
        (exceptions.NoCredentialsError(), PermanentError),
        (exceptions.ParamValidationError(report="r"), PermanentError),
    ],
)
def test_an_error_of_the_connection_is_classed_by_whether_the_call_may_have_arrived(
    error: Any, kind: type
) -> None:
    with pytest.raises(kind) as caught, calling("GetItem"):
        raise error
    assert type(caught.value) is kind
    assert caught.value.code == type(error).__name__


def test_other_errors_pass_through() -> None:
    with pytest.raises(KeyError), calling("GetItem"):
        raise KeyError("bug")
