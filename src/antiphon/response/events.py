"""Heartbeats in an async iterable that is silent for long: for streams that proxies would close otherwise."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from contextvars import Context, copy_context
from functools import partial
from math import inf
from typing import Any, Generic, NamedTuple, NoReturn, TypeAlias, TypeVar

from antiphon.concurrency.crossing import copy_variables
from antiphon.concurrency.iterables import AsyncByteGenerator, AsyncChunks, BlockingChunks, ByteGenerator, aclose
from antiphon.http.errors import HTTPError, InternalServerError
from antiphon.http.event import Event
from antiphon.serialization.json import encode_json

T = TypeVar("T")

HEARTBEAT = Event(comment="")
"""What keeps a silent stream open: it says nothing."""


class BeatingIterator(Generic[T]):
    """What an async iterable gives, and a HEARTBEAT each time that it has let wait for some seconds.

    The iterable runs in a task of its own, so that a step goes on while heartbeats are sent, and that a timeout in it
    reaches nothing else. A step begins when it is asked for, and a cancellation of who asks goes to the step. Context
    variables are those of who asks first; what the iterable has left in them is carried back when it is closed.
    """

    def __init__(self, iterable: AsyncIterable[T], seconds: float) -> None:
        self._iterable = iterable
        self._iterator: AsyncIterator[T] | None = None
        self._seconds = seconds
        self._demands: asyncio.Queue[asyncio.Future[T] | None] = asyncio.Queue()
        self._demand: asyncio.Future[T] | None = None
        self._task: asyncio.Task[BaseException | None] | None = None
        self._context: Context
        self._is_told = False

    def __aiter__(self) -> AsyncIterator[T | Event]:
        return self

    async def __anext__(self) -> T | Event:
        if self._task is None:
            self._context = copy_context()
            self._task = asyncio.create_task(self._run(), context=self._context)
        if self._demand is None:
            self._demand = asyncio.get_running_loop().create_future()
            self._demands.put_nowait(self._demand)
        await self._wait(self._demand, self._task)
        if self._demand.done():
            demand, self._demand = self._demand, None
            return demand.result()
        if self._task.done():
            self._end(self._task)
        return HEARTBEAT

    async def _wait(self, demand: "asyncio.Future[T]", task: "asyncio.Task[Any]") -> None:
        """Wait for a step's outcome, at most until a heartbeat is due. A step that is cancelled is waited for."""
        patience: float | None = self._seconds
        while True:
            try:
                await asyncio.wait([demand, task], timeout=patience, return_when=asyncio.FIRST_COMPLETED)
                return
            except asyncio.CancelledError:
                if demand.done() or task.done():
                    raise
                task.cancel()
                patience = None

    def _end(self, task: "asyncio.Task[BaseException | None]") -> NoReturn:
        self._is_told = True
        if error := task.result():
            raise error
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Close the iterable; a step that is under way is cancelled. Raises what comes of that."""
        try:
            if self._task is not None:
                await self._stop(self._task)
                copy_variables(self._context, {})
        finally:
            if self._iterator is None:
                await aclose(self._iterable)
        error = None if self._task is None or self._task.cancelled() else self._task.result()
        if error is not None and not (self._is_told or isinstance(error, asyncio.CancelledError)):
            self._is_told = True
            raise error

    async def _stop(self, task: "asyncio.Task[Any]") -> None:
        self._demands.put_nowait(None)
        if self._demand is not None and not self._demand.done():
            task.cancel()
        cancelled = None
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError as error:
                cancelled = error
                task.cancel()
        if cancelled is not None:
            raise cancelled

    async def _run(self) -> BaseException | None:
        """Serve to the end: what error that was, if it was one. None leaves the task, or it could end the loop."""
        try:
            await self._serve()
        except StopAsyncIteration:
            return None
        except BaseException as error:
            return error
        return None

    async def _serve(self) -> None:
        self._iterator = aiter(self._iterable)
        try:
            while (demand := await self._demands.get()) is not None:
                demand.set_result(await anext(self._iterator))
        finally:
            await aclose(self._iterator, self._iterable)


Source: TypeAlias = Iterable[object] | AsyncIterable[object]
Chunks: TypeAlias = BlockingChunks[object] | AsyncChunks[object]


class Form(NamedTuple):
    """How values are written: each one, what comes before them, and at the end what made the source fail."""

    write: Callable[[object], bytes]
    preamble: bytes = b""
    write_failure: Callable[[Exception], bytes] | None = None


def event_stream(source: Source, heartbeat: float | None, retry: int | None) -> Chunks:
    """Events as they are sent, each in a chunk. An async source that is silent for ``heartbeat`` seconds is covered for
    by comments. ``retry``, in milliseconds, is told first.

    Raises TypeError for what is no source, ValueError for a heartbeat or ``retry`` that can't be.
    """
    if heartbeat is not None and not 0 < heartbeat < inf:
        raise ValueError(f"a heartbeat is a number of seconds above 0, or None, not {heartbeat!r}")
    preamble = b"" if retry is None else str(Event(retry=retry)).encode()
    form = Form(_write_event, preamble, _write_failure)
    if heartbeat is not None and isinstance(source, AsyncIterable):
        return AsyncChunks(BeatingIterator(source, heartbeat), partial(_write_async, form))
    return _chunks(source, form)


def json_lines(source: Source) -> Chunks:
    """One JSON value a line and a chunk. Raises TypeError for what is no source."""
    return _chunks(source, Form(_write_line))


def _chunks(source: Source, form: Form) -> Chunks:
    if isinstance(source, AsyncIterable):
        return AsyncChunks(source, partial(_write_async, form))
    is_value = isinstance(source, str | bytes | bytearray | memoryview) or hasattr(source, "keys")
    if is_value or not isinstance(source, Iterable):
        raise TypeError(f"a source is an iterator or an async iterator of values, not {type(source).__name__}")
    return BlockingChunks(source, partial(_write, form))


def _write_line(value: object) -> bytes:
    return encode_json(value) + b"\n"


def _write_event(value: object) -> bytes:
    """An Event, text, or another value as JSON."""
    event = value if isinstance(value, Event) else Event("null" if value is None else value)
    if not (event.data is None or isinstance(event.data, str)):
        event = event.with_data(encode_json(event.data).decode())
    return str(event).encode()


def _write_failure(error: Exception) -> bytes:
    """The event that tells of a failure: an HTTPError's own problem details, of others only that something failed."""
    if isinstance(error, HTTPError):
        try:
            return _write_event(Event(error.problem(), event="error"))
        except (TypeError, ValueError):  # a failure has to be told, whatever it bears
            pass
    hidden = InternalServerError()
    return _write_event(Event({"title": hidden.title, "status": hidden.status}, event="error"))


def _write(form: Form, source: Iterable[object]) -> ByteGenerator:
    """What a source gives, written. One that fails raises its error after that is written."""
    if form.preamble:
        yield form.preamble
    try:
        for value in source:
            yield form.write(value)
    except Exception as error:
        if form.write_failure:
            yield form.write_failure(error)
        raise


async def _write_async(form: Form, source: AsyncIterable[object]) -> AsyncByteGenerator:
    if form.preamble:
        yield form.preamble
    try:
        async for value in source:
            yield form.write(value)
    except Exception as error:
        if form.write_failure:
            yield form.write_failure(error)
        raise
