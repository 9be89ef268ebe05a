"""Where webhooks go and where they never go: hostile addresses, names, redirects and replies."""

from __future__ import annotations

import http.server
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from overread.delivery.addresses import Destination, Network, destination, through_proxy
from overread.errors import PermanentError, RetryableError
from overread_aws.webhooks import Proxy, Webhook, WebhookReceiver, resolved
from overread_client import verify_webhook
from overread_testing.stored_records import make_news

SECRET = b"a secret of 32 bytes for testing"
PUBLIC = "93.184.216.34"
LOOPBACK = ipaddress.ip_network("127.0.0.1/32")
PAYLOAD = '{"decision_id":"d-1","dedupe_key":"d-1/3","event":"Decision Final"}'
NEWS = make_news("d-1", number=3, target="webhook", payload=PAYLOAD)


def nobody(_host: str, _port: int) -> Sequence[str]:
    raise AssertionError("a refused address is not even asked for")


def fixed(*addresses: str) -> Callable[[str, int], Sequence[str]]:
    return lambda _host, _port: list(addresses)


def allowing(*cidrs: str) -> tuple[Network, ...]:
    return tuple(map(ipaddress.ip_network, cidrs))


# Addresses

MALFORMED = (
    *(
        "",
        "core.example",
        "//core.example/x",
        "/x",
        "https://",
        "https:///x",
        "https:core.example",
        "https://:443/",
    ),
    *(
        "ftp://core.example/",
        "file:///etc/passwd",
        "gopher://core.example/",
        "dict://core.example:11211/stat",
    ),
    *("ws://core.example/", "data:text/plain,x", "javascript:alert(1)", "unix:///var/run/docker.sock"),
    *("ldap://core.example/", "jar:https://core.example!/", "HTTPSX://core.example/", "s3://bucket/key"),
    *("https://user@core.example/", "https://user:password@core.example/", "https://core.example@127.0.0.1/"),
    *("https://127.0.0.1\\@core.example/", "https://core.example\\.evil/", "https://core.example%00.evil/"),
    *("https://127.0.0.1%2f@core.example/", "https://%31%32%37.0.0.1/", "https://core.example%2eevil/"),
    *(
        "https://core.example:0/",
        "https://core.example:65536/",
        "https://core.example:-1/",
        "https://core.example:x/",
    ),
    *(
        "https://core.example:４４３/",
        "https://①②⑦.⓪.⓪.①/",
        "https://127。0。0。1/",
        "https://ｌｏｃａｌｈｏｓｔ/",
    ),
    *(
        "https://münchen.example/",
        "https://ⓔxample.com/",
        "https://core.example\u200b/",
        "https://core\u00ad.example/",
    ),
    *(
        "https://core .example/",
        " https://core.example/",
        "https://core.example/\r\nHost: evil",
        "https://core\t.example/",
    ),
    *(
        "https://core.example/a b",
        "https://core.example\x7f/",
        "https://core.example\x00/",
        "https://a..example/",
    ),
    *("https://.core.example/", "https://" + "a" * 64 + ".example/", "https://" + "a." * 130 + "example/"),
    *("https://[::1/", "https://::1/", "https://[fe80::1%25eth0]/", "https://[::1]evil/", "https://[v1.x]/"),
    *(
        "https://core.example/ü",
        "https://core!.example/",
        "https://core.example,evil/",
        "https://(core).example/",
        "https://*.example/",
    ),
)

