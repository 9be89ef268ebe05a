"""Questions whose answers are known: the test before the first task, and those mixed in unknowingly later.

Such a question is a human loop of its person alone, with `gold` set. It looks like any other to them, and no
one else ever hears of it: it is in no listing, writes no output document and sends no event.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from overread.review import limits
from overread_review.service.errors import (
    DocumentRefusedError,
    RecordChangedError,
    RecordExistsError,
    UnavailableError,
)
from overread_review.service.flow_definitions import QUALIFICATION_TAG, availability_s, terms_of
from overread_review.service.lookalikes import KeyedChance
from overread_review.service.model import (
    Answer,
    FlowTerms,
    GoldItem,
    GoldRef,
    Loop,
    Qualification,
    Resource,
    Reviewer,
    Standing,
)
from overread_review.service.ports import Clock, Documents, ReviewStore
from overread_review.service.registers import qualifications_register, standing_key, standings_register
from overread_review.service.settings import ServiceSettings
from overread_review.service.standings import (
    answers_of_round,
    asked_last,
    ended_test,
    is_right,
    is_valid,
    open_round,
    with_gold_answer,
    with_test_answer,
)
from overread_review.service.task_uis import TaskUis
from overread_templates import TemplateError

_LOG = logging.getLogger(__name__)
_AT_ONCE = 5
"""So many questions of a test lie in a person's list at a time."""
_TRIED = 20
"""So many items are tried when templates refuse them, or names are taken."""
_OWN_ID = "decision_id"
_OWN_IDS = (_OWN_ID, "separation")
_SAID = ("statement",)
"""What the like of a task says word for word."""
_YOUNGER = timedelta(minutes=10)
_SHORTEST_LAG_S, _LONGEST_LAG_S = 60.0, 7200.0
_NOT_NOW = (UnavailableError, DocumentRefusedError, TemplateError)


