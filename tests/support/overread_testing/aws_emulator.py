"""An AWS emulator of the tests' own, for adapters whose conditions only a real table can judge."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config

_START_S = 30


@dataclass(frozen=True)
class AwsEmulator:
    """A running emulator that nobody else talks to."""

    url: str

    def client(self, service: str, *, attempts: int = 3) -> Any:
        """A new botocore client; `attempts` counts the first call too."""
        config = Config(
            proxies={},
            retries={"mode": "standard", "total_max_attempts": attempts},
            s3={"addressing_style": "path"},
        )
        return botocore.session.get_session().create_client(
            service,
            region_name="us-east-1",
            aws_access_key_id="111122223333",
            aws_secret_access_key="x",
            endpoint_url=self.url,
            config=config,
        )


@contextmanager
def running_emulator(folder: Path) -> Iterator[AwsEmulator]:
    """Starts one, with `folder` for what it writes, and ends it."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("ministack"))],
        env=environment,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, process=process)
        yield AwsEmulator(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(timeout=20)


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int, *, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"the emulator did not listen on port {port} within {_START_S} s")
