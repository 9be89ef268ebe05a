"""The supervisor process: starts the stack's parts, keeps the record of them, ends them all when told to.

SIGTERM and SIGINT end the stack; SIGHUP starts again what has died meanwhile, on the same ports.
"""

import argparse
import json
import logging
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from overread_local.errors import LocalStackError
from overread_local.processes import (
    end,
    free_ports,
    record_of,
    scrubbed_environment,
    start,
    working_in,
)
from overread_local.state import ACCOUNT, REGION, ProcessRecord, StackRecord, StateFolder, write_private

PARTS = ("emulator", "model_server", "portal")
START_TIMEOUT_S = 60.0
GRACE_S = {"portal": 8.0, "model_server": 8.0, "emulator": 30.0}  # the emulator ends its workers and saves
_POLL_S = 0.05
_WATCH_S = 0.5
_LOGGER = logging.getLogger("overread.supervisor")


@dataclass(frozen=True)
class Launch:
    """How a stack is started; kept in the state folder, so that a part can be started again."""

    lambda_python: str
    emulator_port: int
    portal_port: int
    model_server_port: int
    status_lag_s: float
    review_module: str
    tied: bool
    chaos_duplicate: float = 0.0
    chaos_delay: float = 0.0
    sandbox: bool = False
    statistics: str = "off"

    @property
    def health_addresses(self) -> dict[str, str]:
        """Where each part answers once it serves."""
        return {
            "emulator": f"{self.emulator_url}/_overread/healthz",
            "model_server": f"{self.model_server_url}/healthz",
            "portal": f"{self.portal_url}/healthz",
        }

    @property
    def emulator_url(self) -> str:
        return f"http://127.0.0.1:{self.emulator_port}"

    @property
    def portal_url(self) -> str:
        return f"http://127.0.0.1:{self.portal_port}"

    @property
    def model_server_url(self) -> str:
        return f"http://127.0.0.1:{self.model_server_port}"


def choose_ports() -> tuple[int, int, int]:
    """Free ports for emulator, portal and model server."""
    emulator, portal, model_server = free_ports(3)
    return emulator, portal, model_server


class PartFailedError(LocalStackError):
    """A part ended, or did not answer in time, while the stack started."""


