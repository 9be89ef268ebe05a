"""Every check of the preflight, each with the fault that it is there for planted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.unit.cli.preflight.conftest import Make, PlantedAccount, failed

from overread_cli.preflight import network, quotas
from overread_cli.preflight.bootstrap import judge_bootstrap
from overread_cli.preflight.checks import (
    EXIT_CODES,
    Check,
    Family,
    Status,
    UnreadError,
    Verdict,
    as_document,
    exit_code,
    fail,
    ok,
    skipped,
    unknown,
)
from overread_cli.preflight.licence import judge_licence, judge_licences
from overread_cli.preflight.permissions import (
    Decision,
    judge_permissions,
    judge_service_control,
    policy_source,
    simulated,
)
from overread_cli.preflight.policies import (
    LONGEST_POLICY,
    Place,
    Policy,
    Statement,
    deployer_policy,
    execution_policy,
)
from overread_cli.preflight.region import judge_region
from overread_cli.preflight.resource_actions import ACTIONS, grants_of
from overread_cli.preflight.reviews import Probe, judge_a2i, judge_ground_truth, judge_workforce
from overread_cli.preflight.tools import judge_cdk, judge_node
from overread_config.adoption import GATEWAY_ENDPOINTS, needed_endpoints

NOW = datetime(2026, 11, 23, tzinfo=UTC)
PLACE = Place("aws", "111122223333", "eu-west-1")
STARTS_LOOPS = (
    "AWS::IAM::Policy",
    {"PolicyDocument": {"Statement": [{"Action": "sagemaker:StartHumanLoop"}]}},
)


def said(verdict: Verdict) -> tuple[Status, str]:
    return verdict.status, verdict.detail


# What a run ends with


def test_each_class_has_an_exit_code_of_its_own() -> None:
    assert set(EXIT_CODES) == set(Family)
    assert len(set(EXIT_CODES.values())) == len(Family)
    for family in Family:
        checks = [Check("a", family, fail("x", fix="y")), Check("b", Family.TOOLS, unknown("x", fix="y"))]
        assert exit_code(checks) == EXIT_CODES[family]


def test_exit_codes_of_mixed_results() -> None:
    good, open_ = Check("a", Family.TOOLS, ok("x")), Check("b", Family.QUOTAS, unknown("x", fix="y"))
    bad, worse = Check("c", Family.QUOTAS, fail("x", fix="y")), Check("d", Family.REGION, fail("x", fix="y"))
    assert exit_code([good, Check("s", Family.LICENCE, skipped("x"))]) == 0
    assert exit_code([good, open_]) == 4
    assert exit_code([bad, worse, open_]) == 1
    assert as_document([bad]) == {"checks": [{"id": "c", "status": "fail", "detail": "x", "fix": "y"}]}


# Tools


@pytest.mark.parametrize(
    ("printed", "status"),
    [
        ("2.1148.1 (build 1)", Status.OK),
        ("2.99.0", Status.FAIL),
        ("what?", Status.UNKNOWN),
        (None, Status.FAIL),
    ],
)
def test_the_cdks_command_line(assembly: Make, printed: str | None, status: Status) -> None:
    assert judge_cdk(lambda _: printed, assembly()).status is status


@pytest.mark.parametrize(
    ("printed", "status"),
    [("v24.1.0", Status.OK), ("v18.20.4", Status.FAIL), ("nothing", Status.UNKNOWN), (None, Status.FAIL)],
)
def test_node(printed: str | None, status: Status) -> None:
    assert judge_node(lambda _: printed).status is status


# Region and bootstrap


def test_a_region_without_a2i_or_of_other_templates(assembly: Make) -> None:
    here = assembly(STARTS_LOOPS, ("AWS::S3::Bucket", {}), environment="aws://111122223333/eu-north-1")
    found = judge_region("eu-north-1", here, regions_of={"s3": ["eu-north-1"]})
    assert said(found) == (Status.FAIL, "Amazon A2I has no endpoint in eu-north-1")
    assert judge_region("eu-west-1", here, regions_of={}).status is Status.FAIL
    there = assembly(STARTS_LOOPS, ("AWS::S3::Bucket", {}))
    assert judge_region("eu-west-1", there, regions_of={"s3": ["eu-west-1"]}).status is Status.OK
    assert judge_region("eu-west-1", there, regions_of={"s3": []}).status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"Parameter": {"Value": "30"}}, Status.OK),
        ({"Parameter": {"Value": "5"}}, Status.FAIL),
        ({"Parameter": {"Value": "old"}}, Status.UNKNOWN),
        (failed("ssm:GetParameter", "not found (ParameterNotFound)"), Status.FAIL),
        (failed("ssm:GetParameter", "slow down (ThrottlingException)"), Status.UNKNOWN),
        (None, Status.UNKNOWN),
    ],
)
def test_the_bootstraps_version(assembly: Make, answer: Any, status: Status) -> None:
    account = PlantedAccount({("ssm", "GetParameter"): answer})
    here = assembly(bootstrapStackVersionSsmParameter="/cdk/version", requiresBootstrapStackVersion=8)
    assert judge_bootstrap(account, here).status is status
    assert judge_bootstrap(account, assembly()).status is Status.SKIPPED


# Permissions


def test_a_denied_action_is_named_with_the_policy_that_is_needed() -> None:
    decisions = [Decision("s3:PutObject", True, None), Decision("kms:CreateKey", False, None)]
    found = judge_permissions(decisions, who="the caller", policy=Policy(()), name="deployer")
    assert said(found) == (Status.FAIL, "the caller may not: kms:CreateKey")
    assert found.fix == "give it the policy that `overread preflight --policy deployer` prints"
    allowed = judge_permissions(decisions[:1], who="x", policy=Policy(()), name="deployer")
    assert allowed.status is Status.OK
    more = judge_permissions(decisions[:1], who="x", policy=Policy((), ("AWS::New::Kind",)), name="deployer")
    assert more.status is Status.UNKNOWN
    assert "AWS::New::Kind" in more.detail


def test_a_denial_that_depends_on_a_condition_is_unknown_and_names_it() -> None:
    result = {
        "EvalActionName": "iam:CreateRole",
        "EvalDecision": "explicitDeny",
        "MissingContextValues": ["iam:PermissionsBoundary"],
    }
    account = PlantedAccount({("iam", "SimulatePrincipalPolicy"): {"EvaluationResults": [result]}})
    policy = Policy((Statement(("iam:CreateRole",), ("*",)),))
    decisions = simulated(account, "arn:x", policy)
    found = judge_permissions(decisions, who="the caller", policy=policy, name="execution")
    assert found.status is Status.UNKNOWN
    assert "iam:CreateRole depends on conditions: iam:PermissionsBoundary" in found.detail
    worse = [*decisions, Decision("kms:CreateKey", False, None)]
    assert judge_permissions(worse, who="x", policy=policy, name="execution").status is Status.FAIL


def test_nothing_simulated_is_no_permission() -> None:
    assert judge_permissions([], who="x", policy=Policy(()), name="deployer").status is Status.SKIPPED


@pytest.mark.parametrize(
    ("is_forbidden", "status"), [(True, Status.FAIL), (False, Status.OK), (None, Status.UNKNOWN)]
)
def test_service_control_policies_where_iam_tells(is_forbidden: bool | None, status: Status) -> None:
    assert judge_service_control([Decision("s3:PutObject", True, is_forbidden)]).status is status


def test_what_is_simulated(assembly: Make) -> None:
    def simulate(**asked: Any) -> dict[str, Any]:
        results = [
            {
                "EvalActionName": action,
                "EvalDecision": "implicitDeny" if action == "s3:PutObject" else "allowed",
                "OrganizationsDecisionDetail": {"AllowedByOrganizations": action != "s3:PutObject"},
            }
            for action in asked["ActionNames"]
        ]
        return {"EvaluationResults": results}

    account = PlantedAccount({("iam", "SimulatePrincipalPolicy"): simulate})
    policy = Policy((Statement(("s3:GetObject", "s3:PutObject"), ("arn:aws:s3:::a-*",), ("lambda",)),))
    assert simulated(account, "arn:x", policy) == [
        Decision("s3:GetObject", True, False),
        Decision("s3:PutObject", False, True),
    ]
    (_, _, asked) = account.asked[0]
    assert asked["ResourceArns"] == ["arn:aws:s3:::a-preflight"]
    assert asked["ContextEntries"][0]["ContextKeyValues"] == ["lambda"]


def test_an_assumed_role_is_asked_for_by_its_own_arn() -> None:
    account = PlantedAccount({("iam", "GetRole"): {"Role": {"Arn": "arn:aws:iam::1:role/path/Deploy"}}})
    assumed = "arn:aws:sts::111122223333:assumed-role/Deploy/me"
    assert policy_source(account, assumed) == "arn:aws:iam::1:role/path/Deploy"
    assert policy_source(account, "arn:aws:iam::1:user/me") == "arn:aws:iam::1:user/me"
    with pytest.raises(UnreadError):
        policy_source(PlantedAccount({}), assumed)


def test_the_deployers_policy_assumes_the_bootstrap_roles_or_does_it_all(assembly: Make) -> None:
    role = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/cdk-deploy-${AWS::Region}"
    with_roles = deployer_policy(assembly(assumeRoleArn=role), place=PLACE)
    assert with_roles.documents()[0]["Statement"] == [
        {
            "Effect": "Allow",
            "Action": ["sts:AssumeRole"],
            "Resource": ["arn:aws:iam::111122223333:role/cdk-deploy-eu-west-1"],
        }
    ]
    without = deployer_policy(assembly(destinations=({"bucketName": "assets"},)), place=PLACE)
    actions = {action for statement in without.statements for action in statement.actions}
    assert {"cloudformation:CreateChangeSet", "s3:PutObject"} <= actions


def test_cloudformations_policy_names_what_the_templates_hold(assembly: Make) -> None:
    trust = {"Statement": [{"Principal": {"Service": "lambda.amazonaws.com"}}]}
    policy = execution_policy(
        assembly(
            ("AWS::SQS::Queue", {}),
            ("AWS::IAM::Role", {"AssumeRolePolicyDocument": trust}),
            ("AWS::New::Kind", {}),
        ),
        place=PLACE,
    )
    assert policy.unlisted == ("AWS::New::Kind",)
    by_action = {action: one for one in policy.statements for action in one.actions}
    assert by_action["sqs:CreateQueue"].resources == ("arn:aws:sqs:eu-west-1:111122223333:overread-test-*",)
    assert by_action["iam:PassRole"].passed_to == ("lambda.amazonaws.com",)
    assert "kms:CreateKey" not in by_action


def test_every_type_of_our_own_templates_and_of_a_named_api_is_listed() -> None:
    golden = Path(__file__).parents[3] / "synth/stacks_synth/golden"
    kinds = {
        resource["Type"]
        for path in golden.glob("*.json")
        for resource in json.loads(path.read_text())["Resources"].values()
    }
    assert kinds
    kinds |= {"AWS::ApiGateway::DomainName", "AWS::ApiGateway::BasePathMapping", "AWS::Route53::RecordSet"}
    assert [kind for kind in sorted(kinds) if grants_of(kind) is None] == []


def test_long_policies_are_cut_at_iams_limit() -> None:
    statements = tuple(
        Statement((f"s3:Action{index}",), ("arn:aws:s3:::" + "x" * 500,)) for index in range(40)
    )
    documents = Policy(statements).documents()
    assert len(documents) > 1
    assert all(len(json.dumps(one, separators=(",", ":"))) <= LONGEST_POLICY for one in documents)
    assert sum(len(one["Statement"]) for one in documents) == 40


SPELT_BY_IAM = {
    "apigateway": "GET POST PUT PATCH DELETE AddCertificateToDomain RemoveCertificateFromDomain "
    "UpdateRestApiPolicy",
    "budgets": "ViewBudget ModifyBudget",
    "logs": "CreateLogDelivery DeleteLogDelivery",
    "s3": "ListBucket GetBucketCORS PutBucketCORS GetBucketObjectLockConfiguration "
    "PutBucketObjectLockConfiguration GetBucketPublicAccessBlock PutBucketPublicAccessBlock "
    "GetEncryptionConfiguration PutEncryptionConfiguration GetLifecycleConfiguration "
    "PutLifecycleConfiguration",
}
"""Actions that are no operation's name (Service Authorization Reference)."""


