"""What roles of a deployment were checked for while it was tested, kept beside the synthesis tests."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from overread_testing.access import Call, Stacks, shared_names

RECORDS = Path(__file__).parents[1] / "synth/stacks_synth/access"
_CONDITIONS = ("iam:", "sagemaker:")
"""Condition keys that our policies look at; those of DynamoDB and S3 here are of no policy."""


def hold_against_record(
    checks: Iterable[Mapping[str, Any]], *, stacks: Stacks, physical: Mapping[tuple[str, str], str], name: str
) -> None:
    """Fails on a denied call of a deployed function, and on one that is not in the record.

    `UPDATE_ACCESS=1 make test TESTS=tests/local` adds to the record what is new.
    """
    found = [(_call(check, stacks=stacks, physical=physical), check["allowed"]) for check in checks]
    ours = {role for role, _ in stacks.statements()}
    functions = stacks.roles_of_functions()
    denied = sorted(call for call, is_allowed in found if call.role in functions and not is_allowed)
    if denied:
        pytest.fail(f"roles of the deployment were denied: {denied}")
    seen = {call for call, is_allowed in found if call.role in ours and is_allowed}
    known = read_record(name)
    if os.environ.get("UPDATE_ACCESS") == "1":
        lines = [
            json.dumps([call.role, call.action, call.resource, call.context]) for call in sorted(known | seen)
        ]
        (RECORDS / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    elif new := sorted(seen - known):
        pytest.fail(f"calls that no record tells of (UPDATE_ACCESS=1 adds them): {new}")


def read_record(name: str) -> set[Call]:
    """The calls that were recorded of a deployment."""
    file = RECORDS / f"{name}.jsonl"
    return {Call(*json.loads(line)) for line in file.read_text().splitlines()} if file.is_file() else set()


def _call(check: Mapping[str, Any], *, stacks: Stacks, physical: Mapping[tuple[str, str], str]) -> Call:
    def shared(text: str) -> str:
        return shared_names(text, stacks=stacks, physical=physical)

    context = {name: value for name, value in check["context"].items() if name.startswith(_CONDITIONS)}
    return Call(
        role=shared(check["role"].rpartition("/")[2]),
        action=check["action"],
        resource=shared(check["resource"]),
        context=shared(json.dumps(context, sort_keys=True)),
    )