INWARD = (
    *(
        "https://127.0.0.1/",
        "https://127.1/",
        "https://127.0.1/",
        "https://2130706433/",
        "https://0x7f000001/",
    ),
    *(
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://017700000001/",
        "https://0x7f.0x0.0x0.0x1/",
        "https://127.255.255.254/",
    ),
    *(
        "https://0/",
        "https://0.0.0.0/",
        "https://10.0.0.1/",
        "https://10.1/",
        "https://0xa.1/",
        "https://012.0.0.1/",
    ),
    *(
        "https://172.16.0.1/",
        "https://172.31.255.255/",
        "https://192.168.0.1/",
        "https://192.168.1/",
        "https://3232235521/",
    ),
    *(
        "https://100.64.0.1/",
        "https://100.100.100.200/",
        "https://198.18.0.1/",
        "https://192.0.0.8/",
        "https://192.0.2.1/",
    ),
    *(
        "https://198.51.100.7/",
        "https://203.0.113.7/",
        "https://192.88.99.1/",
        "https://240.0.0.1/",
        "https://255.255.255.255/",
    ),
    *(
        "https://169.254.169.254/latest/meta-data/",
        "https://169.254.170.2/v2/credentials",
        "https://169.254.43518/",
    ),
    *(
        "https://2852039166/",
        "https://0xa9fea9fe/",
        "https://0251.0376.0251.0376/",
        "https://0xa9.254.0251.254/",
    ),
    *(
        "https://224.0.0.1/",
        "https://239.255.255.250/",
        "https://[::1]/",
        "https://[::]/",
        "https://[0:0:0:0:0:0:0:1]/",
    ),
    *(
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://[::ffff:a9fe:a9fe]/",
    ),
    *(
        "https://[::127.0.0.1]/",
        "https://[::7f00:1]/",
        "https://[::ffff:0:127.0.0.1]/",
        "https://[::ffff:10.0.0.1]/",
    ),
    *(
        "https://[64:ff9b::127.0.0.1]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://[64:ff9b::10.0.0.1]/",
        "https://[64:ff9b:1::1]/",
    ),
    *(
        "https://[2002:7f00:1::]/",
        "https://[2002:a9fe:a9fe::]/",
        "https://[2002:5db8:d822::]/",
        "https://[2001::1]/",
    ),
    *(
        "https://[2001:0:a9fe:a9fe::5601:5601]/",
        "https://[2001:db8::1]/",
        "https://[3fff::1]/",
        "https://[100::1]/",
    ),
    *(
        "https://[fc00::1]/",
        "https://[fd00::1]/",
        "https://[fd00:ec2::254]/",
        "https://[fe80::1]/",
        "https://[fec0::1]/",
    ),
    *("https://[ff02::1]/", "https://[5f00::1]/", "https://[4000::1]/", "https://[e000::1]/"),
)


def literal(host: str, port: int) -> Sequence[str]:
    """The resolver of this machine, for addresses only: no name leaves it."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    return [str(address[0]) for *_, address in found]


def test_there_are_enough_hostile_addresses() -> None:
    assert len(set(MALFORMED)) >= 50
    assert len(set(INWARD)) >= 60


@pytest.mark.parametrize("url", MALFORMED)
def test_what_is_no_plain_address_is_refused_unasked(url: str) -> None:
    with pytest.raises(PermanentError, match="WebhookAddressRefused"):
        destination(url, allowed=allowing("0.0.0.0/0", "::/0"), resolve=nobody)


@pytest.mark.parametrize("url", INWARD)
def test_what_leads_inward_is_refused_in_every_notation(url: str) -> None:
    with pytest.raises(PermanentError, match="WebhookAddressRefused"):
        destination(url, allowed=(), resolve=literal)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "169.254.169.254",
            "169.254.170.2",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "fd00:ec2::254",
        ),
        *("fe80::1", "224.0.0.1", "ff02::1", "0.0.0.0", "::", "2002:a9fe:a9fe::", "fe80::1%eth0"),
    ],
)
def test_metadata_are_out_of_reach_whatever_is_allowed(address: str) -> None:
    with pytest.raises(PermanentError, match="is nobody's address"):
        destination("https://core.example/", allowed=allowing("0.0.0.0/0", "::/0"), resolve=fixed(address))


@pytest.mark.parametrize(
    "addresses",
    [
        (PUBLIC, "10.0.0.1"),
        ("10.0.0.1", PUBLIC),
        (PUBLIC, "::1"),
        (PUBLIC, "2606:4700::1", "169.254.169.254"),
    ],
)
def test_one_private_address_among_public_ones_is_enough_to_refuse(addresses: tuple[str, ...]) -> None:
    with pytest.raises(PermanentError, match="WebhookAddressRefused"):
        destination("https://core.example/", allowed=(), resolve=fixed(*addresses))


def test_a_host_without_an_address_is_refused() -> None:
    with pytest.raises(PermanentError, match=r"core\.example has no address"):
        destination("https://core.example/", allowed=(), resolve=fixed())


@pytest.mark.parametrize(
    "url", ["http://core.example/", "http://core.example:443/", "https://core.example:8443/"]
)
def test_public_addresses_get_only_https_on_its_own_port(url: str) -> None:
    with pytest.raises(PermanentError, match="only https on port 443"):
        destination(url, allowed=allowing("10.0.0.0/8"), resolve=fixed(PUBLIC))


@pytest.mark.parametrize(
    "address",
    [PUBLIC, "2606:4700::1111", "64:ff9b::5db8:d822", "::ffff:93.184.216.34", "172.32.0.1", "11.0.0.1"],
)
def test_public_addresses_are_called(address: str) -> None:
    found = destination("https://Core.example/hook?a=1#part", allowed=(), resolve=fixed(address))
    assert found == Destination("https", "core.example", 443, str(ipaddress.ip_address(address)), "/hook?a=1")


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3"])
def test_an_allowed_network_is_called_at_any_port_with_or_without_tls(address: str) -> None:
    for url in ("http://core.internal:8080/x", "https://core.internal:8443/x"):
        found = destination(url, allowed=allowing("10.1.0.0/16"), resolve=fixed(address))
        assert (found.host, found.path) == ("core.internal", "/x")
    with pytest.raises(PermanentError, match="in none of the allowed networks"):
        destination("http://core.internal/", allowed=allowing("10.2.0.0/16"), resolve=fixed(address))


def test_an_allowed_network_is_no_way_round_through_tunnels() -> None:
    with pytest.raises(PermanentError, match="in none of the allowed networks"):
        destination("https://core.example/", allowed=allowing("10.1.0.0/16"), resolve=fixed("2002:a01:203::"))


# Posts, to real servers on loopback


@dataclass
class Receiver:
    """A server that keeps what it is sent and answers as told."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    applied: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)
    port: int = 0


