"""Models in an account of their own, and the one role that may ask them."""

from __future__ import annotations

from aws_cdk import CfnOutput, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from overread_config import ModelAccountSettings, Settings
from overread_constructs.acknowledgements import accept_inline_policy
from overread_stacks.endpoints import reviewed_endpoints
from overread_stacks.kept_buckets import access_log_bucket, kept_bucket, kept_key
from overread_stacks.organization import fit, role_patterns, synthesizer
from overread_stacks.other_accounts import captures_bucket_name, let_roles_use, prediction_role_name
from overread_stacks.service_control_policy import only_router_predicts

_READ = ("s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:ListBucketVersions")


class ModelStack(Stack):
    """Endpoints of one deployment, what they note of their answers, and the role of the router."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Settings,
        env: Environment,
        model: ModelAccountSettings,
        deciding: str,
    ) -> None:
        """`env`: the models' account; `deciding`: the account of the router."""
        super().__init__(
            scope,
            id,
            stack_name=id,
            env=env,
            tags=dict(settings.tags),
            synthesizer=synthesizer(settings.organization),
            termination_protection=settings.retention.termination_protection,
            description=f"Overread {settings.environment}: models",
        )
        fit(self, settings=settings)
        key = kept_key(
            self, "Key", settings=settings, name="models", description="Encrypts models, their logs and notes"
        )
        captures = kept_bucket(
            self,
            "Captures",
            settings=settings,
            key=key,
            access_logs=access_log_bucket(self, settings=settings),
            name=captures_bucket_name(self, settings=settings, account=self.account),
        )
        roles = role_patterns(self, settings=settings, account=deciding)
        let_roles_use(captures, sid="Read", account=deciding, roles=roles, actions=_READ)
        endpoints = reviewed_endpoints(
            self,
            settings=settings,
            key=key,
            capture_bucket=captures,
            vpc=ec2.Vpc.from_vpc_attributes(
                self,
                "Vpc",
                vpc_id=model.vpc_id,
                availability_zones=[f"zone-{number}" for number, _ in enumerate(model.subnet_ids)],
                isolated_subnet_ids=list(model.subnet_ids),
            ),
            group=ec2.SecurityGroup.from_security_group_id(
                self, "Models", model.security_group_id, mutable=False
            ),
        )
        predict = iam.Role(
            self,
            "Predict",
            role_name=prediction_role_name(settings),
            description="The router of Overread: invokes the endpoints",
            assumed_by=iam.PrincipalWithConditions(
                iam.AccountPrincipal(deciding), {"ArnLike": {"aws:PrincipalArn": roles}}
            ),
        )
        accept_inline_policy(predict)
        for endpoint in endpoints:
            endpoint.grant_invoke(predict)
        if endpoints:
            policy = only_router_predicts(self, endpoints=endpoints, roles=[predict])
            CfnOutput(self, "ServiceControlPolicy", value=policy)
