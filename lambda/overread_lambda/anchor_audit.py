"""Once an hour: anchors the ends of the audit chains, and archives what came since, under Object Lock.

Environment: OVERREAD_TABLE (decisions), OVERREAD_AUDIT_BUCKET. It may read the table and its index `chain`,
and put to, list the versions of, and read the bucket, but delete nothing. One run at a time: reserved
concurrency 1, no retries needed (the next hour goes on where this one stopped); time-out 15 minutes.
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from overread.audit.anchors import Anchored, anchor
from overread.audit.ports import Archive, AuditLog
from overread.errors import MissingSettingsError, OverreadError
from overread_aws.audit_archive import S3AuditArchive
from overread_aws.audit_log import DynamoDbAuditLog
from overread_aws.clients import make_client
from overread_lambda.entry import entry
from overread_lambda.logs import log
from overread_lambda.metrics import COUNT, Metric, emit

_FAULTS_LOGGED = 20
CHAIN_FAULTS = Metric(
    "ChainVerifyFail", COUNT, "faults that the hourly look at the audit chains found; 0 when intact"
)
LINKS = Metric("AuditLinksAnchored", COUNT, "links of the audit chains that an hour's anchor took in")
METRICS = (CHAIN_FAULTS, LINKS)


class AuditFaultError(OverreadError):
    """The audit log is not what it was: raised after everything else was anchored, so that an alarm rings."""


@dataclass(frozen=True, slots=True)
class AnchorSettings:
    """Settings of `anchor_audit`."""

    table: str
    audit_bucket: str


def anchor_settings(environ: Mapping[str, str]) -> AnchorSettings:
    """The settings of `anchor_audit`.

    Raises:
        MissingSettingsError: a variable is missing or empty.
    """
    names = ("OVERREAD_TABLE", "OVERREAD_AUDIT_BUCKET")
    if missing := [name for name in names if not environ.get(name)]:
        raise MissingSettingsError(missing)
    table, bucket = (environ[name] for name in names)
    return AnchorSettings(table=table, audit_bucket=bucket)


@entry(AuditFaultError)
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """What the schedule calls."""
    audit_log, archive = _ports()
    return respond(log=audit_log, archive=archive, clock=_now, pause=time.sleep)


def respond(
    *,
    log: AuditLog,
    archive: Archive,
    clock: Callable[[], datetime],
    pause: Callable[[float], None],
) -> dict[str, Any]:
    """Where the anchor lies and how many links were archived with it.

    Raises:
        AuditFaultError: a chain has faults; the others were anchored.
        ServiceError: a service failed.
    """
    done = anchor(log=log, archive=archive, clock=clock, pause=pause)
    _report(done)
    emit({CHAIN_FAULTS: len(done.faults), LINKS: done.links}, at=clock())
    if done.faults:
        shards = sorted({fault.shard for fault in done.faults})
        raise AuditFaultError(f"{len(done.faults)} faults in the audit log, shards {', '.join(shards)}")
    return {"anchor": done.key, "links": done.links}


def _report(done: Anchored) -> None:
    log.info("audit anchored", extra={"anchor": done.key, "links": done.links, "faults": len(done.faults)})
    for fault in done.faults[:_FAULTS_LOGGED]:
        place = {"shard": fault.shard, "seq": fault.seq, "code": fault.code}
        log.error("audit log has a fault", extra=place)


def _now() -> datetime:
    return datetime.now(UTC)


@cache
def _ports() -> tuple[DynamoDbAuditLog, S3AuditArchive]:
    settings = anchor_settings(os.environ)
    return (
        DynamoDbAuditLog(make_client("dynamodb", read_timeout_s=10.0), table=settings.table),
        S3AuditArchive(make_client("s3", read_timeout_s=10.0), bucket=settings.audit_bucket),
    )
