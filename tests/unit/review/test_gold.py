"""Questions with known answers among real tasks: nobody can tell them apart, nothing of them gets out."""

from __future__ import annotations

import json
import math
import random
import re
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from overread.decisions.ids import decision_id
from overread.review.wire import LoopStatus
from overread_aws.review_store import DynamoReviewStore
from overread_review.service.errors import (
    ResourceMissingError,
    StoreUnavailableError,
    TaskConflictError,
    TaskGoneError,
    TaskUnknownError,
)
from overread_review.service.lookalikes import KeyedChance
from overread_review.service.model import Loop, Reviewer, Standing
from overread_review.service.ports import LoopQuery, RecordKind, StoredRecord
from overread_review.service.registers import standing_key, standings_register
from overread_review.service.settings import VendorTeam
from overread_testing.review_fakes import ADA, GRACE, LENA, VERA, FakeStore, ReviewLab, review_lab
from overread_testing.review_gold import (
    TAGS,
    answer_gold,
    gold_tasks,
    known_label,
    qualification_of,
    real_tasks,
    take_test,
)


def desk(*, share: float = 0.5, items: int = 40, seats: int = 1, **settings: Any) -> ReviewLab:
    """A queue whose people are qualified, with gold questions in a share of the answers."""
    lab = review_lab(**settings)
    lab.service.qualifications.put("loans", qualification_of(items, gold_share=share))
    lab.flow_definition(tags=TAGS, TaskCount=seats)
    for person in (ADA, GRACE, LENA):
        lab.service.people.seen(person)
        take_test(lab, person)
    return lab


def name_of(number: int) -> str:
    made = decision_id(environment="e", caller_scope="c", use_case="u", idempotency_key=str(number))
    return made.replace("d-", "h-", 1)


def until_gold(lab: ReviewLab, person: Reviewer = ADA, *, flow: str = "flow") -> tuple[Loop, Loop]:
    """A real loop that the person answered, and the gold question that came of it."""
    for number in range(200):
        name = name_of(number)
        lab.start(name, flow=flow, note=f"real {number}")
        lab.clock.advance(7)
        real = lab.answer(name, by=person)
        if tasks := gold_tasks(lab, person):
            return real, tasks[0].loop
    raise AssertionError("no gold question in 200 tasks")


def standing(lab: ReviewLab, person: Reviewer = ADA) -> Standing:
    found = standings_register(lab.store).find(standing_key("loans", person=person.key))
    assert found is not None
    return found


def counts(lab: ReviewLab, person: Reviewer = ADA) -> tuple[int, int]:
    one = standing(lab, person)
    return one.gold_correct, one.gold_total


# Nobody can tell


def documents_of(client: Any, task_id: str) -> dict[str, Any]:
    """Everything that the portal's API gives out about a task, from the list to the history."""
    given: dict[str, Any] = {}
    given["task"] = next(
        task for task in client.get("/portal/api/tasks").json()["tasks"] if task["task_id"] == task_id
    )
    base = f"/portal/api/tasks/{task_id}"
    for action in ("claim", "pause", "resume"):
        given[action] = client.post(f"{base}/{action}", json={}).json()
    given["notes"] = client.post(f"{base}/notes", json={"kind": "question", "text": "?"}).json()
    given["frame"] = client.get(f"/portal/tasks/{task_id}/frame").status_code
    given["answer"] = client.post(
        f"{base}/answer", json={"answer": {"decision": {"label": "approve"}}}
    ).json()
    given["again"] = client.post(f"{base}/answer", json={"answer": {"decision": {"label": "approve"}}}).json()
    given["late"] = client.post(f"{base}/claim", json={}).json()
    given["history"] = next(
        one for one in client.get("/portal/api/history").json()["answers"] if one["task_id"] == task_id
    )
    return given


def plain(document: Any, *, name: str) -> Any:
    """The document with the task's name, its input and its times left out: the rest has to be the same."""
    if isinstance(document, Mapping):
        return {key: plain(value, name=name) for key, value in document.items() if key != "input"}
    if isinstance(document, list):
        return [plain(value, name=name) for value in document]
    if isinstance(document, str):
        return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", document.replace(name, "NAME"))
    return document


