"""Settles decisions when a human loop has ended: the event names the loop, everything else is looked up."""

import os
from datetime import UTC, datetime
from functools import cache
from typing import Any

from overread.decisions.ingest import IngestResult, ingest
from overread.decisions.ports import Clock, IngestPorts
from overread.review.limits import HUMAN_LOOP_NAME
from overread_aws.a2i_loops import A2iLoops
from overread_aws.clients import make_client
from overread_aws.dynamodb_records import DynamoDbRecords
from overread_aws.s3_objects import S3Outputs
from overread_lambda.backend_clients import make_a2i_client
from overread_lambda.logs import log
from overread_lambda.settings import IngestSettings, ingest_settings


def handler(event: dict[str, Any], context: object) -> dict[str, str]:
    """What EventBridge calls. Errors are raised: Lambda tries twice more, then the event is a dead letter."""
    return respond(event, ports=_ports(), clock=_now)


def respond(event: dict[str, Any], *, ports: IngestPorts, clock: Clock) -> dict[str, str]:
    """What became of the news.

    Raises:
        ServiceError: a service failed, or the output is not there yet.
    """
    detail = event.get("detail")
    name = detail.get("humanLoopName") if isinstance(detail, dict) else None
    if not isinstance(name, str) or not HUMAN_LOOP_NAME.allows(name):
        log.warning("event without a human loop")
        return {"result": str(IngestResult.UNKNOWN_LOOP)}
    result = ingest(name, ports=ports, clock=clock)
    log.info("review event", extra={"human_loop": name, "result": str(result)})
    return {"result": str(result)}


def _now() -> datetime:
    return datetime.now(UTC)


@cache
def _settings() -> IngestSettings:
    return ingest_settings(os.environ)


@cache
def _ports() -> IngestPorts:
    settings = _settings()
    return IngestPorts(
        records=DynamoDbRecords(make_client("dynamodb"), table=settings.table),
        loops=A2iLoops(make_a2i_client(os.environ, read_timeout_s=10.0)),
        outputs=S3Outputs(make_client("s3", read_timeout_s=10.0), bucket=settings.output_bucket),
    )
