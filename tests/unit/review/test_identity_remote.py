"""Speaking HTTP to an identity provider: tokens for codes, published keys, providers that misbehave."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from overread_review.identity.app import STATE_COOKIE, create_sign_in_app
from overread_review.identity.errors import ExchangeError, KeyUnknownError, SignInRefusedError
from overread_review.identity.providers import OidcProvider
from overread_review.identity.remote import PublishedKeys, exchange
from overread_review.identity.tokens import reviewer_of
from overread_review.portal.sessions import COOKIE, Sessions
from overread_testing.review_fakes import FakeClock

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SESSIONS = Sessions("a secret of the deployment")
PORTAL = "http://portal.example/live"


@cache
def rsa_key(kid: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class Issuer:
    """An identity provider on a port of its own: publishes `kids`, mints what `claims` say."""

    url: str = ""
    kids: list[str] = field(default_factory=lambda: ["k1"])
    claims: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, tuple[str, str]] = field(default_factory=dict)
    heard: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    answer: tuple[int, bytes] | None = None

    @property
    def provider(self) -> OidcProvider:
        return OidcProvider(
            id="workforce",
            title="Our people",
            issuer=self.url,
            client_id="client:1",
            client_secret="s3 cret",
            authorization_endpoint=f"{self.url}/authorize",
            token_endpoint=f"{self.url}/token",
            jwks_uri=f"{self.url}/keys",
            logout_endpoint=f"{self.url}/logout",
            groups_claim="cognito:groups",
        )

    def authorize(self, address: str) -> str:
        """What the browser brings back, as a query."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        self.codes["code-1"] = (asked["nonce"], asked["code_challenge"])
        return f"code=code-1&state={asked['state']}"

    def reply(self, path: str, headers: dict[str, str], body: str) -> tuple[int, bytes]:
        self.heard.append((path, headers, body))
        if self.answer is not None:
            return self.answer
        return self._keys() if path == "/keys" else self._token(body)

    def _keys(self) -> tuple[int, bytes]:
        keys = [
            json.loads(RSAAlgorithm.to_jwk(rsa_key(kid).public_key())) | {"kid": kid, "use": "sig"}
            for kid in self.kids
        ]
        curve = json.loads(ECAlgorithm.to_jwk(ec_key().public_key())) | {"kid": "curve", "use": "sig"}
        return 200, json.dumps({"keys": [*keys, curve]}).encode()

    def _token(self, body: str) -> tuple[int, bytes]:
        form = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}
        if form["code"] not in self.codes:
            return 400, b'{"error": "invalid_grant"}'
        nonce, challenge = self.codes.pop(form["code"])
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != challenge:
            return 400, b'{"error": "invalid_grant"}'
        return 200, json.dumps({"id_token": self.token(nonce=nonce)}).encode()

    def token(self, *, nonce: str = "n", kid: str = "", algorithm: str = "RS256", key: Any = None) -> str:
        issued = int(NOW.timestamp())
        claims = {
            **{"iss": self.url, "sub": "sub-1", "aud": "client:1", "nonce": nonce, "iat": issued},
            **{"exp": issued + 300, "email": "ada@example.com", "name": "Ada"},
            **{"cognito:groups": ["reviewers"]},
        } | self.claims
        chosen = kid or self.kids[-1]
        return jwt.encode(claims, key or rsa_key(chosen), algorithm=algorithm, headers={"kid": chosen})


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    made = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply("")

        def do_POST(self) -> None:
            self._reply(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def _reply(self, body: str) -> None:
            status, content = made.reply(self.path, dict(self.headers.items()), body)
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    yield made
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)


