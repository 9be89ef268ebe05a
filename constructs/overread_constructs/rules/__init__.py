"""Overread's own rule pack: what every synthesized template must hold beside cdk-nag's packs."""

from overread_constructs.rules.plugin import RULES, OverreadRules
from overread_constructs.rules.rule import PACK, TemplateRule
from overread_constructs.rules.template import Resource, Templates, read_templates

__all__ = ["PACK", "RULES", "OverreadRules", "Resource", "TemplateRule", "Templates", "read_templates"]
