"""`overread label`: the commands about jobs that run or ran."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import islice

import click

from overread_cli.labeling_jobs.listing import described, jobs_of, look
from overread_cli.labeling_jobs.progress import document, hourly, job_view
from overread_cli.labeling_jobs.target import EPILOG, operations_of, with_target
from overread_cli.labeling_jobs.watching import (
    EPILOG as STATUS_EPILOG,
)
from overread_cli.labeling_jobs.watching import (
    NOT_YET,
    exit_code,
    in_words,
    next_step,
    showing,
    table,
    watch,
)
from overread_cli.review.targets import Target

STATUSES = ("Initializing", "InProgress", "Completed", "Failed", "Stopping", "Stopped")
_A_MONTH_S = 30 * 86_400.0


@click.command(epilog=STATUS_EPILOG, short_help="List jobs, or watch how far one is.")
@with_target
@click.argument("job", required=False)
@click.option("--watch", "is_watched", is_flag=True, help="Go on showing it until it has ended.")
@click.option(
    "--every",
    "every_s",
    type=click.FloatRange(0.2, 3600),
    default=5.0,
    show_default=True,
    metavar="S",
    help="Seconds from one look to the next.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(0),
    default=_A_MONTH_S,
    metavar="S",
    help="Watch so many seconds at most; 30 days by default, as long as a job can run.",
)
@click.option(
    "--status",
    "wanted",
    type=click.Choice(STATUSES, case_sensitive=False),
    help="In a list: only jobs that stand so.",
)
@click.option(
    "--limit", type=click.IntRange(1), default=100, show_default=True, help="In a list: at most so many."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def status(
    *,
    target: Target,
    job: str | None,
    is_watched: bool,
    every_s: float,
    timeout_s: float,
    wanted: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List the labeling jobs, or say how far JOB is: by ARN, name, or name in its deployment.

    The rate is that of the last ten minutes of watching; before there are any, of the job's whole life. A job
    counts an object as labeled once all its answers are in.

    \b
    Examples:
      overread label status
      overread label status --status InProgress --json | jq -r .name
      overread label status sentiment --watch
      overread label status sentiment --watch --timeout 600 --json | jq .counters
    """
    if job is None:
        if is_watched:
            raise click.UsageError("--watch needs the name of a job")
        _list(target, wanted=wanted, limit=limit, as_json=as_json)
        return
    if wanted:
        raise click.UsageError("--status is for a list; leave the job's name out")
    now = datetime.now(UTC)
    if is_watched:
        with showing(as_json=as_json) as show:
            seen, rate = watch(target, job, show=show, every_s=every_s, timeout_s=timeout_s)
    else:
        seen = look(target, job)
        rate = hourly(seen, now=now)
        if as_json:
            click.echo(json.dumps(document(seen, an_hour=rate)))
        else:
            click.echo("\n".join(in_words(seen, an_hour=rate, now=now)))
    if not as_json:
        if is_watched and seen.failure_reason:
            click.echo(f"failure: {seen.failure_reason}", err=True)
        if sentence := next_step(seen):
            click.echo(sentence, err=True)
    if code := NOT_YET if is_watched and not seen.has_ended else exit_code(seen):
        raise SystemExit(code)


@click.command(epilog=EPILOG, short_help="Stop a job for good.")
@with_target
@click.argument("job")
@click.option("--yes", is_flag=True, help="Do not ask.")
def stop(*, target: Target, job: str, yes: bool) -> None:
    """Stop JOB for good. The labels that people have given by then are written to its output manifest.

    It cannot be started again, and its name is never free again. On the backend overread, `pause` holds it
    instead.

    \b
    Example:
      overread label stop sentiment-1a2b3c4d --yes
    """
    seen = job_view(described(target, job))
    if seen.has_ended:
        raise click.ClickException(f"{seen.name} has ended already: {seen.status}")
    if not yes:
        left = look(target, seen.name).left
        click.confirm(
            f"Stop {seen.name} for good, with {left:,} objects not labeled yet?", abort=True, err=True
        )
    target.sagemaker.stop_labeling_job(LabelingJobName=seen.name)
    now = job_view(described(target, seen.name))
    click.echo(f"{now.name}: {now.status}")


@click.command(epilog=EPILOG, short_help="Offer no more tasks of a job for now.")
@with_target
@click.argument("job")
def pause(*, target: Target, job: str) -> None:
    """Offer no more tasks of JOB for now (backend overread). Who has begun one may finish it.

    \b
    Example:
      overread label pause sentiment
    """
    operations = operations_of(target)
    name = job_view(described(target, job)).name
    operations.pause_labeling_job(name)
    click.echo(f"{name}: paused; `overread label resume {name}` goes on")


@click.command(epilog=EPILOG, short_help="Offer the tasks of a job again.")
@with_target
@click.argument("job")
def resume(*, target: Target, job: str) -> None:
    """Offer the tasks of JOB again (backend overread).

    \b
    Example:
      overread label resume sentiment
    """
    operations = operations_of(target)
    name = job_view(described(target, job)).name
    operations.resume_labeling_job(name)
    click.echo(f"{name}: goes on")


@click.command(name="set", epilog=EPILOG, short_help="Change workers or time limit of a running job.")
@with_target
@click.argument("job")
@click.option("--workers", type=int, help="How many people label each object from now on.")
@click.option("--time-limit", "time_limit_s", type=int, metavar="S", help="Seconds that a task may take.")
def set_(*, target: Target, job: str, workers: int | None, time_limit_s: int | None) -> None:
    """Change a JOB that runs (backend overread). What people have begun or answered stays.

    Objects that wait for more answers than are wanted now are done with what they have.

    \b
    Examples:
      overread label set sentiment --workers 5
      overread label set sentiment --time-limit 900
    """
    if workers is None and time_limit_s is None:
        raise click.UsageError("give --workers, --time-limit or both")
    operations = operations_of(target)
    name = job_view(described(target, job)).name
    now = operations.change_labeling_job(name, workers=workers, time_limit_s=time_limit_s)
    click.echo(f"{name}: {now['workers']} people an object, {now['time_limit_s']:,} s a task")


def _list(target: Target, *, wanted: str | None, limit: int, as_json: bool) -> None:
    now = datetime.now(UTC)
    found = list(islice(jobs_of(target, status=wanted), limit + 1))
    shown = found[:limit]
    if as_json:
        for one in shown:
            click.echo(json.dumps(document(one, an_hour=hourly(one, now=now))))
    elif shown:
        click.echo("\n".join(table(shown, now=now)))
    else:
        click.echo(f"no labeling jobs {'stand so ' if wanted else ''}on {target.name}")
    if len(found) > limit:
        click.echo(f"… and more; --limit {limit * 10} shows them", err=True)
