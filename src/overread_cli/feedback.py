"""`overread feedback`: what people decided, as a data set to train on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import click

from overread.delivery.lessons import latest_keys, one_line_an_input
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
    """Write one augmented manifest: each case once, with the truth where it is known.

    Of a contested decision the new one counts. Cases whose input was erased are left out.

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
    lines = list(_lines(lessons, keys))
    cases = one_line_an_input(lines, use_case=use_case)
    _write(output, cases)
    gone = len(keys) - len(lines)
    click.echo(
        f"{len(cases):,} cases in {output}" + (f", {gone:,} left out that were erased" if gone else "")
    )


def _lines(lessons: FeedbackSet, keys: list[str]) -> Iterator[bytes]:
    """In the order of the keys, read some at a time."""
    remaining = iter(keys)
    with ThreadPoolExecutor(_PARALLEL) as readers:
        while batch := list(islice(remaining, _BATCH)):
            yield from (line for line in readers.map(lessons.line, batch) if line is not None)


def _write(output: Path, lines: Iterable[bytes]) -> None:
    """The file is there whole, or as it was before."""
    part = output.with_name(f".{output.name}.part")
    try:
        with part.open("wb") as file:
            file.writelines(lines)
        part.replace(output)
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
