"""Who reviews and how: workforce, teams, pages, flow definitions and routing policies."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import CfnOutput, CustomResource, Duration, Environment, SecretValue, Stack
from constructs import Construct

from overread_config import Settings, TeamSettings, UseCaseSettings, WorkforceSettings, output_name
from overread_constructs import (
    AuditTrail,
    CognitoIdentity,
    CognitoWorkforce,
    FlowDefinition,
    HumanTaskUi,
    OidcWorkforce,
    PolicyValidator,
    PrivateWorkforce,
    ReviewService,
    RoutingPolicies,
    Workteam,
)
from overread_stacks.data_stack import DataStack
from overread_stacks.network_stack import ISOLATED, NetworkStack
from overread_stacks.organization import fit, synthesizer
from overread_stacks.own_review_service import review_service
from overread_stacks.policy_document import envelope_of, policy_document
from overread_stacks.retention import log_retention

OUTPUT_PREFIX = "reviews/"


class ReviewStack(Stack):
    """Human review of one deployment.

    The routing policies live here, so that a new flow definition and the policy that points at it arrive in
    one update. No other stack knows a flow definition's ARN, which changes with its content.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Settings,
        env: Environment,
        network: NetworkStack,
        data: DataStack,
    ) -> None:
        """`network`: that of the review service; `data`: where inputs are and answers go."""
        super().__init__(
            scope,
            id,
            stack_name=id,
            env=env,
            tags=dict(settings.tags),
            synthesizer=synthesizer(settings.organization),
            termination_protection=settings.retention.termination_protection,
            description=f"Overread {settings.environment}: human review and routing policies",
        )
        fit(self, settings=settings)
        self._settings = settings
        self._data = data
        self._workforce: PrivateWorkforce | None = None
        self.service = (
            review_service(self, settings=settings, network=network, data=data)
            if settings.review.backend == "overread"
            else None
        )
        self.teams = teams = {team.name: self._team(team) for team in settings.teams}
        documents = {use_case.name: self._review(use_case, teams=teams) for use_case in settings.use_cases}
        trail = self._trail(network)
        logged = [
            self._log_terms(use_case, policy=documents[use_case.name], trail=trail)
            for use_case in settings.use_cases
        ]
        self.policies = RoutingPolicies(
            self,
            "Policies",
            name=settings.prefix,
            documents=documents,
            deployment="linear" if settings.policy_rollout == "linear" else "all-at-once",
            validator=self._validator(network),
        )
        self.policies.node.add_dependency(*logged)  # nothing is in force before the log has it
        CfnOutput(self, "AuditorRoleArn", value=trail.auditor.role_arn)
        CfnOutput(self, "AppConfigApplicationId", value=self.policies.application_id)
        CfnOutput(self, "AppConfigEnvironmentId", value=self.policies.environment_id)
        for name, team in teams.items():
            only = len(teams) == 1
            CfnOutput(
                self, "WorkteamArn" if only else f"WorkteamArn{output_name(name)}", value=team.workteam_arn
            )

    def _trail(self, network: NetworkStack) -> AuditTrail:
        data = self._data
        return AuditTrail(
            self,
            "Audit",
            name_prefix=self._settings.prefix,
            table=data.table,
            bucket=data.audit,
            inputs=data.inputs,
            outputs=data.outputs,
            captures=data.captures,
            vpc=network.vpc,
            subnets=ISOLATED,
            security_groups=[network.handlers],
            log_retention=log_retention(self._settings.retention.log_days),
            key=data.operations_key,
        )

    def _validator(self, network: NetworkStack) -> PolicyValidator:
        settings, data = self._settings, self._data
        return PolicyValidator(
            self,
            "Validator",
            name_prefix=settings.prefix,
            table=data.table,
            envelopes={use_case.name: envelope_of(settings, use_case) for use_case in settings.use_cases},
            vpc=network.vpc,
            subnets=ISOLATED,
            security_groups=[network.handlers],
            log_retention=log_retention(settings.retention.log_days),
            key=data.operations_key,
        )

    def _log_terms(self, use_case: UseCaseSettings, *, policy: str, trail: AuditTrail) -> CustomResource:
        """What decides and what reviewers are shown; one resource each, for a request has a largest size."""
        changes = self._settings.changes
        return trail.log_changes(
            f"{output_name(use_case.name)}Terms",
            texts={
                f"policy/{use_case.name}": policy,
                f"template/{use_case.name}": use_case.review.template.read_text(encoding="utf-8"),
            },
            proposed_by=changes.proposed_by or "",
            approved_by=changes.approved_by or "",
            ticket=changes.ticket or "",
            needs_two=changes.approval == "two-person",
        )

    def _team(self, team: TeamSettings) -> Workteam:
        construct_id = f"Team{output_name(team.name)}"
        if self.service is not None:
            return self._service_team(construct_id, team, service=self.service)
        if team.kind == "public":
            return Workteam.public(
                self,
                construct_id,
                data_free_of_personal_information=team.data_free_of_personal_information,
                acknowledge_closure=team.acknowledge_closure,
            )
        if team.arn is not None:
            return Workteam.from_workteam_arn(self, construct_id, arn=team.arn)
        if self._workforce is None:
            self._workforce = self._private_workforce(self._settings.workforce)
        return Workteam(
            self,
            construct_id,
            name=f"{self._settings.prefix}-{team.name}",
            description=team.description,
            workforce=self._workforce,
            groups=team.groups,
        )

    def _service_team(self, construct_id: str, team: TeamSettings, *, service: ReviewService) -> Workteam:
        if team.kind == "vendor":
            return Workteam.of_vendor(self, construct_id, name=team.name, service=service)
        return Workteam.of_service(
            self,
            construct_id,
            name=f"{self._settings.prefix}-{team.name}",
            description=team.description,
            service=service,
            groups=team.groups,
        )

    def _private_workforce(self, workforce: WorkforceSettings) -> PrivateWorkforce:
        cognito = workforce.cognito
        if workforce.mode == "adopt":
            identity = None
            if cognito.user_pool_id is not None and cognito.client_id is not None:
                identity = CognitoIdentity(user_pool_id=cognito.user_pool_id, client_id=cognito.client_id)
            return PrivateWorkforce.adopt(self, "Workforce", workforce_name=workforce.name, cognito=identity)
        created = PrivateWorkforce.create(
            self,
            "Workforce",
            workforce_name=workforce.name,
            cognito=(
                CognitoWorkforce(
                    domain_prefix=cognito.domain_prefix or f"{self._settings.prefix}-{self.account}"
                )
                if workforce.identity == "cognito"
                else None
            ),
            oidc=_oidc(workforce),
            source_ip_cidrs=workforce.source_ip_cidrs,
        )
        if created.portal_domain is not None:
            CfnOutput(self, "ReviewPortal", value=f"https://{created.portal_domain}")
        return created

    def _review(self, use_case: UseCaseSettings, *, teams: Mapping[str, Workteam]) -> str:
        review = use_case.review
        name = output_name(use_case.name)
        prefix = f"{self._settings.prefix}-{use_case.name}"
        page = self._page(f"{name}Page", use_case, prefix=prefix)
        team = teams[review.team]
        flow = self._flow(f"{name}Review", use_case, team=team, page=page, prefix=prefix)
        others = {
            member: self._flow(
                f"{name}{part}",
                use_case,
                team=teams[other],
                page=self._page(f"{name}{part}Page", use_case, prefix=f"{prefix}-{mark}"),
                prefix=f"{prefix}-{mark}",
            )
            for member, other, part, mark in (
                # Named apart: `overread review` finds a flow definition by its name without the hash.
                ("second_flow_definition_arn", review.second_team, "Second", "b"),
                ("escalation_flow_definition_arn", review.escalation_team, "Escalation", "e"),
            )
            if other is not None
        }
        CfnOutput(self, f"FlowDefinitionArn{name}", value=flow.flow_definition_arn)
        for member, other in others.items():
            part = "Second" if member.startswith("second") else "Escalation"
            CfnOutput(self, f"{part}FlowDefinitionArn{name}", value=other.flow_definition_arn)
        return policy_document(
            self._settings,
            use_case,
            flow_definition_arn=flow.flow_definition_arn,
            flow_definition_name=flow.flow_definition_name,
            task_ui_sha256=page.content_sha256,
            public=team.kind == "public",
            others={
                member: (other.flow_definition_arn, other.flow_definition_name)
                for member, other in others.items()
            },
        )

    def _page(self, id: str, use_case: UseCaseSettings, *, prefix: str) -> HumanTaskUi:
        return HumanTaskUi(
            self, id, name_prefix=prefix, template=use_case.review.template, service=self.service
        )

    def _flow(
        self, id: str, use_case: UseCaseSettings, *, team: Workteam, page: HumanTaskUi, prefix: str
    ) -> FlowDefinition:
        review = use_case.review
        return FlowDefinition(
            self,
            id,
            name_prefix=prefix,
            workteam=team,
            human_task_ui=page,
            output_bucket=self._data.outputs,
            output_prefix=OUTPUT_PREFIX,
            input_buckets=[self._data.inputs],
            title=review.title,
            description=review.description,
            task_count=review.task_count,
            availability=Duration.seconds(review.availability_s),
            time_limit=Duration.seconds(review.time_limit_s),
            keywords=review.keywords,
            price_usd=review.price_usd,
            on_delete="drain" if review.on_delete == "drain" else "refuse",
            guideline_version=review.guideline_version,
            qualification=review.qualification,
            service=self.service,
        )


def _oidc(workforce: WorkforceSettings) -> OidcWorkforce | None:
    oidc = workforce.oidc
    if oidc is None:
        return None
    return OidcWorkforce(
        client_id=oidc.client_id,
        client_secret=SecretValue.secrets_manager(oidc.client_secret_arn),
        issuer=oidc.issuer,
        authorization_endpoint=oidc.authorization_endpoint,
        token_endpoint=oidc.token_endpoint,
        user_info_endpoint=oidc.user_info_endpoint,
        logout_endpoint=oidc.logout_endpoint,
        jwks_uri=oidc.jwks_uri,
    )
