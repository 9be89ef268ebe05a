"""Two hundred loops, eight reviewers at once, a killed portal, a throttled store: no answer is lost."""

import json
from pathlib import Path

import pytest
from tests.local.review_load import desk, reckoning, say, start_loops, worked_off

from overread_testing.review_load import Books, faults

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
    say(f"seed {SEED}")
    with desk(tmp_path / "stack", review_module=module) as stack:
        seats = start_loops(stack, count=loops, seed=SEED)
        books, took_s = worked_off(stack, seats=seats, seed=SEED, kills=kills, patience_s=240)
        assert reckoning(stack, books=books, seats=seats) == []
    say(f"{loops} loops, {sum(seats.values())} answers in {took_s:.1f} s; {dict(books.heard)}")
    assert books.heard["kills"] == kills
    throttled = tmp_path / "stack" / "throttled"
    if module.endswith("throttled_review_process"):
        assert throttled.stat().st_size > loops


def output(*answers: tuple[str, str]) -> bytes:
    """An output document with these workers' answers, each by its token."""
    listed = [{"workerId": worker, "answerContent": {"token": token}} for worker, token in answers]
    return json.dumps({"humanAnswers": listed}).encode()


@pytest.mark.parametrize(
    ("outputs", "part"),
    [
        ({"a": output(("w1", "ada-1"), ("w2", "joan-1"))}, ""),
        ({}, "a has no output"),
        ({"a": output(("w1", "ada-1"))}, "1 answers for 2 seats"),
        ({"a": output(("w1", "ada-1"), ("w2", "joan-1"), ("w3", "hedy-1"))}, "3 answers for 2 seats"),
        ({"a": output(("w1", "ada-1"), ("w1", "joan-1"))}, "one person answered a twice"),
        ({"a": output(("w1", "ada-1"), ("w2", "ada-2"))}, "two of one person"),
        ({"a": output(("w1", "ada-1"), ("w2", "nobody-1"))}, "nobody sent"),
        ({"a": output(("w1", "ada-1"), ("w2", "hedy-1"))}, "joan-1 was taken and is lost"),
        ({"a": output(("w1", "ada-1"), ("w2", "mary-1"))}, "sent for another loop"),
    ],
)
def test_the_reckoning_finds(outputs: dict[str, bytes], part: str) -> None:
    books = Books(taken={"ada-1", "joan-1"})
    books.sent = {token: (token.split("-")[0], "a") for token in ("ada-1", "ada-2", "joan-1", "hedy-1")}
    books.sent["mary-1"] = ("mary", "b")
    found = faults(books, outputs=outputs, seats={"a": 2})
    assert (found == []) if part == "" else any(part in fault for fault in found), found
