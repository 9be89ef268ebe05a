"""Subnets, free addresses, endpoints and DNS: of the network that is created, or of the one that is there."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from overread_cli.preflight.account import Account
from overread_cli.preflight.assembly import Assembly, texts
from overread_cli.preflight.checks import Verdict, fail, ok, skipped, unknown
from overread_config.adoption import GATEWAY_ENDPOINTS, needed_endpoints

_AMAZONS_OWN = 5
_ADDRESSES_A_USER = 4
"""Of one R user's sessions, in whichever subnet they are (AWS: two to four)."""
_SPARE = 8


@dataclass(frozen=True, slots=True)
class Network:
    """The network that is there already: what EC2 says of it."""

    subnets: Sequence[Mapping[str, Any]]
    route_tables: Sequence[Mapping[str, Any]]


def endpoints_needed(assembly: Assembly) -> tuple[str, ...]:
    """What functions and R sessions inside the network call, and where a model's archive is."""
    functions = assembly.of("AWS::Lambda::Function")
    if not functions:
        return ("s3",)
    runs_reviews = any(
        str(one.properties.get("Handler", "")).startswith("overread_lambda.review_service")
        for one in functions
    )
    backend = "overread" if runs_reviews else "a2i"
    is_private = any(
        "PRIVATE" in one.properties.get("EndpointConfiguration", {}).get("Types", ())
        for one in assembly.of("AWS::ApiGateway::RestApi")
    )
    access = "private" if is_private else "public"
    apart = any(
        "OVERREAD_PREDICTION_ROLE" in one.properties.get("Environment", {}).get("Variables", {})
        for one in functions
    )
    studio = bool(assembly.of("AWS::SageMaker::Domain"))
    return (
        *GATEWAY_ENDPOINTS,
        *needed_endpoints(backend=backend, access=access, models_apart=apart, studio=studio),
    )


def is_used(assembly: Assembly) -> bool:
    """Whether a function or a model of the templates is in a network."""
    return any(
        "VpcConfig" in one.properties for one in assembly.of("AWS::Lambda::Function", "AWS::SageMaker::Model")
    ) or bool(assembly.of("AWS::SageMaker::Domain"))


def read_network(account: Account, assembly: Assembly) -> Network:
    """Subnets that the templates name, and the route tables of their networks."""
    subnets = account.all(
        "ec2",
        "DescribeSubnets",
        "Subnets",
        Filters=[{"Name": "subnet-id", "Values": list(assembly.subnet_ids)}],
    )
    networks = sorted({subnet["VpcId"] for subnet in subnets})
    tables = (
        account.all(
            "ec2", "DescribeRouteTables", "RouteTables", Filters=[{"Name": "vpc-id", "Values": networks}]
        )
        if networks
        else []
    )
    return Network(subnets, tables)


def judge_subnets(network: Network, assembly: Assembly) -> Verdict:
    """They exist, are of one network, in two zones or more, and have no way to the internet of their own."""
    found = {subnet["SubnetId"]: subnet for subnet in network.subnets}
    faults = [f"{name} is not there" for name in assembly.subnet_ids if name not in found]
    if len({subnet["VpcId"] for subnet in found.values()}) > 1:
        faults.append("they are of several networks")
    if found and len({subnet["AvailabilityZone"] for subnet in found.values()}) < 2:
        faults.append("they are all in one availability zone")
    faults += [f"{name} is public" for name in found if _is_public(name, network, found[name]["VpcId"])]
    if faults:
        return fail(
            f"subnets: {'; '.join(faults)}", fix="give private subnets of one network in two or more zones"
        )
    return ok(f"{len(found)} private subnets in two or more zones")


def created_subnets(assembly: Assembly) -> Verdict:
    """Of a network that the templates create, their own addresses."""
    smallest = _smallest_created(assembly)
    if smallest is None:
        return skipped("the templates use no subnets")
    return ok(f"{len(assembly.of('AWS::EC2::Subnet'))} subnets are created")


def judge_addresses(network: Network | None, assembly: Assembly) -> Verdict:
    """Each subnet has room for a network interface of every endpoint, function group and model instance."""
    least = addresses_needed(assembly)
    if network is None:
        smallest = _smallest_created(assembly)
        if smallest is None:
            return skipped("the templates use no subnets")
        free = {"the smallest created subnet": smallest}
    else:
        free = {one["SubnetId"]: int(one["AvailableIpAddressCount"]) for one in network.subnets}
    short = [f"{name} has {count}" for name, count in sorted(free.items()) if count < least]
    if short:
        return fail(
            f"free addresses: {', '.join(short)}; needed {least} in each",
            fix="free addresses, or use larger subnets",
        )
    if not free:
        return unknown("no subnet was found", fix="see the check `subnets`")
    return ok(f"at least {min(free.values())} free addresses in each subnet; needed {least}")


