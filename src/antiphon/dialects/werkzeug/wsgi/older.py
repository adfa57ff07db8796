"""Functions that `werkzeug.wsgi` had up to version 2, which some libraries still import."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import IO, TYPE_CHECKING, cast
from urllib.parse import unquote, urljoin, urlsplit

from antiphon.dialects._environ.places import shift_path, text_of
from antiphon.dialects.werkzeug.wsgi.limited_stream import LimitedStream
from antiphon.dialects.werkzeug.wsgi.places import get_current_url

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_CHUNK = 10 << 10


def get_script_name(environ: "WSGIEnvironment") -> str:
    """Return the path of the application's root, as text."""
    return text_of(environ.get("SCRIPT_NAME") or "")


def peek_path_info(environ: "WSGIEnvironment") -> str | None:
    """Return the next segment of the path; None if there is none."""
    segments = environ.get("PATH_INFO", "").lstrip("/").split("/", 1)
    return text_of(segments[0]) if segments[0] else None


def pop_path_info(environ: "WSGIEnvironment") -> str | None:
    """Move the next segment of the path to the root path and return it; None if the path is empty."""
    return shift_path(environ)


def extract_path_info(
    environ_or_baseurl: "WSGIEnvironment | str", path_or_url: str, collapse_http_schemes: bool = True
) -> str | None:
    """Return the path of a URL below a base; None if it is elsewhere. By default http and https count as one scheme."""
    if isinstance(environ_or_baseurl, str):
        base = environ_or_baseurl
    else:
        base = get_current_url(environ_or_baseurl, root_only=True)
    root, target = urlsplit(base), urlsplit(urljoin(base, path_or_url))
    schemes = {root.scheme, target.scheme}
    if len(schemes) > 1 and not (collapse_http_schemes and schemes == {"http", "https"}):
        return None
    if root.hostname != target.hostname or _port(root.scheme, root.port) != _port(target.scheme, target.port):
        return None
    beginning = unquote(root.path).rstrip("/")
    path = unquote(target.path)
    if path != beginning and not path.startswith(f"{beginning}/"):
        return None
    return "/" + path[len(beginning) :].lstrip("/")


def _port(scheme: str, port: int | None) -> int | None:
    """Return the port; None for the default ports of http and https."""
    return None if port == {"http": 80, "https": 443}.get(scheme) else port


def _chunks(stream: Iterable[bytes] | IO[bytes], limit: int | None, buffer_size: int) -> Iterator[bytes]:
    read = getattr(stream, "read", None)
    if read is None:
        return (chunk for chunk in stream if chunk)
    if limit is not None and not isinstance(stream, LimitedStream):
        read = LimitedStream(cast("IO[bytes]", stream), limit).read
    return iter(lambda: cast("bytes", read(buffer_size)), b"")


def make_chunk_iter(
    stream: Iterable[bytes] | IO[bytes],
    separator: bytes,
    limit: int | None = None,
    buffer_size: int = _CHUNK,
    cap_at_buffer: bool = False,
) -> Iterator[bytes]:
    """Return the texts between separators in a stream. ``cap_at_buffer`` cuts texts longer than ``buffer_size``."""
    held = bytearray()
    for chunk in _chunks(stream, limit, buffer_size):
        searched = len(held) - len(separator) + 1
        held += chunk
        if held.find(separator, max(searched, 0)) >= 0:
            *whole, held = held.split(separator)
            yield from map(bytes, whole)
        if cap_at_buffer:
            yield from _taken(held, buffer_size)
    if held:
        yield bytes(held)


def make_line_iter(
    stream: Iterable[bytes] | IO[bytes],
    limit: int | None = None,
    buffer_size: int = _CHUNK,
    cap_at_buffer: bool = False,
) -> Iterator[bytes]:
    """Return the lines of a stream, with their ends. ``cap_at_buffer`` cuts lines longer than ``buffer_size``."""
    held = bytearray()
    for chunk in chain(_chunks(stream, limit, buffer_size), (b"",)):
        may_end = held.endswith(b"\r") or b"\n" in chunk or b"\r" in chunk
        held += chunk
        if may_end:
            *lines, held = _lines(held, is_last=not chunk)
            yield from map(bytes, lines)
        if cap_at_buffer:
            yield from _taken(held, buffer_size)
    if held:
        yield bytes(held)


def _lines(data: bytearray, is_last: bool) -> list[bytearray]:
    r"""Return the complete lines, and the rest: a ``\r`` at the end may be half of ``\r\n``."""
    lines = data.splitlines(keepends=True)
    if lines and lines[-1].endswith(b"\n" if not is_last else (b"\n", b"\r")):
        lines.append(bytearray())
    return lines or [bytearray()]


def _taken(held: bytearray, size: int) -> Iterator[bytes]:
    """Remove as many whole chunks of a size as there are, and return them."""
    end = len(held) - len(held) % size
    yield from [bytes(held[at : at + size]) for at in range(0, end, size)]
    del held[:end]
