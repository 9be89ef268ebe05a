"""The clock of a claim: it runs while somebody works; a pause stops it and moves the deadline."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from overread_review.service.model import Claim


def begun(person: str, *, time_limit_s: int, now: datetime) -> Claim:
    """A new claim, its clock running."""
    deadline_at = now + timedelta(seconds=time_limit_s)
    return Claim(person=person, accepted_at=now, deadline_at=deadline_at, running_since=now)


def worked_s(claim: Claim, *, now: datetime) -> float:
    """Seconds of work until now, without the pauses."""
    if claim.running_since is None:
        return claim.worked_s
    return claim.worked_s + (now - claim.running_since).total_seconds()


def paused(claim: Claim, *, now: datetime, max_pause_s: float) -> Claim:
    """The claim with its clock stopped; all of the pause that is left is granted at once."""
    if claim.running_since is None:
        return claim
    granted = _left_s(claim, max_pause_s=max_pause_s)
    return replace(
        claim,
        worked_s=worked_s(claim, now=now),
        running_since=None,
        deadline_at=claim.deadline_at + timedelta(seconds=granted),
    )


def resumed(claim: Claim, *, now: datetime, max_pause_s: float) -> Claim:
    """The claim with its clock running again; what was granted for the pause and not used is taken back."""
    if claim.running_since is not None:
        return claim
    began = claim.accepted_at + timedelta(seconds=claim.worked_s + claim.paused_s)
    pause_s = (now - began).total_seconds()
    unused = max(0.0, _left_s(claim, max_pause_s=max_pause_s) - pause_s)
    return replace(
        claim,
        running_since=now,
        paused_s=claim.paused_s + pause_s,
        deadline_at=claim.deadline_at - timedelta(seconds=unused),
    )


def _left_s(claim: Claim, *, max_pause_s: float) -> float:
    return max(0.0, max_pause_s - claim.paused_s)
