"""The documents that A2I writes and sends: output.json, its address, and the status event's detail."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from overread.instants import format_instant
from overread_review.service.model import Answer, Loop
from overread_templates import S3Location, parse_s3_location


def timestamp(moment: datetime) -> str:
    """`2026-03-02T09:15:04.120Z`: UTC with milliseconds, as in every A2I document."""
    return format_instant(moment)


def output_location(loop: Loop) -> S3Location:
    """Where the output document goes: under the flow definition's path, by the loop's time of creation."""
    base = parse_s3_location(loop.terms.output_path.rstrip("/") + "/")
    prefix = "" if base is None else base.key.strip("/")
    bucket = _bucket(loop.terms.output_path) if base is None else base.bucket
    created = loop.created_at.astimezone(UTC)
    parts = [
        prefix,
        loop.terms.flow_definition_name,
        f"{created:%Y/%m/%d/%H/%M/%S}",
        loop.name,
        "output.json",
    ]
    return S3Location(bucket=bucket, key="/".join(part for part in parts if part))


def _bucket(path: str) -> str:
    return path.split("://", 1)[-1].split("/", 1)[0]


def output_document(
    loop: Loop, *, input_content: Mapping[str, Any], contents: Sequence[Mapping[str, Any]]
) -> bytes:
    """output.json of a custom task; `contents` are the answers' contents in the order of `loop.answers`."""
    document = {
        "flowDefinitionArn": loop.terms.flow_definition_arn,
        "humanAnswers": [
            _human_answer(answer, content=content)
            for answer, content in zip(loop.answers, contents, strict=True)
        ],
        "humanLoopName": loop.name,
        "inputContent": input_content,
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def output_metadata(loop: Loop) -> dict[str, str]:
    """What is kept beside the output document, whose body is A2I's and nothing else."""
    # Metadata of S3 objects are HTTP headers: whatever is not ASCII goes percent-encoded.
    version = quote(loop.terms.guideline_version, safe=" !#$&'()*+,-./:;<=>?@[]^_`{|}~")
    metadata = {"guideline-version": version} if version else {}
    if any(answer.statement_sha256 for answer in loop.answers):
        metadata["statement-sha256"] = loop.statement_sha256
    return metadata


def _human_answer(answer: Answer, *, content: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "acceptanceTime": timestamp(answer.accepted_at),
        "answerContent": content,
        "submissionTime": timestamp(answer.submitted_at),
        "timeSpentInSeconds": round(answer.worked_s, 3),
        "workerId": answer.worker_id,
        "workerMetadata": {
            "identityData": {
                "identityProviderType": answer.identity_provider,
                "issuer": answer.issuer,
                "sub": answer.sub,
            }
        },
    }


def event_detail(loop: Loop) -> dict[str, Any]:
    """The detail of the status-change event of a loop that has ended.

    Everybody's rules on the bus hear it: of a failure's reason it has what went wrong, without the error's
    own words behind the colon, which may quote the task. `DescribeHumanLoop` has both.
    """
    detail: dict[str, Any] = {
        "creationTime": timestamp(loop.created_at),
        "failureCode": None if loop.failure_code is None else str(loop.failure_code),
        "failureReason": loop.failure_reason.partition(": ")[0] or None,
        "flowDefinitionArn": loop.terms.flow_definition_arn,
        "humanLoopArn": loop.arn,
        "humanLoopName": loop.name,
        "humanLoopOutput": {"outputS3Uri": loop.output_uri} if loop.output_uri else None,
        "humanLoopStatus": str(loop.status),
    }
    return detail
