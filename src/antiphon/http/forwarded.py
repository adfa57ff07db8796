"""Addresses and hosts that proxies report: Forwarded (RFC 7239) and the X-Forwarded-* headers.

Proxies append, so lists are split from the right. Nothing that a client wrote on the left can change the elements of
trusted proxies. ``Networks`` tests whether an address belongs to a trusted proxy.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from antiphon.explanations import explained
from antiphon.http.grammar import OWS, TCHARS, Value, is_token, quote_if_needed, unquote_string
from antiphon.http.urls.path import is_misleading
from antiphon.http.urls.url import decode_path, parse_host
from antiphon.lazy import compiled_late

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

_MOST_KNOWN = 1024
"""The number of addresses for which the result is cached."""
_LONGEST = 64
"""The maximum length of an address."""

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_OBFUSCATED = "_[A-Za-z0-9._-]++"
_host = compiled_late(rf"{_OCTET}(?:\.{_OCTET}){{3}}|{_OBFUSCATED}")
_obfuscated = compiled_late(_OBFUSCATED)
_node = compiled_late(r"(?:\[([^\]]++)\]|([^:]++))(?::([^:]++))?")
_digits = compiled_late("[0-9]{1,5}")
_scheme = compiled_late("[A-Za-z][A-Za-z0-9+.-]*+")
_CONTROLS = r"\x00-\x08\x0a-\x1f\x7f"
_QUOTED = rf'"(?>(?:[^"\\{_CONTROLS}]++|\\[^{_CONTROLS}])*)"'
_pair = compiled_late(rf"[ \t]*+(?:({TCHARS})=({TCHARS}|{_QUOTED})[ \t]*+)?(?:;|\Z)")
# Matches in the reversed value, where a backslash follows the quote that it escapes, and a stray quote affects only the
# rest.
_elements_of_reversed = compiled_late(r'(?:\A|,)((?:[^",]++|"(?>(?:[^"]++|"\\)*)"?)*+)', re.DOTALL)
_prefix = compiled_late(r"(?:/[A-Za-z0-9\-._~!$&'()*+;=:@%]++)*/?")


class ForwardedNode(Value):
    """One end of a connection, a client or a proxy, in Forwarded (RFC 7239 §6). Immutable.

    ``host`` is an IP address without brackets, "unknown", or an obfuscated identifier ("_gazonk"). ``port`` is a number
    or an obfuscated identifier. Raises ValueError for anything else.
    """

    __slots__ = ("_host", "_port")

    def __init__(self, host: str, port: int | str | None = None) -> None:
        if ":" in host:
            host = parse_host(f"[{host}]")[0]
        elif host.lower() == "unknown":
            host = "unknown"
        elif not _host.fullmatch(host):
            raise explained(
                "bad-http-value",
                f'neither an IP address nor "unknown" nor an identifier such as "_hidden": {host[:80]!r}',
            )
        hidden = isinstance(port, str) and _obfuscated.fullmatch(port)
        if port is not None and not hidden and (type(port) is not int or not 0 <= port <= 65535):
            raise explained("bad-http-value", f"neither a port nor an identifier for one: {port!r:.80}")
        self._host = host
        self._port = port

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]:80`, `unknown`, `_hidden:_port`, or IPv6 without brackets.

        The last form is for X-Forwarded-For. Raises ValueError for anything else.
        """
        if text[:1] != "[" and text.count(":") > 1:
            return cls(text)
        match = _node.fullmatch(text)
        if match is None:
            raise ValueError(f"not a node: {text[:80]!r}")
        ipv6, host, port = match.groups()
        if ipv6 and ":" not in ipv6:
            raise ValueError(f"not an IPv6 address: {ipv6[:80]!r}")
        return cls(ipv6 or host, int(port) if port and _digits.fullmatch(port) else port)

    @property
    def host(self) -> str:
        """The address, in lower case and without brackets, or its obfuscated identifier."""
        return self._host

    @property
    def port(self) -> int | str | None:
        """The port, or its obfuscated identifier; None if there is neither."""
        return self._port

    @property
    def is_address(self) -> bool:
        """True if the host is an IP address."""
        return self._host[0] != "_" and self._host != "unknown"

    def __str__(self) -> str:
        """Return the node as written in headers, without the quotes that Forwarded requires around a colon."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return host if self._port is None else f"{host}:{self._port}"

    def __repr__(self) -> str:
        return f"ForwardedNode({str(self)!r})"


class ForwardedElement(Value):
    """The element that one proxy added to Forwarded (RFC 7239 §4). Immutable; parameter names are in lower case.

    Raises ValueError if there are no parameters, for a name that isn't a token, a ``for`` or ``by`` that isn't a node,
    a ``proto`` that isn't a scheme, and a value with control characters. ``host``, the Host that the client sent, isn't
    checked.
    """

    __slots__ = ("_by", "_for", "_parameters")

    _by: ForwardedNode | None
    _for: ForwardedNode | None
    _parameters: dict[str, str]

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self._parameters = {name.lower(): value for name, value in parameters.items()}
        if not self._parameters or len(self._parameters) < len(parameters):
            raise explained(
                "bad-http-value", "an element of Forwarded must have at least one parameter, and each of them once"
            )
        for name, value in self._parameters.items():
            if not is_token(name):
                raise explained("bad-http-value", f"a parameter's name must be a token: {name!r}")
            quote_if_needed(value)
        self._read()

    def _read(self) -> None:
        client, proxy, proto = map(self._parameters.get, ("for", "by", "proto"))
        self._for = None if client is None else ForwardedNode.parse(client)
        self._by = None if proxy is None else ForwardedNode.parse(proxy)
        if proto is not None and not _scheme.fullmatch(proto):
            raise ValueError(f"not a scheme: {proto[:80]!r}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `for=192.0.2.1;proto=https`. Raises ValueError for malformed text, and for a repeated parameter."""
        parameters: dict[str, str] = {}
        count = position = 0
        while position < len(text):
            match = _pair.match(text, position)
            if match is None:
                raise ValueError(f"not a parameter of Forwarded: {text[position : position + 80]!r}")
            position = match.end()
            if match[1]:
                count += 1
                parameters[match[1].lower()] = unquote_string(match[2])
        if not parameters or count > len(parameters):
            raise ValueError(f"an element must have at least one parameter, and each of them once: {text[:80]!r}")
        self = cls.__new__(cls)
        self._parameters = parameters
        self._read()
        return self

    @property
    def for_(self) -> ForwardedNode | None:
        """The node that sent the request to the proxy."""
        return self._for

    @property
    def by(self) -> ForwardedNode | None:
        """The node, or interface, at which the proxy received the request."""
        return self._by

    @property
    def host(self) -> str | None:
        """The Host header that the proxy received."""
        return self._parameters.get("host")

    @property
    def proto(self) -> str | None:
        """The scheme with which the request reached the proxy, in lower case."""
        proto = self._parameters.get("proto")
        return proto and proto.lower()

    @property
    def parameters(self) -> Mapping[str, str]:
        """All parameters, unquoted, by lower-cased name; read-only."""
        return MappingProxyType(self._parameters)

    def __str__(self) -> str:
        return ";".join([f"{name}={quote_if_needed(value)}" for name, value in self._parameters.items()])

    def __repr__(self) -> str:
        return f"ForwardedElement({self._parameters!r})"

    def _identity(self) -> frozenset[tuple[str, str]]:
        return frozenset(self._parameters.items())


