"""From a loop's answers to one, with everybody's sign-off."""

import itertools
from typing import Any

import pytest

from overread.decisions.answers import read_answer
from overread.decisions.record import SeatAnswer
from overread.errors import PoisonedAnswerError
from overread.review.wire import parse_output
from overread_testing.decision_builders import answer, output_document, policy


def merge(
    *answers: Any, generation: int = 1, about: str = "d-1", statement: Any = None, **changes: Any
) -> SeatAnswer:
    content = {"decision_id": about, "generation": generation, "statement": statement}
    body = output_document(loop_name="h-1", decision_id=about, answers=list(answers), inputContent=content)
    return read_answer(parse_output(body), terms=policy(**changes).review, decision_id="d-1", generation=1)


def test_one_answer_is_the_verdict() -> None:
    verdict = merge(answer("decline"))
    assert (verdict.label, verdict.no_label_code) == ("decline", "")
    assert verdict.seconds == 41.2
    (sign_off,) = verdict.sign_offs
    assert sign_off.reviewer.sub == "5f0c8a52-1111-4222-8333-944455556666"
    assert (sign_off.label, sign_off.reason_code) == ("decline", "income-unverified")
    assert (sign_off.accepted_at, sign_off.submitted_at) == (
        "2026-11-22T21:07:00.000Z",
        "2026-11-22T21:07:44.120Z",
    )


@pytest.mark.parametrize("shown", ["I have read the case.", "", None, 7])
def test_the_statement_that_was_shown_is_signed_whatever_the_terms_say_now(shown: Any) -> None:
    verdict = merge(answer("decline"), statement=shown, review__statement="I swear.")
    assert verdict.sign_offs[0].statement == (shown if isinstance(shown, str) else "")


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("2026-11-22T21:07:44Z", "2026-11-22T21:07:44.120Z"),
        ("2026-11-22T22:07:44+02:00", "2026-11-22T21:07:44Z"),
        ("2026-11-22T21:07:44.12Z", "2026-11-22T21:07:44.121Z"),
    ],
)
def test_the_first_answer_is_the_earliest_however_its_time_is_spelt(earlier: str, later: str) -> None:
    first = answer("approve", workerId="zz", submissionTime=earlier)
    second = answer("decline", workerId="aa", submissionTime=later)
    for order in ((first, second), (second, first)):
        verdict = merge(*order, review__merge="first")
        assert (verdict.label, verdict.sign_offs[0].submitted_at) == ("approve", earlier)


def test_a_reason_that_must_be_given_is_missed_but_not_of_who_cannot_decide() -> None:
    bare = {"decision": {"label": "decline"}}
    with pytest.raises(PoisonedAnswerError, match="reason_code_missing"):
        merge(answer(answerContent=bare), review__reason_code_required=True)
    content = {"overread": {"cannot_decide": True}}
    verdict = merge(answer(answerContent=content), review__reason_code_required=True)
    assert verdict.no_label_code == "cannot_decide"


def test_the_use_case_says_how_answers_become_one() -> None:
    late = {"submissionTime": "2026-11-22T22:00:00.000Z"}
    answers = [answer("decline", workerId="aa", **late), answer("approve", workerId="bb")]
    answers.append(answer("decline", workerId="cc", **late))
    merged = {
        policy_name: [
            merge(*order, review__merge=policy_name).label for order in itertools.permutations(answers)
        ]
        for policy_name in ("unanimous", "majority", "first")
    }
    assert {name: set(labels) for name, labels in merged.items()} == {
        "unanimous": {""},
        "majority": {"decline"},
        "first": {"approve"},
    }


def test_no_answer_at_all_is_poison() -> None:
    with pytest.raises(PoisonedAnswerError, match="no_answer"):
        merge()


def test_an_output_about_another_decision_or_generation_is_poison() -> None:
    for other in ({"about": "d-2"}, {"generation": 2}):
        with pytest.raises(PoisonedAnswerError, match="output_of_another_decision"):
            merge(answer(), **other)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"decision": {}},
        {"decision": {"label": "maybe"}},
        {"decision": {"label": 1}},
        {"decision": {"label": ["decline"]}},
        {"decision": {"label": ""}},
        {"decision": {"label": "Decline"}},
    ],
)
def test_an_answer_without_a_known_label_is_poison(content: Any) -> None:
    with pytest.raises(PoisonedAnswerError, match="label_unknown"):
        merge(answer(answerContent=content))


