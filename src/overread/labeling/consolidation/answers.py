"""Workers' answers sorted into valid ones, by what they answer, and those skipped with the reason."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class AnswerError(ValueError):
    """An answer that cannot be counted; says why, quoting nothing of it."""


@dataclass(frozen=True, slots=True)
class RawObject:
    """An object with what each worker sent, as JSON text; the order is that of the payload."""

    id: str
    answers: Sequence[tuple[str, str]]
    skipped: Sequence[str] = ()


@dataclass(slots=True)
class ValidObject(Generic[T]):
    """An object with at most one valid answer a worker."""

    id: str
    answers: dict[str, T] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consolidated:
    """The label of one object. `label` is what the family agrees on, `confidence` in [0, 1] that it is right
    (0 with one worker, as Ground Truth has it); `png` are a mask's bytes, to be stored beside the output.
    """

    id: str
    label: Any
    confidence: float
    workers: int
    skipped: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    png: bytes = b""

    @property
    def content(self) -> dict[str, Any]:
        """What stands under the label attribute's name."""
        made = {
            "label": self.label,
            "confidence": round(self.confidence, 6),
            "workers": self.workers,
            "skipped": list(self.skipped),
        }
        return (
            {**made, "worker-feedback": [{"comment": each} for each in self.comments]}
            if self.comments
            else made
        )


def element_of(answer: Mapping[str, Any], *, key: str) -> Mapping[str, Any]:
    """The first element of a form whose output has `key`.

    Raises:
        AnswerError: none has.
    """
    for each in answer.values():
        if isinstance(each, dict) and key in each:
            return each
    raise AnswerError(f"no element with {key}")


def valid_objects(
    objects: Sequence[RawObject], *, read: Callable[[Mapping[str, Any]], T]
) -> list[ValidObject[T]]:
    """Each object with its valid answers; `read` raises AnswerError for the others. Of several answers by one
    worker the first valid one counts."""
    made = []
    for each in objects:
        valid = ValidObject[T](id=each.id, skipped=list(each.skipped))
        for worker, content in each.answers:
            if worker in valid.answers:
                valid.skipped.append(f"{worker}: answered already")
                continue
            try:
                document = _document(content)
                valid.answers[worker] = read(document)
            except AnswerError as error:
                valid.skipped.append(f"{worker}: {error}")
                continue
            valid.comments += _comments(document)
        made.append(valid)
    return made


def confidence_of(share: float, *, workers: int) -> float:
    """`share` as confidence: one worker alone gives none."""
    return float(share) if workers > 1 else 0.0


def number_of(value: object, *, name: str) -> float:
    """A finite number below 1e9, which no image reaches.

    Raises:
        AnswerError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e9:
        raise AnswerError(f"{name} is no number")
    return float(value)


def label_of(value: object, *, categories: Sequence[str]) -> str:
    """A label, one of `categories` where there are any.

    Raises:
        AnswerError: it is none.
    """
    if not isinstance(value, str) or not value:
        raise AnswerError("a label is missing")
    if categories and value not in categories:
        raise AnswerError("a label is none of the categories")
    return value


def _document(content: str) -> Mapping[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise AnswerError("not JSON") from error
    if isinstance(document, list) and len(document) == 1:
        document = document[0]
    if not isinstance(document, dict):
        raise AnswerError("no JSON object")
    return document


def _comments(answer: Mapping[str, Any]) -> list[str]:
    found = [each.get("workerComment") for each in answer.values() if isinstance(each, dict)]
    return [each for each in found if isinstance(each, str) and each.strip()]
