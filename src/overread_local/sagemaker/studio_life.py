"""What domains, user profiles, spaces and apps share: a status that lags, and an end after Deleting."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from overread_local.sagemaker.errors import ResourceInUse
from overread_local.sagemaker.records import Clock, Record, Records

PENDING = frozenset({"Pending", "Updating"})
_IDLE = frozenset({"InService", "Failed", "Update_Failed", "Delete_Failed"})
Outcome = Callable[[Record], str]


class Lifecycle:
    """Changes of status after the reply, as on AWS; `outcome` says why a resource fails, empty when not."""

    def __init__(self, records: Records, *, clock: Clock, status_lag_s: float) -> None:
        self.records = records
        self.clock = clock
        self._status_lag_s = status_lag_s
        self._tasks: set[asyncio.Task[None]] = set()

    def settle(self, record: Record, *, outcome: Outcome = lambda _record: "") -> None:
        """InService after the lag, or Failed with a reason."""
        self._spawn(self._settle(record, outcome))

    def vanish(self, record: Record, *, status: str = "") -> None:
        """Deleting now; after the lag gone, or kept with `status`."""
        self.change(record, "Deleting")
        self._spawn(self._vanish(record, status))

    def resume(self, kind: str, *, outcome: Outcome = lambda _record: "", deleted: str = "") -> None:
        """Goes on with what a stopped emulator left half done."""
        for record in self.records.of_kind(kind):
            if record.document["Status"] in PENDING:
                self.settle(record, outcome=outcome)
            elif record.document["Status"] == "Deleting":
                self.vanish(record, status=deleted)

    def change(self, record: Record, status: str) -> None:
        record.document["Status"] = status
        if "LastModifiedTime" in record.document:
            record.document["LastModifiedTime"] = self.clock()
        self.records.put(record)

    async def _settle(self, record: Record, outcome: Outcome) -> None:
        await asyncio.sleep(self._status_lag_s)
        if self.records.get(record.arn) is not record or record.document["Status"] not in PENDING:
            return
        if reason := outcome(record):
            record.document["FailureReason"] = reason
        self.change(record, "Failed" if reason else "InService")

    async def _vanish(self, record: Record, status: str) -> None:
        await asyncio.sleep(self._status_lag_s)
        if status:
            self.change(record, status)
        else:
            self.records.remove(record.arn)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def check_idle(record: Record) -> None:
    """Refuses work on what changes already.

    Raises:
        ResourceInUse: it is Pending, Updating or Deleting.
    """
    if (status := record.document["Status"]) not in _IDLE:
        raise ResourceInUse(f"{record.arn} is {status}; wait until it is InService.")


def check_unused(record: Record, users: list[str], *, noun: str) -> None:
    """Refuses to delete what others are made in.

    Raises:
        ResourceInUse: with the names of `users`.
    """
    if users:
        raise ResourceInUse(
            f"Unable to delete {record.arn} because {noun}(s) [{', '.join(users)}] are associated with it."
        )
