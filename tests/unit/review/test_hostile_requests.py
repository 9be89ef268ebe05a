"""Requests that no client library would send: each gets one of AWS's errors, and none a server error."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from overread_review.service import nesting
from overread_testing.review_fakes import ADA

ARN = "arn:aws:sagemaker:eu-west-1:111122223333:"
FLOW = f"{ARN}flow-definition/flow"
DEEP = "[" * 50_000


def nested(levels: int) -> str:
    """An object that holds an object, and so on: `levels` of them."""
    return '{"a":' * levels + "1" + "}" * levels


def sagemaker(served_lab: Any, operation: str, body: Any) -> httpx.Response:
    content = body if isinstance(body, str) else json.dumps(body)
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"SageMaker.{operation}"}
    return httpx.post(served_lab.url, content=content, headers=headers, trust_env=False)


def refused(reply: httpx.Response, *, code: str = "ValidationException", part: str = "") -> None:
    assert reply.status_code == 400, reply.text[:200]
    said = reply.json()
    assert (said.get("__type") or reply.headers["x-amzn-ErrorType"]) == code
    assert part in (said.get("message") or said["Message"])


def token(value: str) -> str:
    return base64.urlsafe_b64encode(value.encode()).decode()


def test_bodies_nested_beyond_all_measure_are_no_json(served_lab: Any) -> None:
    refused(sagemaker(served_lab, "ListWorkteams", DEEP), code="SerializationException", part="not JSON")
    refused(
        httpx.post(f"{served_lab.url}/human-loops", content=DEEP, trust_env=False), part="body is not JSON"
    )


@pytest.mark.parametrize("levels", range(900, 1000, 9))
def test_a_member_nested_as_deep_as_json_can_be_read_is_a_fault_of_the_caller(
    served_lab: Any, levels: int
) -> None:
    body = f'{{"HumanLoopName":{nested(levels)}}}'
    refused(httpx.post(f"{served_lab.url}/human-loops/stop", content=body, trust_env=False))


def test_texts_of_json_nested_beyond_all_measure_are_refused(served_lab: Any) -> None:
    refused(sagemaker(served_lab, "ListWorkteams", {"NextToken": token("[" * 5000)}), part="NextToken")
    rendering = {"UiTemplate": {"Content": "<p>x</p>"}, "RoleArn": "arn:aws:iam::111122223333:role/flow-r"}
    for task_input in ("[" * 5000, nested(nesting.MAX_LEVELS + 1)):
        reply = sagemaker(served_lab, "RenderUiTemplate", {**rendering, "Task": {"Input": task_input}})
        assert [error["Code"] for error in reply.json()["Errors"]] == ["InvalidTaskInput"]


@pytest.mark.parametrize("size", ["²", "9" * 5000, "--5", "1e1", "-"])
def test_a_size_that_is_no_integer_is_refused(served_lab: Any, size: str) -> None:
    query = {"FlowDefinitionArn": FLOW, "MaxResults": size}
    reply = httpx.get(f"{served_lab.url}/human-loops", params=query, trust_env=False)
    refused(reply, part="must be an integer")


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
def test_a_time_that_is_none_in_utc_is_refused(served_lab: Any, moment: str) -> None:
    query = {"FlowDefinitionArn": FLOW, "CreationTimeAfter": moment}
    reply = httpx.get(f"{served_lab.url}/human-loops", params=query, trust_env=False)
    refused(reply, part="must be a timestamp")


@pytest.mark.parametrize("cursor", ["~", "2" * 2000, "2026\u00fc", ""])
def test_a_token_with_a_place_that_no_page_has_is_refused(served_lab: Any, cursor: str) -> None:
    """DynamoDB takes no key of more than 1,024 bytes: that would be a server error."""
    served_lab.lab.flow_definition()
    query = {"FlowDefinitionArn": FLOW, "NextToken": token(json.dumps([FLOW, cursor]))}
    reply = httpx.get(f"{served_lab.url}/human-loops", params=query, trust_env=False)
    refused(reply, part="Invalid NextToken")


def test_half_of_a_surrogate_pair_is_refused_wherever_it_stands(served_lab: Any) -> None:
    request = {"HumanTaskUiName": "half", "UiTemplate": {"Content": "<p>\ud800</p>"}}
    refused(sagemaker(served_lab, "CreateHumanTaskUi", request), part="surrogate")


def test_an_input_is_taken_up_to_a_depth_at_which_all_that_follows_works(served_lab: Any) -> None:
    lab = served_lab.lab
    lab.flow_definition()
    start = {"HumanLoopName": "deep", "FlowDefinitionArn": FLOW}
    for levels in (nesting.MAX_LEVELS + 1, 985):
        body = {**start, "HumanLoopInput": {"InputContent": nested(levels)}}
        reply = httpx.post(f"{served_lab.url}/human-loops", json=body, trust_env=False)
        refused(reply, part="nested deeper than 100 levels")
    body = {**start, "HumanLoopInput": {"InputContent": nested(nesting.MAX_LEVELS)}}
    assert httpx.post(f"{served_lab.url}/human-loops", json=body, trust_env=False).status_code == 200
    ada = served_lab.sign_in(ADA.name)
    assert ada.post("/portal/api/tasks/deep/claim").status_code == 200
    assert ada.get("/portal/tasks/deep/frame").status_code == 200
    answer = "/portal/api/tasks/deep/answer"
    reply = ada.post(answer, content=f'{{"answer":{nested(nesting.MAX_LEVELS + 1)}}}')
    assert (reply.status_code, reply.json()["detail"]) == (
        400,
        "an answer may be nested 100 levels deep at most",
    )
    reply = ada.post(answer, content=f'{{"answer":{nested(nesting.MAX_LEVELS)}}}')
    assert reply.json()["status"] == "Completed"
    (output,) = lab.documents.outputs.values()
    assert json.dumps(json.loads(output)["inputContent"], separators=(",", ":")) == nested(100)


def test_a_qualification_nested_too_deep_is_refused(served_lab: Any) -> None:
    item = f'{{"id":"a","expected":{{"a":"b"}},"input":{nested(400)}}}'
    document = f'{{"items":[{item}],"questions":1,"pass_mark":1}}'
    reply = httpx.put(f"{served_lab.url}/qualifications/q", content=document, trust_env=False)
    assert (reply.status_code, reply.json()["type"]) == (400, "urn:overread:problem:qualification-invalid")
    assert "100 levels" in reply.json()["detail"]
