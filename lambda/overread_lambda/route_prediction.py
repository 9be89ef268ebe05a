"""POST /v1/use-cases/{name}/decisions: one decision per idempotency key, by the model or by people."""

import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

from overread.decisions.documents import decision_document
from overread.decisions.ports import Clock, SubmitPorts
from overread.decisions.record import TERMINAL
from overread.decisions.requests import checked_idempotency_key, parse_submission
from overread.decisions.submit import submit
from overread.errors import Problem, RequestRefusedError
from overread_aws.appconfig_policies import AppConfigPolicies
from overread_aws.clients import make_client
from overread_aws.dynamodb_records import DynamoDbRecords
from overread_aws.queue_gauges import QueueGauges
from overread_aws.s3_objects import S3Inputs
from overread_aws.sagemaker_models import make_models
from overread_aws.secret_key import SecretKey
from overread_lambda.counted import CountedRecords
from overread_lambda.entry import entry
from overread_lambda.logs import log
from overread_lambda.rest_proxy import (
    Event,
    Reply,
    answer,
    body_bytes,
    caller_of,
    header_values,
    path_parameter,
    reply,
)
from overread_lambda.settings import RouteSettings, route_settings


@entry()
def handler(event: Event, context: object) -> Reply:
    """What API Gateway calls."""
    return answer(lambda: respond(event, settings=_settings(), ports=_ports(), clock=_now))


def respond(event: Event, *, settings: RouteSettings, ports: SubmitPorts, clock: Clock) -> Reply:
    """The decision as a reply: 200 when final, 202 while people decide.

    Raises:
        OverreadError: see `overread.decisions.submit.submit`.
    """
    use_case = path_parameter(event, "name")
    if use_case not in settings.use_cases:
        detail = f"use case {use_case[:80]!r} is unknown"
        raise RequestRefusedError(Problem.UNKNOWN_USE_CASE, detail, field="name")
    scope = caller_of(event)
    key = checked_idempotency_key(header_values(event, "Idempotency-Key"))
    submission = parse_submission(body_bytes(event))
    record = submit(
        submission,
        use_case=use_case,
        environment=settings.environment,
        caller_scope=scope,
        idempotency_key=key,
        ports=replace(ports, records=CountedRecords(ports.records)),
        clock=clock,
    )
    log.info(
        "decision routed",
        extra={
            "decision_id": record.decision_id,
            "use_case": use_case,
            "state": str(record.state),
            "reasons": [str(reason.code) for reason in record.route.reasons] if record.route else [],
        },
    )
    document = decision_document(record)
    status = 200 if record.state in TERMINAL else 202
    return reply(status, document, headers={"Location": document["links"]["self"]})


def _now() -> datetime:
    return datetime.now(UTC)


@cache
def _settings() -> RouteSettings:
    return route_settings(os.environ)


@cache
def _ports() -> SubmitPorts:
    settings = _settings()
    dynamodb = make_client("dynamodb")
    return SubmitPorts(
        records=DynamoDbRecords(dynamodb, table=settings.table),
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
