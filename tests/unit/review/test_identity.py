"""Signing in with an identity provider: from the link to the session, and everything that must not get in."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.types import ASGIApp

from overread_review.identity.app import STATE_COOKIE, create_sign_in_app
from overread_review.identity.errors import ExchangeError, InvitationError, KeyUnknownError
from overread_review.identity.invitations import Invitation, ticket
from overread_review.identity.providers import OidcProvider
from overread_review.portal.sessions import COOKIE, Sessions
from overread_testing.review_fakes import FakeClock

PORTAL = "https://portal.example/live"
SESSIONS = Sessions("a secret of the deployment")
WORKFORCE = OidcProvider(
    id="workforce",
    title="Our people",
    issuer="https://login.example/pool-1",
    client_id="client-1",
    client_secret="s3cret",
    authorization_endpoint="https://login.example/authorize",
    token_endpoint="https://login.example/token",
    jwks_uri="https://login.example/keys",
    logout_endpoint="https://login.example/logout",
    groups_claim="cognito:groups",
)
VENDOR = replace(
    WORKFORCE,
    id="acme",
    title="Acme",
    issuer="https://id.acme.example",
    client_id="client-9",
    groups_claim="sagemaker:groups",
    logout_endpoint="",
)


@cache
def private_key(name: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Issuer:
    """An identity provider: remembers what it was asked, and mints the token that a test wants."""

    clock: FakeClock
    claims: dict[str, Any] = field(default_factory=dict)
    key: str = "good"
    kid: str = "good"
    algorithm: str = "RS256"
    codes: dict[str, tuple[str, str]] = field(default_factory=dict)
    forms: list[Mapping[str, str]] = field(default_factory=list)

    def authorize(self, address: str, *, code: str = "code-1") -> str:
        """What the browser brings back from the provider's page, as a query."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        self.codes[code] = (asked["nonce"], asked["code_challenge"])
        return f"code={code}&state={asked['state']}"

    def exchange(self, provider: OidcProvider, form: Mapping[str, str]) -> Mapping[str, Any]:
        self.forms.append(form)
        if form["code"] not in self.codes:
            raise ExchangeError("the identity provider refused the sign-in (status 400)")
        nonce, challenge = self.codes.pop(form["code"])
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == challenge
        return {"id_token": self.token(provider, nonce=nonce)}

    def token(self, provider: OidcProvider, *, nonce: str) -> str:
        now = int(self.clock().timestamp())
        claims = {
            "iss": provider.issuer,
            "sub": "sub-1",
            "aud": provider.client_id,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "email": "ada@example.com",
            "name": "Ada Lovelace",
            provider.groups_claim: ["reviewers", "leads"],
        } | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.algorithm == "none":
            return jwt.encode(claims, "", algorithm="none", headers={"kid": self.kid})
        if self.algorithm == "HS256":
            # As in the well-known attack: the public key's text as the secret of a symmetric signature.
            return jwt.encode(claims, "a" * 64, algorithm="HS256", headers={"kid": self.kid})
        return jwt.encode(claims, private_key(self.key), algorithm="RS256", headers={"kid": self.kid})

    def keys(self, _provider: OidcProvider, kid: str) -> Any:
        if kid != "good":
            raise KeyUnknownError("the identity provider's signing key cannot be read")
        return private_key("good").public_key()


@dataclass
class Inviter:
    invited: list[tuple[str, str, str]] = field(default_factory=list)
    refusal: str = ""

    def invite(self, *, email: str, name: str, group: str) -> None:
        if self.refusal:
            raise InvitationError(self.refusal)
        self.invited.append((email, name, group))


class Browser:
    """Speaks to the program as API Gateway does: under the stage's path, over HTTPS, with a cookie jar."""

    def __init__(self, app: ASGIApp) -> None:
        transport = httpx.ASGITransport(app, root_path="/live")
        self._client = httpx.AsyncClient(transport=transport, base_url=PORTAL)
        self.cookies = self._client.cookies

    def get(self, path: str, **options: Any) -> httpx.Response:
        return asyncio.run(self._client.get(path, **options))

    def post(self, path: str, **options: Any) -> httpx.Response:
        return asyncio.run(self._client.post(path, **options))


