"""Whether the region has the services that the templates use."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from overread.review.limits import A2I_REGIONS
from overread_cli.preflight.assembly import Assembly
from overread_cli.preflight.checks import Verdict, fail, ok, unknown

_CLIENTS = {
    "AWS::ApiGateway": "apigateway",
    "AWS::AppConfig": "appconfig",
    "AWS::Cognito": "cognito-idp",
    "AWS::DynamoDB": "dynamodb",
    "AWS::EC2": "ec2",
    "AWS::Events": "events",
    "AWS::KMS": "kms",
    "AWS::Lambda": "lambda",
    "AWS::S3": "s3",
    "AWS::SQS": "sqs",
    "AWS::SageMaker": "sagemaker",
    "AWS::Scheduler": "scheduler",
    "AWS::SecretsManager": "secretsmanager",
    "AWS::SNS": "sns",
}


def services_of(assembly: Assembly) -> list[str]:
    """The services whose resources the templates hold, as boto3 names them."""
    kinds = {resource.kind.rpartition("::")[0] for resource in assembly.resources}
    return sorted({_CLIENTS[kind] for kind in kinds if kind in _CLIENTS})


def judge_region(region: str, assembly: Assembly, *, regions_of: Mapping[str, Collection[str]]) -> Verdict:
    """`regions_of`: the regions that the installed SDK knows of each service; there may be more."""
    if assembly.region not in {None, region}:
        return fail(
            f"the templates were synthesised for {assembly.region}, not for {region}",
            fix="synthesise for this region, or leave --region out",
        )
    if assembly.is_on_a2i and region not in A2I_REGIONS:
        return fail(
            f"Amazon A2I has no endpoint in {region}",
            fix=f"deploy in one of {', '.join(sorted(A2I_REGIONS))}, or set `review.backend: overread`",
        )
    missing = [service for service in services_of(assembly) if region not in regions_of.get(service, ())]
    if missing:
        return unknown(
            f"the SDK that is installed here knows no endpoint in {region} of: {', '.join(missing)}",
            fix="look in AWS's list of services by region, or update boto3",
        )
    a2i = ", Amazon A2I among them" if assembly.is_on_a2i else ""
    return ok(f"{region} has the services that the templates use{a2i}")