class Browser:
    """A browser in front of the sign-in program of one issuer."""

    def __init__(self, issuer: Issuer, *, provider: OidcProvider | None = None) -> None:
        app = create_sign_in_app(
            providers=[provider or issuer.provider, replace(issuer.provider, id="acme")],
            sessions=SESSIONS,
            clock=FakeClock(NOW),
            exchange=exchange,
            keys=PublishedKeys(),
            inviter=None,
            portal_url=PORTAL,
        )
        transport = httpx.ASGITransport(app, root_path="/live")
        self._client = httpx.AsyncClient(transport=transport, base_url=PORTAL)
        self.cookies = self._client.cookies

    def get(self, path: str, *, site: str = "") -> httpx.Response:
        headers = {"Sec-Fetch-Site": site} if site else {}
        return asyncio.run(self._client.get(path, headers=headers))

    def invite(self, body: bytes) -> httpx.Response:
        return asyncio.run(self._client.post("/portal/invitations", content=body))

    def sign_in(self, issuer: Issuer) -> httpx.Response:
        departed = self.get("/portal/sign-in/workforce")
        query = issuer.authorize(departed.headers["location"])
        return self.get(f"/portal/signed-in/workforce?{query}", site="cross-site")


def test_a_whole_sign_in_over_http(issuer: Issuer) -> None:
    browser = Browser(issuer)
    reply = browser.sign_in(issuer)
    assert (reply.status_code, reply.headers["location"]) == (303, "/live/portal/")
    session = SESSIONS.read(browser.cookies[COOKIE], now=NOW)
    assert session is not None
    assert (session.reviewer.name, session.reviewer.issuer) == ("Ada", issuer.url)
    assert STATE_COOKIE not in browser.cookies
    path, headers, body = issuer.heard[0]
    assert path == "/token"
    # RFC 6749, section 2.3.1: form-encoded before they are joined by a colon.
    pair = base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode()
    assert [unquote_plus(part) for part in pair.split(":")] == ["client:1", "s3 cret"]
    assert "client_secret" not in body


def test_a_public_client_says_who_it_is_in_the_form(issuer: Issuer) -> None:
    issuer.codes["c"] = ("n", "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU")
    exchange(replace(issuer.provider, client_secret=""), {"code": "c", "code_verifier": ""})
    _path, headers, body = issuer.heard[0]
    assert "Authorization" not in headers
    assert parse_qs(body)["client_id"] == ["client:1"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((400, b"{}"), "refused the sign-in \\(status 400\\)"),
        ((503, b"busy"), "refused the sign-in \\(status 503\\)"),
        ((200, b"<html>"), "cannot be reached"),
        ((200, b"[]"), "nothing usable"),
        ((200, b"\xff"), "cannot be reached"),
    ],
)
def test_a_token_endpoint_that_misbehaves(answer: tuple[int, bytes], said: str, issuer: Issuer) -> None:
    issuer.answer = answer
    with pytest.raises(ExchangeError, match=said):
        exchange(issuer.provider, {"code": "c"})


def test_a_provider_that_does_not_listen() -> None:
    gone = Issuer("http://127.0.0.1:9").provider
    with pytest.raises(ExchangeError, match="cannot be reached"):
        exchange(gone, {"code": "c"})
    with pytest.raises(KeyUnknownError):
        PublishedKeys()(gone, "k1")


def test_a_redirect_of_the_token_endpoint_carries_the_secret_nowhere(issuer: Issuer) -> None:
    issuer.answer = (302, b"")
    with pytest.raises(ExchangeError, match="status 302"):
        exchange(issuer.provider, {"code": "c"})
    assert [path for path, _, _ in issuer.heard] == ["/token"]


