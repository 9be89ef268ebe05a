"""What the constructs deploy: protected by default, no event lost, names that change with their content."""

import hashlib
import importlib
import json
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from tests.synth.constructs_synth.conftest import PAGE

from overread.decisions.error_monitor import fresh
from overread.decisions.monitor_state import Watched
from overread.errors import MissingSettingsError
from overread_constructs.routing_policies import SCHEMA
from overread_lambda import settings, watch_errors
from overread_lambda.metrics import metric_line

ROUTERS = ("Inference", "Proxied", "Own")
SERVICES = ("Desk", "Exposed")
WITH_FUNCTIONS = (*ROUTERS, *SERVICES, "Elsewhere", "Review", "Crowd")


def plain(value: Any) -> Any:
    """The value with every reference replaced by an ARN-like word, as CloudFormation would."""
    if isinstance(value, dict) and len(value) == 1:
        ((function, argument),) = value.items()
        if function == "Fn::Join":
            return argument[0].join(plain(part) for part in argument[1])
        if function in ("Ref", "Fn::GetAtt", "Fn::ImportValue"):
            name = "".join(argument) if isinstance(argument, list) else argument
            return ARNS[next(word for word in ARNS if word in name)]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


SAGEMAKER = "arn:aws:sagemaker:eu-central-1:123456789012"
ARNS = {
    "WorkteamArn": f"{SAGEMAKER}:workteam/private-crowd/loans",
    "HumanTaskUiArn": f"{SAGEMAKER}:human-task-ui/loans",
    "Role": "arn:aws:iam::123456789012:role/review",
    "Key": "arn:aws:kms:eu-central-1:123456789012:key/k",
    "Answers": "answers",
    "Partition": "aws",
    "URLSuffix": "amazonaws.com",
}


def definition(synthesized: Any, stack: str, name: str) -> dict[str, Any]:
    properties = synthesized.one(stack, "Custom::OverreadFlowDefinition", like=name)
    return json.loads(plain(properties["Definition"]))  # type: ignore[no-any-return]


def test_no_finding_of_cdk_nag_is_left(synthesized: Any) -> None:
    found = {
        (report["pluginName"], violation["ruleName"])
        for report in synthesized.report["pluginReports"]
        for violation in report["violations"]
    }
    assert found == set()
    assert any(report["pluginName"] == "AwsSolutions" for report in synthesized.report["pluginReports"])


def test_every_acknowledgement_has_a_reason_that_says_what_protects(synthesized: Any) -> None:
    reasons = {
        violation["reason"]
        for report in synthesized.report["pluginReports"]
        for violation in report["suppressedViolations"]
        if violation["acknowledgedAt"] != "Data"
    }
    assert reasons
    assert [reason for reason in reasons if len(reason.split()) < 8] == []


@pytest.mark.parametrize(("stack", "name"), [("Review", "Loans"), ("Review", "Forms"), ("Crowd", "Open")])
def test_a_flow_definition_is_a_valid_request(synthesized: Any, stack: str, name: str) -> None:
    model = botocore.session.Session().get_service_model("sagemaker")
    shape = model.operation_model("CreateFlowDefinition").input_shape
    errors = ParamValidator().validate(definition(synthesized, stack, name), shape)
    assert not errors.has_errors(), errors.generate_report()


