"""Streams of values: server-sent events (WHATWG HTML §9.2), with heartbeats, JSON lines, and JSON arrays."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from contextvars import Context, copy_context
from functools import partial
from itertools import chain, repeat
from math import inf
from typing import Any, Generic, Literal, NamedTuple, Self, TypeAlias, TypeVar

from antiphon.concurrency.crossing import copy_variables
from antiphon.concurrency.iterables import AsyncByteGenerator, AsyncChunks, BlockingChunks, ByteGenerator, aclose
from antiphon.concurrency.loop import wait_ended
from antiphon.concurrency.process import DRAINING, GRACE_OVER
from antiphon.explanations import explained
from antiphon.http.dates import Duration, seconds_of
from antiphon.http.errors import HTTPError, InternalServerError, ServiceUnavailable
from antiphon.http.event import Event, print_data
from antiphon.response.message import Heartbeat
from antiphon.serialization.json import encode_json

T = TypeVar("T")

Values: TypeAlias = Iterable[object] | AsyncIterable[object]
Chunks: TypeAlias = BlockingChunks[object] | AsyncChunks[object]

OnDrain: TypeAlias = Literal["end", "finish"]
"""The behavior of a stream when its process stops accepting requests: it ends at once, or runs to its end within the
remaining time. If it doesn't end by then, the client is told of an error.
"""

Encode: TypeAlias = Callable[[object], bytes]
"""A function that writes a value as JSON."""

_CUT_LINE = b'{"error":"The stream failed: this line is cut'
"""The last line of JSON lines that are incomplete, which no reader of JSON accepts."""

HEARTBEAT = Event(comment="")
"""An empty event that keeps proxies from closing a silent stream."""
HEARTBEAT_EVERY = 15.0
"""The number of seconds of silence after which a heartbeat is sent, unless ``heartbeat`` is given."""


class Format(NamedTuple):
    """How values are written: the function for each value, the bytes before the first and after the last, and the
    function for an error. The ``preamble`` is sent with the first value, not before it: a client that has received
    something may rely on the source having begun its work, such as following a channel. ``ends_on_drain`` is True if
    the stream ends when the process drains; the ``preamble`` is then sent once more. Otherwise, a stream with errors
    ends with one when the time for open requests is over.
    """

    write: Callable[[object], bytes]
    preamble: bytes = b""
    ending: bytes = b""
    write_error: Callable[[Exception], bytes] | None = None
    ends_on_drain: bool = False


def event_stream(
    source: Values,
    heartbeat: Duration | None = HEARTBEAT_EVERY,
    retry: Duration | None = None,
    on_drain: OnDrain = "end",
    encode: Encode = encode_json,
) -> Chunks:
    """Return events in wire format, one per chunk.

    While an async source is silent, a comment is sent every ``heartbeat`` seconds. ``retry``, in seconds, is sent with
    the first event, and again if ``on_drain`` ends the stream. Raises TypeError for a source that isn't an iterable of
    values, and ValueError for a ``heartbeat`` that isn't greater than 0 and for an invalid ``retry`` or ``on_drain``.
    """
    if on_drain not in ("end", "finish"):
        raise explained("bad-event", f"on_drain must be 'end' or 'finish', not {on_drain!r}")
    heartbeat = seconds_of(heartbeat)
    if heartbeat is not None and not 0 < heartbeat < inf:
        raise explained("bad-event", f"a heartbeat must be a number of seconds above 0, or None, not {heartbeat!r}")
    preamble = b"" if retry is None else str(Event(retry=retry)).encode()
    write = partial(_write_event, encode)
    return _event_chunks(source, heartbeat, Format(write, preamble, b"", _write_error, on_drain == "end"))


def _event_chunks(source: Values, heartbeat: float | None, written_as: Format) -> Chunks:
    if isinstance(source, AsyncIterable) and heartbeat is not None:
        return BeatingChunks(source, heartbeat, written_as)
    return _chunks(source, written_as)


def json_lines(source: Values, encode: Encode = encode_json) -> Chunks:
    """Return values as JSON, each on its own line and in its own chunk.

    If the source fails, the last line is cut, because some servers end a stream that fails as if it were complete.
    Raises TypeError unless the source is an iterable.
    """
    return _chunks(source, Format(lambda value: encode(value) + b"\n", write_error=lambda _: _CUT_LINE))


def json_array(source: Values, encode: Encode = encode_json) -> Chunks:
    """Return a JSON array of the values, one per chunk."""
    separators = chain([b""], repeat(b","))
    return _chunks(source, Format(lambda value: next(separators) + encode(value), b"[", b"]"))


def json_events(source: Values, encode: Encode = encode_json) -> Chunks:
    """Return values as events whose data is JSON, even for text. They may continue until the grace period is over."""

    def write(value: object) -> bytes:
        return print_data(encode(value).decode()).encode()

    return _event_chunks(source, HEARTBEAT_EVERY, Format(write, b"", b"", _write_error))


def _chunks(source: Values, written_as: Format) -> Chunks:
    if isinstance(source, AsyncIterable):
        return AsyncChunks(source, partial(_write_async, written_as))
    is_value = isinstance(source, str | bytes | bytearray | memoryview) or hasattr(source, "keys")
    if is_value or not isinstance(source, Iterable):
        raise explained(
            "bad-event",
            f"a source must be an iterator or an async iterator of values, not {type(source).__name__}",
            TypeError,
        )
    return BlockingChunks(source, partial(_write, written_as))


def _write(written_as: Format, source: Iterable[object]) -> ByteGenerator:
    """Write a source's values. If the source fails, write and raise its error."""
    start = written_as.preamble
    try:
        for value in source:
            yield start + written_as.write(value)
            start = b""
            if written_as.ends_on_drain and DRAINING.is_given:
                break
            if written_as.write_error and GRACE_OVER.is_given:
                raise _shutting_down()
    except Exception as error:
        if written_as.write_error:
            yield start + written_as.write_error(error)
        raise
    if end := start + written_as.ending:
        yield end
    if written_as.ends_on_drain and DRAINING.is_given and written_as.preamble:
        yield written_as.preamble


