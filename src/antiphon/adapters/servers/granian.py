"""Granian, used through its private names, because it has no public way to serve on an open socket.

All private names of Granian that Antiphon uses are used here and listed in ``PRIVATE_NAMES``. Their behavior is
undocumented; it is known from Granian's Python and Rust source code.
"""

import asyncio
import os
import socket
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias

from antiphon.adapters.asgi import ASGIApplication, Receive, Scope, Send
from antiphon.adapters.connection import (
    BACKLOG,
    count_waiting,
    is_still_open,
    make_unknown_listener,
    room_for_connections,
)
from antiphon.adapters.servable import Servable
from antiphon.lazy import changed_package, require_names

SEEN_IN = ("2.8.0", "2.8.7")
"""The oldest and newest versions of Granian that are known to have these private names."""


_SERIES = SEEN_IN[1].rpartition(".")[0]
check = partial(require_names, "granian", _SERIES)

try:
    from granian._granian import SocketHolder
    from granian.constants import Interfaces, RuntimeModes, SSLProtocols
    from granian.http import HTTP1Settings, HTTP2Settings
    from granian.log import LogLevels
    from granian.server.embed import Server
    from granian.server.mt import MTServer
except ModuleNotFoundError as error:
    if error.name == "granian":
        raise
    raise changed_package("granian", _SERIES, str(error.name)) from error
except ImportError as error:
    lacking = f"{error.name}.{getattr(error, 'name_from', '...')}"  # Python 3.11 has no name_from
    raise changed_package("granian", _SERIES, lacking) from error

PRIVATE_NAMES = (
    "granian._granian.SocketHolder",
    "granian._granian.WorkerSignal.add_cb",
    "granian._granian.WorkerSignal.set",
    "granian.server.embed.Server()._shd",
    "granian.server.embed.Server()._spawn_asgi_lifespan_worker",
    "granian.server.embed.Server()._spawn_worker",
    "granian.server.embed.Server()._ssp",
    "granian.server.embed.AsyncWorker()._sig",
    "granian.server.embed.AsyncWorker()._task",
    "granian.server.mt.MTServer()._shd",
    "granian.server.mt.MTServer()._spawn_asgi_lifespan_worker",
    "granian.server.mt.MTServer()._spawn_rsgi_worker",
    "granian.server.mt.MTServer()._spawn_worker",
    "granian.server.mt.MTServer()._spawn_wsgi_worker",
    "granian.server.mt.MTServer()._ssp",
    "granian.server.mt.WorkerThread()._sig",
    "granian.server.mt.WorkerThread().inner",
)
"""The private names in modules and classes and, after ``()``, in instances."""

Interface: TypeAlias = Literal["wsgi", "asgi", "rsgi"]

_SPAWNERS = {"wsgi": "_spawn_wsgi_worker", "asgi": "_spawn_asgi_lifespan_worker", "rsgi": "_spawn_rsgi_worker"}
IDLE = 30
"""Seconds after which a connection without a request is closed, and within which a head has to arrive."""
_READ_BUFFER = 128 << 10
"""The number of bytes to read ahead from a connection, and the maximum length of a header section.

Granian's own 408 KiB don't make uploads faster, and account for most of the memory of many concurrent uploads.
"""
# Granian's "backpressure" is the number of connections that it accepts at once, by default no more than the backlog. It
# must be less than that of descriptors: without one to accept a connection, Granian tries again without a pause.
_OPTIONS: dict[str, Any] = {
    "backlog": BACKLOG,
    "http1_settings": HTTP1Settings(header_read_timeout=IDLE * 1000, max_buffer_size=_READ_BUFFER),
    # Each stream may take all of this at once: its headers, the body that nobody reads, the response that nobody reads.
    "http2_settings": HTTP2Settings(
        max_concurrent_streams=100,  # the least that RFC 9113 §6.5.2 recommends
        max_headers_size=64 << 10,
        initial_stream_window_size=256 << 10,
        initial_connection_window_size=1 << 20,
        max_send_buffer_size=64 << 10,
        keep_alive_interval=IDLE * 1000,  # a ping, which finds clients that are gone
    ),
    "websockets": True,
    # "incremental" keeps logging.config from closing the application's handlers. With an empty "loggers", Granian's
    # logs go where all others go.
    "log_dictconfig": {"incremental": True, "handlers": {}, "loggers": {}},
}

_LOOK = 0.002
"""The seconds between two checks of the connections that wait to be accepted."""


def _with_safe_refusals(application: ASGIApplication) -> ASGIApplication:
    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            from antiphon.adapters.websockets.handshake import with_safe_refusals  # imported late: few have WebSockets

            send = with_safe_refusals(send)
        await application(scope, receive, send)  # type: ignore[arg-type]  # any mapping

    return call


