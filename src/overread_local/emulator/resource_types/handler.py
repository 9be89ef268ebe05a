"""What a CloudFormation resource type is made of, and how it is put in ministack's table."""

import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from ministack.core.responses import get_account_id, get_region

Properties = Mapping[str, Any]
Resource = tuple[str, dict[str, Any]]

POLL_EVERY_S = 0.2
WAIT_AT_MOST_S = 120.0


class Clients:
    """boto3 clients of the emulator itself, for the account and region of the stack that is deployed."""

    def __init__(self, emulator_url: str) -> None:
        self._emulator_url = emulator_url
        self._made: dict[tuple[str, str, str], Any] = {}

    def __call__(self, service: str) -> Any:
        key = (service, get_account_id(), get_region())
        if key not in self._made:
            # A session of its own: making clients from the shared one is not safe across threads.
            self._made[key] = boto3.session.Session().client(
                service,
                endpoint_url=self._emulator_url,
                region_name=key[2],
                aws_access_key_id=key[1],
                aws_secret_access_key="local",  # noqa: S106 - the emulator's root-like key has no secret
                config=Config(retries={"total_max_attempts": 3}),
            )
        return self._made[key]


class ResourceType(ABC):
    """One CloudFormation type: create, update in place or by replacement, delete.

    `replaced_by` lists the properties whose change makes a new resource; CloudFormation then deletes the old.
    """

    name: ClassVar[str]
    replaced_by: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    @abstractmethod
    def create(self, props: Properties, *, default_name: str) -> Resource:
        """Makes the resource: physical id and attributes."""

    @abstractmethod
    def delete(self, physical_id: str, props: Properties) -> None:
        """Removes the resource; one that is gone already is a success."""

    def change(self, physical_id: str, props: Properties) -> Resource:
        """Updates the resource in place; types that never do are replaced for every change."""
        raise TypeError(f"{self.name} is never updated in place: {physical_id}")

    def changes_in_place(self, changed: frozenset[str]) -> bool:
        """Whether a change of these properties needs no new resource."""
        return not changed & self.replaced_by

    def handlers(self) -> dict[str, Any]:
        """The entry for ministack's table of resource types."""
        return {
            "create": self._on_create,
            "update": self._on_update,
            "update_with_logical_id": True,
            "delete": self.delete,
        }

    def _on_create(self, logical_id: str, props: Properties, stack_name: str) -> Resource:
        return self.create(props, default_name=generated_name(stack_name, logical_id))

    def _on_update(
        self, physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str
    ) -> Resource:
        changed = frozenset(key for key in {*old, *new} if old.get(key) != new.get(key))
        if self.changes_in_place(changed):
            return self.change(physical_id, new)
        return self.create(new, default_name=generated_name(stack_name, logical_id))


def generated_name(stack_name: str, logical_id: str) -> str:
    """A physical name as CloudFormation makes one: stack, logical id, twelve random characters."""
    tail = uuid.uuid4().hex[:12]
    return f"{stack_name[:24]}-{logical_id[: 63 - 14 - len(stack_name[:24])]}-{tail}"


def ignoring_absence(call: Callable[[], Any], *, absent: Callable[[ClientError], bool]) -> None:
    """Calls a delete operation and takes "there is none" for done.

    Raises:
        ClientError: any other error.
    """
    try:
        call()
    except ClientError as error:
        if not absent(error):
            raise


def wait_until_gone(describe: Callable[[], Any], *, absent: Callable[[ClientError], bool], what: str) -> None:
    """Polls until `describe` says that there is none.

    Raises:
        ClientError: it says something else.
        TimeoutError: it was not gone within two minutes.
    """

    def gone() -> bool:
        try:
            describe()
        except ClientError as error:
            if absent(error):
                return True
            raise
        return False

    wait_until(gone, what=what)


def code_of(error: ClientError) -> str:
    """The AWS error code."""
    return str(error.response["Error"]["Code"])


def message_of(error: ClientError) -> str:
    """The AWS error message."""
    return str(error.response["Error"].get("Message", ""))


def wait_until(done: Callable[[], bool], *, what: str) -> None:
    """Polls until `done`.

    Raises:
        TimeoutError: it was not done within two minutes.
    """
    deadline = time.monotonic() + WAIT_AT_MOST_S
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not settle within {WAIT_AT_MOST_S:.0f} s")
        time.sleep(POLL_EVERY_S)
