"""The audit log as one zip file that anybody can check without Overread: docs/audit-format.md."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from importlib.resources import files
from typing import IO

from overread.audit.anchors import ANCHORS
from overread.audit.chain import SHARDS, Head, Link, genesis
from overread.audit.changes import DOCUMENTS
from overread.audit.lines import line_of
from overread.audit.ports import Archive, AuditLog
from overread.instants import format_instant

FORMAT, VERSION = "overread-audit-export", 1
VERIFIER, PAGE = "verify.py", "FORMAT.md"
_DOCUMENT_MEMBERS = ("from_sha256", "to_sha256", "task_ui_sha256")


def export(
    target: IO[bytes], *, log: AuditLog, archive: Archive, format_page: str, clock: Callable[[], datetime]
) -> dict[str, Head]:
    """Writes the export; the ends of the chains in it.

    It holds the log as it is, intact or not: whether it is intact is what its reader finds out.

    Raises:
        ServiceError: a service failed.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
        written = _Written(out)
        ends = {shard: log.head(shard) for shard in SHARDS}
        wanted: set[str] = set()
        chains = {}
        for shard in SHARDS:
            links = _until(log.links(shard, after=0), ends[shard])
            chains[shard] = written.chain(shard, links, wanted)
        for archived in archive.first_versions(ANCHORS):
            written.add(archived.key, archive.read(archived))
        for archived in archive.first_versions(DOCUMENTS):
            if archived.key.removeprefix(DOCUMENTS) in wanted:
                written.add(archived.key, archive.read(archived))
        written.add(VERIFIER, verifier().encode())
        written.add(PAGE, format_page.encode())
        manifest = {
            "format": FORMAT,
            "version": VERSION,
            "created_at": format_instant(clock()),
            "chains": {shard: {"seq": head.seq, "hash": head.hash} for shard, head in chains.items()},
            "files": written.files,
        }
        out.writestr("manifest.json", json.dumps(manifest, indent=1))
    return chains


def verifier() -> str:
    """The text of the program that checks exports."""
    return files("overread.audit").joinpath("verify_export.py").read_text(encoding="utf-8")


def format_page() -> str:
    """The page that says what an export holds and how it is checked."""
    return files("overread.audit").joinpath("audit-format.md").read_text(encoding="utf-8")


class _Written:
    """A zip file in the making, with the hash of everything in it."""

    def __init__(self, out: zipfile.ZipFile) -> None:
        self._out = out
        self.files: dict[str, str] = {}

    def add(self, name: str, body: bytes) -> None:
        self._out.writestr(name, body)
        self.files[name] = hashlib.sha256(body).hexdigest()

    def chain(self, shard: str, links: Iterator[Link], wanted: set[str]) -> Head:
        """Writes the links one by one; `wanted` gets the hashes of the documents that they name."""
        name, digest, head = f"chains/{shard}.jsonl", hashlib.sha256(), genesis(shard)
        with self._out.open(name, "w", force_zip64=True) as out:
            for link in links:
                line = line_of(link)
                out.write(line)
                digest.update(line)
                head = link.head
                wanted.update(str(link.entry["detail"].get(member)) for member in _DOCUMENT_MEMBERS)
        self.files[name] = digest.hexdigest()
        return head


def _until(links: Iterator[Link], end: Head) -> Iterator[Link]:
    for link in links:
        if link.seq > end.seq:
            return
        yield link
