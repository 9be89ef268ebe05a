"""Labeling manifests of a million lines: check and merge, against a plain loop of json.loads over the files.

Memory is by how much a process grows at its peak, divided by lines; flat means that it is the tables of
hashes alone: one to check, one more for each output to merge, each of 24 to 48 bytes a line and half as
much again while it grows.
"""

import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import BinaryIO

from benchmarks.measure import Measurement

from overread.labeling.manifest_check import ManifestCheck
from overread.labeling.manifest_lines import lines_of
from overread.labeling.manifest_merge import JobOutput, merge

LINES, FEWER = 1_000_000, 100_000


def run() -> list[Measurement]:
    """CPU seconds of check and merge beside the plain loop's; bytes a line at both lengths."""
    with tempfile.TemporaryDirectory() as folder:
        base, first, second = (Path(folder) / name for name in ("input", "kinds", "boxes"))
        write(base, labels=(), number=LINES)
        write(first, labels=("kind",), number=LINES)
        write(second, labels=("grade",), number=LINES)
        measured = [
            Measurement.against(
                "manifest: check, 1M lines (baseline: json.loads)",
                value=_seconds(lambda: checked(first)),
                unit="s",
                baseline=_seconds(lambda: plain(first)),
            ),
            Measurement.against(
                "manifest: merge of two outputs, 1M lines (baseline: json.loads of all)",
                value=_seconds(lambda: merged(base, first, second)),
                unit="s",
                baseline=_seconds(lambda: plain(base, first, second)),
            ),
        ]
        small = [path.with_suffix(".small") for path in (base, first, second)]
        for path, labels in zip(small, ((), ("kind",), ("grade",)), strict=True):
            write(path, labels=labels, number=FEWER)
        measured += [
            Measurement.against(
                "manifest: check, memory a line at 1M lines (baseline: at 100k)",
                value=_bytes_a_line(checked, first, lines=LINES),
                unit="B",
                baseline=_bytes_a_line(checked, small[1], lines=FEWER),
            ),
            Measurement.against(
                "manifest: merge, memory a line at 1M lines (baseline: at 100k)",
                value=_bytes_a_line(merged, base, first, second, lines=LINES),
                unit="B",
                baseline=_bytes_a_line(merged, *small, lines=FEWER),
            ),
        ]
    return measured


def write(path: Path, *, labels: tuple[str, ...], number: int) -> None:
    """A manifest of so many images, each with the label attributes."""
    with path.open("w") as file:
        for one in range(number):
            row: dict[str, object] = {"source-ref": f"s3://images-to-label/scans/2026/{one:07d}.jpg"}
            for name in labels:
                row[name] = one % 3
                row[f"{name}-metadata"] = {
                    "class-name": "cat",
                    "confidence": 0.95,
                    "type": "groundtruth/image-classification",
                    "job-name": f"labeling-job/{name}",
                    "human-annotated": "yes",
                    "creation-date": "2026-01-05T10:00:12.000001",
                }
            file.write(json.dumps(row) + "\n")


def plain(*paths: Path) -> None:
    """What any reader of the files must do."""
    for path in paths:
        with path.open("rb") as file:
            for line in file:
                json.loads(line)


def checked(path: Path) -> None:
    """Checks a file that has no fault."""
    check = ManifestCheck()
    with path.open("rb") as file:
        for _ in check(lines_of(file)):
            pass
    if check.objects != check.lines:
        raise ValueError(f"faults where there are none: {check.counts()}")


def merged(base: Path, *outputs: Path) -> None:
    """Merges and writes to nowhere."""
    with base.open("rb") as file, Path(os.devnull).open("wb") as target:
        streams: list[BinaryIO] = [path.open("rb") for path in outputs]
        read = [JobOutput(stream, name=path.name) for stream, path in zip(streams, outputs, strict=True)]
        for line in merge(lines_of(file), read):
            if line.faults:
                raise ValueError(f"faults where there are none: {line.faults}")
            target.write(line.text + b"\n")
        for stream in streams:
            stream.close()


def _seconds(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def _bytes_a_line(work: Callable[..., None], *paths: Path, lines: int) -> float:
    """By how much a process of its own grows."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=fresh) as process:
        return process.submit(_growth, work, paths).result() / lines


def _growth(work: Callable[..., None], paths: Sequence[Path]) -> int:
    before = _peak_bytes()
    work(*paths)
    return _peak_bytes() - before


def _peak_bytes() -> int:
    """The most memory that this process has had; getrusage would count its parent's, too."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])
