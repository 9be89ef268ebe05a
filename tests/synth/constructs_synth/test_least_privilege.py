"""Who may do what: every grant is named, none is wider than its handler needs, one role predicts."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

STACKS = ("Review", "Inference", "Proxied", "Own", "Crowd", "Desk", "Elsewhere", "Exposed", "Trail")
INTERFACES = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
}
WITHOUT_RESOURCE = INTERFACES | {
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "sagemaker:ListFlowDefinitions",
    "sagemaker:ListHumanLoops",
    "ecr:GetAuthorizationToken",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeVpcs",
    "cloudwatch:DescribeAlarms",
}
RUNNING = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords"}
KEYS = {"kms:Decrypt", "kms:GenerateDataKey"}
SENDING = {"sqs:SendMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"}
POLICIES = {"appconfig:GetLatestConfiguration", "appconfig:StartConfigurationSession"}
RECORDS = {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem"}
AUTOMATIC = RECORDS | {"dynamodb:ConditionCheckItem"}
PLACES = RECORDS | {"dynamodb:UpdateItem"}
STREAM = {
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
}
PREDICTING = (
    RUNNING
    | KEYS
    | POLICIES
    | AUTOMATIC
    | INTERFACES
    | {"secretsmanager:GetSecretValue", "sagemaker:InvokeEndpoint"}
)
NEEDED = {
    "RoutePrediction": PREDICTING | {"s3:PutObject"},
    "ResumeDecisions": PREDICTING | SENDING | {"dynamodb:Query", "s3:GetObjectVersion"},
    "ReadDecision": RUNNING | KEYS | INTERFACES | {"dynamodb:GetItem", "dynamodb:Query"},
    "ChangeDecision": RUNNING | KEYS | POLICIES | PLACES | INTERFACES,
    "Steer": RUNNING
    | KEYS
    | INTERFACES
    | POLICIES
    | {"dynamodb:GetItem", "dynamodb:PutItem", "s3:GetObject", "s3:PutObject"},
    "WatchErrors": RUNNING
    | KEYS
    | SENDING
    | INTERFACES
    | POLICIES
    | {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:Query"},
    "StartLoop": RUNNING
    | KEYS
    | SENDING
    | POLICIES
    | PLACES
    | STREAM
    | {"dynamodb:Query", "s3:GetObjectVersion"}
    | {"sagemaker:StartHumanLoop", "sagemaker:DescribeHumanLoop", "sagemaker:StopHumanLoop"},
    "IngestReview": RUNNING
    | KEYS
    | SENDING
    | POLICIES
    | PLACES
    | {"dynamodb:Query", "s3:GetObject"}
    | {"sagemaker:DescribeHumanLoop", "sagemaker:StopHumanLoop", "sagemaker:ListHumanLoops"},
}
ARCHIVE = {"s3:GetObjectVersion", "s3:PutObject", "s3:ListBucketVersions"}
NEEDED_BESIDE = {
    "NewsDeliverRole": RUNNING
    | KEYS
    | SENDING
    | STREAM
    | {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Query"}
    | {"events:PutEvents", "s3:PutObject", "secretsmanager:GetSecretValue"},
    "AuditAnchorRole": RUNNING
    | KEYS
    | SENDING
    | INTERFACES
    | ARCHIVE
    | {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"},
    "AuditEvidenceRole": RUNNING
    | KEYS
    | SENDING
    | INTERFACES
    | ARCHIVE
    | {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "s3:ListBucket"},
    "AuditChangesRole": RUNNING | KEYS | SENDING | INTERFACES | ARCHIVE | AUTOMATIC | {"dynamodb:Query"},
    "AuditAuditor": {"kms:Decrypt", "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"}
    | {"dynamodb:Scan"}
    | {"s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectRetention", "s3:ListBucket"}
    | {"s3:ListBucketVersions"},
}
ITEMS = {
    "dynamodb:BatchGetItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
}
PROGRAM = (
    RUNNING
    | KEYS
    | INTERFACES
    | ITEMS
    | {"s3:DeleteObject", "s3:GetObject", "s3:PutObject"}
    | {"secretsmanager:GetSecretValue", "events:PutEvents", "sts:AssumeRole"}
)
NEEDED_BY_SERVICE = {
    "ReviewsServiceRole": PROGRAM,
    "ReviewsSweepRole": PROGRAM | SENDING,
    "ReviewsSignInRole": RUNNING
    | KEYS
    | {"secretsmanager:GetSecretValue"}
    | {"cognito-idp:AdminAddUserToGroup", "cognito-idp:AdminCreateUser"},
    "OverreadServiceResourcesProvideRole": RUNNING | KEYS | SENDING | INTERFACES | {"execute-api:Invoke"},
    "LoansRole": KEYS | {"s3:GetObject", "s3:PutObject"},
}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def allowed(synthesized: Any, stack: str) -> Iterator[tuple[str, list[str], list[str]]]:
    for roles, statement in synthesized.statements(stack):
        if statement["Effect"] == "Allow":
            yield roles, as_list(statement["Action"]), [json.dumps(r) for r in as_list(statement["Resource"])]


def test_only_the_routers_role_may_invoke_an_endpoint(synthesized: Any) -> None:
    invoking = [
        (stack, roles, resources)
        for stack in synthesized.templates
        for roles, actions, resources in allowed(synthesized, stack)
        if any(re.fullmatch(a.replace("*", ".*"), "sagemaker:InvokeEndpoint") for a in actions)
    ]
    names = {(stack, re.sub(r"Router(\w+?)Role.*", r"\1", roles)) for stack, roles, _ in invoking}
    assert names == {("Inference", "RoutePrediction"), ("Inference", "ResumeDecisions")}
    for _, _, (endpoint,) in invoking:
        assert endpoint.endswith(':sagemaker:eu-central-1:123456789012:endpoint/loans-loan"]]}')


@pytest.mark.parametrize("stack", STACKS)
def test_no_action_is_a_pattern(synthesized: Any, stack: str) -> None:
    patterns = [(roles, a) for roles, actions, _ in allowed(synthesized, stack) for a in actions if "*" in a]
    assert patterns == []


@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_is_meant_only_by_actions_that_take_none(synthesized: Any, stack: str) -> None:
    for roles, actions, resources in allowed(synthesized, stack):
        if '"*"' in resources:
            assert set(actions) <= WITHOUT_RESOURCE, roles


@pytest.mark.parametrize("stack", STACKS)
def test_policies_hang_on_one_role_each_and_no_managed_one_is_used(synthesized: Any, stack: str) -> None:
    for name, role in synthesized.resources(stack, "AWS::IAM::Role").items():
        managed = role["Properties"].get("ManagedPolicyArns", [])
        if "CloudWatchRole" in name:
            assert "AmazonAPIGatewayPushToCloudWatchLogs" in json.dumps(managed)
        else:
            assert managed == []
            assert "Policies" not in role["Properties"]


@pytest.mark.parametrize("handler", NEEDED)
def test_a_handler_may_do_what_it_needs_and_nothing_else(synthesized: Any, handler: str) -> None:
    assert synthesized.actions("Inference", role=f"Router{handler}Role") == NEEDED[handler]


@pytest.mark.parametrize("role", NEEDED_BESIDE)
def test_delivery_and_audit_may_do_what_they_need_and_nothing_else(synthesized: Any, role: str) -> None:
    assert synthesized.actions("Trail", role=role) == NEEDED_BESIDE[role]


def test_the_validator_reads_one_table_and_appconfig_reads_alarms(synthesized: Any) -> None:
    validator = synthesized.actions("Inference", role="ValidatorValidatePolicyRole")
    assert validator == RUNNING | INTERFACES | {"kms:Decrypt", "kms:GenerateDataKey", "dynamodb:GetItem"}
    assert synthesized.actions("Inference", role="PoliciesRollBackRole") == {"cloudwatch:DescribeAlarms"}
    (trust,) = synthesized.one("Inference", "AWS::IAM::Role", like="RollBackRole")[
        "AssumeRolePolicyDocument"
    ]["Statement"]
    assert trust["Principal"] == {"Service": "appconfig.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def fences(synthesized: Any, stack: str, *, role: str) -> list[dict[str, Any]]:
    """Where a role may never write, by partition keys."""
    return [
        statement["Condition"]
        for _, statement in synthesized.statements(stack, role=role)
        if statement["Effect"] == "Deny" and "dynamodb:PutItem" in as_list(statement["Action"])
    ]


@pytest.mark.parametrize(
    "handler", ["RoutePrediction", "ResumeDecisions", "ChangeDecision", "StartLoop", "IngestReview"]
)
def test_who_decides_never_writes_what_people_steer_nor_what_is_watched(
    synthesized: Any, handler: str
) -> None:
    (fence,) = fences(synthesized, "Inference", role=f"Router{handler}Role")
    keys = ["SWITCH#*", "ROSTER", "GUARANTEE#*", "MONITOR#*"]
    assert fence == {"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": keys}}


def test_who_tells_the_world_writes_audits_and_never_what_people_steer(synthesized: Any) -> None:
    (fence,) = fences(synthesized, "Trail", role="NewsDeliverRole")
    keys = ["SWITCH#*", "ROSTER", "GUARANTEE#*"]
    assert fence == {"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": keys}}


def test_who_watches_errors_writes_monitors_kill_switches_and_their_audit_only(synthesized: Any) -> None:
    (fence,) = fences(synthesized, "Inference", role="RouterWatchErrorsRole")
    keys = ["MONITOR#*", "SWITCH#*", "CHAIN#*", "change/*"]
    assert fence == {"ForAnyValue:StringNotLike": {"dynamodb:LeadingKeys": keys}}


def test_news_go_to_one_bus_in_one_name_and_feedback_below_its_prefix(synthesized: Any) -> None:
    (sending,) = [
        statement
        for _, statement in synthesized.statements("Trail")
        if "events:PutEvents" in as_list(statement["Action"])
    ]
    assert sending["Condition"] == {"StringEquals": {"events:source": "overread"}}
    ((_, _, (feedback,)),) = [
        found
        for found in allowed(synthesized, "Trail")
        if "NewsDeliverRole" in found[0] and "s3:PutObject" in found[1]
    ]
    assert feedback.endswith('/feedback/*"]]}')


@pytest.mark.parametrize("role", NEEDED_BY_SERVICE)
def test_a_role_of_the_review_service_may_do_what_it_needs_and_nothing_else(
    synthesized: Any, role: str
) -> None:
    assert synthesized.actions("Desk", role=role) == NEEDED_BY_SERVICE[role]


@pytest.mark.parametrize("handler", ["StartLoop", "IngestReview"])
def test_on_the_review_service_a_handler_calls_its_api_instead_of_sagemaker(
    synthesized: Any, handler: str
) -> None:
    instead = {action for action in NEEDED[handler] if not action.startswith("sagemaker:")}
    needed = instead | INTERFACES | {"execute-api:Invoke"}
    assert synthesized.actions("Own", role=f"Router{handler}Role") == needed


def calls(synthesized: Any, stack: str, *, role: str) -> set[str]:
    """What a role may call at the review service's API: the method and the path."""
    return {
        resource.partition("/live/")[2].removesuffix('"]]}')
        for roles, actions, resources in allowed(synthesized, stack)
        if role in roles and "execute-api:Invoke" in actions
        for resource in resources
    }


