"""`overread consensus`: one label an item out of the labels of several workers, and how sure it is."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from overread_cli.statistics.consensus_page import consensus_page
from overread_cli.statistics.deciding import METHODS, Found, find_consensus
from overread_cli.statistics.frame import (
    EPILOG,
    Progress,
    day_option,
    json_option,
    with_clear_errors,
    write_whole,
)
from overread_cli.statistics.inputs import (
    format_options,
    gold_options,
    labels_options,
    read_gold,
    read_votes,
    source_of,
)


@click.group(epilog=EPILOG)
def consensus() -> None:
    """One label an item out of the labels of several workers, and how sure it is.

    \b
    A file of labels has a row a vote: item, worker, label. Gold has item, label of items whose truth is
    known. Read are CSV, Parquet, JSON Lines, Ground Truth's augmented manifests (each label attribute is a
    worker) and consolidation payloads, and the output documents of human loops (`overread review export`).
    """


_method = click.option(
    "--method",
    type=click.Choice(METHODS),
    default="dawid-skene",
    show_default=True,
    help="How votes are weighed: all alike, by each worker's confusions, or by each worker's accuracy.",
)
_measure_only = click.option(
    "--measure-only", is_flag=True, help="Gold only measures and calibrates; it is not learnt from."
)


@consensus.command(epilog=EPILOG)
@labels_options
@gold_options
@format_options
@_method
@_measure_only
@click.option(
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="item, label, confidence as CSV; replaced when it is there.",
)
@json_option
@with_clear_errors
def run(
    *,
    labels: Path,
    attributes: Sequence[str],
    answer: str | None,
    classes: Sequence[str] | None,
    gold: Path | None,
    gold_attribute: str | None,
    form: str | None,
    renamed: Mapping[str, str],
    method: str,
    measure_only: bool,
    output: Path,
    as_json: bool,
) -> None:
    """Write one label and its confidence for each item.

    With gold, what is told of accuracy and calibration is measured on votes alone, as if the gold items
    were not known; in the output they have their known label, unless --measure-only. Where there is enough
    gold the confidence in the output is calibrated on it.

    \b
    Examples:
      overread consensus run --labels labels.csv --method dawid-skene --output consensus.csv
      overread consensus run --labels labels.csv --gold gold.csv --output consensus.csv --json
    """
    found = _found(
        labels=labels,
        attributes=attributes,
        answer=answer,
        classes=classes,
        gold=gold,
        gold_attribute=gold_attribute,
        form=form,
        renamed=renamed,
        method=method,
        measure_only=measure_only,
    )
    write_whole(output, _table(found))
    if as_json:
        click.echo(json.dumps({**found.document(), "output": str(output)}, indent=2, ensure_ascii=False))
        return
    click.echo("\n".join([*found.sentences(), f"written: {output}"]))


@consensus.command(epilog=EPILOG)
@labels_options
@gold_options
@format_options
@_method
@_measure_only
@click.option(
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The page; replaced when it is there.",
)
@click.option("--title", default="Consensus of labels", show_default=True, help="The page's title.")
@day_option
@with_clear_errors
def report(
    *,
    labels: Path,
    attributes: Sequence[str],
    answer: str | None,
    classes: Sequence[str] | None,
    gold: Path | None,
    gold_attribute: str | None,
    form: str | None,
    renamed: Mapping[str, str],
    method: str,
    measure_only: bool,
    output: Path,
    title: str,
    day: str,
) -> None:
    """Write a page on the labels: agreement, workers with intervals and confusions, confidence.

    \b
    Example:
      overread consensus report --labels labels.csv --gold gold.csv --output consensus.html
    """
    found = _found(
        labels=labels,
        attributes=attributes,
        answer=answer,
        classes=classes,
        gold=gold,
        gold_attribute=gold_attribute,
        form=form,
        renamed=renamed,
        method=method,
        measure_only=measure_only,
    )
    write_whole(output, consensus_page(found, title=title, day=day))
    click.echo("\n".join([*found.sentences(), f"written: {output}"]))


def _found(
    *,
    labels: Path,
    attributes: Sequence[str],
    answer: str | None,
    classes: Sequence[str] | None,
    gold: Path | None,
    gold_attribute: str | None,
    form: str | None,
    renamed: Mapping[str, str],
    method: str,
    measure_only: bool,
) -> Found:
    if gold is not None and str(gold) == str(labels) == "-":
        raise click.UsageError("--labels and --gold cannot both be standard input")
    if measure_only and gold is None:
        raise click.UsageError("--measure-only says what --gold is for, and there is none")
    with Progress() as say:
        read = read_votes(
            source_of(labels, form=form, renamed=renamed),
            attributes=attributes,
            answer=answer,
            classes=classes,
            say=say,
        )
        known = gold and read_gold(
            source_of(gold, form=form, renamed=renamed), attribute=gold_attribute, votes=read.votes, say=say
        )
        return find_consensus(read, gold=known or None, method=method, is_learnt=not measure_only, say=say)


def _table(found: Found) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("item", "label", "confidence"))
    rows.writerows(
        (item, label, f"{confidence:.6g}")
        for item, label, confidence in zip(found.items, found.labels, found.confidence, strict=True)
    )
    return text.getvalue()
