"""S3 objects of labeling jobs, each read and written in the name of its job's role."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, cast

from botocore.exceptions import BotoCoreError, ClientError, IncompleteReadError, ParamValidationError

from overread_aws.failures import RETRYABLE_CODES, error_code, error_message
from overread_aws.review_documents import ClientOfRole
from overread_review.service.errors import DocumentRefusedError, DocumentUnavailableError
from overread_review.service.labeling.ports import ObjectHead
from overread_templates import S3Location

_PART = 8 * 1024 * 1024
"""S3 takes 10,000 parts of at least 5 MiB: 80 GB of lines."""


class S3LabelingObjects:
    """Implements `overread_review.service.labeling.ports.LabelingObjects`."""

    def __init__(self, client_of_role: ClientOfRole) -> None:
        self._client_of_role = client_of_role

    def head(self, location: S3Location, *, role_arn: str) -> ObjectHead:
        """What is stored there."""
        reply = _call(self._client_of_role(role_arn).head_object, location)
        return ObjectHead(size=reply["ContentLength"], etag=reply["ETag"])

    @contextmanager
    def open(self, location: S3Location, *, role_arn: str) -> Iterator[BinaryIO]:
        """The object as a stream."""
        body = _call(self._client_of_role(role_arn).get_object, location)["Body"]
        try:
            yield cast(BinaryIO, body)
        except (BotoCoreError, IncompleteReadError) as error:
            raise DocumentUnavailableError(f"S3: {error}") from error
        finally:
            body.close()

    def read(self, location: S3Location, *, role_arn: str, begin: int, end: int, etag: str) -> bytes:
        """The bytes `[begin, end)` of the object with that etag; refused when another lies there."""
        client = self._client_of_role(role_arn)
        reply = _call(client.get_object, location, Range=f"bytes={begin}-{end - 1}", IfMatch=etag)
        try:
            body: bytes = reply["Body"].read()
        except BotoCoreError as error:
            raise DocumentUnavailableError(f"S3: {error}") from error
        return body

    def write(self, location: S3Location, body: bytes, *, role_arn: str, kms_key_id: str) -> None:
        """Store an object."""
        client = self._client_of_role(role_arn)
        _call(client.put_object, location, Body=body, **_encryption(kms_key_id))

    def write_parts(
        self, location: S3Location, parts: Iterable[bytes], *, role_arn: str, kms_key_id: str
    ) -> None:
        """Store an object that is never whole in memory."""
        large = _large(parts)
        first, second = next(large, b""), next(large, None)
        if second is None:
            self.write(location, first, role_arn=role_arn, kms_key_id=kms_key_id)
            return
        client = self._client_of_role(role_arn)
        upload = _call(client.create_multipart_upload, location, **_encryption(kms_key_id))["UploadId"]
        try:
            done = []
            for number, part in enumerate(_after(first, second, large), start=1):
                reply = _call(client.upload_part, location, UploadId=upload, PartNumber=number, Body=part)
                done.append({"PartNumber": number, "ETag": reply["ETag"]})
            whole = {"Parts": done}
            _call(client.complete_multipart_upload, location, UploadId=upload, MultipartUpload=whole)
        except BaseException:
            # Parts of an upload that nobody completes are kept, and paid for.
            with suppress(BotoCoreError, ClientError):
                client.abort_multipart_upload(Bucket=location.bucket, Key=location.key, UploadId=upload)
            raise


def _after(first: bytes, second: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    yield first
    yield second
    yield from rest


def _large(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in parts that S3 takes, of which only the last may be small."""
    kept: list[bytes] = []
    size = 0
    for part in parts:
        kept.append(part)
        size += len(part)
        if size >= _PART:
            yield b"".join(kept)
            kept, size = [], 0
    if kept:
        yield b"".join(kept)


def _encryption(kms_key_id: str) -> dict[str, str]:
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key_id} if kms_key_id else {}


def _call(call: Callable[..., Any], location: S3Location, **request: Any) -> Any:
    try:
        return call(Bucket=location.bucket, Key=location.key, **request)
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        code = error_code(error)
        place = f"s3://{location.bucket}/{location.key}"
        if code in {"PreconditionFailed", "412"}:
            raise DocumentRefusedError(f"{place} was changed after the job had begun") from error
        message = f"{place}: {error.operation_name}: {code} {error_message(error)}".rstrip()
        if status >= 500 or code in RETRYABLE_CODES or code == "RequestTimeout":
            raise DocumentUnavailableError(message) from error
        raise DocumentRefusedError(message) from error
    except ParamValidationError as error:
        raise DocumentRefusedError(f"s3://{location.bucket}/{location.key}: {error}") from error
    except BotoCoreError as error:
        raise DocumentUnavailableError(f"S3: {error}") from error
