"""The report on a threshold: the promise first, then figures, then how they came about and their limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from overread_cli.statistics import plots
from overread_cli.statistics.page import (
    bullets,
    facts,
    figure,
    figures,
    heading,
    heat_table,
    page,
    paragraph,
    per_cent_of,
    percent,
    promise,
    table,
)

if TYPE_CHECKING:
    from overread.risk.costs import Costs
    from overread.risk.staffing import ReviewLoad, Staffing
    from overread.risk.thresholds import Certificate

_LIMITS = (
    "The promise is about cases like those in the file: drawn at random from what the model will meet, each "
    "counted once. When the world, the model or the kind of cases changes, it no longer holds by itself; a "
    "monitor of spot checks and outcomes finds out.",
    "It counts a case as wrong where the reference says so. Errors of the reference itself are not in it.",
    "It bounds the share among automatic decisions as a whole, not of every sort of case within them, "
    "unless it was certified for each label or group.",
    "Scores that the model, its calibration or an earlier choice of threshold has seen do not support it, "
    "and "
    "a file of scores supports it once.",
)


@dataclass(frozen=True, slots=True)
class Bin:
    """Cases of about one confidence: their mean confidence, the share of right ones with its interval."""

    confidence: float
    right: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Load:
    """How many cases come, how long a review takes, and which share of cases waits how long at most."""

    cases_per_hour: float
    review_seconds: float
    spot_checks: float
    wait_s: float
    service_level: float


@dataclass(frozen=True, slots=True)
class CostFigures:
    """Mean cost a case by share of automatic cases, and where it is lowest, in the caller's own unit.

    `best` is the threshold of lowest cost, None where people had better decide everything.
    """

    asked: Costs
    coverage: Sequence[float]
    costs: Sequence[float]
    best: float | None
    best_cost: float
    best_coverage: float
    human_cost: float
    certified_cost: float | None


@dataclass(frozen=True, slots=True)
class LoadFigures:
    """The reading that is to be expected, and the reviewers that it takes."""

    load: Load
    work: ReviewLoad
    needed: Staffing


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts with a row a truth and a column an answer, of automatic cases."""

    classes: Sequence[str]
    counts: Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class ThresholdReport:
    """All that the page tells. `certificates` has one under "" or one for each label or group."""

    title: str
    day: str
    name: str
    sha256: str
    alpha: float
    delta: float
    certificates: dict[str, Certificate]
    by: str | None
    missed: str | None
    coverage: Sequence[float]
    risk: Sequence[float]
    bins: Sequence[Bin]
    calibration_error: float
    right: int
    points: int
    costs: CostFigures | None = None
    load: LoadFigures | None = None
    confusion: Confusion | None = None


def threshold_page(report: ThresholdReport) -> str:
    """The page."""
    return page(
        title=report.title,
        lead=f"{report.day} · {report.name} · {report.points:,} scored cases",
        parts=[
            promise(promise_of(report), state="kept" if _is_kept(report) else "refused"),
            *_figures(report),
            *_curve(report),
            *_by(report),
            *_reliability(report),
            *_confusion(report),
            *_costs(report),
            *_load(report),
            *_method(report),
        ],
    )


def promise_of(report: ThresholdReport) -> str:
    """The promise, or why there is none, in a sentence for people who do not do statistics."""
    if report.by is not None:
        kept = [name for name, one in report.certificates.items() if one.is_certified]
        share = f"at most {per_cent_of(report.alpha)} of what the model decides alone is wrong"
        if not kept:
            return f"No {report.by} can be promised that {share}: all cases go to people."
        rest = len(report.certificates) - len(kept)
        others = f" Nothing can be promised for {rest} more; their cases go to people." if rest else ""
        return (
            f"For each of {len(kept)} {report.by}s by itself "
            f"({', '.join(kept[:8])}{', …' if len(kept) > 8 else ''}), "
            f"{share}: we are {per_cent_of(1 - report.delta)} sure of all of it together.{others}"
        )
    (one,) = report.certificates.values()
    if not one.is_certified or one.threshold is None:
        who = "we " if one.message.startswith("cannot") else ""
        return f"Nothing is promised, and people decide every case: {who}{one.message}."
    what = (
        f"at most {per_cent_of(report.alpha)} of these decisions are wrong"
        if report.missed is None
        else f"at most {per_cent_of(report.alpha)} of those decided otherwise truly are {report.missed}"
    )
    return (
        f"When the model decides alone from a confidence of {one.threshold:.6g} on, it decides "
        f"{percent(one.coverage)} of the cases, and {what}: "
        f"we are {per_cent_of(1 - report.delta)} sure of that."
    )


