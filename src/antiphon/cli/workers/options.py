"""The data that a worker gets from its supervisor: the server's options, and the connection for orders and reports.

The supervisor ends the worker by closing the connection.
"""

import json
import socket
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from antiphon.cli.errors import BadCommand
from antiphon.cli.interface import Choice, spoken_interface
from antiphon.cli.logs import Logs

if TYPE_CHECKING:
    from antiphon.app.application import App


class Guards(NamedTuple):
    """Checks for requests before they reach a program, and headers for its responses."""

    trusted_hosts: tuple[str, ...] = ()
    refuse_cross_site: bool = False
    max_body: int | None = None
    """The maximum size of a body in bytes; None leaves that to the program."""
    security_headers: bool = False

    def around(self, program: Any, requested: Choice | None, name: str) -> "App":
        """Return an application that passes to a program only what these guards accept. Error messages use ``name``.

        With ``max_body``, bodies are received before the program is called; without it, the program receives them.

        Raises BadCommand for an Antiphon App, which has its own settings, and for a program that speaks only RSGI.
        """
        from antiphon.app.application import App  # imported late: the supervisor does not need them
        from antiphon.features.security_headers import SecurityHeaders
        from antiphon.http.limits import Limits

        if isinstance(program, App):
            raise BadCommand(f"{name} is an Antiphon App, which has its own guards: {self._in_code()}.")
        interface = spoken_interface(program, requested)
        if interface == "rsgi":
            raise BadCommand(f"{name} speaks only RSGI, but guards need WSGI or ASGI.")
        app = App(trusted_hosts=self.trusted_hosts, cross_site_writes=not self.refuse_cross_site)
        if self.security_headers:
            app.use(SecurityHeaders())
        if self.max_body is None:
            app.mount("", program, interface=interface, receive="stream")
        else:
            app.mount("", program, interface=interface, limits=Limits(body=self.max_body))
        app._freeze()
        return app

    def _in_code(self) -> str:
        """Return the equivalent code for an App."""
        settings = [f"trusted_hosts={[*self.trusted_hosts]}"] if self.trusted_hosts else []
        if self.max_body is not None:
            settings.append(f"limits=Limits(body={self.max_body})")
        statements = [f"App({', '.join(settings)})"] if settings else []
        if self.security_headers:
            statements.append("app.use(SecurityHeaders())")
        return f"write {' and '.join(statements)}" if statements else "it refuses writes from other sites by default"


NO_GUARDS = Guards()


RELOAD_GRACE = 2.0
"""The maximum number of seconds that open requests get to finish when a file has changed."""


class ServerOptions(NamedTuple):
    """The number of workers, their time limits, what they show, and what they refuse. Times are in seconds."""

    workers: int = 1
    server: Literal["granian", "uvicorn"] = "granian"
    grace: float = 30.0
    """The time that open requests get when their worker ends."""
    worker_timeout: float = 30.0
    """The time after which a silent worker is replaced; 0 means never."""
    start_timeout: float = 60.0
    """The time after which a worker that isn't serving yet is killed and replaced; 0 means never."""
    queue_timeout: float = 0.0
    """How long clients wait for a response; 0 if unknown."""
    max_requests: int = 0
    """The number of requests after which a worker is replaced; 0 means never."""
    max_connections: int = 0
    """The number of connections, and of requests, that a worker has open at once; 0 means what descriptors allow."""
    worker_memory: int = 0
    """The number of bytes of resident memory above which a worker is replaced; 0 means never."""
    tls: tuple[str, str] | None = None
    """The paths of a certificate and its key, in PEM; None means without TLS."""
    drain_delay: float = 0.0
    """How long requests are still accepted after the server has been told to end and reports that it is draining."""
    debug: bool = False
    """True if errors are shown on a page with the code and its values."""
    logs: Logs = Logs()
    """The settings of the workers' logs."""
    guards: Guards = NO_GUARDS
    """The guards around a program of another library."""
    dialects: tuple[str, ...] = ()
    """The dialects that are installed before the program is loaded."""
    is_for_production: bool = False
    """True if the application is refused if it isn't ready for production."""
    preloads: bool = False
    """True if the program is loaded once and workers are forks of the process that loaded it."""
    is_reloaded: bool = False
    """True if workers are reloaded when files have changed."""

    def for_reloading(self) -> "ServerOptions":
        """Return the options for workers that are ended when a file changes and may be paused in a debugger."""
        grace = min(self.grace, RELOAD_GRACE)
        return self._replace(
            grace=grace,
            worker_timeout=0,
            start_timeout=0,
            max_requests=0,
            worker_memory=0,
            drain_delay=0,
            is_reloaded=True,
        )


INHERITED = "_ANTIPHON_INHERITED"
"""The environment variable that makes a process a worker: the file descriptors that it inherits.

Names that begin with ANTIPHON_ are settings.
"""
TOLD = "_ANTIPHON_TOLD"
"""The environment variable that contains the parsed command line as JSON."""

Order: TypeAlias = dict[Literal["load", "show", "page", "serve", "stacks", "replaced"], str]
"""An order to a worker: load a target, show a failure's report and page, serve what is loaded at the listener with this
index, print where tasks are waiting, or end because another worker is serving.
"""
STACKS: Order = {"stacks": ""}
REPLACED: Order = {"replaced": ""}


def serve_at(index: int) -> Order:
    """Return the order to serve what is loaded at a listener."""
    return {"serve": str(index)}


def encoded(order: Order) -> bytes:
    """Return an order in the form in which it is sent."""
    return json.dumps(order).encode() + b"\n"


class Control:
    """The worker's end of the connection. Its methods may be called on any thread."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._orders: SimpleQueue[Order] = SimpleQueue()

    def report_serving(self, choice: Choice) -> None:
        """Report that the application has started and is now being served."""
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

    def report_worn(self, memory: int = 0) -> None:
        """Request a successor, which should serve before this worker ends; because of its memory, tell its bytes."""
        self._report({"worn": memory})

    def beat(self) -> None:
        """Report that this worker is alive, without waiting for a supervisor that doesn't read reports."""
        self._report_now(b"{}\n")

    def promise_turn(self, within: float) -> None:
        """Promise that the loop turns again within some seconds, without waiting, as in ``beat``."""
        self._report_now(b'{"turns":%g}\n' % within)

    def _report_now(self, line: bytes) -> None:
        with suppress(OSError):
            self._connection.send(line, socket.MSG_DONTWAIT)

    def _report(self, report: dict[str, Any]) -> None:
        with suppress(ConnectionError):  # the supervisor was killed
            self._connection.sendall(json.dumps(report).encode() + b"\n")

    def wait_for_order(self) -> Order:
        """Report that this worker is ready for the next order and wait for it."""
        self._report({"waits": True})
        return self._orders.get()

    def wait_told_to_end(self, write_stacks: Callable[[], object]) -> bool:
        """Process orders until the supervisor closes its end of the connection or dies.

        Calls `write_stacks` for an order to write stacks. Returns True if another worker is serving.
        """
        with suppress(ConnectionError, ValueError), self._connection.makefile("rb") as lines:  # or half a line
            for line in lines:
                order: Order = json.loads(line)
                if "replaced" in order:
                    return True
                write_stacks() if "stacks" in order else self._orders.put(order)
        return False