def test_a_flow_definition_carries_all_its_props(synthesized: Any) -> None:
    made = definition(synthesized, "Review", "Forms")
    assert made.pop("FlowDefinitionName").startswith("loans-forms-")
    assert made == {
        "HumanLoopConfig": {
            "WorkteamArn": ARNS["WorkteamArn"],
            "HumanTaskUiArn": ARNS["HumanTaskUiArn"],
            "TaskTitle": "Loan decision",
            "TaskDescription": "Read the application again and decide",
            "TaskCount": 2,
            "TaskAvailabilityLifetimeInSeconds": 86_400,
            "TaskTimeLimitInSeconds": 1_800,
            "TaskKeywords": ["forms", "credit risk"],
        },
        "OutputConfig": {"S3OutputPath": "s3://answers/reviews", "KmsKeyId": ARNS["Key"]},
        "RoleArn": ARNS["Role"],
        "HumanLoopRequestSource": {
            "AwsManagedHumanLoopRequestSource": "AWS/Textract/AnalyzeDocument/Forms/V1"
        },
        "HumanLoopActivationConfig": {
            "HumanLoopActivationConditionsConfig": {
                "HumanLoopActivationConditions": (
                    '{"Conditions":[{"ConditionType":"ImportantFormKeyConfidenceCheck","ConditionParameters":'
                    '{"ImportantFormKey":"Total","KeyValueBlockConfidenceLessThan":85}},'
                    '{"ConditionType":"Sampling","ConditionParameters":{"RandomSamplingPercentage":5}}]}'
                )
            }
        },
    }
    loans = definition(synthesized, "Review", "Loans")
    assert set(loans) == {"FlowDefinitionName", "HumanLoopConfig", "OutputConfig", "RoleArn"}
    assert "TaskKeywords" not in loans["HumanLoopConfig"]
    assert synthesized.one("Review", "Custom::OverreadFlowDefinition", like="Forms")["OnDelete"] == "drain"
    assert synthesized.one("Review", "Custom::OverreadFlowDefinition", like="Loans")["OnDelete"] == "refuse"


def test_the_public_team_is_paid_to_the_tenth_of_a_cent(synthesized: Any) -> None:
    loop = definition(synthesized, "Crowd", "Open")["HumanLoopConfig"]
    assert loop["WorkteamArn"] == "arn:aws:sagemaker:eu-central-1:394669845002:workteam/public-crowd/default"
    assert loop["PublicWorkforceTaskPrice"] == {
        "AmountInUsd": {"Dollars": 0, "Cents": 3, "TenthFractionsOfACent": 6}
    }
    assert "PublicWorkforceTaskPrice" not in definition(synthesized, "Crowd", "Closed")["HumanLoopConfig"]


def test_a_flow_definition_goes_before_the_policies_that_let_it_be_deleted(synthesized: Any) -> None:
    resource = synthesized.resources("Review", "Custom::OverreadFlowDefinition")
    (loans,) = (r for name, r in resource.items() if name.startswith("Loans"))
    assert {name[:11] for name in loans["DependsOn"]} == {"LoansManage", "LoansRoleDe", "LoansRoleE2"}
    assert loans["Properties"]["ServiceTimeout"] == "600"
    provider = synthesized.functions("Review")["provide_review_resources"]
    assert provider["Timeout"] == 600
    assert len(synthesized.functions("Review")) == 1


def test_a_task_ui_arrives_whole_and_goes_before_the_policy_that_lets_it_be_deleted(synthesized: Any) -> None:
    resources = synthesized.resources("Review", "Custom::OverreadHumanTaskUi")
    assert {name[:9] for name in resources} == {"FormsPage", "LoansPage"}
    for name, resource in resources.items():
        properties = resource["Properties"]
        digest = hashlib.sha256(PAGE.encode()).hexdigest()
        assert properties["Content"] == PAGE
        assert properties["ContentSha256"] == digest
        assert properties["HumanTaskUiName"] == f"loans-{name[:5].lower()}-{digest[:8]}"
        assert properties["ServiceTimeout"] == "600"
        (policy,) = resource["DependsOn"]
        assert policy.startswith(f"{name[:9]}Manage")
        # The function decides what is kept: CloudFormation has to ask it.
        assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Delete"


def test_task_uis_and_flow_definitions_are_served_by_one_function(synthesized: Any) -> None:
    kinds = ("Custom::OverreadHumanTaskUi", "Custom::OverreadFlowDefinition")
    tokens = [
        json.dumps(resource["Properties"]["ServiceToken"])
        for kind in kinds
        for resource in synthesized.resources("Review", kind).values()
    ]
    assert len(tokens) == 4
    assert len(set(tokens)) == 1


@pytest.mark.parametrize("stack", WITH_FUNCTIONS)
def test_every_function_is_traced_logged_and_current(synthesized: Any, stack: str) -> None:
    groups = synthesized.resources(stack, "AWS::Logs::LogGroup")
    for module, function in synthesized.functions(stack).items():
        assert function["Handler"] == f"overread_lambda.{module}.handler"
        assert function["Runtime"] == "python3.14"
        assert function["Architectures"] == ["arm64"]
        assert function["TracingConfig"] == {"Mode": "Active"}
        assert function["LoggingConfig"]["LogGroup"]["Ref"] in groups
    for group in groups.values():
        assert group["Properties"]["RetentionInDays"] == 365


