"""What a routing policy may be before it goes out: inside its envelope, approved, and with people enough."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from overread.document_faults import Faults
from overread.errors import InvalidPolicyError
from overread.risk.staffing import review_load
from overread.routing.policy import Mode, UseCasePolicy
from overread.strict_json import parse_json

BUSIEST = 0.85
"""The share of their time that reviewers may be expected to be busy: above it queues grow fast."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the policy of one use case may be. None: nobody has said how many cases, seconds or reviewers."""

    lowest_threshold: float
    highest_alpha: float
    highest_delta: float
    cases_per_hour: float | None
    review_seconds: float | None
    reviewers: int | None


@dataclass(frozen=True, slots=True)
class Approved:
    """The guarantee that people approved, and the hash of what a policy on it says; or nothing."""

    id: str = ""
    terms_sha256: str = ""


def parse_envelopes(text: str) -> Mapping[str, Envelope]:
    """The envelopes by use case, as the deployment states them.

    Raises:
        InvalidPolicyError: the text is no such document.
    """
    faults = Faults()
    try:
        document = parse_json(text)
    except ValueError as error:
        raise InvalidPolicyError([f"the envelopes are not JSON: {error}"]) from error
    if not isinstance(document, dict):
        raise InvalidPolicyError(["the envelopes must be an object"])
    found = {name: _envelope(stated, f"envelopes.{name}", faults) for name, stated in document.items()}
    if faults.found:
        raise InvalidPolicyError(faults.found)
    return found


def check_policy(policy: UseCasePolicy, *, envelope: Envelope, approved: Approved) -> None:
    """Refuses a policy that must not go out.

    Raises:
        InvalidPolicyError: with everything that is against it.
    """
    faults = [*_outside(policy, envelope), *_unapproved(policy, approved), *_overload(policy, envelope)]
    if faults:
        raise InvalidPolicyError(faults)


def _envelope(stated: Any, path: str, faults: Faults) -> Envelope:
    limits = ("lowest_threshold", "highest_alpha", "highest_delta")
    load = ("cases_per_hour", "review_seconds", "reviewers")
    section = faults.section(stated, path, required=limits, optional=load)
    reviewers = section.get("reviewers")
    return Envelope(
        lowest_threshold=section.fraction("lowest_threshold"),
        highest_alpha=section.fraction("highest_alpha"),
        highest_delta=section.fraction("highest_delta"),
        cases_per_hour=section.get("cases_per_hour"),
        review_seconds=section.get("review_seconds"),
        reviewers=None if reviewers is None else section.whole("reviewers", minimum=1),
    )


def _outside(policy: UseCasePolicy, envelope: Envelope) -> list[str]:
    thresholds = {"routing.threshold": policy.threshold} | {
        f"routing.label_thresholds.{label}": value for label, value in policy.label_thresholds.items()
    }
    faults = [
        f"{path} must be at least {envelope.lowest_threshold:g}, which the deployment allows, got {value:g}"
        for path, value in thresholds.items()
        if value < envelope.lowest_threshold
    ]
    if policy.guarantee is None:
        return faults
    for name, value, highest in (
        ("alpha", policy.guarantee.alpha, envelope.highest_alpha),
        ("delta", policy.guarantee.delta, envelope.highest_delta),
    ):
        if value > highest:
            allowed = f"at most {highest:g}, which the deployment allows"
            faults.append(f"routing.guarantee.{name} must be {allowed}, got {value:g}")
    return faults


def _unapproved(policy: UseCasePolicy, approved: Approved) -> list[str]:
    if policy.guarantee is None or policy.guarantee.sha256 == approved.terms_sha256:
        return []
    if policy.guarantee.id == approved.id:
        return [f"routing.guarantee must say what {approved.id} says, which was approved, and says otherwise"]
    known = f"{approved.id} is" if approved.id else "none is"
    return [
        f"routing.guarantee.id must be approved for {policy.use_case}: {known}, got {policy.guarantee.id}"
    ]


def _overload(policy: UseCasePolicy, envelope: Envelope) -> list[str]:
    """What people will have to read, against how many they are. Rules send more, nobody knows how much."""
    guarantee, people = policy.guarantee, envelope.reviewers
    if guarantee is None or people is None or policy.mode is Mode.SHADOW:
        return []
    if envelope.cases_per_hour is None or envelope.review_seconds is None:
        return []
    load = review_load(
        cases_per_hour=envelope.cases_per_hour,
        review_seconds=envelope.review_seconds,
        coverage=0.0 if policy.always_review else guarantee.coverage,
        spot_check_probability=policy.spot_check_probability,
        readers=2.0 if policy.review.two_person else 1.0,
    )
    if load.erlangs <= BUSIEST * people:
        return []
    seconds, reviews = envelope.review_seconds, load.reviews_per_hour
    return [
        f"{reviews:.4g} reviews an hour of {seconds:g} s fill {load.erlangs:.3g} reviewers all the time; "
        f"the team has {people}, who may be busy {BUSIEST:.0%} of it"
    ]
