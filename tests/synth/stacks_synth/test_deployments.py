"""What the stacks promise each other and their users: names, outputs, stability, checks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.synth.stacks_synth.conftest import (
    ENVIRONMENTS,
    ON_OWN_SERVICE,
    REPOSITORY,
    STACKS,
    Assembly,
    as_list,
)

from overread.errors import InvalidPolicyError
from overread.risk.guarantee import parse_guarantee
from overread.routing.envelope import Approved, check_policy, parse_envelopes
from overread.routing.policy import Mode, MonitorTerms, Source, UseCasePolicy, parse_policy

ARN = "arn:aws:sagemaker:eu-central-1:111122223333:flow-definition/{}"
NAMED = {
    "AWS::AppConfig::Application": "Name",
    "AWS::AppConfig::DeploymentStrategy": "Name",
    "AWS::ApiGateway::RestApi": "Name",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::Cognito::UserPoolDomain": "Domain",
    "AWS::IAM::Role": "RoleName",
    "AWS::KMS::Alias": "AliasName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::SageMaker::Endpoint": "EndpointName",
    "AWS::SageMaker::Workforce": "WorkforceName",
    "AWS::SageMaker::Workteam": "WorkteamName",
    "AWS::SNS::Topic": "TopicName",
    "Custom::OverreadHumanTaskUi": "HumanTaskUiName",
}
MAY_BE_NAMED = {
    "AWS::ApiGateway::Stage",  # within its API
    "AWS::AppConfig::ConfigurationProfile",  # within its application
    "AWS::AppConfig::Environment",
    "AWS::ApplicationAutoScaling::ScalingPolicy",  # within its endpoint
    "AWS::Cognito::UserPoolGroup",  # within its pool
    "AWS::IAM::Policy",  # inline: within its role
}


def outputs(assembly: Assembly, stack: str) -> set[str]:
    """Outputs that people and programs read, without those that CDK makes for other stacks."""
    found = assembly.templates[f"overread-{stack}"].get("Outputs", {})
    return {name for name, output in found.items() if "Export" not in output and "HttpApi" not in name}


def policies(assembly: Assembly, environment: str) -> dict[str, UseCasePolicy]:
    """The routing policies as the router will read them, with ARNs that CloudFormation would fill in."""
    found = {}
    versions = assembly.resources(f"{environment}-review", "AWS::AppConfig::HostedConfigurationVersion")
    for version in versions.values():
        parts = version["Properties"]["Content"]["Fn::Join"][1]
        text = "".join(part if isinstance(part, str) else ARN.format("filled-in") for part in parts)
        policy = parse_policy(text)
        found[policy.use_case] = policy
    return found


def test_each_deployment_has_its_four_stacks(assembly: Assembly) -> None:
    assert set(assembly.templates) == {f"overread-{e}-{stack}" for e in ENVIRONMENTS for stack in STACKS}


def test_stack_outputs_are_the_promised_ones(assembly: Assembly) -> None:
    assert outputs(assembly, "demo-inference") == {"ApiUrl", "ApiId", "ApiStage", "ServiceControlPolicy"}
    assert outputs(assembly, "demo-data") == {
        "TableName",
        "InputBucketName",
        "OutputBucketName",
        "AuditBucketName",
    }
    assert outputs(assembly, "demo-review") == {
        "WorkteamArnReviewers",
        "WorkteamArnSeniors",
        "AppConfigApplicationId",
        "AppConfigEnvironmentId",
        "AuditorRoleArn",
        *(
            f"{part}FlowDefinitionArn{name}"
            for name in ("DigitReading", "LoanApproval", "TumorScreening")
            for part in ("", "Escalation")
        ),
        "ReviewPortal",
    }
    assert {name for name in outputs(assembly, "mixed-review") if name.startswith("Workteam")} == {
        "WorkteamArnReaders",
        "WorkteamArnVendor",
        "WorkteamArnCrowd",
    }


def test_a_review_service_tells_where_it_is_and_who_signs_in(assembly: Assembly) -> None:
    teams = {"WorkteamArnReviewers", "WorkteamArnSeniors"}
    policies = {"AppConfigApplicationId", "AppConfigEnvironmentId", "AuditorRoleArn"}
    flows = {
        f"{part}FlowDefinitionArn{name}"
        for name in ("DigitReading", "LoanApproval", "TumorScreening")
        for part in ("", "Escalation")
    }
    own = {"ReviewUrl", "PortalUrl"}
    pool = {"UserPoolId", "UserPoolClientId"}
    assert outputs(assembly, "desk-review") == teams | policies | flows | own | pool
    found = outputs(assembly, "open-review")
    assert own <= found
    assert not found & {"UserPoolId", "UserPoolClientId", "ReviewPortal"}


@pytest.mark.parametrize("environment", ON_OWN_SERVICE)
def test_with_the_own_service_nothing_of_a2i_is_left(environment: str, assembly: Assembly) -> None:
    types = {resource["Type"] for _, _, resource in assembly.every(of=environment)}
    assert not {kind for kind in types if kind.startswith(("AWS::SageMaker::Work", "AWS::SageMaker::Flow"))}
    actions = {
        action
        for _, _, resource in assembly.every(of=environment)
        if resource["Type"] == "AWS::IAM::Policy"
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]
        for action in as_list(statement["Action"])
    }
    assert {one for one in actions if one.startswith("sagemaker:")} == {"sagemaker:InvokeEndpoint"}


def test_the_settings_of_the_review_reach_the_service(assembly: Assembly) -> None:
    def of(environment: str) -> dict[str, Any]:
        functions = assembly.resources(f"{environment}-review", "AWS::Lambda::Function").values()
        (found,) = (
            f["Properties"]["Environment"]["Variables"]["OVERREAD_REVIEW_SETTINGS"]
            for f in functions
            if f["Properties"]["Handler"] == "overread_lambda.review_service.handler"
        )
        settings: dict[str, Any] = json.loads(found)
        return settings

    desk = of("desk")
    assert (desk["lead_groups"], desk["statistics"], desk["sandbox"]) == (["leads"], "pseudonymous", False)
    open_ = of("open")
    assert (open_["lead_groups"], open_["statistics"], open_["sandbox"]) == (["heads"], "named", True)
    assert open_["chaos"] == {"duplicate": 0.1, "delay": 0.2}
    assert open_["vendor_teams"] == [
        {"name": "acme", "title": "Acme Reviews", "seller": "Acme Reviews", "provider": "acme"}
    ]


def test_guideline_and_qualification_go_with_the_flow_definition_that_has_them(assembly: Assembly) -> None:
    tagged = {
        name: parsed.get("Tags")
        for name, resource in assembly.resources("open-review", "Custom::OverreadFlowDefinition").items()
        for parsed in [definition_of(resource["Properties"])]
    }
    (tags,) = (found for name, found in tagged.items() if name.startswith("ClaimTriage"))
    assert tags == [
        {"Key": "overread:guideline-version", "Value": "2026-11"},
        {"Key": "overread:qualification", "Value": "claims"},
    ]
    assert [found for name, found in tagged.items() if not name.startswith("ClaimTriage")] == [None, None]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_no_stack_takes_a_value_that_changes_on_update_from_another(
    environment: str, assembly: Assembly
) -> None:
    exported: set[str] = set()
    for stack in STACKS:
        for output in assembly.templates[f"overread-{environment}-{stack}"].get("Outputs", {}).values():
            if "Export" in output:
                reference = output["Value"]
                name = reference["Ref"] if "Ref" in reference else reference["Fn::GetAtt"][0]
                exported.add(assembly.resources(f"{environment}-{stack}")[name]["Type"])
    assert exported <= {
        "AWS::ApiGateway::RestApi",
        "AWS::AppConfig::Application",
        "AWS::AppConfig::Environment",
        "AWS::DynamoDB::Table",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::Subnet",
        "AWS::EC2::VPC",
        "AWS::EC2::VPCEndpoint",
        "AWS::KMS::Key",
        "AWS::S3::Bucket",
    }


def test_deployments_in_one_account_share_no_physical_name(assembly: Assembly) -> None:
    names: Counter[tuple[str, str]] = Counter()
    for stack, _, resource in assembly.every():
        properties, kind = resource.get("Properties", {}), resource["Type"]
        named = NAMED.get(kind)
        if named is not None and named in properties:
            names[kind, json.dumps(properties[named])] += 1
        elif named is None and kind not in MAY_BE_NAMED:
            own = [key for key in properties if key in ("Name", f"{kind.rpartition('::')[2]}Name")]
            assert own == [], f"{stack}: {kind} has a physical name: list it in NAMED"
        if kind == "Custom::OverreadFlowDefinition":
            names[kind, flow_definition_name(properties)] += 1
    assert len(names) > 50
    assert [name for name, count in names.items() if count > 1] == []


def flow_definition_name(properties: dict[str, Any]) -> str:
    """The name within the request that the custom resource passes on."""
    name: str = definition_of(properties)["FlowDefinitionName"]
    return name


def definition_of(properties: dict[str, Any]) -> dict[str, Any]:
    """The request that the custom resource passes on."""
    parts = properties["Definition"]["Fn::Join"][1]
    request: dict[str, Any] = json.loads("".join(part if isinstance(part, str) else "x" for part in parts))
    return request


def test_every_flow_definition_carries_prefix_use_case_team_and_hash(assembly: Assembly) -> None:
    found = assembly.resources("demo-review", "Custom::OverreadFlowDefinition").values()
    names = sorted(flow_definition_name(resource["Properties"]) for resource in found)
    assert len(set(names)) == len(names)
    assert Counter(name.rpartition("-")[0] for name in names) == {
        f"overread-demo-{use_case}{team}": 1
        for use_case in ("digit-reading", "loan-approval", "tumor-screening")
        for team in ("", "-e")
    }


def test_the_router_can_read_every_policy_and_finds_the_settings_in_it(assembly: Assembly) -> None:
    found = policies(assembly, "demo")
    assert set(found) == {"digit-reading", "loan-approval", "tumor-screening"}
    loans = found["loan-approval"]
    assert loans.source is Source.ENDPOINT
    assert loans.endpoint_name == "overread-demo-loan-approval"
    assert loans.model_version.startswith("sha256:")
    assert loans.review.withheld == ("sex", "age", "foreign_worker")
    assert [rule.name for rule in loans.rules] == ["high-amount"]
    assert loans.rules[0].when.search({"input": {"amount": 10001}}) is True
    assert loans.review.flow_definition_arn == ARN.format("filled-in")
    assert found["tumor-screening"].threshold_for("benign") == 0.98
    assert found["tumor-screening"].threshold_for("malignant") == 0.9
    assert found["digit-reading"].review.free_of_personal_data is True


def test_policies_of_callers_shadow_and_public_teams_are_readable_too(assembly: Assembly) -> None:
    found = policies(assembly, "mixed")
    assert found["claim-triage"].source is Source.CALLER
    assert found["claim-triage"].always_review is True
    assert found["street-signs"].mode is Mode.SHADOW
    assert found["street-signs"].review.free_of_personal_data is True
    assert found["contract-check"].review.free_of_personal_data is False


@pytest.mark.parametrize("environment", ["demo", "prod"])
def test_each_policy_names_the_endpoint_that_is_deployed(environment: str, assembly: Assembly) -> None:
    endpoints = assembly.resources(f"{environment}-inference", "AWS::SageMaker::Endpoint").values()
    deployed = {endpoint["Properties"]["EndpointName"] for endpoint in endpoints}
    named = {policy.endpoint_name for policy in policies(assembly, environment).values()}
    assert named - {""} == deployed


def test_a_guarantee_reaches_the_policy_and_its_envelope_the_validator(assembly: Assembly) -> None:
    found = policies(assembly, "prod")
    renewals = found["loan-renewal"]
    guarantee = parse_guarantee((REPOSITORY / "config/guarantees/loan-renewal.json").read_bytes())
    assert renewals.guarantee is not None
    assert renewals.guarantee.id == guarantee.id
    assert renewals.threshold == guarantee.threshold
    assert renewals.monitor == MonitorTerms(alpha=guarantee.alpha, delta=guarantee.delta, outcomes=False)
    assert found["loan-approval"].monitor is None
    functions = assembly.resources("prod-review", "AWS::Lambda::Function").values()
    (variables,) = (
        f["Properties"]["Environment"]["Variables"]
        for f in functions
        if f["Properties"]["Handler"] == "overread_lambda.validate_policy.handler"
    )
    envelopes = parse_envelopes(variables["OVERREAD_ENVELOPES"])
    assert set(envelopes) == set(found)
    approved = Approved(guarantee.id, guarantee.in_policy().sha256)
    check_policy(renewals, envelope=envelopes["loan-renewal"], approved=approved)
    with pytest.raises(InvalidPolicyError, match="must be approved"):
        check_policy(renewals, envelope=envelopes["loan-renewal"], approved=Approved())
    assert envelopes["loan-approval"].lowest_threshold == 0.0


def test_the_demos_monitor_is_in_its_policy(assembly: Assembly) -> None:
    found = policies(assembly, "demo")
    assert found["loan-approval"].monitor == MonitorTerms(alpha=0.25, delta=0.05, outcomes=False)
    assert found["digit-reading"].monitor is None


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_environment_rolls_back_on_its_own_alarm(environment: str, assembly: Assembly) -> None:
    (monitor,) = assembly.properties(f"{environment}-review", "AWS::AppConfig::Environment")["Monitors"]
    alarms = assembly.resources(f"{environment}-review", "AWS::CloudWatch::Alarm")
    ((name, alarm),) = ((name, alarm) for name, alarm in alarms.items() if "ErrsTooOften" in name)
    assert monitor["AlarmArn"]["Fn::GetAtt"] == [name, "Arn"]
    deployment = {"Name": "Deployment", "Value": f"overread-{environment}"}
    assert alarm["Properties"]["Dimensions"] == [deployment]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_appconfig_checks_every_policy_against_the_schema_and_asks_the_validator(
    environment: str, assembly: Assembly
) -> None:
    profiles = assembly.resources(f"{environment}-review", "AWS::AppConfig::ConfigurationProfile")
    assert len(profiles) == len(policies(assembly, environment))
    for profile in profiles.values():
        schema, function = profile["Properties"]["Validators"]
        assert (schema["Type"], function["Type"]) == ("JSON_SCHEMA", "LAMBDA")
        assert json.loads(schema["Content"])["type"] == "object"
        assert "ValidatePolicy" in function["Content"]["Fn::GetAtt"][0]


def test_workforce_is_created_only_when_asked_and_then_outlives_its_stack(assembly: Assembly) -> None:
    assert assembly.resources("prod-review", "AWS::SageMaker::Workforce") == {}
    for environment in ("demo", "mixed"):
        (workforce,) = assembly.resources(f"{environment}-review", "AWS::SageMaker::Workforce").values()
        assert workforce["DeletionPolicy"] == workforce["UpdateReplacePolicy"] == "Retain"


def test_the_client_secret_of_an_identity_provider_is_not_in_the_template(assembly: Assembly) -> None:
    oidc = assembly.properties("mixed-review", "AWS::SageMaker::Workforce")["OidcConfig"]
    assert "{{resolve:secretsmanager:" in json.dumps(oidc["ClientSecret"])


def test_every_stack_carries_the_tags_of_the_settings(assembly: Assembly) -> None:
    for stack in STACKS:
        tags = assembly.manifest["artifacts"][f"overread-prod-{stack}"]["properties"]["tags"]
        assert tags == {"application": "overread", "environment": "prod"}


def test_only_routers_may_invoke_a_reviewed_endpoint(assembly: Assembly) -> None:
    callers = set()
    for stack, name, resource in assembly.every():
        properties = resource.get("Properties", {})
        documents = [
            policy["PolicyDocument"] for policy in properties.get("Policies", []) if isinstance(policy, dict)
        ]
        if isinstance(properties.get("PolicyDocument"), dict) and resource["Type"].startswith("AWS::IAM::"):
            documents.append(properties["PolicyDocument"])
        for statement in (s for document in documents for s in document["Statement"]):
            actions = [action.lower() for action in as_list(statement.get("Action", "*"))]
            if statement["Effect"] == "Allow" and any(may_invoke(action) for action in actions):
                callers.add((stack, name))
                endpoints = [json.dumps(resource) for resource in as_list(statement["Resource"])]
                assert all(
                    ":endpoint/overread-" in endpoint and "*" not in endpoint for endpoint in endpoints
                )
    assert {(stack, name.partition("Role")[0]) for stack, name in callers} == {
        (f"overread-{environment}-inference", router)
        for environment in ENVIRONMENTS
        for router in ("RouterRoutePrediction", "RouterResumeDecisions")
    }


def test_no_role_has_a_managed_policy_but_api_gateway_for_its_logs(assembly: Assembly) -> None:
    managed = set()
    for _, _, resource in assembly.every():
        if resource["Type"] in ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"):
            managed |= {json.dumps(arn) for arn in resource["Properties"].get("ManagedPolicyArns", [])}
    assert all("AmazonAPIGatewayPushToCloudWatchLogs" in arn for arn in managed), managed


def may_invoke(action: str) -> bool:
    """Whether an action pattern covers sagemaker:InvokeEndpoint."""
    prefix, wildcard, _ = action.partition("*")
    whole = "sagemaker:invokeendpoint"
    return whole.startswith(prefix) if wildcard else action.startswith(whole)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_everything_asynchronous_has_a_dead_letter_queue(environment: str, assembly: Assembly) -> None:
    waited_for = {"route_prediction", "read_decision", "change_decision", "steer", "validate_policy"}
    waited_for |= {"review_service", "review_sign_in"}
    for stack in ("review", "inference"):
        resources = assembly.resources(f"{environment}-{stack}")
        kinds = {name: resource["Type"] for name, resource in resources.items()}
        caught = set()
        for resource in resources.values():
            properties = resource.get("Properties", {})
            match resource["Type"]:
                case "AWS::Lambda::EventInvokeConfig":
                    destination = properties["DestinationConfig"]["OnFailure"]["Destination"]
                    assert kinds[destination["Fn::GetAtt"][0]] == "AWS::SQS::Queue"
                    caught.add(properties["FunctionName"]["Ref"])
                case "AWS::Events::Rule":
                    for target in properties["Targets"]:
                        queue = target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0]
                        assert kinds[queue] == "AWS::SQS::Queue"
                case "AWS::Lambda::EventSourceMapping":
                    destination = properties["DestinationConfig"]["OnFailure"]["Destination"]
                    assert kinds[destination["Fn::GetAtt"][0]] == "AWS::SQS::Queue"
        asynchronous = {
            name
            for name, resource in resources.items()
            if resource["Type"] == "AWS::Lambda::Function"
            and resource["Properties"]["Handler"].split(".")[1] not in waited_for
        }
        assert asynchronous
        assert caught == asynchronous


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_method_needs_a_signed_call(environment: str, assembly: Assembly) -> None:
    methods = assembly.resources(f"{environment}-inference", "AWS::ApiGateway::Method").values()
    assert {method["Properties"]["AuthorizationType"] for method in methods} == {"AWS_IAM"}


def test_cdk_nag_finds_nothing_that_is_not_acknowledged_with_a_reason(assembly: Assembly) -> None:
    (report,) = (r for r in assembly.report["pluginReports"] if r["pluginName"] == "AwsSolutions")
    assert report["violations"] == []
    reasons = [finding["reason"] for finding in report["suppressedViolations"]]
    assert reasons
    assert all(len(reason) > 40 for reason in reasons)


def test_cfn_lint_finds_nothing(assembly: Assembly) -> None:
    # W3005: CDK writes dependencies down that references imply.
    # W6001: an address has another stack's endpoint in it.
    ignored = ("--ignore-checks", "W3005", "W6001")
    command = [str(Path(sys.executable).parent / "cfn-lint"), *ignored, "--"]
    templates = [str(path) for path in sorted(assembly.folder.glob("*.template.json"))]
    run = subprocess.run([*command, *templates], check=False, capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, "")