def test_everything_that_the_portal_says_of_a_gold_question_it_says_of_a_real_task(served_lab: Any) -> None:
    lab = served_lab.lab
    lab.service.qualifications.put("loans", qualification_of(40, gold_share=0.5))
    lab.flow_definition(tags=TAGS, TaskKeywords=["loans"])
    take_test(lab, ADA)
    _, gold = until_gold(lab)
    lab.start(name_of(1000), note="real")
    client = served_lab.sign_in("ada")
    real_documents = documents_of(client, name_of(1000))
    gold_documents = documents_of(client, gold.name)
    assert plain(gold_documents, name=gold.name) == plain(real_documents, name=name_of(1000))
    assert set(gold_documents["claim"]["input"]) == set(real_documents["claim"]["input"])
    everything = client.get("/portal/api/tasks").text + client.get("/portal/api/history").text
    assert "gold" not in everything
    assert "item-" not in json.dumps(gold_documents)


def test_times_priority_and_deadline_are_those_of_a_task_that_might_have_been_there() -> None:
    lab = desk()
    lab.start("loan-0", note="x", overread={"priority": "high", "deadline": "2026-03-09T12:00:00Z"})
    for number in range(200):
        name = f"loan-{number:06d}"
        lab.start(name, overread={"priority": "high", "deadline": "2026-03-09T12:00:00Z"})
        lab.clock.advance(3000)
        real = lab.answer(name, by=ADA)
        if tasks := gold_tasks(lab, ADA):
            break
    gold, now = tasks[0].loop, lab.clock()
    assert real.created_at < gold.created_at < now
    younger = gold.created_at - real.created_at
    assert 0 < younger.total_seconds() < 600
    assert gold.priority == real.priority
    assert real.deadline_at is not None
    assert gold.deadline_at == real.deadline_at + younger
    assert gold.expires_at == real.expires_at + younger
    assert gold.terms == real.terms


def test_gold_questions_stand_in_the_queues_order_among_real_tasks() -> None:
    lab = desk()
    _, gold = until_gold(lab)
    lab.clock.advance(700)
    lab.start("loan-later")
    offered = lab.service.tasks.offered(ADA)
    assert [task.loop.name for task in offered] == [gold.name, "loan-later"]
    assert not any(task.assigned_to_me or task.returned_to_me for task in offered)
    claimed = lab.service.tasks.next(ADA)
    assert claimed is not None
    assert claimed.loop.name == gold.name


@pytest.mark.parametrize(
    ("pattern", "form"),
    [
        ("claim-{:06d}", r"claim-\d{6}"),
        ("{:08x}a-5c1e", r"[0-9a-f]{9}-[0-9a-f]{4}"),
        ("loan-{}", r"h-[a-z2-7]{26}"),
    ],
)
def test_names_take_the_form_of_the_queues_own_where_there_are_enough(pattern: str, form: str) -> None:
    lab = desk(share=0.5)
    for number in range(1, 60):
        name = pattern.format(number * 7919 % 999_983 if "06d" in pattern or "08x" in pattern else number)
        lab.start(name)
        lab.answer(name, by=ADA)
    golds = gold_tasks(lab, ADA)
    assert len(golds) > 10
    for task in golds:
        assert re.fullmatch(form, task.loop.name)
        assert task.loop.arn.endswith(f":human-loop/{task.loop.name}")


def test_a_task_of_overreads_own_gets_a_decision_id_that_no_other_has() -> None:
    lab = desk()
    for number in range(200):
        own_id = decision_id(environment="e", caller_scope="c", use_case="u", idempotency_key=str(number))
        signed = {"separation": f"s-{own_id[2:]}", "statement": "I sign."}
        lab.start(name_of(number), decision_id=own_id, note="real", **signed)
        lab.answer(name_of(number), by=ADA)
        if tasks := gold_tasks(lab, ADA):
            break
    claimed = lab.service.tasks.claim(tasks[0].loop.name, reviewer=ADA)
    assert re.fullmatch(r"d-[a-z2-7]{26}", claimed.task_input["decision_id"])
    assert claimed.task_input["decision_id"] != own_id
    assert re.fullmatch(r"s-[a-z2-7]{26}", claimed.task_input["separation"])
    assert claimed.task_input["statement"] == "I sign."
    assert claimed.task_input["note"].startswith("loan ")