@contextmanager
def receiving(
    receiver: Receiver, *, address: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
) -> Iterator[Receiver]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.applied.append((body, dict(self.headers.items())))
            self.send_response(receiver.status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing is told."""

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """Clients that hang up are part of the tests."""

    server = Server((address, port), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    receiver.port = server.server_address[1]
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def sender(url: str, **changes: Any) -> WebhookReceiver:
    options = {"secret": lambda: SECRET, "resolve": fixed("127.0.0.1"), "timeout_s": 5.0, **changes}
    allowed = options.pop("allowed", (LOOPBACK,))
    return WebhookReceiver({NEWS.use_case: Webhook(url=url, allowed=allowed)}, **options)


def test_the_news_arrive_signed_and_are_believed() -> None:
    with receiving(Receiver(status=204)) as one:
        sender(f"http://core.internal:{one.port}/hook", now=lambda: 1_795_000_000.9).deliver(NEWS)
    ((body, headers),) = one.applied
    assert body == NEWS.payload.encode()
    assert headers["Host"] == f"core.internal:{one.port}"
    assert headers["Overread-Dedupe-Key"] == NEWS.dedupe_key
    assert headers["Overread-Timestamp"] == "1795000000"
    heard = verify_webhook(body, headers, secrets=[SECRET], now=lambda: 1_795_000_000)
    assert (heard.event, heard.dedupe_key) == ("Decision Final", "d-1/3")


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308, 400, 401, 404, 410, 429, 500, 502, 503])
def test_whatever_is_not_2xx_is_no_delivery(status: int) -> None:
    with receiving(Receiver(status=status)) as one, pytest.raises(RetryableError, match=f"HTTP {status}"):
        sender(f"http://core.internal:{one.port}/").deliver(NEWS)
    assert len(one.applied) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed_inward(status: int) -> None:
    with receiving(Receiver()) as metadata:
        redirect = {"Location": f"http://127.0.0.1:{metadata.port}/latest/meta-data/"}
        one = Receiver(status=status, headers=redirect)
        with receiving(one), pytest.raises(RetryableError, match=f"HTTP {status}"):
            sender(f"http://core.internal:{one.port}/").deliver(NEWS)
    assert not metadata.applied


def test_a_name_that_changes_its_address_after_the_check_gains_nothing() -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.2"], ["127.0.0.2"]])
    with (
        receiving(Receiver()) as checked,
        receiving(Receiver(), address="127.0.0.2", port=checked.port) as inner,
    ):
        rebinding = sender(f"http://core.internal:{checked.port}/", resolve=lambda *_: next(answers))
        rebinding.deliver(NEWS)
        assert (len(checked.applied), len(inner.applied)) == (1, 0), "asked once, called where it was checked"
        with pytest.raises(PermanentError, match=r"127\.0\.0\.2 is not public"):
            rebinding.deliver(NEWS)
    assert not inner.applied


def test_a_refused_address_is_never_called() -> None:
    with receiving(Receiver()) as one, pytest.raises(PermanentError, match="WebhookAddressRefused"):
        sender(f"http://127.0.0.1:{one.port}/", allowed=(), resolve=resolved).deliver(NEWS)
    assert not one.applied


def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving(Receiver()) as one, receiving(Receiver()) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        sender(f"http://core.internal:{one.port}/").deliver(NEWS)
    assert (len(one.applied), len(proxy.applied)) == (1, 0)


@contextmanager
def replying(reply: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port whose server reads a request and then does what `reply` does."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(10)

    def serve() -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            try:
                connection.recv(65536)
                reply(connection)
            except OSError:
                return

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        thread.join()
        listener.close()


def drip(head: bytes) -> Callable[[socket.socket], None]:
    def reply(connection: socket.socket) -> None:
        connection.sendall(head)
        for _ in range(200):
            time.sleep(0.05)
            connection.sendall(b"x")

    return reply


def _silence(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 O", b"HTTP/1.1 200 OK\r\nX-Slow: "])
def test_a_reply_that_drips_for_ever_ends_with_the_time(head: bytes) -> None:
    started = time.monotonic()
    with (
        replying(drip(head)) as port,
        pytest.raises(RetryableError, match=r"TimeoutError: no reply within 0\.4 s"),
    ):
        sender(f"http://core.internal:{port}/", timeout_s=0.4).deliver(NEWS)
    assert time.monotonic() - started < 5


def test_a_receiver_that_says_nothing_ends_with_the_time() -> None:
    with replying(_silence) as port, pytest.raises(RetryableError, match="TimeoutError"):
        sender(f"http://core.internal:{port}/", timeout_s=0.3).deliver(NEWS)


def test_a_tls_handshake_that_drips_ends_with_the_time() -> None:
    with replying(drip(b"\x16\x03\x03\x40\x00")) as port, pytest.raises(RetryableError):
        sender(f"https://core.internal:{port}/", timeout_s=0.4).deliver(NEWS)


def test_a_huge_body_is_not_read() -> None:
    sent = 0

    def huge(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
        while sent < 500_000_000:
            sent += connection.send(b"x" * 1_000_000)

    with replying(huge) as port:
        sender(f"http://core.internal:{port}/").deliver(NEWS)
    assert sent < 50_000_000, "no more than the buffers between the two hold"


def _huge_head(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"x" * 100_000 + b"\r\n\r\n")


def _many_headers(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X-Many: 1\r\n" * 500 + b"\r\n")


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (_huge_head, "LineTooLong"),
        (_many_headers, "HTTPException"),
        (lambda one: one.sendall(b"SSH-2.0-OpenSSH_9\r\n"), "BadStatusLine"),
        (lambda one: one.sendall(b"HTTP/1.1 abc OK\r\n\r\n"), "BadStatusLine"),
        (lambda one: None, "RemoteDisconnected"),
    ],
)
def test_what_is_no_reply_is_no_delivery(reply: Callable[[socket.socket], None], code: str) -> None:
    with replying(reply) as port, pytest.raises(RetryableError, match=code):
        sender(f"http://core.internal:{port}/").deliver(NEWS)


def test_a_receiver_that_cannot_be_reached_rests_for_half_a_minute() -> None:
    at, asked = [1000.0], []

    def resolve(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        raise OSError("no such host")

    one = sender("https://core.example/", resolve=resolve, monotonic=lambda: at[0])
    for seconds, code in ((0.0, "OSError"), (29.9, "ReceiverResting"), (30.0, "OSError")):
        at[0] = 1000.0 + seconds
        with pytest.raises(RetryableError, match=code):
            one.deliver(NEWS)
    assert len(asked) == 2


def test_a_use_case_without_a_receiver_is_told_of() -> None:
    with pytest.raises(PermanentError, match="NoReceiver"):
        WebhookReceiver({}, secret=lambda: SECRET).deliver(NEWS)


# TLS


@dataclass(frozen=True)
class Authority:
    """A certificate authority of the test's own."""

    name: x509.Name
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(
            cadata=self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        )


def authority() -> Authority:
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Own")]),
    )
    builder = _certificate(name, issuer=name, key=key)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    usage = x509.KeyUsage(*(name == "sign" for name in ("", "", "", "", "", "sign", "sign", "", "")))
    builder = builder.add_extension(usage, critical=True)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = builder.add_extension(identifier, critical=False)
    return Authority(name, key, builder.sign(key, hashes.SHA256()))


