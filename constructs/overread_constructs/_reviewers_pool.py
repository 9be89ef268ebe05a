"""The Cognito user pool that reviewers sign in with: invited people only, with a one-time password."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_cognito as cognito
from constructs import Construct


def reviewers_pool(
    scope: Construct, *, domain_prefix: str
) -> tuple[cognito.UserPool, cognito.UserPoolDomain]:
    """The pool and the domain of its sign-in pages; both outlive the stack."""
    pool = cognito.UserPool(
        scope,
        "Pool",
        self_sign_up_enabled=False,
        sign_in_aliases=cognito.SignInAliases(username=True, email=True),
        mfa=cognito.Mfa.REQUIRED,
        mfa_second_factor=cognito.MfaSecondFactor(otp=True, sms=False),
        password_policy=cognito.PasswordPolicy(
            min_length=14,
            require_digits=True,
            require_lowercase=True,
            require_symbols=True,
            require_uppercase=True,
            temp_password_validity=Duration.days(3),
        ),
        account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
        feature_plan=cognito.FeaturePlan.PLUS,
        standard_threat_protection_mode=cognito.StandardThreatProtectionMode.FULL_FUNCTION,
        deletion_protection=True,
        removal_policy=RemovalPolicy.RETAIN,
    )
    domain = pool.add_domain(
        "Domain", cognito_domain=cognito.CognitoDomainOptions(domain_prefix=domain_prefix)
    )
    domain.apply_removal_policy(RemovalPolicy.RETAIN)
    return pool, domain
