"""Evidence: copies of inputs and answers in the archive, each under its decision's own key.

The archive cannot be changed, so what lies there about a person is erased by deleting the key. Keys lie in
the table of decisions, those of one subject side by side: a subject is whom a case is about, as the policy
finds it in the input; without such a path each decision is its own.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import jmespath

from overread.audit.chain import Link
from overread.decisions.record import Record, StoredObject
from overread.routing.prediction import EVALUATION_ERRORS
from overread.strict_json import canonical_json, parse_json

EVIDENCE = "evidence/"
_ROUTED = frozenset({"decided_by_model", "sent_to_people", "contest_received"})

Seal = Callable[[bytes, bytes, bytes], bytes]
"""`seal(key, plaintext, about)`: the ciphertext, the same again for the same; `about` is authenticated."""


class Keys(Protocol):
    """Keys of evidence, by subject and decision."""

    def key_for(self, decision_id: str, *, subject: str) -> bytes | None:
        """The decision's key of 32 bytes, made when there never was one; None when it was erased."""

    def key_of(self, decision_id: str) -> bytes | None:
        """The decision's key; None when it never had one or was erased."""


class Store(Protocol):
    """The archive, as far as evidence goes."""

    def put(self, key: str, body: bytes, *, content_type: str) -> None:
        """Stores the object."""

    def find(self, key: str) -> bytes | None:
        """The object, None when there is none."""


@dataclass(frozen=True, slots=True)
class EvidencePorts:
    """What archiving needs. `read` gives a version of an object, None when it is not there any more."""

    record: Callable[[str], Record | None]
    read: Callable[[StoredObject], bytes | None]
    subject_path: Callable[[str], str]
    keys: Keys
    seal: Seal
    archive: Store


def archive_evidence(links: Iterable[Link], *, ports: EvidencePorts) -> int:
    """Archives the inputs and answers that the links tell of; how many. Again and again is once.

    Raises:
        ServiceError: a service failed; run it again.
    """
    return sum(_archive(link, ports=ports) for link in links)


def evidence_key(decision_id: str, sha256: str) -> str:
    """Where the copy of what has that hash lies."""
    return f"{EVIDENCE}{decision_id}/{sha256}"


def about(decision_id: str, sha256: str) -> bytes:
    """What a copy is bound to."""
    return f"{decision_id}/{sha256}".encode()


def read_evidence(decision_id: str, sha256: str, *, archive: Store, keys: Keys, unseal: Seal) -> bytes | None:
    """The archived bytes of that hash; None when they were never archived, or erased.

    Raises:
        ValueError: the copy is not what was archived.
    """
    sealed = archive.find(evidence_key(decision_id, sha256))
    key = keys.key_of(decision_id)
    if sealed is None or key is None:
        return None
    body = unseal(key, sealed, about(decision_id, sha256))
    if hashlib.sha256(body).hexdigest() != sha256:
        raise ValueError(f"the copy of {sha256} is another one")
    return body


def subject_of(record: Record, *, input_body: bytes, path: str) -> str:
    """Whom the case is about, by a hash; the decision itself where the path finds nobody."""
    return subject_hash(_found(input_body, path) or record.decision_id)


def subject_hash(subject: Any) -> str:
    """The hash of a subject as the input names it; a number is the same as its digits."""
    text = subject if isinstance(subject, str) else canonical_json(subject).decode()
    return hashlib.sha256(f"overread subject {text}".encode()).hexdigest()


def _found(input_body: bytes, path: str) -> Any:
    if not path:
        return None
    try:
        return jmespath.search(path, {"input": parse_json(input_body)})
    except EVALUATION_ERRORS:
        return None


def _archive(link: Link, *, ports: EvidencePorts) -> int:
    detail = link.entry["detail"]
    is_routing = link.entry["event"] in _ROUTED
    if not is_routing and not detail.get("output"):
        return 0
    decision_id = str(link.entry["decision_id"])
    record = ports.record(decision_id)
    if record is None:
        return 0
    stored = record.input if is_routing else _stored(detail["output"])
    body = ports.read(stored)
    if body is None or hashlib.sha256(body).hexdigest() != stored.sha256:
        return 0
    key = _key(record, body if is_routing else None, ports=ports)
    if key is None:
        return 0
    sealed = ports.seal(key, body, about(decision_id, stored.sha256))
    ports.archive.put(
        evidence_key(decision_id, stored.sha256), sealed, content_type="application/octet-stream"
    )
    return 1


def _key(record: Record, input_body: bytes | None, *, ports: EvidencePorts) -> bytes | None:
    """The decision's key: made with its input, never for an answer alone, whose input may be erased."""
    if input_body is None:
        return ports.keys.key_of(record.decision_id)
    path = ports.subject_path(record.use_case)
    subject = subject_of(record, input_body=input_body, path=path)
    return ports.keys.key_for(record.decision_id, subject=subject)


def _stored(output: Mapping[str, Any]) -> StoredObject:
    return StoredObject(**output)
