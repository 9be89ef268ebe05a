"""The JSON documents of the portal's API, from the service's records."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from overread_review.service import transitions, work_time
from overread_review.service.lead import Queue
from overread_review.service.model import Agreement, Answer, Claim, HistoryEntry, Loop, Note
from overread_review.service.output import timestamp
from overread_review.service.own_members import statement_of
from overread_review.service.people import People, PersonStatistics, PersonView
from overread_review.service.qualifications import OwnQualification, RosterEntry
from overread_review.service.tasks import ClaimedTask, OfferedTask

Json = dict[str, Any]


def moment(value: datetime | None) -> str | None:
    """An instant as text, or None."""
    return None if value is None else timestamp(value)


def loop_document(loop: Loop) -> Json:
    """What reviewers and leads both see of a task."""
    terms = loop.terms
    return {
        "task_id": loop.name,
        "human_loop": loop.name,
        "title": terms.title,
        "description": terms.description,
        "keywords": list(terms.keywords),
        "flow_definition": terms.flow_definition_name,
        "priority": str(loop.priority),
        "created_at": timestamp(loop.created_at),
        "expires_at": timestamp(loop.expires_at),
        "deadline_at": moment(loop.deadline_at),
        "time_limit_s": terms.time_limit_s,
    }


def task_document(task: OfferedTask, *, notes: int) -> Json:
    """One line of a reviewer's list; `notes` counts what they can read on it."""
    return loop_document(task.loop) | {
        "claimed_by_me": task.claimed_by_me,
        "assigned_to_me": task.assigned_to_me,
        "returned": task.returned_to_me,
        "notes": notes,
    }


def claimed_document(
    task: ClaimedTask, *, notes: Iterable[Note], person: str, now: datetime, root: str
) -> Json:
    """A task in the hands of `person`; `root` is the path above /portal."""
    claim = task.claim
    shown = [note_document(note, person=person) for note in notes]
    return loop_document(task.loop) | {
        "claimed_by_me": True,
        # As in the list: a question whose answer is known must not stand out.
        "assigned_to_me": transitions.is_openly_assigned(task.loop, person=person),
        "returned": any(answer.person == person for answer in task.loop.returned),
        "frame_url": f"{root}/portal/tasks/{task.loop.name}/frame",
        "accepted_at": timestamp(claim.accepted_at),
        "claim_deadline_at": timestamp(claim.deadline_at),
        "worked_s": round(work_time.worked_s(claim, now=now), 3),
        "running": claim.running_since is not None,
        "now": timestamp(now),
        "guideline_version": task.loop.terms.guideline_version,
        "statement": statement_of(task.task_input),
        "notes": shown,
        "input": task.task_input,
    }


def note_document(note: Note, *, person: str) -> Json:
    """A note as `person` reads it."""
    return {
        "note_id": note.note_id,
        "author": note.author,
        "role": note.role,
        "kind": str(note.kind),
        "text": note.text,
        "at": timestamp(note.at),
        "mine": note.person == person,
    }


def history_document(entry: HistoryEntry) -> Json:
    """One of a reviewer's own answers."""
    return {
        "task_id": entry.loop_name,
        "title": entry.title,
        "flow_definition": entry.flow_definition,
        "submitted_at": timestamp(entry.submitted_at),
        "worked_s": round(entry.worked_s, 3),
        "choices": dict(entry.choices),
        "cannot_decide": entry.cannot_decide,
        "guideline_version": entry.guideline_version,
        "status": entry.status,
    }


def queue_document(queue: Queue) -> Json:
    """A queue with its figures."""
    return {
        "flow_definition": queue.flow_definition,
        "arn": queue.arn,
        "title": queue.title,
        "team": queue.team,
        "paused": queue.paused,
        "paused_by": queue.paused_by,
        "open": queue.open,
        "claimed": queue.claimed,
        "waiting": queue.waiting,
        "flagged": queue.flagged,
        "overdue": queue.overdue,
        "oldest_age_s": queue.oldest_age_s,
        "median_age_s": queue.median_age_s,
        "completed_1h": queue.completed_1h,
        "completed_24h": queue.completed_24h,
        "median_worked_s": queue.median_worked_s,
        "agreement": agreement_document(queue.agreement),
    }


