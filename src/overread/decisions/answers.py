"""From a review's output document to one answer, whatever the document holds."""

from collections.abc import Mapping
from typing import Any

import jmespath

from overread.decisions.record import Reviewer, SeatAnswer, SignOff
from overread.errors import PoisonedAnswerError
from overread.instants import format_instant, parse_instant
from overread.review.merging import Reading, merge
from overread.review.wire import HumanAnswer, ReviewOutput
from overread.routing.policy import ReviewTerms
from overread.routing.prediction import EVALUATION_ERRORS


def read_answer(output: ReviewOutput, *, terms: ReviewTerms, decision_id: str, generation: int) -> SeatAnswer:
    """The one answer of all people in `output`, with each one's sign-off; their order does not matter.

    Raises:
        PoisonedAnswerError: it is about another decision, holds no answer, one without a usable label or a
            reason that must be given, or two of one person.
    """
    about = output.input_content.get("decision_id"), output.input_content.get("generation")
    if about != (decision_id, generation):
        raise PoisonedAnswerError("output_of_another_decision", f"its input is about {str(about)[:80]}")
    if not output.answers:
        raise PoisonedAnswerError("no_answer", "humanAnswers is empty")
    statement = _statement_shown(output.input_content)
    sign_offs = tuple(_sign_off(answer, terms, statement=statement) for answer in output.answers)
    if len({sign_off.reviewer.person for sign_off in sign_offs}) < len(sign_offs):
        raise PoisonedAnswerError("same_reviewer_twice", "two answers are one person's")
    readings = [Reading(_spelt(one.submitted_at), one.reviewer.worker_id, one.label) for one in sign_offs]
    merged = merge(readings, policy=terms.merge)
    return SeatAnswer(
        label=merged.label,
        no_label_code=merged.code,
        sign_offs=tuple(
            sorted(sign_offs, key=lambda one: (_spelt(one.submitted_at), one.reviewer.worker_id))
        ),
        seconds=_seconds(output.answers),
    )


def _sign_off(answer: HumanAnswer, terms: ReviewTerms, *, statement: str) -> SignOff:
    label, reason_code = _read(answer, terms)
    if label and terms.reason_code_required and not reason_code:
        raise PoisonedAnswerError("reason_code_missing", "the use case wants a reason with each answer")
    return SignOff(
        reviewer=Reviewer(worker_id=answer.worker_id, sub=answer.sub, issuer=answer.issuer),
        label=label,
        reason_code=reason_code,
        statement=statement,
        accepted_at=answer.acceptance_time,
        submitted_at=answer.submission_time,
        seconds=answer.seconds,
    )


def _read(answer: HumanAnswer, terms: ReviewTerms) -> tuple[str, str]:
    """Label (empty: cannot decide) and reason code of one answer."""
    if _says_cannot_decide(answer.content):
        return "", ""
    reason_code = _search(terms.reason_code_path, answer.content)
    if reason_code is None:
        reason_code = ""
    if not (isinstance(reason_code, str) and len(reason_code) <= 64 and reason_code.isprintable()):
        raise PoisonedAnswerError("reason_code_unusable", "it is not a text of at most 64 characters")
    if _search(terms.cannot_decide_path, answer.content) is True:
        return "", reason_code
    label = _search(terms.label_path, answer.content)
    if not isinstance(label, str) or label not in terms.labels:
        raise PoisonedAnswerError("label_unknown", "the answer's label is none of the use case's")
    return label, reason_code


def _statement_shown(content: Mapping[str, Any]) -> str:
    """What was signed: the terms may have been replaced since, what people saw has not."""
    statement = content.get("statement")
    return statement if isinstance(statement, str) else ""


def _spelt(time: str) -> str:
    """A time in the one spelling that sorts; any other text as it is."""
    try:
        return format_instant(parse_instant(time))
    except (ValueError, OverflowError):
        return time


def _says_cannot_decide(content: Mapping[str, Any]) -> bool:
    """Whether the reviewer said so to the portal itself, which leaves the form and all its members empty."""
    own = content.get("overread")
    return isinstance(own, Mapping) and own.get("cannot_decide") is True


def _search(path: str, content: Any) -> Any:
    if not path:
        return None
    try:
        return jmespath.search(path, content)
    except EVALUATION_ERRORS as error:
        raise PoisonedAnswerError("answer_unreadable", type(error).__name__) from error


def _seconds(answers: tuple[HumanAnswer, ...]) -> float | None:
    known = [answer.seconds for answer in answers if answer.seconds is not None]
    return round(sum(known), 3) if known else None