def elements_from_right(value: str) -> Iterator[str]:
    """Yield the elements of Forwarded as written, stripped, last one first, including empty and malformed ones.

    An unbalanced quote spoils only the elements on its left.
    """
    for match in _elements_of_reversed.finditer(value[::-1]):
        yield match[1][::-1].strip(OWS)


def last_element(value: str) -> str:
    """Return the last element of an X-Forwarded-* list, stripped: the one that the nearest proxy added; "" if there is
    none.
    """
    return value.rpartition(",")[2].strip(OWS)


def last_elements(value: str, most: int) -> list[str]:
    """Return at most ``most`` of the last elements of an X-Forwarded-* list, stripped, last one first."""
    return [element.strip(OWS) for element in value.rsplit(",", most)[-most:]][::-1]


def parse_prefix(text: str) -> str:
    """Return the decoded path of X-Forwarded-Prefix, without a trailing slash.

    Raises ValueError for anything but a plain percent-encoded path. If the path contained an empty segment, a dot
    segment (even an encoded one), a backslash or a control character, browsers would read it as another path or as a
    host.
    """
    if not text or not _prefix.fullmatch(text):
        raise ValueError(f"not a path that an application can be mounted at: {text[:80]!r}")
    path = decode_path(text.encode())
    if is_misleading(path):
        raise ValueError(f"browsers would read this path differently: {text[:80]!r}")
    return path.rstrip("/")


def parse_port(text: str) -> int:
    """Return the number in X-Forwarded-Port. Raises ValueError if it is not a port."""
    if not _digits.fullmatch(text) or not 0 < int(text) <= 65535:
        raise ValueError(f"not a port: {text[:80]!r}")
    return int(text)


class Networks:
    """IP addresses and networks, written "192.0.2.7", "10.0.0.0/8" or "2001:db8::/32". Immutable.

    An IPv4-mapped IPv6 address is treated as IPv4. The zone of an IPv6 address ("%eth0") is ignored. Raises ValueError
    for anything but a network, for a network whose address has bits below its mask, and for an IPv4-mapped IPv6
    network.
    """

    __slots__ = ("_known", "_networks")

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = tuple(map(_network, networks))
        self._known = lru_cache(_MOST_KNOWN)(self._look_up)

    def find(self, host: str) -> tuple[str, bool] | None:
        """Return an address in its canonical form and whether a network contains it; None if ``host`` isn't an
        address.
        """
        return self._known(host) if len(host) <= _LONGEST else None

    def _look_up(self, host: str) -> tuple[str, bool] | None:
        try:
            address = _address(host)
        except ValueError:
            return None
        return str(address), any(address in network for network in self._networks)

    @property
    def cover_everything(self) -> bool:
        """True if one of the networks contains every IPv4 or every IPv6 address."""
        return any(network.prefixlen == 0 for network in self._networks)

    def __repr__(self) -> str:
        return f"Networks({list(map(str, self._networks))!r})"


def _address(text: str) -> "IPv4Address | IPv6Address":
    from ipaddress import IPv6Address, ip_address

    address = ip_address(text)
    return (address.ipv4_mapped or IPv6Address(int(address))) if isinstance(address, IPv6Address) else address


def _network(text: str) -> "IPv4Network | IPv6Network":
    from ipaddress import IPv6Network, ip_network

    if not isinstance(text, str):
        raise explained("bad-proxies", f"an IP network must be text, not {type(text).__name__}", TypeError)
    try:
        network = ip_network(text)
    except ValueError as error:
        raise explained(
            "bad-proxies", f'an IP network must be written as "192.0.2.7" or "10.0.0.0/8", not {text!r} ({error})'
        ) from None
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped and network.prefixlen >= 96:
        raise explained("bad-proxies", f"{text!r} is an IPv4-mapped IPv6 network: write the IPv4 network")
    return network
