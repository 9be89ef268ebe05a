"""Consolidation of a labeling job: the answers of a batch become one label an object, on its own role."""

import re
from collections.abc import Callable
from typing import Any

from overread.labeling.annotation_events import (
    AnsweredObject,
    EventError,
    parse_consolidation_event,
    parse_payload,
)
from overread.labeling.consolidation.answers import RawObject
from overread.labeling.consolidation.batch import consolidate
from overread_aws.clients import make_client
from overread_lambda.entry import entry

Read = Callable[[str], bytes]
"""The content of an S3 address; raises OSError where there is none."""
Write = Callable[[str, bytes], None]


@entry(EventError)
def handler(event: dict[str, Any], context: object) -> list[dict[str, Any]]:
    """What Ground Truth calls with the answers to several objects.

    Raises:
        EventError: the event or its payload is not Ground Truth's.
    """
    s3 = make_client("s3")

    def read(address: str) -> bytes:
        bucket, key = _parts(address)
        try:
            return bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        except s3.exceptions.NoSuchKey as error:
            raise OSError("no such object") from error

    def write(address: str, content: bytes) -> None:
        bucket, key = _parts(address)
        s3.put_object(Bucket=bucket, Key=key, Body=content, ContentType="image/png")

    return answer(event, read=read, write=write)


def answer(event: object, *, read: Read, write: Write) -> list[dict[str, Any]]:
    """The labels of the batch; an object without a valid answer has none, which fails it in Ground Truth.

    A mask's image goes to `consolidated-annotation/output/`, under a name that a second call writes again.
    """
    request = parse_consolidation_event(event)
    objects = [_raw(each, read=read) for each in parse_payload(read(request.payload))]
    made = []
    for each in consolidate(objects, categories=request.categories):
        content = each.content
        if each.png:
            content["ref"] = _image_address(request.payload, object_id=each.id)
            write(content["ref"], each.png)
        made.append(
            {
                "datasetObjectId": each.id,
                "consolidatedAnnotation": {"content": {request.label_attribute: content}},
            }
        )
    return made


def _raw(each: AnsweredObject, *, read: Read) -> RawObject:
    answers, skipped = [], list(each.skipped)
    for one in each.answers:
        try:
            answers.append((one.worker, one.content or read(one.s3_uri).decode()))
        except (OSError, ValueError):
            skipped.append(f"{one.worker}: the answer's file cannot be read")
    return RawObject(each.id, answers, skipped)


def _image_address(payload: str, *, object_id: str) -> str:
    folder, _, rest = payload.partition("/consolidation-request/")
    stem = re.sub(r"[^A-Za-z0-9_.-]", "-", rest.removesuffix(".json")) or "batch"
    return f"{folder if rest else payload.rpartition('/')[0]}/output/{object_id}_{stem}.png"


def _parts(address: str) -> tuple[str, str]:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return bucket, key
