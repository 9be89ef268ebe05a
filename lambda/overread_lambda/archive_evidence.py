"""Once an hour: copies new inputs and answers into the audit archive, each under its decision's own key.

Environment: OVERREAD_TABLE, OVERREAD_AUDIT_BUCKET. Its code needs `cryptography`. It may read and put in the
table and query its index `chain`, read versions of inputs and outputs, and put to, list the versions of, and
read the audit bucket; it deletes nothing. Time-out 15 minutes; it goes on where the last run stopped.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import islice
from typing import Any, Protocol

from overread.audit.chain import DECISION_SHARDS, Link
from overread.audit.changes import PREFIX, document
from overread.audit.evidence import EvidencePorts, archive_evidence
from overread.decisions.record import StoredObject
from overread.errors import InvalidPolicyError, MissingSettingsError, ServiceError
from overread.routing.policy import parse_policy
from overread_aws.audit_archive import S3AuditArchive
from overread_aws.audit_log import DynamoDbAuditLog
from overread_aws.clients import make_client
from overread_aws.evidence_keys import DynamoDbEvidenceKeys
from overread_aws.s3_objects import S3Inputs
from overread_aws.sealing import seal
from overread_lambda.entry import entry
from overread_lambda.logs import log

TIME_TO_LEAVE_MS = 60_000
LINKS_AT_ONCE = 256
_THREADS = 8
_GONE = frozenset({"NoSuchKey", "NoSuchVersion", "MethodNotAllowed"})


class Context(Protocol):
    """What the handler asks of Lambda's context."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the function."""


class Progress(Protocol):
    """How far each chain was archived."""

    def reached(self, shard: str) -> int:
        """The place in the chain up to which evidence was archived."""

    def reach(self, shard: str, seq: int) -> None:
        """Archived up to that place."""


Links = Callable[[str, int], Iterator[Link]]
"""The links of a chain behind a place."""


@entry()
def handler(event: dict[str, Any], context: Context) -> dict[str, int]:
    """What the schedule calls."""
    links, progress, ports = _ports()
    remaining_ms = context.get_remaining_time_in_millis
    return respond(links=links, progress=progress, ports=ports, remaining_ms=remaining_ms)


def respond(
    *, links: Links, progress: Progress, ports: EvidencePorts, remaining_ms: Callable[[], int]
) -> dict[str, int]:
    """How many copies were made, as far as time allowed.

    Raises:
        ServiceError: a service failed; the next run goes on from there.
    """
    copies = 0
    with ThreadPoolExecutor(_THREADS) as pool:
        for shard in DECISION_SHARDS:
            reached = progress.reached(shard)
            behind = _without_gap(links(shard, reached), after=reached)
            while remaining_ms() > TIME_TO_LEAVE_MS and (batch := list(islice(behind, LINKS_AT_ONCE))):
                copies += sum(pool.map(lambda link: archive_evidence((link,), ports=ports), batch))
                progress.reach(shard, batch[-1].seq)
    log.info("evidence archived", extra={"copies": copies})
    return {"copies": copies}


def _without_gap(links: Iterator[Link], *, after: int) -> Iterator[Link]:
    """The index lags a little, not always in order: what is behind a gap is left for the next time."""
    for expected, link in enumerate(links, start=after + 1):
        if link.seq != expected:
            return
        yield link


def _read(s3: Any) -> Callable[[StoredObject], bytes | None]:
    def read(stored: StoredObject) -> bytes | None:
        try:
            return S3Inputs(s3, bucket=stored.bucket).read(stored)
        except ServiceError as error:
            if error.code in _GONE:
                return None
            raise

    return read


def _subject_path(audit_log: DynamoDbAuditLog, archive: S3AuditArchive) -> Callable[[str], str]:
    """Where the newest policy of a use case that the change log knows finds the subject."""

    @cache
    def path(use_case: str) -> str:
        links = list(audit_log.entries(f"{PREFIX}policy/{use_case}"))
        for link in reversed(links):
            text = document(str(link.entry["detail"]["to_sha256"]), archive=archive)
            try:
                return parse_policy(text).subject_path if text else ""
            except InvalidPolicyError:
                continue
        return ""

    return path


def evidence_settings(environ: Mapping[str, str]) -> tuple[str, str]:
    """Table and audit bucket.

    Raises:
        MissingSettingsError: a variable is missing or empty.
    """
    names = ("OVERREAD_TABLE", "OVERREAD_AUDIT_BUCKET")
    if missing := [name for name in names if not environ.get(name)]:
        raise MissingSettingsError(missing)
    table, bucket = (environ[name] for name in names)
    return table, bucket


def _ports() -> tuple[Links, DynamoDbEvidenceKeys, EvidencePorts]:
    """Anew for each run, so that a new policy's path counts."""
    table, bucket = evidence_settings(os.environ)
    dynamodb, s3 = _clients()
    audit_log, keys = DynamoDbAuditLog(dynamodb, table=table), DynamoDbEvidenceKeys(dynamodb, table=table)
    archive = S3AuditArchive(s3, bucket=bucket)
    ports = EvidencePorts(
        record=audit_log.record,
        read=_read(s3),
        subject_path=_subject_path(audit_log, archive),
        keys=keys,
        seal=seal,
        archive=archive,
    )
    return lambda shard, after: audit_log.links(shard, after=after), keys, ports


@cache
def _clients() -> tuple[Any, Any]:
    return make_client("dynamodb", read_timeout_s=10.0), make_client("s3", read_timeout_s=10.0)
