"""The model server process: loads model archives from S3 and answers inference requests."""

import argparse
import logging
import shutil
import tempfile
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import uvicorn
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from overread_local.inference_code import BrokenArchiveError, ContainerError, LoadedModel, load
from overread_local.sagemaker.serving import UNIT_MISSING
from overread_local.state import ACCOUNT, REGION

_LOGGER = logging.getLogger("overread.model_server")


class DownloadError(Exception):
    """The archive could not be fetched."""


class Archives:
    """Model archives in the emulator's S3."""

    def __init__(self, emulator_url: str) -> None:
        self._s3 = boto3.client(
            "s3",
            endpoint_url=emulator_url,
            region_name=REGION,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="local",  # noqa: S106 - the emulator's root-like key has no secret
            config=Config(retries={"total_max_attempts": 2}),
        )

    def fetch(self, url: str) -> bytes:
        """The archive at an s3:// address.

        Raises:
            DownloadError: no such address, or S3 does not give it.
        """
        parts = urlsplit(url)
        if parts.scheme != "s3" or not parts.netloc or not parts.path.strip("/"):
            raise DownloadError(f"'{url}' is not an S3 address of a model archive")
        try:
            reply = self._s3.get_object(Bucket=parts.netloc, Key=parts.path.lstrip("/"))
            body: bytes = reply["Body"].read()
        except (ClientError, BotoCoreError) as error:
            raise DownloadError(str(error)) from error
        return body


class ModelServer:
    """Loaded models by unit name, and the HTTP endpoints on them."""

    def __init__(self, archives: Archives, *, folder: Path) -> None:
        self._archives = archives
        self._folder = folder
        self._units: dict[str, LoadedModel] = {}

    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/healthz", self.health),
                Route("/endpoints/{name}", self.put, methods=["PUT"]),
                Route("/endpoints/{name}", self.delete, methods=["DELETE"]),
                Route("/endpoints/{name}/invocations", self.invoke, methods=["POST"]),
            ]
        )

    async def health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok", "units": sorted(self._units)})

    async def put(self, request: Request) -> Response:
        name, document = request.path_params["name"], await request.json()
        try:
            archive = await run_in_threadpool(self._archives.fetch, document["model_data_url"])
        except DownloadError as error:
            return JSONResponse({"cause": "download", "message": str(error)}, status_code=422)
        try:
            loaded = await run_in_threadpool(
                load,
                archive,
                folder=self._folder / uuid.uuid4().hex,
                environment=document.get("environment") or {},
            )
        except BrokenArchiveError as error:
            _LOGGER.warning("%s: %s", name, error)
            return JSONResponse({"cause": "start", "message": str(error)}, status_code=422)
        self._replace(name, loaded)
        _LOGGER.info("%s: serving %s", name, document["model_data_url"])
        return JSONResponse({"name": name})

    async def delete(self, request: Request) -> Response:
        self._replace(request.path_params["name"], None)
        return Response(status_code=204)

    async def invoke(self, request: Request) -> Response:
        loaded = self._units.get(request.path_params["name"])
        if loaded is None:
            return PlainTextResponse("no such unit", status_code=404, headers={UNIT_MISSING: "1"})
        accept = request.headers.get("accept", "*/*")
        try:
            body, kind = await run_in_threadpool(
                loaded.answer,
                await request.body(),
                content_type=request.headers.get("content-type", "application/json"),
                accept="application/json" if accept == "*/*" else accept,
            )
        except ContainerError as error:
            _LOGGER.warning("%s: %s", request.path_params["name"], error)
            return PlainTextResponse(str(error), status_code=500)
        return Response(body, headers={"content-type": kind})

    def _replace(self, name: str, loaded: LoadedModel | None) -> None:
        before = self._units.pop(name, None)
        if loaded is not None:
            self._units[name] = loaded
        if before is not None:
            before.discard()


def main() -> None:
    """Serves until it is told to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--emulator-url", required=True)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    folder = Path(tempfile.mkdtemp(prefix="overread-models-"))
    try:
        server = ModelServer(Archives(arguments.emulator_url), folder=folder)
        uvicorn.run(
            server.application(),
            host="127.0.0.1",
            port=arguments.port,
            log_level="warning",
            timeout_graceful_shutdown=2,
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
