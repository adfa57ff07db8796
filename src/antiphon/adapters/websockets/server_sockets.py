"""The sockets of WSGI servers: the servers that hand theirs out, how many they have threads for, and when they stop."""

import _thread
import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context
from functools import cache
from types import BuiltinFunctionType
from typing import TYPE_CHECKING, Any

from antiphon.adapters.connection import is_gevents
from antiphon.concurrency.process import DRAINING, call_first_at_exit, wait_sockets_closed
from antiphon.concurrency.timers import PerLoop
from antiphon.http.errors import HTTPError, NotImplementedByServer
from antiphon.http.limits import NO_BOUND

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

LOOK = 0.25
"""Seconds between two checks whether the server stops."""
LAST_ENDS = 1.0
"""The most seconds for the ends of sockets to be sent when the interpreter ends."""


def obstacle_of(environ: "WSGIEnvironment", connection: socket.socket) -> HTTPError | None:
    """Return the error for a handshake that can't be accepted on this connection; None if it can be."""
    if hasattr(connection, "getpeercert"):
        return NotImplementedByServer("Over WSGI, there are no WebSockets if the server itself has TLS.")
    if not most_sockets(environ):
        return NotImplementedByServer(
            "There are no WebSockets if a server has one thread, or gevent without its monkey patch."
        )
    return None


def most_sockets(environ: "WSGIEnvironment") -> int:
    """Return how many sockets may be open in this process: each occupies a server thread, and one is left free."""
    if not isinstance(_thread.start_new_thread, BuiltinFunctionType):
        return NO_BOUND  # gevent has patched it: a thread is a greenlet
    if is_gevents(environ) or not environ.get("wsgi.multithread"):
        return 0
    worker = _gunicorn_worker()
    return worker.cfg.threads - 1 if hasattr(worker, "tpool") else NO_BOUND


def _gunicorn_worker() -> Any:
    """Return the worker of Gunicorn that this process is, or None. Its method is the handler of SIGTERM."""
    worker = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return worker if hasattr(worker, "alive") and hasattr(worker, "cfg") else None


class OpenSockets:
    """The open sockets of one background loop. While there are any, the loop checks whether the server stops."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.count = 0
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Count a socket as open."""
        self.count += 1
        _drain_at_exit()
        self._look_soon()
        try:
            yield
        finally:
            self.count -= 1

    def _look_soon(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(LOOK, self._look, context=Context())

    def _look(self) -> None:
        """Drain if Gunicorn's worker stops: it does not announce that, but waits for all threads."""
        self._timer = None
        worker = _gunicorn_worker()
        if worker is not None and not worker.alive:
            DRAINING.give()
        elif self.count:
            self._look_soon()


_open: PerLoop[OpenSockets] = PerLoop()


def open_sockets() -> OpenSockets:
    """Return the open sockets of the running loop."""
    loop = asyncio.get_running_loop()
    found = _open.get(loop)
    if found is None:
        found = OpenSockets(loop)
        _open.keep(loop, found)
    return found


@cache
def _drain_at_exit() -> None:
    """End the sockets that are open when the interpreter ends, for example after Ctrl-C."""
    call_first_at_exit(_drain)


def _drain() -> None:
    DRAINING.give()
    wait_sockets_closed(LAST_ENDS)
