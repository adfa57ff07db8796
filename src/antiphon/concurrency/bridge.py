"""Iterators between threads and loops: a thread iterates an async iterable, and a loop iterates a blocking one.

Each item is produced on demand. A body's chunks can be produced in advance for their sender, because switching between
a thread and a loop takes longer than producing most chunks:

| the chunk before | made at the next demand | given |
|---|---|---|
| took ``AHEAD`` seconds or more, or there was none | one chunk | at once |
| took less | chunks, for ``AHEAD`` seconds, up to ``BUFFER`` bytes | after that, even if one is still being made |

So chunks that are produced slowly are delivered one by one, as soon as they are ready, and no iterable is more than one
batch ahead. No chunk is begun while the sender sends, so a slow client occupies no thread.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import Future
from contextvars import Context, ContextVar, copy_context
from time import monotonic
from typing import Any, Generic, NoReturn, TypeVar

from antiphon.concurrency.background import background_loop
from antiphon.concurrency.calls import Call, Threads
from antiphon.concurrency.crossing import Crossing
from antiphon.concurrency.iterables import aclose, as_bytes, close_of

T = TypeVar("T")

AHEAD = 0.001
"""The number of seconds for which chunks are produced in advance."""
BUFFER = 64 << 10
"""The maximum number of bytes of chunks that are produced in advance."""
_END = object()

chunks_come_apart: ContextVar[bool] = ContextVar("chunks_come_apart", default=False)
"""True if chunks that are ready at the same time are returned one by one, so that tests always see the same chunks."""


class _Demand(Future[None]):
    """A thread's demand for an item, or for chunks that are produced in advance."""

    def __init__(self, is_ahead: bool) -> None:
        super().__init__()
        self.is_wanted = not is_ahead
        """True if the thread is waiting for just the next item."""

    def give(self) -> None:
        """Let the thread consume the finished items."""
        self.is_wanted = True
        if not self.done():
            self.set_result(None)


class SyncFromAsync(Generic[T]):
    """An iterator for a thread over an async iterable, which runs in one task on the background loop.

    While the thread waits, it calls ``look``, if any, every ``seconds``; ``look`` returns an item instead of the
    awaited one, or raises an error. Once the thread sees the end or an error of the iterable, the task has ended and
    its context is free. With ``ahead``, the items are chunks, which are produced in advance and returned as bytes;
    chunks that are ready at the same time are joined.
    """

    def __init__(
        self,
        iterable: AsyncIterable[T],
        context: Context,
        look: Callable[[], T] | None = None,
        seconds: float | None = None,
        ahead: bool = False,
    ) -> None:
        self._iterable = iterable
        self._look = look
        self._seconds = seconds
        self._ahead = ahead
        self._joins = ahead and not chunks_come_apart.get()
        self._made: deque[Any] = deque()
        """The items that have been produced but not consumed yet."""
        self._is_quick = self._is_making = self._is_interrupted = False
        self._demands: asyncio.Queue[_Demand | None] = asyncio.Queue()
        self._demand: _Demand | None = None
        """The demand for which the thread waits, between two calls of ``look``."""
        background = background_loop()
        self._loop = background.loop
        self._task = background.start(self._serve(), context)
        self._is_over = self._is_whole = False

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        while not self._made:
            # Looked at again: the task may have made its last items before it ended.
            if self._task.ended.done() and not self._made:
                self._end()
            demand = self._demand = self._demand or self._ask()
            if self._wait(demand):
                self._demand = None
            elif self._look is not None and not self._made:
                return self._look()
        return b"".join(_taken(self._made)) if self._joins else self._made.popleft()  # type: ignore[return-value]  # bytes, with ``ahead``

    def _ask(self) -> _Demand:
        demand = _Demand(self._ahead)
        try:
            self._task.wake_after(demand)
            self._loop.call_soon_threadsafe(self._demands.put_nowait, demand)
        except BaseException:
            # The thread was interrupted, for example by Ctrl-C: its task must not run on.
            self._break_off()
            raise
        return demand

    def _wait(self, demand: _Demand) -> bool:
        """Wait until items arrive or the task has ended.

        Returns False if nothing arrives in time. The wait for chunks that are produced in advance takes no longer than
        that, even if the loop is blocked.
        """
        try:
            if not demand.is_wanted:
                if self._task.wait(demand, AHEAD):
                    return True
                demand.is_wanted = True
                if self._made:  # checked last: the loop checks ``is_wanted`` after producing an item
                    return True
            return self._task.wait(demand, self._seconds)
        except BaseException:
            self._break_off()
            raise

    def _break_off(self) -> None:
        self._is_over = True
        self._task.break_off()

    def _end(self) -> NoReturn:
        """End the iteration: raise its error, if any, and otherwise StopIteration. Later calls raise StopIteration;
        ``close`` raises later errors.
        """
        if not (self._is_over or self._is_whole):
            self._is_over = True
            try:
                self._task.result()
            finally:
                self._task.forget_outcome()
        raise StopIteration

    def close(self) -> None:
        """Close the iterable, even before its end, and wait until it is closed. Raises the iterable's errors.

        An item in progress is cancelled. An error in an item that was produced in advance is also raised.
        """
        if self._is_over:  # for example if it was interrupted and doesn't end
            return
        self._is_over = True
        try:
            if not self._task.ended.done():
                self._loop.call_soon_threadsafe(self._stop)
            self._task.result()
        except asyncio.CancelledError:
            # Otherwise it is this object's own cancellation, which nobody else asked for.
            if not self._is_interrupted:
                raise
        except BaseException:
            self._task.break_off()
            raise
        finally:
            self._task.forget_outcome()

    def _stop(self) -> None:
        """End the task, on its loop."""
        self._demands.put_nowait(None)
        # A task that waits for a demand ends by the None.
        if self._is_making:
            self._is_interrupted = True
            self._task.cancel_on_loop()

    async def _serve(self) -> None:
        iterator: AsyncIterator[T] | None = None
        try:
            iterator = aiter(self._iterable)
            while (demand := await self._demands.get()) is not None:
                if not self._made:
                    self._is_making = True
                    await self._make(iterator, demand)
                    self._is_making = False
                demand.give()
        except StopAsyncIteration:
            self._is_whole = True
        finally:
            self._is_making = False
            await aclose(iterator, self._iterable)

    async def _make(self, iterator: AsyncIterator[T], demand: _Demand) -> None:
        """Produce one item, or produce chunks in advance until the iterable has to wait for something."""
        append = self._made.append
        if not self._ahead:
            append(await anext(iterator))
            return
        was_quick, ends_at, left = self._is_quick, monotonic() + AHEAD, BUFFER
        append(as_bytes(await anext(iterator)))
        self._is_quick = monotonic() < ends_at
        if not (was_quick and self._is_quick):
            return
        self._loop.call_soon(demand.give)  # as soon as the iterable waits
        while not demand.is_wanted and left > 0 and monotonic() < ends_at:
            item: Any = await anext(iterator)
            kind = type(item)
            # Without a call for the usual types, since this runs for each chunk.
            chunk = item if kind is bytes else item.encode() if kind is str else as_bytes(item)
            append(chunk)
            left -= len(chunk)


