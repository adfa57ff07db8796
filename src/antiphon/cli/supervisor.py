"""The supervisor of `antiphon run`: it keeps workers on a listening socket, and ends them in any case."""

import asyncio
import socket
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any

from click import ClickException

from antiphon.cli.errors import Refused
from antiphon.cli.interface import Choice
from antiphon.cli.policy import Policy
from antiphon.cli.signals import Signals
from antiphon.cli.slot import Slot
from antiphon.cli.worker_process import WorkerProcess

_NOT_HTTP = b"\0\r\n\r\n"
"""A request that an HTTP server answers by itself, with a 400, without calling the application."""


class Supervisor:
    """The workers on one listening socket.

    `run` starts them, replaces those that end by themselves, and ends them all when `end` is called or a signal comes.
    `restart` replaces them all meanwhile. `announce` is called once, when all serve; `warn` prints a line about what
    went wrong. Closes the listener.
    """

    def __init__(
        self,
        listener: socket.socket,
        policy: Policy,
        announce: Callable[[Choice | None], object],
        warn: Callable[[str], object],
    ) -> None:
        self._listener = listener
        self._policy = policy
        self._announce = announce
        self._warn = warn
        self._slots = [Slot(self._start, self._retire, warn) for _ in range(policy.workers)]
        self._workers: set[WorkerProcess] = set()
        """All that have not ended: those that start, that serve, and that have a successor."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_told_to_end = asyncio.Event()
        self._is_restarting = asyncio.Lock()

    async def run(self) -> int:
        """Serve until SIGINT, SIGTERM or SIGHUP. Open requests then get their grace, or until a second signal.

        Returns the exit code: 0, or 128 plus the number of the second signal. When workers end by themselves again and
        again, ends the others, too, and raises `WorkerEnded`; `BadCommand` or `StartupFailed` if the application can't
        be loaded or started.
        """
        signals = Signals(self.end, self._kill_all, lambda: self._do(self._restart_and_tell()))
        serving = self._do(self._serve())
        ending = self._do(self._is_told_to_end.wait())
        await asyncio.wait([serving, ending], return_when=asyncio.FIRST_COMPLETED)
        await self._end_all()
        await asyncio.wait([serving])
        if not serving.cancelled():
            serving.result()
        return signals.exit_code

    def end(self) -> None:
        """Have `run` end the workers, and return."""
        self._is_told_to_end.set()

    async def restart(self) -> None:
        """Replace the workers, one after the other: each new one serves before the old one is told to end.

        No request is lost by this. Raises `BadCommand`, `StartupFailed` or `WorkerEnded` if a new worker can't serve:
        the old ones go on then.
        """
        async with self._is_restarting:
            for slot in self._slots:
                await slot.replace()

    async def _serve(self) -> None:
        """Start the workers, announce them, and keep them."""
        await run_all(slot.replace() for slot in self._slots)
        await run_all([self._announce_all(), *(slot.keep() for slot in self._slots)])

    async def _announce_all(self) -> None:
        """Call `announce` when connections are answered, with the choice that a worker has reported."""
        reader, writer = await _connect(self._listener)
        writer.write(_NOT_HTTP)
        with suppress(ConnectionError):
            if await reader.read(1):
                self._announce(await self._first_choice())
        writer.close()

    async def _first_choice(self) -> Choice | None:
        return await self._slots[0].choice()

    async def _start(self) -> WorkerProcess:
        """Start a worker, and return it when it serves. Raises what keeps it from that."""
        worker = await self._spawn()
        if self._policy.worker_timeout:
            self._do(worker.end_when_silent(self._policy.worker_timeout))
        await worker.wait_serving()
        return worker

    async def _spawn(self) -> WorkerProcess:
        worker = await WorkerProcess.start(self._listener)
        self._workers.add(worker)
        self._do(self._forget(worker))
        return worker

    async def _forget(self, worker: WorkerProcess) -> None:
        await worker.wait_ended()
        self._workers.discard(worker)

    def _retire(self, worker: WorkerProcess) -> None:
        self._do(worker.end(self._policy.grace, is_replaced=True))

    async def _restart_and_tell(self) -> None:
        try:
            await self.restart()
        except ClickException as error:
            self._warn(f"The workers go on as they are, since a new one can't serve: {error.message}")
        else:
            self._warn("All workers were replaced.")

    async def _end_all(self) -> None:
        self._listener.close()
        seconds = self._policy.drain_delay + self._policy.grace
        ending = [worker.end(seconds) for worker in self._workers]
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*ending)

    def _kill_all(self) -> None:
        for worker in self._workers:
            worker.kill()

    def _do(self, coroutine: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Run a coroutine as a task, until the workers are ended."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def run_all(coroutines: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run coroutines until all have returned, or one has raised an error, which is raised again."""
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
    except OSError as error:  # it was removed meanwhile, or its permissions shut out the server itself
        raise Refused(f"Nobody can connect to {path}: {error.strerror}.") from None
