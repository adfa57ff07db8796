"""The contents of `werkzeug.wsgi`: an environ's host, path, URL and body, and iterables for servers."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import lru_cache, update_wrapper
from itertools import chain
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import quote, unquote, urljoin, urlsplit

from antiphon.dialects._environ import heads, streams
from antiphon.dialects._environ.calling import ClosingIterator, part_of
from antiphon.dialects._environ.heads import server_of as _get_server
from antiphon.dialects._environ.heads import shift_path, text_of
from antiphon.dialects.werkzeug.exceptions.base import ClientDisconnected, SecurityError
from antiphon.dialects.werkzeug.exceptions.statuses import RequestEntityTooLarge
from antiphon.http.urls.url import parse_host

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


_BLOCK = 8 << 10


class SentBody(ClosingIterator):
    """An iterator that calls a single function when it is closed."""

    __slots__ = ()

    def __init__(self, iterator: Iterator[bytes], close: Callable[[], object]) -> None:
        self._iterator = iterator
        self._callbacks = (close,)

    def __iter__(self) -> Iterator[bytes]:  # type: ignore[override]  # servers iterate over it faster
        return self._iterator


class FileWrapper:
    """A file that is read in blocks, for servers without a `wsgi.file_wrapper`."""

    def __init__(self, file: IO[bytes], buffer_size: int = _BLOCK) -> None:
        self.file = file
        self.buffer_size = buffer_size

    def close(self) -> None:
        if close := getattr(self.file, "close", None):
            close()

    def seekable(self) -> bool:
        """Return True if the file is seekable."""
        seekable = getattr(self.file, "seekable", None)
        return bool(seekable()) if seekable else hasattr(self.file, "seek")

    def seek(self, *position: int) -> None:
        """Seek to a position if the file is seekable."""
        if seek := getattr(self.file, "seek", None):
            seek(*position)

    def tell(self) -> int | None:
        """Return the position, or None if the file is not seekable."""
        tell = getattr(self.file, "tell", None)
        return tell() if tell else None

    def __iter__(self) -> "FileWrapper":
        return self

    def __next__(self) -> bytes:
        if data := self.file.read(self.buffer_size):
            return data
        raise StopIteration


def wrap_file(environ: "WSGIEnvironment", file: IO[bytes], buffer_size: int = _BLOCK) -> Iterable[bytes]:
    """Wrap a file as an iterable that the server can send efficiently. Use it with ``direct_passthrough``."""
    wrapped: Iterable[bytes] = environ.get("wsgi.file_wrapper", FileWrapper)(file, buffer_size)
    return wrapped


class RangeWrapper:
    """A range of an iterable: ``length`` bytes from ``start``, or everything to the end if ``length`` is None.

    A seekable iterable is moved to ``start``; any other is read up to ``start``, and those bytes are discarded. Closing
    the range closes the iterable.
    """

    def __init__(self, iterable: Iterable[bytes], start: int = 0, length: int | None = None) -> None:
        self._iterable = iterable
        self._chunks = part_of(iterable, start, length)

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def __next__(self) -> bytes:
        return next(self._chunks)

    def close(self) -> None:
        if close := getattr(self._iterable, "close", None):
            close()


def responder(f: "Callable[..., WSGIApplication]") -> "WSGIApplication":
    """A decorator for a function of (environ, start_response) that returns a WSGI application for the request."""

    def application(*arguments: Any) -> Iterable[bytes]:
        return f(*arguments)(*arguments[-2:])

    return update_wrapper(application, f)


class LimitedStream(streams.LimitedStream):
    """The next ``limit`` bytes of a stream or, with ``is_max``, all its bytes up to that limit.

    If the stream fails or ends early, ``on_disconnect`` raises ClientDisconnected. If the stream contains more than the
    maximum, ``on_exhausted`` raises RequestEntityTooLarge. Both can be overridden.
    """

    too_large = RequestEntityTooLarge
    disconnected = ClientDisconnected


def get_content_length(environ: "WSGIEnvironment") -> int | None:
    """Return the body's length in bytes: None if it is unknown, 0 if the header is malformed."""
    return streams.body_length(environ.get("CONTENT_LENGTH"), environ.get("HTTP_TRANSFER_ENCODING"))


