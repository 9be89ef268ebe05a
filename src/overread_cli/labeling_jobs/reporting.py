"""`overread label report`: a job's answers and labels fetched, and what they say of people and objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from overread.labeling.manifest import LineError, parse_line
from overread.labeling.manifest_lines import lines_of
from overread_cli.labeling_jobs.answers import Answers
from overread_cli.labeling_jobs.files import opened, worker_responses
from overread_cli.labeling_jobs.listing import described
from overread_cli.labeling_jobs.progress import document, job_view
from overread_cli.labeling_jobs.target import EPILOG, with_target
from overread_cli.manifest.files import whole_files
from overread_cli.review.targets import Target
from overread_cli.statistics.frame import Progress


@click.command(epilog=EPILOG, short_help="Say how good a job's labels and workers are.")
@with_target
@click.argument("job")
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), help="Write the report as one HTML page."
)
@click.option(
    "--gold",
    metavar="FILE|S3",
    help="An augmented manifest with true labels: how many of these each worker got right.",
)
@click.option("--json", "as_json", is_flag=True, help="The figures as one JSON document.")
def report(*, target: Target, job: str, html: Path | None, gold: str | None, as_json: bool) -> None:
    """Report on JOB: its labels, agreement, each worker's speed and agreement, and its hardest objects.

    Reads every answer file and the output manifest from S3, several at a time. Of a job that still runs it
    says what is written so far.

    \b
    Examples:
      overread label report sentences
      overread label report sentences --html report.html --gold gold.manifest
      overread label report sentences --json | jq '.workers[] | {worker, median_s}'
    """
    from overread_cli.labeling_jobs.report_figures import job_figures  # noqa: PLC0415 - numpy
    from overread_cli.labeling_jobs.report_page import report_lines, report_page  # noqa: PLC0415

    told = described(target, job)
    seen, attribute = job_view(told), told["LabelAttributeName"]
    answers = Answers()
    with Progress() as say:
        for response in worker_responses(target, _folder(told), say=say):
            answers.add(response)
    labels = list(_labels(target, told)) if seen.output_uri else []
    truth = {} if gold is None else _truth(target, gold, attribute=attribute)
    found = job_figures(answers, labels, truth=truth)
    now = datetime.now(UTC)
    if html is not None:
        with whole_files([html]) as (file,):
            file.write(report_page(seen, found, day=f"{now:%Y-%m-%d}").encode())
    if as_json:
        shown = {"job": document(seen, an_hour=seen.average_an_hour)} | found.document
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(report_lines(seen, found)))
        if html is not None:
            click.echo(f"{html}: the whole report")


def _folder(told: dict[str, Any]) -> str:
    return f"{told['OutputConfig']['S3OutputPath'].rstrip('/')}/{told['LabelingJobName']}"


def _labels(target: Target, told: dict[str, Any]) -> Iterator[Any]:
    from overread_cli.labeling_jobs.report_figures import label_of_line  # noqa: PLC0415 - numpy

    attribute = told["LabelAttributeName"]
    for number, row in _rows(target, told["LabelingJobOutput"]["OutputDatasetS3Uri"]):
        yield label_of_line(row, object_id=str(number), attribute=attribute)


def _truth(target: Target, source: str, *, attribute: str) -> dict[str, str]:
    """The right label by source; the gold manifest may have another label attribute, if it has one only."""
    from overread_cli.labeling_jobs.report_figures import label_of_line  # noqa: PLC0415 - numpy

    found: dict[str, str] = {}
    for number, row in _rows(target, source):
        names = [name for name in row if isinstance(row.get(f"{name}-metadata"), dict)]
        name = attribute if attribute in row else names[0] if len(names) == 1 else attribute
        line = label_of_line(row, object_id=str(number), attribute=name)
        if line.label is not None:
            found[line.source] = line.label
    if not found:
        raise click.ClickException(f"{source} has no labels by the name {attribute!r}")
    return found


def _rows(target: Target, source: str) -> Iterator[tuple[int, Any]]:
    """The lines that hold an object, by their number from 0 on."""
    with opened(target, source) as stream:
        for number, line in enumerate(lines_of(stream)):
            try:
                yield number, parse_line(line)
            except LineError:
                continue
