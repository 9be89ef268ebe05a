"""An image's `serve` with a model, as a process on a port of its own: started, pinged, asked, ended."""

import asyncio
import io
import tarfile
from collections.abc import Mapping

import httpx

from overread_local.processes import free_ports
from overread_local.sagemaker.containers import Container
from overread_local.sagemaker.images import ImageMissing
from overread_local.sagemaker.job_files import JobFiles, StorageFault, split
from overread_local.sagemaker.jobs import JobHost
from overread_local.sagemaker.serving import LoadFailure, ModelServerDown, Reply, Unit

START_TIMEOUT_S = 60.0  # SageMaker gives a container eight minutes
_PING_EVERY_S = 0.05
_PING_TIMEOUT_S = 2.0
_TIMED_OUT = b"Your invocation timed out while waiting for a response from container primary."


class ContainerGone(ModelServerDown):
    """Nobody listens on the program's port: the request was not sent."""


class ServingContainer:
    """One running model; `container` has its files and its log."""

    def __init__(self, container: Container, port: int, *, timeout_s: float) -> None:
        self.container = container
        self._http = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=timeout_s
        )

    async def ask(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """What the program answers to one POST /invocations.

        Raises:
            ModelServerDown: it does not answer, most likely because it ended.
        """
        try:
            reply = await self._http.post("/invocations", content=body, headers=dict(headers))
        except httpx.TimeoutException:
            return Reply(status=500, content_type="text/plain", body=_TIMED_OUT)
        except httpx.ConnectError as error:
            raise ContainerGone("the program has ended") from error
        except httpx.TransportError as error:
            raise ModelServerDown(f"{type(error).__name__} {error}".strip()) from error
        kind = reply.headers.get("content-type", "application/octet-stream")
        return Reply(status=reply.status_code, content_type=kind, body=reply.content)

    async def until_ready(self) -> None:
        """Waits until /ping answers 200.

        Raises:
            LoadFailure: the program ended, or did not answer in time; with the end of its log.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START_TIMEOUT_S
        while loop.time() < deadline and not self.container.ended:
            try:
                if (await self._http.get("/ping", timeout=_PING_TIMEOUT_S)).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(_PING_EVERY_S)
        raise LoadFailure(f"serve did not answer /ping: {self.container.tail(500).strip()}")

    async def close(self) -> None:
        """Ends the program; its files stay until the container is discarded."""
        await self._http.aclose()
        await self.container.stop()


async def start(
    unit: Unit, *, image: str, host: JobHost, container: Container, timeout_s: float
) -> ServingContainer:
    """The image's `serve` in `container` with the unit's archive unpacked, once it answers /ping.

    The caller ends and discards the container, also after a failure.

    Raises:
        LoadFailure: no such image, no such archive, or a program that does not start.
    """
    try:
        folder = host.images.folder(image, program="serve")
        await asyncio.to_thread(_unpack, unit.model_data_url, container, files=host.files)
    except ImageMissing as fault:
        raise LoadFailure(str(fault)) from fault
    except StorageFault as fault:
        raise LoadFailure(str(fault), cause="download", url=unit.model_data_url) from fault
    port = free_ports(1)[0]
    variables = {
        **unit.environment,
        "SM_MODEL_DIR": str(container.ml / "model"),
        "SAGEMAKER_BIND_TO_PORT": str(port),
    }
    try:
        await container.start(folder, program="serve", environment=variables)
    except OSError as fault:
        raise LoadFailure(f"the image's serve cannot be run: {fault.strerror}") from fault
    serving = ServingContainer(container, port, timeout_s=timeout_s)
    await serving.until_ready()
    return serving


def _unpack(url: str, container: Container, *, files: JobFiles) -> None:
    if not url:
        return
    try:
        with tarfile.open(fileobj=io.BytesIO(files.read(*split(url))), mode="r:gz") as tar:
            tar.extractall(container.ml / "model", filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise StorageFault(f"{url} cannot be unpacked: {error}") from error