def _taken(items: deque[T]) -> list[T]:
    """Take all items. Another thread may be adding items at the same time."""
    return [items.popleft() for _ in range(len(items))]


class _Batch:
    """The items that one call on a thread produces: a single item, or chunks that are produced in advance."""

    def __init__(self, iterator: Iterator[Any], is_ahead: bool) -> None:
        self._iterator = iterator
        self.is_ahead = is_ahead
        self.is_wanted = False
        """True if a loop is waiting for just the next chunk."""
        self.made: deque[bytes] = deque()
        """The chunks that were produced without a change of context variables."""
        self.late: list[Any] = []
        """The item after which context variables may differ; empty at the end."""
        self.is_quick = self.has_changed = self.is_last = False

    def make(self) -> None:
        """Produce one item, or produce chunks in advance."""
        ends_at = monotonic() + AHEAD
        if self.is_ahead:
            self._make_ahead(ends_at)
            return
        self.has_changed = True
        item = next(self._iterator, _END)
        if item is _END:
            self.is_last = True
        else:
            self.late.append(item)
            self.is_quick = monotonic() < ends_at

    def _make_ahead(self, ends_at: float) -> None:
        before, append, left = copy_context(), self.made.append, BUFFER
        for item in self._iterator:
            now, kind = monotonic(), type(item)
            # At once, because the next step may change objects that are neither bytes nor text.
            chunk = item if kind is bytes else item.encode() if kind is str else as_bytes(item)
            left -= len(chunk)
            if now < ends_at:
                self.is_quick = True
            if _differs_from(before):
                self.has_changed = True
                self.late.append(chunk)
                return
            append(chunk)
            if left <= 0 or now >= ends_at or self.is_wanted:
                return
        self.is_last, self.has_changed = True, _differs_from(before)

    def want(self, call: Call[None]) -> None:
        """Wake the task that waits for the call. From now on, it waits for just the next chunk."""
        self.is_wanted = True
        call.wake()


def _differs_from(before: Context) -> bool:
    """Return True if a context variable has changed since the current context was copied."""
    try:
        return copy_context() != before  # in most cases without comparing the variables
    except Exception:  # values that can't be compared are treated as different
        return True


