"""The local stack as a Python object: start, attach, environment, IAM switch, stop."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from overread_local import processes
from overread_local.addresses import localised, stage_address
from overread_local.errors import AlreadyRunningError, LocalStackError, NotRunningError
from overread_local.review_options import (
    DEFAULT_LEADS,
    DEFAULT_REVIEWERS,
    DEFAULT_SENIORS,
    Chaos,
    check_behaviour,
    check_people,
)
from overread_local.state import ProcessRecord, StackRecord, StateFolder, read_record, write_private
from overread_local.supervisor import START_TIMEOUT_S, Launch, answers, choose_ports

DEFAULT_STATE_DIR = Path(".overread/local")
REVIEWER_GROUP = "reviewers"
SENIOR_GROUP = "seniors"
LEAD_GROUP = "leads"
NO_CHAOS = Chaos()
STOP_TIMEOUT_S = 60.0
_POLL_S = 0.05
_NAMESPACE = uuid.UUID("6f0b2a52-7b0e-4b55-9d3a-0c1f5f6f2d11")  # fixed: a reviewer keeps their identity

Report = Callable[[str], None]
_started_here: dict[int, "subprocess.Popen[bytes]"] = {}  # supervisors that this process must reap


def silent(_text: str) -> None:
    """A report that nobody reads."""


class LocalStack:
    """A local stack that runs; made by `start` or `attach`."""

    def __init__(self, folder: StateFolder, record: StackRecord) -> None:
        self._folder = folder
        self._record = record

    @classmethod
    def start(
        cls,
        *,
        state_dir: Path,
        lambda_python: Path,
        fresh: bool = False,
        reviewers: Sequence[str] = DEFAULT_REVIEWERS,
        seniors: Sequence[str] = DEFAULT_SENIORS,
        leads: Sequence[str] = DEFAULT_LEADS,
        chaos: Chaos = NO_CHAOS,
        sandbox: bool = False,
        statistics: str = "off",
        status_lag_s: float = 0.5,
        review_module: str = "overread_local.review_process",
        ports: tuple[int, int, int] | None = None,
        tied: bool = False,
        report: Report = silent,
    ) -> "LocalStack":
        """Starts the stack of a state folder and waits until all of it answers.

        `fresh` forgets what the folder holds; otherwise the stack goes on where it stopped. `reviewers`,
        `seniors` and `leads` are the names that can sign in to the portal: the first are in the group
        `reviewers`, the second in `seniors`, leads in `reviewers` and `leads`. `chaos` makes the review
        service's events come twice or late, `sandbox` lets programs answer tasks, `statistics` (off,
        pseudonymous, named) shows leads figures about single people. `ports` are those of emulator, portal
        and model server; free ones are chosen by default. A `tied` stack ends when the process that started
        it is gone, however it went.

        Raises:
            AlreadyRunningError: a stack runs in this folder.
            LocalStackError: the options make no sense, the interpreter for Lambdas is missing, the folder is
                no state folder or cannot be written, a port is taken, or a part did not start.
        """
        folder = StateFolder(state_dir.resolve())
        check_people(reviewers=reviewers, seniors=seniors, leads=leads)
        check_behaviour(chaos=chaos, statistics=statistics)
        _check_interpreter(lambda_python)
        _check_folder(folder)
        if running(folder):
            raise AlreadyRunningError(f"a local stack already runs in {folder.root}: `overread local status`")
        end_leftovers(folder)
        try:
            if fresh and folder.root.exists():
                shutil.rmtree(folder.root)
            folder.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LocalStackError(f"{folder.root} cannot be made a state folder: {error.strerror}") from error
        emulator, portal, model_server = _ports(folder, ports)
        launch = Launch(
            lambda_python=str(lambda_python.absolute()),
            emulator_port=emulator,
            portal_port=portal,
            model_server_port=model_server,
            status_lag_s=status_lag_s,
            review_module=review_module,
            tied=tied,
            chaos_duplicate=chaos.duplicate,
            chaos_delay=chaos.delay,
            sandbox=sandbox,
            statistics=statistics,
        )
        write_private(folder.reviewers, json.dumps(_people(reviewers, seniors, leads), indent=2))
        write_private(folder.launch, json.dumps(asdict(launch)))
        record = _start_supervisor(folder, launch, report=report)
        return cls(folder, record)

    @classmethod
    def attach(cls, state_dir: Path) -> "LocalStack":
        """The stack that runs in a state folder.

        Raises:
            NotRunningError: none runs there, or a part of it has died.
        """
        folder = StateFolder(state_dir.resolve())
        record = read_record(folder)
        if record is None or processes.find(record.processes["supervisor"]) is None:
            raise NotRunningError(f"no local stack runs in {folder.root}: start one with `overread local up`")
        if dead := [name for name, process in record.processes.items() if processes.find(process) is None]:
            raise NotRunningError(
                f"{', '.join(dead)} died: `overread local up` starts it again from the last checkpoint"
            )
        return cls(folder, record)

    @property
    def endpoint_url(self) -> str:
        """The emulator's address: the endpoint URL for AWS clients."""
        return self._record.endpoint_url

    @property
    def portal_url(self) -> str:
        """The worker portal's address, without `/portal/`."""
        return self._record.portal_url

    @property
    def record(self) -> StackRecord:
        """What runs and where."""
        return self._record

    @property
    def state_dir(self) -> Path:
        """The folder that holds the stack's state and logs."""
        return self._folder.root

    def reviewer_names(self) -> dict[str, str]:
        """The local reviewers' names by the subject that their answers carry."""
        return {person["sub"]: person["name"] for person in json.loads(self._folder.reviewers.read_text())}

    def register_image(self, repository: str, folder: Path) -> None:
        """Lets a folder with the executables `train` and `serve` stand for a container image's repository."""
        path = self._folder.images
        known = json.loads(path.read_text()) if path.is_file() else {}
        write_private(path, json.dumps(known | {repository: str(folder.resolve())}, indent=2))

    def environment(self) -> dict[str, str]:
        """A complete environment in which the CDK command line and boto3 reach the stack, and only it."""
        kept = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "HOME")
        environment = {name: os.environ[name] for name in kept if name in os.environ}
        return environment | {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": self._record.account,
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_REGION": self._record.region,
            "AWS_DEFAULT_REGION": self._record.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "CDK_DEFAULT_ACCOUNT": self._record.account,
            "CDK_DEFAULT_REGION": self._record.region,
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
            # Compiled wheels must be those of the interpreter that runs the functions here.
            "OVERREAD_BUNDLE_PYTHON": json.loads(self._folder.launch.read_text())["lambda_python"],
        }

    def invoke_url(self, api_id: str, stage: str) -> str:
        """The local address of a deployed REST API's stage."""
        return stage_address(self.endpoint_url, api_id=api_id, stage=stage)

    def local_address(self, url: str) -> str:
        """An address in a stack's outputs as it is reached here: of an API's stage, or of sign-in pages."""
        return localised(url, emulator_url=self.endpoint_url)

    def enforce_iam(self, enforced: bool) -> None:
        """Switches IAM on or off for every caller but the account's own root-like key."""
        self._administer("iam", {"enforced": enforced})

    def access_checks(self) -> list[dict[str, Any]]:
        """Every permission that a role's session needed while IAM was on, once each.

        Each has `role` and `resource` (ARNs), `action`, `context` (condition keys), `allowed`,
        and `denied_by`: the Sid of the statement that denied it, if one did.
        """
        reply = httpx.get(
            f"{self.endpoint_url}/_overread/access",
            headers={"x-overread-token": self._record.token},
            timeout=60.0,
            trust_env=False,
        )
        reply.raise_for_status()
        checks: list[dict[str, Any]] = reply.json()["checks"]
        return checks

    def checkpoint(self) -> None:
        """Writes the whole state to disk, so that a killed emulator comes back as of now."""
        self._administer("checkpoint", {})

    def stop(self) -> None:
        """Ends every process and removes temporary files; the state stays for the next start.

        Raises:
            LocalStackError: the supervisor did not end in time.
        """
        end_supervisor(self._folder)

    def _administer(self, path: str, document: Mapping[str, Any]) -> None:
        reply = httpx.post(
            f"{self.endpoint_url}/_overread/{path}",
            json=dict(document),
            headers={"x-overread-token": self._record.token},
            timeout=60.0,
            trust_env=False,
        )
        reply.raise_for_status()


