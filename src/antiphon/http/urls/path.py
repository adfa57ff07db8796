"""Request paths: checking them, finding encoded slashes (``%2F``) in their segments, and encoding them for URLs.

A request target may also be a full URL, whose host takes the place of Host (RFC 9112 §3.2.2), which is checked here.
"""

from typing import TypeGuard

from antiphon.http.errors import BadRequest, URITooLong, over_limit
from antiphon.http.head import Head
from antiphon.http.urls.url import parse_host, quote_path, unquote
from antiphon.lazy import compiled_late

_misleading = compiled_late(r"//|\\|[\x00-\x1f\x7f]|/\.\.?(?:/|\Z)")


def check_path(path: str) -> None:
    """Raise BadRequest for a path that neither begins with a slash nor is ``*`` (RFC 9112 §3.2).

    Some servers let such paths pass.
    """
    if path[:1] != "/" and path != "*":
        raise BadRequest(f"The target of a request must be a path that begins with a slash, not {path[:200]!r}.")


def raw_segments(raw: bytes | None, path: str) -> list[str] | None:
    """Return the decoded segments below the root path, starting with "" for the text before the first slash.

    ``raw`` is the full path as it was sent, if known; ``path`` is the decoded path below the root path. Returns None if
    no segment contains an encoded slash, or if ``raw`` is a different path, for example because a layer rewrote it.
    """
    if not _may_hide_slashes(raw) or path.count("/") < 2:
        return None
    segments = [unquote(segment) for segment in raw.split(b"/")]
    whole = "/".join(segments)
    if not whole.endswith(path):
        return None
    above, length = len(whole) - len(path), -1
    for at, segment in enumerate(segments):
        if length == above:
            below = ["", *segments[at:]]
            return below if len(below) <= path.count("/") else None
        length += 1 + len(segment)
    return None


def hidden_segments(head: Head) -> list[str] | None:
    """Return the decoded segments of a head's path if some contain encoded slashes, otherwise None."""
    return raw_segments(head.raw_path, head.path)


def with_or_without_slash(segments: list[str]) -> list[str]:
    """Return the segments with a trailing slash added, or removed if there is one."""
    return segments[:-1] if segments[-1] == "" else [*segments, ""]


def quoted_path(path: str, raw: bytes | None) -> str:
    """Percent-encode a path below the root path; encoded slashes in its segments stay encoded.

    ``raw`` is the full path as it was sent, if known.
    """
    segments = raw_segments(raw, path)
    return quote_path(path) if segments is None else "/".join(map(quote_segment, segments))


def quoted_paths(head: Head) -> tuple[str, str]:
    """Percent-encode the root path of a head, and the path below it; encoded slashes stay encoded."""
    path, raw = head.path, head.raw_path
    return quoted_root(head.root_path, path, raw), quoted_path(path, raw)


def quoted_root(root_path: str, path: str, raw: bytes | None) -> str:
    """Percent-encode a root path; encoded slashes in its segments stay encoded, so that links lead to this application.

    ``root_path`` and the ``path`` below it are decoded; ``raw`` is the full path as it was sent, if known.
    """
    if not _may_hide_slashes(raw):
        return quote_path(root_path)
    segments = [unquote(segment) for segment in raw.split(b"/")]
    whole = "/".join(segments)
    sizes = {len(path), 0} if path == "/" else {len(path)}  # the root itself may have been sent without a slash
    end = -1
    for count, segment in enumerate(segments, 1):
        end += 1 + len(segment)
        if len(whole) - end in sizes and whole[end:] in (path, "") and root_path.endswith(whole[:end]):
            taken_off = root_path[: len(root_path) - end]
            return quote_path(taken_off) + "/".join(map(quote_segment, segments[:count]))
    return quote_path(root_path)


def quote_segment(text: str) -> str:
    """Percent-encode text as one segment. Raises ValueError for a lone surrogate."""
    return quote_path(text).replace("/", "%2F")


def is_misleading(path: str) -> bool:
    """True if browsers would read a URL that begins with this decoded path as another path, or as a host.

    They do so for an empty segment, a dot segment, a backslash or a control character.
    """
    return _misleading.search(path) is not None


def _may_hide_slashes(raw: bytes | None) -> TypeGuard[bytes]:
    return raw is not None and raw.find(b"%2") >= 0


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


def query_too_long(size: int, most: int) -> URITooLong:
    """Return the error for a query of more than ``most`` bytes."""
    return over_limit(URITooLong, "query", most, f"The query is {size} bytes long, but at most {most} are accepted.")


def one_host(authority: str, host: str | None) -> str:
    """Return a target's authority, or the Host beside it if that is malformed, so that the request is refused (RFC 9112
    §3.2).
    """
    try:
        parse_host(host or authority)
    except ValueError:
        return host or authority
    return authority


def check_one_host(line: str | bytes | None, http_version: str) -> None:
    """Check that Host, as returned by ``Head.host_line``, was received exactly once.

    Raises BadRequest (400) for several hosts and, except in HTTP/1.0, for none (RFC 9112 §3.2, RFC 9113 §8.3.1). An
    empty value is treated as missing: some servers provide it for a missing Host, and http and https URLs always have a
    host (RFC 9110 §4.2).
    """
    if not line:
        if http_version != "1.0":
            raise BadRequest("There is no Host.")
    elif (b"," in line) if isinstance(line, bytes) else ("," in line):
        raise BadRequest("There is more than one Host.")


def check_host(line: str | bytes | None, http_version: str) -> None:
    """Check the Host header as received: ``line`` is None if it is missing, and several lines are joined.

    Raises BadRequest (400) as ``check_one_host`` does, and for anything but a host and port, such as a value with
    userinfo.
    """
    check_one_host(line, http_version)
    if not line:
        return
    host = line.decode("latin-1") if isinstance(line, bytes) else line
    try:
        parse_host(host)
    except ValueError:
        raise malformed_host() from None


def malformed_host() -> BadRequest:
    """Return the error for an invalid host."""
    return BadRequest("The requested host is malformed.")
