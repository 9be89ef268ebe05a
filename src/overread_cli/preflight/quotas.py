"""Quotas of the account against what the templates need: by code where AWS documents it, else by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from overread_cli.preflight.account import Account
from overread_cli.preflight.assembly import Assembly
from overread_cli.preflight.checks import Verdict, fail, ok, unknown

_UNRESERVED = 100
"""Concurrent executions that Lambda keeps for functions without a reservation (Lambda's documentation)."""
_STACK_TAG = "aws:cloudformation:stack-name"


@dataclass(frozen=True, slots=True)
class Need:
    """A quota that is needed. `code`: None where none is documented; `name` is then looked for.

    `used_by`: call and key that list what is there already; None where it is not counted. What stacks of
    the names `own` made is not counted twice.
    """

    id: str
    service: str
    code: str | None
    name: str
    least: float | None
    used_by: tuple[str, str, str] | None = None
    own: tuple[str, ...] = ()


def needs(assembly: Assembly) -> list[Need]:
    """What the templates need; `least` None: a quota that only is to be known."""
    found = []
    if functions := assembly.of("AWS::Lambda::Function"):
        reserved = sum(int(one.properties.get("ReservedConcurrentExecutions", 0)) for one in functions)
        found.append(
            Need(
                "lambda-concurrency", "lambda", "L-B99A9384", "Concurrent executions", reserved + _UNRESERVED
            )
        )
    rates = [
        float(setting.get("ThrottlingRateLimit", 0))
        for stage in assembly.of("AWS::ApiGateway::Stage")
        for setting in stage.properties.get("MethodSettings", ())
    ]
    if rates:
        found.append(Need("api-requests", "apigateway", "L-8A5B8E43", "Throttle rate", sum(rates)))
    if vpcs := assembly.of("AWS::EC2::VPC"):
        used, own = ("ec2", "DescribeVpcs", "Vpcs"), tuple(sorted({one.stack for one in vpcs}))
        found.append(Need("vpcs", "vpc", "L-F678F1CE", "VPCs per Region", len(vpcs), used, own))
    for kind, count in sorted(_instances(assembly).items()):
        name = f"{kind} for endpoint usage"
        found.append(Need(f"endpoint-{kind.replace('.', '-')}", "sagemaker", None, name, count))
    if assembly.is_on_a2i:
        found.append(Need("human-loops", "sagemaker", None, "human loop", None))
    if assembly.of("AWS::SageMaker::Domain"):
        users = len(assembly.of("AWS::SageMaker::UserProfile"))
        found.append(Need("studio-domains", "sagemaker", None, "Maximum number of Studio domains", 1))
        found.append(Need("studio-users", "sagemaker", None, "Maximum number of user profiles", users))
        found.append(Need("r-sessions", "sagemaker", None, "RSessionGateway Apps running on", None))
    return found


def judge(need: Need, *, account: Account) -> Verdict:
    """Fails when the account has less than is needed. Never ok for a quota that was not found."""
    found = _found(need, account=account)
    if not found:
        how = f"code {need.code}" if need.code else f"name {need.name!r}"
        return unknown(
            f"no quota of {need.service} has the {how}",
            fix=f"look for {need.name!r} in the Service Quotas console, or ask AWS Support",
        )
    if need.least is None:
        told = "; ".join(f"{one['QuotaName']}: {one['Value']:g}" for one in found)
        return ok(f"{told}; keep `review.start_rate` below it")
    quota = min(found, key=lambda one: float(one["Value"]))
    used = _used_by_others(need, account=account)
    least = need.least + used
    detail = f"{quota['QuotaName']}: {quota['Value']:g}; needed {least:g}"
    detail += f", of which {used} in use by others" if need.used_by else ", beside what else uses it"
    if quota["Value"] < least:
        code = quota.get("QuotaCode", need.code)
        return fail(detail, fix=f"raise quota {code} of {need.service} to {least:g} or more")
    return ok(detail)


def _used_by_others(need: Need, *, account: Account) -> int:
    """CloudFormation writes its stack's name on what it makes."""
    if need.used_by is None:
        return 0
    stacks = (
        next((tag["Value"] for tag in one.get("Tags", ()) if tag["Key"] == _STACK_TAG), None)
        for one in account.all(*need.used_by)
    )
    return sum(stack not in need.own for stack in stacks)


def _found(need: Need, *, account: Account) -> list[dict[str, Any]]:
    quotas: Iterable[dict[str, Any]] = account.all(
        "service-quotas", "ListServiceQuotas", "Quotas", ServiceCode=need.service
    )
    if need.code:
        return [one for one in quotas if one["QuotaCode"] == need.code]
    if need.least is None:
        return [one for one in quotas if need.name in one["QuotaName"].lower()]
    return [one for one in quotas if one["QuotaName"].lower() == need.name.lower()]


def _instances(assembly: Assembly) -> Counter[str]:
    counts: Counter[str] = Counter()
    for config in assembly.of("AWS::SageMaker::EndpointConfig"):
        for variant in config.properties.get("ProductionVariants", ()):
            if kind := variant.get("InstanceType"):
                counts[kind] += int(variant.get("InitialInstanceCount", 1))
    return counts