def _is_kept(report: ThresholdReport) -> bool:
    return any(one.is_certified for one in report.certificates.values())


def _figures(report: ThresholdReport) -> list[str]:
    if report.by is not None:
        automatic = sum(one.n for one in report.certificates.values())
        return [
            figures(
                [
                    (percent(automatic / max(1, report.points)), "of cases decided automatically"),
                    (f"{sum(one.errors for one in report.certificates.values()):,}", "wrong among them"),
                    (percent(report.right / max(1, report.points)), "right, were all automatic"),
                ]
            )
        ]
    (one,) = report.certificates.values()
    bound = "—" if one.upper_bound is None else percent(one.upper_bound, places=2)
    return [
        figures(
            [
                ("none" if one.threshold is None else f"{one.threshold:.6g}", "threshold"),
                (percent(one.coverage), "of cases decided automatically"),
                (f"{one.errors:,} of {one.n:,}", "wrong among them, here"),
                (bound, f"upper bound, {per_cent_of(1 - report.delta)} sure"),
                (percent(report.right / max(1, report.points)), "right, were all automatic"),
            ]
        )
    ]


def _curve(report: ThresholdReport) -> list[str]:
    points = []
    if report.by is None and report.missed is None:
        (one,) = report.certificates.values()
        if one.is_certified and one.n:
            points = [
                plots.Point(
                    f"guaranteed: from {one.threshold:.6g} on, with its upper bound",
                    one.coverage,
                    one.errors / one.n,
                    one.upper_bound,
                )
            ]
    told = (
        f"The guaranteed point is at {percent(points[0].x)} automatic with "
        f"{percent(points[0].y, places=2)} wrong; "
        "it lies below the limit by what chance may have hidden."
        if points
        else "No point on it is guaranteed for all cases together."
    )
    svg = plots.coverage_risk(
        [plots.Line("measured", report.coverage, report.risk)],
        points=points,
        alpha=report.alpha,
        alt=f"Curve of the share of wrong automatic decisions against the share of automatic ones. {told}",
    )
    return [
        heading("How much the model may decide"),
        figure(
            svg,
            caption="Each point of the curve is a threshold: the lower it is, the more cases are "
            "automatic, and the "
            f"more of them are wrong. {told}",
        ),
    ]


def _by(report: ThresholdReport) -> list[str]:
    if report.by is None:
        return []
    rows = [
        (
            name,
            "certified" if one.is_certified else "refused",
            "—" if one.threshold is None else f"{one.threshold:.6g}",
            f"{one.points:,}",
            percent(one.coverage),
            f"{one.errors:,} of {one.n:,}",
            percent(one.upper_bound, places=2),
        )
        for name, one in report.certificates.items()
    ]
    refused = [f"{name}: {one.message}" for name, one in report.certificates.items() if not one.is_certified]
    heads = (report.by.capitalize(), "", "Threshold", "Cases", "Automatic", "Wrong among them", "Upper bound")
    return [
        heading(f"Each {report.by} by itself"),
        table(
            heads,
            rows,
            caption=f"The promise for each {report.by}; none is pooled with another.",
            numbers=range(2, 7),
        ),
        bullets(refused),
    ]


def _reliability(report: ThresholdReport) -> list[str]:
    told = f"Expected calibration error: {percent(report.calibration_error)}."
    svg = plots.reliability(
        [astuple(one) for one in report.bins],
        alt=f"Share of right decisions against the stated confidence, by bin. {told}",
    )
    rows = [
        (
            percent(one.confidence),
            f"{one.count:,}",
            percent(one.right),
            f"{percent(one.low)} to {percent(one.high)}",
        )
        for one in report.bins
    ]
    return [
        heading("Whether the stated confidence can be believed"),
        figure(
            svg,
            caption=f"On the dotted line a confidence of 90 % is right in 90 % of cases. {told} The "
            "promise above does "
            "not depend on it: it holds for any score.",
        ),
        table(
            ("Stated, mean", "Cases", "Right", "95 % interval"),
            rows,
            caption="The same in figures.",
            numbers=range(4),
        ),
    ]


