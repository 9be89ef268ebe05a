"""`overread manifest`: everything about a labeling manifest before and after its job."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import click

from overread.labeling.manifest import LineError, Row, identity, line_text, parse_line
from overread.labeling.manifest_check import CheckedLine, ManifestCheck
from overread.labeling.manifest_make import rows_of_keys, rows_of_texts
from overread.labeling.manifest_merge import Conflict, JobOutput
from overread.labeling.manifest_merge import merge as merged_lines
from overread.labeling.manifest_split import Part, Splitter
from overread.labeling.manifest_stats import AttributeStats, ManifestStats
from overread_cli.manifest.files import manifest_argument, name_of, watched_lines, whole_files
from overread_cli.manifest.reporting import FAULTY, Report, count, json_frame
from overread_cli.statistics.frame import BadInputError

_OUTPUT = click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The manifest to write."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")
_INPUT_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def manifest() -> None:
    """Make, check, split, measure and merge labeling manifests (JSON Lines, as Ground Truth takes them).

    Files are read line by line, so a manifest may be as long as you like; FILE may be - for standard input.
    """


@manifest.command()
@click.option(
    "--keys", type=click.File("r", encoding="utf-8"), help="A list of S3 keys or addresses, one a line."
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder as it was copied to --prefix; all files in it are listed, hidden ones left out.",
)
@click.option("--texts", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A CSV file.")
@click.option("--column", help="The column of --texts that holds the texts.")
@click.option("--prefix", default="", help="s3://BUCKET/FOLDER/ that stands before keys and files.")
@_OUTPUT
def make(
    *, keys: Any, folder: Path | None, texts: Path | None, column: str | None, prefix: str, output: Path
) -> None:
    """Write an input manifest out of a list of S3 keys, a folder or the texts of a CSV file.

    \b
    Examples:
      aws s3api list-objects-v2 --bucket scans --query 'Contents[].[Key]' --output text |
        overread manifest make --keys - --prefix s3://scans/ --output scans.manifest
      overread manifest make --folder scans/ --prefix s3://scans/2026/ --output scans.manifest
      overread manifest make --texts letters.csv --column body --output letters.manifest
    """
    if [keys, folder, texts].count(None) != 2:
        raise click.UsageError("give one of --keys, --folder and --texts")
    if (texts is None) != (column is None):
        raise click.UsageError("--texts and --column belong together")
    if folder is not None and not prefix:
        raise click.UsageError("--folder needs --prefix, where its files are in S3")
    if keys is not None:
        rows = rows_of_keys((line for line in (raw.rstrip("\r\n") for raw in keys) if line), prefix=prefix)
    elif folder is not None:
        rows = rows_of_keys(_files_of(folder), prefix=prefix)
    else:
        rows = rows_of_texts(_texts_of(Path(str(texts)), str(column)))
    report, check = Report(as_json=False, is_error=True), ManifestCheck()
    with whole_files([output], read=[texts] if texts else []) as (written,):
        for line in check(_written(rows, written)):
            _report(line, report, file=output.name)
        if report.found:
            raise BadInputError(f"{count(report.found, 'fault')}; nothing was written")
    click.echo(f"{output}: {count(check.objects, 'object')}")


@manifest.command()
@manifest_argument
@click.option("--objects", is_flag=True, help="Also ask S3 whether each object is there (one HEAD each).")
@_JSON
def check(*, file: BinaryIO, objects: bool, as_json: bool) -> None:
    """Hold every line of FILE to Ground Truth's rules; exit code 1 where there are faults.

    Lines count from 1, as they stand in the file.
    """
    checking = ManifestCheck()
    lines: Iterator[CheckedLine] = checking(watched_lines(file))
    if objects:
        from overread_cli.manifest.objects import with_missing_objects  # noqa: PLC0415 - botocore

        lines = with_missing_objects(lines, check=checking)
    report = Report(as_json=as_json)
    if as_json:
        totals: dict[str, Any] = {}
        with json_frame(totals):
            for line in lines:
                _report(line, report, file=name_of(file))
            totals.update(lines=checking.lines, objects=checking.objects, counts=checking.counts())
    else:
        for line in lines:
            _report(line, report, file=name_of(file))
        click.echo(
            f"{name_of(file)}: {count(checking.lines, 'line')}, {count(checking.objects, 'object')} "
            f"without fault, {count(report.found, 'fault')}"
        )
        for code, number in checking.faults.most_common():
            click.echo(f"  {code:<20} {number:>12,}")
    if report.found:
        raise SystemExit(FAULTY)


@manifest.command()
@manifest_argument
@click.option(
    "--into",
    multiple=True,
    metavar="NAME=WEIGHT",
    help="A part and its weight; may be given several times; train=80, validation=10, test=10 by default.",
)
@click.option("--parts", type=click.IntRange(2, 1000), help="So many equal parts, named part-1 and so on.")
@click.option("--key", default="", help="Another key gives other parts; the same key always the same.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    required=True,
    help="The folder for NAME.manifest.",
)
def split(*, file: BinaryIO, into: tuple[str, ...], parts: int | None, key: str, output: Path) -> None:
    """Part FILE by a keyed hash of each object, the lines as they stand and in their order.

    An object goes to the same part in every manifest; parts are about as large as asked.
    """
    if into and parts:
        raise click.UsageError("give --into or --parts")
    wanted = _parts(into or ("train=80", "validation=10", "test=10"))
    if parts:
        wanted = [Part(f"part-{number}", 1) for number in range(1, parts + 1)]
    try:
        splitter = Splitter(wanted, key=key)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    sizes: Counter[str] = Counter()
    targets = {part.name: output / f"{part.name}.manifest" for part in wanted}
    source = [Path(name_of(file))] if Path(name_of(file)).is_file() else []
    report = Report(as_json=False, is_error=True)
    with whole_files(targets.values(), read=source) as files:
        streams = dict(zip(targets, files, strict=True))
        for line, row in _readable(file, report):
            name = splitter.part_of(identity(row))
            sizes[name] += 1
            streams[name].write(line + b"\n")
        if report.found:
            raise BadInputError(f"{count(report.found, 'fault')}; nothing was written")
    for name, target in targets.items():
        click.echo(f"{target}: {count(sizes[name], 'object')}")


@manifest.command()
@manifest_argument
@_JSON
def stats(*, file: BinaryIO, as_json: bool) -> None:
    """Count what is in FILE: for each label attribute labeled and not, by people and machine, classes,
    confidence."""
    counted, report = ManifestStats(), Report(as_json=False, is_error=True)
    for _, row in _readable(file, report):
        counted.add(row)
    if as_json:
        click.echo(json.dumps(counted.document(), indent=2, ensure_ascii=False))
    else:
        click.echo(f"{name_of(file)}: {count(counted.objects, 'object')}")
        for name, number in counted.keys.most_common():
            click.echo(f"  {name:<30} {number:>12,}")
        for name, one in sorted(counted.attributes.items()):
            _show(name, one, objects=counted.objects)
    if report.found:
        raise SystemExit(FAULTY)


@manifest.command()
@click.argument("file", type=_INPUT_FILE)
@click.argument("outputs", nargs=-1, required=True, type=_INPUT_FILE)
@click.option(
    "--prefer",
    type=click.Choice(["later"]),
    help="Where files label an object otherwise under one name, the later file counts; else that is a fault.",
)
@_OUTPUT
def merge(*, file: Path, outputs: tuple[Path, ...], prefer: str | None, output: Path) -> None:
    """Merge the output manifests of several jobs over the input FILE, in the order of FILE.

    An output adds the labels that FILE and the outputs before it do not have. A label and its metadata stay
    together; a label counts before a failure. All files must be of the same objects, each once.
    """
    report, conflict = Report(as_json=False, is_error=True), Conflict(prefer or "refuse")
    written = 0
    with whole_files([output], read=[file, *outputs]) as (target,), file.open("rb") as base:
        streams = [path.open("rb") for path in outputs]
        try:
            read = [JobOutput(stream, name=str(path)) for stream, path in zip(streams, outputs, strict=True)]
            for line in merged_lines(watched_lines(base), read, conflict=conflict, name=str(file)):
                for fault in line.faults:
                    report.add(file=fault.file, line=fault.line, code=fault.code, reason=fault.reason)
                if not line.faults:
                    target.write(line.text + b"\n")
                    written += 1
        finally:
            for stream in streams:
                stream.close()
        if report.found:
            raise BadInputError(f"{count(report.found, 'fault')}; nothing was written")
    click.echo(f"{output}: {count(written, 'object')}")


def _report(line: CheckedLine, report: Report, *, file: str) -> None:
    for fault in line.faults:
        report.add(file=file, line=fault.line, code=fault.code, reason=fault.reason)


def _readable(file: BinaryIO, report: Report) -> Iterator[tuple[bytes, Row]]:
    """The lines that hold an object, each with it; the others are reported."""
    for number, line in enumerate(watched_lines(file), 1):
        try:
            yield line, parse_line(line)
        except LineError as error:
            report.add(file=name_of(file), line=number, code=error.code, reason=str(error))


def _written(rows: Iterator[Row], stream: BinaryIO) -> Iterator[bytes]:
    for row in rows:
        line = line_text(row).encode("utf-8", "surrogateescape")
        stream.write(line + b"\n")
        yield line


def _files_of(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in inside.parts):
            yield inside.as_posix()


def _texts_of(path: Path, column: str) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if column not in (rows.fieldnames or ()):
                raise BadInputError(
                    f"{path} has no column {column!r}, it has {', '.join(rows.fieldnames or ())}"
                )
            for row in rows:
                yield row[column] or ""
    except (csv.Error, UnicodeDecodeError) as error:
        raise BadInputError(f"{path}: {error}") from error


def _parts(given: tuple[str, ...]) -> list[Part]:
    parts = []
    for one in given:
        name, _, weight = one.partition("=")
        if not name or not name.replace("-", "").replace("_", "").isalnum() or not weight.isdecimal():
            raise click.UsageError(f"--into must be NAME=WEIGHT, as train=80, got {one!r}")
        parts.append(Part(name, int(weight)))
    return parts


def _show(name: str, one: AttributeStats, *, objects: int) -> None:
    click.echo(
        f"{name}: {one.labeled:,} labeled ({one.by_human:,} by people, {one.by_machine:,} by machine), "
        f"{objects - one.labeled:,} not, {one.failed:,} failed, {one.empty:,} without a class"
    )
    for label, number in one.classes.most_common(20):
        click.echo(f"  {label:<30} {number:>12,}")
    if len(one.classes) > 20:
        click.echo(f"  and {len(one.classes) - 20:,} more")
    quantiles = one.confidences.quantiles()
    if quantiles:
        told = ", ".join(f"{share:.0%} {value:.3f}" for share, value in quantiles.items())
        click.echo(f"  confidence: {told}")
