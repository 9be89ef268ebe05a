"""Once a day: what decisions, reviews and labeling jobs gained, as Parquet without case content.

Environment: OVERREAD_TABLE, OVERREAD_ANALYTICS_BUCKET, OVERREAD_ANALYTICS_KEY (ARN of the secret behind the
pseudonyms), OVERREAD_REASON_CODES (those that go out as they are, with commas; may be empty),
OVERREAD_LABEL_OUTPUTS (s3:// addresses below which labeling jobs write, with commas; may be empty). Its code
needs pyarrow. It may read the table and query its index `chain`, read the outputs of labeling jobs and the
secret, read and write below `export/` and `tables/` of the bucket; it deletes nothing. Time-out 15 minutes;
it goes on where the last run stopped.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, Protocol
from urllib.parse import urlsplit

from overread.analytics import TABLES, ExportPorts, Pseudonyms, Table, export_decisions, label_rows
from overread.errors import MissingSettingsError
from overread_aws.audit_log import DynamoDbAuditLog
from overread_aws.clients import make_client
from overread_aws.export_marks import ExportMarks, ManifestMarks, OutputManifests
from overread_aws.parquet_files import ParquetFiles
from overread_aws.secret_key import SecretKey
from overread_lambda.entry import entry
from overread_lambda.logs import log
from overread_lambda.metrics import COUNT, Metric, emit

TIME_TO_LEAVE_MS = 120_000
TABLES_PREFIX = "tables/"
MARK = "export/progress.json"
LABEL_MARK = "export/labels.json"
ROWS_AT_ONCE = 50_000
"""Of one file: some tens of megabytes while it is made."""
LABELS = TABLES["labels"]
EXPORTS = Metric("AnalyticsExports", COUNT, "runs of the analytics export that came to their end")
ROWS = Metric("AnalyticsRows", COUNT, "rows that an analytics export wrote")
METRICS = (EXPORTS, ROWS)


class Context(Protocol):
    """What the handler asks of Lambda's context."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the function."""


@dataclass(frozen=True, slots=True)
class ExportSettings:
    """Settings of `export_analytics`."""

    table: str
    bucket: str
    key_secret: str
    reason_codes: tuple[str, ...]
    label_outputs: tuple[str, ...]


def export_settings(environ: Mapping[str, str]) -> ExportSettings:
    """The settings of `export_analytics`.

    Raises:
        MissingSettingsError: a variable is missing or empty.
    """
    names = ("OVERREAD_TABLE", "OVERREAD_ANALYTICS_BUCKET", "OVERREAD_ANALYTICS_KEY")
    if missing := [name for name in names if not environ.get(name)]:
        raise MissingSettingsError(missing)
    table, bucket, key_secret = (environ[name] for name in names)
    return ExportSettings(
        table=table,
        bucket=bucket,
        key_secret=key_secret,
        reason_codes=_listed(environ.get("OVERREAD_REASON_CODES", "")),
        label_outputs=_listed(environ.get("OVERREAD_LABEL_OUTPUTS", "")),
    )


@entry()
def handler(event: dict[str, Any], context: Context) -> dict[str, int]:
    """What the schedule calls."""
    return run(
        export_settings(os.environ), clients=_client, remaining_ms=context.get_remaining_time_in_millis
    )


def run(
    settings: ExportSettings, *, clients: Callable[[str], Any], remaining_ms: Callable[[], int]
) -> dict[str, int]:
    """How many rows each table gained.

    Raises:
        ServiceError: a service failed; the next run goes on from there.
        RecordConflictError: another run goes on at the same time.
    """
    s3, table = clients("s3"), settings.table
    pseudonyms = Pseudonyms(SecretKey(clients("secretsmanager"), secret_id=settings.key_secret)())
    audit_log = DynamoDbAuditLog(clients("dynamodb"), table=table)
    files = ParquetFiles(s3, bucket=settings.bucket, prefix=TABLES_PREFIX)
    ports = ExportPorts(
        links=lambda shard, after: audit_log.links(shard, after=after),
        record=audit_log.record,
        marks=ExportMarks(s3, bucket=settings.bucket, key=MARK),
        write=files.write,
    )
    counts = export_decisions(
        ports=ports,
        pseudonyms=pseudonyms,
        reason_codes=settings.reason_codes,
        has_time=lambda: remaining_ms() > TIME_TO_LEAVE_MS,
    )
    labels = _LabelExport(
        pseudonyms=pseudonyms,
        write=files.write,
        marks=ManifestMarks(s3, bucket=settings.bucket, key=LABEL_MARK),
        has_time=lambda: remaining_ms() > TIME_TO_LEAVE_MS,
    )
    counts[LABELS.name] = labels.run([_manifests(s3, uri) for uri in settings.label_outputs])
    emit({EXPORTS: 1, ROWS: sum(counts.values())}, at=datetime.now(UTC))
    log.info("analytics exported")
    return counts


@dataclass(frozen=True, slots=True)
class _LabelExport:
    """Output manifests that are new or another version; the same manifest gives the same files."""

    pseudonyms: Pseudonyms
    write: Callable[[Table, date, str, list[Mapping[str, Any]]], None]
    marks: ManifestMarks
    has_time: Callable[[], bool]

    def run(self, sources: Iterable[OutputManifests]) -> int:
        """How many rows were written, as far as time allowed."""
        tags, count = self.marks.read(), 0
        for source in sources:
            for job, key, tag in source.manifests():
                place = f"{source.bucket}/{key}"
                if tags.get(place) == tag:
                    continue
                if not self.has_time():
                    return count
                count += self._export(job, source.lines(key))
                tags[place] = tag
                self.marks.write(tags)
        return count

    def _export(self, job: str, lines: Iterable[bytes]) -> int:
        count = 0
        rows: dict[date, list[Mapping[str, Any]]] = defaultdict(list)
        parts: dict[date, int] = defaultdict(int)

        def flush(day: date) -> None:
            self.write(LABELS, day, f"{job}-{parts[day]:04}", rows.pop(day))
            parts[day] += 1

        for day, row in label_rows(lines, pseudonyms=self.pseudonyms):
            if row["job"] != job:  # a chained job's lines carry the labels of the jobs before
                continue
            rows[day].append(row)
            count += 1
            if len(rows[day]) == ROWS_AT_ONCE:
                flush(day)
        for day in list(rows):
            flush(day)
        return count


def _manifests(s3: Any, uri: str) -> OutputManifests:
    parts = urlsplit(uri)
    return OutputManifests(s3, bucket=parts.netloc, prefix=parts.path.lstrip("/"))


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(",") if part)


@cache
def _client(service: str) -> Any:
    return make_client(service, read_timeout_s=30.0)
