"""The connection between a worker and its supervisor: reports in one direction, orders in the other.

The supervisor ends the worker by closing the connection.
"""

import json
import socket
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Literal, TypeAlias

from antiphon.cli.interface import Choice

INHERITED = "_ANTIPHON_INHERITED"
"""The environment variable that makes a process a worker: the numbers of the file descriptors that it inherits.

Names that begin with ANTIPHON_ are settings.
"""
TOLD = "_ANTIPHON_TOLD"
"""The environment variable that contains the command line as JSON; without it, the worker parses its own."""

Order: TypeAlias = dict[Literal["load", "show", "page", "serve", "stacks", "replaced"], str]
"""An order to a worker.

It is told to load a target, to show the report of a failure with its page, to serve what is loaded, to write down where
its tasks are, or that it has a successor and ends.
"""
SERVE: Order = {"serve": ""}
STACKS: Order = {"stacks": ""}
REPLACED: Order = {"replaced": ""}


def encoded(order: Order) -> bytes:
    """Return an order in the form in which it is sent."""
    return json.dumps(order).encode() + b"\n"


class Control:
    """The worker's end of the connection. Its methods may be called on any thread."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._orders: SimpleQueue[Order] = SimpleQueue()

    def report_serving(self, choice: Choice) -> None:
        """Report that the application has started and is now served."""
        self._report({"serves": choice})

    def report_asked(self) -> None:
        """Report that the first request has arrived, before it is handled."""
        self._report({"asked": True})

    def report_failure(self, message: str, exit_code: int, page: str = "") -> None:
        """Report why the application can't be served, possibly with a page about it."""
        self._report({"error": message, "exit_code": exit_code, "page": page})

    def report_closed(self) -> None:
        """Report that this worker no longer accepts connections."""
        self._report({"closed": True})

    def report_worn(self) -> None:
        """Ask for another worker, which should serve before this one ends."""
        self._report({"worn": True})

    def beat(self) -> None:
        """Report that this worker is alive, without waiting for a supervisor that doesn't read reports."""
        with suppress(OSError):
            self._connection.send(b"{}\n", socket.MSG_DONTWAIT)

    def _report(self, report: dict[str, Any]) -> None:
        with suppress(ConnectionError):  # the supervisor was killed
            self._connection.sendall(json.dumps(report).encode() + b"\n")

    def wait_for_order(self) -> Order:
        """Report that this worker is ready for the next order, and wait for it."""
        self._report({"waits": True})
        return self._orders.get()

    def wait_told_to_end(self, write_stacks: Callable[[], object]) -> bool:
        """Process orders until the supervisor closes its end of the connection or dies.

        The order to write stacks calls `write_stacks`. Returns True if another worker serves.
        """
        with suppress(ConnectionError, ValueError), self._connection.makefile("rb") as lines:  # perhaps half a line
            for line in lines:
                order: Order = json.loads(line)
                if "replaced" in order:
                    return True
                write_stacks() if "stacks" in order else self._orders.put(order)
        return False
