"""How jobs are shown: a list, one in words, and one that is watched until it has ended."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click

from overread_cli.labeling_jobs.listing import look
from overread_cli.labeling_jobs.progress import JobView, Pace, document, hourly, remaining_s
from overread_cli.review.loops import age, instant
from overread_cli.review.targets import Target

FAILED, UNLABELED, NOT_YET = 3, 4, 5
EPILOG = f"""\b
Exit codes: 0 running, or completed with a label for every object; 1 the service refused it or could not be
reached; 2 the command line is at fault; {FAILED} the job failed or was stopped; {UNLABELED} it completed
and objects are without a label; {NOT_YET} it had not ended when --timeout was over.
"""
_AHEAD = {
    "Initializing": "its manifest is being read",
    "InProgress": "people label",
    "Stopping": "who has begun may finish",
}

Show = Callable[[JobView, float], None]


def table(jobs: Sequence[JobView], *, now: datetime) -> list[str]:
    """A heading and a line a job."""
    rows = [("status", "labeled", "of", "failed", "an hour", "left", "age", "name")]
    for job in jobs:
        rate, counted = hourly(job, now=now), job.counters
        left = remaining_s(job, an_hour=rate)
        rows.append(
            (
                job.status,
                f"{counted.total_labeled:,}",
                f"{job.objects:,}",
                f"{counted.failed:,}",
                f"{rate:,.0f}" if counted.done else "",
                "" if job.has_ended else _left(left),
                age((now - job.created_at).total_seconds()),
                job.name,
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            text.ljust(width) if column in (0, 7) else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def in_words(job: JobView, *, an_hour: float, now: datetime) -> list[str]:
    """A job on several lines."""
    counted = job.counters
    share = counted.done / job.objects if job.objects else 0.0
    lines = [
        f"name       {job.name}",
        f"status     {job.status}{_told(job)}",
        f"progress   {_bar(share)} {share:.0%}",
        f"labeled    {counted.total_labeled:,} of {job.objects:,}: {counted.human_labeled:,} by people, "
        f"{counted.machine_labeled:,} by machine",
        f"failed     {counted.failed:,}",
        f"started    {instant(job.created_at)}, {age((now - job.created_at).total_seconds())} ago",
    ]
    if job.workers is not None:
        lines.insert(2, f"asks       {job.workers} people an object, {job.time_limit_s:,} s a task at most")
    if counted.done:
        lines.append(f"rate       {an_hour:,.0f} objects an hour")
    if not job.has_ended:
        lines.append(f"left       {_left(remaining_s(job, an_hour=an_hour))}")
    if job.failure_reason:
        lines.append(f"failure    {job.failure_reason}")
    if job.output_uri:
        lines.append(f"output     {job.output_uri}")
    return lines


def next_step(job: JobView) -> str:
    """What a person would do now, for an ended job; "" where nothing is to be said."""
    if job.status == "Failed":
        return "The job cannot go on; its name is used. Mend the cause and start it again under another name."
    if job.counters.failed and job.has_ended:
        return (
            f"{job.counters.failed:,} objects are without a label. A job over the output manifest with the "
            "same label attribute labels just these; `overread label merge` joins both."
        )
    return f"`overread label report {job.name}` says how good the labels are." if job.has_ended else ""


def exit_code(job: JobView) -> int:
    """The exit code that stands for a job's state."""
    if job.status in {"Failed", "Stopped"}:
        return FAILED
    return UNLABELED if job.status == "Completed" and job.counters.failed else 0


def watch(
    target: Target,
    name: str,
    *,
    show: Show,
    every_s: float,
    timeout_s: float,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> tuple[JobView, float]:
    """Shows the job each time it was looked at, until it has ended or the time is over; the last view."""
    pace, began = Pace(), clock()
    while True:
        job, now = look(target, name), clock()
        rate = pace.look(job, now=now)
        show(job, rate)
        left = timeout_s - (now - began).total_seconds()
        if job.has_ended or left <= 0:
            return job, rate
        sleep(min(every_s, left))


@contextmanager
def showing(*, as_json: bool) -> Iterator[Show]:
    """How a watched job is shown: a bar on a terminal, else a line for each change."""
    if as_json:
        yield _changes(lambda job, rate: json.dumps(document(job, an_hour=rate)))
    elif sys.stdout.isatty():
        with _progress_bar() as show:
            yield show
    else:
        yield _changes(_line)


def _changes(text: Callable[[JobView, float], str]) -> Show:
    last: list[Any] = []

    def show(job: JobView, rate: float) -> None:
        seen = (job.status, job.counters, job.is_paused)
        if last != [seen]:
            last[:] = [seen]
            click.echo(text(job, rate))

    return show


def _line(job: JobView, rate: float) -> str:
    counted = job.counters
    share = f" ({counted.done / job.objects:.0%})" if job.objects else ""
    paused = " (paused)" if job.is_paused and not job.has_ended else ""
    text = f"{job.name}: {job.status}{paused}, {counted.total_labeled:,} of {job.objects:,} labeled{share}"
    if counted.failed:
        text += f", {counted.failed:,} failed"
    if counted.done:
        text += f", {rate:,.0f} an hour"
    return text if job.has_ended else f"{text}, time left {_left(remaining_s(job, an_hour=rate))}"


@contextmanager
def _progress_bar() -> Iterator[Show]:
    from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415 - only for a person who watches

    columns = (
        TextColumn("{task.fields[name]}  {task.fields[status]}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[figures]}", markup=False),
    )
    with Progress(*columns) as bar:
        shown = bar.add_task("", total=None, name="", status="", figures="")

        def show(job: JobView, rate: float) -> None:
            counted = job.counters
            figures = f"{counted.total_labeled:,} of {job.objects:,}"
            if counted.failed:
                figures += f", {counted.failed:,} failed"
            if counted.done:
                figures += f", {rate:,.0f} an hour"
            if not job.has_ended:
                figures += f", time left {_left(remaining_s(job, an_hour=rate))}"
            bar.update(
                shown,
                total=job.objects or None,
                completed=counted.done,
                name=job.name,
                status=f"{job.status}{' (paused)' if job.is_paused and not job.has_ended else ''}",
                figures=figures,
            )

        yield show


def _told(job: JobView) -> str:
    if job.is_paused and not job.has_ended:
        return ", paused: no task is offered"
    return f": {_AHEAD[job.status]}" if job.status in _AHEAD else ""


def _bar(share: float, *, width: int = 30) -> str:
    full = int(share * width)
    return "█" * full + "░" * (width - full)


def _left(seconds: float | None) -> str:
    return "not known" if seconds is None else age(seconds)
