"""The emulator process: ministack under uvicorn, hooks, state, and an end that leaves nothing behind."""

import argparse
import asyncio
import contextlib
import logging
import os
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from ministack import app as ministack_app
from starlette.concurrency import run_in_threadpool

from overread_local.emulator import hooks, lambda_workers, prompt_stacks
from overread_local.emulator.access_log import AccessLog
from overread_local.emulator.administration import Administration, OrderedEvents, restore_iam
from overread_local.emulator.autoscaling import ApplicationAutoScaling
from overread_local.emulator.gateway import Gateway
from overread_local.sagemaker.images import Images
from overread_local.sagemaker.job_files import JobFiles
from overread_local.sagemaker.jobs import JobHost
from overread_local.sagemaker.service import SageMaker
from overread_local.sagemaker.serving import ModelServer
from overread_local.state import StateFolder

CHECKPOINT_EVERY_S = 30.0
_LOGGER = logging.getLogger("overread.emulator")


class Server(uvicorn.Server):
    """uvicorn that ends Lambda workers before the state is saved, and saves it now and then."""

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        folder: StateFolder,
        administration: Administration,
        sagemaker: SageMaker,
    ) -> None:
        super().__init__(config)
        self._folder = folder
        self._administration = administration
        self._sagemaker = sagemaker
        self._saving: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT ask for a clean end, once and for all."""

        def ask(_signal: int, _frame: object) -> None:
            self.should_exit = True

        signal.signal(signal.SIGTERM, ask)
        signal.signal(signal.SIGINT, ask)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        prompt_stacks.fail_interrupted()
        self._sagemaker.resume()
        self._saving = asyncio.get_running_loop().create_task(self._save_now_and_then())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._saving is not None:
            self._saving.cancel()
        self._sagemaker.end_programs()
        await run_in_threadpool(lambda_workers.end_all)
        await super().shutdown(sockets)
        lambda_workers.end_all()
        shutil.rmtree(self._folder.temporary, ignore_errors=True)
        _LOGGER.info("emulator ended")
        # Here, not after the loop: a stack operation that waits for a custom resource's answer would keep the
        # loop, and its thread the interpreter, for up to an hour.
        os._exit(0)

    async def _save_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(CHECKPOINT_EVERY_S)
            await run_in_threadpool(self._administration.save_if_touched)


def main() -> None:
    """Serves the emulator until it is told to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--lambda-python", type=Path, required=True)
    parser.add_argument("--review-url", required=True)
    parser.add_argument("--model-server-url", required=True)
    parser.add_argument("--token-file", type=Path, required=True)
    parser.add_argument("--status-lag-s", type=float, default=0.5)
    arguments = parser.parse_args()
    for chatty in ("httpx", "persistence"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    folder = StateFolder(arguments.state_dir)
    emulator_url = f"http://127.0.0.1:{arguments.port}"
    sagemaker = SageMaker(
        folder.sagemaker,
        clock=time.time,
        server=ModelServer(arguments.model_server_url),
        jobs=JobHost(
            files=JobFiles(emulator_url),
            images=Images(folder.images),
            folder=folder.temporary,
            emulator_url=emulator_url,
            emit=OrderedEvents(),
            clock=time.time,
        ),
        status_lag_s=arguments.status_lag_s,
    )
    access = AccessLog(folder.access)
    hooks.install(
        Gateway(sagemaker, review_url=arguments.review_url),
        scaling=ApplicationAutoScaling(folder.scaling, clock=time.time),
        access=access,
        lambda_python=arguments.lambda_python,
        emulator_url=emulator_url,
    )
    restore_iam(folder)
    administration = Administration(folder, access=access, token=arguments.token_file.read_text().strip())
    config = uvicorn.Config(
        administration.wrap(ministack_app.app),
        host="127.0.0.1",
        port=arguments.port,
        date_header=False,  # ministack sends one; two of them break the CDK command line
        server_header=False,
        lifespan="on",
        log_level="warning",
        access_log=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )
    Server(config, folder=folder, administration=administration, sagemaker=sagemaker).run()


if __name__ == "__main__":
    main()
