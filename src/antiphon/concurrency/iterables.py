"""Iterables of chunks, blocking and async: reading them whole, closing them, and wrapping one in a generator.

An iterable is always closed, even if it was only partly iterated or not at all.
"""

from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
)
from contextvars import Context
from itertools import repeat, starmap
from typing import Any, Generic, TypeAlias, TypeVar, cast

from antiphon.explanations import explained
from antiphon.speedups import accelerated

T = TypeVar("T")

ByteGenerator: TypeAlias = Generator[bytes, None, None]
AsyncByteGenerator: TypeAlias = AsyncGenerator[bytes, None]


def as_bytes(chunk: object) -> bytes:
    """Return a chunk of a streamed body as bytes. Raises TypeError if it is neither bytes nor text."""
    if type(chunk) is bytes:
        return chunk
    if isinstance(chunk, str):
        return chunk.encode()
    if isinstance(chunk, (bytes, bytearray, memoryview)):
        return bytes(chunk)
    message = (
        f"a stream's chunks must be bytes or text, not {type(chunk).__name__}: annotate the handler with the type of"
        " its values, such as -> Iterator[Row], or return a list, or Response.ndjson(...)"
    )
    raise explained("wrong-body", message, TypeError)


def read_all(source: Iterable[bytes | str]) -> bytes:
    """Read all chunks of an iterable and close it."""
    # ``iter`` may fail, and the source has to be closed then, too.
    iterator: Iterator[bytes | str] | None = None
    try:
        iterator = iter(source)
        return b"".join(map(as_bytes, iterator))
    finally:
        if close := close_of(iterator, source):
            close()


async def aread_all(source: AsyncIterable[bytes | str]) -> bytes:
    """Read all chunks of an async iterable and close it."""
    iterator: AsyncIterator[bytes | str] | None = None
    try:
        iterator = aiter(source)
        return b"".join([as_bytes(chunk) async for chunk in iterator])
    finally:
        await aclose(iterator, source)


def in_context(context: Context, iterator: Iterator[T]) -> Iterator[T]:
    """Return an iterator that runs another one in a context.

    No Python code, because it would run for each item. It ends when ``next`` raises StopIteration.
    """
    return cast("Iterator[T]", starmap(context.run, repeat((next, iterator))))


def close_of(iterator: object, source: object) -> Callable[[], object] | None:
    """Return the function that closes an iterable and, if there is one, its iterator. None if neither can be closed."""
    own, whole = getattr(iterator, "close", None), getattr(source, "close", None)
    # A generator is its own iterator: it is closed once.
    if own is None or whole is None or iterator is source:
        return own or whole

    def close_both() -> None:
        try:
            own()
        finally:
            whole()

    return close_both


async def aclose(iterator: object, source: object = None) -> None:
    """Close an async iterable and its iterator, if any, as far as they can be closed."""
    if close := getattr(iterator, "aclose", None) or getattr(source, "aclose", None):
        await close()


class Suspended:
    """What steps have yielded, for which they wait."""

    __slots__ = ("effect",)

    def __init__(self, effect: object) -> None:
        self.effect = effect


@accelerated
def begin_steps(steps: Generator[Any, Any, Any] | Coroutine[Any, Any, Any], waiting: type[Any], /) -> Any:
    """Drive steps from their beginning to their end, and return their result. If they wait, return ``waiting``, made of
    what they have yielded.
    """
    try:
        effect = steps.send(None)
    except StopIteration as end:
        return end.value
    return waiting(effect)


@accelerated
def resume(steps: Generator[Any, Any, Any] | Coroutine[Any, Any, Any], value: object) -> tuple[bool, Any] | None:
    """Send a value to a generator or a coroutine. Return None if it ends with None.

    Otherwise return (True, its return value), or (False, the yielded value). Raises its errors.
    """
    try:
        yielded = steps.send(value)
    except StopIteration as end:
        return None if end.value is None else (True, end.value)
    return False, yielded


class _Source:
    """An iterable, blocking or async, that is iterated at most once and is closed together with its iterator."""

    def __init__(self, iterable: Any) -> None:
        self._iterable = iterable
        self._iterator: Any = None

    def __iter__(self) -> Any:
        self._iterator = iter(self._iterable)
        return self._iterator

    def __aiter__(self) -> Any:
        self._iterator = aiter(self._iterable)
        return self._iterator

    def close(self) -> None:
        if close := close_of(self._iterator, self._iterable):
            close()

    async def aclose(self) -> None:
        await aclose(self._iterator, self._iterable)


class BlockingChunks(Generic[T]):
    """The chunks that a generator makes from an iterable."""

    def __init__(self, source: Iterable[T], make: Callable[[Iterable[T]], ByteGenerator]) -> None:
        self._source = _Source(source)
        self._chunks = make(self._source)
        self.is_for_any_thread: bool = getattr(source, "is_for_any_thread", False)
        """True if any thread may read it, like its source."""

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._chunks)

    def close(self) -> None:
        """Close the generator and the iterable that it reads."""
        self._chunks.close()
        self._source.close()


class AsyncChunks(Generic[T]):
    """The chunks that an async generator makes from an async iterable."""

    def __init__(self, source: AsyncIterable[T], make: Callable[[AsyncIterable[T]], AsyncByteGenerator]) -> None:
        self._source = _Source(source)
        self._chunks = make(self._source)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    def __anext__(self) -> Awaitable[bytes]:
        return anext(self._chunks)

    async def aclose(self) -> None:
        """Close the generator and the iterable that it reads."""
        await self._chunks.aclose()
        await self._source.aclose()


def made_chunks(
    source: Iterable[T] | AsyncIterable[T],
    make: Callable[[Iterable[T]], ByteGenerator],
    make_async: Callable[[AsyncIterable[T]], AsyncByteGenerator],
) -> BlockingChunks[T] | AsyncChunks[T]:
    """Return the chunks that one of two generators makes from a source, which is closed together with them."""
    return AsyncChunks(source, make_async) if isinstance(source, AsyncIterable) else BlockingChunks(source, make)
