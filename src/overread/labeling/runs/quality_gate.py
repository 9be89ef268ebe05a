"""Whether a run's labels may be published: gold, agreement and a spot check against the run's rules."""

from dataclasses import dataclass

from overread.errors import InvalidDataError


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRules:
    """What labels must keep; None asks nothing.

    `check_allowed_errors` is the acceptance number of the spot check's plan (`overread.risk.spot_checks`).
    """

    min_gold_accuracy: float | None = None
    min_agreement: float | None = None
    check_size: int | None = None
    check_allowed_errors: int = 0

    def __post_init__(self) -> None:
        faults = [
            f"{name} must be 0 to 1, got {value}"
            for name, value in (
                ("min_gold_accuracy", self.min_gold_accuracy),
                ("min_agreement", self.min_agreement),
            )
            if value is not None and not 0 <= value <= 1
        ]
        if self.check_size is not None and not 0 <= self.check_allowed_errors < self.check_size:
            faults.append(
                f"check_allowed_errors must be 0 to less than check_size, got {self.check_allowed_errors} "
                f"of {self.check_size}"
            )
        if faults:
            raise InvalidDataError(faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was found; `agreement` is None where no object has two answers."""

    gold_right: int = 0
    gold_judged: int = 0
    agreement: float | None = None
    checked: int = 0
    check_errors: int = 0


def gate_reasons(found: Evidence, *, rules: GateRules) -> list[str]:
    """Why the labels must not be published; none where they may. What was not measured does not pass."""
    reasons = []
    if rules.min_gold_accuracy is not None:
        if not found.gold_judged:
            reasons.append("gold accuracy was not measured: no gold object has a label")
        elif found.gold_right < rules.min_gold_accuracy * found.gold_judged:
            reasons.append(
                f"gold accuracy must be at least {rules.min_gold_accuracy}, "
                f"got {found.gold_right} of {found.gold_judged}"
            )
    if rules.min_agreement is not None:
        if found.agreement is None:
            reasons.append("agreement was not measured: no object has two answers")
        elif found.agreement < rules.min_agreement:
            reasons.append(f"agreement must be at least {rules.min_agreement}, got {found.agreement:.4f}")
    if rules.check_size is not None:
        if found.checked < rules.check_size:
            reasons.append(f"spot check must read {rules.check_size} labels, read {found.checked}")
        elif found.check_errors > rules.check_allowed_errors:
            reasons.append(
                f"spot check allows {rules.check_allowed_errors} errors, found {found.check_errors}"
            )
    return reasons
