"""A job's settings and its objects as a demand on people and as lines of a bill; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from overread.labeling import jobs
from overread.labeling.task_types import TASK_TYPES
from overread.planning.labeling_plan import (
    LONGEST_DAYS,
    LabelingDemand,
    LabelingPlan,
    Span,
    TimeToFinish,
    plan_labeling,
    times_to_finish,
    typical_seconds,
)
from overread.planning.prices import PriceList
from overread.risk.spot_checks import zero_failure_size
from overread_cli.plan.deployment_plan import Standing
from overread_config.labeling import LabelingSettings

GROUND_TRUTH, OVERREAD = "ground-truth", "overread"
PEOPLE = "people"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the person who plans says: figures that no file holds, None where they do not.

    `machine_share` is the share of objects that a model labels; `people` are numbers of people at once.
    """

    backend: str
    team_kind: str
    seconds_per_task: float | None
    machine_share: float | None
    hourly_wage_usd: float | None
    people: tuple[int, ...]
    hours_a_day: float


@dataclass(frozen=True, slots=True)
class CostLine:
    """One line of the bill; `usd` is None where nothing is known of the price."""

    what: str
    quantity: Span
    unit: str
    usd: Span | None
    price: Standing
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlan:
    """A job before it starts. `labeled` objects of the manifest have a label already."""

    settings: LabelingSettings
    asked: Asked
    labeled: int
    plan: LabelingPlan
    seconds_per_task: float
    lines: Sequence[CostLine]
    times: Sequence[TimeToFinish]
    prices: PriceList
    remarks: Sequence[str]

    @property
    def usd(self) -> Span:
        """Of all lines that have a price."""
        known = [line.usd for line in self.lines if line.usd is not None]
        return Span(sum(one.low for one in known), sum(one.high for one in known))


def planned(
    settings: LabelingSettings, *, objects: int, labeled: int, asked: Asked, prices: PriceList
) -> JobPlan:
    """The plan of a job over `objects` that have no label yet.

    Raises:
        InvalidDataError: a figure is at fault; all are named.
    """
    seconds = asked.seconds_per_task or typical_seconds(settings.task_type)
    adaptive = settings.redundancy.adaptive
    made = plan_labeling(
        LabelingDemand(
            objects=objects,
            by_people=_by_people(settings, objects=objects, machine_share=asked.machine_share),
            checked=_checked(settings, objects=objects),
            gold_share=settings.quality.gold.share if settings.quality.gold else 0.0,
            workers=settings.redundancy.workers,
            most_workers=adaptive.most if adaptive else settings.redundancy.workers,
            seconds_per_vote=seconds,
            most_votes=settings.budget.votes,
        )
    )
    people = asked.people or tuple(sorted({made.workers, *(n for n in (5, 10, 25) if n > made.workers)}))
    times = times_to_finish(made, people, hours_a_day=asked.hours_a_day)
    return JobPlan(
        settings=settings,
        asked=asked,
        labeled=labeled,
        plan=made,
        seconds_per_task=seconds,
        lines=list(_bill(settings, made, asked=asked, prices=prices)),
        times=times,
        prices=prices,
        remarks=list(_remarks(settings, made, asked=asked, times=times, seconds=seconds)),
    )


def plan_faults(settings: LabelingSettings, *, objects: int, asked: Asked) -> Iterator[str]:
    """Why such a job could not be done."""
    task = TASK_TYPES[settings.task_type]
    if asked.backend == OVERREAD and task.is_sequence:
        yield f"task type {task.name} needs the backend ground-truth: the review portal has no tool for it"
    if asked.backend == GROUND_TRUTH and objects > jobs.OBJECTS.maximum:
        yield (
            f"objects must be at most {jobs.OBJECTS.maximum:,} in one job of Ground Truth, got {objects:,}; "
            f"`overread manifest split --parts {ceil(objects / jobs.OBJECTS.maximum)}` makes several of it"
        )
    if (
        settings.mode == "active"
        and settings.active.algorithm == "amazon"
        and objects < jobs.AUTOMATED_OBJECTS
    ):
        yield (
            f"objects must be at least {jobs.AUTOMATED_OBJECTS:,} for automated labeling by Amazon, "
            f"got {objects:,}"
        )
    if asked.seconds_per_task is not None and asked.seconds_per_task > settings.time_limits.task_s:
        yield (
            f"seconds per task must be at most time_limits.task_s ({settings.time_limits.task_s:,}), "
            f"got {asked.seconds_per_task:g}"
        )
    if asked.machine_share is not None and settings.mode == "human":
        yield "machine share means nothing in mode human: people label every object"


