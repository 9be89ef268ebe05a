"""IAM enforcement: no grant, no call; on the control plane and the runtimes, by ARN and condition key."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError
from tests.local.conftest import LAMBDA_PYTHON, client_of

from overread_aws.assumed_role import client_as
from overread_aws.clients import make_session
from overread_local.stack import LocalStack

ARN = "arn:aws:sagemaker:us-east-1:000000000000"
PRIVATE = f"{ARN}:workteam/private-crowd/readers"
PUBLIC = "arn:aws:sagemaker:us-east-1:394669845002:workteam/public-crowd/default"
ROLE = "arn:aws:iam::000000000000:role/passed"


@pytest.fixture(scope="module")
def enforcing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack of its own with IAM enforced."""
    stack = LocalStack.start(
        state_dir=tmp_path_factory.mktemp("enforcing"),
        lambda_python=LAMBDA_PYTHON,
        status_lag_s=0.1,
        tied=True,
    )
    stack.enforce_iam(True)
    yield stack
    stack.stop()


class Caller:
    """A role whose sessions may do what its statements say."""

    def __init__(self, stack: LocalStack, name: str, *statements: dict[str, Any]) -> None:
        self._stack = stack
        iam = client_of(stack, "iam")
        trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        role = iam.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )["Role"]["Arn"]
        if statements:
            document = {"Version": "2012-10-17", "Statement": list(statements)}
            iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=json.dumps(document))
        session = client_of(stack, "sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        self._key = (session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])

    def client(self, service: str) -> Any:
        return client_of(self._stack, service, key=self._key)


def allow(action: str, resource: str, **condition: Any) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": action, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


def code_of(call: Any, /, **request: Any) -> str:
    """The error code that a call ends with."""
    with pytest.raises(ClientError) as refused:
        call(**request)
    return str(refused.value.response["Error"]["Code"])


def test_a_role_without_a_grant_is_denied_everywhere(enforcing: LocalStack) -> None:
    nobody = Caller(enforcing, "nobody")
    sagemaker, a2i = nobody.client("sagemaker"), nobody.client("sagemaker-a2i-runtime")
    runtime = nobody.client("sagemaker-runtime")
    flow = f"{ARN}:flow-definition/reading"
    loop = {"HumanLoopName": "x", "FlowDefinitionArn": flow, "HumanLoopInput": {"InputContent": "{}"}}
    denied = "AccessDeniedException"
    assert code_of(sagemaker.describe_endpoint, EndpointName="x") == denied
    assert code_of(sagemaker.list_domains) == denied
    assert code_of(sagemaker.describe_flow_definition, FlowDefinitionName="x") == denied
    assert code_of(sagemaker.list_workteams) == denied
    assert code_of(runtime.invoke_endpoint, EndpointName="x", Body=b"{}") == denied
    assert code_of(a2i.start_human_loop, **loop) == denied
    assert code_of(a2i.describe_human_loop, HumanLoopName="x") == denied
    assert code_of(a2i.stop_human_loop, HumanLoopName="x") == denied
    assert code_of(a2i.delete_human_loop, HumanLoopName="x") == denied
    assert code_of(a2i.list_human_loops, FlowDefinitionArn=flow) == denied


def test_the_denial_names_principal_action_and_resource(enforcing: LocalStack) -> None:
    with pytest.raises(ClientError) as refused:
        Caller(enforcing, "named").client("sagemaker-runtime").invoke_endpoint(EndpointName="x", Body=b"{}")
    message = refused.value.response["Error"]["Message"]
    assert "assumed-role/named/test" in message
    assert "sagemaker:InvokeEndpoint" in message
    assert f"{ARN}:endpoint/x" in message


def test_a_grant_reaches_as_far_as_its_resource(enforcing: LocalStack) -> None:
    grant = allow("sagemaker:InvokeEndpoint", f"{ARN}:endpoint/overread-demo-*")
    runtime = Caller(enforcing, "one-endpoint", grant).client("sagemaker-runtime")
    assert code_of(runtime.invoke_endpoint, EndpointName="overread-demo-a", Body=b"{}") == "ValidationError"
    assert code_of(runtime.invoke_endpoint, EndpointName="other", Body=b"{}") == "AccessDeniedException"


def test_a_loop_is_started_by_its_flow_definition_and_described_by_its_name(enforcing: LocalStack) -> None:
    starter = Caller(
        enforcing,
        "starter",
        allow("sagemaker:StartHumanLoop", f"{ARN}:flow-definition/overread-demo-*"),
        allow("sagemaker:DescribeHumanLoop", f"{ARN}:human-loop/h-*"),
    ).client("sagemaker-a2i-runtime")
    loop = {"HumanLoopName": "h-1", "HumanLoopInput": {"InputContent": "{}"}}
    mine, others = f"{ARN}:flow-definition/overread-demo-a", f"{ARN}:flow-definition/other"
    assert code_of(starter.start_human_loop, FlowDefinitionArn=others, **loop) == "AccessDeniedException"
    assert code_of(starter.start_human_loop, FlowDefinitionArn=mine, **loop) == "ValidationException"
    assert code_of(starter.describe_human_loop, HumanLoopName="h-1") == "ResourceNotFoundException"
    assert code_of(starter.describe_human_loop, HumanLoopName="x-1") == "AccessDeniedException"


def definition(team: str) -> dict[str, Any]:
    return {
        "FlowDefinitionName": "reading",
        "RoleArn": ROLE,
        "OutputConfig": {"S3OutputPath": "s3://answers/reviews"},
        "HumanLoopConfig": {
            "WorkteamArn": team,
            "HumanTaskUiArn": f"{ARN}:human-task-ui/page",
            "TaskTitle": "Read",
            "TaskDescription": "Read again",
            "TaskCount": 1,
        },
    }


def test_a_policy_can_forbid_public_work_teams(enforcing: LocalStack) -> None:
    sagemaker = Caller(
        enforcing,
        "private-only",
        allow("sagemaker:CreateFlowDefinition", "*"),
        allow("iam:PassRole", ROLE),
        {
            "Effect": "Deny",
            "Action": "sagemaker:CreateFlowDefinition",
            "Resource": "*",
            "Condition": {"StringEquals": {"sagemaker:WorkteamType": "public-crowd"}},
        },
    ).client("sagemaker")
    assert code_of(sagemaker.create_flow_definition, **definition(PUBLIC)) == "AccessDeniedException"
    assert code_of(sagemaker.create_flow_definition, **definition(PRIVATE)) != "AccessDeniedException"


def test_a_role_is_passed_only_with_leave_to_pass_it_to_sagemaker(enforcing: LocalStack) -> None:
    create = allow("sagemaker:CreateFlowDefinition", "*")
    passed = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    elsewhere = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    without = Caller(enforcing, "no-pass", create).client("sagemaker")
    wrong = Caller(enforcing, "wrong-pass", create, allow("iam:PassRole", ROLE, **elsewhere))
    right = Caller(enforcing, "right-pass", create, allow("iam:PassRole", ROLE, **passed))
    request = definition(PRIVATE)
    assert code_of(without.create_flow_definition, **request) == "AccessDeniedException"
    assert code_of(wrong.client("sagemaker").create_flow_definition, **request) == "AccessDeniedException"
    assert code_of(right.client("sagemaker").create_flow_definition, **request) != "AccessDeniedException"


def test_a_wrong_signature_is_refused(enforcing: LocalStack) -> None:
    iam = client_of(enforcing, "iam")
    iam.create_user(UserName="forged")
    key = iam.create_access_key(UserName="forged")["AccessKey"]["AccessKeyId"]
    forged = client_of(enforcing, "sagemaker", key=(key, "not the secret", None))
    assert code_of(forged.list_endpoints) in {"SignatureDoesNotMatch", "InvalidSignatureException"}


def test_a_warm_function_is_not_spared(enforcing: LocalStack) -> None:
    code = """
import boto3
def handler(event, context):
    try:
        return boto3.client("sqs").list_queues()["ResponseMetadata"]["HTTPStatusCode"]
    except Exception as error:
        return error.response["Error"]["Code"]
"""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("app.py", code)
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = client_of(enforcing, "iam").create_role(
        RoleName="warm", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    functions = client_of(enforcing, "lambda")

    def call() -> Any:
        return json.loads(functions.invoke(FunctionName="warm", Payload=b"{}")["Payload"].read())

    enforcing.enforce_iam(False)
    try:
        functions.create_function(
            FunctionName="warm",
            Runtime="python3.13",
            Role=role["Role"]["Arn"],
            Handler="app.handler",
            Code={"ZipFile": archive.getvalue()},
            Timeout=10,
        )
        assert call() == 200
    finally:
        enforcing.enforce_iam(True)
    assert "AccessDenied" in call()


def private_api(stack: LocalStack, *, endpoint: str, allowed: str) -> str:
    """The address of a private API at `endpoint` whose policy lets in what comes through `allowed`."""
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "execute-api:Invoke",
                "Resource": "execute-api:/*",
                "Condition": {"StringEquals": {"aws:SourceVpce": allowed}},
            }
        ],
    }
    template = {
        "Resources": {
            "Api": {
                "Type": "AWS::ApiGateway::RestApi",
                "Properties": {
                    "Name": "private",
                    "EndpointConfiguration": {"Types": ["PRIVATE"], "VpcEndpointIds": [endpoint]},
                    "Policy": policy,
                },
            },
            "Method": {
                "Type": "AWS::ApiGateway::Method",
                "Properties": {
                    "RestApiId": {"Ref": "Api"},
                    "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
                    "HttpMethod": "GET",
                    "AuthorizationType": "NONE",
                    "Integration": {
                        "Type": "MOCK",
                        "RequestTemplates": {"application/json": '{"statusCode": 200}'},
                        "IntegrationResponses": [{"StatusCode": "200"}],
                    },
                    "MethodResponses": [{"StatusCode": "200"}],
                },
            },
            "Deployment": {
                "Type": "AWS::ApiGateway::Deployment",
                "DependsOn": "Method",
                "Properties": {"RestApiId": {"Ref": "Api"}, "StageName": "live"},
            },
        },
        "Outputs": {"Id": {"Value": {"Ref": "Api"}}},
    }
    cloudformation, name = client_of(stack, "cloudformation"), f"private-{allowed}"
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    (output,) = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    return stack.invoke_url(output["OutputValue"], "live")


