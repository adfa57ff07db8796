"""One of the workers that a server was asked for: a worker that ends gets a successor in its slot.

A worker that fails is told from one that a request has killed: that one had got a request when it ended. It is replaced
at once, and as often as it takes, so that no client can end the server. A worker fails if it can't serve, or ends
before it got any request, within `WINDOW`. The next one is started after a pause then, and at last the server ends,
unless workers in other slots are sound.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from antiphon.cli.errors import CommandError, WorkerEnded
from antiphon.cli.worker_process import WorkerProcess

RESTARTS = 5
"""How many workers in a row that have failed are replaced in a slot, if no other slot has a sound one."""
WINDOW = 30.0
"""Seconds after which a worker is sound that has got no request."""
PAUSE = 0.05
"""Seconds before a worker is replaced, and twice as many after each one in a row that has failed. At Ctrl-C, workers
may end before their supervisor knows.
"""
LONGEST_PAUSE = 5.0
"""Seconds."""


def pause_after(failures: int) -> float:
    """Return the seconds to wait before the next start, after so many in a row that have failed."""
    return min(PAUSE * 2.0**failures, LONGEST_PAUSE)


class Workers(Protocol):
    """The one who starts workers for slots, and ends them."""

    @property
    def warn(self) -> Callable[[str], object]:
        """The function that prints a line about what went wrong."""
        ...

    async def start(self) -> WorkerProcess:
        """Return a new worker that serves. Raises a `CommandError` that says why none can."""
        ...

    async def start_at_once(self) -> WorkerProcess:
        """Return a worker that serves, one that was prestarted if there is one. Raises as `start`."""
        ...

    def retire(self, worker: WorkerProcess) -> None:
        """End a worker that has a successor."""
        ...

    def are_sound_elsewhere(self, slot: "WorkerSlot") -> bool:
        """Return True if any other slot has a sound worker."""
        ...

    def do(self, coroutine: Coroutine[Any, Any, None]) -> object:
        """Run a coroutine until the server ends. A `CommandError` that it raises ends the server."""
        ...


class WorkerSlot:
    """A slot for one worker at a time."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._worker: WorkerProcess | None = None
        self._is_being_replaced = asyncio.Lock()
        self._failures = 0
        """How many workers in a row have failed here."""

    @property
    def is_sound(self) -> bool:
        """True if the worker in this place serves, and is no worse than the one before."""
        worker = self._worker
        return worker is not None and not worker.has_ended and (not self._failures or worker.has_served(WINDOW))

    @property
    def worker(self) -> WorkerProcess:
        """The worker in this place, which has been filled."""
        assert self._worker is not None  # noqa: S101
        return self._worker

    async def replace(self) -> None:
        """Have a new worker take this place, and retire the old one as soon as the new one serves.

        Raises what keeps the new one from serving; the old one stays then.
        """
        async with self._is_being_replaced:
            self._give_to(await self._workers.start())

    def _give_to(self, worker: WorkerProcess) -> None:
        old, self._worker = self._worker, worker
        self._workers.do(self._keep(worker))
        if old is not None:
            self._workers.retire(old)

    async def _keep(self, worker: WorkerProcess) -> None:
        """Replace a worker when it is worn or ends, unless that is done for other reasons."""
        await worker.wait_worn()
        self._workers.do(self._replace_worn(worker))
        await worker.wait_ended()
        if self._worker is worker:
            await self._replace_ended(worker)

    async def _replace_worn(self, worker: WorkerProcess) -> None:
        """Replace a worker that still serves, unless that has been done meanwhile."""
        while self._worker is worker and not worker.has_ended:
            try:
                async with self._is_being_replaced:
                    if self._worker is worker:
                        self._succeed(worker, await self._workers.start())
            except CommandError as error:
                self._workers.warn(f"{error.message}\n{_can_not_replace(worker)}")
                await worker.wait_ended(WINDOW)

    async def _replace_ended(self, worker: WorkerProcess) -> None:
        """Replace a worker that is gone, whatever else is about to take its place: that may hang as it starts."""
        self._failures = 0 if worker.has_served(WINDOW) else self._failures + 1
        reason = f"Worker {worker.pid} {worker.fate}."
        while self._worker is worker:
            if self._failures > RESTARTS and not self._workers.are_sound_elsewhere(self):
                raise WorkerEnded(f"{reason} That was number {self._failures} in a row, so the server ends.")
            await asyncio.sleep(pause_after(self._failures))
            if self._worker is worker:
                self._workers.warn(f"{reason} Another one takes its place.")
                try:
                    self._succeed(worker, await self._workers.start_at_once())
                except CommandError as error:
                    self._failures += 1
                    reason = f"{error.message}\n{_can_not_replace(worker)}"

    def _succeed(self, old: WorkerProcess, new: WorkerProcess) -> None:
        """Have a worker take the place of another one, unless that has been done meanwhile."""
        if self._worker is old:
            self._give_to(new)
        else:
            self._workers.retire(new)


def _can_not_replace(worker: WorkerProcess) -> str:
    return f"A worker that was to replace worker {worker.pid} can't serve, as shown above."
