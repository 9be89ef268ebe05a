"""What a deployed function wrote for CloudWatch to make metrics of."""

from __future__ import annotations

import json
from typing import Any

from tests.local.conftest import Deployment
from tests.local.review_backends import function_of


def metric_lines(deployed: Deployment, module: str) -> list[dict[str, Any]]:
    """The lines of the function of a module, in the order in which they were written."""
    name = function_of(deployed.stack, module)
    config = deployed.client("lambda").get_function_configuration(FunctionName=name)
    pages = (
        deployed.client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=config["LoggingConfig"]["LogGroup"], filterPattern="CloudWatchMetrics")
    )
    found = [json.loads(event["message"]) for page in pages for event in page["events"]]
    return [line for line in found if line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Overread"]
