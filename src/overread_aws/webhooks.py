"""News of decisions as signed posts; the address that was checked is the one that is called."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from threading import Event, Timer

from overread.decisions.record import OutboxEntry
from overread.delivery.addresses import Destination, Network, Resolve, destination, through_proxy
from overread.delivery.signature import signed_headers
from overread.errors import PermanentError, RetryableError

_CONNECT_TIMEOUT_S, _TOTAL_TIMEOUT_S = 3.0, 10.0
_REST_S = 30.0
_OPERATION = "PostWebhook"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A receiver, and the private networks in which it may be."""

    url: str
    allowed: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where requests to the internet go out, spoken to in plain HTTP."""

    host: str
    port: int


class WebhookReceiver:
    """The port `Receiver` of target `webhook`; receivers by use case.

    Whoever could not be reached, or took too long, is left alone for half a minute: the news of others
    must not wait behind it.
    """

    def __init__(
        self,
        webhooks: Mapping[str, Webhook],
        *,
        secret: Callable[[], bytes],
        resolve: Resolve | None = None,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        trust: ssl.SSLContext | None = None,
        proxy: Proxy | None = None,
        timeout_s: float = _TOTAL_TIMEOUT_S,
    ) -> None:
        """`trust`: the authorities that may vouch for receivers, by default those that everybody trusts.

        `proxy`: the way to receivers in the internet; those in allowed networks are called directly.
        """
        self._webhooks = webhooks
        self._secret = secret
        self._resolve = resolve or resolved
        self._now = now
        self._monotonic = monotonic
        self._trust = trust
        self._proxy = proxy
        self._timeout_s = timeout_s
        self._resting: dict[str, float] = {}

    def deliver(self, entry: OutboxEntry) -> None:
        """Posts the news; whatever is answered but 2xx is no delivery, redirects included."""
        webhook = self._webhooks.get(entry.use_case)
        if webhook is None:
            raise PermanentError("NoReceiver", operation=_OPERATION, message=entry.use_case)
        if self._monotonic() < self._resting.get(webhook.url, float("-inf")):
            raise RetryableError("ReceiverResting", operation=_OPERATION)
        body = entry.payload.encode()
        headers = signed_headers(
            body, secret=self._secret(), timestamp=int(self._now()), dedupe_key=entry.dedupe_key
        )
        try:
            status = self._post(webhook, body, headers=headers)
        except (HTTPException, OSError) as error:
            self._resting[webhook.url] = self._monotonic() + _REST_S
            raise RetryableError(type(error).__name__, operation=_OPERATION, message=str(error)) from error
        if not 200 <= status < 300:
            raise RetryableError(f"HTTP {status}", operation=_OPERATION)

    def _post(self, webhook: Webhook, body: bytes, *, headers: Mapping[str, str]) -> int:
        proxy = None if webhook.allowed else self._proxy
        if proxy is None:
            target = destination(webhook.url, allowed=webhook.allowed, resolve=self._resolve)
        else:
            target = through_proxy(webhook.url)
        return _post(target, body, headers=headers, trust=self._trust, proxy=proxy, timeout_s=self._timeout_s)


def resolved(host: str, port: int) -> Sequence[str]:
    """Every address that the host has."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _post(
    target: Destination,
    body: bytes,
    *,
    headers: Mapping[str, str],
    trust: ssl.SSLContext | None,
    proxy: Proxy | None,
    timeout_s: float,
) -> int:
    """The status of the reply, whose body is not read."""
    connect_timeout_s = min(_CONNECT_TIMEOUT_S, timeout_s)
    first = (proxy.host, proxy.port) if proxy else (target.address, target.port)
    with (
        socket.create_connection(first, timeout=connect_timeout_s) as plain,
        _ending(plain, timeout_s=timeout_s),
        closing(HTTPConnection(target.host, target.port)) as connection,
    ):
        plain.settimeout(timeout_s)
        if proxy:
            _tunnel(plain, target)
        connection.sock = plain if target.scheme == "http" else _secured(plain, target, trust=trust)
        everything = {**headers, "Host": _host(target), "User-Agent": "overread", "Connection": "close"}
        connection.request("POST", target.path, body=body, headers=everything)
        with connection.getresponse() as reply:
            return reply.status


def _tunnel(plain: socket.socket, target: Destination) -> None:
    """Has the proxy lead to the receiver, who says nothing before TLS begins (RFC 9110, 9.3.6)."""
    place = f"{target.host}:{target.port}"
    plain.sendall(f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\nUser-Agent: overread\r\n\r\n".encode())
    reply = HTTPResponse(plain, method="CONNECT")
    try:
        reply.begin()
        if not 200 <= reply.status < 300:
            raise ConnectionRefusedError(f"the proxy answered {reply.status}")
    finally:
        reply.close()


@contextmanager
def _ending(connection: socket.socket, *, timeout_s: float) -> Iterator[None]:
    """Ends the connection when the time is over: a socket's own timeout begins anew with each byte.

    It holds a duplicate, since TLS takes the socket over.
    """
    is_over = Event()
    with connection.dup() as same:

        def end() -> None:
            is_over.set()
            _shut(same)

        timer = Timer(timeout_s, end)
        timer.daemon = True
        timer.start()
        try:
            yield
        except (HTTPException, OSError):
            if not is_over.is_set():
                raise
        finally:
            timer.cancel()
            timer.join()
    if is_over.is_set():  # what was read until then may look like a whole reply
        raise TimeoutError(f"no reply within {timeout_s} s")


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other side was faster


def _secured(plain: socket.socket, target: Destination, *, trust: ssl.SSLContext | None) -> ssl.SSLSocket:
    """TLS with whoever proves to be the host, at whatever address."""
    return (trust or ssl.create_default_context()).wrap_socket(plain, server_hostname=target.host)


def _host(target: Destination) -> str:
    usual = 443 if target.scheme == "https" else 80
    host = f"[{target.host}]" if ":" in target.host else target.host
    return host if target.port == usual else f"{host}:{target.port}"