def test_every_listed_action_is_an_operation_of_its_service() -> None:
    session = boto3.Session()
    listed: dict[str, set[str]] = {}
    for grant in (grant for grants in ACTIONS.values() for grant in grants):
        listed.setdefault(grant.service, set()).update(grant.actions.split())
    for service, actions in listed.items():
        operations = session.client(service, region_name="eu-west-1").meta.service_model.operation_names
        own = set(SPELT_BY_IAM.get(service, "").split())
        assert actions - set(operations) == own, service


# Quotas


FUNCTION = ("AWS::Lambda::Function", {"ReservedConcurrentExecutions": 50})


@pytest.mark.parametrize(("value", "status"), [(1000.0, Status.OK), (149.0, Status.FAIL)])
def test_a_quota_that_is_too_small(assembly: Make, value: float, status: Status) -> None:
    quota = {"QuotaCode": "L-B99A9384", "QuotaName": "Concurrent executions", "Value": value}
    account = PlantedAccount({("service-quotas", "ListServiceQuotas"): {"Quotas": [quota]}})
    (need,) = quotas.needs(assembly(FUNCTION))
    assert quotas.judge(need, account=account).status is status


def test_a_quota_that_is_used_up_by_others(assembly: Make) -> None:
    quota = {"QuotaCode": "L-F678F1CE", "QuotaName": "VPCs per Region", "Value": 5.0}
    vpcs = {"Vpcs": [{}] * 5}
    account = PlantedAccount(
        {("service-quotas", "ListServiceQuotas"): {"Quotas": [quota]}, ("ec2", "DescribeVpcs"): vpcs}
    )
    (need,) = quotas.needs(assembly(("AWS::EC2::VPC", {})))
    found = quotas.judge(need, account=account)
    assert said(found) == (Status.FAIL, "VPCs per Region: 5; needed 6, of which 5 in use by others")


