"""The sweep's turns: full batches are followed by others while time is left; what is stuck ends it."""

from collections.abc import Callable, Iterable

import pytest

from overread_lambda.sweep_reviews import sweep_all

LONG = 60_000


def sweeping(batches: Iterable[int]) -> Callable[[], int]:
    left = iter(batches)
    return lambda: next(left)


@pytest.mark.parametrize(
    ("batches", "looked_at"),
    [
        ([0], 0),
        ([3, 0], 3),
        ([50, 50, 20], 120),
        ([50, 50, 0], 100),
    ],
)
def test_a_sweep_goes_on_until_a_batch_is_smaller(batches: list[int], looked_at: int) -> None:
    assert sweep_all(sweeping(batches), remaining_ms=lambda: LONG) == {"loops": looked_at}


def test_a_sweep_leaves_before_the_function_is_ended() -> None:
    remaining = iter([30_000, 25_000, 15_000])
    looked_at = sweep_all(sweeping([50, 50, 50]), remaining_ms=lambda: next(remaining))
    assert looked_at == {"loops": 150}
