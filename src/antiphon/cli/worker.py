"""One worker of `antiphon run`: a process that serves the application, on a socket that its supervisor opened."""

import gc
import json
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from threading import Thread
from typing import Any

from antiphon.adapters.servable import Servable
from antiphon.adapters.streaming import cut_off
from antiphon.cli.errors import BadCommand
from antiphon.cli.interface import Choice, choose
from antiphon.cli.target import Target
from antiphon.serving.embedded import ThreadServer

CLOSING = 0.4
"""Seconds that the bodies of streams get to be closed, when they are cut off at the end."""
WSGI_THREADS = 64
"""How many WSGI requests a worker answers at once, open streams included. Threads start when needed."""


def work(inherited: str, target: Target, requested: Choice | None, drain: float) -> None:
    """Serve `target` until the supervisor closes its end of `control`, and `drain` seconds longer if need be.

    `inherited` names two open file descriptors: `listener,control`.
    """
    listener, control = (socket.socket(fileno=int(number)) for number in inherited.split(","))
    for descriptor in (listener, control):
        descriptor.set_inheritable(False)
    _leave_signals_to_the_supervisor()
    worker = _Worker(control, drain)
    Thread(target=worker.end_when_told, daemon=True).start()
    worker.serve(target, requested, listener)


class _Worker:
    """The application and the server of this process, and its connection to the supervisor."""

    def __init__(self, control: socket.socket, drain: float) -> None:
        self._control = control
        self._drain = drain
        self._app: Any = None
        self._server: ThreadServer | None = None

    def serve(self, target: Target, requested: Choice | None, listener: socket.socket) -> None:
        """Load the application, report its interface or its error, and serve it on this thread."""
        try:
            self._app = target.load(requested)
        except BadCommand as error:
            self._report({"error": error.message})
            sys.exit(error.exit_code)
        choice = choose(self._app, requested)
        self._report(choice._asdict())
        threads = WSGI_THREADS if choice.interface == "wsgi" else 1
        self._server = server = ThreadServer(self._app, choice.interface, listener, threads=threads)
        signal.signal(signal.SIGTERM, lambda *_: server.tell_to_stop())
        server.run()
        gc.disable()  # it would report the tasks that the application has left, though the process ends now

    def end_when_told(self) -> None:
        """Wait until the supervisor closes its end of the connection, or dies, and end the process in time."""
        self._control.recv(1)
        if self._server is not None:
            self._server.tell_to_stop()
            time.sleep(self._drain)  # after the last request the main thread ends the process before that
            with suppress(Exception):
                cut_off(CLOSING)
            if isinstance(self._app, Servable):  # what it holds is let go
                with suppress(Exception):
                    self._app.stop_on_thread()
        os.kill(os.getpid(), signal.SIGKILL)

    def _report(self, report: dict[str, Any]) -> None:
        self._control.sendall(json.dumps(report).encode() + b"\n")


def _leave_signals_to_the_supervisor() -> None:
    """Do nothing at the signals of a terminal: it sends them to every process, and the supervisor ends the workers.

    They get handlers, where SIG_IGN would do, because the programs that the application starts would inherit that.
    """
    signal.signal(signal.SIGINT, lambda *_: None)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as nohup leaves it
        signal.signal(signal.SIGHUP, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
