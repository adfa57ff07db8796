"""The head of a request in its environ: its target and header fields, and checks of the host.

Results for long strings are not cached, so a client that keeps sending new ones can't exhaust memory.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from antiphon import Limits
from antiphon.http import HTTPError
from antiphon.http.urls.path import check_host, one_host, query_too_long, split_target

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


T = TypeVar("T")

LONGEST_CACHED = 256
"""The maximum length in characters of a string whose result is cached."""


def cache_short(maxsize: int) -> Callable[[Callable[[str], T]], Callable[[str], T]]:
    """A decorator that caches the last ``maxsize`` results of a function of one string, except for long strings."""

    def decorate(compute: Callable[[str], T]) -> Callable[[str], T]:
        cached = lru_cache(maxsize)(compute)
        return lambda text: cached(text) if len(text) <= LONGEST_CACHED else compute(text)

    return decorate


UNPREFIXED = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})
"""The keys of the two fields without the ``HTTP_`` prefix. Some servers set them to "" if the header is missing."""

_MOST_CACHED = 512
_DOUBLED = frozenset({"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"})


class _Keys(dict[str, str]):
    def __missing__(self, name: str) -> str:
        if not isinstance(name, str):
            raise KeyError(name)
        key = name.upper().replace("-", "_")
        key = key if key in UNPREFIXED else f"HTTP_{key}"
        if len(self) < _MOST_CACHED:
            self[name] = key
        return key


ENVIRON_KEYS = _Keys()
"""The environ keys of field names, in any case. Raises KeyError for a name that is not text."""


@cache_short(_MOST_CACHED)
def field_name(key: str) -> str | None:
    """Return the field name for an environ key, or None if the key doesn't stand for a header."""
    if key in UNPREFIXED:
        return key.replace("_", "-").title()
    return key[5:].replace("_", "-").title() if key.startswith("HTTP_") and key not in _DOUBLED else None


_DEFAULT_PORTS = {"http": ":80", "ws": ":80", "https": ":443", "wss": ":443"}


def text_of(value: str, charset: str = "utf-8") -> str:
    """Decode an environ's value, in which each character stands for one byte (PEP 3333).

    Invalid bytes become U+FFFD.
    """
    return value if value.isascii() else value.encode("latin-1").decode(charset, "replace")


def server_of(environ: "WSGIEnvironment") -> tuple[str, int | None] | None:
    """Return the server's name and port. The port is None for a Unix socket."""
    name = environ.get("SERVER_NAME")
    if name is None:
        return None
    port = str(environ.get("SERVER_PORT", ""))
    return name, int(port) if port.isascii() and port.isdigit() else None


def host_of(scheme: str, header: str | None, server: tuple[str, int | None] | None) -> str | None:
    """Return the host from the Host header, or else the server's, without the scheme's default port.

    Returns None if both are missing. The host may be malformed.
    """
    if header is not None:
        return without_default_port(header, scheme)
    if server is None or server[1] is None:
        return None
    name = f"[{server[0]}]" if ":" in server[0] and server[0][0] != "[" else server[0]
    return without_default_port(f"{name}:{server[1]}", scheme)


def without_default_port(host: str, scheme: str) -> str:
    """Return a host without the default port of its scheme."""
    return host.removesuffix(_DEFAULT_PORTS[scheme]) if scheme in _DEFAULT_PORTS else host


def shift_path(environ: "WSGIEnvironment") -> str | None:
    """Move the next path segment from PATH_INFO to SCRIPT_NAME and return it. Return None if the path is empty."""
    path = environ.get("PATH_INFO", "")
    if not path:
        return None
    rest = path.lstrip("/")
    segment, slash, after = rest.partition("/")
    slashes = "/" * (len(path) - len(rest))
    environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + slashes + segment
    environ["PATH_INFO"] = slash + after
    return text_of(segment)


_LONGEST_KNOWN = 300
"""The maximum length of a cached host in characters."""
_LIMITS = Limits()
_OLD = "HTTP/1.0"


def head_error(environ: "WSGIEnvironment") -> HTTPError | None:
    """Return the error for an environ whose Host, or its target's, is missing, repeated or malformed, or whose query
    is too long.

    An environ without a protocol was made by a program, not a server, and needs no Host.
    """
    host: str = environ.get("HTTP_HOST", "")
    target: str = environ.get("REQUEST_URI") or environ.get("RAW_URI") or "/"
    if host and target[0] != "/" and (parts := split_target(target)):
        host = one_host(parts[0], host)
    protocol = environ.get("SERVER_PROTOCOL", _OLD)
    version = "1.0" if protocol in (_OLD, "HTTP/1") else protocol.partition("/")[2]  # Granian sends "HTTP/1"
    checked = _host_error if len(host) <= _LONGEST_KNOWN else _host_error.__wrapped__
    if error := checked(host, version):
        return error
    size = len(environ.get("QUERY_STRING", ""))
    return query_too_long(size, _LIMITS.query) if size > _LIMITS.query else None


@lru_cache(256)
def _host_error(host: str, version: str) -> HTTPError | None:
    try:
        check_host(host, version)
    except HTTPError as error:
        return error.with_traceback(None)
    return None


def forget_frames(error: BaseException) -> None:
    """Remove the frames, which refer to the request, from the tracebacks of an error and the errors that led to it.

    The request, or the frame that responds, refers to the error. Without this, only the garbage collector could break
    the cycle.
    """
    error.__traceback__ = error.__context__ = error.__cause__ = None
