"""What the demo prints at its end: every decision, who made it and why, and how right it was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from overread_cli.demo.cases import Case

REASON_WORDS = {
    "confidence_below_threshold": "unsure",
    "spot_check": "spot check",
    "always_review": "always reviewed",
}


@dataclass(frozen=True)
class Row:
    """One decision with its truth, as the report shows it."""

    case: Case
    document: Mapping[str, Any]
    model_label: str | None
    reviewer: str | None

    @property
    def state(self) -> str:
        return str(self.document["state"])

    @property
    def outcome(self) -> str | None:
        outcome = self.document.get("outcome")
        return None if outcome is None else str(outcome["label"])

    @property
    def source(self) -> str | None:
        outcome = self.document.get("outcome")
        return None if outcome is None else str(outcome["source"])

    @property
    def reasons(self) -> str:
        return ", ".join(_in_words(reason) for reason in self.document["route"]["reasons"]) or "confident"

    @property
    def confidence(self) -> float | None:
        prediction = self.document.get("prediction")
        return None if prediction is None else prediction.get("confidence")

    @property
    def seconds(self) -> float | None:
        review = self.document.get("review") or {}
        return review.get("seconds")


def print_report(rows: Sequence[Row], *, console: Console) -> None:
    """The table of decisions, then accuracy by use case and by who decided."""
    console.print(_decisions_table(rows))
    console.print(_accuracy_table(rows))


def last_line(rows: Sequence[Row]) -> str:
    """The one line that says whether everything was decided."""
    final = [row for row in rows if row.state == "FINAL"]
    model = sum(row.source == "model" for row in final)
    escalated = sum(row.state == "ESCALATED" for row in rows)
    line = (
        f"decisions: {len(final)} final ({model} by model, {len(final) - model} by people), "
        f"{len(rows) - len(final) - escalated} pending"
    )
    return f"{line}, {escalated} escalated" if escalated else line


def _decisions_table(rows: Sequence[Row]) -> Table:
    table = Table(
        title="Decisions",
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=None,
        pad_edge=False,
    )
    for heading, justify in (
        ("use case", "left"),
        ("case", "left"),
        ("outcome", "left"),
        ("right", "left"),
        ("source", "left"),
        ("why", "left"),
        ("model's confidence", "right"),
        ("reviewer", "left"),
        ("seconds", "right"),
    ):
        table.add_column(heading, justify="right" if justify == "right" else "left", no_wrap=True)
    for row in rows:
        table.add_row(
            row.case.use_case,
            row.case.reference,
            row.outcome or row.state.lower(),
            "✓" if row.outcome == row.case.truth else "[red]✗[/red]",
            "[cyan]human[/cyan]" if row.source == "human" else (row.source or "–"),
            row.reasons,
            "–" if row.confidence is None else f"{row.confidence:.3f}",
            row.reviewer or "–",
            "–" if row.seconds is None else f"{row.seconds:.1f}",
        )
    return table


def _accuracy_table(rows: Sequence[Row]) -> Table:
    table = Table(
        title="\nAccuracy",
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=None,
        pad_edge=False,
    )
    for heading in ("use case", "cases", "to people", "model alone", "automatic part", "whole"):
        table.add_column(heading, justify="left" if heading == "use case" else "right", no_wrap=True)
    use_cases = list(dict.fromkeys(row.case.use_case for row in rows))
    for name, part in [
        *((u, [r for r in rows if r.case.use_case == u]) for u in use_cases),
        ("all", list(rows)),
    ]:
        automatic = [row for row in part if row.source == "model"]
        table.add_row(
            name,
            str(len(part)),
            str(len(part) - len(automatic)),
            _share(sum(row.model_label == row.case.truth for row in part), len(part)),
            _share(sum(row.outcome == row.case.truth for row in automatic), len(automatic)),
            _share(sum(row.outcome == row.case.truth for row in part), len(part)),
        )
    return table


def _share(right: int, of: int) -> str:
    return "–" if of == 0 else f"{right / of:.1%} ({right}/{of})"


def _in_words(reason: Mapping[str, Any]) -> str:
    if reason["code"] == "rule":
        return f"rule {reason['rule']}"
    return REASON_WORDS.get(reason["code"], str(reason["code"]).replace("_", " "))
