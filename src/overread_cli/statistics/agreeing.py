"""Statistics of agreement on read votes, as the commands print them and pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from overread.errors import InvalidDataError

if TYPE_CHECKING:
    from overread.consensus.agreement import Agreement
    from overread.consensus.votes import Votes

METRICS = ("nominal", "ordinal", "interval")


def agreements_of(
    votes: Votes, *, metrics: Sequence[str], pair: tuple[str, str] | None = None
) -> list[Agreement]:
    """Krippendorff's alpha in each metric, Fleiss' kappa, and Cohen's kappa of the pair or of the only two.

    Raises:
        InvalidDataError: labels are not the numbers that a metric needs, or one of the pair is no worker.
    """
    from overread.consensus.agreement import cohen, fleiss, krippendorff  # noqa: PLC0415 - numpy

    unknown = [name for name in pair or () if name not in votes.workers]
    if unknown:
        there = ", ".join(votes.workers[:20]) + (", …" if len(votes.workers) > 20 else "")
        raise InvalidDataError([f"no worker {' and no '.join(map(repr, unknown))}; there are: {there}"])
    found = [krippendorff(votes, metric=metric) for metric in metrics]  # type: ignore[arg-type]
    found.append(fleiss(votes))
    if pair is None and len(votes.workers) == 2:
        pair = (votes.workers[0], votes.workers[1])
    if pair is not None:
        found.append(cohen(votes, workers=pair))
    return found


def agreement_document(one: Agreement) -> dict[str, Any]:
    """A statistic as `--json` prints it; what is undefined is null."""
    return {
        "statistic": one.statistic,
        "value": one.value,
        "low": one.low,
        "high": one.high,
        "items": one.items,
        "raters": one.raters,
        "votes": one.votes,
        "note": one.note,
    }


def agreement_rows(found: Sequence[Agreement]) -> list[tuple[str, str, str, str]]:
    """The same for people: statistic, value, interval, items."""
    return [
        (
            one.statistic,
            "undefined" if one.value is None else f"{one.value:.3f}",
            "—" if one.low is None or one.high is None else f"{one.low:.3f} to {one.high:.3f}",
            f"{one.items:,}",
        )
        for one in found
    ]


def agreement_notes(found: Sequence[Agreement]) -> list[str]:
    """What must be known of them; what is true of all is said once."""
    notes: dict[str, list[str]] = {}
    for one in found:
        if one.note:
            notes.setdefault(one.note, []).append(one.statistic)
    return [
        note if len(named) == len(found) else f"{', '.join(named)}: {note}" for note, named in notes.items()
    ]
