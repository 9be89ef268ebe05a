"""What the functions measure: one line of CloudWatch's embedded metric format each time, no library.

Environment: OVERREAD_DEPLOYMENT, the name prefix, a dimension of every metric. Where it is not set, as in a
notebook or a unit test, nothing is written.
"""

import json
import math
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

NAMESPACE: Final = "Overread"
DEPLOYMENT: Final = "Deployment"
USE_CASE: Final = "UseCase"
COUNT, SECONDS, NO_UNIT = "Count", "Seconds", "None"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of the namespace `Overread`: its name, its CloudWatch unit and what it tells."""

    name: str
    unit: str
    tells: str


Values = Mapping[Metric, float]
NOTHING: Final[Mapping[str, str]] = {}


def emit(values: Values, *, at: datetime, dimensions: Mapping[str, str] = NOTHING) -> None:
    """Writes the values to standard output, for this deployment; nothing where there is nothing to write."""
    deployment = os.environ.get("OVERREAD_DEPLOYMENT", "")
    known = {metric: value for metric, value in values.items() if math.isfinite(value)}
    if deployment and known:
        line = metric_line(known, deployment=deployment, at=at, dimensions=dimensions)
        sys.stdout.write(json.dumps(line) + "\n")


def metric_line(
    values: Values, *, deployment: str, at: datetime, dimensions: Mapping[str, str] = NOTHING
) -> dict[str, Any]:
    """The document of one line: each metric by the deployment, and by the deployment and `dimensions`.

    Values must be finite, dimensions few and of few values (a use case, a state): each combination is a
    metric that CloudWatch charges for. Nothing personal, and no id, may be a dimension.
    """
    sets = [[DEPLOYMENT], [DEPLOYMENT, *dimensions]] if dimensions else [[DEPLOYMENT]]
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": sets,
        "Metrics": [{"Name": metric.name, "Unit": metric.unit} for metric in values],
    }
    return {
        "_aws": {"Timestamp": int(at.timestamp() * 1000), "CloudWatchMetrics": [directive]},
        DEPLOYMENT: deployment,
        **dimensions,
        **{metric.name: value for metric, value in values.items()},
    }
