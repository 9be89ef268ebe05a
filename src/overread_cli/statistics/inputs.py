"""What the statistics are made of, out of files: votes, gold labels and scores, checked with row numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from overread.errors import InvalidDataError
from overread_cli.statistics.frame import faults_of
from overread_cli.statistics.manifests import (
    answer_votes,
    is_answers,
    is_manifest,
    manifest_gold,
    manifest_scores,
    manifest_votes,
)
from overread_cli.statistics.tables import FORMATS, Objects, Say, Source, Table, read_table

if TYPE_CHECKING:
    from overread.consensus.votes import Gold, Votes
    from overread.risk.scores import Scores

Command = TypeVar("Command", bound=Callable[..., Any])
_VOTES = ("item", "worker", "label")
_GOLD = ("item", "label")
_SCORES = ("id", "confidence", "correct", "label", "truth", "group")
_PATH = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)


@dataclass(frozen=True, slots=True)
class ReadVotes:
    """Votes with what the file is called and hashed."""

    votes: Votes
    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ReadScores:
    """Scores with what the file is called and hashed."""

    scores: Scores
    name: str
    sha256: str


def _renames(ctx: click.Context, param: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    renamed = {}
    for pair in pairs:
        ours, sign, theirs = pair.partition("=")
        if not sign or not theirs or ours not in {*_VOTES, *_SCORES}:
            known = ", ".join(dict.fromkeys((*_VOTES, *_SCORES)))
            raise click.BadParameter(
                f"{pair!r} must be OURS=THEIRS, and OURS one of {known}", ctx=ctx, param=param
            )
        renamed[ours] = theirs
    return renamed


def format_options(command: Command) -> Command:
    """How files are read: `form` and `renamed`."""
    command = click.option(
        "--column",
        "renamed",
        multiple=True,
        metavar="OURS=THEIRS",
        callback=_renames,
        help="A column that the files call otherwise, as worker=annotator; may be given several times.",
    )(command)
    return click.option(
        "--format",
        "form",
        type=click.Choice(FORMATS),
        help="The files' format; their endings tell it by default.",
    )(command)


def _classes(ctx: click.Context, param: click.Parameter, text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = tuple(name.strip() for name in text.split(","))
    if "" in names or len(set(names)) != len(names):
        raise click.BadParameter(
            f"{text!r} must be different labels with commas between", ctx=ctx, param=param
        )
    return names


def labels_options(command: Command) -> Command:
    """Where votes come from: `labels`, `attributes`, `answer`, `classes`."""
    command = click.option(
        "--classes",
        metavar="A,B,…",
        callback=_classes,
        help="The labels that are allowed, in their order; by default those that occur, numbers by size.",
    )(command)
    command = click.option(
        "--answer",
        metavar="PATH",
        help="Of workers' answers: the JMESPath of the label; by default the only member `label`.",
    )(command)
    command = click.option(
        "--label-attribute",
        "attributes",
        multiple=True,
        metavar="NAME",
        help="Of an augmented manifest: a label attribute that is one worker; all of them by default.",
    )(command)
    return click.option(
        "--labels",
        required=True,
        type=_PATH,
        metavar="FILE",
        help="item, worker, label: a row a vote; - is standard input.",
    )(command)


def gold_options(command: Command) -> Command:
    """Where known labels come from: `gold`, `gold_attribute`."""
    command = click.option(
        "--gold-attribute",
        metavar="NAME",
        help="Of an augmented manifest: the label attribute that holds the truth.",
    )(command)
    return click.option(
        "--gold", type=_PATH, metavar="FILE", help="item, label: the items whose truth is known."
    )(command)


def attribute_options(command: Command) -> Command:
    """Where an augmented manifest's scores are: `prediction_attribute`, `truth_attribute`."""
    command = click.option(
        "--truth-attribute",
        metavar="NAME",
        help="Of an augmented manifest: the label attribute of the truth.",
    )(command)
    return click.option(
        "--prediction-attribute",
        metavar="NAME",
        help="Of an augmented manifest: the label attribute of the model, with its confidence.",
    )(command)


