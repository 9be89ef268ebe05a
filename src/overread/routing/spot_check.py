"""Random spot checks that a retry cannot re-roll and an outsider cannot predict."""

import hashlib
import hmac


def spot_check_position(key: bytes, *, decision_id: str) -> float:
    """Where the decision lies in [0, 1): uniform over decisions, fixed for each, secret without the key."""
    digest = hmac.digest(key, decision_id.encode(), hashlib.sha256)
    return int.from_bytes(digest[:6], "big") / 2**48


def is_spot_check(key: bytes, *, decision_id: str, probability: float) -> bool:
    """Whether the decision is checked; true for the share `probability` of all decisions."""
    return spot_check_position(key, decision_id=decision_id) < probability
