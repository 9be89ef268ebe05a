"""One run of the export: what the audit chains gained since the last run, as files a table and a day.

A batch is named after where the chains stood before it. It is written first and noted then, so a batch that
was interrupted is written again under the same names, with at least the same rows, and no row is there twice.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from itertools import islice
from typing import Any, Protocol

from overread.analytics.columns import Table
from overread.analytics.decision_rows import rows_of_link
from overread.analytics.pseudonyms import Pseudonyms
from overread.audit.chain import DECISION_SHARDS, Link
from overread.decisions.record import Record

LINKS_AT_ONCE = 2_000
"""From each of the sixteen chains: a batch has at most as many rows, some tens of megabytes."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far each chain was exported; `etag` fences the next note of it."""

    reached: Mapping[str, int]
    etag: str = ""

    @property
    def name(self) -> str:
        """The name of the batch that begins here."""
        return sha256(json.dumps(dict(self.reached), sort_keys=True).encode()).hexdigest()[:16]


class Marks(Protocol):
    """Where progress is kept."""

    def read(self) -> Progress:
        """The progress, zero before the first run."""

    def write(self, progress: Progress) -> Progress:
        """Notes it, if nobody else has meanwhile.

        Raises:
            RecordConflictError: another run has.
        """


Write = Callable[[Table, date, str, list[Mapping[str, Any]]], None]
"""`write(table, day, name, rows)`: the file `name` in that day's partition; the same name replaces it."""


@dataclass(frozen=True, slots=True)
class ExportPorts:
    """What an export needs."""

    links: Callable[[str, int], Iterator[Link]]
    record: Callable[[str], Record | None]
    marks: Marks
    write: Write


def export_decisions(
    *,
    ports: ExportPorts,
    pseudonyms: Pseudonyms,
    reason_codes: Collection[str] = (),
    has_time: Callable[[], bool] = lambda: True,
) -> dict[str, int]:
    """How many rows each table gained.

    Raises:
        ServiceError: a service failed; the next run goes on from there.
        RecordConflictError: another run goes on at the same time.
    """
    counts: dict[str, int] = defaultdict(int)
    progress = ports.marks.read()
    while has_time():
        links = list(_batch(progress, ports=ports))
        if not links:
            break
        files: dict[tuple[str, date], tuple[Table, list[Mapping[str, Any]]]] = {}
        for link in links:
            record = ports.record(str(link.entry["decision_id"]))
            if record is None:
                continue
            for rows in rows_of_link(link, record, pseudonyms=pseudonyms, reason_codes=reason_codes):
                file = files.setdefault((rows.table.name, rows.day), (rows.table, []))
                file[1].extend(rows.rows)
        for (name, day), (table, rows_of_day) in sorted(files.items(), key=lambda item: item[0]):
            ports.write(table, day, progress.name, rows_of_day)
            counts[name] += len(rows_of_day)
        reached = dict(progress.reached) | {link.shard: link.seq for link in links}
        progress = ports.marks.write(Progress(reached=reached, etag=progress.etag))
    return dict(counts)


def without_gap(links: Iterator[Link], *, after: int) -> Iterator[Link]:
    """The chain as far as the index shows all of it: what is behind a gap is left for the next time."""
    for expected, link in enumerate(links, start=after + 1):
        if link.seq != expected:
            return
        yield link


def _batch(progress: Progress, *, ports: ExportPorts) -> Iterator[Link]:
    for shard in DECISION_SHARDS:
        after = progress.reached.get(shard, 0)
        yield from islice(without_gap(ports.links(shard, after), after=after), LINKS_AT_ONCE)