@pytest.mark.parametrize("code", [7, "x" * 65, "a\nb", "\ud800", ["a"]])
def test_a_reason_code_that_is_no_short_text_is_poison(code: Any) -> None:
    content = {"decision": {"label": "decline"}, "reason_code": code}
    with pytest.raises(PoisonedAnswerError, match="reason_code_unusable"):
        merge(answer(answerContent=content))


@pytest.mark.parametrize("code", [None, ""])
def test_a_reason_code_may_be_left_out(code: Any) -> None:
    content = {"decision": {"label": "decline"}, "reason_code": code}
    assert merge(answer(answerContent=content)).sign_offs[0].reason_code == ""


def test_a_reviewer_who_cannot_decide_gives_no_label() -> None:
    verdict = merge(answer("cannot-decide"))
    assert (verdict.label, verdict.no_label_code) == ("", "cannot_decide")


def test_only_a_true_verdict_means_cannot_decide() -> None:
    verdict = merge(answer("decline"), review__answer__cannot_decide="decision.label")
    assert (verdict.label, verdict.no_label_code) == ("decline", "")


def test_without_a_cannot_decide_expression_the_word_is_an_unknown_label() -> None:
    with pytest.raises(PoisonedAnswerError, match="label_unknown"):
        merge(answer("cannot-decide"), review__answer__cannot_decide=None)


@pytest.mark.parametrize(
    "changes", [{}, {"review__answer__cannot_decide": None, "review__answer__label": "keys(x)"}]
)
def test_who_tells_the_portal_that_they_cannot_decide_gives_no_label_whatever_the_expressions(
    changes: Any,
) -> None:
    content = {"overread": {"cannot_decide": True, "reason": "blurred"}}
    verdict = merge(answer(answerContent=content), **changes)
    assert (verdict.label, verdict.no_label_code, verdict.sign_offs[0].reason_code) == (
        "",
        "cannot_decide",
        "",
    )


@pytest.mark.parametrize("own", [{"cannot_decide": "true"}, {"cannot_decide": False}, True, {}])
def test_only_the_portals_own_true_means_cannot_decide(own: Any) -> None:
    content = {"decision": {"label": "decline"}, "overread": own}
    assert merge(answer(answerContent=content)).label == "decline"


def test_an_expression_that_fails_on_the_answer_is_poison() -> None:
    with pytest.raises(PoisonedAnswerError, match="answer_unreadable"):
        merge(answer(), review__answer__label="keys(reason_code)")


def test_reviewers_who_agree_give_one_verdict_and_their_time_adds_up() -> None:
    verdict = merge(
        answer("decline", workerId="aa", timeSpentInSeconds=10.5),
        answer("decline", workerId="bb", timeSpentInSeconds=None),
        answer("decline", workerId="cc", timeSpentInSeconds=20),
    )
    assert (verdict.label, verdict.seconds, len(verdict.sign_offs)) == ("decline", 30.5, 3)


def test_the_verdict_does_not_depend_on_the_order_of_answers() -> None:
    one = answer("decline", workerId="aa")
    two = answer("approve", workerId="bb", submissionTime="2026-11-22T21:08:00.000Z")
    three = answer("cannot-decide", workerId="cc", submissionTime="2026-11-22T21:09:00.000Z")
    for chosen, code in (((one, two), "disagreement"), ((one, two, three), "cannot_decide")):
        verdicts = [merge(*order) for order in itertools.permutations(chosen)]
        assert {verdict.no_label_code for verdict in verdicts} == {code}
        assert all(verdict == verdicts[0] for verdict in verdicts)
        assert verdicts[0].label == ""


ANONYMOUS: dict[str, Any] = {"workerMetadata": {}}


@pytest.mark.parametrize(
    "answers",
    [
        (answer("decline"), answer("approve")),
        (answer(), answer() | {"workerId": "another id of the same person"}),
        (answer(workerId="aa", **ANONYMOUS), answer(workerId="aa", **ANONYMOUS)),
        (answer(workerId="aa"), answer(workerId="bb"), answer(workerId="aa")),
    ],
)
def test_two_answers_of_one_person_are_poison(answers: tuple[Any, ...]) -> None:
    with pytest.raises(PoisonedAnswerError, match="same_reviewer_twice"):
        merge(*answers)


def test_workers_without_an_identity_are_told_apart_by_their_worker_ids() -> None:
    verdict = merge(answer(workerId="aa", **ANONYMOUS), answer(workerId="bb", **ANONYMOUS))
    assert (verdict.label, len(verdict.sign_offs)) == ("decline", 2)
