"""Endpoints and human loops through their AWS clients."""

import pytest

from overread.errors import (
    AmbiguousError,
    FlowDefinitionGoneError,
    NameTakenError,
    PermanentError,
    RetryableError,
)
from overread.review.wire import HumanLoop
from overread_aws.a2i_loops import A2iLoops
from overread_aws.sagemaker_models import SageMakerModels
from overread_testing.aws_stubs import body_of, stubbed

ARN = "arn:aws:sagemaker:eu-west-1:111122223333:flow-definition/f"
START = {
    "HumanLoopName": "h-1-g1",
    "FlowDefinitionArn": ARN,
    "HumanLoopInput": {"InputContent": '{"a":"ä"}'},
}


def test_an_endpoint_is_asked_once_with_an_inference_id() -> None:
    with stubbed("sagemaker-runtime") as (client, script):
        script.add_response(
            "invoke_endpoint",
            {"Body": body_of(b"{}"), "InvokedProductionVariant": "AllTraffic"},
            {
                "EndpointName": "e",
                "Body": b'{"x":1}',
                "ContentType": "application/json",
                "Accept": "application/json",
                "InferenceId": "d-1/1",
            },
        )
        reply = SageMakerModels(client).predict("e", body=b'{"x":1}', inference_id="d-1/1")
    assert (reply.body, reply.variant) == (b"{}", "AllTraffic")


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [("ModelError", 424, PermanentError), ("ServiceUnavailable", 503, RetryableError)],
)
def test_an_endpoints_error_is_told_with_its_code(code: str, status: int, kind: type[Exception]) -> None:
    with stubbed("sagemaker-runtime") as (client, script):
        script.add_client_error("invoke_endpoint", code, http_status_code=status)
        with pytest.raises(kind, match=f"InvokeEndpoint: {code}"):
            SageMakerModels(client).predict("e", body=b"{}", inference_id="d-1/1")


@pytest.mark.parametrize("is_free", [True, False])
def test_a_loop_is_started_and_declared_free_of_personal_data_only_when_it_is(is_free: bool) -> None:
    wanted = dict(START)
    if is_free:
        wanted["DataAttributes"] = {"ContentClassifiers": ["FreeOfPersonallyIdentifiableInformation"]}
    with stubbed("sagemaker-a2i-runtime") as (client, script):
        script.add_response("start_human_loop", {"HumanLoopArn": "arn"}, wanted)
        A2iLoops(client).start(
            "h-1-g1",
            flow_definition_arn=ARN,
            input_content='{"a":"ä"}'.encode(),
            free_of_personal_data=is_free,
        )


@pytest.mark.parametrize(
    ("code", "status", "message", "kind"),
    [
        ("ConflictException", 409, "has the same name but has different input data", NameTakenError),
        ("ValidationException", 400, f"Flow definition {ARN} does not exist", FlowDefinitionGoneError),
        ("ValidationException", 400, "FlowDefinition could not be found", FlowDefinitionGoneError),
        ("ResourceNotFoundException", 404, "nothing there", FlowDefinitionGoneError),
        ("ValidationException", 400, "InputContent is not valid", PermanentError),
        ("ValidationException", 400, "this account is not an existing customer", PermanentError),
        ("AccessDeniedException", 403, "no permission on the flow definition", PermanentError),
        ("ThrottlingException", 429, "slow", RetryableError),
        ("ServiceQuotaExceededException", 402, "too many", RetryableError),
        ("InternalServerException", 500, "oops", AmbiguousError),
    ],
)
def test_a_refused_start_means_what_its_code_and_message_say(
    code: str, status: int, message: str, kind: type[Exception]
) -> None:
    with stubbed("sagemaker-a2i-runtime") as (client, script):
        script.add_client_error("start_human_loop", code, message, http_status_code=status)
        with pytest.raises(kind) as caught:
            A2iLoops(client).start(
                "h-1-g1", flow_definition_arn=ARN, input_content=b"{}", free_of_personal_data=False
            )
    assert type(caught.value) is kind


def test_a_loop_is_described_whole() -> None:
    reply = {
        "CreationTime": 0,
        "HumanLoopStatus": "Completed",
        "HumanLoopName": "h-1-g1",
        "HumanLoopArn": "arn:aws:sagemaker:eu-west-1:111122223333:human-loop/h-1-g1",
        "FlowDefinitionArn": ARN,
        "HumanLoopOutput": {"OutputS3Uri": "s3://out/x"},
    }
    with stubbed("sagemaker-a2i-runtime") as (client, script):
        script.add_response("describe_human_loop", reply, {"HumanLoopName": "h-1-g1"})
        loop = A2iLoops(client).describe("h-1-g1")
    assert loop == HumanLoop(
        name="h-1-g1",
        arn=str(reply["HumanLoopArn"]),
        flow_definition_arn=ARN,
        status="Completed",
        output_uri="s3://out/x",
    )


