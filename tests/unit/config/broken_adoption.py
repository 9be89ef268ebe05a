"""Faults of what is adopted."""

from __future__ import annotations

from tests.unit.config.broken import Broken, own, top

VPC = "vpc-0123456789abcdef0"
KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ELSEWHERE = KEY.replace("eu-central-1", "eu-west-1")
TOPIC = "arn:aws:sns:eu-central-1:111122223333:alarms"
CERTIFICATE = "arn:aws:acm:eu-central-1:111122223333:certificate/1234abcd"
GATEWAYS = "dynamodb: vpce-01234567, s3: vpce-89abcdef"


def adopt(*lines: str) -> str:
    """VALID, which adopts."""
    return top("\n  ".join(("adopt:", *lines)))


def named(*lines: str) -> str:
    """VALID with a name for the API, which adopts."""
    domain = f"{{name: decisions.acme.example, certificate_arn: '{CERTIFICATE}'}}"
    return top("\n  ".join((f"api: {{domain: {domain}}}\nadopt:", *lines)))


def adopt_vpc(*lines: str, gateways: str = GATEWAYS) -> str:
    """VALID in an adopted VPC, with more adopted."""
    subnets = "subnet_ids: [subnet-01234567, subnet-89abcdef]"
    return adopt(f"vpc_id: {VPC}", subnets, f"endpoints: {{{gateways}}}", *lines)


