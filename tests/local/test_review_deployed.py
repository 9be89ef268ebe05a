"""What only a deployed review service has: IAM on its API, Cognito's sign-in pages, a schedule, roles."""

import json
from contextlib import closing
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from botocore.exceptions import ClientError
from tests.local.conftest import Deployment, client_of
from tests.local.review_backends import (
    ONCE,
    PASSWORD,
    ApiUser,
    CognitoPeople,
    Portal,
    browser,
    function_of,
)

from overread_client import ApiError, ReviewSandbox, a2i_client, sagemaker_client


@pytest.fixture(scope="module")
def url(desk: Deployment) -> str:
    """The API's address."""
    return desk.stack.local_address(desk.output("review", "ReviewUrl"))


@pytest.fixture(scope="module")
def people(desk: Deployment, url: str) -> CognitoPeople:
    """The user pool, with a reviewer, a lead, and somebody who belongs to no team."""
    found = CognitoPeople(desk.stack, pool_id=desk.output("review", "UserPoolId"), portal_url=url)
    found.add("joan", groups=["reviewers"])
    found.add("nobody", groups=[])
    return found


def api_id(url: str) -> str:
    return url.split("/")[-2]


# Permissions of the API


def test_an_unsigned_call_is_refused(url: str) -> None:
    for method, path in (
        ("POST", "sagemaker/ListWorkteams"),
        ("GET", "human-loops?FlowDefinitionArn=x"),
        ("GET", "human-loops/h-1"),
        ("DELETE", "human-loops/h-1"),
        ("POST", "human-loops/stop"),
        ("GET", "qualifications"),
    ):
        reply = httpx.request(method, f"{url}/{path}", content=b"{}", trust_env=False, timeout=30)
        assert reply.status_code == 403, (method, path, reply.text)
        assert "message" in {key.lower() for key in reply.json()}


def test_a_signed_caller_without_a_grant_is_refused(desk: Deployment, url: str) -> None:
    stranger = ApiUser(desk.stack, name="review-stranger", api_id=None)
    a2i = a2i_client(url, session=stranger.session, config=ONCE)
    with pytest.raises(ClientError) as caught:
        a2i.describe_human_loop(HumanLoopName="h-1")
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"


