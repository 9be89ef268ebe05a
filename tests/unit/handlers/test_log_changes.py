"""The change log as a custom resource: each new text once, with who stands for it, or not at all."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from overread.audit.chain import genesis, verify
from overread.audit.changes import Text, document
from overread.errors import MissingSettingsError
from overread_lambda.log_changes import PHYSICAL_ID, change_log_settings, respond
from overread_testing.audit_fakes import MemoryArchive, MemoryChangeLog, MemoryLog

AT = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
POLICY = json.dumps({"version": "1", "routing": {"threshold": 0.9, "rules": [{"name": "high", "when": "a"}]}})
STRICTER = json.dumps({"version": "2", "routing": {"threshold": 0.95, "rules": []}})
PAGE = "<p>{{ task.input.amount }}</p>"


class Deployment:
    """A log, an archive, and CloudFormation's requests."""

    def __init__(self) -> None:
        self.log, self.archive = MemoryLog(), MemoryArchive()

    def request(self, kind: str, properties: dict[str, Any], **members: Any) -> dict[str, Any]:
        event = {
            "RequestType": kind,
            "ResourceType": "Custom::OverreadChangeLog",
            "ResourceProperties": properties,
            "ResponseURL": "https://cloudformation",
            "StackId": "s",
            "RequestId": "r",
            "LogicalResourceId": "ChangeLog",
            **({} if kind == "Create" else {"PhysicalResourceId": PHYSICAL_ID}),
            **members,
        }
        sent: list[dict[str, Any]] = []
        respond(
            event,
            make=lambda: (MemoryChangeLog(self.log), self.archive),
            send=lambda _, body: sent.append(json.loads(body)),
            remaining_s=60.0,
            clock=lambda: AT,
        )
        (answer,) = sent
        return answer

    def entries(self, subject: str) -> list[Any]:
        return [link.entry for link in self.log.entries(f"change/{subject}")]


def properties(**texts: str) -> dict[str, Any]:
    return {
        "Texts": [{"Subject": f"{kind}/loans", "Content": content} for kind, content in texts.items()],
        "ProposedBy": "ada",
        "ApprovedBy": "grace",
        "Ticket": "CHG-7",
        "NeedsTwo": "true",
    }


@pytest.fixture
def deployment() -> Deployment:
    return Deployment()


def test_first_deployment_logs_every_text_and_archives_it(deployment: Deployment) -> None:
    answer = deployment.request("Create", properties(policy=POLICY, template=PAGE))
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", PHYSICAL_ID)
    assert answer["Data"] == {"Changed": "2"}
    sha256 = Text("template/loans", PAGE).sha256
    assert deployment.entries("template/loans") == [
        {
            "schema": 1,
            "decision_id": "change/template/loans",
            "number": 1,
            "at": "2026-11-22T21:00:00.000Z",
            "event": "template_changed",
            "from_state": "",
            "to_state": "",
            "generation": 0,
            "detail": {
                "from_sha256": "",
                "to_sha256": sha256,
                "proposed_by": "ada",
                "approved_by": "grace",
                "ticket": "CHG-7",
            },
        }
    ]
    assert document(sha256, archive=deployment.archive) == PAGE
    chain = deployment.log.chains["changes"]
    assert verify(chain, from_head=genesis("changes")).is_intact


def test_only_what_changed_is_logged_with_the_members_that_differ(deployment: Deployment) -> None:
    deployment.request("Create", properties(policy=POLICY, template=PAGE))
    before, after = properties(policy=POLICY, template=PAGE), properties(policy=STRICTER, template=PAGE)
    answer = deployment.request("Update", after, OldResourceProperties=before)
    assert answer["Data"] == {"Changed": "1"}
    (_, entry) = deployment.entries("policy/loans")
    assert (entry["number"], entry["event"]) == (2, "policy_changed")
    assert entry["detail"]["from_sha256"] == Text("", POLICY).sha256
    assert entry["detail"]["changed"] == [
        {"member": "routing.rules", "from": None, "to": []},
        {"member": "routing.rules[0].name", "from": "high", "to": None},
        {"member": "routing.rules[0].when", "from": "a", "to": None},
        {"member": "routing.threshold", "from": 0.9, "to": 0.95},
        {"member": "version", "from": "1", "to": "2"},
    ]
    assert len(deployment.entries("template/loans")) == 1


def test_repeated_request_logs_nothing_twice(deployment: Deployment) -> None:
    for _ in range(2):
        deployment.request("Create", properties(policy=POLICY))
    assert len(deployment.entries("policy/loans")) == 1


def test_text_that_is_gone_is_logged(deployment: Deployment) -> None:
    deployment.request("Create", properties(policy=POLICY, template=PAGE))
    both, one = properties(policy=POLICY, template=PAGE), properties(template=PAGE)
    deployment.request("Update", one, OldResourceProperties=both)
    assert [entry["event"] for entry in deployment.entries("policy/loans")] == [
        "policy_changed",
        "policy_removed",
    ]
    deployment.request("Update", both, OldResourceProperties=one)
    assert deployment.entries("policy/loans")[-1]["number"] == 3


def test_deleted_stack_logs_the_end_of_its_texts_without_approval(deployment: Deployment) -> None:
    deployment.request("Create", properties(policy=POLICY))
    answer = deployment.request("Delete", properties(policy=POLICY) | {"ApprovedBy": ""})
    assert answer["Status"] == "SUCCESS"
    assert deployment.entries("policy/loans")[-1]["event"] == "policy_removed"


@pytest.mark.parametrize("approved_by", ["", "ada", "ADA"])
def test_change_that_nobody_else_approved_is_refused_and_not_logged(
    deployment: Deployment, approved_by: str
) -> None:
    answer = deployment.request("Create", properties(policy=POLICY) | {"ApprovedBy": approved_by})
    assert answer["Status"] == "FAILED"
    assert "changes need two persons" in answer["Reason"]
    assert answer["PhysicalResourceId"].startswith("not-created:")
    assert deployment.entries("policy/loans") == []
    assert not any(deployment.archive.versions.values())


def test_deployment_without_changes_needs_no_approval(deployment: Deployment) -> None:
    deployment.request("Create", properties(policy=POLICY))
    same = properties(policy=POLICY) | {"ApprovedBy": ""}
    assert deployment.request("Update", same, OldResourceProperties=same)["Status"] == "SUCCESS"


def test_one_person_is_enough_where_that_is_the_rule(deployment: Deployment) -> None:
    one = properties(policy=POLICY) | {"ApprovedBy": "", "NeedsTwo": "false"}
    assert deployment.request("Create", one)["Status"] == "SUCCESS"
    assert deployment.entries("policy/loans")[0]["detail"]["approved_by"] == ""


def test_deletion_of_what_was_never_created_touches_nothing(deployment: Deployment) -> None:
    never = "not-created:overread-change-log"
    answer = deployment.request("Delete", properties(policy=POLICY), PhysicalResourceId=never)
    assert answer["Status"] == "SUCCESS"
    assert deployment.entries("policy/loans") == []


def test_text_that_was_replaced_in_the_archive_is_not_given_out(deployment: Deployment) -> None:
    sha256 = Text("", PAGE).sha256
    deployment.archive.put(f"documents/{sha256}", b"<p>another</p>", content_type="")
    assert document(sha256, archive=deployment.archive) is None


def test_the_function_names_all_settings_that_it_lacks() -> None:
    with pytest.raises(MissingSettingsError, match="OVERREAD_TABLE, OVERREAD_AUDIT_BUCKET"):
        change_log_settings({})
