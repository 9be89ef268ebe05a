"""Whether deployer and CloudFormation may do what the templates ask, and what an organization forbids."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from overread_cli.preflight.account import Account
from overread_cli.preflight.checks import UnreadError, Verdict, fail, ok, skipped, unknown
from overread_cli.preflight.policies import Policy, Statement

_ASSUMED = re.compile(r"arn:(?P<partition>[\w-]+):sts::[0-9]{12}:assumed-role/(?P<role>[^/]+)/.+")
_BATCH = 50
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Decision:
    """IAM's answer about one action. `is_forbidden`: by a service control policy; None: it does not say.

    `missing`: keys of conditions whose values a simulation does not know, where it was not allowed.
    """

    action: str
    is_allowed: bool
    is_forbidden: bool | None
    missing: tuple[str, ...] = ()


def policy_source(account: Account, caller: str) -> str:
    """The IAM user or role behind a caller's ARN; an assumed role's path is asked for."""
    assumed = _ASSUMED.fullmatch(caller)
    if assumed is None:
        return caller
    return str(account.ask("iam", "GetRole", RoleName=assumed["role"])["Role"]["Arn"])


def simulated(account: Account, principal: str, policy: Policy) -> list[Decision]:
    """IAM's own evaluation of every statement, without doing anything."""
    return [
        _decision(result)
        for statement in policy.statements
        for first in range(0, len(statement.actions), _BATCH)
        for result in account.all(
            "iam",
            "SimulatePrincipalPolicy",
            "EvaluationResults",
            **_asked(principal, statement, statement.actions[first : first + _BATCH]),
        )
    ]


def judge_permissions(decisions: Iterable[Decision], *, who: str, policy: Policy, name: str) -> Verdict:
    """Fails with the denied actions; unknown where the templates have types that are not listed here."""
    decisions = list(decisions)
    refused = [decision for decision in decisions if not decision.is_allowed]
    denied = sorted({decision.action for decision in refused if not decision.missing})
    fix = f"give it the policy that `overread preflight --policy {name}` prints"
    if denied:
        return fail(f"{who} may not: {_listed(denied)}", fix=fix)
    if refused:
        actions = _listed(sorted({decision.action for decision in refused}))
        keys = ", ".join(sorted({key for decision in refused for key in decision.missing}))
        return unknown(
            f"whether {who} may {actions} depends on conditions: {keys}",
            fix="compare these conditions with the templates",
        )
    if policy.unlisted:
        return unknown(
            f"{who} may do what is known; not known is what these types take: {', '.join(policy.unlisted)}",
            fix="look these types up in CloudFormation's documentation",
        )
    if not decisions:
        return skipped(f"the templates ask nothing of {who}")
    return ok(f"{who} may do all that the templates ask, as IAM simulates it")


def judge_service_control(decisions: list[Decision]) -> Verdict:
    """Fails with the actions that a service control policy forbids, where IAM says so."""
    if forbidden := sorted({decision.action for decision in decisions if decision.is_forbidden}):
        return fail(
            f"a service control policy forbids: {_listed(forbidden)}",
            fix="ask the organization's administrators for an exception for these actions",
        )
    if not any(decision.is_forbidden is False for decision in decisions):
        return unknown(
            "IAM's simulation says nothing of service control policies here",
            fix="ask the organization's administrators, with the policies that --policy prints",
        )
    return ok("no service control policy forbids what the templates ask, as IAM simulates it")


def unsimulated(error: UnreadError, *, name: str) -> Verdict:
    """Unknown, because the account does not let itself be asked."""
    verdict = error.verdict()
    return unknown(
        verdict.detail, fix=f"{verdict.fix}; or compare with what `overread preflight --policy {name}` prints"
    )


def _asked(principal: str, statement: Statement, actions: tuple[str, ...]) -> dict[str, Any]:
    # IAM's simulation takes whole ARNs: a name that the pattern matches stands for all.
    resources = [arn if arn == "*" else arn.replace("*", "preflight") for arn in statement.resources]
    asked: dict[str, Any] = {
        "PolicySourceArn": principal,
        "ActionNames": list(actions),
        "ResourceArns": resources,
    }
    if statement.passed_to:
        asked["ContextEntries"] = [
            {
                "ContextKeyName": "iam:PassedToService",
                "ContextKeyValues": list(statement.passed_to[:1]),
                "ContextKeyType": "string",
            }
        ]
    return asked


def _decision(result: dict[str, Any]) -> Decision:
    told = result.get("OrganizationsDecisionDetail")
    is_forbidden = None if told is None else not told["AllowedByOrganizations"]
    is_allowed = result["EvalDecision"] == "allowed"  # of several resources the most restrictive decision
    missing = () if is_allowed else tuple(sorted(result.get("MissingContextValues") or ()))
    return Decision(result["EvalActionName"], is_allowed, is_forbidden, missing)


def _listed(actions: list[str]) -> str:
    more = len(actions) - _SHOWN
    return ", ".join(actions[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
