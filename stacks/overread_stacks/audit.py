"""`make audit`: every rule pack and two scanners over every deployment that configuration files describe.

python -m overread_stacks.audit --output build/audit --scanners .venv-audit config/*.yaml
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from aws_cdk import App

from overread.errors import OverreadError
from overread_config import load_settings
from overread_stacks.app_factory import FEATURE_FLAGS, build_app
from overread_stacks.checks import add_every_check
from overread_stacks.scanners import ScannerError, left_over, run_checkov, run_guard

REGION = {"CDK_DEFAULT_ACCOUNT": "111122223333", "CDK_DEFAULT_REGION": "eu-central-1"}
"""For configurations that leave them to the command line."""


def main(arguments: Sequence[str]) -> int:
    """0 when no finding is left, 1 when some are, 2 when an audit cannot be made."""
    parser = argparse.ArgumentParser(prog="audit", description=__doc__)
    parser.add_argument("configs", nargs="+", type=Path)
    parser.add_argument("--output", type=Path, required=True, help="folder for the templates")
    parser.add_argument("--scanners", type=Path, required=True, help="environment with checkov and cfn-guard")
    parser.add_argument(
        "--today", type=date.fromisoformat, default=datetime.now(UTC).date(), help="the day to audit for"
    )
    chosen = parser.parse_args(arguments)
    try:
        verdicts = [
            _audit(config, output=chosen.output, scanners=chosen.scanners, today=chosen.today)
            for config in chosen.configs
        ]
    except (OverreadError, ScannerError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0 if all(verdicts) else 1


def _audit(config: Path, *, output: Path, scanners: Path, today: date) -> bool:
    folder = output / config.stem
    passes = _synthesize(config, folder=folder, today=today)
    templates = sorted(folder.glob("*.template.json"))
    found = [*run_checkov(templates, environment=scanners), *run_guard(templates, environment=scanners)]
    left = list(left_over(found, today=today))
    for finding in left:
        sys.stdout.write(f"{finding}\n")
    verdict = "clean" if passes and not left else "findings are left"
    sys.stdout.write(
        f"{config}: {verdict}; {len(found) - len(left)} findings of checkov and cfn-guard are acknowledged\n"
    )
    return passes and not left


def _synthesize(config: Path, *, folder: Path, today: date) -> bool:
    app = App(
        outdir=str(folder),
        context={**FEATURE_FLAGS, "aws:cdk:bundling-stacks": []},  # rules read templates, not code
        analytics_reporting=False,
    )
    build_app(load_settings(config), environ=REGION, app=app)
    add_every_check(app, today=today)
    try:
        app.synth()
    except RuntimeError as error:  # the CDK has written its report, with each finding
        if "ValidationFailed" not in str(error):
            raise
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