class AsyncFromSync(Generic[T]):
    """An async iterator over a blocking iterable, which runs in one context, on ``threads`` or on the threads of its
    task. ``shared`` is the crossing of earlier calls in the same context.

    With ``ahead``, the items are chunks, which are produced in advance and returned as bytes; with ``joins``, chunks
    that are ready at the same time are joined. The task gets the context variables that the iterable had set when it
    produced the last chunk, as without ``ahead``. The iterable gets the variables that the task had when the batch
    began. For a task that sets variables after each chunk, nothing is produced in advance.
    """

    def __init__(
        self,
        iterable: Iterable[T],
        threads: Threads | None = None,
        ahead: bool = False,
        joins: bool = True,
        shared: Crossing | None = None,
    ) -> None:
        self._iterable = iterable
        self._iterator: Iterator[T] | None = None
        self._crossing = Crossing(threads=threads) if shared is None else shared.in_same_context()
        self._ahead = ahead
        self._joins = ahead and joins and not chunks_come_apart.get()
        self._fetched: deque[Any] = deque()
        self._making: tuple[Call[None], _Batch] | None = None
        """The call that produces a batch whose last item has yet to be consumed."""
        self._is_quick = self._is_over = False
        self._seen: Context | None = None
        """The context of the task when it got the last item."""

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        if not self._fetched:
            await self.fetch()
        items = self._fetched
        if not items:  # StopIteration cannot leave a coroutine
            raise StopAsyncIteration
        if self._joins and len(items) > 1:
            self._fetched = deque()
            return b"".join(items)  # type: ignore[return-value]  # they were produced in advance, as bytes
        item: T = items.popleft()
        return as_bytes(item) if self._ahead else item  # type: ignore[return-value]  # bytes, with ``ahead``

    async def fetch(self) -> None:
        """Produce the first item in advance. Raises the iterable's errors, and RuntimeError in place of
        StopAsyncIteration.
        """
        try:
            self._fetched = deque(await self._next())
        except StopAsyncIteration as error:  # it would look like the end
            raise RuntimeError("a blocking iterator raised StopAsyncIteration") from error

    async def _next(self) -> list[Any]:
        """Return the next items, or none at the end."""
        items: list[Any] = []
        while not (items or self._is_over):  # a batch may have been consumed before it was known to be done
            if self._iterator is None:
                self._iterator = await self._crossing.run(iter, self._iterable)
            call, batch = self._making or await self._begin(self._iterator)
            if not call.is_done:
                await self._wait(call, batch)
            is_made = call.is_done  # before the items are taken
            items = _taken(batch.made)
            # What was made before a change of variables, or before an error, goes to the task without it.
            if is_made and not (items and (batch.has_changed or call.error)):
                items += self._end(call, batch)
        return items

    def _end(self, call: Call[None], batch: _Batch) -> list[Any]:
        """Take over a batch's variables, and return the item that was produced when they changed. Raises its error."""
        self._making = None
        self._is_quick, self._is_over = batch.is_quick, batch.is_last
        self._crossing.end(call)
        self._seen = copy_context()
        return batch.late

    async def _begin(self, iterator: Iterator[T]) -> tuple[Call[None], _Batch]:
        await self._crossing.raise_held_cancellation()
        is_ahead = self._ahead and self._is_quick and self._seen is not None and not _differs_from(self._seen)
        batch = _Batch(iterator, is_ahead)
        self._making = making = self._crossing.start(batch.make), batch
        return making

    async def _wait(self, call: Call[None], batch: _Batch) -> None:
        """Wait for a batch or, if that takes too long, for some of its chunks.

        If the task is cancelled, wait for an unfinished batch.
        """
        timer = None
        if batch.is_ahead and not batch.is_wanted:
            context = Context()  # not the request's, which a timer would keep for a while
            timer = asyncio.get_running_loop().call_later(AHEAD, batch.want, call, context=context)
        try:
            await self._crossing.wait(call, lambda: bool(batch.made))
        except asyncio.CancelledError:
            self._making = None  # the call was dropped
            raise
        finally:
            if timer is not None:
                timer.cancel()

    async def aclose(self) -> None:
        """Close the iterable, if it can be closed. An error in a chunk that was produced in advance is also raised."""
        making, self._making, self._seen = self._making, None, None
        try:
            if making is not None:
                call, batch = making
                # So that the thread makes no more chunks after the current one.
                batch.is_wanted = True
                await self._crossing.wait_shielded(call)
                self._crossing.end(call)
        finally:
            if close := close_of(self._iterator, self._iterable):
                await self._crossing.run_shielded(close)