def test_callers_of_the_review_service_reach_their_own_calls_only(synthesized: Any) -> None:
    look = {"GET/human-loops/h-*", "POST/human-loops/stop"}
    assert calls(synthesized, "Own", role="StartLoop") == {"POST/human-loops"} | look
    assert calls(synthesized, "Own", role="IngestReview") == {"GET/human-loops"} | look
    provider = calls(synthesized, "Desk", role="OverreadServiceResourcesProvideRole")
    assert "GET/human-loops" in provider
    others = provider - {"GET/human-loops"}
    assert all(re.fullmatch(r"POST/sagemaker/[A-Z][A-Za-z]+", call) for call in others)
    assert not [call for call in others if "Tags" in call or "Subscribed" in call]
    for _, statement in synthesized.statements("Own", role="RouterStartLoopRole"):
        if "execute-api:Invoke" in as_list(statement["Action"]):
            assert all("ReviewsHttpApi" in json.dumps(arn) for arn in as_list(statement["Resource"]))


def test_the_review_service_reaches_its_own_table_bucket_and_secret_only(synthesized: Any) -> None:
    own = ("ReviewsStorageRecords", "ReviewsStorageDocuments", "ReviewsSessionKey")
    kinds = ("dynamodb:", "s3:", "secretsmanager:")
    for role in ("ReviewsServiceRole", "ReviewsSweepRole", "ReviewsLabelingRole"):
        resources = [
            resource
            for roles, actions, found in allowed(synthesized, "Desk")
            if roles.startswith(role) and actions[0].startswith(kinds)
            for resource in found
        ]
        assert resources
        assert [r for r in resources if not any(name in r for name in own)] == []


