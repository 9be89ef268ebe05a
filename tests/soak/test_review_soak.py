"""Two thousand loops, eight reviewers at once, a portal killed five times: no answer is lost or doubled."""

import os
from pathlib import Path

from tests.local.review_load import desk, reckoning, say, start_loops, worked_off

LOOPS = int(os.environ.get("LOOPS", "2000"))
SEED = int(os.environ.get("SEED", "20261123"))
KILLS = 5


def test_two_thousand_loops_lose_no_answer(tmp_path: Path) -> None:
    say(f"seed {SEED}, {LOOPS} loops")
    with desk(tmp_path / "stack") as stack:
        seats = start_loops(stack, count=LOOPS, seed=SEED)
        books, took_s = worked_off(stack, seats=seats, seed=SEED, kills=KILLS, patience_s=7200)
        assert reckoning(stack, books=books, seats=seats) == []
    say(f"{LOOPS} loops, {sum(seats.values())} answers in {took_s:.0f} s; {dict(books.heard)}")
    assert books.heard["kills"] == KILLS
