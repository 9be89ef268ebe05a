"""The network: isolated subnets without a way to the internet, and private ways to AWS services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import (
    Annotations,
    Aws,
    CfnResource,
    CfnWaitConditionHandle,
    Duration,
    Environment,
    Fn,
    Stack,
)
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from overread_config import AdoptSettings, Settings
from overread_config.adoption import EXECUTE_API, needed_endpoints
from overread_constructs.acknowledgements import (
    accept_inline_policy,
    accept_key_policy,
    accept_log_retention,
    acknowledge,
)
from overread_stacks.organization import fit, synthesizer
from overread_stacks.retention import log_retention, removal_policy

ISOLATED = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
_HTTPS = ec2.Port.tcp(443)
MOST_ZONES = 3


@dataclass(frozen=True, slots=True)
class _Entrances:
    """Security groups of the interface endpoints: from `inside`, and for people's networks one more."""

    inside: ec2.ISecurityGroup
    reviewers: ec2.ISecurityGroup | None

    def to(self, service: str) -> list[ec2.ISecurityGroup]:
        """The groups of one endpoint; people reach the review service only."""
        return [self.inside, *([self.reviewers] if self.reviewers and service == EXECUTE_API else [])]


class NetworkStack(Stack):
    """Network, endpoints and security groups of one deployment."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, env: Environment) -> None:
        """Everything is named by CloudFormation, so that several deployments share an account."""
        super().__init__(
            scope,
            id,
            stack_name=id,
            env=env,
            tags=dict(settings.tags),
            synthesizer=synthesizer(settings.organization),
            termination_protection=settings.retention.termination_protection,
            description=f"Overread {settings.environment}: the network",
        )
        fit(self, settings=settings)
        self._accounts = settings.accounts
        self._has_studio = settings.studio is not None
        self.vpc = _adopted_vpc(self, settings.adopt) or self._own_vpc(settings)
        groups = settings.adopt.security_groups
        self.handlers = self._adopted_group("Handlers", groups.handlers) or self._handlers_group(settings)
        self.models = self._adopted_group("Models", groups.models) or self._outgoing_group(
            "Models", description="Models of Overread: HTTPS out only"
        )
        self.studio = self._studio_group(settings) if settings.studio is not None else None
        review = settings.review
        private_service = review.backend == "overread" and review.access == "private"
        needed = needed_endpoints(
            backend=review.backend,
            access=review.access,
            models_apart=settings.accounts.model is not None,
            studio=settings.studio is not None,
        )
        services = sorted({*needed, *settings.network.interface_endpoints})
        missing = [service for service in services if service not in settings.adopt.endpoints]
        endpoints: dict[str, ec2.IInterfaceVpcEndpoint] = {
            service: _adopted_endpoint(self, service, endpoint_id=settings.adopt.endpoints[service])
            for service in services
            if service not in missing
        }
        if missing:
            reviewers = settings.workforce.source_ip_cidrs if private_service else ()
            entrances = self._entrances(settings, reviewers=reviewers if EXECUTE_API in missing else ())
            endpoints |= {service: self._add_interface(service, entrances=entrances) for service in missing}
        self._endpoints = endpoints
        if not any(isinstance(node, CfnResource) for node in self.node.find_all()):
            CfnWaitConditionHandle(self, "Nothing")  # CloudFormation takes no stack without a resource

    @property
    def execute_api(self) -> ec2.IInterfaceVpcEndpoint:
        """The way to private APIs; there with a private review service."""
        return self._endpoints[EXECUTE_API]

    @property
    def availability_zones(self) -> list[str]:
        """Zones by number, not by name: no look-up in the account, so that every synthesis gives the same."""
        return [Fn.select(index, Fn.get_azs()) for index in range(MOST_ZONES)]

    def _own_vpc(self, settings: Settings) -> ec2.Vpc:
        network = settings.network
        vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(network.cidr),
            max_azs=network.availability_zones,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="Isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
            ],
            nat_gateways=0,
            create_internet_gateway=False,
            restrict_default_security_group=False,  # takes a function with rights on any group
        )
        acknowledge(
            vpc,
            rule="VPCDefaultSecurityGroupClosed",
            reason=(
                "Nothing uses it: each function, model and endpoint names its own groups. Closing it takes a "
                "function with rights on any group, outside the network."
            ),
        )
        self._log_flows(vpc, settings=settings)
        self._add_gateways(vpc)
        return vpc

    def _adopted_group(self, id: str, group_id: str | None) -> ec2.ISecurityGroup | None:
        if group_id is None:
            return None
        return ec2.SecurityGroup.from_security_group_id(self, id, group_id, mutable=False)

    def _handlers_group(self, settings: Settings) -> ec2.SecurityGroup:
        group = self._outgoing_group("Handlers", description="Functions of Overread: HTTPS out only")
        if settings.network.proxy_url:
            port = int(settings.network.proxy_url.rstrip("/").rpartition(":")[2])
            group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(port), "The egress proxy")
        return group

    def _outgoing_group(self, id: str, *, description: str) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(self, id, vpc=self.vpc, description=description, allow_all_outbound=False)
        # No route leads out of the network: what an address outside of it reaches is the gateway endpoints.
        group.add_egress_rule(ec2.Peer.any_ipv4(), _HTTPS, "AWS services through the endpoints")
        return group

    def _studio_group(self, settings: Settings) -> ec2.SecurityGroup:
        group = self._outgoing_group("Studio", description="RStudio: HTTPS, and NFS to homes, out only")
        inside = ec2.Peer.ipv4(settings.network.cidr) if not settings.adopt.vpc_id else ec2.Peer.any_ipv4()
        group.add_egress_rule(inside, ec2.Port.NFS, "Homes of users")
        return group

    def _log_key(self, settings: Settings) -> kms.IKey:
        adopted = settings.adopt.keys.operations
        if adopted:
            return kms.Key.from_key_arn(self, "Key", adopted)
        key = kms.Key(
            self,
            "Key",
            description="Encrypts the network's flow logs",
            enable_key_rotation=True,
            rotation_period=Duration.days(settings.keys.rotation_days),
            pending_window=Duration.days(settings.keys.pending_window_days),
            removal_policy=removal_policy(settings.retention),
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(f"logs.{self.region}.amazonaws.com")],
                actions=[
                    "kms:Decrypt",
                    "kms:Describe*",
                    "kms:Encrypt",
                    "kms:GenerateDataKey*",
                    "kms:ReEncrypt*",
                ],
                resources=["*"],  # in a key's own policy: this key
                conditions={
                    "ArnLike": {
                        "kms:EncryptionContext:aws:logs:arn": self.format_arn(
                            service="logs", resource="log-group:*"
                        )
                    }
                },
            )
        )
        accept_key_policy(key)
        return key

    def _log_flows(self, vpc: ec2.Vpc, *, settings: Settings) -> None:
        log_group = logs.LogGroup(
            self,
            "FlowLog",
            retention=log_retention(settings.retention.log_days),
            encryption_key=self._log_key(settings),
            removal_policy=removal_policy(settings.retention),
        )
        role = iam.Role(
            self,
            "FlowsRole",
            assumed_by=iam.ServicePrincipal(
                "vpc-flow-logs.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            ),
            description="Writes the network's flow logs",
        )
        accept_inline_policy(role)
        accept_log_retention(log_group)
        vpc.add_flow_log("Flows", destination=ec2.FlowLogDestination.to_cloud_watch_logs(log_group, role))

    def _add_gateways(self, vpc: ec2.Vpc) -> None:
        for name, service in (
            ("S3", ec2.GatewayVpcEndpointAwsService.S3),
            ("DynamoDb", ec2.GatewayVpcEndpointAwsService.DYNAMODB),
        ):
            endpoint = vpc.add_gateway_endpoint(name, service=service)
            audit = self._accounts.audit
            beside = [audit.account] if audit is not None and name == "S3" else []
            endpoint.add_to_policy(_perimeter({"aws:PrincipalAccount": [], "aws:ResourceAccount": beside}))
            if name == "S3":
                endpoint.add_to_policy(self._custom_resource_answers())
                if self._has_studio:
                    endpoint.add_to_policy(_image_layers())

    def _custom_resource_answers(self) -> iam.PolicyStatement:
        """A custom resource inside the network answers CloudFormation at a signed address of AWS's bucket."""
        bucket = f"cloudformation-custom-resource-response-{Fn.join('', Fn.split('-', Aws.REGION))}"
        return iam.PolicyStatement(
            principals=[iam.AnyPrincipal()],
            actions=["s3:PutObject"],
            resources=[f"arn:{Aws.PARTITION}:s3:::{bucket}/*"],
        )

    def _entrances(self, settings: Settings, *, reviewers: Sequence[str]) -> _Entrances:
        adopted = self._adopted_group("Endpoints", settings.adopt.security_groups.endpoints)
        if adopted is not None:
            return _Entrances(inside=adopted, reviewers=None)
        group = ec2.SecurityGroup(
            self,
            "Endpoints",
            vpc=self.vpc,
            description="Interface endpoints: HTTPS from inside only",
            allow_all_outbound=False,
        )
        if settings.adopt.vpc_id is None:
            group.add_ingress_rule(ec2.Peer.ipv4(settings.network.cidr), _HTTPS, "HTTPS from this network")
        else:
            # Others live in the network, too: only what is Overread's comes in.
            group.add_ingress_rule(self.handlers, _HTTPS, "HTTPS from functions of Overread")
            group.add_ingress_rule(self.models, _HTTPS, "HTTPS from models of Overread")
            if self.studio is not None:
                group.add_ingress_rule(self.studio, _HTTPS, "HTTPS from RStudio")
        return _Entrances(inside=group, reviewers=self._reviewers_group(reviewers) if reviewers else None)

    def _add_interface(self, service: str, *, entrances: _Entrances) -> ec2.InterfaceVpcEndpoint:
        endpoint = ec2.InterfaceVpcEndpoint(
            self,
            _construct_id(service),
            vpc=self.vpc,
            service=ec2.InterfaceVpcEndpointAwsService(service),
            subnets=ISOLATED,
            security_groups=entrances.to(service),
            private_dns_enabled=True,
            open=False,
        )
        model = self._accounts.model
        # The role that the router assumes to predict is the models' account's.
        beside = [model.account] if model is not None and service == "sagemaker.runtime" else []
        endpoint.add_to_policy(
            _people() if service == EXECUTE_API else _perimeter({"aws:PrincipalAccount": beside})
        )
        return endpoint

    def _reviewers_group(self, cidrs: Sequence[str]) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self,
            "Reviewers",
            vpc=self.vpc,
            description="The review service: HTTPS from the networks of reviewers",
            allow_all_outbound=False,
        )
        for cidr in cidrs:
            peer = ec2.Peer.ipv6(cidr) if ":" in cidr else ec2.Peer.ipv4(cidr)
            group.add_ingress_rule(peer, _HTTPS, "HTTPS from a network of reviewers")
        return group


