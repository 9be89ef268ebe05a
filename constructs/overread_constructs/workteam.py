"""Who reviews: a private team of the workforce, a vendor's team, or (only when insisted on) the public."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from aws_cdk import CustomResource, Stack, Token
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from overread.review import limits
from overread_constructs._review_resources_provider import SERVICE_TIMEOUT, ReviewResourcesProvider
from overread_constructs._rules import Rule, check
from overread_constructs.workforce import PrivateWorkforce

if TYPE_CHECKING:
    from overread_constructs.review_service import ReviewService

WorkteamKind = Literal["private", "vendor", "public"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkteamProps:
    """What a private work team is made of."""

    name: str
    description: str
    groups: tuple[str, ...]
    cognito: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedWorkteamProps:
    """A work team that exists."""

    arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicWorkteamProps:
    """What must be said before strangers see a task."""

    data_free_of_personal_information: bool
    acknowledge_closure: bool


RULES: tuple[Rule[WorkteamProps], ...] = (
    Rule(
        prop="name",
        must=f"be {limits.WORKTEAM_NAME}",
        holds=lambda p: limits.WORKTEAM_NAME.allows(p.name),
    ),
    Rule(
        prop="description",
        must=f"have {limits.WORKTEAM_DESCRIPTION}",
        holds=lambda p: limits.WORKTEAM_DESCRIPTION.allows(p.description),
    ),
    Rule(
        prop="groups",
        must=f"name {limits.MEMBER_DEFINITIONS} groups",
        holds=lambda p: limits.MEMBER_DEFINITIONS.allows(len(p.groups)),
    ),
    Rule(
        prop="groups",
        must="name each group once",
        holds=lambda p: len(set(p.groups)) == len(p.groups),
    ),
    Rule(
        prop="groups",
        must=f"be names of {limits.COGNITO_USER_GROUP} (with OIDC {limits.OIDC_GROUP})",
        holds=lambda p: all(
            (limits.COGNITO_USER_GROUP if p.cognito else limits.OIDC_GROUP).allows(group)
            for group in p.groups
        ),
    ),
)

IMPORT_RULES: tuple[Rule[ImportedWorkteamProps], ...] = (
    Rule(
        prop="arn",
        must="be the ARN of a work team, arn:aws:sagemaker:REGION:ACCOUNT:workteam/KIND-crowd/NAME",
        holds=lambda p: limits.WORKTEAM_ARN.allows(p.arn),
    ),
    Rule(
        prop="arn",
        must="be of a private-crowd or vendor-crowd team; for the public team use Workteam.public",
        holds=lambda p: not limits.WORKTEAM_ARN.allows(p.arn) or _kind(p.arn) in ("private", "vendor"),
    ),
)

PUBLIC_RULES: tuple[Rule[PublicWorkteamProps], ...] = (
    Rule(
        prop="data_free_of_personal_information",
        must=(
            "be declared true: everybody on Mechanical Turk can see the tasks of the public team, "
            "and AWS takes only data free of personal information"
        ),
        holds=lambda p: p.data_free_of_personal_information is True,
    ),
    Rule(
        prop="acknowledge_closure",
        must=(
            "be true: Mechanical Turk is closing and refuses new customers, "
            "so a deployment with the public team can stop working at any time"
        ),
        holds=lambda p: p.acknowledge_closure is True,
    ),
)


class Workteam(Construct):
    """A private work team: the members of some groups of the workforce's identity provider.

    Example::

        team = Workteam(
            self, "Team", name="loans", description="Second readers of loan decisions",
            workforce=PrivateWorkforce.adopt(self, "Workforce", workforce_name="default"),
            groups=["loan-reviewers"],
        )
        vendor = Workteam.from_workteam_arn(self, "Vendor", arn="arn:aws:sagemaker:…:workteam/vendor-crowd/…")
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        description: str,
        workforce: PrivateWorkforce,
        groups: Sequence[str],
    ) -> None:
        """`groups`: of the Cognito pool, or the values of the OIDC claim `sagemaker:groups`.

        Raises:
            PropsError: with every broken rule.
        """
        super().__init__(scope, id)
        props = WorkteamProps(
            name=name,
            description=description,
            groups=tuple(groups),
            cognito=workforce.identity is not None,
        )
        check(self, construct="Workteam", props=props, rules=RULES)
        team = sagemaker.CfnWorkteam(
            self,
            "Resource",
            workteam_name=name,
            workforce_name=workforce.workforce_name,
            description=description,
            member_definitions=_members(workforce, groups=groups),
        )
        team.node.add_dependency(workforce)
        if workforce.user_pool is not None:
            for group in groups:
                team.node.add_dependency(_group(group, pool=workforce.user_pool))
        self.workteam_arn: str = team.attr_workteam_arn
        self.kind: WorkteamKind = "private"

    @classmethod
    def from_workteam_arn(cls, scope: Construct, id: str, *, arn: str) -> Workteam:
        """A private or vendor team that exists. A token counts as private; IAM still refuses the public one.

        Raises:
            PropsError: when `arn` names no work team, or the public one.
        """
        team = _ExistingWorkteam(scope, id, arn=arn, kind=_kind(arn) or "private")
        check(team, construct="Workteam", props=ImportedWorkteamProps(arn=arn), rules=IMPORT_RULES)
        return team

    @classmethod
    def of_service(
        cls,
        scope: Construct,
        id: str,
        *,
        name: str,
        description: str,
        service: ReviewService,
        groups: Sequence[str],
        code: lambda_.Code | None = None,
    ) -> Workteam:
        """A work team in a review service. `code`: as for `FlowDefinition`.

        Raises:
            PropsError: with every broken rule.
        """
        team = _ServiceWorkteam(
            scope, id, name=name, description=description, service=service, groups=groups, code=code
        )
        props = WorkteamProps(
            name=name,
            description=description,
            groups=tuple(groups),
            cognito=service.user_pool is not None,
        )
        check(team, construct="Workteam.of_service", props=props, rules=RULES)
        return team

    @classmethod
    def of_vendor(cls, scope: Construct, id: str, *, name: str, service: ReviewService) -> Workteam:
        """The team of one of a review service's vendors. Raises ValueError when it has none of that name."""
        return _ExistingWorkteam(scope, id, arn=service.vendor_team_arn(name), kind="vendor")

    @classmethod
    def public(
        cls,
        scope: Construct,
        id: str,
        *,
        data_free_of_personal_information: bool,
        acknowledge_closure: bool,
    ) -> Workteam:
        """Mechanical Turk: anybody may see the tasks. Needs both declarations, and a price for each task.

        Raises:
            PropsError: with the reasons for refusing, unless both are true.
        """
        stack = Stack.of(scope)
        arn = stack.format_arn(
            service="sagemaker",
            account=limits.PUBLIC_WORKTEAM_ACCOUNT,
            resource="workteam",
            resource_name="public-crowd/default",
        )
        team = _ExistingWorkteam(scope, id, arn=arn, kind="public")
        props = PublicWorkteamProps(
            data_free_of_personal_information=data_free_of_personal_information,
            acknowledge_closure=acknowledge_closure,
        )
        check(team, construct="Workteam.public", props=props, rules=PUBLIC_RULES)
        return team