def test_a_network_of_the_deployment_itself_is_not_counted_twice(assembly: Make) -> None:
    quota = {"QuotaCode": "L-F678F1CE", "QuotaName": "VPCs per Region", "Value": 5.0}
    own = {"Tags": [{"Key": "aws:cloudformation:stack-name", "Value": "overread-test-data"}]}
    other = {"Tags": [{"Key": "aws:cloudformation:stack-name", "Value": "somebody"}]}
    vpcs = {"Vpcs": [own, other, {"Tags": [{"Key": "Name", "Value": "overread-test-data"}]}, {}, {}]}
    account = PlantedAccount(
        {("service-quotas", "ListServiceQuotas"): {"Quotas": [quota]}, ("ec2", "DescribeVpcs"): vpcs}
    )
    (need,) = quotas.needs(assembly(("AWS::EC2::VPC", {})))
    assert quotas.judge(need, account=account).status is Status.OK


def test_a_quota_that_nobody_lists_is_unknown(assembly: Make) -> None:
    account = PlantedAccount({("service-quotas", "ListServiceQuotas"): {"Quotas": []}})
    (need,) = quotas.needs(assembly(FUNCTION))
    assert quotas.judge(need, account=account).status is Status.UNKNOWN


# Network


def subnet(name: str, zone: str, *, free: int = 200, vpc: str = "vpc-1") -> dict[str, Any]:
    return {"SubnetId": name, "AvailabilityZone": zone, "VpcId": vpc, "AvailableIpAddressCount": free}


