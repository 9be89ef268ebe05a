"""Lambda workers as on AWS: a bare interpreter, an environment of their own, an end when the host ends."""

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime

from overread_local.addresses import Localised

# What a worker may get even when its value equals the host's own; the rest of the host's must not leak.
_KEPT = frozenset(
    {
        "PATH",
        "LANG",
        "LC_ALL",
        "LC_CTYPE",
        "TZ",
        "TMPDIR",
        "AWS_ENDPOINT_URL",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    }
)


class ScrubbingSubprocess:
    """Stands in for the module `subprocess` where ministack starts workers: drops what they would inherit."""

    def __init__(self, host_environment: Mapping[str, str]) -> None:
        self._host = dict(host_environment)

    def __getattr__(self, name: str) -> Any:
        return getattr(subprocess, name)

    def Popen(self, command: Any, **options: Any) -> subprocess.Popen[Any]:  # noqa: N802 - subprocess's name
        environment: Mapping[str, str] = options.pop("env")
        kept = {
            name: value
            for name, value in environment.items()
            if name in _KEPT or self._host.get(name) != value
        }
        return subprocess.Popen(command, env=kept, **options)  # noqa: S603 - ministack's own command


def install(lambda_python: Path, *, localised: Localised) -> None:
    """Makes Python functions run on `lambda_python`, in an environment of their own."""
    original = lambda_runtime._detect_runtime_binary

    def detect(runtime: str) -> tuple[str, str]:
        binary, script = original(runtime)
        return (str(lambda_python), script) if runtime.startswith("python") else (binary, script)

    lambda_runtime._detect_runtime_binary = detect
    lambda_runtime.subprocess = ScrubbingSubprocess(os.environ)
    lambda_runtime.Worker._spawn = _knowing_addresses(lambda_runtime.Worker._spawn, localised=localised)


def _knowing_addresses(spawn: Callable[..., Any], *, localised: Localised) -> Callable[..., Any]:
    """A worker's environment names the emulator where the function's configuration names AWS."""

    def spawn_here(worker: Any, *arguments: Any) -> Any:
        config = worker.config
        variables = (config.get("Environment") or {}).get("Variables") or {}
        here = {name: localised(value) for name, value in variables.items()}
        worker.config = {**config, "Environment": {"Variables": here}}
        try:
            return spawn(worker, *arguments)
        finally:
            worker.config = config

    return spawn_here


def end_all() -> None:
    """Ends every worker and removes its unpacked code."""
    with lambda_runtime._lock:
        workers = [worker for pool in lambda_runtime._workers.values() for worker in pool]
        lambda_runtime._workers.clear()
    lambda_runtime.kill_workers(workers)
