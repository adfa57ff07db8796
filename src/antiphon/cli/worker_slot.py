"""A slot for one of the workers of a server. A worker that ends gets a successor in its slot.

A worker that fails is distinguished from one that was killed by a request, which had received a request when it ended.
The latter is replaced immediately, as many times as necessary, so that no client can end the server. A worker fails if
it can't serve, or if it ends within `WINDOW` before it receives any request. The next one is then started after a
pause; after several failures the server ends, unless workers in other slots are sound.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from antiphon.cli.errors import CommandError, WorkerEnded
from antiphon.cli.worker_process import WorkerProcess

RESTARTS = 5
"""How many failed workers in a row are replaced in a slot, if no other slot has a sound one."""
WINDOW = 30.0
"""Seconds after which a worker counts as sound without having received a request."""
PAUSE = 0.05
"""Seconds before a worker is replaced, doubled after each failed worker in a row. At Ctrl-C, workers may end before
their supervisor learns of it.
"""
LONGEST_PAUSE = 5.0
"""The maximum of this pause, in seconds."""


def pause_after(failures: int) -> float:
    """Return the seconds to wait before the next start, after a number of failed workers in a row."""
    return min(PAUSE * 2.0**failures, LONGEST_PAUSE)


class Workers(Protocol):
    """An object that starts workers for slots, and ends them."""

    @property
    def warn(self) -> Callable[[str], object]:
        """The function that prints a line about what went wrong."""
        ...

    async def start(self) -> WorkerProcess:
        """Return a new worker that serves. Raises a `CommandError` that says why none can."""
        ...

    async def start_at_once(self) -> WorkerProcess:
        """Return a worker that serves, a prestarted one if there is one. Raises the same errors as `start`."""
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
        """True if the worker in this slot serves, and has not yet done worse than the previous one."""
        worker = self._worker
        return worker is not None and not worker.has_ended and (not self._failures or worker.has_served(WINDOW))

    @property
    def worker(self) -> WorkerProcess:
        """The worker in this slot, which must have been filled."""
        assert self._worker is not None  # noqa: S101
        return self._worker

    async def replace(self) -> None:
        """Fill this slot with a new worker, and retire the old one as soon as the new one serves.

        Raises the error that prevents the new one from serving; the old one then stays.
        """
        async with self._is_being_replaced:
            self._give_to(await self._workers.start())

    def _give_to(self, worker: WorkerProcess) -> None:
        old, self._worker = self._worker, worker
        self._workers.do(self._keep(worker))
        if old is not None:
            self._workers.retire(old)

    async def _keep(self, worker: WorkerProcess) -> None:
        """Replace a worker when it is worn or ends, unless it is replaced for another reason."""
        await worker.wait_worn()
        self._workers.do(self._replace_worn(worker))
        await worker.wait_ended()
        if self._worker is worker:
            await self._replace_ended(worker)

    async def _replace_worn(self, worker: WorkerProcess) -> None:
        """Replace a worker that still serves, unless it has already been replaced."""
        while self._worker is worker and not worker.has_ended:
            try:
                async with self._is_being_replaced:
                    if self._worker is worker:
                        self._succeed(worker, await self._workers.start())
            except CommandError as error:
                self._workers.warn(f"{error.message}\n{_can_not_replace(worker)}")
                await worker.wait_ended(WINDOW)

    async def _replace_ended(self, worker: WorkerProcess) -> None:
        """Replace a worker that is gone, even if another replacement is starting, since that one may hang."""
        self._failures = 0 if worker.has_served(WINDOW) else self._failures + 1
        reason = f"Worker {worker.pid} {worker.fate}."
        while self._worker is worker:
            if self._failures > RESTARTS and not self._workers.are_sound_elsewhere(self):
                raise WorkerEnded(f"{reason} That was failure number {self._failures} in a row, so the server ends.")
            await asyncio.sleep(pause_after(self._failures))
            if self._worker is worker:
                self._workers.warn(f"{reason} Starting another one.")
                try:
                    self._succeed(worker, await self._workers.start_at_once())
                except CommandError as error:
                    self._failures += 1
                    reason = f"{error.message}\n{_can_not_replace(worker)}"

    def _succeed(self, old: WorkerProcess, new: WorkerProcess) -> None:
        """Put a new worker in the place of an old one, unless that one has already been replaced."""
        if self._worker is old:
            self._give_to(new)
        else:
            self._workers.retire(new)


def _can_not_replace(worker: WorkerProcess) -> str:
    return f"The replacement for worker {worker.pid} can't serve, as shown above."
