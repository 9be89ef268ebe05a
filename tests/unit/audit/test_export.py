"""The export: checked by its own verifier alone, in an interpreter without any package."""

import io
import json
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from overread.audit.anchors import anchor
from overread.audit.chain import genesis, seal
from overread.audit.changes import Approval, Text, log_changes
from overread.audit.export import export, verifier
from overread.audit.lines import line_of
from overread_testing.audit_fakes import MemoryArchive, MemoryChangeLog, MemoryLog

BEGIN = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/audit-format.md"
Members = dict[str, bytes]


@pytest.fixture(scope="module")
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture(scope="module")
def exported(log: MemoryLog) -> bytes:
    """Forty decisions, two policies, three anchors; some entries came after the last anchor."""
    archive = MemoryArchive()
    for hour in range(3):
        for number in range(20):
            detail = {"label": "käse", "confidence": 0.71, "tiny": 1e-7, "seconds": 41.0, "none": None}
            log.append({"decision_id": f"d-{number}", "number": hour + 1, "event": "x", "detail": detail})
        text = Text("policy/loans", f'{{"version": {hour}}}')
        log_changes(
            [text],
            approval=Approval("ada", "grace", "", needs_two=True),
            log=MemoryChangeLog(log),
            archive=archive,
            clock=lambda: BEGIN,
        )
        at = BEGIN + timedelta(hours=hour)
        anchor(log=log, archive=archive, clock=lambda at=at: at, pause=lambda _: None)  # type: ignore[misc]
    log.append({"decision_id": "d-1", "number": 4, "event": "x", "detail": {}})
    out = io.BytesIO()
    export(out, log=log, archive=archive, format_page=PAGE.read_text(), clock=lambda: BEGIN)
    return out.getvalue()