def scores_options(command: Command) -> Command:
    """Where scores come from: `scores_file` and the attributes of a manifest."""
    return click.option(
        "--scores",
        "scores_file",
        required=True,
        type=_PATH,
        metavar="FILE",
        help="confidence, correct (or confidence, label, truth), also id and group; - is standard input.",
    )(attribute_options(command))


def read_votes(
    source: Source,
    *,
    attributes: Sequence[str] = (),
    answer: str | None = None,
    classes: Sequence[str] | None = None,
    say: Say,
) -> ReadVotes:
    """The votes of a file.

    Raises:
        InvalidDataError: the file, or what stands in it, is at fault.
    """
    from overread.consensus.votes import votes  # noqa: PLC0415 - numpy

    table = read_table(source, columns=_VOTES, is_whole=_is_whole, say=say)
    if isinstance(table, Objects) and is_answers(table.rows[0]):
        table = answer_votes(source, table, answer=answer)
    elif isinstance(table, Objects):
        table = manifest_votes(source, table, attributes=attributes)
    table.require(*_VOTES)
    say(f"{table.name}: {table.rows:,} rows read, putting them in order")
    try:
        made = votes(*(table.columns[name] for name in _VOTES), classes=classes)
    except InvalidDataError as error:
        raise faults_of(table.name, error.faults) from error
    if not len(made):
        raise faults_of(table.name, ("no row has a label",))
    return ReadVotes(made, source.short_name, table.sha256)


def read_gold(source: Source, *, attribute: str | None, votes: Votes, say: Say) -> Gold:
    """The known labels of a file, for these votes.

    Raises:
        InvalidDataError: the file, or what stands in it, is at fault.
    """
    from overread.consensus.votes import gold_of  # noqa: PLC0415 - numpy

    table = read_table(source, columns=_GOLD, is_whole=_is_whole, say=say)
    if isinstance(table, Objects):
        table = manifest_gold(source, table, attribute=attribute)
    table.require(*_GOLD)
    try:
        return gold_of(*(table.columns[name] for name in _GOLD), votes=votes)
    except InvalidDataError as error:
        raise faults_of(table.name, error.faults) from error


def read_scores(source: Source, *, prediction: str | None, truth: str | None, say: Say) -> ReadScores:
    """The scores of a file: `correct` as it stands there, or whether `label` is `truth`.

    Raises:
        InvalidDataError: the file, or what stands in it, is at fault; all faults together.
    """
    table = read_table(source, columns=_SCORES, is_whole=_is_whole, say=say)
    if isinstance(table, Objects):
        table = manifest_scores(source, table, prediction=prediction, truth=truth)
    is_told = "correct" in table.columns or not {"label", "truth"} <= set(table.columns)
    table.require(*(("confidence", "correct") if is_told else ("confidence", "label", "truth")))
    return ReadScores(_scores(table), source.short_name, table.sha256)


def source_of(path: Path, *, form: str | None, renamed: Mapping[str, str]) -> Source:
    """The file as the options have it."""
    return Source(path, form, renamed)


def _is_whole(row: Mapping[str, Any]) -> bool:
    return is_manifest(row) or is_answers(row)


def _plain(values: Sequence[Any]) -> Sequence[Any]:
    """Whole numbers that a data frame with gaps holds as 1.0 are the ids and labels 1 that they were."""
    if not any(isinstance(value, float) for value in values):
        return values
    return [int(value) if isinstance(value, float) and value.is_integer() else value for value in values]


def _scores(table: Table) -> Scores:
    from overread.risk.scores import scores  # noqa: PLC0415 - numpy

    columns = {name: _plain(values) for name, values in table.columns.items() if name != "confidence"}
    correct = columns.get("correct")
    if correct is None:
        correct = [
            str(said) == str(true) for said, true in zip(columns["label"], columns["truth"], strict=True)
        ]
    try:
        return scores(
            table.columns["confidence"],
            correct,
            ids=columns.get("id"),
            label=columns.get("label"),
            truth=columns.get("truth"),
            group=columns.get("group"),
        )
    except InvalidDataError as error:
        raise faults_of(table.name, error.faults) from error