@pytest.mark.parametrize("stack", ROUTERS)
def test_logs_and_the_secret_of_a_router_are_encrypted_with_the_key(synthesized: Any, stack: str) -> None:
    for group in synthesized.resources(stack, "AWS::Logs::LogGroup").values():
        assert "Key961B73FD" in json.dumps(group["Properties"]["KmsKeyId"])
    assert "Key961B73FD" in json.dumps(synthesized.one(stack, "AWS::SecretsManager::Secret")["KmsKeyId"])


@pytest.mark.parametrize("stack", WITH_FUNCTIONS)
def test_every_queue_is_encrypted_and_takes_tls_only(synthesized: Any, stack: str) -> None:
    queues = synthesized.resources(stack, "AWS::SQS::Queue")
    policies = synthesized.resources(stack, "AWS::SQS::QueuePolicy").values()
    tls_only = {
        policy["Properties"]["Queues"][0]["Ref"]
        for policy in policies
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        and statement["Action"] == "sqs:*"
    }
    assert tls_only == set(queues)
    for queue in queues.values():
        properties = queue["Properties"]
        assert "KmsMasterKeyId" in properties or properties["SqsManagedSseEnabled"] is True
        assert properties["MessageRetentionPeriod"] == 14 * 86_400


@pytest.mark.parametrize("stack", ROUTERS)
def test_no_event_is_lost(synthesized: Any, stack: str) -> None:
    queues = synthesized.resources(stack, "AWS::SQS::Queue")
    configured = {
        resource["Properties"]["FunctionName"]["Ref"]: resource["Properties"]
        for resource in synthesized.resources(stack, "AWS::Lambda::EventInvokeConfig").values()
    }
    rules = synthesized.resources(stack, "AWS::Events::Rule").values()
    targets = [target for rule in rules for target in rule["Properties"]["Targets"]]
    assert len(targets) == 6
    for target in targets:
        assert target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0] in queues
        assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0
        failures = configured[target["Arn"]["Fn::GetAtt"][0]]["DestinationConfig"]["OnFailure"]
        assert failures["Destination"]["Fn::GetAtt"][0] in queues
    assert len(queues) == 10


@pytest.mark.parametrize("stack", ROUTERS)
def test_the_starter_reads_pending_decisions_from_the_stream(synthesized: Any, stack: str) -> None:
    mapping = synthesized.one(stack, "AWS::Lambda::EventSourceMapping")
    waiting, ended = (json.loads(pattern["Pattern"]) for pattern in mapping["FilterCriteria"]["Filters"])
    assert waiting == {
        "eventName": ["INSERT", "MODIFY"],
        "dynamodb": {"NewImage": {"sk": {"S": ["DECISION"]}, "state": {"S": ["PENDING", "ESCALATED"]}}},
    }
    assert ended["dynamodb"]["NewImage"]["state"] == {"S": ["FINAL", "CANCELLED"]}
    assert ended["dynamodb"]["NewImage"]["terms"] == {"M": {"max_open": {"N": [{"exists": True}]}}}
    assert mapping["BisectBatchOnFunctionError"] is True
    assert 0 < mapping["MaximumRetryAttempts"] < 10
    assert mapping["MaximumRecordAgeInSeconds"] == 6 * 3_600
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert "StreamFailures" in mapping["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0]
    schedule = synthesized.one(stack, "AWS::Events::Rule", like="StartLoopEachMinute")
    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert "StartLoopFunction" in schedule["Targets"][0]["Arn"]["Fn::GetAtt"][0]


PATHS = {
    "POST /v1/use-cases/{name}/decisions",
    "GET /v1/decisions",
    "GET /v1/decisions/{id}",
    "POST /v1/decisions/{id}/cancel",
    "POST /v1/decisions/{id}/contest",
    "POST /v1/decisions/{id}/outcome",
    "PUT /v1/rechecks/{id}",
    "GET /v1/kill-switches/{scope}",
    "PUT /v1/kill-switches/{scope}",
    "GET /v1/roster",
    "PUT /v1/roster",
    "GET /v1/guarantees/{use_case}",
    "PUT /v1/guarantees/{use_case}",
    "GET /v1/error-monitors",
    "GET /v1/error-monitors/{use_case}",
    "PUT /v1/error-monitors/{use_case}",
}


def test_ingest_hears_both_backends_about_this_deployment_only(synthesized: Any) -> None:
    rule = synthesized.one("Inference", "AWS::Events::Rule", like="LoopChanged")
    pattern = plain(rule["EventPattern"])
    assert pattern == {
        "source": ["aws.sagemaker", "overread.review"],
        "detail-type": ["SageMaker A2I HumanLoop Status Change"],
        "detail": {"flowDefinitionArn": [{"prefix": f"{SAGEMAKER}:flow-definition/loans-"}]},
    }


@pytest.mark.parametrize("stack", ROUTERS)
def test_every_method_needs_a_signature(synthesized: Any, stack: str) -> None:
    methods = synthesized.resources(stack, "AWS::ApiGateway::Method").values()
    assert len(methods) == len(PATHS)
    assert {m["Properties"]["AuthorizationType"] for m in methods} == {"AWS_IAM"}
    api = synthesized.one(stack, "AWS::ApiGateway::RestApi")
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}


