"""What the demo prints: the last line, the reasons in words, and the three accuracies."""

import re
from dataclasses import replace
from io import StringIO
from typing import Any

from rich.console import Console

from overread_cli.demo.cases import Case
from overread_cli.demo.report import Row, last_line, print_report


def row(
    *, truth: str, model: str, outcome: str | None, source: str | None, reasons: tuple[Any, ...] = ()
) -> Row:
    document: dict[str, Any] = {
        "state": "PENDING" if outcome is None else "FINAL",
        "route": {"reasons": list(reasons)},
        "prediction": {"label": model, "confidence": 0.75},
        "review": {"seconds": 41.26} if source == "human" else None,
    }
    if outcome is not None:
        document["outcome"] = {"label": outcome, "source": source}
    return Row(
        case=Case(use_case="loan-approval", reference="loan-1", input={}, truth=truth),
        document=document,
        model_label=model,
        reviewer="ada" if source == "human" else None,
    )


UNSURE = {"code": "confidence_below_threshold", "threshold": 0.9, "confidence": 0.75}
RULE = {"code": "rule", "rule": "high-amount"}


def printed(*rows: Row) -> str:
    sink = StringIO()
    print_report(rows, console=Console(width=160, file=sink))
    return sink.getvalue()


def test_the_last_line_counts_who_decided_and_what_is_left() -> None:
    rows = [
        row(truth="approve", model="approve", outcome="approve", source="model"),
        row(truth="approve", model="decline", outcome="approve", source="human"),
        row(truth="approve", model="decline", outcome=None, source=None),
    ]
    assert last_line(rows) == "decisions: 2 final (1 by model, 1 by people), 1 pending"


def test_an_escalated_case_is_neither_final_nor_pending() -> None:
    waiting = row(truth="approve", model="decline", outcome=None, source=None)
    escalated = replace(waiting, document={**waiting.document, "state": "ESCALATED"})
    assert last_line([waiting, escalated]) == (
        "decisions: 0 final (0 by model, 0 by people), 1 pending, 1 escalated"
    )


def test_reasons_are_said_in_words_and_reviewer_and_seconds_are_shown() -> None:
    text = printed(
        row(truth="approve", model="decline", outcome="approve", source="human", reasons=(UNSURE, RULE))
    )
    line = next(line for line in text.splitlines() if "loan-1" in line)
    assert "unsure, rule high-amount" in line
    assert "ada" in line
    assert "41.3" in line
    assert "0.750" in line


def test_accuracy_is_of_the_model_alone_of_the_automatic_part_and_of_the_whole() -> None:
    text = printed(
        row(truth="approve", model="approve", outcome="approve", source="model"),
        row(truth="decline", model="approve", outcome="approve", source="model"),
        row(truth="approve", model="decline", outcome="approve", source="human"),
        row(truth="decline", model="approve", outcome="decline", source="human"),
    )
    line = next(line for line in reversed(text.splitlines()) if line.startswith("all"))
    # Model alone: 1 of 4 right. Automatic part: 1 of 2. Whole: automatic (1 of 2) and human (2 of 2).
    assert re.findall(r"[\d.]+% \(\d/\d\)", line) == ["25.0% (1/4)", "50.0% (1/2)", "75.0% (3/4)"]