IN_SUBNETS = ("AWS::Lambda::Function", {"VpcConfig": {"SubnetIds": ["subnet-a", "subnet-b"]}})
PRIVATE = [{"VpcId": "vpc-1", "Associations": [{"Main": True}], "Routes": [{"GatewayId": "local"}]}]
PUBLIC = [{"VpcId": "vpc-1", "Associations": [{"Main": True}], "Routes": [{"GatewayId": "igw-1"}]}]


@pytest.mark.parametrize(
    ("subnets", "tables", "words"),
    [
        ([subnet("subnet-a", "1a"), subnet("subnet-b", "1b")], PRIVATE, ""),
        ([subnet("subnet-a", "1a")], PRIVATE, "subnet-b is not there"),
        ([subnet("subnet-a", "1a"), subnet("subnet-b", "1a")], PRIVATE, "one availability zone"),
        ([subnet("subnet-a", "1a"), subnet("subnet-b", "1b", vpc="vpc-2")], PRIVATE, "several networks"),
        ([subnet("subnet-a", "1a"), subnet("subnet-b", "1b")], PUBLIC, "subnet-a is public"),
    ],
)
def test_subnets(assembly: Make, subnets: list[Any], tables: list[Any], words: str) -> None:
    account = PlantedAccount(
        {
            ("ec2", "DescribeSubnets"): {"Subnets": subnets},
            ("ec2", "DescribeRouteTables"): {"RouteTables": tables},
        }
    )
    here = assembly(IN_SUBNETS)
    found = network.judge_subnets(network.read_network(account, here), here)
    assert found.status is (Status.FAIL if words else Status.OK)
    assert words in found.detail


