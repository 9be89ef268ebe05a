"""What labeling jobs need from outside beside the service's own ports: S3 objects and Lambda functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

from overread_templates import S3Location


@dataclass(frozen=True, slots=True)
class ObjectHead:
    """How large an object is, and which one of all that were stored at its address."""

    size: int
    etag: str


@dataclass(frozen=True, slots=True)
class CallFailed:
    """Why a function gave no answer: in its own words, or Lambda's."""

    reason: str


class LabelingObjects(Protocol):
    """S3 objects in the name of a job's role.

    Raises DocumentRefusedError for what cannot work, DocumentUnavailableError for what may work later.
    """

    def head(self, location: S3Location, *, role_arn: str) -> ObjectHead:
        """What is stored there."""

    def open(self, location: S3Location, *, role_arn: str) -> AbstractContextManager[BinaryIO]:
        """The object as a stream."""

    def read(self, location: S3Location, *, role_arn: str, begin: int, end: int, etag: str) -> bytes:
        """The bytes `[begin, end)` of the object with that etag; refused when another lies there."""

    def write(self, location: S3Location, body: bytes, *, role_arn: str, kms_key_id: str) -> None:
        """Store an object."""

    def write_parts(
        self, location: S3Location, parts: Iterable[bytes], *, role_arn: str, kms_key_id: str
    ) -> None:
        """Store an object that is never whole in memory."""


class AnnotationFunctions(Protocol):
    """A job's Lambda functions, called in the name of its role."""

    def call(self, arn: str, events: Sequence[Mapping[str, Any]], *, role_arn: str) -> list[Any | CallFailed]:
        """The function's answer to each event, in their order.

        Raises:
            DocumentUnavailableError: Lambda does not take calls now; some may have been made.
            DocumentRefusedError: it never will: no such function, or the role may not call it.
        """
