"""What servers tell and take in slightly different forms, in one form."""

import re

from antiphon.http.head import Address, Head
from antiphon.http.url import parse_host

_whole_url = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*+://([^/?#]*+)([^?#]*+)").match


def split_target(target: str) -> tuple[str, str] | None:
    """Authority and path of a request target that is a whole URL (RFC 9112 §3.2.2), both as sent; None for others.

    The authority replaces Host. What is not a host stays in it, so that it reads as malformed.
    """
    match = _whole_url(target)
    if match is None:
        return None
    authority, path = match.groups()
    return authority or ":", path or "/"  # without any, it would read as if no host were named


def address(host: str | None, port: object) -> Address | None:
    """An end of the connection; None where the server does not tell. A port that is none is left out."""
    if not host:
        return None
    text = str(port or "")
    return Address(host, int(text) or None if text.isascii() and text.isdigit() else None)


def netloc(host: str, port: object) -> str:
    """Host and port as a URL has them (RFC 3986 §3.2)."""
    bracketed = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"{bracketed}:{port}" if port else bracketed


def server_address(head: Head) -> tuple[str, int]:
    """Where the client has found the server, for want of the address at which that listens."""
    try:
        host, port = parse_host(head.authority)
    except ValueError:
        host, port = "", None
    return host or "localhost", port or (443 if head.scheme == "https" else 80)


def http_version(text: str) -> str:
    """``"1.0"``, ``"1.1"``, ``"2"`` or ``"3"``, whether the server says 1 or 1.0, 2 or 2.0."""
    major, _, minor = text.partition(".")
    return f"{major}.{minor or 0}" if major == "1" else major