def test_free_addresses(assembly: Make) -> None:
    here = assembly(IN_SUBNETS)
    least = network.addresses_needed(here)
    full = network.Network([subnet("subnet-a", "1a", free=least - 1)], [])
    assert network.judge_addresses(full, here).status is Status.FAIL
    roomy = network.Network([subnet("subnet-a", "1a", free=least)], [])
    assert network.judge_addresses(roomy, here).status is Status.OK
    small = assembly(IN_SUBNETS, ("AWS::EC2::Subnet", {"CidrBlock": "10.0.0.0/28"}))
    assert network.judge_addresses(None, small).status is Status.OK
    tiny = assembly(IN_SUBNETS, ("AWS::EC2::Subnet", {"CidrBlock": "10.0.0.0/29"}))
    assert network.judge_addresses(None, tiny).status is Status.FAIL


def endpoint(name: str, *, state: str = "available", private: bool = True) -> dict[str, Any]:
    return {
        "ServiceName": f"com.amazonaws.eu-west-1.{name}",
        "State": state,
        "PrivateDnsEnabled": private,
    }


NEEDED = [*GATEWAY_ENDPOINTS, *needed_endpoints(backend="a2i", access="public")]
ALL = [endpoint("appconfigdata"), *(endpoint(name) for name in NEEDED if name != "appconfigdata")]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (ALL, ""),
        (ALL[1:], "appconfigdata has none"),
        ([endpoint("appconfigdata", state="pending"), *ALL[1:]], "appconfigdata is pending"),
        ([endpoint("appconfigdata", private=False), *ALL[1:]], "appconfigdata has no private DNS name"),
    ],
)
def test_endpoints(assembly: Make, found: list[Any], words: str) -> None:
    verdict = network.judge_endpoints(found, assembly(IN_SUBNETS))
    assert verdict.status is (Status.FAIL if words else Status.OK)
    assert words in verdict.detail


def test_a_router_whose_models_are_apart_needs_the_endpoint_of_sts(assembly: Make) -> None:
    def needed(**variables: str) -> tuple[str, ...]:
        environment = {"Environment": {"Variables": variables}}
        return network.endpoints_needed(assembly(("AWS::Lambda::Function", environment)))

    assert set(needed(OVERREAD_PREDICTION_ROLE="arn")) - set(needed()) == {"sts"}


def test_models_alone_need_the_way_to_their_archives(assembly: Make) -> None:
    assert network.endpoints_needed(assembly(("AWS::SageMaker::Model", {}))) == ("s3",)


def test_the_review_service_needs_endpoints_of_its_own(assembly: Make) -> None:
    service = ("AWS::Lambda::Function", {"Handler": "overread_lambda.review_service.handler"})
    verdict = network.judge_endpoints(ALL, assembly(service))
    assert verdict.status is Status.FAIL
    assert "has none" in verdict.detail
    private = ("AWS::ApiGateway::RestApi", {"EndpointConfiguration": {"Types": ["PRIVATE"]}})
    assert "execute-api has none" in network.judge_endpoints(ALL, assembly(service, private)).detail
    assert "execute-api" not in verdict.detail


@pytest.mark.parametrize("off", ["enableDnsSupport", "enableDnsHostnames"])
def test_dns(off: str) -> None:
    def attribute(**asked: Any) -> dict[str, Any]:
        name = asked["Attribute"]
        return {name[0].upper() + name[1:]: {"Value": name != off}}

    account = PlantedAccount({("ec2", "DescribeVpcAttribute"): attribute})
    there = network.Network([subnet("subnet-a", "1a")], [])
    found = network.judge_dns(network.read_dns(account, there))
    assert said(found) == (Status.FAIL, f"the network has {off} off")


