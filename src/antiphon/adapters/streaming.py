"""Writing a response's body from an event loop, chunk by chunk, with heartbeats while the body is silent."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from contextvars import Context, copy_context
from math import inf
from time import monotonic, sleep
from types import AsyncGeneratorType, CoroutineType
from typing import Any, TypeAlias

from antiphon.concurrency.bridge import AHEAD, BUFFER, AsyncFromSync, chunks_come_apart
from antiphon.concurrency.crossing import Crossing
from antiphon.concurrency.iterables import Suspended, aclose, as_bytes, begin_steps
from antiphon.concurrency.loop import drop_withdrawn_cancellation, wait_ended, yield_to_loop
from antiphon.concurrency.timers import TimeSlice
from antiphon.concurrency.workers import file_workers
from antiphon.handler.cancellation import watch_on
from antiphon.handler.drive import crossing_so_far
from antiphon.handler.failures import is_broken_from_outside, log_broken_body
from antiphon.handler.scope import awaitable_rest
from antiphon.request.lifetime import EndReason
from antiphon.request.request import Request
from antiphon.request.shared_caches import refuse_late_reads
from antiphon.response.files import CHUNK, FileBody, is_at_hand, is_for_any_thread
from antiphon.response.message import Heartbeat, Stream, declared_length, take_heartbeats

Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]


class BeatingSend:
    """A server's ``send`` for one response, which sends a heartbeat whenever it has not been called for some seconds.

    Messages are sent one after another: while a heartbeat is being sent, other messages wait. A heartbeat has its own
    short task, so the body runs in the task that sends it. ``lose_client`` is called if a heartbeat finds that the
    client has left.
    """

    def __init__(self, send: Send, heartbeat: Heartbeat, lose_client: Callable[[], None]) -> None:
        self._send = send
        self._seconds, chunk = heartbeat
        self._message = {"type": "http.response.body", "body": chunk, "more_body": True}
        self._lose_client = lose_client
        self._silent_since = monotonic()
        """The time of the last message; infinite while a message is being sent."""
        self._sending: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()
        self._look_after(self._seconds)

    async def __call__(self, message: dict[str, Any]) -> None:
        if self._sending is not None:
            await self.flush()
        # No heartbeat is due while a message is being sent.
        self._silent_since = inf
        await self._send(message)
        self._silent_since = monotonic()

    async def flush(self) -> None:
        """Wait until a heartbeat in progress has been sent. Raises the server's error."""
        if self._sending is not None:
            await self._sending

    async def stop(self) -> None:
        """Send no more heartbeats, and abandon any in progress."""
        # Before the wait, during which it could begin another heartbeat.
        self._timer.cancel()
        if self._sending is not None:
            self._sending.cancel()
            await wait_ended(self._sending)

    def _look(self) -> None:
        """Send a heartbeat if it is due. One timer serves all messages, because most are sent before it expires."""
        left = self._silent_since + self._seconds - monotonic()
        if left <= 0 and self._sending is None:
            self._sending = self._loop.create_task(self._beat(), context=self._context)
        self._look_after(left if 0 < left < self._seconds else self._seconds)

    def _look_after(self, seconds: float) -> None:
        # Not in the request's context: a loop keeps a cancelled timer for a while, and a timer keeps its context.
        self._timer = self._loop.call_later(seconds, self._look, context=Context())

    async def _beat(self) -> None:
        try:
            await self._send(self._message)
        except OSError:  # servers report a disconnect this way
            self._lose_client()
        self._silent_since = monotonic()
        self._sending = None  # a failed heartbeat is kept, so that the next message also fails


async def read_small_file(request: Request, body: Stream, fields: Iterable[tuple[str, str]]) -> bytes | None:
    """Read a file of one chunk with a single thread switch. Return None for any other body, which is written in chunks.

    If a file can't be read, the error is logged and raised, so that the server responds with an error.
    """
    if type(body) is not FileBody or body.length > CHUNK or ("content-length", str(body.length)) not in fields:
        return None
    try:
        return await Crossing.for_files().run(b"".join, body)
    except Exception as error:
        log_broken_body(request, error)
        raise


_MOST_UNKNOWN = 15
"""The maximum number of chunks in a row that are awaited, and sent, without finding out whether they were ready: that
costs a microsecond, and sources that had to wait often do so again.
"""


