"""The checks that every synthesis has to pass."""

from __future__ import annotations

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks


def add_checks(app: App) -> None:
    """Hold the app against cdk-nag's AwsSolutions; unacknowledged findings fail `synth`."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