def test_only_indexes_are_a_pattern_and_only_queries_go_there(synthesized: Any) -> None:
    for roles, actions, resources in allowed(synthesized, "Desk"):
        if any("/index/*" in resource for resource in resources):
            assert roles.startswith(("ReviewsServiceRole", "ReviewsSweepRole", "ReviewsLabelingRole"))
            assert actions == ["dynamodb:Query"]


def test_the_review_service_takes_the_roles_of_its_flow_definitions_one_by_one(synthesized: Any) -> None:
    for stack, flow in (("Desk", "Loans"), ("Elsewhere", "Cards")):
        (assume,) = (
            (roles, resources)
            for roles, actions, resources in allowed(synthesized, stack)
            if actions == ["sts:AssumeRole"]
        )
        roles, (resource,) = assume
        assert [("Service" in role, "Sweep" in role) for role in roles.split(",")] == [
            (True, False),
            (False, True),
        ]
        assert resource.startswith('{"Fn::GetAtt": ["' + f"{flow}Role")


def test_a_flow_definitions_role_trusts_the_review_service_and_nobody_else(synthesized: Any) -> None:
    for stack, flow in (("Desk", "LoansRole"), ("Elsewhere", "CardsRole")):
        trust = synthesized.one(stack, "AWS::IAM::Role", like=flow)["AssumeRolePolicyDocument"]["Statement"]
        principals = [json.dumps(statement["Principal"]) for statement in trust]
        assert len(principals) == 2
        for principal, role in zip(principals, ("ReviewsServiceRole", "ReviewsSweepRole"), strict=True):
            assert principal.startswith('{"AWS": {"Fn::')
            assert role in principal


