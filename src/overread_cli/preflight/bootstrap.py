"""Whether the account is bootstrapped for the CDK, and recently enough."""

from __future__ import annotations

from overread_cli.preflight.account import Account
from overread_cli.preflight.assembly import Assembly
from overread_cli.preflight.checks import UnreadError, Verdict, fail, ok, skipped, unknown

_FIX = "run `cdk bootstrap` with the qualifier of `organization.bootstrap`, or ask who keeps the bootstrap"


def judge_bootstrap(account: Account, assembly: Assembly) -> Verdict:
    """The version of each bootstrap that the stacks name, against what they need."""
    needed: dict[str, int] = {}
    for stack in assembly.stacks:
        if parameter := stack.properties.get("bootstrapStackVersionSsmParameter"):
            least = int(stack.properties.get("requiresBootstrapStackVersion", 0))
            needed[parameter] = max(least, needed.get(parameter, 0))
    if not needed:
        return skipped("the stacks are deployed without a bootstrap version")
    found = {}
    for parameter, least in sorted(needed.items()):
        try:
            text = str(account.ask("ssm", "GetParameter", Name=parameter)["Parameter"]["Value"])
        except UnreadError as error:
            if "ParameterNotFound" in error.reason:
                return fail(f"{parameter} is not there: the account is not bootstrapped", fix=_FIX)
            return error.verdict()
        if not text.isdigit():
            return unknown(f"{parameter} is {text!r}, no version", fix=_FIX)
        if int(text) < least:
            return fail(f"bootstrap version {text}; the stacks need {least}", fix=_FIX)
        found[parameter] = text
    return ok(f"bootstrap version {', '.join(sorted(set(found.values())))}")