def test_with_several_seats_a_gold_question_waits_for_others_as_real_tasks_do() -> None:
    """Of 60 to 140 gold answers a third ends at once, as a real task does with the last of three answers."""
    lab = desk(seats=3, share=0.5)
    at_once, waiting = 0, []
    for number in range(200):
        lab.start(name_of(number))
        lab.answer(name_of(number), by=ADA)
        for task in gold_tasks(lab, ADA):
            answered = answer_gold(lab, task.loop, by=ADA)
            if answered.status is LoopStatus.COMPLETED:
                at_once += 1
            else:
                assert answered.status is LoopStatus.IN_PROGRESS
                waiting.append(answered.name)
    total = at_once + len(waiting)
    assert 60 <= total <= 140
    assert abs(at_once - total / 3) < 4 * math.sqrt(total * 2 / 9)
    assert gold_tasks(lab, ADA) == []
    with pytest.raises(TaskConflictError, match="already answered"):
        lab.service.tasks.claim(waiting[0], reviewer=ADA)
    lab.clock.advance(7300)
    while lab.service.loops.sweep():
        lab.clock.advance(1)
    assert {lab.loop(name).status for name in waiting} == {LoopStatus.COMPLETED}
    assert counts(lab) == (total, total)
    statuses = Counter(entry.status for entry in lab.service.tasks.history(ADA, limit=500).entries)
    assert statuses == {"Completed": total + 3, "InProgress": 200}


# Nothing gets out


def test_gold_loops_leave_no_output_no_event_and_no_trace_in_listings(lab_with_gold: ReviewLab) -> None:
    lab = lab_with_gold
    arn = lab.service.settings.arn("flow-definition/flow")
    _, gold = until_gold(lab)
    events, outputs = len(lab.events.delivered), len(lab.documents.outputs)
    before = lab.service.lead.overview(LENA)
    answer_gold(lab, gold, by=ADA)
    lab.clock.advance(60)
    lab.service.loops.sweep()
    assert lab.loop(gold.name).status is LoopStatus.COMPLETED
    assert (len(lab.events.delivered), len(lab.documents.outputs)) == (events, outputs)
    assert not any(gold.name in json.dumps(event) for event in lab.events.delivered)
    assert not any(gold.name in address for address in lab.documents.outputs)
    listed: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = lab.call(lab.service.loops.list, FlowDefinitionArn=arn, MaxResults=100, **token)
        listed += [one["HumanLoopName"] for one in page["HumanLoopSummaries"]]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert gold.name not in listed
    assert all(lab.loop(name).gold is None for name in listed)
    after = lab.service.lead.overview(LENA)
    assert after.queues[0].completed_24h == before.queues[0].completed_24h == len(listed)
    assert after.queues[0].open == lab.store.count_open_loops(arn) == 0
    for state in ("open", "flagged", "ended"):
        page_ = lab.service.lead.tasks(LENA, flow_definition="flow", state=state, limit=500)
        assert gold.name not in [loop.name for loop in page_.loops]
    assert lab.store.list_loops(LoopQuery(arn, None, None, ascending=True, limit=999, cursor="")).loops


@pytest.fixture
def lab_with_gold() -> ReviewLab:
    return desk()


