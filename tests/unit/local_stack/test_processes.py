"""Processes of the stack: a clean environment, free ports, strangers left alone."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from overread_local import processes
from overread_local.state import ProcessRecord, StackRecord, StateFolder, read_record, write_private


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process whose command line names a file in `tmp_path`."""
    script = tmp_path / "sleep.py"
    script.write_text("import time; time.sleep(60)")
    with subprocess.Popen([sys.executable, str(script)]) as process:
        yield process
        process.kill()


def test_free_ports_differ_and_are_free() -> None:
    ports = processes.free_ports(3)
    assert len(set(ports)) == 3
    assert [processes.port_is_taken(port) for port in ports] == [False, False, False]


def test_a_port_that_is_listened_on_is_taken() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert processes.port_is_taken(listener.getsockname()[1])


def test_a_containers_program_is_found_by_its_root_whatever_its_command_line_says(tmp_path: Path) -> None:
    environment = {**os.environ, processes.CONTAINER_ROOT: str(tmp_path / "job/ml")}
    with subprocess.Popen(["sleep", "60"], env=environment) as sleeping:
        try:
            assert [process.pid for process in processes.working_in(tmp_path)] == [sleeping.pid]
            assert processes.working_in(tmp_path / "job/ml/model") == []
        finally:
            sleeping.kill()


def test_the_environment_holds_nothing_of_the_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
    environment = processes.scrubbed_environment(temporary=tmp_path, emulator_url="http://127.0.0.1:1")
    assert {"AWS_PROFILE", "AWS_SESSION_TOKEN", "PYTHONPATH", "HTTPS_PROXY"} & set(environment) == set()
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert environment["TMPDIR"] == str(tmp_path)
    assert environment["AWS_CONFIG_FILE"] == os.devnull


def test_a_process_is_found_by_number_and_start(sleeper: subprocess.Popen[bytes]) -> None:
    record = processes.record_of(sleeper.pid)
    assert processes.find(record) is not None
    assert processes.find(ProcessRecord(pid=sleeper.pid, started=record.started - 100)) is None


def test_a_process_that_ended_is_not_found_even_before_it_is_reaped(
    sleeper: subprocess.Popen[bytes],
) -> None:
    record = processes.record_of(sleeper.pid)
    sleeper.kill()
    psutil.wait_procs([psutil.Process(sleeper.pid)], timeout=5)
    assert processes.find(record) is None


def test_orphans_are_found_by_the_folder_they_work_in(
    sleeper: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    assert [process.pid for process in processes.working_in(tmp_path)] == [sleeper.pid]
    assert processes.working_in(tmp_path / "other") == []


def test_a_process_that_will_not_end_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "stubborn.py"
    script.write_text(
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE) as stubborn:
        assert stubborn.stdout is not None
        stubborn.stdout.readline()
        process = psutil.Process(stubborn.pid)
        processes.end([process], grace_s=0.2)
        assert not process.is_running()


def test_the_record_keeps_numbers_for_readers_and_starts_for_us(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    assert read_record(folder) is None
    record = StackRecord(
        endpoint_url="http://127.0.0.1:1",
        portal_url="http://127.0.0.1:2",
        model_server_url="http://127.0.0.1:3",
        region="us-east-1",
        account="000000000000",
        token="t",
        processes={"emulator": ProcessRecord(pid=7, started=1.5)},
    )
    write_private(folder.record, record.to_json())
    assert read_record(folder) == record
    assert '"pids": {\n    "emulator": 7' in folder.record.read_text()
    assert folder.record.stat().st_mode & 0o077 == 0