def running(folder: StateFolder) -> bool:
    """Whether a supervisor runs in the folder."""
    record = supervisor_of(folder)
    return record is not None and processes.find(record) is not None


def supervisor_of(folder: StateFolder) -> ProcessRecord | None:
    """The folder's supervisor, running or not."""
    if not folder.supervisor_pid.is_file():
        return None
    return ProcessRecord(**json.loads(folder.supervisor_pid.read_text()))


def end_supervisor(folder: StateFolder) -> None:
    """Ends the stack in a folder, whatever is left of it.

    Raises:
        LocalStackError: the supervisor did not end in time.
    """
    record = supervisor_of(folder)
    process = None if record is None else processes.find(record)
    if process is not None:
        process.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while record is not None and processes.find(record) is not None:
            if time.monotonic() > deadline:
                raise LocalStackError(
                    f"the supervisor (pid {process.pid}) did not end within {STOP_TIMEOUT_S:.0f} s;"
                    f" see {folder.logs}"
                )
            time.sleep(_POLL_S)
        if (child := _started_here.pop(process.pid, None)) is not None:
            child.wait()
    end_leftovers(folder)


def end_leftovers(folder: StateFolder) -> None:
    """Ends what a killed supervisor left behind, and removes its record and temporary files."""
    if (record := read_record(folder)) is not None:
        left = [processes.find(process) for process in record.processes.values()]
        processes.end([process for process in left if process is not None])
    processes.end(processes.working_in(folder.temporary))
    shutil.rmtree(folder.temporary, ignore_errors=True)
    folder.record.unlink(missing_ok=True)
    folder.supervisor_pid.unlink(missing_ok=True)