class _Joined:
    """The chunks of one response, of which those that are ready together are sent as one message."""

    def __init__(self, send: Send, loop: asyncio.AbstractEventLoop, joins: bool) -> None:
        self._send, self._loop = send, loop
        self._left, self._pause = (0 if joins else inf), 0
        """How many chunks are awaited without finding out whether they are ready, now and the last time."""
        self._is_waited, self._is_first = False, True
        self._asked = 0.0
        self._chunks: list[bytes] = []
        self._size = 0
        """The number of bytes that wait."""
        self.is_busy = False
        """True if anything waits or is being sent."""
        self.sending: asyncio.Task[None] | None = None
        self.is_disconnected = False
        """True once the server has reported that the client has disconnected."""

    async def next_of(self, chunks: AsyncIterator[bytes | str]) -> bytes | str:
        """Return the next chunk. While it isn't ready, what waits is sent. Raises StopAsyncIteration."""
        waiting: Any = anext(chunks)
        if self._left > 0:
            self._left -= 1
            self._is_waited = True
            return await waiting  # type: ignore[no-any-return]
        self._asked = monotonic()
        # One step by hand, which tells whether the chunk is ready.
        is_driven = type(waiting) is CoroutineType or type(chunks) is AsyncGeneratorType
        steps = waiting if is_driven else _awaited(waiting)
        chunk = begin_steps(steps, Suspended)
        self._is_waited = type(chunk) is Suspended
        self._left = self._pause = min(2 * self._pause + 1, _MOST_UNKNOWN) if self._is_waited else 0
        if self._is_waited:
            if self._size:
                # In a task of its own, since the source of the chunks runs on in this one.
                self.sending = self._loop.create_task(self._send_all(self.sending))
            chunk = await awaitable_rest(steps, chunk.effect)
        return chunk  # type: ignore[no-any-return]

    async def take(self, data: bytes) -> None:
        """Send a chunk, or keep it until the next one is there, if it was ready at once."""
        # The first one isn't kept, nor one after which the next may take as long.
        is_kept = not (self._is_waited or self._is_first) and monotonic() - self._asked <= AHEAD
        self._is_first = False
        if is_kept or self.is_busy:
            self.is_busy = True
            self._chunks.append(data)
            self._size += len(data)
            if not is_kept or self._size >= BUFFER:
                await self.send()
        else:
            await self._send_now(data)

    async def send(self) -> None:
        """Send what waits, after what is being sent."""
        sending, self.sending, self.is_busy = self.sending, None, False
        await self._send_all(sending)

    async def _send_all(self, before: "asyncio.Task[None] | None") -> None:
        data, self._chunks, self._size = b"".join(self._chunks), [], 0
        if before is not None:
            await before
        if data and not self.is_disconnected:
            await self._send_now(data)

    async def _send_now(self, data: bytes) -> None:
        try:
            await self._send({"type": "http.response.body", "body": data, "more_body": True})
        except OSError:  # servers report a disconnect this way
            self.is_disconnected = True


async def _awaited(waiting: Awaitable[Any]) -> Any:
    return await waiting


_writings: "set[_Writing]" = set()
"""The responses being written, on all event loops."""


async def write_chunks(
    request: Request,
    body: Stream,
    send_head: Callable[[], Awaitable[Send]],
    is_silent: bool = False,
    fields: Iterable[tuple[str, str]] = (),
) -> bool:
    """Write a body to its end, and always close it.

    Return True if everything has been written and the client is still connected.

    ``send_head`` returns the function that sends the messages. When the client disconnects, the iteration is cancelled
    where it waits. A stream's client is watched after 20 to 40 ms; before that, only the server's errors reveal that it
    has left. If a body fails, its error is logged and raised, so that the server cuts off the response. If it fails
    because the client cut off the request's body, the response is merely left incomplete. A body that is longer or
    shorter than ``fields`` declare also fails. An error while closing a completely written body is logged. An
    ``is_silent`` body is only closed.
    """
    chunks: AsyncIterator[bytes | str] | None = None
    is_whole = False
    writing = _Writing(request, fields)
    body = body if is_silent else refuse_late_reads(request, body, fields)
    try:
        chunks = aiter(body) if isinstance(body, AsyncIterable) else writing.on_threads(body)
        # A file that can't be read makes the server respond with an error. Other bodies don't delay the head.
        if isinstance(chunks, AsyncFromSync) and is_at_hand(body) and not is_silent:
            await chunks.fetch()
        if await writing.send_head(send_head) and not is_silent:
            await writing.write(chunks, take_heartbeats(body))
        is_whole = not writing.is_disconnected
    except asyncio.CancelledError:
        if not writing.take_back():
            raise
    except Exception as error:
        if not is_broken_from_outside(request, error):
            log_broken_body(request, error)
            raise
    finally:
        try:
            try:
                await writing.end()
            finally:
                await aclose(chunks, body)
        except Exception as error:
            if not is_broken_from_outside(request, error):
                if not is_whole:
                    raise
                log_broken_body(request, error)
        finally:
            # Last, because ``cut_off`` waits until the bodies are closed.
            _writings.discard(writing)
    return is_whole


