"""The error rate of all automatic decisions from those that were audited, each with its logged propensity.

A decision that had the chance q of an audit stands for 1/q decisions. D. G. Horvitz, D. J. Thompson: A
generalization of sampling without replacement from a finite universe. JASA 47 (1952),
doi:10.1080/01621459.1952.10483446. J. Hájek: comment in Godambe & Sprott, Foundations of Statistical
Inference (1971).
"""

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from overread.errors import InvalidDataError
from overread.risk.beta import betainc_inverse, betainc_upper_inverse
from overread.risk.columns import ColumnFaults, length_of, note_lengths, probabilities_of, truths_of


@dataclass(frozen=True, slots=True)
class Estimate:
    """An error rate with its standard error and the limits of its interval."""

    value: float
    standard_error: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """Two estimates of one error rate.

    `hajek`, the share of errors weighted by 1/q, is the one to show. `horvitz_thompson`, the weighted
    number of errors over the number of all decisions, is without bias but varies more, with how many were
    audited as well, and may exceed 1; None where the number of all decisions is not known. `effective_n` is
    Kish's number of equally weighted audits that would tell as much, (sum of 1/q)² / (sum of 1/q²).
    """

    hajek: Estimate
    horvitz_thompson: Estimate | None
    audited: int
    errors: int
    effective_n: float
    confidence: float


def error_rate(
    is_error: Any, propensity: Any, *, cases: int | None = None, confidence: float = 0.95
) -> ErrorRate:
    """The error rate of all decisions, audited or not.

    `is_error` and `propensity` have a row for each audited decision; `cases` is the number of all decisions
    that might have been audited. For the rate of the process that brings the cases: at q = 1 throughout
    there still is an interval. With w = 1/q, y the errors and R the estimate: Var(Hájek) = sum of w² (y -
    R)² / (sum of w)²; Var(Horvitz-Thompson) is the sample variance of w y over all cases, 0 for those not
    audited, over their number. Intervals are Clopper's and Pearson's with an effective number of audits in
    place of n (E. L. Korn, B. I. Graubard: Survey Methodology 24, 1998): R (1 - R) / Var, but no more than
    Kish's, so that no error among a few audits that stand for many decisions does not pass for knowledge.

    Raises:
        InvalidDataError: columns differ in length or are empty; a propensity is not in (0, 1]; an error is
            neither true nor false; `cases` are fewer than the audited ones.
    """
    faults = ColumnFaults()
    if not 0 < confidence < 1:
        faults.add(f"confidence must lie between 0 and 1, got {confidence}")
    if note_lengths(
        [("is_error", length_of(is_error)), ("propensity", length_of(propensity))], faults=faults
    ):
        wrong = truths_of(is_error, name="is_error", faults=faults).astype(np.float64)
        chance = probabilities_of(propensity, name="propensity", faults=faults)
        if not faults.found:
            faults.add_rows(
                "propensity must be above 0, or the decision could not have been audited", chance == 0
            )
        if cases is not None and cases < wrong.size:
            faults.add(f"cases must be at least the {wrong.size:,} audited, got {cases:,}")
    if faults.found:
        raise InvalidDataError(faults.found)
    weight = 1 / chance
    total = float(weight.sum())
    kish = total**2 / float((weight**2).sum())
    ratio = float((weight * wrong).sum()) / total
    variance = float((weight**2 * (wrong - ratio) ** 2).sum()) / total**2
    return ErrorRate(
        hajek=_estimate(ratio, variance=variance, kish=kish, confidence=confidence),
        horvitz_thompson=None
        if cases is None
        else _horvitz_thompson(weight * wrong, cases=cases, kish=kish, confidence=confidence),
        audited=int(wrong.size),
        errors=int(wrong.sum()),
        effective_n=kish,
        confidence=confidence,
    )


def _horvitz_thompson(weighed: Any, *, cases: int, kish: float, confidence: float) -> Estimate:
    value = float(weighed.sum()) / cases
    spread = max(0.0, float((weighed**2).sum()) - cases * value**2) / max(1, cases - 1)
    return _estimate(value, variance=spread / cases, kish=kish, confidence=confidence)


def _estimate(value: float, *, variance: float, kish: float, confidence: float) -> Estimate:
    share = min(1.0, value)
    by_variance = share * (1 - share) / variance if variance > 0 and 0 < share < 1 else kish
    n = min(kish, by_variance)
    errors = share * n
    tail = (1 - confidence) / 2
    return Estimate(
        value=value,
        standard_error=sqrt(variance),
        low=betainc_inverse(errors, n - errors + 1, tail) if errors > 0 else 0.0,
        high=betainc_upper_inverse(errors + 1, n - errors, tail) if n - errors > 0 else 1.0,
    )
