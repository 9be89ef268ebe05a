"""The labeling driver's rounds: as many as there is something to do in, while time is left."""

from collections.abc import Callable, Iterable

import pytest

from overread_lambda.drive_labeling import drive_all

LONG = 300_000


def driving(rounds: Iterable[int]) -> Callable[[], int]:
    left = iter(rounds)
    return lambda: next(left)


@pytest.mark.parametrize(("rounds", "steps"), [([0], 0), ([1, 0], 1), ([2, 1, 1, 0], 4)])
def test_rounds_go_on_until_there_is_nothing_to_do(rounds: list[int], steps: int) -> None:
    assert drive_all(driving(rounds), remaining_ms=lambda: LONG) == {"steps": steps}


def test_the_last_round_leaves_time_for_a_slow_function() -> None:
    remaining = iter([200_000, 130_000, 110_000])
    assert drive_all(driving([1, 1, 1]), remaining_ms=lambda: next(remaining)) == {"steps": 3}
