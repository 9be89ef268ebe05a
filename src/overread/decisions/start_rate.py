"""How fast human loops are started: a bucket of tokens, one a start, that refills at a steady rate."""

from dataclasses import dataclass
from datetime import datetime, timedelta

MAX_AHEAD = timedelta(seconds=60)
"""A bucket from further in the future was written by a clock gone wrong, and does not block the others."""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `burst` starts at once and `per_second` in the long run; both are above zero."""

    per_second: float
    burst: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many tokens there were at that time."""

    tokens: float
    at: datetime


def take(bucket: Bucket | None, *, rate: Rate, now: datetime) -> tuple[Bucket, float]:
    """The bucket after one start and 0.0, or as it stands and the seconds until a start may succeed.

    None is a bucket that was never used: full. A clock behind that of the last start refills nothing, so
    that clocks that disagree by less than `MAX_AHEAD` cannot make more tokens than the fastest of them would
    alone. Between clocks further apart the bucket is set back, and each time fills anew.
    """
    here = refilled(bucket, rate=rate, now=now)
    if here.tokens >= 1:
        return Bucket(here.tokens - 1, here.at), 0.0
    return here, (1 - here.tokens) / rate.per_second + max((here.at - now).total_seconds(), 0.0)


def refilled(bucket: Bucket | None, *, rate: Rate, now: datetime) -> Bucket:
    """The bucket with what has flowed into it by now, never more than it holds."""
    if bucket is None:
        return Bucket(float(rate.burst), now)
    if bucket.at - now > MAX_AHEAD:
        return Bucket(min(bucket.tokens, float(rate.burst)), now)
    passed_s = max((now - bucket.at).total_seconds(), 0.0)
    tokens = min(bucket.tokens + passed_s * rate.per_second, float(rate.burst))
    return Bucket(tokens, max(bucket.at, now))
