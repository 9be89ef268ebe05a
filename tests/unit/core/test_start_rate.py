"""The bucket of tokens that human loops are started from."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.decisions.start_rate import MAX_AHEAD, Bucket, Rate, take

NOW = datetime(2026, 11, 22, 21, tzinfo=UTC)
RATE = Rate(per_second=2.0, burst=3)


def test_a_bucket_never_used_gives_a_burst_and_then_says_how_long_to_wait() -> None:
    bucket, waits = None, []
    for _ in range(4):
        bucket, wait_s = take(bucket, rate=RATE, now=NOW)
        waits.append(wait_s)
    assert waits == [0.0, 0.0, 0.0, 0.5]


def test_it_refills_at_the_rate_and_never_above_the_burst() -> None:
    empty = Bucket(tokens=0.0, at=NOW)
    assert take(empty, rate=RATE, now=NOW + timedelta(seconds=0.25)) == (
        Bucket(0.5, NOW + timedelta(seconds=0.25)),
        0.25,
    )
    later = NOW + timedelta(hours=1)
    assert take(empty, rate=RATE, now=later) == (Bucket(2.0, later), 0.0)


def test_who_waits_as_long_as_told_gets_a_token() -> None:
    bucket, wait_s = take(Bucket(0.4, NOW), rate=RATE, now=NOW)
    assert wait_s == pytest.approx(0.3)
    _, again_s = take(bucket, rate=RATE, now=NOW + timedelta(seconds=wait_s + 1e-6))
    assert again_s == 0.0


def test_a_clock_behind_refills_nothing_and_waits_for_the_bucket() -> None:
    ahead = Bucket(tokens=0.0, at=NOW + timedelta(seconds=10))
    assert take(ahead, rate=RATE, now=NOW) == (ahead, 10.5)


def test_a_clock_gone_wrong_does_not_block_the_others() -> None:
    wrong = Bucket(tokens=0.0, at=NOW + MAX_AHEAD + timedelta(seconds=1))
    assert take(wrong, rate=RATE, now=NOW) == (Bucket(0.0, NOW), 0.5)


def test_a_smaller_burst_applies_at_once() -> None:
    bucket, wait_s = take(Bucket(90.0, NOW), rate=Rate(per_second=1.0, burst=2), now=NOW)
    assert (bucket.tokens, wait_s) == (1.0, 0.0)


@given(
    st.lists(st.integers(0, 5000), min_size=1, max_size=80),
    st.floats(0.1, 20),
    st.integers(1, 10),
    st.lists(st.integers(-2000, 2000), min_size=1, max_size=5),
)
def test_never_more_starts_than_burst_and_rate_allow(
    gaps_ms: list[int], per_second: float, burst: int, skews_ms: list[int]
) -> None:
    rate, bucket, now, given_out = Rate(per_second, burst), None, NOW, 0
    for turn, gap in enumerate(gaps_ms):
        now += timedelta(milliseconds=gap)
        skew = timedelta(milliseconds=skews_ms[turn % len(skews_ms)])
        bucket, wait_s = take(bucket, rate=rate, now=now + skew)
        given_out += wait_s == 0.0
    seconds = (now - NOW).total_seconds() + (max(skews_ms) - min(skews_ms)) / 1000
    assert given_out <= burst + per_second * seconds + 1e-6