def test_nothing_gets_out_of_the_table_either(emulator: Any) -> None:
    """The same over DynamoDB: test, gold question, score, and nothing in indexes and counters."""
    client = emulator.client("dynamodb")
    for item in client.scan(TableName="records")["Items"]:
        client.delete_item(TableName="records", Key={"pk": item["pk"], "sk": item["sk"]})
    lab = desk(store=DynamoReviewStore(client, table_name="records"))
    _, gold = until_gold(lab)
    assert {task.loop.name for task in gold_tasks(lab, ADA)} == {gold.name}
    events = len(lab.events.delivered)
    answer_gold(lab, gold, by=ADA)
    assert counts(lab) == (1, 1)
    assert lab.loop(gold.name).status is LoopStatus.COMPLETED
    assert gold_tasks(lab, ADA) == []
    arn = lab.service.settings.arn("flow-definition/flow")
    listed = lab.store.list_loops(LoopQuery(arn, None, None, ascending=True, limit=999, cursor="")).loops
    assert len(listed) == events == len(lab.events.delivered)
    assert gold.name not in [loop.name for loop in listed]
    assert lab.store.count_open_loops(arn) == 0
    assert len(lab.store.completions(arn, since=gold.created_at.replace(year=2000), limit=999)) == events
    entries = lab.service.tasks.history(ADA, limit=500).entries
    assert gold.name in [entry.loop_name for entry in entries]


def test_an_open_gold_question_counts_in_no_figure(lab_with_gold: ReviewLab) -> None:
    lab = lab_with_gold
    _, gold = until_gold(lab)
    lab.service.tasks.claim(gold.name, reviewer=ADA)
    lab.service.tasks.note(gold.name, reviewer=ADA, kind="flag", text="odd")
    (queue,) = lab.service.lead.overview(LENA).queues
    assert (queue.open, queue.claimed, queue.waiting, queue.flagged) == (0, 0, 0, 0)


def test_the_api_knows_no_gold_loops(lab_with_gold: ReviewLab) -> None:
    lab = lab_with_gold
    _, gold = until_gold(lab)
    for operation in (lab.service.loops.describe, lab.service.loops.stop, lab.service.loops.delete):
        with pytest.raises(ResourceMissingError, match="does not exist"):
            lab.call(operation, HumanLoopName=gold.name)
    for steer in (lab.service.lead.task, lab.service.lead.stop, lab.service.lead.hold):
        with pytest.raises(TaskUnknownError):
            steer(LENA, gold.name)
    assert lab.loop(gold.name) == gold


def test_a_gold_question_is_nobody_elses(lab_with_gold: ReviewLab) -> None:
    lab = lab_with_gold
    _, gold = until_gold(lab)
    with pytest.raises(TaskUnknownError):
        lab.service.tasks.claim(gold.name, reviewer=GRACE)
    assert lab.service.tasks.offered(GRACE) == []


def test_a_gold_question_that_nobody_answers_ends_in_silence(lab_with_gold: ReviewLab) -> None:
    lab = lab_with_gold
    _, gold = until_gold(lab)
    events, before = len(lab.events.delivered), counts(lab)
    lab.clock.advance(11 * 24 * 3600)
    lab.service.loops.sweep()
    assert lab.loop(gold.name).status is LoopStatus.FAILED
    assert len(lab.events.delivered) == events
    assert counts(lab) == before


def test_a_loop_can_be_started_under_any_name_even_a_gold_questions(lab_with_gold: ReviewLab) -> None:
    lab = lab_with_gold
    _, gold = until_gold(lab)
    lab.service.tasks.claim(gold.name, reviewer=ADA)
    started = lab.start(gold.name, note="real")
    assert (started.gold, started.claims, started.assigned_to) == (None, (), "")
    assert real_tasks(lab, ADA) == [gold.name]
    with pytest.raises(TaskConflictError, match="not claimed"):
        lab.service.tasks.answer(gold.name, reviewer=ADA, content={"decision": {"label": "approve"}})
    assert lab.answer(gold.name, by=GRACE).status is LoopStatus.COMPLETED
    assert counts(lab) == (0, 0)


def test_an_answered_gold_question_counts_although_a_loop_takes_its_name() -> None:
    lab = desk(seats=2)
    for number in range(200):
        lab.start(name_of(number))
        lab.answer(name_of(number), by=ADA)
        for task in gold_tasks(lab, ADA):
            if answer_gold(lab, task.loop, by=ADA).is_open:
                break
        else:
            continue
        break
    correct, total = counts(lab)
    lab.start(task.loop.name, note="real")
    assert counts(lab) == (correct + 1, total + 1)
    assert lab.loop(task.loop.name).gold is None


# Each answer counts once


