"""Lambdas as on AWS: what they can import, what they see of the host, whom they act as."""

import io
import json
import os
import time
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from tests.local.conftest import Clients

ROLE = "arn:aws:iam::000000000000:role/function"
Invoke = Callable[[str, str], Any]


def zipped(code: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", code)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def invoke(aws: Clients) -> Invoke:
    """Makes a function of the code and gives what it answers (its payload, and whether it failed)."""
    functions = aws("lambda")

    def make_and_call(name: str, code: str) -> Any:
        functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=ROLE,
            Handler="app.handler",
            Code={"ZipFile": zipped(code)},
            Timeout=10,
            Environment={"Variables": {"OWN": "value", "AWS_EXECUTION_ENV": "told"}},
        )
        reply = functions.invoke(FunctionName=name, Payload=b"{}")
        return json.loads(reply["Payload"].read()), reply.get("FunctionError")

    return make_and_call


def test_a_function_sees_its_own_variables_and_none_of_the_hosts(invoke: Invoke) -> None:
    os.environ["OVERREAD_TEST_SECRET"] = "must not leak"
    environment, _ = invoke("sees", "import os\ndef handler(event, context): return dict(os.environ)")
    assert environment["OWN"] == "value"
    assert environment["AWS_REGION"] == "us-east-1"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "sees"
    leaked = {"OVERREAD_TEST_SECRET", "HOME", "STATE_DIR", "GATEWAY_PORT", "PERSIST_STATE", "S3_DATA_DIR"}
    assert leaked & set(environment) == set()


@pytest.mark.parametrize("module", ["starlette", "overread", "ministack", "aws_cdk"])
def test_a_function_cannot_import_what_its_zip_lacks(invoke: Invoke, module: str) -> None:
    name = module.replace("_", "-")
    answer, failed = invoke(name, f"import {module}\ndef handler(event, context): return 1")
    assert failed
    assert f"No module named '{module}'" in json.dumps(answer)


def test_a_function_finds_boto3_and_reaches_the_emulator(invoke: Invoke) -> None:
    code = """
import boto3
def handler(event, context):
    return boto3.client("sts").get_caller_identity()["Account"]
"""
    assert invoke("calls", code) == ("000000000000", None)


def test_an_event_that_a_function_cannot_take_ends_in_its_failure_queue(aws: Clients) -> None:
    functions, events = aws("lambda"), aws("events")
    queue = aws("sqs").create_queue(QueueName="failures")["QueueUrl"]
    attributes = aws("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    code = "def handler(event, context): raise RuntimeError('no')"
    function = functions.create_function(
        FunctionName="fails",
        Runtime="python3.13",
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": zipped(code)},
    )
    functions.put_function_event_invoke_config(
        FunctionName="fails",
        Qualifier="$LATEST",
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": attributes["QueueArn"]}},
    )
    events.put_rule(Name="fails", EventPattern=json.dumps({"source": ["test.fails"]}))
    events.put_targets(Rule="fails", Targets=[{"Id": "function", "Arn": function["FunctionArn"]}])
    events.put_events(Entries=[{"Source": "test.fails", "DetailType": "x", "Detail": '{"n": 1}'}])
    deadline = time.monotonic() + 15
    messages: list[dict[str, Any]] = []
    while not messages and time.monotonic() < deadline:
        messages = aws("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", [])
    assert json.loads(messages[0]["Body"])["requestPayload"]["detail"] == {"n": 1}


def test_deployed_code_may_not_emit_events_of_aws(invoke: Invoke) -> None:
    code = """
import boto3
def handler(event, context):
    entry = {"Source": "aws.sagemaker", "DetailType": "SageMaker A2I HumanLoop Status Change", "Detail": "{}"}
    return boto3.client("events").put_events(Entries=[entry])["Entries"][0]["ErrorCode"]
"""
    assert invoke("emits", code) == ("NotAuthorizedForSourceException", None)
