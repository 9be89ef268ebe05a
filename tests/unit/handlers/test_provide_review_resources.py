"""The custom resources: CloudFormation gets exactly one answer, whatever happens."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from overread_aws.provisioning import ProvisioningRefusedError
from overread_lambda.cloudformation_answer import put_answer
from overread_lambda.provide_review_resources import Services, respond

Event = Callable[..., dict[str, Any]]
NAME = "overread-test-loan-1a2b3c4d"
NEXT = "overread-test-loan-9f8e7d6c"
ARN = f"arn:aws:sagemaker:eu-west-1:111122223333:flow-definition/{NAME}"


class Flows:
    """Flow definitions in memory, with an error to raise at the next call."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.calls: list[tuple[str, Any]] = []
        self.error: Exception | None = None
        self.block: threading.Event | None = None
        self.budget_s: Callable[[], float] = float

    def create(self, definition: dict[str, Any]) -> str:
        self._enter("create", definition["FlowDefinitionName"])
        self.names.add(definition["FlowDefinitionName"])
        return ARN.replace(NAME, definition["FlowDefinitionName"])

    def arn_of(self, name: str) -> str:
        self._enter("arn_of", name)
        return ARN.replace(NAME, name) if name in self.names else ""

    def delete(self, name: str, *, drain: bool) -> None:
        self._enter("delete", (name, drain))
        self.names.discard(name)

    def _enter(self, call: str, what: Any) -> None:
        self.calls.append((call, what))
        if self.block:
            self.block.wait(5)
        if self.error:
            raise self.error


@pytest.fixture
def flows() -> Flows:
    return Flows()


def answers(flows: Flows, event: dict[str, Any], remaining_s: float = 300.0) -> list[dict[str, Any]]:
    """Every answer that CloudFormation got."""
    sent: list[dict[str, Any]] = []

    def send(url: str, body: bytes) -> None:
        assert url == event["ResponseURL"]
        assert len(body) <= 4096
        sent.append(json.loads(body))

    def make(budget_s: Callable[[], float]) -> Services:
        flows.budget_s = budget_s
        return Services(flows=flows, task_uis=flows, workforces=flows, workteams=flows)  # type: ignore[arg-type]

    respond(event, make=make, send=send, remaining_s=remaining_s, monotonic=lambda: 100.0)
    return sent


def changed(event: dict[str, Any], request: str, *, name: str = NAME, **properties: Any) -> dict[str, Any]:
    """The event as an update or a deletion of the flow definition `name`."""
    merged = {**event["ResourceProperties"], **properties}
    return {**event, "RequestType": request, "PhysicalResourceId": name, "ResourceProperties": merged}


def renamed(event: dict[str, Any], name: str) -> str:
    text: str = event["ResourceProperties"]["Definition"].replace(NAME, name)
    return text


def test_creation_answers_with_name_and_arn(flows: Flows, event: Event) -> None:
    created = event("cloudformation-create")
    (answer,) = answers(flows, created)
    assert answer == {
        "Status": "SUCCESS",
        "Reason": "done",
        "PhysicalResourceId": NAME,
        "StackId": created["StackId"],
        "RequestId": created["RequestId"],
        "LogicalResourceId": "LoanApprovalFlowDefinition1A2B3C4D",
        "Data": {"FlowDefinitionArn": ARN, "FlowDefinitionName": NAME},
    }


def test_an_update_to_another_name_creates_and_leaves_the_old_one_to_cloudformation(
    flows: Flows, event: Event
) -> None:
    flows.names.add(NAME)
    created = event("cloudformation-create")
    (answer,) = answers(flows, changed(created, "Update", Definition=renamed(created, NEXT)))
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", NEXT)
    assert flows.names == {NAME, NEXT}


def test_an_update_of_the_same_name_changes_nothing(flows: Flows, event: Event) -> None:
    flows.names.add(NAME)
    (answer,) = answers(flows, changed(event("cloudformation-create"), "Update", OnDelete="drain"))
    assert (answer["Status"], answer["Data"]["FlowDefinitionArn"]) == ("SUCCESS", ARN)
    assert flows.calls == [("arn_of", NAME)]


def test_an_update_of_one_that_has_vanished_says_so(flows: Flows, event: Event) -> None:
    (answer,) = answers(flows, changed(event("cloudformation-create"), "Update"))
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", NAME)
    assert "does not exist any more" in answer["Reason"]