# Reviews


WORKFORCE = ("Custom::OverreadWorkforce", {})
WORKTEAM = ("Custom::OverreadWorkteam", {})


@pytest.mark.parametrize(
    ("resources", "there", "status"),
    [
        ((WORKFORCE, WORKTEAM), [], Status.OK),
        ((WORKFORCE, WORKTEAM), [{"WorkforceName": "default"}], Status.FAIL),
        ((WORKTEAM,), [{"WorkforceName": "default"}], Status.OK),
        ((WORKTEAM,), [], Status.FAIL),
        ((), [], Status.SKIPPED),
    ],
)
def test_the_workforce_that_is_there(assembly: Make, resources: Any, there: Any, status: Status) -> None:
    account = PlantedAccount({("sagemaker", "ListWorkforces"): {"Workforces": there}})
    assert judge_workforce(account, assembly(*resources)).status is status


def test_a_workforce_that_the_deployment_made_itself_is_no_fault(assembly: Make) -> None:
    text = {"Fn::Join": ["", ['{"WorkforceName":"overread-test","OidcConfig":"', {"Ref": "Issuer"}, '"}']]}
    made = assembly(("Custom::OverreadWorkforce", {"Definition": text}), WORKTEAM)
    for name, status in (("overread-test", Status.OK), ("overread", Status.FAIL)):
        there = {"Workforces": [{"WorkforceName": name}]}
        assert (
            judge_workforce(PlantedAccount({("sagemaker", "ListWorkforces"): there}), made).status is status
        )


FLOW = {"FlowDefinitionArn": "arn:flow", "FlowDefinitionName": "loans", "FlowDefinitionStatus": "Active"}
A2I = "sagemaker-a2i-runtime"


def flows(*found: Any, loops: int = 0, **more: Any) -> PlantedAccount:
    return PlantedAccount(
        {
            ("sagemaker", "ListFlowDefinitions"): {"FlowDefinitionSummaries": list(found)},
            (A2I, "ListHumanLoops"): {"HumanLoopSummaries": [{}] * loops},
        }
        | {(A2I, name): answer for name, answer in more.items()}
    )


def test_a2i_is_yes_by_loops_and_never_guessed(assembly: Make) -> None:
    here = assembly(STARTS_LOOPS)
    assert said(judge_a2i(flows(FLOW, loops=1), here, probe=None)) == (
        Status.OK,
        "yes: loans has human loops",
    )
    account = flows(FLOW)
    assert judge_a2i(account, here, probe=None).status is Status.UNKNOWN
    assert {operation for _, operation, _ in account.asked} == {"ListFlowDefinitions", "ListHumanLoops"}
    assert judge_a2i(account, assembly(), probe=None).status is Status.SKIPPED
    assert judge_a2i(flows(), here, probe=Probe("p")).status is Status.UNKNOWN


def test_a_probe_starts_one_loop_and_stops_it(assembly: Make) -> None:
    account = flows(FLOW, StartHumanLoop={"HumanLoopArn": "arn:loop"}, StopHumanLoop={})
    found = judge_a2i(account, assembly(STARTS_LOOPS), probe=Probe("overread-probe-1"))
    assert found.status is Status.OK
    names = [
        asked["HumanLoopName"] for _, operation, asked in account.asked if operation.endswith("HumanLoop")
    ]
    assert names == ["overread-probe-1"] * 2


@pytest.mark.parametrize(
    ("reason", "status", "words"),
    [
        ("The service is closed to new customers (ValidationException)", Status.FAIL, "refused:"),
        ("Rate exceeded (ThrottlingException)", Status.UNKNOWN, "Rate exceeded"),
        ("bad name (ValidationException)", Status.UNKNOWN, "bad name"),
    ],
)
def test_only_an_error_about_customers_is_a_refusal(
    assembly: Make, reason: str, status: Status, words: str
) -> None:
    account = flows(FLOW, StartHumanLoop=failed("sagemaker:StartHumanLoop", reason))
    found = judge_a2i(account, assembly(STARTS_LOOPS), probe=Probe("p"))
    assert found.status is status
    assert words in found.detail