def test_a_policy_names_the_role_behind_a_session(enforcing: LocalStack) -> None:
    s3 = client_of(enforcing, "s3")
    s3.create_bucket(Bucket="roles-only")
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::roles-only/*",
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::000000000000:role/writer-*"}},
    }
    s3.put_bucket_policy(
        Bucket="roles-only", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    put = allow("s3:PutObject", "arn:aws:s3:::roles-only/*")
    written = {"Bucket": "roles-only", "Key": "a", "Body": b"a"}
    Caller(enforcing, "writer-1", put).client("s3").put_object(**written)
    stranger = Caller(enforcing, "reader-1", put).client("s3")
    assert code_of(stranger.put_object, **written) == "AccessDenied"


def test_a_private_api_is_reached_through_its_own_endpoint_and_no_other(enforcing: LocalStack) -> None:
    mine = private_api(enforcing, endpoint="vpce-0a", allowed="vpce-0a")
    assert httpx.get(f"{mine}/", trust_env=False).status_code == 200
    others = private_api(enforcing, endpoint="vpce-0a", allowed="vpce-0b")
    refused = httpx.get(f"{others}/", trust_env=False)
    assert refused.status_code == 403
    assert "no resource-based policy allows" in refused.text


def test_a_client_as_a_role_has_that_roles_rights_and_no_others(
    enforcing: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant = allow("sagemaker:InvokeEndpoint", f"{ARN}:endpoint/overread-demo-*")
    Caller(enforcing, "predict", grant)
    account = enforcing.record.account
    for name, value in {
        "AWS_ENDPOINT_URL": enforcing.endpoint_url,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    make_session.cache_clear()
    try:
        role = f"arn:aws:iam::{account}:role/predict"
        runtime = client_as(role, "sagemaker-runtime", read_timeout_s=5.0, attempts=1)
        with pytest.raises(ClientError) as refused:
            runtime.invoke_endpoint(EndpointName="other", Body=b"{}")
        assert "assumed-role/predict/overread" in refused.value.response["Error"]["Message"]
        # Allowed, and so it is looked for.
        assert (
            code_of(runtime.invoke_endpoint, EndpointName="overread-demo-a", Body=b"{}") == "ValidationError"
        )
    finally:
        make_session.cache_clear()
