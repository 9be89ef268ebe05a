"""Two hundred loops, eight reviewers at once, a portal that is killed, a store that throttles: nothing lost."""

from pathlib import Path

import pytest
from tests.local.review_load import desk, reckoning, start_loops, worked_off

LOOPS = 200
SEED = 20261123


@pytest.mark.parametrize(
    ("loops", "module", "kills"),
    [
        pytest.param(LOOPS, "overread_local.review_process", 1, id="killed"),
        pytest.param(LOOPS // 2, "overread_testing.throttled_review_process", 0, id="throttled"),
    ],
)
def test_no_answer_is_lost_doubled_or_too_many(tmp_path: Path, loops: int, module: str, kills: int) -> None:
    print(f"seed {SEED}")
    with desk(tmp_path / "stack", review_module=module) as stack:
        seats = start_loops(stack, count=loops, seed=SEED)
        books, took_s = worked_off(stack, seats=seats, seed=SEED, kills=kills, patience_s=240)
        assert reckoning(stack, books=books, seats=seats) == []
    print(f"{loops} loops, {sum(seats.values())} answers in {took_s:.1f} s; {dict(books.heard)}")
    assert books.heard["kills"] == kills
    throttled = tmp_path / "stack" / "throttled"
    if module.endswith("throttled_review_process"):
        assert throttled.stat().st_size > loops
