"""Refusing writes from other sites: based on Sec-Fetch-Site, otherwise by comparing Origin with the request's own host.

This needs neither a token nor a session: browsers send these headers themselves, and pages can't set or remove them.
"""

from collections.abc import Container, Iterable

from antiphon.explanations import explained
from antiphon.http.errors import Forbidden
from antiphon.http.head import Head
from antiphon.http.urls.url import DEFAULT_PORTS, URL, parse_host
from antiphon.request.request import Request

SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE", "QUERY")
"""Methods that change nothing (RFC 9110 §9.2.1); requests with them may come from anywhere."""

OWN_PAGES = frozenset({"same-origin", "none"})
"""Values of Sec-Fetch-Site for writes from a page of this site, or from no page."""

PROBLEM_TYPE = "urn:antiphon:problem:cross-site"
"""The ``type`` of the problem details of a refused write (RFC 9457 §3.1.1)."""


def check_cross_site(request: Request, allowed: Container[str] = frozenset(), *, is_handshake: bool = False) -> None:
    """Check that a write does not come from a page on another site, except one whose origin is in ``allowed``.

    Raises Forbidden (403). A request with neither Sec-Fetch-Site (Fetch Metadata §2.3) nor Origin (Fetch §3.1) does not
    come from a browser, and passes. A ``null`` or malformed origin is another site. A handshake is checked like a
    write, but a handshake with cookies and without an origin is refused, because browsers always send the origin (RFC
    6455 §4.1).
    """
    head = request.head
    if is_handshake or head.method not in SAFE_METHODS:
        check_site(head, head.field("sec-fetch-site"), allowed, is_handshake=is_handshake)


def check_site(head: Head, site: str | None, allowed: Container[str], *, is_handshake: bool = False) -> None:
    """Check a write or a handshake whose Sec-Fetch-Site is ``site``. Raises the same errors as ``check_cross_site``."""
    if site in OWN_PAGES:
        return
    origin = head.field("origin")
    if is_handshake and not (site or origin) and head.field("cookie"):
        raise Forbidden(
            "This handshake has cookies, but no Origin field, which browsers always send: a script must send the"
            " origin of this site, or no cookies.",
            type=PROBLEM_TYPE,
            title="Cross-site handshake",
        )
    if not site and (not origin or _is_own(origin, head)):
        return
    # ``null`` is the origin of every sandboxed page.
    if origin and origin != "null" and origin in allowed:
        return
    raise _refusal(origin, "handshake" if is_handshake else "write")


def _is_own(origin: str, head: Head) -> bool:
    """True if an origin belongs to the requested host.

    A proxy that terminates TLS hides that the client used https, so an https origin is accepted over http. The reverse
    is never accepted, because anyone on the client's network could have made an http page.
    """
    scheme, _, authority = origin.partition("://")
    if scheme != head.scheme and not (scheme == "https" and head.scheme == "http"):
        return False
    try:
        # Parsed before it is compared: a malformed origin is never this site.
        theirs = parse_host(authority)
        if authority == head.authority:
            return True
        own = parse_host(head.authority)
    except ValueError:
        return False
    default = DEFAULT_PORTS.get(scheme)
    return _with_port(theirs, default) == _with_port(own, default)


def _with_port(authority: tuple[str, int | None], default: int | None) -> tuple[str, int | None]:
    host, port = authority
    return host, default if port is None else port


def _refusal(origin: str | None, what: str) -> Forbidden:
    declared = declarable_origin(origin)
    if declared is not None:
        named = f"at {declared}"
    else:
        named = f"whose origin is {origin[:200]!r}" if origin else "that names no origin"
    detail = f"This {what} comes from a page on another site, {named}."
    return Forbidden(detail, type=PROBLEM_TYPE, title=f"Cross-site {what}")


def declarable_origin(origin: str | None) -> str | None:
    """Return an origin in the form in which it can be declared as trusted, or None for a page without its own
    origin.
    """
    try:
        return parse_origin(origin or "")
    except ValueError:
        return None


def parse_origin(value: str) -> str:
    """Return an origin as browsers write it (RFC 6454 §6.2): in lower case, without a default port.

    Raises ValueError for anything but a scheme, a host and an optional port.
    """
    try:
        url = URL(value)
        # Compared with what was parsed, so that no path, query or backslash is passed over.
        if not value.isascii() or url.userinfo or value != f"{value.partition(':')[0]}://{url.netloc}":
            raise ValueError(value)
    except ValueError:
        origin = ""
    else:
        origin = url.origin
    if not origin:
        raise explained(
            "bad-origin",
            'an origin must be a scheme, a host and perhaps a port, such as "https://shop.example.com", not'
            f" {value[:200]!r}",
        )
    return origin


def origins(values: Iterable[str]) -> frozenset[str]:
    """Check and normalize trusted origins. Raises ValueError for a malformed origin, for "null" and for "*"."""
    if isinstance(values, str):
        raise explained("list-wanted", f"origins must be a list: [{values!r}]")
    return frozenset(map(_trusted, values))


class TrustedOrigins:
    """The origins of other sites that may send writes: those that an application declares, and those that its features
    add.
    """

    def __init__(self, declared: Iterable[str] = ()) -> None:
        self._known: list[Container[str]] = [origins(declared)]

    def add(self, known: Container[str]) -> None:
        """Trust the origins in a container, including those that are added to it later."""
        self._known.append(known)

    def within(self, outer: "TrustedOrigins") -> "TrustedOrigins":
        """Return these origins and the outer ones together, including any that are added to either later."""
        both = TrustedOrigins()
        both._known = [outer, self]
        return both

    def __contains__(self, origin: object) -> bool:
        return isinstance(origin, str) and any(origin in known for known in self._known)


def _trusted(value: str) -> str:
    if value == "*":
        raise explained(
            "bad-origin", '"*" would let every site write on behalf of your users: list the origins that may'
        )
    if value == "null":
        raise explained("bad-origin", '"null" is the origin of every sandboxed page, so it can\'t be trusted')
    return parse_origin(value)
