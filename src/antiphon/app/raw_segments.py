"""The segments of a path in which encoded slashes hide, where the server tells what was sent."""

from antiphon.http.url import quote_path, unquote


def raw_segments(raw: bytes, path: str) -> list[str] | None:
    """The decoded segments below the root path, with one before the first slash.

    ``raw`` is the whole path as it was sent, ``path`` what is below the root path, decoded. None where no slash
    hides below it, and where the raw path is another path's, as behind a layer that rewrote it.
    """
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


def with_or_without_slash(segments: list[str]) -> list[str]:
    """The other form of a path: without the slash at its end, or with one."""
    return segments[:-1] if segments[-1] == "" else [*segments, ""]


def quote_segment(text: str) -> str:
    """Percent-encode text to be one segment. Raises ValueError for a lone surrogate."""
    return quote_path(text).replace("/", "%2F")
