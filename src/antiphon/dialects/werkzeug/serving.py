"""Werkzeug's development server: the embedded server, which calls the application through a request handler."""

import errno
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextvars import Context, copy_context
from functools import cached_property, partial
from http.client import HTTPMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from inspect import getattr_static
from pathlib import Path
from queue import SimpleQueue
from socket import AF_INET, AF_INET6, SOMAXCONN, socket
from socketserver import TCPServer
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon import Request, Response, current_request, from_wsgi
from antiphon.dialects.werkzeug import __version__
from antiphon.dialects.werkzeug._internal import _log
from antiphon.dialects.werkzeug._reloader import (
    inherited_socket,
    is_running_from_reloader,
    run_child,
    serve_until_changed,
)
from antiphon.dialects.werkzeug.debug import DebuggedApplication
from antiphon.dialects.werkzeug.exceptions import InternalServerError
from antiphon.dialects.werkzeug.middleware.shared_data import SharedDataMiddleware, Source
from antiphon.embedding import ON_THREAD, Host
from antiphon.features.logs.formats import one_line
from antiphon.http.limits import UNBOUNDED

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = [
    "BaseWSGIServer", "ThreadedWSGIServer", "WSGIRequestHandler", "is_running_from_reloader", "make_server",
    "run_simple",
]  # fmt: skip

WRITE_MIDDLEWARE = "do it in the application, or in WSGI middleware around it"


def refuse_overrides(kind: type, base: type, honoured: Container[str], advice: Mapping[str, str]) -> None:
    """Raise NotImplementedError if a subclass overrides a name of its base class that has no effect here.

    ``honoured`` contains the names that have an effect. ``advice`` maps names to alternatives; the default is
    WRITE_MIDDLEWARE. Subclasses may override names that begin with two underscores and add names that the base class
    does not have.
    """
    classes = kind.__mro__[: kind.__mro__.index(base)]
    for name in (name for each in classes for name in vars(each)):
        is_known = name in advice or hasattr(base, name)
        if is_known and name not in honoured and not name.startswith("__"):
            raise NotImplementedError(
                f"{kind.__qualname__}.{name} has no effect, since Granian receives the requests:"
                f" {advice.get(name, WRITE_MIDDLEWARE)}"
            )


def warn_of_overrides(kind: "type[WSGIRequestHandler | BaseWSGIServer]") -> None:
    """Warn about a new class that can't serve. It is an error only if it is used."""
    try:
        kind.check()
    except NotImplementedError as error:
        warnings.warn(str(error), RuntimeWarning, stacklevel=3)


T = TypeVar("T")


class ServedApplication(Host):
    """A WSGI application for servers with any interface. Its errors are logged and result in an error page."""

    request_limits = UNBOUNDED  # the application has its own

    def __init__(self, application: "WSGIApplication") -> None:
        super().__init__()
        self._application = from_wsgi(application)

    async def respond_to_request(self, request: Request) -> Response:
        """Call the application on a thread."""
        await ON_THREAD
        return self._application(request)