class WorkerOnThread:
    """A Granian server for one application, on one thread. It closes the socket when it ends."""

    def __init__(
        self,
        app: Any,
        interface: Interface,
        listener: socket.socket,
        threads: int = 1,
        tls: tuple[Path, Path] | None = None,
        connections: int = 0,
    ) -> None:
        certificate, key = tls or (None, None)
        if interface == "asgi" and not isinstance(app, Servable):
            app = _with_safe_refusals(app)
        server: Any = MTServer(
            "",
            interface=Interfaces(interface),
            blocking_threads=threads,
            runtime_mode=RuntimeModes.st if interface == "rsgi" else RuntimeModes.mt,  # the default of Granian itself
            ssl_cert=certificate,
            ssl_key=key,
            ssl_protocol_min=SSLProtocols.tls12,
            log_level=LogLevels.error,
            backpressure=connections or room_for_connections(),
            **_OPTIONS,
        )
        check(server, "_ssp", "_shd", "_spawn_worker", _SPAWNERS[interface])
        self.socket = _GivenSocket(listener)
        server._ssp, server._shd = None, self.socket.holder  # noqa: SLF001
        self._worker = server._spawn_worker(0, getattr(server, _SPAWNERS[interface]), app)  # noqa: SLF001
        check(self._worker, "_sig", "inner")
        self._signals = [self._worker._sig]  # noqa: SLF001

    def run(self) -> None:
        """Serve on this thread until told to end and open requests have been handled.

        Raises SystemExit if the lifespan of an ASGI application fails to start.
        """
        self._worker.inner.run()

    def end(self) -> None:
        """Tell the server to end. You can call it again, on any thread, and in signal handlers."""
        with suppress(IndexError):
            self._signals.pop().set()  # once: setting a signal a third time blocks


class WorkerOnLoop:
    """Granian's server for one ASGI application, in a task of the running loop. It closes the socket when it ends.

    The task raises a Granian error if the application's lifespan fails to start.
    """

    def __init__(self, app: Any, listener: socket.socket) -> None:
        # Requests cancelled by the end of the loop would be logged as errors.
        server: Any = Server(
            app,
            interface=Interfaces.ASGI,
            log_level=LogLevels.critical,
            backpressure=room_for_connections(),
            **_OPTIONS,
        )
        check(server, "_ssp", "_shd", "_spawn_worker", "_spawn_asgi_lifespan_worker")
        self.socket = _GivenSocket(listener)
        server._ssp, server._shd = None, self.socket.holder  # noqa: SLF001
        worker = server._spawn_worker(0, server._spawn_asgi_lifespan_worker, app)  # noqa: SLF001
        check(worker, "_task", "_sig")
        check(worker._sig, "add_cb", "set")  # noqa: SLF001
        self.task: asyncio.Task[None] = worker._task  # noqa: SLF001
        self._signals = [worker._sig]  # noqa: SLF001

    def end(self) -> None:
        """Tell the server to end. You can call it again."""
        self._end(partial(_wake_on_its_loop, self.task))

    def abandon(self) -> None:
        """Tell the server to end although its task, and perhaps the loop, has ended."""
        self._end(bool)

    def _end(self, callback: Any) -> None:
        with suppress(IndexError):
            signal = self._signals.pop()
            signal.add_cb(callback)  # before set(): the thread that calls it holds a lock that add_cb needs
            signal.set()


def _wake_on_its_loop(task: "asyncio.Task[None]") -> None:
    """Wake a task when Granian's threads have ended. The last of them calls this, perhaps after the loop's end."""
    with suppress(RuntimeError):
        task.get_loop().call_soon_threadsafe(_wake, task)


def _wake(task: Any) -> None:
    """Set the result for which a task waits, unless the task was cancelled, in which case Granian's own callback would
    fail.
    """
    waited = task._fut_waiter  # noqa: SLF001 - asyncio's, because Granian doesn't expose that future
    if waited is not None and not waited.done():
        waited.set_result(None)


class _GivenSocket:
    """A listening socket passed to Granian, which closes it when it ends if it has started to serve on it."""

    def __init__(self, listener: socket.socket) -> None:
        is_unix = sys.platform != "win32" and listener.family == socket.AF_UNIX
        self._family = listener.family
        self._descriptor = listener.detach()
        self._inode = 0 if sys.platform == "win32" else os.fstat(self._descriptor).st_ino
        holder: Any = SocketHolder  # Granian's stub shows no parameters
        self.holder = holder(*holder_arguments(sys.platform, self._descriptor, is_unix))

    @property
    def is_taken(self) -> bool:
        """True once Granian is serving on the socket, which it first makes non-blocking."""
        if sys.platform == "win32":
            return True  # then the holder closes it in any case
        with suppress(OSError):
            return not (self._is_open and os.get_blocking(self._descriptor))
        return True

    @property
    def _is_open(self) -> bool:
        return is_still_open(self._descriptor, self._inode)

    def stop_accepting(self, within: float) -> None:
        """Leave new connections to other processes that listen on this socket, without Granian noticing.

        Granian continues to accept connections on its descriptor, which then belongs to a socket with an unknown
        address. It gets ``within`` seconds to accept waiting connections, because the kernel resets these when the last
        process leaves. Nothing is done if the socket is closed.
        """
        if not self._is_open:
            return
        end = time.monotonic() + within
        with (
            make_unknown_listener(self._family) as other,  # Granian may still have to read its address
            socket.socket(fileno=os.dup(self._descriptor)) as listener,
        ):
            while count_waiting(listener) and time.monotonic() < end:
                time.sleep(_LOOK)
            os.dup2(other.fileno(), self._descriptor, inheritable=False)

    def close_unless_taken(self) -> None:
        """Close the socket if Granian will not."""
        if not self.is_taken:
            os.close(self._descriptor)


def holder_arguments(platform: str, descriptor: int, is_unix: bool) -> tuple[object, ...]:
    """Return the arguments for Granian's SocketHolder, which differ by operating system."""
    if platform == "win32":
        return (descriptor,)
    if platform.startswith(("linux", "freebsd")):  # on these systems, the holder also listens
        return descriptor, is_unix, BACKLOG
    return descriptor, is_unix