def agreement_document(agreement: Agreement) -> Json:
    """Agreement with its share; null where there are no pairs."""
    share = agreement.agreed / agreement.pairs if agreement.pairs else None
    return {"pairs": agreement.pairs, "agreed": agreement.agreed, "share": share}


def lead_task_document(loop: Loop, *, people: People, reader: str, now: datetime) -> Json:
    """A task as a lead sees it; `reader` is the lead."""
    assigned = None
    if loop.assigned_to:
        assigned = {"person": loop.assigned_to, "name": people.name(loop.assigned_to)}
    return loop_document(loop) | {
        "status": str(loop.status),
        "failure_reason": loop.failure_reason,
        "seats": loop.terms.task_count,
        "held": loop.held,
        "age_s": ((loop.ended_at or now) - loop.created_at).total_seconds(),
        "guideline_version": loop.terms.guideline_version,
        "claims": [_claim_document(claim, people=people) for claim in loop.claims if claim.deadline_at > now],
        "answers": [_answer_document(answer, loop=loop, people=people) for answer in loop.answers],
        "returned_answers": len(loop.returned),
        "assigned_to": assigned,
        "notes": [note_document(note, person=reader) for note in loop.notes],
    }


def _claim_document(claim: Claim, *, people: People) -> Json:
    return {
        "person": claim.person,
        "name": people.name(claim.person),
        "accepted_at": timestamp(claim.accepted_at),
        "deadline_at": timestamp(claim.deadline_at),
        "paused": claim.running_since is None,
    }


def _answer_document(answer: Answer, *, loop: Loop, people: People) -> Json:
    shown = people.shown(answer.person, loop_name=loop.name)
    return {
        "person": shown.person,
        "name": shown.name,
        "submitted_at": timestamp(answer.submitted_at),
        "worked_s": round(answer.worked_s, 3),
        "choices": dict(answer.choices),
        "cannot_decide": answer.cannot_decide,
        "guideline_version": answer.guideline_version,
    }


def person_document(view: PersonView) -> Json:
    """A person as a lead sees them."""
    person = view.person
    return {
        "person": person.key,
        "name": person.name,
        "email": person.email,
        "provider": person.provider,
        "teams": list(view.teams),
        "lead": view.is_lead,
        "state": view.state,
        "last_seen_at": moment(person.last_seen_at),
        "qualifications": [standing_document(standing) for standing in view.standings],
        "statistics": None if view.statistics is None else statistics_document(view.statistics),
    }


def standing_document(standing: RosterEntry) -> Json:
    """How a person did in a qualification, as a lead sees it; figures about gold questions may be null."""
    return {
        "name": standing.qualification,
        "state": str(standing.state),
        "score": standing.score,
        "test_correct": standing.test_correct,
        "test_total": standing.test_total,
        "passed_at": moment(standing.passed_at),
        "valid_until": moment(standing.valid_until),
        "gold_correct": standing.gold_correct,
        "gold_total": standing.gold_total,
    }


def own_qualification_document(own: OwnQualification) -> Json:
    """What a reviewer is told of their own test."""
    return {
        "name": own.name,
        "title": own.title,
        "state": str(own.state),
        "score": own.score,
        "answered": own.answered,
        "questions": own.questions,
        "valid_until": moment(own.valid_until),
        "repeat_at": moment(own.repeat_at),
    }


def statistics_document(statistics: PersonStatistics) -> Json:
    """One person's figures."""
    return {
        "answers": statistics.answers,
        "median_worked_s": statistics.median_worked_s,
        "agreement": agreement_document(statistics.agreement),
    }
