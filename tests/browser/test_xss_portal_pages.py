"""The same texts as answers, notes, reasons, names and titles, on every page of reviewers and leads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page
from tests.browser.anatomy import ANATOMY, TRACES
from tests.browser.elsewhere import Elsewhere, elsewhere
from tests.browser.xss_payloads import payloads

from overread_testing.review_fakes import ADA, GRACE, LENA, TEMPLATE, FakeDirectory, ReviewLab

NOTES, NOTE_LENGTH = 50, 1000
PEOPLE = 20
PAGES = {
    "door": ("", ""),
    "tasks": ("ada", "#/"),
    "task": ("ada", "#/tasks/mine"),
    "history": ("ada", "#/history"),
    "overview": ("lena", "#/lead"),
    "open": ("lena", "#/lead/queues/flow-0/open"),
    "flagged": ("lena", "#/lead/queues/flow-0/flagged"),
    "ended": ("lena", "#/lead/queues/flow-0/ended"),
    "lead task": ("lena", "#/lead/tasks/asked"),
    "lead ended": ("lena", "#/lead/tasks/ended"),
    "people": ("lena", "#/lead/people"),
}
"""Whose page it is, and its address."""


@pytest.fixture(scope="module")
def outside() -> Iterator[Elsewhere]:
    """Where the payloads would like to go."""
    with elsewhere() as server:
        yield server


@dataclass(frozen=True)
class Words:
    """The texts, chosen for the places that take only some."""

    all: Sequence[str]

    def up_to(self, length: int, *, count: int, offset: int = 0) -> list[str]:
        """So many short ones that are one line."""
        fitting = [text for text in self.all if 0 < len(text.strip()) <= length and text.isprintable()]
        return [fitting[(offset + index) % len(fitting)] for index in range(count)]

    def notes(self) -> list[str]:
        """As much of all of them as the notes of one task hold."""
        packed = [""] * NOTES
        for index, text in enumerate(self.all):
            packed[index % NOTES] += text + "|"
        assert max(map(len, packed)) <= NOTE_LENGTH * 2
        return [text[:NOTE_LENGTH] for text in packed]


def furnish(lab: ReviewLab, words: Words) -> None:
    """Put the words wherever people or programs can put any."""
    directory = lab.service.reviewers
    assert isinstance(directory, FakeDirectory)
    for index, name in enumerate(words.up_to(90, count=PEOPLE)):
        person = replace(GRACE, name=name, sub=f"sub-{index}", email=name)
        directory.reviewers[name] = person
        lab.service.people.seen(person)
    for person in (ADA, GRACE, LENA):
        lab.service.people.seen(person)
    flows(lab, words)
    tasks = lab.service.tasks
    for name in ("mine", "asked", "ended", "listed"):
        lab.start(name, flow="flow-0", texts=list(words.all), **dict.fromkeys(words.all, 1))
    tasks.claim("mine", reviewer=ADA)
    for index, text in enumerate(words.notes()):
        for name in ("asked", "mine") if index < 10 else ("asked",):
            tasks.note(name, reviewer=ADA, kind="flag" if index % 2 else "question", text=text)
    lab.service.lead.reply(LENA, "mine", text=words.notes()[0])
    answer(lab, "asked", {text: text for text in words.all})
    reasons = words.notes()
    tasks.claim("ended", reviewer=GRACE)
    tasks.cannot_decide("ended", reviewer=GRACE, reason=reasons[1])
    answer(lab, "ended", {f"x{index}": text for index, text in enumerate(words.up_to(60, count=40))})


def flows(lab: ReviewLab, words: Words) -> None:
    """Queues with titles, descriptions, keywords and guideline versions of such words."""
    titles, descriptions = words.up_to(128, count=8), words.up_to(250, count=8, offset=100)
    settings, keywords = lab.service.settings, words.up_to(60, count=5, offset=50)
    for index in range(8):
        tag = {"Key": "overread:guideline-version", "Value": titles[index]}
        lab.call(
            lab.service.task_uis.create,
            HumanTaskUiName=f"ui-{index}",
            UiTemplate={"Content": TEMPLATE},
            Tags=[tag],
        )
        lab.flow_definition(
            f"flow-{index}",
            TaskTitle=titles[index],
            TaskDescription=descriptions[index],
            TaskKeywords=keywords,
            TaskCount=2,
            HumanTaskUiArn=settings.arn(f"human-task-ui/ui-{index}"),
        )


def answer(lab: ReviewLab, name: str, content: dict[str, str]) -> None:
    lab.service.tasks.claim(name, reviewer=ADA)
    lab.clock.advance(1)
    lab.service.tasks.answer(name, reviewer=ADA, content=content)


@dataclass(frozen=True)
class Seen:
    """A page as it came out."""

    anatomy: list[str]
    traces: dict[str, Any]
    text: str
    notes: list[str]
    dialogs: list[str]


def visited(make_floor: Callable[..., Any], words: Words) -> dict[str, Seen]:
    """Every page of a floor furnished with the words."""
    floor = make_floor()
    furnish(floor.lab, words)
    pages = {who: opened(floor, who) for who in ("", "ada", "lena")}
    return {name: look(pages[who], url=floor.url, at=at) for name, (who, at) in PAGES.items()}


def opened(floor: Any, who: str) -> Page:
    page: Page = floor.enter(who) if who else floor.door()
    return page


def look(page: Page, *, url: str, at: str) -> Seen:
    """The page at the address, once it has stopped asking for things."""
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    # Another query, so that the page is loaded and not only turned to.
    page.goto(f"{url}/portal/?{len(at)}{at}")
    page.locator("h1").first.wait_for()
    page.wait_for_function("() => !/Loading…|Opening the task…/.test(document.body.textContent)")
    page.locator(".task-bar button:disabled").wait_for(state="detached")  # the task has told what it can do
    assert urlsplit(page.url).fragment == at.removeprefix("#")
    return Seen(
        anatomy=page.evaluate(ANATOMY),
        traces=page.evaluate(TRACES),
        text=page.evaluate("() => document.body.textContent"),
        notes=page.locator(".note-text").all_text_contents(),
        dialogs=dialogs,
    )


def test_what_people_write_is_text_on_every_page(floor: Callable[..., Any], outside: Elsewhere) -> None:
    texts = payloads(out=outside.url)
    # As many of each kind and as long ones, so that the pages are the same but for the words.
    words, harmless = Words(texts), Words([quiet(text, number) for number, text in enumerate(texts)])
    calm, wild = visited(floor, harmless), visited(floor, words)
    for name, page in wild.items():
        # In the order of the names that stand there, which is another one.
        assert sorted(page.anatomy) == sorted(calm[name].anatomy), name
        assert page.traces == calm[name].traces, name
        assert page.dialogs == [], name
    assert outside.heard == []
    assert wild["lead task"].notes == [text.strip() for text in words.notes()]
    for text in texts:
        assert json.dumps(text, ensure_ascii=False)[1:-1] in wild["lead task"].text
    for name, places in {
        "door": words.up_to(90, count=PEOPLE),
        "people": words.up_to(90, count=PEOPLE),
        "tasks": words.up_to(128, count=1),
        "task": [words.notes()[0].strip()],
        "overview": words.up_to(128, count=1),
        "lead ended": [json.dumps(words.notes()[1].strip(), ensure_ascii=False)[1:-1]],
        "history": words.up_to(60, count=40),
    }.items():
        for text in places:
            assert text in wild[name].text, (name, text)


def quiet(text: str, number: int) -> str:
    """A text of the same length and kind without anything in it."""
    if not text.isprintable():
        return f"quiet\t{number}".ljust(len(text), "\t")
    return f"quiet{number}".ljust(len(text), ".")


def test_the_check_notices_a_page_that_takes_text_for_markup(
    floor: Callable[..., Any], outside: Elsewhere
) -> None:
    made = floor()
    # Without those that take the whole page away.
    texts = [text for text in payloads(out=outside.url) if "location" not in text and "refresh" not in text]
    furnish(made.lab, Words(texts))
    page = opened(made, "lena")
    before = look(page, url=made.url, at="#/lead/tasks/asked")
    spoil = "() => document.querySelectorAll('.note-text').forEach((e) => { e.innerHTML = e.textContent; })"
    page.evaluate(spoil)
    assert page.evaluate(ANATOMY) != before.anatomy
    assert page.evaluate(TRACES) != before.traces
