"""Where a webhook may go: to public addresses over TLS, and to networks that the deployment names."""

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from overread.errors import PermanentError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host, as texts. May raise OSError."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NEVER = ("169.254.0.0/16", "fe80::/10", "fd00:ec2::/32", "224.0.0.0/4", "ff00::/8", "0.0.0.0/8", "::/128")
_NEVER_NETWORKS = tuple(ipaddress.ip_network(text) for text in _NEVER)
"""Instance metadata, link-local, multicast: not even where a deployment allows the network around it."""
_PUBLIC_PORT = 443


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


def _split(url: str) -> SplitResult:
    if not url.isascii() or any(character <= " " or character == "\\" for character in url):
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
    return parts


def _check(address: Address, *, scheme: str, port: int, allowed: Sequence[Network]) -> None:
    inner = _inner(address)
    if any(one in network for one in (address, inner) for network in _NEVER_NETWORKS):
        raise _refused(f"{address} is nobody's address")
    if any(inner in network for network in allowed):
        return
    if not (address.is_global and inner.is_global):
        raise _refused(f"{address} is not public, and in none of the allowed networks")
    if scheme != "https" or port != _PUBLIC_PORT:
        raise _refused(f"{address} is public: only https on port {_PUBLIC_PORT} goes there")


def _address(text: str) -> Address:
    return ipaddress.ip_address(text.partition("%")[0])


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, else itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address


def _refused(message: str) -> PermanentError:
    return PermanentError("WebhookAddressRefused", operation="PostWebhook", message=message)