def test_keys_are_read_once_and_again_when_the_provider_rolls_them(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, waited = PublishedKeys(), [1_000.0]
    monkeypatch.setattr("jwt.jwks_client.time", SimpleNamespace(monotonic=lambda: waited[0]))
    for _ in range(3):
        keys(issuer.provider, "k1")
    assert len(issuer.heard) == 1
    issuer.kids = ["k1", "k2"]
    waited[0] += 60
    keys(issuer.provider, "k2")
    assert len(issuer.heard) == 2
    with pytest.raises(KeyUnknownError):
        keys(issuer.provider, "k9")


@pytest.mark.parametrize("answer", [(200, b"{}"), (200, b'{"keys": []}'), (500, b""), (200, b"no")])
def test_published_keys_that_cannot_be_read(answer: tuple[int, bytes], issuer: Issuer) -> None:
    issuer.answer = answer
    with pytest.raises(KeyUnknownError):
        PublishedKeys()(issuer.provider, "k1")


def read(token: str, issuer: Issuer) -> Any:
    return reviewer_of(token, provider=issuer.provider, keys=PublishedKeys(), nonce="n", now=NOW)


def test_a_key_of_an_elliptic_curve_signs_too(issuer: Issuer) -> None:
    assert read(issuer.token(kid="curve", algorithm="ES256", key=ec_key()), issuer).sub == "sub-1"


def test_a_key_of_another_kind_than_the_algorithm_is_refused(issuer: Issuer) -> None:
    with pytest.raises(SignInRefusedError, match="not valid"):
        read(issuer.token(kid="curve", algorithm="RS256", key=rsa_key("k1")), issuer)


def test_the_public_key_is_no_secret_to_sign_with(issuer: Issuer) -> None:
    """The attack for which the algorithm must not be the token's choice: HS256 under the published key."""

    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    public = issuer.reply("/keys", {}, "")[1]
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    signed = f"{part({'alg': 'HS256', 'kid': 'k1'})}.{part(claims)}"
    mac = base64.urlsafe_b64encode(hashlib.blake2b(signed.encode(), key=public[:64]).digest()).decode()
    with pytest.raises(SignInRefusedError, match="not signed with a key"):
        read(f"{signed}.{mac.rstrip('=')}", issuer)


@pytest.mark.parametrize(
    "token", ["", "a.b.c", "a" * 5_000, "é.é.é", "..", "eyJhbGciOiJSUzI1NiJ9.e30.", "\x00"]
)
def test_what_is_no_token_is_refused(token: str, issuer: Issuer) -> None:
    with pytest.raises(SignInRefusedError):
        read(token, issuer)


@pytest.mark.parametrize("claims", [{"exp": 1e400}, {"iat": float("nan")}, {"exp": True, "iat": 0}])
def test_times_that_are_none(claims: dict[str, Any], issuer: Issuer) -> None:
    issuer.claims = claims
    with pytest.raises(SignInRefusedError):
        read(issuer.token(), issuer)


@pytest.mark.parametrize(
    ("verified", "expected"),
    [(True, "ada@example.com"), ("true", "ada@example.com"), (False, ""), ("false", "")],
)
def test_an_address_that_the_provider_has_not_verified_is_nobodys(
    verified: object, expected: str, issuer: Issuer
) -> None:
    issuer.claims = {"email_verified": verified}
    assert read(issuer.token(), issuer).email == expected


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_no_other_site_signs_anybody_in_or_out(site: str, issuer: Issuer) -> None:
    browser = Browser(issuer)
    browser.sign_in(issuer)
    for path in ("/portal/sign-in/workforce", "/portal/sign-out/workforce"):
        reply = browser.get(path, site=site)
        assert (reply.status_code, reply.headers["location"]) == (303, "/live/portal/")
        assert "set-cookie" not in reply.headers
    assert COOKIE in browser.cookies


def test_pages_of_the_program_hold_no_script_and_no_stack_trace(issuer: Issuer) -> None:
    issuer.answer = (500, b"Traceback (most recent call last)")
    reply = Browser(issuer).sign_in(issuer)
    assert reply.status_code == 403
    assert "Traceback" not in reply.text
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("text", [r"\ud800.x", r"\u00e9.x", ".", "", "x" * 5_000])
def test_no_text_at_all_stands_in_for_a_ticket(text: str, issuer: Issuer) -> None:
    reply = Browser(issuer).invite(f'{{"ticket": "{text}"}}'.encode())
    assert (reply.status_code, reply.json()["type"]) == (403, "urn:overread:problem:ticket-invalid")
