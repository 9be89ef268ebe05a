"""Each rule of the pack, with a template that breaks it and one that keeps it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from overread_constructs.rules import RULES, read_templates

DOCS = Path(__file__).parents[3] / "docs" / "rules.md"
FUNCTION = {"Fn::GetAtt": ["F", "Arn"]}
QUEUE = {"Fn::GetAtt": ["Q", "Arn"]}

Properties = dict[str, Any]


def resource(kind: str, properties: Properties | None = None, **more: str) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties or {}, **more}


def policy(*statements: Properties, role: str = "R") -> dict[str, Any]:
    return resource(
        "AWS::IAM::Policy", {"Roles": [{"Ref": role}], "PolicyDocument": {"Statement": list(statements)}}
    )


def allow(action: str | list[str], to: str = "arn:aws:iam::1:role/x", **more: Any) -> Properties:
    return {"Effect": "Allow", "Action": action, "Resource": to, **more}


def trust(**more: Any) -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        **more,
    }
    return resource("AWS::IAM::Role", {"AssumeRolePolicyDocument": {"Statement": [statement]}})


def permission(**more: Any) -> dict[str, Any]:
    return resource("AWS::Lambda::Permission", {"FunctionName": FUNCTION, **more})


def stream(**more: Any) -> dict[str, Any]:
    properties = {
        "StartingPosition": "TRIM_HORIZON",
        "DestinationConfig": {"OnFailure": {"Destination": QUEUE}},
        "MaximumRetryAttempts": 5,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }
    return resource("AWS::Lambda::EventSourceMapping", {**properties, **more})


def lock(**retention: Any) -> dict[str, Any]:
    configuration = {"Rule": {"DefaultRetention": retention}} if retention else {}
    return resource(
        "AWS::S3::Bucket",
        {"ObjectLockEnabled": True, "ObjectLockConfiguration": configuration},
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
    )


def cors(*methods: str) -> dict[str, Any]:
    rules = [{"AllowedMethods": list(methods), "AllowedOrigins": ["*"]}]
    return resource(
        "AWS::S3::Bucket",
        {"CorsConfiguration": {"CorsRules": rules}},
        DeletionPolicy="Delete",
        UpdateReplacePolicy="Delete",
    )


def queue_policy(**more: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sqs:SendMessage", **more}
    return resource("AWS::SQS::QueuePolicy", {"PolicyDocument": {"Statement": [statement]}})


def capture(mode: str) -> dict[str, Any]:
    captured = {"EnableCapture": True, "CaptureOptions": [{"CaptureMode": "Output"}, {"CaptureMode": mode}]}
    return resource("AWS::SageMaker::EndpointConfig", {"DataCaptureConfig": captured})


def environment(**variables: Any) -> dict[str, Any]:
    return resource("AWS::Lambda::Function", {"Environment": {"Variables": variables}})


def profile(*kinds: str) -> dict[str, Any]:
    return resource(
        "AWS::AppConfig::ConfigurationProfile", {"Validators": [{"Type": kind} for kind in kinds]}
    )


def target(**more: Any) -> dict[str, Any]:
    return resource("AWS::Events::Rule", {"Targets": [{"Id": "Target0", "Arn": FUNCTION, **more}]})


DENY_PUBLIC = {
    "Effect": "Deny",
    "Action": "sagemaker:CreateFlowDefinition",
    "Resource": "*",
    "Condition": {"StringEquals": {"sagemaker:WorkteamType": "public-crowd"}},
}
KEPT_FAILURES = resource(
    "AWS::Lambda::EventInvokeConfig",
    {"FunctionName": {"Ref": "F"}, "DestinationConfig": {"OnFailure": {"Destination": QUEUE}}},
)
NARROW = {"Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}}
FLOW, PAGE = "Custom::OverreadFlowDefinition", "Custom::OverreadHumanTaskUi"
RETAINED = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}

Case = tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]
CASES: list[Case] = [
    # Rule, what breaks it, what keeps it, and what stands beside what keeps it.
    ("OpenReviewsGuarded", resource(FLOW), resource(FLOW, {"OnDelete": "refuse"}), {}),
    (
        "PublicTeamDenied",
        policy(allow("sagemaker:CreateFlowDefinition")),
        policy(allow("sagemaker:CreateFlowDefinition")),
        {"Denied": policy(DENY_PUBLIC)},
    ),
    (
        "PublicTeamDenied",
        policy(allow(["sagemaker:CreateLabelingJob"]), {**DENY_PUBLIC, "Condition": {}}),
        policy(allow(["sagemaker:CreateLabelingJob"]), DENY_PUBLIC),
        {},
    ),
    (
        "PageEscaped",
        resource(PAGE, {"Content": "<p>{{ task.input.note | skip_autoescape }}</p>"}),
        resource(PAGE, {"Content": "<p>{{ task.input.note }}</p>"}),
        {},
    ),
    (
        "WorkforceRetained",
        resource("AWS::SageMaker::Workforce", DeletionPolicy="Delete"),
        resource("AWS::SageMaker::Workforce", DeletionPolicy="Retain"),
        {},
    ),
    (
        "DomainInNetwork",
        resource("AWS::SageMaker::Domain", {"AppNetworkAccessType": "PublicInternetOnly", "KmsKeyId": "k"}),
        resource("AWS::SageMaker::Domain", {"AppNetworkAccessType": "VpcOnly", "KmsKeyId": "k"}),
        {},
    ),
    (
        "DomainInNetwork",
        resource("AWS::SageMaker::Domain", {"AppNetworkAccessType": "VpcOnly"}),
        resource("AWS::SageMaker::Domain", {"AppNetworkAccessType": "VpcOnly", "KmsKeyId": "k"}),
        {},
    ),
    (
        "ModelIsolated",
        resource("AWS::SageMaker::Model"),
        resource("AWS::SageMaker::Model", {"EnableNetworkIsolation": True}),
        {},
    ),
    ("InputsNotCaptured", capture("Input"), capture("Output"), {}),
    ("PolicyValidated", profile("JSON_SCHEMA"), profile("JSON_SCHEMA", "LAMBDA"), {}),
    (
        "TrustNamesSource",
        trust(),
        trust(Condition={"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}),
        {},
    ),
    (
        "PermissionNamesSource",
        permission(Principal="appconfig.amazonaws.com"),
        permission(Principal="appconfig.amazonaws.com", SourceAccount={"Ref": "AWS::AccountId"}),
        {},
    ),
    ("PermissionNamesSource", permission(Principal="*"), permission(Principal="111122223333"), {}),
    ("PassRoleNarrow", policy(allow("iam:PassRole")), policy(allow("iam:PassRole", **NARROW)), {}),
    ("PassRoleNarrow", policy(allow("iam:PassRole", "*", **NARROW)), policy(allow("iam:GetRole", "*")), {}),
    ("NoWholeService", policy(allow(["s3:GetObject", "dynamodb:*"])), policy(allow(["s3:GetObject*"])), {}),
    ("NoWholeService", policy(allow([], NotAction="iam:*")), policy(allow("s3:GetObject")), {}),
    (
        "NoSecretInEnvironment",
        environment(OVERREAD_SESSION_SECRET="hunter2"),
        environment(OVERREAD_SESSION_SECRET={"Ref": "Secret"}),
        {},
    ),
    (
        "NoSecretInEnvironment",
        environment(LOGIN="{{resolve:secretsmanager:login}}"),
        environment(WEBHOOK_SECRET="arn:aws:secretsmanager:eu-west-1:1:secret:x"),
        {},
    ),
    (
        "NotOpenToAll",
        queue_policy(),
        queue_policy(Condition={"ArnEquals": {"aws:SourceArn": "arn:aws:events:eu-west-1:1:rule/x"}}),
        {},
    ),
    ("LockHasRetention", lock(), lock(Mode="COMPLIANCE", Days=2557), {}),
    ("LockHasRetention", lock(Mode="COMPLIANCE"), lock(Mode="GOVERNANCE", Years=1), {}),
    (
        "DeletionDecided",
        resource("AWS::DynamoDB::Table", DeletionPolicy="Retain"),
        resource("AWS::DynamoDB::Table", **RETAINED),
        {},
    ),
    ("CorsReadsOnly", cors("GET", "PUT"), cors("GET"), {}),
    (
        "LogsExpire",
        resource("AWS::Logs::LogGroup"),
        resource("AWS::Logs::LogGroup", {"RetentionInDays": 30}),
        {},
    ),
    (
        "BodiesNotLogged",
        resource("AWS::ApiGateway::Stage", {"MethodSettings": [{"DataTraceEnabled": True}]}),
        resource("AWS::ApiGateway::Stage", {"MethodSettings": [{"DataTraceEnabled": False}]}),
        {},
    ),
    ("TargetKeepsFailures", target(), target(DeadLetterConfig={"Arn": QUEUE}), {}),
    ("StreamKeepsFailures", stream(DestinationConfig={}), stream(), {}),
    ("StreamKeepsFailures", stream(MaximumRetryAttempts=-1), stream(), {}),
    ("StreamKeepsFailures", stream(FunctionResponseTypes=[]), stream(StartingPosition=None), {}),
    (
        "EventsKept",
        permission(Principal="events.amazonaws.com", SourceArn="arn"),
        permission(Principal="events.amazonaws.com", SourceArn="arn"),
        {"Config": KEPT_FAILURES},
    ),
    (
        "AlarmSaysMissing",
        resource("AWS::CloudWatch::Alarm"),
        resource("AWS::CloudWatch::Alarm", {"TreatMissingData": "notBreaching"}),
        {},
    ),
    (
        "OwnGroups",
        resource("AWS::Lambda::Function", {"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": []}}),
        resource("AWS::Lambda::Function", {"VpcConfig": {"SubnetIds": ["s"], "SecurityGroupIds": ["g"]}}),
        {},
    ),
    (
        "EndpointHasPolicy",
        resource("AWS::EC2::VPCEndpoint"),
        resource("AWS::EC2::VPCEndpoint", {"PolicyDocument": {"Statement": []}}),
        {},
    ),
    (
        "NoHelperFunctions",
        resource("Custom::S3AutoDeleteObjects"),
        resource("Custom::OverreadChangeLog"),
        {},
    ),
]


def broken(resources: dict[str, Any], *, folder: Path) -> set[tuple[str, str]]:
    """Rule and logical id of everything that the pack finds in a template of these resources."""
    file = folder / "stack.template.json"
    file.write_text(json.dumps({"Resources": resources}))
    templates = read_templates([file])
    return {
        (rule.name, found.logical_id)
        for rule in RULES
        for found in templates.of(*rule.kinds)
        if any(rule.faults(found, templates))
    }


@pytest.mark.parametrize(("rule", "breach", "kept", "beside"), CASES)
def test_a_breach_is_found(
    rule: str, breach: dict[str, Any], kept: dict[str, Any], beside: dict[str, Any], tmp_path: Path
) -> None:
    assert (rule, "It") in broken({"It": breach}, folder=tmp_path)


@pytest.mark.parametrize(("rule", "breach", "kept", "beside"), CASES)
def test_what_keeps_the_rule_is_no_finding(
    rule: str, breach: dict[str, Any], kept: dict[str, Any], beside: dict[str, Any], tmp_path: Path
) -> None:
    assert rule not in {name for name, _ in broken({"It": kept, **beside}, folder=tmp_path)}


def test_a_deny_for_another_role_does_not_count(tmp_path: Path) -> None:
    breach = policy(allow("sagemaker:CreateFlowDefinition"))
    found = broken({"It": breach, "Other": policy(DENY_PUBLIC, role="Other")}, folder=tmp_path)
    assert ("PublicTeamDenied", "It") in found


def test_a_destination_of_another_function_does_not_count(tmp_path: Path) -> None:
    other = {**KEPT_FAILURES, "Properties": {**KEPT_FAILURES["Properties"], "FunctionName": {"Ref": "G"}}}
    it = permission(Principal="events.amazonaws.com", SourceArn="arn")
    assert ("EventsKept", "It") in broken({"It": it, "Config": other}, folder=tmp_path)


def test_every_rule_has_a_breach_and_a_page_in_the_docs() -> None:
    assert {case[0] for case in CASES} == {rule.name for rule in RULES}
    page = DOCS.read_text(encoding="utf-8")
    assert [rule.id for rule in RULES if f"| `{rule.id}` | {rule.must} {rule.why} |" not in page] == []


def test_no_two_rules_share_a_name() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES) >= 15
