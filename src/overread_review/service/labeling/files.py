"""A labeling job's files in S3, at Ground Truth's addresses and in its shapes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from overread_review.service.labeling.model import Batch, Job
from overread_review.service.model import Answer
from overread_review.service.output import timestamp
from overread_templates import S3Location, parse_s3_location


@dataclass(frozen=True, slots=True)
class Answered:
    """An object with its manifest line and every answer to it; `contents` are in the answers' order."""

    line: int
    row: Mapping[str, Any]
    answers: tuple[Answer, ...]
    contents: tuple[Any, ...]

    @property
    def id(self) -> str:
        """Its datasetObjectId."""
        return str(self.line)


def location(uri: str) -> S3Location:
    """Where an `s3://` address is.

    Raises:
        ValueError: it is none.
    """
    found = parse_s3_location(uri)
    if found is None:
        raise ValueError(f"must be an S3 address of an object, got {uri[:200]!r}")
    return found


def worker_response_uri(job: Job, batch: Batch, answered: Answered) -> str:
    """Where the answers to one object are: written again, they are at the same address."""
    last = max(answer.submitted_at for answer in answered.answers)
    folder = f"{job.output_path}/annotations/worker-response/iteration-{batch.number + 1}"
    return f"{folder}/{answered.id}/{_file_time(last)}.json"


def worker_response(answered: Answered, *, region: str) -> bytes:
    """The file of the answers to one object."""
    answers = [
        {
            "acceptanceTime": timestamp(answer.accepted_at),
            "answerContent": content,
            "submissionTime": timestamp(answer.submitted_at),
            "timeSpentInSeconds": round(answer.worked_s, 3),
            "workerId": worker_id(answer, region=region),
            "workerMetadata": {
                "identityData": {
                    "identityProviderType": answer.identity_provider,
                    "issuer": answer.issuer,
                    "sub": answer.sub,
                }
            },
        }
        for answer, content in zip(answered.answers, answered.contents, strict=True)
    ]
    return _json({"answers": answers})


def worker_id(answer: Answer, *, region: str) -> str:
    """A worker as Ground Truth's files name them."""
    return f"private.{region}.{answer.worker_id}"


def request_uri(job: Job, batch: Batch) -> str:
    """Where the payload of a batch's consolidation is."""
    return _consolidation_uri(job, batch, "consolidation-request")


def response_uri(job: Job, batch: Batch) -> str:
    """Where the answer of a batch's consolidation is."""
    return _consolidation_uri(job, batch, "consolidation-response")


def payload(objects: Sequence[Answered], *, region: str) -> bytes:
    """What a consolidation function reads."""
    return _json(
        [
            {
                "datasetObjectId": each.id,
                "dataObject": _data_object(each.row),
                "annotations": [
                    {
                        "workerId": worker_id(answer, region=region),
                        "annotationData": {"content": json.dumps(content, ensure_ascii=False)},
                    }
                    for answer, content in zip(each.answers, each.contents, strict=True)
                ],
            }
            for each in objects
        ]
    )


def part_key(job: Job, number: int, *, lines: bytes) -> str:
    """Where the service keeps these finished lines of a batch: two that differ lie apart."""
    return f"labeling/{job.key}/{number:08}-{hashlib.sha256(lines).hexdigest()[:16]}.jsonl"


def response(made: object) -> bytes:
    """The answer of a batch's consolidation, whatever it is."""
    return json.dumps(made, separators=(",", ":")).encode()


def lines_bytes(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Lines of a manifest."""
    return b"".join(_json(row) + b"\n" for row in rows)


def _data_object(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"s3Uri": row["source-ref"]} if "source-ref" in row else {"content": row.get("source", "")}


def _consolidation_uri(job: Job, batch: Batch, folder: str) -> str:
    opened = batch.opened_at or job.resource.created_at
    return (
        f"{job.output_path}/annotations/consolidated-annotation/{folder}/iteration-{batch.number + 1}/"
        f"{_file_time(opened)}.json"
    )


def _file_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d_%H:%M:%S")


def _json(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
