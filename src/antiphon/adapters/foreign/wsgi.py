"""A WSGI application as a handler: an environ is made from the request, and a response from its result."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextvars import Context, copy_context
from functools import partial
from io import IOBase
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from antiphon.adapters.foreign import tell_around
from antiphon.adapters.heads import server_address
from antiphon.adapters.wsgi import EARLY_HINTS, WSGIHead
from antiphon.concurrency.iterables import in_context
from antiphon.explanations import explained
from antiphon.handler.failures import failed
from antiphon.http.grammar import OWS, find_control, percent_decode
from antiphon.http.head import Head, server_head
from antiphon.http.headers import combine
from antiphon.http.status import StatusLines
from antiphon.request.proxies import NAMES_ARE_EXACT
from antiphon.request.request import Request
from antiphon.request.watching import Reads, note_in_head
from antiphon.response.response import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def make_environ(request: Request) -> "WSGIEnvironment":
    """Return an environ (PEP 3333) for a request that came over any interface; its body is loaded first.

    A header whose name contains an underscore is left out, because WSGI can't distinguish it from a name with a hyphen.
    Under a WSGI server, the environ is a copy of the server's own, with a body that can be read again.
    """
    environ = head_environ(request.head)
    tell_around(request, environ)
    content = request.content
    if request.head.has_body:
        content.load_on_thread(request.limits)
    environ["wsgi.input"] = content.open()
    # The body is a file of its own, which ends by itself.
    environ["wsgi.input_terminated"] = True
    # It was decoded, and the body now has a length.
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ.pop("wsgi.file_wrapper", None)  # the server couldn't send a file from it
    if content.is_decoded:
        environ.pop("HTTP_CONTENT_ENCODING", None)
    environ["CONTENT_LENGTH"] = str(content.size) if content.size or request.content_length == 0 else ""
    return environ


def head_environ(head: Head) -> "WSGIEnvironment":
    """Return an environ for the head of a request that came over any interface; it has no body.

    Under a WSGI server, it is a copy of the server's own.
    """
    environ = _environ_of(head)
    if head.takes_early_hints:
        environ[EARLY_HINTS] = partial(_send_early_hints, head)
    else:
        environ.pop(EARLY_HINTS, None)
    return environ


def _send_early_hints(head: Head, fields: Iterable[tuple[str, str]]) -> None:
    """Send the links of early hints, as Gunicorn's function does."""
    head.send_early_hints(value for name, value in fields if name.lower() == "link")


def _environ_of(head: Head) -> "WSGIEnvironment":
    note_in_head(head, Reads.EVERYTHING)  # reads of an environ can't be recorded
    given = server_head(head)
    if isinstance(given, WSGIHead):
        # A copy, because applications change it.
        environ = dict(given.environ)
        if (host := given.field("host")) is not None:
            environ["HTTP_HOST"] = host  # replaced by a target that is a full URL
        if given is not head:
            for key in ("REMOTE_ADDR", "REMOTE_PORT"):
                environ.pop(key, None)
            environ |= _head_values(head)
        return environ
    return _DEFAULTS | {"wsgi.errors": sys.stderr} | _field_values(head.fields()) | _head_values(head)


_DEFAULTS: "WSGIEnvironment" = {
    "wsgi.version": (1, 0),
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
    NAMES_ARE_EXACT: True,
}


def _head_values(head: Head) -> "WSGIEnvironment":
    host, port = server_address(head)
    client = head.client
    target = (head.raw_path or b"").decode("latin-1")
    query = head.query_string.decode("latin-1")
    return {
        "REQUEST_METHOD": head.method,
        "SCRIPT_NAME": _latin1(head.root_path),
        "PATH_INFO": _path_info(head),
        "QUERY_STRING": query,
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{head.http_version}",
        "wsgi.url_scheme": head.scheme,
        **({"HTTP_HOST": head.authority} if head.host_line else {}),
        **({"REQUEST_URI": f"{target}?{query}" if query else target} if target else {}),
        **({"REMOTE_ADDR": client.host} if client else {}),
        **({"REMOTE_PORT": str(client.port)} if client and client.port else {}),
    }


def _field_values(fields: Iterable[tuple[str, str]]) -> "WSGIEnvironment":
    lines: dict[str, list[str]] = {}
    for name, value in fields:
        if "_" not in name:
            lines.setdefault(name, []).append(value)
    environ = {f"HTTP_{name.upper().replace('-', '_')}": combine(name, values) for name, values in lines.items()}
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if f"HTTP_{key}" in environ:
            environ[key] = environ.pop(f"HTTP_{key}")
    return environ


def _path_info(head: Head) -> str:
    """Return the path in the form of PEP 3333: its bytes as Latin-1 characters, including those that are not UTF-8.

    If the server hides those, they are replaced with the bytes of U+FFFD.
    """
    path = head.path
    if path.isascii() or "\ufffd" not in path or (sent := _sent_path(head)) is None:
        return _latin1(path)
    segments = sent.split(b"/")[-path.count("/") :]  # what precedes them is the root path
    below = b"/" + b"/".join(segments)
    return below.decode("latin-1") if below.decode("utf-8", "replace") == path else _latin1(path)


def _sent_path(head: Head) -> bytes | None:
    """Return the bytes of the full path, without escapes; None if the server hides them."""
    given = server_head(head)
    if isinstance(given, WSGIHead):
        return given.environ.get("PATH_INFO", "").encode("latin-1")  # type: ignore[no-any-return]  # PEP 3333 says str
    raw = head.raw_path
    return None if raw is None else percent_decode(raw)