def test_the_api_has_the_contracts_paths(synthesized: Any) -> None:
    resources = synthesized.resources("Inference", "AWS::ApiGateway::Resource")

    def path(reference: dict[str, Any]) -> str:
        properties = resources.get(reference.get("Ref", ""), {}).get("Properties")
        return f"{path(properties['ParentId'])}/{properties['PathPart']}" if properties else ""

    methods = synthesized.resources("Inference", "AWS::ApiGateway::Method").values()
    found = {f"{m['Properties']['HttpMethod']} {path(m['Properties']['ResourceId'])}" for m in methods}
    assert found == PATHS


@pytest.mark.parametrize("stack", [*ROUTERS, *SERVICES])
def test_the_stage_is_throttled_traced_and_logged_without_bodies(synthesized: Any, stack: str) -> None:
    stage = synthesized.one(stack, "AWS::ApiGateway::Stage")
    (settings,) = stage["MethodSettings"]
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == (100, 200)
    assert settings["DataTraceEnabled"] is False
    assert settings["LoggingLevel"] == "ERROR"
    assert stage["TracingEnabled"] is True
    assert "AccessLog" in json.dumps(stage["AccessLogSetting"]["DestinationArn"])
    assert "body" not in stage["AccessLogSetting"]["Format"].lower()


def test_on_a2i_only_the_callers_of_its_runtime_are_outside_the_network(synthesized: Any) -> None:
    inside = {module for module, f in synthesized.functions("Inference").items() if "VpcConfig" in f}
    assert inside == set(synthesized.functions("Inference")) - {"start_loop", "ingest_review"}


def test_behind_a_proxy_every_function_is_in_the_network(synthesized: Any) -> None:
    functions = synthesized.functions("Proxied")
    assert all("VpcConfig" in function for function in functions.values())
    for module in ("start_loop", "ingest_review"):
        variables = functions[module]["Environment"]["Variables"]
        assert variables["HTTPS_PROXY"] == "http://proxy.internal:3128"
        excepted = plain(variables["NO_PROXY"]).split(",")
        assert "dynamodb.eu-central-1.amazonaws.com" in excepted
        assert ".s3.eu-central-1.amazonaws.com" in excepted
        runtime = "a2i-runtime.sagemaker.eu-central-1.amazonaws.com"
        assert not any(runtime.endswith(address) for address in excepted)
    assert "HTTPS_PROXY" not in functions["route_prediction"]["Environment"]["Variables"]


def test_on_the_review_service_every_function_is_in_the_network(synthesized: Any) -> None:
    assert all("VpcConfig" in function for function in synthesized.functions("Own").values())


def test_handlers_get_the_settings_that_they_read_and_no_others(synthesized: Any) -> None:
    read = {
        "route_prediction": settings.route_settings,
        "read_decision": settings.read_settings,
        "change_decision": settings.change_settings,
        "steer": settings.steer_settings,
        "resume_decisions": settings.resume_settings,
        "start_loop": settings.start_settings,
        "ingest_review": settings.ingest_settings,
        "watch_errors": settings.watch_settings,
        "validate_policy": settings.validate_settings,
    }
    for module, function in synthesized.functions("Inference").items():
        variables = {name: str(value) for name, value in function["Environment"]["Variables"].items()}
        read[module](variables)
        for name in variables.keys() - {"OVERREAD_DEPLOYMENT"}:
            with pytest.raises(MissingSettingsError, match=name):
                read[module](variables | {name: ""})
    router = synthesized.functions("Inference")["route_prediction"]["Environment"]["Variables"]
    assert router["OVERREAD_USE_CASES"] == "loan,card"


