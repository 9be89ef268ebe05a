"""Documents of qualifications, tests before the first task, standings and rosters."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from overread_review.service.errors import (
    PersonUnsuitableError,
    QualificationInvalidError,
    QualificationUnknownError,
    TaskConflictError,
)
from overread_review.service.model import Qualification, Reviewer, Standing
from overread_review.service.qualifications import MAX_BYTES, parse_qualification, qualification_document
from overread_review.service.records import parse_record, record_text
from overread_review.service.settings import VendorTeam
from overread_review.service.standings import StandingState, with_test_answer
from overread_testing.review_fakes import ADA, GRACE, KATHERINE, LENA, VERA, ReviewLab, review_lab
from overread_testing.review_gold import (
    TAGS,
    answer_gold,
    gold_tasks,
    qualification_of,
    real_tasks,
    take_test,
)

DAY_S = 24 * 3600


# Documents


def test_a_document_is_kept_as_it_was_given() -> None:
    document = qualification_of()
    parsed = parse_qualification("loans", document)
    assert qualification_document(parsed) == document
    assert parse_record(Qualification, record_text(parsed), version=0) == parsed


def test_gold_share_and_validity_have_defaults() -> None:
    document = qualification_of()
    del document["gold_share"], document["valid_days"]
    parsed = parse_qualification("loans", document)
    assert (parsed.gold_share, parsed.valid_days) == (0.05, 180)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"questions": 0}, "questions must be a whole number from 1 to 100, got 0"),
        ({"questions": True}, "questions must be a whole number from 1 to 100, got True"),
        ({"questions": 7}, "questions must be at most the number of items, 6, got 7"),
        ({"questions": 101}, "questions must be a whole number from 1 to 100, got 101"),
        ({"pass_mark": 0}, "pass_mark must be a number above 0 and at most 1, got 0"),
        ({"pass_mark": 1.01}, "pass_mark must be a number above 0 and at most 1, got 1.01"),
        ({"pass_mark": "0.8"}, "pass_mark must be a number above 0 and at most 1, got '0.8'"),
        ({"gold_share": -0.1}, "gold_share must be a number from 0 to 0.5, got -0.1"),
        ({"gold_share": 0.51}, "gold_share must be a number from 0 to 0.5, got 0.51"),
        ({"gold_share": float("nan")}, "gold_share must be a number from 0 to 0.5, got nan"),
        ({"valid_days": 0}, "valid_days must be a whole number from 1 to 3650, got 0"),
        ({"valid_days": 3651}, "valid_days must be a whole number from 1 to 3650, got 3651"),
        ({"items": []}, "items must be a list of 1 to 500 items, got 0 items"),
        ({"items": {}}, "items must be a list of 1 to 500 items, got an object"),
        ({"surprise": 1}, "unknown member 'surprise', allowed are items, questions, pass_mark"),
    ],
)
def test_a_value_out_of_range_is_named_with_what_is_allowed(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(QualificationInvalidError) as refused:
        parse_qualification("loans", qualification_of(**changes))
    assert fault in str(refused.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"questions": 1},
        {"questions": 6},
        {"pass_mark": 1},
        {"pass_mark": 0.01},
        {"gold_share": 0},
        {"gold_share": 0.5},
        {"valid_days": 1},
        {"valid_days": 3650},
    ],
)
def test_limits_themselves_are_allowed(changes: dict[str, Any]) -> None:
    assert parse_qualification("loans", qualification_of(**changes))


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"id": "item-1"}, "items[0].id must be unique, got 'item-1' of items[1]"),
        ({"id": "a b"}, "items[0].id must be a text that matches"),
        (
            {"id": None},
            "items[0].id must be a text that matches [A-Za-z0-9][A-Za-z0-9._-]{0,63}, got nothing",
        ),
        ({"input": []}, "items[0].input must be an object, the input of a task, got a list"),
        ({"expected": {}}, "items[0].expected must be an object with at least one choice, got {}"),
        ({"expected": {"decision": 1}}, "items[0].expected['decision'] must be a text of one line"),
        ({"expected": {"decision": "a\nb"}}, "items[0].expected['decision'] must be a text of one line"),
        ({"expected": {"n" * 65: "a"}}, "has more than 64 characters"),
        ({"more": 1}, "items[0]: unknown member 'more', allowed are id, input, expected"),
    ],
)
def test_a_fault_of_an_item_is_named_with_its_place(changes: dict[str, Any], fault: str) -> None:
    document = qualification_of()
    document["items"][0] |= changes
    if changes.get("id") == "item-1":
        document["items"][:2] = document["items"][1::-1]
        fault = "items[1].id must be unique, got 'item-1' of items[0]"
        document["items"][0]["id"] = document["items"][1]["id"] = "item-1"
    with pytest.raises(QualificationInvalidError) as refused:
        parse_qualification("loans", document)
    assert fault in str(refused.value)


def test_all_faults_come_in_one_error() -> None:
    document = {
        "items": [{"id": "", "input": 1, "expected": []}, 7],
        "questions": -1,
        "pass_mark": 2,
        "gold_share": 1,
        "valid_days": 0.5,
        "x": 1,
    }
    with pytest.raises(QualificationInvalidError) as refused:
        parse_qualification("no spaces please", document)
    text = str(refused.value)
    names = ("name", "'x'", "items[0].id", "items[0].input", "items[0].expected", "items[1]")
    for name in (*names, "questions", "pass_mark", "gold_share", "valid_days"):
        assert name in text
    assert text.count(";") == len(names) + 4 - 1


@pytest.mark.parametrize("name", ["", "a b", "-a", "a-", "a/b", "ä", "a" * 64, f"a{'-' * 62}b"])
def test_a_name_that_no_tag_could_hold_is_refused(name: str) -> None:
    with pytest.raises(QualificationInvalidError, match="name must have 1 to 63 letters, digits and hyphens"):
        parse_qualification(name, qualification_of())


@pytest.mark.parametrize("name", ["a", "loans--2026", "a" * 63])
def test_names_up_to_the_limit_are_allowed(name: str) -> None:
    assert parse_qualification(name, qualification_of()).name == name


def test_many_faults_are_counted_rather_than_listed() -> None:
    with pytest.raises(QualificationInvalidError, match=r"; and 480 more$"):
        parse_qualification("loans", qualification_of(items=[1] * 500))


@pytest.mark.parametrize("document", [None, [], "text", 3])
def test_something_else_than_an_object_is_refused(document: object) -> None:
    with pytest.raises(QualificationInvalidError, match="a qualification is a JSON object"):
        parse_qualification("loans", document)


def test_what_cannot_be_written_is_refused() -> None:
    document = qualification_of()
    document["items"][0]["input"] = {"note": "\ud800"}
    with pytest.raises(QualificationInvalidError, match="half of a surrogate pair"):
        parse_qualification("loans", document)


def test_a_document_that_is_too_large_is_refused_with_its_size() -> None:
    document = qualification_of()
    document["items"][0]["input"] = {"note": "x" * MAX_BYTES}
    with pytest.raises(QualificationInvalidError, match=r"at most 300,000 bytes, got 300,\d\d\d"):
        parse_qualification("loans", document)


def test_qualifications_are_replaced_and_listed_by_name() -> None:
    qualifications = review_lab().service.qualifications
    qualifications.put("loans", qualification_of())
    qualifications.put("claims", qualification_of())
    replaced = qualifications.put("loans", qualification_of(questions=1))
    assert qualifications.get("loans") == replaced
    assert replaced.version == 2
    assert [one.name for one in qualifications.list()] == ["claims", "loans"]
    with pytest.raises(QualificationUnknownError, match="'others'"):
        qualifications.get("others")
    with pytest.raises(QualificationUnknownError):
        qualifications.roster("others")


# The test before the first task


@pytest.fixture
def lab() -> ReviewLab:
    """Two real tasks behind the qualification `loans`."""
    lab = review_lab()
    lab.service.qualifications.put("loans", qualification_of())
    lab.flow_definition(tags=TAGS)
    lab.start("loan-1", note="real")
    lab.start("loan-2", note="real")
    return lab


def own(lab: ReviewLab, person: Reviewer = ADA) -> tuple[StandingState, float | None, int]:
    (one,) = lab.service.qualifications.of(person)
    return one.state, one.score, one.answered


def test_who_has_shown_nothing_gets_the_test_and_no_real_task(lab: ReviewLab) -> None:
    assert own(lab) == (StandingState.NONE, None, 0)
    offered = lab.service.tasks.offered(ADA)
    assert [task.loop.gold.purpose for task in offered if task.loop.gold] == ["test"] * 3
    assert real_tasks(lab, ADA) == []
    assert all(task.assigned_to_me for task in offered)
    with pytest.raises(TaskConflictError, match="passed the test 'loans'"):
        lab.service.tasks.claim("loan-1", reviewer=ADA)
    assert lab.loop("loan-1").claims == ()
    for _ in range(3):
        claimed = lab.service.tasks.next(ADA)
        assert claimed is not None
        assert claimed.loop.gold is not None
        lab.service.tasks.give_back(claimed.loop.name, reviewer=ADA, decline=False)


def test_a_lead_cannot_give_a_task_to_who_has_not_passed(lab: ReviewLab) -> None:
    for person in (ADA, LENA):
        lab.service.people.seen(person)
    with pytest.raises(PersonUnsuitableError, match="has not passed the test 'loans'"):
        lab.service.lead.assign(LENA, "loan-1", person=ADA.key)
    take_test(lab, ADA)
    assert lab.service.lead.assign(LENA, "loan-1", person=ADA.key).assigned_to == ADA.key


def test_who_passes_gets_real_tasks_and_no_more_of_the_test(lab: ReviewLab) -> None:
    asked = take_test(lab, ADA, right=lambda number: number < 2)
    assert len(set(asked)) == 3
    assert own(lab) == (StandingState.PASSED, 2 / 3, 3)
    assert real_tasks(lab, ADA) == ["loan-1", "loan-2"]
    assert gold_tasks(lab, ADA) == []
    assert lab.answer("loan-1", by=ADA).answers[0].person == ADA.key


def test_nothing_of_the_result_shows_before_the_last_question(lab: ReviewLab) -> None:
    for answered in (1, 2):
        answer_gold(lab, gold_tasks(lab, ADA)[0].loop, by=ADA, right=False)
        assert own(lab) == (StandingState.IN_TEST, None, answered)
    answer_gold(lab, gold_tasks(lab, ADA)[0].loop, by=ADA, right=True)
    assert own(lab) == (StandingState.FAILED, 1 / 3, 3)


def test_a_failed_test_blocks_for_a_day_and_then_asks_other_items_first(lab: ReviewLab) -> None:
    first = take_test(lab, ADA, right=lambda _: False)
    assert own(lab)[0] is StandingState.FAILED
    lab.clock.advance(DAY_S - 11)
    assert lab.service.tasks.offered(ADA) == []
    with pytest.raises(TaskConflictError):
        lab.service.tasks.claim("loan-1", reviewer=ADA)
    (one,) = lab.service.qualifications.of(ADA)
    assert one.repeat_at is not None
    assert one.repeat_at - lab.clock() == timedelta(seconds=11)
    lab.clock.advance(11)
    second = take_test(lab, ADA, right=lambda _: False)
    assert set(first) | set(second) == {f"item-{number}" for number in range(6)}
    lab.clock.advance(DAY_S)
    third = take_test(lab, ADA)
    assert set(third) == set(first), "the items that were asked longest ago"
    assert own(lab) == (StandingState.PASSED, 1.0, 3)
    assert real_tasks(lab, ADA) == ["loan-1", "loan-2"]


def test_a_qualification_expires_and_its_test_comes_again(lab: ReviewLab) -> None:
    take_test(lab, ADA)
    lab.clock.advance(30 * DAY_S - 1)
    lab.start("loan-3")
    assert "loan-3" in real_tasks(lab, ADA)
    lab.clock.advance(1)
    assert own(lab)[0] is StandingState.EXPIRED
    assert real_tasks(lab, ADA) == []
    with pytest.raises(TaskConflictError):
        lab.service.tasks.claim("loan-3", reviewer=ADA)
    take_test(lab, ADA, right=lambda _: False)
    assert own(lab) == (StandingState.FAILED, 0.0, 3)
    assert lab.service.tasks.offered(ADA) == []
    lab.clock.advance(DAY_S)
    take_test(lab, ADA)
    assert "loan-3" in real_tasks(lab, ADA)


def test_who_has_begun_a_task_may_finish_it_after_the_qualification_expired(lab: ReviewLab) -> None:
    take_test(lab, ADA)
    lab.clock.advance(30 * DAY_S - 60)
    lab.start("loan-3")
    lab.service.tasks.claim("loan-3", reviewer=ADA)
    lab.clock.advance(120)
    assert real_tasks(lab, ADA) == ["loan-3"]
    lab.service.tasks.answer("loan-3", reviewer=ADA, content={"decision": {"label": "approve"}})
    assert lab.loop("loan-3").answers[0].person == ADA.key


@pytest.mark.parametrize(("right", "state"), [(4, StandingState.PASSED), (3, StandingState.FAILED)])
def test_the_pass_mark_itself_passes(right: int, state: StandingState) -> None:
    lab = review_lab()
    lab.service.qualifications.put("loans", qualification_of(questions=5, pass_mark=0.8))
    lab.flow_definition(tags=TAGS)
    take_test(lab, ADA, right=lambda number: number < right)
    assert own(lab) == (state, right / 5, 5)


def test_a_long_test_comes_a_few_questions_at_a_time() -> None:
    lab = review_lab()
    lab.service.qualifications.put("loans", qualification_of(40, questions=12))
    lab.flow_definition(tags=TAGS)
    assert len(gold_tasks(lab, ADA)) == 5
    assert len(gold_tasks(lab, ADA)) == 5, "the same ones"
    assert len(set(take_test(lab, ADA))) == 12


def test_people_get_different_tests() -> None:
    lab = review_lab()
    lab.service.qualifications.put("loans", qualification_of(40))
    lab.flow_definition(tags=TAGS)
    assert len({frozenset(take_test(lab, person)) for person in (ADA, GRACE, KATHERINE, LENA)}) == 4


def test_a_declined_question_comes_back_at_the_end(lab: ReviewLab) -> None:
    declined = gold_tasks(lab, ADA)[0].loop
    lab.service.tasks.give_back(declined.name, reviewer=ADA, decline=True)
    assert declined.name not in [task.loop.name for task in gold_tasks(lab, ADA)]
    for _ in range(5):
        for task in gold_tasks(lab, ADA):
            lab.service.tasks.give_back(task.loop.name, reviewer=ADA, decline=True)
    assert 0 < len(gold_tasks(lab, ADA)) <= 3, "declining all of them leaves the test where it was"
    assert real_tasks(lab, ADA) == []
    assert len(set(take_test(lab, ADA))) == 3
    assert own(lab)[0] is StandingState.PASSED


def test_a_question_that_expired_is_asked_again(lab: ReviewLab) -> None:
    before = {task.loop.name for task in gold_tasks(lab, ADA)}
    lab.clock.advance(10 * DAY_S)
    after = {task.loop.name for task in gold_tasks(lab, ADA)}
    assert len(after) == 3
    assert not before & after
    assert len(take_test(lab, ADA)) == 3


def test_until_the_qualification_is_written_nobody_gets_its_tasks() -> None:
    lab = review_lab()
    lab.flow_definition(tags=TAGS)
    lab.start("loan-1")
    assert lab.service.tasks.offered(ADA) == []
    (one,) = lab.service.qualifications.of(ADA)
    assert (one.state, one.questions) == (StandingState.NONE, 0)
    lab.service.qualifications.put("loans", qualification_of())
    assert len(gold_tasks(lab, ADA)) == 3


def test_queues_without_a_qualification_are_open_to_everybody(lab: ReviewLab) -> None:
    lab.flow_definition("plain")
    lab.start("plain-1", flow="plain")
    assert real_tasks(lab, ADA) == ["plain-1"]


def test_one_test_opens_all_queues_that_ask_for_it(lab: ReviewLab) -> None:
    lab.flow_definition("second", tags=TAGS, TaskTitle="Review a second loan")
    lab.start("second-1", flow="second")
    assert len(take_test(lab, ADA)) == 3
    assert real_tasks(lab, ADA) == ["loan-1", "loan-2", "second-1"]
    (one,) = lab.service.qualifications.of(ADA)
    assert one.title == "Review a loan"


def test_a_queue_that_is_being_deleted_tests_nobody() -> None:
    lab = review_lab(status_lag_s=60)
    lab.service.qualifications.put("loans", qualification_of())
    for name in ("first", "second"):
        lab.flow_definition(name, tags=TAGS)
    lab.call(lab.service.loops.delete_flow_definition, FlowDefinitionName="first")
    assert {task.loop.terms.flow_definition_name for task in gold_tasks(lab, ADA)} == {"second"}
    assert len(take_test(lab, ADA)) == 3


def test_a_test_goes_on_in_another_queue_when_the_first_is_gone(lab: ReviewLab) -> None:
    lab.flow_definition("second", tags=TAGS)
    answer_gold(lab, gold_tasks(lab, ADA)[0].loop, by=ADA)
    lab.call(lab.service.loops.delete_flow_definition, FlowDefinitionName="flow")
    lab.clock.advance(60)
    assert len(take_test(lab, ADA)) == 2
    assert own(lab)[0] is StandingState.PASSED


def test_a_test_of_a_paused_queue_waits(lab: ReviewLab) -> None:
    name = gold_tasks(lab, ADA)[0].loop.name
    lab.service.lead.pause_queue(LENA, "flow")
    assert lab.service.tasks.offered(ADA) == []
    with pytest.raises(TaskConflictError, match="paused"):
        lab.service.tasks.claim(name, reviewer=ADA)
    lab.service.lead.resume_queue(LENA, "flow")
    assert len(gold_tasks(lab, ADA)) == 3


def test_who_was_disabled_in_the_middle_goes_on_with_the_same_test(lab: ReviewLab) -> None:
    for person in (ADA, LENA):
        lab.service.people.seen(person)
    answer_gold(lab, gold_tasks(lab, ADA)[0].loop, by=ADA)
    lab.service.tasks.claim(gold_tasks(lab, ADA)[0].loop.name, reviewer=ADA)
    lab.service.people.disable(LENA, ADA.key)
    lab.service.people.enable(LENA, ADA.key)
    assert own(lab)[2] == 1
    assert len(take_test(lab, ADA)) == 2
    assert own(lab)[0] is StandingState.PASSED


def test_one_persons_questions_are_nobody_elses(lab: ReviewLab) -> None:
    names = {task.loop.name for task in gold_tasks(lab, ADA)}
    assert not names & {task.loop.name for task in gold_tasks(lab, GRACE)}
    take_test(lab, ADA)
    assert own(lab, GRACE)[0] is StandingState.NONE
    assert real_tasks(lab, GRACE) == []


def test_fewer_questions_than_are_answered_end_the_test(lab: ReviewLab) -> None:
    for _ in range(2):
        answer_gold(lab, gold_tasks(lab, ADA)[0].loop, by=ADA)
    lab.service.qualifications.put("loans", qualification_of(questions=2))
    lab.service.tasks.offered(ADA)
    assert own(lab) == (StandingState.PASSED, 1.0, 2)


def test_who_passed_stays_qualified_when_the_questions_change(lab: ReviewLab) -> None:
    take_test(lab, ADA)
    lab.service.qualifications.put("loans", qualification_of(2, questions=2, pass_mark=1))
    assert real_tasks(lab, ADA) == ["loan-1", "loan-2"]


def test_items_that_a_template_refuses_are_left_out() -> None:
    refused = "{% if task.input.note == 'loan 2' %}{{ task.input.note | divided_by: 0 }}{% endif %}"
    lab = review_lab(template=f"<crowd-form>{refused}</crowd-form>")
    lab.service.qualifications.put("loans", qualification_of(4))
    lab.flow_definition(tags=TAGS)
    assert sorted(take_test(lab, ADA)) == ["item-0", "item-1", "item-3"]


def test_several_labels_are_right_in_any_order() -> None:
    lab = review_lab()
    item = {"id": "one", "input": {}, "expected": {"reasons": "b|a", "decision": "approve"}}
    lab.service.qualifications.put("loans", qualification_of(items=[item], questions=1))
    lab.flow_definition(tags=TAGS)
    loop = gold_tasks(lab, ADA)[0].loop
    lab.answer(loop.name, by=ADA, label="approve", reasons={"labels": ["a", "b"]}, remark="more is fine")
    assert own(lab) == (StandingState.PASSED, 1.0, 1)


def test_who_cannot_decide_has_not_answered_right(lab: ReviewLab) -> None:
    while tasks := gold_tasks(lab, ADA):
        lab.service.tasks.claim(tasks[0].loop.name, reviewer=ADA)
        lab.service.tasks.cannot_decide(tasks[0].loop.name, reviewer=ADA, reason="unclear")
    assert own(lab) == (StandingState.FAILED, 0.0, 3)


def test_an_item_counts_once_in_a_test_and_late_answers_count_nothing(lab: ReviewLab) -> None:
    qualification = lab.service.qualifications.get("loans")
    standing = Standing(ADA.key, "loans")

    def answered(before: Standing, item: str, *, number: int = 0, right: bool = True) -> Standing:
        return with_test_answer(
            before, number=number, item=item, right=right, qualification=qualification, at=lab.clock()
        )

    once = answered(standing, "item-0", right=False)
    assert answered(once, "item-0") == once
    assert answered(once, "item-1", number=1) == once
    ended = answered(answered(once, "item-1"), "item-2")
    assert (ended.test_correct, ended.test_total, ended.passed_at) == (2, 3, lab.clock())
    assert answered(ended, "item-3") == ended
    assert answered(ended, "item-3", number=1) == ended


def test_the_portal_tells_people_how_their_test_goes(served_lab: Any) -> None:
    lab = served_lab.lab
    lab.service.qualifications.put("loans", qualification_of())
    lab.flow_definition(tags=TAGS)
    client = served_lab.sign_in("ada")

    def told() -> dict[str, Any]:
        (one,) = client.get("/portal/api/session").json()["qualifications"]
        return dict(one)

    new = {"name": "loans", "title": "Review a loan", "valid_until": None, "repeat_at": None, "questions": 3}
    assert told() == new | {"state": "none", "score": None, "answered": 0}
    answer_gold(lab, gold_tasks(lab, ADA)[0].loop, by=ADA)
    assert told() == new | {"state": "in-test", "score": None, "answered": 1}
    take_test(lab, ADA)
    passed = told()
    assert (passed["state"], passed["score"], passed["answered"]) == ("passed", 1.0, 3)
    assert passed["valid_until"].startswith("2026-04-01T")


# Vendors


def test_a_vendors_people_are_tested_like_others_and_each_provider_speaks_for_its_own() -> None:
    team = VendorTeam("acme", "Acme", "Acme Inc.", "acme")
    lab = review_lab(vendor_teams=(team,))
    lab.service.qualifications.put("loans", qualification_of())
    vendor_arn = lab.service.settings.arn("workteam/vendor-crowd/acme")
    lab.flow_definition("outside", tags=TAGS, WorkteamArn=vendor_arn)
    lab.flow_definition("inside", tags=TAGS)
    lab.start("outside-1", flow="outside")
    lab.start("inside-1", flow="inside")
    namesake = Reviewer("vera", VERA.sub, frozenset({"reviewers"}))
    assert real_tasks(lab, VERA) == []
    take_test(lab, namesake)
    assert real_tasks(lab, namesake) == ["inside-1"]
    assert real_tasks(lab, VERA) == [], "what the workforce's v-1 has shown says nothing about Acme's"
    take_test(lab, VERA)
    assert real_tasks(lab, VERA) == ["outside-1"]
    roster = lab.service.qualifications.roster("loans")
    assert {entry.person: entry.state for entry in roster} == {
        "v-1": StandingState.PASSED,
        "acme:v-1": StandingState.PASSED,
    }


# The roster


def test_the_roster_tells_how_everybody_did(lab: ReviewLab) -> None:
    for person in (ADA, GRACE, KATHERINE):
        lab.service.people.seen(person)
    take_test(lab, GRACE)
    passed_at = lab.clock()
    take_test(lab, ADA, right=lambda number: number == 0)
    answer_gold(lab, gold_tasks(lab, KATHERINE)[0].loop, by=KATHERINE)
    ada, grace, katherine = lab.service.qualifications.roster("loans")
    assert (ada.name, ada.state, ada.score) == ("ada", StandingState.FAILED, 1 / 3)
    assert (grace.name, grace.state, grace.score) == ("grace", StandingState.PASSED, 1.0)
    assert (grace.passed_at, grace.valid_until) == (passed_at, passed_at + timedelta(days=30))
    assert (katherine.state, katherine.score, katherine.test_total) == (StandingState.IN_TEST, None, 1)


@pytest.mark.parametrize(("statistics", "shown"), [("off", None), ("pseudonymous", None), ("named", 0)])
def test_figures_about_gold_questions_are_statistics_about_people(statistics: str, shown: int | None) -> None:
    lab = review_lab(statistics=statistics)
    lab.service.qualifications.put("loans", qualification_of())
    lab.flow_definition(tags=TAGS)
    lab.service.people.seen(ADA)
    take_test(lab, ADA)
    (entry,) = lab.service.qualifications.roster("loans")
    assert (entry.gold_correct, entry.gold_total) == (shown, shown)
    (view,) = [view for view in lab.service.people.list(LENA) if view.person.key == ADA.key]
    assert [one.gold_total for one in view.standings] == [shown]
    assert view.standings[0].state is StandingState.PASSED


def test_rosters_of_qualifications_with_similar_names_are_apart(lab: ReviewLab) -> None:
    lab.service.qualifications.put("loans-2", qualification_of())
    take_test(lab, ADA)
    assert lab.service.qualifications.roster("loans-2") == ()


def test_standings_of_earlier_versions_can_be_read() -> None:
    text = '{"person":"p","qualification":"q","test_correct":2,"test_total":3}'
    assert parse_record(Standing, text, version=4) == Standing(
        "p", "q", test_correct=2, test_total=3, version=4
    )
