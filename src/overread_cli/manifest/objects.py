"""Whether the S3 objects that a manifest names are there, asked for a thousand lines at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from overread.labeling.manifest import Code, is_s3_uri
from overread.labeling.manifest_check import CheckedLine, ManifestCheck
from overread_aws.clients import make_client
from overread_aws.s3_presence import Presence, presences

_AT_ONCE = 1000
_REASONS = {
    Presence.MISSING: (Code.OBJECT_MISSING, "is not there"),
    Presence.DENIED: (Code.OBJECT_UNREADABLE, "may not be read, or is not there"),
}


class NotAskedError(click.ClickException):
    """Whether objects are there is not known."""

    exit_code = 2


def asked_of_s3(client: Any, uris: Sequence[str]) -> Iterable[Presence]:
    """The presence of each object.

    Raises:
        NotAskedError: S3 cannot be asked.
    """
    try:
        return list(presences(client, uris))
    except (BotoCoreError, ClientError) as error:
        raise NotAskedError(f"S3 could not be asked: {error}") from error


def with_missing_objects(lines: Iterable[CheckedLine], *, check: ManifestCheck) -> Iterator[CheckedLine]:
    """The lines in their order, with a fault more where the object is not there; asked with the credentials
    of this process."""
    waiting, client = iter(lines), make_client("s3")
    while some := list(islice(waiting, _AT_ONCE)):
        uris = [_uri(line) for line in some]
        found = iter(asked_of_s3(client, [uri for uri in uris if uri]))
        for line, uri in zip(some, uris, strict=True):
            presence = next(found) if uri else Presence.THERE
            if presence is Presence.THERE:
                yield line
            else:
                code, reason = _REASONS[presence]
                yield check.add(line, code, f"{uri[:200]} {reason}")


def _uri(line: CheckedLine) -> str:
    uri = line.row.get("source-ref") if line.row is not None else None
    return uri if isinstance(uri, str) and is_s3_uri(uri) else ""
