"""Ten thousand random ways to tamper with an audit log, each of them found."""

import copy
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from overread.audit.chain import Head, Link, genesis, seal, verify
from overread.audit.lines import link_of, links_of, segment_of

SEED = 20_261_123
TAMPERS = 10_000
LINKS = 24
SHARD = "07"
Log = list[Link]


def entry(number: int) -> dict[str, Any]:
    return {
        "schema": 1,
        "decision_id": f"d-{number % 7}",
        "number": number,
        "at": f"2026-11-22T21:07:{number:02d}.120Z",
        "event": "decided_by_people",
        "from_state": "IN_REVIEW",
        "to_state": "FINAL",
        "generation": 1,
        "detail": {
            "label": "decline",
            "seconds": 41.25,
            "answers": [{"sub": f"person-{number}", "label": "decline", "is_late": False}],
            "output": None,
        },
    }


def log(length: int, *, head: Head) -> Iterator[Link]:
    for number in range(head.seq + 1, head.seq + length + 1):
        link = seal(entry(number), head=head)
        head = link.head
        yield link


LOG = list(log(LINKS, head=genesis(SHARD)))
TEXT = segment_of(LOG)
ANCHORS = (LOG[9].head, LOG[-1].head)


def another(value: Any, chance: random.Random) -> Any:
    match value:
        case bool():
            return not value
        case int() | float():
            return value + chance.choice([-1, 1, 0.5])
        case str():
            place = chance.randrange(len(value) + 1)
            return value[:place] + chance.choice("xyz0é") + value[place:]
        case None:
            return chance.choice([False, 0, ""])
        case list():
            return [*value, None] if chance.random() < 0.5 else value[1:]
    raise TypeError(type(value))


def change_somewhere(document: Any, chance: random.Random) -> None:
    """Changes, removes or adds one member, however deep."""
    while True:
        name = chance.choice(list(document) if isinstance(document, dict) else range(len(document)))
        inner = document[name]
        if isinstance(inner, dict | list) and inner and chance.random() < 0.8:
            document = inner
            continue
        break
    kind = chance.random()
    if isinstance(document, dict) and kind < 0.2:
        del document[name]
    elif isinstance(document, dict) and kind < 0.4:
        document[f"{name}2"] = inner
    elif not isinstance(inner, dict):
        document[name] = another(inner, chance)
    else:
        document[name] = None


def changed_entry(links: Log, chance: random.Random) -> Log:
    place = chance.randrange(len(links))
    changed = copy.deepcopy(dict(links[place].entry))
    change_somewhere(changed, chance)
    links[place] = replace(links[place], entry=changed)
    return links


def changed_and_sealed_again(links: Log, chance: random.Random) -> Log:
    place = chance.randrange(len(links))
    changed = copy.deepcopy(dict(links[place].entry))
    change_somewhere(changed, chance)
    head = links[place - 1].head if place else genesis(SHARD)
    links[place] = seal(changed, head=head)
    return links


def changed_place(links: Log, chance: random.Random) -> Log:
    place = chance.randrange(len(links))
    link = links[place]
    field = chance.choice(["seq", "hash", "previous", "shard"])
    links[place] = replace(link, **{field: another(getattr(link, field), chance)})
    return links


def left_out(links: Log, chance: random.Random) -> Log:
    first = chance.randrange(len(links))
    del links[first : first + chance.randint(1, 4)]
    return links


def reordered(links: Log, chance: random.Random) -> Log:
    first, second = sorted(chance.sample(range(len(links)), 2))
    links[first], links[second] = links[second], links[first]
    return links


def moved_and_numbered_again(links: Log, chance: random.Random) -> Log:
    """Entries change places, the numbers of the places stay."""
    first, second = sorted(chance.sample(range(len(links)), 2))
    one, other = links[first], links[second]
    links[first], links[second] = replace(one, entry=other.entry), replace(other, entry=one.entry)
    return links


