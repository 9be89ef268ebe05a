"""`overread demo` as a user runs it: its end, and its interruption."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
OVERREAD = Path(sys.executable).parent / "overread"
PATIENCE_S = 90.0


def processes_of(folder: Path) -> list[str]:
    """Command lines that name the folder, Lambda workers among them."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or [])
        if str(folder) in line and process.pid != os.getpid():
            found.append(line)
    return found


def test_the_demo_decides_every_case_and_leaves_nothing_running(tmp_path: Path) -> None:
    """What people are asked about is left to the seniors: under the two-person rule it takes two of them."""
    command = [OVERREAD, "demo", "--unattended", "--cases", "6", "--unsure-rate", "1", "--output", tmp_path]
    run = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=180)
    assert run.returncode == 0, run.stdout + run.stderr
    last = run.stdout.splitlines()[-1]
    assert last.startswith("decisions: 18 final (")
    assert last.endswith(" by people), 0 pending")
    decisions = [json.loads(line) for line in (tmp_path / "decisions.jsonl").read_text().splitlines()]
    assert len(decisions) == 18
    assert {decision["use_case"] for decision in decisions} == {
        "digit-reading",
        "loan-approval",
        "tumor-screening",
    }
    assert all(decision["state"] == "FINAL" and decision["outcome"]["label"] for decision in decisions)
    assert processes_of(tmp_path) == []


def test_an_interrupt_in_the_middle_of_the_deployment_ends_everything(tmp_path: Path) -> None:
    command = [OVERREAD, "demo", "--unattended", "--output", tmp_path]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as run:
        log = tmp_path / "deploy.log"
        deadline = time.monotonic() + PATIENCE_S
        while not (log.is_file() and "CREATE_IN_PROGRESS" in log.read_text()):
            assert run.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.killpg(run.pid, signal.SIGINT)
        assert run.wait(timeout=60) == 1
    assert processes_of(tmp_path) == []
    assert not (tmp_path / "decisions.jsonl").exists()


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    precious = tmp_path / "state" / "thesis.txt"
    precious.write_text("ten years of work")
    for command in (
        [OVERREAD, "demo", "--output", tmp_path],
        [OVERREAD, "local", "up", "--fresh", "--state-dir", tmp_path / "state"],
        [OVERREAD, "local", "up", "--state-dir", precious],
    ):
        run = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60)
        assert run.returncode == 1
        assert "Error: " in run.stderr
        assert "Traceback" not in run.stderr
        assert precious.read_text() == "ten years of work"