def addresses_needed(assembly: Assembly) -> int:
    """Addresses in one subnet: endpoints, functions' security groups, instances, R users, a few spare."""
    endpoints = len(_interface_endpoints(assembly))
    groups = {
        str(one.properties["VpcConfig"].get("SecurityGroupIds"))
        for one in assembly.of("AWS::Lambda::Function")
        if "VpcConfig" in one.properties
    }
    instances = sum(
        int(variant.get("InitialInstanceCount", 1))
        for config in assembly.of("AWS::SageMaker::EndpointConfig")
        for variant in config.properties.get("ProductionVariants", ())
    )
    sessions = len(assembly.of("AWS::SageMaker::UserProfile")) * _ADDRESSES_A_USER
    return endpoints + len(groups) + instances + sessions + _SPARE


def judge_endpoints(found: Iterable[Mapping[str, Any]], assembly: Assembly) -> Verdict:
    """Every service that functions call has an endpoint, created or there and available, with private DNS."""
    needed = endpoints_needed(assembly)
    there: dict[str, Mapping[str, Any]] = {
        name: endpoint
        for endpoint in found
        for name in needed
        if str(endpoint["ServiceName"]).endswith(f".{name}")
    }
    created = _created_endpoints(assembly, needed)
    faults = []
    for name in sorted(set(needed) - created):
        endpoint = there.get(name)
        if endpoint is None:
            faults.append(f"{name} has none")
        elif str(endpoint["State"]).lower() != "available":
            faults.append(f"{name} is {endpoint['State']}")
        elif name not in GATEWAY_ENDPOINTS and not endpoint.get("PrivateDnsEnabled"):
            faults.append(f"{name} has no private DNS name")
    if faults:
        return fail(
            f"VPC endpoints: {'; '.join(faults)}", fix="create these endpoints, or have them created here"
        )
    return ok(f"{len(created)} endpoints are created, {len(needed) - len(created)} are there")


def read_endpoints(account: Account, network: Network) -> list[Mapping[str, Any]]:
    """Endpoints of the network that is there."""
    networks = sorted({subnet["VpcId"] for subnet in network.subnets})
    if not networks:
        return []
    return account.all(
        "ec2", "DescribeVpcEndpoints", "VpcEndpoints", Filters=[{"Name": "vpc-id", "Values": networks}]
    )


def judge_dns(attributes: Mapping[str, bool]) -> Verdict:
    """Private DNS names of endpoints need both attributes of the network. `attributes`: by name."""
    off = sorted(name for name, is_on in attributes.items() if not is_on)
    if off:
        return fail(f"the network has {' and '.join(off)} off", fix="switch both on")
    return ok("the network resolves names and gives host names")


def read_dns(account: Account, network: Network) -> dict[str, bool]:
    """`enableDnsSupport` and `enableDnsHostnames` of the network that is there, and of each if several."""
    attributes = {"enableDnsSupport": True, "enableDnsHostnames": True}
    for vpc in sorted({subnet["VpcId"] for subnet in network.subnets}):
        for name, is_on in attributes.items():
            answer = account.ask("ec2", "DescribeVpcAttribute", VpcId=vpc, Attribute=name)
            key = name[0].upper() + name[1:]
            attributes[name] = is_on and bool(answer[key]["Value"])
    return attributes


def created_dns(assembly: Assembly) -> dict[str, bool]:
    """The same of the network that the templates create; EC2 has support on and host names off by default."""
    created = [one.properties for one in assembly.of("AWS::EC2::VPC")]
    return {
        "enableDnsSupport": all(one.get("EnableDnsSupport", True) for one in created),
        "enableDnsHostnames": all(one.get("EnableDnsHostnames", False) for one in created),
    }


def _is_public(subnet: str, network: Network, vpc: str) -> bool:
    """By its own route table, or by the network's main one."""
    tables = [table for table in network.route_tables if table.get("VpcId", vpc) == vpc]
    own = [table for table in tables if _is_associated(table, "SubnetId", subnet)]
    main = [table for table in tables if _is_associated(table, "Main", True)]
    return any(
        str(route.get("GatewayId", "")).startswith("igw-")
        for table in own or main
        for route in table.get("Routes", ())
    )


def _is_associated(table: Mapping[str, Any], key: str, value: object) -> bool:
    return any(association.get(key) == value for association in table.get("Associations", ()))


def _smallest_created(assembly: Assembly) -> int | None:
    sizes = [
        ipaddress.ip_network(one.properties["CidrBlock"]).num_addresses - _AMAZONS_OWN
        for one in assembly.of("AWS::EC2::Subnet")
        if isinstance(one.properties.get("CidrBlock"), str)
    ]
    return min(sizes, default=None)


def _interface_endpoints(assembly: Assembly) -> list[Mapping[str, Any]]:
    return [
        one.properties
        for one in assembly.of("AWS::EC2::VPCEndpoint")
        if one.properties.get("VpcEndpointType") == "Interface"
    ]


def _created_endpoints(assembly: Assembly, needed: Iterable[str]) -> set[str]:
    """Last parts of the services' names; gateway endpoints have theirs put together from parts."""
    return {
        name
        for one in assembly.of("AWS::EC2::VPCEndpoint")
        for text in texts({"name": one.properties.get("ServiceName")})
        for name in needed
        if text.endswith(f".{name}")
    }