@pytest.mark.parametrize("stack", WITH_FUNCTIONS)
def test_every_function_has_a_handler_module(synthesized: Any, stack: str) -> None:
    for module in synthesized.functions(stack):
        assert callable(importlib.import_module(f"overread_lambda.{module}").handler)


def test_a_model_is_isolated_encrypted_and_scales(synthesized: Any) -> None:
    model = synthesized.one("Inference", "AWS::SageMaker::Model")
    assert model["EnableNetworkIsolation"] is True
    assert len(model["VpcConfig"]["Subnets"]) == 2
    assert model["PrimaryContainer"]["Environment"] == {
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        "WORKERS": "2",
    }
    config = synthesized.one("Inference", "AWS::SageMaker::EndpointConfig")
    assert "Key961B73FD" in json.dumps(config["KmsKeyId"])
    (variant,) = config["ProductionVariants"]
    assert (variant["InitialInstanceCount"], variant["InstanceType"]) == (2, "ml.m5.large")
    endpoint = synthesized.one("Inference", "AWS::SageMaker::Endpoint")
    assert endpoint["EndpointName"] == "loans-loan"
    target = synthesized.one("Inference", "AWS::ApplicationAutoScaling::ScalableTarget")
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 4)
    assert target["ResourceId"] == f"endpoint/loans-loan/variant/{variant['VariantName']}"
    scaling = synthesized.one("Inference", "AWS::ApplicationAutoScaling::ScalingPolicy")
    tracking = scaling["TargetTrackingScalingPolicyConfiguration"]
    metric = tracking["PredefinedMetricSpecification"]["PredefinedMetricType"]
    assert metric == "SageMakerVariantInvocationsPerInstance"


def test_policies_roll_out_one_after_the_other_and_no_version_blocks_their_deletion(synthesized: Any) -> None:
    deployments = synthesized.resources("Inference", "AWS::AppConfig::Deployment")
    first, second = deployments
    assert deployments[second]["DependsOn"] == [first]
    for version in synthesized.resources("Inference", "AWS::AppConfig::HostedConfigurationVersion").values():
        assert "Retain" not in (version.get("UpdateReplacePolicy"), version.get("DeletionPolicy"))
        assert version["Properties"]["ContentType"] == "application/json"
    for profile in synthesized.resources("Inference", "AWS::AppConfig::ConfigurationProfile").values():
        schema, function = profile["Properties"]["Validators"]
        assert (schema["Type"], json.loads(schema["Content"])) == (
            "JSON_SCHEMA",
            json.loads(SCHEMA.read_text()),
        )
        assert function["Type"] == "LAMBDA"
        assert "ValidatePolicy" in function["Content"]["Fn::GetAtt"][0]


def test_appconfig_of_this_application_alone_may_ask_the_validator(synthesized: Any) -> None:
    resources = synthesized.resources("Inference", "AWS::Lambda::Permission")
    ((name, permission),) = (
        (name, resource["Properties"])
        for name, resource in resources.items()
        if resource["Properties"]["Principal"] == "appconfig.amazonaws.com"
    )
    assert permission["Action"] == "lambda:InvokeFunction"
    assert "ValidatePolicy" in permission["FunctionName"]["Fn::GetAtt"][0]
    assert permission["SourceAccount"] == "123456789012"
    *_, application, rest = permission["SourceArn"]["Fn::Join"][1]
    assert application["Ref"].startswith("PoliciesApplication")
    assert rest == "/*"
    for profile in synthesized.resources("Inference", "AWS::AppConfig::ConfigurationProfile").values():
        assert name in profile["DependsOn"]  # else the first deployment might ask before it may


