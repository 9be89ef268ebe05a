"""The network: isolated subnets without a way to the internet, and private ways to AWS services."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Aws, Duration, Environment, Fn, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from overread_config import Settings
from overread_constructs.acknowledgements import accept_inline_policy, acknowledge
from overread_stacks.retention import log_retention, removal_policy

NEEDED_ENDPOINTS = ("appconfigdata", "sagemaker.runtime", "secretsmanager")
"""What the router calls, beside S3 and DynamoDB."""

SERVICE_ENDPOINTS = ("events", "sts")
"""What the review service calls besides."""

EXECUTE_API = "execute-api"
"""The way to a private review service. Where it is, its private names hide every public API."""

ISOLATED = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
_HTTPS = ec2.Port.tcp(443)
MOST_ZONES = 3


class NetworkStack(Stack):
    """Network, endpoints and security groups of one deployment."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, env: Environment) -> None:
        """Everything is named by CloudFormation, so that several deployments share an account."""
        super().__init__(
            scope,
            id,
            env=env,
            tags=dict(settings.tags),
            termination_protection=settings.retention.termination_protection,
            description=f"Overread {settings.environment}: the network",
        )
        network = settings.network
        self.vpc = ec2.Vpc(
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
            self.vpc,
            rule="VPCDefaultSecurityGroupClosed",
            reason=(
                "Nothing uses it: each function, model and endpoint names its own groups. Closing it takes a "
                "function with rights on any group, outside the network."
            ),
        )
        self.handlers = self._outgoing_group("Handlers", description="Functions of Overread: HTTPS out only")
        self.models = self._outgoing_group("Models", description="Models of Overread: HTTPS out only")
        if network.proxy_url:
            port = int(network.proxy_url.rstrip("/").rpartition(":")[2])
            self.handlers.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(port), "The egress proxy")
        self._log_flows(settings)
        own_service = settings.review.backend == "overread"
        private_service = own_service and settings.review.access == "private"
        self._add_gateways(own_service=own_service)
        needed = {*NEEDED_ENDPOINTS, *(SERVICE_ENDPOINTS if own_service else ())}
        needed |= {EXECUTE_API} if private_service else set()
        self._interfaces = self._add_interfaces(
            sorted({*needed, *network.interface_endpoints}),
            cidr=network.cidr,
            reviewers=settings.workforce.source_ip_cidrs if private_service else (),
        )

    @property
    def execute_api(self) -> ec2.InterfaceVpcEndpoint:
        """The way to private APIs; there with a private review service."""
        return self._interfaces[EXECUTE_API]

    @property
    def availability_zones(self) -> list[str]:
        """Zones by number, not by name: no look-up in the account, so that every synthesis gives the same."""
        return [Fn.select(index, Fn.get_azs()) for index in range(MOST_ZONES)]

    def _outgoing_group(self, id: str, *, description: str) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(self, id, vpc=self.vpc, description=description, allow_all_outbound=False)
        # No route leads out of the network: what an address outside of it reaches is the gateway endpoints.
        group.add_egress_rule(ec2.Peer.any_ipv4(), _HTTPS, "AWS services through the endpoints")
        return group

    def _log_flows(self, settings: Settings) -> None:
        keep = removal_policy(settings.retention)
        key = kms.Key(
            self,
            "Key",
            description="Encrypts the network's flow logs",
            enable_key_rotation=True,
            rotation_period=Duration.days(settings.keys.rotation_days),
            pending_window=Duration.days(settings.keys.pending_window_days),
            removal_policy=keep,
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
        log_group = logs.LogGroup(
            self,
            "FlowLog",
            retention=log_retention(settings.retention.log_days),
            encryption_key=key,
            removal_policy=keep,
        )
        flows = self.vpc.add_flow_log(
            "Flows", destination=ec2.FlowLogDestination.to_cloud_watch_logs(log_group)
        )
        accept_inline_policy(flows)

    def _add_gateways(self, *, own_service: bool) -> None:
        for name, service in (
            ("S3", ec2.GatewayVpcEndpointAwsService.S3),
            ("DynamoDb", ec2.GatewayVpcEndpointAwsService.DYNAMODB),
        ):
            endpoint = self.vpc.add_gateway_endpoint(name, service=service)
            endpoint.add_to_policy(_perimeter({"aws:PrincipalAccount", "aws:ResourceAccount"}))
            if name == "S3" and own_service:
                endpoint.add_to_policy(self._custom_resource_answers())

    def _custom_resource_answers(self) -> iam.PolicyStatement:
        """A custom resource inside the network answers CloudFormation at a signed address of AWS's bucket."""
        bucket = f"cloudformation-custom-resource-response-{Fn.join('', Fn.split('-', Aws.REGION))}"
        return iam.PolicyStatement(
            principals=[iam.AnyPrincipal()],
            actions=["s3:PutObject"],
            resources=[f"arn:{Aws.PARTITION}:s3:::{bucket}/*"],
        )

    def _add_interfaces(
        self, names: list[str], *, cidr: str, reviewers: Sequence[str]
    ) -> dict[str, ec2.InterfaceVpcEndpoint]:
        group = ec2.SecurityGroup(
            self,
            "Endpoints",
            vpc=self.vpc,
            description="Interface endpoints: HTTPS from inside only",
            allow_all_outbound=False,
        )
        group.add_ingress_rule(ec2.Peer.ipv4(cidr), _HTTPS, "HTTPS from this network")
        from_elsewhere = [self._reviewers_group(reviewers)] if reviewers else []
        endpoints = {}
        for name in names:
            endpoint = ec2.InterfaceVpcEndpoint(
                self,
                "".join(part.capitalize() for part in name.replace("-", ".").split(".")),
                vpc=self.vpc,
                service=ec2.InterfaceVpcEndpointAwsService(name),
                subnets=ISOLATED,
                security_groups=[group, *(from_elsewhere if name == EXECUTE_API else [])],
                private_dns_enabled=True,
                open=False,
            )
            endpoint.add_to_policy(_people() if name == EXECUTE_API else _perimeter({"aws:PrincipalAccount"}))
            endpoints[name] = endpoint
        return endpoints

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


def _people() -> iam.PolicyStatement:
    """Reviewers are no principals of the account: each API behind the endpoint says who may call what."""
    return iam.PolicyStatement(
        principals=[iam.AnyPrincipal()],
        actions=["execute-api:Invoke"],
        resources=[f"arn:{Aws.PARTITION}:execute-api:{Aws.REGION}:{Aws.ACCOUNT_ID}:*"],
    )


def _perimeter(keys: set[str]) -> iam.PolicyStatement:
    """Only this account's principals (and resources) through this endpoint; their own policies say what."""
    return iam.PolicyStatement(
        principals=[iam.AnyPrincipal()],
        actions=["*"],
        resources=["*"],
        conditions={"StringEquals": dict.fromkeys(sorted(keys), Aws.ACCOUNT_ID)},
    )
