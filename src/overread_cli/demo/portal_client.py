"""A reviewer at the portal, over the HTTP endpoints that its pages use."""

import html
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urljoin

import httpx

SignIn = Callable[[httpx.Client], None]
_PATIENCE_S = 60.0
"""Longer than API Gateway waits for a function: the first request of a busy machine starts one."""
_FORM = re.compile(r"<form[^>]*>.*?</form>", re.DOTALL)
_ACTION = re.compile(r'action="([^"]*)"')
_INPUT = re.compile(r"<input[^>]*>")
_NAME = re.compile(r'\bname="([^"]*)"')
_VALUE = re.compile(r'\bvalue="([^"]*)"')


class PortalClient:
    """One signed-in reviewer; use as a context manager.

    `portal_url` is the portal's address without `/portal/`. Without `sign_in` the reviewer's name is enough,
    as it is on the local stack's own portal. Every method raises `httpx.HTTPStatusError` for a refusal that
    it does not name.
    """

    def __init__(self, portal_url: str, *, reviewer: str, sign_in: SignIn | None = None) -> None:
        self.reviewer = reviewer
        self._sign_in = sign_in or by_name(reviewer)
        self._http = httpx.Client(base_url=portal_url, timeout=_PATIENCE_S, trust_env=False)

    def __enter__(self) -> "PortalClient":
        self._sign_in(self._http)
        reply = self._http.get("/portal/api/session")
        reply.raise_for_status()
        self._http.headers["X-Overread-CSRF"] = reply.json()["csrf_token"]
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def tasks(self) -> Sequence[Mapping[str, Any]]:
        """The open tasks of the reviewer's teams in the order of their queue."""
        reply = self._http.get("/portal/api/tasks")
        reply.raise_for_status()
        found: Sequence[Mapping[str, Any]] = reply.json()["tasks"]
        return found

    def claim(self, task_id: str) -> Mapping[str, Any] | None:
        """The task in the reviewer's hands, or None when another one was faster."""
        reply = self._http.post(f"/portal/api/tasks/{task_id}/claim", json={})
        if reply.status_code in {httpx.codes.CONFLICT, httpx.codes.GONE, httpx.codes.NOT_FOUND}:
            return None
        reply.raise_for_status()
        claimed: Mapping[str, Any] = reply.json()
        return claimed

    def page(self, claimed: Mapping[str, Any]) -> str:
        """The rendered worker template of a claimed task, as a browser would fetch it."""
        reply = self._http.get(urljoin(str(self._http.base_url), claimed["frame_url"]))
        reply.raise_for_status()
        return reply.text

    def answer(self, task_id: str, answer: Mapping[str, Any]) -> bool:
        """Sends the form; False when the task was no longer the reviewer's."""
        reply = self._http.post(f"/portal/api/tasks/{task_id}/answer", json={"answer": answer})
        if reply.status_code in {httpx.codes.CONFLICT, httpx.codes.GONE}:
            return False
        reply.raise_for_status()
        return True


def by_name(reviewer: str) -> SignIn:
    """Signing in where the name is enough."""

    def sign_in(http: httpx.Client) -> None:
        http.post("/portal/api/session", json={"reviewer": reviewer}).raise_for_status()

    return sign_in


def through_pages(*, username: str, password: str) -> SignIn:
    """Signing in as a person does: over the identity provider's own page, with a password.

    Raises ValueError when there is no form where one was expected.
    """

    def sign_in(http: httpx.Client) -> None:
        offered = http.get("/portal/api/sign-in").raise_for_status().json()
        portal = f"{str(http.base_url).rstrip('/')}/portal/"
        page = http.get(urljoin(portal, offered["providers"][0]["url"]), follow_redirects=True)
        target, fields = _form(page.raise_for_status())
        typed = {"username": username, "password": password}
        http.post(target, data=fields | typed, follow_redirects=True).raise_for_status()

    return sign_in


def _form(page: httpx.Response) -> tuple[str, dict[str, str]]:
    """Where the page's form goes, and what it holds already."""
    form = _FORM.search(page.text)
    if form is None:
        raise ValueError(f"no sign-in form at {page.url}")
    fields = {}
    for written in _INPUT.findall(form[0]):
        if name := _NAME.search(written):
            value = _VALUE.search(written)
            fields[name[1]] = html.unescape(value[1]) if value else ""
    action = _ACTION.search(form[0])
    return urljoin(str(page.url), html.unescape(action[1]) if action else ""), fields
