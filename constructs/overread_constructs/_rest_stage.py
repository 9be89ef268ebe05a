"""A REST API's stage as all of them have it: throttled, traced, measured, logged without bodies."""

from __future__ import annotations

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from overread_constructs._encryption import let_logs_use
from overread_constructs.acknowledgements import accept_log_retention

STAGE = "live"
LOG_POLICY = (
    "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]"
)


def stage_options(
    scope: Construct,
    *,
    log_retention: logs.RetentionDays,
    key: kms.IKey,
    throttling_rate: int,
    throttling_burst: int,
) -> apigateway.StageOptions:
    """The stage's options, with a log group for its calls in `scope`."""
    access_log = logs.LogGroup(scope, "AccessLog", retention=log_retention, encryption_key=key)
    accept_log_retention(access_log)
    let_logs_use(key, scope=scope)
    return apigateway.StageOptions(
        stage_name=STAGE,
        access_log_destination=apigateway.LogGroupLogDestination(access_log),
        access_log_format=_access_log_format(),
        logging_level=apigateway.MethodLoggingLevel.ERROR,
        data_trace_enabled=False,  # bodies are personal data
        metrics_enabled=True,
        tracing_enabled=True,
        throttling_rate_limit=throttling_rate,
        throttling_burst_limit=throttling_burst,
    )


def _access_log_format() -> apigateway.AccessLogFormat:
    return apigateway.AccessLogFormat.json_with_standard_fields(
        caller=True,
        http_method=True,
        ip=True,
        protocol=True,
        request_time=True,
        resource_path=True,
        response_length=True,
        status=True,
        user=True,
    )