def serving(own: Authority, folder: Path, *, host: str, days: int = 1) -> ssl.SSLContext:
    """A server's side of TLS for `host`, whose certificate ends in `days`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    builder = _certificate(subject, issuer=own.name, key=key, days=days)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(own.key.public_key())
    certificate = builder.add_extension(identifier, critical=False).sign(own.key, hashes.SHA256())
    file = folder / f"{host}.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def _certificate(
    subject: x509.Name, *, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int = 1
) -> x509.CertificateBuilder:
    end = datetime.now(UTC) + timedelta(days=days)
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=end - timedelta(days=30),
        not_valid_after=end,
    )


def test_a_receiver_in_an_allowed_network_proves_its_name_over_tls(tmp_path: Path) -> None:
    own = authority()
    with receiving(Receiver(), tls=serving(own, tmp_path, host="core.internal")) as one:
        sender(f"https://core.internal:{one.port}/hook", trust=own.trusting()).deliver(NEWS)
    assert [body for body, _ in one.applied] == [NEWS.payload.encode()]


@pytest.mark.parametrize("fault", ["name", "authority", "expired", "usual trust"])
def test_a_receiver_that_proves_nothing_is_told_nothing(fault: str, tmp_path: Path) -> None:
    own = authority()
    host = "elsewhere.internal" if fault == "name" else "core.internal"
    tls = serving(own, tmp_path, host=host, days=-1 if fault == "expired" else 1)
    trust = {"authority": authority().trusting(), "usual trust": None}.get(fault, own.trusting())
    with (
        receiving(Receiver(), tls=tls) as one,
        pytest.raises(RetryableError, match="SSLCertVerificationError"),
    ):
        sender(f"https://core.internal:{one.port}/", trust=trust).deliver(NEWS)
    assert not one.applied


# Behind a proxy


@contextmanager
def leading(to: int, *, status: str = "200 OK") -> Iterator[tuple[Proxy, list[str]]]:
    """A proxy that leads every tunnel to the port `to`, and what it was asked."""
    asked: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(10)

    def serve() -> None:
        try:
            inner, _ = listener.accept()
        except OSError:
            return
        with inner, socket.create_connection(("127.0.0.1", to)) as outer:
            asked.append(inner.recv(65536).decode())
            inner.sendall(f"HTTP/1.1 {status}\r\n\r\n".encode())
            back = threading.Thread(target=_relay, args=(outer, inner), daemon=True)
            back.start()
            _relay(inner, outer)
            back.join(5)

    server = threading.Thread(target=serve, daemon=True)
    server.start()
    try:
        yield Proxy("127.0.0.1", listener.getsockname()[1]), asked
    finally:
        listener.close()
        server.join(5)


def _relay(source: socket.socket, target: socket.socket) -> None:
    try:
        while part := source.recv(65536):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return  # the other side has gone


def test_a_receiver_in_the_internet_is_reached_by_the_proxy_and_proves_its_name(tmp_path: Path) -> None:
    own = authority()
    with (
        receiving(Receiver(), tls=serving(own, tmp_path, host="core.example")) as one,
        leading(one.port) as (proxy, asked),
    ):
        sender(
            "https://core.example/hook", allowed=(), resolve=nobody, trust=own.trusting(), proxy=proxy
        ).deliver(NEWS)
    assert [body for body, _ in one.applied] == [NEWS.payload.encode()]
    assert asked[0].startswith("CONNECT core.example:443 HTTP/1.1\r\nHost: core.example:443\r\n")
    assert "decision" not in asked[0], "the proxy sees a name, and TLS"


def test_whoever_the_proxy_leads_to_must_be_the_receiver(tmp_path: Path) -> None:
    own = authority()
    with (
        receiving(Receiver(), tls=serving(own, tmp_path, host="other.example")) as one,
        leading(one.port) as (proxy, _),
        pytest.raises(RetryableError, match="SSLCertVerificationError"),
    ):
        sender("https://core.example/", allowed=(), trust=own.trusting(), proxy=proxy).deliver(NEWS)
    assert not one.applied


def test_a_proxy_that_refuses_is_tried_again_later() -> None:
    with (
        receiving(Receiver()) as one,
        leading(one.port, status="403 Forbidden") as (proxy, _),
        pytest.raises(RetryableError, match="the proxy answered 403"),
    ):
        sender("https://core.example/", allowed=(), proxy=proxy).deliver(NEWS)


def test_a_receiver_in_an_allowed_network_is_called_without_the_proxy() -> None:
    with receiving(Receiver()) as one, leading(one.port) as (proxy, asked):
        sender(f"http://core.internal:{one.port}/", proxy=proxy).deliver(NEWS)
    assert (len(one.applied), asked) == (1, [])


@pytest.mark.parametrize("url", [*MALFORMED, *INWARD])
def test_a_proxy_is_never_asked_for_what_leads_inward(url: str) -> None:
    with pytest.raises(PermanentError, match="WebhookAddressRefused"):
        through_proxy(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://localhost/",
        "https://metadata.google.internal/",
        "https://core.localhost/",
        "https://core/",
        "https://93.184.216.34/",
        "https://0x5d.0xb8.0xd8.0x22/",
        "https://core.example:8443/",
        "http://core.example/",
    ],
)
def test_a_proxy_is_asked_for_public_names_only_and_for_tls(url: str) -> None:
    with pytest.raises(PermanentError, match=r"is no public name|only https on port 443"):
        through_proxy(url)
