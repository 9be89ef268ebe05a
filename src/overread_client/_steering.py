"""What people steer by hand: kill switches and the roster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from overread_client._calls import ApiCalls, Pauses, TokenSource

EVERY_USE_CASE = "all"


@dataclass(frozen=True)
class SteeredState:
    """A kill switch, or which roster is in force, as the API describes it.

    `awaits_second`: this very call was recorded as a proposal, which another person has to make as well.
    """

    document: Mapping[str, Any]
    awaits_second: bool


class Steering:
    """Turns kill switches and puts rosters in force. Arguments and errors are those of `Decisions`.

    Example:
        >>> steering = Steering("https://….execute-api.eu-west-1.amazonaws.com/live")
        >>> steering.turn_on("loan-approval", reason="wrong features since the morning's release")
    """

    def __init__(
        self,
        url: str,
        *,
        region: str | None = None,
        session: Any = None,
        token: TokenSource | None = None,
        timeout_s: float = 35.0,
        pauses: Pauses | None = None,
    ) -> None:
        self._calls = ApiCalls(
            url, region=region, session=session, token=token, timeout_s=timeout_s, pauses=pauses or Pauses()
        )

    def switch(self, scope: str = EVERY_USE_CASE) -> SteeredState:
        """The kill switch of a use case, or of all of them."""
        return self._call("GET", _switch_path(scope), member="is_on")

    def turn_on(self, scope: str = EVERY_USE_CASE, *, reason: str) -> SteeredState:
        """No model decides any more: cases go to people. Acts at once."""
        return self._call("PUT", _switch_path(scope), body={"is_on": True, "reason": reason}, member="is_on")

    def turn_off(self, scope: str = EVERY_USE_CASE, *, reason: str) -> SteeredState:
        """Models decide again; where two persons are needed, once another one has called this too."""
        return self._call("PUT", _switch_path(scope), body={"is_on": False, "reason": reason}, member="is_on")

    def roster(self) -> SteeredState:
        """Which roster is in force, by its hash and with its people, and which is proposed."""
        return self._call("GET", "/v1/roster", member="sha256")

    def put_roster(self, body: bytes) -> SteeredState:
        """The roster in force; where two persons are needed, once another one has sent the same bytes too.

        Raises:
            ApiError: the document has faults; `detail` lists all of them.
        """
        return self._call("PUT", "/v1/roster", body=body, member="sha256")

    def _call(
        self, method: str, path: str, *, body: Mapping[str, Any] | bytes | None = None, member: str
    ) -> SteeredState:
        answer = self._calls.call(method, path, body=body, member=member)
        return SteeredState(answer.document, awaits_second=answer.status == 202)


def _switch_path(scope: str) -> str:
    return f"/v1/kill-switches/{quote(scope, safe='')}"
