"""What servers tell and take in slightly different forms, in one form."""

from antiphon.head import Address, Head
from antiphon.http.url import parse_host


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
