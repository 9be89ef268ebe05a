"""Start, restart, kill, stop: state comes back, dead parts are named and come back, nothing stays behind."""

import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from click.testing import CliRunner, Result
from tests.local.conftest import LAMBDA_PYTHON, client_of
from tests.local.test_endpoints import make_model, settled
from tests.local.test_lambda_workers import ROLE, zipped
from tests.local.test_resource_types import create, custom, make_provider

from overread_cli.local import local
from overread_local.errors import AlreadyRunningError, LocalStackError, NotRunningError
from overread_local.stack import LocalStack


def command(*arguments: str, state: Path) -> Result:
    return CliRunner().invoke(local, [arguments[0], "--state-dir", str(state), *arguments[1:]])


def up(state: Path, *arguments: str) -> Result:
    return command("up", "--lambda-python", str(LAMBDA_PYTHON), *arguments, state=state)


def temporary_files() -> set[str]:
    return {path.name for path in Path("/tmp").iterdir() if path.name.startswith(("ministack", "overread"))}


def descendants(stack: LocalStack) -> list[psutil.Process]:
    supervisor = psutil.Process(stack.record.processes["supervisor"].pid)
    return [supervisor, *supervisor.children(recursive=True)]


def fill(stack: LocalStack) -> None:
    """An endpoint, a function with a warm worker, an object, a table item and a user without rights."""
    aws = lambda service, **options: client_of(stack, service, **options)  # noqa: E731
    make_model(aws, "kept")
    aws("sagemaker").create_endpoint(EndpointName="kept", EndpointConfigName="kept")
    settled(aws, "kept")
    code = "def handler(event, context): return {'twice': 2 * event['n']}"
    aws("lambda").create_function(
        FunctionName="kept",
        Runtime="python3.13",
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": zipped(code)},
    )
    assert call_function(stack) == {"twice": 42}
    aws("sagemaker").create_human_task_ui(
        HumanTaskUiName="kept", UiTemplate={"Content": "<crowd-form></crowd-form>"}
    )


def call_function(stack: LocalStack) -> Any:
    reply = client_of(stack, "lambda").invoke(FunctionName="kept", Payload=b'{"n": 21}')
    return json.loads(reply["Payload"].read())


def check_filled(stack: LocalStack) -> None:
    """Everything that `fill` made works."""
    reply = client_of(stack, "sagemaker-runtime").invoke_endpoint(EndpointName="kept", Body=b'{"a": 2}')
    assert json.loads(reply["Body"].read())["sum"] == 42
    assert call_function(stack) == {"twice": 42}
    client_of(stack, "sagemaker").describe_human_task_ui(HumanTaskUiName="kept")


def test_a_stopped_stack_leaves_no_process_and_no_temporary_file_and_goes_on_later(tmp_path: Path) -> None:
    before = temporary_files()
    stack = LocalStack.start(state_dir=tmp_path, lambda_python=LAMBDA_PYTHON, status_lag_s=0.1, tied=True)
    fill(stack)
    iam = client_of(stack, "iam")
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    started = descendants(stack)
    assert len(started) >= 5  # supervisor, emulator, portal, model server, a Lambda worker
    stack.enforce_iam(True)
    began = time.monotonic()
    stack.stop()
    assert time.monotonic() - began < 10
    assert [process for process in started if process.is_running()] == []
    assert not (tmp_path / "tmp").exists()
    assert not (tmp_path / "stack.json").exists()
    assert temporary_files() <= before

    stack = LocalStack.start(state_dir=tmp_path, lambda_python=LAMBDA_PYTHON, status_lag_s=0.1, tied=True)
    try:
        check_filled(stack)
        nobody = client_of(stack, "sagemaker", key=(key["AccessKeyId"], key["SecretAccessKey"], None))
        with pytest.raises(ClientError, match="AccessDenied"):
            nobody.list_endpoints()
    finally:
        stack.stop()


def test_what_was_killed_is_named_and_comes_back_from_the_last_checkpoint(tmp_path: Path) -> None:
    assert up(tmp_path).exit_code == 0
    stack = LocalStack.attach(tmp_path)
    try:
        fill(stack)
        saved = command("checkpoint", state=tmp_path)
        assert saved.output.startswith("state written in")
        for part in ("model_server", "emulator"):
            psutil.Process(stack.record.processes[part].pid).kill()
        time.sleep(0.2)
        with pytest.raises(NotRunningError, match="emulator, model_server died"):
            LocalStack.attach(tmp_path)
        said = command("status", state=tmp_path)
        assert said.exit_code == 1
        refused = command("checkpoint", state=tmp_path)
        assert (refused.exit_code, "died" in refused.output) == (1, True)
        assert f"emulator      dead     pid {stack.record.processes['emulator'].pid}" in said.output
        assert "`overread local up` starts it again from the last checkpoint" in said.output

        again = up(tmp_path)
        assert again.exit_code == 0, again.output
        assert "died; starting again from the last checkpoint" in again.output
        assert command("status", state=tmp_path).exit_code == 0
        check_filled(LocalStack.attach(tmp_path))
    finally:
        command("down", state=tmp_path)


