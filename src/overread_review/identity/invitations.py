"""Tickets with which the portal lets the sign-in program create a person at the identity provider.

The portal knows who may invite, and the sign-in program reaches the provider; neither can do both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from overread_review.portal.sessions import Sessions

VALID_FOR = timedelta(minutes=2)
_PURPOSE = "invitation"


@dataclass(frozen=True, slots=True)
class Invitation:
    """Whom to invite, and into which group."""

    email: str
    name: str
    group: str


def ticket(invitation: Invitation, *, sessions: Sessions, now: datetime) -> str:
    """The permission to carry out one invitation."""
    values: list[object] = [invitation.email, invitation.name, invitation.group]
    return sessions.signed(values, purpose=_PURPOSE, expires_at=now + VALID_FOR)


def invitation_of(text: str, *, sessions: Sessions, now: datetime) -> Invitation | None:
    """The invitation behind a ticket; None when it is forged or over."""
    values = sessions.unsigned(text, purpose=_PURPOSE, now=now)
    return None if values is None else Invitation(*(str(value) for value in values))
