"""Two models under one promise: what each may decide alone, as figures and as a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from overread_cli.statistics import plots
from overread_cli.statistics.certifying import certificate_document, certificates_of
from overread_cli.statistics.inputs import ReadScores
from overread_cli.statistics.measuring import calibration_error, curve_of
from overread_cli.statistics.page import (
    figure,
    heading,
    page,
    paragraph,
    per_cent_of,
    percent,
    promise,
    table,
)

if TYPE_CHECKING:
    from overread.risk.thresholds import Certificate


@dataclass(frozen=True, slots=True)
class Compared:
    """One of two models: its certificate, its curve and how well it knows what it knows."""

    name: str
    sha256: str
    certificate: Certificate
    coverage: Sequence[float]
    risk: Sequence[float]
    right: float
    calibration_error: float

    def document(self) -> dict[str, Any]:
        """What `--json` prints of it."""
        return {
            "scores": self.name,
            "data_sha256": self.sha256,
            **certificate_document(self.certificate),
            "accuracy": self.right,
            "expected_calibration_error": self.calibration_error,
        }


def compared(read: ReadScores, *, name: str, alpha: float, delta: float) -> Compared:
    """One model, certified by itself."""
    (certificate,) = certificates_of(read, alpha=alpha, delta=delta).values()
    coverage, risk = curve_of(read.scores)
    return Compared(
        name=name,
        sha256=read.sha256,
        certificate=certificate,
        coverage=coverage,
        risk=risk,
        right=float(read.scores.is_correct.mean()),
        calibration_error=calibration_error(read.scores),
    )


def compare_page(both: Sequence[Compared], *, title: str, day: str, alpha: float, delta: float) -> str:
    """The page."""
    points = [
        plots.Point(
            f"{one.name}: guaranteed, with its upper bound",
            one.certificate.coverage,
            one.certificate.errors / one.certificate.n,
            one.certificate.upper_bound,
        )
        for one in both
        if one.certificate.is_certified and one.certificate.n
    ]
    told = "; ".join(f"{one.name} {percent(one.certificate.coverage)}" for one in both)
    svg = plots.coverage_risk(
        [plots.Line(one.name, one.coverage, one.risk) for one in both],
        points=points,
        alpha=alpha,
        alt=f"Curves of wrong automatic decisions against automatic ones. Guaranteed coverage: {told}.",
    )
    return page(
        title=title,
        lead=f"{day} · at most {per_cent_of(alpha)} wrong, {per_cent_of(1 - delta)} sure of each",
        parts=[
            promise(_sentence(both, alpha=alpha)),
            heading("Side by side"),
            table(
                ("", *(one.name for one in both)),
                _rows(both),
                caption="Each model certified by itself on its own scores.",
                numbers=(1, 2),
            ),
            figure(
                svg,
                caption="The lower curve errs less at the same share of automatic cases. Points are "
                "guaranteed; curves "
                "are only measured.",
            ),
            heading("What this leaves out"),
            paragraph(
                f"Each promise holds with {per_cent_of(1 - delta)} certainty by itself. Who chooses the "
                "better of two and "
                "wants its promise to hold for certain so often must certify each with half of delta. "
                "Scores of both "
                "models must be of the same kind of cases; the difference between two draws of the same "
                "model is chance."
            ),
        ],
    )


def _sentence(both: Sequence[Compared], *, alpha: float) -> str:
    kept = [one for one in both if one.certificate.is_certified]
    limit = f"at most {per_cent_of(alpha)} wrong"
    if not kept:
        return f"Neither model can be promised to be {limit} in anything that it decides alone."
    if len(kept) == 1:
        (one,) = kept
        share = percent(one.certificate.coverage)
        return f"With {limit}, {one.name} may decide {share} of its cases; the other none."
    best, other = sorted(kept, key=lambda one: -one.certificate.coverage)
    return (
        f"With {limit}, {best.name} may decide {percent(best.certificate.coverage)} of its cases and "
        f"{other.name} "
        f"{percent(other.certificate.coverage)}."
    )


def _rows(both: Sequence[Compared]) -> list[tuple[str, ...]]:
    found = [one.certificate for one in both]
    return [
        ("Certified", *("yes" if one.is_certified else "no" for one in found)),
        ("Threshold", *("—" if one.threshold is None else f"{one.threshold:.6g}" for one in found)),
        ("Decided automatically", *(percent(one.coverage) for one in found)),
        ("Wrong among them", *(f"{one.errors:,} of {one.n:,}" for one in found)),
        ("Upper bound", *(percent(one.upper_bound, places=2) for one in found)),
        ("Right, were all automatic", *(percent(one.right) for one in both)),
        ("Expected calibration error", *(percent(one.calibration_error) for one in both)),
        ("Scored cases", *(f"{one.points:,}" for one in found)),
        ("SHA-256 of the file", *(f"{one.sha256[:16]}…" for one in both)),
    ]
