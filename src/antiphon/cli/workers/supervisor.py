"""The supervisor of `antiphon run`, which keeps a worker running in each slot and handles signals.

The supervisor distinguishes workers that fail from workers that may have been killed by a request. A worker that had
received a request when it ended is replaced immediately, as many times as necessary, so no client can end the server. A
worker fails if it can't serve, or if it ends within `WINDOW` without having received a request. The next one is then
started after a pause; after several failures the server exits, unless workers in other slots are healthy.
"""

import asyncio
import signal
import socket
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from antiphon.cli.errors import CommandError, Refused, StartTimeout, WorkerEnded, WorkerKilled
from antiphon.cli.interface import Choice
from antiphon.cli.listener import Balance
from antiphon.cli.workers.options import ServerOptions, serve_at
from antiphon.cli.workers.process import Launch, PrestartedWorkers, WorkerProcess

_ECHO = 0.5
"""Seconds within which a second signal is an echo: programs like `npm` pass on a Ctrl-C that arrives directly, too."""


class Signals:
    """Signal handlers on the running loop.

    They call `end` at the first signal that ends the server, `kill` at the next one unless it is an echo, and `restart`
    at SIGUSR2.
    """

    def __init__(self, end: Callable[[], object], kill: Callable[[], object], restart: Callable[[], object]) -> None:
        self.exit_code = 0
        """The exit code of the server: 0, or 128 plus the number of the signal that called `kill`."""
        self._first: float | None = None
        self._end = end
        self._kill = kill
        self._loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # as set by nohup
                self._loop.add_signal_handler(number, self._on_end, number)
        self._loop.add_signal_handler(signal.SIGUSR2, restart)

    def _on_end(self, number: int) -> None:
        now = self._loop.time()
        if self._first is None:
            self._first = now
            self._end()
        elif now - self._first > _ECHO:
            self.exit_code = 128 + number
            self._kill()


RESTARTS = 5
"""How many failed workers in a row to replace in a slot if no other slot has a healthy worker."""
WINDOW = 30.0
"""Seconds after which a worker is considered healthy even if it has not received a request."""
PAUSE = 0.05
"""Seconds before a worker is replaced, doubled after each failed worker in a row.

At Ctrl-C, workers may end before their supervisor receives the signal.
"""
LONGEST_PAUSE = 5.0
"""The maximum pause in seconds."""


def pause_after(failures: int) -> float:
    """Return the number of seconds to wait before the next start after a number of consecutive failures."""
    return min(PAUSE * 2.0 ** min(failures, 9), LONGEST_PAUSE)  # thousands in a row would overflow


class Workers(Protocol):
    """An object that starts and ends workers for slots."""

    @property
    def warn(self) -> Callable[[str], object]:
        """The function that prints a line about a problem."""
        ...

    async def start(self, index: int) -> WorkerProcess:
        """Return a new worker that is serving at a listener. Raises a `CommandError` if none can serve."""
        ...

    async def start_at_once(self, index: int) -> WorkerProcess:
        """Return a worker that is serving, preferably a prestarted one. Raises the same errors as `start`."""
        ...

    def retire(self, worker: WorkerProcess) -> None:
        """End a worker that has a successor."""
        ...

    def are_sound_elsewhere(self, slot: "WorkerSlot") -> bool:
        """Return True if any other slot has a healthy worker."""
        ...

    def do(self, coroutine: Coroutine[Any, Any, None]) -> object:
        """Run a coroutine until the server ends. A `CommandError` that it raises ends the server."""
        ...


