"""The streamed body of an answer that a caller reads: closed at its end or by the caller, and then finished."""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Generator, Iterator
from contextvars import Context
from types import coroutine
from typing import Any, Self, TypeVar

from antiphon.concurrency.iterables import aclose, as_bytes, close_of
from antiphon.handler.contract import finish
from antiphon.handler.drive import run_async, run_sync
from antiphon.request.request import Request
from antiphon.response.message import Stream

T = TypeVar("T")


class BlockingBody:
    """A streamed body that a thread reads. At its end, or by ``close``, it is closed and the request finished, once."""

    def __init__(self, request: Request, body: Stream, context: Context) -> None:
        self._request = request
        self._body = body
        self._context = context
        self._iterator: Iterator[bytes | str] | None = None
        self._is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._is_closed:
            raise StopIteration
        try:
            if self._iterator is None:
                self._iterator = self._begun(self._body)
            return as_bytes(self._context.run(next, self._iterator))
        except BaseException:
            self.close()
            raise

    def _begun(self, body: Stream) -> Iterator[bytes | str]:
        if not isinstance(body, AsyncIterable):
            return self._context.run(iter, body)
        from antiphon.concurrency.bridge import ThreadIterator

        return ThreadIterator(body, self._context.copy())

    def close(self) -> None:
        """Close the body, and run what was left for after the response."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self._close()
        finally:
            run_sync(finish(self._request), self._context)

    def _close(self) -> None:
        if self._iterator is None and isinstance(self._body, AsyncIterable):
            self._iterator = self._begun(self._body)
        if close := close_of(self._iterator, self._body):
            self._context.run(close)


class AsyncBody:
    """A streamed body that a task reads. At its end, or by ``aclose``, it is closed and the request finished, once."""

    def __init__(self, request: Request, body: Stream, context: Context) -> None:
        from antiphon.concurrency.bridge import LoopIterator

        self._request = request
        self._body: AsyncIterable[bytes | str] = body if isinstance(body, AsyncIterable) else LoopIterator(body)
        self._context = context
        self._iterator: AsyncIterator[bytes | str] | None = None
        self._is_closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._is_closed:
            raise StopAsyncIteration
        try:
            return as_bytes(await in_context(self._context, self._next()))
        except BaseException:
            await self.aclose()
            raise

    async def _next(self) -> bytes | str:
        if self._iterator is None:
            self._iterator = aiter(self._body)
        return await anext(self._iterator)

    async def aclose(self) -> None:
        """Close the body, and run what was left for after the response."""
        if not self._is_closed:
            self._is_closed = True
            await in_context(self._context, self._close())

    async def _close(self) -> None:
        try:
            await aclose(self._iterator, self._body)
        finally:
            await run_async(finish(self._request))


@coroutine
def in_context(context: Context, steps: Coroutine[Any, Any, T]) -> Generator[Any, Any, T]:
    """Drive a coroutine in the current task, but in another context."""
    resume: Callable[[Any], Any] = steps.send
    value: Any = None
    while True:
        try:
            effect = context.run(resume, value)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # the coroutine's T
        try:
            value = yield effect
            resume = steps.send
        except BaseException as broken_off:
            resume, value = steps.throw, broken_off
