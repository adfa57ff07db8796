"""The trusted proxies, which report a request's client, scheme and host. No other peer is trusted.

Proxy headers are read from the right, where the nearest proxy wrote, to the first address that doesn't belong to a
trusted proxy: that is the client. Nothing that the client wrote itself is trusted.
"""

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from antiphon.explanations import explained
from antiphon.http.forwarded import (
    ForwardedElement,
    ForwardedNode,
    Networks,
    elements_from_right,
    last_element,
    last_elements,
    parse_port,
    parse_prefix,
)
from antiphon.http.head import Address, DerivedHead, Head, server_head
from antiphon.http.urls.url import DEFAULT_PORTS, parse_host
from antiphon.lazy import compiled_late, lazy
from antiphon.request.watching import Reads, note_in_head, unrecorded

MOST_HOPS = 32
"""The maximum number of proxies that are examined in a chain."""

DEFAULT_HEADERS = ("x-forwarded-for", "x-forwarded-proto")
"""The headers that nearly every proxy sets."""

_X_FORWARDED = (*DEFAULT_HEADERS, "x-forwarded-host", "x-forwarded-port", "x-forwarded-prefix")
_SCHEMES = frozenset({"http", "https"})

NAMES_ARE_EXACT = "antiphon.names_are_exact"
"""An environ key, true if the server or a middleware drops headers whose names contain an underscore."""
_exact_server = compiled_late(r"waitress|gunicorn/(?:2[2-9]|[3-9][0-9]|[1-9][0-9]{2,})(?:\.[\w.+-]*)?")
"""Match the servers that drop such headers themselves: Waitress, and Gunicorn since 22."""


class TrustedProxies:
    """The trusted proxies, and the headers that each of them sets.

        app = App(trusted_proxies=TrustedProxies(["10.0.0.0/8"]))

    ``networks`` are IP addresses and networks ("192.0.2.7", "10.0.0.0/8"), and "unix" for every peer on a unix socket.
    ``headers`` are those that every proxy always sets or appends to, whatever the client sent: either "forwarded" (RFC
    7239), or some of "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host" and "x-forwarded-port". In both cases,
    you can add "x-forwarded-prefix". Raises ValueError for anything else, and for "*".

    ``address in proxies`` is True if a connection from that address comes from a proxy. The address is an IP address,
    an ``Address``, or None if the server provides none. An IPv4-mapped IPv6 address is treated as IPv4.
    """

    def __init__(self, networks: Iterable[str], *, headers: Iterable[str] = DEFAULT_HEADERS) -> None:
        for what, given in (("trusted proxies", networks), ("the headers of trusted proxies", headers)):
            if isinstance(given, str):
                raise explained("list-wanted", f"{what} must be a list: [{given!r}]")
        self._declared = tuple(networks)
        self._trusts_unix = "unix" in self._declared
        self._networks = _networks(network for network in self._declared if network != "unix")
        self.headers = _headers(headers)
        self._servers_warned_of: set[str] = set()

    def __contains__(self, address: object) -> bool:
        host = address.host if isinstance(address, Address) else address
        if not isinstance(host, str):
            return host is None and self._trusts_unix
        found = self._networks.find(host)
        return found[1] if found else self._trusts_unix and (host == "localhost" or host.startswith(("/", "unix:")))

    def __bool__(self) -> bool:
        return bool(self._declared)

    def __repr__(self) -> str:
        return f"TrustedProxies({list(self._declared)!r}, headers={sorted(self.headers)!r})"

    def find(self, host: str, port: int | str | None = None) -> tuple[Address | None, bool]:
        """Return an address in its canonical form, and whether it belongs to a proxy.

        An IPv4-mapped IPv6 address becomes IPv4. Anything that isn't an IP address becomes None and never matches a
        proxy. An obfuscated port is left out.
        """
        found = self._networks.find(host)
        if found is None:
            return None, False
        return Address(found[0], port or None if isinstance(port, int) else None), found[1]

    @staticmethod
    def have_sent(head: Head) -> bool:
        """Return True if a trusted proxy has sent a request, over a server that can't mistake another header for the
        proxy's.
        """
        while isinstance(head, DerivedHead):
            if isinstance(head, ForwardedHead):
                return True
            head = head.inner
        return False

    def warn_of(self, software: str) -> None:
        """Log once that a WSGI server's headers can't be trusted, and what to do about it."""
        if software in self._servers_warned_of:
            return
        import logging

        self._servers_warned_of.add(software)
        logging.getLogger("antiphon").warning(
            "The headers of trusted proxies are ignored, and request.ip is None: over WSGI, %s may accept"
            " X_Forwarded_For as X-Forwarded-For, so any client could forge them."
            " Serve this application over ASGI, or with gunicorn or waitress.",
            software or "a server without a name",
        )


def _networks(declared: Iterable[str]) -> Networks:
    listed = list(declared)
    try:
        networks = Networks(network for network in listed if network != "*")
    except ValueError as error:
        raise explained("bad-proxies", f'trusted proxies must be IP addresses, networks or "unix": {error}') from None
    if "*" in listed or networks.cover_everything:
        raise explained(
            "bad-proxies",
            "trusting every address would let clients choose their own: list the addresses of the proxies",
        )
    return networks