def test_a_stack_stopped_during_a_deployment_ends_at_once_and_tells_so_later(tmp_path: Path) -> None:
    def clients(service: str, **options: Any) -> Any:
        return client_of(stack, service, **options)

    def deploy() -> None:
        never = custom(provider, Name="one", Mode="silent", ServiceTimeout="600")
        with pytest.raises((ClientError, BotoCoreError, ResponseParserError)):
            create(clients, "pending", never)

    stack = LocalStack.start(state_dir=tmp_path, lambda_python=LAMBDA_PYTHON, tied=True)
    provider = make_provider(clients)
    deploying = threading.Thread(target=deploy)
    deploying.start()
    time.sleep(1.0)
    began = time.monotonic()
    stack.stop()
    assert time.monotonic() - began < 6
    deploying.join()
    stack = LocalStack.start(state_dir=tmp_path, lambda_python=LAMBDA_PYTHON, tied=True)
    try:
        described = clients("cloudformation").describe_stacks(StackName="pending")["Stacks"][0]
        assert described["StackStatus"] == "ROLLBACK_FAILED"
        assert "the emulator was stopped" in described["StackStatusReason"]
    finally:
        stack.stop()


def test_a_killed_supervisor_is_noticed_and_its_parts_are_ended(tmp_path: Path) -> None:
    assert up(tmp_path).exit_code == 0
    parts = descendants(LocalStack.attach(tmp_path))
    parts[0].kill()
    parts[0].wait()
    said = command("status", state=tmp_path)
    assert "supervisor    dead" in said.output
    assert said.exit_code == 1
    ended = command("down", state=tmp_path)
    assert "supervisor.pid is stale" in ended.output
    assert [process for process in parts if process.is_running()] == []


STARTER = """
import sys, time
from pathlib import Path
from overread_local.stack import LocalStack
LocalStack.start(state_dir=Path(sys.argv[1]), lambda_python=Path(sys.argv[2]), tied=True)
print("up", flush=True)
time.sleep(60)
"""


def test_a_tied_stack_ends_with_a_starter_that_was_killed(tmp_path: Path) -> None:
    command_line = [sys.executable, "-c", STARTER, str(tmp_path), str(LAMBDA_PYTHON)]
    with subprocess.Popen(command_line, stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == b"up\n"
        parts = descendants(LocalStack.attach(tmp_path))
        starter.kill()
    _, alive = psutil.wait_procs(parts, timeout=15)
    assert alive == []
    assert not (tmp_path / "tmp").exists()


def test_logs_are_followed(tmp_path: Path) -> None:
    log = tmp_path / "logs/emulator.log"
    log.parent.mkdir()
    log.write_text("old\nfirst\n")
    code = "import sys; from overread_cli.main import main; main()"
    arguments = ["local", "logs", "--state-dir", str(tmp_path), "--follow", "--lines", "1", "emulator"]
    with subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE) as following:
        assert following.stdout is not None
        watchdog = threading.Timer(20, following.kill)
        watchdog.start()
        seen = [following.stdout.readline()]
        with log.open("a") as more:
            more.write("second\n")
        seen.append(following.stdout.readline())
        watchdog.cancel()
        following.terminate()
    assert [line.split(b"| ")[1] for line in seen] == [b"first\n", b"second\n"]


def test_commands_say_what_is(tmp_path: Path) -> None:
    assert "is not running" in command("status", state=tmp_path).output
    assert "no local stack runs" in command("down", state=tmp_path).output
    assert "there are no logs" in command("logs", state=tmp_path).output
    first = up(tmp_path, "--reviewer", "ada")
    assert "waiting for emulator, model server and portal" in first.output
    for part in ("emulator", "model server", "portal"):
        assert f"  {part} answers at 127.0.0.1:" in first.output
    assert "AWS endpoint   http://127.0.0.1:" in first.output
    try:
        second = up(tmp_path)
        assert second.exit_code == 0
        assert "the local stack is already up" in second.output
        with pytest.raises(AlreadyRunningError, match="already runs"):
            LocalStack.start(state_dir=tmp_path, lambda_python=LAMBDA_PYTHON)
        assert "emulator     | " in command("logs", state=tmp_path).output
        assert [one["name"] for one in json.loads((tmp_path / "reviewers.json").read_text())] == [
            "ada",
            "margaret",
            "evelyn",
            "radia",
            "barbara",
        ]
        assert (tmp_path / "stack.json").stat().st_mode & 0o077 == 0
        pids = json.loads((tmp_path / "stack.json").read_text())["pids"]
        assert set(pids) == {"supervisor", "emulator", "portal", "model_server"}
    finally:
        down = command("down", state=tmp_path)
    assert "stopped; the state is kept" in down.output
    assert command("reset", "--yes", state=tmp_path).exit_code == 0
    assert not tmp_path.exists()


def test_reset_removes_only_state_folders(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("x")
    refused = command("reset", "--yes", state=tmp_path)
    assert refused.exit_code == 1
    assert "is not a state folder" in refused.output
    assert (tmp_path / "precious.txt").exists()


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = up(tmp_path, "--port", str(port))
    assert refused.exit_code == 1
    assert f"port {port} is in use by another program" in refused.output


def test_a_missing_interpreter_is_told_with_its_cure(tmp_path: Path) -> None:
    refused = command("up", "--lambda-python", str(tmp_path / "none"), state=tmp_path)
    assert refused.exit_code == 1
    assert "`make setup` makes it (.venv-lambda)" in refused.output


def test_a_part_that_does_not_start_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(LocalStackError, match="the portal ended with exit code"):
        LocalStack.start(
            state_dir=tmp_path, lambda_python=LAMBDA_PYTHON, review_module="overread_local.no_such_module"
        )
    assert not (tmp_path / "tmp").exists()
    assert [p for p in psutil.process_iter() if str(tmp_path) in " ".join(_command_line(p))] == []


def _command_line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []
