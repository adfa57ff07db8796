"""The segments of a path in which encoded slashes hide, where the server tells what was sent."""

from antiphon.http.head import Head
from antiphon.http.path import raw_segments


def hidden_segments(head: Head) -> list[str] | None:
    """The decoded segments of a head's path, where slashes hide in them and the server tells; else None."""
    return raw_segments(head.raw_path, head.path)


def with_or_without_slash(segments: list[str]) -> list[str]:
    """The other form of a path: without the slash at its end, or with one."""
    return segments[:-1] if segments[-1] == "" else [*segments, ""]