ADOPTION: dict[str, Broken] = {
    "adopt": Broken(top("adopt: vpc"), "adopt: vpc", "adopt", "'vpc'", "`vpc_id`", "must be a mapping"),
    "adopt_vpc": Broken(adopt("vpc_id: vpc-12"), "vpc-12", "adopt.vpc_id", "'vpc-12'", "such as vpc-"),
    "adopt_subnet": Broken(
        adopt_vpc().replace("subnet-89abcdef", "subnet-x"),
        "subnet-x",
        "adopt.subnet_ids[1]",
        "'subnet-x'",
        "such as subnet-",
    ),
    "adopt_one_subnet": Broken(
        adopt_vpc().replace(", subnet-89abcdef", ""), "subnet_ids", "adopt.subnet_ids", "a list", "2 to 6"
    ),
    "adopt_vpc_without_subnets": Broken(
        adopt(f"vpc_id: {VPC}", f"endpoints: {{{GATEWAYS}}}"),
        "adopt:",
        "adopt.subnet_ids",
        "()",
        "two to six subnets",
        "is required with an adopted VPC",
    ),
    "adopt_subnets_alone": Broken(
        adopt("subnet_ids: [subnet-01234567, subnet-89abcdef]"),
        "subnet_ids",
        "adopt.subnet_ids",
        "subnet-01234567",
        "leave it out",
        "without adopt.vpc_id",
    ),
    "adopt_groups_alone": Broken(
        adopt("security_groups: {handlers: sg-01234567}"),
        "security_groups",
        "adopt.security_groups",
        "a section",
        "leave it out",
        "without adopt.vpc_id",
    ),
    "adopt_endpoints_alone": Broken(
        adopt("endpoints: {secretsmanager: vpce-01234567}"),
        "endpoints",
        "adopt.endpoints",
        "vpce-01234567",
        "leave it out",
        "without adopt.vpc_id",
    ),
    **{
        f"adopt_group_of_{name}": Broken(
            adopt_vpc(f"security_groups: {{{name}: default}}"),
            "default",
            f"adopt.security_groups.{name}",
            "'default'",
            "such as sg-",
        )
        for name in ("handlers", "models", "endpoints")
    },
    "adopt_endpoint": Broken(
        adopt_vpc(gateways=f"{GATEWAYS}, secretsmanager: vpc-01234567"),
        "endpoints",
        "adopt.endpoints.secretsmanager",
        "'vpc-01234567'",
        "such as vpce-",
    ),
    "adopt_endpoint_of_no_service": Broken(
        adopt_vpc(gateways=f"{GATEWAYS}, secrets: vpce-01234567"),
        "endpoints",
        "adopt.endpoints.secrets",
        "'secrets'",
        "secretsmanager",
    ),
    "adopt_endpoint_that_is_not_used": Broken(
        adopt_vpc(gateways=f"{GATEWAYS}, execute-api: vpce-01234567"),
        "endpoints",
        "adopt.endpoints.execute-api",
        "'execute-api'",
        "`appconfigdata`, `dynamodb`, `s3`, `sagemaker.runtime`, `secretsmanager`",
        "nothing here uses",
    ),
    "adopt_no_gateway": Broken(
        adopt_vpc(gateways="s3: vpce-01234567"),
        "endpoints",
        "adopt.endpoints",
        "vpce-01234567",
        "`dynamodb` and `s3`",
        "leaves out gateway endpoints, which change route tables of the VPC: `dynamodb`",
    ),
    "adopt_vpc_and_cidr": Broken(
        adopt_vpc() + "network:\n  cidr: 10.1.0.0/20\n",
        "cidr",
        "network.cidr",
        "10.1.0.0/20",
        "leave it out",
        "with an adopted VPC",
    ),
    "adopt_vpc_and_zones": Broken(
        adopt_vpc() + "network:\n  availability_zones: 3\n",
        "availability_zones",
        "network.availability_zones",
        "3",
        "leave it out",
        "with an adopted VPC",
    ),
    "adopt_keys": Broken(adopt("keys: mine"), "keys", "adopt.keys", "'mine'", "`operations`"),
    **{
        f"adopt_key_of_{name}": Broken(
            adopt(f"keys: {{{name}: alias/mine}}"),
            "alias",
            f"adopt.keys.{name}",
            "alias/mine",
            "not an alias",
        )
        for name in ("data", "operations")
    },
    "adopt_key_of_another_region": Broken(
        adopt(f"keys: {{data: '{ELSEWHERE}'}}"),
        ELSEWHERE,
        "adopt.keys.data",
        ELSEWHERE,
        "an ARN of eu-central-1",
        "another region",
    ),
    "adopt_keys_and_rotation": Broken(
        adopt(f"keys: {{data: '{KEY}', operations: '{KEY}'}}") + "keys: {rotation_days: 90}\n",
        "rotation_days",
        "keys",
        "a section",
        "leave it out",
        "when both keys are adopted",
    ),
    "adopt_access_log_bucket": Broken(
        adopt("access_log_bucket: s3://logs"),
        "s3://logs",
        "adopt.access_log_bucket",
        "s3://logs",
        "a bucket's name",
    ),
    "adopt_alarm_topic": Broken(
        adopt(f"alarm_topic_arn: {TOPIC}.fifo"), "fifo", "adopt.alarm_topic_arn", ".fifo", "not FIFO"
    ),
    "adopt_alarm_topic_of_another_region": Broken(
        adopt(f"alarm_topic_arn: {TOPIC.replace('eu-central-1', 'us-east-1')}"),
        "us-east-1",
        "adopt.alarm_topic_arn",
        "us-east-1",
        "an ARN of eu-central-1",
        "another region",
    ),
    "adopt_execute_api_of_a_public_service": Broken(
        own(adopt_vpc(gateways=f"{GATEWAYS}, execute-api: vpce-01234567")) + "  access: public\n",
        "endpoints",
        "adopt.endpoints.execute-api",
        "'execute-api'",
        "`events`",
        "nothing here uses",
    ),
    "adopt_zone_alone": Broken(
        adopt("hosted_zone: {id: Z0123, name: acme.example}"),
        "hosted_zone",
        "adopt.hosted_zone",
        "a section",
        "leave it out",
        "without api.domain",
    ),
    "adopt_zone_id": Broken(
        named("hosted_zone: {id: acme, name: acme.example}"),
        "hosted_zone",
        "adopt.hosted_zone.id",
        "acme",
        "Z0",
    ),
    "adopt_zone_name": Broken(
        named("hosted_zone: {id: Z0123, name: Acme}"),
        "hosted_zone",
        "adopt.hosted_zone.name",
        "Acme",
        "lower case",
    ),
    "adopt_zone_of_others": Broken(
        named("hosted_zone: {id: Z0123, name: other.example}"),
        "hosted_zone",
        "adopt.hosted_zone.name",
        "other.example",
        "api.domain.name ends with",
        "is not the zone of `decisions.acme.example`",
    ),
    "api_domain": Broken(
        top("api: {domain: here}"), "domain", "api.domain", "'here'", "`name`", "must be a mapping"
    ),
    "api_domain_name": Broken(
        top(f"api: {{domain: {{name: Decisions, certificate_arn: '{CERTIFICATE}'}}}}"),
        "domain",
        "api.domain.name",
        "Decisions",
        "lower case",
    ),
    "api_domain_certificate": Broken(
        top("api: {domain: {name: decisions.acme.example, certificate_arn: mine}}"),
        "domain",
        "api.domain.certificate_arn",
        "mine",
        "ARN in ACM",
    ),
    "api_domain_certificate_elsewhere": Broken(
        named("keys: {}").replace("acm:eu-central-1", "acm:us-east-1"),
        "certificate_arn",
        "api.domain.certificate_arn",
        "us-east-1",
        "an ARN of eu-central-1",
        "is of another region",
    ),
}
