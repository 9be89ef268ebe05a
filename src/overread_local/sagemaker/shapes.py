"""Requests checked against botocore's own model of a service, with the review service's checker."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel

from overread_local.sagemaker.errors import SerializationException, ValidationException
from overread_review.service.errors import RequestInvalidError
from overread_review.wire.validation import parse_request


@cache
def service_model(name: str) -> ServiceModel:
    """botocore's model of an AWS service."""
    return botocore.session.get_session().get_service_model(name)


def check_request(service: str, operation: str, params: Any) -> None:
    """Raises what AWS answers when `params` do not fit the operation.

    Raises:
        SerializationException: they are no JSON object.
        ValidationException: all broken constraints together.
    """
    if not isinstance(params, Mapping):
        raise SerializationException("The request body is not a JSON object")
    shape = service_model(service).operation_model(operation).input_shape
    try:
        parse_request(shape, params)
    except RequestInvalidError as error:
        raise ValidationException(str(error)) from error
