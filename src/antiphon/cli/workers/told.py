"""What a worker is told by its supervisor, and serving as it, in a process of its own or a fork."""

import atexit
import json
import logging
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Event
from typing import NamedTuple

from antiphon.cli.entry import importing
from antiphon.cli.errors import StartupFailed
from antiphon.cli.interface import Choice
from antiphon.cli.logs import Logs
from antiphon.cli.target import Target
from antiphon.cli.workers.options import Control, Guards, ServerOptions


class Told(NamedTuple):
    """The data from the command line that a worker needs."""

    target: Target
    requested: Choice | None
    options: ServerOptions
    is_for_loopback: bool
    """True if only this machine can connect."""

    @classmethod
    def parse(cls, text: str) -> "Told":
        """Parse the output of `encoded`."""
        target, requested, values, is_for_loopback = json.loads(text)
        hosts, *others = values["guards"]
        options = ServerOptions(
            **{**values, "logs": Logs(*values["logs"]), "guards": Guards(tuple(hosts), *others)}
        )._replace(dialects=tuple(values["dialects"]), tls=values["tls"] and tuple(values["tls"]))
        return cls(Target.parse(target), requested and Choice(*requested), options, is_for_loopback)

    def encoded(self) -> str:
        """Return the data as JSON."""
        return json.dumps([str(self.target), self.requested, self.options._asdict(), self.is_for_loopback])


def serve_as_worker(inherited: str, told: Told) -> int:
    """Serve in this process. It ends without finalizing the interpreter, because Granian's threads would crash."""
    if told.options.debug:
        from antiphon.cli.debug.mode import switch_on  # imported late: it is rarely needed

        switch_on(is_for_loopback=told.is_for_loopback)
    if not told.options.preloads:
        end_without_finalizing()
    try:
        work = import_work()
    except ImportError as error:
        if error.name != "granian":
            raise
        control = socket.socket(fileno=int(inherited.rpartition(",")[2]))
        Control(control).report_failure(str(error), StartupFailed.exit_code)
        return StartupFailed.exit_code
    work(inherited, told.target, told.requested, told.options)
    _has_served.set()
    return 0


def import_work() -> Callable[..., None]:
    """Import all that a worker needs, and return its function. Raises ImportError for an incompatible Granian."""
    with importing(without=("anyio", "dotenv", "watchfiles")):  # Granian imports them for a supervisor of its own
        from antiphon.app.application import App  # imported late: this module is read before a worker is needed
        from antiphon.cli.workers.worker import work

        App()._freeze()  # this imports the rest
    return work


def end_without_finalizing() -> None:
    """Make this process end early once it has served. Call this before a program registers functions with atexit."""
    atexit.register(_leave)


_has_served = Event()


def _leave() -> None:
    if _has_served.is_set():
        logging.shutdown()  # logging registered it when it was imported, so it would run too late
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(0)
