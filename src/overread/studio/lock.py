"""The create-only properties of a deployed domain, and what a change of each would destroy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_INSTEAD: Mapping[str, str] = {
    "auth_mode": "make a second deployment with the other way to sign in, and have users move their homes",
    "domain_name": "keep organization.name_prefix and environment, or make a second deployment",
    "kms_key": "keep the key; rotate it in place, its ARN stays",
    "workbench_version": "upgrade as the runbook in docs/rstudio.md says, then lock again",
    "server_instance": "change it as the runbook in docs/rstudio.md says, then lock again",
}


@dataclass(frozen=True, slots=True)
class Destruction:
    """A change that CloudFormation makes by replacement: what, from, to, what is lost, what to do instead."""

    field: str
    before: str
    after: str
    destroys: str
    instead: str


def destructions(locked: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[Destruction]:
    """What of a deployed domain the wanted one would replace. Both: domain's fields, and `users` by name.

    A user who is new, or gone, replaces nothing.
    """
    found = [
        Destruction(
            field=field,
            before=str(locked[field]),
            after=str(wanted.get(field, "")),
            destroys="the domain is replaced by an empty one; every user's home stays in a file system "
            "of no domain",
            instead=instead,
        )
        for field, instead in _INSTEAD.items()
        if field in locked and locked[field] != wanted.get(field, "")
    ]
    users, now = locked.get("users") or {}, wanted.get("users") or {}
    found += [
        Destruction(
            field=f"users.{name}",
            before=group,
            after=now[name],
            destroys="the user's profile is replaced: running sessions end and the new profile has an empty "
            "home",
            instead=f"take {name} out and deploy, or give the new profile another name and have the user "
            "move the files; then lock again",
        )
        for name, group in sorted(users.items())
        if name in now and now[name] != group
    ]
    return found