@dataclass
class Lab:
    client: Browser
    issuer: Issuer
    inviter: Inviter
    clock: FakeClock

    def depart(self, *, provider: str = "workforce", to: str = "") -> str:
        reply = self.client.get(f"/portal/sign-in/{provider}", params={"to": to} if to else {})
        assert reply.status_code == 303, reply.text
        return str(reply.headers["location"])

    def arrive(self, query: str, *, provider: str = "workforce") -> Any:
        return self.client.get(f"/portal/signed-in/{provider}?{query}")

    def sign_in(self, *, provider: str = "workforce", to: str = "") -> Any:
        return self.arrive(self.issuer.authorize(self.depart(provider=provider, to=to)), provider=provider)


@pytest.fixture
def lab() -> Lab:
    return make_lab()


def make_lab(*, with_inviter: bool = True) -> Lab:
    clock, inviter = FakeClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC)), Inviter()
    issuer = Issuer(clock)
    app = create_sign_in_app(
        providers=[WORKFORCE, VENDOR],
        sessions=SESSIONS,
        clock=clock,
        exchange=issuer.exchange,
        keys=issuer.keys,
        inviter=inviter if with_inviter else None,
        portal_url=PORTAL,
    )
    return Lab(Browser(app), issuer, inviter, clock)


def session_of(reply: Any) -> Any:
    value = next(
        part.partition("=")[2].partition(";")[0]
        for part in reply.headers.get_list("set-cookie")
        if part.startswith(f"{COOKIE}=")
    )
    return SESSIONS.read(value, now=datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


def refusal(reply: Any) -> str:
    assert reply.status_code == 403
    assert not any(one.startswith(f"{COOKIE}=") for one in reply.headers.get_list("set-cookie"))
    assert 'href="/live/portal/"' in reply.text
    return str(reply.text)


def test_sign_in_gives_a_strict_session_of_the_person_that_the_provider_names(lab: Lab) -> None:
    reply = lab.sign_in()
    assert (reply.status_code, reply.headers["location"]) == (303, "/live/portal/")
    reviewer = session_of(reply).reviewer
    assert (reviewer.name, reviewer.sub, reviewer.email) == ("Ada Lovelace", "sub-1", "ada@example.com")
    assert (reviewer.provider, reviewer.issuer, reviewer.key) == ("workforce", WORKFORCE.issuer, "sub-1")
    assert reviewer.groups == {"reviewers", "leads"}
    cookie = next(one for one in reply.headers.get_list("set-cookie") if one.startswith(f"{COOKIE}="))
    for attribute in ("HttpOnly", "SameSite=strict", "Secure", "Path=/live/portal"):
        assert attribute in cookie


def test_the_departure_asks_for_a_code_with_pkce_state_and_nonce(lab: Lab) -> None:
    address = lab.depart()
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert address.startswith("https://login.example/authorize?")
    assert asked["redirect_uri"] == f"{PORTAL}/portal/signed-in/workforce"
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    again = {name: values[0] for name, values in parse_qs(urlsplit(lab.depart()).query).items()}
    assert again["state"] != asked["state"]


def test_the_code_is_exchanged_for_this_redirect_address(lab: Lab) -> None:
    lab.sign_in()
    (form,) = lab.issuer.forms
    assert form["redirect_uri"] == f"{PORTAL}/portal/signed-in/workforce"
    assert form["grant_type"] == "authorization_code"


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"iss": "https://evil.example"}, "not valid"),
        ({"aud": "another-client"}, "not valid"),
        ({"aud": ["client-1", "other"]}, "another program"),
        ({"aud": ["client-1", "other"], "azp": "other"}, "another program"),
        ({"nonce": "of another sign-in"}, "answered another sign-in"),
        ({"nonce": None}, "not valid"),
        ({"exp": 1}, "is over"),
        ({"exp": "soon"}, "no usable exp"),
        ({"iat": 4_000_000_000}, "time to come"),
        ({"sub": ""}, "names nobody"),
        ({"sub": "x" * 201}, "names nobody"),
    ],
)
def test_a_token_for_others_or_of_another_time_is_refused(
    claims: dict[str, Any], said: str, lab: Lab
) -> None:
    lab.issuer.claims = claims
    assert said in refusal(lab.sign_in())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"key": "another"}, "not valid"),
        ({"kid": "unknown"}, "signing key cannot be read"),
        ({"algorithm": "none"}, "not signed with a key"),
        ({"algorithm": "HS256"}, "not signed with a key"),
    ],
)
def test_a_token_that_the_provider_did_not_sign_is_refused(
    changes: dict[str, str], said: str, lab: Lab
) -> None:
    for name, value in changes.items():
        setattr(lab.issuer, name, value)
    assert said in refusal(lab.sign_in())


