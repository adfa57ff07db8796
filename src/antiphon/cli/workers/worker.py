"""A worker of `antiphon run`: a process that serves the application, and shows where it hangs."""

import asyncio
import faulthandler
import gc
import logging
import os
import random
import resource
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from types import FrameType
from typing import TYPE_CHECKING, Any

from antiphon.adapters.connection import raise_descriptor_limit
from antiphon.adapters.servable import Servable
from antiphon.adapters.servers.embedded import LOGGERS, ThreadServer
from antiphon.adapters.streaming import cut_off
from antiphon.cli.errors import BadCommand, StartupFailed
from antiphon.cli.interface import Choice, bridged, choose
from antiphon.cli.listener import promise_turns
from antiphon.cli.production import check_production, separate_memories, unknown_callers
from antiphon.cli.target import Target, explain_failure
from antiphon.cli.workers.connections import Connections, counted
from antiphon.cli.workers.loop_shedding import LoopAdmission
from antiphon.cli.workers.observed import Counted, Entrance, observed, with_final_responses
from antiphon.cli.workers.options import NO_GUARDS, Control, ServerOptions
from antiphon.cli.workers.process import BEATS, Progress, beat_on_thread, beat_while_progressing, wait_for_target
from antiphon.cli.workers.shedding import ThreadAdmission
from antiphon.concurrency.background import background_loop, started_loop
from antiphon.concurrency.process import DRAINING, GRACE_OVER, limit_exit_elsewhere, wait_sockets_closed
from antiphon.handler.contract import CLOSING
from antiphon.handler.drive import run_async

if TYPE_CHECKING:
    from antiphon.cli.workers.unloaded import Report


_ATTRIBUTES = (("cr_frame", "cr_await"), ("gi_frame", "gi_yieldfrom"), ("ag_frame", "ag_await"))
"""The attributes with the frame and the awaited object: of coroutines, generators and async generators."""


def write_stacks(loop: asyncio.AbstractEventLoop | None) -> None:
    """Write to stderr which call blocks a loop, and where each of its tasks is waiting, down to the innermost await.

    Call it on any thread.
    """
    running = asyncio.current_task(loop) if loop is not None else None
    steps = {*_frames(running.get_coro())} if running is not None else set()
    for frame in sys._current_frames().values() if steps else ():  # noqa: SLF001 - public, and documented
        if not steps.isdisjoint(each for each, _ in traceback.walk_stack(frame)):
            sys.stderr.write(f"The loop is blocked (most recent call last):\n{''.join(traceback.format_stack(frame))}")
    for task in asyncio.all_tasks(loop) if loop is not None else ():
        lines = traceback.StackSummary.extract((frame, frame.f_lineno) for frame in _frames(task.get_coro())).format()
        sys.stderr.write(f"Task {task.get_name()} waits (most recent call last):\n{''.join(lines)}")
    sys.stderr.flush()


def _frames(awaited: Any) -> Iterator[FrameType]:
    """Return the frames of a coroutine and of the objects that it awaits or drives."""
    while awaited is not None:
        for frame_of, awaited_by in _ATTRIBUTES:
            if frame := getattr(awaited, frame_of, None):
                yield frame
                awaited = getattr(awaited, awaited_by)
                if awaited is None and frame.f_code is run_async.__code__:
                    awaited = frame.f_locals["steps"]
                break
        else:
            return


TAKING_UP = 0.05
"""Seconds to accept connections when a worker ends, and then for requests to arrive on them."""
ACCEPTING = 1.0
"""The maximum number of seconds to accept connections on a busy machine if no other worker will accept them."""
SETTLING = 0.5
"""Seconds for requests to arrive if another worker is already serving, so nothing waits for this worker's end."""
RESPONDING = 0.3
"""Seconds for cancelled requests and streams to tell their clients so when a worker ends."""
CLOSING_SOCKETS = 2.0
"""The maximum number of seconds to exchange close frames on open WebSockets when a worker ends."""
LEAVING = 0.2
"""Seconds for the main thread to end the process once nothing is left to wait for."""
_MEMORY_PAUSE = 1.0
"""Seconds between two looks at the memory of a worker."""
WSGI_THREADS = 64
"""The number of WSGI requests that a worker handles at once, including open streams. Threads start when needed."""
WAITING_THREADS = 192
"""The number of further threads, on which requests wait for their turn if the worker knows how long clients do."""


