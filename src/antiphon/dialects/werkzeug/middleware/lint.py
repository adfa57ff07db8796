"""Middleware for tests that warns if an application or its server violates WSGI (PEP 3333) or HTTP."""

from collections.abc import Callable, Iterable, Iterator
from typing import IO, TYPE_CHECKING, Any
from warnings import warn

from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.http import is_entity_header
from antiphon.dialects.werkzeug.wsgi import FileWrapper

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

_REQUIRED = (
    *("REQUEST_METHOD", "SERVER_NAME", "SERVER_PORT", "wsgi.version", "wsgi.input", "wsgi.errors"),
    *("wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once"),
)


class WSGIWarning(Warning):
    """A violation of PEP 3333."""


class HTTPWarning(Warning):
    """A violation of HTTP."""


def check_type(context: str, obj: object, need: type = str) -> None:
    """Warn if an object is of another type, including a subclass."""
    if type(obj) is not need:
        _break_wsgi(f"{context} must be a {need.__name__}, not a {type(obj).__name__}")


def _break_wsgi(message: str) -> None:
    warn(message, WSGIWarning, stacklevel=3)


class InputStream:
    """The request's body."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, *args: Any) -> bytes:
        """Read bytes. Without a size, this call may never return."""
        if len(args) != 1:
            _break_wsgi("wsgi.input.read must be called with a size: not every server marks the end of a body")
        return self._stream.read(*args)

    def readline(self, *args: Any) -> bytes:
        _break_wsgi("wsgi.input.readline may never return: use read with a size")
        return self._stream.readline(*args)

    def __iter__(self) -> Iterator[bytes]:
        try:
            return iter(self._stream)
        except TypeError:
            _break_wsgi("this server's wsgi.input is not iterable")
            return iter(())

    def close(self) -> None:
        """Close the stream, which only the server should do."""
        _break_wsgi("the application must not close wsgi.input")
        self._stream.close()


class ErrorStream:
    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, s: str) -> None:
        check_type("the text written to wsgi.errors", s)
        self._stream.write(s)

    def flush(self) -> None:
        self._stream.flush()

    def writelines(self, seq: Iterable[str]) -> None:
        for line in seq:
            self.write(line)

    def close(self) -> None:
        """Close the stream, which only the server should do."""
        _break_wsgi("the application must not close wsgi.errors")
        self._stream.close()


class GuardedWrite:
    """The function that ``start_response`` returns."""

    def __init__(self, write: Callable[[bytes], object], chunks: list[int]) -> None:
        self._write = write
        self._chunks = chunks

    def __call__(self, s: bytes) -> None:
        check_type("a chunk passed to write", s, bytes)
        self._write(s)
        self._chunks.append(len(s))


class GuardedIterator:
    """The response's body. ``headers_set`` contains the status and headers once the response has started."""

    def __init__(
        self, iterator: Iterable[bytes], headers_set: tuple[int, Headers] | list[Any] | None, chunks: list[int]
    ) -> None:
        self._iterable = iterator
        self._next = iter(iterator).__next__
        self.closed = False
        self.headers_set = headers_set
        self.chunks = chunks

    def __iter__(self) -> "GuardedIterator":
        return self

    def __next__(self) -> bytes:
        if self.closed:
            _break_wsgi("the body was iterated after it was closed")
        chunk = self._next()
        if not self.headers_set:
            _break_wsgi("the application must call start_response before it yields the body")
        check_type("a chunk of the body", chunk, bytes)
        self.chunks.append(len(chunk))
        return chunk

    def close(self) -> None:
        """Close the body and compare its length with the headers."""
        self.closed = True
        if close := getattr(self._iterable, "close", None):
            close()
        if self.headers_set:
            status, headers = self.headers_set
            _compare(status, headers, sum(self.chunks))

    def __del__(self) -> None:
        if not self.closed:
            _break_wsgi("the body was not closed")


