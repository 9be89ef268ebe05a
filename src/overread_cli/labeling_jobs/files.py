"""A job's files in S3: manifests as streams, and all answers of workers, several at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import click
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from overread_cli.review.targets import Target, sentence_of

_AT_ONCE = 16
_AHEAD = 64
"""Downloads that are begun before their turn: the memory that a report takes of them."""


@dataclass(frozen=True, slots=True)
class Place:
    """An object, or a folder, in S3."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def place_of(uri: str) -> Place:
    """Where an address of S3 is.

    Raises:
        click.ClickException: it is none.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket or not key:
        raise click.ClickException(f"must be an address such as s3://BUCKET/KEY, got {uri[:200]!r}")
    return Place(bucket, key)


@contextmanager
def opened(target: Target, source: str) -> Iterator[BinaryIO]:
    """The bytes of a file, or of an object at an `s3://` address.

    Raises:
        click.ClickException: it cannot be read.
    """
    with reading(source):
        if not source.startswith("s3://"):
            with Path(source).open("rb") as file:
                yield file
            return
        place = place_of(source)
        body = target.s3.get_object(Bucket=place.bucket, Key=place.key)["Body"]
        try:
            yield body
        finally:
            body.close()


def download(target: Target, uri: str, *, to: Path) -> None:
    """Writes an object of S3 to a file, in parts that are tried again.

    Raises:
        click.ClickException: it cannot be read, or the file cannot be written.
    """
    place = place_of(uri)
    with reading(uri):
        target.s3.download_file(place.bucket, place.key, str(to))


@contextmanager
def reading(source: str) -> Iterator[None]:
    """Says in one sentence that `source` cannot be read."""
    try:
        yield
    except OSError as error:
        raise click.ClickException(f"{source}: {error.strerror or error}") from error
    except (ClientError, BotoCoreError, HTTPClientError) as error:
        raise click.ClickException(f"{source}: {sentence_of(error)}") from error


@dataclass(frozen=True, slots=True)
class WorkerResponse:
    """One file of answers: whose object, where it is, and its JSON text."""

    object_id: str
    uri: str
    text: str


def worker_responses(
    target: Target, folder: str, *, say: Callable[[str], None] = lambda _: None
) -> Iterator[WorkerResponse]:
    """Every file of workers' answers under a job's folder, in the order of their keys.

    A few dozen are in memory at a time. Where an object was asked again, its files come one after another.

    Raises:
        click.ClickException: S3 cannot be read.
    """
    place = place_of(f"{folder.rstrip('/')}/annotations/worker-response/")
    with reading(str(place)), ThreadPoolExecutor(_AT_ONCE) as pool:
        keys = iter(_keys(target.s3, place))
        waiting: deque[tuple[str, Future[bytes]]] = deque()

        def begin(count: int) -> None:
            for key in islice(keys, count):
                waiting.append((key, pool.submit(_body, target.s3, place.bucket, key)))

        begin(_AHEAD)
        done = 0
        try:
            while waiting:
                key, body = waiting.popleft()
                text = body.result().decode("utf-8", "replace")
                begin(1)
                done += 1
                if done % 100 == 0:
                    say(f"{done:,} objects' answers")
                yield WorkerResponse(key.rsplit("/", 2)[-2], f"s3://{place.bucket}/{key}", text)
        finally:
            for _, body in waiting:
                body.cancel()


def _keys(s3: Any, place: Place) -> Iterator[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=place.bucket, Prefix=place.key)
    return (
        one["Key"]
        for page in pages
        for one in page.get("Contents", [])
        if one["Key"].endswith(".json") and one["Key"].count("/") >= place.key.count("/") + 2
    )


def _body(s3: Any, bucket: str, key: str) -> bytes:
    body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return body
