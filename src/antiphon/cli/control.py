"""The connection of a worker to its supervisor: reports in one direction, and its end, which ends the worker."""

import json
import socket
from contextlib import suppress
from typing import Any, Literal, TypeAlias

from antiphon.cli.interface import Choice

INHERITED = "ANTIPHON_WORKER"
"""The environment variable that makes a process a worker: the file descriptors that it inherits, by number."""

REPLACED = b"r"
"""The word of a supervisor to a worker that has a successor."""
Order: TypeAlias = dict[Literal["load", "show", "page"], str]
"""What a worker is to do that was started ahead: load a target, or show the report of a failure, and a page on it."""


class Control:
    """The worker's end of the connection. Its methods may be called on any thread."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def report_serving(self, choice: Choice) -> None:
        """Say that the application has started, and is served from now on."""
        self._report({"serves": choice})

    def report_failure(self, message: str, exit_code: int, page: str = "") -> None:
        """Say why the application can't be served, perhaps with a page on that."""
        self._report({"error": message, "exit_code": exit_code, "page": page})

    def report_waiting(self) -> None:
        """Say that all is ready for an order."""
        self._report({"waits": True})

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

    def wait_for_order(self) -> Order | None:
        """Wait for an order; return None if the supervisor closes its end of the connection, or dies."""
        received = b""
        with suppress(ConnectionError):
            while not received.endswith(b"\n"):
                chunk = self._connection.recv(65536)
                if not chunk:
                    return None
                received += chunk
            order: Order = json.loads(received)
            return order
        return None

    def wait_told_to_end(self) -> bool:
        """Wait until the supervisor closes its end of the connection, or dies. Return True if another worker serves."""
        try:
            return self._connection.recv(1) == REPLACED
        except ConnectionError:
            return False
