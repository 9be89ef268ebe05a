"""`app.py` with a faulty configuration: told at once, in words."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.unit.config.conftest import Write, changed

APP = Path(__file__).parents[3] / "app.py"


def test_faults_are_printed_without_a_stack_trace_before_the_cdk_starts(write: Write) -> None:
    file = write(changed("threshold: 0.9", "threshold: 9").replace("team: readers", "team: writers"))
    # No node on this PATH: the CDK could not even be imported.
    environ = {key: value for key, value in os.environ.items() if key != "CDK_CONTEXT_JSON"}
    run = subprocess.run(
        [sys.executable, str(APP)],
        check=False,
        capture_output=True,
        text=True,
        env=environ | {"OVERREAD_CONFIG": str(file), "PATH": "/nowhere"},
    )
    assert run.returncode == 1
    first, second = run.stderr.splitlines()
    assert first.startswith(f"{file}:12: use_cases.loans.routing.threshold: ")
    assert second.startswith(f"{file}:14: use_cases.loans.review.team: ")


def test_the_configuration_of_the_context_beats_the_environment(write: Write, tmp_path: Path) -> None:
    chosen = write(changed("threshold: 0.9", "threshold: 9"))
    run = subprocess.run(
        [sys.executable, str(APP)],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ
        | {"OVERREAD_CONFIG": str(tmp_path / "none.yaml"), "CDK_CONTEXT_JSON": f'{{"config": "{chosen}"}}'},
    )
    assert run.returncode == 1
    assert run.stderr.startswith(f"{chosen}:12: ")
