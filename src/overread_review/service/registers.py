"""The service's small records by their keys: people, standings, qualifications, states of queues."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from overread_review.service.errors import RecordChangedError, RecordExistsError, StoreUnavailableError
from overread_review.service.model import Person, Qualification, QueueState, Standing
from overread_review.service.ports import RecordKind, ReviewStore, StoredRecord
from overread_review.service.records import parse_record, record_text

_WRITE_ATTEMPTS = 12


class _Versioned(Protocol):
    @property
    def version(self) -> int: ...


_R = TypeVar("_R", bound=_Versioned)


class Register(Generic[_R]):
    """Records of one dataclass under keys that `key_of` reads from them."""

    def __init__(
        self, store: ReviewStore, *, kind: RecordKind, type_: type[_R], key_of: Callable[[_R], str]
    ) -> None:
        self._store = store
        self._kind = kind
        self._type = type_
        self._key_of = key_of

    def find(self, key: str) -> _R | None:
        """The record under `key` as of now."""
        found = self._store.find_record(self._kind, key=key)
        return None if found is None else self._parsed(found)

    def list(self, *, prefix: str = "") -> list[_R]:
        """All records whose keys begin with `prefix`, by key."""
        return [self._parsed(found) for found in self._store.list_records(self._kind, prefix=prefix)]

    def save(self, record: _R) -> _R:
        """Store the record as new (version 0) or over its own version.

        Raises:
            RecordExistsError: it is not new.
            RecordChangedError: the stored version is another.
        """
        write = self._store.create_record if record.version == 0 else self._store.replace_record
        return self._parsed(write(self._stored(record)))

    def change(self, fresh: _R, *, by: Callable[[_R], _R]) -> _R:
        """The stored record under the key of `fresh` (or `fresh` itself when there is none) after `by`.

        `by` is applied again to the newest version when others write meanwhile; its refusals pass through.
        """
        for _ in range(_WRITE_ATTEMPTS):
            current = self.find(self._key_of(fresh)) or fresh
            changed = by(current)
            if changed == current and current.version:
                return current
            try:
                return self.save(changed)
            except (RecordExistsError, RecordChangedError):
                continue
        raise StoreUnavailableError(f"{self._kind} {self._key_of(fresh)} is being changed; try again")

    def delete(self, record: _R) -> None:
        """Remove exactly this version. Raises RecordChangedError when it is not the stored one."""
        self._store.delete_record(self._stored(record))

    def _stored(self, record: _R) -> StoredRecord:
        return StoredRecord(self._kind, self._key_of(record), record_text(record), record.version)

    def _parsed(self, stored: StoredRecord) -> _R:
        return parse_record(self._type, stored.text, version=stored.version)


def people_register(store: ReviewStore) -> Register[Person]:
    """Everybody who ever signed in or was invited."""
    return Register(store, kind=RecordKind.PERSON, type_=Person, key_of=lambda one: one.key)


def standings_register(store: ReviewStore) -> Register[Standing]:
    """The roster; keys begin with the qualification's name and a slash."""
    return Register(
        store,
        kind=RecordKind.STANDING,
        type_=Standing,
        key_of=lambda one: standing_key(one.qualification, person=one.person),
    )


def standing_key(qualification: str, *, person: str) -> str:
    """The key of a person's standing in a qualification."""
    return f"{qualification}/{person}"


def qualifications_register(store: ReviewStore) -> Register[Qualification]:
    """The qualifications by name."""
    return Register(store, kind=RecordKind.QUALIFICATION, type_=Qualification, key_of=lambda one: one.name)


def queues_register(store: ReviewStore) -> Register[QueueState]:
    """The states of queues, by the flow definition's ARN."""
    return Register(
        store, kind=RecordKind.QUEUE, type_=QueueState, key_of=lambda one: one.flow_definition_arn
    )