class _ExistingWorkteam(Workteam):
    def __init__(self, scope: Construct, id: str, *, arn: str, kind: WorkteamKind) -> None:
        Construct.__init__(self, scope, id)
        self.workteam_arn = arn
        self.kind = kind


class _ServiceWorkteam(Workteam):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        description: str,
        service: ReviewService,
        groups: Sequence[str],
        code: lambda_.Code | None,
    ) -> None:
        Construct.__init__(self, scope, id)
        provider = ReviewResourcesProvider.of(self, code=code, service=service)
        definition = {
            "WorkteamName": name,
            "WorkforceName": service.name_prefix,
            "Description": description,
            "MemberDefinitions": service.team_members(groups),
        }
        resource = CustomResource(
            self,
            "Resource",
            resource_type="Custom::OverreadWorkteam",
            service_token=provider.handler.function.function_arn,
            service_timeout=SERVICE_TIMEOUT,
            properties={"Definition": Stack.of(self).to_json_string(definition)},
        )
        resource.node.add_dependency(*service.ready)
        self.workteam_arn = resource.get_att_string("WorkteamArn")
        self.kind = "private"


def _kind(arn: str) -> WorkteamKind | None:
    if Token.is_unresolved(arn):
        return None
    tail = arn.rpartition(":workteam/")[2]
    kinds: tuple[WorkteamKind, ...] = get_args(WorkteamKind)
    return next((kind for kind in kinds if tail.startswith(f"{kind}-crowd/")), None)


def _members(
    workforce: PrivateWorkforce, *, groups: Sequence[str]
) -> list[sagemaker.CfnWorkteam.MemberDefinitionProperty]:
    member = sagemaker.CfnWorkteam.MemberDefinitionProperty
    identity = workforce.identity
    if identity is None:
        oidc = sagemaker.CfnWorkteam.OidcMemberDefinitionProperty(oidc_groups=list(groups))
        return [member(oidc_member_definition=oidc)]
    return [
        member(
            cognito_member_definition=sagemaker.CfnWorkteam.CognitoMemberDefinitionProperty(
                cognito_client_id=identity.client_id,
                cognito_user_group=group,
                cognito_user_pool=identity.user_pool_id,
            )
        )
        for group in groups
    ]


def _group(name: str, *, pool: cognito.UserPool) -> Construct:
    existing = pool.node.try_find_child(f"Group{name}")
    if isinstance(existing, Construct):
        return existing
    return cognito.CfnUserPoolGroup(pool, f"Group{name}", user_pool_id=pool.user_pool_id, group_name=name)
