"""Decisions over HTTP: asked for, waited for, listed, cancelled, contested, and told the truth about."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from overread_client._calls import ApiCalls, Pauses, TokenSource
from overread_client._errors import DecisionCancelledError, StillUndecidedError

Json = Mapping[str, Any]
_FIRST_LOOK_S, _LONGEST_LOOK_S = 0.5, 30.0


@dataclass(frozen=True)
class Decision:
    """One decision as the API described it; `document` is the whole reply."""

    decision_id: str
    use_case: str
    state: str
    document: Json
    decisions: Decisions | None = field(default=None, repr=False, compare=False)
    """Where it came from; None for one made by hand, which cannot be waited for."""

    @property
    def is_final(self) -> bool:
        """Whether the outcome stands and will not change."""
        return self.state == "FINAL"

    @property
    def is_over(self) -> bool:
        """Whether nothing will happen any more: final, or cancelled."""
        return self.state in {"FINAL", "CANCELLED"}

    @property
    def label(self) -> str | None:
        """The outcome's label, or None while people still decide."""
        outcome = self.document.get("outcome")
        return None if outcome is None else str(outcome["label"])

    def wait(self, timeout_s: float) -> Decision:
        """The decision once it is final; at once when it is already.

        Looks again after half a second, then after longer and longer pauses, at most 30 seconds. Reviews
        take minutes to days: a service would rather hear the event `Decision Final` or the webhook.

        Raises:
            StillUndecidedError: not within `timeout_s`; wait again, or ask later by `decision_id`.
            DecisionCancelledError: it will never be final.
            ApiError: it cannot be read.
        """
        if self.is_final:
            return self
        if self.decisions is None:
            raise ValueError("this decision did not come from Decisions and cannot be waited for")
        return self.decisions.wait(self.decision_id, timeout_s=timeout_s)


@dataclass(frozen=True)
class ListedDecision:
    """A decision as a listing tells of it; `reference` is empty when the caller gave none."""

    decision_id: str
    use_case: str
    state: str
    reference: str
    received_at: str


