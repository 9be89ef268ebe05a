"""The whole program behind API Gateway's events: façade, portal and signing in, below the stage."""

import base64
import json
from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from overread_lambda.review_gateway import Handler, rest_handler
from overread_review.app import create_app
from overread_review.identity.app import create_sign_in_app
from overread_review.identity.providers import OidcProvider
from overread_review.portal.sessions import Sessions
from overread_review.portal.sign_in import OidcSignIn, SignInMethod
from overread_testing.review_fakes import ADA, ReviewLab, review_lab

URL = "https://abc.execute-api.eu-west-1.amazonaws.com/live"
PROVIDER = OidcProvider(
    id="workforce",
    title="Sign in",
    issuer="https://issuer.example",
    client_id="client",
    authorization_endpoint="https://issuer.example/authorize",
    token_endpoint="https://issuer.example/token",
    jwks_uri="https://issuer.example/keys",
    groups_claim="cognito:groups",
)
Event = Callable[..., dict[str, Any]]


@pytest.fixture
def lab() -> ReviewLab:
    return review_lab()


@pytest.fixture
def main(lab: ReviewLab) -> Handler:
    """The main function, as its handler puts it together."""
    method = SignInMethod(id="workforce", title="Sign in", signs_out=False, invites=False)
    return rest_handler(create_app(lab.service, sign_in=OidcSignIn([method])), url=URL)


@pytest.fixture
def sign_in(lab: ReviewLab) -> Handler:
    """The sign-in function; nothing here gets as far as its provider."""

    def unreachable(*_: object) -> Any:
        raise AssertionError("the provider is not to be asked")

    app = create_sign_in_app(
        providers=[PROVIDER],
        sessions=Sessions(lab.service.session_secret),
        clock=lab.clock,
        exchange=unreachable,
        keys=unreachable,
        inviter=None,
        portal_url=URL,
    )
    return rest_handler(app, url=URL)


@pytest.fixture
def cookie(lab: ReviewLab) -> str:
    """Ada's session, as the sign-in function would have set it."""
    sessions = Sessions(lab.service.session_secret)
    return f"overread_session={sessions.cookie(sessions.open(ADA, now=lab.clock()))}"


def request_of(
    event: Event, method: str, path: str, *, body: Any = None, headers: dict[str, str] | None = None
) -> dict[str, Any]:
    """A proxy event; bodies come in base64, because the API takes every media type as binary."""
    sent = {"Host": "abc.execute-api.eu-west-1.amazonaws.com", **(headers or {})}
    return event(
        "rest-proxy-post",
        path=path,
        httpMethod=method,
        headers=sent,
        multiValueHeaders={name: [value] for name, value in sent.items()},
        queryStringParameters=None,
        multiValueQueryStringParameters=None,
        body=None if body is None else base64.b64encode(json.dumps(body).encode()).decode(),
        isBase64Encoded=body is not None,
    )


def test_a_control_plane_call_is_answered_as_boto3_expects_it(main: Handler, event: Event) -> None:
    headers = {"X-Amz-Target": "SageMaker.ListWorkteams", "Content-Type": "application/x-amz-json-1.1"}
    reply = main(request_of(event, "POST", "/sagemaker/ListWorkteams", body={}, headers=headers), None)
    assert (reply["statusCode"], reply["isBase64Encoded"]) == (200, False)
    assert [team["WorkteamName"] for team in json.loads(reply["body"])["Workteams"]] == ["team"]


def test_a_loops_error_keeps_the_header_that_names_it(main: Handler, event: Event) -> None:
    reply = main(request_of(event, "GET", "/human-loops/none"), None)
    assert reply["statusCode"] == 404
    assert reply["headers"]["x-amzn-errortype"] == "ResourceNotFoundException"


def test_the_portal_asks_for_signing_in_at_its_own_address(main: Handler, event: Event) -> None:
    reply = main(request_of(event, "GET", "/portal/api/sign-in"), None)
    (provider,) = json.loads(reply["body"])["providers"]
    assert provider["url"] == "sign-in/workforce"
    assert main(request_of(event, "GET", "/portal/api/session"), None)["statusCode"] == 401


def test_nobody_signs_in_by_name(main: Handler, event: Event) -> None:
    reply = main(request_of(event, "POST", "/portal/api/session", body={"reviewer": "ada"}), None)
    assert reply["statusCode"] >= 400
    assert "set-cookie" not in {name.lower() for name in reply["headers"]}


def test_the_session_of_the_sign_in_function_is_the_main_functions(
    main: Handler, event: Event, cookie: str
) -> None:
    reply = main(request_of(event, "GET", "/portal/api/session", headers={"Cookie": cookie}), None)
    assert reply["statusCode"] == 200, reply["body"]
    assert json.loads(reply["body"])["reviewer"]["name"] == ADA.name


def test_a_session_among_several_cookies_is_found(main: Handler, event: Event, cookie: str) -> None:
    headers = {"Cookie": f"theme=dark; {cookie}; other=1"}
    assert main(request_of(event, "GET", "/portal/api/session", headers=headers), None)["statusCode"] == 200


def test_signing_in_leads_to_the_provider_and_back_below_the_stage(sign_in: Handler, event: Event) -> None:
    reply = sign_in(request_of(event, "GET", "/portal/sign-in/workforce"), None)
    assert reply["statusCode"] == 303
    away = parse_qs(urlsplit(reply["headers"]["location"]).query)
    assert away["redirect_uri"] == [f"{URL}/portal/signed-in/workforce"]
    morsel = SimpleCookie(reply["headers"]["set-cookie"])["overread_sign_in"]
    assert (morsel["path"], morsel["secure"], morsel["httponly"]) == ("/live/portal", True, True)


def test_signing_out_forgets_the_session_at_its_path(sign_in: Handler, event: Event) -> None:
    reply = sign_in(request_of(event, "GET", "/portal/sign-out/workforce"), None)
    assert reply["headers"]["location"] == "/live/portal/"
    morsel = SimpleCookie(reply["headers"]["set-cookie"])["overread_session"]
    assert (morsel["path"], morsel["max-age"]) == ("/live/portal", "0")


def test_what_is_built_reaches_the_browser_byte_for_byte(main: Handler, event: Event) -> None:
    from overread_review.portal.pages import STATIC

    headers = {"Accept": "*/*", "Accept-Encoding": "gzip"}
    reply = main(request_of(event, "GET", "/portal/static/portal.js", headers=headers), None)
    assert reply["statusCode"] == 200
    body = base64.b64decode(reply["body"]) if reply["isBase64Encoded"] else reply["body"].encode()
    if reply["headers"].get("content-encoding") == "gzip":
        import gzip

        body = gzip.decompress(body)
    assert body == (STATIC / "portal.js").read_bytes()
