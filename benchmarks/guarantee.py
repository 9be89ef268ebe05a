"""`python -m benchmarks.guarantee`: does a certified threshold keep its promise, draw after draw?

Each population is known in whole, so that the true error rate of any threshold is known. From each, 2,000
points are drawn again and again, a threshold is chosen from them alone, and its true rate is looked up: a
violation is a rate above alpha. The naive rule (the loosest threshold with at most alpha errors on the
points) is run on the same draws: it must fail, or the harness could not show a failure.
"""

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from benchmarks.marked import replace_between
from numpy.typing import NDArray

from overread.risk.curves import coverage_risk
from overread.risk.scores import Scores
from overread.risk.thresholds import certify_missed, certify_threshold, certify_thresholds_by

DATA = Path(__file__).parents[1] / "tests/data/scores"
DOCUMENT = Path(__file__).parents[1] / "docs/statistics.md"
ALPHAS = (0.02, 0.05)
DELTA = 0.1
POINTS = 2_000
DRAWS = 1_000
_SYNTHETIC_SIZE = 200_000


@dataclass(frozen=True)
class Population:
    """Every case there is: what a draw is made from, and the truth that its threshold is held against."""

    name: str
    scores: Scores
    curve_thresholds: NDArray[np.float64]  # rising
    curve_risks: NDArray[np.float64]
    curve_coverages: NDArray[np.float64]

    @classmethod
    def of(cls, name: str, scores: Scores) -> "Population":
        """With its true risk and coverage at every threshold."""
        curve = coverage_risk(scores)
        return cls(name, scores, curve.threshold[::-1], curve.risk[::-1], curve.coverage[::-1])

    def truth(self, threshold: float) -> tuple[float, float]:
        """True risk and coverage of a threshold; nothing accepted is no risk."""
        at = int(np.searchsorted(self.curve_thresholds, threshold))
        if at == self.curve_thresholds.size:
            return 0.0, 0.0
        return float(self.curve_risks[at]), float(self.curve_coverages[at])

    def oracle(self, alpha: float) -> float:
        """The coverage that who knows the truth would choose."""
        is_good = self.curve_risks <= alpha
        return float(self.curve_coverages[is_good].max()) if is_good.any() else 0.0


@dataclass(frozen=True)
class Outcome:
    """How one rule fared on one population: shares of draws that violate and that certify, mean coverage."""

    violations: float
    certified: float
    coverage: float


@dataclass(frozen=True)
class Row:
    """A rule with a guarantee and the naive one on the same draws."""

    population: str
    alpha: float
    draws: int
    oracle: float
    guaranteed: Outcome
    naive: Outcome

    @property
    def allowed(self) -> float:
        """Delta and two standard errors of a share seen in so many draws."""
        return DELTA + 2 * math.sqrt(DELTA * (1 - DELTA) / self.draws)

    @property
    def keeps_its_promise(self) -> bool:
        """Whether violations stay within what is allowed."""
        return self.guaranteed.violations <= self.allowed


def imdb() -> Population:
    """25,000 film reviews, two classes."""
    return Population.of("IMDB", labelled_imdb())


def labelled_imdb() -> Scores:
    """The same with labels and truths."""
    data = np.load(DATA / "imdb.npz")
    probability = data["probability"].astype(np.float64)
    label, truth = (probability > 0.5).astype(int), data["truth"].astype(int)
    return Scores(
        confidence=np.maximum(probability, 1 - probability),
        is_correct=label == truth,
        label=tuple(map(str, label.tolist())),
        truth=tuple(map(str, truth.tolist())),
    )


def mnist() -> Population:
    """10,000 digits, ten classes; nearly all are right, and most confidences are 1 but for rounding."""
    data = np.load(DATA / "mnist.npz")
    return Population.of(
        "MNIST", Scores(data["confidence"].astype(np.float64), data["label"] == data["truth"])
    )


def synthetic() -> Population:
    """Calibrated confidences: seven cases of ten easy, the others from a coin's toss to fairly sure."""
    rng = np.random.default_rng(7)
    is_easy = rng.random(_SYNTHETIC_SIZE) < 0.7
    confidence = np.where(is_easy, rng.beta(60, 1, _SYNTHETIC_SIZE), 0.5 + 0.45 * rng.random(_SYNTHETIC_SIZE))
    return Population.of("synthetic", Scores(confidence, rng.random(_SYNTHETIC_SIZE) < confidence))


def overconfident() -> Population:
    """A model that is more wrong where it is most sure: the error rate falls first, then rises."""
    rng = np.random.default_rng(8)
    confidence = rng.random(_SYNTHETIC_SIZE)
    error = np.select([confidence > 0.88, confidence > 0.5], [0.055, 0.03], 0.3)
    return Population.of("overconfident", Scores(confidence, rng.random(_SYNTHETIC_SIZE) >= error))


def naive_threshold(scores: Scores, *, alpha: float) -> float | None:
    """The rule that everyone tries first: the loosest threshold with at most alpha errors on the points."""
    curve = coverage_risk(scores)
    good = np.flatnonzero(curve.risk <= alpha)
    return float(curve.threshold[good[-1]]) if good.size else None


def certified_threshold(scores: Scores, *, alpha: float) -> float | None:
    """The rule under test."""
    return certify_threshold(scores, alpha=alpha, delta=DELTA).threshold


