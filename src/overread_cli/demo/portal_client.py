"""A reviewer at the portal, over the HTTP endpoints that its pages use."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx


class PortalClient:
    """One signed-in reviewer; use as a context manager.

    Every method raises `httpx.HTTPStatusError` for a refusal that it does not name.
    """

    def __init__(self, portal_url: str, *, reviewer: str) -> None:
        self.reviewer = reviewer
        self._http = httpx.Client(base_url=portal_url, timeout=20.0)

    def __enter__(self) -> "PortalClient":
        reply = self._http.post("/portal/api/session", json={"reviewer": self.reviewer})
        reply.raise_for_status()
        self._http.headers["X-Overread-CSRF"] = reply.json()["csrf_token"]
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def tasks(self) -> Sequence[Mapping[str, Any]]:
        """The open tasks of the reviewer's teams, oldest first."""
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
        reply = self._http.get(claimed["frame_url"])
        reply.raise_for_status()
        return reply.text

    def answer(self, task_id: str, answer: Mapping[str, Any]) -> bool:
        """Sends the form; False when the task was no longer the reviewer's."""
        reply = self._http.post(f"/portal/api/tasks/{task_id}/answer", json={"answer": answer})
        if reply.status_code in {httpx.codes.CONFLICT, httpx.codes.GONE}:
            return False
        reply.raise_for_status()
        return True
