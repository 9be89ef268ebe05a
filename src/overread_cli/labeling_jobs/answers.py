"""Workers' answers out of a job's files: one row an answer; what no statistic can use is counted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from overread_cli.labeling_jobs.files import WorkerResponse


@dataclass(frozen=True, slots=True)
class Answer:
    """One worker's answer to one object. `label` is None where the answer is no choice of labels: boxes,
    masks, spans, texts. `seconds` is the time spent, `submitted_at` as the file has it."""

    object_id: str
    worker: str
    label: str | None
    seconds: float | None
    submitted_at: str


@dataclass(slots=True)
class Answers:
    """All answers of a job; of several by one worker to one object the last one counts."""

    rows: dict[tuple[str, str], Answer] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)

    def add(self, response: WorkerResponse) -> None:
        """The answers in one file. What is no such file is noted with its address."""
        try:
            answers = json.loads(response.text)["answers"]
            found = [_answer(response.object_id, one) for one in answers]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self.unreadable.append(response.uri)
            return
        for one in found:
            self.rows[one.object_id, one.worker] = one


def _answer(object_id: str, told: Mapping[str, Any]) -> Answer:
    spent = told.get("timeSpentInSeconds")
    is_number = isinstance(spent, int | float) and not isinstance(spent, bool) and 0 <= spent < 1e7
    return Answer(
        object_id=object_id,
        worker=str(told["workerId"]),
        label=_label(told["answerContent"]),
        seconds=float(spent) if is_number and spent is not None else None,
        submitted_at=str(told.get("submissionTime", "")),
    )


def _label(content: Mapping[str, Any]) -> str | None:
    """The label of the form's first element that has one; several are one, whatever their order."""
    for element in content.values():
        if not isinstance(element, dict):
            continue
        if isinstance(label := element.get("label"), str) and label:
            return label
        labels = element.get("labels")
        if isinstance(labels, list) and all(isinstance(one, str) for one in labels):
            return " + ".join(sorted(labels)) or "none"
    return None
