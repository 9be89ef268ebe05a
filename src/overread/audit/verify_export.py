"""Checks an exported audit log. One file, standard library only: it needs nothing of Overread.

    python verify.py audit.zip [--head SHARD:SEQ:HASH ...]

FORMAT.md in the same zip says what is checked, so that anybody can write this program again. `--head` holds
the log against an end of a chain that you know from elsewhere, such as an anchor that you read yourself.

Exit codes: 0 the log is intact; 1 it has faults, each one line; 2 the file is no export.
"""
# ruff: noqa: T201

import argparse
import hashlib
import json
import re
import sys
import zipfile
from typing import Any

LINK = {"shard", "seq", "previous", "hash", "entry"}
HASH = re.compile(r"[0-9a-f]{64}")
Chains = dict[str, list[str]]
Head = tuple[str, int, str]


def canonical(value: Any) -> bytes:
    """The one spelling of JSON that is hashed."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def sha256(data: bytes) -> str:
    """The SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def check(archive: zipfile.ZipFile) -> tuple[list[str], Chains, int]:
    """All faults of the export, and its chains as {shard: [hash before the first link, of the first, …]}."""
    faults: list[str] = []
    names = archive.namelist()
    manifest = json.loads(archive.read("manifest.json"))
    if manifest.get("format") != "overread-audit-export" or manifest.get("version") != 1:
        raise ValueError("manifest.json is of another format or version")
    files = manifest["files"]
    expected = {*files, "manifest.json"}
    faults += [
        f"{name}: stands in the zip twice" for name in sorted({n for n in names if names.count(n) > 1})
    ]
    faults += [f"{name}: missing" for name in sorted(expected - set(names))]
    faults += [f"{name}: not in the manifest" for name in sorted(set(names) - expected)]
    present = [name for name in sorted(files) if name in names]
    faults += [f"{name}: changed" for name in present if sha256(archive.read(name)) != files[name]]
    documents = [name for name in present if name.startswith("documents/")]
    faults += [
        f"{name}: not the text of this hash"
        for name in documents
        if sha256(archive.read(name)) != name.partition("/")[2]
    ]
    chains: Chains = {}
    for shard, end in sorted(manifest["chains"].items()):
        chains[shard] = read_chain(archive, shard, faults)
        last = chains[shard][-1]
        if (len(chains[shard]) - 1, last) != (end["seq"], end["hash"]):
            faults.append(
                f"chain {shard}: ends at {len(chains[shard]) - 1} {last}, the manifest says otherwise"
            )
    anchors = [name for name in present if name.startswith("anchors/")]
    check_anchors(archive, anchors, chains, faults)
    return faults, chains, len(anchors)


def read_chain(archive: zipfile.ZipFile, shard: str, faults: list[str]) -> list[str]:
    """The hashes of the chain; reading ends at the first fault, behind which nothing is sure."""
    hashes = [sha256(f"overread audit chain {shard}".encode())]
    name = f"chains/{shard}.jsonl"
    if name not in archive.namelist():
        faults.append(f"chain {shard}: missing")
        return hashes
    with archive.open(name) as lines:
        for number, line in enumerate(lines, start=1):
            fault = link_fault(line, shard, number, hashes[-1])
            if fault:
                faults.append(f"chain {shard}, line {number}: {fault}")
                break
            hashes.append(json.loads(line)["hash"])
    return hashes


def link_fault(line: bytes, shard: str, seq: int, previous: str) -> str:
    """What is wrong with a line; nothing when it is right."""
    try:
        link = json.loads(line)
        if not isinstance(link, dict) or set(link) != LINK or line != canonical(link) + b"\n":
            return "is no link in its canonical spelling"
        body = canonical({"shard": shard, "seq": seq, "entry": link["entry"]})
    except (ValueError, RecursionError):
        return "is no JSON"
    if link["shard"] != shard or type(link["seq"]) is not int or link["seq"] != seq:
        return f"must be link {seq} of this chain, says {link['seq']} of {link['shard']}"
    if link["previous"] != previous:
        return "does not follow from the link before"
    if link["hash"] != sha256(previous.encode("ascii") + b"\n" + body):
        return "its hash is not that of its entry"
    return ""


def check_anchors(archive: zipfile.ZipFile, names: list[str], chains: Chains, faults: list[str]) -> None:
    """Every anchor follows from the one before, and every end it names is in the chains."""
    previous = ""
    for name in sorted(names):
        body = archive.read(name)
        anchor = json.loads(body)
        if anchor["previous"] != previous:
            faults.append(f"{name}: does not follow from the anchor before it")
        previous = sha256(body)
        for head in anchor["heads"]:
            check_head(name, (head["shard"], head["seq"], head["hash"]), chains, faults)


def check_head(name: str, head: Head, chains: Chains, faults: list[str]) -> None:
    """The chain has this end of it in its place."""
    shard, seq, digest = head
    hashes = chains.get(shard, [])
    if seq >= len(hashes):
        faults.append(f"{name}: chain {shard} was anchored at {seq}, and ends before")
    elif hashes[seq] != digest:
        faults.append(f"{name}: chain {shard} had another hash at {seq}")


def head_of(text: str) -> Head:
    """SHARD:SEQ:HASH."""
    shard, seq, digest = text.split(":")
    if not HASH.fullmatch(digest):
        raise ValueError(text)
    return shard, int(seq), digest


def main() -> int:
    """Checks the export that the command line names."""
    parser = argparse.ArgumentParser(description="Checks an exported audit log of Overread.")
    parser.add_argument("export", help="the zip file")
    parser.add_argument("--head", type=head_of, action="append", default=[], metavar="SHARD:SEQ:HASH")
    arguments = parser.parse_args()
    try:
        with zipfile.ZipFile(arguments.export) as archive:
            faults, chains, anchors = check(archive)
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        zipfile.BadZipFile,
    ) as error:
        print(f"{arguments.export} is no audit export, or a damaged one: {error!r}", file=sys.stderr)
        return 2
    for head in arguments.head:
        check_head("--head", head, chains, faults)
    for fault in faults:
        print(fault)
    links = sum(len(hashes) - 1 for hashes in chains.values())
    print(f"{'FAULTS' if faults else 'intact'}: {links} links in {len(chains)} chains, {anchors} anchors")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
