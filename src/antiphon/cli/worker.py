"""One worker of `antiphon run`: this process turns into granian's, on sockets that its supervisor opened."""

import atexit
import json
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn, cast

import granian._signals
from granian._granian import SocketHolder
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer

from antiphon.adapters.servable import Servable
from antiphon.adapters.streaming import cut_off
from antiphon.cli.errors import BadCommand
from antiphon.cli.interface import Interface, choose
from antiphon.cli.listener import BACKLOG
from antiphon.cli.target import Target

served = threading.Event()
"""Set when granian's server has ended in this process."""


def leave_last() -> None:
    """Call it before others register exit functions with `atexit`, as what is registered first runs last."""
    atexit.register(_leave)


def _leave() -> None:
    if served.is_set():
        logging.shutdown()  # registered by an import of logging, so too early to have run
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(0)


CLOSING = 0.4
"""Seconds that the bodies of streams get to be closed, when they are cut off at the end."""
WSGI_THREADS = 64
"""How many WSGI requests a worker answers at once, open streams included. Threads start when needed."""


def work(inherited: str, target: Target, asked: Interface | None, drain: float) -> NoReturn:
    """Serve `target` until the supervisor closes its end of `control`, and `drain` seconds longer if need be.

    `inherited` names two open file descriptors: `listener,control`.
    """
    listener, control = (socket.socket(fileno=int(number)) for number in inherited.split(","))
    for descriptor in (listener, control):
        descriptor.set_inheritable(False)
    _leave_ctrl_c_to_the_supervisor()
    loaded: list[object] = []
    end = threading.Thread(target=_end_when_told, args=(control, drain, threading.get_ident(), loaded), daemon=True)
    end.start()
    try:
        app: Any = target.load(asked)
        loaded.append(app)
    except BadCommand as error:
        _report(control, {"error": error.message})
        sys.exit(error.exit_code)
    choice = choose(app, asked)
    _report(control, choice._asdict())
    logging.getLogger("_granian").addHandler(logging.StreamHandler())
    _ThisProcess(choice.interface, listener).serve(target_loader=lambda: app, wrap_loader=False)
    raise AssertionError("granian's worker neither served nor failed")


def _report(control: socket.socket, report: dict[str, Any]) -> None:
    control.sendall(json.dumps(report).encode() + b"\n")


def _leave_ctrl_c_to_the_supervisor() -> None:
    # A handler, where SIG_IGN would do, because the programs that the application starts would inherit that.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    # Granian's server would take Ctrl-C for its own end, and hangs when it is asked to end a third time.
    granian._signals._get_signals = lambda: [signal.SIGTERM]  # noqa: SLF001


def _end_when_told(control: socket.socket, drain: float, main_thread: int, loaded: list[object]) -> None:
    """The supervisor closes its end of `control` to end the worker; when it dies the kernel does so."""
    control.recv(1)
    # A signal to the process may reach a thread of the server's, and then the main thread sleeps on.
    signal.pthread_kill(main_thread, signal.SIGTERM)
    time.sleep(drain)
    with suppress(Exception):
        cut_off(CLOSING)
    for app in loaded:
        if isinstance(app, Servable):  # what it holds is let go
            with suppress(Exception):
                app.stop_on_thread()
    os.kill(os.getpid(), signal.SIGKILL)


class _ThisProcess(MPServer):
    """Granian's server with this very process as its one worker, on a socket that is open already.

    By itself granian forks its workers, and opens sockets that share their port by SO_REUSEPORT.
    """

    _shd: Any

    def __init__(self, interface: Interface, listener: socket.socket) -> None:
        super().__init__(
            "",
            interface=Interfaces(interface),
            blocking_threads=WSGI_THREADS if interface == "wsgi" else 1,
            backlog=BACKLOG,
            websockets=False,
            log_level=LogLevels.error,
            # "incremental" keeps logging.config from closing the handlers that the application has opened.
            log_dictconfig={"incremental": True, "handlers": {}},
        )
        self._listener = listener

    def _init_shared_socket(self) -> None:
        # Granian's stub shows no parameters; there are fd, is_uds, and where listen() comes late, a backlog.
        holder = cast("Callable[..., SocketHolder]", SocketHolder)
        backlog = (BACKLOG,) if sys.platform.startswith(("linux", "freebsd")) else ()
        is_unix = self._listener.family == socket.AF_UNIX
        self._ssp = self._sso = None
        self._shd = holder(self._listener.detach(), is_unix, *backlog)

    def _spawn_worker(self, *args: Any, **kwargs: Any) -> NoReturn:
        super()._spawn_worker(*args, **kwargs).inner.run()
        served.set()
        sys.exit()
