"""`overread threshold`: from which confidence on a model may decide alone, and what is promised then."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from overread_cli.statistics.calibrating import FITS, fitted
from overread_cli.statistics.certifying import (
    Measured,
    certificates_of,
    certified_document,
    guarantee_of,
    guarantee_text,
)
from overread_cli.statistics.compare_page import compare_page, compared
from overread_cli.statistics.frame import (
    EPILOG,
    Command,
    Progress,
    amount_option,
    day_option,
    json_option,
    share_option,
    with_clear_errors,
    write_whole,
)
from overread_cli.statistics.inputs import (
    attribute_options,
    format_options,
    read_scores,
    scores_options,
    source_of,
)
from overread_cli.statistics.measuring import report_of
from overread_cli.statistics.threshold_page import Load, threshold_page

if TYPE_CHECKING:
    from overread.risk.costs import Costs

_NEEDED = ("--use-case", "--model-version", "--reference")
REFERENCES = ("one-reader", "two-blind-readers", "later-outcome")
_CERTIFY_EPILOG = """\b
Exit codes: 0 certified, or --json; 1 refused (the sentence says why; --json tells it as certified false);
2 the command line or a file is at fault, and nothing was written.
"""


@click.group(epilog=EPILOG)
def threshold() -> None:
    """From which confidence on a model may decide alone, and what is promised then.

    \b
    A file of scores has a row a case: confidence (0 to 1) and correct (0, 1, true, false), or label and
    truth.
    Read are CSV, Parquet, JSON Lines and Ground Truth's augmented manifests.
    """


_alpha = share_option(
    "--alpha",
    required=True,
    metavar="SHARE",
    help="The largest share of wrong ones among automatic decisions.",
)
_delta = share_option(
    "--delta",
    required=True,
    metavar="SHARE",
    help="The chance that the promise is broken: 0.05 is 95 % sure.",
)


_by = click.option(
    "--by", type=click.Choice(["label", "group"]), help="A promise for each label or group by itself."
)
_missed = click.option(
    "--missed",
    metavar="LABEL",
    help="Bounds the share of cases that are LABEL among those decided automatically as something else.",
)


def _costs_options(command: Command) -> Command:
    command = share_option(
        "--reviewer-error", default=0.0, metavar="SHARE", help="How often a reviewer is wrong; 0 by default."
    )(command)
    command = amount_option("--cost-review", help="What a review costs, in the same unit.")(command)
    return amount_option("--cost-error", help="What a wrong decision costs, in any unit.")(command)


def _load_options(command: Command) -> Command:
    command = share_option(
        "--service-level",
        default=0.9,
        show_default=True,
        metavar="SHARE",
        help="Of the staffing: the share of cases that wait no longer.",
    )(command)
    command = amount_option(
        "--wait", default=300.0, show_default=True, help="Of the staffing: seconds that a case may wait."
    )(command)
    command = share_option(
        "--spot-checks",
        default=0.0,
        metavar="SHARE",
        help="The share of automatic cases that people read all the same; 0 by default.",
    )(command)
    command = amount_option("--review-seconds", help="How long a review takes on average.")(command)
    return amount_option("--cases-per-hour", help="How many cases come an hour.")(command)


@threshold.command(epilog=_CERTIFY_EPILOG)
@scores_options
@format_options
@_alpha
@_delta
@_by
@_missed
@click.option(
    "--guarantee",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Writes the threshold guarantee that a routing policy refers to.",
)
@click.option("--use-case", metavar="NAME", help="Of the guarantee: the use case that it is for.")
@click.option("--model-version", metavar="TEXT", help="Of the guarantee: the model whose scores these are.")
@click.option(
    "--reference", type=click.Choice(REFERENCES), help="Of the guarantee: how it is known what is correct."
)
@click.option(
    "--reference-errors", type=click.IntRange(min=0), help="Of the reference: how often it was wrong."
)
@click.option(
    "--reference-disagreements",
    type=click.IntRange(min=0),
    help="Of a reference of readers, instead: how often two who did not know of each other disagreed.",
)
@click.option("--reference-points", type=click.IntRange(min=1), help="Of the reference: in how many cases.")
@day_option
@json_option
@with_clear_errors
def certify(
    *,
    scores_file: Path,
    prediction_attribute: str | None,
    truth_attribute: str | None,
    form: str | None,
    renamed: Mapping[str, str],
    alpha: float,
    delta: float,
    by: str | None,
    missed: str | None,
    guarantee: Path | None,
    use_case: str | None,
    model_version: str | None,
    reference: str | None,
    reference_errors: int | None,
    reference_disagreements: int | None,
    reference_points: int | None,
    day: str,
    as_json: bool,
) -> None:
    """Certify the lowest threshold that keeps the promise, or say why there is none.

    The promise: among the cases whose confidence is at least the threshold, at most ALPHA are wrong; a set of
    scores as this one makes us promise too much with a chance of at most DELTA. Scores that the model or its
    calibration were fitted on do not count, and none may be used twice.

    \b
    Examples:
      overread threshold certify --scores scores.csv --alpha 0.01 --delta 0.05
      overread threshold certify --scores scores.csv --alpha 0.02 --delta 0.05 --by group --json
      overread threshold certify --scores scores.csv --alpha 0.02 --delta 0.05 --guarantee loan.json \\
        --use-case loan-approval --model-version sha256:1f2e… --reference two-blind-readers
    """
    measured = _measured(
        reference, errors=reference_errors, disagreements=reference_disagreements, points=reference_points
    )
    named = {"--use-case": use_case, "--model-version": model_version, "--reference": reference}
    _check_guarantee(guarantee, named={**named, "--reference-points": measured}, by=by, missed=missed)
    _check_by(by, missed)
    with Progress() as say:
        read = read_scores(
            source_of(scores_file, form=form, renamed=renamed),
            prediction=prediction_attribute,
            truth=truth_attribute,
            say=say,
        )
        found = certificates_of(read, alpha=alpha, delta=delta, by=by, missed=missed)
    document = certified_document(found, by=by)
    if guarantee is not None:
        document["guarantee"] = None
        if document["certified"]:
            made = guarantee_of(
                found,
                read=read,
                by_label=by == "label",
                use_case=str(use_case),
                model_version=str(model_version),
                standard=str(reference),
                measured=measured,
                day=day,
            )
            write_whole(guarantee, guarantee_text(made))
            document["guarantee"] = made.id
    if as_json:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    refusals = [
        f"{name}: {one.message}" if name else one.message
        for name, one in found.items()
        if not one.is_certified
    ]
    for name, one in found.items():
        if one.is_certified:
            click.echo(f"{name}: {one.message}" if name else one.message)
    if refusals:
        unwritten = "" if guarantee is None else f"\n{guarantee} was not written"
        raise click.ClickException("\n".join(refusals) + unwritten)
    if guarantee is not None:
        click.echo(f"written: {guarantee}, {document['guarantee']}")


def _measured(
    reference: str | None, *, errors: int | None, disagreements: int | None, points: int | None
) -> Measured | None:
    if errors is None and disagreements is None and points is None:
        return None
    if points is None or (errors is None) == (disagreements is None):
        raise click.UsageError(
            "--reference-points goes with one of --reference-errors and --reference-disagreements"
        )
    if disagreements is not None and reference == "later-outcome":
        raise click.UsageError("--reference-disagreements are of readers, not of a later-outcome")
    counted = errors if disagreements is None else disagreements
    if counted is None or counted > points:
        raise click.UsageError(
            f"of {points:,} --reference-points at most all can be counted, got {counted:,}"
        )
    return Measured(count=counted, points=points, is_disagreement=disagreements is not None)


def _check_guarantee(
    guarantee: Path | None, *, named: Mapping[str, object], by: str | None, missed: str | None
) -> None:
    if guarantee is None:
        if given := [name for name, value in named.items() if value is not None]:
            raise click.UsageError(f"{given[0]} says something of a guarantee; --guarantee FILE writes one")
        return
    if lacking := [name for name in _NEEDED if named[name] is None]:
        raise click.UsageError(f"--guarantee needs {', '.join(lacking)} as well")
    if by == "group":
        raise click.UsageError(
            "a routing policy has no thresholds by group; --guarantee goes with --by label"
        )
    if missed is not None:
        raise click.UsageError(
            "a guarantee bounds errors among automatic decisions, and --missed something else"
        )


@threshold.command(epilog=EPILOG)
@scores_options
@format_options
@_alpha
@_delta
@_by
@_missed
@_costs_options
@_load_options
@click.option(
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The page; replaced when it is there.",
)
@click.option("--title", default="Threshold with a guarantee", show_default=True, help="The page's title.")
@day_option
@with_clear_errors
def report(
    *,
    scores_file: Path,
    prediction_attribute: str | None,
    truth_attribute: str | None,
    form: str | None,
    renamed: Mapping[str, str],
    alpha: float,
    delta: float,
    by: str | None,
    missed: str | None,
    cost_error: float | None,
    cost_review: float | None,
    reviewer_error: float,
    cases_per_hour: float | None,
    review_seconds: float | None,
    wait: float,
    service_level: float,
    spot_checks: float,
    output: Path,
    title: str,
    day: str,
) -> None:
    """Write a page for those who have to agree: the promise in words, curves, costs, load, and the limits.

    The page is one file without scripts and addresses. The same input, options and --date give the same
    bytes.

    \b
    Example:
      overread threshold report --scores scores.csv --alpha 0.02 --delta 0.05 --output threshold.html \\
        --cost-error 40 --cost-review 1.5 --reviewer-error 0.02 --cases-per-hour 500 --review-seconds 90
    """
    _check_by(by, missed)
    costs = _costs_asked(cost_error, cost_review, reviewer_error=reviewer_error)
    load = _load_asked(
        cases_per_hour,
        review_seconds,
        wait=wait,
        service_level=service_level,
        spot_checks=spot_checks,
    )
    with Progress() as say:
        read = read_scores(
            source_of(scores_file, form=form, renamed=renamed),
            prediction=prediction_attribute,
            truth=truth_attribute,
            say=say,
        )
        found = certificates_of(read, alpha=alpha, delta=delta, by=by, missed=missed)
        say(f"{read.name}: drawing")
        page = threshold_page(
            report_of(
                read,
                certificates=found,
                title=title,
                day=day,
                alpha=alpha,
                delta=delta,
                by=by,
                missed=missed,
                costs=costs,
                load=load,
            )
        )
    write_whole(output, page)
    for name, one in found.items():
        click.echo(f"{name}: {one.message}" if name else one.message)
    click.echo(f"written: {output}")


@threshold.command(epilog=EPILOG)
@click.argument("first", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("second", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@attribute_options
@format_options
@_alpha
@_delta
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Writes a page with both curves, too.",
)
@click.option("--title", default="Two models compared", show_default=True, help="The page's title.")
@day_option
@json_option
@with_clear_errors
def compare(
    *,
    first: Path,
    second: Path,
    prediction_attribute: str | None,
    truth_attribute: str | None,
    form: str | None,
    renamed: Mapping[str, str],
    alpha: float,
    delta: float,
    output: Path | None,
    title: str,
    day: str,
    as_json: bool,
) -> None:
    """Compare the scores of two models: what each may decide alone under the same promise.

    Each file is certified by itself. To choose the better one and keep its promise, halve --delta: both
    promises then hold together.

    \b
    Example:
      overread threshold compare old.csv new.csv --alpha 0.02 --delta 0.05 --output compared.html
    """
    with Progress() as say:
        both = [
            read_scores(
                source_of(path, form=form, renamed=renamed),
                prediction=prediction_attribute,
                truth=truth_attribute,
                say=say,
            )
            for path in (first, second)
        ]
        names = [one.name for one in both] if first.name != second.name else [str(first), str(second)]
        found = [
            compared(read, name=name, alpha=alpha, delta=delta)
            for read, name in zip(both, names, strict=True)
        ]
    if output is not None:
        write_whole(output, compare_page(found, title=title, day=day, alpha=alpha, delta=delta))
    if as_json:
        click.echo(json.dumps([one.document() for one in found], indent=2, ensure_ascii=False))
        return
    for one in found:
        click.echo(f"{one.name}: {one.certificate.message}")
    if output is not None:
        click.echo(f"written: {output}")


@threshold.command(epilog=EPILOG)
@scores_options
@format_options
@click.option(
    "--method",
    type=click.Choice(FITS),
    help="How confidence is mapped; by default isotonic from 1,000 fitting cases on, else temperature.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the split.")
@_costs_options
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Writes the cases that were not fitted on, with calibrated confidence, as CSV to certify on.",
)
@json_option
@with_clear_errors
def fit(
    *,
    scores_file: Path,
    prediction_attribute: str | None,
    truth_attribute: str | None,
    form: str | None,
    renamed: Mapping[str, str],
    method: str | None,
    seed: int,
    cost_error: float | None,
    cost_review: float | None,
    reviewer_error: float,
    output: Path | None,
    as_json: bool,
) -> None:
    """Calibrate the confidence on one half of the cases, and measure it on the other.

    Tells the expected calibration error before and after, and with --cost-error and --cost-review the
    threshold of lowest cost. What was fitted on must not be certified on: --output has the other cases.

    \b
    Examples:
      overread threshold fit --scores scores.csv --output rest.csv
      overread threshold fit --scores scores.csv --cost-error 40 --cost-review 1.5 --reviewer-error 0.02
      overread threshold certify --scores rest.csv --alpha 0.02 --delta 0.05
    """
    costs = _costs_asked(cost_error, cost_review, reviewer_error=reviewer_error)
    with Progress() as say:
        read = read_scores(
            source_of(scores_file, form=form, renamed=renamed),
            prediction=prediction_attribute,
            truth=truth_attribute,
            say=say,
        )
        say(f"{read.name}: calibrating")
        found = fitted(read, method=method, seed=seed, costs=costs)
    if output is not None:
        write_whole(output, found.table())
    if as_json:
        click.echo(json.dumps(found.document(), indent=2, ensure_ascii=False))
        return
    click.echo("\n".join(found.sentences()))
    if output is not None:
        click.echo(f"written: {output}, {len(found.rest):,} cases")


def _check_by(by: str | None, missed: str | None) -> None:
    if by and missed:
        raise click.UsageError("--by and --missed are different promises; give one of them")


def _costs_asked(error: float | None, review: float | None, *, reviewer_error: float) -> Costs | None:
    if error is None and review is None:
        return None
    if error is None or review is None:
        raise click.UsageError("--cost-error and --cost-review belong together")
    from overread.risk.costs import Costs  # noqa: PLC0415 - numpy

    return Costs(error=error, review=review, reviewer_error=reviewer_error)


def _load_asked(
    cases: float | None, seconds: float | None, *, wait: float, service_level: float, spot_checks: float
) -> Load | None:
    if cases is None and seconds is None:
        return None
    if cases is None or seconds is None:
        raise click.UsageError("--cases-per-hour and --review-seconds belong together")
    return Load(
        cases_per_hour=cases,
        review_seconds=seconds,
        spot_checks=spot_checks,
        wait_s=wait,
        service_level=service_level,
    )
