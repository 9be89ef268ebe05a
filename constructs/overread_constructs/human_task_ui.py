"""The worker template as a task UI, named by its content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import Annotations, CfnDeletionPolicy
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from overread.review import limits
from overread_constructs._rules import Rule, broken, check
from overread_templates.lint import Finding, lint_template

HASH_CHARACTERS = 8
NAME_PREFIX = limits.TextLimit(1, 63 - HASH_CHARACTERS - 1, r"[a-z0-9](-*[a-z0-9])*")
"""A name in front of `-` and the hash of the content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanTaskUiProps:
    """What a task UI is made of; `template` is None when its file cannot be read."""

    name_prefix: str
    template: str | None


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
)


class HumanTaskUi(Construct):
    """A worker template, linted at synth and deployed under a name that changes with its content.

    The old task UI stays when the template changes, because open human loops still show it. So its name is
    taken: to go back to an earlier template, delete its task UI first, or change a comment in the template.

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
        source = _read(template)
        text = source.text or ""
        props = HumanTaskUiProps(name_prefix=name_prefix, template=source.text)
        judged = source.text is not None and not broken(props, rules=TEMPLATE_RULES)
        found = lint_template(text, name=source.name) if judged else ()
        faults = [_line(source.name, finding=f) for f in found if f.severity == "error"]
        check(self, construct="HumanTaskUi", props=props, rules=RULES, more=[*source.faults, *faults])
        for finding in found:
            message = f"worker template {_line(source.name, finding=finding)}"
            Annotations.of(self).add_warning_v2(f"overread:template-{finding.code}", message)

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
