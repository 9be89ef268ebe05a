"""How much reading a routing policy makes, and how many reviewers it takes so that nobody waits for long.

The queue is Erlang's: cases come at random (Poisson), review times vary freely (exponential), the
longest-waiting case is next, and everyone waits until served. A. K. Erlang: Solution of some problems in
the theory of probabilities of significance in automatic telephone exchanges. Elektroteknikeren 13 (1917).

The standard library alone: the function that judges a routing policy runs without numpy.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, floor, isfinite

from overread.errors import InvalidDataError


@dataclass(frozen=True, slots=True)
class ReviewLoad:
    """What people have to read: the share of cases, reviews an hour, and erlangs (hours of work an hour)."""

    review_share: float
    reviews_per_hour: float
    erlangs: float


@dataclass(frozen=True, slots=True)
class Staffing:
    """How a queue runs with so many reviewers at work at once.

    `utilisation` is the share of their time that is filled; `waiting_chance` is that of a case having to
    wait at all (Erlang C); `service_level` is the share of cases that somebody begins to read within
    `target_s`.
    """

    reviewers: int
    erlangs: float
    utilisation: float
    waiting_chance: float
    mean_wait_s: float
    target_s: float
    service_level: float


def review_load(
    *,
    cases_per_hour: float,
    review_seconds: float,
    coverage: float,
    spot_check_probability: float = 0.0,
    rule_share: float = 0.0,
    readers: float = 1.0,
) -> ReviewLoad:
    """The reading that is to be expected of a policy.

    `coverage` is the share of cases whose confidence reaches the threshold; of these, `rule_share` goes to
    people by rules all the same, and of what is left then, `spot_check_probability`: the share 1 - coverage
    (1 - rule_share) (1 - spot_check_probability) is read, by `readers` each on average.

    Raises:
        InvalidDataError: a figure is outside its range.
    """
    _refuse(
        [
            *_negative("cases_per_hour", cases_per_hour),
            *_not_positive("review_seconds", review_seconds),
            *_not_share("coverage", coverage),
            *_not_share("spot_check_probability", spot_check_probability),
            *_not_share("rule_share", rule_share),
            *([] if isfinite(readers) and readers >= 1 else [f"readers must be at least 1, got {readers}"]),
        ]
    )
    share = 1 - coverage * (1 - rule_share) * (1 - spot_check_probability)
    reviews = cases_per_hour * share * readers
    return ReviewLoad(review_share=share, reviews_per_hour=reviews, erlangs=reviews * review_seconds / 3600)


def waiting_chance(erlangs: float, *, reviewers: int) -> float:
    """Erlang C: the chance that a case finds all `reviewers` busy.

    From Erlang B, the chance that it would be lost if nobody could wait, B(m) = a B(m - 1) / (m + a B(m -
    1)): C = m B / (m - a (1 - B)) for a load of a erlang.

    Raises:
        InvalidDataError: the load is not below the number of reviewers: the queue would grow without end.
    """
    _refuse([*_negative("erlangs", erlangs), *_too_few(erlangs, reviewers=reviewers)])
    blocked = 1.0
    for servers in range(1, reviewers + 1):
        blocked = _one_more(blocked, erlangs, servers=servers)
    return _waits(blocked, erlangs, reviewers=reviewers)


def staffing(*, reviews_per_hour: float, review_seconds: float, reviewers: int, target_s: float) -> Staffing:
    """How the queue runs with these reviewers.

    Raises:
        InvalidDataError: a figure is outside its range, or the reviewers are too few for the load.
    """
    _refuse(_load_faults(reviews_per_hour, review_seconds=review_seconds, target_s=target_s))
    erlangs = reviews_per_hour * review_seconds / 3600
    chance = waiting_chance(erlangs, reviewers=reviewers)
    return _staffing(chance, erlangs, reviewers=reviewers, review_seconds=review_seconds, target_s=target_s)


def reviewers_needed(
    *, reviews_per_hour: float, review_seconds: float, target_s: float, service_level: float
) -> Staffing:
    """The fewest reviewers with whom the share `service_level` of cases waits no longer than `target_s`.

    Raises:
        InvalidDataError: a figure is outside its range.
    """
    _refuse(
        [
            *_load_faults(reviews_per_hour, review_seconds=review_seconds, target_s=target_s),
            *(
                []
                if 0 < service_level < 1
                else [f"service_level must lie between 0 and 1, got {service_level}"]
            ),
        ]
    )
    erlangs = reviews_per_hour * review_seconds / 3600
    blocked, reviewers = 1.0, 0
    while True:
        reviewers += 1
        blocked = _one_more(blocked, erlangs, servers=reviewers)
        if reviewers <= erlangs:
            continue
        chance = _waits(blocked, erlangs, reviewers=reviewers)
        found = _staffing(
            chance, erlangs, reviewers=reviewers, review_seconds=review_seconds, target_s=target_s
        )
        if found.service_level >= service_level:
            return found


def _one_more(blocked: float, erlangs: float, *, servers: int) -> float:
    return erlangs * blocked / (servers + erlangs * blocked)


def _waits(blocked: float, erlangs: float, *, reviewers: int) -> float:
    return reviewers * blocked / (reviewers - erlangs * (1 - blocked))


def _staffing(
    chance: float, erlangs: float, *, reviewers: int, review_seconds: float, target_s: float
) -> Staffing:
    spare = reviewers - erlangs
    return Staffing(
        reviewers=reviewers,
        erlangs=erlangs,
        utilisation=erlangs / reviewers,
        waiting_chance=chance,
        mean_wait_s=chance * review_seconds / spare,
        target_s=target_s,
        service_level=1 - chance * exp(-spare * target_s / review_seconds),
    )


def _load_faults(reviews_per_hour: float, *, review_seconds: float, target_s: float) -> list[str]:
    return [
        *_negative("reviews_per_hour", reviews_per_hour),
        *_not_positive("review_seconds", review_seconds),
        *_negative("target_s", target_s),
    ]


def _too_few(erlangs: float, *, reviewers: int) -> list[str]:
    if erlangs < reviewers or not isfinite(erlangs):
        return []
    return [
        f"{reviewers} reviewers cannot carry {erlangs:.4g} erlang, the queue would grow without end; "
        f"at least {floor(erlangs) + 1} are needed"
    ]


def _negative(name: str, value: float) -> list[str]:
    return [] if isfinite(value) and value >= 0 else [f"{name} must be 0 or more, got {value}"]


def _not_positive(name: str, value: float) -> list[str]:
    return [] if isfinite(value) and value > 0 else [f"{name} must be above 0, got {value}"]


def _not_share(name: str, value: float) -> list[str]:
    return [] if 0 <= value <= 1 else [f"{name} must be a share in [0, 1], got {value}"]


def _refuse(faults: Iterable[str]) -> None:
    found = list(faults)
    if found:
        raise InvalidDataError(found)
