"""The supervisor of `antiphon run`, which keeps workers on a listening socket, and always ends them."""

import asyncio
import socket
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any, TypeVar

from antiphon.cli.control import SERVE
from antiphon.cli.errors import CommandError, Refused, StartTimeout
from antiphon.cli.interface import Choice
from antiphon.cli.prestarted_worker import PrestartedWorkers
from antiphon.cli.server_options import ServerOptions
from antiphon.cli.signals import Signals
from antiphon.cli.worker_process import Launch, WorkerProcess
from antiphon.cli.worker_slot import WorkerSlot, pause_after

T = TypeVar("T")

_STARTS = 3
"""How many times a worker that hangs is started again."""
_KEPT = 300.0
"""Seconds for which a prestarted worker is kept after a worker had to be replaced."""
_NOT_HTTP = b"\0\r\n\r\n"
"""A request that an HTTP server answers itself, with a 400, without calling the application."""


class Supervisor:
    """The workers on one listening socket.

    `run` starts them, replaces those that end on their own, and ends them all when `end` is called or a signal arrives.
    `restart` replaces them all while they serve. `announce` is called once, when all serve. `launch` starts the process
    of a worker. The supervisor closes the listener.
    """

    def __init__(
        self,
        listener: socket.socket,
        options: ServerOptions,
        announce: Callable[[Choice | None], object],
        launch: Launch,
    ) -> None:
        self._listener = listener
        self._launch = launch
        self._options = options
        self._announce = announce
        self.warn = options.logs.warn
        self._slots = [WorkerSlot(self) for _ in range(options.workers)]
        self._workers: set[WorkerProcess] = set()
        """All workers that have not ended: those that are starting, that serve, and that have a successor."""
        self._prestarted = PrestartedWorkers(self._spawn)
        self._prestarting: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_told_to_end = asyncio.Event()
        self._failure: BaseException | None = None
        self._has_started = asyncio.Event()
        self._is_restarting = asyncio.Lock()
        self._is_restart_wanted = False

    async def run(self) -> int:
        """Serve until SIGINT, SIGTERM or SIGHUP. Open requests then get their grace, unless there is a second signal.

        Returns the exit code: 0, or 128 plus the number of the second signal. If workers fail repeatedly, ends the
        others, too, and raises `WorkerEnded`. Raises `BadCommand` or `StartupFailed` if the application can't be loaded
        or started.
        """
        signals = Signals(self.end, self._kill_all, lambda: self.do(self._restart_and_tell()))
        self.do(self._serve())
        await self._is_told_to_end.wait()
        await self._end_all()
        if self._failure is not None:
            raise self._failure
        return signals.exit_code

    def end(self) -> None:
        """Make `run` end the workers and return."""
        self._is_told_to_end.set()

    async def restart(self) -> None:
        """Replace the workers, one after the other: each new one serves before the old one is told to end.

        No request is lost. If a new worker can't serve, raises `BadCommand`, `StartupFailed` or `WorkerEnded`, and the
        old workers continue.
        """
        self._stop_prestarting()
        self._prestarted.kill()  # it has loaded the old code
        for slot in self._slots:
            await slot.replace()

    async def _restart_and_tell(self) -> None:
        """Restart, once more if a restart is requested during a restart, and report the outcome."""
        if self._is_restarting.locked() or not self._has_started.is_set():
            self.warn(f"{self._what_is_starting()} The workers will be restarted after that.")
        if self._is_restart_wanted:
            return
        self._is_restart_wanted = True
        async with self._is_restarting:
            await self._has_started.wait()
            self._is_restart_wanted = False
            try:
                await self.restart()
            except CommandError as error:
                self.warn(f"The old workers continue, since a new one can't serve: {error.message}")
            else:
                self.warn("All workers were replaced.")

    def _what_is_starting(self) -> str:
        """Return a sentence about the worker that has been starting for the longest time."""
        starting = [worker for worker in self._workers if not (worker.serves or worker.is_prestarted)]
        if not starting:
            return "A worker is about to be started."
        worker = max(starting, key=lambda each: each.seconds)
        return f"Worker {worker.pid} has been starting for {worker.seconds:.0f} s."

    async def _serve(self) -> None:
        """Start the workers, and announce them. Their slots keep them running."""
        await run_all(slot.replace() for slot in self._slots)
        self._has_started.set()
        await self._announce_all()

    async def _announce_all(self) -> None:
        """Call `announce` once connections are answered, with the choice that a worker has reported."""
        reader, writer = await _connect(self._listener)
        writer.write(_NOT_HTTP)
        with suppress(ConnectionError):
            if await reader.read(1):
                self._announce(await self._first_choice())
        writer.close()

    async def _first_choice(self) -> Choice | None:
        return await self._slots[0].worker.wait_serving()

    async def start(self) -> WorkerProcess:
        """Return a new worker that serves. A worker that hangs is started again first. Raises the error otherwise."""
        for number in range(1, _STARTS):
            try:
                return await self._put_to_work(await self._spawn())
            except StartTimeout as error:
                self.warn(f"{error.message} Starting another one. If it needs more time, raise --start-timeout.")
                await asyncio.sleep(pause_after(number))
        return await self._put_to_work(await self._spawn())

    async def start_at_once(self) -> WorkerProcess:
        """Return a worker that serves: a prestarted one if there is one. A new one is then prestarted.

        Raises the error that prevents it from serving.
        """
        worker = await self._put_to_work(await self._prestarted.take())
        self._stop_prestarting()
        self._prestarting = self.do(self._prestart())
        return worker

    async def _prestart(self) -> None:
        """Prestart a worker, and keep it until no worker has had to be replaced for a while."""
        try:
            await self._prestarted.fill(1)
        except CommandError as error:
            self.warn(f"{error.message}\nNo worker is prestarted, so the next replacement will take longer.")
        await asyncio.sleep(_KEPT)
        self._prestarted.kill()

    def _stop_prestarting(self) -> None:
        if self._prestarting is not None:
            self._prestarting.cancel()

    async def _put_to_work(self, worker: WorkerProcess) -> WorkerProcess:
        """Tell a worker to serve, and return it when it does. Raises the error that prevents it from serving."""
        await worker.give(SERVE)
        await worker.wait_serving()
        return worker

    async def _spawn(self) -> WorkerProcess:
        worker = await WorkerProcess.start(self._listener, self._launch)
        self._workers.add(worker)
        self.do(self._forget(worker))
        if self._options.start_timeout:
            self.do(worker.end_when_late(self._options.start_timeout))
        if self._options.worker_timeout:
            self.do(worker.end_when_silent(self._options.worker_timeout))
        return worker

    async def _forget(self, worker: WorkerProcess) -> None:
        await worker.wait_ended()
        self._workers.discard(worker)

    def retire(self, worker: WorkerProcess) -> None:
        """End a worker that has a successor."""
        self.do(worker.end(self._options.grace, is_replaced=True))

    def are_sound_elsewhere(self, slot: WorkerSlot) -> bool:
        """Return True if any other slot has a sound worker."""
        return any(each.is_sound for each in self._slots if each is not slot)

    async def _end_all(self) -> None:
        self._listener.close()
        self._prestarted.kill()
        seconds = self._options.drain_delay + self._options.grace
        ending = [worker.end(seconds) for worker in self._workers]
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*ending)

    def _kill_all(self) -> None:
        for worker in self._workers:
            worker.kill()

    def do(self, coroutine: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Run a coroutine as a task until the workers are ended, and end them if it raises an error."""
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
    """Run coroutines until all have returned, or until one has raised an error, which is raised again."""
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
