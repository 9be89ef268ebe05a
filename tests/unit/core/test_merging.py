"""Several answers to one loop, and the answers of several readers: whatever their order, one result."""

from collections import Counter
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.decisions.agreement import READERS, Agreement, agree
from overread.decisions.record import SeatAnswer
from overread.review.merging import CANNOT_DECIDE, DISAGREEMENT, Merged, Reading, merge
from overread.routing.policy import MergePolicy

LABELS = st.sampled_from(["approve", "decline", "refer"])
MAYBE_NONE = st.sampled_from(["approve", "decline", ""])


def said(*labels: str) -> list[Reading]:
    """Readings by different people, one second after another."""
    return [Reading(f"2026-11-22T21:00:{i:02}.000Z", f"worker-{i}", label) for i, label in enumerate(labels)]


def readings(labels: st.SearchStrategy[str]) -> st.SearchStrategy[list[Reading]]:
    """Up to five readings, several of them at the same instant."""
    times = st.lists(st.integers(0, 2), min_size=5, max_size=5)
    return st.tuples(st.lists(labels, min_size=1, max_size=5), times).map(
        lambda drawn: [
            Reading(f"2026-11-22T21:00:0{drawn[1][i]}.000Z", f"worker-{i}", label)
            for i, label in enumerate(drawn[0])
        ]
    )


@given(readings(MAYBE_NONE), st.sampled_from(MergePolicy))
def test_the_order_of_readings_does_not_matter(given_readings: list[Reading], policy: MergePolicy) -> None:
    assert len({merge(order, policy=policy) for order in permutations(given_readings)}) == 1


@given(readings(MAYBE_NONE), st.sampled_from(MergePolicy))
def test_a_label_is_somebodys_and_without_one_there_is_a_reason(
    given_readings: list[Reading], policy: MergePolicy
) -> None:
    merged = merge(given_readings, policy=policy)
    assert bool(merged.label) is not bool(merged.code)
    assert not merged.label or merged.label in {reading.label for reading in given_readings}


@given(readings(LABELS))
def test_a_stricter_policy_never_finds_another_label(given_readings: list[Reading]) -> None:
    unanimous = merge(given_readings, policy=MergePolicy.UNANIMOUS)
    majority = merge(given_readings, policy=MergePolicy.MAJORITY)
    first = merge(given_readings, policy=MergePolicy.FIRST)
    assert unanimous.label in ("", majority.label)
    assert not unanimous.label or unanimous.label == first.label
    votes = Counter(reading.label for reading in given_readings)
    assert bool(majority.label) is any(count > len(given_readings) / 2 for count in votes.values())


@pytest.mark.parametrize(
    ("labels", "unanimous", "majority", "first"),
    [
        (("a",), Merged("a"), Merged("a"), Merged("a")),
        (("a", "a"), Merged("a"), Merged("a"), Merged("a")),
        (("b", "a"), Merged("", DISAGREEMENT), Merged("", DISAGREEMENT), Merged("b")),
        (("b", "a", "a"), Merged("", DISAGREEMENT), Merged("a"), Merged("b")),
        (("c", "b", "a"), Merged("", DISAGREEMENT), Merged("", DISAGREEMENT), Merged("c")),
        (("b", "b", "a", "a"), Merged("", DISAGREEMENT), Merged("", DISAGREEMENT), Merged("b")),
        (("a", "a", ""), Merged("", CANNOT_DECIDE), Merged("", CANNOT_DECIDE), Merged("a")),
        (("", "a", "a"), Merged("", CANNOT_DECIDE), Merged("", CANNOT_DECIDE), Merged("", CANNOT_DECIDE)),
    ],
)
def test_each_policy_by_example(
    labels: tuple[str, ...], unanimous: Merged, majority: Merged, first: Merged
) -> None:
    found = [merge(said(*labels), policy=policy) for policy in MergePolicy]
    assert found == [unanimous, majority, first]


def test_no_reading_is_no_answer() -> None:
    with pytest.raises(ValueError, match="at least one"):
        merge([], policy=MergePolicy.FIRST)


def seat(label: str) -> SeatAnswer:
    code = "" if label else CANNOT_DECIDE
    return SeatAnswer(label=label, no_label_code=code, sign_offs=(), seconds=None)


@pytest.mark.parametrize(
    ("labels", "agreement"),
    [
        (("a",), Agreement("a")),
        (("a", "a"), Agreement("a")),
        (("a", "b"), Agreement("", DISAGREEMENT, needs_another=True)),
        (("a", "b", "a"), Agreement("a")),
        (("a", "b", "b"), Agreement("b")),
        (("a", "b", "c"), Agreement("", DISAGREEMENT)),
        (("",), Agreement("", CANNOT_DECIDE)),
        (("a", ""), Agreement("", CANNOT_DECIDE)),
        (("a", "b", ""), Agreement("", CANNOT_DECIDE)),
    ],
)
def test_two_equal_labels_win_else_there_is_none(labels: tuple[str, ...], agreement: Agreement) -> None:
    assert {agree(order) for order in permutations([seat(label) for label in labels])} == {agreement}


@given(st.lists(MAYBE_NONE, min_size=1, max_size=READERS))
def test_the_order_of_readers_does_not_matter(labels: list[str]) -> None:
    agreements = {agree(order) for order in permutations([seat(label) for label in labels])}
    assert len(agreements) == 1
    (agreement,) = agreements
    assert bool(agreement.label) is not bool(agreement.code)
    assert not agreement.label or labels.count(agreement.label) > len(labels) / 2
    assert agreement.needs_another is (len(labels) == 2 and len(set(labels)) == 2 and "" not in labels)


def test_different_reasons_for_no_label_are_one_whatever_their_order() -> None:
    answers = [seat(""), SeatAnswer(label="", no_label_code=DISAGREEMENT, sign_offs=(), seconds=None)]
    assert {agree(order).code for order in permutations(answers)} == {CANNOT_DECIDE}
