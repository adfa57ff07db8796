"""Requests only to the public internet: to hosts named by others, without a way into one's own network (SSRF)."""

import socket
import ssl
from collections.abc import Mapping
from http.client import HTTPException, HTTPResponse, HTTPSConnection
from ipaddress import ip_address
from time import monotonic
from typing import NamedTuple

from antiphon.explanations import explained
from antiphon.http.urls.url import URL

SECONDS = 5.0
"""The longest time for each wait, and for a whole response, in seconds."""


class PublicAnswer(NamedTuple):
    """The response to a request: its status, its header fields with names in lower case, and its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NotReachable(OSError):
    """A URL does not respond, or its host is not on the public internet."""


def public_url(text: str) -> URL:
    """Return the URL of a page on the public internet: ``https``, a name, and no port. Raises ValueError for others."""
    url = URL(text)
    if url.origin != f"https://{url.host}" or url.userinfo or not text.isascii():
        raise explained(
            "bad-url", ValueError(f"a public URL must have https://, a host and no port, not {text[:200]!r}")
        )
    return url


def request_public(
    method: str, url: URL, headers: Mapping[str, str], body: bytes | None = None, *, most: int, seconds: float = SECONDS
) -> PublicAnswer:
    """Send a request on this thread to exactly the checked address, over IPv4; follow no redirects.

    Raises NotReachable for a host that is not public, for a response that takes longer, and for one of more than
    ``most`` bytes.
    """
    until = monotonic() + seconds
    connection = HTTPSConnection(url.host, timeout=seconds)
    try:
        with socket.create_connection((_public_address(url.host), 443), seconds) as plain:
            connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=url.host)
            with connection.sock:
                connection.request(method, url.target, body, dict(headers))
                answer = connection.getresponse()
                fields = {name.lower(): value for name, value in answer.getheaders()}
                return PublicAnswer(answer.status, fields, _read(answer, most, until))
    except (OSError, HTTPException) as error:
        raise NotReachable(f"{url.origin} does not respond: {error}") from error


def _public_address(host: str) -> str:
    """Return the IPv4 address of a host. Raises OSError if it has none, or one that is not public."""
    try:
        found = socket.getaddrinfo(host, 443, socket.AF_INET, socket.SOCK_STREAM)
    except UnicodeError as error:  # of a name that no host can have
        raise OSError(f"there is no host {host!r}") from error
    addresses = [ip_address(address[0]) for *_, address in found]
    if not addresses or not all(address.is_global and not address.is_multicast for address in addresses):
        raise OSError(f"{host} is not on the public internet")
    return str(addresses[0])


def _read(answer: HTTPResponse, most: int, until: float) -> bytes:
    chunks, size = list[bytes](), 0
    while chunk := answer.read1(16 << 10):
        chunks.append(chunk)
        size += len(chunk)
        if size > most:
            raise OSError(f"the response has more than {most} bytes")
        if monotonic() > until:
            raise TimeoutError("the response takes too long")
    return b"".join(chunks)
