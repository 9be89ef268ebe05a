"""The API under a name of the organization's own."""

from __future__ import annotations

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets

from overread_config import ApiDomainSettings, HostedZoneSettings


def name_api(
    stack: Stack, api: apigateway.RestApi, *, domain: ApiDomainSettings, zone: HostedZoneSettings | None
) -> None:
    """Put the API under `domain`; with an adopted `zone` a record there leads to it, else an output says to
    what the organization's own record must point."""
    named = apigateway.DomainName(
        stack,
        "Domain",
        domain_name=domain.name,
        certificate=acm.Certificate.from_certificate_arn(stack, "Certificate", domain.certificate_arn),
        endpoint_type=apigateway.EndpointType.REGIONAL,
        security_policy=apigateway.SecurityPolicy.TLS_1_2,
    )
    named.add_base_path_mapping(api, stage=api.deployment_stage)
    if zone is not None:
        route53.ARecord(
            stack,
            "Name",
            record_name=domain.name,
            zone=route53.HostedZone.from_hosted_zone_attributes(
                stack, "Zone", hosted_zone_id=zone.id, zone_name=zone.name
            ),
            target=route53.RecordTarget.from_alias(targets.ApiGatewayDomain(named)),
        )
    CfnOutput(stack, "ApiDomainUrl", value=f"https://{domain.name}/")
    CfnOutput(stack, "ApiDomainTarget", value=named.domain_name_alias_domain_name)