def test_events_are_sent_in_the_review_services_own_name_only(synthesized: Any) -> None:
    sending = [
        statement
        for _, statement in synthesized.statements("Desk")
        if "events:PutEvents" in as_list(statement["Action"])
    ]
    assert len(sending) == 3
    for statement in sending:
        assert json.dumps(statement["Resource"]).endswith(':event-bus/default"]]}')
        assert statement["Condition"] == {"StringEquals": {"events:source": "overread.review"}}


def test_the_sign_in_function_reads_its_secrets_and_invites_into_its_pool_only(synthesized: Any) -> None:
    desk = [(a, r) for roles, a, r in allowed(synthesized, "Desk") if roles.startswith("ReviewsSignIn")]
    by_action = {action: resources for actions, resources in desk for action in actions}
    (secret,) = by_action["secretsmanager:GetSecretValue"]
    assert "ReviewsSessionKey" in secret
    (pool,) = by_action["cognito-idp:AdminCreateUser"]
    assert "ReviewsIdentityPool" in pool
    exposed = [(a, r) for roles, a, r in allowed(synthesized, "Exposed") if roles.startswith("ReviewsSignIn")]
    by_action = {action: resources for actions, resources in exposed for action in actions}
    session, *clients = sorted(by_action["secretsmanager:GetSecretValue"], key=lambda one: "Ref" not in one)
    assert "ReviewsSessionKey" in session
    assert [client.rpartition(":")[2] for client in sorted(clients)] == ['acme-AbCdEf"', 'staff-AbCdEf"']
    assert not [action for action in by_action if action.startswith("cognito-idp:")]