def restart_dead_parts(folder: StateFolder) -> StackRecord:
    """Has a running supervisor start again what died.

    Raises:
        NotRunningError: there is no supervisor.
        LocalStackError: a part does not start.
    """
    supervisor = supervisor_of(folder)
    process = None if supervisor is None else processes.find(supervisor)
    if process is None:
        raise NotRunningError(f"no local stack runs in {folder.root}")
    folder.record.unlink(missing_ok=True)
    process.send_signal(signal.SIGHUP)
    return _await_record(folder, process.pid)


def _start_supervisor(folder: StateFolder, launch: Launch, *, report: Report) -> StackRecord:
    report("starting the supervisor")
    process = processes.start(
        [sys.executable, "-m", "overread_local.supervisor", "--state-dir", str(folder.root)],
        log=folder.logs / "supervisor.log",
        environment={
            name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "TZ", "HOME"}
        },
        cwd=folder.root,
    )
    report("waiting for emulator, model server and portal")
    waiting = dict(launch.health_addresses)

    def tell() -> None:
        for name in [name for name, address in waiting.items() if answers(address)]:
            report(f"  {name.replace('_', ' ')} answers at {urlsplit(waiting.pop(name)).netloc}")

    _started_here[process.pid] = process
    try:
        return _await_record(folder, process.pid, ended=lambda: process.poll() is not None, tell=tell)
    except BaseException:
        # By its handle: interrupted early, it has not written its number yet.
        process.terminate()
        process.wait(STOP_TIMEOUT_S)
        del _started_here[process.pid]
        end_leftovers(folder)
        raise


def _await_record(
    folder: StateFolder,
    pid: int,
    *,
    ended: Callable[[], bool] = lambda: False,
    tell: Callable[[], None] = lambda: None,
) -> StackRecord:
    deadline = time.monotonic() + START_TIMEOUT_S + 5.0
    while True:
        tell()
        if (record := read_record(folder)) is not None:
            return record
        if ended() or time.monotonic() > deadline:
            raise LocalStackError(f"the local stack did not start (supervisor {pid}):\n{_last_words(folder)}")
        time.sleep(_POLL_S)


def _last_words(folder: StateFolder) -> str:
    lines: list[str] = []
    for log in sorted(folder.logs.glob("*.log")):
        lines += [f"{log.name}: {line}" for line in log.read_text(errors="replace").splitlines()[-6:]]
    return "\n".join(lines)


def _ports(folder: StateFolder, wanted: tuple[int, int, int] | None) -> tuple[int, int, int]:
    chosen = wanted or _ports_as_before(folder) or choose_ports()
    for port in chosen:
        if processes.port_is_taken(port):
            raise LocalStackError(f"port {port} is in use by another program; choose another one with --port")
    return chosen


def _ports_as_before(folder: StateFolder) -> tuple[int, int, int] | None:
    """The ports of the folder's last run, when they are still free: deployed addresses stay valid."""
    if not folder.launch.is_file():
        return None
    before = json.loads(folder.launch.read_text())
    ports = (before["emulator_port"], before["portal_port"], before["model_server_port"])
    return None if any(processes.port_is_taken(port) for port in ports) else ports


def _people(reviewers: Sequence[str], seniors: Sequence[str], leads: Sequence[str]) -> list[dict[str, Any]]:
    groups = {name: [REVIEWER_GROUP] for name in reviewers}
    groups |= {name: [SENIOR_GROUP] for name in seniors}
    groups |= {name: [REVIEWER_GROUP, LEAD_GROUP] for name in leads}
    return [
        {"name": name, "sub": str(uuid.uuid5(_NAMESPACE, name)), "groups": theirs}
        for name, theirs in groups.items()
    ]


def _check_folder(folder: StateFolder) -> None:
    """A folder that holds something else is neither emptied nor written to."""
    if folder.root.is_dir():
        if any(folder.root.iterdir()) and not folder.launch.is_file():
            raise LocalStackError(
                f"{folder.root} holds something else than a local stack; nothing is changed,"
                " name another folder"
            )
    elif folder.root.exists():
        raise LocalStackError(f"{folder.root} is a file; the state folder must be a folder, or not exist yet")


def _check_interpreter(lambda_python: Path) -> None:
    if not os.access(lambda_python, os.X_OK):
        raise LocalStackError(
            f"{lambda_python} is missing: it is the bare interpreter that runs Lambdas;"
            " `make setup` makes it (.venv-lambda)"
        )