@pytest.mark.parametrize(("on_delete", "drain"), [("refuse", False), ("drain", True)])
def test_a_deletion_drains_only_when_told(flows: Flows, event: Event, on_delete: str, drain: bool) -> None:
    created = event("cloudformation-create")
    (answer,) = answers(flows, changed(created, "Delete", OnDelete=on_delete))
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", NAME)
    assert flows.calls == [("delete", (NAME, drain))]


def test_a_refused_deletion_fails_with_the_reason(flows: Flows, event: Event) -> None:
    flows.error = ProvisioningRefusedError("3 open", operation="DeleteFlowDefinition", is_ours=True)
    (answer,) = answers(flows, changed(event("cloudformation-create"), "Delete"))
    assert (answer["Status"], answer["Reason"], answer["PhysicalResourceId"]) == ("FAILED", "3 open", NAME)


@pytest.mark.parametrize(("is_ours", "physical_id"), [(True, NAME), (False, f"not-created:{NAME}")])
def test_a_failed_creation_is_removed_by_the_rollback_only_when_it_is_ours(
    flows: Flows, event: Event, is_ours: bool, physical_id: str
) -> None:
    created = event("cloudformation-create")
    flows.error = ProvisioningRefusedError("no", operation="CreateFlowDefinition", is_ours=is_ours)
    (answer,) = answers(flows, created)
    assert (answer["Status"], answer["Reason"], answer["PhysicalResourceId"]) == ("FAILED", "no", physical_id)
    flows.error = None
    flows.calls.clear()
    (answer,) = answers(flows, changed(created, "Delete", name=physical_id))
    assert answer["Status"] == "SUCCESS"
    assert flows.calls == ([("delete", (NAME, False))] if is_ours else [])


@pytest.mark.parametrize("error", [KeyError("bug"), RuntimeError("x" * 9000), OSError("down")])
def test_any_error_at_all_is_an_answer(flows: Flows, event: Event, error: Exception) -> None:
    flows.error = error
    (answer,) = answers(flows, event("cloudformation-create"))
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", NAME)
    assert answer["Reason"].startswith(type(error).__name__)


@pytest.mark.parametrize("definition", [None, "{", "[]", "{}"])
def test_a_definition_that_cannot_be_read_is_an_answer(
    flows: Flows, event: Event, definition: str | None
) -> None:
    created = event("cloudformation-create")
    created["ResourceProperties"]["Definition"] = definition
    (answer,) = answers(flows, created)
    assert answer["Status"] == "FAILED"
    assert answer["PhysicalResourceId"].startswith("not-created:")
    assert flows.calls == []


def test_a_call_that_hangs_is_answered_by_the_watchdog_and_only_once(flows: Flows, event: Event) -> None:
    flows.block = threading.Event()
    threading.Timer(0.3, flows.block.set).start()
    (answer,) = answers(flows, event("cloudformation-create"), remaining_s=10.05)
    assert (answer["Status"], answer["Reason"]) == ("FAILED", "the function ran out of time")


@pytest.mark.parametrize(
    ("service_timeout", "remaining_s", "budget_s"),
    [
        ("300", 900.0, 270.0),
        ("300", 100.0, 80.0),
        (None, 100.0, 80.0),
        ("x", 100.0, 80.0),
        ("10", 900.0, 0.0),
    ],
)
def test_the_work_ends_before_cloudformation_or_lambda_lose_patience(
    flows: Flows, event: Event, service_timeout: str | None, remaining_s: float, budget_s: float
) -> None:
    created = event("cloudformation-create")
    created["ResourceProperties"]["ServiceTimeout"] = service_timeout
    answers(flows, created, remaining_s=remaining_s)
    assert flows.budget_s() == budget_s


@contextmanager
def server(*statuses: int) -> Iterator[tuple[str, list[tuple[str, bytes, str | None]]]]:
    """An address that answers with these statuses in turn, and what it got."""
    got: list[tuple[str, bytes, str | None]] = []
    replies = iter(statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.path, body, self.headers.get("Content-Type")))
            self.send_response(next(replies))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Keep the test's output quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_port}/answer?X-Amz-Signature=1", got
        finally:
            http.shutdown()
            thread.join()


def test_the_answer_is_put_to_the_presigned_address_without_a_content_type() -> None:
    with server(200) as (url, got):
        put_answer(url, b"{}")
    assert got == [("/answer?X-Amz-Signature=1", b"{}", "")]


def test_the_answer_is_put_again_when_it_did_not_arrive() -> None:
    with server(503, 200) as (url, got):
        put_answer(url, b"{}")
    assert len(got) == 2


def test_an_address_that_is_not_http_is_refused() -> None:
    with pytest.raises(ValueError, match="http"):
        put_answer("file:///etc/passwd", b"{}")
