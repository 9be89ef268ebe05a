"""Processes of the local stack: started in a scrubbed environment, told from strangers, ended for sure."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import psutil

from overread_local.state import ACCOUNT, REGION, ProcessRecord

GRACE_S = 8.0
CONTAINER_ROOT = "OVERREAD_ML_ROOT"  # the variable that tells a container's program where its /opt/ml is
_KEPT = ("LANG", "LC_ALL", "LC_CTYPE", "TZ")
_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nothing listens on."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def port_is_taken(port: int) -> bool:
    """Whether something listens on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def scrubbed_environment(*, temporary: Path, emulator_url: str) -> dict[str, str]:
    """What a process of the stack needs, and nothing of the shell that started it."""
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return environment | {
        "PATH": f"{Path(sys.executable).parent}:{_SYSTEM_PATH}",
        "HOME": str(temporary),
        "TMPDIR": str(temporary),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_ENDPOINT_URL": emulator_url,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def start(
    command: Sequence[str], *, log: Path, environment: Mapping[str, str], cwd: Path
) -> subprocess.Popen[bytes]:
    """Starts `command` in a session of its own, out of reach of a terminal's ctrl-C."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink:
        return subprocess.Popen(  # noqa: S603 - our own command lines
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=cwd,
            start_new_session=True,
        )


def record_of(pid: int) -> ProcessRecord:
    """Remembers a running process together with its start time.

    Raises:
        psutil.NoSuchProcess: it has ended already.
    """
    return ProcessRecord(pid=pid, started=psutil.Process(pid).create_time())


def find(record: ProcessRecord) -> psutil.Process | None:
    """The process behind a record, or None when it has ended and its number may be another's."""
    try:
        process = psutil.Process(record.pid)
        if abs(process.create_time() - record.started) > 1.0 or process.status() == psutil.STATUS_ZOMBIE:
            return None
    except psutil.NoSuchProcess:
        return None
    return process


def working_in(folder: Path) -> list[psutil.Process]:
    """Lambda workers and containers' programs that lost their emulator.

    Those whose command line names a file under `folder`; and those whose container's root is there, as R and
    shells do not pass on their path.
    """
    prefix = f"{folder}{os.sep}"
    found = []
    for process in psutil.process_iter():
        try:
            named = any(argument.startswith(prefix) for argument in process.cmdline())
            if named or process.environ().get(CONTAINER_ROOT, "").startswith(prefix):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def end(processes: Sequence[psutil.Process], *, grace_s: float = GRACE_S) -> None:
    """Asks processes to end and kills those that have not ended after `grace_s`."""
    for process in processes:
        _signal(process, kill=False)
    _, alive = psutil.wait_procs(processes, timeout=grace_s)
    for process in alive:
        _signal(process, kill=True)
    psutil.wait_procs(alive, timeout=2.0)


def _signal(process: psutil.Process, *, kill: bool) -> None:
    try:
        if kill:
            process.kill()
        else:
            process.terminate()
    except psutil.NoSuchProcess:
        return
