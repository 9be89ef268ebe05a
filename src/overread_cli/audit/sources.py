"""What reconciling and replaying read beside the audit log: invocations, decisions, inputs, texts."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import click
from botocore.exceptions import ClientError

from overread.audit.captured import endpoint_of, invocations_in
from overread.audit.chain import DECISION_SHARDS, Link
from overread.audit.changes import PREFIX, document
from overread.audit.evidence import read_evidence
from overread.audit.reconcile import Case, Invocation
from overread.audit.replay import Replay, replay
from overread.decisions.record import Record
from overread.errors import ServiceError
from overread.instants import parse_instant
from overread_aws.data_capture import S3DataCapture, hour_of
from overread_aws.s3_objects import S3Inputs
from overread_aws.sealing import unseal
from overread_cli.audit.target import Target
from overread_cli.review.targets import target_of

LOOK_BACK = timedelta(hours=1)
"""How long a model may have been asked before its answer was routed."""
CAPTURED = "captured/"
"""Where the deployed endpoints note their answers, in the bucket of the inputs or of the models' account."""
_AT_ONCE = 16


def invocations(target: Target, *, begin: datetime, end: datetime, place: str | None) -> list[Invocation]:
    """The invocations of the period and of shortly before, from `place` or from the local endpoints' log."""
    since = begin - LOOK_BACK
    try:
        if place is not None and place.startswith("s3://"):
            at = urlsplit(place)
            capture = S3DataCapture(target.s3, bucket=at.netloc, prefix=at.path.lstrip("/"))
            found = capture.between(since, end)
        elif place is not None:
            found = _in_folder(Path(place), begin=since, end=end)
        elif target.invocations is not None:
            found = _in_folder(target.invocations, begin=since, end=end)
        else:
            bucket = target.outputs.get("CapturesBucketName", target.outputs["InputBucketName"])
            capture = S3DataCapture(target.s3, bucket=bucket, prefix=CAPTURED)
            found = capture.between(since, end)
        return [one for one in found if since <= one.at < end]
    except ValueError as error:
        raise click.ClickException(str(error)) from error


def cases(target: Target, *, asked: list[Invocation], begin: datetime, end: datetime) -> dict[str, Case]:
    """Every decision that an invocation names, and every one that was received or audited in the period."""
    named = {one.inference_id.rpartition("/")[0] for one in asked if begin <= one.at < end}
    audited = {
        str(link.entry["decision_id"])
        for shard in DECISION_SHARDS
        for link in target.log.links(shard, after=0)
        if begin <= parse_instant(link.entry["at"]) < end
    }
    every = sorted({*target.log.decision_ids(), *named, *audited} - {""})
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        records = dict(zip(every, pool.map(target.log.record, every), strict=True))
        wanted = [
            decision_id
            for decision_id, record in records.items()
            if decision_id in named
            or decision_id in audited
            or (record is not None and begin <= record.received_at < end)
        ]
        entries = pool.map(lambda one: tuple(target.log.entries(one)), wanted)
        return {
            decision_id: Case(record=records[decision_id], links=links)
            for decision_id, links in zip(wanted, entries, strict=True)
        }


def replayed(target: Target, decision_id: str) -> Replay:
    """The decision made again from all that is kept of it.

    Raises:
        click.ClickException: there is no such decision, nor any entry about it.
    """
    record, links = target.log.record(decision_id), list(target.log.entries(decision_id))
    if record is None and not links:
        raise click.ClickException(f"no decision {decision_id} on {target.name}")
    if not links:
        raise click.ClickException(
            f"decision {decision_id} is {record and record.state}: nothing is audited yet"
        )
    return replay(
        links,
        record=record,
        input_body=_input(target, record) if record else None,
        policy_sha256s=_policies(target, record.use_case) if record else (),
        find_text=lambda sha256: document(sha256, archive=target.archive),
        find_link=lambda shard, seq: _link_at(target, shard, seq),
    )


def _link_at(target: Target, shard: str, seq: int) -> Link | None:
    link = next(target.log.links(shard, after=seq - 1), None)
    return link if link is not None and link.seq == seq else None


def delete_loops(target: Target, names: tuple[str, ...], *, url: str | None) -> int:
    """Deletes the human loops where they are held, which keeps their inputs; how many there still were."""
    if not names:
        return 0
    review = target_of(url=url, local=target.state_dir)
    deleted = 0
    for name in names:
        try:
            review.a2i.delete_human_loop(HumanLoopName=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
        else:
            deleted += 1
    return deleted


def _input(target: Target, record: Record) -> bytes | None:
    """The input, from the archive where it was deleted; None when it was erased."""
    try:
        return S3Inputs(target.s3, bucket=record.input.bucket).read(record.input)
    except ServiceError as error:
        if error.code not in ("NoSuchKey", "NoSuchVersion", "MethodNotAllowed"):
            raise
    try:
        return read_evidence(
            record.decision_id,
            record.input.sha256,
            archive=target.archive,
            keys=target.keys,
            unseal=unseal,
        )
    except ValueError as error:
        raise click.ClickException(f"archived input of {record.decision_id}: {error}") from error


def _policies(target: Target, use_case: str) -> list[str]:
    """The hashes of all policies of the use case, the newest first."""
    links = list(target.log.entries(f"{PREFIX}policy/{use_case}"))
    return [link.entry["detail"]["to_sha256"] for link in reversed(links)]


def _in_folder(folder: Path, *, begin: datetime, end: datetime) -> Iterator[Invocation]:
    for path in sorted(folder.rglob("*.jsonl")):
        name = path.relative_to(folder.parent).as_posix()
        if begin - timedelta(hours=1) < hour_of(name) <= end:
            yield from invocations_in(path.read_bytes().splitlines(), endpoint=endpoint_of(name))
