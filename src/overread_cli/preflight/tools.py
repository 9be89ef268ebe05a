"""Whether the CDK's command line and Node are here, and new enough."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from overread_cli.preflight.assembly import Assembly
from overread_cli.preflight.checks import Verdict, fail, ok, unknown

LEAST_NODE = (20, 0, 0)
"""The oldest Node that the CDK's command line runs on."""

RunTool = Callable[[Sequence[str]], str | None]
"""What a command prints; None when it is not there or fails."""


def judge_cdk(run: RunTool, assembly: Assembly) -> Verdict:
    """The CDK's command line against what the assembly asks for."""
    printed = run(("cdk", "--version"))
    if printed is None:
        return fail(
            "the command `cdk` is not there", fix="run `make setup`, or `npm install -g aws-cdk@2.1148.1`"
        )
    found, least = _version(printed), _version(assembly.minimum_cli or "")
    if found is None or least is None:
        return unknown(f"cdk says {printed.strip()!r}", fix="compare with package.json")
    if found < least:
        return fail(f"cdk {_text(found)}; the assembly needs {_text(least)}", fix="run `make setup`")
    return ok(f"cdk {_text(found)}; needed {_text(least)}")


def judge_node(run: RunTool) -> Verdict:
    """Node, on which the CDK's command line runs."""
    printed = run(("node", "--version"))
    if printed is None:
        return fail("the command `node` is not there", fix="run `make setup`, or install Node 24")
    found = _version(printed)
    if found is None:
        return unknown(f"node says {printed.strip()!r}", fix="install Node 24")
    if found < LEAST_NODE:
        return fail(f"node {_text(found)}; needed {_text(LEAST_NODE)}", fix="install Node 24")
    return ok(f"node {_text(found)}")


def _version(text: str) -> tuple[int, int, int] | None:
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def _text(version: tuple[int, int, int]) -> str:
    return ".".join(map(str, version))
