"""`overread label merge`: the output manifests of several jobs, fetched and merged over their input."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from overread_cli.labeling_jobs.files import download
from overread_cli.labeling_jobs.listing import described
from overread_cli.labeling_jobs.target import EPILOG, with_place
from overread_cli.manifest.command import merge as merge_files
from overread_cli.review.targets import Target


@click.command(epilog=EPILOG, short_help="Join the labels of several jobs.")
@with_place
@click.argument("jobs", nargs=-1, required=True, metavar="JOB|FILE|S3...")
@click.option(
    "--manifest",
    metavar="FILE|S3",
    help="The objects in their order; by default the input manifest of the first job.",
)
@click.option(
    "--prefer",
    type=click.Choice(["later"]),
    help="Where jobs label an object otherwise under one name, the later one counts; else that is a fault.",
)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write."
)
def merge(
    *,
    place: Callable[[], Target],
    jobs: tuple[str, ...],
    manifest: str | None,
    prefer: str | None,
    output: Path,
) -> None:
    """Merge the labels of several jobs over one input manifest: of a job and of its follow-up, or of parts.

    Each JOB is a job's name, or an output manifest: a file, or an s3:// address. What lies in S3 is fetched
    to files first; then `overread manifest merge` merges these, line by line.

    \b
    Examples:
      overread label merge sentences sentences-again --output labels.manifest
      overread label merge part-1 part-2 --manifest all.manifest --output labels.manifest
    """
    with TemporaryDirectory(prefix="overread-merge-") as folder:
        sources = _Sources(place, Path(folder))
        base = sources.file(manifest) if manifest else sources.input_of(jobs[0])
        outputs = [sources.output_of(job) for job in jobs]
        click.get_current_context().invoke(
            merge_files, file=base, outputs=tuple(outputs), prefer=prefer, output=output
        )


class _Sources:
    """Manifests as files, fetched where they are not."""

    def __init__(self, place: Callable[[], Target], folder: Path) -> None:
        self._place = place
        self._folder = folder
        self._described = cache(lambda name: described(place(), name))

    def file(self, source: str) -> Path:
        """A file as it is, and a copy of an object in S3.

        Raises:
            click.ClickException: there is none.
        """
        if not source.startswith("s3://"):
            if not Path(source).is_file():
                raise click.ClickException(f"there is no file {source}")
            return Path(source)
        fetched = self._folder / f"{len(list(self._folder.iterdir())):03}-{source.rsplit('/', 1)[-1][:100]}"
        download(self._place(), source, to=fetched)
        return fetched

    def output_of(self, job: str) -> Path:
        """The output manifest of a job, or the file that was given in its place."""
        if _is_file(job):
            return self.file(job)
        told = self._described(job)
        uri = told.get("LabelingJobOutput", {}).get("OutputDatasetS3Uri", "")
        if not uri:
            raise click.ClickException(
                f"{told['LabelingJobName']} is {told['LabelingJobStatus']} and has no output manifest"
            )
        return self.file(uri)

    def input_of(self, job: str) -> Path:
        """The input manifest of a job.

        Raises:
            click.ClickException: it has none, or a file was given.
        """
        if _is_file(job):
            raise click.UsageError("give --manifest: a file does not say what its job's input was")
        told = self._described(job)
        source: dict[str, Any] = told["InputConfig"]["DataSource"].get("S3DataSource", {})
        if not source:
            raise click.ClickException(f"{told['LabelingJobName']} is a streaming job: give --manifest")
        return self.file(source["ManifestS3Uri"])


def _is_file(given: str) -> bool:
    return given.startswith("s3://") or Path(given).is_file()
