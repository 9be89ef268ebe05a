"""A container's stand-in: the program of an image in a folder laid out like /opt/ml, as a process of its own.

A laptop has no /opt/ml, so `OVERREAD_ML_ROOT` names the folder that stands for it.
"""

import asyncio
import os
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path

from overread_local.processes import CONTAINER_ROOT, scrubbed_environment

STOP_GRACE_S = 10.0  # SageMaker gives 120 s


class Container:
    """One run of an image's program; its files go with `discard`."""

    def __init__(self, root: Path, *, emulator_url: str) -> None:
        self.root = root
        self.ml = root / "ml"
        self.log = root / "log.txt"
        self._emulator_url = emulator_url
        self._process: asyncio.subprocess.Process | None = None
        self._group_is_gone = False
        for name in ("input/config", "input/data", "model", "output/data"):
            (self.ml / name).mkdir(parents=True)

    async def start(self, image: Path, *, program: str, environment: Mapping[str, str]) -> None:
        """Starts `train` or `serve` of an image's folder.

        It runs from a copy under `root`: what a killed emulator leaves behind is found by its path.
        """
        code = self.root / "program"
        await asyncio.to_thread(shutil.copytree, image, code)
        variables = scrubbed_environment(temporary=self.root, emulator_url=self._emulator_url)
        with self.log.open("wb") as sink:
            self._process = await asyncio.create_subprocess_exec(
                str(code / program),
                program,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=sink,
                stderr=asyncio.subprocess.STDOUT,
                env=variables | {CONTAINER_ROOT: str(self.ml)} | dict(environment),
                cwd=code,
                start_new_session=True,
            )

    @property
    def ended(self) -> bool:
        return self._process is None or self._process.returncode is not None

    async def wait(self) -> int:
        """The exit code, once the program ended by itself or was stopped."""
        return 0 if self._process is None else await self._process.wait()

    async def stop(self) -> None:
        """Asks the program to end, and kills it after a grace."""
        if not self.ended:
            self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.wait(), STOP_GRACE_S)
        except TimeoutError:
            self.kill()
            await self.wait()
        self.kill()

    def kill(self) -> None:
        """Ends the program, and what it started, now."""
        self._signal(signal.SIGKILL)

    def tail(self, characters: int = 2000) -> str:
        """The end of what the program printed."""
        return self.log.read_text(errors="replace")[-characters:] if self.log.is_file() else ""

    def discard(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)

    def _signal(self, number: signal.Signals) -> None:
        """To the whole group: children outlive a program that has ended."""
        if self._process is None or self._group_is_gone:
            return
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            self._group_is_gone = True  # its number may be another's from now on
