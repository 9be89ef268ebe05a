"""Control-plane resources with their statuses: they become active, and vanish, a moment after the call."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from overread.review import limits
from overread_review.service.errors import (
    RecordChangedError,
    RecordExistsError,
    RequestInvalidError,
    ResourceTakenError,
)
from overread_review.service.model import Resource, ResourceKind
from overread_review.service.ports import Clock, ReviewStore
from overread_review.service.settings import ServiceSettings

_WRITE_ATTEMPTS = 8
_DEFAULT_PAGE = 10


class Resources:
    """Reads and writes resources of all kinds; the single kinds' rules lie in their own modules."""

    def __init__(self, *, store: ReviewStore, clock: Clock, settings: ServiceSettings) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings

    def now(self) -> datetime:
        """The time."""
        return self._clock()

    @property
    def lag(self) -> timedelta:
        """How long a status lags behind the call."""
        return timedelta(seconds=self._settings.status_lag_s)

    def find(self, kind: ResourceKind, *, name: str) -> Resource | None:
        """The resource, also while it is being deleted; once its deletion is over it is not found."""
        found = self._store.find_resource(kind, name=name)
        if found is None or not self._is_gone(found):
            return found
        try:
            self._store.delete_resource(found)
        except RecordChangedError:
            return self._store.find_resource(kind, name=name)
        return None

    def live(self, kind: ResourceKind) -> list[Resource]:
        """All resources of a kind whose deletion is not over."""
        return [found for found in self._store.list_resources(kind) if not self._is_gone(found)]

    def _is_gone(self, resource: Resource) -> bool:
        if resource.deleted_at is None or self._clock() < resource.deleted_at + self.lag:
            return False
        if resource.kind is ResourceKind.FLOW_DEFINITION:
            return self._store.count_open_loops(resource.arn) == 0
        return True

    def create(self, kind: ResourceKind, *, name: str, path: str, request: Mapping[str, Any]) -> Resource:
        """A new resource under `path` in its ARN.

        Raises:
            ResourceTakenError: there is one of that name, perhaps still being deleted.
        """
        self.find(kind, name=name)
        now = self._clock()
        members = {member: value for member, value in request.items() if member != "Tags"}
        resource = Resource(
            kind=kind,
            name=name,
            arn=self._settings.arn(path),
            request=members,
            created_at=now,
            updated_at=now,
            tags=tags_of(request.get("Tags", ())),
        )
        try:
            return self._store.create_resource(resource)
        except RecordExistsError as error:
            raise ResourceTakenError(f"{kind} {resource.arn} already exists") from error

    def change(self, resource: Resource, *, by: Callable[[Resource], Resource]) -> Resource:
        """The resource after `by`, applied again to the newest version when others write meanwhile.

        Raises:
            RequestInvalidError: the resource vanished meanwhile, or never came to rest.
        """
        current = resource
        for _ in range(_WRITE_ATTEMPTS):
            try:
                return self._store.replace_resource(by(current))
            except RecordChangedError:
                newest = self._store.find_resource(resource.kind, name=resource.name)
                if newest is None:
                    break
                current = newest
        raise RequestInvalidError(f"{resource.arn} is being changed by another request; try again")

    def delete(self, resource: Resource) -> None:
        """Begin the deletion; nothing changes when it has begun."""
        if resource.deleted_at is None:
            now = self._clock()
            self.change(resource, by=lambda newest: replace(newest, deleted_at=now))

    def remove(self, resource: Resource) -> None:
        """Delete at once, without a status in between."""
        try:
            self._store.delete_resource(resource)
        except RecordChangedError as error:
            raise RequestInvalidError(
                f"{resource.arn} is being changed by another request; try again"
            ) from error


def tags_of(members: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """AWS's list of Key and Value as a mapping.

    Raises:
        RequestInvalidError: a key stands twice, or there are too many tags.
    """
    pairs = [(member["Key"], member["Value"]) for member in members]
    tags = dict(pairs)
    if len(tags) != len(pairs):
        raise RequestInvalidError("Duplicate tag keys are not allowed")
    if not limits.TAGS.allows(len(tags)):
        raise RequestInvalidError(f"A resource can have at most {limits.TAGS.maximum} tags")
    return tags


def page(
    resources: Sequence[Resource], params: Mapping[str, Any], *, by_name: bool = False
) -> tuple[list[Resource], str]:
    """One page of a List call and its NextToken (empty: the last), by the call's own parameters.

    Raises:
        RequestInvalidError: the NextToken is not one of ours.
    """
    after, before = params.get("CreationTimeAfter"), params.get("CreationTimeBefore")
    contains = params.get("NameContains", "")
    chosen = [
        one
        for one in resources
        if (after is None or one.created_at > after)
        and (before is None or one.created_at < before)
        and contains in one.name
    ]

    def key(one: Resource) -> tuple[str, str]:
        return ("" if by_name else one.created_at.isoformat(), one.name)

    descending = params.get("SortOrder", "Ascending" if by_name else "Descending") == "Descending"
    chosen.sort(key=key, reverse=descending)
    if token := params.get("NextToken"):
        last = decode_token(token)
        chosen = [one for one in chosen if (key(one) < last if descending else key(one) > last)]
    size = params.get("MaxResults", _DEFAULT_PAGE)
    following = encode_token(key(chosen[size - 1])) if len(chosen) > size else ""
    return chosen[:size], following


def encode_token(place: tuple[str, str]) -> str:
    """A NextToken that only says where the page ended."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def decode_token(token: str) -> tuple[str, str]:
    """The place behind a NextToken. Raises RequestInvalidError for one that is not ours."""
    try:
        first, second = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, TypeError, RecursionError) as error:
        raise RequestInvalidError("Invalid NextToken") from error
    if not (isinstance(first, str) and isinstance(second, str)):
        raise RequestInvalidError("Invalid NextToken")
    return first, second