def test_handlers_reach_their_own_prefixes_only(synthesized: Any) -> None:
    ends: dict[str, dict[str, str | tuple[str, ...]]] = {
        "StartLoop": {
            "dynamodb:Query": ("/index/open", "/index/queue"),
            "s3:GetObjectVersion": "/inputs/*",
            "sagemaker:StartHumanLoop": ":flow-definition/loans-*",
            "sagemaker:DescribeHumanLoop": ":human-loop/h-*",
        },
        "IngestReview": {
            "s3:GetObject": ("/reviews/*", "/rosters/*"),
            "sagemaker:DescribeHumanLoop": ":human-loop/h-*",
        },
        "RoutePrediction": {
            "s3:PutObject": "/inputs/*",
            "appconfig:GetLatestConfiguration": "/configuration/*",
        },
    }
    for handler, expected in ends.items():
        for action, end in expected.items():
            resources = [
                resource
                for roles, actions, found in allowed(synthesized, "Inference")
                if f"Router{handler}Role" in roles and action in actions
                for resource in found
            ]
            ends_with = tuple(f'{one}"]]}}' for one in ((end,) if isinstance(end, str) else end))
            assert resources
            assert [resource for resource in resources if not resource.endswith(ends_with)] == []


def test_code_in_the_network_may_not_touch_network_interfaces(synthesized: Any) -> None:
    for module, role in (("route-prediction", "RoutePrediction"), ("read-decision", "ReadDecision")):
        (denied,) = [
            statement
            for _, statement in synthesized.statements("Inference", role=f"Router{role}Role")
            if statement["Effect"] == "Deny" and "ec2:" in json.dumps(statement["Action"])
        ]
        assert set(denied["Action"]) == INTERFACES
        arn = json.dumps(denied["Condition"]["ArnEquals"]["lambda:SourceFunctionArn"])
        assert arn.endswith(f':function:loans-{module}"]]}}')
        names = [f["FunctionName"] for f in synthesized.functions("Inference").values()]
        assert f"loans-{module}" in names


@pytest.mark.parametrize("stack", STACKS)
def test_keys_are_used_through_services_only(synthesized: Any, stack: str) -> None:
    for roles, statement in synthesized.statements(stack):
        if any(action.startswith("kms:") for action in as_list(statement["Action"])):
            if roles.startswith("ModelRole"):
                continue  # SageMaker itself encrypts the volumes, by grants
            services = json.dumps(statement["Condition"]["StringEquals"]["kms:ViaService"])
            assert re.search(r"(dynamodb|s3|sqs|secretsmanager)\.eu-central-1\.", services)


def test_the_model_reads_one_archive_one_image_and_one_log(synthesized: Any) -> None:
    by_action = {
        action: resources
        for roles, actions, resources in allowed(synthesized, "Inference")
        if roles.startswith("ModelRole")
        for action in actions
    }
    model = synthesized.one("Inference", "AWS::SageMaker::Model")
    key = model["PrimaryContainer"]["ModelDataUrl"].removeprefix("s3://")
    assert by_action["s3:GetObject"] == [
        f'{{"Fn::Join": ["", ["arn:", {{"Ref": "AWS::Partition"}}, ":s3:::{key}"]]}}'
    ]
    (image,) = by_action["ecr:BatchGetImage"]
    assert image.endswith(':ecr:eu-central-1:492215442770:repository/sagemaker-scikit-learn"]]}')
    (log,) = by_action["logs:PutLogEvents"]
    assert "ModelLog" in log
    assert "s3:ListBucket" not in by_action


