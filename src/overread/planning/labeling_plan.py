"""What a labeling job asks of people: objects, answers, hours, and how long so many people take."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, isfinite

from overread.errors import InvalidDataError

LONGEST_DAYS = 30.0
"""A job of Ground Truth that is not done by then fails."""

TYPICAL_SECONDS = {
    "ImageMultiClass": 8.0,
    "ImageMultiClassMultiLabel": 15.0,
    "BoundingBox": 35.0,
    "SemanticSegmentation": 240.0,
    "TextMultiClass": 12.0,
    "TextMultiClassMultiLabel": 20.0,
    "NamedEntityRecognition": 45.0,
    "VideoMultiClass": 40.0,
    "VerificationBoundingBox": 8.0,
    "VerificationSemanticSegmentation": 12.0,
    "AdjustmentBoundingBox": 20.0,
    "AdjustmentSemanticSegmentation": 120.0,
}
"""Rough seconds of one person for one task, by task type; guesses, which a pilot of 50 objects replaces."""

_OF_A_SEQUENCE, _OF_ANYTHING = 900.0, 60.0


def typical_seconds(task_type: str) -> float:
    """A guess of what one task takes one person, in seconds."""
    sequence = "PointCloud" in task_type or "VideoObject" in task_type
    return TYPICAL_SECONDS.get(task_type, _OF_A_SEQUENCE if sequence else _OF_ANYTHING)


@dataclass(frozen=True, slots=True)
class Span:
    """From the least to the most; both the same where it is known."""

    low: float
    high: float

    @property
    def is_known(self) -> bool:
        """Whether there is one figure."""
        return self.low == self.high

    def times(self, factor: float) -> Span:
        """Each end times the factor."""
        return Span(self.low * factor, self.high * factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelingDemand:
    """What is known of a job.

    `objects` have no label yet. Of these people label `by_people`, the rest a model, and they look at
    `checked` finished labels, one person each. `gold` items come on top. An object has `workers` answers, and
    up to `most_workers` where it is not sure. `most_votes` is where the budget ends.
    """

    objects: int
    by_people: Span
    checked: int
    gold_share: float
    workers: int
    most_workers: int
    seconds_per_vote: float
    most_votes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelingPlan:
    """What a job asks for. `people_hours` are of work at tasks, without pauses."""

    objects: int
    by_people: Span
    gold: Span
    checked: int
    votes: Span
    people_hours: Span
    workers: int


@dataclass(frozen=True, slots=True)
class TimeToFinish:
    """How long so many people take. `hours` of work at tasks of each; `days` with so many such hours a day;
    None where they are too few for an object to have all its different workers."""

    people: int
    hours: Span | None
    days: Span | None


def plan_labeling(demand: LabelingDemand) -> LabelingPlan:
    """What the job asks for.

    Raises:
        InvalidDataError: the demand has faults; all are named.
    """
    faults = list(_faults(demand))
    if faults:
        raise InvalidDataError(faults)
    gold = Span(
        *(float(ceil(end * demand.gold_share)) for end in (demand.by_people.low, demand.by_people.high))
    )
    low = (demand.by_people.low + gold.low) * demand.workers + demand.checked
    high = (demand.by_people.high + gold.high) * demand.most_workers + demand.checked
    if demand.most_votes is not None:
        low, high = min(low, demand.most_votes), min(high, demand.most_votes)
    votes = Span(low, high)
    return LabelingPlan(
        objects=demand.objects,
        by_people=demand.by_people,
        gold=gold,
        checked=demand.checked,
        votes=votes,
        people_hours=votes.times(demand.seconds_per_vote / 3600),
        workers=demand.workers,
    )


def times_to_finish(plan: LabelingPlan, people: Iterable[int], *, hours_a_day: float) -> list[TimeToFinish]:
    """How long it takes each number of people that is asked for; nobody waits for another."""
    found = []
    for count in people:
        if count < plan.workers:
            found.append(TimeToFinish(count, None, None))
            continue
        hours = plan.people_hours.times(1 / count)
        found.append(TimeToFinish(count, hours, hours.times(1 / hours_a_day)))
    return found


def _faults(demand: LabelingDemand) -> Iterable[str]:
    if demand.objects < 0:
        yield f"objects must be at least 0, got {demand.objects}"
    if not 0 <= demand.by_people.low <= demand.by_people.high <= demand.objects:
        yield (
            f"objects for people must be between 0 and the {demand.objects:,} objects, got "
            f"{demand.by_people.low:g} to {demand.by_people.high:g}"
        )
    if not 1 <= demand.workers <= demand.most_workers:
        yield f"workers must be from 1 to the most workers ({demand.most_workers}), got {demand.workers}"
    if not (isfinite(demand.seconds_per_vote) and demand.seconds_per_vote > 0):
        yield f"seconds per task must be above 0, got {demand.seconds_per_vote:g}"
    if not 0 <= demand.gold_share <= 1:
        yield f"share of gold must be a share of 1, got {demand.gold_share:g}"
