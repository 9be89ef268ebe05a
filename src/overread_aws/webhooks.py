"""News of decisions as signed posts; the address that was checked is the one that is called."""

import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError

from overread.decisions.record import OutboxEntry
from overread.delivery.addresses import Destination, Network, Resolve, destination
from overread.delivery.signature import signed_headers
from overread.errors import PermanentError, RetryableError

_CONNECT_TIMEOUT_S, _READ_TIMEOUT_S = 3.0, 10.0
_REPLY_BYTES = 64 * 1024
_OPERATION = "PostWebhook"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A receiver, and the private networks in which it may be."""

    url: str
    allowed: tuple[Network, ...] = ()


class WebhookReceiver:
    """The port `Receiver` of target `webhook`; receivers by use case."""

    def __init__(
        self,
        webhooks: Mapping[str, Webhook],
        *,
        secret: Callable[[], bytes],
        resolve: Resolve | None = None,
        now: Callable[[], float] = time.time,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """`trust`: the authorities that may vouch for receivers, by default those that everybody trusts."""
        self._webhooks = webhooks
        self._secret = secret
        self._resolve = resolve or resolved
        self._now = now
        self._trust = trust

    def deliver(self, entry: OutboxEntry) -> None:
        """Posts the news; whatever is answered but 2xx is no delivery, redirects included."""
        webhook = self._webhooks.get(entry.use_case)
        if webhook is None:
            raise PermanentError("NoReceiver", operation=_OPERATION, message=entry.use_case)
        try:
            target = destination(webhook.url, allowed=webhook.allowed, resolve=self._resolve)
        except OSError as error:
            raise RetryableError("HostUnknown", operation=_OPERATION, message=str(error)) from error
        status = self._post(target, entry)
        if not 200 <= status < 300:
            raise RetryableError(f"HTTP {status}", operation=_OPERATION)

    def _post(self, target: Destination, entry: OutboxEntry) -> int:
        body = entry.payload.encode()
        headers = signed_headers(
            body, secret=self._secret(), timestamp=int(self._now()), dedupe_key=entry.dedupe_key
        )
        pool = _pool(target, trust=self._trust)
        try:
            reply = pool.urlopen(
                "POST",
                target.path,
                body=body,
                headers={**headers, "Host": _host(target), "User-Agent": "overread"},
                redirect=False,
                retries=False,
                preload_content=False,
            )
            reply.read(_REPLY_BYTES, decode_content=False)
            return int(reply.status)
        except (HTTPError, OSError) as error:
            raise RetryableError(type(error).__name__, operation=_OPERATION) from error
        finally:
            pool.close()


def resolved(host: str, port: int) -> Sequence[str]:
    """Every address that the host has."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _pool(target: Destination, *, trust: ssl.SSLContext | None) -> urllib3.HTTPConnectionPool:
    timeout = urllib3.Timeout(connect=_CONNECT_TIMEOUT_S, read=_READ_TIMEOUT_S)
    options: dict[str, Any] = {"port": target.port, "timeout": timeout, "maxsize": 1}
    if target.scheme == "http":
        return urllib3.HTTPConnectionPool(target.address, **options)
    return urllib3.HTTPSConnectionPool(
        target.address,
        **options,
        ssl_context=trust or ssl.create_default_context(),
        server_hostname=target.host,
        assert_hostname=target.host,
    )


def _host(target: Destination) -> str:
    usual = 443 if target.scheme == "https" else 80
    host = f"[{target.host}]" if ":" in target.host else target.host
    return host if target.port == usual else f"{host}:{target.port}"
