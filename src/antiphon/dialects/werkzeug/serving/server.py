"""Werkzeug's development server, which is the embedded server, on a socket that is bound before it starts."""

import errno
import os
import socket
import sys
from collections.abc import Iterable
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING

from antiphon.dialects.werkzeug.serving.application import OneByOne, ServedApplication
from antiphon.serving.sockets import BACKLOG

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

GRACE = 1.0
"""Seconds for open requests after Ctrl-C, and as many again for those that are cut off then."""


class WSGIRequestHandler:
    """A name without a meaning: this server has no request handler that could be replaced."""


class BaseWSGIServer:
    """A server that answers one request at a time. For the port 0 it takes a free one, which is ``port`` then.

    With ``fd`` it listens on a socket that is open. ``ssl_context`` is the paths of a certificate and its key, in PEM.
    Exits if the address is taken; raises NotImplementedError for options that it does not offer.
    """

    multithread = False
    multiprocess = False

    def __init__(
        self,
        host: str,
        port: int,
        app: "WSGIApplication",
        handler: type | None = None,
        passthrough_errors: bool = False,
        ssl_context: object = None,
        fd: int | None = None,
    ) -> None:
        if handler not in (None, WSGIRequestHandler):
            raise NotImplementedError("this server has no request handler that could be replaced")
        if passthrough_errors:
            raise NotImplementedError("this server does not end with an error of the application")
        self.app = app
        self.host = host
        self.ssl_context = _checked_tls(ssl_context)
        self.socket = _listen(host, port) if fd is None else socket.socket(fileno=os.dup(fd))
        self.server_address = self.socket.getsockname()
        self.server_name, self.port = self.server_address[:2]
        self.server_port = self.port
        self._is_serving = Lock()
        self._end = Event()
        self._patience: float | None = None

    def serve_forever(self, poll_interval: float = 0.5) -> None:  # noqa: ARG002 - there is nothing to poll
        """Serve until ``shutdown`` is called, on another thread, or Ctrl-C is pressed; then the socket is closed."""
        from antiphon.serving.embedded import ThreadServer  # late: an application may be served by others

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

    def server_close(self) -> None:
        """Close the socket."""
        self.socket.close()

    def fileno(self) -> int:
        """The file descriptor of the socket."""
        return self.socket.fileno()

    def log_startup(self) -> None:
        """Write the URL to stderr."""
        scheme = "https" if self.ssl_context else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        sys.stderr.write(f" * Running on {scheme}://{host}:{self.port}\n")

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request by the application, with what the environ tells of this server."""
        environ |= {
            "RAW_URI": environ.get("REQUEST_URI", ""),
            "SERVER_NAME": self.server_name,
            "SERVER_PORT": str(self.port),
            "wsgi.multiprocess": self.multiprocess,
            "wsgi.multithread": self.multithread,
        }
        if environ.get("CONTENT_LENGTH"):
            environ.pop("wsgi.input_terminated", None)  # as Werkzeug: then a body that breaks off is told
        if port := environ.get("REMOTE_PORT"):
            environ["REMOTE_PORT"] = int(port)
        return self.app(environ, start_response)


class ThreadedWSGIServer(BaseWSGIServer):
    """A server that answers several requests at once, each on a thread."""

    multithread = True


def make_server(
    host: str,
    port: int,
    app: "WSGIApplication",
    threaded: bool = False,
    processes: int = 1,
    request_handler: type | None = None,
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


def _listen(host: str, port: int) -> socket.socket:
    if host.startswith("unix://"):
        raise NotImplementedError("this server has no Unix sockets")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            sys.exit(f"Port {port} is in use by another program: end that one, or choose another port.")
        raise
