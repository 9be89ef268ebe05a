"""What is kept, how long, and who may read it from a page."""

from __future__ import annotations

from collections.abc import Iterator

from overread_constructs.rules.rule import TemplateRule
from overread_constructs.rules.template import Resource, Templates, as_list

_READS = {"GET", "HEAD"}


def _lock(resource: Resource, _: Templates) -> Iterator[str]:
    if not resource.get("ObjectLockEnabled"):
        return
    retention = resource.get("ObjectLockConfiguration", "Rule", "DefaultRetention") or {}
    if not retention.get("Mode") or not (retention.get("Days") or retention.get("Years")):
        yield "ObjectLockConfiguration"


def _deletion(resource: Resource, _: Templates) -> Iterator[str]:
    for name in ("DeletionPolicy", "UpdateReplacePolicy"):
        if name not in resource.body:
            yield name


def _cors(resource: Resource, _: Templates) -> Iterator[str]:
    for index, rule in enumerate(as_list(resource.get("CorsConfiguration", "CorsRules"))):
        if set(as_list(rule.get("AllowedMethods"))) - _READS:
            yield f"CorsConfiguration/CorsRules/{index}"


def _log_retention(resource: Resource, _: Templates) -> Iterator[str]:
    if not resource.get("RetentionInDays"):
        yield "RetentionInDays"


def _bodies(resource: Resource, _: Templates) -> Iterator[str]:
    for index, setting in enumerate(as_list(resource.get("MethodSettings"))):
        if setting.get("DataTraceEnabled"):
            yield f"MethodSettings/{index}/DataTraceEnabled"


KEEPING_RULES = (
    TemplateRule(
        name="LockHasRetention",
        kinds=("AWS::S3::Bucket",),
        must="A bucket with Object Lock has a default retention, with mode and time.",
        why="Object Lock alone locks nothing: every object can be deleted until a retention says otherwise.",
        faults=_lock,
    ),
    TemplateRule(
        name="DeletionDecided",
        kinds=("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::Cognito::UserPool"),
        must="What holds data says what deletion and replacement do to it.",
        why="CloudFormation's default deletes: a renamed construct takes decisions or their key with it.",
        faults=_deletion,
    ),
    TemplateRule(
        name="CorsReadsOnly",
        kinds=("AWS::S3::Bucket",),
        must="Pages of other origins may read a bucket's objects, not write them.",
        why="A2I's pages need reading from any origin; with writing, any page could put what it signs.",
        faults=_cors,
    ),
    TemplateRule(
        name="LogsExpire",
        kinds=("AWS::Logs::LogGroup",),
        must="A log group has a retention.",
        why="The default is forever, which no retention schedule allows.",
        faults=_log_retention,
    ),
    TemplateRule(
        name="BodiesNotLogged",
        kinds=("AWS::ApiGateway::Stage",),
        must="An API's stage logs no bodies.",
        why="Data tracing writes whole requests, personal data included, into the logs.",
        faults=_bodies,
    ),
)
