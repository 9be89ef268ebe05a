"""The names that make retries harmless: a decision's id, and who may see it."""

import base64
import hashlib
import re

DECISION_ID = re.compile(r"d-[a-z2-7]{26}")
CLIENT_ID = re.compile(r"[!-~]{1,200}")
_SEPARATOR = "\x1f"


def decision_id(*, environment: str, caller_scope: str, use_case: str, idempotency_key: str) -> str:
    """The id of the decision that this key means to this caller; the same for every retry."""
    text = _SEPARATOR.join((environment, caller_scope, use_case, idempotency_key))
    digest = base64.b32encode(hashlib.sha256(text.encode()).digest()).decode().lower()
    return f"d-{digest[:26]}"


def contest_id(old: str, *, idempotency_key: str) -> str:
    """The id of the decision that a contest of another one begins; the same for every retry."""
    text = _SEPARATOR.join(("contest", old, idempotency_key))
    digest = base64.b32encode(hashlib.sha256(text.encode()).digest()).decode().lower()
    return f"d-{digest[:26]}"


def separation_of(root: str) -> str:
    """What all human loops of a decision and of its contests share: nobody reads two of them."""
    digest = base64.b32encode(hashlib.sha256(f"separation{_SEPARATOR}{root}".encode()).digest())
    return f"s-{digest.decode().lower()[:26]}"


def is_decision_id(text: str) -> bool:
    """Whether `text` has the form of a decision's id."""
    return DECISION_ID.fullmatch(text) is not None


def caller_scope(principal_arn: str) -> str:
    """Account and role or user of an IAM principal: `111122223333:assumed-role/App`.

    The session name of an assumed role is dropped: two sessions of one role are one caller. Empty when
    `principal_arn` is no ARN of a principal.
    """
    parts = principal_arn.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or not parts[4] or not parts[5]:
        return ""
    kind, _, name = parts[5].partition("/")
    if kind == "assumed-role":
        name = name.partition("/")[0]
    return f"{parts[4]}:{kind}/{name}" if name else f"{parts[4]}:{kind}"


def client_scope(client_id: str) -> str:
    """The scope of an OIDC client; empty when `client_id` is no id of 1 to 200 printable ASCII characters."""
    is_id = CLIENT_ID.fullmatch(client_id) is not None
    return f"oidc:{client_id}" if is_id else ""
