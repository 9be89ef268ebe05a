"""What people say to each other about a task, as pure functions from loop to loop."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from overread_review.service.errors import NoteInvalidError, TaskGoneError
from overread_review.service.model import Loop, Note, NoteKind, Reviewer

MAX_TEXT = 1000
MAX_NOTES = 50
_ASKING = frozenset({NoteKind.QUESTION, NoteKind.FLAG})


def clean_text(text: object, *, name: str) -> str:
    """The text without white space around it.

    Raises:
        NoteInvalidError: it is no text of 1 to MAX_TEXT characters that can be written.
    """
    cleaned = text.strip() if isinstance(text, str) else ""
    if not 1 <= len(cleaned) <= MAX_TEXT:
        raise NoteInvalidError(f"{name} must have 1 to {MAX_TEXT:,} characters, got {len(cleaned):,}")
    try:
        cleaned.encode()
    except UnicodeEncodeError as error:
        raise NoteInvalidError(f"{name} holds half of a surrogate pair") from error
    return cleaned


def asking_kind(kind: object) -> NoteKind:
    """The kind of a reviewer's note. Raises NoteInvalidError for others than question and flag."""
    if not isinstance(kind, str) or kind not in _ASKING:
        raise NoteInvalidError(f"kind must be question or flag, got {str(kind)[:40]!r}")
    return NoteKind(kind)


def noted(
    loop: Loop, *, by: Reviewer, is_lead: bool, kind: NoteKind, text: str, now: datetime, to: str = ""
) -> Loop:
    """The loop with one more note; unchanged when the very same one is there already.

    Raises:
        TaskGoneError: the loop has ended.
        NoteInvalidError: it has MAX_NOTES notes.
    """
    said = (by.key, kind, text, now)
    if any((note.person, note.kind, note.text, note.at) == said for note in loop.notes):
        return loop
    if not loop.is_open:
        raise TaskGoneError("this task has ended")
    if len(loop.notes) >= MAX_NOTES:
        raise NoteInvalidError(f"this task has {MAX_NOTES} notes already, which is all that it can have")
    note = Note(
        note_id=f"{len(loop.notes) + 1}",
        person=by.key,
        author=by.name,
        role="lead" if is_lead else "reviewer",
        kind=kind,
        text=text,
        at=now,
        to=to,
    )
    return replace(loop, notes=(*loop.notes, note))


def is_flagged(loop: Loop) -> bool:
    """Whether somebody asked or flagged after a lead's last word on the task."""
    asked = [index for index, note in enumerate(loop.notes) if note.kind in _ASKING]
    replied = [index for index, note in enumerate(loop.notes) if note.kind is NoteKind.REPLY]
    return bool(asked) and max(asked) > max(replied, default=-1)


def last_asker(loop: Loop) -> str:
    """Who asked or flagged last; empty when nobody did."""
    return next((note.person for note in reversed(loop.notes) if note.kind in _ASKING), "")


def notes_for(loop: Loop, *, person: str) -> tuple[Note, ...]:
    """What the person may read: their own words and what leads said to them or to all.

    Other reviewers' questions would tell what those think of the task.
    """
    return tuple(
        note
        for note in loop.notes
        if note.person == person or (note.role == "lead" and note.to in {"", person})
    )