def test_a_policy_can_allow_a_single_operation(desk: Deployment, url: str) -> None:
    user = ApiUser(desk.stack, name="review-lister", api_id=None)
    statement = {
        "Effect": "Allow",
        "Action": "execute-api:Invoke",
        "Resource": f"arn:aws:execute-api:*:*:{api_id(url)}/*/POST/sagemaker/ListWorkteams",
    }
    client_of(desk.stack, "iam").put_user_policy(
        UserName="review-lister",
        PolicyName="list",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    sagemaker = sagemaker_client(url, session=user.session, config=ONCE)
    assert sagemaker.list_workteams()["Workteams"]
    with pytest.raises(ClientError) as caught:
        sagemaker.delete_workteam(WorkteamName="any")
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"


def test_the_path_that_was_allowed_serves_no_other_operation(desk: Deployment, url: str) -> None:
    user = ApiUser(desk.stack, name="review-smuggler", api_id=api_id(url))
    sagemaker = sagemaker_client(url, session=user.session, config=ONCE)

    def smuggle(params: dict[str, Any], **_: Any) -> None:
        params["headers"]["X-Amz-Target"] = "SageMaker.DeleteWorkforce"
        params["body"] = b'{"WorkforceName": "any"}'

    sagemaker.meta.events.register("before-call.sagemaker.ListWorkteams", smuggle)
    with pytest.raises(ClientError) as caught:
        sagemaker.list_workteams()
    assert caught.value.response["Error"]["Code"] == "UnknownOperationException"


def test_operations_that_are_not_the_review_services_are_unknown(desk: Deployment, url: str) -> None:
    user = ApiUser(desk.stack, name="review-wanderer", api_id=api_id(url))
    with pytest.raises(ClientError) as caught:
        sagemaker_client(url, session=user.session, config=ONCE).list_endpoints()
    assert caught.value.response["Error"]["Code"] == "UnknownOperationException"


def test_the_sandbox_is_off_unless_the_settings_turn_it_on(desk: Deployment, url: str) -> None:
    user = ApiUser(desk.stack, name="review-impostor", api_id=api_id(url))
    with pytest.raises(ApiError) as refused:
        ReviewSandbox(url, session=user.session).answer("h-1", {"decision": {"label": "approve"}})
    assert refused.value.status == 403


# Signing in


def test_the_way_through_cognitos_pages_ends_in_the_portal(people: CognitoPeople, url: str) -> None:
    http, page = people.browser("joan")
    with closing(Portal(http, url=url)) as portal:
        assert str(page.url) == f"{url}/portal/"
        session = portal.open().session
        assert session["reviewer"]["name"] == "joan"
        assert session["reviewer"]["groups"] == ["reviewers"]
        assert session["reviewer"]["provider"] == "workforce"
        (cookie,) = [one for one in http.cookies.jar if one.name == "overread_session"]
        assert cookie.path == f"{urlsplit(url).path}/portal"
        assert cookie.has_nonstandard_attr("HttpOnly")


def test_a_wrong_password_signs_nobody_in(people: CognitoPeople, url: str) -> None:
    http, _ = people.browser("joan", password=PASSWORD[::-1])
    with closing(Portal(http, url=url)) as portal:
        assert portal.get("session").status_code == 401


def test_somebody_of_no_team_sees_no_tasks(people: CognitoPeople) -> None:
    with closing(people.sign_in("nobody")) as portal:
        assert portal.tasks() == []
        assert not portal.session["reviewer"]["lead"]


def test_an_answer_of_cognito_that_was_not_asked_for_is_refused(people: CognitoPeople, url: str) -> None:
    with browser() as stranger:
        away = stranger.get(f"{url}/portal/sign-in/workforce")
        state = parse_qs(urlsplit(away.headers["location"]).query)["state"][0]
        forged = stranger.get(f"{url}/portal/signed-in/workforce", params={"code": "x", "state": "other"})
        assert forged.status_code == 403
        assert "overread_session" not in stranger.cookies
    with browser() as another:  # without the first one's cookie
        stolen = another.get(f"{url}/portal/signed-in/workforce", params={"code": "x", "state": state})
        assert stolen.status_code == 403
        assert "overread_session" not in another.cookies


@pytest.mark.parametrize("change", ["payload", "mac", "nothing of it"])
def test_a_changed_cookie_is_no_session(people: CognitoPeople, url: str, change: str) -> None:
    with closing(people.sign_in("joan")) as portal, browser() as forger:
        (cookie,) = [one for one in portal.cookies() if one.name == "overread_session"]
        payload, mac = str(cookie.value).split(".")
        forged = {
            "payload": f"{payload[:-2]}AA.{mac}",
            "mac": f"{payload}.{'0' * len(mac)}",
            "nothing of it": "x",
        }[change]
        reply = forger.get(f"{url}/portal/api/session", headers={"Cookie": f"overread_session={forged}"})
        assert reply.status_code == 401


def test_signing_out_ends_both_sessions(people: CognitoPeople, url: str) -> None:
    with closing(people.sign_in("joan")) as portal:
        ended = portal.sign_out()
        assert ended.status_code == 200, ended.text
        away = portal.page(f"portal/{ended.json()['sign_out_url']}")
        assert portal.get("session").status_code == 401
        # At once, or by way of Cognito's page, back to the portal.
        assert str(away.url).startswith(url) or "logout" in str(away.url)


# What else is deployed


def test_the_portals_links_stay_below_the_stage(people: CognitoPeople, url: str) -> None:
    with browser() as http:
        for address in (f"{url}/portal/", f"{url}/portal"):
            page = http.get(address)
            assert page.status_code == 200
            assert f'<base href="{urlsplit(url).path}/portal/">' in page.text
            assert page.text.count('href="/') == 1
            assert 'src="/' not in page.text


def test_the_sweep_runs_every_minute(desk: Deployment) -> None:
    function = function_of(desk.stack, "sweep_reviews")
    configuration = client_of(desk.stack, "lambda").get_function_configuration(FunctionName=function)
    events = client_of(desk.stack, "events")
    names = events.list_rule_names_by_target(TargetArn=configuration["FunctionArn"])["RuleNames"]
    expressions = [events.describe_rule(Name=name).get("ScheduleExpression") for name in names]
    assert "rate(1 minute)" in expressions


def test_no_function_of_the_service_calls_sagemaker(desk: Deployment) -> None:
    iam, functions = client_of(desk.stack, "iam"), client_of(desk.stack, "lambda")
    for module in ("review_service", "review_sign_in", "sweep_reviews", "start_loop", "ingest_review"):
        name = function_of(desk.stack, module)
        role = functions.get_function_configuration(FunctionName=name)["Role"].rsplit("/", 1)[-1]
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            assert "sagemaker:" not in json.dumps(document), (module, policy)
