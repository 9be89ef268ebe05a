"""What somebody submits, from an untrusted JSON value to the record of their answer."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from overread_review.service import work_time
from overread_review.service.errors import AnswerInvalidError
from overread_review.service.model import Answer, Claim, Loop, Reviewer
from overread_review.service.nesting import MAX_LEVELS, is_too_deep
from overread_review.service.statistics import choices_of
from overread_review.service.teams import Identity


@dataclass(frozen=True, slots=True)
class Submission:
    """The answer's content: as a document, and what is read from it."""

    body: bytes
    choices: dict[str, str]
    cannot_decide: bool


def parse_submission(content: object, *, max_bytes: int) -> Submission:
    """The content as it will be kept.

    Raises:
        AnswerInvalidError: it is no JSON object as the output document takes it, or too large.
    """
    if not isinstance(content, dict):
        raise AnswerInvalidError("an answer is a JSON object")
    if is_too_deep(content):
        raise AnswerInvalidError(f"an answer may be nested {MAX_LEVELS} levels deep at most")
    try:
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except ValueError as error:
        raise AnswerInvalidError(
            "an answer may hold neither NaN nor infinities nor half of a surrogate pair"
        ) from error
    if len(body) > max_bytes:
        raise AnswerInvalidError(f"an answer may have at most {max_bytes:,} bytes, got {len(body):,}")
    own = content.get("overread")
    cannot_decide = isinstance(own, dict) and own.get("cannot_decide") is True
    choices = {} if cannot_decide else dict(choices_of(content))
    return Submission(body, choices, cannot_decide)


def answer_of(
    submission: Submission,
    *,
    loop: Loop,
    claim: Claim,
    reviewer: Reviewer,
    identity: Identity,
    now: datetime,
) -> Answer:
    """The record of the submission; its content belongs under `content_key`."""
    return Answer(
        person=claim.person,
        sub=reviewer.sub,
        worker_id=identity.worker_id,
        identity_provider=identity.identity_provider,
        issuer=identity.issuer,
        accepted_at=claim.accepted_at,
        submitted_at=now,
        content_key=_content_key(loop, worker_id=identity.worker_id, body=submission.body),
        worked_s=work_time.worked_s(claim, now=now),
        guideline_version=loop.terms.guideline_version,
        choices=submission.choices,
        cannot_decide=submission.cannot_decide,
        statement_sha256=loop.statement_sha256,
    )


def _content_key(loop: Loop, *, worker_id: str, body: bytes) -> str:
    """Its own key for every content, so that a lost race never overwrites the answer that won."""
    return f"answers/{loop.name}/{worker_id}-{hashlib.sha256(body).hexdigest()[:16]}.json"
