"""A worker of `antiphon run` as its supervisor sees it: a process with a heartbeat, to be started and ended."""

import asyncio
import importlib
import json
import os
import re
import signal
import socket
import sys
import time
from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from inspect import CO_COROUTINE
from ipaddress import ip_address
from math import inf
from threading import Thread, get_ident
from types import FrameType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from antiphon.cli.errors import BadCommand, CommandError, StartTimeout, StartupFailed, WorkerEnded, WorkerKilled
from antiphon.cli.interface import Choice
from antiphon.cli.target import Target
from antiphon.cli.workers.options import INHERITED, REPLACED, STACKS, TOLD, Control, Order, encoded
from antiphon.concurrency.workers import workers

if TYPE_CHECKING:
    from antiphon.cli.workers.unloaded import Report


BEATS = 4
"""The number of missed heartbeats after which a worker is considered hanging."""


def beat_on_thread(beat: Callable[[], object], pause: float) -> None:
    """Call ``beat`` every ``pause`` seconds on a separate thread, except while a call in C holds the GIL."""

    def beat_for_ever() -> None:
        while True:
            beat()
            time.sleep(pause)

    Thread(target=beat_for_ever, name="antiphon-heartbeat", daemon=True).start()


class Progress:
    """The progress of an event loop, as seen by another thread.

    An overloaded loop may need a long time for one pass, in which it runs a step of each ready task. The loop therefore
    makes progress if it has begun another pass, is running another task, or has started to handle another request. It
    also makes progress if worker threads have made calls, since the loop may have to wait for these.
    ``before_next_request`` calls a function once, when the next request arrives.
    """

    def __init__(self, loop: AbstractEventLoop, before_next_request: Callable[[Callable[[], None]], object]) -> None:
        self._loop = loop
        self._before_next_request = before_next_request
        self._thread = get_ident()
        self._has_passed = True
        self._is_asked = True
        self._step: FrameType | None = None
        self._calls = workers.finished

    def is_made(self) -> bool:
        """Return True if the loop has made progress since the last call. Raises RuntimeError once it is closed."""
        step = None if self._has_passed else current_step(self._thread)
        calls = workers.finished
        is_made = self._has_passed or self._is_asked or step is not self._step or calls != self._calls
        self._step, self._calls = step, calls
        if self._has_passed:
            self._has_passed = False
            self._loop.call_soon_threadsafe(self._pass)
        elif self._is_asked:  # not earlier, so that requests before it cost nothing
            self._is_asked = False
            self._before_next_request(self._ask)
        return is_made

    def _pass(self) -> None:
        self._has_passed = True

    def _ask(self) -> None:
        self._is_asked = True


def current_step(thread: int) -> FrameType | None:
    """Return the frame of the task that a thread is running, or None if it is running no task.

    A loop runs one step of each task in a pass, so the same frame in the same pass is the same step. The frame itself
    is returned, not its id, since another frame could reuse its place in memory.
    """
    frame, outermost = sys._current_frames().get(thread), None  # noqa: SLF001 - public, and documented
    while frame is not None:
        if frame.f_code.co_flags & CO_COROUTINE:
            outermost = frame
        frame = frame.f_back
    return outermost


def beat_while_progressing(progress: Progress, beat: Callable[[], object], pause: float) -> None:
    """Call ``beat`` every ``pause`` seconds on a separate thread while there is progress, until the loop is closed."""

    def beat_until_closed() -> None:
        while True:
            try:
                if progress.is_made():
                    beat()
            except RuntimeError:
                return
            time.sleep(pause)

    Thread(target=beat_until_closed, name="antiphon-heartbeat", daemon=True).start()


SHUTDOWN = 2.0
"""Seconds after the grace period for a worker to cut off open streams and shut the application down."""

_DYING = 2.0
"""The number of seconds that a hanging worker gets to print where it hangs before it is killed."""
_WRITING = 0.2
"""The number of seconds that it then gets to print where its tasks are waiting; a thread must be running for this."""
_LOOKS = 20
"""How many times the supervisor checks within the time limit whether a worker has started."""


class ChildProcess(Protocol):
    """A process started by this one."""

    @property
    def pid(self) -> int:
        """The process ID."""
        ...

    @property
    def returncode(self) -> int | None:
        """The exit code, or the negative number of the signal that ended the process; None while it is running."""
        ...

    async def wait(self) -> int:
        """Wait until the process has ended; return its exit code."""
        ...


