"""`overread review`, `overread local env` and the example for an application's CI, on deployed stacks."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.local.conftest import ROOT, Deployment
from tests.local.organized import PREFIX

OVERREAD = Path(sys.executable).parent / "overread"
ANSWER = json.dumps({"decision": {"label": "decline"}, "reason_code": "repayment-capacity"})
FLOW = f"{PREFIX}-demo-loan-approval"


@pytest.fixture(scope="module")
def environment(deployed: Deployment) -> dict[str, str]:
    """What `overread local env` prints, over an environment that knows no AWS."""
    return environment_in(deployed.stack.state_dir)


def environment_in(state_dir: Path) -> dict[str, str]:
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "OVERREAD_"))}
    command = [str(OVERREAD), "local", "env", "--state-dir", str(state_dir)]
    done = subprocess.run(command, env=bare, check=True, capture_output=True, text=True, timeout=60)
    return bare | dict(re.findall(r"^export (\w+)='?(.*?)'?$", done.stdout, re.MULTILINE))


def review(deployment: Deployment, *arguments: str, given: str = "") -> Any:
    group, *rest = arguments
    return subprocess.run(
        [OVERREAD, "review", group, "--state-dir", deployment.stack.state_dir, *rest],
        input=given,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def run_example(environment: dict[str, str], *, tmp_path: Path) -> None:
    """The example as its README says, away from this repository's own settings of pytest."""
    example = ROOT / "examples/python/ci_review_test.py"
    apart = ["-q", "-c", os.devnull, "--rootdir", str(tmp_path), "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *apart, str(example)]
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, check=False, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


def test_the_example_for_an_applications_ci_passes_on_the_local_stack(
    environment: dict[str, str], tmp_path: Path
) -> None:
    run_example(environment, tmp_path=tmp_path)


def test_loops_go_from_start_to_export(deployed: Deployment, tmp_path: Path) -> None:
    cases = tmp_path / "cases.jsonl"
    case = {"use_case": "loan-approval", "reference": "cli", "labels": ["approve", "decline"]}
    cases.write_text("".join(json.dumps({**case, "input": {"amount": n}}) + "\n" for n in range(3)))
    started = review(deployed, "start", str(cases), "--flow-definition", FLOW)
    assert started.returncode == 0, started.stderr
    names = started.stdout.splitlines()
    assert len(names) == 3

    assert review(deployed, "answer", names[0], "-", given=ANSWER).stdout == f"{names[0]}: Completed\n"
    stopped = review(deployed, "stop", names[1])
    assert stopped.stdout == f"{names[1]}: Stopped\n"
    shown = review(deployed, "show", names[0], "--input")
    assert shown.returncode == 0, shown.stderr
    assert "decision = decline" in shown.stdout
    assert '"reference": "cli"' in shown.stdout

    output = tmp_path / "loans.jsonl"
    exported = review(deployed, "export", "--flow-definition", FLOW, "--output", str(output))
    assert exported.returncode == 0, exported.stderr
    documents = {line["humanLoopName"]: line for line in map(json.loads, output.read_text().splitlines())}
    assert documents[names[0]]["humanAnswers"][0]["answerContent"] == json.loads(ANSWER)
    assert documents[names[0]]["inputContent"]["input"] == {"amount": 0}
    assert not {names[1], names[2]} & set(documents)
    listed = review(deployed, "list", "--flow-definition", FLOW, "--status", "InProgress", "--json")
    assert names[2] in {json.loads(line)["name"] for line in listed.stdout.splitlines()}
    review(deployed, "stop", names[2])


def test_the_review_service_deployed_on_a_local_stack_is_reached_by_its_outputs_address(
    desk: Deployment,
) -> None:
    url = desk.output("review", "ReviewUrl")
    assert url.startswith("https://")
    assert environment_in(desk.stack.state_dir)["OVERREAD_REVIEW_URL"] == desk.stack.local_address(url)
    flow = ("--flow-definition", f"{PREFIX}-desk-loan-approval")
    started = review(
        desk, "start", "-", "--url", url, *flow, "--name", "by-hand", given='{"reference": "cli"}'
    )
    assert started.stdout == "by-hand\n", started.stderr
    shown = review(desk, "show", "by-hand", "--url", url, "--input")
    assert "guideline        " in shown.stdout, shown.stderr
    assert '"reference": "cli"' in shown.stdout
    answered = review(desk, "answer", "by-hand", "-", "--url", url, given=ANSWER)
    assert (answered.returncode, len(answered.stderr.splitlines())) == (1, 1), "the desk is no sandbox"
    assert "This is no sandbox" in answered.stderr
    assert review(desk, "stop", "by-hand", "--url", url).stdout == "by-hand: Stopped\n"
    assert review(desk, "open", "--url", url).stdout == desk.stack.local_address(url) + "/portal/\n"


def test_qualifications_of_the_deployed_review_service_are_put_and_listed(desk: Deployment) -> None:
    url = desk.output("review", "ReviewUrl")
    document = {
        "items": [{"id": "one", "input": {"reference": "gold"}, "expected": {"decision": "approve"}}],
        "questions": 1,
        "pass_mark": 0.8,
    }
    command = [str(OVERREAD), "review", "qualification"]
    target = ["--state-dir", str(desk.stack.state_dir), "--url", url]

    def run(*arguments: str, given: str = "") -> str:
        name, *rest = arguments
        done = subprocess.run(
            [*command, name, *target, *rest],
            input=given,
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.stdout + done.stderr

    assert (
        run("put", "cli-loans", "-", given=json.dumps(document)) == "cli-loans: 1 items, 1 questions a test\n"
    )
    assert "cli-loans: 1 items" in run("list")
    assert run("roster", "cli-loans") == "nobody has taken cli-loans yet\n"
