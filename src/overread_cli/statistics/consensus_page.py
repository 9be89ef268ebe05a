"""The report on labels of several workers: what they are worth together, who they are, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

from overread_cli.statistics import plots
from overread_cli.statistics.agreeing import agreement_notes, agreement_rows, agreements_of
from overread_cli.statistics.deciding import Found, quality_of
from overread_cli.statistics.page import (
    Drawn,
    bullets,
    facts,
    figure,
    figures,
    heading,
    heat_table,
    page,
    paragraph,
    percent,
    promise,
    side_by_side,
    table,
    whisker,
)

if TYPE_CHECKING:
    from overread.consensus.worker_quality import WorkerQuality


_SHOWN_WORKERS = 200
_SHOWN_CONFUSIONS = 12
_SHOWN_CLASSES = 15
_BINS = 20
_METHODS = {
    "majority": "Majority: every vote counts the same; an item's confidence is the share of its votes that "
    "agree.",
    "dawid-skene": "Dawid-Skene (1979), by expectation maximisation with a prior: each worker has a table of "
    "what they say when something is true, learnt together with what is true, so that a worker who confuses "
    "two labels counts for less where those meet.",
    "one-coin": "One-coin: each worker has one accuracy, learnt together with what is true; for workers who "
    "gave few votes.",
}
_LIMITS = (
    "Workers are taken to err by themselves. Where they were misled by the same thing, as by an unclear "
    "instruction, they agree and are wrong, and no method that sees only votes can know.",
    "Confidence that is not calibrated on known labels is what the method believes, and is often too high.",
    "Few votes say little about a worker: the intervals tell how little.",
)


def consensus_page(found: Found, *, title: str, day: str) -> str:
    """The page."""
    votes = found.read.votes
    return page(
        title=title,
        lead=f"{day} · {found.read.name} · {len(votes):,} votes",
        parts=[
            promise(_sentence(found)),
            figures(
                [
                    (f"{len(found.items):,}", "items"),
                    (f"{len(votes.workers):,}", "workers"),
                    (f"{len(votes) / max(1, len(found.items)):.1f}", "votes an item"),
                    (percent(found.mean_confidence), "mean confidence"),
                    (
                        percent(None if found.measured is None else found.measured.accuracy),
                        "right on gold, by votes alone",
                    ),
                ]
            ),
            bullets(found.notes),
            *_agreement(found),
            *_confidence(found),
            *_ranking(found),
            *_confusions(found),
            *_method(found, day=day),
        ],
    )


def _sentence(found: Found) -> str:
    sure = int((found.confidence >= 0.95).sum())
    begin = (
        f"Of {len(found.items):,} items, {sure:,} ({percent(sure / max(1, len(found.items)))}) have a "
        "label that "
        "is at least 95 % sure"
    )
    if found.measured is None:
        return f"{begin}, as far as {found.method} can tell without known labels to check it."
    return (
        f"{begin}; on {found.measured.items:,} items whose truth is known, votes alone gave the right "
        "label in "
        f"{percent(found.measured.accuracy)} of cases."
    )


def _agreement(found: Found) -> list[str]:
    agreements = agreements_of(found.read.votes, metrics=("nominal",))
    return [
        heading("How far workers agree"),
        table(
            ("Statistic", "Value", "95 % interval", "Items"),
            agreement_rows(agreements),
            caption="1 is full agreement, 0 what chance alone would give.",
            numbers=(1, 2, 3),
        ),
        bullets(agreement_notes(agreements)),
    ]


def _confidence(found: Found) -> list[str]:
    edges = [place / _BINS for place in range(_BINS + 1)]
    lowest = int(found.confidence.min() * _BINS) if len(found.confidence) else 0
    shown = edges[min(lowest, _BINS - 1) :]
    counts = _counts(found.confidence, shown)
    parts = [
        heading("How sure the labels are"),
        figure(
            plots.histogram(
                [("items", counts)],
                edges=shown,
                alt=f"Histogram of {len(found.items):,} items by confidence, from {percent(shown[0])} on; "
                f"{counts[-1]:,.0f} items are above {percent(shown[-2])}.",
            ),
            caption=f"Items by confidence. {found.calibration[:1].upper()}{found.calibration[1:]}.",
        ),
    ]
    measured = found.measured
    if measured is not None:
        told = f"Expected calibration error: {percent(measured.stated_error)} as the method states it" + (
            f", {percent(measured.calibrated_error)} when calibrated on other gold items."
            if measured.calibrated_error is not None
            else "."
        )
        svg = plots.reliability(
            [astuple(one) for one in measured.stated_bins],
            after=[astuple(one) for one in measured.calibrated_bins],
            alt=f"Share of right labels on gold against confidence, by bin. {told}",
        )
        parts.append(figure(svg, caption=f"On gold, from votes alone. {told}"))
    return parts


def _counts(values: Any, edges: Sequence[float]) -> list[float]:
    import numpy as np  # noqa: PLC0415 - here already

    return [float(count) for count in np.histogram(values, bins=edges)[0]]


def _ranking(found: Found) -> list[str]:
    ranked = ranked_workers(quality_of(found))
    rows = [
        (
            place,
            one.worker,
            f"{one.votes:,}",
            f"{one.gold_right:,} of {one.gold_total:,}" if one.gold_total else "—",
            percent(one.wilson[0]) + " to " + percent(one.wilson[1]) if one.gold_total else "—",
            percent(one.shrunken),
            _whisker(one, chance=1 / len(found.read.votes.classes)),
        )
        for place, one in enumerate(ranked[:_SHOWN_WORKERS], 1)
    ]
    left = len(ranked) - _SHOWN_WORKERS
    caption = _ranked_by(found)
    return [
        heading("Workers"),
        table(
            ("", "Worker", "Votes", "Right on gold", "95 % interval", "As learnt", "0 to 100 %"),
            rows,
            caption=caption + (f" {left:,} more are not shown." if left > 0 else ""),
            numbers=(0, 2, 3, 4, 5),
        ),
    ]


def _ranked_by(found: Found) -> str:
    if found.gold_items:
        return "Best first, by the lower end of the interval. Bar and stroke: right on gold; red: chance."
    if found.consensus.confusion is not None:
        return "Best first. Stroke: how right they are, as learnt from votes alone; red: chance."
    return "By their votes: without gold a majority tells nothing of how right they are."


def ranked_workers(quality: Sequence[WorkerQuality]) -> list[WorkerQuality]:
    """Best first: by the lower end of the interval on gold where there is any gold, so that few answers count
    little; else by what the method has learnt. Of equals who gave more votes."""

    def rank(one: WorkerQuality) -> tuple[float, int, str]:
        return -(one.wilson[0] if has_gold else one.shrunken or 0.0), -one.votes, one.worker

    has_gold = any(one.gold_total for one in quality)
    return sorted(quality, key=rank)


def _whisker(one: WorkerQuality, *, chance: float) -> Drawn:
    if one.gold_total:
        return whisker(one.wilson[0], one.gold_right / one.gold_total, one.wilson[1], mark=chance)
    if one.shrunken is None:
        return Drawn()
    return whisker(one.shrunken, one.shrunken, one.shrunken, mark=chance)


def _confusions(found: Found) -> list[str]:
    confusion = found.consensus.confusion
    votes = found.read.votes
    if confusion is None:
        return []
    if len(votes.classes) > _SHOWN_CLASSES:
        return [
            heading("Confusions"),
            paragraph(
                f"Tables of {len(votes.classes):,} classes are not shown; --json of `run` and the library "
                "have them."
            ),
        ]
    weight = [0] * len(votes.workers)
    for worker in votes.worker.tolist():
        weight[worker] += 1
    most = sorted(range(len(votes.workers)), key=lambda worker: (-weight[worker], worker))[:_SHOWN_CONFUSIONS]
    left = len(votes.workers) - len(most)
    tables = [
        heat_table(
            [[float(share) for share in row] for row in confusion[worker]],
            votes.classes,
            caption=f"{votes.workers[worker]}, {weight[worker]:,} votes",
        )
        for worker in most
    ]
    more = f" The {len(most)} workers with most votes; {left:,} more are not shown." if left else ""
    return [
        heading("Who says what when something is true"),
        paragraph(
            f"A row a true label, a column what the worker says, in per cent of the row, as learnt.{more}"
        ),
        side_by_side(tables),
    ]


def _method(found: Found, *, day: str) -> list[str]:
    votes = found.read.votes
    rows = [
        ("Labels", found.read.name),
        ("SHA-256 of the file", found.read.sha256),
        ("Method", found.method),
        ("Classes", ", ".join(votes.classes[:20]) + (", …" if len(votes.classes) > 20 else "")),
        ("Rows without a label", f"{votes.missing:,}"),
        ("Repeated votes of a worker on an item", f"{votes.repeats:,}"),
        (
            "Gold items",
            f"{found.gold_items:,}"
            + (f", {found.gold.unknown:,} more without votes" if found.gold and found.gold.unknown else ""),
        ),
        (
            "Iterations",
            f"{found.consensus.iterations:,}" + ("" if found.consensus.is_converged else ", not converged"),
        ),
        ("Date", day),
    ]
    return [
        heading("How it was found, and what it leaves out"),
        paragraph(_METHODS[found.method]),
        bullets(_LIMITS),
        facts(rows, caption="What this page was made of."),
    ]
