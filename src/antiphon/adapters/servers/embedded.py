"""Embedded servers: one serves on a thread, one alongside the other tasks of an event loop.

Each gets a listening socket and closes it at the end. Each reports when it accepts connections or fails to start, and
stops gracefully.
"""

import asyncio
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any, Literal

from antiphon.adapters.connection import close_accepted
from antiphon.adapters.servers.granian import Interface, WorkerOnLoop, WorkerOnThread
from antiphon.concurrency.process import DRAINING, GRACE_OVER, call_after_fork, call_first_at_exit

_LETTING_GO = 0.05
"""The seconds that Granian's threads get to release Python objects when a server ends: nothing tells when they are
done.
"""
_FIRST_LOOK = 0.001
_LAST_LOOK = 0.05
"""The seconds between two checks of whether connections are accepted, which nothing reports: at first, and later."""


LOGGERS = {"granian": "_granian", "uvicorn": "uvicorn.error"}
"""The logger of each server."""


class StartupError(RuntimeError):
    """A failure or refusal of the application to start."""

    def __init__(self, reason: object) -> None:
        super().__init__(f"the startup of the application failed: {reason}")


_running: "set[ThreadServer]" = set()
_LAST_REQUESTS = 1.0
"""The seconds that open requests get when the interpreter ends, and again after they are cut off."""


def _end_all() -> None:
    """End the servers that are still running when the interpreter exits: otherwise, Granian's threads panic."""
    if servers := [*_running]:
        DRAINING.give()
        for server in servers:
            server.stop_accepting()
            server.tell_to_stop()
        end = time.monotonic() + _LAST_REQUESTS
        for server in servers:
            server.stop(max(0.0, end - time.monotonic()))
        GRACE_OVER.give()
        end = time.monotonic() + _LAST_REQUESTS
        for server in servers:
            server.cut_off(max(0.0, end - time.monotonic()))
        let_threads_end()


call_first_at_exit(_end_all)
call_after_fork(_running.clear)  # their threads are in the parent process


def let_threads_end() -> None:
    """Give Granian's threads time to release Python objects, because they panic if the interpreter exits first."""
    time.sleep(_LETTING_GO)


def _worker(
    server: str, app: Any, interface: Interface, listener: socket.socket, accepts_all: bool, *options: Any
) -> Any:
    if server == "granian":
        return WorkerOnThread(app, interface, listener, *options)
    from antiphon.adapters.servers.uvicorn import WorkerOnUvicorn  # imported late: few have it

    return WorkerOnUvicorn(app, listener, accepts_all, *options[1:])