def get_input_stream(
    environ: "WSGIEnvironment", safe_fallback: bool = True, max_content_length: int | None = None
) -> IO[bytes]:
    """Return the body as a stream that can be read to its end.

    If the end is unknown, the stream is empty or, with ``safe_fallback=False``, the server's own stream. Raises
    RequestEntityTooLarge if the declared length exceeds ``max_content_length``; the stream raises it if the body turns
    out longer.
    """
    return streams.body_stream(environ, LimitedStream, safe_fallback, max_content_length)


_LONGEST = 300
_PATH_SAFE = "!$&'()*+,/:;=@%"

_is_plain = re.compile("[A-Za-z0-9._~/-]*+").fullmatch
# Escaped control characters, spaces, `#` and `%` must stay escaped in every part of a URL.
_stays_escaped = re.compile("[^%]*+(?>(?:%(?:[01][0-9A-Fa-f]|2[035]|7[Ff])[^%]*+)*)").fullmatch


def host_is_trusted(hostname: str | None, trusted_list: Collection[str] | str | None = None) -> bool:
    """Return True if a host, with or without a port, is well-formed and, if a list is given, in the list.

    A name in the list that begins with a dot includes its subdomains.
    """
    name = _host_name(hostname) if hostname and len(hostname) <= _LONGEST else None
    if name is None:
        return False
    if not trusted_list:
        return True
    trusted = (trusted_list,) if isinstance(trusted_list, str) else trusted_list
    return any(_matches(name, reference) for reference in trusted)


@lru_cache(256)
def _host_name(host: str) -> str | None:
    """Return a host's name as written, with brackets around an IPv6 address, or None if the host is malformed."""
    try:
        _, port = parse_host(host)
    except ValueError:
        return None
    name, _, digits = host.rpartition(":")
    if "_" in host or "~" in host or host[-1] == ":" or (port is not None and digits[0] == "0"):
        return None
    return host if port is None else name


def _matches(name: str, reference: str) -> bool:
    try:
        wanted = reference.removeprefix(".").partition(":")[0].encode("idna").decode()
    except UnicodeError:
        return False
    return name == wanted or (reference[:1] == "." and name.endswith(f".{wanted}"))


def host_of(
    scheme: str,
    host_header: str | None,
    server: tuple[str, int | None] | None = None,
    trusted_hosts: Collection[str] | None = None,
) -> str:
    """Return the request's host, or else the server's, without the scheme's default port.

    Returns "" if the host is missing or malformed. Raises SecurityError if the host is not trusted.
    """
    host = heads.host_of(scheme, host_header, server)
    if host is None:
        return ""
    if host_is_trusted(host, trusted_hosts):
        return host
    if trusted_hosts:
        raise SecurityError(f"Host {host!r} is not trusted.")
    return ""


def get_host(environ: "WSGIEnvironment", trusted_hosts: Collection[str] | None = None) -> str:
    """Return an environ's host. See ``host_of``."""
    return host_of(environ["wsgi.url_scheme"], environ.get("HTTP_HOST"), heads.server_of(environ), trusted_hosts)


def url_of(
    scheme: str, host: str, root_path: str | None = None, path: str | None = None, query_string: bytes | None = None
) -> str:
    """Build a URL as an IRI, with as few escapes as possible.

    Without a path, this is the application's root URL. Without a root path, it is the host's URL.
    """
    url = f"{scheme}://{host}/"
    if root_path is not None:
        if root := root_path.rstrip("/"):
            url = f"{scheme}://{host}{_quoted(root)}/"
        if path is not None:
            url += _quoted(path.lstrip("/"))
            if query_string:
                url = f"{url}?{quote(query_string, safe=_PATH_SAFE + '?')}"
    return _as_iri(url, host)


