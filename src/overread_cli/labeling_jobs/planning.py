"""`overread label plan`: objects, answers, people-hours and cost of a job before anything starts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import click

from overread.errors import InvalidDataError
from overread.labeling.manifest_check import ManifestCheck
from overread_cli.labeling_jobs.deployment import deployed_job
from overread_cli.labeling_jobs.files import opened
from overread_cli.labeling_jobs.job_plan import Asked, plan_faults, planned
from overread_cli.labeling_jobs.plan_page import plan_document, print_job_plan
from overread_cli.labeling_jobs.settings import ChosenJob, FaultyJobError, chosen_job
from overread_cli.labeling_jobs.target import EPILOG, with_place
from overread_cli.manifest.files import watched_lines
from overread_cli.plan.command import Amount, prices_of
from overread_cli.review.targets import Target, in_words

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Counted:
    """A manifest: objects without a label, objects with one, and what is wrong with its lines."""

    objects: int
    labeled: int
    faults: tuple[str, ...]


@click.command(epilog=EPILOG, short_help="Objects, answers, hours and cost of a job.")
@with_place
@click.argument("job", metavar="FILE|NAME")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The deployment's configuration: says the backend and the team, and knows jobs by name.",
)
@click.option(
    "--manifest",
    metavar="FILE|S3",
    help="The objects: a file, or an s3:// address; by default the job's `manifest`.",
)
@click.option("--objects", type=click.IntRange(0), help="So many objects, where there is no manifest yet.")
@click.option(
    "--seconds-per-task",
    type=Amount(min=0.1),
    help="What one task takes one person; by default a guess for the task type.",
)
@click.option(
    "--machine-share", type=Amount(0, 1), help="Share of objects that a model labels, for its two modes."
)
@click.option("--hourly-wage", type=Amount(min=0), help="US dollars for an hour of a person's work.")
@click.option(
    "--people",
    type=click.IntRange(1),
    multiple=True,
    help="Time to finish for so many people; repeat for more.",
)
@click.option(
    "--hours-a-day",
    type=Amount(0.1, 24),
    default=6.0,
    show_default=True,
    help="Hours at tasks of one person a day.",
)
@click.option("--backend", type=click.Choice(["ground-truth", "overread"]), help="Where no --config says it.")
@click.option("--prices", type=click.Path(path_type=Path), help="Another price file.")
@click.option("--json", "as_json", is_flag=True, help="The plan as one JSON document.")
def plan(
    *,
    place: Callable[[], Target],
    job: str,
    config: Path | None,
    manifest: str | None,
    objects: int | None,
    seconds_per_task: float | None,
    machine_share: float | None,
    hourly_wage: float | None,
    people: tuple[int, ...],
    hours_a_day: float,
    backend: str | None,
    prices: Path | None,
    as_json: bool,
) -> None:
    """Say what a labeling job will ask of people and cost, before anything starts.

    Every fault of the files and of the figures is told together. AWS is asked only where the manifest is
    there. Prices that nobody verified are marked.

    \b
    Examples:
      overread label plan labeling/sentences.yaml --manifest sentences.manifest
      overread label plan sentences --config config/dev.yaml --aws --hourly-wage 22 --people 8
      overread label plan labeling/cars.yaml --objects 20000 --backend ground-truth --json | jq .usd
    """
    if manifest is not None and objects is not None:
        raise click.UsageError("give --manifest or --objects")
    price_list, chosen = prices_of(prices), chosen_job(job, config=config)
    if backend and chosen.backend and backend != chosen.backend:
        raise FaultyJobError(f"--backend is {backend}, but the backend of {config} is {chosen.backend}")
    counted = Counted(objects, 0, ()) if objects is not None else _counted(chosen, manifest, place=place)
    asked = Asked(
        backend=chosen.backend or backend or "",
        team_kind=chosen.team_kind,
        seconds_per_task=seconds_per_task,
        machine_share=machine_share,
        hourly_wage_usd=hourly_wage,
        people=tuple(dict.fromkeys(people)),
        hours_a_day=hours_a_day,
    )
    faults = [*counted.faults, *plan_faults(chosen.settings, objects=counted.objects, asked=asked)]
    if faults:
        raise FaultyJobError("\n".join(faults))
    try:
        made = planned(
            chosen.settings,
            objects=counted.objects,
            labeled=counted.labeled,
            asked=asked,
            prices=price_list,
        )
    except InvalidDataError as error:
        raise FaultyJobError(str(error)) from error
    if as_json:
        click.echo(json.dumps(plan_document(made), indent=2))
    else:
        print_job_plan(made)


def _counted(chosen: ChosenJob, manifest: str | None, *, place: Callable[[], Target]) -> Counted:
    source = manifest or chosen.settings.manifest or ""
    if manifest is None and not source.startswith("s3://"):
        source = _deployed_manifest(chosen.settings.name, place=place)
    with _stream(source, place=place) as stream:
        return count_objects(stream, name=source, attribute=chosen.settings.label_attribute)


def _deployed_manifest(name: str, *, place: Callable[[], Target]) -> str:
    """Where the manifest is by what is deployed, for a job whose file does not say it in full."""
    try:
        with in_words():
            return deployed_job(place(), name).spec.manifest_uri
    except click.ClickException as error:
        raise FaultyJobError(
            f"where the manifest is only a deployment knows ({error.message}); give --manifest or --objects"
        ) from error


@contextmanager
def _stream(source: str, *, place: Callable[[], Target]) -> Iterator[BinaryIO]:
    if source.startswith("s3://"):
        with opened(place(), source) as stream:
            yield stream
        return
    try:
        with Path(source).open("rb") as stream:
            yield stream
    except OSError as error:
        raise FaultyJobError(f"{source}: {error.strerror}") from error


def count_objects(stream: BinaryIO, *, name: str, attribute: str) -> Counted:
    """The objects of a manifest, read once and never kept; the first faults by their lines."""
    check, labeled, faults, found = ManifestCheck(), 0, list[str](), 0
    for line in check(watched_lines(stream)):
        found += len(line.faults)
        faults += [f"{name}:{one.line}: {one.reason}" for one in line.faults if len(faults) < _SHOWN]
        if not line.faults and line.row is not None and attribute in line.row:
            labeled += 1
    if found > len(faults):
        faults.append(f"… and {found - len(faults):,} more; `overread manifest check` lists them")
    return Counted(check.objects - labeled, labeled, tuple(faults))