def measure(population: Population, *, alpha: float, draws: int, seed: int) -> Row:
    """Both rules on the same draws, with replacement, so that the points are exactly independent."""
    chosen: dict[str, list[float | None]] = {"guaranteed": [], "naive": []}
    for rows in _draws(len(population.scores), draws=draws, seed=seed):
        points = Scores(population.scores.confidence[rows], population.scores.is_correct[rows])
        chosen["guaranteed"].append(certified_threshold(points, alpha=alpha))
        chosen["naive"].append(naive_threshold(points, alpha=alpha))
    return Row(
        population=population.name,
        alpha=alpha,
        draws=draws,
        oracle=population.oracle(alpha),
        guaranteed=_outcome(population, chosen["guaranteed"], alpha=alpha),
        naive=_outcome(population, chosen["naive"], alpha=alpha),
    )


def family_violations(scores: Scores, *, alpha: float, draws: int, seed: int) -> float:
    """The share of draws where any label's threshold breaks its promise: all must hold together."""
    labels = np.array(scores.label)
    truths = {
        label: Population.of(
            label, Scores(scores.confidence[labels == label], scores.is_correct[labels == label])
        )
        for label in sorted(set(labels.tolist()))
    }

    def is_violated(rows: NDArray[np.intp]) -> bool:
        found = certify_thresholds_by(scores.take(rows), by="label", alpha=alpha, delta=DELTA)
        return any(
            each.threshold is not None and truths[label].truth(each.threshold)[0] > alpha
            for label, each in found.items()
        )

    return _share(is_violated, scores, draws=draws, seed=seed)


def missed_violations(scores: Scores, *, alpha: float, draws: int, seed: int) -> float:
    """The share of draws where more than alpha of the automatic negatives are positive in truth."""
    labels, true_labels = np.array(scores.label), np.array(scores.truth)
    is_negative = labels == "0"
    truth = Population.of(
        "negatives", Scores(scores.confidence[is_negative], true_labels[is_negative] == "0")
    )

    def is_violated(rows: NDArray[np.intp]) -> bool:
        found = certify_missed(scores.take(rows), positive="1", alpha=alpha, delta=DELTA)
        return found.threshold is not None and truth.truth(found.threshold)[0] > alpha

    return _share(is_violated, scores, draws=draws, seed=seed)


def table(rows: list[Row], *, by_label: float, missed: float) -> str:
    """The figures as Markdown."""
    lines = [
        f"{rows[0].draws:,} draws of {POINTS:,} points each, delta {DELTA:g}: at most "
        f"{rows[0].allowed:.3f} violations allowed (delta and two standard errors).",
        "",
        "| scores | alpha | violations, naive | violations, certified | promise | draws certified "
        "| mean coverage | oracle's | ratio |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        ratio = f"{row.guaranteed.coverage / row.oracle:.2f}" if row.oracle >= 0.005 else "–"
        lines.append(
            f"| {row.population} | {row.alpha:g} | {row.naive.violations:.3f} "
            f"| {row.guaranteed.violations:.3f} | {'kept' if row.keeps_its_promise else 'BROKEN'} "
            f"| {row.guaranteed.certified:.3f} | {row.guaranteed.coverage:.3f} | {row.oracle:.3f} | {ratio} |"
        )
    lines += [
        "",
        f"IMDB at alpha 0.05, a threshold for each label: in {by_label:.3f} of the draws any of the two "
        f"promises is broken. Missed positives among automatic negatives: {missed:.3f}.",
    ]
    return "\n".join(lines)


def main() -> None:
    """Run all of it, write the table into docs/statistics.md, and fail if a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rows = []
    for population in (imdb(), mnist(), synthetic(), overconfident()):
        for alpha in ALPHAS:
            print(f"{population.name} at alpha {alpha:g} …", flush=True)
            rows.append(measure(population, alpha=alpha, draws=arguments.draws, seed=arguments.seed))
    labelled = labelled_imdb()
    by_label = family_violations(labelled, alpha=0.05, draws=arguments.draws, seed=arguments.seed)
    missed = missed_violations(labelled, alpha=0.05, draws=arguments.draws, seed=arguments.seed)
    text = table(rows, by_label=by_label, missed=missed)
    print(text)
    replace_between(DOCUMENT, name="guarantee", text=text)
    broken = [row for row in rows if not row.keeps_its_promise]
    if broken or max(by_label, missed) > rows[0].allowed:
        raise SystemExit("a promise is broken")
    if max(row.naive.violations for row in rows) <= 0.25:
        raise SystemExit("the naive rule did not fail: the harness shows nothing")


def _outcome(population: Population, thresholds: list[float | None], *, alpha: float) -> Outcome:
    truths = [population.truth(each) for each in thresholds if each is not None]
    return Outcome(
        violations=sum(risk > alpha for risk, _ in truths) / len(thresholds),
        certified=len(truths) / len(thresholds),
        coverage=sum(coverage for _, coverage in truths) / len(thresholds),
    )


def _share(
    is_violated: Callable[[NDArray[np.intp]], bool], scores: Scores, *, draws: int, seed: int
) -> float:
    return sum(is_violated(rows) for rows in _draws(len(scores), draws=draws, seed=seed)) / draws


def _draws(size: int, *, draws: int, seed: int) -> list[NDArray[np.intp]]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, size, POINTS) for _ in range(draws)]


if __name__ == "__main__":
    main()
