"""From a review's output document to one verdict, whatever the document holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jmespath

from overread.decisions.record import Reviewer
from overread.errors import PoisonedAnswerError
from overread.review.wire import HumanAnswer, ReviewOutput
from overread.routing.policy import ReviewTerms
from overread.routing.prediction import EVALUATION_ERRORS

CANNOT_DECIDE = "cannot_decide"
DISAGREEMENT = "disagreement"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the reviewers said: a label, or (then it is empty) why there is none in `no_label_code`."""

    label: str
    no_label_code: str
    reason_code: str
    seconds: float | None
    reviewers: tuple[Reviewer, ...]


def merge_answers(output: ReviewOutput, *, terms: ReviewTerms, decision_id: str, generation: int) -> Verdict:
    """The one verdict of all answers in `output`; it does not depend on their order.

    Several reviewers must agree on the label: else it is a disagreement. One who cannot decide is enough for
    "cannot decide". The reason code is the only one given, or empty when reviewers gave different ones.

    Raises:
        PoisonedAnswerError: it is about another decision, holds no answer, one without a usable label, or two
            of one person.
    """
    about = output.input_content.get("decision_id"), output.input_content.get("generation")
    if about != (decision_id, generation):
        raise PoisonedAnswerError("output_of_another_decision", f"its input is about {str(about)[:80]}")
    if not output.answers:
        raise PoisonedAnswerError("no_answer", "humanAnswers is empty")
    if len({_person(answer) for answer in output.answers}) < len(output.answers):
        raise PoisonedAnswerError("same_reviewer_twice", "two answers are one person's")
    readings = [_read(answer, terms) for answer in output.answers]
    labels = {label for label, _ in readings}
    reason_codes = {code for _, code in readings}
    return Verdict(
        label=labels.pop() if len(labels) == 1 else "",
        no_label_code=_no_label_code({label for label, _ in readings}),
        reason_code=reason_codes.pop() if len(reason_codes) == 1 else "",
        seconds=_seconds(output.answers),
        reviewers=tuple(
            Reviewer(worker_id=answer.worker_id, sub=answer.sub, issuer=answer.issuer)
            for answer in output.answers
        ),
    )


def _person(answer: HumanAnswer) -> tuple[str, ...]:
    """Who answered; workers outside a private workforce have nothing but their worker id."""
    return (answer.sub, answer.issuer) if answer.sub else (answer.worker_id,)


def _no_label_code(labels: set[str]) -> str:
    if "" in labels:
        return CANNOT_DECIDE
    return DISAGREEMENT if len(labels) > 1 else ""


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
