"""The roster in force: a pointer in the table of decisions, and the document under its hash in a bucket."""

import hashlib
from typing import Any

from overread.errors import InvalidRosterError, PermanentError
from overread.review.roster import Roster, parse_roster
from overread_aws.decision_table import DecisionTable, Key
from overread_aws.failures import calling

ROSTER_KEY: Key = ("ROSTER", "ROSTER")
_OPERATION = "GetObject"


def roster_object(sha256: str) -> str:
    """The key of the object that holds the roster of that hash."""
    return f"rosters/{sha256}.json"


class S3Rosters:
    """The port `Rosters`. A document never changes under its hash, so the last one read is kept."""

    def __init__(self, client: Any, s3: Any, *, table: str, bucket: str) -> None:
        self._table = DecisionTable(client, name=table)
        self._s3 = s3
        self._bucket = bucket
        self._kept: tuple[str, Roster] | None = None

    def current(self) -> Roster | None:
        """The roster in force as of now, None when there never was one.

        Raises:
            PermanentError: the object is not what its hash says, or no roster: nobody may decide by it.
        """
        item = self._table.get(ROSTER_KEY)
        if item is None or not item["sha256"]:
            return None
        sha256: str = item["sha256"]
        if self._kept is None or self._kept[0] != sha256:
            self._kept = sha256, self._read(sha256)
        return self._kept[1]

    def body(self, sha256: str) -> bytes:
        """The document of that hash, whether it is in force or only proposed.

        Raises:
            PermanentError: the object is not what its hash says.
        """
        key = roster_object(sha256)
        with calling(_OPERATION):
            body: bytes = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        if hashlib.sha256(body).hexdigest() != sha256:
            raise PermanentError("RosterAltered", operation=_OPERATION, message=key)
        return body

    def _read(self, sha256: str) -> Roster:
        try:
            return parse_roster(self.body(sha256))
        except InvalidRosterError as error:
            raise PermanentError("RosterUnreadable", operation=_OPERATION, message=str(error)) from error
