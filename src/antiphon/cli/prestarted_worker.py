"""Workers that are started in advance: they have done the slow part of the start, and wait for an order."""

import importlib
import socket
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING

from antiphon.cli.control import Control
from antiphon.cli.errors import CommandError
from antiphon.cli.target import Target
from antiphon.cli.worker_process import WorkerProcess

if TYPE_CHECKING:
    from antiphon.cli.unloaded import Report


class PrestartedWorkers:
    """Workers that `spawn` has started, until they are taken."""

    def __init__(self, spawn: Callable[[], Awaitable[WorkerProcess]]) -> None:
        self._spawn = spawn
        self._workers: list[WorkerProcess] = []

    async def fill(self, number: int) -> None:
        """Start workers until there are ``number``, and return when the last one waits for an order.

        Raises a `CommandError` that says why a worker can't be prestarted.
        """
        self._workers = [worker for worker in self._workers if not worker.has_ended]
        while len(self._workers) < number:
            worker = await self._spawn()
            self._workers.append(worker)
            try:
                await worker.wait_waiting()  # one after the other, so that the first one is soon ready
            except CommandError:
                if worker in self._workers:  # neither killed nor taken in the meantime
                    self._workers.remove(worker)
                    raise

    async def take(self) -> WorkerProcess:
        """Take the worker that was started first, even if it is not ready yet; start one if there is none."""
        while self._workers:
            worker = self._workers.pop(0)
            if not worker.has_ended:
                return worker
        return await self._spawn()

    def kill(self) -> None:
        """Kill the workers, which have nothing to finish."""
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.kill()


def wait_for_target(control: Control, listener: socket.socket) -> "Target | Report":
    """Wait for the order to load a target, or to show a report, in a worker that may load anything."""
    from antiphon.app.application import App  # late: the supervisor does not need it
    from antiphon.cli.unloaded import Report

    App()._freeze()  # this imports the rest
    order = control.wait_for_order()
    importlib.invalidate_caches()  # there may be new modules by now
    if "load" in order:
        return Target.parse(order["load"])
    return Report(order["show"], order["page"], _is_for_loopback(listener))


def _is_for_loopback(listener: socket.socket) -> bool:
    """Return True if only this machine can connect; False for unix sockets, which may be behind a proxy."""
    return listener.family != socket.AF_UNIX and ip_address(listener.getsockname()[0]).is_loopback
