"""Tags of task UIs, flow definitions, work teams and labeling jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from overread.review import limits
from overread_review.service.errors import RequestInvalidError
from overread_review.service.model import Resource, ResourceKind
from overread_review.service.resources import Resources, tags_of
from overread_review.service.settings import ServiceSettings

_TAGGED = {
    "flow-definition/": ResourceKind.FLOW_DEFINITION,
    "human-task-ui/": ResourceKind.HUMAN_TASK_UI,
    "labeling-job/": ResourceKind.LABELING_JOB,
    "workteam/private-crowd/": ResourceKind.WORKTEAM,
}


class Tags:
    """ListTags, AddTags and DeleteTags."""

    def __init__(self, *, resources: Resources, settings: ServiceSettings) -> None:
        self._resources = resources
        self._settings = settings

    def list(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """ListTags; all of them in one page, as a resource has 50 at most."""
        return _document(self._resource(params["ResourceArn"]))

    def add(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """AddTags; keys that are there get the new value."""
        added = tags_of(params["Tags"])

        def merged(newest: Resource) -> Resource:
            tags = {**newest.tags, **added}
            if not limits.TAGS.allows(len(tags)):
                raise RequestInvalidError(f"A resource can have at most {limits.TAGS.maximum} tags")
            return replace(newest, tags=tags)

        return _document(self._resources.change(self._resource(params["ResourceArn"]), by=merged))

    def remove(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteTags."""
        keys = frozenset(params["TagKeys"])
        self._resources.change(
            self._resource(params["ResourceArn"]),
            by=lambda newest: replace(newest, tags={k: v for k, v in newest.tags.items() if k not in keys}),
        )
        return {}

    def _resource(self, arn: str) -> Resource:
        path = arn.removeprefix(self._settings.arn(""))
        if path == arn:
            raise RequestInvalidError(f"Invalid ARN '{arn}': not of this account and region")
        for prefix, kind in _TAGGED.items():
            if path.startswith(prefix):
                found = self._resources.find(kind, name=path.removeprefix(prefix))
                if found is None:
                    raise RequestInvalidError(f"The resource {arn} does not exist")
                return found
        raise RequestInvalidError(f"Invalid resource type: {path.split('/', 1)[0]}")


def _document(resource: Resource) -> dict[str, Any]:
    return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(resource.tags.items())]}
