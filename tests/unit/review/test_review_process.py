"""The review service as a process of the local stack: what it reads, what it posts, what outlives it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config

from overread_local.review_process import EmulatorEvents, ReviewerFile
from overread_review.service.errors import EventUndeliveredError
from overread_testing.review_fakes import TEMPLATE


def test_reviewers_are_read_afresh(tmp_path: Path) -> None:
    path = tmp_path / "reviewers.json"
    path.write_text('[{"name": "ada", "sub": "s-1", "groups": ["a", "b"]}]')
    directory = ReviewerFile(path)
    ada = directory.find("ada")
    assert ada is not None
    assert (ada.sub, ada.groups) == ("s-1", frozenset({"a", "b"}))
    assert directory.find("grace") is None
    path.write_text('[{"name": "grace", "sub": "s-2", "groups": []}]')
    assert list(directory.names()) == ["grace"]
    assert directory.find("ada") is None


@pytest.fixture
def listener() -> Iterator[tuple[str, list[tuple[str, str, Any]]]]:
    """An emulator's event path that takes events with the token `good` only."""
    heard: list[tuple[str, str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            heard.append((self.path, self.headers["x-overread-token"], body))
            self.send_response(200 if self.headers["x-overread-token"] == "good" else 403)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", heard
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)


def test_events_are_posted_with_the_token(listener: tuple[str, list[tuple[str, str, Any]]]) -> None:
    url, heard = listener
    EmulatorEvents(emulator_url=url, token="good").emit(
        resource_arn="arn:loop", detail_type="Change", detail={"a": None}
    )
    assert heard == [
        (
            "/_overread/events",
            "good",
            {
                "source": "aws.sagemaker",
                "detail-type": "Change",
                "resources": ["arn:loop"],
                "detail": {"a": None},
            },
        )
    ]


def test_events_that_are_refused_or_reach_nobody_are_undelivered(
    listener: tuple[str, list[tuple[str, str, Any]]],
) -> None:
    for url, token in ((listener[0], "bad"), ("http://127.0.0.1:9", "good")):
        with pytest.raises(EventUndeliveredError):
            EmulatorEvents(emulator_url=url, token=token).emit(resource_arn="a", detail_type="b", detail={})


def test_a_name_that_was_pointed_at_this_machine_is_not_served(review_process: Any) -> None:
    url, _ = review_process()
    with httpx.Client(base_url=url, trust_env=False) as browser:
        assert browser.get("/portal/api/sign-in").status_code == 200
        reply = browser.post(
            "/portal/api/session", json={"reviewer": "ada"}, headers={"Host": "evil.example:80"}
        )
        assert reply.status_code == 400
        assert "set-cookie" not in reply.headers


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
    ids=["another origin", "an opaque origin", "another site"],
)
def test_a_page_of_another_site_can_change_nothing(review_process: Any, headers: dict[str, str]) -> None:
    url, _ = review_process()
    with httpx.Client(base_url=url, trust_env=False) as browser:
        text = {"Content-Type": "text/plain", **headers}
        assert browser.post("/human-loops", content=b"{}", headers=text).status_code == 403
        assert (
            browser.post("/portal/api/session", json={"reviewer": "ada"}, headers=headers).status_code == 403
        )
        own = {"Origin": url, "Sec-Fetch-Site": "same-origin"}
        assert browser.post("/portal/api/session", json={"reviewer": "ada"}, headers=own).status_code == 200


def test_sessions_claims_and_loops_outlive_the_process(review_process: Any) -> None:
    url, process = review_process()
    session = boto3.Session(
        aws_access_key_id="111122223333", aws_secret_access_key="x", region_name="us-east-1"
    )
    sagemaker = session.client("sagemaker", endpoint_url=url, config=Config(proxies={}))
    runtime = session.client("sagemaker-a2i-runtime", endpoint_url=url, config=Config(proxies={}))
    cognito = {"UserPool": "us-east-1_Abc", "ClientId": "client"}
    sagemaker.create_workforce(WorkforceName="default", CognitoConfig=cognito)
    team = sagemaker.create_workteam(
        WorkteamName="team",
        Description="All",
        MemberDefinitions=[{"CognitoMemberDefinition": {**cognito, "UserGroup": "reviewers"}}],
    )["WorkteamArn"]
    ui = sagemaker.create_human_task_ui(HumanTaskUiName="ui", UiTemplate={"Content": TEMPLATE})
    flow = sagemaker.create_flow_definition(
        FlowDefinitionName="flow",
        RoleArn="arn:aws:iam::111122223333:role/flow",
        OutputConfig={"S3OutputPath": "s3://documents/reviews"},
        HumanLoopConfig={
            "WorkteamArn": team,
            "HumanTaskUiArn": ui["HumanTaskUiArn"],
            "TaskTitle": "T",
            "TaskDescription": "D",
            "TaskCount": 1,
        },
    )["FlowDefinitionArn"]
    runtime.start_human_loop(
        HumanLoopName="loop-1", FlowDefinitionArn=flow, HumanLoopInput={"InputContent": '{"note": "n"}'}
    )
    with httpx.Client(base_url=url, trust_env=False) as ada:
        signed_in = ada.post("/portal/api/session", json={"reviewer": "ada"})
        ada.headers["X-Overread-CSRF"] = signed_in.json()["csrf_token"]
        deadline = ada.post("/portal/api/tasks/loop-1/claim").json()["claim_deadline_at"]
        process.kill()
        process.wait(timeout=10)
        review_process()
        again = ada.post("/portal/api/tasks/loop-1/claim")
        assert again.json()["claim_deadline_at"] == deadline
        answer = {"answer": {"decision": {"label": "approve"}}}
        assert ada.post("/portal/api/tasks/loop-1/answer", json=answer).status_code == 200
    found = runtime.describe_human_loop(HumanLoopName="loop-1")
    assert found["HumanLoopStatus"] == "Completed"
    assert found["HumanLoopOutput"]["OutputS3Uri"].startswith("s3://documents/reviews/flow/")
    sagemaker.close()
    runtime.close()
