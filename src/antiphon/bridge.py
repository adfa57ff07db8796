"""Iterators across the colours: an async one read by a thread, a blocking one read by an event loop."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from concurrent.futures import Future
from contextvars import Context
from itertools import islice
from typing import Any, Generic, TypeVar

from antiphon.background import background_loop
from antiphon.threads import Crossing

T = TypeVar("T")


class ThreadIterator(Generic[T]):
    """An async iterable that a thread iterates. It runs on the background loop, from start to close as one task."""

    def __init__(self, iterable: AsyncIterable[T], context: Context) -> None:
        self._iterable = iterable
        self._demands: asyncio.Queue[Future[T] | None] = asyncio.Queue()
        background = background_loop()
        self._loop = background.loop
        self._task = background.start(self._serve(), context)
        self._ended = False

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        if self._ended:
            raise StopIteration
        demand: Future[T] = Future()
        self._loop.call_soon_threadsafe(self._demands.put_nowait, demand)
        try:
            return demand.result()
        except StopAsyncIteration:
            self._ended = True
            raise StopIteration from None

    def close(self) -> None:
        """Close the iterable, wherever it stands, and wait until it has closed. Raises what it raises then."""
        if not self._task.outcome.done():
            self._loop.call_soon_threadsafe(self._demands.put_nowait, None)
        self._task.outcome.result()

    async def _serve(self) -> None:
        iterator = aiter(self._iterable)
        try:
            while (demand := await self._demands.get()) is not None:
                try:
                    demand.set_result(await anext(iterator))
                except BaseException as error:
                    demand.set_exception(error)
                    if isinstance(error, asyncio.CancelledError):
                        raise
                    return
        finally:
            await close(iterator)


async def close(iterator: AsyncIterator[Any]) -> None:
    """Close an async iterator, if it is one that can be closed."""
    if aclose := getattr(iterator, "aclose", None):
        await aclose()


def _at_most_one(iterator: Iterator[T]) -> list[T]:
    """The next piece, or none: StopIteration cannot leave a coroutine."""
    return list(islice(iterator, 1))


async def iterate_blocking(iterable: Iterable[T]) -> AsyncIterator[T]:
    """A blocking iterable, iterated and closed on worker threads, in one context."""
    crossing = Crossing()
    iterator = None
    try:
        iterator, cancelled = await crossing.run(iter, iterable)
        while cancelled is None:
            pieces, cancelled = await crossing.run(_at_most_one, iterator)
            if not pieces:
                return
            yield pieces[0]
        raise cancelled
    finally:
        if close_it := getattr(iterator, "close", None) or getattr(iterable, "close", None):
            await crossing.run(close_it)
