"""The worker template as a task UI, named by its content."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aws_cdk import Annotations, CustomResource, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from overread.review import limits
from overread_constructs._review_resources_provider import SERVICE_TIMEOUT, ReviewResourcesProvider
from overread_constructs._rules import Rule, broken, check
from overread_constructs.acknowledgements import accept_inline_policy
from overread_templates.findings import Finding
from overread_templates.lint import lint_template

if TYPE_CHECKING:
    from overread_constructs.review_service import ReviewService

HASH_CHARACTERS = 8
NAME_PREFIX = limits.TextLimit(1, 63 - HASH_CHARACTERS - 1, r"[a-z0-9](-*[a-z0-9])*")
"""A name in front of `-` and the hash of the content."""
TEMPLATE_BYTES = 400_000
"""Of one worker template as JSON: CloudFormation sends old and new in one event, and Lambda takes 1 MB."""
TEMPLATES_BYTES = 800_000
"""Of all worker templates of a stack as JSON: CloudFormation's own template has at most 1 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanTaskUiProps:
    """What a task UI is made of; `template` is None when its file cannot be read.

    `template_bytes` and `templates_bytes`: of this template, and of all of the stack so far, written as JSON.
    """

    name_prefix: str
    template: str | None
    template_bytes: int
    templates_bytes: int


TEMPLATE_RULES: tuple[Rule[HumanTaskUiProps], ...] = (
    Rule(
        prop="template",
        must=f"have {limits.TEMPLATE_CONTENT}",
        holds=lambda p: p.template is None or limits.TEMPLATE_CONTENT.allows(p.template),
    ),
)
RULES: tuple[Rule[HumanTaskUiProps], ...] = (
    Rule(prop="name_prefix", must=f"be {NAME_PREFIX}", holds=lambda p: NAME_PREFIX.allows(p.name_prefix)),
    *TEMPLATE_RULES,
    Rule(
        prop="template_bytes",
        must=f"be at most {TEMPLATE_BYTES:,}, written as JSON in ASCII, for CloudFormation's event",
        holds=lambda p: p.template_bytes <= TEMPLATE_BYTES,
    ),
    Rule(
        prop="templates_bytes",
        must=f"be at most {TEMPLATES_BYTES:,} in one stack: put some use cases into another",
        holds=lambda p: p.templates_bytes <= TEMPLATES_BYTES,
    ),
)


class HumanTaskUi(Construct):
    """A worker template, linted at synth and deployed under a name that changes with its content.

    While a flow definition with the same `name_prefix` shows the task UI, its deletion keeps it, so that open
    human loops finish. A deployment that goes back to the template adopts it, which CloudFormation's own type
    could not: the name of a kept task UI is taken.

    Example::

        ui = HumanTaskUi(
            self, "Page", name_prefix="loans", template=Path("templates/loan-approval/template.liquid.html")
        )
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name_prefix: str,
        template: str | Path,
        service: ReviewService | None = None,
        code: lambda_.Code | None = None,
    ) -> None:
        """`template`: a file, or the text itself. `service`: makes it there instead of at SageMaker.
        `code`: as for `FlowDefinition`.

        Raises:
            PropsError: with every broken rule and every error of the template, by file, line and column.
        """
        super().__init__(scope, id)
        source = _read(template)
        text = source.text or ""
        size = len(json.dumps(text))
        existing = ReviewResourcesProvider.find(self, service=service)
        props = HumanTaskUiProps(
            name_prefix=name_prefix,
            template=source.text,
            template_bytes=size,
            templates_bytes=size + (existing.template_bytes if existing else 0),
        )
        judged = source.text is not None and not broken(props, rules=TEMPLATE_RULES)
        found = lint_template(text, name=source.name) if judged else ()
        faults = [_line(source.name, finding=f) for f in found if f.severity == "error"]
        check(self, construct="HumanTaskUi", props=props, rules=RULES, more=[*source.faults, *faults])
        for finding in found:
            message = f"worker template {_line(source.name, finding=finding)}"
            Annotations.of(self).add_warning_v2(f"overread:template-{finding.code}", message)

        self.name_prefix: str = name_prefix
        self.content_sha256: str = hashlib.sha256(text.encode()).hexdigest()
        """Of the template's UTF-8 bytes, in hex."""
        self.human_task_ui_name: str = f"{name_prefix}-{self.content_sha256[:HASH_CHARACTERS]}"
        provider = ReviewResourcesProvider.of(self, code=code, service=service)
        provider.template_bytes = props.templates_bytes
        resource = CustomResource(
            self,
            "Resource",
            resource_type="Custom::OverreadHumanTaskUi",
            service_token=provider.handler.function.function_arn,
            service_timeout=SERVICE_TIMEOUT,
            properties={
                "HumanTaskUiName": self.human_task_ui_name,
                "Content": text,
                "ContentSha256": self.content_sha256,
            },
        )
        if service is None:
            resource.node.add_dependency(self._let_manage(provider))
        else:
            resource.node.add_dependency(*service.ready)
        self.human_task_ui_arn: str = resource.get_att_string("HumanTaskUiArn")

    def _let_manage(self, provider: ReviewResourcesProvider) -> iam.Policy:
        # A policy of its own, named by the prefix, for the reasons that FlowDefinition gives for its. One
        # statement, because IAM counts the characters of a role's policies; no action fits both resources.
        name = f"{self.name_prefix}-{'?' * HASH_CHARACTERS}"
        prefix_sha256 = hashlib.sha256(self.name_prefix.encode()).hexdigest()
        policy = iam.Policy(
            self,
            f"Manage{prefix_sha256[:HASH_CHARACTERS]}",
            roles=[provider.handler.role],
            statements=[
                iam.PolicyStatement(
                    actions=[
                        "sagemaker:CreateHumanTaskUi",
                        "sagemaker:DeleteHumanTaskUi",
                        "sagemaker:DescribeFlowDefinition",
                        "sagemaker:DescribeHumanTaskUi",
                    ],
                    resources=[
                        Stack.of(self).format_arn(service="sagemaker", resource=kind, resource_name=name)
                        for kind in ("flow-definition", "human-task-ui")
                    ],
                )
            ],
        )
        accept_inline_policy(policy)
        return policy


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    name: str
    text: str | None
    faults: tuple[str, ...] = ()


def _read(template: str | Path) -> _Source:
    if isinstance(template, str):
        return _Source(name="template", text=template)
    name = str(template)
    try:
        return _Source(name=name, text=template.read_text(encoding="utf-8"))
    except OSError as error:
        fault = f"template must be a readable file, got {name!r}: {error.strerror}"
    except UnicodeDecodeError as error:
        fault = f"template must be UTF-8 text, got {name!r}: {error.reason} at byte {error.start}"
    return _Source(name=name, text=None, faults=(fault,))


def _line(name: str, *, finding: Finding) -> str:
    return f"{name}:{finding.line}:{finding.column}: {finding.message} ({finding.code})"
