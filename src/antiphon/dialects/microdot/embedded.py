"""Granian in this process, on a socket that is open already."""

import asyncio
import os
import socket
from contextlib import suppress
from functools import partial
from typing import Any

from granian._granian import SocketHolder
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.embed import Server


class OnSocket(Server):
    """A server of one ASGI application on a socket that listens already, and that it closes."""

    _fd = _inode = -1

    def __init__(self, app: Any, listener: socket.socket, backlog: int) -> None:
        self._listener = listener
        super().__init__(
            app,
            interface=Interfaces.ASGI,
            websockets=False,
            backlog=backlog,
            log_level=LogLevels.critical,
            log_dictconfig={"incremental": True, "handlers": {}},
        )

    def release(self) -> None:
        """Let go of the socket, and of threads that still answer on a loop that ends."""
        self._listener.close()
        if self._has_left_it():
            socket.close(self._fd)
        workers: list[Any] = self.wrks
        for worker in workers:
            if not worker.interrupt_by_parent:
                worker._sig.add_cb(bool)  # noqa: SLF001 - nobody waits for them any more
                worker.terminate()

    async def _stop_workers(self) -> None:
        workers: list[Any] = self.wrks
        for worker in workers:  # not later: its thread holds a lock that add_cb takes
            worker._sig.add_cb(partial(_tell, worker._task))  # noqa: SLF001
        await super()._stop_workers()  # type: ignore[no-untyped-call]

    def _init_shared_socket(self) -> None:
        holder: Any = SocketHolder
        self._ssp = self._sso = None
        self._fd = self._listener.detach()
        self._inode = os.fstat(self._fd).st_ino
        self._shd = holder(self._fd, False, self.backlog)

    def _has_left_it(self) -> bool:
        """Whether Granian's threads, which close the socket, have not begun: they make it non-blocking first."""
        with suppress(OSError):
            return os.fstat(self._fd).st_ino == self._inode and os.get_blocking(self._fd)
        return False


def _tell(task: "asyncio.Task[None]") -> None:
    """Tell a task, on another thread, that Granian's threads have ended. Its loop may have ended too."""
    with suppress(RuntimeError):
        task.get_loop().call_soon_threadsafe(_wake, task)


def _wake(task: Any) -> None:
    """Give a task what it waits for, unless it was cancelled: Granian's own callback would fail then."""
    waited = task._fut_waiter  # noqa: SLF001 - Granian tells nobody else of it
    if waited is not None and not waited.done():
        waited.set_result(None)
