"""A WSGI server in this very process, on any thread: granian's worker, on a socket that is bound before it starts."""

import errno
import os
import socket
import sys
from collections.abc import Callable, Iterable
from logging import StreamHandler, getLogger
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, cast

from granian._granian import SocketHolder
from granian.constants import Interfaces, RuntimeModes, SSLProtocols
from granian.log import LogLevels
from granian.server.mt import MTServer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

BACKLOG = 128
"""How many connections the kernel keeps waiting."""
THREADS = 64
"""How many requests a threaded server answers at once."""


class WSGIRequestHandler:
    """Only a name: this server has no handler that could be replaced."""


class BaseWSGIServer:
    """Answers one request at a time. ``port`` is the one that it has got, where it was asked for a free one (0).

    With ``fd`` it listens on a socket that is open. ``ssl_context`` is the paths of a certificate and its key, in PEM.
    Exits where the address is taken; raises NotImplementedError for what it does not offer.
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

    def serve_forever(self, poll_interval: float = 0.5) -> None:  # noqa: ARG002 - there is nothing to poll
        """Serve until ``shutdown`` is called, on another thread, or Ctrl-C is pressed; then the socket is closed."""
        with self._is_serving:
            stop = _start(self)
            try:
                self._end.wait()
            except KeyboardInterrupt:
                pass
            finally:
                self._end.clear()
                stop()
                self.server_close()

    def shutdown(self) -> None:
        """End ``serve_forever``, and wait until it has ended."""
        self._end.set()
        with self._is_serving:
            self._end.clear()

    def server_close(self) -> None:
        """Stop listening."""
        self.socket.close()

    def fileno(self) -> int:
        """The file descriptor of the socket."""
        return self.socket.fileno()

    def log_startup(self) -> None:
        """Say where it serves."""
        scheme = "https" if self.ssl_context else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        sys.stderr.write(f" * Running on {scheme}://{host}:{self.port}\n")

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request by the application, which is told how this server runs."""
        environ["wsgi.multithread"] = self.multithread
        environ["wsgi.multiprocess"] = self.multiprocess
        return self.app(environ, start_response)


class ThreadedWSGIServer(BaseWSGIServer):
    """Answers several requests at once, each on a thread."""

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
    """A server that does not serve yet. Raises NotImplementedError for several ``processes``."""
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


class _Worker(MTServer):
    """Granian's server with one worker, of which this module starts the thread."""

    _shd: Any

    def __init__(self, server: BaseWSGIServer) -> None:
        certificate, key = server.ssl_context or (None, None)
        super().__init__(
            "",
            interface=Interfaces.WSGI,
            blocking_threads=THREADS if server.multithread else 1,
            backlog=BACKLOG,
            websockets=False,
            runtime_mode=RuntimeModes.mt,
            ssl_cert=certificate,
            ssl_key=key,
            ssl_protocol_min=SSLProtocols.tls12,
            log_level=LogLevels.error,
            # "incremental" keeps logging.config from closing the handlers that the application has opened.
            log_dictconfig={"incremental": True, "handlers": {}},
        )
        # Granian's stub shows no parameters; there are fd, is_uds, and where listen() comes late, a backlog.
        holder = cast("Callable[..., SocketHolder]", SocketHolder)
        backlog = (BACKLOG,) if sys.platform.startswith(("linux", "freebsd")) else ()
        self._ssp = None
        self._shd = holder(server.socket.dup().detach(), False, *backlog)
        self._thread: Any = self._spawn_worker(0, self._spawn_wsgi_worker, server)

    def start(self) -> None:
        """Serve, on a thread of its own."""
        self._thread.inner.start()

    def stop(self) -> None:
        """Serve no more, and wait for the thread."""
        self._thread.terminate()
        self._thread.inner.join()


def _start(server: BaseWSGIServer) -> Callable[[], None]:
    """Start serving. Gives what ends it."""
    errors = getLogger("_granian")
    if not errors.handlers:
        errors.addHandler(StreamHandler())
    worker = _Worker(server)
    worker.start()
    return worker.stop
