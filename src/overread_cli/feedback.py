"""`overread feedback`: what people decided, as a data set to train on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import click

from overread.delivery.lessons import latest_keys
from overread_aws.feedback import FeedbackSet
from overread_cli.audit.target import Target, with_target

_EPILOG = """\b
Exit codes: 0 done; 1 refused, not to be reached, or there is no feedback; 2 the command line is at fault.
"""
_PARALLEL = 8
_BATCH = 256


@click.group(epilog=_EPILOG)
def feedback() -> None:
    """What people decided, and what turned out to be right, for the next model."""


@feedback.command(epilog=_EPILOG)
@with_target
@click.option("--use-case", required=True, metavar="NAME")
@click.option(
    "--output",
    required=True,
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The manifest; replaced when it is there.",
)
def export(*, target: Target, use_case: str, output: Path) -> None:
    """Write one augmented manifest: of each decision its last line, so the truth where it is known.

    Cases whose input was erased are left out.

    \b
    Example:
      overread feedback export --use-case loan-approval --output manifest.jsonl --aws
    """
    lessons = FeedbackSet(target.s3, bucket=target.outputs["InputBucketName"])
    keys = latest_keys(lessons.keys(use_case))
    if not keys:
        others = lessons.use_cases()
        there = f"there is some of {', '.join(others)}" if others else "nor of any other use case"
        raise click.ClickException(f"there is no feedback of {use_case!r}, {there}")
    written = _write(output, _lines(lessons, keys))
    gone = len(keys) - written
    click.echo(f"{written:,} cases in {output}" + (f", {gone:,} left out that were erased" if gone else ""))


def _lines(lessons: FeedbackSet, keys: list[str]) -> Iterator[bytes]:
    """In the order of the keys, read some at a time."""
    remaining = iter(keys)
    with ThreadPoolExecutor(_PARALLEL) as readers:
        while batch := list(islice(remaining, _BATCH)):
            yield from (line for line in readers.map(lessons.line, batch) if line is not None)


def _write(output: Path, lines: Iterator[bytes]) -> int:
    """How many lines were written; the file is there whole or as it was before."""
    part = output.with_name(f".{output.name}.part")
    count = 0
    try:
        with part.open("wb") as file:
            for line in lines:
                file.write(line)
                count += 1
        part.replace(output)
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    return count
