"""AWS errors as the local SageMaker answers them: the code lives on the exception class."""

from collections.abc import Mapping
from typing import Any


class AwsError(Exception):
    """An error reply: AWS's code, HTTP status and message."""

    code = "InternalFailure"
    status = 500

    def __init__(self, message: str, *, members: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.members = dict(members or {})


class ValidationException(AwsError):  # noqa: N818 - AWS's name
    code = "ValidationException"
    status = 400


class SerializationException(AwsError):  # noqa: N818 - AWS's name
    code = "SerializationException"
    status = 400


class UnknownOperationException(AwsError):  # noqa: N818 - AWS's name
    code = "UnknownOperationException"
    status = 400


class ResourceNotFound(AwsError):  # noqa: N818 - AWS's name
    code = "ResourceNotFound"
    status = 400


class ResourceInUse(AwsError):  # noqa: N818 - AWS's name
    code = "ResourceInUse"
    status = 400


class ResourceLimitExceeded(AwsError):  # noqa: N818 - AWS's name
    code = "ResourceLimitExceeded"
    status = 400


class ValidationError(AwsError):
    code = "ValidationError"
    status = 400


class ModelError(AwsError):
    code = "ModelError"
    status = 424


class ServiceUnavailable(AwsError):  # noqa: N818 - AWS's name
    code = "ServiceUnavailable"
    status = 503


class ObjectNotFoundException(AwsError):  # noqa: N818 - AWS's name
    code = "ObjectNotFoundException"
    status = 400
