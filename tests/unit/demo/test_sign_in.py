"""Scripted reviewers sign in over an identity provider's page as a browser would."""

from __future__ import annotations

from urllib.parse import parse_qs

import httpx
import pytest

from overread_cli.demo.portal_client import through_pages

STAGE = "http://desk.example/_aws/execute-api/abc/live"
PAGE = """<html><body><form class="x" method="post" action="/login?state=a&amp;nonce=b">
  <input type="hidden" name="csrf" value="&quot;t&quot;">
  <input name="username"><input name="password" type="password">
</form></body></html>"""


class Provider:
    """The portal's sign-in, the provider's form, and the way back."""

    def __init__(self, *, page: str = PAGE) -> None:
        self.page = page
        self.typed: dict[str, list[str]] = {}
        self.calls: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(f"{request.method} {request.url}")
        path = request.url.path
        if path.endswith("/portal/api/sign-in"):
            return httpx.Response(200, json={"mode": "oidc", "providers": [{"url": "sign-in/staff"}]})
        if path.endswith("/portal/sign-in/staff"):
            return httpx.Response(302, headers={"Location": "http://login.example/authorize"})
        if path == "/authorize":
            return httpx.Response(200, text=self.page)
        if path == "/login":
            self.typed = parse_qs(request.content.decode())
            return httpx.Response(302, headers={"Location": f"{STAGE}/portal/signed-in/staff?code=c"})
        return httpx.Response(200, text="the portal")


def sign_in(provider: Provider) -> None:
    with httpx.Client(base_url=STAGE, transport=httpx.MockTransport(provider)) as http:
        through_pages(username="ada@example.com", password="secret")(http)


def test_the_form_is_sent_where_it_says_with_what_it_holds_and_what_is_typed() -> None:
    provider = Provider()
    sign_in(provider)
    assert provider.typed == {"csrf": ['"t"'], "username": ["ada@example.com"], "password": ["secret"]}
    assert provider.calls == [
        f"GET {STAGE}/portal/api/sign-in",
        f"GET {STAGE}/portal/sign-in/staff",
        "GET http://login.example/authorize",
        "POST http://login.example/login?state=a&nonce=b",
        f"GET {STAGE}/portal/signed-in/staff?code=c",
    ]


def test_a_page_without_a_form_is_named() -> None:
    with pytest.raises(ValueError, match=r"no sign-in form at http://login\.example/authorize"):
        sign_in(Provider(page="closed"))
