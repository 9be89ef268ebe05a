"""Votes on spans of text."""

import pytest

from overread.consensus.spans import Span, exact_f1, vote_spans
from overread.errors import InvalidDataError

# "Anna Lee met Bo in Rome"
TOKENS = ((0, 4), (5, 8), (9, 12), (13, 15), (16, 18), (19, 23))
ANNA_LEE, LEE, BO, ROME = Span(0, 8, "PER"), Span(5, 8, "PER"), Span(13, 15, "PER"), Span(19, 23, "LOC")


def test_by_hand() -> None:
    found = vote_spans({"a": [ANNA_LEE, BO], "b": [ANNA_LEE, ROME], "c": [LEE, BO, ROME]}, tokens=TOKENS)
    # Anna: 2 of 3 PER; Lee: 3 of 3 PER, of which one begins; Bo 2 of 3; Rome 2 of 3.
    assert found.tags == ("B-PER", "I-PER", "O", "B-PER", "O", "B-LOC")
    assert [each.span for each in found.spans] == [ANNA_LEE, BO, ROME]
    anna, bo, _ = found.spans
    assert anna.confidence == pytest.approx((2 / 3 + 1) / 2)
    assert (anna.exact, anna.overlapping) == (pytest.approx(2 / 3), 1.0)
    assert bo.confidence == pytest.approx(2 / 3)
    # a and b share 1 of 2 + 2; a and c 1 of 2 + 3; b and c 1 of 2 + 3.
    assert found.f1 == {("a", "b"): 0.5, ("a", "c"): pytest.approx(0.4), ("b", "c"): pytest.approx(0.4)}


def test_a_span_that_had_not_begun_begins() -> None:
    # Two of three say that Lee goes on a name; only one says that Anna is one.
    found = vote_spans({"a": [ANNA_LEE], "b": [ANNA_LEE], "c": [], "d": [LEE], "e": [LEE]}, tokens=TOKENS)
    assert found.tags[:3] == ("O", "B-PER", "O")
    assert [each.span for each in found.spans] == [LEE]
    # I-LOC after a PER begins as well.
    one = [Span(0, 8, "LOC")]
    mixed = vote_spans(
        {
            "a": one,
            "b": one,
            "c": [Span(0, 4, "PER")],
            "d": [Span(0, 4, "PER")],
            "e": [Span(0, 4, "PER"), Span(5, 8, "LOC")],
        },
        tokens=TOKENS,
    )
    assert mixed.tags[:2] == ("B-PER", "B-LOC")


def test_two_spans_side_by_side_stay_two() -> None:
    two = [Span(0, 4, "PER"), LEE]
    assert [
        each.span for each in vote_spans({"a": two, "b": two, "c": [ANNA_LEE]}, tokens=TOKENS).spans
    ] == two


def test_ties_are_outside_and_the_quorum_drops() -> None:
    assert vote_spans({"a": [BO], "b": []}, tokens=TOKENS).spans == ()
    # Three ways to see it: PER and LOC have one of three each, outside one: outside wins.
    assert vote_spans({"a": [BO], "b": [Span(13, 15, "LOC")], "c": []}, tokens=TOKENS).tags[3] == "O"
    spans = {"a": [BO], "b": [BO], "c": [Span(13, 15, "LOC")], "d": [Span(13, 15, "ORG")], "e": []}
    found = vote_spans(spans, tokens=TOKENS, quorum=0.5)
    assert found.spans == ()
    assert [(each.span, each.overlapping) for each in found.dropped] == [(BO, 0.4)]
    assert [each.span for each in vote_spans(spans, tokens=TOKENS, quorum=0.4).spans] == [BO]


def test_weights_decide() -> None:
    spans = {"a": [ANNA_LEE], "b": [], "c": []}
    assert vote_spans(spans, tokens=TOKENS).spans == ()
    (found,) = vote_spans(spans, tokens=TOKENS, weights={"a": 3, "b": 1, "c": 1}).spans
    assert found.confidence == pytest.approx(0.6)


def test_characters_are_widened_to_tokens_and_names_of_workers_do_not_matter() -> None:
    rough = [Span(1, 6, "PER")]
    (found,) = vote_spans({"a": rough, "b": [ANNA_LEE]}, tokens=TOKENS).spans
    assert (found.span, found.exact) == (ANNA_LEE, 1.0)
    one = vote_spans({"a": [ANNA_LEE, BO], "b": [LEE], "c": [LEE, ROME]}, tokens=TOKENS)
    other = vote_spans({"z": [LEE, ROME], "y": [BO, ANNA_LEE], "x": [LEE]}, tokens=TOKENS)
    assert (one.spans, one.tags) == (other.spans, other.tags)


def test_nothing_marked_one_worker_and_no_text() -> None:
    assert exact_f1([], []) is None
    assert exact_f1([BO], []) == 0.0
    assert vote_spans({"a": [BO]}, tokens=TOKENS).spans[0].confidence == 1.0
    assert vote_spans({"a": [], "b": []}, tokens=()).f1 == {("a", "b"): None}


def test_every_fault_is_told() -> None:
    bad = [Span(8, 5, "PER"), Span(4, 5, "PER"), Span(0, 4, ""), ANNA_LEE, LEE]
    with pytest.raises(InvalidDataError) as caught:
        vote_spans({"a": bad}, tokens=TOKENS, weights={"b": 1.0}, quorum=0)
    assert caught.value.faults == (
        "quorum must be above 0 and at most 1, got 0",
        "span 1 of worker 'a' must have 0 <= start < end, got 8 to 5",
        "span 2 of worker 'a' must lie on tokens of the text, got 4 to 5",
        "span 3 of worker 'a' must have a class",
        "span 4 of worker 'a' must not share a token with span 3",
        "span 5 of worker 'a' must not share a token with span 4",
        "weights must have worker 'a'",
    )
    with pytest.raises(InvalidDataError, match="token 2 must not start before"):
        vote_spans({"a": []}, tokens=((0, 4), (3, 5)))
