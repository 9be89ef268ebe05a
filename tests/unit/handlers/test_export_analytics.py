"""The export function's own part: its settings, and labels in files of bounded size, once a version."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest

from overread.analytics import Pseudonyms, Table
from overread.errors import MissingSettingsError
from overread_lambda import export_analytics
from overread_lambda.export_analytics import _LabelExport, export_settings

COMPLETE = {
    "OVERREAD_TABLE": "t",
    "OVERREAD_ANALYTICS_BUCKET": "b",
    "OVERREAD_ANALYTICS_KEY": "arn",
    "OVERREAD_REASON_CODES": "",
    "OVERREAD_LABEL_OUTPUTS": "s3://a/x/,s3://b/y/",
}


def line(number: int, *, job: str = "digits", day: str = "2026-11-23") -> bytes:
    metadata = {
        "class-name": "7",
        "type": "groundtruth/image-classification",
        "job-name": f"labeling-job/{job}",
        "human-annotated": "yes",
        "creation-date": f"{day}T10:00:00",
    }
    return json.dumps({"source-ref": f"s3://b/{number}.png", "digit": 7, "digit-metadata": metadata}).encode()


@dataclass
class Marks:
    """Version tags in memory."""

    tags: dict[str, str] = field(default_factory=dict)

    def read(self) -> dict[str, str]:
        return dict(self.tags)

    def write(self, tags: dict[str, str]) -> None:
        self.tags = dict(tags)


@dataclass
class Source:
    """One bucket with manifests."""

    lines_of: dict[str, list[bytes]]
    tag: str = "1"
    bucket: str = "b"

    def manifests(self) -> Iterator[tuple[str, str, str]]:
        for job in self.lines_of:
            yield job, f"labeling/{job}", self.tag

    def lines(self, key: str) -> Iterator[bytes]:
        yield from self.lines_of[key.removeprefix("labeling/")]


@dataclass
class Site:
    """A label export over memory."""

    files: dict[str, int] = field(default_factory=dict)
    marks: Marks = field(default_factory=Marks)
    has_time: bool = True

    def write(self, table: Table, day: date, name: str, rows: list[Mapping[str, Any]]) -> None:
        self.files[f"{table.name}/{day}/{name}"] = len(rows)

    def run(self, source: Source) -> int:
        export = _LabelExport(
            pseudonyms=Pseudonyms(bytes(16)),
            write=self.write,
            marks=self.marks,  # type: ignore[arg-type]
            has_time=lambda: self.has_time,
        )
        return export.run([source])  # type: ignore[list-item]


def test_settings_are_complete_or_told_by_name() -> None:
    assert export_settings(COMPLETE).label_outputs == ("s3://a/x/", "s3://b/y/")
    assert export_settings(COMPLETE).reason_codes == ()
    with pytest.raises(MissingSettingsError) as missing:
        export_settings({"OVERREAD_TABLE": "t"})
    assert {"OVERREAD_ANALYTICS_BUCKET", "OVERREAD_ANALYTICS_KEY"} <= set(
        str(missing.value).replace(",", " ").split()
    )


def test_labels_are_in_files_of_bounded_size_by_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_analytics, "ROWS_AT_ONCE", 2)
    site = Site()
    lines = [line(number) for number in range(5)] + [line(9, day="2026-11-24")]
    assert site.run(Source({"digits": lines})) == 6
    assert site.files == {
        "labels/2026-11-23/digits-0000": 2,
        "labels/2026-11-23/digits-0001": 2,
        "labels/2026-11-23/digits-0002": 1,
        "labels/2026-11-24/digits-0000": 1,
    }


def test_a_manifest_is_exported_once_a_version() -> None:
    site, source = Site(), Source({"digits": [line(1)]})
    assert [site.run(source), site.run(source)] == [1, 0]
    source.tag = "2"
    assert site.run(source) == 1


def test_labels_of_the_job_before_are_not_this_jobs() -> None:
    site = Site()
    assert site.run(Source({"digits": [line(1, job="earlier"), line(2)]})) == 1


def test_without_time_the_next_run_goes_on() -> None:
    site = Site(has_time=False)
    assert (site.run(Source({"digits": [line(1)]})), site.marks.tags) == (0, {})
