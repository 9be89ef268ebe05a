"""Flow definitions: which team reviews which task UI, how often, for how long, and where the output goes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from overread.review import limits
from overread_review.service.errors import RequestInvalidError, ResourceLimitError, ResourceMissingError
from overread_review.service.model import FlowTerms, Resource, ResourceKind
from overread_review.service.resources import Resources, page
from overread_review.service.settings import ServiceSettings
from overread_review.service.task_uis import TaskUis
from overread_review.service.teams import Teams

_DESCRIBED = (
    "HumanLoopRequestSource",
    "HumanLoopActivationConfig",
    "HumanLoopConfig",
    "OutputConfig",
    "RoleArn",
)
GUIDELINE_TAG = "overread:guideline-version"
"""On a flow definition, or else its task UI: which version of the guideline the page gives."""
QUALIFICATION_TAG = "overread:qualification"
"""On a flow definition: the qualification that its reviewers need."""


class FlowDefinitions:
    """Create, describe, list; deletion is with the loops (`Loops.delete_flow_definition`)."""

    def __init__(
        self, *, resources: Resources, task_uis: TaskUis, teams: Teams, settings: ServiceSettings
    ) -> None:
        self._resources = resources
        self._task_uis = task_uis
        self._teams = teams
        self._settings = settings

    def create(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """CreateFlowDefinition. Becomes Active after the status lag."""
        live = self._resources.live(ResourceKind.FLOW_DEFINITION)
        if len(live) >= limits.FLOW_DEFINITIONS_PER_ACCOUNT:
            raise ResourceLimitError(
                f"The account-level service limit 'Flow definitions' is {limits.FLOW_DEFINITIONS_PER_ACCOUNT}"
            )
        _check_activation(params)
        config = params.get("HumanLoopConfig")
        if config is None:
            raise RequestInvalidError("HumanLoopConfig must be given")
        _check_times(config)
        self._check_team(config)
        task_ui_name = self._settings.own_name(config["HumanTaskUiArn"], kind=ResourceKind.HUMAN_TASK_UI)
        try:
            task_ui = self._task_uis.named(task_ui_name)
        except ResourceMissingError as error:
            raise RequestInvalidError(f"HumanTaskUiArn: {error}") from error
        name = params["FlowDefinitionName"]
        request = {
            **params,
            "TemplateSha256": task_ui.request["ContentSha256"],
            "GuidelineVersion": _guideline_version(params, task_ui=task_ui),
        }
        path = f"flow-definition/{name}"
        created = self._resources.create(ResourceKind.FLOW_DEFINITION, name=name, path=path, request=request)
        return {"FlowDefinitionArn": created.arn}

    def describe(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeFlowDefinition."""
        found = self.named(params["FlowDefinitionName"])
        document = {
            "FlowDefinitionArn": found.arn,
            "FlowDefinitionName": found.name,
            "FlowDefinitionStatus": self.status(found),
            "CreationTime": found.created_at,
        }
        return document | {member: found.request[member] for member in _DESCRIBED if member in found.request}

    def list(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """ListFlowDefinitions."""
        chosen, token = page(self._resources.live(ResourceKind.FLOW_DEFINITION), params)
        summaries = [
            {
                "FlowDefinitionName": one.name,
                "FlowDefinitionArn": one.arn,
                "FlowDefinitionStatus": self.status(one),
                "CreationTime": one.created_at,
            }
            for one in chosen
        ]
        return {"FlowDefinitionSummaries": summaries} | ({"NextToken": token} if token else {})

    def named(self, name: str) -> Resource:
        """The flow definition of that name, also while it is being deleted. Raises ResourceMissingError."""
        found = self._resources.find(ResourceKind.FLOW_DEFINITION, name=name)
        if found is None:
            arn = self._settings.arn(f"flow-definition/{name}")
            raise ResourceMissingError(f"Flow definition {arn} does not exist")
        return found

    def status(self, flow_definition: Resource) -> str:
        """Initializing, Active or Deleting."""
        if flow_definition.deleted_at:
            return "Deleting"
        begun = self._resources.now() < flow_definition.created_at + self._resources.lag
        return "Initializing" if begun else "Active"

    def _check_team(self, config: Mapping[str, Any]) -> None:
        arn = config["WorkteamArn"]
        if is_public(arn):
            _check_price(config)
        elif ":workteam/private-crowd/" in arn:
            path = self._settings.own_name(arn.replace("/private-crowd/", "/"), kind=ResourceKind.WORKTEAM)
            self._teams.workteam(path)
        else:
            self._teams.vendors.named(arn)


def _guideline_version(params: Mapping[str, Any], *, task_ui: Resource) -> str:
    own = {tag["Key"]: tag["Value"] for tag in params.get("Tags", ())}
    return own.get(GUIDELINE_TAG) or task_ui.tags.get(GUIDELINE_TAG, "")


def is_public(workteam_arn: str) -> bool:
    """Whether the team is the public workforce."""
    return ":workteam/public-crowd/" in workteam_arn


def terms_of(flow_definition: Resource) -> FlowTerms:
    """What a loop that starts now takes over."""
    request = flow_definition.request
    config, output = request["HumanLoopConfig"], request["OutputConfig"]
    return FlowTerms(
        flow_definition_arn=flow_definition.arn,
        flow_definition_name=flow_definition.name,
        workteam_arn=config["WorkteamArn"],
        role_arn=request["RoleArn"],
        output_path=output["S3OutputPath"],
        kms_key_id=output.get("KmsKeyId", ""),
        template_sha256=request["TemplateSha256"],
        title=config["TaskTitle"],
        description=config["TaskDescription"],
        keywords=tuple(config.get("TaskKeywords", ())),
        task_count=config["TaskCount"],
        time_limit_s=config.get("TaskTimeLimitInSeconds", limits.TASK_TIME_LIMIT_DEFAULT_S),
        guideline_version=request.get("GuidelineVersion") or f"sha256:{request['TemplateSha256'][:12]}",
        qualification=flow_definition.tags.get(QUALIFICATION_TAG, ""),
    )


def availability_s(flow_definition: Resource) -> int:
    """How long a loop's task is offered."""
    config = flow_definition.request["HumanLoopConfig"]
    allowed = _availability(config["WorkteamArn"])
    return int(config.get("TaskAvailabilityLifetimeInSeconds", allowed.maximum))


def _availability(workteam_arn: str) -> limits.RangeLimit:
    return limits.TASK_AVAILABILITY_PUBLIC_S if is_public(workteam_arn) else limits.TASK_AVAILABILITY_S


def _check_activation(params: Mapping[str, Any]) -> None:
    activation = params.get("HumanLoopActivationConfig")
    if (activation is None) != (params.get("HumanLoopRequestSource") is None):
        raise RequestInvalidError(
            "HumanLoopRequestSource and HumanLoopActivationConfig must be given together"
        )
    if activation is None:
        return
    conditions = activation["HumanLoopActivationConditionsConfig"]["HumanLoopActivationConditions"]
    try:
        parsed = json.loads(conditions)
    except (ValueError, RecursionError) as error:
        raise RequestInvalidError(f"HumanLoopActivationConditions is not JSON: {error}") from error
    if not isinstance(parsed, dict) or not isinstance(parsed.get("Conditions"), list):
        raise RequestInvalidError("HumanLoopActivationConditions must be an object with a list 'Conditions'")


def _check_times(config: Mapping[str, Any]) -> None:
    checks = (
        ("TaskTimeLimitInSeconds", limits.TASK_TIME_LIMIT_S),
        ("TaskAvailabilityLifetimeInSeconds", _availability(config["WorkteamArn"])),
    )
    for member, limit in checks:
        if member in config and not limit.allows(config[member]):
            raise RequestInvalidError(f"{member} must be {limit} seconds, got {config[member]}")


def _check_price(config: Mapping[str, Any]) -> None:
    amount = config.get("PublicWorkforceTaskPrice", {}).get("AmountInUsd")
    if not amount:
        raise RequestInvalidError("PublicWorkforceTaskPrice must be given for the public workforce")
    mills = amount.get("Dollars", 0) * 1000 + amount.get("Cents", 0) * 10
    price = Decimal(mills + amount.get("TenthFractionsOfACent", 0)) / 1000
    allowed = limits.PUBLIC_PRICES_USD[limits.PricedTask.TEXTRACT]
    if price not in allowed:
        raise RequestInvalidError(f"PublicWorkforceTaskPrice {price} is not one of the allowed prices")
