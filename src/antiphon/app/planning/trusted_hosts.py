"""The host of a request: there is one, and an application can declare which ones it serves.

Links, redirects and caches take the host from the request, so a client that can name any host can make them point to
its own.
"""

from collections.abc import Iterable
from functools import lru_cache

from antiphon.explanations import explained
from antiphon.http.errors import MisdirectedRequest
from antiphon.http.head import Head, malformed_host
from antiphon.http.urls.url import DEFAULT_PORTS, parse_host

PROBLEM_TYPE = "urn:antiphon:problem:untrusted-host"
"""The ``type`` of the problem details for a host that is not declared (RFC 9457 §3.1.1)."""

_MOST_KNOWN = 1024
"""The number of authorities whose check is remembered."""


class TrustedHosts:
    """The hosts that an application serves. Immutable.

    "example.com" is one host, ".example.org" that host and all below it, and "[::1]" an IPv6 address, each on every
    port, or only on a given port ("example.com:8443"); "*" is every well-formed host. Names are compared without regard
    to case or a trailing dot, and are written as browsers send them (München is "xn--mnchen-3ya"). Raises ValueError
    for anything else.
    """

    __slots__ = ("_declared", "_known", "_trusted")

    def __init__(self, hosts: Iterable[str]) -> None:
        if isinstance(hosts, str):
            raise explained("list-wanted", ValueError(f"trusted hosts must be a list: [{hosts!r}]"))
        self._declared = tuple(hosts)
        self._trusted = frozenset(map(_entry, self._declared))
        self._known = lru_cache(_MOST_KNOWN)(self._look_up)

    def __bool__(self) -> bool:
        return bool(self._declared)

    def __repr__(self) -> str:
        return f"TrustedHosts({list(self._declared)!r})"

    def check(self, head: Head) -> None:
        """Check the host of a request, which a proxy may have reported.

        Raises BadRequest (400) for a malformed one, MisdirectedRequest (421) for one that is not declared (RFC 9110
        §7.4).
        """
        authority = head.authority
        try:
            trusted = self._known(authority, head.scheme)
        except ValueError:
            raise malformed_host() from None
        if not trusted:
            detail = f"This application does not serve {authority}."
            raise MisdirectedRequest(detail, type=PROBLEM_TYPE)

    def _look_up(self, authority: str, scheme: str) -> bool:
        host, port = _parse(authority)
        if port is None:
            port = DEFAULT_PORTS.get(scheme)
        names = [host, f".{host}", *_above(host), "*"]
        return any((name, each) in self._trusted for name in names for each in (None, port))


def _above(host: str) -> list[str]:
    """Return the domains above a host, each with the dot before it."""
    if ":" in host:
        return []
    labels = host.split(".")
    return ["." + ".".join(labels[at:]) for at in range(1, len(labels))]


def _parse(authority: str) -> tuple[str, int | None]:
    """Return the host, in lower case and without a dot at its end, and the port. Raises ValueError if malformed."""
    if len(authority) > 300:
        raise ValueError("the name of the host is too long")
    host, port = parse_host(authority)
    name = host.removesuffix(".")
    if not name or name[0] == "." or ".." in host:
        raise ValueError(f"a part of this name is empty: {authority!r}")
    return name, port


def _entry(text: str) -> tuple[str, int | None]:
    if text == "*":
        return text, None
    below = text.startswith(".")
    try:
        host, port = _parse(text.removeprefix("."))
        if below and ":" in host:
            raise explained("bad-host", ValueError("nothing is below an IPv6 address"))
    except ValueError as error:
        raise explained(
            "bad-host",
            ValueError(
                'a trusted host must be written as in a URL, such as "example.com", "localhost:8000" or "[::1]";'
                ' ".example.com" '
                f'is that one with all below it, and "xn--mnchen-3ya.example" a name beyond ASCII; not {text!r}'
                f" ({error})"
            ),
        ) from None
    return f".{host}" if below else host, port
