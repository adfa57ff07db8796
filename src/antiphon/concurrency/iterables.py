"""The chunks of one iterable made from those of another, of the same colour: a generator reads that one, and it is
closed in every case, wherever it stands.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from contextvars import Context
from itertools import islice
from typing import Generic, NoReturn, TypeAlias, TypeVar

from antiphon.concurrency.background import background_loop
from antiphon.concurrency.crossing import Crossing

T = TypeVar("T")

Made: TypeAlias = Generator[bytes, None, None]
AsyncMade: TypeAlias = AsyncGenerator[bytes, None]


def as_bytes(chunk: object) -> bytes:
    """A chunk of a streamed body. Raises TypeError for what is neither bytes nor text."""
    if isinstance(chunk, str):
        return chunk.encode()
    if isinstance(chunk, bytes | bytearray | memoryview):
        return bytes(chunk)
    raise TypeError(f"a stream's chunks are bytes or text, not {type(chunk).__name__}")


def read_all(source: Iterable[bytes | str]) -> bytes:
    """All chunks of an iterable, which is closed then."""
    iterator: Iterator[bytes | str] | None = None
    try:
        iterator = iter(source)
        return b"".join(map(as_bytes, iterator))
    finally:
        if close := close_of(iterator, source):
            close()


async def aread_all(source: AsyncIterable[bytes | str]) -> bytes:
    """All chunks of an async iterable, which is closed then."""
    iterator: AsyncIterator[bytes | str] | None = None
    try:
        iterator = aiter(source)
        return b"".join([as_bytes(chunk) async for chunk in iterator])
    finally:
        await aclose(iterator, source)


def close_of(iterator: object, source: object) -> Callable[[], object] | None:
    """What closes an iterable, and the iterator that it gave, if any; None where there is nothing to close."""
    return getattr(iterator, "close", None) or getattr(source, "close", None)


async def aclose(iterator: object, source: object = None) -> None:
    """Close an async iterable, and the iterator that it gave, if any, if they can be closed."""
    if close := getattr(iterator, "aclose", None) or getattr(source, "aclose", None):
        await close()


class _Source(Generic[T]):
    """An iterable that is iterated once at most, and remembers by what."""

    def __init__(self, iterable: Iterable[T]) -> None:
        self._iterable = iterable
        self._iterator: Iterator[T] | None = None

    def __iter__(self) -> Iterator[T]:
        self._iterator = iter(self._iterable)
        return self._iterator

    def close(self) -> None:
        if close := close_of(self._iterator, self._iterable):
            close()


class _AsyncSource(Generic[T]):
    """The same of an async iterable."""

    def __init__(self, iterable: AsyncIterable[T]) -> None:
        self._iterable = iterable
        self._iterator: AsyncIterator[T] | None = None

    def __aiter__(self) -> AsyncIterator[T]:
        self._iterator = aiter(self._iterable)
        return self._iterator

    async def aclose(self) -> None:
        await aclose(self._iterator, self._iterable)


class BlockingChunks(Generic[T]):
    """What a generator makes of an iterable."""

    def __init__(self, source: Iterable[T], make: Callable[[Iterable[T]], Made]) -> None:
        self._source = _Source(source)
        self._chunks = make(self._source)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._chunks)

    def close(self) -> None:
        """Close the generator and what it reads."""
        self._chunks.close()
        self._source.close()


class AsyncChunks(Generic[T]):
    """What an async generator makes of an async iterable."""

    def __init__(self, source: AsyncIterable[T], make: Callable[[AsyncIterable[T]], AsyncMade]) -> None:
        self._source = _AsyncSource(source)
        self._chunks = make(self._source)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._chunks)

    async def aclose(self) -> None:
        """Close the generator and what it reads."""
        await self._chunks.aclose()
        await self._source.aclose()


class SyncFromAsync(Generic[T]):
    """An async iterable that a thread iterates. It runs on the background loop, from start to close as one task.

    When its end, or an error, has been given to the thread, the task has ended and its context is free.
    """

    def __init__(self, iterable: AsyncIterable[T], context: Context) -> None:
        self._iterable = iterable
        self._demands: asyncio.Queue[Future[T] | None] = asyncio.Queue()
        background = background_loop()
        self._loop = background.loop
        self._task = background.start(self._serve(), context)
        self._is_over = self._is_whole = False

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        if self._task.ended.done():
            return self._end()
        demand: Future[T] = Future()
        self._loop.call_soon_threadsafe(self._demands.put_nowait, demand)
        self._task.wait(demand)
        if demand.done():
            return demand.result()
        return self._end()

    def _end(self) -> NoReturn:
        """Raise what ended the iteration; once it is told, the iteration is over. What then fails, ``close`` tells."""
        if not (self._is_over or self._is_whole):
            self._is_over = True
            self._task.result()
        raise StopIteration

    def close(self) -> None:
        """Close the iterable, wherever it stands, and wait until it has closed. Raises what it raises then."""
        if not self._task.ended.done():
            self._loop.call_soon_threadsafe(self._demands.put_nowait, None)
        elif self._is_over or not self._is_whole:
            return
        self._is_over = True
        self._task.result()

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


def _at_most_one(iterator: Iterator[T]) -> list[T]:
    """The next chunk, or none: StopIteration cannot leave a coroutine."""
    return list(islice(iterator, 1))


class AsyncFromSync(Generic[T]):
    """A blocking iterable that an event loop iterates. It runs on worker threads, in one context."""

    def __init__(self, iterable: Iterable[T]) -> None:
        self._iterable = iterable
        self._iterator: Iterator[T] | None = None
        self._crossing = Crossing()

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        if self._iterator is None:
            self._iterator = await self._crossing.run(iter, self._iterable)
        chunks = await self._crossing.run(_at_most_one, self._iterator)
        if not chunks:
            raise StopAsyncIteration
        return chunks[0]

    async def aclose(self) -> None:
        """Close the iterable, if it is one that can be closed."""
        if close := close_of(self._iterator, self._iterable):
            await self._crossing.run_in_any_case(close)