def _latin1(text: str) -> str:
    """Return text in the form of PEP 3333: its UTF-8 bytes as Latin-1 characters."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("latin-1")


def from_wsgi(
    application: "WSGIApplication", environ_of: "Callable[[Request], WSGIEnvironment]" = make_environ
) -> Callable[[Request], Response]:
    """Return a handler that calls a WSGI application. The body is streamed and always closed.

    ``environ_of`` makes the environ of a request.

    Raises the application's errors, and RuntimeError if it returns a body without calling ``start_response``.
    """

    def handler(request: Request) -> Response:
        call = WSGICall()
        chunks = application(environ_of(request), call.start_response)
        try:
            return call.response(request, chunks)
        except BaseException:
            close(chunks)
            raise

    return handler


def responding_to_errors(application: "WSGIApplication") -> "WSGIApplication":
    """Return an application that wraps another one, logs its errors, and responds to them as ASGI and RSGI servers do.

    Errors in the response's body are left to the server.
    """

    def respond(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        try:
            return application(environ, start_response)
        except Exception as error:
            response = failed(Request(WSGIHead(environ)), error)
            # With the error, so that this replaces a response that has begun (PEP 3333).
            return response(environ, lambda status, fields, _=None: start_response(status, fields, sys.exc_info()))

    return respond


def started_response(request: Request, status: str, headers: list[tuple[str, str]]) -> Response:
    """Return a response without a body, with the status line and headers of a WSGI application.

    A WSGI server also sends the status line's phrase, unless the response gets a different status. Raises ValueError
    for a malformed status or header.
    """
    given = server_head(request.head)
    code = int(status[:3])
    if isinstance(given, WSGIHead) and find_control(status) is None:
        given.status_lines = StatusLines({code: status})
    try:
        return Response(None, code, headers)
    except ValueError:  # WSGI servers send whitespace around a value, which is not part of it (RFC 9110 §5.5)
        return Response(None, code, [(name, value.strip(OWS)) for name, value in headers])


class WSGICall:
    """A call to a WSGI application, with its ``start_response`` and the bytes that it writes."""

    def __init__(self) -> None:
        self._head: tuple[str, list[tuple[str, str]]] | None = None
        self._is_sent = False
        """True once the response has its head, which can no longer be replaced."""
        self._written: list[bytes] = []

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None, /
    ) -> Callable[[bytes], object]:
        """Accept the status and headers, and return the ``write`` function of PEP 3333. Raises ``exc_info`` if it is
        too late.
        """
        if self._is_sent and exc_info is not None:
            raise exc_info[1].with_traceback(exc_info[2])
        if self._head is not None and exc_info is None:
            raise explained(
                "mounted-application-failed", "start_response was called a second time, without exc_info", RuntimeError
            )
        self._head = status, list(headers)
        return self._written.append

    def response(self, request: Request, chunks: Iterable[bytes]) -> Response:
        """Return the response once the application has started it, which it does with its first chunk at the latest.

        A body in one chunk of the declared length is bytes, which are sent without coming back to this thread, as is an
        empty one of a HEAD request.
        """
        (status, headers), body = self._started(chunks)
        response = started_response(request, status, headers)
        length = response.content_length
        first = [*islice(body, 0 if length is None else 1)]  # PEP 3333: the head waits for it
        if len(content := b"".join(first)) == (0 if length and request.method == "HEAD" else length):
            response.body = content
            request.after_response(next, body, None)
            request.after_response(close, chunks)
        else:
            response.body = _Body(chain(first, body), chunks)
        return response

    def whole(self, chunks: Iterable[bytes]) -> tuple[str, list[tuple[str, str]], bytes]:
        """Return the status line, the headers and the whole body. The body isn't closed."""
        (status, headers), body = self._started(chunks)
        return status, headers, b"".join(body)

    def _started(self, chunks: Iterable[bytes]) -> tuple[tuple[str, list[tuple[str, str]]], Iterator[bytes]]:
        iterator = iter(chunks)
        first = [] if self._head else [next(iterator, b"")]
        if self._head is None:
            raise explained(
                "mounted-application-failed",
                "the WSGI application returned a body without calling start_response",
                RuntimeError,
            )
        self._is_sent = True
        return self._head, chain(self._written, first, iterator)


def call_in_own_context(
    application: "WSGIApplication", environ: "WSGIEnvironment", start_response: "StartResponse"
) -> Iterable[bytes]:
    """Call a WSGI application in a copy of the current context. Its body is iterated and closed in the same copy.

    Bodies that run no code of the application are returned unchanged: lists, files and the server's file wrapper.
    """
    context = copy_context()
    chunks = context.run(application, environ, start_response)
    wrapper = environ.get("wsgi.file_wrapper")
    unchanged = (list, tuple, IOBase, wrapper) if isinstance(wrapper, type) else (list, tuple, IOBase)
    return chunks if isinstance(chunks, unchanged) else _BodyInContext(context, chunks)


class _BodyInContext:
    """The body of a WSGI application, iterated and closed in a context."""

    __slots__ = ("_chunks", "_context")

    def __init__(self, context: Context, chunks: Iterable[bytes]) -> None:
        self._context = context
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return in_context(self._context, self._context.run(iter, self._chunks))

    def close(self) -> None:
        """Close the application's iterable if it can be closed."""
        self._context.run(close, self._chunks)


class _Body:
    """The body of a WSGI application. Closing it closes the iterable that the application returned."""

    def __init__(self, iterator: Iterator[bytes], chunks: Iterable[bytes]) -> None:
        self._iterator = iterator
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return self._iterator

    def close(self) -> None:
        """Close the application's iterable if it can be closed."""
        close(self._chunks)


def close(chunks: Iterable[bytes]) -> None:
    """Close the iterable returned by a WSGI application, if it can be closed."""
    if close := getattr(chunks, "close", None):
        close()
