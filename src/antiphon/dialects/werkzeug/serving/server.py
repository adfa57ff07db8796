"""Werkzeug's development server, which is the embedded server, on a socket that is bound before it starts."""

import errno
import os
import sys
from collections.abc import Iterable
from http.server import HTTPServer
from pathlib import Path
from socket import AF_INET, AF_INET6, socket
from socketserver import TCPServer
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

from antiphon.dialects.werkzeug._internal import _log
from antiphon.dialects.werkzeug.exceptions import InternalServerError
from antiphon.dialects.werkzeug.serving.application import OneByOne, ServedApplication
from antiphon.dialects.werkzeug.serving.overriding import refuse_overrides
from antiphon.dialects.werkzeug.serving.request_handler import WSGIRequestHandler
from antiphon.embedding import BACKLOG, restarting

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

GRACE = 1.0
"""Seconds for open requests after Ctrl-C, and as many again for those that are cut off then."""


_HONOURED = frozenset({
    "RequestHandlerClass", "address_family", "allow_reuse_address", "allow_reuse_port", "block_on_close",
    "daemon_threads", "fileno", "handle_error", "log", "log_startup", "multiprocess", "multithread",
    "request_queue_size", "serve_forever", "server_activate", "server_bind", "server_close", "shutdown",
})  # fmt: skip
_ADVICE = {
    "handle_request": "call serve_forever() on a thread, and shutdown()",
    "process_request": "take ThreadedWSGIServer for threads, or do it in WSGI middleware around the application",
    "service_actions": "run it on your own thread",
    "timeout": "leave it out",
}


class BaseWSGIServer(HTTPServer):
    """A server that answers one request at a time. For the port 0 it takes a free one, which is ``port`` then.

    With ``fd`` it listens on a socket that is open. ``ssl_context`` is the paths of a certificate and its key, in PEM.
    ``handler`` is a subclass of WSGIRequestHandler. Exits if the address is taken; raises NotImplementedError for
    options that it does not offer. A subclass that overrides what could not be honoured raises it, too, when it is
    defined; ``server_bind``, ``server_activate``, ``log`` and ``handle_error`` may be overridden.
    """

    multithread = False
    multiprocess = False
    allow_reuse_address = True
    request_queue_size = BACKLOG
    server_bind = TCPServer.server_bind  # HTTPServer's asks the DNS for the name of this machine

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
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
        if isinstance(handler, type):
            if not issubclass(handler, WSGIRequestHandler):
                raise NotImplementedError(f"{handler.__qualname__} is not a subclass of serving.WSGIRequestHandler")
            handler.check()
        if passthrough_errors:
            raise NotImplementedError("this server does not end with an error of the application")
        if host.startswith("unix://"):
            raise NotImplementedError("this server has no Unix sockets")
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
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]  # of TCP
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
                sys.exit(f"Port {port} is in use by another program: end that one, or choose another port.")
            raise

    def serve_forever(self, poll_interval: float = 0.5) -> None:  # noqa: ARG002 - there is nothing to poll
        """Serve until ``shutdown`` is called, on another thread, or Ctrl-C is pressed; then the socket is closed."""
        from antiphon.embedding import ThreadServer  # imported late, since another server may serve the application

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
        """End ``serve_forever``, which may not have begun yet, and wait until it has ended.

        Open requests are answered first; with ``within`` they are cut off after so many seconds.
        """
        self._patience = within
        self._end.set()  # for a ``serve_forever`` that is about to begin, too
        with self._is_serving:
            pass

    def handle_request(self) -> None:
        """Raise NotImplementedError: this server answers all requests, until it is told to end."""
        raise NotImplementedError(f"this server does not end after a request: {_ADVICE['handle_request']}")

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the name that callers may give
        """Log a message by the method ``type`` of the logger `werkzeug`."""
        _log(type, message, *args)

    def log_startup(self) -> None:
        """Write the URL to stderr."""
        scheme = "https" if self.ssl_context else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        sys.stderr.write(f" * Running on {scheme}://{host}:{self.port}\n")

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request by a request handler, which calls the application.

        What its methods raise is handed to ``handle_error``, and answered with a 500.
        """
        client = environ.get("REMOTE_ADDR", ""), int(environ.get("REMOTE_PORT") or 0)
        try:
            handler: Any = self.RequestHandlerClass(environ, client, self)  # type: ignore[arg-type]  # not a socket
            handler.environ = environ = handler.make_environ()
            chunks: Iterable[bytes] = handler._answer(environ, start_response)
        except Exception:
            self.handle_error(None, client)  # type: ignore[arg-type]  # there is no socket
            return InternalServerError()(environ, restarting(start_response))
        return chunks


class ThreadedWSGIServer(BaseWSGIServer):
    """A server that answers several requests at once, each on a thread."""

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
    """Make a server that does not serve yet. Raises NotImplementedError for several ``processes``."""
    if processes > 1:
        raise NotImplementedError("this server has one process; antiphon run has --workers")
    kind = ThreadedWSGIServer if threaded else BaseWSGIServer
    return kind(host, port, app, request_handler, passthrough_errors, ssl_context, fd)


def _checked_tls(context: object) -> tuple[Path, Path] | None:
    if context is None:
        return None
    if isinstance(context, tuple) and len(context) == 2 and all(context):
        certificate, key = context
        return Path(certificate), Path(key)
    raise NotImplementedError("this server takes TLS as a pair of paths, of a certificate and of its key")
