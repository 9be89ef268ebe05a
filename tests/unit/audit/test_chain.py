"""Hash chains: sealing, and every kind of damage."""

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from overread.audit.chain import (
    CHANGES_SHARD,
    FAULT_CODES,
    SHARDS,
    Head,
    Link,
    genesis,
    seal,
    shard_of,
    verify,
)


def entry(number: int, **detail: Any) -> dict[str, Any]:
    return {"decision_id": "d-1", "number": number, "event": "received", "detail": detail}


def chain(length: int, *, shard: str = "00", start: Head | None = None) -> list[Link]:
    head, links = start or genesis(shard), []
    for number in range(1, length + 1):
        links.append(seal(entry(number, place=number), head=head))
        head = links[-1].head
    return links


def codes(links: list[Link], *, anchors: list[Head] | None = None) -> list[tuple[int, str]]:
    found = verify(links, from_head=genesis("00"), anchors=anchors or ()).faults
    assert {fault.code for fault in found} <= set(FAULT_CODES)
    return [(fault.seq, fault.code) for fault in found]


def test_hash_is_what_the_format_says() -> None:
    (link,) = chain(1)
    begin = sha256(b"overread audit chain 00").hexdigest()
    body = '{"entry":{"decision_id":"d-1","detail":{"place":1},"event":"received","number":1}'
    body += ',"seq":1,"shard":"00"}'
    assert link.previous == begin
    assert link.hash == sha256(f"{begin}\n{body}".encode()).hexdigest()


def test_whole_chain_is_intact() -> None:
    links = chain(20)
    found = verify(links, from_head=genesis("00"), anchors=[links[6].head, links[-1].head])
    assert found.is_intact
    assert (found.head, found.links) == (links[-1].head, 20)


def test_chain_without_links_ends_at_its_beginning() -> None:
    assert verify([], from_head=genesis("00")).head == genesis("00")


def test_chain_is_read_on_from_where_it_was_left() -> None:
    links = chain(20)
    found = verify(links[8:], from_head=links[7].head, anchors=[links[2].head, links[7].head, links[12].head])
    assert found.is_intact
    assert found.head.seq == 20


def test_changed_entry_is_found() -> None:
    links = chain(5)
    links[2] = replace(links[2], entry=entry(3, place=4))
    assert codes(links) == [(3, "changed")]


def test_changed_entry_with_a_new_hash_breaks_the_link_behind_it() -> None:
    links = chain(5)
    links[2] = seal(entry(3, place=4), head=links[1].head)
    assert codes(links) == [(4, "broken")]


def test_left_out_link_is_found() -> None:
    links = chain(5)
    del links[2]
    assert codes(links) == [(3, "missing")]


def test_swapped_links_are_found() -> None:
    links = chain(5)
    links[2], links[3] = links[3], links[2]
    assert codes(links) == [(3, "missing"), (3, "out_of_order")]


def test_repeated_link_is_found() -> None:
    links = chain(5)
    links.insert(3, links[2])
    assert codes(links) == [(3, "out_of_order")]


def test_link_of_another_chain_is_found() -> None:
    links = chain(5)
    links.insert(3, chain(4, shard="01")[3])
    assert codes(links) == [(4, "foreign")]


def test_cut_end_is_found_by_an_anchor_only() -> None:
    links = chain(5)
    assert codes(links[:3]) == []
    assert codes(links[:3], anchors=[links[4].head]) == [(3, "truncated")]
    assert codes([], anchors=[links[4].head]) == [(0, "truncated")]


def test_rewritten_end_is_found_by_an_anchor_only() -> None:
    links = chain(6)
    forged = [*links[:2], seal(entry(3, place=9), head=links[1].head)]
    forged += chain(3, start=forged[-1].head)
    assert codes(forged) == []
    assert codes(forged, anchors=[links[4].head]) == [(5, "rewritten")]


def test_anchors_that_contradict_each_other_are_found() -> None:
    links = chain(3)
    assert codes(links, anchors=[links[1].head, Head("00", 2, "0" * 64)]) == [(2, "rewritten")]


@pytest.mark.parametrize(
    "damaged",
    [
        {"entry": {"number": float("nan")}},
        {"entry": {"number": "\ud800"}},
        {"entry": {"number": b""}},
        {"previous": "é"},
        {"hash": ""},
    ],
)
def test_link_that_cannot_be_hashed_is_a_fault(damaged: dict[str, Any]) -> None:
    links = chain(3)
    links[1] = replace(links[1], **damaged)
    assert (2, "changed") in codes(links)


def test_numbers_have_the_form_in_which_stores_give_them_back() -> None:
    link = seal(
        {"a": 1.0, "b": [0.25, 1e300, 1e-300], "c": {"d": -0.0, "e": True, "f": 10**40, "g": float("inf")}},
        head=genesis("00"),
    )
    assert json.dumps(link.entry) == (
        '{"a": 1, "b": [0.25, "1e+300", "1e-300"], '
        '"c": {"d": 0, "e": true, "f": "10000000000000000000000000000000000000000", "g": "inf"}}'
    )
    assert verify([link], from_head=genesis("00")).is_intact


def test_what_no_store_holds_is_refused() -> None:
    with pytest.raises(TypeError, match="bytes"):
        seal({"a": b""}, head=genesis("00"))


def test_decisions_spread_over_shards_and_changes_have_their_own() -> None:
    shards = {shard_of(f"d-{number}") for number in range(1000)}
    assert {*shards, CHANGES_SHARD} == set(SHARDS)
    assert CHANGES_SHARD not in shards
    assert shard_of("change/roster") == CHANGES_SHARD