def test_a_probe_that_cannot_be_stopped_names_its_loop(assembly: Make) -> None:
    account = flows(FLOW, StartHumanLoop={}, StopHumanLoop=failed("sagemaker:StopHumanLoop", "no"))
    found = judge_a2i(account, assembly(STARTS_LOOPS), probe=Probe("overread-probe-7"))
    assert found.status is Status.FAIL
    assert "overread-probe-7" in found.detail
    assert "stop-human-loop --human-loop-name overread-probe-7" in found.fix


def test_ground_truth_is_yes_by_jobs_else_unknown() -> None:
    jobs = {"LabelingJobSummaryList": [{"LabelingJobName": "cats"}]}
    assert judge_ground_truth(PlantedAccount({("sagemaker", "ListLabelingJobs"): jobs})).status is Status.OK
    none = PlantedAccount({("sagemaker", "ListLabelingJobs"): {"LabelingJobSummaryList": []}})
    assert judge_ground_truth(none).status is Status.UNKNOWN


# The licence of RStudio


DOMAIN = ("AWS::SageMaker::Domain", {"DomainSettings": {"RStudioServerProDomainSettings": {}}})


def licence(**more: Any) -> dict[str, Any]:
    return {
        "ProductName": "RSW-SageMaker",
        "Status": "AVAILABLE",
        "ReceivedMetadata": {"ReceivedStatus": "ACTIVE"},
        "Validity": {"End": "2027-01-01T00:00:00Z"},
    } | more


@pytest.mark.parametrize(
    ("licences", "status", "word"),
    [
        ([licence()], Status.OK, "ok"),
        ([licence(ProductName="RStudio")], Status.OK, "ok"),
        ([], Status.FAIL, "none"),
        ([licence(ProductName="Other")], Status.FAIL, "none"),
        ([licence(ReceivedMetadata={"ReceivedStatus": "PENDING_ACCEPT"})], Status.FAIL, "pending"),
        ([licence(Validity={"End": "2026-01-01T00:00:00Z"})], Status.FAIL, "expired"),
        ([licence(Status="SUSPENDED")], Status.FAIL, "denied"),
        ([licence(Status="EXPIRED"), licence()], Status.OK, "ok"),
    ],
)
def test_states_of_a_licence(licences: list[Any], status: Status, word: str) -> None:
    found = judge_licences(licences, now=NOW)
    assert found.status is status
    assert found.detail.startswith(f"{word}:")


def test_r_users_need_addresses_profiles_and_endpoints(assembly: Make) -> None:
    users = [("AWS::SageMaker::UserProfile", {"UserProfileName": name}) for name in ("ada", "ben", "cy")]
    with_users, without = assembly(IN_SUBNETS, DOMAIN, *users), assembly(IN_SUBNETS, DOMAIN)
    assert network.addresses_needed(with_users) == network.addresses_needed(without) + 12
    wanted = {need.id: need.least for need in quotas.needs(with_users)}
    assert wanted.items() >= {"studio-domains": 1, "studio-users": 3, "r-sessions": None}.items()
    assert not {"studio-domains", "studio-users"} & {need.id for need in quotas.needs(assembly(IN_SUBNETS))}
    assert {"license-manager", "ecr.dkr", "kms"} <= set(network.endpoints_needed(with_users))
    assert "license-manager" not in network.endpoints_needed(assembly(IN_SUBNETS))


def test_a_licence_is_looked_for_where_a_domain_wants_one(assembly: Make) -> None:
    assert judge_licence(PlantedAccount({}), assembly(), region="eu-west-1", now=NOW).status is Status.SKIPPED
    denied = judge_licence(PlantedAccount({}), assembly(DOMAIN), region="eu-west-1", now=NOW)
    assert denied.status is Status.UNKNOWN
    assert denied.detail.startswith("denied:")
    account = PlantedAccount({("license-manager", "ListReceivedLicenses"): {"Licenses": [licence()]}})
    assert judge_licence(account, assembly(DOMAIN), region="eu-west-1", now=NOW).status is Status.OK
    assert len(account.asked) == 2  # in the licences' home and in the region