def _compare(status: int, headers: Headers, sent: int) -> None:
    length = headers.get("content-length", type=int)
    if status == 304:
        for name, _ in headers:
            if name.lower() not in ("expires", "content-location") and is_entity_header(name):
                warn(f"a 304 must not have the header {name}, which describes a body", HTTPWarning, stacklevel=3)
    elif 100 <= status < 200 or status == 204:
        if length:
            warn(f"a {status} must not have a Content-Length", HTTPWarning, stacklevel=3)
    elif length is not None and length != sent:
        warn(f"the body has {sent} bytes, but its Content-Length is {length}", WSGIWarning, stacklevel=3)
        return
    else:
        return
    if sent:
        warn(f"a {status} must not have a body", HTTPWarning, stacklevel=3)


class LintMiddleware:
    """Middleware that issues a WSGIWarning or HTTPWarning for each violation, but does not prevent it."""

    def __init__(self, app: "WSGIApplication") -> None:
        self.app = app

    def check_environ(self, environ: "WSGIEnvironment") -> None:
        """Warn about invalid or missing values in the environ."""
        check_type("the environ", environ, dict)
        for key in _REQUIRED:
            if key not in environ:
                _break_wsgi(f"the environ must contain {key}")
        if environ.get("wsgi.version") != (1, 0):
            _break_wsgi("wsgi.version must be (1, 0)")
        for key in ("SCRIPT_NAME", "PATH_INFO"):
            path = environ.get(key, "")
            if path and path[0] != "/":
                _break_wsgi(f"{key} must be empty or begin with a slash, not {path!r}")

    def check_start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: object
    ) -> tuple[int, Headers]:
        """Warn about invalid arguments and return the status code and the headers."""
        check_type("the status", status)
        code, space, _ = str(status).partition(" ")
        if len(code) != 3 or not code.isdecimal() or not space or code < "100":
            _break_wsgi(f"a status must be a three-digit code, a space and a phrase, not {status!r}")
        check_type("the headers", headers, list)
        for item in headers:
            _check_field(item)
        if exc_info is not None and not isinstance(exc_info, tuple):
            _break_wsgi("exc_info must be a tuple or None")
        kept = Headers(headers)
        self.check_headers(kept)
        return int(code) if code.isdecimal() else 0, kept

    def check_headers(self, headers: Headers) -> None:
        """Warn about a malformed entity tag (RFC 9110 §8.8.3)."""
        tag = headers.get("etag")
        if tag is None:
            return
        if tag.startswith("w/"):
            warn("Weak etag indicator should be upper case.", HTTPWarning, stacklevel=4)
        opaque = tag[2:] if tag[:2] in ("W/", "w/") else tag
        if len(opaque) < 2 or opaque[0] != '"' or opaque[-1] != '"':
            warn(f"Unquoted etag emitted: {tag!r}", HTTPWarning, stacklevel=4)

    def check_iterator(self, app_iter: Iterable[bytes]) -> None:
        """Warn if the body is a string, which would be sent character by character."""
        if isinstance(app_iter, str):
            _break_wsgi("a body must be an iterable of bytes, not text")

    def __call__(self, *args: Any, **kwargs: Any) -> Iterable[bytes]:
        if len(args) != 2 or kwargs:
            _break_wsgi("an application must be called with two positional arguments")
        environ, start_response = args[:2]
        self.check_environ(environ)
        environ["wsgi.input"] = InputStream(environ["wsgi.input"])
        environ["wsgi.errors"] = ErrorStream(environ["wsgi.errors"])
        environ["wsgi.file_wrapper"] = FileWrapper
        started: list[Any] = []
        chunks: list[int] = []

        def checking_start_response(*given: Any, **named: Any) -> GuardedWrite:
            if len(given) not in (2, 3) or named:
                _break_wsgi("start_response must be called with two or three positional arguments")
            started[:] = self.check_start_response(given[0], given[1], given[2] if len(given) > 2 else None)
            return GuardedWrite(start_response(*given), chunks)

        app_iter = self.app(environ, checking_start_response)
        self.check_iterator(app_iter)
        return GuardedIterator(app_iter, started, chunks)


def _check_field(item: Any) -> None:
    if type(item) is not tuple or len(item) != 2:
        _break_wsgi("a header must be a tuple of a name and a value")
    name, value = item
    check_type("a header's name", name)
    check_type("a header's value", value)
    if name.lower() == "status":
        _break_wsgi("a header must not be named Status, which CGI reserves")
