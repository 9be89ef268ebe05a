"""The whole application of one deployment, from its settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, date, datetime

from aws_cdk import Environment, Stack, Stage

from overread.review.limits import A2I_REGIONS
from overread_config import ConfigError, Fault, Settings
from overread_stacks.analytics_stack import AnalyticsStack
from overread_stacks.audit_stack import AuditStack
from overread_stacks.data_stack import DataStack
from overread_stacks.inference_stack import InferenceStack
from overread_stacks.labeling_stack import LabelingStack
from overread_stacks.model_stack import ModelStack
from overread_stacks.network_stack import NetworkStack
from overread_stacks.operations_stack import OperationsStack, watch
from overread_stacks.organization import check_roles
from overread_stacks.review_stack import ReviewStack
from overread_stacks.studio_stack import StudioStack

FEATURE_FLAGS = {
    "@aws-cdk/core:defaultCrossStackReferences": "strong",
    "@aws-cdk/aws-iam:minimizePolicies": True,
    "@aws-cdk/core:validateAgainstDefaultRules": True,
    "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": True,
}
"""Here and not in cdk.json, so that every synthesis has them."""


def build_app(
    settings: Settings, *, app: Stage, environ: Mapping[str, str] = os.environ, today: date | None = None
) -> None:
    """Network, data, review, inference and operations stack of a deployment; models and audit apart if so.

    Account and region are the settings', or the CDK command line's (`environ`). `app`: other
    deployments may be in it already, which do not collide; or the stage of a pipeline. `today`: in UTC; what
    AWS has dropped by then is refused.

    Raises:
        ConfigError: when neither says a region, or with backend a2i one that has Amazon A2I; when a role
            that exists already takes the place of none.
        PropsError: when a template or another file that the settings name has faults.
    """
    env = _environment(settings, environ=environ)
    prefix = settings.prefix
    account = str(env.account)
    network = NetworkStack(app, f"{prefix}-network", settings=settings, env=env)
    data = DataStack(app, f"{prefix}-data", settings=settings, env=env)
    elsewhere: list[Stack] = []
    if (audit := settings.accounts.audit) is not None:
        there = Environment(account=audit.account, region=env.region)
        elsewhere.append(AuditStack(app, f"{prefix}-audit", settings=settings, env=there, deciding=account))
    if (model := settings.accounts.model) is not None:
        there = Environment(account=model.account, region=env.region)
        elsewhere.append(
            ModelStack(app, f"{prefix}-models", settings=settings, env=there, model=model, deciding=account)
        )
    review = ReviewStack(app, f"{prefix}-review", settings=settings, env=env, network=network, data=data)
    for stack in elsewhere:
        review.add_stack_dependency(stack)  # which writes to the audit log when it is deployed
    inference = InferenceStack(
        app, f"{prefix}-inference", settings=settings, env=env, network=network, data=data, review=review
    )
    operations = OperationsStack(
        app, f"{prefix}-operations", settings=settings, env=env, network=network, data=data
    )
    watched: list[Stack] = [network, data, review, inference, operations]
    analytics: AnalyticsStack | None = None
    if settings.analytics is not None:
        analytics = AnalyticsStack(
            app,
            f"{prefix}-analytics",
            settings=settings,
            analytics=settings.analytics,
            env=env,
            network=network,
            data=data,
        )
        watched.append(analytics)
    if settings.studio is not None:
        watched.append(
            StudioStack(
                app,
                f"{prefix}-studio",
                settings=settings,
                studio=settings.studio,
                env=env,
                network=network,
                data=data,
                today=today or datetime.now(UTC).date(),
                analytics_reader=analytics.export.reader if analytics else None,
            )
        )
    if settings.labeling is not None:
        watched.append(
            LabelingStack(
                app,
                f"{prefix}-labeling",
                settings=settings,
                env=env,
                network=network,
                data=data,
                review=review,
            )
        )
    watch(*watched, operations=operations, settings=settings)
    check_roles(app, settings=settings)


def _environment(settings: Settings, *, environ: Mapping[str, str]) -> Environment:
    region = settings.region or environ.get("CDK_DEFAULT_REGION")
    own_service = settings.review.backend == "overread"
    if not region or (not own_service and region not in A2I_REGIONS):
        fault = Fault(
            file=settings.file,
            line=0,
            field="region",
            problem="is missing" if own_service else "must have Amazon A2I",
            value=f"{region!r} from CDK_DEFAULT_REGION" if region else "nothing, and no CDK_DEFAULT_REGION",
            allowed="an AWS region" if own_service else ", ".join(sorted(A2I_REGIONS)),
        )
        raise ConfigError([fault])
    return Environment(account=settings.account or environ.get("CDK_DEFAULT_ACCOUNT"), region=region)
