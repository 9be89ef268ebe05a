"""Anchors: what is archived when, and what they find that a chain alone does not."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from overread.audit import anchors as module
from overread.audit.anchors import Anchored, ArchivedLog, anchor, read_anchors, verify_log
from overread.audit.chain import SHARDS, Fault, genesis, seal
from overread.audit.lines import links_of
from overread.errors import MissingSettingsError
from overread_lambda.anchor_audit import AuditFaultError, anchor_settings, respond
from overread_testing.audit_fakes import MemoryArchive, MemoryLog

BEGIN = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
SHARD = "changes"


class World:
    """A log of changes, an archive, and an hourly run."""

    def __init__(self) -> None:
        self.log, self.archive = MemoryLog(), MemoryArchive()
        self.hours: Iterator[int] = count()
        self.pauses: list[float] = []

    def write(self, entries: int) -> None:
        for _ in range(entries):
            number = len(self.log.chains[SHARD]) + 1
            self.log.append({"decision_id": "change/roster", "number": number, "detail": {}})

    def anchor(self) -> Anchored:
        at = BEGIN + timedelta(hours=next(self.hours))
        return anchor(log=self.log, archive=self.archive, clock=lambda: at, pause=self.pauses.append)

    def faults(self) -> list[Fault]:
        read = read_anchors(self.archive)
        reports = verify_log(log=self.log, read=read, pause=self.pauses.append)
        return [fault for report in reports for fault in report.faults]

    def codes(self) -> set[str]:
        return {fault.code for fault in self.faults()}

    def rewrite(self, place: int) -> None:
        """The link at that place and all behind it anew, the end too."""
        chain = self.log.chains[SHARD]
        head = chain[place - 2].head if place > 1 else genesis(SHARD)
        for index in range(place - 1, len(chain)):
            chain[index] = seal({**chain[index].entry, "number": 1000 + index}, head=head)
            head = chain[index].head
        self.log.heads[SHARD] = head


@pytest.fixture
def world() -> World:
    made = World()
    made.write(5)
    return made


def test_an_anchor_names_the_end_of_every_chain_and_archives_the_links(world: World) -> None:
    done = world.anchor()
    assert (done.key, done.links, done.faults) == ("anchors/2026-11-22T21:00:00.000Z.json", 5, ())
    document = json.loads(world.archive.versions[done.key][0])
    assert {head["shard"]: head["seq"] for head in document["heads"]} == {
        shard: 5 if shard == SHARD else 0 for shard in SHARDS
    }
    (segment,) = document["segments"]
    assert segment["key"] == "chain/changes/000000000001-000000000005.jsonl"
    assert links_of(world.archive.versions[segment["key"]][0]) == world.log.chains[SHARD]


def test_the_next_anchor_archives_only_what_came_since(world: World) -> None:
    world.anchor()
    world.write(2)
    assert world.anchor().links == 2
    assert list(world.archive.versions)[-2:] == [
        "chain/changes/000000000006-000000000007.jsonl",
        "anchors/2026-11-22T22:00:00.000Z.json",
    ]
    assert world.anchor().links == 0
    assert world.faults() == []


def test_many_links_are_archived_in_parts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINKS_A_SEGMENT", 2)
    world.anchor()
    assert [key for key in world.archive.versions if key.startswith("chain/")] == [
        "chain/changes/000000000001-000000000002.jsonl",
        "chain/changes/000000000003-000000000004.jsonl",
        "chain/changes/000000000005-000000000005.jsonl",
    ]


def test_a_run_that_died_before_its_anchor_is_repeated(world: World) -> None:
    world.anchor()
    world.write(1)
    world.archive.put("chain/changes/000000000006-000000000006.jsonl", b"", content_type="")
    world.archive.versions["chain/changes/000000000006-000000000006.jsonl"].clear()
    world.anchor()
    assert world.faults() == []


def test_rewritten_end_is_found(world: World) -> None:
    world.anchor()
    world.rewrite(4)
    assert world.codes() == {"rewritten"}


def test_rewritten_end_is_found_by_the_next_run_which_keeps_the_last_good_end(world: World) -> None:
    world.anchor()
    good = world.log.head(SHARD)
    world.rewrite(4)
    world.write(1)
    found = world.anchor()
    assert {fault.code for fault in found.faults} == {"broken"}
    assert good in found.heads
    assert {fault.code for fault in world.anchor().faults} == {"broken"}


def test_what_was_rewritten_after_the_last_anchor_is_found_by_the_logs_own_end_only(world: World) -> None:
    world.anchor()
    world.write(3)
    end = world.log.heads[SHARD]
    world.rewrite(7)
    assert world.codes() == set()
    world.log.heads[SHARD] = end
    assert world.codes() == {"rewritten"}


def test_cut_off_log_is_found(world: World) -> None:
    world.anchor()
    del world.log.chains[SHARD][3:]
    world.log.heads[SHARD] = world.log.chains[SHARD][-1].head
    assert world.codes() == {"truncated"}
    assert {fault.code for fault in world.anchor().faults} == {"truncated"}


def test_log_without_anything_left_is_found(world: World) -> None:
    world.anchor()
    world.log.chains.clear()
    world.log.heads.clear()
    assert world.codes() == {"truncated"}


def test_last_links_that_are_gone_are_found_by_the_logs_own_end(world: World) -> None:
    world.anchor()
    world.write(2)
    world.log.chains[SHARD].pop()
    assert world.codes() == {"truncated"}
    assert {fault.code for fault in world.anchor().faults} == {"truncated"}


def test_link_behind_the_end_is_found(world: World) -> None:
    chain = world.log.chains[SHARD]
    chain.append(seal(chain[-1].entry, head=chain[-1].head))
    assert world.codes() == {"beyond"}
    assert {fault.code for fault in world.anchor().faults} == {"beyond"}


def test_an_index_that_lags_is_awaited(world: World) -> None:
    world.log.lag = 1

    def catch_up(_seconds: float) -> None:
        world.log.lag = 0

    done = anchor(log=world.log, archive=world.archive, clock=lambda: BEGIN, pause=catch_up)
    assert (done.links, done.faults) == (5, ())


def test_overwritten_anchor_is_found_and_its_first_version_counts(world: World) -> None:
    done = world.anchor()
    world.rewrite(4)
    forged = World()
    forged.log = world.log
    forged.anchor()
    world.archive.versions[done.key].append(forged.archive.versions[done.key][0])
    assert world.codes() == {"anchor", "rewritten"}


def test_forged_anchor_between_others_is_found(world: World) -> None:
    first = world.anchor()
    world.write(1)
    world.anchor()
    world.archive.versions["anchors/2026-11-22T21:30:00.000Z.json"] = world.archive.versions[first.key]
    read = read_anchors(world.archive)
    assert [fault.detail for fault in read.faults] == [
        "anchors/2026-11-22T21:30:00.000Z.json does not follow from the anchor before it"
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"schema":1,"heads":{}}',
        b'{"schema":1,"heads":[{}]}',
        b'{"schema":1,"heads":[],"segments":[{}]}',
    ],
)
def test_unreadable_anchor_is_a_fault_and_the_run_goes_on_from_the_one_before(
    world: World, body: bytes
) -> None:
    world.anchor()
    world.archive.versions["anchors/2026-11-22T21:30:00.000Z.json"] = [body]
    assert world.codes() == {"anchor"}
    world.write(1)
    assert world.anchor().links == 1


def archived(world: World) -> tuple[int, set[str]]:
    """Links in the archive, and what is wrong with them."""
    read = read_anchors(world.archive)
    log = ArchivedLog(world.archive, read=read)
    reports = list(verify_log(log=log, read=read, pause=world.pauses.append))
    links = sum(report.links for report in reports if report.head)
    return links, {fault.code for report in reports for fault in report.faults}


def test_the_archive_alone_holds_the_log_as_far_as_it_was_anchored(world: World) -> None:
    world.anchor()
    world.write(2)
    world.anchor()
    world.write(1)
    whole = world.log.chains[SHARD][:7]
    world.log.chains.clear()
    assert archived(world) == (7, set())
    log = ArchivedLog(world.archive, read=read_anchors(world.archive))
    assert list(log.links(SHARD, after=4)) == whole[4:]
    assert list(log.entries("change/roster")) == whole


def test_forged_segment_is_not_read_and_a_lost_one_is_missed(world: World) -> None:
    world.anchor()
    world.archive.versions["chain/changes/000000000000-000000000001.jsonl"] = [b"forged"]
    assert archived(world) == (5, set())
    world.archive.versions["chain/changes/000000000001-000000000005.jsonl"] = [b"forged"]
    assert archived(world) == (0, {"truncated"})


def test_changed_link_is_found(world: World) -> None:
    chain = world.log.chains[SHARD]
    chain[1] = replace(chain[1], entry={**chain[1].entry, "number": 7})
    assert world.faults()[0].seq == 2


def test_the_function_tells_what_it_anchored(world: World) -> None:
    told = respond(log=world.log, archive=world.archive, clock=lambda: BEGIN, pause=world.pauses.append)
    assert told == {"anchor": "anchors/2026-11-22T21:00:00.000Z.json", "links": 5}


@pytest.mark.parametrize("faults", [0, 1])
def test_the_function_measures_the_faults_that_it_found(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, faults: int
) -> None:
    monkeypatch.setenv("OVERREAD_DEPLOYMENT", "overread-test")
    world.log.append({"decision_id": "d-1", "number": 1, "detail": {}})
    del world.log.chains[SHARD][len(world.log.chains[SHARD]) - faults :]
    with suppress(AuditFaultError):
        respond(log=world.log, archive=world.archive, clock=lambda: BEGIN, pause=world.pauses.append)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["ChainVerifyFail"] for line in lines if "_aws" in line] == [faults]


def test_the_function_fails_after_it_anchored_the_sound_chains(world: World) -> None:
    world.log.append({"decision_id": "d-1", "number": 1, "detail": {}})
    world.log.chains[SHARD].pop()
    with pytest.raises(AuditFaultError, match="1 faults in the audit log, shards changes"):
        respond(log=world.log, archive=world.archive, clock=lambda: BEGIN, pause=world.pauses.append)
    assert [head.seq for head in read_anchors(world.archive).heads if head.seq] == [1]


def test_the_function_names_all_settings_that_it_lacks() -> None:
    with pytest.raises(MissingSettingsError, match="OVERREAD_TABLE, OVERREAD_AUDIT_BUCKET"):
        anchor_settings({})