async def _write_async(
    written_as: Format, source: AsyncIterable[object], beating: "WithHeartbeats[object] | None" = None
) -> AsyncByteGenerator:
    start = written_as.preamble
    try:
        with _Ending(written_as, beating) as ending:
            if ending.waits():
                async for value in source:
                    ending.goes_on()
                    yield start + written_as.write(value)
                    start = b""
                    if not ending.waits():
                        break
    except Exception as error:
        if written_as.write_error:
            yield start + written_as.write_error(error)
        raise
    if end := start + written_as.ending:
        yield end
    if written_as.ends_on_drain and DRAINING.is_given and written_as.preamble:
        yield written_as.preamble


class _Ending:
    """The block in which a generator reads a source, and which ends early with the process.

    At the announcement, a task that is waiting for the source is cancelled. If the format ends on drain, the block then
    ends, and the cancellation with it. Otherwise, the source may catch the cancellation and produce its last values; if
    it doesn't, the block raises ServiceUnavailable.
    """

    def __init__(self, written_as: Format, beating: "WithHeartbeats[object] | None") -> None:
        if beating is not None:
            beating.takes_back = self._takes_back
        self._ends_on_drain = written_as.ends_on_drain
        self._announcement = DRAINING if self._ends_on_drain else GRACE_OVER if written_as.write_error else None
        self._waiting: asyncio.Task[Any] | None = None
        self._cancelled: asyncio.Task[Any] | None = None

    def __enter__(self) -> Self:
        announcement = self._announcement
        self._withdraw = None if announcement is None else announcement.subscribe_on_loop(self._cancel)
        return self

    def waits(self) -> bool:
        """Record that the current task is waiting for the source. Return False if the block has to end."""
        if self._announcement is None:
            return True
        self._waiting = task = asyncio.current_task()
        if self._announcement.is_given and task is not None and not self._ends_on_drain:
            task.get_loop().call_soon(self._cancel)  # by then it waits for the source, not for the client
        return not (self._ends_on_drain and self._announcement.is_given)

    def goes_on(self) -> None:
        """Record that the source has produced a value."""
        self._waiting = None

    def _cancel(self) -> None:
        if self._waiting is not None and self._cancelled is None:
            self._cancelled = self._waiting
            self._waiting.cancel()

    def _takes_back(self) -> bool:
        """Take back the cancellation of a task to which a value has come. Return False if others have cancelled it."""
        cancelled, self._cancelled = self._cancelled, None
        return cancelled is not None and cancelled.uncancel() == 0

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        self._waiting = None
        if self._withdraw is not None:
            self._withdraw()
        is_alone = self._cancelled is not None and self._cancelled.uncancel() == 0
        self._cancelled = None
        if is_alone and isinstance(error, asyncio.CancelledError) and not self._ends_on_drain:
            raise _shutting_down() from None
        return is_alone and isinstance(error, asyncio.CancelledError)