def test_an_error_monitors_alarm_rolls_a_deployment_back(synthesized: Any) -> None:
    (monitor,) = synthesized.one("Inference", "AWS::AppConfig::Environment")["Monitors"]
    ((name, resource),) = synthesized.resources("Inference", "AWS::CloudWatch::Alarm").items()
    assert monitor["AlarmArn"]["Fn::GetAtt"] == [name, "Arn"]
    assert "DependsOn" not in resource  # it has been evaluated when the first deployment begins
    waits_for = synthesized.resources("Inference", "AWS::AppConfig::Environment").popitem()[1]["DependsOn"]
    assert any(one.startswith("PoliciesRollBackRoleDefaultPolicy") for one in waits_for)
    alarm = resource["Properties"]
    now = datetime(2026, 11, 23, tzinfo=UTC)
    state = fresh("loan", Watched(guarantee="", model_version="", alpha=0.02, delta=0.05), at=now)
    told = metric_line(watch_errors.figures(state, at=now), deployment="loans", at=now)
    (emitted,) = told["_aws"]["CloudWatchMetrics"]
    assert alarm["MetricName"] in [metric["Name"] for metric in emitted["Metrics"]]
    assert emitted["Namespace"] == alarm["Namespace"]
    assert emitted["Dimensions"] == [["Deployment"]]
    assert alarm["Dimensions"] == [{"Name": "Deployment", "Value": told["Deployment"]}]
    assert (alarm["Statistic"], alarm["Threshold"], alarm["Period"]) == ("Maximum", 1, 60)
    assert (
        alarm["TreatMissingData"] == "notBreaching"
    )  # AppConfig rolls back where data are insufficient, too
    strategy = synthesized.one("Inference", "AWS::AppConfig::DeploymentStrategy")
    assert strategy["FinalBakeTimeInMinutes"] == strategy["DeploymentDurationInMinutes"] == 10


def test_errors_are_watched_each_minute(synthesized: Any) -> None:
    schedule = synthesized.one("Inference", "AWS::Events::Rule", like="WatchErrorsEachMinute")
    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert "WatchErrorsFunction" in schedule["Targets"][0]["Arn"]["Fn::GetAtt"][0]


def test_an_adopted_workforce_creates_nothing_but_the_team(synthesized: Any) -> None:
    assert synthesized.resources("Review", "AWS::SageMaker::Workforce") == {}
    assert synthesized.resources("Review", "AWS::Cognito::UserPool") == {}
    members = synthesized.one("Review", "AWS::SageMaker::Workteam")["MemberDefinitions"]
    assert [m["CognitoMemberDefinition"]["CognitoUserGroup"] for m in members] == ["senior", "junior"]


def test_a_created_workforce_outlives_its_stack_and_nobody_signs_up(synthesized: Any) -> None:
    for kind in (
        "SageMaker::Workforce",
        "Cognito::UserPool",
        "Cognito::UserPoolClient",
        "Cognito::UserPoolDomain",
    ):
        ((_, resource),) = synthesized.resources("Cognito", f"AWS::{kind}").items()
        assert resource["DeletionPolicy"] == "Retain"
        assert resource["UpdateReplacePolicy"] == "Retain"
    pool = synthesized.one("Cognito", "AWS::Cognito::UserPool")
    assert pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
    assert pool["MfaConfiguration"] == "ON"
    assert pool["EnabledMfas"] == ["SOFTWARE_TOKEN_MFA"]
    assert pool["DeletionProtection"] == "ACTIVE"
    assert synthesized.one("Cognito", "AWS::Cognito::UserPoolClient")["GenerateSecret"] is True
    workforce = synthesized.one("Cognito", "AWS::SageMaker::Workforce")
    assert workforce["SourceIpConfig"] == {"Cidrs": ["203.0.113.0/24"]}
    groups = synthesized.resources("Cognito", "AWS::Cognito::UserPoolGroup").values()
    assert sorted(g["Properties"]["GroupName"] for g in groups) == ["one", "readers", "two"]


def test_an_oidc_workforce_keeps_its_client_secret_out_of_the_template(synthesized: Any) -> None:
    config = synthesized.one("Oidc", "AWS::SageMaker::Workforce")["OidcConfig"]
    assert config["ClientSecret"].startswith("{{resolve:secretsmanager:oidc-client:")
    (member,) = synthesized.one("Oidc", "AWS::SageMaker::Workteam")["MemberDefinitions"]
    assert member == {"OidcMemberDefinition": {"OidcGroups": ["a", "b"]}}
