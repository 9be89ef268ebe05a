"""The review service's documents in S3: its own bucket, and its users' objects in the name of their role."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from overread_review.service.errors import DocumentRefusedError, DocumentUnavailableError
from overread_templates import S3Location

ClientOfRole = Callable[[str], Any]
"""Gives an S3 client that acts as the role of that ARN."""

_DELETE_BATCH = 1000


class S3ReviewDocuments:
    """Implements `overread_review.service.ports.Documents`.

    `client` reads and writes the service's own `bucket`; outputs are written and inputs signed with the
    client that `client_of_role` gives, so that a flow definition reaches no more than its role does.
    """

    def __init__(self, client: Any, *, bucket: str, client_of_role: ClientOfRole) -> None:
        self._client = client
        self._bucket = bucket
        self._client_of_role = client_of_role

    def put(self, key: str, body: bytes) -> None:
        """Keep `body` under `key`."""
        _call(self._client.put_object, Bucket=self._bucket, Key=key, Body=body)

    def get(self, key: str) -> bytes:
        """The body kept under `key`."""
        reply = _call(self._client.get_object, Bucket=self._bucket, Key=key)
        body: bytes = reply["Body"].read()
        return body

    def delete(self, keys: Sequence[str]) -> None:
        """Forget the bodies kept under `keys`."""
        for start in range(0, len(keys), _DELETE_BATCH):
            objects = [{"Key": key} for key in keys[start : start + _DELETE_BATCH]]
            reply = _call(
                self._client.delete_objects, Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True}
            )
            for fault in reply.get("Errors", ()):
                raise DocumentUnavailableError(f"S3 DeleteObjects: {fault['Code']}: {fault['Key']}")

    def address(self, key: str, *, expires_s: int) -> str:
        """An address under which the body kept under `key` can be read for a while."""
        return _presigned(self._client, S3Location(self._bucket, key), expires_s=expires_s)

    def write_output(
        self,
        location: S3Location,
        body: bytes,
        *,
        role_arn: str,
        kms_key_id: str,
        metadata: Mapping[str, str],
    ) -> None:
        """Write an output document, with metadata of the object, as the flow definition's role."""
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key_id} if kms_key_id else {}
        _call(
            self._client_of_role(role_arn).put_object,
            Bucket=location.bucket,
            Key=location.key,
            Body=body,
            ContentType="application/json",
            Metadata=dict(metadata),
            **encryption,
        )

    def sign_url(self, location: S3Location, *, role_arn: str, expires_s: int) -> str:
        """An address under which a browser can read the object for a while, with the role's permissions."""
        return _presigned(self._client_of_role(role_arn), location, expires_s=expires_s)


def _presigned(client: Any, location: S3Location, *, expires_s: int) -> str:
    params = {"Bucket": location.bucket, "Key": location.key}
    url: str = client.generate_presigned_url("get_object", Params=params, ExpiresIn=expires_s)
    return url


def _call(call: Callable[..., Any], **request: Any) -> Any:
    try:
        return call(**request)
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        code = error.response["Error"]["Code"]
        message = f"S3 {error.operation_name}: {code}: {error.response['Error'].get('Message', '')}"
        if status >= 500 or code in {"SlowDown", "RequestTimeout", "Throttling"}:
            raise DocumentUnavailableError(message) from error
        raise DocumentRefusedError(message) from error
    except BotoCoreError as error:
        raise DocumentUnavailableError(f"S3: {error}") from error
