"""The change log: what decisions depend on, each new text of it with who proposed and who approved it.

The texts themselves (routing policies with their thresholds, guarantees and rules, worker templates) lie in
the archive under their hash, so that every decision can be replayed by the texts of its day.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from overread.audit.chain import Link
from overread.errors import OverreadError
from overread.instants import format_instant
from overread.strict_json import parse_json

DOCUMENTS = "documents/"
PREFIX = "change/"
SCHEMA = 1
_MEMBERS_TOLD = 50
_VALUE_LENGTH = 200


class ApprovalMissingError(OverreadError):
    """A change that needs the approval of a second person and does not have it."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text that decisions depend on: `subject` is `policy/loan-approval`, `template/loan-approval`, …"""

    subject: str
    content: str

    @property
    def sha256(self) -> str:
        """The text's hash, under which it is archived."""
        return hashlib.sha256(self.content.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Approval:
    """Who stands for a change. `ticket` says where it was discussed."""

    proposed_by: str
    approved_by: str
    ticket: str
    needs_two: bool

    def check(self) -> None:
        """Raises ApprovalMissingError when two persons are needed and are not there."""
        if not self.needs_two:
            return
        if not self.proposed_by or not self.approved_by:
            raise ApprovalMissingError(
                "changes need two persons: "
                f"proposed_by is {self.proposed_by!r}, approved_by is {self.approved_by!r}"
            )
        if self.proposed_by.casefold() == self.approved_by.casefold():
            raise ApprovalMissingError(
                f"changes need two persons: {self.proposed_by!r} proposed and approved this one"
            )


class Texts(Protocol):
    """The archive, as far as texts go."""

    def put(self, key: str, body: bytes, *, content_type: str) -> None:
        """Stores the object."""

    def find(self, key: str) -> bytes | None:
        """The object, None when there is none."""


class ChangeLog(Protocol):
    """The chain of changes."""

    def last(self, subject: str) -> Link | None:
        """The newest entry about the subject, as of now."""

    def append(self, entry: Mapping[str, Any]) -> None:
        """The entry behind the end of the chain.

        Raises:
            RecordConflictError: an entry of this number about this subject is there already.
        """


def log_changes(
    texts: Iterable[Text],
    *,
    removed: Iterable[str] = (),
    approval: Approval,
    log: ChangeLog,
    archive: Texts,
    clock: Callable[[], datetime],
) -> list[str]:
    """Logs each text that is another than the one logged last, and each subject that is gone; which ones.

    Logging the same again logs nothing, so it may be repeated.

    Raises:
        ApprovalMissingError: something changes that two persons must stand for; nothing is logged.
        ServiceError: a service failed; run it again.
    """
    changes = [*_new_texts(texts, log=log), *_removals(removed, log=log)]
    if changes:
        approval.check()
    for change in changes:
        if change.content is not None:
            key = f"{DOCUMENTS}{change.to_sha256}"
            archive.put(key, change.content.encode(), content_type="text/plain; charset=utf-8")
        log.append(_entry(change, approval=approval, archive=archive, at=clock()))
    return [change.subject for change in changes]


def document(sha256: str, *, archive: Texts) -> str | None:
    """The archived text of that hash; None when there is none, or it is another one."""
    body = archive.find(f"{DOCUMENTS}{sha256}")
    if body is None or hashlib.sha256(body).hexdigest() != sha256:
        return None
    return body.decode()


@dataclass(frozen=True, slots=True)
class _Change:
    subject: str
    number: int
    from_sha256: str
    to_sha256: str
    content: str | None


def _new_texts(texts: Iterable[Text], *, log: ChangeLog) -> Iterator[_Change]:
    for text in texts:
        number, logged = _last(text.subject, log=log)
        if logged != text.sha256:
            yield _Change(
                subject=PREFIX + text.subject,
                number=number + 1,
                from_sha256=logged,
                to_sha256=text.sha256,
                content=text.content,
            )


def _removals(subjects: Iterable[str], *, log: ChangeLog) -> Iterator[_Change]:
    for subject in subjects:
        number, logged = _last(subject, log=log)
        if logged:
            yield _Change(
                subject=PREFIX + subject, number=number + 1, from_sha256=logged, to_sha256="", content=None
            )


def _last(subject: str, *, log: ChangeLog) -> tuple[int, str]:
    link = log.last(PREFIX + subject)
    if link is None:
        return 0, ""
    return int(link.entry["number"]), str(link.entry["detail"].get("to_sha256", ""))


def _entry(change: _Change, *, approval: Approval, archive: Texts, at: datetime) -> dict[str, Any]:
    kind = change.subject.split("/")[1].replace("-", "_")
    detail: dict[str, Any] = {
        "from_sha256": change.from_sha256,
        "to_sha256": change.to_sha256,
        "proposed_by": approval.proposed_by,
        "approved_by": approval.approved_by,
        "ticket": approval.ticket,
    }
    before = document(change.from_sha256, archive=archive) if change.from_sha256 else None
    if change.content is not None and before is not None:
        detail["changed"] = _differences(before, change.content)
    return {
        "schema": SCHEMA,
        "decision_id": change.subject,
        "number": change.number,
        "at": format_instant(at),
        "event": f"{kind}_{'removed' if change.content is None else 'changed'}",
        "from_state": "",
        "to_state": "",
        "generation": 0,
        "detail": detail,
    }


def _differences(before: str, after: str) -> list[dict[str, Any]]:
    """The members in which two JSON texts differ; nothing of other texts."""
    try:
        old, new = dict(_members(parse_json(before))), dict(_members(parse_json(after)))
    except ValueError:
        return []
    names = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    return [
        {"member": name, "from": _told(old.get(name)), "to": _told(new.get(name))}
        for name in names[:_MEMBERS_TOLD]
    ]


def _members(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every member that holds no others, by its path."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _members(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from _members(inner, f"{path}[{index}]")
    else:
        yield path, value


def _told(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _VALUE_LENGTH:
        return f"{value[:_VALUE_LENGTH]}…"
    return value