Launch: TypeAlias = Callable[..., Awaitable[ChildProcess]]
"""A function that launches a worker with file descriptors: the listeners, and the worker's end of the connection."""


def by_command(told: str) -> Launch:
    """Return a function that launches the command of this process again.

    ``told`` is the parsed command line, so that the worker need not parse it.
    """

    async def launch(*inherited: int) -> ChildProcess:
        environment = {**os.environ, INHERITED: ",".join(map(str, inherited)), TOLD: told}
        return await asyncio.create_subprocess_exec(
            sys.executable, *sys.orig_argv[1:], pass_fds=inherited, env=environment
        )

    return launch


def killed_for_memory() -> int:
    """Return how many processes of this control group the kernel has killed for lack of memory; 0 if unknown."""
    with suppress(OSError), open("/proc/self/cgroup") as groups:
        for controllers, path in [line.rstrip().split(":", 2)[1:] for line in groups]:
            name = {"": "memory.events", "memory": "memory.oom_control"}.get(controllers)  # of versions 2 and 1
            for folder in (path, "") if name else ():  # a container may see its own folder as the root
                with suppress(OSError), open(f"/sys/fs/cgroup/{controllers}{folder}/{name}") as events:
                    if found := re.search(r"^oom_kill (\d+)", events.read(), re.MULTILINE):
                        return int(found[1])
    return 0