def test_a_loop_that_is_not_there_is_none_and_any_other_refusal_an_error() -> None:
    with stubbed("sagemaker-a2i-runtime") as (client, script):
        script.add_client_error("describe_human_loop", "ResourceNotFoundException", http_status_code=404)
        script.add_client_error("describe_human_loop", "AccessDeniedException", http_status_code=403)
        loops = A2iLoops(client)
        assert loops.describe("h-1-g1") is None
        with pytest.raises(PermanentError):
            loops.describe("h-1-g1")


@pytest.mark.parametrize("code", ["ResourceNotFoundException", ""])
def test_a_loop_is_asked_to_end_and_one_that_never_was_is_let_be(code: str) -> None:
    with stubbed("sagemaker-a2i-runtime") as (client, script):
        if code:
            script.add_client_error("stop_human_loop", code, http_status_code=404)
        else:
            script.add_response("stop_human_loop", {}, {"HumanLoopName": "h-1-g1"})
        A2iLoops(client).stop("h-1-g1")


def described(status: str) -> dict[str, object]:
    return {
        "CreationTime": 0,
        "HumanLoopStatus": status,
        "HumanLoopName": "h-1-g1",
        "HumanLoopArn": "arn:aws:sagemaker:eu-west-1:111122223333:human-loop/h-1-g1",
        "FlowDefinitionArn": ARN,
    }


@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped", "Stopping"])
def test_a_loop_that_ended_before_it_was_stopped_is_no_error(status: str) -> None:
    with stubbed("sagemaker-a2i-runtime") as (client, script):
        script.add_client_error("stop_human_loop", "ValidationException", http_status_code=400)
        script.add_response("describe_human_loop", described(status), {"HumanLoopName": "h-1-g1"})
        A2iLoops(client).stop("h-1-g1")


def test_a_loop_that_goes_on_although_it_was_to_stop_is_an_error() -> None:
    with stubbed("sagemaker-a2i-runtime") as (client, script):
        script.add_client_error("stop_human_loop", "ValidationException", http_status_code=400)
        script.add_response("describe_human_loop", described("InProgress"), {"HumanLoopName": "h-1-g1"})
        script.add_client_error("stop_human_loop", "ThrottlingException", http_status_code=429)
        script.add_client_error("stop_human_loop", "InternalServerException", http_status_code=500)
        loops = A2iLoops(client)
        for kind in (PermanentError, RetryableError, AmbiguousError):
            with pytest.raises(kind, match="StopHumanLoop"):
                loops.stop("h-1-g1")


def summary(name: str, status: str = "InProgress") -> dict[str, object]:
    return {"HumanLoopName": name, "HumanLoopStatus": status, "CreationTime": 0}


def test_every_page_of_a_flow_definitions_loops_is_read_and_ended_ones_are_left_out() -> None:
    wanted = {"FlowDefinitionArn": ARN, "SortOrder": "Ascending", "MaxResults": 100}
    with stubbed("sagemaker-a2i-runtime") as (client, script):
        script.add_response(
            "list_human_loops",
            {"HumanLoopSummaries": [summary("h-1"), summary("h-2", "Completed")], "NextToken": "more"},
            wanted,
        )
        # A page may be empty, and others follow all the same.
        script.add_response(
            "list_human_loops",
            {"HumanLoopSummaries": [], "NextToken": "yet"},
            {**wanted, "NextToken": "more"},
        )
        script.add_response(
            "list_human_loops",
            {"HumanLoopSummaries": [summary("h-3"), summary("h-4", "Stopping")]},
            {**wanted, "NextToken": "yet"},
        )
        assert list(A2iLoops(client).names(ARN)) == ["h-1", "h-3"]


def test_a_flow_definition_that_is_gone_has_no_loops_and_any_other_refusal_is_an_error() -> None:
    with stubbed("sagemaker-a2i-runtime") as (client, script):
        script.add_client_error("list_human_loops", "ResourceNotFoundException", http_status_code=404)
        script.add_client_error("list_human_loops", "ThrottlingException", http_status_code=429)
        loops = A2iLoops(client)
        assert list(loops.names(ARN)) == []
        with pytest.raises(RetryableError, match="ListHumanLoops"):
            list(loops.names(ARN))