def _shutting_down() -> ServiceUnavailable:
    return ServiceUnavailable("The server is shutting down.")


def _write_event(encode: Encode, value: object) -> bytes:
    """Write an Event, text, or another value as JSON."""
    if not isinstance(value, Event):
        _check_once(value)
        return print_data(value if isinstance(value, str) else encode(value).decode()).encode()
    if not (value.data is None or isinstance(value.data, str)):
        value = value.with_data(encode(value.data).decode())
    return str(value).encode()


def _check_once(value: object) -> None:
    """Refuse a value that is an event already: in wire format, or as its fields. Browsers would get both as data."""
    if isinstance(value, str):
        is_event = value.endswith("\n\n") and value.startswith(("data:", "event:", "id:", "retry:", ":"))
        fix = "yield the data alone, or Event(data, event=name) from antiphon.http; or return Response.stream(chunks)"
    else:
        is_event = type(value) is dict and {"event", "data"} <= value.keys() <= {"event", "data", "id", "retry"}
        fix = "yield Event(data, event=name) from antiphon.http, or Event(value) if all of it is data"
    if is_event:
        raise explained("bad-event", f"a value must be data or an Event, not {str(value)[:60]!r}: {fix}", TypeError)


def _write_error(error: Exception) -> bytes:
    """Write an event with the problem details of an HTTPError; for any other error, only that something failed."""
    if isinstance(error, HTTPError):
        try:
            return _write_event(encode_json, Event(error.problem(), event="error"))
        except (TypeError, ValueError):  # problem details that can't be written must not hide the failure
            pass
    hidden = InternalServerError()
    return _write_event(encode_json, Event({"title": hidden.title, "status": hidden.status}, event="error"))


class BeatingChunks(AsyncChunks[object]):
    """The chunks of an async source, with a heartbeat whenever no chunk has arrived for some seconds.

    The source runs in its own task, alongside the heartbeats. If the sender of the chunks takes over the heartbeats,
    the source runs in the task that asks for chunks.
    """

    def __init__(self, source: AsyncIterable[object], seconds: float, written_as: Format) -> None:
        self._beating = WithHeartbeats(source, seconds)
        self._seconds = seconds
        super().__init__(self._beating, partial(_write_async, written_as, beating=self._beating))

    def take_heartbeats(self) -> Heartbeat:
        """Leave the heartbeats to the caller. Call it before the first chunk."""
        self._beating.is_left_to_others = True
        return Heartbeat(self._seconds, str(HEARTBEAT).encode())


