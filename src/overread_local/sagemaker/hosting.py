"""Where an endpoint's variants serve: in their image's own program, or in the model server.

A variant whose image is registered (`LocalStack.register_image`) is a process of its own under SageMaker's
container contract; every other one is loaded by the model server. A program that ended is started again by
the next invocation, also after a restart of the stack.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from overread_local.sagemaker import serving_containers
from overread_local.sagemaker.jobs import JobHost
from overread_local.sagemaker.log_streams import LogStream
from overread_local.sagemaker.serving import INVOKE_TIMEOUT_S, ModelServer, Reply, Unit
from overread_local.sagemaker.serving_containers import ContainerGone, ServingContainer

_SHIP_EVERY_S = 2.0
_LOGGER = logging.getLogger("overread.hosting")


class Hosting:
    """Loads, unloads and asks units wherever they serve."""

    def __init__(self, server: ModelServer, *, host: JobHost) -> None:
        self._server = server
        self._host = host
        self._serving: dict[str, ServingContainer] = {}
        self._followers: dict[str, asyncio.Task[None]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    def image_of(self, image: str) -> str:
        """The image if a folder is registered for it, else empty."""
        return image if self._host.images.knows(image) else ""

    async def load(self, unit: Unit) -> None:
        """Gets a unit to serve.

        Raises:
            LoadFailure: it cannot; with the reason.
        """
        if not unit.image:
            await self._server.load(unit)
            return
        async with self._lock(unit):
            await self._start(unit)

    async def unload(self, units: Sequence[Unit]) -> None:
        """Ends units; one that does not serve is as good as ended."""
        await self._server.unload([unit for unit in units if not unit.image])
        for unit in units:
            if unit.image:
                async with self._lock(unit):
                    await self._end(unit)
                del self._locks[unit.name]

    async def invoke(self, unit: Unit, *, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Sends a request to a unit; starts it first when it has ended.

        Raises:
            ModelServerDown: nothing answers.
            LoadFailure: it had ended and cannot be started again.
        """
        if not unit.image:
            return await self._server.invoke(unit, body=body, headers=headers)
        serving = await self._up(unit, instead_of=None)
        try:
            return await serving.ask(body, headers)
        except ContainerGone:
            # Nobody listens, so nothing was done: its end is not noticed yet.
            return await (await self._up(unit, instead_of=serving)).ask(body, headers)

    def kill(self) -> None:
        """Ends every program now."""
        for serving in self._serving.values():
            serving.container.kill()

    async def _up(self, unit: Unit, *, instead_of: ServingContainer | None) -> ServingContainer:
        """The unit's program, started again when it has ended or is `instead_of`."""
        async with self._lock(unit):
            serving = self._serving.get(unit.name)
            if serving is None or serving is instead_of or serving.container.ended:
                _LOGGER.info("%s is started again", unit.name)
                serving = await self._start(unit)
            return serving

    def _lock(self, unit: Unit) -> asyncio.Lock:
        return self._locks.setdefault(unit.name, asyncio.Lock())

    async def _start(self, unit: Unit) -> ServingContainer:
        await self._end(unit)
        container = self._host.container()
        endpoint, variant, instance = unit.name.split(".")
        log = LogStream(
            self._host.files,
            group=f"/aws/sagemaker/Endpoints/{endpoint}",
            stream=f"{variant}/i-{instance}",
            clock=self._host.clock,
        )
        try:
            serving = await serving_containers.start(
                unit, image=unit.image, host=self._host, container=container, timeout_s=INVOKE_TIMEOUT_S
            )
        except BaseException:
            await container.stop()
            await self._ship(log, container.log, last=True)
            container.discard()
            raise
        self._serving[unit.name] = serving
        self._followers[unit.name] = asyncio.get_running_loop().create_task(self._follow(serving, log))
        return serving

    async def _end(self, unit: Unit) -> None:
        serving = self._serving.pop(unit.name, None)
        if serving is None:
            return
        await serving.close()
        follower = self._followers.pop(unit.name)
        follower.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await follower
        serving.container.discard()

    async def _follow(self, serving: ServingContainer, log: LogStream) -> None:
        try:
            while not serving.container.ended:
                await self._ship(log, serving.container.log)
                await asyncio.sleep(_SHIP_EVERY_S)
        finally:
            await self._ship(log, serving.container.log, last=True)

    async def _ship(self, log: LogStream, path: Path, *, last: bool = False) -> None:
        shipped = asyncio.to_thread(log.ship, path, last=last)
        if isinstance(refused := (await asyncio.gather(shipped, return_exceptions=True))[0], Exception):
            _LOGGER.warning("%s could not be put into its log stream: %s", path, refused)
