"""Keys published by others in directories, which are fetched, cached and limited in size (Web Bot Auth)."""

import json
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from http.client import HTTPException, HTTPResponse, HTTPSConnection
from ipaddress import IPv6Address, IPv6Network, ip_address
from threading import Lock
from time import monotonic
from typing import Literal, NamedTuple

from antiphon import explained
from antiphon.embedding import seconds_of
from antiphon.explanations import arguments_name_ours
from antiphon.features.signatures.keys import SignatureKey, jwk_algorithm
from antiphon.http import URL
from antiphon.http.urls.url import DEFAULT_PORTS
from antiphon.types import Duration

SECONDS = 5.0
"""The maximum number of seconds for each wait, and for a whole response."""


class PublicResponse(NamedTuple):
    """The response to a request: its status, its header fields with lower-case names, and its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NotReachable(OSError):
    """A URL does not respond, or its host is not on the public internet."""


def public_url(text: str, *, any_port: bool = False) -> URL:
    """Return the URL of a page on the public internet: ``https`` and a host, with ``any_port`` or without one.

    Raises ValueError otherwise.
    """
    url = URL(text)
    is_public = url.origin.startswith("https://") and url.port != 0
    if not is_public or url.userinfo or not text.isascii() or not (any_port or url.origin == f"https://{url.host}"):
        ports = "a host" if any_port else "a host and no port"
        raise explained("bad-url", ValueError(f"a public URL must have https:// and {ports}, not {text[:200]!r}"))
    return url


def request_public(
    method: str, url: URL, headers: Mapping[str, str], body: bytes | None = None, *, most: int, seconds: float = SECONDS
) -> PublicResponse:
    """Send a request on this thread, to exactly the address that was checked. Redirects are not followed.

    Raises NotReachable for a host that is not public, for a response that takes too long, and for a response of more
    than ``most`` bytes.
    """
    until = monotonic() + seconds
    port = url.port or DEFAULT_PORTS["https"]
    connection = HTTPSConnection(url.host, port, timeout=seconds)
    try:
        with socket.create_connection((_public_address(url.host), port), seconds) as plain:
            connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=url.host)
            with connection.sock:
                connection.request(method, url.target, body, dict(headers))
                response = connection.getresponse()
                fields = {name.lower(): value for name, value in response.getheaders()}
                return PublicResponse(response.status, fields, _read(response, most, until))
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


def _read(response: HTTPResponse, most: int, until: float) -> bytes:
    chunks, size = list[bytes](), 0
    while chunk := response.read1(16 << 10):
        chunks.append(chunk)
        size += len(chunk)
        if size > most:
            raise OSError(f"the response has more than {most} bytes")
        if monotonic() > until:
            raise TimeoutError("the response takes too long")
    return b"".join(chunks)


WELL_KNOWN = "/.well-known/http-message-signatures-directory"
"""A directory's path (draft-meunier-http-message-signatures-directory)."""
MEDIA_TYPE = "application/http-message-signatures-directory+json"

MOST_BYTES = 64 << 10
"""A directory's maximum size in bytes."""
MOST_KEYS = 100
"""The maximum number of keys to read from a directory."""
RETRY = 60.0
"""The number of seconds before a directory is asked again for a key that it lacked, or after it did not respond."""
DAY = 24 * 3600.0
"""The number of seconds for which keys are kept after their directory stops responding."""


