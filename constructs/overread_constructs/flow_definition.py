"""A2I's flow definition, which CloudFormation lacks: who reviews what, how long, and where answers go."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, get_args

from aws_cdk import CustomResource, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from overread.review import limits
from overread_constructs._encryption import use_of_keys
from overread_constructs._review_resources_provider import SERVICE_TIMEOUT, ReviewResourcesProvider
from overread_constructs._rules import Rule, check
from overread_constructs.acknowledgements import (
    accept_inline_policy,
    accept_wildcards,
    acknowledge,
)
from overread_constructs.activation import Activation
from overread_constructs.human_task_ui import HASH_CHARACTERS, NAME_PREFIX, HumanTaskUi
from overread_constructs.workteam import Workteam, WorkteamKind

if TYPE_CHECKING:
    from overread_constructs.review_service import ReviewService

OnDelete = Literal["refuse", "drain"]
_TAG_VALUE = limits.TextLimit(1, 256, r"[\w .:/=+@-]+")
_PREFIX = limits.TextLimit(1, 400, r"[A-Za-z0-9!_.*'()-]+(/[A-Za-z0-9!_.*'()-]+)*/?")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowDefinitionProps:
    """What a flow definition is made of."""

    name_prefix: str
    human_task_ui: str
    team: WorkteamKind
    output_prefix: str
    title: str
    description: str
    task_count: int
    availability: Duration
    time_limit: Duration
    keywords: tuple[str, ...]
    price_usd: Decimal | None
    priced_as: limits.PricedTask
    on_delete: str
    service: bool
    tags: tuple[tuple[str, str], ...]


def _prices(task: limits.PricedTask) -> str:
    return " ".join(str(price) for price in limits.PUBLIC_PRICES_USD[task])


RULES: tuple[Rule[FlowDefinitionProps], ...] = (
    Rule(prop="name_prefix", must=f"be {NAME_PREFIX}", holds=lambda p: NAME_PREFIX.allows(p.name_prefix)),
    Rule(
        prop="human_task_ui",
        must="have the flow definition's name_prefix, by which its deletion finds who uses it",
        holds=lambda p: p.human_task_ui == p.name_prefix,
    ),
    Rule(
        prop="output_prefix",
        must=f"be {_PREFIX}, such as reviews/",
        holds=lambda p: _PREFIX.allows(p.output_prefix),
    ),
    Rule(prop="title", must=f"have {limits.TASK_TITLE}", holds=lambda p: limits.TASK_TITLE.allows(p.title)),
    Rule(
        prop="description",
        must=f"have {limits.TASK_DESCRIPTION}",
        holds=lambda p: limits.TASK_DESCRIPTION.allows(p.description),
    ),
    Rule(
        prop="task_count",
        must=f"be {limits.TASK_COUNT} workers for each loop",
        holds=lambda p: limits.TASK_COUNT.allows(p.task_count),
    ),
    Rule(
        prop="availability",
        must=f"be {limits.TASK_AVAILABILITY_S} seconds (10 days)",
        holds=lambda p: limits.TASK_AVAILABILITY_S.allows(int(p.availability.to_seconds())),
    ),
    Rule(
        prop="availability",
        must=f"be {limits.TASK_AVAILABILITY_PUBLIC_S} seconds (12 hours) with the public team",
        holds=lambda p: (
            p.team != "public" or limits.TASK_AVAILABILITY_PUBLIC_S.allows(int(p.availability.to_seconds()))
        ),
    ),
    Rule(
        prop="time_limit",
        must=f"be {limits.TASK_TIME_LIMIT_S} seconds (8 hours)",
        holds=lambda p: limits.TASK_TIME_LIMIT_S.allows(int(p.time_limit.to_seconds())),
    ),
    Rule(
        prop="keywords",
        must=f"be at most {limits.TASK_KEYWORDS.maximum}",
        holds=lambda p: len(p.keywords) <= limits.TASK_KEYWORDS.maximum,
    ),
    Rule(
        prop="keywords",
        must=f"each be {limits.TASK_KEYWORD}",
        holds=lambda p: all(limits.TASK_KEYWORD.allows(keyword) for keyword in p.keywords),
    ),
    Rule(
        prop="price_usd",
        must="be left out for a private or vendor team: A2I pays the public team only",
        holds=lambda p: p.team == "public" or p.price_usd is None,
    ),
    Rule(
        prop="price_usd",
        must=f"be given for the public team, one of {_prices(limits.PricedTask.CUSTOM)}",
        holds=lambda p: p.team != "public" or p.price_usd is not None,
    ),
    Rule(
        prop="price_usd",
        must=f"be one of {_prices(limits.PricedTask.CUSTOM)}",
        holds=lambda p: p.priced_as == limits.PricedTask.TEXTRACT or _on_ladder(p),
    ),
    Rule(
        prop="price_usd",
        must=f"be one of {_prices(limits.PricedTask.TEXTRACT)}",
        holds=lambda p: p.priced_as != limits.PricedTask.TEXTRACT or _on_ladder(p),
    ),
    Rule(
        prop="service",
        must="be left out with the public team, which the review service has not",
        holds=lambda p: not (p.service and p.team == "public"),
    ),
    Rule(
        prop="service",
        must="be given with guideline_version or qualification: A2I knows neither",
        holds=lambda p: p.service or not p.tags,
    ),
    Rule(
        prop="tags",
        must=f"have values of at most {_TAG_VALUE.maximum} letters, digits, spaces and _.:/=+-@",
        holds=lambda p: all(_TAG_VALUE.allows(value) for _, value in p.tags),
    ),
    Rule(
        prop="on_delete",
        must=f"be one of {', '.join(get_args(OnDelete))}",
        holds=lambda p: p.on_delete in get_args(OnDelete),
    ),
)


def _on_ladder(props: FlowDefinitionProps) -> bool:
    if props.price_usd is None or props.team != "public":
        return True
    return props.price_usd in limits.PUBLIC_PRICES_USD[props.priced_as]


class FlowDefinition(Construct):
    """A flow definition, made by a custom resource under a name that changes with its content.

    AWS cannot change a flow definition. A change of any prop or of the template therefore creates another one
    and then deletes the old one. While loops are open on it, the deletion is refused and it stays
    (`on_delete="refuse"`), or it is deleted and loops that nobody has begun are stopped (`"drain"`).

    Example::

        FlowDefinition(
            self, "Review", name_prefix="loans", workteam=team, human_task_ui=ui,
            output_bucket=answers, output_prefix="reviews/",
            title="Loan decision", description="Read the application again and decide",
            availability=Duration.days(1), time_limit=Duration.minutes(30),
        )
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name_prefix: str,
        workteam: Workteam,
        human_task_ui: HumanTaskUi,
        output_bucket: s3.IBucket,
        output_prefix: str,
        output_key: kms.IKey | None = None,
        input_buckets: Sequence[s3.IBucket] = (),
        title: str,
        description: str,
        task_count: int = 1,
        availability: Duration,
        time_limit: Duration,
        keywords: Sequence[str] = (),
        price_usd: Decimal | None = None,
        activation: Activation | None = None,
        role: iam.IRole | None = None,
        on_delete: OnDelete = "refuse",
        guideline_version: str | None = None,
        qualification: str | None = None,
        service: ReviewService | None = None,
        code: lambda_.Code | None = None,
    ) -> None:
        """`input_buckets`: whose objects the page shows. `activation`: for Textract or Rekognition only.

        `price_usd`: for one task and worker, public team only. `role`: what A2I acts as; made when missing.
        `human_task_ui`: one with the same `name_prefix`. `service`: makes it there instead of at SageMaker;
        only there `guideline_version` and `qualification` mean something. `code`: of the custom resource's
        function; the first task UI or flow definition of a stack decides.

        Raises:
            PropsError: with every broken rule and every fault of the activation conditions.
        """
        super().__init__(scope, id)
        priced_as = activation.priced_as if activation else limits.PricedTask.CUSTOM
        props = FlowDefinitionProps(
            name_prefix=name_prefix,
            human_task_ui=human_task_ui.name_prefix,
            team=workteam.kind,
            output_prefix=output_prefix,
            title=title,
            description=description,
            task_count=task_count,
            availability=availability,
            time_limit=time_limit,
            keywords=tuple(keywords),
            price_usd=price_usd,
            priced_as=priced_as,
            on_delete=on_delete,
            service=service is not None,
            tags=_tags(guideline_version=guideline_version, qualification=qualification),
        )
        faults = activation.faults() if activation else []
        check(self, construct="FlowDefinition", props=props, rules=RULES, more=faults)

        self.workteam: Workteam = workteam
        self.role: iam.IRole = role or self._create_role(
            output_bucket,
            output_prefix=output_prefix,
            output_key=output_key,
            input_buckets=input_buckets,
            service=service,
        )
        definition = _definition(
            props,
            workteam_arn=workteam.workteam_arn,
            human_task_ui_arn=human_task_ui.human_task_ui_arn,
            output=_output(output_bucket, prefix=output_prefix, key=output_key),
            activation=activation,
            role_arn=self.role.role_arn,
        )
        self.flow_definition_name: str = self._name(
            definition, prefix=name_prefix, template_sha256=human_task_ui.content_sha256
        )
        provider = ReviewResourcesProvider.of(
            self, code=code, public=workteam.kind == "public", service=service
        )
        resource = CustomResource(
            self,
            "Resource",
            resource_type="Custom::OverreadFlowDefinition",
            service_token=provider.handler.function.function_arn,
            service_timeout=SERVICE_TIMEOUT,
            properties={
                "Definition": Stack.of(self).to_json_string(
                    definition | {"FlowDefinitionName": self.flow_definition_name}
                ),
                "OnDelete": on_delete,
            },
        )
        if service is None:
            manage = self._let_manage(provider, name_prefix=name_prefix)
            resource.node.add_dependency(manage, self.role)
            if workteam.kind == "public":
                acknowledge(
                    manage,
                    rule="PublicTeamDenied",
                    reason="The public team was chosen for this one; its provider makes no other's.",
                )
        else:
            resource.node.add_dependency(*service.ready, self._let_assume(service), self.role)
        self.flow_definition_arn: str = resource.get_att_string("FlowDefinitionArn")

    def _name(self, definition: dict[str, Any], *, prefix: str, template_sha256: str) -> str:
        # Tokens resolve to references by logical id: the same in every synth, whatever their values will be.
        resolved = Stack.of(self).resolve(definition)
        text = json.dumps([resolved, template_sha256], sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        return f"{prefix}-{digest[:HASH_CHARACTERS]}"

    def _let_assume(self, service: ReviewService) -> iam.Policy:
        policy = iam.Policy(
            self,
            "Assume",
            roles=list(service.roles),
            statements=[iam.PolicyStatement(actions=["sts:AssumeRole"], resources=[self.role.role_arn])],
        )
        accept_inline_policy(policy)
        return policy

    def _let_manage(self, provider: ReviewResourcesProvider, *, name_prefix: str) -> iam.Policy:
        # A policy of its own, named by the prefix: CloudFormation deletes it after the flow definition, and
        # keeps it until the flow definition with the old prefix is gone.
        stack = Stack.of(self)
        arn = stack.format_arn(
            service="sagemaker",
            resource="flow-definition",
            resource_name=f"{name_prefix}-{'?' * HASH_CHARACTERS}",
        )
        policy = iam.Policy(
            self,
            f"Manage{hashlib.sha256(name_prefix.encode()).hexdigest()[:HASH_CHARACTERS]}",
            roles=[provider.handler.role],
            statements=[
                iam.PolicyStatement(
                    actions=[
                        "sagemaker:CreateFlowDefinition",
                        "sagemaker:DeleteFlowDefinition",
                        "sagemaker:DescribeFlowDefinition",
                    ],
                    resources=[arn],
                ),
                iam.PolicyStatement(
                    actions=["iam:PassRole"],
                    resources=[self.role.role_arn],
                    conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
                ),
            ],
        )
        accept_inline_policy(policy)
        return policy

    def _create_role(
        self,
        output_bucket: s3.IBucket,
        *,
        output_prefix: str,
        output_key: kms.IKey | None,
        input_buckets: Sequence[s3.IBucket],
        service: ReviewService | None,
    ) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            description="What A2I may do: show the inputs and write the answers",
            assumed_by=(
                iam.CompositePrincipal(*(iam.ArnPrincipal(role.role_arn) for role in service.roles))
                if service
                else iam.ServicePrincipal(
                    "sagemaker.amazonaws.com",
                    conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
                )
            ),
        )
        answers = output_bucket.arn_for_objects(f"{output_prefix.rstrip('/')}/*")
        role.add_to_policy(iam.PolicyStatement(actions=["s3:PutObject"], resources=[answers]))
        for bucket in input_buckets:
            objects = [bucket.arn_for_objects("*")]
            role.add_to_policy(iam.PolicyStatement(actions=["s3:GetObject"], resources=objects))
        keys = [
            output_key or output_bucket.encryption_key,
            *(bucket.encryption_key for bucket in input_buckets),
        ]
        for statement in use_of_keys(keys, scope=self, services=["s3"]):
            role.add_to_policy(statement)
        accept_inline_policy(role)
        accept_wildcards(
            role,
            reasons={
                f"/{output_prefix.rstrip('/')}/*": "A2I chooses its keys, and writes below here only.",
                "/*": "The page shows what its loop names, by GetObject only.",
            },
        )
        return role