class WorkerProcess:
    """A worker that was started. It reports its state, and ends on its own or when told to."""

    _killed = killed_for_memory()
    """The number of workers and other processes that the kernel had killed by the last time that a worker was."""

    def __init__(self, process: ChildProcess, control: socket.socket, has_turned: Callable[[float], object]) -> None:
        control.setblocking(False)
        loop = asyncio.get_running_loop()
        self._process = process
        self._control = control
        self._serving: asyncio.Future[Choice] = loop.create_future()
        self._waiting: asyncio.Future[None] = loop.create_future()
        self._is_worn = asyncio.Event()
        self.memory = 0
        """The bytes of memory because of which the worker has asked for a successor; 0 for another reason."""
        self._has_closed = asyncio.Event()
        self._is_told_to_end = False
        self._orders_waited_for = 0
        self._orders_given = 0
        self._began = time.monotonic()
        """The time when it was told to serve, later the time when it began to serve."""
        self._was_asked = False
        self._beats_left_out = 0
        self._has_turned = has_turned
        self._due = inf
        self._silence = ""
        self._lacked_memory = False
        self._received = b""
        self._ended = loop.create_task(self._take_in_reports())

    @classmethod
    async def start(
        cls, listeners: Sequence[socket.socket], launch: Launch, has_turned: Callable[[float], object]
    ) -> "WorkerProcess":
        """Launch a process as a worker on one of these listening sockets.

        ``has_turned`` is called with each promise of its loop: the time by which it turns again.
        """
        control, remote = socket.socketpair()
        with remote:
            # Blocked until the worker has its handler, since Ctrl-C during Python's startup would print a traceback.
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                process = await launch(*(each.fileno() for each in listeners), remote.fileno())
            except BaseException:
                control.close()
                raise
            finally:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        return cls(process, control, has_turned)

    @property
    def pid(self) -> int:
        """The process ID."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """True once the process has ended."""
        return self._process.returncode is not None

    @property
    def serves(self) -> bool:
        """True once the worker has reported that it is serving."""
        return self._serving.done() and self._serving.exception() is None

    @property
    def due(self) -> float | None:
        """The time by which the worker's loop has promised to turn; None if the worker is not serving."""
        return self._due if self.serves and not (self.has_ended or self._is_told_to_end) else None

    @property
    def fate(self) -> str:
        """How the process ended, as the end of a sentence."""
        if self._silence:  # the exit code may be that of a crash while Python prints where its threads are
            return f"{self._silence}, and was ended"
        if self._lacked_memory:
            return "was killed by the kernel, since its control group, such as a container, had no memory left"
        code = self._process.returncode or 0
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    @property
    def is_prestarted(self) -> bool:
        """True if the worker is waiting for its first order, or will be."""
        return not self._orders_given

    @property
    def seconds(self) -> float:
        """The number of seconds since it began to serve or, until then, since it was told to."""
        return time.monotonic() - self._began

    def has_served(self, window: float) -> bool:
        """Return True if the worker has received a request, or has been serving for `window` seconds."""
        return self._was_asked or (self.serves and self.seconds > window)

    async def give(self, order: Order) -> None:
        """Give the worker an order, which it executes when ready."""
        self._orders_given += 1
        self._began = time.monotonic()
        await self._tell(order)

    async def _tell(self, order: Order) -> None:
        with suppress(OSError):  # the worker has ended, which waiting for it will show
            await asyncio.get_running_loop().sock_sendall(self._control, encoded(order))

    async def wait_serving(self) -> Choice:
        """Wait until the worker is serving; return the interface that it chose.

        Raises the error that it reports, or `WorkerEnded`.
        """
        return await asyncio.shield(self._serving)

    async def wait_waiting(self) -> None:
        """Wait until the worker is ready for an order. Raises the error that prevents this."""
        either: list[asyncio.Future[Any]] = [self._serving, self._waiting]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not self._waiting.done():
            await self.wait_serving()

    async def wait_worn(self) -> None:
        """Wait until the worker asks for a successor or has ended."""
        await self._wait_for(self._is_worn, None)

    async def wait_closed(self, timeout: float) -> None:
        """Wait until the worker no longer accepts connections or has ended, for at most `timeout` seconds."""
        await self._wait_for(self._has_closed, timeout)

    async def _wait_for(self, event: asyncio.Event, timeout: float | None) -> None:
        """Wait for an event or the end of the process."""
        told = asyncio.ensure_future(event.wait())
        try:
            await asyncio.wait([self._ended, told], timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            told.cancel()

    async def wait_ended(self, timeout: float | None = None) -> None:
        """Wait until the process has ended, for at most `timeout` seconds."""
        await asyncio.wait([self._ended], timeout=timeout)

    async def end(self, grace: float, warn: Callable[[str], object], *, is_replaced: bool = False) -> None:
        """Tell the worker to end, wait until it has ended, and kill it when its time is up, with a warning."""
        if not self._is_told_to_end:
            self._is_told_to_end = True
            with suppress(OSError):  # it is gone
                if is_replaced:
                    self._control.send(encoded(REPLACED))
                self._control.shutdown(socket.SHUT_WR)
        await self.wait_ended(grace + SHUTDOWN)
        if self.serves and not self.has_ended:  # a call may block all its threads, so it can't name its requests
            warn(f"Worker {self.pid} did not end within {grace + SHUTDOWN:g} s, so it is killed with its requests.")
        self.kill()
        await self.wait_ended()

    def kill(self) -> None:
        """Kill the worker, unless it has ended."""
        self._send(signal.SIGKILL)

    async def end_when_silent(self, seconds: float, warn: Callable[[str], object]) -> None:
        """Watch the worker until it has ended or is told to end.

        End it when it has been silent for `seconds`. This method counts the seconds itself, so a supervisor that was
        paused does not consider its workers dead.
        """
        await asyncio.wait([self._serving])
        while not (self.has_ended or self._is_told_to_end):
            await self.wait_ended(seconds / BEATS)
            self._beats_left_out += 1
            if self._beats_left_out > BEATS and not self._is_told_to_end:
                silence = f"did not respond for {seconds:g} seconds (--worker-timeout)"
                warn(f"Worker {self.pid} {silence}. It is ended, and prints where it hangs:")
                await self._end_hanging(silence)
                return

    async def end_when_late(self, seconds: float) -> None:
        """Watch the worker until it is serving.

        End it if this takes longer than `seconds`. They are counted as in `end_when_silent`, without the time during
        which the worker waits for an order.
        """
        looks = 0
        while looks < _LOOKS:
            await asyncio.wait([self._serving], timeout=seconds / _LOOKS)
            if self._serving.done() or self._is_told_to_end:
                return
            looks += self._orders_given >= self._orders_waited_for
        await self._end_hanging(f"did not serve within {seconds:g} seconds (--start-timeout)")

    async def _end_hanging(self, silence: str) -> None:
        """Make the worker print where its threads are, and its tasks if a thread is still running; then kill it."""
        self._silence = silence
        await self._tell(STACKS)
        await self.wait_ended(_WRITING)
        self._send(signal.SIGABRT)  # at this signal, Python prints where its threads are
        await self.wait_ended(_DYING)
        self.kill()

    def _send(self, number: signal.Signals) -> None:
        if not self.has_ended:
            # Process.kill() reaps a dead process, which its watcher then misses and logs.
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def _take_in_reports(self) -> None:
        """Process reports until the process has ended."""
        with self._control:
            loop = asyncio.get_running_loop()
            loop.add_reader(self._control, self._receive)
            await self._process.wait()  # processes forked by the worker may keep the connection open
            while self._receive():
                pass
            loop.remove_reader(self._control)
        if self._process.returncode == -signal.SIGKILL and (killed := killed_for_memory()) > self._killed:
            WorkerProcess._killed, self._lacked_memory = killed, True
        if not self._serving.done():
            late = StartTimeout(f"Worker {self.pid} {self.fate}.")
            kind = WorkerKilled if (self._process.returncode or 0) < 0 else WorkerEnded
            self._fail(late if self._silence else kind(f"A worker {self.fate} before it served."))

    def _receive(self) -> bool:
        """Process the reports that have arrived. Return False if there were none."""
        try:
            chunk = self._control.recv(65536)
        except (BlockingIOError, ConnectionError):
            return False
        if not chunk:
            asyncio.get_running_loop().remove_reader(self._control)
            return False
        *lines, self._received = (self._received + chunk).split(b"\n")
        for line in lines:
            self._take_in(json.loads(line))
        return True

    def _take_in(self, report: dict[str, Any]) -> None:
        self._beats_left_out = 0
        if "turns" in report:
            self._due = time.monotonic() + report["turns"]
            self._has_turned(self._due)
        elif "worn" in report:
            self.memory = report["worn"]
            self._is_worn.set()
        elif "closed" in report:
            self._has_closed.set()
        elif "asked" in report:
            self._was_asked = True
        elif "waits" in report:
            self._orders_waited_for += 1
            if not self._waiting.done():
                self._waiting.set_result(None)
        elif "serves" in report:
            self._began = time.monotonic()
            self._serving.set_result(Choice(*report["serves"]))
        elif "error" in report:
            kind = BadCommand if report["exit_code"] == BadCommand.exit_code else StartupFailed
            error = kind(report["error"])
            error.page = report["page"]
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self._serving.set_exception(error)
        self._serving.exception()  # perhaps nothing waits for it


class PrestartedWorkers:
    """Workers that `spawn` started, until they are taken."""

    def __init__(self, spawn: Callable[[], Awaitable[WorkerProcess]]) -> None:
        self._spawn = spawn
        self._workers: list[WorkerProcess] = []

    async def fill(self, number: int) -> None:
        """Start workers until there are ``number`` of them, and return when the last one is ready for an order.

        Raises a `CommandError` with the reason why a worker can't be prestarted.
        """
        self._workers = [worker for worker in self._workers if not worker.has_ended]
        while len(self._workers) < number:
            worker = await self._spawn()
            self._workers.append(worker)
            try:
                await worker.wait_waiting()  # one after another, so that the first one is soon ready
            except CommandError:
                if worker in self._workers:  # neither killed nor taken in the meantime
                    self._workers.remove(worker)
                    raise

    async def take(self) -> WorkerProcess:
        """Take the worker that was started first, even if it isn't ready yet; start one if there is none."""
        while self._workers:
            worker = self._workers.pop(0)
            if not worker.has_ended:
                return worker
        return await self._spawn()

    def kill(self) -> None:
        """Kill the workers, which have no requests to finish."""
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.kill()


def wait_for_target(control: Control, listener: socket.socket) -> "Target | Report":
    """Wait in a worker for the order to load a target or to show a report."""
    from antiphon.cli.workers.unloaded import Report  # imported late: the supervisor does not need it

    order = control.wait_for_order()
    importlib.invalidate_caches()  # modules may have been added
    if "load" in order:
        return Target.parse(order["load"])
    return Report(order["show"], order["page"], _is_for_loopback(listener))


def _is_for_loopback(listener: socket.socket) -> bool:
    """Return True if only this machine can connect; False for unix sockets, which may be behind a proxy."""
    return listener.family != socket.AF_UNIX and ip_address(listener.getsockname()[0]).is_loopback
