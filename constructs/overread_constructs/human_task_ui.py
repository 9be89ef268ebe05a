"""The worker template as a task UI, named by its content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import CfnDeletionPolicy, Token
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from overread.review import limits
from overread_constructs._rules import Rule, check
from overread_templates.lint import lint_template

HASH_CHARACTERS = 8
NAME_PREFIX = limits.TextLimit(1, 63 - HASH_CHARACTERS - 1, r"[a-z0-9](-*[a-z0-9])*")
"""A name in front of `-` and the hash of the content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanTaskUiProps:
    """What a task UI is made of."""

    name_prefix: str
    template: str


RULES: tuple[Rule[HumanTaskUiProps], ...] = (
    Rule(prop="name_prefix", must=f"be {NAME_PREFIX}", holds=lambda p: NAME_PREFIX.allows(p.name_prefix)),
    Rule(
        prop="template",
        must=f"have {limits.TEMPLATE_CONTENT}",
        holds=lambda p: limits.TEMPLATE_CONTENT.allows(p.template),
    ),
)


class HumanTaskUi(Construct):
    """A worker template, linted at synth and deployed under a name that changes with its content.

    The old task UI stays when the template changes, because open human loops still show it.

    Example::

        ui = HumanTaskUi(
            self, "Page", name_prefix="loans", template=Path("templates/loan-approval/template.liquid.html")
        )
    """

    def __init__(self, scope: Construct, id: str, *, name_prefix: str, template: str | Path) -> None:
        """`template`: a file, or the text itself.

        Raises:
            PropsError: with every broken rule and every error of the template, by file, line and column.
        """
        super().__init__(scope, id)
        text, name, faults = _read(template)
        if not Token.is_unresolved(text) and limits.TEMPLATE_CONTENT.allows(text):
            faults += [
                f"{name}:{found.line}:{found.column}: {found.message} ({found.code})"
                for found in lint_template(text, name=name)
                if found.severity == "error"
            ]
        props = HumanTaskUiProps(name_prefix=name_prefix, template=text)
        rules = [rule for rule in RULES if not (faults and not text and rule.prop == "template")]
        check(self, construct="HumanTaskUi", props=props, rules=rules, more=faults)

        self.content_sha256: str = hashlib.sha256(text.encode()).hexdigest()
        """Of the template's UTF-8 bytes, in hex."""
        self.human_task_ui_name: str = f"{name_prefix}-{self.content_sha256[:HASH_CHARACTERS]}"
        resource = sagemaker.CfnHumanTaskUi(
            self,
            "Resource",
            human_task_ui_name=self.human_task_ui_name,
            ui_template=sagemaker.CfnHumanTaskUi.UiTemplateProperty(content=text),
        )
        resource.cfn_options.update_replace_policy = CfnDeletionPolicy.RETAIN
        resource.cfn_options.deletion_policy = CfnDeletionPolicy.DELETE
        self.human_task_ui_arn: str = resource.attr_human_task_ui_arn


def _read(template: str | Path) -> tuple[str, str, list[str]]:
    if isinstance(template, str):
        return template, "template", []
    try:
        return template.read_text(encoding="utf-8"), str(template), []
    except OSError as error:
        return (
            "",
            str(template),
            [f"template must be a readable file, got {str(template)!r}: {error.strerror}"],
        )
    except UnicodeDecodeError as error:
        return "", str(template), [f"template must be UTF-8 text, got {str(template)!r}: {error.reason}"]