class Decisions:
    """Asks for decisions, waits for them, and says what became of them.

    `url` is the API's stage address (the stack output `ApiUrl`). Requests are signed with the credentials of
    `session` (boto3's or botocore's; a new one by default), which may `execute-api:Invoke` on it; or carry
    the bearer token that `token` gives, where the deployment takes OIDC clients. `region` is the one in
    `url`, else the session's. What is throttled, unavailable or unanswered is sent again, with the same
    idempotency key, as `pauses` says.

    Example:
        >>> decisions = Decisions("https://….execute-api.eu-west-1.amazonaws.com/live")
        >>> decision = decisions.decide("loan-approval", {"amount": 9600}, idempotency_key="order-8841")
        >>> decision.wait(timeout_s=3600).label
        'decline'
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
        """Raises ValueError when `url` is no address, or no region to sign for is known."""
        self._calls = ApiCalls(
            url, region=region, session=session, token=token, timeout_s=timeout_s, pauses=pauses or Pauses()
        )

    def decide(
        self,
        use_case: str,
        input: Json,  # noqa: A002 - the document's own word
        *,
        idempotency_key: str | None = None,
        reference: str | None = None,
        priority: str | None = None,
        deadline: datetime | str | None = None,
        prediction: Json | None = None,
    ) -> Decision:
        """The decision on `input`: final at once, or one to `wait` for while people decide.

        The same key with the same body gives the same decision, however often it is sent, by whatever
        process: give one that your own records know. Without one each call is a decision of its own.

        Raises:
            ApiError: the request was refused.
            ApiUnreachableError: nobody answered; the decision may have been made. Send it again.
        """
        wanted = {
            "input": dict(input),
            "reference": reference,
            "priority": priority,
            "deadline": _instant(deadline),
            "prediction": prediction,
        }
        body = {name: value for name, value in wanted.items() if value is not None}
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        path = f"/v1/use-cases/{quote(use_case, safe='')}/decisions"
        return self._decision("POST", path, body=body, headers=headers)

    def get(self, decision_id: str) -> Decision:
        """The decision as it stands now.

        Raises:
            ApiError: status 404 when it does not exist or belongs to another caller.
        """
        return self._decision("GET", _path(decision_id))

    def wait(self, decision_id: str, *, timeout_s: float) -> Decision:
        """The decision once it is final; see `Decision.wait`."""
        for decision in self.watch(decision_id, timeout_s=timeout_s):
            if decision.is_final:
                return decision
            if decision.is_over:
                raise DecisionCancelledError(f"decision {decision_id} was cancelled")
        raise StillUndecidedError(f"decision {decision_id} was not final after {timeout_s:g} s")

    def watch(self, decision_id: str, *, timeout_s: float) -> Iterator[Decision]:
        """The decision each time it has changed, from now on until it is over or `timeout_s` have passed."""
        pauses = self._calls.pauses
        give_up_at = pauses.monotonic() + timeout_s
        pause_s, shown = _FIRST_LOOK_S, None
        while True:
            decision = self.get(decision_id)
            if decision != shown:
                yield decision
            if decision.is_over:
                return
            shown = decision
            left_s = give_up_at - pauses.monotonic()
            if left_s <= 0:
                return
            pauses.sleep(min(left_s, pause_s * (0.5 + pauses.jitter() / 2)))
            pause_s = min(_LONGEST_LOOK_S, pause_s * 1.5)

    def list(
        self,
        *,
        state: str | None = None,
        reference: str | None = None,
        use_case: str | None = None,
        page_size: int = 100,
    ) -> Iterator[ListedDecision]:
        """The caller's own decisions, newest first; pages are fetched as they are needed.

        Raises:
            ApiError: a filter has a value that the API does not know.
        """
        query = {"limit": str(page_size)}
        filters = {"state": state, "reference": reference, "use_case": use_case}
        query |= {name: value for name, value in filters.items() if value}
        while True:
            page = self._calls.call("GET", "/v1/decisions", query=query, member="decisions").document
            for one in page["decisions"]:
                yield ListedDecision(
                    decision_id=one["decision_id"],
                    use_case=one["use_case"],
                    state=one["state"],
                    reference=one.get("reference", ""),
                    received_at=one["received_at"],
                )
            if not page.get("cursor"):
                return
            query["cursor"] = page["cursor"]

    def cancel(self, decision_id: str, *, reason_code: str | None = None) -> Decision:
        """The decision without an outcome; an open review is stopped. Again and again is once.

        Raises:
            ApiError: status 409 when it is final already.
        """
        body = {} if reason_code is None else {"reason_code": reason_code}
        return self._decision("POST", f"{_path(decision_id)}/cancel", body=body)

    def contest(
        self, decision_id: str, *, grounds: str | None = None, idempotency_key: str | None = None
    ) -> Decision:
        """The new decision that supersedes a final one: by other people, who do not see the old answer.

        Raises:
            ApiError: status 409 when it is not final yet, or contested already.
        """
        body = {} if grounds is None else {"grounds": grounds}
        # A final decision is contested once: its id is as good a key as any.
        headers = {"Idempotency-Key": idempotency_key or f"contest-{decision_id}"}
        return self._decision("POST", f"{_path(decision_id)}/contest", body=body, headers=headers)

    def outcome(self, decision_id: str, label: str, *, learnt_at: datetime | str | None = None) -> Decision:
        """The final decision with what turned out to be right; a later word replaces an earlier one.

        Raises:
            ApiError: status 409 when it is not final yet, 400 for a label that the use case does not have.
        """
        # A time of its own: the same call sent twice then is one fact.
        body = {"label": label, "learnt_at": _instant(learnt_at or datetime.now(UTC))}
        return self._decision("POST", f"{_path(decision_id)}/outcome", body=body)

    def _decision(
        self, method: str, path: str, *, body: Json | None = None, headers: Mapping[str, str] | None = None
    ) -> Decision:
        answer = self._calls.call(method, path, body=body, headers=headers, member="decision_id")
        document = answer.document
        return Decision(
            decision_id=document["decision_id"],
            use_case=document["use_case"],
            state=document["state"],
            document=document,
            decisions=self,
        )


def _path(decision_id: str) -> str:
    return f"/v1/decisions/{quote(decision_id, safe='')}"


def _instant(value: datetime | str | None) -> str | None:
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is None:
        raise ValueError(f"a time needs its offset from UTC, got {value.isoformat()}")
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
