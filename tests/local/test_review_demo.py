"""`overread demo` on the review service, and what can be done with it afterwards."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.local.conftest import ROOT
from tests.local.test_review_cli import environment_in, run_example

OVERREAD = Path(sys.executable).parent / "overread"
BACKEND = "  backend: overread"


def overread(*arguments: str | Path, timeout_s: float = 240) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [OVERREAD, *arguments], cwd=ROOT, check=False, capture_output=True, text=True, timeout=timeout_s
    )


def test_people_of_the_user_pool_decide_in_the_deployed_portal_and_later_a_sandbox_answers(
    tmp_path: Path,
) -> None:
    # With the sandbox on, one deployment serves both: the demo's people, and the example for CI afterwards.
    text = (ROOT / "config/review-service.yaml").read_text()
    assert text.count(BACKEND) == 1
    config = tmp_path / "sandbox.yaml"
    for path in ("build/models/", "templates/"):
        text = text.replace(f": {path}", f": {ROOT}/{path}")
    config.write_text(text.replace(BACKEND, f"{BACKEND}\n  sandbox: true"))

    output = tmp_path / "demo"
    done = overread("demo", "--unattended", "--cases", "8", "--config", config, "--output", output)
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.splitlines()[-1]
    assert last.startswith("decisions: 24 final (")
    assert last.endswith(" by people), 0 pending")
    assert re.search(
        r"portal is http\S+/live/portal/ again \(sign in as ada, .*; barbara leads; the pass", done.stdout
    )
    decisions = [json.loads(line) for line in (output / "decisions.jsonl").read_text().splitlines()]
    by_people = [one for one in decisions if one["outcome"]["source"] == "human"]
    assert by_people
    people = {name for one in by_people for name in one["reviewer"].split(", ")}
    assert people <= {"ada", "grace", "katherine", "margaret", "evelyn", "radia"}

    state = output / "state"
    try:
        assert overread("local", "up", "--state-dir", state).returncode == 0
        environment = environment_in(state)
        assert "/_aws/execute-api/" in environment["OVERREAD_REVIEW_URL"]
        run_example(environment, tmp_path=tmp_path)
    finally:
        overread("local", "down", "--state-dir", state)
