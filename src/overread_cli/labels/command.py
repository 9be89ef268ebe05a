"""`overread label`: export and import of labels."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from overread.labeling.formats.coco import Bare
from overread.labeling.formats.dataset import Problem, Stamp
from overread.labeling.label_attributes import name_faults
from overread.labeling.manifest import line_text
from overread.labeling.task_types import TASK_TYPES
from overread_cli.labeling_jobs.command import pause, resume, set_, status, stop
from overread_cli.labeling_jobs.merging import merge
from overread_cli.labeling_jobs.planning import plan
from overread_cli.labeling_jobs.reporting import report
from overread_cli.labeling_jobs.starting import start
from overread_cli.labels.exporting import export as write_export
from overread_cli.labels.formats import EXPORTERS, IMPORTERS, Asked
from overread_cli.labels.reporting import Problems
from overread_cli.manifest.files import whole_files
from overread_cli.manifest.reporting import count

_ATTRIBUTE = click.option(
    "--label-attribute", "attribute", required=True, help="The key of the labels in the manifest."
)
_FORMAT = click.option("--format", "kind", type=click.Choice(list(EXPORTERS)), required=True)


class _InOrder(click.Group):
    """Lists its commands as a job meets them, not by the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_InOrder)
def label() -> None:
    """Label objects: plan a job, start it, watch it, report on its labels, and take them elsewhere.

    \b
    A job from its beginning to its end:
      overread label plan labeling/sentences.yaml --manifest sentences.manifest
      overread label start sentences
      overread label status sentences --watch
      overread label report sentences --html report.html
      overread label export --format conll --label-attribute entities output.manifest entities.conll

    \b
    Without options the commands go to the local stack (`overread local up`).
      --url URL           a deployed review service: the output ReviewUrl of the review stack
      --state-dir D --url URL   the one that is deployed on the local stack in D
      --aws               SageMaker Ground Truth, for accounts that have it

    Export and import work on files alone. An object that was labeled and has nothing in it stays different
    from one that is not labeled.
    """


for _command in (plan, start, status, pause, resume, set_, stop, report, merge):
    label.add_command(_command)


@label.command(short_help="Write labels in the format of another tool.")
@_FORMAT
@_ATTRIBUTE
@click.option(
    "--prefix", default="", help="What file names leave out of addresses; s3://BUCKET/ of the first object."
)
@click.argument("manifest", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("output", type=click.Path(path_type=Path))
def export(*, kind: str, attribute: str, prefix: str, manifest: Path, output: Path) -> None:
    """Write the labels of MANIFEST to OUTPUT: a file for coco, a new folder for the other formats.

    Pictures themselves are not copied. Each faulty line is told with its number; then nothing is written.

    \b
    Example:
      overread label export --format coco --label-attribute cars output.manifest cars.json
    """
    exporter: Any = EXPORTERS[kind]
    objects, labeled = write_export(manifest, output, exporter=exporter, attribute=attribute, prefix=prefix)
    click.echo(f"{output}: {count(objects, 'object')}, {labeled:,} of them labeled")


@label.command("import", short_help="Read labels from the format of another tool.")
@_FORMAT
@_ATTRIBUTE
@click.option("--prefix", default="", help="s3://BUCKET/FOLDER/ that stands before the source's file names.")
@click.option("--class", "classes", multiple=True, help="A class by its name, in the order of class ids.")
@click.option(
    "--without-annotations",
    "bare",
    type=click.Choice([Bare.EMPTY.value, Bare.UNLABELED.value]),
    help="What an image without annotations is, where a COCO document does not say.",
)
@click.option("--job", default="import", show_default=True, help="The job's name in the labels' metadata.")
@click.option("--machine", is_flag=True, help="The labels are a model's: human-annotated is no.")
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The manifest to write."
)
def import_(
    *,
    kind: str,
    attribute: str,
    prefix: str,
    classes: tuple[str, ...],
    bare: str | None,
    job: str,
    machine: bool,
    source: Path,
    output: Path,
) -> None:
    """Write the labels of SOURCE as an augmented manifest.

    \b
    Example:
      overread label import --format coco --label-attribute cars --prefix s3://b/ cars.json --output m
    """
    if faults := name_faults(attribute, task=TASK_TYPES["BoundingBox"]):
        raise click.UsageError("; ".join(faults))
    created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    stamp = Stamp(attribute=attribute, job=job, created=created, is_human=not machine)
    asked = Asked(stamp=stamp, prefix=prefix, classes=classes, bare=Bare(bare or Bare.REFUSE))
    problems, written, labeled = Problems(str(source)), 0, 0
    with whole_files([output], read=[source]) as (target,):
        for row in IMPORTERS[kind](source, asked):
            if isinstance(row, Problem):
                problems.add(row)
            else:
                target.write(line_text(row).encode() + b"\n")
                written += 1
                labeled += attribute in row
        problems.refuse()
    click.echo(f"{output}: {count(written, 'object')}, {labeled:,} of them labeled")
