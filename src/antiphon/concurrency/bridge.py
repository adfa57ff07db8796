"""Iterators between threads and loops: a thread iterates an async iterable, and a loop iterates a blocking one."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import Future
from contextvars import Context
from itertools import islice
from typing import Generic, NoReturn, TypeVar

from antiphon.concurrency.background import background_loop
from antiphon.concurrency.calls import Threads
from antiphon.concurrency.crossing import Crossing
from antiphon.concurrency.iterables import aclose, close_of

T = TypeVar("T")


class SyncFromAsync(Generic[T]):
    """An iterator for a thread over an async iterable, which runs in one task on the background loop.

    While the thread waits, it calls ``look``, if there is one, every few ``seconds``. That gives an item in the place
    of the one that is waited for, or raises. Once the thread sees the end, or an error of the iterable, the task has
    ended and its context is free.
    """

    def __init__(
        self,
        iterable: AsyncIterable[T],
        context: Context,
        look: Callable[[], T] | None = None,
        seconds: float | None = None,
    ) -> None:
        self._iterable = iterable
        self._look = look
        self._seconds = seconds
        self._demands: asyncio.Queue[Future[T] | None] = asyncio.Queue()
        self._demand: Future[T] | None = None
        """The item that is waited for, between two looks."""
        background = background_loop()
        self._loop = background.loop
        self._task = background.start(self._serve(), context)
        self._is_over = self._is_whole = False

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        if self._task.ended.done():
            return self._end()
        demand, self._demand = self._demand or self._ask(), None
        try:
            has_come = self._task.wait(demand, self._seconds)
        except BaseException:
            self._break_off()
            raise
        if not has_come and self._look is not None:
            self._demand = demand
            return self._look()
        if demand.done():
            return demand.result()
        return self._end()

    def _ask(self) -> Future[T]:
        demand: Future[T] = Future()
        try:
            self._task.wake_after(demand)
            self._loop.call_soon_threadsafe(self._demands.put_nowait, demand)
        except BaseException:
            self._break_off()
            raise
        return demand

    def _break_off(self) -> None:
        self._is_over = True
        self._task.break_off()

    def _end(self) -> NoReturn:
        """Raise the end of the iteration: its error once, then StopIteration. ``close`` raises what fails later."""
        if not (self._is_over or self._is_whole):
            self._is_over = True
            try:
                self._task.result()
            finally:
                self._task.forget_outcome()
        raise StopIteration

    def close(self) -> None:
        """Close the iterable, even before its end, and wait for that. Raises what it raises.

        An item that is waited for is cancelled.
        """
        is_open = not self._task.ended.done()
        if self._is_over or not (is_open or self._is_whole):  # for example if it was interrupted, and does not end
            return
        self._is_over = True
        try:
            if is_open:
                self._loop.call_soon_threadsafe(self._demands.put_nowait, None)
            if self._demand is not None:
                self._task.interrupt()
            self._task.result()
        except asyncio.CancelledError:
            if self._demand is None:
                raise
        except BaseException:
            self._task.break_off()
            raise

    async def _serve(self) -> None:
        iterator: AsyncIterator[T] | None = None
        try:
            iterator = aiter(self._iterable)
            while (demand := await self._demands.get()) is not None:
                demand.set_result(await anext(iterator))
        except StopAsyncIteration:
            self._is_whole = True
        finally:
            await aclose(iterator, self._iterable)


class AsyncFromSync(Generic[T]):
    """An async iterator over a blocking iterable, which runs in one context, on ``threads`` or those of its task."""

    def __init__(self, iterable: Iterable[T], threads: Threads | None = None) -> None:
        self._iterable = iterable
        self._iterator: Iterator[T] | None = None
        self._crossing = Crossing(threads=threads)
        self._ahead: list[T] = []

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        items = self._ahead or await self._next()
        self._ahead = []
        if not items:  # StopIteration cannot leave a coroutine
            raise StopAsyncIteration
        return items[0]

    async def fetch(self) -> None:
        """Make the first item in advance. Raises what making it raises."""
        self._ahead = await self._next()

    async def _next(self) -> list[T]:
        """Return the next item, or none at the end."""
        if self._iterator is None:
            self._iterator = await self._crossing.run(iter, self._iterable)
        return await self._crossing.run(list, islice(self._iterator, 1))

    async def aclose(self) -> None:
        """Close the iterable, if it can be closed."""
        if close := close_of(self._iterator, self._iterable):
            await self._crossing.run_shielded(close)
