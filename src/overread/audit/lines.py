"""Links as lines of text, as they are archived and exported: one JSON object a line, canonically spelt."""

from collections.abc import Iterable
from typing import Any

from overread.audit.chain import Head, Link
from overread.strict_json import canonical_json, parse_json

_LINK = {"shard": str, "seq": int, "previous": str, "hash": str, "entry": dict}
_HEAD = {"shard": str, "seq": int, "hash": str}


def line_of(link: Link) -> bytes:
    """The link as one line, with its end."""
    document = {
        "shard": link.shard,
        "seq": link.seq,
        "previous": link.previous,
        "hash": link.hash,
        "entry": link.entry,
    }
    return canonical_json(document) + b"\n"


def link_of(line: bytes) -> Link:
    """The link that `line_of` wrote.

    Raises:
        ValueError: the line is another one.
    """
    document = _members(parse_json(line), _LINK)
    link = Link(**document)
    if line_of(link) != line:
        raise ValueError("not spelt canonically")
    return link


def segment_of(links: Iterable[Link]) -> bytes:
    """Many links, in order."""
    return b"".join(map(line_of, links))


def links_of(segment: bytes) -> list[Link]:
    """The links that `segment_of` wrote.

    Raises:
        ValueError: a line is none; the message tells which.
    """
    links = []
    for number, line in enumerate(segment.splitlines(keepends=True), start=1):
        try:
            links.append(link_of(line))
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error
    return links


def head_document(head: Head) -> dict[str, Any]:
    """An end of a chain as a JSON object."""
    return {"shard": head.shard, "seq": head.seq, "hash": head.hash}


def head_of(document: Any) -> Head:
    """The end of a chain that `head_document` wrote.

    Raises:
        ValueError: the document is none.
    """
    return Head(**_members(document, _HEAD))


def _members(document: Any, kinds: dict[str, type]) -> dict[str, Any]:
    if not isinstance(document, dict) or set(document) != set(kinds):
        raise ValueError(f"must be an object with exactly {', '.join(kinds)}")
    for name, kind in kinds.items():
        if type(document[name]) is not kind:
            raise ValueError(f"{name} must be {kind.__name__}, got {type(document[name]).__name__}")
    return document
