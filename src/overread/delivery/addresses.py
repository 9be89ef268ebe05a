"""Where a webhook may go: to public addresses over TLS, and to networks that the deployment names."""

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from overread.errors import PermanentError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host, as texts. May raise OSError."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_MAPPED = ipaddress.ip_network("::ffff:0:0/96")
_IPV6_IN_USE = ipaddress.ip_network("2000::/3")
_NEVER = ("169.254.0.0/16", "fe80::/10", "fd00:ec2::/32", "224.0.0.0/4", "ff00::/8", "0.0.0.0/8", "::/128")
_NEVER_NETWORKS = tuple(ipaddress.ip_network(text) for text in _NEVER)
"""Instance metadata, link-local, multicast: not even where a deployment allows the network around it."""
_SPECIAL = (
    *("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24"),
    *(
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "240.0.0.0/4",
    ),
    *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
)
_SPECIAL_NETWORKS = tuple(ipaddress.ip_network(text) for text in _SPECIAL)
"""What the registries of special addresses keep from the public; named, since Pythons differ in it."""
_PUBLIC_PORT = 443
_LABEL = re.compile(r"[A-Za-z0-9_-]{1,63}")
_PUBLIC_NAME = re.compile(r"([a-z0-9_-]{1,63}\.)+[a-z][a-z0-9-]{0,62}")
_PRIVATE_ENDS = frozenset({"arpa", "internal", "local", "localdomain", "localhost"})
_BRACKETED = re.compile(r"\[[0-9A-Fa-f:.]+\](:[0-9]*)?")
_HOST_LENGTH = 253


@dataclass(frozen=True, slots=True)
class Destination:
    """A checked receiver: connect to `address`, speak as to `host`."""

    scheme: str
    host: str
    port: int
    address: str
    path: str


def destination(url: str, *, allowed: Sequence[Network], resolve: Resolve) -> Destination:
    """The one address to connect to, checked; all addresses of the host must be such.

    Raises:
        PermanentError: the address is none that a webhook may go to.
        OSError: the host cannot be resolved.
    """
    parts = _split(url)
    host, scheme = (parts.hostname or "").lower(), parts.scheme
    port = parts.port or (_PUBLIC_PORT if scheme == "https" else 80)
    addresses = [_address(text) for text in resolve(host, port)]
    if not addresses:
        raise _refused(f"{host} has no address")
    for address in addresses:
        _check(address, scheme=scheme, port=port, allowed=allowed)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Destination(scheme=scheme, host=host, port=port, address=str(addresses[0]), path=path)


def through_proxy(url: str) -> Destination:
    """The receiver as a proxy is asked for it: by its public name, which the proxy resolves and may refuse.

    Raises:
        PermanentError: the address is none that a webhook may go to.
    """
    parts = _split(url)
    host = (parts.hostname or "").lower()
    if parts.scheme != "https" or parts.port not in (None, _PUBLIC_PORT):
        raise _refused(f"{host} is public: only https on port {_PUBLIC_PORT} goes there")
    if not _PUBLIC_NAME.fullmatch(host) or host.rpartition(".")[2] in _PRIVATE_ENDS:
        raise _refused(f"{host} is no public name, and a proxy is asked for nothing else")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Destination(scheme="https", host=host, port=_PUBLIC_PORT, address=host, path=path)


def _split(url: str) -> SplitResult:
    if not url.isascii() or any(character <= " " or character in "\\\x7f" for character in url):
        raise _refused("the address must be plain ASCII without spaces")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _refused(str(error)) from error
    if parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
        raise _refused("the address must be http or https, with a host")
    if "@" in parts.netloc or "%" in parts.netloc:
        raise _refused("the address must have no user and no escapes in its host")
    is_bracketed = "[" in parts.netloc
    if not (_BRACKETED.fullmatch(parts.netloc) if is_bracketed else _is_name(parts.hostname)):
        raise _refused("the address must have a host of letters, digits, hyphens and dots")
    return parts


def _is_name(host: str) -> bool:
    """Whether it can be asked for; resolvers fail in their own ways on what cannot."""
    labels = host.removesuffix(".").split(".")
    return len(host) <= _HOST_LENGTH and all(_LABEL.fullmatch(label) for label in labels)


def _check(address: Address, *, scheme: str, port: int, allowed: Sequence[Network]) -> None:
    inner = _inner(address)
    if any(one in network for one in (address, inner) for network in _NEVER_NETWORKS):
        raise _refused(f"{address} is nobody's address")
    if any(one in network for one in (address, _unmapped(address)) for network in allowed):
        return
    if not _is_public(address):
        raise _refused(f"{address} is not public, and in none of the allowed networks")
    if scheme != "https" or port != _PUBLIC_PORT:
        raise _refused(f"{address} is public: only https on port {_PUBLIC_PORT} goes there")


def _address(text: str) -> Address:
    return ipaddress.ip_address(text.partition("%")[0])


def _is_public(address: Address) -> bool:
    """Whether anybody could reach it. What NAT64 and mapped addresses stand for decides for them."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64 or address in _MAPPED:
            return _is_public(_inner(address))
        if address not in _IPV6_IN_USE:
            return False
    return address.is_global and not any(address in network for network in _SPECIAL_NETWORKS)


def _unmapped(address: Address) -> Address:
    """The IPv4 address itself of one that is written as IPv6."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for or leads to, else itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address


def _refused(message: str) -> PermanentError:
    return PermanentError("WebhookAddressRefused", operation="PostWebhook", message=message)
