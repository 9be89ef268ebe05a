"""The router over its real adapters: every AWS call it makes, in order, against scripted clients."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.stub import ANY

from overread.decisions.ports import SubmitPorts
from overread_aws.appconfig_policies import AppConfigPolicies
from overread_aws.dynamodb_records import DynamoDbRecords
from overread_aws.queue_gauges import QueueGauges
from overread_aws.s3_objects import S3Inputs
from overread_aws.sagemaker_models import SageMakerModels
from overread_aws.secret_key import SecretKey
from overread_lambda.route_prediction import respond
from overread_lambda.settings import PolicySource, RouteSettings
from overread_testing.aws_stubs import body_of, stubbed
from overread_testing.decision_builders import policy_document
from overread_testing.decision_fakes import ManualClock

SERVICES = ("dynamodb", "s3", "sagemaker-runtime", "appconfigdata", "secretsmanager")
SETTINGS = RouteSettings(
    environment="test",
    table="t",
    input_bucket="in",
    use_cases=frozenset({"loan-approval"}),
    policies=PolicySource(application="a", environment="e"),
    spot_check_secret="arn:s",
)


@pytest.mark.parametrize(("confidence", "status"), [(0.95, 200), (0.5, 202)])
def test_the_calls_of_one_decision_and_their_order(
    event: Callable[..., dict[str, Any]], confidence: float, status: int
) -> None:
    with contextlib.ExitStack() as stack:
        clients, scripts = {}, {}
        called: list[str] = []
        for service in SERVICES:
            clients[service], scripts[service] = stack.enter_context(stubbed(service))
            clients[service].meta.events.register(
                "before-parameter-build.*.*", lambda model, **_: called.append(model.name)
            )
        scripts["dynamodb"].add_response(
            "get_item", {}, {"TableName": "t", "Key": ANY, "ConsistentRead": True}
        )
        scripts["appconfigdata"].add_response(
            "start_configuration_session", {"InitialConfigurationToken": "0"}
        )
        scripts["appconfigdata"].add_response(
            "get_latest_configuration",
            {
                "Configuration": body_of(json.dumps(policy_document()).encode()),
                "NextPollConfigurationToken": "1",
                "NextPollIntervalInSeconds": 45,
            },
        )
        scripts["secretsmanager"].add_response("get_secret_value", {"SecretString": "x" * 32})
        scripts["s3"].add_response("put_object", {"VersionId": "v1"})
        scripts["dynamodb"].add_response("put_item", {})
        scripts["dynamodb"].add_response("batch_get_item", {"Responses": {"t": []}})
        scripts["dynamodb"].add_response("transact_write_items", {})
        prediction = json.dumps({"label": "approve", "confidence": confidence}).encode()
        scripts["sagemaker-runtime"].add_response("invoke_endpoint", {"Body": body_of(prediction)})
        ports = SubmitPorts(
            records=DynamoDbRecords(clients["dynamodb"], table="t"),
            inputs=S3Inputs(clients["s3"], bucket="in"),
            models=SageMakerModels(clients["sagemaker-runtime"]),
            policies=AppConfigPolicies(
                clients["appconfigdata"], application="a", environment="e", monotonic=lambda: 0.0
            ),
            gauges=QueueGauges(clients["dynamodb"], table="t"),
            spot_check_key=SecretKey(clients["secretsmanager"], secret_id="arn:s"),
        )
        reply = respond(event("rest-proxy-post"), settings=SETTINGS, ports=ports, clock=ManualClock())
    assert reply["statusCode"] == status
    assert called == [
        "GetItem",
        "StartConfigurationSession",
        "GetLatestConfiguration",
        "GetSecretValue",
        "PutObject",
        "PutItem",
        "InvokeEndpoint",
        "BatchGetItem",
        "TransactWriteItems",
    ]