def cut_off(seconds: float) -> None:
    """Cut off the responses that event loops of this process are still writing, as if their clients had disconnected.

    Call this on a thread without a loop. It waits a few seconds at most for the bodies to be closed.
    """
    end = monotonic() + seconds
    # A copy, because loops on other threads add and remove theirs.
    for writing in _writings.copy():
        writing.cut_soon()
    while _writings and monotonic() < end:
        sleep(0.01)


class _Writing:
    """One response, written by the task that creates this object. The task is cancelled when the client disconnects."""

    _send: Send

    def __init__(self, request: Request, fields: Iterable[tuple[str, str]]) -> None:
        self._length = declared_length(fields)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - it is made in a coroutine
        self._task = task
        self._has_cancelled = self._has_ended = False
        self.is_disconnected = False
        self._request = request
        self._withdraw: Callable[[], None] | None = None
        _writings.add(self)

    def watch(self) -> None:
        """Stop when the client disconnects. Short streams are written before this is called."""
        self._withdraw = self._request.lifetime._on_disconnect(self._cut)

    def cancel(self, reason: EndReason) -> None:
        """Continue while the process is draining: ``cut_off`` ends the streams."""

    def on_threads(self, body: Iterable[bytes | str]) -> AsyncFromSync[bytes | str]:
        """Return a blocking body's chunks, which are produced in advance.

        A file's chunks are large, and are read on the threads for files. Chunks of a declared length are counted one by
        one.
        """
        if is_for_any_thread(body):
            return AsyncFromSync(body, file_workers())
        return AsyncFromSync(body, ahead=True, joins=self._length is None, shared=crossing_so_far(self._request))

    async def send_head(self, send_head: Callable[[], Awaitable[Send]]) -> bool:
        """Send the head. Return False if the client has disconnected."""
        try:
            self._send = await send_head()
            # Not before: a server would ask a client that expects a 100 for the body.
            watch_on(self._task.get_loop()).add(self)
        except OSError:
            self.is_disconnected = True
        return not self.is_disconnected

    async def write(self, chunks: AsyncIterator[bytes | str], heartbeat: Heartbeat | None) -> None:
        """Write chunks, with heartbeats between them, until they end or the client has disconnected."""
        if heartbeat is None:
            await self._write_each(chunks, self._send)
            return
        send = BeatingSend(self._send, heartbeat, self._cut)
        try:
            await self._write_each(chunks, send)
            # A heartbeat that is being sent comes before the end.
            await send.flush()
        finally:
            await send.stop()

    async def _write_each(self, chunks: AsyncIterator[bytes | str], send: Send) -> None:
        """Write chunks one by one, or joined while their source has the next one ready.

        Other tasks get to run even if no chunk has to be waited for.
        """
        length, loop, time_slice = self._length, self._task.get_loop(), TimeSlice()
        # Chunks of a declared length are counted one by one.
        joined = _Joined(send, loop, joins=length is None and not chunks_come_apart.get())
        try:
            while not joined.is_disconnected:
                chunk = await joined.next_of(chunks)
                data = chunk if type(chunk) is bytes else as_bytes(chunk)
                if length is not None:
                    # Before the send: bytes beyond the declared length would be taken for the next response.
                    length.count(data)
                if data:
                    await joined.take(data)
                if time_slice.is_over(loop):
                    if joined.is_busy:
                        await joined.send()
                    await yield_to_loop()
        except Exception as error:
            if joined.is_busy:
                await joined.send()
            if not isinstance(error, StopAsyncIteration):
                raise
            if length is not None and not joined.is_disconnected:
                length.end()
        finally:
            self.is_disconnected |= joined.is_disconnected
            if joined.sending is not None:
                joined.sending.cancel()
                await wait_ended(joined.sending)

    def _cut(self) -> None:
        """Stop, unless this was already done or everything has been written."""
        if not (self.is_disconnected or self._has_ended):
            self.is_disconnected = self._has_cancelled = True
            self._task.cancel()

    def cut_soon(self) -> None:
        """Stop from another thread."""
        with suppress(RuntimeError):  # a closed loop has nothing to write
            self._task.get_loop().call_soon_threadsafe(self._cut)

    def take_back(self) -> bool:
        """Undo the cancellation by ``_cut``. Return True if there was one, and it was the task's only cancellation."""
        if not self._has_cancelled:
            return False
        self._has_cancelled = False
        return self._task.uncancel() == 0

    async def end(self) -> None:
        """Stop watching. Drop a cancellation by ``_cut`` that has not arrived yet, and raise any other."""
        # From here on, ``_cut`` must not cancel what the task does next.
        self._has_ended = True
        watch_on(self._task.get_loop()).discard(self)
        if self._withdraw is not None:
            self._withdraw()
            self._withdraw = None  # it refers to this object
        if self.take_back():
            await drop_withdrawn_cancellation()