class Gold:
    """Implements `admission.Admission` by qualifications and standings."""

    def __init__(
        self,
        *,
        store: ReviewStore,
        documents: Documents,
        clock: Clock,
        task_uis: TaskUis,
        settings: ServiceSettings,
        secret: str,
    ) -> None:
        self._store = store
        self._documents = documents
        self._clock = clock
        self._task_uis = task_uis
        self._settings = settings
        self._chance = KeyedChance(secret)
        self._qualifications = qualifications_register(store)
        self._standings = standings_register(store)

    def admits(self, reviewer: Reviewer, *, qualification: str) -> bool:
        """Whether the reviewer passed the qualification's test, and that is still valid.

        Nobody passes a test that nobody wrote: until the qualification is there its tasks wait.
        """
        standing = self._standings.find(standing_key(qualification, person=reviewer.key))
        return standing is not None and is_valid(standing, now=self._clock())

    # The test

    def prepare(self, reviewer: Reviewer, flow_definitions: Sequence[Resource]) -> None:
        """Start the questions of the tests that the reviewer may take now, a few at a time.

        A qualification that several queues ask for is tested in the first of them.
        """
        asking: dict[str, Resource] = {}
        for queue in flow_definitions:
            name = queue.tags.get(QUALIFICATION_TAG, "")
            if name and queue.deleted_at is None:
                asking.setdefault(name, queue)
        for name, queue in asking.items():
            self._test(reviewer, queue, name=name)

    def _test(self, reviewer: Reviewer, queue: Resource, *, name: str) -> None:
        now = self._clock()
        standing = self._standing(name, person=reviewer.key)
        if (
            open_round(standing, now=now) is None
            or (qualification := self._qualifications.find(name)) is None
        ):
            return
        # Its document may ask for fewer questions now than are answered already.
        standing = self._ended(standing, qualification=qualification, now=now)
        number = open_round(standing, now=now)
        if number is None:
            return
        asked = self._asked(reviewer, queue, standing=standing, number=number)
        offered = [loop for loop in asked if reviewer.key not in loop.declined_by]
        left = qualification.questions - len(answers_of_round(standing, number))
        missing = min(_AT_ONCE, left) - len(offered)
        if missing <= 0:
            return
        known = {loop.gold.item for loop in asked if loop.gold} | set(answers_of_round(standing, number))
        fresh = [
            item
            for item in self._in_order(qualification.items, standing, seed=f"test{number}")
            if item.item_id not in known
        ]
        for item in fresh[:_TRIED]:
            if missing and self._ask(reviewer, queue, item, name=name, number=number):
                missing -= 1
        for loop in [loop for loop in asked if loop not in offered][:missing]:
            self._offer_again(loop, person=reviewer.key)

    def _ended(self, standing: Standing, *, qualification: Qualification, now: datetime) -> Standing:
        if ended_test(standing, qualification=qualification, at=now) == standing:
            return standing
        return self._standings.change(
            standing, by=lambda newest: ended_test(newest, qualification=qualification, at=now)
        )

    def _asked(self, reviewer: Reviewer, queue: Resource, *, standing: Standing, number: int) -> list[Loop]:
        """The questions of this test that wait for the reviewer, also those that they declined."""
        return [
            loop
            for loop in self._waiting(reviewer.key)
            if loop.gold
            and (loop.gold.qualification, loop.gold.purpose, loop.gold.test_round)
            == (standing.qualification, "test", number)
            and loop.terms.flow_definition_arn == queue.arn
            and loop.gold.item not in answers_of_round(standing, number)
        ]

    def _waiting(self, person: str) -> list[Loop]:
        now = self._clock()
        return [
            loop
            for loop in self._store.open_loops_of_person(person)
            if loop.gold and not loop.answers and now < loop.expires_at
        ]

    def _ask(self, reviewer: Reviewer, queue: Resource, item: GoldItem, *, name: str, number: int) -> bool:
        """Whether the item waits for the reviewer now as a question of their test."""
        now, person = self._clock(), reviewer.key
        words = (person, name, queue.arn, item.item_id, str(number))
        loop = self._loop(
            replace(terms_of(queue), task_count=1),
            item.input,
            person=person,
            created_at=now,
            expires_at=now + timedelta(seconds=availability_s(queue)),
            gold=GoldRef(name, item.item_id, "test", test_round=number),
        )
        # A question that expired without an answer is asked under another name.
        names = (self._chance.name("test", *words, str(attempt)) for attempt in range(_TRIED))
        return self._started(loop, item.input, names=names) is not None

    def _offer_again(self, loop: Loop, *, person: str) -> None:
        """A question of a test can be put off, and not be left out."""
        others = tuple(other for other in loop.declined_by if other != person)
        try:
            self._store.replace_loop(replace(loop, declined_by=others), before=loop)
        except RecordChangedError:
            return

    # Questions that are mixed in

    def answered(self, loop: Loop, *, reviewer: Reviewer, answer: Answer) -> None:
        """Perhaps mix a question in, as a secret draw about this task and person decides."""
        name = loop.terms.qualification
        if loop.gold is not None or not name:
            return
        qualification = self._qualifications.find(name)
        if qualification is not None and self._is_drawn(loop, answer, share=qualification.gold_share):
            self._mix_in(loop, qualification, answer=answer)

    def _is_drawn(self, loop: Loop, answer: Answer, *, share: float) -> bool:
        return self._chance.share("gold", answer.person, loop.name) < share

    def _mix_in(self, loop: Loop, qualification: Qualification, *, answer: Answer) -> None:
        person = answer.person
        waiting = self._waiting(person)
        items = self._in_order(
            qualification.items, self._standing(qualification.name, person=person), seed=loop.name
        )
        open_items = {one.gold.item for one in waiting if one.gold}
        for item in [item for item in items if item.item_id not in open_items][:_TRIED]:
            if self._mixed_in(loop, item, answer=answer):
                return

    def _mixed_in(self, like: Loop, item: GoldItem, *, answer: Answer) -> bool:
        """Whether the item waits for the person now, as a task like the one they answered just now."""
        words = (answer.person, like.name)
        age = max(timedelta(), answer.submitted_at - like.created_at)
        younger = min(_YOUNGER, age) * self._chance.share("age", *words)
        task_input = self._as_in(like, item, words=words)
        loop = self._loop(
            like.terms,
            task_input,
            person=answer.person,
            created_at=like.created_at + younger,
            expires_at=like.expires_at + younger,
            gold=GoldRef(
                like.terms.qualification, item.item_id, "gold", lag_s=self._lag_s(like, words=words)
            ),
        )
        loop = replace(
            loop,
            priority=like.priority,
            deadline_at=None if like.deadline_at is None else like.deadline_at + younger,
            classifiers=like.classifiers,
        )
        names = (
            self._chance.lookalike(like.name, *words, str(attempt))
            or self._chance.name("gold", *words, str(attempt))
            for attempt in range(_TRIED)
        )
        return self._started(loop, task_input, names=names) is not None

    def _as_in(self, like: Loop, item: GoldItem, *, words: Sequence[str]) -> dict[str, Any]:
        """The item's input; a task of Overread's own has ids that no other has, and its statement."""
        original = json.loads(self._documents.get(like.input_key))
        if not isinstance(original.get(_OWN_ID), str):
            return dict(item.input)
        ids = {name: text for name in _OWN_IDS if isinstance(text := original.get(name), str)}
        own = {name: self._chance.lookalike(text, *words) or text for name, text in ids.items()}
        return {**item.input, **own, **{name: original[name] for name in _SAID if name in original}}

    def _lag_s(self, like: Loop, *, words: Sequence[str]) -> float:
        """How long the question waits for the people on its other seats, who do not exist.

        One of its seats' answers is the last, with which a task ends at once.
        """
        seats = like.terms.task_count
        if self._chance.share("last", *words) < 1 / seats:
            return 0.0
        return _SHORTEST_LAG_S + (_LONGEST_LAG_S - _SHORTEST_LAG_S) * self._chance.share("lag", *words)

    # Both

    def ended(self, loop: Loop) -> None:
        """Count the answer in the person's standing, once however often this is called."""
        gold = loop.gold
        qualification = None if gold is None else self._qualifications.find(gold.qualification)
        if gold is None or qualification is None:
            return
        item = next((item for item in qualification.items if item.item_id == gold.item), None)
        if item is None:
            return
        answer = loop.answers[0]
        right = is_right(answer, item=item)

        def counted(standing: Standing) -> Standing:
            if gold.purpose == "gold":
                return with_gold_answer(standing, loop_name=loop.name, item=item.item_id, right=right)
            return with_test_answer(
                standing,
                number=gold.test_round,
                item=item.item_id,
                right=right,
                qualification=qualification,
                at=answer.submitted_at,
            )

        self._standings.change(Standing(answer.person, qualification.name), by=counted)

    def _standing(self, name: str, *, person: str) -> Standing:
        return self._standings.find(standing_key(name, person=person)) or Standing(person, name)

    def _in_order(self, items: Iterable[GoldItem], standing: Standing, *, seed: str) -> list[GoldItem]:
        """Items that the person was never asked first, then those asked longest ago; else by chance."""
        words = (standing.qualification, standing.person, seed)
        return sorted(
            items,
            key=lambda item: (
                asked_last(standing, item.item_id),
                self._chance.share("order", *words, item.item_id),
            ),
        )

    def _loop(
        self,
        terms: FlowTerms,
        task_input: Any,
        *,
        person: str,
        created_at: datetime,
        expires_at: datetime,
        gold: GoldRef,
    ) -> Loop:
        return Loop(
            name="",
            arn="",
            terms=terms,
            created_at=created_at,
            expires_at=expires_at,
            input_key="",
            input_sha256=hashlib.sha256(_body(task_input)).hexdigest(),
            assigned_to=person,
            gold=gold,
        )

    def _started(self, loop: Loop, task_input: Any, *, names: Iterable[str]) -> Loop | None:
        """The loop under the first of the names that is free or its own already; None if it cannot be."""
        try:
            template = self._task_uis.template(loop.terms.template_sha256)
            template.render(task_input, sign_url=lambda place: f"s3://{place.bucket}/{place.key}")
            for name in names:
                if (stored := self._stored(loop, task_input, name=name)) is not None:
                    return stored
        except _NOT_NOW as error:
            _LOG.warning(
                "gold item cannot be asked",
                extra={"qualification": loop.terms.qualification, "error": type(error).__name__},
            )
        return None

    def _stored(self, loop: Loop, task_input: Any, *, name: str) -> Loop | None:
        named = replace(
            loop,
            name=name,
            arn=self._settings.arn(f"human-loop/{name}"),
            input_key=f"inputs/{name}/{loop.input_sha256}.json",
        )
        self._documents.put(named.input_key, _body(task_input))
        try:
            return self._store.create_loop(named, open_limit=limits.OPEN_LOOPS_PER_FLOW_DEFINITION)
        except RecordExistsError:
            found = self._store.find_loop(name)
            if found is None or found.input_key != named.input_key:
                self._documents.delete([named.input_key])
            return found if found is not None and self._stands_for(found, loop) else None

    def _stands_for(self, found: Loop, loop: Loop) -> bool:
        """Whether the loop was started already: a question of a test as long as it can be answered."""
        if found.gold is None or loop.gold is None or found.assigned_to != loop.assigned_to:
            return False
        waits = found.is_open and self._clock() < found.expires_at
        return found.gold.purpose == loop.gold.purpose and (waits or loop.gold.purpose == "gold")


def _body(task_input: Any) -> bytes:
    return json.dumps(task_input, ensure_ascii=False).encode()
