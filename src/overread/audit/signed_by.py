"""Which decisions a person's answers went into: those to read again when the person is in doubt."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from overread.audit.chain import Link
from overread.instants import parse_instant


def decided_by(links: Iterable[Link], *, sub: str, begin: datetime, end: datetime) -> Iterator[str]:
    """Ids of the decisions that people made from `begin` to before `end`, this one among them; each once.

    `links` are all chains, in any order.
    """
    seen: set[str] = set()
    for link in links:
        entry = link.entry
        reviewers = entry["detail"].get("reviewers", ())
        if entry["event"] != "decided_by_people" or all(one["sub"] != sub for one in reviewers):
            continue
        if begin <= parse_instant(entry["at"]) < end and entry["decision_id"] not in seen:
            seen.add(entry["decision_id"])
            yield str(entry["decision_id"])