class OneByOne:
    """A WSGI application that handles one request at a time, all on the same thread, until ``end`` is called."""

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application
        self._turn = Lock()
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._adding = Lock()
        self._has_ended = False
        Thread(target=self._work, name="antiphon-werkzeug", daemon=True).start()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Handle one request. Other requests wait until the body of its response is closed."""
        self._turn.acquire()
        run = partial(self._run, copy_context())
        try:
            return _Body(run, run(partial(self._application, environ, start_response)), self._turn.release)
        except BaseException:
            self._turn.release()
            raise

    def end(self) -> None:
        """End the thread after its last call."""
        with self._adding:
            self._has_ended = True
            self._calls.put(None)

    def _run(self, context: Context, function: Callable[[], T]) -> T:
        """Call a function on the thread and return its result.

        If the thread has ended, the function is called on the current thread."""
        result: Future[T] = Future()

        def call() -> None:
            try:
                result.set_result(context.run(function))
            except BaseException as error:
                result.set_exception(error)

        with self._adding:
            is_late = self._has_ended
            if not is_late:
                self._calls.put(call)
        if is_late:
            call()
        return result.result()

    def _work(self) -> None:
        while call := self._calls.get():
            call()


class _Body:
    """A body that is iterated and closed through ``run``. After that, ``on_close`` is called once."""

    def __init__(
        self, run: Callable[[Callable[[], Any]], Any], body: Iterable[bytes], on_close: Callable[[], None]
    ) -> None:
        self._run = run
        self._body = body
        self._on_close = [on_close]
        self._chunks: Iterator[bytes] = run(partial(iter, body))

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk: bytes | None = self._run(partial(next, self._chunks, None))
        if chunk is None:
            raise StopIteration
        return chunk

    def close(self) -> None:
        try:
            if close := getattr(self._body, "close", None):
                self._run(close)
        finally:
            while self._on_close:
                self._on_close.pop()()


_VERSION_NAMES = ("server_version", "sys_version", "version_string")
_HONOURED_OF_HANDLER = frozenset({
    *_VERSION_NAMES, "address_string", "date_time_string", "log", "log_date_time_string", "log_error", "log_message",
    "log_request", "make_environ", "monthname", "port_integer", "protocol_version", "weekdayname",
})  # fmt: skip
_ADVICE_FOR_HANDLER = {
    "connection_dropped": "give the response's body a close() method, which is called when the client disconnects",
    "disable_nagle_algorithm": "remove it",
    "rbufsize": "remove it",
    "run_wsgi": WRITE_MIDDLEWARE,
    "timeout": "remove it, since Granian has its own timeouts",
    "wbufsize": "remove it",
    **{f"do_{method}": WRITE_MIDDLEWARE for method in ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")},
}


class WSGIRequestHandler(BaseHTTPRequestHandler):
    """A request handler that programs can customize.

    Subclasses may override ``make_environ`` and the methods whose names begin with `log`, and set ``server_version``,
    ``sys_version`` or ``version_string``. Defining a subclass that overrides a method without effect, such as
    ``do_GET``, raises a warning, as does setting a ``protocol_version`` other than HTTP/1.1. Serving with it raises
    NotImplementedError. There is no socket, so ``connection`` and ``wfile`` do not exist.
    """

    server: Any
    """The ``BaseWSGIServer`` that received the request."""
    protocol_version = "HTTP/1.1"
    server_version = f"Werkzeug/{__version__}"

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        warn_of_overrides(cls)

    @classmethod
    def check(cls) -> None:
        """Raise NotImplementedError if the class overrides something without effect."""
        refuse_overrides(cls, WSGIRequestHandler, _HONOURED_OF_HANDLER, _ADVICE_FOR_HANDLER)
        if cls.protocol_version != "HTTP/1.1":
            raise NotImplementedError(
                f"{cls.__qualname__}.protocol_version is {cls.protocol_version!r}, but Granian uses HTTP/1.1: remove it"
            )

    def __init__(self, request: "WSGIEnvironment", client_address: tuple[str, int], server: "BaseWSGIServer") -> None:
        self._given = request
        self.client_address = client_address
        self.server = server
        self.command = request["REQUEST_METHOD"]
        self.path = request.get("REQUEST_URI", "")
        self.request_version = request.get("SERVER_PROTOCOL", "HTTP/1.1")
        self.requestline = f"{self.command} {self.path} {self.request_version}"
        self.rfile = request["wsgi.input"]

    @cached_property
    def headers(self) -> HTTPMessage:  # type: ignore[override]  # computed here, set in the base class
        """The header fields, including those with underscores in their names, which an environ can't contain."""
        message = HTTPMessage()
        request = current_request(None)
        for name, value in () if request is None else request.head.fields():
            message.add_header(name, value)
        return message

    def make_environ(self) -> "WSGIEnvironment":
        environ, server = self._given, self.server
        environ |= {
            "RAW_URI": self.path,
            "REMOTE_PORT": self.port_integer(),
            "SERVER_NAME": server.server_name,
            "SERVER_PORT": str(server.port),
            "SERVER_SOFTWARE": self.server_version,
            "wsgi.multiprocess": server.multiprocess,
            "wsgi.multithread": server.multithread,
        }
        if environ.get("CONTENT_LENGTH"):
            environ.pop("wsgi.input_terminated", None)  # as in Werkzeug, to detect truncated bodies
        return environ

    def address_string(self) -> str:
        return self.client_address[0]

    def port_integer(self) -> int:
        return self.client_address[1]

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log a request when its response starts."""
        self.log("info", '"%s" %s %s', one_line(self.requestline), code, size)

    def log_error(self, format: str, *args: Any) -> None:  # noqa: A002 - callers may use the name
        self.log("error", format, *args)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        self.log("info", format, *args)

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Log a message with the ``type`` method of the `werkzeug` logger, with the client's address and the time."""
        address = self.address_string().replace("%", "%%")  # an IPv6 address may have a scope
        _log(type, f"{address} - - [{self.log_date_time_string()}] {message}\n", *args)

    def _respond(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Call the application. If it raises an error, log it and respond with a 500."""
        started = _Start(self, start_response)
        try:
            chunks: Iterable[bytes] = self.server.app(environ, started)
        except Exception:
            self.server.log("error", f"Error on request:\n{traceback.format_exc()}")
            chunks = InternalServerError()(environ, _begin_again(started))
        started.is_chosen = True
        started.log()
        return chunks

    def _server_field(self) -> list[tuple[str, str]]:
        """Return the Server field if a subclass sets a version. By default, the server does not identify itself."""
        own = type(self)
        names = [name for name in _VERSION_NAMES if _of(own, name) is not _of(WSGIRequestHandler, name)]
        return [("Server", self.version_string().strip())] if names else []


def _of(kind: type, name: str) -> object:
    return getattr_static(kind, name)


class _Start:
    """The ``start_response`` passed to the application. It logs the request once its response is known."""

    def __init__(self, handler: WSGIRequestHandler, start_response: "StartResponse") -> None:
        self._handler = handler
        self._start_response = start_response
        self._code: str | None = None
        self.is_chosen = False
        """True once the application has returned, after which no other response can replace this one."""

    def __call__(
        self, status: str, fields: list[tuple[str, str]], exc_info: Any = None, /
    ) -> Callable[[bytes], object]:
        if own := self._handler._server_field():  # noqa: SLF001 - same module
            fields = [*fields, *(own if all(name.lower() != "server" for name, _ in fields) else ())]
        write = self._start_response(status, fields, exc_info)
        self._code = status[:3]
        if self.is_chosen:
            self.log()
        return write

    def log(self) -> None:
        """Log the request if the response has started."""
        if self._code is not None:
            self._handler.log_request(self._code)


def _begin_again(start_response: "StartResponse") -> "StartResponse":
    """Return a ``start_response`` for the response to the current error (PEP 3333)."""
    return lambda status, fields, _=None: start_response(status, fields, sys.exc_info())


GRACE = 1.0
"""The seconds that open requests have to finish after Ctrl-C, and again after they are cut off."""


_HONOURED = frozenset({
    "RequestHandlerClass", "address_family", "allow_reuse_address", "allow_reuse_port", "block_on_close",
    "daemon_threads", "fileno", "handle_error", "log", "log_startup", "multiprocess", "multithread",
    "request_queue_size", "serve_forever", "server_activate", "server_bind", "server_close", "shutdown",
})  # fmt: skip
_ADVICE = {
    "handle_request": "call serve_forever() on a thread, and then shutdown()",
    "process_request": "take ThreadedWSGIServer for threads, or do it in WSGI middleware around the application",
    "service_actions": "run it on your own thread",
    "timeout": "remove it",
}


class BaseWSGIServer(HTTPServer):
    """A server that handles one request at a time.

    Port 0 selects a free port and sets ``port``. With ``fd``, the server listens on an open socket. ``ssl_context`` is
    a pair of paths to a certificate and its key in PEM format. ``handler`` is a subclass of WSGIRequestHandler. Exits
    if the address is in use, and raises NotImplementedError for unsupported options.

    Subclasses may override ``server_bind``, ``server_activate``, ``log`` and ``handle_error``. Defining a subclass that
    overrides a method without effect raises a warning. Creating an object of it raises NotImplementedError.
    """

    multithread = False
    multiprocess = False
    allow_reuse_address = True
    request_queue_size = SOMAXCONN
    server_bind = TCPServer.server_bind  # HTTPServer's version looks up this machine's name in the DNS

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        warn_of_overrides(cls)

    @classmethod
    def check(cls) -> None:
        """Raise NotImplementedError if the class overrides something without effect."""
        refuse_overrides(cls, BaseWSGIServer, _HONOURED, _ADVICE)

    def __init__(
        self,
        host: str,
        port: int,
        app: "WSGIApplication",
        handler: type[WSGIRequestHandler] | None = None,
        passthrough_errors: bool = False,
        ssl_context: object = None,
        fd: int | None = None,
    ) -> None:
        self.check()
        if isinstance(handler, type):
            if not issubclass(handler, WSGIRequestHandler):
                raise NotImplementedError(f"{handler.__qualname__} must be a subclass of WSGIRequestHandler")
            handler.check()
        if passthrough_errors:
            raise NotImplementedError("passthrough_errors is not supported: the application's errors are logged")
        if host.startswith("unix://"):
            raise NotImplementedError("this server does not support Unix sockets")
        self.app = app
        self.host = host
        self.ssl_context = _checked_tls(ssl_context)
        self.address_family = AF_INET6 if ":" in host else AF_INET
        super().__init__((host, int(port)), handler or WSGIRequestHandler, bind_and_activate=False)
        if fd is None:
            self._listen(port)
        else:
            self.socket.close()
            self.socket = socket(fileno=os.dup(fd))
            self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]  # a TCP address
        self.port = self.server_port
        self._is_serving = Lock()
        self._end = Event()
        self._patience: float | None = None

    def _listen(self, port: int) -> None:
        try:
            self.server_bind()
            self.server_activate()
        except BaseException as error:
            self.server_close()
            if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
                sys.exit(f"Port {port} is in use by another program: stop that program or choose another port.")
            raise

    def serve_forever(self, poll_interval: float = 0.5) -> None:  # noqa: ARG002 - there is nothing to poll
        """Serve until another thread calls ``shutdown`` or Ctrl-C is pressed, then close the socket."""
        from antiphon.embedding import ThreadServer  # imported late, since a program may never start this server

        with self._is_serving:
            one_by_one = None if self.multithread else OneByOne(self)
            app = ServedApplication(one_by_one or self)
            server = ThreadServer(app, "asgi", self.socket.dup(), tls=self.ssl_context)
            try:
                server.start()
                self._end.wait()
            except KeyboardInterrupt:
                self._patience = GRACE
            finally:
                self._end.clear()
                if not server.stop(self._patience):
                    server.cut_off(GRACE)
                if one_by_one is not None:
                    one_by_one.end()
                self.server_close()

    def shutdown(self, within: float | None = None) -> None:
        """Stop ``serve_forever``, even if it has not started yet, and wait until it has ended.

        Open requests are finished first. With ``within``, they are cut off after that many seconds.
        """
        self._patience = within
        self._end.set()  # also ends a ``serve_forever`` that is about to start
        with self._is_serving:
            pass

    def handle_request(self) -> None:
        """Raise NotImplementedError, since the server can't stop after one request."""
        raise NotImplementedError(f"this server can't stop after one request: {_ADVICE['handle_request']}")

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - callers may use the name
        """Log a message with the ``type`` method of the `werkzeug` logger."""
        _log(type, message, *args)

    def log_startup(self) -> None:
        """Print the server's URL to stderr."""
        scheme = "https" if self.ssl_context else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        sys.stderr.write(f" * Running on {scheme}://{host}:{self.port}\n")

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Handle one request with a request handler, which calls the application.

        Errors in the handler's methods are passed to ``handle_error`` and result in a 500.
        """
        client = environ.get("REMOTE_ADDR", ""), int(environ.get("REMOTE_PORT") or 0)
        try:
            handler: Any = self.RequestHandlerClass(environ, client, self)  # type: ignore[arg-type]  # not a socket
            handler.environ = environ = handler.make_environ()
            chunks: Iterable[bytes] = handler._respond(environ, start_response)
        except Exception:
            self.handle_error(None, client)  # type: ignore[arg-type]  # there is no socket
            return InternalServerError()(environ, _begin_again(start_response))
        return chunks


class ThreadedWSGIServer(BaseWSGIServer):
    """A server that handles several requests at once, each on its own thread."""

    multithread = True
    daemon_threads = True


def make_server(
    host: str,
    port: int,
    app: "WSGIApplication",
    threaded: bool = False,
    processes: int = 1,
    request_handler: type[WSGIRequestHandler] | None = None,
    passthrough_errors: bool = False,
    ssl_context: object = None,
    fd: int | None = None,
) -> BaseWSGIServer:
    """Create a server without starting it. Raises NotImplementedError if ``processes`` is more than 1."""
    if processes > 1:
        raise NotImplementedError("this server has only one process: use `antiphon run --workers` for several")
    kind = ThreadedWSGIServer if threaded else BaseWSGIServer
    return kind(host, port, app, request_handler, passthrough_errors, ssl_context, fd)


def _checked_tls(context: object) -> tuple[Path, Path] | None:
    if context is None:
        return None
    if isinstance(context, tuple) and len(context) == 2 and all(context):
        certificate, key = context
        return Path(certificate), Path(key)
    raise NotImplementedError("ssl_context must be a pair of paths: to a certificate and to its key")


def run_simple(
    hostname: str,
    port: int,
    application: "WSGIApplication",
    use_reloader: bool = False,
    use_debugger: bool = False,
    use_evalex: bool = True,
    extra_files: Iterable[str] | None = None,
    exclude_patterns: Iterable[str] | None = None,
    reloader_interval: float = 1,
    reloader_type: str = "auto",  # noqa: ARG001 - there is only one type
    threaded: bool = False,
    processes: int = 1,
    request_handler: type[WSGIRequestHandler] | None = None,
    static_files: dict[str, Source] | None = None,
    passthrough_errors: bool = False,
    ssl_context: object = None,
) -> None:
    """Serve an application on a host and port (0 means any free port), one request at a time unless ``threaded``.

    With ``use_reloader``, the program runs as its own child process, which is restarted when the file of a module or
    one of the ``extra_files`` changes, except files that match ``exclude_patterns``. ``use_debugger`` only issues a
    warning that there is no debugger. Raises TypeError if the port is not an int, or NotImplementedError for options
    that ``make_server`` does not support.
    """
    if not isinstance(port, int):
        raise TypeError("port must be an integer")
    if use_debugger and (is_running_from_reloader() or not use_reloader):
        application = DebuggedApplication(application, use_evalex)
    if static_files:
        application = SharedDataMiddleware(application, static_files)
    fd = inherited_socket()
    server = make_server(
        hostname, port, application, threaded, processes, request_handler, passthrough_errors, ssl_context, fd
    )
    if not is_running_from_reloader():
        server.log_startup()
    if not use_reloader:
        server.serve_forever()
    elif is_running_from_reloader():
        serve_until_changed(server, extra_files or (), exclude_patterns or (), reloader_interval)
    else:
        run_child(server.fileno())


own_run_simple = run_simple
"""The function above, even if a program has put another one in its place."""
