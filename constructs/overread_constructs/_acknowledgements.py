"""Findings of cdk-nag that stand, each acknowledged on the construct with what protects instead."""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, *, rule: str, reason: str, pack: str = "AwsSolutions") -> None:
    """Acknowledge `rule` ("IAM5", or "IAM5[Resource::*]" for one finding of it) on `construct`."""
    prefix = "" if rule.startswith(pack) else f"{pack}-"
    Validations.of(construct).acknowledge(Acknowledgment(id=f"{pack}::{prefix}{rule}", reason=reason))
