"""The model server as the endpoints see it: load, unload, invoke, over HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx

LOAD_TIMEOUT_S = 60.0
INVOKE_TIMEOUT_S = 60.0  # AWS gives a container 60 s to answer
UNIT_MISSING = "x-overread-unit-missing"  # tells a restarted server from a container that answers 404


@dataclass(frozen=True)
class Unit:
    """One loaded model: the archive of one variant of one endpoint at one deployment."""

    name: str
    model_data_url: str
    environment: Mapping[str, str]
    image: str = ""  # of the program that serves it; empty for the model server


class LoadFailure(Exception):  # noqa: N818 - the outcome of a load, not a defect
    """The archive could not be loaded; `cause` is `download` or `start`."""

    def __init__(self, message: str, *, cause: str = "start", url: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.cause = cause
        self.url = url

    def in_aws_words(self, variant: str) -> str:
        """AWS's FailureReason, followed by what the model server saw."""
        if self.cause == "download":
            return (
                f'Failed to download model data for container "container_1" from URL: "{self.url}". Please'
                " ensure that there is an object located at the URL and that the role passed to CreateModel"
                f" has permissions to download the model. ({self.message})"
            )
        return (
            f"The primary container for production variant {variant} did not pass the ping health check."
            f" Please check CloudWatch logs for this endpoint. ({self.message})"
        )


class ModelServerDown(Exception):  # noqa: N818 - a state, not a defect
    """The model server does not answer."""


@dataclass(frozen=True)
class Reply:
    """What a container answered."""

    status: int
    content_type: str
    body: bytes


class ModelServer:
    """Client of the model server process."""

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(base_url=url, trust_env=False)

    async def load(self, unit: Unit) -> None:
        """Loads a unit, replacing one of the same name.

        Raises:
            LoadFailure: with the reason that the model server gave.
        """
        document = {"model_data_url": unit.model_data_url, "environment": dict(unit.environment)}
        try:
            reply = await self._http.put(f"/endpoints/{unit.name}", json=document, timeout=LOAD_TIMEOUT_S)
        except httpx.TransportError as error:
            raise LoadFailure(f"the model server does not answer: {error}") from error
        if reply.status_code != httpx.codes.OK:
            problem = reply.json()
            raise LoadFailure(problem["message"], cause=problem["cause"], url=unit.model_data_url)

    async def unload(self, units: Sequence[Unit]) -> None:
        """Forgets units; one that is not loaded, or a server that is down, is as good as forgotten."""
        for unit in units:
            try:
                await self._http.delete(f"/endpoints/{unit.name}", timeout=LOAD_TIMEOUT_S)
            except httpx.TransportError:
                return

    async def invoke(self, unit: Unit, *, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Sends a request to a unit; loads it first when the server was restarted meanwhile.

        Raises:
            ModelServerDown: nothing answers.
            LoadFailure: the unit was gone and cannot be loaded again.
        """
        reply = await self._post(unit, body=body, headers=headers)
        if UNIT_MISSING in reply.headers:
            await self.load(unit)
            reply = await self._post(unit, body=body, headers=headers)
        return Reply(
            status=reply.status_code,
            content_type=reply.headers.get("content-type", "application/octet-stream"),
            body=reply.content,
        )

    async def _post(self, unit: Unit, *, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        try:
            return await self._http.post(
                f"/endpoints/{unit.name}/invocations",
                content=body,
                headers=dict(headers),
                timeout=INVOKE_TIMEOUT_S,
            )
        except httpx.TransportError as error:
            raise ModelServerDown(str(error)) from error
