"""The review service as a process of the local stack, over the emulator's DynamoDB and S3."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import random
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import boto3
import uvicorn
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware.trustedhost import TrustedHostMiddleware

from overread_aws.labeling_functions import LambdaAnnotationFunctions
from overread_aws.labeling_objects import S3LabelingObjects
from overread_aws.review_documents import S3ReviewDocuments
from overread_aws.review_store import DynamoReviewStore, table_definition
from overread_local.cross_site import CrossSiteGuard
from overread_local.review_options import Chaos
from overread_review.app import create_app
from overread_review.service.chaos import ChaoticEvents
from overread_review.service.errors import EventUndeliveredError, ReviewError
from overread_review.service.model import Reviewer
from overread_review.service.ports import EventSink
from overread_review.service.review_service import ReviewService, build_review_service
from overread_review.service.settings import ServiceSettings

TABLE_NAME = "overread-local-review-records"
BUCKET_NAME = "overread-local-review-documents"
_LOG = logging.getLogger(__name__)
_SWEEP_INTERVAL_S = 1.0
_LABELING_INTERVAL_S = 0.3
_FUNCTION_PATIENCE_S = 300.0
_EMULATOR_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Options:
    """The process's command line."""

    port: int
    emulator_url: str
    token_file: Path
    account: str
    region: str
    reviewers: Path
    status_lag_s: float
    chaos: Chaos
    sandbox: bool
    statistics: Literal["off", "pseudonymous", "named"]


class ReviewerFile:
    """The reviewers of a JSON file, read afresh whenever it changes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def find(self, name: str) -> Reviewer | None:
        """The reviewer of that name."""
        return self._read().get(name)

    def names(self) -> Sequence[str]:
        """Everybody's name."""
        return list(self._read())

    def _read(self) -> dict[str, Reviewer]:
        entries = json.loads(self._path.read_text(encoding="utf-8"))
        return {
            entry["name"]: Reviewer(entry["name"], entry["sub"], frozenset(entry["groups"]))
            for entry in entries
        }


class EmulatorEvents:
    """Hands status events to the emulator, which lets only its own parts speak as `aws.sagemaker`."""

    def __init__(self, *, emulator_url: str, token: str) -> None:
        self._url = f"{emulator_url.rstrip('/')}/_overread/events"
        self._token = token
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def emit(self, *, resource_arn: str, detail_type: str, detail: Mapping[str, Any]) -> None:
        """Hand one event over. Raises EventUndeliveredError when the emulator does not take it."""
        event = {
            "source": "aws.sagemaker",
            "detail-type": detail_type,
            "resources": [resource_arn],
            "detail": detail,
        }
        request = urllib.request.Request(  # noqa: S310
            self._url,
            data=json.dumps(event).encode(),
            headers={"Content-Type": "application/json", "x-overread-token": self._token},
            method="POST",
        )
        try:
            with self._opener.open(request, timeout=5) as reply:
                reply.read()
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            raise EventUndeliveredError(f"{self._url}: {error}") from error


def build_service(options: Options) -> ReviewService:
    """The service over the emulator; its table and bucket are created when missing."""
    session = boto3.Session(
        aws_access_key_id=options.account,
        aws_secret_access_key="local",  # noqa: S106
        region_name=options.region,
    )
    config = Config(
        retries={"mode": "standard", "max_attempts": 5},
        connect_timeout=5,
        read_timeout=20,
        max_pool_connections=50,
        proxies={},
    )
    dynamodb = session.client("dynamodb", endpoint_url=options.emulator_url, config=config)
    s3 = session.client(
        "s3",
        endpoint_url=options.emulator_url,
        config=config.merge(Config(signature_version="s3v4", s3={"addressing_style": "path"})),
    )
    functions = session.client(
        "lambda",
        endpoint_url=options.emulator_url,
        config=config.merge(Config(read_timeout=_FUNCTION_PATIENCE_S)),
    )
    _prepare(dynamodb, s3, region=options.region)
    return build_review_service(
        settings=ServiceSettings(
            account=options.account,
            region=options.region,
            status_lag_s=options.status_lag_s,
            portal_host=f"127.0.0.1:{options.port}",
            portal_url=f"http://127.0.0.1:{options.port}",
            sandbox=options.sandbox,
            statistics=options.statistics,
        ),
        store=DynamoReviewStore(dynamodb, table_name=TABLE_NAME),
        documents=S3ReviewDocuments(s3, bucket=BUCKET_NAME, client_of_role=lambda _role_arn: s3),
        events=_events(options),
        reviewers=ReviewerFile(options.reviewers),
        clock=lambda: datetime.now(UTC),
        session_secret=secrets.token_urlsafe(32),
        objects=S3LabelingObjects(lambda _role_arn: s3),
        functions=LambdaAnnotationFunctions(lambda _role_arn: functions),
    )