def run(export_file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The verifier of the export, in an interpreter that finds no package."""
    program = export_file.with_name("verify.py")
    program.write_text(verifier())
    command = [sys.executable, "-I", "-S", str(program), str(export_file), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def members_of(body: bytes) -> Members:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(members: Members) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return out.getvalue()


def with_manifest(members: Members) -> Members:
    """The manifest made anew, as whoever tampers would."""
    manifest = json.loads(members["manifest.json"])
    manifest["files"] = {n: sha256(b).hexdigest() for n, b in members.items() if n != "manifest.json"}
    for shard in manifest["chains"]:
        lines = members[f"chains/{shard}.jsonl"].splitlines()
        last = json.loads(lines[-1]) if lines else {"seq": 0, "hash": genesis(shard).hash}
        manifest["chains"][shard] = {"seq": last["seq"], "hash": last["hash"]}
    return {**members, "manifest.json": json.dumps(manifest).encode()}


def test_the_export_is_intact_and_says_so_without_overread(exported: bytes, tmp_path: Path) -> None:
    file = tmp_path / "audit.zip"
    file.write_bytes(exported)
    done = run(file)
    assert (done.returncode, done.stdout) == (0, "intact: 64 links in 17 chains, 3 anchors\n")


def test_the_export_holds_the_verifier_the_format_and_the_texts(exported: bytes) -> None:
    members = members_of(exported)
    assert members["verify.py"].decode() == verifier()
    assert members["FORMAT.md"].decode() == PAGE.read_text()
    assert len([name for name in members if name.startswith("documents/")]) == 3


def test_the_log_is_held_against_an_end_that_is_known_from_elsewhere(
    exported: bytes, log: MemoryLog, tmp_path: Path
) -> None:
    file = tmp_path / "audit.zip"
    file.write_bytes(exported)
    head = log.chains["changes"][1].head
    assert run(file, "--head", f"changes:2:{head.hash}").returncode == 0
    done = run(file, "--head", f"changes:1:{head.hash}", "--head", f"changes:9:{head.hash}")
    assert done.stdout.splitlines()[:2] == [
        "--head: chain changes had another hash at 1",
        "--head: chain changes was anchored at 9, and ends before",
    ]
    assert done.returncode == 1


def changed_line(members: Members) -> Members:
    name = "chains/changes.jsonl"
    return with_manifest({**members, name: members[name].replace(b'"ada"', b'"eve"', 1)})


def rewritten_chain(members: Members) -> Members:
    name = "chains/changes.jsonl"
    head, lines = genesis("changes"), []
    for line in members[name].splitlines():
        link = seal({**json.loads(line)["entry"], "at": "never"}, head=head)
        head = link.head
        lines.append(line_of(link))
    return with_manifest({**members, name: b"".join(lines)})


def shortened_chain(members: Members) -> Members:
    name = "chains/changes.jsonl"
    return with_manifest({**members, name: b"".join(members[name].splitlines(keepends=True)[:2])})


def reordered_chain(members: Members) -> Members:
    name = "chains/changes.jsonl"
    first, second, *rest = members[name].splitlines(keepends=True)
    return with_manifest({**members, name: b"".join([second, first, *rest])})


def name_twice_in_a_line(members: Members) -> Members:
    """Readers of JSON differ in which of the two they show."""
    name = "chains/changes.jsonl"
    return with_manifest({**members, name: members[name].replace(b'{"entry"', b'{"entry":{},"entry"', 1)})


def anchor_left_out(members: Members) -> Members:
    names = sorted(name for name in members if name.startswith("anchors/"))
    return with_manifest({name: body for name, body in members.items() if name != names[1]})


def another_document(members: Members) -> Members:
    name = next(name for name in members if name.startswith("documents/"))
    return with_manifest({**members, name: b"{}"})


def changed_verifier(members: Members) -> Members:
    return {**members, "verify.py": members["verify.py"] + b"\n"}


def something_else_in_it(members: Members) -> Members:
    return {**members, "README.md": b""}


def something_missing(members: Members) -> Members:
    return {name: body for name, body in members.items() if name != "chains/0a.jsonl"}


@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        (changed_line, "chain changes, line 1: its hash is not that of its entry"),
        (rewritten_chain, "chain changes had another hash at 1"),
        (shortened_chain, "chain changes was anchored at 3, and ends before"),
        (reordered_chain, "chain changes, line 1: must be link 1 of this chain, says 2 of changes"),
        (name_twice_in_a_line, "chain changes, line 1: is no link in its canonical spelling"),
        (anchor_left_out, "does not follow from the anchor before it"),
        (another_document, "not the text of this hash"),
        (changed_verifier, "verify.py: changed"),
        (something_else_in_it, "README.md: not in the manifest"),
        (something_missing, "chains/0a.jsonl: missing"),
    ],
)
def test_tampered_export_is_found(
    exported: bytes, tmp_path: Path, tamper: Callable[[Members], Members], told: str
) -> None:
    file = tmp_path / "audit.zip"
    file.write_bytes(zipped(tamper(members_of(exported))))
    done = run(file)
    assert done.returncode == 1, done.stdout
    assert told in done.stdout


def test_what_is_no_export_is_said_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "audit.zip"
    bodies = [b"", b"PK", zipped({}), zipped({"manifest.json": b"[]"}), zipped({"manifest.json": b"{}"})]
    for body in bodies:
        file.write_bytes(body)
        done = run(file)
        assert (done.returncode, done.stderr.count("\n"), done.stdout) == (2, 1, ""), body


def test_every_random_byte_that_changes_in_a_member_is_found(exported: bytes) -> None:
    namespace: dict[str, Any] = {"__name__": "verifier"}
    exec(compile(verifier(), "verify.py", "exec"), namespace)
    members, chance = members_of(exported), random.Random(7)
    names = [name for name in sorted(members) if members[name] and name != "manifest.json"]
    for number in range(400):
        name = names[number % len(names)]
        body = bytearray(members[name])
        body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
        with zipfile.ZipFile(io.BytesIO(zipped(with_manifest_of(members, name, bytes(body))))) as archive:
            assert is_faulty(namespace, archive), name


def with_manifest_of(members: Members, name: str, body: bytes) -> Members:
    """The changed member, whose hash in the manifest fits again unless nothing else covers it."""
    changed = {**members, name: body}
    if not name.startswith(("chains/", "documents/")):
        return changed
    manifest = json.loads(members["manifest.json"])
    manifest["files"][name] = sha256(body).hexdigest()
    return {**changed, "manifest.json": json.dumps(manifest).encode()}


def is_faulty(namespace: dict[str, Any], archive: zipfile.ZipFile) -> bool:
    try:
        faults, _, _ = namespace["check"](archive)
    except (ValueError, KeyError, TypeError):
        return True
    return bool(faults)
