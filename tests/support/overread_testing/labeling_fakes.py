"""Fakes of what labeling jobs need from outside: S3 objects and Lambda functions."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

from overread_review.service.errors import DocumentRefusedError, DocumentUnavailableError
from overread_review.service.labeling.ports import CallFailed, ObjectHead
from overread_templates import S3Location

Function = Callable[[Mapping[str, Any]], Any]


class FakeObjects:
    """LabelingObjects in memory, by `s3://` address."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self.is_down = False

    def put(self, uri: str, body: bytes | str) -> str:
        """Store an object as its owner would."""
        self.bodies[uri] = body.encode() if isinstance(body, str) else body
        return uri

    def lines(self, uri: str) -> list[dict[str, Any]]:
        """The JSON lines of an object."""
        return [json.loads(line) for line in self.bodies[uri].splitlines()]

    def under(self, uri: str) -> list[str]:
        """The addresses that begin with `uri`."""
        return sorted(one for one in self.bodies if one.startswith(uri))

    def head(self, location: S3Location, *, role_arn: str) -> ObjectHead:
        body = self._body(location)
        return ObjectHead(size=len(body), etag=_etag(body))

    @contextmanager
    def open(self, location: S3Location, *, role_arn: str) -> Iterator[BinaryIO]:
        yield io.BytesIO(self._body(location))

    def read(self, location: S3Location, *, role_arn: str, begin: int, end: int, etag: str) -> bytes:
        body = self._body(location)
        if _etag(body) != etag:
            raise DocumentRefusedError(f"{_uri(location)} was changed after the job had begun")
        return body[begin:end]

    def write(self, location: S3Location, body: bytes, *, role_arn: str, kms_key_id: str) -> None:
        self._check()
        self.bodies[_uri(location)] = body

    def write_parts(
        self, location: S3Location, parts: Iterable[bytes], *, role_arn: str, kms_key_id: str
    ) -> None:
        self._check()
        self.bodies[_uri(location)] = b"".join(parts)

    def _body(self, location: S3Location) -> bytes:
        self._check()
        if _uri(location) not in self.bodies:
            raise DocumentRefusedError(f"{_uri(location)}: GetObject: NoSuchKey")
        return self.bodies[_uri(location)]

    def _check(self) -> None:
        if self.is_down:
            raise DocumentUnavailableError("S3: down")


class FakeFunctions:
    """AnnotationFunctions in memory, by ARN; `calls` are the events of all."""

    def __init__(self) -> None:
        self.functions: dict[str, Function] = {}
        self.calls: list[tuple[str, Mapping[str, Any]]] = []

    def call(self, arn: str, events: Sequence[Mapping[str, Any]], *, role_arn: str) -> list[Any | CallFailed]:
        if arn not in self.functions:
            raise DocumentRefusedError(f"Lambda {arn}: ResourceNotFoundException")
        return [self._called(arn, event) for event in events]

    def _called(self, arn: str, event: Mapping[str, Any]) -> Any | CallFailed:
        self.calls.append((arn, event))
        try:
            return json.loads(json.dumps(self.functions[arn](event)))
        except ValueError as error:
            return CallFailed(f"ValueError: {error}")


def _uri(location: S3Location) -> str:
    return f"s3://{location.bucket}/{location.key}"


def _etag(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
