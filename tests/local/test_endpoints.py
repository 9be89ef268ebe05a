"""Models, endpoint configurations and endpoints through plain boto3: success and each error AWS models."""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.local.conftest import ADDING_MODEL, Clients, archive, put_archive

from overread_local.stack import LocalStack

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
ROLE = "arn:aws:iam::000000000000:role/model"
ARN = "arn:aws:sagemaker:us-east-1:000000000000"


def make_model(aws: Clients, name: str, *, code: str = ADDING_MODEL, url: str | None = None) -> None:
    """A model and an endpoint configuration of the same name."""
    sagemaker = aws("sagemaker")
    sagemaker.create_model(
        ModelName=name,
        ExecutionRoleArn=ROLE,
        PrimaryContainer={
            "Image": IMAGE,
            "ModelDataUrl": url or put_archive(aws, f"{name}.tar.gz", archive(code)),
            "Environment": {"GREETING": "hello"},
        },
    )
    sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            {
                "VariantName": "AllTraffic",
                "ModelName": name,
                "InitialInstanceCount": 1,
                "InstanceType": "ml.m5.large",
            }
        ],
    )


def settled(aws: Clients, name: str) -> dict[str, Any]:
    """The endpoint once it neither creates nor updates any more."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        described: dict[str, Any] = aws("sagemaker").describe_endpoint(EndpointName=name)
        if described["EndpointStatus"] not in {"Creating", "Updating"}:
            return described
        time.sleep(0.05)
    raise AssertionError(f"{name} did not settle")


def serve(aws: Clients, name: str, *, code: str = ADDING_MODEL) -> dict[str, Any]:
    make_model(aws, name, code=code)
    aws("sagemaker").create_endpoint(EndpointName=name, EndpointConfigName=name)
    return settled(aws, name)


def refusal(call: Any, /, **request: Any) -> tuple[str, str]:
    """Code and message of the error that a call ends with."""
    with pytest.raises(ClientError) as refused:
        call(**request)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.fixture(scope="module")
def adding(aws: Clients) -> str:
    """An endpoint in service."""
    assert serve(aws, "adding")["EndpointStatus"] == "InService"
    return "adding"


def test_an_endpoint_is_created_with_awss_status_lag(aws: Clients) -> None:
    make_model(aws, "lagging")
    arn = aws("sagemaker").create_endpoint(EndpointName="lagging", EndpointConfigName="lagging")[
        "EndpointArn"
    ]
    assert arn == f"{ARN}:endpoint/lagging"
    assert aws("sagemaker").describe_endpoint(EndpointName="lagging")["EndpointStatus"] == "Creating"
    described = settled(aws, "lagging")
    assert described["EndpointStatus"] == "InService"
    assert [variant["VariantName"] for variant in described["ProductionVariants"]] == ["AllTraffic"]


def test_an_endpoint_answers_with_its_archives_code_and_environment(aws: Clients, adding: str) -> None:
    reply = aws("sagemaker-runtime").invoke_endpoint(
        EndpointName=adding, Body=json.dumps({"a": 2}), ContentType="application/json"
    )
    assert json.loads(reply["Body"].read()) == {"sum": 42, "greeting": None}
    assert reply["ContentType"] == "application/json"
    assert reply["InvokedProductionVariant"] == "AllTraffic"


def test_code_that_raises_is_a_model_error_with_the_containers_own_words(aws: Clients, adding: str) -> None:
    with pytest.raises(ClientError) as failed:
        aws("sagemaker-runtime").invoke_endpoint(EndpointName=adding, Body=b"{}", ContentType="text/csv")
    response: Any = failed.value.response
    assert response["Error"]["Code"] == "ModelError"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["OriginalStatusCode"] == 500
    assert "unsupported content type text/csv" in response["OriginalMessage"]
    assert response["LogStreamArn"].endswith("/aws/sagemaker/Endpoints/adding")
    assert response["Error"]["Message"].startswith("Received server error (500) from primary with message")


def test_a_missing_endpoint_is_a_validation_error_of_the_runtime(aws: Clients) -> None:
    runtime = aws("sagemaker-runtime")
    assert refusal(runtime.invoke_endpoint, EndpointName="nowhere", Body=b"{}") == (
        "ValidationError",
        "Endpoint nowhere of account 000000000000 not found.",
    )


def test_an_unknown_variant_is_a_validation_error_of_the_runtime(aws: Clients, adding: str) -> None:
    invoke = aws("sagemaker-runtime").invoke_endpoint
    code, message = refusal(invoke, EndpointName=adding, Body=b"{}", TargetVariant="Other")
    assert code == "ValidationError"
    assert "Other" in message


@pytest.mark.parametrize(
    ("key", "content", "reason"),
    [
        ("no-archive.tar.gz", b"this is no archive", "did not pass the ping health check"),
        ("no-code.tar.gz", archive("x = 1"), "inference.py does not define model_fn, input_fn"),
        ("raising.tar.gz", archive("raise RuntimeError('no weights')"), "raised RuntimeError: no weights"),
    ],
)
def test_a_broken_archive_makes_the_endpoint_fail_with_a_reason(
    aws: Clients, key: str, content: bytes, reason: str
) -> None:
    name = key.removesuffix(".tar.gz")
    make_model(aws, name, url=put_archive(aws, key, content))
    aws("sagemaker").create_endpoint(EndpointName=name, EndpointConfigName=name)
    described = settled(aws, name)
    assert described["EndpointStatus"] == "Failed"
    assert "did not pass the ping health check" in described["FailureReason"]
    assert reason in described["FailureReason"]


def test_a_missing_archive_makes_the_endpoint_fail_with_awss_words(aws: Clients) -> None:
    make_model(aws, "absent", url="s3://model-archives/absent.tar.gz")
    aws("sagemaker").create_endpoint(EndpointName="absent", EndpointConfigName="absent")
    described = settled(aws, "absent")
    assert described["EndpointStatus"] == "Failed"
    assert described["FailureReason"].startswith(
        'Failed to download model data for container "container_1" from URL: "s3://model-archives/absent'
    )


def test_an_update_changes_what_the_endpoint_answers(aws: Clients) -> None:
    serve(aws, "updated")
    make_model(aws, "updated-2", code=ADDING_MODEL.replace('"sum"', '"total"'))
    aws("sagemaker").update_endpoint(EndpointName="updated", EndpointConfigName="updated-2")
    assert settled(aws, "updated")["EndpointConfigName"] == "updated-2"
    reply = aws("sagemaker-runtime").invoke_endpoint(EndpointName="updated", Body=b'{"a": 1}')
    assert json.loads(reply["Body"].read())["total"] == 41


def test_a_failed_update_goes_on_serving_what_was_there(aws: Clients) -> None:
    serve(aws, "steady")
    make_model(aws, "steady-2", code="raise RuntimeError('broken')")
    aws("sagemaker").update_endpoint(EndpointName="steady", EndpointConfigName="steady-2")
    described = settled(aws, "steady")
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == "steady"
    assert "broken" in described["FailureReason"]
    reply = aws("sagemaker-runtime").invoke_endpoint(EndpointName="steady", Body=b'{"a": 1}')
    assert json.loads(reply["Body"].read())["sum"] == 41


def test_weights_and_capacities_change_in_place(aws: Clients, adding: str) -> None:
    aws("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=adding,
        DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 3}],
    )
    assert settled(aws, adding)["ProductionVariants"][0]["CurrentInstanceCount"] == 3


def test_an_update_may_keep_the_instance_count(aws: Clients) -> None:
    serve(aws, "scaled")
    sagemaker = aws("sagemaker")
    change = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 4}]
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="scaled", DesiredWeightsAndCapacities=change
    )
    settled(aws, "scaled")
    make_model(aws, "scaled-2")
    sagemaker.update_endpoint(
        EndpointName="scaled", EndpointConfigName="scaled-2", RetainAllVariantProperties=True
    )
    assert settled(aws, "scaled")["ProductionVariants"][0]["CurrentInstanceCount"] == 4


def test_a_deleted_endpoint_is_gone(aws: Clients) -> None:
    serve(aws, "short-lived")
    sagemaker = aws("sagemaker")
    sagemaker.delete_endpoint(EndpointName="short-lived")
    assert sagemaker.describe_endpoint(EndpointName="short-lived")["EndpointStatus"] == "Deleting"
    deadline = time.monotonic() + 10
    while "short-lived" in {one["EndpointName"] for one in sagemaker.list_endpoints()["Endpoints"]}:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert refusal(sagemaker.describe_endpoint, EndpointName="short-lived") == (
        "ValidationException",
        f'Could not find endpoint "{ARN}:endpoint/short-lived".',
    )


def test_an_endpoint_that_changes_cannot_be_changed(aws: Clients) -> None:
    make_model(aws, "busy")
    sagemaker = aws("sagemaker")
    sagemaker.create_endpoint(EndpointName="busy", EndpointConfigName="busy")
    assert refusal(sagemaker.update_endpoint, EndpointName="busy", EndpointConfigName="busy") == (
        "ValidationException",
        f'Cannot update in-progress endpoint "{ARN}:endpoint/busy".',
    )
    settled(aws, "busy")


def test_names_that_exist_are_refused_as_aws_refuses_them(aws: Clients, adding: str) -> None:
    sagemaker = aws("sagemaker")
    container = {"Image": IMAGE}
    variant = {
        "VariantName": "v",
        "ModelName": adding,
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
    }
    assert [
        refusal(sagemaker.create_model, ModelName=adding, ExecutionRoleArn=ROLE, PrimaryContainer=container),
        refusal(sagemaker.create_endpoint_config, EndpointConfigName=adding, ProductionVariants=[variant]),
        refusal(sagemaker.create_endpoint, EndpointName=adding, EndpointConfigName=adding),
    ] == [
        ("ValidationException", f'Cannot create already existing model "{ARN}:model/adding".'),
        (
            "ValidationException",
            f'Cannot create already existing endpoint configuration "{ARN}:endpoint-config/adding".',
        ),
        ("ValidationException", f'Cannot create already existing endpoint "{ARN}:endpoint/adding".'),
    ]


def test_what_does_not_exist_is_answered_as_aws_answers_it(aws: Clients) -> None:
    sagemaker = aws("sagemaker")
    model = ("ValidationException", f'Could not find model "{ARN}:model/none".')
    config = ("ValidationException", f'Could not find endpoint configuration "{ARN}:endpoint-config/none".')
    endpoint = ("ValidationException", f'Could not find endpoint "{ARN}:endpoint/none".')
    assert refusal(sagemaker.describe_model, ModelName="none") == model
    assert refusal(sagemaker.delete_model, ModelName="none") == model
    assert refusal(sagemaker.describe_endpoint_config, EndpointConfigName="none") == config
    assert refusal(sagemaker.delete_endpoint_config, EndpointConfigName="none") == config
    assert refusal(sagemaker.create_endpoint, EndpointName="e", EndpointConfigName="none") == config
    assert refusal(sagemaker.delete_endpoint, EndpointName="none") == endpoint


def test_broken_limits_are_told_in_awss_words(aws: Clients) -> None:
    code, message = refusal(
        aws("sagemaker").create_model, ModelName="-bad-", ExecutionRoleArn="arn:aws:iam::1:role/x"
    )
    assert code == "ValidationException"
    assert message.startswith("2 validation errors detected: Value ")
    assert "Value '-bad-' at 'modelName' failed to satisfy constraint" in message


def test_lists_are_filtered_sorted_and_paged(aws: Clients) -> None:
    for name in ("page-a", "page-b", "page-c"):
        make_model(aws, name)
    sagemaker = aws("sagemaker")
    query = {"NameContains": "page-", "SortBy": "Name", "SortOrder": "Ascending", "MaxResults": 2}
    first = sagemaker.list_models(**query)
    rest = sagemaker.list_models(**query, NextToken=first["NextToken"])
    assert [one["ModelName"] for one in first["Models"]] == ["page-a", "page-b"]
    assert [one["ModelName"] for one in rest["Models"]] == ["page-c"]
    configs = sagemaker.list_endpoint_configs(NameContains="page-b")["EndpointConfigs"]
    assert [one["EndpointConfigName"] for one in configs] == ["page-b"]
    assert refusal(sagemaker.list_models, NextToken="nonsense")[0] == "ValidationException"


def test_tags_are_kept(aws: Clients, adding: str) -> None:
    sagemaker = aws("sagemaker")
    arn = f"{ARN}:endpoint/{adding}"
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "risk"}, {"Key": "old", "Value": "1"}])
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["old"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "risk"}]


def test_an_operation_that_is_not_emulated_says_so(aws: Clients) -> None:
    assert refusal(aws("sagemaker").list_processing_jobs)[0] == "UnknownOperationException"


def test_a_model_server_that_was_restarted_serves_on(
    aws: Clients, adding: str, local_stack: LocalStack
) -> None:
    import httpx

    units = httpx.get(f"{local_stack.record.model_server_url}/healthz").json()["units"]
    for unit in units:
        httpx.delete(f"{local_stack.record.model_server_url}/endpoints/{unit}")
    reply = aws("sagemaker-runtime").invoke_endpoint(EndpointName=adding, Body=b'{"a": 3}')
    assert json.loads(reply["Body"].read())["sum"] == 43