def _confusion(report: ThresholdReport) -> list[str]:
    if report.confusion is None:
        return []
    found = report.confusion
    return [
        heading("What is taken for what"),
        heat_table(
            found.counts,
            found.classes,
            caption="Automatic decisions: a row a true label, a column what the model says; tint is the "
            "share of the row.",
        ),
    ]


def _costs(report: ThresholdReport) -> list[str]:
    found = report.costs
    if found is None:
        return []
    where = "when people decide everything" if found.best is None else f"from {found.best:.6g} on"
    told = (
        f"Costs are lowest {where}: {found.best_cost:,.4g} a case, with {percent(found.best_coverage)} "
        "automatic; "
        f"people alone would cost {found.human_cost:,.4g}."
    )
    points = [plots.Point(f"lowest cost: {where}", found.best_coverage, found.best_cost)]
    one = next(iter(report.certificates.values()))
    if report.by is None and found.certified_cost is not None:
        points.append(
            plots.Point(f"guaranteed: from {one.threshold:.6g} on", one.coverage, found.certified_cost)
        )
        told += f" At the guaranteed threshold a case costs {found.certified_cost:,.4g}."
    return [
        heading("What it costs"),
        figure(
            plots.costs(
                plots.Line("mean cost", found.coverage, found.costs),
                points=points,
                alt=f"Mean cost a case against the share of automatic cases. {told}",
            ),
            caption=f"{told} A wrong decision costs {found.asked.error:,.4g}, a review "
            f"{found.asked.review:,.4g}; "
            f"reviewers are wrong in {per_cent_of(found.asked.reviewer_error)} of cases. "
            "The cheapest threshold promises nothing about errors.",
        ),
    ]


def _load(report: ThresholdReport) -> list[str]:
    found = report.load
    if found is None:
        return []
    load, needed = found.load, found.needed
    checks = (
        f", {per_cent_of(load.spot_checks)} of the automatic ones as spot checks" if load.spot_checks else ""
    )
    return [
        heading("What people have to do"),
        figures(
            [
                (
                    f"{found.work.reviews_per_hour:,.1f}",
                    f"reviews an hour, of {load.cases_per_hour:,.6g} cases",
                ),
                (f"{found.work.erlangs:,.1f}", "hours of reading an hour"),
                (f"{needed.reviewers:,}", "reviewers needed at once"),
                (percent(needed.utilisation), "of their time filled"),
            ]
        ),
        paragraph(
            f"People read {percent(found.work.review_share)} of the cases{checks}; a review takes "
            f"{load.review_seconds:,.6g} s on average. With {needed.reviewers:,} reviewers at work, "
            f"{percent(needed.service_level)} of cases are begun within {load.wait_s:,.6g} s, and a case "
            "waits "
            f"{needed.mean_wait_s:,.1f} s on average (Erlang C: cases come at random, review times vary "
            "freely)."
        ),
    ]


def _method(report: ThresholdReport) -> list[str]:
    methods = sorted({one.method for one in report.certificates.values()})
    return [
        heading("How the promise is made, and what it leaves out"),
        paragraph(
            f"Method: {', '.join(methods)}. The thresholds to try were fixed before the scores were seen. "
            "From strict to "
            "loose, each is tested by the exact binomial probability of seeing so few errors among its "
            "accepted cases "
            f"if {per_cent_of(report.alpha)} or more were wrong; the first that could be chance, at the "
            "level of "
            f"{per_cent_of(report.delta)}, ends it. Cases of equal confidence are accepted or refused "
            "together. "
            "Because the order is fixed, testing many thresholds costs no certainty (Angelopoulos et al. "
            "2021, Learn "
            "then Test; Geifman and El-Yaniv 2017)."
        ),
        bullets(_LIMITS),
        facts(
            [
                ("Scores", report.name),
                ("SHA-256 of the file", report.sha256),
                ("Largest share of wrong ones (alpha)", f"{report.alpha:g}"),
                ("Chance that the promise is broken (delta)", f"{report.delta:g}"),
                ("Date", report.day),
            ],
            caption="What this page was made of.",
        ),
    ]