def _headers(declared: Iterable[str]) -> frozenset[str]:
    headers = frozenset(name.lower() for name in declared)
    known = {"forwarded", "x-forwarded-prefix"} if "forwarded" in headers else set(_X_FORWARDED)
    if headers and headers <= known:
        return headers
    raise explained(
        "bad-proxies",
        f"the headers of trusted proxies must be some of {', '.join(_X_FORWARDED)}, or forwarded, not"
        f" {sorted(headers)}: clients could set the others",
    )


def behind(head: Head, proxies: TrustedProxies) -> Head:
    """Return a head with the values that trusted proxies report, if its connection comes from one; otherwise the head
    itself.

    A WSGI server that may mistake another header for the proxy's isn't trusted: a warning is logged once, and the
    client is unknown.
    """
    if unrecorded(head, lambda: head.client) not in proxies:
        return head
    environ = getattr(server_head(head), "environ", None)
    if environ is not None and not environ.get(NAMES_ARE_EXACT):
        software = str(environ.get("SERVER_SOFTWARE") or "")
        if not _exact_server.fullmatch(software):
            proxies.warn_of(software)
            return HiddenClientHead(head)
    return ForwardedHead(head, proxies)


class HiddenClientHead(DerivedHead):
    """The head of a request whose client is unknown, because the proxy's headers can't be trusted."""

    @property
    def client(self) -> None:
        """None: the connection belongs to the proxy."""


class _Told(NamedTuple):
    """The values that trusted proxies report."""

    client: Address | None
    scheme: str
    authority: str


class ForwardedHead(DerivedHead):
    """A head with the client, scheme, authority and root path that trusted proxies report.

    ``inner`` is the server's head; it provides the values that no proxy reports. ``client`` is None if a trusted proxy
    doesn't know it, or wrote a malformed or empty element: the client may have written the elements to its left.
    """

    def __init__(self, inner: Head, proxies: TrustedProxies) -> None:
        super().__init__(inner)
        self._proxies = proxies

    @lazy
    def _told(self) -> _Told:
        read = _read_forwarded if "forwarded" in self._proxies.headers else _read_x_forwarded
        return unrecorded(
            self.inner, lambda: read(self.inner, self._proxies)
        )  # the proxy in front knows its own values

    @property
    def client(self) -> Address | None:
        """The peer of the outermost trusted proxy."""
        note_in_head(self.inner, Reads.ADDRESS)
        return self._told.client

    @property
    def scheme(self) -> str:
        """The scheme of the request to that proxy."""
        return self._told.scheme

    @property
    def authority(self) -> str:
        """The host and port in the request to that proxy."""
        return self._told.authority

    @lazy
    def _prefix(self) -> str:
        if "x-forwarded-prefix" not in self._proxies.headers:
            return ""
        try:
            sent = unrecorded(self.inner, lambda: self.inner.field("x-forwarded-prefix"))
            return parse_prefix(last_element(sent or ""))
        except ValueError:
            return ""

    @property
    def root_path(self) -> str:
        """The prefix of the path that the nearest proxy removed, then the server's root path."""
        return self._prefix + self.inner.root_path


def _read_forwarded(head: Head, proxies: TrustedProxies) -> _Told:
    """Read the client, and the scheme and host from the outermost proxy that reports them (RFC 7239)."""
    client, scheme, authority = head.client, head.scheme, head.authority
    chain = head.field("forwarded")
    for text in islice(elements_from_right(chain), MOST_HOPS) if chain is not None else ():
        try:
            element = ForwardedElement.parse(text)
        except ValueError:
            return _Told(None, scheme, authority)
        proto = element.proto
        scheme = proto if proto in _SCHEMES else scheme
        authority = element.host or authority
        node = element.for_
        client, is_proxy = proxies.find(node.host, node.port) if node else (None, False)
        if not is_proxy:
            break
    return _Told(client, scheme, authority)


def _read_x_forwarded(head: Head, proxies: TrustedProxies) -> _Told:
    """Read the client, and the last scheme, host and port: only those were certainly written by a proxy."""
    declared = proxies.headers
    proto, host, port = [
        last_element(head.field(name) or "") if name in declared else ""
        for name in ("x-forwarded-proto", "x-forwarded-host", "x-forwarded-port")
    ]
    scheme = proto.lower() if proto.lower() in _SCHEMES else head.scheme
    authority = host or head.authority
    if port:
        authority = _with_port(authority, port, scheme)
    return _Told(_x_client(head, proxies), scheme, authority)


def _x_client(head: Head, proxies: TrustedProxies) -> Address | None:
    client = head.client
    chain = head.field("x-forwarded-for") if "x-forwarded-for" in proxies.headers else None
    for text in last_elements(chain, MOST_HOPS) if chain is not None else ():
        client, is_proxy = _x_hop(text, proxies)
        if not is_proxy:
            break
    return client


def _x_hop(text: str, proxies: TrustedProxies) -> tuple[Address | None, bool]:
    found = proxies.find(text)
    if found[0] is not None:
        return found
    if text == "unix:":  # how nginx names a peer on a unix socket
        return None, text in proxies
    try:
        node = ForwardedNode.parse(text)
    except ValueError:
        return None, False
    return proxies.find(node.host, node.port)


def _with_port(authority: str, port: str, scheme: str) -> str:
    """Return an authority with a different port. The scheme's default port is left out; a malformed authority is
    returned unchanged.
    """
    try:
        host, _ = parse_host(authority)
        number = parse_port(port)
    except ValueError:
        return authority
    bracketed = f"[{host}]" if ":" in host else host
    return bracketed if number == DEFAULT_PORTS.get(scheme) else f"{bracketed}:{number}"
