"""The checks that every synthesis has to pass, and those that an audit adds."""

from __future__ import annotations

from datetime import date

import cdk_nag
from aws_cdk import App, Validations

from overread_constructs.rules import OverreadRules
from overread_stacks.acknowledgement_terms import AcknowledgementTerms


def add_checks(app: App, *, today: date) -> None:
    """Hold the app against AwsSolutions and Overread's own rules; what is not acknowledged fails `synth`.

    An acknowledgement counts until the day that it names, `today` included.
    """
    Validations.of(app).add_plugins(
        cdk_nag.AwsSolutionsChecks(app), OverreadRules(), AcknowledgementTerms(today=today)
    )


def add_every_check(app: App, *, today: date) -> None:
    """As `add_checks`, and against NIST 800-53 R5, HIPAA, PCI DSS and Serverless."""
    add_checks(app, today=today)
    Validations.of(app).add_plugins(
        cdk_nag.NIST80053R5Checks(app),
        cdk_nag.HIPAASecurityChecks(app),
        cdk_nag.PCIDSS321Checks(app),
        cdk_nag.ServerlessChecks(app),
    )
