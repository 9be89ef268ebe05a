"""Before a deployment, against the emulator: what cannot be told is unknown, and nothing is changed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.local.conftest import ROOT, Deployment

OVERREAD = Path(sys.executable).parent / "overread"


def test_the_account_is_read_and_nothing_guessed(deployed: Deployment) -> None:
    templates = next(deployed.work_dir.rglob("manifest.json")).parent
    before = deployed.client("cloudformation").describe_stacks()["Stacks"]
    done = subprocess.run(
        [OVERREAD, "preflight", "--json", "--template-dir", templates],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env=deployed.stack.environment(),
    )
    assert "Traceback" not in done.stderr
    checks = {check["id"]: check for check in json.loads(done.stdout)["checks"]}
    assert checks["credentials"]["status"] == "ok"
    assert checks["cdk-cli"]["status"] == checks["node"]["status"] == checks["region"]["status"] == "ok"
    assert checks["a2i"]["status"] in {"ok", "unknown"}
    assert all(check["fix"] for check in checks.values() if check["status"] in {"fail", "unknown"})
    assert deployed.client("cloudformation").describe_stacks()["Stacks"] == before


def test_what_is_deployed_is_what_the_guard_compares_with(deployed: Deployment, tmp_path: Path) -> None:
    environment = deployed.stack.environment()
    script = ROOT / "examples/pipelines/fetch_deployed.py"
    for prefix, code in ((deployed.prefix, 0), ("overread-none", 3)):
        done = subprocess.run(
            [sys.executable, script, prefix, tmp_path / prefix],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            env=environment,
        )
        assert done.returncode == code, done.stderr
    templates = next(deployed.work_dir.rglob("manifest.json")).parent
    done = subprocess.run(
        [OVERREAD, "guard", "--old", tmp_path / deployed.prefix, "--new", templates],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
    )
    assert (done.returncode, done.stdout) == (0, "nothing that is kept would be destroyed\n"), done.stdout
