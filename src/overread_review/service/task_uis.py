"""Human task UIs: worker templates under a name, kept by the hash of their text, and rendered on demand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from overread.review import limits
from overread_review.service.errors import RequestInvalidError, ResourceLimitError, ResourceMissingError
from overread_review.service.model import Resource, ResourceKind
from overread_review.service.nesting import MAX_LEVELS, is_too_deep
from overread_review.service.ports import Documents
from overread_review.service.resources import Resources, page
from overread_review.service.settings import ServiceSettings
from overread_templates import Template, TemplateError, parse_template


class TaskUis:
    """Create, describe, delete, list and render; members are named as in AWS's API."""

    def __init__(self, *, resources: Resources, documents: Documents, settings: ServiceSettings) -> None:
        self._resources = resources
        self._documents = documents
        self._settings = settings

    def create(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """CreateHumanTaskUi. A template whose Liquid is malformed is refused here, not at the first loop."""
        if len(self._resources.live(ResourceKind.HUMAN_TASK_UI)) >= limits.HUMAN_TASK_UIS_PER_ACCOUNT:
            raise ResourceLimitError(
                f"The account-level service limit 'Human task UIs' is {limits.HUMAN_TASK_UIS_PER_ACCOUNT}"
            )
        name, content = params["HumanTaskUiName"], params["UiTemplate"]["Content"]
        try:
            parse_template(content, name=name)
        except TemplateError as error:
            raise RequestInvalidError(
                f"UiTemplate.Content is not a valid Liquid template: {error}"
            ) from error
        sha256 = hashlib.sha256(content.encode()).hexdigest()
        self._documents.put(template_key(sha256), content.encode())
        resource = self._resources.create(
            ResourceKind.HUMAN_TASK_UI,
            name=name,
            path=f"human-task-ui/{name}",
            request={"ContentSha256": sha256, "Tags": params.get("Tags", ())},
        )
        return {"HumanTaskUiArn": resource.arn}

    def describe(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeHumanTaskUi."""
        found = self.named(params["HumanTaskUiName"])
        sha256 = found.request["ContentSha256"]
        return {
            "HumanTaskUiArn": found.arn,
            "HumanTaskUiName": found.name,
            "HumanTaskUiStatus": "Deleting" if found.deleted_at else "Active",
            "CreationTime": found.created_at,
            "UiTemplate": {
                "Url": self._documents.address(template_key(sha256), expires_s=self._settings.read_url_s),
                "ContentSha256": sha256,
            },
        }

    def delete(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteHumanTaskUi. Flow definitions that use it keep their template."""
        found = self.named(params["HumanTaskUiName"])
        if found.deleted_at:
            raise ResourceMissingError(f"Human task UI {found.arn} does not exist")
        self._resources.delete(found)
        return {}

    def list(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """ListHumanTaskUis."""
        chosen, token = page(self._resources.live(ResourceKind.HUMAN_TASK_UI), params)
        summaries = [
            {"HumanTaskUiName": one.name, "HumanTaskUiArn": one.arn, "CreationTime": one.created_at}
            for one in chosen
        ]
        return {"HumanTaskUiSummaries": summaries} | ({"NextToken": token} if token else {})

    def render(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """RenderUiTemplate. What is wrong with template or input comes back in Errors; the call succeeds."""
        inline, arn = params.get("UiTemplate"), params.get("HumanTaskUiArn")
        if (inline is None) == (arn is None):
            raise RequestInvalidError("Exactly one of UiTemplate and HumanTaskUiArn must be given")
        name = "UiTemplate" if arn is None else self._settings.own_name(arn, kind=ResourceKind.HUMAN_TASK_UI)
        text = self.text(self.named(name)) if inline is None else inline["Content"]
        try:
            task_input = json.loads(params["Task"]["Input"])
        except (ValueError, RecursionError) as error:
            return _render_error("InvalidTaskInput", f"Task.Input is not JSON: {error}")
        if not isinstance(task_input, dict):
            return _render_error("InvalidTaskInput", "Task.Input is not a JSON object")
        if is_too_deep(task_input):
            return _render_error("InvalidTaskInput", f"Task.Input is nested deeper than {MAX_LEVELS} levels")
        role_arn, expires_s = params["RoleArn"], self._settings.read_url_s
        try:
            rendered = parse_template(text, name=name).render(
                task_input,
                sign_url=lambda place: self._documents.sign_url(
                    place, role_arn=role_arn, expires_s=expires_s
                ),
            )
        except TemplateError as error:
            return _render_error("TemplateError", str(error))
        return {"RenderedContent": rendered, "Errors": []}

    def named(self, name: str) -> Resource:
        """The task UI of that name. Raises ResourceMissingError."""
        found = self._resources.find(ResourceKind.HUMAN_TASK_UI, name=name)
        if found is None:
            arn = self._settings.arn(f"human-task-ui/{name}")
            raise ResourceMissingError(f"Human task UI {arn} does not exist")
        return found

    def text(self, task_ui: Resource) -> str:
        """The task UI's template."""
        return self._documents.get(template_key(task_ui.request["ContentSha256"])).decode()

    def template(self, sha256: str) -> Template:
        """The parsed template of that hash; it stays available after its task UI is deleted."""
        return _parsed(self._documents.get(template_key(sha256)).decode(), name=f"template {sha256[:12]}")


@lru_cache(maxsize=64)
def _parsed(text: str, *, name: str) -> Template:
    return parse_template(text, name=name)


def template_key(sha256: str) -> str:
    """Where the template of that hash is kept."""
    return f"templates/{sha256}.liquid.html"


def _render_error(code: str, message: str) -> dict[str, Any]:
    return {"RenderedContent": "", "Errors": [{"Code": code, "Message": message}]}
