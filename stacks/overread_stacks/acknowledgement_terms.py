"""Holds acknowledgements to their terms: a reason, an owner, and a day that has not passed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import jsii
from aws_cdk import (
    IPolicyValidationContext,
    IPolicyValidationPlugin,
    PolicyValidationPluginReport,
    PolicyViolatingResource,
    PolicyViolation,
    Validations,
)

from overread_constructs.acknowledgements import PACKS, terms_of

NAME = "OverreadTerms"
RULE = f"{NAME}-InForce"
_SOON = timedelta(days=60)
_TEMPLATE, _METADATA = ".template.json", ".metadata.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """One finding that is acknowledged on a construct, for all that is below it."""

    path: str
    rule: str
    said: str


def read_acknowledged(templates: Iterable[Path]) -> Iterator[Acknowledged]:
    """What the constructs behind these templates acknowledge, from the files beside them."""
    for template in templates:
        for path, entry in _metadata(template):
            if entry["type"] == Validations.ACKNOWLEDGED_RULES_METADATA_KEY:
                for rule, said in entry["data"].items():
                    if rule.partition("::")[0] in PACKS:  # not what the CDK itself warns of
                        yield Acknowledged(path=path, rule=rule, said=said)


def read_paths(template: Path) -> dict[str, str]:
    """The path of its construct for each logical id of a template."""
    return {
        entry["data"]: path for path, entry in _metadata(template) if entry["type"] == "aws:cdk:logicalId"
    }


def _metadata(template: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    file = template.with_name(template.name.replace(_TEMPLATE, _METADATA))
    if file.is_file():
        for path, entries in json.loads(file.read_text(encoding="utf-8")).items():
            for entry in entries:
                yield path.removeprefix("/"), entry


def fault(acknowledged: Acknowledged, *, today: date) -> str | None:
    """What is wrong with the terms, in a sentence; None when they are in force."""
    terms = terms_of(acknowledged.said)
    if terms is None:
        return f"{acknowledged.rule} is acknowledged without reason, owner and day; use acknowledge()."
    if terms.expires < today:
        return (
            f"{acknowledged.rule} was acknowledged until {terms.expires}: {terms.owner} must mend it, "
            "or say why it still stands, until when."
        )
    return None


def warnings(acknowledged: Iterable[Acknowledged], *, today: date) -> list[str]:
    """For each owner, what ends soon: nobody should learn of it from a deployment that is refused."""
    ends: dict[tuple[date, str], int] = {}
    for one in acknowledged:
        terms = terms_of(one.said)
        if terms is not None and today <= terms.expires <= today + _SOON:
            ends[terms.expires, terms.owner] = ends.get((terms.expires, terms.owner), 0) + 1
    return [
        f"{count} acknowledgements of {owner} end on {day}; the day after, synthesis fails (docs/rules.md)"
        for (day, owner), count in sorted(ends.items())
    ]


@jsii.implements(IPolicyValidationPlugin)
class AcknowledgementTerms:
    """Fails a synthesis whose acknowledgements are over, or have no terms."""

    def __init__(self, *, today: date) -> None:
        self._today = today

    @property
    def name(self) -> str:
        """As reports call it."""
        return NAME

    @property
    def rule_ids(self) -> list[str]:
        """Its one rule."""
        return [RULE]

    @property
    def version(self) -> str:
        """Of the rule."""
        return "1.0.0"

    def validate(self, context: IPolicyValidationContext) -> PolicyValidationPluginReport:
        """Read every acknowledgement of the application."""
        found = list(read_acknowledged(Path(path) for path in context.template_paths))
        for warning in warnings(found, today=self._today):
            sys.stderr.write(f"{warning}\n")
        violations = [
            _violation(problem, path=acknowledged.path)
            for acknowledged in found
            if (problem := fault(acknowledged, today=self._today))
        ]
        return PolicyValidationPluginReport(success=not violations, violations=violations)


def _violation(problem: str, *, path: str) -> PolicyViolation:
    return PolicyViolation(
        rule_name=RULE,
        description=problem,
        severity="error",
        violating_resources=[PolicyViolatingResource(construct_path=path, locations=[])],
    )
