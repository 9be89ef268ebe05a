"""What AppConfig asks before it rolls a routing policy out: an error refuses it, in words."""

import base64
import binascii
import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from overread.errors import InvalidPolicyError
from overread.routing.envelope import Approved, Envelope, check_policy, parse_envelopes
from overread.routing.policy import parse_policy
from overread_aws.clients import make_client
from overread_aws.steering import read_guarantee_pin
from overread_lambda.entry import entry
from overread_lambda.logs import log
from overread_lambda.settings import ValidateSettings, validate_settings

ApprovedFor = Callable[[str], Approved]
"""The guarantee that is approved for a use case."""


@entry(InvalidPolicyError)
def handler(event: dict[str, Any], context: object) -> None:
    """What AppConfig calls.

    Raises:
        InvalidPolicyError: the policy must not go out.
        ServiceError: nobody knows; it does not go out either.
    """
    validate(event, envelopes=_envelopes(), approved=_approved)


def validate(event: Mapping[str, Any], *, envelopes: Mapping[str, Envelope], approved: ApprovedFor) -> None:
    """Refuses content that is no policy of this deployment, or one that must not go out.

    Raises:
        InvalidPolicyError: with everything that is against it.
    """
    try:
        content = base64.b64decode(str(event.get("content") or ""), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidPolicyError([f"the content is not base64: {error}"]) from error
    policy = parse_policy(content)
    envelope = envelopes.get(policy.use_case)
    if envelope is None:
        known = ", ".join(sorted(envelopes))
        raise InvalidPolicyError([f"use_case must be one of {known}, got {policy.use_case}"])
    check_policy(policy, envelope=envelope, approved=approved(policy.use_case))
    log.info("policy accepted", extra={"use_case": policy.use_case, "version": policy.version})


def _approved(use_case: str) -> Approved:
    pin = read_guarantee_pin(make_client("dynamodb"), table=_settings().table, use_case=use_case)
    return Approved(pin.id, pin.terms_sha256) if pin else Approved()


@cache
def _settings() -> ValidateSettings:
    return validate_settings(os.environ)


@cache
def _envelopes() -> Mapping[str, Envelope]:
    return parse_envelopes(_settings().envelopes)
