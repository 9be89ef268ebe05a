"""The review service's clients: boto3's own methods, the REST API's paths and signature."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from overread_client import ApiError, ReviewSandbox, a2i_client, sagemaker_client

KEY = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "secret"}
QUICK = Config(retries={"total_max_attempts": 1}, proxies={})


@dataclass(frozen=True)
class Sent:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    """An HTTP server with one canned reply and a record of every request."""

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    requests: list[Sent] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            state.requests.append(Sent(self.command, self.path, headers, body))
            self.send_response(state.status)
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(state.body)))
            self.end_headers()
            self.wfile.write(state.body)

        do_GET = do_POST = do_DELETE = handle_any  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Keep the test's output quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{http.server_port}/live"
    yield state
    http.shutdown()
    http.server_close()
    thread.join()


def session() -> boto3.Session:
    return boto3.Session(**KEY)


def is_signed_for(sent: Sent, *, scope: str, url: str) -> bool:
    """Whether the signature is that of the same request for this scope, computed anew."""
    head, credential, signed_headers, signature = sent.headers["authorization"].replace(",", "").split()
    assert (head, credential.endswith(f"/{scope}/aws4_request")) == ("AWS4-HMAC-SHA256", True), credential
    region, service = scope.split("/")
    names = signed_headers.removeprefix("SignedHeaders=").split(";")
    request = AWSRequest(
        sent.method,
        url.removesuffix("/live") + sent.path,
        headers={name: sent.headers[name] for name in names},
        data=sent.body,
    )
    request.context["timestamp"] = sent.headers["x-amz-date"]
    signer = SigV4Auth(Credentials(KEY["aws_access_key_id"], KEY["aws_secret_access_key"]), service, region)
    expected = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    return signature == f"Signature={expected}"


def test_a_loop_call_keeps_its_path_below_the_stage_and_is_signed_for_the_rest_api(server: Server) -> None:
    server.body = json.dumps({"HumanLoopArn": "arn:loop"}).encode()
    a2i = a2i_client(server.url, region="eu-west-1", session=session(), config=QUICK)
    reply = a2i.start_human_loop(
        HumanLoopName="h-1",
        FlowDefinitionArn="arn:aws:sagemaker:eu-west-1:111122223333:flow-definition/flow",
        HumanLoopInput={"InputContent": "{}"},
    )
    (sent,) = server.requests
    assert reply["HumanLoopArn"] == "arn:loop"
    assert (sent.method, sent.path) == ("POST", "/live/human-loops")
    assert json.loads(sent.body)["HumanLoopName"] == "h-1"
    assert is_signed_for(sent, scope="eu-west-1/execute-api", url=server.url)


def test_a_query_is_signed_too(server: Server) -> None:
    server.body = b'{"HumanLoopSummaries": []}'
    a2i = a2i_client(server.url, region="eu-west-1", session=session(), config=QUICK)
    flow = "arn:aws:sagemaker:eu-west-1:111122223333:flow-definition/flow"
    a2i.list_human_loops(FlowDefinitionArn=flow, MaxResults=5)
    (sent,) = server.requests
    assert sent.path.startswith("/live/human-loops?")
    assert "MaxResults=5" in sent.path
    assert is_signed_for(sent, scope="eu-west-1/execute-api", url=server.url)


@pytest.fixture
def sagemaker(server: Server) -> Any:
    return sagemaker_client(server.url + "/", region="eu-west-1", session=session(), config=QUICK)


def test_each_control_plane_operation_has_a_path_of_its_own(server: Server, sagemaker: Any) -> None:
    server.body = b'{"Success": true}'
    sagemaker.delete_workteam(WorkteamName="team")
    sagemaker.list_flow_definitions()
    assert [sent.path for sent in server.requests] == [
        "/live/sagemaker/DeleteWorkteam",
        "/live/sagemaker/ListFlowDefinitions",
    ]
    assert server.requests[0].headers["x-amz-target"] == "SageMaker.DeleteWorkteam"
    for sent in server.requests:
        assert is_signed_for(sent, scope="eu-west-1/execute-api", url=server.url)


def test_the_services_errors_are_boto3s_own(server: Server, sagemaker: Any) -> None:
    server.status, server.body = 400, b'{"__type": "ResourceNotFound", "message": "none of that name"}'
    with pytest.raises(ClientError) as caught:
        sagemaker.describe_flow_definition(FlowDefinitionName="none")
    assert caught.value.response["Error"] == {"Code": "ResourceNotFound", "Message": "none of that name"}
    a2i = a2i_client(server.url, region="eu-west-1", session=session(), config=QUICK)
    server.status, server.body = 404, b'{"Message": "no loop"}'
    server.headers = {"x-amzn-ErrorType": "ResourceNotFoundException"}
    with pytest.raises(a2i.exceptions.ResourceNotFoundException, match="no loop"):
        a2i.describe_human_loop(HumanLoopName="none")


def test_a_refusal_of_api_gateway_is_an_access_error(server: Server) -> None:
    server.status, server.body = 403, b'{"Message": "not authorized to perform: execute-api:Invoke"}'
    server.headers = {"x-amzn-ErrorType": "AccessDeniedException"}
    a2i = a2i_client(server.url, region="eu-west-1", session=session(), config=QUICK)
    with pytest.raises(ClientError) as caught:
        a2i.describe_human_loop(HumanLoopName="h-1")
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"


@pytest.mark.parametrize(
    "host",
    ["abc.execute-api.eu-central-1.amazonaws.com", "abc-vpce-0f.execute-api.eu-central-1.amazonaws.com"],
)
def test_the_region_is_read_from_the_address(host: str) -> None:
    client = a2i_client(f"https://{host}/live", session=boto3.Session(**KEY, region_name="us-east-1"))
    assert client.meta.region_name == "eu-central-1"


def test_a_region_of_the_session_counts_where_the_address_names_none(server: Server) -> None:
    client = a2i_client(server.url, session=boto3.Session(**KEY, region_name="ap-south-1"), config=QUICK)
    assert client.meta.region_name == "ap-south-1"


def test_without_any_region_the_clients_say_what_is_missing(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(ValueError, match="region must be given"):
        a2i_client(server.url)


@pytest.mark.parametrize("url", ["", "abc.execute-api.eu-west-1.amazonaws.com", "s3://bucket", "https://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="url must be the http"):
        sagemaker_client(url, region="eu-west-1")


def test_a_botocore_session_will_do(server: Server) -> None:
    plain = botocore.session.Session()
    plain.set_credentials(*KEY.values())
    server.body = b'{"HumanLoopSummaries": []}'
    a2i = a2i_client(server.url, region="eu-west-1", session=plain, config=QUICK)
    a2i.list_human_loops(FlowDefinitionArn="arn:aws:sagemaker:eu-west-1:111122223333:flow-definition/flow")
    assert is_signed_for(server.requests[0], scope="eu-west-1/execute-api", url=server.url)


def test_the_sandbox_answers_a_loop_by_its_name(server: Server) -> None:
    server.body = b'{"status": "Completed"}'
    sandbox = ReviewSandbox(server.url, region="eu-west-1", session=session())
    assert sandbox.answer("h-1", {"decision": {"label": "approve"}}, reviewer="second") == "Completed"
    (sent,) = server.requests
    assert (sent.method, sent.path) == ("POST", "/live/sandbox/human-loops/h-1/answers")
    assert json.loads(sent.body) == {"answer": {"decision": {"label": "approve"}}, "reviewer": "second"}
    assert is_signed_for(sent, scope="eu-west-1/execute-api", url=server.url)


def test_the_sandbox_finds_the_loop_of_a_decision(server: Server) -> None:
    server.body = b'{"status": "InProgress"}'
    sandbox = ReviewSandbox(server.url, region="eu-west-1", session=session())
    decision = "d-aaaaaaaaaaaaaaaaaaaaaaaaaa"
    assert sandbox.answer_decision(decision, {"x": "y"}, generation=2, suffix="b") == "InProgress"
    assert sandbox.answer_decision(decision, {"x": "y"}) == "InProgress"
    first, second = (sent.path.split("/")[-2] for sent in server.requests)
    assert first.removesuffix("-g2-b") == second.removesuffix("-g1") != first


def test_a_deployment_without_the_sandboxs_path_is_said_to_be_none(server: Server) -> None:
    server.status, server.body = 403, b'{"message": "Missing Authentication Token"}'
    sandbox = ReviewSandbox(server.url, region="eu-west-1", session=session())
    with pytest.raises(ApiError, match=r"403 This is no sandbox: .*review\.sandbox: true") as caught:
        sandbox.answer("h-1", {})
    assert caught.value.type == "urn:overread:problem:sandbox-off"
    server.body = b'{"Message": "User is not authorized to perform: execute-api:Invoke"}'
    with pytest.raises(ApiError, match=r"^403 Unexpected reply: User is not authorized"):
        sandbox.answer("h-1", {})


def test_the_sandboxs_refusal_is_told(server: Server) -> None:
    server.status = 404
    server.body = json.dumps(
        {"type": "urn:overread:problem:unknown-loop", "title": "Unknown loop", "detail": "no loop h-1"}
    ).encode()
    with pytest.raises(ApiError, match="404 Unknown loop: no loop h-1") as caught:
        ReviewSandbox(server.url, region="eu-west-1", session=session()).answer("h-1", {})
    assert caught.value.type == "urn:overread:problem:unknown-loop"
