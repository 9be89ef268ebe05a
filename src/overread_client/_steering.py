"""What people steer by hand: kill switches, the roster, guarantees, error monitors, rechecks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from overread_client._calls import ApiCalls, Pauses, TokenSource

EVERY_USE_CASE = "all"


@dataclass(frozen=True)
class SteeredState:
    """A kill switch, which roster is in force, a guarantee or an error monitor, as the API describes it.

    `awaits_second`: this very call was recorded as a proposal, which another person has to make as well.
    A recheck awaits its readers.
    """

    document: Mapping[str, Any]
    awaits_second: bool


class Steering:
    """Turns kill switches, puts rosters in force, approves guarantees, has decisions read again.

    Arguments and errors are those of `Decisions`.

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

    def guarantee(self, use_case: str) -> SteeredState:
        """Which threshold guarantee of a use case is approved and which is proposed, with their words."""
        return self._call("GET", _path("guarantees", use_case), member="use_case")

    def put_guarantee(self, use_case: str, body: bytes) -> SteeredState:
        """The guarantee approved; where two persons are needed, once another one has sent the same, too.

        Raises:
            ApiError: the document has faults; `detail` lists all of them.
        """
        return self._call("PUT", _path("guarantees", use_case), body=body, member="use_case")

    def error_monitors(self) -> SteeredState:
        """How the error monitors of all use cases stand."""
        return self._call("GET", "/v1/error-monitors", member="error_monitors")

    def error_monitor(self, use_case: str) -> SteeredState:
        """How the error monitor of a use case stands."""
        return self._call("GET", _path("error-monitors", use_case), member="use_case")

    def restart_error_monitor(self, use_case: str, *, reason: str) -> SteeredState:
        """The error monitor begins anew; where two persons are needed, once another one called this too."""
        body = {"restart": True, "reason": reason}
        return self._call("PUT", _path("error-monitors", use_case), body=body, member="use_case")

    def recheck(self, decision_id: str, *, grounds: str) -> SteeredState:
        """The new decision, by other people, that supersedes anybody's final one; asked again the same.

        Raises:
            ApiError: the decision is unknown, not final, erased or contested already.
        """
        return self._call(
            "PUT", _path("rechecks", decision_id), body={"grounds": grounds}, member="decision_id"
        )

    def _call(
        self, method: str, path: str, *, body: Mapping[str, Any] | bytes | None = None, member: str
    ) -> SteeredState:
        answer = self._calls.call(method, path, body=body, member=member)
        return SteeredState(answer.document, awaits_second=answer.status == 202)


def _switch_path(scope: str) -> str:
    return _path("kill-switches", scope)


def _path(kind: str, name: str) -> str:
    return f"/v1/{kind}/{quote(name, safe='')}"
