"""botocore's service models, read once a process: they are large."""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.session


@cache
def service_model(name: str) -> Any:
    """The model of the service `name`, as boto3 clients use it."""
    return botocore.session.get_session().get_service_model(name)
