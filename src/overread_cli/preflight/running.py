"""All checks of a deployment, in their order; one that cannot read does not keep the others from it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from overread_cli.preflight import network, quotas
from overread_cli.preflight.account import Account
from overread_cli.preflight.assembly import Assembly
from overread_cli.preflight.bootstrap import judge_bootstrap
from overread_cli.preflight.checks import Check, Family, UnreadError, Verdict, fail, ok, skipped
from overread_cli.preflight.licence import judge_licence
from overread_cli.preflight.permissions import (
    Decision,
    judge_permissions,
    judge_service_control,
    policy_source,
    simulated,
    unsimulated,
)
from overread_cli.preflight.policies import (
    deployer_policy,
    execution_policy,
    execution_roles,
    place_of,
)
from overread_cli.preflight.region import judge_region
from overread_cli.preflight.reviews import Probe, judge_a2i, judge_ground_truth, judge_workforce
from overread_cli.preflight.tools import RunTool, judge_cdk, judge_node


@dataclass(frozen=True, slots=True)
class Asked:
    """What the checks need besides the account and the templates."""

    region: str
    regions_of: Mapping[str, Collection[str]]
    run_tool: RunTool
    now: datetime
    probe: Probe | None


def run_checks(account: Account, assembly: Assembly, asked: Asked) -> Iterator[Check]:
    """Every check, one after the other. Without credentials the account is not asked further."""
    yield _check("cdk-cli", Family.TOOLS, lambda: judge_cdk(asked.run_tool, assembly))
    yield _check("node", Family.TOOLS, lambda: judge_node(asked.run_tool))
    caller, first = _caller(account, assembly)
    yield Check("credentials", Family.CREDENTIALS, first)
    whole = assembly
    if caller is not None and len(assembly.accounts) > 1:
        own = caller.split(":")[4]
        yield from _elsewhere(assembly, own=own)
        assembly = assembly.only(own)
    yield _check(
        "region",
        Family.REGION,
        lambda: judge_region(asked.region, assembly, regions_of=asked.regions_of),
    )
    if caller is None:
        return
    yield from _permissions(account, assembly, asked, whole=whole, caller=caller)
    yield _check("bootstrap", Family.BOOTSTRAP, lambda: judge_bootstrap(account, assembly))
    for need in quotas.needs(assembly):
        yield _check(f"quota-{need.id}", Family.QUOTAS, partial(quotas.judge, need, account=account))
    yield from _network(account, assembly)
    yield _check("workforce", Family.REVIEWS, lambda: judge_workforce(account, assembly))
    yield _check("a2i", Family.REVIEWS, lambda: judge_a2i(account, assembly, probe=asked.probe))
    yield _check("ground-truth", Family.REVIEWS, lambda: judge_ground_truth(account))
    yield _check(
        "rstudio-licence",
        Family.LICENCE,
        lambda: judge_licence(account, assembly, region=asked.region, now=asked.now),
    )


def _check(name: str, family: Family, judge: Callable[[], Verdict]) -> Check:
    try:
        return Check(name, family, judge())
    except UnreadError as error:
        return Check(name, family, error.verdict())


def _caller(account: Account, assembly: Assembly) -> tuple[str | None, Verdict]:
    try:
        told = account.ask("sts", "GetCallerIdentity")
    except UnreadError as error:
        return None, fail(
            f"{error}",
            fix="sign in to AWS, or set AWS_PROFILE; look at HTTPS_PROXY where AWS was not reached",
        )
    if assembly.accounts and told["Account"] not in assembly.accounts:
        detail = (
            f"these are credentials of account {told['Account']}; it was synthesised for "
            + " and ".join(assembly.accounts)
        )
        return None, fail(detail, fix="sign in to that account, or synthesise for this one")
    return str(told["Arn"]), ok(f"{told['Arn']}")


def _elsewhere(assembly: Assembly, *, own: str) -> Iterator[Check]:
    """What these credentials cannot look at."""
    for other in assembly.accounts:
        if other != own:
            names = ", ".join(stack.name for stack in assembly.stacks if stack.account == other)
            verdict = skipped(f"{names}: run this with credentials of account {other}, too")
            yield Check(f"account-{other}", Family.CREDENTIALS, verdict)


def _permissions(
    account: Account, assembly: Assembly, asked: Asked, *, whole: Assembly, caller: str
) -> Iterator[Check]:
    own = caller.split(":")[4]
    place = place_of(assembly, account=own, region=asked.region)
    decisions: list[Decision] = []
    if own == (whole.home or own):
        deployer = deployer_policy(whole, place=place)
        try:
            decisions = simulated(account, policy_source(account, caller), deployer)
            verdict = judge_permissions(decisions, who="the caller", policy=deployer, name="deployer")
        except UnreadError as error:
            verdict = unsimulated(error, name="deployer")
    else:
        verdict = skipped(f"account {whole.home} deploys into this one; looked at with its credentials")
    yield Check("deployer-permissions", Family.PERMISSIONS, verdict)
    execution = execution_policy(assembly, place=place)
    roles = execution_roles(assembly, place=place) or {caller}
    try:
        found = [
            decision
            for role in sorted(roles)
            for decision in simulated(account, policy_source(account, role), execution)
        ]
        decisions += found
        verdict = judge_permissions(found, who="CloudFormation's role", policy=execution, name="execution")
    except UnreadError as error:
        verdict = unsimulated(error, name="execution")
    yield Check("execution-permissions", Family.PERMISSIONS, verdict)
    yield Check("service-control-policies", Family.PERMISSIONS, judge_service_control(decisions))


def _network(account: Account, assembly: Assembly) -> Iterator[Check]:
    if not network.is_used(assembly):
        for name in ("subnets", "free-addresses", "endpoints", "dns"):
            yield Check(name, Family.NETWORK, skipped("nothing of the templates is in a network"))
        return
    if not assembly.subnet_ids:
        yield _check("subnets", Family.NETWORK, lambda: network.created_subnets(assembly))
        yield _check("free-addresses", Family.NETWORK, lambda: network.judge_addresses(None, assembly))
        yield _check("endpoints", Family.NETWORK, lambda: network.judge_endpoints((), assembly))
        yield _check("dns", Family.NETWORK, lambda: network.judge_dns(network.created_dns(assembly)))
        return
    try:
        there = network.read_network(account, assembly)
    except UnreadError as error:
        for name in ("subnets", "free-addresses", "endpoints", "dns"):
            yield Check(name, Family.NETWORK, error.verdict())
        return
    yield _check("subnets", Family.NETWORK, lambda: network.judge_subnets(there, assembly))
    yield _check("free-addresses", Family.NETWORK, lambda: network.judge_addresses(there, assembly))
    yield _check(
        "endpoints",
        Family.NETWORK,
        lambda: network.judge_endpoints(network.read_endpoints(account, there), assembly),
    )
    yield _check("dns", Family.NETWORK, lambda: network.judge_dns(network.read_dns(account, there)))