def _construct_id(service: str) -> str:
    return "".join(part.capitalize() for part in service.replace("-", ".").split("."))


def _adopted_vpc(scope: Construct, adopt: AdoptSettings) -> ec2.IVpc | None:
    if adopt.vpc_id is None:
        return None
    vpc = ec2.Vpc.from_vpc_attributes(
        scope,
        "Vpc",
        vpc_id=adopt.vpc_id,
        # The CDK tells subnets apart by their zones. They reach no template.
        availability_zones=[f"zone-{number}" for number, _ in enumerate(adopt.subnet_ids)],
        isolated_subnet_ids=list(adopt.subnet_ids),
    )
    # Only a gateway endpoint asks for route tables, and those are adopted with the VPC.
    for subnet in vpc.isolated_subnets:
        Annotations.of(subnet).acknowledge_warning("@aws-cdk/aws-ec2:noSubnetRouteTableId")
    return vpc


def _adopted_endpoint(scope: Construct, service: str, *, endpoint_id: str) -> ec2.IInterfaceVpcEndpoint:
    return ec2.InterfaceVpcEndpoint.from_interface_vpc_endpoint_attributes(
        scope, _construct_id(service), vpc_endpoint_id=endpoint_id, port=443
    )


def _image_layers() -> iam.PolicyStatement:
    """ECR keeps the layers of images in buckets of AWS's own."""
    return iam.PolicyStatement(
        principals=[iam.AnyPrincipal()],
        actions=["s3:GetObject"],
        resources=[f"arn:{Aws.PARTITION}:s3:::prod-{Aws.REGION}-starport-layer-bucket/*"],
    )


def _people() -> iam.PolicyStatement:
    """Reviewers are no principals of the account: each API behind the endpoint says who may call what."""
    return iam.PolicyStatement(
        principals=[iam.AnyPrincipal()],
        actions=["execute-api:Invoke"],
        resources=[f"arn:{Aws.PARTITION}:execute-api:{Aws.REGION}:{Aws.ACCOUNT_ID}:*"],
    )


def _perimeter(keys: Mapping[str, Sequence[str]]) -> iam.PolicyStatement:
    """Only this account's principals (and resources) through this endpoint; their own policies say what.

    `keys`: with the accounts that each admits beside this one.
    """
    accounts = {
        key: [Aws.ACCOUNT_ID, *beside] if beside else Aws.ACCOUNT_ID for key, beside in sorted(keys.items())
    }
    return iam.PolicyStatement(
        principals=[iam.AnyPrincipal()],
        actions=["*"],
        resources=["*"],
        conditions={"StringEquals": accounts},
    )