@arguments_name_ours
class KeyDirectory:
    """Keys that others publish: ``Signatures(KeyDirectory("https://agent.example"))``. Provisional.

    Each URL leads to a directory (a JSON Web Key Set), or to a site that has one at its well-known path. You choose the
    URLs; clients can't. A key is found by its thumbprint (RFC 7638), which is the ``keyid`` in Web Bot Auth. With
    ``by="kid"``, which allows only one URL, it is found by its ``kid``. The first directory that has a key wins.

    A directory is fetched when it is first needed. It is fetched again after ``ttl``, in seconds or a timedelta, or for
    an unknown key, but at most once a minute. If it does not respond, its keys are kept for a day. Only Ed25519, ECDSA
    and RSA keys are used, at most 100 of them, and only between their ``nbf`` and ``exp`` times.

    Directories are fetched over https, only from public addresses, without redirects, within 5 seconds. ``fetch`` is a
    function that fetches them instead, for example through a proxy: it receives the URL, and returns the response's
    bytes or raises OSError. Raises ValueError if there is no URL, and for a URL that is not public.
    """

    def __init__(
        self,
        *urls: str,
        ttl: Duration = 3600.0,
        by: Literal["thumbprint", "kid"] = "thumbprint",
        fetch: Callable[[str], bytes] | None = None,
    ) -> None:
        if not urls or (by == "kid" and len(urls) > 1):
            wanted = "one URL, since another one could use the same kid" if by == "kid" else "URLs of directories"
            raise explained("bad-feature-option", ValueError(f"KeyDirectory needs {wanted}, not {urls!r}"))
        self._directories = [_Directory(_whole(public_url(url)), by, fetch or _fetch) for url in urls]
        self._ttl = seconds_of(ttl)
        self._lock = Lock()

    def __call__(self, keyid: str) -> SignatureKey | None:
        """Return the key with this id, or None. Fetches directories that are due, which blocks."""
        for directory in self._directories:
            if directory.is_due(keyid, self._ttl):
                with self._lock:
                    if directory.is_due(keyid, self._ttl):
                        directory.refresh()
            key = directory.find(keyid)
            if key is not None:
                return key
        return None

    def has_at_hand(self, keyid: str) -> bool:
        """Return True if looking up a key needs no fetching."""
        for directory in self._directories:
            if directory.is_due(keyid, self._ttl):
                return False
            if directory.find(keyid) is not None:
                return True
        return True


class _Directory:
    """One directory: its keys, when they were last fetched, and when they were last requested."""

    def __init__(self, url: str, by: Literal["thumbprint", "kid"], fetch: Callable[[str], bytes]) -> None:
        self._url = url
        self._by = by
        self._fetch = fetch
        self._keys: dict[str, _Published] = {}
        self._fetched = self._tried = -DAY

    def is_due(self, keyid: str, ttl: float) -> bool:
        """True if the directory has to be fetched because its keys are old or a key is missing."""
        now = monotonic()
        return now - self._tried >= RETRY and (now - self._fetched >= ttl or keyid not in self._keys)

    def find(self, keyid: str) -> SignatureKey | None:
        """Return a key if it is currently valid, or else None."""
        found = self._keys.get(keyid)
        return found.key if found is not None and found.begins <= time.time() < found.ends else None

    def refresh(self) -> None:
        """Fetch the keys. If this fails, log the failure and keep the old keys for a day."""
        now = monotonic()
        try:
            self._keys, self._fetched = self._read(self._fetch(self._url)), now
        except (OSError, ValueError) as error:
            import logging

            logging.getLogger("antiphon").warning("The keys at %s can't be read: %s", self._url, error)
            if now - self._fetched >= DAY:
                self._keys = {}
        finally:
            self._tried = now

    def _read(self, data: bytes) -> "dict[str, _Published]":
        """Return the keys in a JSON Web Key Set by id. Keys that can't verify are omitted."""
        if len(data) > MOST_BYTES:
            raise ValueError(f"a directory must have at most {MOST_BYTES} bytes")
        found = json.loads(data)
        listed = found.get("keys") if isinstance(found, dict) else None
        if not isinstance(listed, list):
            raise ValueError("a directory must be an object with a list of keys")
        keys: dict[str, _Published] = {}
        for jwk in listed[:MOST_KEYS]:
            try:
                published = _Published(jwk, self._url)
            except (ValueError, TypeError, RecursionError):
                continue
            keys.setdefault(published.key.thumbprint if self._by == "thumbprint" else published.kid, published)
        return keys


class _Published:
    """A key in a directory, and the period in which it is valid. Raises ValueError or TypeError for any other value."""

    def __init__(self, jwk: object, url: str) -> None:
        if not isinstance(jwk, Mapping) or jwk.get("kty") == "oct" or jwk.get("use", "sig") != "sig":
            raise ValueError("not a public key for signatures")
        public = {name: value for name, value in jwk.items() if name not in _PRIVATE}
        self.key = SignatureKey(public, jwk_algorithm(public))
        self.key.directory = url
        self.kid = str(public.get("kid"))
        self.begins, self.ends = float(public.get("nbf", 0)), float(public.get("exp", "inf"))


_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
"""Members of private keys (RFC 7518 §6), which no directory should contain."""


def _whole(url: URL) -> str:
    return str(url) if url.target.partition("?")[0] not in ("", "/") else f"{url.origin}{WELL_KNOWN}"


def _fetch(url: str) -> bytes:
    response = request_public("GET", public_url(url), {"accept": f"{MEDIA_TYPE}, application/json"}, most=MOST_BYTES)
    if response.status != 200:
        raise OSError(f"the status is {response.status}, not 200")
    return response.body
