"""The exported tables and their columns: the one list that rows, files, Glue and docs are made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a column holds; each may be null."""

    TEXT = "string"
    FLAG = "boolean"
    COUNT = "bigint"
    NUMBER = "double"
    TIME = "timestamp"


@dataclass(frozen=True, slots=True)
class Column:
    """A column, and what it says in the words of docs/analytics.md."""

    name: str
    kind: Kind
    tells: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `day` says what the partition `dt` (UTC) is the day of."""

    name: str
    tells: str
    day: str
    columns: tuple[Column, ...]

    def row(self, **values: Any) -> dict[str, Any]:
        """A row with every column, absent ones null.

        Raises:
            KeyError: a value of a column that the table lacks.
        """
        names = {column.name for column in self.columns}
        if unknown := sorted(values.keys() - names):
            raise KeyError(f"{self.name} has no column {', '.join(unknown)}")
        return {column.name: values.get(column.name) for column in self.columns}


def _columns(*columns: tuple[str, Kind, str]) -> tuple[Column, ...]:
    return tuple(Column(*column) for column in columns)


_DECISION = ("decision", Kind.TEXT, "Pseudonym of the decision; the same in every table.")
_USE_CASE = ("use_case", Kind.TEXT, "The use case, as configured.")

DECISIONS = Table(
    name="decisions",
    tells="One row a decision that came to its end.",
    day="the end of the decision",
    columns=_columns(
        _DECISION,
        (
            "case",
            Kind.TEXT,
            "Pseudonym of the caller's reference; null without one. Equal for equal references.",
        ),
        _USE_CASE,
        ("state", Kind.TEXT, "`FINAL` or `CANCELLED`."),
        ("mode", Kind.TEXT, "The routing policy's mode, such as `live` or `shadow`."),
        ("priority", Kind.TEXT, "As the caller gave it."),
        ("received_at", Kind.TIME, "When the request came."),
        ("ended_at", Kind.TIME, "When the decision came to its end."),
        ("seconds_to_end", Kind.NUMBER, "Seconds between the two."),
        ("route", Kind.TEXT, "`model` or `human`; null when it was cancelled before it was routed."),
        ("route_reasons", Kind.TEXT, "Codes of the reasons for people, with commas, in alphabetical order."),
        ("spot_check", Kind.FLAG, "Whether the spot check drew it."),
        ("spot_check_probability", Kind.NUMBER, "The probability with which it is drawn."),
        ("policy_version", Kind.TEXT, "Version of the routing policy."),
        ("guarantee", Kind.TEXT, "The threshold guarantee that the policy stands on; null without one."),
        ("model", Kind.TEXT, "Name of the model; `caller` for a prediction that the caller brought."),
        ("model_version", Kind.TEXT, "Its version; null for the caller's."),
        ("predicted_label", Kind.TEXT, "The usable prediction's label; null without one."),
        ("confidence", Kind.NUMBER, "Its confidence in [0, 1]."),
        ("label", Kind.TEXT, "The final label; null when cancelled."),
        ("source", Kind.TEXT, "Who decided: `model` or `human`; null when cancelled."),
        (
            "overridden",
            Kind.FLAG,
            "People decided otherwise than the model predicted; null unless both spoke.",
        ),
        (
            "reason_code",
            Kind.TEXT,
            "The reason with the final label, if the deployment lists it, else `other`.",
        ),
        ("sign_offs", Kind.COUNT, "How many people signed the final label."),
        ("review_seconds", Kind.NUMBER, "The reviewers' active time, if the backend tells it."),
        ("generations", Kind.COUNT, "Generations of human loops; 0 when no people were asked."),
        ("escalated", Kind.FLAG, "Whether it went to the second team."),
        ("supersedes", Kind.TEXT, "Pseudonym of the decision that it contests; null for most."),
    ),
)
REVIEWS = Table(
    name="reviews",
    tells="One row an answer of a person that was taken in. Answers that came too late are not here.",
    day="the moment the answer was taken in",
    columns=_columns(
        _DECISION,
        _USE_CASE,
        ("reviewer", Kind.TEXT, "Pseudonym of the person; the same in every table and on every day."),
        ("seat", Kind.TEXT, "The reader's place: null for one reader, `a`, `b`, `c`, or the second team's."),
        ("generation", Kind.COUNT, "The decision's generation when the answer came."),
        ("label", Kind.TEXT, "The label; null where the person could not decide."),
        ("predicted_label", Kind.TEXT, "The model's label; null without a usable prediction."),
        ("agrees_with_model", Kind.FLAG, "Whether the two are equal; null when one is missing."),
        ("blind", Kind.FLAG, "Whether the person saw no prediction."),
        ("reason_code", Kind.TEXT, "As in `decisions`."),
        ("accepted_at", Kind.TIME, "When the person opened the task, as the backend wrote it."),
        ("submitted_at", Kind.TIME, "When the person answered, as the backend wrote it."),
        ("seconds", Kind.NUMBER, "Seconds of active work, if the backend tells them."),
    ),
)
OUTCOMES = Table(
    name="outcomes",
    tells="One row a truth that was learnt after a decision.",
    day="the moment the truth was recorded",
    columns=_columns(
        _DECISION,
        _USE_CASE,
        ("label", Kind.TEXT, "What turned out to be right."),
        ("decided_label", Kind.TEXT, "What had been decided."),
        ("correct", Kind.FLAG, "Whether the two are equal."),
        ("source", Kind.TEXT, "Who had decided: `model` or `human`."),
        ("learnt_at", Kind.TIME, "When it was learnt."),
    ),
)
LABELS = Table(
    name="labels",
    tells="One row an object with a label in a labeling job's output manifest.",
    day="the label's creation date",
    columns=_columns(
        ("job", Kind.TEXT, "Name of the labeling job."),
        ("label_attribute", Kind.TEXT, "The label attribute."),
        ("object", Kind.TEXT, "Pseudonym of the object: of its address, or of its text."),
        ("type", Kind.TEXT, "The label's type, such as `groundtruth/image-classification`."),
        ("category", Kind.TEXT, "The category of a single-label classification; null for other types."),
        ("categories", Kind.TEXT, "The categories that occur, with commas, in alphabetical order."),
        ("items", Kind.COUNT, "How many boxes or entities; null for other types."),
        ("confidence", Kind.NUMBER, "The label's confidence; for boxes and entities the lowest of them."),
        ("human_annotated", Kind.FLAG, "False for a label that a model gave."),
        ("created_at", Kind.TIME, "When the label was made."),
    ),
)
TABLES: Mapping[str, Table] = {table.name: table for table in (DECISIONS, REVIEWS, OUTCOMES, LABELS)}
