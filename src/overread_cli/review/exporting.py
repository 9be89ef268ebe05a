"""Exporting the output documents of finished loops as JSON Lines, resumable, and whole lines only."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from botocore.exceptions import ClientError

from overread_cli.review.loops import FINISHED, ListedLoop, loops_of
from overread_cli.review.targets import Target, sentence_of

_PARALLEL = 8
_BATCH = 64


class ExportRefusedError(Exception):
    """The output file holds something else than an export of this flow definition."""


@dataclass
class Export:
    """What came of it, so far: loops written, there already, still open, without output, and failures."""

    written: int = 0
    known: int = 0
    unfinished: int = 0
    without_output: int = 0
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        parts = [f"{self.written:,} exported"]
        parts += [f"{self.known:,} were there already"] if self.known else []
        parts += [f"{self.unfinished:,} not finished yet"] if self.unfinished else []
        parts += [f"{self.without_output:,} ended without an answer"] if self.without_output else []
        parts += [f"{len(self.failures):,} could not be read"] if self.failures else []
        return ", ".join(parts)


@dataclass(frozen=True)
class _Read:
    """One loop's output as a line, empty when it ended without one; or why it could not be read."""

    line: bytes = b""
    fault: str = ""


def export(
    target: Target, arn: str, *, output: Path, now: datetime, progress: Callable[[Export], None]
) -> Export:
    """Writes the output document of every finished loop of a flow definition, one a line, to `output`.

    Work goes into `output` + ".part", which an interrupted run leaves behind and the next one goes on with;
    `output` itself appears, or changes, in one step at the end. Loops that either holds are not read again.

    Raises:
        ExportRefusedError: one of the two files holds something else.
    """
    part = output.with_name(output.name + ".part")
    if not part.exists() and output.exists():
        _names(output, arn=arn)  # refuses before anything is copied
        shutil.copyfile(output, part)
    result = Export()
    with part.open("a+b") as file:
        _drop_half_a_line(file)
        names = _names(part, arn=arn)
        wanted = _wanted(target, arn, names=names, now=now, result=result)
        with ThreadPoolExecutor(_PARALLEL) as pool:
            while batch := list(islice(wanted, _BATCH)):
                for read in pool.map(lambda loop: _read(target, loop), batch):
                    _keep(read, file=file, result=result)
                file.flush()
                progress(result)
        file.flush()
        os.fsync(file.fileno())
    part.replace(output)
    return result


def _wanted(
    target: Target, arn: str, *, names: set[str], now: datetime, result: Export
) -> Iterator[ListedLoop]:
    for loop in loops_of(target, arn, now=now):
        if loop.name in names:
            result.known += 1
        elif loop.status not in FINISHED:
            result.unfinished += 1
        else:
            yield loop


def _keep(read: _Read, *, file: BinaryIO, result: Export) -> None:
    if read.fault:
        result.failures.append(read.fault)
    elif not read.line:
        result.without_output += 1
    else:
        file.write(read.line)
        result.written += 1


def _read(target: Target, loop: ListedLoop) -> _Read:
    """One loop. What AWS refuses of it leaves the others alone; no connection at all ends the export."""
    try:
        document = output_of(target, target.a2i.describe_human_loop(HumanLoopName=loop.name))
    except (ClientError, ValueError) as error:
        return _Read(fault=f"{loop.name}: {sentence_of(error)}")
    if document is None:
        return _Read()
    return _Read(line=(json.dumps(document, ensure_ascii=False) + "\n").encode())


def output_of(target: Target, described: dict[str, Any]) -> dict[str, Any] | None:
    """The output document of a loop as DescribeHumanLoop tells of it; None when there is none.

    Raises:
        ValueError: the document is not a JSON object.
    """
    if not (address := described.get("HumanLoopOutput", {}).get("OutputS3Uri")):
        return None
    bucket, _, key = address.removeprefix("s3://").partition("/")
    document = json.loads(target.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    if not isinstance(document, dict):
        raise ValueError(f"{address} is no output document")
    return document


def _drop_half_a_line(file: BinaryIO) -> None:
    """Cuts what a killed run wrote of its last line."""
    end = file.seek(0, os.SEEK_END)
    whole = end
    while whole > 0:
        start = max(0, whole - 65_536)
        file.seek(start)
        newline = file.read(whole - start).rfind(b"\n")
        if newline >= 0:
            whole = start + newline + 1
            break
        whole = start
    if whole != end:
        file.truncate(whole)
    file.seek(0, os.SEEK_END)


def _names(path: Path, *, arn: str) -> set[str]:
    """The loops that an export holds. Raises ExportRefusedError."""
    names = set()
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                document = json.loads(line)
                name, flow_definition = document["humanLoopName"], document["flowDefinitionArn"]
            except (ValueError, KeyError, TypeError) as error:
                raise ExportRefusedError(
                    f"{path}:{number} is no line of an export; choose another --output"
                ) from error
            if flow_definition != arn:
                raise ExportRefusedError(
                    f"{path}:{number} is of {flow_definition}, not of {arn}; choose another --output"
                )
            names.add(name)
    return names
