"""Whether a licence of RStudio Workbench is there for a domain that wants one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from overread_cli.preflight.account import Account
from overread_cli.preflight.assembly import Assembly
from overread_cli.preflight.checks import UnreadError, Verdict, fail, ok, skipped, unknown

PRODUCTS = ("RStudio", "RSW-SageMaker")
HOME = "us-east-1"
"""Posit grants licences there; they hold in every region."""


def wants_rstudio(assembly: Assembly) -> bool:
    """Whether a domain with RStudio is in the templates."""
    return any(
        "RStudioServerProDomainSettings" in domain.properties.get("DomainSettings", {})
        for domain in assembly.of("AWS::SageMaker::Domain")
    )


def judge_licence(account: Account, assembly: Assembly, *, region: str, now: datetime) -> Verdict:
    """None, pending, expired, denied, or ok. Whether seats are free cannot be read."""
    if not wants_rstudio(assembly):
        return skipped("the templates have no RStudio domain")
    try:
        found = [
            one
            for place in sorted({HOME, region})
            for one in account.all("license-manager", "ListReceivedLicenses", "Licenses", region=place)
        ]
    except UnreadError as error:
        if error.is_refused:
            return unknown(f"denied: {error.action} was refused", fix=f"allow {error.action}, and run again")
        return error.verdict()
    return judge_licences(found, now=now)


def judge_licences(licences: Sequence[Mapping[str, Any]], *, now: datetime) -> Verdict:
    """The best of the received licences of RStudio's products."""
    ours = [one for one in licences if one.get("ProductName") in PRODUCTS]
    if not ours:
        return fail(
            "none: no licence of RStudio Workbench was received", fix="ask Posit to grant one to this account"
        )
    states = {_state(one, now=now) for one in ours}
    if "ok" in states:
        return ok("ok: a licence is active")
    if "pending" in states:
        return fail(
            "pending: a licence waits to be accepted",
            fix="accept and activate it in License Manager, under granted licenses",
        )
    if "expired" in states:
        return fail("expired: the licence has ended", fix="ask Posit to renew it")
    return fail("denied: a licence is there but not available", fix="look at it in License Manager")


def _state(licence: Mapping[str, Any], *, now: datetime) -> str:
    received = licence.get("ReceivedMetadata", {}).get("ReceivedStatus", "")
    end = licence.get("Validity", {}).get("End", "")
    if licence.get("Status") == "EXPIRED" or (end and _instant(end) <= now):
        return "expired"
    if received in {"PENDING_ACCEPT", "PENDING_WORKFLOW"}:
        return "pending"
    return "ok" if licence.get("Status") == "AVAILABLE" and received == "ACTIVE" else "denied"


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
