"""The place of one worker, of which a server has as many as it was asked for. Whoever leaves it gets a successor."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

from click import ClickException

from antiphon.cli.errors import WorkerEnded
from antiphon.cli.interface import Choice
from antiphon.cli.worker_process import WorkerProcess

RESTARTS = 5
"""How many workers that ended by themselves are replaced in a slot, within `WINDOW`."""
WINDOW = 30.0
"""Seconds."""
PAUSE = 0.2
"""Seconds before a worker is replaced, and as many more each time within `WINDOW`. At Ctrl-C, workers may end before
their supervisor knows.
"""


class Slot:
    """The place of one worker.

    `start` returns a worker that serves, or raises a `ClickException`. `retire` ends one that has a successor. `warn`
    prints a line.
    """

    def __init__(
        self,
        start: Callable[[], Awaitable[WorkerProcess]],
        retire: Callable[[WorkerProcess], object],
        warn: Callable[[str], object],
    ) -> None:
        self._start = start
        self._retire = retire
        self._warn = warn
        self._worker: WorkerProcess | None = None
        self._is_being_replaced = asyncio.Lock()
        self._ends: deque[float] = deque()
        """When workers have ended by themselves, within `WINDOW`."""

    async def replace(self) -> None:
        """Have a new worker take this place, and retire the old one as soon as the new one serves.

        Raises what keeps the new one from serving; the old one stays then.
        """
        await self._replace(self._worker)

    async def _replace(self, worker: WorkerProcess | None) -> None:
        """Replace a worker, unless that has been done already."""
        async with self._is_being_replaced:
            if self._worker is not worker:
                return
            self._worker = await self._start()
            if worker is not None:
                self._retire(worker)

    async def choice(self) -> Choice:
        """Return the interface that the worker in this place has chosen."""
        assert self._worker is not None  # noqa: S101 - it has been started
        return await self._worker.wait_serving()

    async def keep(self) -> None:
        """Replace the worker whenever it ends or is worn. Raises `WorkerEnded` if that has been done too often."""
        while (worker := self._worker) is not None:
            await worker.wait_done()
            while self._worker is worker:
                if worker.has_ended:
                    await self._replace_ended(worker)
                else:
                    await self._replace_worn(worker)

    async def _replace_ended(self, worker: WorkerProcess) -> None:
        reason = f"Worker {worker.pid} {worker.fate}."
        while self._worker is worker:
            await asyncio.sleep(self._pause_after(reason))
            self._warn(f"{reason} Another one takes its place.")
            try:
                await self._replace(worker)
            except ClickException as error:
                reason = (
                    f"{error.message}\nA worker that was to replace worker {worker.pid} can't serve, as shown above."
                )

    async def _replace_worn(self, worker: WorkerProcess) -> None:
        try:
            await self._replace(worker)
        except ClickException as error:
            self._warn(
                f"{error.message}\nA worker that was to replace worker {worker.pid} can't serve, as shown above."
            )
            await worker.wait_ended(WINDOW)

    def _pause_after(self, reason: str) -> float:
        """Count the end of a worker, and return the pause before the next one. Raises `WorkerEnded` after too many."""
        now = time.monotonic()
        while self._ends and self._ends[0] < now - WINDOW:
            self._ends.popleft()
        self._ends.append(now)
        if len(self._ends) > RESTARTS:
            raise WorkerEnded(f"{reason} That was number {len(self._ends)} in {WINDOW:g} seconds, so the server ends.")
        return PAUSE * len(self._ends)