def _tags(*, guideline_version: str | None, qualification: str | None) -> tuple[tuple[str, str], ...]:
    given = (
        ("overread:guideline-version", guideline_version),
        ("overread:qualification", qualification),
    )
    return tuple((key, value) for key, value in given if value)


def _output(bucket: s3.IBucket, *, prefix: str, key: kms.IKey | None) -> dict[str, Any]:
    path = {"S3OutputPath": f"s3://{bucket.bucket_name}/{prefix.rstrip('/')}"}
    encrypt_with = key or bucket.encryption_key
    return path | ({"KmsKeyId": encrypt_with.key_arn} if encrypt_with else {})


def _definition(
    props: FlowDefinitionProps,
    *,
    workteam_arn: str,
    human_task_ui_arn: str,
    output: dict[str, Any],
    activation: Activation | None,
    role_arn: str,
) -> dict[str, Any]:
    loop: dict[str, Any] = {
        "WorkteamArn": workteam_arn,
        "HumanTaskUiArn": human_task_ui_arn,
        "TaskTitle": props.title,
        "TaskDescription": props.description,
        "TaskCount": props.task_count,
        "TaskAvailabilityLifetimeInSeconds": int(props.availability.to_seconds()),
        "TaskTimeLimitInSeconds": int(props.time_limit.to_seconds()),
    }
    if props.keywords:
        loop["TaskKeywords"] = list(props.keywords)
    if props.price_usd is not None:
        price = limits.price_parts(props.price_usd)
        loop["PublicWorkforceTaskPrice"] = {
            "AmountInUsd": {
                "Dollars": price.dollars,
                "Cents": price.cents,
                "TenthFractionsOfACent": price.tenth_fractions_of_a_cent,
            }
        }
    definition: dict[str, Any] = {"HumanLoopConfig": loop, "OutputConfig": output, "RoleArn": role_arn}
    if props.tags:
        definition["Tags"] = [{"Key": key, "Value": value} for key, value in props.tags]
    if activation:
        definition["HumanLoopRequestSource"] = {
            "AwsManagedHumanLoopRequestSource": activation.request_source.value
        }
        definition["HumanLoopActivationConfig"] = {
            "HumanLoopActivationConditionsConfig": {"HumanLoopActivationConditions": activation.render()}
        }
    return definition
