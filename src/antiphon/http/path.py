"""A path as it was sent, in whose segments slashes may hide (``%2F``), and how it is written in URLs again."""

import re
from typing import TypeGuard

from antiphon.http.errors import BadRequest
from antiphon.http.head import Head
from antiphon.http.url import quote_path, unquote


def check_path(path: str) -> None:
    """Raise BadRequest for what neither begins with a slash nor is ``*`` (RFC 9112 §3.2): some servers let it pass."""
    if path[:1] != "/" and path != "*":
        raise BadRequest(f"The target of a request is a path, which begins with a slash: not {path[:200]!r}.")


def quote_segment(text: str) -> str:
    """Percent-encode text to be one segment. Raises ValueError for a lone surrogate."""
    return quote_path(text).replace("/", "%2F")


def _may_hide_slashes(raw: bytes | None) -> TypeGuard[bytes]:
    return raw is not None and b"%2" in raw


def raw_segments(raw: bytes | None, path: str) -> list[str] | None:
    """The decoded segments below the root path, with one before the first slash.

    ``raw`` is the whole path as it was sent, where known, ``path`` what is below the root path, decoded. None where no
    slash hides below it, and where the raw path is another path's, as behind a layer that rewrote it.
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


def quoted_path(path: str, raw: bytes | None) -> str:
    """A path below the root path, percent-encoded; slashes that hide in its segments stay encoded.

    ``raw`` is the whole path as it was sent, where known.
    """
    segments = raw_segments(raw, path)
    return quote_path(path) if segments is None else "/".join(map(quote_segment, segments))


def quoted_root(root_path: str, path: str, raw: bytes | None) -> str:
    """A root path, percent-encoded; slashes that hide in its segments stay encoded, to lead where the request did.

    ``path`` is what the request has below it, both decoded; ``raw`` is the whole path as it was sent, where known.
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


_misleading = re.compile(r"//|\\|[\x00-\x1f\x7f]|/\.\.?(?:/|\Z)").search


def is_misleading(path: str) -> bool:
    """Whether browsers would read a decoded path, where URLs begin with it, as another path, or as a host.

    They do with an empty or a dot segment, a backslash or a control character.
    """
    return _misleading(path) is not None


def hidden_segments(head: Head) -> list[str] | None:
    """The decoded segments of a head's path, where slashes hide in them and the server tells; else None."""
    return raw_segments(head.raw_path, head.path)


def with_or_without_slash(segments: list[str]) -> list[str]:
    """The other form of a path: without the slash at its end, or with one."""
    return segments[:-1] if segments[-1] == "" else [*segments, ""]
