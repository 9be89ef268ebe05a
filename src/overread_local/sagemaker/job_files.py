"""The objects of jobs in the emulator's S3: inputs listed and fetched, results stored."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from overread_local.state import ACCOUNT, REGION


class StorageFault(Exception):  # noqa: N818 - an outcome of a job, not a defect
    """S3 does not give or take what the job names."""


class JobFiles:
    """S3 as jobs use it; every method blocks."""

    def __init__(self, emulator_url: str) -> None:
        self._url = emulator_url
        self._kept: dict[str, Any] = {}
        self._making = Lock()

    def client(self, service: str) -> Any:
        """A client of the emulator with the account's own key, made on first use."""
        with self._making:  # boto3 makes clients in one thread at a time only
            if service not in self._kept:
                self._kept[service] = boto3.client(
                    service,
                    endpoint_url=self._url,
                    region_name=REGION,
                    aws_access_key_id=ACCOUNT,
                    aws_secret_access_key="local",  # noqa: S106 - the emulator's root-like key has no secret
                    config=Config(retries={"total_max_attempts": 2}),
                )
            return self._kept[service]

    def objects(self, source: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        """Bucket, key and name below the prefix of every object of an S3DataSource.

        Raises:
            StorageFault: nothing is there, or S3 refuses.
        """
        uri = source["S3Uri"]
        bucket, key = split(uri)
        try:
            if source["S3DataType"] == "ManifestFile":
                found = list(_manifest(json.loads(self._get(bucket, key))))
            else:
                found = list(self._below(bucket, key))
        except (ClientError, BotoCoreError, ValueError) as error:
            raise StorageFault(f"{uri}: {error}") from error
        if not found:
            raise StorageFault(f"No S3 objects found under S3 URL {uri}")
        return found

    def read(self, bucket: str, key: str) -> bytes:
        """One object.

        Raises:
            StorageFault: S3 does not give it.
        """
        try:
            return self._get(bucket, key)
        except (ClientError, BotoCoreError) as error:
            raise StorageFault(f"s3://{bucket}/{key}: {error}") from error

    def fetch(self, source: Mapping[str, Any], *, folder: Path) -> None:
        """Writes every object of a source below `folder`.

        Raises:
            StorageFault: as `objects` and `read`; or a key leads out of the folder.
        """
        for bucket, key, name in self.objects(source):
            path = (folder / name).resolve()
            if not path.is_relative_to(folder.resolve()):
                raise StorageFault(f"s3://{bucket}/{key} leads out of the channel's folder")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.read(bucket, key))

    def write(self, uri: str, content: bytes) -> None:
        """Stores one object.

        Raises:
            StorageFault: S3 does not take it.
        """
        bucket, key = split(uri)
        try:
            self.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
        except (ClientError, BotoCoreError) as error:
            raise StorageFault(f"{uri}: {error}") from error

    def _get(self, bucket: str, key: str) -> bytes:
        body: bytes = self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def _below(self, bucket: str, prefix: str) -> Iterator[tuple[str, str, str]]:
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            for entry in page.get("Contents", ()):
                key = entry["Key"]
                if not key.endswith("/"):
                    yield bucket, key, key[len(prefix) :].lstrip("/") or key.rsplit("/", 1)[-1]


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of an s3:// address.

    Raises:
        StorageFault: it is none.
    """
    parts = urlsplit(uri)
    if parts.scheme != "s3" or not parts.netloc:
        raise StorageFault(f"'{uri}' is not an S3 address")
    return parts.netloc, parts.path.lstrip("/")


def _manifest(entries: Any) -> Iterator[tuple[str, str, str]]:
    """The objects of a ManifestFile: `[{"prefix": "s3://bucket/start/"}, "name", …]`."""
    if not isinstance(entries, list) or not entries or not isinstance(entries[0], dict):
        raise ValueError('a manifest file is a list whose first element is {"prefix": "s3://…"}')
    bucket, prefix = split(entries[0]["prefix"])
    for name in entries[1:]:
        yield bucket, prefix + name, name
