"""Requests to URLs that others have chosen, which reach only the public internet."""

import socket
import ssl
from collections.abc import Mapping
from http.client import HTTPException, HTTPSConnection
from ipaddress import IPv6Address, IPv6Network, ip_address

from antiphon import explained
from antiphon.http import URL


class NotReachable(OSError):
    """A URL does not respond, or its host is not on the public internet."""


def public_url(text: str) -> URL:
    """Return the URL of a page on the public internet: ``https`` and a host. Raises ValueError otherwise."""
    url = URL(text)
    is_public = url.origin.startswith("https://") and url.port != 0
    if not is_public or url.userinfo or not text.isascii():
        raise explained("bad-url", f"a public URL must have https:// and a host, not {text[:200]!r}")
    return url


def post_public(url: URL, headers: Mapping[str, str], body: bytes, *, seconds: float) -> int:
    """Send a POST on this thread, to exactly the address that was checked, and return the response's status.

    Redirects are not followed, and the response's body is not read. Raises NotReachable for a host that is not public,
    and for a response that takes too long.
    """
    port = url.port or 443
    connection = HTTPSConnection(url.host, port, timeout=seconds)
    try:
        with socket.create_connection((_public_address(url.host), port), seconds) as plain:
            connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=url.host)
            with connection.sock:
                connection.request("POST", url.target, body, dict(headers))
                return connection.getresponse().status
    except (OSError, HTTPException) as error:
        raise NotReachable(f"{url.origin} does not respond: {error}") from error


def _public_address(host: str) -> str:
    """Return the first address of a host. Raises OSError if it has none, or if one is not public."""
    try:
        found = socket.getaddrinfo(host, None, socket.AF_UNSPEC, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG)
    except UnicodeError as error:  # no host can have this name
        raise OSError(f"there is no host {host!r}") from error
    addresses = [str(address[0]) for *_, address in found]
    if not addresses or not all(map(_is_public, addresses)):
        raise OSError(f"{host} is not on the public internet")
    return addresses[0]


def _is_public(text: str) -> bool:
    """Return True for an address on the public internet, and not in another network that it contains or leads to."""
    address = ip_address(text)
    if isinstance(address, IPv6Address) and (address not in _UNICAST or address.sixtofour or address.teredo):
        return False
    return address.is_global and not address.is_multicast


_UNICAST = IPv6Network("2000::/3")
"""All public IPv6 addresses (RFC 4291 §2.4). Others contain an IPv4 address, as in NAT64 (RFC 6052), or are private."""
