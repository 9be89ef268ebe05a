"""`overread agreement`: how far the workers of a file of labels agree, beyond chance."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from overread_cli.statistics.agreeing import (
    METRICS,
    agreement_document,
    agreement_notes,
    agreement_rows,
    agreements_of,
)
from overread_cli.statistics.frame import EPILOG, Progress, json_option, with_clear_errors
from overread_cli.statistics.inputs import format_options, labels_options, read_votes, source_of


@click.command(epilog=EPILOG)
@labels_options
@format_options
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    type=click.Choice(METRICS),
    help="How far labels are apart, for Krippendorff's alpha; nominal by default; may be given several "
    "times.",
)
@click.option(
    "--pair", nargs=2, metavar="WORKER WORKER", help="Cohen's kappa of these two; of the only two by default."
)
@json_option
@with_clear_errors
def agreement(
    *,
    labels: Path,
    attributes: Sequence[str],
    answer: str | None,
    classes: Sequence[str] | None,
    form: str | None,
    renamed: Mapping[str, str],
    metrics: Sequence[str],
    pair: tuple[str, str] | None,
    as_json: bool,
) -> None:
    """Tell how far workers agree: Krippendorff's alpha, Fleiss' kappa and Cohen's kappa, with 95 % intervals.

    1 is full agreement, 0 is what chance gives. Where there is nothing to agree or disagree on, as when all
    votes are of one label, agreement is undefined (null), not 1.

    \b
    Examples:
      overread agreement --labels labels.csv
      overread agreement --labels ratings.csv --metric ordinal --metric interval --json
      overread agreement --labels labels.csv --pair ann bob
    """
    with Progress() as say:
        read = read_votes(
            source_of(labels, form=form, renamed=renamed),
            attributes=attributes,
            answer=answer,
            classes=classes,
            say=say,
        )
        say(f"{read.name}: {len(read.votes):,} votes, measuring agreement")
        found = agreements_of(read.votes, metrics=metrics or METRICS[:1], pair=pair or None)
    votes = read.votes
    if as_json:
        first = found[0]
        document = {
            "statistic": first.statistic,
            "value": first.value,
            "low": first.low,
            "high": first.high,
            "items": len(votes.items),
            "workers": len(votes.workers),
            "votes": len(votes),
            "classes": list(votes.classes),
            "missing": votes.missing,
            "repeats": votes.repeats,
            "agreement": [agreement_document(one) for one in found],
        }
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    click.echo(f"{len(votes):,} votes of {len(votes.workers):,} workers on {len(votes.items):,} items")
    for statistic, value, interval, items in agreement_rows(found):
        click.echo(f"  {statistic:<32} {value:>9}  {interval:<18} {items:>9} items")
    for note in agreement_notes(found):
        click.echo(f"note: {note}")
