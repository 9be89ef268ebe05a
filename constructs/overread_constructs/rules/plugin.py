"""The pack as the CDK runs it, on the templates of each synthesis.

On templates, because a pack that extends cdk-nag's NagPack from Python is called for every resource across
jsii, and sees one resource at a time. The CDK itself takes out what is acknowledged.
"""

from __future__ import annotations

from pathlib import Path

import jsii
from aws_cdk import (
    IPolicyValidationContext,
    IPolicyValidationPlugin,
    PolicyValidationPluginReport,
    PolicyViolatingResource,
    PolicyViolation,
)

from overread_constructs.rules.access import ACCESS_RULES
from overread_constructs.rules.events import EVENT_RULES
from overread_constructs.rules.keeping import KEEPING_RULES
from overread_constructs.rules.network import NETWORK_RULES
from overread_constructs.rules.review import REVIEW_RULES
from overread_constructs.rules.rule import PACK, TemplateRule
from overread_constructs.rules.template import Resource, Templates, read_templates

RULES: tuple[TemplateRule, ...] = (
    *REVIEW_RULES,
    *ACCESS_RULES,
    *KEEPING_RULES,
    *EVENT_RULES,
    *NETWORK_RULES,
)


@jsii.implements(IPolicyValidationPlugin)
class OverreadRules:
    """Overread's own rules: what packs that know neither human review nor its failures miss."""

    @property
    def name(self) -> str:
        """The pack, as acknowledgements call it."""
        return PACK

    @property
    def rule_ids(self) -> list[str]:
        """Every rule."""
        return [rule.id for rule in RULES]

    @property
    def version(self) -> str:
        """Of the pack."""
        return "1.0.0"

    def validate(self, context: IPolicyValidationContext) -> PolicyValidationPluginReport:
        """Hold every template of the application against every rule."""
        templates = read_templates([Path(path) for path in context.template_paths])
        found = [violation for rule in RULES for violation in _violations(rule, templates)]
        return PolicyValidationPluginReport(success=not found, violations=found)


def _violations(rule: TemplateRule, templates: Templates) -> list[PolicyViolation]:
    broken = [(resource, tuple(rule.faults(resource, templates))) for resource in templates.of(*rule.kinds)]
    at = [_violating(resource, paths) for resource, paths in broken if paths]
    if not at:
        return []
    return [
        PolicyViolation(
            rule_name=rule.id,
            description=f"{rule.must} {rule.why}",
            severity="error",
            violating_resources=at,
        )
    ]


def _violating(resource: Resource, paths: tuple[str, ...]) -> PolicyViolatingResource:
    return PolicyViolatingResource(
        resource_logical_id=resource.logical_id, template_path=str(resource.file), locations=list(paths)
    )