def test_a_callback_with_another_state_is_refused_before_anything_is_asked(lab: Lab) -> None:
    query = lab.issuer.authorize(lab.depart())
    forged = query.rpartition("state=")[0] + "state=forged"
    assert "not begun here" in refusal(lab.arrive(forged))
    assert lab.issuer.forms == []


def test_a_callback_without_the_browsers_own_cookie_is_refused(lab: Lab) -> None:
    query = lab.issuer.authorize(lab.depart())
    lab.client.cookies.clear()
    assert "not begun here" in refusal(lab.arrive(query))


def test_a_tampered_cookie_is_refused(lab: Lab) -> None:
    query = lab.issuer.authorize(lab.depart())
    value = lab.client.cookies[STATE_COOKIE]
    lab.client.cookies.clear()
    tampered = ("B" if value[0] == "A" else "A") + value[1:]
    lab.client.cookies.set(STATE_COOKIE, tampered, domain="portal.example", path="/live/portal")
    assert "not begun here" in refusal(lab.arrive(query))


def test_a_sign_in_that_took_too_long_is_refused(lab: Lab) -> None:
    query = lab.issuer.authorize(lab.depart())
    lab.clock.advance(timedelta(minutes=11).total_seconds())
    assert "took too long" in refusal(lab.arrive(query))


def test_a_code_works_once(lab: Lab) -> None:
    query = lab.issuer.authorize(lab.depart())
    cookie = lab.client.cookies[STATE_COOKIE]
    assert lab.arrive(query).status_code == 303
    lab.client.cookies.set(STATE_COOKIE, cookie, domain="portal.example", path="/live/portal")
    assert "refused the sign-in" in refusal(lab.arrive(query))


def test_a_sign_in_begun_at_one_provider_cannot_end_at_another(lab: Lab) -> None:
    query = lab.issuer.authorize(lab.depart(provider="acme"))
    assert "not begun here" in refusal(lab.arrive(query, provider="workforce"))


def test_a_vendor_that_claims_another_providers_person_stays_the_vendors_person(lab: Lab) -> None:
    lab.issuer.claims = {"sub": "sub-1", "sagemaker:groups": ["reviewers"]}
    reviewer = session_of(lab.sign_in(provider="acme")).reviewer
    assert reviewer.key == "acme:sub-1"
    assert reviewer.issuer == VENDOR.issuer


@pytest.mark.parametrize("sub", ["acme:sub-1", "sandbox:bot", "invited:ada@example.com", "workforce:x"])
def test_the_workforces_provider_names_nobody_of_another(sub: str, lab: Lab) -> None:
    lab.issuer.claims = {"sub": sub}
    assert "whom another one names" in refusal(lab.sign_in())
    assert COOKIE not in lab.client.cookies


@pytest.mark.parametrize("sub", ["oidc:1", "auth0|acme:1", "acme"])
def test_other_colons_are_the_workforces_own(sub: str, lab: Lab) -> None:
    lab.issuer.claims = {"sub": sub}
    assert session_of(lab.sign_in()).reviewer.key == sub


@pytest.mark.parametrize(
    ("groups", "expected"),
    [(None, set()), ("reviewers, leads", {"reviewers", "leads"}), ([1, "leads", ""], {"leads"}), ({}, set())],
)
def test_groups_are_texts_or_nothing(groups: object, expected: set[str], lab: Lab) -> None:
    lab.issuer.claims = {"cognito:groups": groups}
    assert session_of(lab.sign_in()).reviewer.groups == expected