class ThreadServer:
    """An application served over WSGI, ASGI or RSGI, on the thread that calls ``run`` or on its own thread.

    The ``server`` is "granian", or "uvicorn" for ASGI.

    ``threads`` is the number of WSGI requests to handle at once; ``tls`` contains the paths of a certificate and its
    key, in PEM format; ``connections`` is the number of connections to accept, by default as many as the process's
    descriptors allow. ``accepts_all`` has Uvicorn accept all connections that wait at once, as Granian always does.
    """

    def __init__(
        self,
        app: Any,
        interface: Interface,
        listener: socket.socket,
        *,
        threads: int = 1,
        tls: tuple[Path, Path] | None = None,
        connections: int = 0,
        server: Literal["granian", "uvicorn"] = "granian",
        accepts_all: bool = False,
    ) -> None:
        self._address = listener.getsockname()
        self._worker = _worker(server, app, interface, listener, accepts_all, threads, tls, connections)
        self._ended = Event()
        self._error: BaseException | None = None

    def run(self) -> None:
        """Serve on this thread until ``stop`` is called and open requests have been handled.

        Raises the error of the application's startup. If an ASGI lifespan fails to start, logs its error and raises
        SystemExit.
        """
        try:
            self._serve()
        finally:
            self._ended.set()

    def _serve(self) -> None:
        _running.add(self)
        try:
            self._worker.run()
        except BaseException as error:
            self._error = error  # before the socket is closed: a closed socket looks like a taken one
            raise
        finally:
            _running.discard(self)
            self._worker.socket.close_unless_taken()

    def start(self) -> None:
        """Serve on a separate thread. Returns when connections are accepted. Raises StartupError."""
        Thread(target=self._serve_on_own_thread, name="antiphon-server", daemon=True).start()
        pause = _FIRST_LOOK
        while not (self._worker.socket.is_taken or self._ended.wait(pause)):
            pause = min(2 * pause, _LAST_LOOK)
        if self._error is not None:
            raise StartupError(repr(self._error)) from self._error

    def _serve_on_own_thread(self) -> None:
        with suppress(BaseException):  # ``start`` raises it
            self._serve()
        let_threads_end()
        self._ended.set()

    def stop(self, within: float | None = None) -> bool:
        """Accept no more connections and wait until open requests have been handled.

        Waits at most ``within`` seconds. Returns True if all requests were handled by then. You can call it again.
        """
        self.tell_to_stop()
        return self._ended.wait(within)

    def cut_off(self, within: float) -> bool:
        """Close the connections that are still open and wait until their requests have ended.

        Waits at most ``within`` seconds. Returns True if all had ended by then.
        """
        with suppress(NotImplementedError):
            close_accepted(self._address)
        return self.stop(within)

    def stop_accepting(self, within: float = 0.0) -> None:
        """Accept no new connections, and serve the open ones, until ``stop`` is called.

        Waits at most ``within`` seconds until waiting connections are accepted. The listening socket stays open in
        other processes that share it.
        """
        self._worker.socket.stop_accepting(within)

    def tell_to_stop(self) -> None:
        """Tell the server to stop, without waiting. Signal handlers can call it."""
        self._worker.end()


class LoopServer:
    """An ASGI application served by a task on the running loop, starting immediately."""

    let_threads_end = staticmethod(let_threads_end)

    def __init__(self, app: Any, listener: socket.socket) -> None:
        listener.setblocking(True)
        self._app, self._address = app, listener.getsockname()
        self._refusal: object = None
        self.has_ended = False
        """True once the server has stopped with all requests handled, or its task was cancelled or has failed."""
        self._worker = WorkerOnLoop(self._call, listener)
        self._worker.task.add_done_callback(self._release)

    def _call(self, scope: Any, receive: Any, send: Any) -> Any:
        """Call the application, and record why its lifespan fails to start: Granian only logs that."""
        if scope["type"] != "lifespan":
            return self._app(scope, receive, send)

        async def send_and_note(message: Any) -> None:
            if message["type"] == "lifespan.startup.failed":
                self._refusal = message.get("message")
            await send(message)

        return self._app(scope, receive, send_and_note)

    def on_end(self, function: Callable[[], object]) -> None:
        """Call a function on the loop when the server has ended."""
        self._worker.task.add_done_callback(lambda _: function())

    async def wait_started(self) -> None:
        """Wait until connections are accepted or the server has ended. Raises StartupError."""
        pause = _FIRST_LOOK
        while not (self.has_ended or self._worker.socket.is_taken):
            await asyncio.wait({self._worker.task}, timeout=pause)
            pause = min(2 * pause, _LAST_LOOK)
        self.check()

    def check(self) -> None:
        """Raise StartupError if the application failed to start."""
        task = self._worker.task
        if task.done() and not task.cancelled() and task.exception() is not None:
            raise StartupError(self._refusal or task.exception()) from task.exception()

    def stop(self) -> None:
        """Accept no more connections and end when open requests have been handled. You can call it again."""
        self._worker.end()

    def cut_off(self, *, drop_unsent: bool = False) -> None:
        """Close all connections. Data that was already sent still arrives, unless it is dropped. Call ``stop`` first.

        Raises NotImplementedError if the system can't list a process's connections.
        """
        close_accepted(self._address, drop_unsent=drop_unsent)

    def _release(self, _: object) -> None:
        self.has_ended = True  # not earlier: once this is True, the address must be free
        self._worker.socket.close_unless_taken()
        self._worker.abandon()  # its threads may still handle requests when its loop ends
