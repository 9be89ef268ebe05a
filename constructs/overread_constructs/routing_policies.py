"""Routing policies in AppConfig: one validated document a use case, rolled out at once or step by step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from aws_cdk import Stack, Token
from aws_cdk import aws_appconfig as appconfig
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from constructs import Construct

from overread.review.limits import TextLimit
from overread_constructs._rules import Rule, check
from overread_constructs.acknowledgements import accept_inline_policy, acknowledge
from overread_constructs.policy_validator import PolicyValidator

SCHEMA = Path(__file__).parent / "routing-policy.schema.json"
USE_CASE_NAME = TextLimit(1, 30, r"[a-z0-9](-*[a-z0-9])*")
Rollout = Literal["all-at-once", "linear"]
_NAME = TextLimit(1, 64)
_CONTENT = TextLimit(1, 1_048_576)
_MINUTES: Mapping[str, int] = {"all-at-once": 0, "linear": 10}
_STEP_PERCENT: Mapping[str, int] = {"all-at-once": 100, "linear": 50}


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingPoliciesProps:
    """What the policies are made of."""

    name: str
    documents: Mapping[str, str]
    deployment: str


RULES: tuple[Rule[RoutingPoliciesProps], ...] = (
    Rule(prop="name", must=f"have {_NAME}", holds=lambda p: _NAME.allows(p.name)),
    Rule(prop="documents", must="hold at least one use case", holds=lambda p: bool(p.documents)),
    Rule(
        prop="documents",
        must=f"be by use case, each {USE_CASE_NAME}",
        holds=lambda p: all(USE_CASE_NAME.allows(name) for name in p.documents),
    ),
    Rule(
        prop="documents",
        must=f"each have a text of {_CONTENT}",
        holds=lambda p: all(
            _CONTENT.allows(text) for text in p.documents.values() if not Token.is_unresolved(text)
        ),
    ),
    Rule(
        prop="deployment",
        must=f"be one of {', '.join(get_args(Rollout))}",
        holds=lambda p: p.deployment in get_args(Rollout),
    ),
)


class RoutingPolicies(Construct):
    """An AppConfig application with one environment and one profile for each use case.

    AppConfig checks every document against a JSON schema before it serves it.

    Example::

        RoutingPolicies(
            self, "Policies", name="loans", documents={"loan-approval": text}, deployment="linear"
        )
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        documents: Mapping[str, str],
        deployment: Rollout,
        validator: PolicyValidator | None = None,
    ) -> None:
        """`documents`: JSON texts by use case. `deployment`: "linear" takes ten minutes in two steps, and ten
        more in which an alarm of the validator's rolls it back.

        Raises:
            PropsError: with every broken rule and every document that is no JSON object for its use case.
        """
        super().__init__(scope, id)
        props = RoutingPoliciesProps(
            name=name,
            documents=documents,
            deployment=deployment,
        )
        check(self, construct="RoutingPolicies", props=props, rules=RULES, more=_faults(documents))
        application = appconfig.CfnApplication(self, "Application", name=name)
        environment = appconfig.CfnEnvironment(
            self,
            "Environment",
            application_id=application.ref,
            name="live",
        )
        self._validator = validator
        if validator is not None:
            self._roll_back(environment, on=validator.alarm)
            validator.let_validate(application.ref)
        self.application_id: str = application.ref
        self.environment_id: str = environment.ref
        strategy = self._strategy(name, deployment=deployment)
        previous: Construct | None = None
        for use_case in sorted(documents):
            rollout = self._roll_out(use_case, content=documents[use_case], strategy_id=strategy)
            if previous is not None:
                rollout.node.add_dependency(previous)  # an environment takes one deployment at a time
            previous = rollout

    @classmethod
    def from_ids(
        cls, scope: Construct, id: str, *, application_id: str, environment_id: str
    ) -> RoutingPolicies:
        """Policies that another stack or team rolls out."""
        return _ExistingPolicies(scope, id, application_id=application_id, environment_id=environment_id)

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` read the policies of this environment, and no other configuration."""
        stack = Stack.of(self)
        profiles = stack.format_arn(
            service="appconfig",
            resource="application",
            resource_name=f"{self.application_id}/environment/{self.environment_id}/configuration/*",
        )
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["appconfig:GetLatestConfiguration", "appconfig:StartConfigurationSession"],
            resource_arns=[profiles],
        )

    def _validators(self) -> list[appconfig.CfnConfigurationProfile.ValidatorsProperty]:
        kind = appconfig.CfnConfigurationProfile.ValidatorsProperty
        validators = [kind(type="JSON_SCHEMA", content=SCHEMA.read_text(encoding="utf-8"))]
        if self._validator is not None:
            validators.append(kind(type="LAMBDA", content=self._validator.function.function_arn))
        return validators

    def _roll_back(self, environment: appconfig.CfnEnvironment, *, on: cloudwatch.Alarm) -> None:
        """The alarm ends a deployment of the environment and brings the policy before it back."""
        role = iam.Role(
            self,
            "RollBackRole",
            assumed_by=iam.ServicePrincipal(
                "appconfig.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            ),
            description="AppConfig looks at the alarm that rolls a routing policy back",
        )
        role.add_to_policy(iam.PolicyStatement(actions=["cloudwatch:DescribeAlarms"], resources=["*"]))
        accept_inline_policy(role)
        acknowledge(
            role,
            rule="IAM5[Resource::*]",
            reason="AppConfig describes alarms without naming them; the role reads alarms, nothing else.",
        )
        environment.monitors = [
            appconfig.CfnEnvironment.MonitorsProperty(alarm_arn=on.alarm_arn, alarm_role_arn=role.role_arn)
        ]
        environment.node.add_dependency(role)  # with its policy, before the first deployment looks

    def _strategy(self, name: str, *, deployment: Rollout) -> str:
        return appconfig.CfnDeploymentStrategy(
            self,
            "Strategy",
            name=f"{name}-{deployment}",
            deployment_duration_in_minutes=_MINUTES[deployment],
            final_bake_time_in_minutes=_MINUTES[deployment],
            growth_factor=_STEP_PERCENT[deployment],
            growth_type="LINEAR",
            replicate_to="NONE",
        ).ref

    def _roll_out(self, use_case: str, *, content: str, strategy_id: str) -> appconfig.CfnDeployment:
        scope = Construct(self, use_case)
        profile = appconfig.CfnConfigurationProfile(
            scope,
            "Profile",
            application_id=self.application_id,
            name=use_case,
            location_uri="hosted",
            type="AWS.Freeform",
            validators=self._validators(),
        )
        if self._validator is not None:
            profile.node.add_dependency(self._validator)
        # Not retained: AppConfig refuses to delete a profile while a version of it is left.
        version = appconfig.CfnHostedConfigurationVersion(
            scope,
            "Version",
            application_id=self.application_id,
            configuration_profile_id=profile.ref,
            content=content,
            content_type="application/json",
        )
        return appconfig.CfnDeployment(
            scope,
            "Deployment",
            application_id=self.application_id,
            environment_id=self.environment_id,
            configuration_profile_id=profile.ref,
            configuration_version=version.ref,
            deployment_strategy_id=strategy_id,
        )


class _ExistingPolicies(RoutingPolicies):
    def __init__(self, scope: Construct, id: str, *, application_id: str, environment_id: str) -> None:
        Construct.__init__(self, scope, id)
        self.application_id = application_id
        self.environment_id = environment_id


def _faults(documents: Mapping[str, str]) -> list[str]:
    faults = []
    for use_case, text in documents.items():
        if not text.strip().startswith("{") and Token.is_unresolved(text):
            continue  # the whole document is a token
        try:
            document = json.loads(text)
        except ValueError as error:
            faults.append(f"documents[{use_case!r}] must be JSON, got {text[:40]!r}: {error}")
            continue
        if not isinstance(document, dict):
            faults.append(f"documents[{use_case!r}] must be a JSON object, got {type(document).__name__}")
        elif document.get("use_case") != use_case:
            faults.append(
                f"documents[{use_case!r}] must have that use_case, got {document.get('use_case')!r}"
            )
    return faults