def put_in(links: Log, chance: random.Random) -> Log:
    place = chance.randrange(len(links) - 1) + 1
    links.insert(place, seal(entry(99), head=links[place - 1].head))
    return links


def doubled(links: Log, chance: random.Random) -> Log:
    place = chance.randrange(len(links))
    links.insert(chance.randint(place, len(links)), links[place])
    return links


def cut_off(links: Log, chance: random.Random) -> Log:
    return links[: chance.randrange(len(links))]


def left_out_and_closed_up(links: Log, chance: random.Random) -> Log:
    """An entry is left out and every hash behind it made anew: only anchors tell."""
    place = chance.randrange(len(links))
    kept = links[:place]
    head = kept[-1].head if kept else genesis(SHARD)
    for link in links[place + 1 :]:
        kept.append(seal(link.entry, head=head))
        head = kept[-1].head
    return kept


def rewritten_end(links: Log, chance: random.Random) -> Log:
    """An entry is changed and every hash behind it made anew, to the same length: only anchors tell."""
    place = chance.randrange(len(links))
    changed = copy.deepcopy(dict(links[place].entry))
    change_somewhere(changed, chance)
    kept = links[:place]
    head = kept[-1].head if kept else genesis(SHARD)
    for body in [changed, *(link.entry for link in links[place + 1 :])]:
        kept.append(seal(body, head=head))
        head = kept[-1].head
    return kept


def altered_text(links: Log, chance: random.Random) -> Log:
    """One byte of the exported text becomes another one."""
    text = bytearray(TEXT)
    place = chance.randrange(len(text))
    text[place] = chance.choice([byte for byte in b'0189azAZ"{}[],:. \n\\\xff' if byte != text[place]])
    return links_of(bytes(text))


KINDS: tuple[Callable[[Log, random.Random], Log], ...] = (
    changed_entry,
    changed_and_sealed_again,
    changed_place,
    left_out,
    reordered,
    moved_and_numbered_again,
    put_in,
    doubled,
    cut_off,
    left_out_and_closed_up,
    rewritten_end,
    altered_text,
)


def is_found(tamper: Callable[[Log, random.Random], Log], chance: random.Random) -> bool:
    try:
        links = tamper(list(LOG), chance)
    except ValueError:  # the text does not read
        return True
    return not verify(links, from_head=genesis(SHARD), anchors=ANCHORS).is_intact


def test_untouched_log_is_intact() -> None:
    assert verify(links_of(TEXT), from_head=genesis(SHARD), anchors=ANCHORS).is_intact


def test_ten_thousand_random_tampers_are_all_found() -> None:
    chance = random.Random(SEED)
    missed = [
        (number, KINDS[number % len(KINDS)].__name__)
        for number in range(TAMPERS)
        if not is_found(KINDS[number % len(KINDS)], chance)
    ]
    assert missed == []


@pytest.mark.parametrize("tamper", [left_out_and_closed_up, rewritten_end, cut_off])
def test_only_anchors_find_what_is_consistent_in_itself(tamper: Callable[[Log, random.Random], Log]) -> None:
    links = tamper(list(LOG), random.Random(SEED))
    assert verify(links, from_head=genesis(SHARD)).is_intact
    assert not verify(links, from_head=genesis(SHARD), anchors=ANCHORS).is_intact


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"[]\n", "must be an object with exactly shard, seq, previous, hash, entry"),
        (TEXT.splitlines()[0], "not spelt canonically"),
        (TEXT.splitlines(keepends=True)[0].replace(b'"seq":1', b'"seq":"1"'), "seq must be int, got str"),
        (TEXT.splitlines(keepends=True)[0].replace(b'"seq":1', b'"seq":true'), "seq must be int, got bool"),
        (TEXT.splitlines(keepends=True)[0].replace(b'"seq":1', b'"seq": 1'), "not spelt canonically"),
    ],
)
def test_line_that_is_no_link_is_refused(line: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        link_of(line)