class Supervisor:
    """The stack's processes; use from one thread."""

    def __init__(self, folder: StateFolder, launch: Launch) -> None:
        self._folder = folder
        self._launch = launch
        self._token = _token(folder)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._wanted = True
        self._restart = False
        self._parent = os.getppid()

    def run(self) -> None:
        """Starts everything, waits, and ends everything."""
        signal.signal(signal.SIGTERM, self._ask_to_end)
        signal.signal(signal.SIGINT, self._ask_to_end)
        signal.signal(signal.SIGHUP, self._ask_to_restart)
        try:
            self._start_missing()
            while self._wanted and not self._is_orphan():
                if self._restart:
                    self._restart = False
                    self._start_missing()
                time.sleep(_WATCH_S)
        finally:
            self._end_all()

    def _is_orphan(self) -> bool:
        """Whether the stack was to end with its starter and the starter is gone."""
        return self._launch.tied and os.getppid() != self._parent

    def _ask_to_end(self, *_: object) -> None:
        self._wanted = False

    def _ask_to_restart(self, *_: object) -> None:
        self._restart = True

    def _start_missing(self) -> None:
        missing = [name for name in PARTS if not self._is_running(name)]
        if "emulator" in missing:
            end(working_in(self._folder.temporary))
            # The portal prepares its tables when it starts; the emulator may have come back without them.
            if "portal" not in missing and "portal" in self._running:
                _end("portal", self._running["portal"])
                missing.append("portal")
        self._folder.temporary.mkdir(parents=True, exist_ok=True)
        for name in missing:
            self._running[name] = self._start(name)
        for name in PARTS:
            self._wait_for(name)
        if self._wanted:
            self._save()
            self._write_record()

    def _is_running(self, name: str) -> bool:
        return name in self._running and self._running[name].poll() is None

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        environment = scrubbed_environment(
            temporary=self._folder.temporary, emulator_url=self._launch.emulator_url
        )
        if name == "emulator":
            environment |= self._emulator_settings()
        return start(
            [sys.executable, "-m", *self._arguments(name)],
            log=self._folder.logs / f"{name}.log",
            environment=environment,
            cwd=self._folder.root,
        )

    def _arguments(self, name: str) -> list[str]:
        launch = self._launch
        lag = str(launch.status_lag_s)
        if name == "emulator":
            return [
                *("overread_local.emulator", "--port", str(launch.emulator_port)),
                *("--state-dir", str(self._folder.root), "--lambda-python", launch.lambda_python),
                *("--review-url", launch.portal_url, "--model-server-url", launch.model_server_url),
                *("--token-file", str(self._folder.token), "--status-lag-s", lag),
            ]
        if name == "model_server":
            return [
                *("overread_local.model_server", "--port", str(launch.model_server_port)),
                *("--emulator-url", launch.emulator_url),
            ]
        return [
            *(launch.review_module, "--port", str(launch.portal_port)),
            *("--emulator-url", launch.emulator_url, "--token-file", str(self._folder.token)),
            *("--account", ACCOUNT, "--region", REGION),
            *("--reviewers", str(self._folder.reviewers), "--status-lag-s", lag),
            *("--chaos-duplicate", str(launch.chaos_duplicate), "--chaos-delay", str(launch.chaos_delay)),
            *("--statistics", launch.statistics),
            *(["--sandbox"] if launch.sandbox else []),
        ]

    def _emulator_settings(self) -> dict[str, str]:
        return {
            "GATEWAY_PORT": str(self._launch.emulator_port),
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_REGION": REGION,
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self._folder.emulator),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self._folder.objects),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "1",
        }

    def _wait_for(self, name: str) -> None:
        address = self._launch.health_addresses[name]
        deadline = time.monotonic() + START_TIMEOUT_S
        while self._wanted and not answers(address):
            if (code := self._running[name].poll()) is not None:
                raise PartFailedError(f"the {name} ended with exit code {code}; see {self._log(name)}")
            if time.monotonic() > deadline:
                raise PartFailedError(
                    f"the {name} did not answer within {START_TIMEOUT_S:.0f} s; see {self._log(name)}"
                )
            time.sleep(_POLL_S)

    def _save(self) -> None:
        # From here on a killed emulator comes back with what the portal prepared in it.
        address = f"{self._launch.emulator_url}/_overread/checkpoint"
        httpx.post(address, headers={"x-overread-token": self._token}, timeout=30.0, trust_env=False)

    def _log(self, name: str) -> Path:
        return self._folder.logs / f"{name}.log"

    def _write_record(self) -> None:
        processes: dict[str, ProcessRecord] = {"supervisor": record_of(os.getpid())}
        processes |= {name: record_of(process.pid) for name, process in self._running.items()}
        record = StackRecord(
            endpoint_url=self._launch.emulator_url,
            portal_url=self._launch.portal_url,
            model_server_url=self._launch.model_server_url,
            region=REGION,
            account=ACCOUNT,
            token=self._token,
            processes=processes,
        )
        write_private(self._folder.record, record.to_json())

    def _end_all(self) -> None:
        # The portal first: it writes its state into the emulator. The emulator last: it saves everybody's.
        for name in ("portal", "model_server", "emulator"):
            if name in self._running:
                _end(name, self._running[name])
        end(working_in(self._folder.temporary), grace_s=2.0)
        shutil.rmtree(self._folder.temporary, ignore_errors=True)
        self._folder.record.unlink(missing_ok=True)
        self._folder.supervisor_pid.unlink(missing_ok=True)


def answers(address: str) -> bool:
    """Whether an HTTP address answers with success."""
    try:
        return httpx.get(address, timeout=2.0, trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _end(name: str, process: subprocess.Popen[bytes]) -> None:
    began = time.monotonic()
    process.terminate()
    try:
        process.wait(GRACE_S[name])
        how = "ended"
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        how = "was killed, with what it had not saved,"
    _LOGGER.info("the %s %s after %.1f s", name.replace("_", " "), how, time.monotonic() - began)


def _token(folder: StateFolder) -> str:
    if not folder.token.is_file():
        write_private(folder.token, secrets.token_hex(24))
    return folder.token.read_text().strip()


def main() -> None:
    """Runs a stack in the foreground until it is told to end."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state-dir", type=Path, required=True)
    folder = StateFolder(parser.parse_args().state_dir)
    launch = Launch(**json.loads(folder.launch.read_text()))
    write_private(folder.supervisor_pid, json.dumps(asdict(record_of(os.getpid()))))
    Supervisor(folder, launch).run()


if __name__ == "__main__":
    main()
