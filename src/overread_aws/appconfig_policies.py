"""Routing policies from AppConfig: fetched seldom, and the last good one serves until a better one comes."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from overread.errors import InvalidPolicyError, PolicyUnavailableError, ServiceError
from overread.routing.policy import UseCasePolicy, parse_policy
from overread_aws.failures import calling

POLL_S = 45
RETRY_S = 15.0

_log = logging.getLogger("overread.policies")


@dataclass(slots=True)
class _Slot:
    """What is known of one use case's policy."""

    policy: UseCasePolicy | None = None
    token: str = ""
    look_again_at: float = 0.0


class AppConfigPolicies:
    """The port `Policies`: one configuration profile a use case, named like it."""

    def __init__(
        self, client: Any, *, application: str, environment: str, monotonic: Callable[[], float]
    ) -> None:
        self._client = client
        self._application = application
        self._environment = environment
        self._monotonic = monotonic
        self._slots: dict[str, _Slot] = {}

    def current(self, use_case: str) -> UseCasePolicy:
        """The policy in force, about 45 s old at most; the last good one while newer ones fail.

        Raises:
            PolicyUnavailableError: there has been no good one yet.
        """
        slot = self._slots.setdefault(use_case, _Slot())
        if slot.policy is None or self._monotonic() >= slot.look_again_at:
            self._refresh(slot, use_case)
        if slot.policy is None:
            raise PolicyUnavailableError("RoutingPolicyUnavailable", operation="GetLatestConfiguration")
        return slot.policy

    def _refresh(self, slot: _Slot, use_case: str) -> None:
        try:
            text, wait_s = self._fetch(slot, use_case)
            slot.look_again_at = self._monotonic() + wait_s
            if text:
                slot.policy = _parse(text, use_case)
        except ServiceError as error:
            slot.token = ""
            slot.look_again_at = self._monotonic() + RETRY_S
            _log.warning(
                "routing policy not fetched",
                extra={"use_case": use_case, "code": error.code, "has_last_good": slot.policy is not None},
            )
        except InvalidPolicyError as error:
            if slot.policy is None:
                # A session hands out each document once: without a good one, start over at the next request.
                slot.token = ""
            _log.error(
                "routing policy refused",
                extra={
                    "use_case": use_case,
                    "faults": len(error.faults),
                    "has_last_good": slot.policy is not None,
                },
            )

    def _fetch(self, slot: _Slot, use_case: str) -> tuple[bytes, float]:
        """The document, empty when unchanged, and the seconds to wait before the next look."""
        if not slot.token:
            with calling("StartConfigurationSession"):
                session = self._client.start_configuration_session(
                    ApplicationIdentifier=self._application,
                    EnvironmentIdentifier=self._environment,
                    ConfigurationProfileIdentifier=use_case,
                    RequiredMinimumPollIntervalInSeconds=POLL_S,
                )
            slot.token = session["InitialConfigurationToken"]
        with calling("GetLatestConfiguration"):
            reply = self._client.get_latest_configuration(ConfigurationToken=slot.token)
            text: bytes = reply["Configuration"].read()
        slot.token = reply["NextPollConfigurationToken"]
        return text, float(reply.get("NextPollIntervalInSeconds") or POLL_S)


def _parse(text: bytes, use_case: str) -> UseCasePolicy:
    policy = parse_policy(text)
    if policy.use_case != use_case:
        raise InvalidPolicyError([f"use_case must be {use_case}, got {policy.use_case}"])
    return policy
