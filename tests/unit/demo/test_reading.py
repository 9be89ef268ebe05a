"""Scripted reviewers: right as often as stated, the same on every run, never told the truth by the task."""

from dataclasses import replace

from overread_cli.demo.reviewers import Reading

LABELS = ["approve", "decline"]
UNSURE = {"label": "cannot-decide"}


def reading(*, error_rate: float, truth: str = "approve", cases: int = 2000) -> Reading:
    return Reading(
        truth={f"loan-{n}": truth for n in range(cases)},
        forms={"loan-approval": {"decision": {"label": "decline"}, "reason_code": "income", "note": "x"}},
        error_rate=error_rate,
        seed=7,
    )


def task(n: int) -> dict[str, object]:
    return {"reference": f"loan-{n}", "use_case": "loan-approval", "labels": LABELS}


def test_a_reviewer_errs_as_often_as_stated() -> None:
    script = reading(error_rate=0.1)
    wrong = sum(script.answer(task(n), seat="1")["decision"] != {"label": "approve"} for n in range(2000))
    assert 150 <= wrong <= 250  # 200 expected, 3.7 standard deviations either side


def test_without_errors_every_answer_is_the_truth_in_the_form_of_the_template() -> None:
    answer = reading(error_rate=0).answer(task(3), seat="1")
    assert answer == {"decision": {"label": "approve"}, "reason_code": "income", "note": "x"}


def test_the_draw_repeats_whoever_gets_the_task_and_differs_between_cases() -> None:
    once = [reading(error_rate=0.5).answer(task(n), seat="1")["decision"] for n in range(64)]
    again = [reading(error_rate=0.5).answer(task(n), seat="1")["decision"] for n in range(64)]
    assert once == again
    assert {decision["label"] for decision in once} == {"approve", "decline"}


def test_two_readers_of_one_case_err_each_for_themselves() -> None:
    both = [
        [reading(error_rate=0.5).answer(task(n), seat=seat)["decision"] for n in range(64)]
        for seat in ("1-a", "1-b")
    ]
    assert both[0] != both[1]


def test_a_reviewer_leaves_cases_to_a_senior_who_always_decides() -> None:
    script = replace(reading(error_rate=0), unsure_rate=0.25, escalating=frozenset({"loan-approval"}))
    left = [script.answer(task(n), seat="1")["decision"] == UNSURE for n in range(2000)]
    assert 420 <= sum(left) <= 580  # 500 expected, 4.1 standard deviations either side
    seniors = [script.answer(task(n), seat="1-e", is_senior=True)["decision"] for n in range(2000)]
    assert all(decision == {"label": "approve"} for decision in seniors)


def test_where_no_senior_is_nobody_leaves_a_case_to_one() -> None:
    script = replace(reading(error_rate=0), unsure_rate=1, escalating=frozenset({"digit-reading"}))
    assert script.answer(task(1), seat="1")["decision"] == {"label": "approve"}