class WorkerSlot:
    """A slot for one worker at a time, at the listener with an index."""

    def __init__(self, workers: Workers, index: int) -> None:
        self._workers = workers
        self._index = index
        self._worker: WorkerProcess | None = None
        self._is_being_replaced = asyncio.Lock()
        self._failures = 0
        """The number of workers that have failed in a row in this slot."""
        self._grown = 0
        """The number of workers in a row that had too much memory within `WINDOW`."""

    @property
    def is_sound(self) -> bool:
        """True if this slot's worker is running and, after failures in this slot, has proved that it can serve."""
        worker = self._worker
        return worker is not None and not worker.has_ended and (not self._failures or worker.has_served(WINDOW))

    @property
    def due(self) -> float | None:
        """The time by which the worker's loop has promised to turn; None if no worker is serving."""
        return None if self._worker is None else self._worker.due

    @property
    def worker(self) -> WorkerProcess:
        """The worker in this slot, which must not be empty."""
        assert self._worker is not None  # noqa: S101
        return self._worker

    async def replace(self) -> None:
        """Start a new worker in this slot, and retire the old one as soon as the new one is serving.

        Raises the error that prevents the new one from serving; the old one then stays.
        """
        async with self._is_being_replaced:
            self._give_to(await self._workers.start(self._index))

    def _give_to(self, worker: WorkerProcess) -> None:
        old, self._worker = self._worker, worker
        self._workers.do(self._keep(worker))
        if old is not None:
            self._workers.retire(old)

    async def _keep(self, worker: WorkerProcess) -> None:
        """Replace a worker when it is worn out or ends, unless something else has replaced it."""
        await worker.wait_worn()
        if worker.memory:
            self._grown = 0 if worker.seconds > WINDOW else self._grown + 1
            pause = pause_after_growth(self._grown)
            when = f" in {pause:g} s: it may leak memory, or the limit may be too low." if pause else "."
            grown = f"has {worker.memory >> 20} MiB of memory after {worker.seconds:.0f} s (--worker-memory)"
            self._workers.warn(f"Worker {worker.pid} {grown}, so it is replaced{when}")
            await worker.wait_ended(pause)
        self._workers.do(self._replace_worn(worker))
        await worker.wait_ended()
        if self._worker is worker:
            await self._replace_ended(worker)

    async def _replace_worn(self, worker: WorkerProcess) -> None:
        """Replace a worker that is still serving, unless it has already been replaced."""
        while self._worker is worker and not worker.has_ended:
            try:
                async with self._is_being_replaced:
                    if self._worker is worker:
                        self._succeed(worker, await self._workers.start(self._index))
            except CommandError as error:
                self._workers.warn(f"{error.message}\n{_can_not_replace(worker)}")
                await worker.wait_ended(WINDOW)

    async def _replace_ended(self, worker: WorkerProcess) -> None:
        """Replace a worker that has ended, even if another replacement is starting, because that one may hang."""
        self._failures = 0 if worker.has_served(WINDOW) else self._failures + 1
        reason = f"Worker {worker.pid} {worker.fate}."
        while self._worker is worker:
            if self._failures > RESTARTS and not self._workers.are_sound_elsewhere(self):
                raise WorkerEnded(f"{reason} That was failure number {self._failures} in a row, so the server ends.")
            await asyncio.sleep(pause_after(self._failures))
            if self._worker is worker:
                self._workers.warn(f"{reason} Starting another one.")
                try:
                    self._succeed(worker, await self._workers.start_at_once(self._index))
                except CommandError as error:
                    self._failures += 1
                    reason = f"{error.message}\n{_can_not_replace(worker)}"

    def _succeed(self, old: WorkerProcess, new: WorkerProcess) -> None:
        """Replace an old worker with a new one, unless the old one has already been replaced."""
        if self._worker is old:
            self._give_to(new)
        else:
            self._workers.retire(new)


def _can_not_replace(worker: WorkerProcess) -> str:
    return f"The replacement for worker {worker.pid} can't serve, as shown above."


def pause_after_growth(workers: int) -> float:
    """Return the seconds before a worker is replaced because of its memory, after this number of them in a row."""
    return 0.0 if workers < 2 else min(2.0 ** min(workers - 2, 9), WINDOW)


T = TypeVar("T")

_STARTS = 3
"""How many times a worker is started if it hangs or is killed during startup."""
_KEPT = 300.0
"""Seconds for which a prestarted worker is kept after a worker had to be replaced."""
_NOT_HTTP = b"\0\r\n\r\n"
"""A request that an HTTP server refuses with a 400 without calling the application."""