class WithHeartbeats(Generic[T]):
    """The items of an async iterable, and a HEARTBEAT whenever no item has arrived for some seconds.

    The iterable runs in its own task, so that a step continues while heartbeats are sent, and a timeout inside it
    affects nothing else. A step starts on demand, and is cancelled when the task that requested it is cancelled. The
    context variables are those of the first requesting task; changes to them are copied back when the iterable is
    closed.
    """

    is_left_to_others = False
    """True if other code sends the heartbeats: iterating over this object is then the same as iterating over the
    iterable.
    """

    def __init__(self, iterable: AsyncIterable[T], seconds: float) -> None:
        self._iterable = iterable
        self._iterator: AsyncIterator[T] | None = None
        self._seconds = seconds
        self.takes_back: Callable[[], bool] = bool
        """Return True if a cancellation that comes after an item is to be forgotten."""
        self._task: asyncio.Task[None] | None = None
        self._error: BaseException | None = None
        """The error that the iterable's task leaves, until it is raised."""
        self._context: Context
        self._demand: asyncio.Future[bool]
        """A future for which the iterable's task waits: its result is True for a step, and False for the end."""
        self._woken: asyncio.Future[None]
        """The future for which the requesting task waits."""
        self._is_asked = False
        self._items: list[T] = []
        """The requested item, once it has arrived."""
        self._timer: asyncio.TimerHandle | None = None
        self._due: float
        """The loop time at which a heartbeat is due."""

    def __aiter__(self) -> AsyncIterator[T | Event]:
        return aiter(self._iterable) if self.is_left_to_others else self

    async def __anext__(self) -> T | Event:
        task = self._task or self._start()
        if not (self._is_asked or self._demand.done()):
            self._is_asked = True
            self._demand.set_result(True)
        await self._wait(task)
        if self._items:
            self._is_asked = False
            return self._items.pop()
        if task.done():
            self._raise_error()
            raise StopAsyncIteration
        return HEARTBEAT

    def _start(self) -> "asyncio.Task[None]":
        loop = asyncio.get_running_loop()
        self._context = copy_context()
        self._demand, self._woken = loop.create_future(), loop.create_future()
        task = self._task = loop.create_task(self._run(), context=self._context)
        task.add_done_callback(self._wake)
        return task

    def _wake(self, _: object = None) -> None:
        if not self._woken.done():
            self._woken.set_result(None)

    async def _wait(self, task: "asyncio.Task[Any]") -> None:
        """Wait for a step, at most until a heartbeat is due. If cancelled, cancel the step and wait for its end."""
        loop = asyncio.get_running_loop()
        is_cancelled = False
        while not (self._items or task.done()):
            self._woken = loop.create_future()
            self._due = loop.time() + self._seconds
            self._timer = self._timer or self._call_when_due(loop)
            try:
                await self._woken
                if not is_cancelled:
                    return
            except asyncio.CancelledError:
                if not (self._items or task.done()):
                    is_cancelled = task.cancel()
                elif not self.takes_back():
                    raise

    def _call_when_due(self, loop: asyncio.AbstractEventLoop) -> asyncio.TimerHandle:
        return loop.call_at(self._due, self._beat, loop, context=Context())  # not the request's, which it would keep

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wake the requesting task if a heartbeat is due. One timer serves all steps, because most are shorter than a
        heartbeat.
        """
        if loop.time() < self._due:
            self._timer = self._call_when_due(loop)
        else:
            self._timer = None
            self._wake()

    def _raise_error(self) -> None:
        """Raise the error and forget it, since it refers to this object."""
        error, self._error = self._error, None
        try:
            if error is not None:
                raise error
        finally:
            del error

    async def aclose(self) -> None:
        """Close the iterable. A running step is cancelled, and its error is raised."""
        if self._timer is not None:
            self._timer.cancel()
        try:
            if self._task is not None:
                await self._stop(self._task)
                copy_variables(self._context, {})
        finally:
            if self._iterator is None:
                await aclose(self._iterable)
        if isinstance(self._error, asyncio.CancelledError):
            self._error = None
        self._raise_error()

    async def _stop(self, task: "asyncio.Task[Any]") -> None:
        if not self._demand.done():
            self._demand.set_result(False)
        if self._is_asked and not self._items:
            task.cancel()
        await wait_ended(task)

    async def _run(self) -> None:
        """Take the requested steps. Errors are kept, because an error raised by the task could end the loop."""
        try:
            await self._serve()
        except StopAsyncIteration:
            pass
        except BaseException as error:
            self._error = error

    async def _serve(self) -> None:
        self._iterator = aiter(self._iterable)
        try:
            while await self._demand:
                self._demand = asyncio.get_running_loop().create_future()
                self._items.append(await anext(self._iterator))
                self._wake()
        finally:
            await aclose(self._iterator, self._iterable)
