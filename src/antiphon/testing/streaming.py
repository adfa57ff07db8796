"""Responses whose body is read chunk by chunk, from a thread or on an event loop."""

from collections.abc import AsyncIterator, Coroutine, Iterator
from types import TracebackType
from typing import Any, Protocol, TypeVar

from antiphon.testing.call import Call
from antiphon.testing.responses import ResponseHead
from antiphon.testing.servers.exchange import Head

T = TypeVar("T")


class Run(Protocol):
    """A function that runs a coroutine to its end."""

    def __call__(self, coroutine: Coroutine[Any, Any, T], /) -> T: ...


class StreamedResponse(ResponseHead):
    """A response whose body is still to come. It is an iterator that waits for the body's chunks, never empty."""

    def __init__(self, call: Call, head: Head, run: Run) -> None:
        super().__init__(call.request, head, call.history)
        self._call = call
        self._run = run

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk = self._run(self._call.chunk())
        if chunk is None:
            raise StopIteration
        return chunk

    def read(self) -> bytes:
        """Read the rest of the body."""
        return self._run(self._call.rest())


class AsyncStreamedResponse(ResponseHead):
    """A response whose body is still to come. It is an async iterator of the body's chunks, never empty."""

    def __init__(self, call: Call, head: Head) -> None:
        super().__init__(call.request, head, call.history)
        self._call = call

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        chunk = await self._call.chunk()
        if chunk is None:
            raise StopAsyncIteration
        return chunk

    async def read(self) -> bytes:
        """Read the rest of the body."""
        return await self._call.rest()


class Streaming:
    """A context manager that opens a response, and disconnects at the end."""

    def __init__(self, call: Call, run: Run) -> None:
        self._call = call
        self._run = run

    def __enter__(self) -> StreamedResponse:
        return StreamedResponse(self._call, self._run(self._call.open()), self._run)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._run(self._call.leave(error))


class AsyncStreaming:
    """An async context manager that opens a response, and disconnects at the end."""

    def __init__(self, call: Call) -> None:
        self._call = call

    async def __aenter__(self) -> AsyncStreamedResponse:
        return AsyncStreamedResponse(self._call, await self._call.open())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._call.leave(error)
