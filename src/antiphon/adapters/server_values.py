"""Values that servers give in slightly different forms, in one form: addresses, versions, targets."""

import re

from antiphon.http.errors import HTTPError, RequestHeaderFieldsTooLarge, over_limit
from antiphon.http.head import Address, Head
from antiphon.http.urls.url import parse_host

_whole_url = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*+://([^/?#]*+)([^?#]*+)").match


def split_target(target: str) -> tuple[str, str] | None:
    """Return authority and path, as sent, of a request target that is a whole URL (RFC 9112 §3.2.2), else None.

    The authority replaces Host. One that is not a host is kept, so that Host reads as malformed.
    """
    match = _whole_url(target)
    if match is None:
        return None
    authority, path = match.groups()
    return authority or ":", path or "/"  # an empty one would read as no Host at all


def address(host: str | None, port: object) -> Address | None:
    """Return one end of the connection; None if the server does not provide it. A port that is not a number is left
    out.
    """
    if not host:
        return None
    text = str(port or "")
    return Address(host, int(text) or None if text.isascii() and text.isdigit() else None)


def netloc(host: str, port: object) -> str:
    """Return host and port as in a URL (RFC 3986 §3.2)."""
    bracketed = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"{bracketed}:{port}" if port else bracketed


def server_address(head: Head) -> tuple[str, int]:
    """Return the host and port that the client has named: the address on which the server listens is not known."""
    try:
        host, port = parse_host(head.authority)
    except ValueError:
        host, port = "", None
    return host or "localhost", port or (443 if head.scheme == "https" else 80)


def http_version(text: str) -> str:
    """Return ``"1.0"``, ``"1.1"``, ``"2"`` or ``"3"``; servers write 1 or 1.0, 2 or 2.0."""
    major, _, minor = text.partition(".")
    return f"{major}.{minor or 0}" if major == "1" else major


def header_too_large(size: int, limit: int) -> HTTPError:
    """Return the error for a header section that the server accepts, and the limits of the application don't."""
    detail = f"The header section has {size} bytes, but only {limit} are accepted."
    return over_limit(RequestHeaderFieldsTooLarge, "headers", limit, detail)