def test_sagemaker_acts_for_this_account_only(synthesized: Any) -> None:
    for stack, name in (("Inference", "ModelRole"), ("Review", "LoansRole"), ("Crowd", "OpenRole")):
        (trust,) = synthesized.one(stack, "AWS::IAM::Role", like=name)["AssumeRolePolicyDocument"][
            "Statement"
        ]
        assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}
        assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_a2i_reads_inputs_and_writes_answers_below_their_prefix(synthesized: Any) -> None:
    found = {
        action: resources
        for roles, actions, resources in allowed(synthesized, "Review")
        if roles.startswith("LoansRole")
        for action in actions
    }
    assert set(found) == {"s3:GetObject", "s3:PutObject"} | KEYS
    assert "Answers" in found["s3:PutObject"][0]
    assert found["s3:PutObject"][0].endswith('"/reviews/*"]]}')
    assert "Inputs" in found["s3:GetObject"][0]


def test_the_provider_manages_flow_definitions_by_their_exact_names_and_passes_one_role(
    synthesized: Any,
) -> None:
    for name in ("Loans", "Forms"):
        policy = synthesized.one("Review", "AWS::IAM::Policy", like=f"{name}Manage")
        manage, passing = policy["PolicyDocument"]["Statement"]
        (role,) = policy["Roles"]
        assert role["Ref"].startswith("OverreadReviewResourcesProvideRole")
        assert json.dumps(manage["Resource"]).endswith(f':flow-definition/loans-{name.lower()}-????????"]]}}')
        assert passing["Action"] == "iam:PassRole"
        assert passing["Resource"]["Fn::GetAtt"][0].startswith(f"{name}Role")
        assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}


def test_the_provider_manages_task_uis_by_their_exact_names_and_sees_who_uses_them(synthesized: Any) -> None:
    for name in ("Loans", "Forms"):
        policy = synthesized.one("Review", "AWS::IAM::Policy", like=f"{name}PageManage")
        (statement,) = policy["PolicyDocument"]["Statement"]
        (role,) = policy["Roles"]
        assert role["Ref"].startswith("OverreadReviewResourcesProvideRole")
        assert set(statement["Action"]) == {
            "sagemaker:CreateHumanTaskUi",
            "sagemaker:DeleteHumanTaskUi",
            "sagemaker:DescribeHumanTaskUi",
            "sagemaker:DescribeFlowDefinition",
        }
        ends = [json.dumps(resource).partition(":123456789012:")[2] for resource in statement["Resource"]]
        exact = f'loans-{name.lower()}-????????"]]}}'
        assert ends == [f"flow-definition/{exact}", f"human-task-ui/{exact}"]


def test_the_public_team_is_denied_but_to_the_provider_of_its_own(synthesized: Any) -> None:
    denies = [
        (stack, roles, statement)
        for stack in ("Review", "Crowd")
        for roles, statement in synthesized.statements(stack, role="ReviewResourcesProvideRole")
        if statement["Effect"] == "Deny"
    ]
    assert [stack for stack, _, _ in denies] == ["Review", "Crowd"]
    for _, roles, statement in denies:
        assert roles.startswith("OverreadReviewResourcesProvideRole")
        assert statement["Action"] == "sagemaker:CreateFlowDefinition"
        assert statement["Resource"] == "*"
        assert statement["Condition"] == {"StringEquals": {"sagemaker:WorkteamType": "public-crowd"}}
    open_ = synthesized.one("Crowd", "AWS::IAM::Policy", like="OpenManage")
    closed = synthesized.one("Crowd", "AWS::IAM::Policy", like="ClosedManage")
    assert open_["Roles"][0]["Ref"].startswith("OverreadPublicReviewResourcesProvideRole")
    assert closed["Roles"][0]["Ref"].startswith("OverreadReviewResourcesProvideRole")


def test_services_may_use_the_key_for_this_account(synthesized: Any) -> None:
    statements = synthesized.one("Data", "AWS::KMS::Key")["KeyPolicy"]["Statement"]
    by_service = {
        s["Principal"]["Service"]: s
        for s in statements
        if "Service" in s["Principal"] and s["Effect"] == "Allow"
    }
    logs = by_service["logs.eu-central-1.amazonaws.com"]
    arn = json.dumps(logs["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"])
    assert arn.endswith(':logs:eu-central-1:123456789012:log-group:*"]]}')
    events = by_service["events.amazonaws.com"]
    assert events["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}
