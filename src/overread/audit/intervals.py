"""How sure a share is."""

from dataclasses import dataclass
from math import sqrt

Z_95 = 1.959963984540054
"""The two-sided 95 % point of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, with Wilson's 95 % interval; without any cases nothing is known: 0 to 1."""

    hits: int
    cases: int

    @property
    def value(self) -> float | None:
        """The share; None of nothing."""
        return self.hits / self.cases if self.cases else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval (E. B. Wilson, JASA 22, 1927, doi:10.2307/2276774).

        With p = hits / cases, n = cases and z the point of the normal distribution:
        (p + z²/2n ± z sqrt(p(1 - p)/n + z²/4n²)) / (1 + z²/n).
        """
        n, z = self.cases, Z_95
        if not n:
            return 0.0, 1.0
        p = self.hits / n
        middle = p + z * z / (2 * n)
        reach = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        low, high = (middle - reach) / (1 + z * z / n), (middle + reach) / (1 + z * z / n)
        return (0.0 if self.hits == 0 else low), (1.0 if self.hits == n else high)

    def document(self) -> dict[str, float | int | None]:
        """The share as a JSON object."""
        low, high = self.interval
        return {"hits": self.hits, "cases": self.cases, "share": self.value, "low": low, "high": high}


def difference(one: Share, other: Share) -> tuple[float, float, float] | None:
    """`one` less `other` with Newcombe's 95 % interval; None when either has no cases.

    Method 10 of R. G. Newcombe (Statistics in Medicine 17, 1998), from both Wilson intervals.
    """
    if one.value is None or other.value is None:
        return None
    low, high = one.interval
    other_low, other_high = other.interval
    gap = one.value - other.value
    below = sqrt((one.value - low) ** 2 + (other_high - other.value) ** 2)
    above = sqrt((high - one.value) ** 2 + (other.value - other_low) ** 2)
    return gap, gap - below, gap + above


def percentile(values: list[float], share: float) -> float | None:
    """The value below which `share` of the values lie (nearest rank); None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1))]
