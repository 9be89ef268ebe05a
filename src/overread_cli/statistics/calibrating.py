"""Calibration on one part of the scores, measured on the other, which may be certified on."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from overread.errors import InvalidDataError
from overread_cli.statistics.inputs import ReadScores
from overread_cli.statistics.measuring import calibration_error, cost_figures
from overread_cli.statistics.page import percent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from overread.risk.costs import Costs
    from overread.risk.scores import Scores
    from overread_cli.statistics.threshold_page import CostFigures

_LEAST = 20
ENOUGH_FOR_ISOTONIC = 1000
"""Below so many fitting cases isotonic regression follows their noise."""
FITS = ("isotonic", "temperature")


@dataclass(frozen=True, slots=True)
class Fitted:
    """What came of it; `rest` are the cases that were not fitted on, with calibrated confidence."""

    method: str
    parameters: Mapping[str, Any]
    seed: int
    fitted_on: int
    rest: Scores
    before: float
    after: float
    costs: CostFigures | None
    optimal: float | None

    def document(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "method": self.method,
            **self.parameters,
            "seed": self.seed,
            "fitted_on": self.fitted_on,
            "measured_on": len(self.rest),
            "expected_calibration_error": {"before": self.before, "after": self.after},
            "cost": self._cost_document(),
        }

    def _cost_document(self) -> dict[str, Any] | None:
        if self.costs is None:
            return None
        return {
            "optimal_threshold": self.optimal,
            "coverage": self.automatic,
            "best_on_these_cases": {
                "threshold": self.costs.best,
                "coverage": self.costs.best_coverage,
                "cost_per_case": self.costs.best_cost,
            },
            "cost_per_case_of_people_alone": self.costs.human_cost,
        }

    @property
    def automatic(self) -> float:
        """The share of the rest whose calibrated confidence reaches the optimal threshold."""
        return 0.0 if self.optimal is None else float((self.rest.confidence >= self.optimal).mean())

    def sentences(self) -> list[str]:
        """The same in words."""
        told = [
            f"calibrated by {self.method} on {self.fitted_on:,} cases; on the other {len(self.rest):,} the "
            "expected "
            f"calibration error was {percent(self.before, places=2)} and is {percent(self.after, places=2)}"
            + ("" if self.after < self.before else ": it did not help here")
        ]
        if self.costs is not None:
            where = (
                "never" if self.optimal is None else f"from a calibrated confidence of {self.optimal:.6g} on"
            )
            told.append(
                f"by these costs the model should decide alone {where}, {percent(self.automatic)} of cases"
            )
            seen = (
                "when people decided everything"
                if self.costs.best is None
                else f"from {self.costs.best:.6g} on"
            )
            told.append(
                f"on the other {len(self.rest):,} cases costs were lowest {seen}: "
                f"{self.costs.best_cost:,.4g} a case; "
                f"people alone cost {self.costs.human_cost:,.4g}; nothing is promised about errors there"
            )
        return told

    def table(self) -> str:
        """The rest as CSV."""
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        optional = {"label": self.rest.label, "truth": self.rest.truth, "group": self.rest.group}
        there = {name: values for name, values in optional.items() if values is not None}
        rows.writerow(("confidence", "correct", *there))
        columns = (self.rest.confidence.tolist(), self.rest.is_correct.tolist(), *there.values())
        for confidence, is_correct, *others in zip(*columns, strict=True):
            rows.writerow((f"{confidence:.9g}", int(is_correct), *others))
        return text.getvalue()


def fitted(read: ReadScores, *, method: str | None, seed: int, costs: Costs | None) -> Fitted:
    """Fits on half of the cases, drawn by the seed, and measures on the others.

    The temperature is of the odds of being right, which for two classes is that of the probabilities.

    Raises:
        InvalidDataError: too few cases to part.
    """
    from overread.risk.calibration import fit_isotonic, fit_temperature, split  # noqa: PLC0415 - numpy

    if len(read.scores) < _LEAST:
        raise InvalidDataError(
            [f"{read.name}: {len(read.scores):,} cases are too few to part, {_LEAST} are needed"]
        )
    first, second = split(len(read.scores), seed=seed)
    fitting, rest = read.scores.take(first), read.scores.take(second)
    chosen = method or ("isotonic" if len(fitting) >= ENOUGH_FOR_ISOTONIC else "temperature")
    parameters: dict[str, Any] = {}
    if chosen == "isotonic":
        calibrated = fit_isotonic(fitting).applied_to(rest)
    else:
        classes = ("right", "wrong")
        truth = [classes[not right] for right in fitting.is_correct.tolist()]
        temperature = fit_temperature(_odds(fitting), truth, classes=classes)
        parameters["temperature"] = temperature.value
        calibrated = replace(rest, confidence=temperature.apply(_odds(rest))[:, 0])
    return Fitted(
        method=chosen,
        parameters=parameters,
        seed=seed,
        fitted_on=len(fitting),
        rest=calibrated,
        before=calibration_error(rest),
        after=calibration_error(calibrated),
        costs=None if costs is None else cost_figures(calibrated, costs),
        optimal=None if costs is None else _optimal(costs),
    )


def _odds(scores: Scores) -> NDArray[np.float64]:
    import numpy as np  # noqa: PLC0415 - here already

    return np.stack([scores.confidence, 1 - scores.confidence], axis=1)


def _optimal(costs: Costs) -> float | None:
    from overread.risk.costs import cost_optimal_threshold  # noqa: PLC0415 - here already

    return cost_optimal_threshold(costs)