def test_more_groups_than_a_cookie_holds_are_said_not_cut(lab: Lab) -> None:
    lab.issuer.claims = {"cognito:groups": [hashlib.sha256(str(n).encode()).hexdigest() for n in range(200)]}
    assert "more groups than a session can hold" in refusal(lab.sign_in())


@pytest.mark.parametrize(
    ("wanted", "location"),
    [
        ("/tasks/h-abc", "/live/portal/#/tasks/h-abc"),
        ("https://evil.example", "/live/portal/"),
        ("//evil.example", "/live/portal/#//evil.example"),  # behind the hash: a place in the portal
        ("/\r\nSet-Cookie: a=b", "/live/portal/"),
    ],
)
def test_the_way_back_never_leaves_the_portal(wanted: str, location: str, lab: Lab) -> None:
    assert lab.sign_in(to=wanted).headers["location"] == location


def test_what_the_provider_says_is_shown_as_text(lab: Lab) -> None:
    state = parse_qs(urlsplit(lab.depart()).query)["state"][0]
    text = refusal(
        lab.arrive(f"error=access_denied&error_description=<script>alert(1)</script>&state={state}")
    )
    assert "&lt;script&gt;" in text
    assert "<script>" not in text


def test_an_unknown_provider_is_refused(lab: Lab) -> None:
    assert "nobody signs in" in refusal(lab.client.get("/portal/sign-in/nobody")).lower()


def test_signing_out_ends_the_session_at_the_provider_too(lab: Lab) -> None:
    reply = lab.client.get("/portal/sign-out/workforce")
    address = urlsplit(reply.headers["location"])
    assert f"{address.scheme}://{address.netloc}{address.path}" == WORKFORCE.logout_endpoint
    assert parse_qs(address.query)["logout_uri"] == [f"{PORTAL}/portal/"]
    assert any(one.startswith(f'{COOKIE}=""') for one in reply.headers.get_list("set-cookie"))
    assert lab.client.get("/portal/sign-out/acme").headers["location"] == "/live/portal/"


def test_an_invitation_needs_the_portals_ticket(lab: Lab) -> None:
    invitation = Invitation(email="grace@example.com", name="Grace", group="reviewers")
    good = ticket(invitation, sessions=SESSIONS, now=lab.clock())
    reply = lab.client.post("/portal/invitations", json={"ticket": good})
    assert (reply.status_code, reply.json()) == (200, {"invited": "grace@example.com"})
    assert lab.inviter.invited == [("grace@example.com", "Grace", "reviewers")]
    session = SESSIONS.cookie(session_of(lab.sign_in()))
    for bad in (good + "0", "", 7, None, session):
        refused = lab.client.post("/portal/invitations", json={"ticket": bad})
        assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (403, "ticket-invalid")
    lab.clock.advance(121)
    assert lab.client.post("/portal/invitations", json={"ticket": good}).status_code == 403
    assert len(lab.inviter.invited) == 1


def test_an_invitation_that_the_provider_refuses_is_said(lab: Lab) -> None:
    lab.inviter.refusal = "grace@example.com is there already"
    good = ticket(Invitation("grace@example.com", "Grace", "reviewers"), sessions=SESSIONS, now=lab.clock())
    reply = lab.client.post("/portal/invitations", json={"ticket": good})
    assert (reply.status_code, reply.json()["detail"]) == (409, "grace@example.com is there already")


def test_without_a_pool_of_its_own_nobody_can_be_invited() -> None:
    lab = make_lab(with_inviter=False)
    good = ticket(Invitation("grace@example.com", "Grace", "reviewers"), sessions=SESSIONS, now=lab.clock())
    reply = lab.client.post("/portal/invitations", json={"ticket": good})
    assert reply.json()["type"] == "urn:overread:problem:invitation-impossible"


def test_bodies_are_read_no_further_than_their_limit(lab: Lab) -> None:
    reply = lab.client.post("/portal/invitations", content=b"x" * 65_536)
    assert (reply.status_code, json.loads(reply.text)["type"].rpartition(":")[2]) == (
        413,
        "request-too-large",
    )