def test_right_and_wrong_answers_are_counted(lab_with_gold: ReviewLab) -> None:
    lab = lab_with_gold
    _, gold = until_gold(lab)
    answer_gold(lab, gold, by=ADA, right=True)
    assert counts(lab) == (1, 1)
    lab.clock.advance(60)
    for number in range(500, 700):
        lab.start(name_of(number))
        lab.answer(name_of(number), by=ADA)
        if tasks := gold_tasks(lab, ADA):
            answer_gold(lab, tasks[0].loop, by=ADA, right=False)
            break
    assert counts(lab) == (1, 2)
    assert counts(lab, GRACE) == (0, 0)


def test_submitting_twice_counts_once(lab_with_gold: ReviewLab) -> None:
    lab = lab_with_gold
    _, gold = until_gold(lab)
    answer_gold(lab, gold, by=ADA)
    for label in ("approve", "decline"):
        with pytest.raises(TaskConflictError, match="already answered"):
            lab.service.tasks.answer(gold.name, reviewer=ADA, content={"decision": {"label": label}})
    assert counts(lab) == (1, 1)
    assert len(lab.loop(gold.name).answers) == 1


def test_two_submissions_at_once_count_once() -> None:
    """Thirty races of two threads; the second answer of each is refused."""
    lab = desk(items=60)
    raced = 0
    for number in range(200):
        lab.start(name_of(number))
        lab.answer(name_of(number), by=ADA)
        for task in gold_tasks(lab, ADA):
            race(lab, task.loop)
            raced += 1
        if raced == 30:
            break
    assert raced == 30
    assert counts(lab) == (30, 30)