def _by_people(settings: LabelingSettings, *, objects: int, machine_share: float | None) -> Span:
    most = float(objects)
    if settings.budget.objects is not None:
        most = min(most, settings.budget.objects)
    if settings.budget.percentage is not None:
        most = min(most, float(objects * settings.budget.percentage // 100))
    if settings.mode == "human":
        return Span(most, most)
    if machine_share is not None:
        left = min(most, float(objects - int(objects * machine_share + 1e-9)))
        return Span(left, left)
    least = 0.0
    if settings.mode == "active":
        amazon = settings.active.algorithm == "amazon"
        least = ceil(objects * (0.2 if objects < 5000 else 0.1)) if amazon else settings.active.first_batch
    return Span(min(float(least), most), most)


def _checked(settings: LabelingSettings, *, objects: int) -> int:
    spot_check = settings.quality.spot_check
    if spot_check is None or not objects:
        return 0
    return min(objects, zero_failure_size(spot_check.p, delta=spot_check.delta, lot=objects))


def _bill(
    settings: LabelingSettings, made: LabelingPlan, *, asked: Asked, prices: PriceList
) -> Iterator[CostLine]:
    if asked.backend == GROUND_TRUTH:
        most = made.objects + made.gold.high
        objects = Span(made.objects + made.gold.low, most)
        if settings.mode == "human":
            objects = Span(made.by_people.low + made.gold.low, made.by_people.high + made.gold.high)
        yield _priced("Ground Truth", objects, "ground-truth-object", prices)
    elif asked.backend == OVERREAD:
        yield _priced("review service", made.votes, "review-service-answer", prices)
    yield from _workforce(settings, made, asked=asked)
    if settings.model is not None and settings.mode != "human":
        rounds = settings.active.most_rounds if settings.mode == "active" else 0
        hours = Span(0.0, rounds * settings.model.longest_training_s / 3600)
        if rounds:
            name = f"instance-hour {settings.model.training_instance}"
            yield _priced("training, at most", hours, name, prices)
    if settings.mode == "active" and settings.active.algorithm == "amazon":
        yield CostLine(
            "Amazon's training and scoring", Span(0, 0), "instance hours", None, Standing.MISSING, "not known"
        )


def _workforce(settings: LabelingSettings, made: LabelingPlan, *, asked: Asked) -> Iterator[CostLine]:
    if asked.team_kind == "public" and settings.price_usd is not None:
        usd = made.votes.times(float(settings.price_usd))
        yield CostLine("public workers", made.votes, "answer", usd, Standing.GIVEN, "price_usd of the job")
    elif asked.team_kind == "vendor":
        told = "the vendor's own price list"
        yield CostLine("vendor", made.votes, "answer", None, Standing.MISSING, told)
    elif asked.hourly_wage_usd is not None:
        usd = made.people_hours.times(asked.hourly_wage_usd)
        yield CostLine(PEOPLE, made.people_hours, "hour of work", usd, Standing.GIVEN, "--hourly-wage")
    else:
        told = "give --hourly-wage"
        yield CostLine(PEOPLE, made.people_hours, "hour of work", None, Standing.MISSING, told)


def _priced(what: str, quantity: Span, name: str, prices: PriceList) -> CostLine:
    price = prices.prices.get(name)
    if price is None:
        told = f"the price file has no {name!r}"
        return CostLine(what, quantity, name, None, Standing.MISSING, told)
    usd = Span(price.of(quantity.low), price.of(quantity.high))
    standing = Standing.VERIFIED if price.verified else Standing.NOT_VERIFIED
    return CostLine(what, quantity, price.unit, usd, standing, price.source)


def _remarks(
    settings: LabelingSettings,
    made: LabelingPlan,
    *,
    asked: Asked,
    times: Sequence[TimeToFinish],
    seconds: float,
) -> Iterator[str]:
    if asked.seconds_per_task is None:
        yield (
            f"{seconds:g} s a task is a guess for {settings.task_type}: measure a pilot of 50 objects and "
            "give --seconds-per-task."
        )
    if settings.mode != "human" and not made.by_people.is_known:
        yield (
            "How many objects the model may label is known only once it is trained; --machine-share says "
            "what you expect."
        )
    if settings.redundancy.adaptive is not None:
        yield (
            f"Answers: {made.workers} an object where people agree, up to "
            f"{settings.redundancy.adaptive.most} where the label is less sure than "
            f"{settings.redundancy.adaptive.confidence:g}."
        )
    if made.checked:
        yield f"{made.checked:,} finished labels are spot-checked by one person each."
    if settings.follow_up.kind != "none":
        yield "Follow-up jobs for objects that fail are not counted."
    few = [str(one.people) for one in times if one.days is None]
    if few:
        yield f"{' or '.join(few)} people are too few: every object has {made.workers} different workers."
    slow = [one for one in times if one.days is not None and one.days.high > LONGEST_DAYS]
    if slow and asked.backend == GROUND_TRUTH:
        yield (
            f"With {' or '.join(str(one.people) for one in slow)} people a job may take longer than "
            f"{LONGEST_DAYS:g} days; Ground Truth fails it then."
        )
    if not asked.backend:
        yield "Which backend labels is not known, so neither is its fee: give --config or --backend."
