"""The production of a run: its source is iterated on a loop or a thread, and each value is written to the run's log."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from contextvars import Context, ContextVar
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, NamedTuple

from antiphon.app.store import StoreUnavailable
from antiphon.concurrency.iterables import aclose, close_of
from antiphon.explanations import explained
from antiphon.features.channels.feed import Feed
from antiphon.features.channels.hub import Hub
from antiphon.features.channels.message import Keep
from antiphon.features.runs.record import Kind, Line, Record, RunEnd, RunState
from antiphon.http.errors import HTTPError, InternalServerError
from antiphon.serialization.json import encode_json

if TYPE_CHECKING:
    from antiphon.features.runs.run import Run

PATIENCE = 60.0
"""The number of seconds for which writing a value is retried if the store does not respond. Meanwhile, the source
waits.
"""
PAUSE = 0.2
"""The number of seconds between attempts."""

current: "ContextVar[Run[Any] | None]" = ContextVar("antiphon.features.runs", default=None)


def current_run() -> "Run[Any]":
    """Return the run whose source is being executed. Raises RuntimeError anywhere else."""
    run = current.get()
    if run is None:
        raise explained("no-current-run", RuntimeError("no run is being produced here: call this in a run's source"))
    return run


class Bounds(NamedTuple):
    """The limits on a run's stored values: their number, their total size in bytes, and the size of one value."""

    keep: Keep
    value: int


