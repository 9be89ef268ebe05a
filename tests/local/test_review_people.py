"""The local stack's reviewers and leads, its secret, and what other sites' pages can do to it: nothing."""

from typing import Any

import httpx
import psutil
import pytest
from botocore.exceptions import ClientError
from tests.local.conftest import Clients

from overread_local.stack import LocalStack

TARGET = {"X-Amz-Target": "SageMaker.ListWorkteams", "Content-Type": "text/plain"}


def test_reviewers_seniors_and_leads_can_sign_in(local_stack: LocalStack) -> None:
    reply = httpx.get(f"{local_stack.portal_url}/portal/api/sign-in", trust_env=False)
    offered = {person["name"]: person["lead"] for person in reply.raise_for_status().json()["reviewers"]}
    readers = ("ada", "grace", "katherine", "margaret", "evelyn", "radia")
    assert offered == {**dict.fromkeys(readers, False), "barbara": True}


def test_a_lead_works_in_the_reviewers_team_too(local_stack: LocalStack) -> None:
    with httpx.Client(base_url=local_stack.portal_url, trust_env=False) as http:
        reply = http.post("/portal/api/session", json={"reviewer": "barbara"}).raise_for_status().json()
    assert reply["reviewer"]["lead"] is True
    assert sorted(reply["reviewer"]["groups"]) == ["leads", "reviewers"]


def test_a_senior_works_in_the_seniors_team_only(local_stack: LocalStack) -> None:
    with httpx.Client(base_url=local_stack.portal_url, trust_env=False) as http:
        reply = http.post("/portal/api/session", json={"reviewer": "margaret"}).raise_for_status().json()
    assert reply["reviewer"]["lead"] is False
    assert reply["reviewer"]["groups"] == ["seniors"]


def test_the_secret_stands_on_no_command_line(local_stack: LocalStack) -> None:
    token = local_stack.record.token
    for process in local_stack.record.processes.values():
        assert token not in " ".join(psutil.Process(process.pid).cmdline())


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
    ids=["another origin", "an opaque origin", "another site"],
)
@pytest.mark.parametrize("path", ["/", "/human-loops", "/human-loops/stop"])
def test_pages_of_other_sites_reach_nothing_of_sagemaker(
    local_stack: LocalStack, headers: dict[str, str], path: str
) -> None:
    signed = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=000000000000/20260101/us-east-1/sagemaker/aws4_request,"
        " SignedHeaders=host, Signature=0"
    }
    url = f"{local_stack.endpoint_url}{path}"
    foreign = httpx.post(url, content=b"{}", headers=TARGET | signed | headers, trust_env=False)
    assert (foreign.status_code, foreign.text) == (403, "requests of other sites are refused\n")
    own = httpx.post(url, content=b"{}", headers=TARGET | signed, trust_env=False)
    assert "other sites" not in own.text


def test_teams_of_vendors_are_asked_of_the_review_service(aws: Clients) -> None:
    sagemaker: Any = aws("sagemaker")
    assert sagemaker.list_subscribed_workteams()["SubscribedWorkteams"] == []
    arn = "arn:aws:sagemaker:us-east-1:000000000000:workteam/vendor-crowd/acme"
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.describe_subscribed_workteam(WorkteamArn=arn)
