"""Once a minute: finishes requests whose router died before the decision was routed."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from overread.decisions.ports import Clock, SubmitPorts
from overread.decisions.record import State
from overread.decisions.resume import resume
from overread_aws.appconfig_policies import AppConfigPolicies
from overread_aws.clients import make_client
from overread_aws.dynamodb_records import DynamoDbRecords
from overread_aws.queue_gauges import QueueGauges
from overread_aws.s3_objects import S3Inputs
from overread_aws.sagemaker_models import make_models
from overread_aws.secret_key import SecretKey
from overread_lambda.counted import RESUMED, CountedRecords
from overread_lambda.entry import entry
from overread_lambda.logs import log
from overread_lambda.settings import ResumeSettings, resume_settings
from overread_lambda.sweeping import Context, DueRecords, counted, in_time


@entry()
def handler(event: dict[str, Any], context: Context) -> dict[str, int]:
    """What the schedule calls."""
    ports, records = _ports()
    return resume_due(records, ports=ports, clock=_now, remaining_ms=context.get_remaining_time_in_millis)


def resume_due(
    records: DueRecords, *, ports: SubmitPorts, clock: Clock, remaining_ms: Callable[[], int]
) -> dict[str, int]:
    """Finishes what should have been routed by now, most overdue first, while there is time."""
    counts: dict[str, int] = {}
    ids = in_time(records.due(State.RECEIVED, until=clock()), remaining_ms=remaining_ms)
    swept = replace(ports, records=CountedRecords(ports.records, repairs=RESUMED))
    counted(ids, lambda one: resume(one, ports=swept, clock=clock), counts=counts)
    if counts:
        log.info("sweep done", extra={"results": counts})
    return counts


def _now() -> datetime:
    return datetime.now(UTC)


@cache
def _settings() -> ResumeSettings:
    return resume_settings(os.environ)


@cache
def _ports() -> tuple[SubmitPorts, DynamoDbRecords]:
    settings = _settings()
    dynamodb = make_client("dynamodb")
    records = DynamoDbRecords(dynamodb, table=settings.table)
    ports = SubmitPorts(
        records=records,
        inputs=S3Inputs(make_client("s3"), bucket=settings.input_bucket),
        models=make_models(settings.prediction_role),
        policies=AppConfigPolicies(
            make_client("appconfigdata"),
            application=settings.policies.application,
            environment=settings.policies.environment,
            monotonic=time.monotonic,
        ),
        gauges=QueueGauges(dynamodb, table=settings.table),
        spot_check_key=SecretKey(make_client("secretsmanager"), secret_id=settings.spot_check_secret),
    )
    return ports, records