class Production:
    """A run that this process is producing. It ends once, with the first end that is set.

    ``on_end`` is called once, on any thread, with the production and its end. It may block.
    """

    def __init__(
        self,
        record: Record,
        source: "Iterable[Any] | AsyncIterable[Any]",
        log: tuple[Hub, str],
        bounds: Bounds,
        on_end: "Callable[[Production, RunEnd], None]",
    ) -> None:
        self.record = record
        self.count = 0
        self.is_started = False
        self.ended: Future[None] = Future()
        """A future that is done when the end has been written, or when the attempts to write it have been given up."""
        self._source = source
        self._hub, self._name = log
        self._bounds = bounds
        self._on_end = on_end
        self._sizes: deque[int] = deque()
        self._size = 0
        self._is_cut = False
        self._feed: Feed | None = None
        self._end: RunEnd | None = None
        self._lock = Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def broken_off(self) -> RunState:
        """The state of the run if this worker ends before the run does."""
        return "interrupted" if self.record.function is None else "waiting"

    @property
    def is_over(self) -> bool:
        """True once an end has been set."""
        return self._end is not None

    # Starting

    def start(self, run: "Run[Any]", loop: asyncio.AbstractEventLoop) -> None:
        """Start producing: an async source on a loop, any other source on a thread, each with a new context."""
        self.is_started = True
        context = Context()
        context.run(current.set, run)
        self._loop = loop
        is_async = isinstance(self._source, AsyncIterable)
        # In a context of its own: timers and callbacks would keep the request's until the run ends.
        loop.call_soon_threadsafe(self._start_on_loop, context if is_async else None, context=Context())
        if not is_async:
            Thread(target=context.run, args=[self._produce], name="antiphon-run", daemon=True).start()

    def _start_on_loop(self, context: Context | None) -> None:
        loop = asyncio.get_running_loop()
        if self.record.deadline is not None:
            self._timer = loop.call_later(self.record.deadline, self._end_late)
        if context is not None and self.is_over:
            self._task = loop.create_task(self._aclose(None), context=context)
        elif context is not None:
            self._task = loop.create_task(self._aproduce(), context=context)
            self._task.add_done_callback(self._end_unstarted)

    def _end_unstarted(self, _: object) -> None:
        """End a run whose task was cancelled before its first step."""
        self.end(self.broken_off)

    @property
    def has_lost_loop(self) -> bool:
        """True if the production's loop was closed before the run ended."""
        return self._loop is not None and self._loop.is_closed() and isinstance(self._source, AsyncIterable)

    def _end_late(self) -> None:
        problem = {"title": "The run took too long", "status": 504, "type": "about:blank"}
        Thread(target=self.end, args=["failed", problem], name="antiphon-run-end", daemon=True).start()

    def close(self, loop: asyncio.AbstractEventLoop) -> None:
        """Close a source that was not started."""
        if isinstance(self._source, AsyncIterable):
            asyncio.run_coroutine_threadsafe(self._aclose(None), loop)
        elif close := close_of(None, self._source):
            close()

    # Producing

    async def _aproduce(self) -> None:
        source: Any = self._source
        iterator: AsyncIterator[Any] | None = None
        state: RunState = "done"
        problem = None
        try:
            iterator = aiter(source)
            async for value in iterator:
                data = self._encoded(value)
                if self._hub.blocks:
                    await asyncio.to_thread(self._write, data)
                else:
                    self._write(data)
                    await asyncio.sleep(0)
                if self.is_over:
                    break
        except asyncio.CancelledError:
            state = self.broken_off  # the source's loop has ended, unless another end is set
        except Exception as error:
            state, problem = "failed", self._problem(error)
        await self._aclose(iterator)
        if self._timer is not None:
            self._timer.cancel()
        self._task = None
        if self._hub.blocks and state != self.broken_off:
            try:
                await asyncio.to_thread(self.end, state, problem)
            except asyncio.CancelledError:
                self.end(state, problem)  # unless the thread does so
        else:
            self.end(state, problem)  # a loop that is ending has no threads left

    async def _aclose(self, iterator: AsyncIterator[Any] | None) -> None:
        try:
            await aclose(iterator, self._source)
        except (Exception, asyncio.CancelledError) as error:
            self._log(error)

    def _produce(self) -> None:
        state: RunState = "done"
        problem = None
        source: Any = self._source
        iterator: Iterator[Any] | None = None
        try:
            iterator = iter(source)
            for value in iterator:
                self._write(self._encoded(value))
                if self.is_over:
                    break
        except Exception as error:
            state, problem = "failed", self._problem(error)
        try:
            if close := close_of(iterator, source):
                close()
        except Exception as error:
            self._log(error)
        if self._timer is not None and self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._timer.cancel)
        self.end(state, problem)

    def _encoded(self, value: object) -> bytes:
        data = encode_json(value)
        if len(data) > self._bounds.value:
            reason = f"a value of a run has {len(data):,} bytes of JSON, more than {self._bounds.value:,}"
            raise explained("message-too-large", ValueError(f"{reason}: yield less at once, or set max_value_size"))
        return data

    def _problem(self, error: Exception) -> dict[str, Any]:
        """Return the part of an error that followers are told: the details of an HTTPError, or else only that there was
        an error.
        """
        if not self.is_over:
            self._log(error)
        shown = error if isinstance(error, HTTPError) else InternalServerError()
        return dict(shown.problem())

    def _log(self, error: BaseException) -> None:
        logging.getLogger("antiphon").error("the run %s failed", self.record.id, exc_info=error)

    # Writing

    def begin(self, sizes: Iterable[int] = (), number: int = 0) -> None:
        """Begin an attempt, after the values of earlier ones, given their sizes and the number of the last one.

        Raises StoreUnavailable.
        """
        self.count = number
        if not self._hub.blocks:
            self._feed = self._hub.joined(self._name, self._bounds.keep)  # stays in memory while it is in use
        for size in sizes:
            self._kept(size)
        self._append(Line(Kind.BEGIN, self.record.attempt, number, b""))

    def _write(self, text: bytes) -> None:
        """Write a value. If the store does not respond, keep trying for a while, then raise StoreUnavailable."""
        self.count += 1
        self._append(Line(Kind.VALUE, self.record.attempt, self.count, text))

    def _append(self, line: Line) -> None:
        data = line.written
        keep = self._kept(len(data))
        end = time.monotonic() + PATIENCE
        while not self.is_over:
            try:
                self._hub.send(self._name, keep, data)
                return
            except StoreUnavailable:  # which is already logged
                if line.kind == Kind.BEGIN or time.monotonic() > end:
                    raise
            time.sleep(PAUSE)

    def _kept(self, size: int) -> Keep:
        """Return how many entries may be kept along with a new one of this size."""
        self._sizes.append(size)
        self._size += size
        bound = self._bounds.keep
        while len(self._sizes) > 1 and (self._size > bound.size or len(self._sizes) > bound.most):
            self._size -= self._sizes.popleft()
            self._is_cut = True
        return Keep(len(self._sizes) if self._is_cut else bound.most, bound.size)

    # Ending

    def end(self, state: RunState, problem: "dict[str, Any] | None" = None) -> None:
        """End the run unless it has already ended and record the end. Stops the source; may block."""
        with self._lock:
            if self._end is not None:
                return
            self._end = RunEnd(state, self.count, problem)
        self._cancel()
        try:
            self._on_end(self, self._end)
        finally:
            self.ended.set_result(None)
            if self._feed is not None:
                self._hub.leave(self._feed)

    def _cancel(self) -> None:
        task, loop = self._task, self._loop
        if task is not None and loop is not None:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(task.cancel)
