"""Tells the world of decisions: at once when the table's stream tells of news, else once a minute."""

import ipaddress
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from overread.decisions.ports import Clock
from overread.delivery.deliver import DeliverResult, deliver
from overread.delivery.ports import DeliverPorts, Receiver
from overread.errors import MissingSettingsError, ServiceError
from overread_aws.clients import make_client
from overread_aws.decision_events import EventBridgeReceiver
from overread_aws.error_monitors import ErrorMonitorReceiver
from overread_aws.feedback import FeedbackReceiver
from overread_aws.outbox_store import DynamoDbOutbox
from overread_aws.secret_key import SecretKey
from overread_aws.webhooks import Proxy, Webhook, WebhookReceiver
from overread_lambda.entry import entry
from overread_lambda.logs import log
from overread_lambda.metrics import COUNT, Metric, emit
from overread_lambda.sweeping import TIME_TO_LEAVE_MS, Context, log_failure
from overread_lambda.table_stream import NO_FAILURE, told_by

TARGET = "Target"
DELIVERED = Metric("NewsDelivered", COUNT, "news of decisions that their target took")
POSTPONED = Metric("NewsPostponed", COUNT, "deliveries that failed and are tried again")
GIVEN_UP = Metric("NewsGivenUp", COUNT, "news that no attempt brought to their target; somebody must look")
METRICS = (DELIVERED, POSTPONED, GIVEN_UP)
_BY_RESULT = {
    DeliverResult.DELIVERED: DELIVERED,
    DeliverResult.POSTPONED: POSTPONED,
    DeliverResult.GIVEN_UP: GIVEN_UP,
}
_PLACE = 2
"""An outbox item's key tells the number of its audit entry, and the target."""


@dataclass(frozen=True, slots=True)
class DeliverSettings:
    """Settings of `deliver_outbox`; without a secret there are no webhooks, without a proxy no detour."""

    table: str
    bus: str
    feedback_bucket: str
    webhooks: Mapping[str, Webhook]
    webhook_secret: str
    proxy: Proxy | None = None


def deliver_settings(environ: Mapping[str, str]) -> DeliverSettings:
    """The settings of `deliver_outbox`.

    OVERREAD_WEBHOOKS: `{use case: {"url": …, "allowed_networks": [CIDR]}}`, may be missing.

    Raises:
        MissingSettingsError: a variable is missing or empty.
    """
    webhooks = json.loads(environ.get("OVERREAD_WEBHOOKS") or "{}")
    names = ["OVERREAD_TABLE", "OVERREAD_EVENT_BUS", "OVERREAD_INPUT_BUCKET"]
    names += ["OVERREAD_WEBHOOK_SECRET"] if webhooks else []
    if missing := [name for name in names if not environ.get(name)]:
        raise MissingSettingsError(missing)
    return DeliverSettings(
        table=environ["OVERREAD_TABLE"],
        bus=environ["OVERREAD_EVENT_BUS"],
        feedback_bucket=environ["OVERREAD_INPUT_BUCKET"],
        webhooks={
            use_case: Webhook(
                url=stated["url"], allowed=tuple(map(ipaddress.ip_network, stated["allowed_networks"]))
            )
            for use_case, stated in webhooks.items()
        },
        webhook_secret=environ.get("OVERREAD_WEBHOOK_SECRET", ""),
        proxy=_proxy(environ.get("HTTPS_PROXY", "")),
    )


def _proxy(url: str) -> Proxy | None:
    parts = urlsplit(url)
    return Proxy(parts.hostname, parts.port or 80) if parts.hostname else None


@entry()
def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """What the stream and the schedule call."""
    ports = _ports()
    if "Records" in event:
        return deliver_streamed(
            event, ports=ports, clock=_now, jitter=_jitter, remaining_ms=context.get_remaining_time_in_millis
        )
    return deliver_due(
        ports=ports, clock=_now, jitter=_jitter, remaining_ms=context.get_remaining_time_in_millis
    )


def _no_hurry() -> int:
    return TIME_TO_LEAVE_MS


def deliver_streamed(
    event: dict[str, Any],
    *,
    ports: DeliverPorts,
    clock: Clock,
    jitter: Callable[[], float],
    remaining_ms: Callable[[], int] = _no_hurry,
) -> dict[str, Any]:
    """Delivers what a batch of stream records tells of; the stream repeats it from the first failure on.

    What the time is too short for, behind slow receivers, is left to the sweep.
    """
    for told in told_by(event):
        kind, *place = told.sk.split("#")
        if kind != "OUTBOX" or len(place) != _PLACE or not place[0].isdecimal():
            continue
        if remaining_ms() < TIME_TO_LEAVE_MS:
            log.warning("batch cut short")
            break
        try:
            _deliver((told.pk, int(place[0]), place[1]), ports=ports, clock=clock, jitter=jitter)
        except ServiceError as error:
            log_failure(told.pk, error)
            return told.failure()
    return NO_FAILURE


def deliver_due(
    *,
    ports: DeliverPorts,
    clock: Clock,
    jitter: Callable[[], float],
    remaining_ms: Callable[[], int],
) -> dict[str, int]:
    """Delivers what should have been delivered by now, most overdue first, while there is time."""
    counts: dict[str, int] = {}
    due: Iterable[tuple[str, int, str]] = ports.outbox.due(until=clock())
    for news in due:
        if remaining_ms() < TIME_TO_LEAVE_MS:
            log.warning("sweep cut short")
            break
        try:
            result = str(_deliver(news, ports=ports, clock=clock, jitter=jitter))
        except ServiceError as error:
            log_failure(news[0], error)
            result = "failed"
        counts[result] = counts.get(result, 0) + 1
    if counts:
        log.info("sweep done", extra={"results": counts})
    return counts


def _deliver(
    news: tuple[str, int, str], *, ports: DeliverPorts, clock: Clock, jitter: Callable[[], float]
) -> DeliverResult:
    decision_id, number, target = news
    result = deliver(decision_id, number=number, target=target, ports=ports, clock=clock, jitter=jitter())
    if result in _BY_RESULT:
        emit({_BY_RESULT[result]: 1}, at=clock(), dimensions={TARGET: target})
    if result is DeliverResult.GIVEN_UP:
        log.error("news given up", extra={"decision_id": decision_id, "target": target})
    elif result is DeliverResult.POSTPONED:
        log.warning("news not delivered yet", extra={"decision_id": decision_id, "target": target})
    return result


def _now() -> datetime:
    return datetime.now(UTC)


def _jitter() -> float:
    return int.from_bytes(os.urandom(4), "big") / 2**32


@cache
def _settings() -> DeliverSettings:
    return deliver_settings(os.environ)


@cache
def _ports() -> DeliverPorts:
    settings = _settings()
    receivers: dict[str, Receiver] = {
        "events": EventBridgeReceiver(make_client("events"), bus=settings.bus),
        "feedback": FeedbackReceiver(make_client("s3"), bucket=settings.feedback_bucket),
        "monitor": ErrorMonitorReceiver(make_client("dynamodb"), table=settings.table),
    }
    if settings.webhooks:
        secret = SecretKey(make_client("secretsmanager"), secret_id=settings.webhook_secret)
        receivers["webhook"] = WebhookReceiver(settings.webhooks, secret=secret, proxy=settings.proxy)
    return DeliverPorts(
        outbox=DynamoDbOutbox(make_client("dynamodb"), table=settings.table), receivers=receivers
    )
