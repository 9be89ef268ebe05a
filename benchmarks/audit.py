"""Audit log: links sealed, verified and read from text, a second of CPU time, on one core."""

import time
from collections.abc import Callable

from benchmarks.measure import Measurement

from overread.audit.chain import Link, genesis, seal, verify
from overread.audit.lines import links_of, segment_of

LINKS = 50_000
VERIFIED_AT_LEAST = 50_000.0
ENTRY = {
    "schema": 1,
    "decision_id": "d-4qk7zq2ix5h3u6w7y2c5n4m3ab",
    "number": 4,
    "at": "2026-11-22T21:07:44.120Z",
    "event": "decided_by_people",
    "from_state": "IN_REVIEW",
    "to_state": "FINAL",
    "generation": 1,
    "detail": {
        "human_loop": "h-7yh2k4xkq3m5r6s7t8u9v0w1x2-g1",
        "seat": "",
        "output": {"bucket": "outputs", "key": "loans/2026/11/22/output.json", "sha256": "0" * 64},
        "answers": [{"worker_id": "w-1", "sub": "person-1", "issuer": "https://idp", "label": "decline"}],
        "no_label_code": "",
        "seconds": 41.2,
        "label": "decline",
        "reason_code": "income-unverified",
    },
}


def run() -> list[Measurement]:
    """Links a second: sealed, verified (held against what is asked for), and read and verified as text.

    Raises:
        AssertionError: the log that was verified is not intact.
    """
    links: list[Link] = []

    def append() -> None:
        head = genesis("00")
        for _ in range(LINKS):
            links.append(seal(ENTRY, head=head))
            head = links[-1].head

    appended = _rate(append)
    text = segment_of(links)
    verified = _rate(lambda: _verify(links))
    read = _rate(lambda: _verify(links_of(text)))
    return [
        Measurement(name="audit: links sealed", value=appended, unit="links/s"),
        Measurement.against(
            "audit: links verified", value=verified, unit="links/s", baseline=VERIFIED_AT_LEAST
        ),
        Measurement(name="audit: links read from text and verified", value=read, unit="links/s"),
    ]


def _verify(links: list[Link]) -> None:
    found = verify(links, from_head=genesis("00"), anchors=[links[-1].head])
    assert found.is_intact
    assert found.links == LINKS


def _rate(work: Callable[[], None]) -> float:
    started = time.process_time()
    work()
    return LINKS / (time.process_time() - started)
