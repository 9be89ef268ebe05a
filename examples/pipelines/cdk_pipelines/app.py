"""A CDK Pipelines application: checks every commit, deploys config/dev.yaml, asks, deploys config/prod.yaml.

`cdk deploy --app "python examples/pipelines/cdk_pipelines/app.py"` once; then the pipeline changes itself.
Context: `connection` (the ARN of a CodeConnections connection) and `repository` (owner/name).
"""

from __future__ import annotations

import os
from pathlib import Path

from aws_cdk import App, Environment, Stack, Stage, pipelines
from aws_cdk import aws_iam as iam
from constructs import Construct

from overread_config import load_settings
from overread_stacks.app_factory import FEATURE_FLAGS, build_app

ROOT = Path(__file__).resolve().parents[3]
COMMANDS = (
    "make setup",
    'export PATH="$PWD/.venv/bin:$PWD/node_modules/.bin:$PATH"',
    "make lint",
    "make test TESTS=tests/synth/stacks_synth/test_golden_templates.py",
)


class Deployment(Stage):
    """All stacks of one configuration."""

    def __init__(self, scope: Construct, construct_id: str, *, config: Path) -> None:
        settings = load_settings(config)
        super().__init__(
            scope, construct_id, env=Environment(account=settings.account, region=settings.region)
        )
        build_app(settings, app=self)


class Delivery(Stack):
    """The pipeline: check, dev, approval, prod."""

    def __init__(
        self, scope: Construct, construct_id: str, *, connection: str, repository: str, env: Environment
    ) -> None:
        super().__init__(scope, construct_id, env=env)
        source = pipelines.CodePipelineSource.connection(repository, "main", connection_arn=connection)
        pipeline = pipelines.CodePipeline(
            self,
            "Pipeline",
            cross_account_keys=True,
            enable_key_rotation=True,
            synth=pipelines.CodeBuildStep(
                "Check",
                input=source,
                role_policy_statements=[_reads_deployed_templates(self)],
                commands=[
                    *COMMANDS,
                    *self._checks("dev"),
                    *self._checks("prod"),
                    'cdk synth --no-notices --app "python examples/pipelines/cdk_pipelines/app.py"'
                    f" -c connection={connection} -c repository={repository}",
                ],
            ),
        )
        pipeline.add_stage(Deployment(self, "Dev", config=ROOT / "config/dev.yaml"))
        pipeline.add_stage(
            Deployment(self, "Prod", config=ROOT / "config/prod.yaml"),
            pre=[pipelines.ManualApprovalStep("Approve", comment="Dev is deployed. Deploy to production?")],
        )

    @staticmethod
    def _checks(environment: str) -> tuple[str, ...]:
        """The same checks as by hand; the guard once something is deployed."""
        deployed = f"build/deployed-{environment}"
        return (
            f"python examples/pipelines/fetch_deployed.py overread-{environment} {deployed} || [ $? -eq 3 ]",
            f"CDK_OUT=build/{environment}.out examples/pipelines/check.sh config/{environment}.yaml "
            f'"$(ls -d {deployed}/*.json >/dev/null 2>&1 && echo {deployed} || true)"',
        )


def _reads_deployed_templates(stack: Stack) -> iam.PolicyStatement:
    """What fetch_deployed.py calls; it sees the stacks of the pipeline's own account."""
    return iam.PolicyStatement(
        actions=["cloudformation:DescribeStacks", "cloudformation:GetTemplate"],
        resources=[stack.format_arn(service="cloudformation", resource="stack", resource_name="*")],
    )


def main() -> None:
    """Synthesises the pipeline and both deployments."""
    app = App(context=FEATURE_FLAGS, analytics_reporting=False)
    Delivery(
        app,
        "overread-delivery",
        connection=app.node.try_get_context("connection")
        or "arn:aws:codeconnections:eu-central-1:111122223333:connection/example",
        repository=app.node.try_get_context("repository") or "owner/repository",
        env=Environment(
            account=os.environ.get("CDK_DEFAULT_ACCOUNT"), region=os.environ.get("CDK_DEFAULT_REGION")
        ),
    )
    app.synth()


if __name__ == "__main__":
    main()