class Supervisor:
    """The workers on one listening socket, or on one each.

    `run` starts them, replaces workers that end on their own, and ends them all when `end` is called or a signal
    arrives. `restart` replaces them all while they are serving. `announce` is called once, when all of them are
    serving. `launch` starts a worker's process. The supervisor closes the listeners.
    """

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        options: ServerOptions,
        announce: Callable[[Choice | None], object],
        launch: Launch,
    ) -> None:
        self._listeners = listeners
        self._launch = launch
        self._options = options
        self._announce = announce
        self.warn = options.logs.warn
        self._slots = [WorkerSlot(self, number % len(listeners)) for number in range(options.workers)]
        self._balance = Balance(listeners, self._slots)
        self._workers: set[WorkerProcess] = set()
        """All workers that have not ended: starting, serving, or already replaced."""
        self._prestarted = PrestartedWorkers(self._spawn)
        self._prestarting: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_told_to_end = asyncio.Event()
        self._failure: BaseException | None = None
        self._has_started = asyncio.Event()
        self._is_restarting = asyncio.Lock()
        self._is_restart_wanted = False
        self._is_waiting_told = False

    async def run(self) -> int:
        """Serve until SIGINT, SIGTERM or SIGHUP.

        Open requests then get their grace period, unless there is a second signal.

        Returns the exit code: 0, or 128 plus the number of the second signal. If workers fail repeatedly, ends the
        remaining workers, too, and raises `WorkerEnded`. Raises `BadCommand` or `StartupFailed` if the application
        can't be loaded or started.
        """
        signals = Signals(self.end, self._kill_all, lambda: self.do(self._restart_and_tell()))
        self.do(self._serve())
        if len(self._listeners) > 1:
            self.do(self._balance.keep())
        if self._options.tls is not None:
            self.do(self._restart_when_renewed(self._options.tls))
        await self._is_told_to_end.wait()
        await self._end_all()
        if self._failure is not None:
            raise self._failure
        return signals.exit_code

    def end(self) -> None:
        """Make `run` end the workers and return."""
        self._is_told_to_end.set()

    async def restart(self) -> None:
        """Replace the workers one after another: each new worker is serving before the old one is told to end.

        No request is lost. If a new worker can't serve, raises `BadCommand`, `StartupFailed` or `WorkerEnded`, and the
        old workers continue.
        """
        self._stop_prestarting()
        self._prestarted.kill()  # these have loaded the old code
        for slot in self._slots:
            await slot.replace()

    async def _restart_and_tell(self) -> None:
        """Restart the workers and report the outcome. Requests made during a restart lead to only one more restart."""
        if self._is_restarting.locked() or not self._has_started.is_set():
            self.warn(f"{self._what_is_starting()} The workers will be restarted after that.")
        if self._is_restart_wanted:
            return
        self._is_restart_wanted = True
        async with self._is_restarting:
            await self._has_started.wait()
            self._is_restart_wanted = False
            self.warn("The workers are replaced, one after another.")
            try:
                await self.restart()
            except CommandError as error:
                self.warn(f"The old workers continue, since a new one can't serve: {error.message}")
            else:
                self.warn("All workers were replaced.")

    async def _restart_when_renewed(self, files: tuple[str, str]) -> None:
        """Replace the workers each time the certificate was renewed: they have read the old one."""
        from antiphon.cli.certificates import explain_untimely, renewals  # imported late: few have a certificate

        if untimely := explain_untimely(files[0]):
            self.warn(untimely)
        async for reason in renewals(files):
            if reason:
                self.warn(f"The certificate and its key have changed, and new workers will wait, since {reason}.")
                continue
            self.warn(" ".join(filter(None, ["The certificate has changed.", explain_untimely(files[0])])))
            await self._restart_and_tell()

    def _what_is_starting(self) -> str:
        """Return a sentence about the worker that has been starting the longest."""
        starting = [worker for worker in self._workers if not (worker.serves or worker.is_prestarted)]
        if not starting:
            return "A worker is about to be started."
        worker = max(starting, key=lambda each: each.seconds)
        return f"Worker {worker.pid} has been starting for {worker.seconds:.0f} s."

    async def _serve(self) -> None:
        """Start the workers and announce them. Their slots keep them running."""
        await run_all(slot.replace() for slot in self._slots)
        self._has_started.set()
        await self._announce_all()

    async def _announce_all(self) -> None:
        """Call `announce` once connections are accepted, with the choice reported by a worker."""
        reader, writer = await _connect(self._listeners[0])
        writer.write(_NOT_HTTP)
        with suppress(ConnectionError):
            await reader.read(1)  # a refusal, or over TLS perhaps the end
            self._announce(await self._first_choice())
        writer.close()

    async def _first_choice(self) -> Choice | None:
        return await self._slots[0].worker.wait_serving()

    async def start(self, index: int) -> WorkerProcess:
        """Return a new worker that is serving, restarting it if it hangs or is killed. Raises the last error."""
        for number in range(1, _STARTS):
            try:
                return await self._put_to_work(await self._spawn(), index)
            except WorkerKilled as error:
                await asyncio.sleep(pause_after(number))
                hint = " If it needs more time, raise --start-timeout." if isinstance(error, StartTimeout) else ""
                self.warn(f"{error.message} Starting another one.{hint}")
        return await self._put_to_work(await self._spawn(), index)

    async def start_at_once(self, index: int) -> WorkerProcess:
        """Return a worker that is serving, a prestarted one if possible, and prestart another one.

        Raises the error that prevents it from serving.
        """
        worker = await self._put_to_work(await self._prestarted.take(), index)
        self._stop_prestarting()
        self._prestarting = self.do(self._prestart())
        return worker

    async def _prestart(self) -> None:
        """Prestart a worker. Kill it if no worker needs a replacement for a while."""
        try:
            await self._prestarted.fill(1)
        except CommandError as error:
            self.warn(f"{error.message}\nNo worker is prestarted, so the next replacement will take longer.")
        await asyncio.sleep(_KEPT)
        self._prestarted.kill()

    def _stop_prestarting(self) -> None:
        if self._prestarting is not None:
            self._prestarting.cancel()

    async def _put_to_work(self, worker: WorkerProcess, index: int) -> WorkerProcess:
        """Tell a worker to serve, and return it once it is serving. Raises the error that prevents it from serving."""
        await self._wait_for_files()
        await worker.give(serve_at(index))
        await worker.wait_serving()
        self._balance.look()
        return worker

    async def _wait_for_files(self) -> None:
        """Wait until a new worker can use the certificate and its key, if there are any, and tell why it has to."""
        if (files := self._options.tls) is None:
            return
        from antiphon.cli.certificates import explain_unusable, wait_usable  # imported late, as above

        if not (reason := explain_unusable(*files)):
            return
        if not self._is_waiting_told:
            self._is_waiting_told = True
            self.warn(f"A new worker waits for a certificate and a key that it can use, since {reason}.")
        await wait_usable(files)
        self._is_waiting_told = False

    async def _spawn(self) -> WorkerProcess:
        worker = await WorkerProcess.start(self._listeners, self._launch, self._balance.has_turned)
        self._workers.add(worker)
        self.do(self._forget(worker))
        if self._options.start_timeout:
            self.do(worker.end_when_late(self._options.start_timeout))
        if self._options.worker_timeout:
            self.do(worker.end_when_silent(self._options.worker_timeout, self.warn))
        return worker

    async def _forget(self, worker: WorkerProcess) -> None:
        await worker.wait_ended()
        self._workers.discard(worker)
        self._balance.look()

    def retire(self, worker: WorkerProcess) -> None:
        """End a worker that has a successor."""
        self.do(worker.end(self._options.grace, self.warn, is_replaced=True))

    def are_sound_elsewhere(self, slot: WorkerSlot) -> bool:
        """Return True if any other slot has a healthy worker."""
        return any(each.is_sound for each in self._slots if each is not slot)

    async def _end_all(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._prestarted.kill()
        seconds = self._options.drain_delay + self._options.grace
        ending = [worker.end(seconds, self.warn) for worker in self._workers]
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*ending)

    def _kill_all(self) -> None:
        for worker in self._workers:
            worker.kill()

    def do(self, coroutine: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Run a coroutine as a task until the workers end, and end them if it raises an error."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._take_in_end)
        return task

    def _take_in_end(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = self._failure or error
            self.end()


async def run_all(coroutines: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run coroutines until all have returned or one has raised an error, which is re-raised."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


async def _connect(listener: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if listener.family != socket.AF_UNIX:
        host, port = listener.getsockname()[:2]
        return await asyncio.open_connection(host, port)
    path = listener.getsockname()
    try:
        return await asyncio.open_unix_connection(path)
    except OSError as error:  # it was removed, or its permissions exclude the server itself
        raise Refused(f"The server can't connect to {path}: {error.strerror}.") from None
