"""The connection of a worker to its supervisor: reports in one direction; orders, and its end, in the other."""

import json
import socket
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Literal, TypeAlias

from antiphon.cli.interface import Choice

INHERITED = "ANTIPHON_WORKER"
"""The environment variable that makes a process a worker: the file descriptors that it inherits, by number."""
TOLD = "ANTIPHON_TOLD"
"""The environment variable that tells a worker what the command line says, in JSON; otherwise the worker reads that."""

Order: TypeAlias = dict[Literal["load", "show", "page", "serve", "stacks", "replaced"], str]
"""What a worker is to do next: load a target, or show the report of a failure, with a page on it; serve what it has
loaded; write down where its tasks are; or take note that it has a successor, and ends.
"""
SERVE: Order = {"serve": ""}
STACKS: Order = {"stacks": ""}
REPLACED: Order = {"replaced": ""}


def encoded(order: Order) -> bytes:
    """Return an order as it is sent."""
    return json.dumps(order).encode() + b"\n"


class Control:
    """The worker's end of the connection. Its methods may be called on any thread."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._orders: SimpleQueue[Order] = SimpleQueue()

    def report_serving(self, choice: Choice) -> None:
        """Say that the application has started, and is served from now on."""
        self._report({"serves": choice})

    def report_asked(self) -> None:
        """Say that the first request has come, before it is answered."""
        self._report({"asked": True})

    def report_failure(self, message: str, exit_code: int, page: str = "") -> None:
        """Say why the application can't be served, perhaps with a page on that."""
        self._report({"error": message, "exit_code": exit_code, "page": page})

    def report_closed(self) -> None:
        """Say that this worker takes no new connection any more."""
        self._report({"closed": True})

    def report_worn(self) -> None:
        """Ask for another worker, which is to serve before this one ends."""
        self._report({"worn": True})

    def beat(self) -> None:
        """Say that this worker is alive. A supervisor that doesn't read is not waited for."""
        with suppress(OSError):
            self._connection.send(b"{}\n", socket.MSG_DONTWAIT)

    def _report(self, report: dict[str, Any]) -> None:
        with suppress(ConnectionError):  # the supervisor was killed
            self._connection.sendall(json.dumps(report).encode() + b"\n")

    def wait_for_order(self) -> Order:
        """Say that all is ready for the next order, and wait for it."""
        self._report({"waits": True})
        return self._orders.get()

    def wait_told_to_end(self, write_stacks: Callable[[], object]) -> bool:
        """Take in orders until the supervisor closes its end of the connection, or dies.

        `write_stacks` is called when that is ordered. Returns True if another worker serves.
        """
        with suppress(ConnectionError, ValueError), self._connection.makefile("rb") as lines:  # perhaps half a line
            for line in lines:
                order: Order = json.loads(line)
                if "replaced" in order:
                    return True
                write_stacks() if "stacks" in order else self._orders.put(order)
        return False