def work(inherited: str, target: Target, requested: Choice | None, options: ServerOptions) -> None:
    """Serve a target, or what the supervisor orders if it reloads, until the supervisor closes its end of `control`.

    Open requests then get the grace period. `inherited` contains open file descriptors: `listener,listener,control`.
    """
    *listeners, control = (socket.socket(fileno=int(number)) for number in inherited.split(","))
    for descriptor in (*listeners, control):
        descriptor.set_inheritable(False)
    _leave_signals_to_the_supervisor()
    if not faulthandler.is_enabled():
        faulthandler.enable()  # prints where a worker hung or crashed in C
    connection = Control(control)
    worker = _Worker(connection, options)
    Thread(target=worker.end_when_told, daemon=True).start()
    limit_exit_elsewhere()  # calls get the grace period, after which the thread kills this process
    worker.serve(wait_for_target(connection, listeners[0]) if options.is_reloaded else target, requested, listeners)


class _Worker:
    """The application and the server of this process, and its connection to the supervisor."""

    _choice: Choice
    _entrance: Entrance
    _connections: Connections

    def __init__(self, control: Control, options: ServerOptions) -> None:
        self._control = control
        self._options = options
        self._app: Any = None
        self._target: Target | None = None
        """The loaded target; None if a report about a failure to load it is shown instead."""
        self._server: ThreadServer | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._has_served = Event()

    def serve(self, target: "Target | Report", requested: Choice | None, listeners: list[socket.socket]) -> None:
        """Load the application; when ordered to, start it and serve it on this thread, at one of the listeners.

        Reports the interface or the error.
        """
        if not isinstance(target, Target):  # pages poll to see whether the report is still shown
            self._options = self._options._replace(logs=self._options.logs._replace(has_access_log=False))
        else:
            self._target = target
        try:
            program = target.load(requested)
            if self._options.is_for_production:
                check_production(program, str(target), self._options, listeners[0].family == socket.AF_UNIX)
            several = self._options.workers > 1 and isinstance(target, Target)
            warnings = separate_memories(program, str(target), self._options.workers) if several else []
            self._choice = choose(program, requested)
            if self._options.guards == NO_GUARDS or not isinstance(target, Target):
                self._app = bridged(program, requested)
            else:
                self._app = self._options.guards.around(program, requested, str(target))
        except BadCommand as error:
            self._report(error)
            sys.exit(error.exit_code)
        self._options.logs.configure()
        listener = listeners[int(self._control.wait_for_order()["serve"])]
        self._is_one_of_several = len(listeners) > 1
        for other in listeners:  # otherwise, connections would wait there after the end of its own worker
            if other is not listener:
                other.close()
        for warning in [*warnings, *unknown_callers(program, listener.family == socket.AF_UNIX)]:
            logging.getLogger("antiphon").warning(warning)
        try:
            self._server = server = self._make_server(listener)
        except ImportError as error:  # an incompatible server lacks a name
            self._report(StartupFailed(str(error)))
            sys.exit(StartupFailed.exit_code)
        # The supervisor may also have received the signal, and would end this worker before replacing it.
        signal.signal(signal.SIGTERM, lambda *_: self._control.report_worn())
        if self._choice.interface == "wsgi":
            self._start_on_thread()
            _call_at_sigterm(self._control.report_worn)
        server.run()
        if self._choice.interface == "wsgi":
            self._stop_on_thread()
        self._has_served.set()
        gc.disable()  # it would report the application's unfinished tasks, although the process is ending

    def _make_server(self, listener: socket.socket) -> ThreadServer:
        interface = self._choice.interface
        raise_descriptor_limit()
        self._connections = Connections(
            listener, self._options.max_connections, closes_idle=not self._options.is_reloaded
        )
        app = self._options.logs.observe(self._app, interface)
        if self._options.debug and self._target is not None:
            from antiphon.cli.debug.requests import WithLastRequests  # imported late: it is rarely needed

            app = WithLastRequests(app, interface, self._target)
        if interface == "wsgi":
            from antiphon.adapters.foreign.wsgi import responding_to_errors

            app = responding_to_errors(app)  # dialects raise errors, too, and Granian's own 500 has no body
        app = self._entrance = with_final_responses(app, interface)
        if limit := self._options.max_requests:
            app = Counted(app, limit + random.randint(0, limit // 10), self._control.report_worn)  # noqa: S311
        app = observed(counted(app, self._app, interface, self._connections), interface, self)
        threads = self._threads if interface == "wsgi" else 1
        certificate, key = map(Path, self._options.tls) if self._options.tls else (None, None)
        tls = (certificate, key) if certificate and key else None
        return ThreadServer(
            app, interface, listener, threads=threads, tls=tls, connections=self._connections.accepted,
            server=self._options.server, accepts_all=self._sheds_load,
        )  # fmt: skip

    @property
    def _threads(self) -> int:
        """The number of the server's threads over WSGI."""
        return WSGI_THREADS + WAITING_THREADS * self._sheds_load

    @property
    def _sheds_load(self) -> bool:
        """True if requests may be refused under overload; not while the worker may be paused in a debugger."""
        return self._options.queue_timeout > 0 and not self._options.is_reloaded

    def _start_on_thread(self) -> None:
        try:
            if isinstance(self._app, Servable):
                self._app.start()
        except Exception as error:
            self.has_failed(error)
            sys.exit(StartupFailed.exit_code)
        self.has_started(None)

    def _stop_on_thread(self) -> None:
        """Shut the application down to release its resources, unless it is already shut down."""
        try:
            if isinstance(self._app, Servable):
                self._app.stop()
        except Exception as error:
            logging.getLogger("antiphon").error("the application's shutdown failed", exc_info=error)

    def is_starting(self, loop: asyncio.AbstractEventLoop) -> None:
        """Record the loop on which the application starts."""
        self._loop = loop

    def has_started(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Report that the application is being served and send heartbeats, from its loop if it has one."""
        self._entrance.call_before_next(self._control.report_asked)
        self._shed_load(loop)
        self._connections.start(self._threads, loop)
        if self._is_one_of_several:
            promise_turns(loop, self._connections.has_room, self._control.promise_turn)
        if self._options.worker_timeout:
            beat, pause = self._control.beat, self._options.worker_timeout / BEATS
            if loop is None:
                beat_on_thread(beat, pause)
            else:
                progress = Progress(loop, self._entrance.call_before_next)
                beat_while_progressing(progress, beat, pause)
        if self._options.worker_memory:
            Thread(target=self._watch_memory, name="antiphon-memory", daemon=True).start()
        if self._options.debug:
            from antiphon.cli.workers.blocking_calls import watch  # imported late: it is rarely needed

            watch(loop or background_loop().loop)
        self._control.report_serving(self._choice)

    def _watch_memory(self) -> None:
        """Ask for a successor once this process has more resident memory than allowed, unless it began with it."""
        limit = self._options.worker_memory
        if (used := resident_memory()) > limit:
            logging.getLogger("antiphon").warning(
                "A worker takes %d MiB once it serves, so --worker-memory (%d MiB) is ignored: raise it.",
                *(used >> 20, limit >> 20),
            )
            return
        while (used := resident_memory()) <= limit:
            time.sleep(_MEMORY_PAUSE)
        self._control.report_worn(used)

    def _shed_load(self, loop: asyncio.AbstractEventLoop | None) -> None:
        if not self._sheds_load:
            return
        queue_timeout = self._options.queue_timeout
        if loop is None:
            ThreadAdmission(self._entrance, self._app, queue_timeout, WSGI_THREADS, self._threads)
        else:
            LoopAdmission(self._entrance, self._app, queue_timeout, loop)

    def has_failed(self, reason: Exception | str) -> None:
        """Report why the application did not start, in place of the server."""
        if isinstance(reason, Exception):
            error = StartupFailed(explain_failure("The application's startup failed:", reason))
            error.__cause__ = reason
        else:
            error = StartupFailed(f"The application's startup failed:\n{reason}")
        self._report(error)
        self._silence_server()

    def _silence_server(self) -> None:
        logger = logging.getLogger(LOGGERS[self._options.server])
        logger.handlers[:] = [logging.NullHandler()]  # Granian's Rust code logs through child loggers of this one
        logger.propagate = False

    def _report(self, error: BadCommand | StartupFailed) -> None:
        self._control.report_failure(error.message, error.exit_code, self._page_on(error.__cause__))

    def _page_on(self, cause: BaseException | None) -> str:
        """Return a page about an error; empty if only the report or nothing is shown."""
        if cause is None or not (self._options.is_reloaded and self._options.debug):
            return ""
        from antiphon.cli.debug.page import page

        return page(cause, refreshes=True).decode()

    def end_when_told(self) -> None:
        """Wait until the supervisor closes its end of the connection or dies, and then end the process in time.

        After the last request, the main thread may end the process earlier.
        """
        is_replaced = self._control.wait_told_to_end(self._write_stacks)
        if self._server is not None:
            DRAINING.give()
            wait_sockets_closed(CLOSING_SOCKETS)  # clients must reply before Granian is stopped
            import antiphon.serialization.json  # noqa: F401 - errors may need it when there is no time for imports

            if not is_replaced:
                time.sleep(self._options.drain_delay)
            self._stop_accepting(self._server, is_replaced)
            self._server.tell_to_stop()
            time.sleep(self._options.grace)
            GRACE_OVER.give()
            with suppress(Exception):
                self._cut_off(self._server)
            self._stop_on_thread()
            self._has_served.wait(LEAVING)
            _do_within(LEAVING, logging.shutdown)
        os.kill(os.getpid(), signal.SIGKILL)

    def _write_stacks(self) -> None:
        background = started_loop()
        loop = background.loop if self._loop is None and background is not None else self._loop
        write_stacks(loop)

    def _stop_accepting(self, server: ThreadServer, is_replaced: bool) -> None:
        """Stop accepting connections. Open connections get a moment to send their requests.

        With --reload, new connections already wait for the new code, so the old worker doesn't wait for requests.
        """
        if not self._options.is_reloaded:
            time.sleep(TAKING_UP)
        server.stop_accepting(0.0 if is_replaced else ACCEPTING)
        self._control.report_closed()
        time.sleep(SETTLING if is_replaced and not self._options.is_reloaded else TAKING_UP)

    def _cut_off(self, server: ThreadServer) -> None:
        """Close streams, then connections. What was cancelled first gets a moment to send its last words."""
        time.sleep(RESPONDING)
        self._silence_server()  # errors where applications are cut off are expected
        cut_off(CLOSING)
        _do_within(LEAVING, self._connections.tell_unfinished)
        server.cut_off(LEAVING)


def resident_memory() -> int:
    """Return the bytes of memory that this process has; where the system tells only the most so far, that."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _do_within(seconds: float, write: Callable[[], None]) -> None:
    """Write log records, or those that are buffered, within a time, since nothing may be reading the output."""
    writer = Thread(target=write, daemon=True)
    writer.start()
    writer.join(seconds)


def _call_at_sigterm(function: Callable[[], object]) -> None:
    """Call a function on a thread at SIGTERM, which the main thread would miss while it waits for a lock."""
    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    signal.set_wakeup_fd(sender.detach(), warn_on_full_buffer=False)

    def wait() -> None:
        while received := receiver.recv(1):
            if received[0] == signal.SIGTERM:
                function()

    Thread(target=wait, name="antiphon-signals", daemon=True).start()


def _leave_signals_to_the_supervisor() -> None:
    """Ignore signals from the terminal, which sends them to every process: the supervisor ends the workers.

    The signals get handlers instead of SIG_IGN, which programs that the application starts would inherit.
    """
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR2):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # as set by nohup
            signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