def race(lab: ReviewLab, gold: Loop) -> None:
    lab.service.tasks.claim(gold.name, reviewer=ADA)
    label, barrier, outcomes = known_label(lab, gold), threading.Barrier(2), Counter[str]()

    def submit(remark: str) -> None:
        barrier.wait()
        try:
            content = {"decision": {"label": label}, "remark": remark}
            lab.service.tasks.answer(gold.name, reviewer=ADA, content=content)
            outcomes["stored"] += 1
        except (TaskConflictError, TaskGoneError):
            outcomes["refused"] += 1

    threads = [threading.Thread(target=submit, args=(remark,)) for remark in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == {"stored": 1, "refused": 1}


class InterruptedStore(FakeStore):
    """Fails the next `failures` writes that would end a gold loop, after its answer was counted."""

    failures = 0

    def replace_loop(self, loop: Loop, *, before: Loop | None = None) -> Loop:
        if self.failures and loop.gold is not None and not loop.is_open:
            self.failures -= 1
            raise StoreUnavailableError("throttled")
        return super().replace_loop(loop, before=before)


def test_an_interruption_after_counting_does_not_count_twice() -> None:
    store = InterruptedStore()
    lab = desk(store=store)
    _, gold = until_gold(lab)
    store.failures = 3
    answer_gold(lab, gold, by=ADA)
    assert lab.loop(gold.name).is_open
    for _ in range(5):
        lab.clock.advance(60)
        lab.service.loops.sweep()
    assert lab.loop(gold.name).status is LoopStatus.COMPLETED
    assert counts(lab) == (1, 1)


class ForgetfulStore(FakeStore):
    """Fails every write of a standing, every new gold loop or every qualification, while told to."""

    fails_standings = fails_gold = fails_qualifications = False

    def find_record(self, kind: RecordKind, *, key: str) -> StoredRecord | None:
        if self.fails_qualifications and kind is RecordKind.QUALIFICATION:
            raise StoreUnavailableError("throttled")
        return super().find_record(kind, key=key)

    def replace_record(self, record: StoredRecord) -> StoredRecord:
        if self.fails_standings and record.kind is RecordKind.STANDING:
            raise StoreUnavailableError("throttled")
        return super().replace_record(record)

    def create_loop(self, loop: Loop, *, open_limit: int) -> Loop:
        if self.fails_gold and loop.gold is not None:
            raise StoreUnavailableError("throttled")
        return super().create_loop(loop, open_limit=open_limit)


def test_an_answer_that_cannot_be_counted_now_is_counted_later() -> None:
    store = ForgetfulStore()
    lab = desk(store=store)
    _, gold = until_gold(lab)
    store.fails_standings = True
    answer_gold(lab, gold, by=ADA)
    assert counts(lab) == (0, 0)
    store.fails_standings = False
    lab.clock.advance(60)
    lab.service.loops.sweep()
    assert counts(lab) == (1, 1)


@pytest.mark.parametrize("failing", ["fails_gold", "fails_qualifications"])
def test_who_answers_a_real_task_never_hears_that_a_gold_question_failed(failing: str) -> None:
    store = ForgetfulStore()
    lab = desk(store=store)
    setattr(store, failing, True)
    for number in range(30):
        lab.start(name_of(number))
        assert lab.answer(name_of(number), by=ADA).status is LoopStatus.COMPLETED
    assert lab.service.tasks.offered(ADA) == []


def test_a_deadline_at_the_end_of_time_refuses_no_answer() -> None:
    lab = desk()
    for number in range(30):
        lab.start(name_of(number), overread={"deadline": "9999-12-31T23:59:59.999999Z"})
        lab.clock.advance(60)
        assert lab.answer(name_of(number), by=ADA).status is LoopStatus.COMPLETED


def test_a_loop_that_was_deleted_at_once_refuses_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its application deletes a loop when it hears of its end: before a question like it can be made."""
    lab = desk()
    emit = lab.events.emit

    def deleting(*, resource_arn: str, **named: Any) -> None:
        emit(resource_arn=resource_arn, **named)
        lab.documents.kept.pop(lab.loop(resource_arn.rpartition("/")[2]).input_key)

    monkeypatch.setattr(lab.events, "emit", deleting)
    for number in range(30):
        lab.start(name_of(number))
        assert lab.answer(name_of(number), by=ADA).status is LoopStatus.COMPLETED


# How often, and which


def share_bounds(tasks: int, share: float) -> tuple[float, float]:
    """Mean ± 4.5 standard deviations of a binomial count: missed by chance 7 times in a million."""
    spread = 4.5 * math.sqrt(tasks * share * (1 - share))
    return tasks * share - spread, tasks * share + spread


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_the_share_of_gold_questions_is_the_one_that_was_asked_for(share: float) -> None:
    lab = desk(share=share, items=100)
    mixed_in = 0
    for number in range(600):
        lab.start(name_of(number))
        lab.answer(name_of(number), by=ADA)
        for task in gold_tasks(lab, ADA):
            mixed_in += 1
            answer_gold(lab, task.loop, by=ADA)
    low, high = share_bounds(600, share)
    assert low <= mixed_in <= high
    assert counts(lab) == (mixed_in, mixed_in)


def test_draws_for_many_tasks_and_people_keep_to_the_share() -> None:
    """20,000 draws at 5%: 1,000 ± 4.5 · sqrt(20,000 · 0.05 · 0.95) = 1,000 ± 139."""
    chance = KeyedChance("another secret")
    drawn = sum(
        chance.share("gold", person, name_of(number)) < 0.05
        for person in ("ada", "grace")
        for number in range(10_000)
    )
    low, high = share_bounds(20_000, 0.05)
    assert (round(low), round(high)) == (861, 1139)
    assert low <= drawn <= high


def test_people_are_asked_after_different_tasks() -> None:
    chance = KeyedChance("secret")
    after = {
        person: {number for number in range(2000) if chance.share("gold", person, name_of(number)) < 0.1}
        for person in ("ada", "grace")
    }
    assert len(after["ada"] & after["grace"]) < 50


@pytest.mark.parametrize("share", [0, 0.0])
def test_without_a_share_there_are_no_gold_questions(share: float) -> None:
    lab = desk(share=share)
    for number in range(100):
        lab.start(name_of(number))
        lab.answer(name_of(number), by=ADA)
    assert lab.service.tasks.offered(ADA) == []


def test_no_item_is_asked_again_before_all_others_were() -> None:
    lab = desk(items=12)
    items: list[str] = []
    tested = standing(lab).asked
    for number in range(200):
        lab.start(name_of(number))
        lab.answer(name_of(number), by=ADA)
        for task in gold_tasks(lab, ADA):
            assert task.loop.gold is not None
            items.append(task.loop.gold.item)
            answer_gold(lab, task.loop, by=ADA)
    assert len(items) > 40
    assert not set(items[:9]) & set(tested)
    for start in range(len(items) - 12):
        assert len(set(items[start : start + 12])) == 12


def test_items_that_wait_for_an_answer_are_not_asked_a_second_time() -> None:
    lab = desk(items=12)
    for number in range(60):
        lab.start(name_of(number))
        lab.answer(name_of(number), by=ADA)
    waiting = [task.loop.gold.item for task in gold_tasks(lab, ADA) if task.loop.gold]
    assert sorted(waiting) == sorted(f"item-{number}" for number in range(12))


def test_a_returned_answer_brings_no_second_gold_question() -> None:
    lab = desk(seats=2, share=0.5)
    real, gold = until_gold(lab)
    before = len(gold_tasks(lab, ADA))
    lab.service.lead.return_answer(LENA, real.name, person=ADA.key, comment="again")
    lab.answer(real.name, by=ADA)
    assert len(gold_tasks(lab, ADA)) == before
    assert lab.loop(gold.name).is_open


def test_answers_of_programs_in_a_sandbox_bring_no_gold_questions() -> None:
    lab = desk(sandbox=True)
    for number in range(50):
        lab.start(name_of(number))
        lab.service.tasks.sandbox_answer(
            name_of(number), reviewer_name="sandbox-1", content={"decision": {"label": "approve"}}
        )
    assert len(lab.service.qualifications.roster("loans")) == 3
    assert lab.service.tasks.offered(ADA) == []


def test_programs_in_a_sandbox_cannot_answer_gold_questions() -> None:
    lab = desk(sandbox=True)
    _, gold = until_gold(lab)
    with pytest.raises(TaskUnknownError, match="there is no human loop"):
        lab.service.tasks.sandbox_answer(gold.name, reviewer_name="sandbox-1", content={"decision": "x"})


def test_thousand_answers_of_four_people_count_exactly() -> None:
    """People who err in 0, 10, 30 and 60% of their answers, over real tasks, gold questions and races of
    submissions; what the service counted is compared with what was answered."""
    vendor = VendorTeam("acme", "Acme", "Acme Inc.", "acme")
    lab = desk(share=0.5, vendor_teams=(vendor,), statistics="named")
    lab.flow_definition(
        "outside", tags=TAGS, WorkteamArn=lab.service.settings.arn("workteam/vendor-crowd/acme")
    )
    take_test(lab, VERA)
    generator = random.Random(1234)
    errs = {ADA: 0.0, GRACE: 0.1, LENA: 0.3, VERA: 0.6}
    expected: dict[str, list[int]] = {person.key: [0, 0] for person in errs}
    answers = 0
    number = 0
    while answers < 1000:
        person = generator.choice(list(errs))
        number += 1
        lab.start(name_of(number), flow="outside" if person is VERA else "flow")
        lab.answer(name_of(number), by=person)
        answers += 1
        for task in gold_tasks(lab, person):
            right = generator.random() >= errs[person]
            answer_gold(lab, task.loop, by=person, right=right)
            answers += 1
            expected[person.key][0] += right
            expected[person.key][1] += 1
            if generator.random() < 0.2:
                with pytest.raises(TaskConflictError):
                    lab.service.tasks.answer(
                        task.loop.name, reviewer=person, content={"decision": {"label": "approve"}}
                    )
            if generator.random() < 0.2:
                lab.service.loops.sweep()
    counted = {
        entry.person: [entry.gold_correct, entry.gold_total]
        for entry in lab.service.qualifications.roster("loans")
    }
    assert counted == expected
    assert sum(total for _, total in expected.values()) > 250
    for person, chance_of_error in errs.items():
        correct, total = expected[person.key]
        assert abs(correct - total * (1 - chance_of_error)) <= 4.5 * math.sqrt(total) / 2
    outputs = len(lab.documents.outputs)
    assert outputs == number == len(lab.events.delivered)