def _events(options: Options) -> EventSink:
    token = options.token_file.read_text(encoding="utf-8").strip()
    events = EmulatorEvents(emulator_url=options.emulator_url, token=token)
    chaos = options.chaos
    if not chaos.duplicate and not chaos.delay:
        return events
    return ChaoticEvents(
        events, duplicate=chaos.duplicate, delay=chaos.delay, random=random.SystemRandom().random
    )


def _prepare(dynamodb: Any, s3: Any, *, region: str) -> None:
    deadline = time.monotonic() + _EMULATOR_PATIENCE_S
    location = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    creations = (
        (dynamodb.create_table, table_definition(TABLE_NAME), {"ResourceInUseException"}),
        (
            s3.create_bucket,
            {"Bucket": BUCKET_NAME, **location},
            {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"},
        ),
    )
    for create, request, there_already in creations:
        while True:
            try:
                create(**request)
                break
            except ClientError as error:
                if error.response["Error"]["Code"] in there_already:
                    break
                raise
            except BotoCoreError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)


def build_app(service: ReviewService) -> Starlette:
    """The application, sweeping and labeling while it runs."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        at_work = [
            asyncio.create_task(_for_ever(service.loops.sweep, every_s=_SWEEP_INTERVAL_S)),
            asyncio.create_task(_for_ever(service.labeling.drive, every_s=_LABELING_INTERVAL_S)),
        ]
        try:
            yield
        finally:
            for task in at_work:
                task.cancel()

    app = create_app(service, lifespan=lifespan)
    # Nobody has a password here: a site that makes its own name mean 127.0.0.1 must not become a reviewer.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
    app.add_middleware(CrossSiteGuard)
    return app


async def _for_ever(work: Callable[[], int], *, every_s: float) -> None:
    while True:
        try:
            await run_in_threadpool(work)
        except (ReviewError, ClientError) as error:
            _LOG.warning("%s failed and will be repeated: %s", work.__qualname__, error)
        except Exception:  # noqa: BLE001 - work that ends is done no more, without a word
            _LOG.exception("%s failed and will be repeated", work.__qualname__)
        await asyncio.sleep(every_s)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until stopped."""
    options = _parse(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    app = build_app(build_service(options))
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=options.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        lifespan="on",
    )


def _parse(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--emulator-url", required=True, help="address of the AWS emulator")
    # A file, because anybody on the machine may read command lines.
    parser.add_argument(
        "--token-file",
        type=Path,
        required=True,
        help="holds the secret that the emulator's own paths ask for",
    )
    parser.add_argument("--account", required=True, help="twelve digits")
    parser.add_argument("--region", required=True)
    parser.add_argument("--reviewers", type=Path, required=True, help="JSON file: name, sub, groups")
    parser.add_argument("--status-lag-s", type=float, default=0.5, help="how long resources take to change")
    parser.add_argument("--chaos-duplicate", type=float, default=0.0, help="share of events emitted twice")
    parser.add_argument(
        "--chaos-delay", type=float, default=0.0, help="share of events held back for a while"
    )
    parser.add_argument("--sandbox", action="store_true", help="let programs answer tasks")
    parser.add_argument("--statistics", choices=["off", "pseudonymous", "named"], default="off")
    parsed = parser.parse_args(arguments)
    return Options(
        port=parsed.port,
        emulator_url=parsed.emulator_url,
        token_file=parsed.token_file,
        account=parsed.account,
        region=parsed.region,
        reviewers=parsed.reviewers,
        status_lag_s=parsed.status_lag_s,
        chaos=Chaos(duplicate=parsed.chaos_duplicate, delay=parsed.chaos_delay),
        sandbox=parsed.sandbox,
        statistics=parsed.statistics,
    )


if __name__ == "__main__":
    main()
