"""Request targets that are full URLs, whose host takes the place of Host (RFC 9112 §3.2.2)."""

from antiphon.http.urls.url import parse_host
from antiphon.lazy import compiled_late

_whole_url = compiled_late(r"[A-Za-z][A-Za-z0-9+.-]*+://([^/?#]*+)([^?#]*+)")


def split_target(target: str) -> tuple[str, str] | None:
    """Return the authority and path, as sent, of a request target that is a full URL, otherwise None.

    If the authority isn't a host, it is kept, and Host is then treated as malformed.
    """
    match = _whole_url.match(target)
    if match is None:
        return None
    authority, path = match.groups()
    return authority or ":", path or "/"  # an empty one would be treated as a missing Host


def one_host(authority: str, host: str | None) -> str:
    """Return a target's authority, or the Host beside it if that is malformed, so that the request is refused (RFC 9112
    §3.2).
    """
    try:
        parse_host(host or authority)
    except ValueError:
        return host or authority
    return authority
