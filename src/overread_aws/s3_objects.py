"""Inputs and review outputs in S3, always one known version of them."""

import base64
import hashlib
from typing import Any

from overread.decisions.ports import ReadObject
from overread.decisions.record import StoredObject
from overread.errors import PoisonedAnswerError, RetryableError, ServiceError
from overread_aws.failures import calling

INPUT_PREFIX = "inputs/"
OUTPUT_BYTES = 16 * 1024 * 1024


class S3Inputs:
    """The port `Inputs`: `inputs/{use case}/{sha256}.json`."""

    def __init__(self, client: Any, *, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, body: bytes, *, use_case: str, sha256: str) -> StoredObject:
        """Stores the input; S3 checks it against the hash."""
        key = f"{INPUT_PREFIX}{use_case}/{sha256}.json"
        with calling("PutObject"):
            reply = self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=body,
                ContentType="application/json",
                ChecksumSHA256=base64.b64encode(bytes.fromhex(sha256)).decode(),
            )
        return StoredObject(
            bucket=self._bucket, key=key, version_id=reply.get("VersionId", ""), sha256=sha256
        )

    def read(self, stored: StoredObject) -> bytes:
        """The bytes of that very version."""
        version = {"VersionId": stored.version_id} if stored.version_id else {}
        with calling("GetObject"):
            reply = self._client.get_object(Bucket=stored.bucket, Key=stored.key, **version)
            body: bytes = reply["Body"].read()
        return body


class S3Outputs:
    """The port `Outputs`, for one bucket."""

    def __init__(self, client: Any, *, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def read(self, uri: str) -> ReadObject:
        """The newest version of the object, and which one that is.

        Raises:
            PoisonedAnswerError: the address lies in another bucket, or the object is too large.
            RetryableError: it is not there or not readable yet; outputs may come late, and keys come back.
        """
        scheme, _, rest = uri.partition("://")
        bucket, _, key = rest.partition("/")
        if scheme != "s3" or bucket != self._bucket or not key:
            raise PoisonedAnswerError("output_elsewhere", uri[:200])
        try:
            with calling("GetObject"):
                reply = self._client.get_object(Bucket=bucket, Key=key)
                if reply["ContentLength"] > OUTPUT_BYTES:
                    raise PoisonedAnswerError("output_too_large", f"{reply['ContentLength']} bytes")
                body: bytes = reply["Body"].read()
        except ServiceError as error:
            raise RetryableError(error.code, operation=error.operation, message=error.message) from error
        stored = StoredObject(
            bucket=bucket,
            key=key,
            version_id=reply.get("VersionId", ""),
            sha256=hashlib.sha256(body).hexdigest(),
        )
        return ReadObject(body=body, stored=stored)