def _quoted(path: str) -> str:
    return path if _is_plain(path) else quote(path, safe=_PATH_SAFE)


def _as_iri(url: str, host: str) -> str:
    if _stays_escaped(url) and "xn--" not in host and host == host.lower():
        return url
    from antiphon.dialects.werkzeug.urls.iri import uri_to_iri

    return uri_to_iri(url)


def get_current_url(
    environ: "WSGIEnvironment",
    root_only: bool = False,
    strip_querystring: bool = False,
    host_only: bool = False,
    trusted_hosts: Collection[str] | None = None,
) -> str:
    """Return a request's URL, or only the beginning of it. Raises SecurityError if the host is not trusted."""
    host = get_host(environ, trusted_hosts)
    scheme: str = environ["wsgi.url_scheme"]
    if host_only:
        return url_of(scheme, host)
    root_path = text_of(environ.get("SCRIPT_NAME") or "")
    if root_only:
        return url_of(scheme, host, root_path)
    query = None if strip_querystring else environ.get("QUERY_STRING", "").encode("latin-1")
    return url_of(scheme, host, root_path, get_path_info(environ), query)


def get_path_info(environ: "WSGIEnvironment") -> str:
    """Return the path relative to the application's root, as text."""
    return text_of(environ.get("PATH_INFO") or "")


def get_query_string(environ: "WSGIEnvironment") -> str:
    """Return the query string in ASCII, with other characters percent-encoded."""
    return quote(environ.get("QUERY_STRING", "").encode("latin-1"), safe=":&%=+$!*'(),;/?@")


_CHUNK = 10 << 10


def get_script_name(environ: "WSGIEnvironment") -> str:
    """Return the application's root path, as text."""
    return text_of(environ.get("SCRIPT_NAME") or "")


def peek_path_info(environ: "WSGIEnvironment") -> str | None:
    """Return the next segment of the path, or None if there is none."""
    segments = environ.get("PATH_INFO", "").lstrip("/").split("/", 1)
    return text_of(segments[0]) if segments[0] else None


def pop_path_info(environ: "WSGIEnvironment") -> str | None:
    """Move the next segment of the path to the root path and return it. Return None if the path is empty."""
    return shift_path(environ)


def extract_path_info(
    environ_or_baseurl: "WSGIEnvironment | str", path_or_url: str, collapse_http_schemes: bool = True
) -> str | None:
    """Return the path of a URL relative to a base, or None if the URL is not below the base.

    By default, http and https are equivalent.
    """
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
    """Return the port, or None for the default port of http or https."""
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
    """Yield the bytes between separators in a stream. ``cap_at_buffer`` splits those longer than ``buffer_size``."""
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
    """Yield a stream's lines, including line endings. ``cap_at_buffer`` splits lines longer than ``buffer_size``."""
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
    r"""Return the complete lines and the rest. A final ``\r`` is incomplete, since it may be half of ``\r\n``."""
    lines = data.splitlines(keepends=True)
    if lines and lines[-1].endswith(b"\n" if not is_last else (b"\n", b"\r")):
        lines.append(bytearray())
    return lines or [bytearray()]


def _taken(held: bytearray, size: int) -> Iterator[bytes]:
    """Remove as many whole chunks of a given size as possible and yield them."""
    end = len(held) - len(held) % size
    yield from [bytes(held[at : at + size]) for at in range(0, end, size)]
    del held[:end]


__all__ = [
    "ClosingIterator", "FileWrapper", "LimitedStream", "RangeWrapper", "_get_server", "extract_path_info",
    "get_content_length", "get_current_url", "get_host", "get_input_stream", "get_path_info", "get_query_string",
    "get_script_name", "host_is_trusted", "make_chunk_iter", "make_line_iter", "peek_path_info", "pop_path_info",
    "responder", "wrap_file",
]  # fmt: skip
