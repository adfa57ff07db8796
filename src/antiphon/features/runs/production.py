"""The production of a run: its source is iterated on a loop or a thread, and each value is written to the run's log."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Iterable
from concurrent.futures import Future
from contextlib import suppress
from contextvars import Context, ContextVar
from functools import partial
from itertools import takewhile
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from antiphon import HTTPError, explained
from antiphon.embedding import Crossing, encode_json, made_chunks
from antiphon.features import StoreUnavailable
from antiphon.features.channels.feed import Keep
from antiphon.features.runs.record import Kind, Ledger, Line, Record, RunEnd, RunState, large_name, part_name
from antiphon.http import InternalServerError

if TYPE_CHECKING:
    from antiphon.features.runs.run import Run

T = TypeVar("T")

PATIENCE = 60.0
"""The number of seconds for which writing a value is retried if the store does not respond. Meanwhile, the source
waits.
"""
PAUSE = 0.2
"""The number of seconds between attempts."""
FAILURES = Exception, SystemExit, KeyboardInterrupt
"""What is the outcome of the application's code: the last two would end the loop of a task."""

current: "ContextVar[Run[Any] | None]" = ContextVar("antiphon.features.runs", default=None)


def current_run() -> "Run[Any]":
    """Return the run whose source is being executed. Raises RuntimeError anywhere else. Provisional."""
    run = current.get()
    if run is None:
        raise explained("no-current-run", "no run is being produced here: call this in a run's source", RuntimeError)
    return run


class Bounds(NamedTuple):
    """The limits on a run's log: the number of its values, their total size in bytes, with all that is stored beside
    it, and the size of one value.
    """

    keep: Keep
    value: int


class _Part(NamedTuple):
    """What a run stores: a line of its log, or an earlier part of the log; and the names of the data beside it."""

    number: int
    size: int
    line: bytes = b""
    beside: tuple[str, ...] = ()


class Production:
    """A run that this process is producing. It ends once, with the first end that is set.

    ``on_end`` is called once, on any thread, with the production, its end, and a function to call after the end has
    been written. It may block.
    """

    def __init__(
        self,
        record: Record,
        source: "Iterable[Any] | AsyncIterable[Any]",
        ledger: Ledger,
        bounds: Bounds,
        on_end: "Callable[[Production, RunEnd, Callable[[], None]], None]",
    ) -> None:
        self.record = record
        self.count = 0
        self.is_started = False
        self.ended: Future[None] = Future()
        """A future that is done when the end has been written, or when the attempts to write it have been given up."""
        self._values: Any = made_chunks(source, self._encoded, self._aencoded)
        """The values of the source as JSON, which close it."""
        self._ledger = ledger
        self._hub, self._name = ledger.hub(record.id), ledger.log(record.id)
        self._bounds = bounds
        self._on_end = on_end
        self._lines: deque[_Part] = deque()
        self._parts: deque[_Part] = deque()
        """The parts of the log that are stored beside it."""
        self._size = 0
        self._is_cut = False
        self._end: RunEnd | None = None
        self._lock = Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._left: float | None = None
        """The number of seconds until the deadline."""
        self.unfinished: set[Any] = set()
        """The sets of the apps whose shutdown waits for the run."""
        self.asked = 0
        """The number of questions that the source has asked in this attempt."""
        self._asking = 0
        """The number of questions without a reply."""

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
        is_async = isinstance(self._values, AsyncIterable)
        # In a context of its own: timers and callbacks would keep the request's until the run ends.
        loop.call_soon_threadsafe(self._start_on_loop, context if is_async else None, context=Context())
        if not is_async:
            Thread(target=context.run, args=[self._produce], name="antiphon-run", daemon=True).start()

    def _start_on_loop(self, context: Context | None) -> None:
        loop = asyncio.get_running_loop()
        self._left = self.record.deadline
        self._wait_for_deadline()
        if context is not None and self.is_over:
            self._task = loop.create_task(self._aclose(), context=context)
        elif context is not None:
            self._task = loop.create_task(self._aproduce(), context=context)
            self._task.add_done_callback(self._end_unstarted)

    def _wait_for_deadline(self) -> None:
        if self._left is not None and self._loop is not None:
            self._timer = self._loop.call_later(self._left, self._end_late)

    def begin_asking(self) -> None:
        """Write that the source waits for a person. Meanwhile, the deadline does not come closer."""
        self._asking += 1
        if self._asking == 1:
            self.hold(False)
            if self._timer is not None and self._loop is not None:
                self._left = max(0.0, self._timer.when() - self._loop.time())
                self._loop.call_soon_threadsafe(self._timer.cancel)
            self._persist(lambda: self._ledger.mark(self.record, "asking"))

    def hand_on(self) -> None:
        """Let another process start the run again, if its function is restartable."""
        if self.record.function is not None:
            Thread(target=self.end, args=["waiting"], name="antiphon-run-end", daemon=True).start()

    def end_asking(self) -> None:
        """Write that the source no longer waits for a person."""
        self._asking -= 1
        if not self._asking:
            self.hold(not self.is_over)
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._wait_for_deadline)
            self._persist(lambda: self._ledger.mark(self.record, "running"))

    def _end_unstarted(self, _: object) -> None:
        """End a run whose task was cancelled before its first step."""
        self.end(self.broken_off)

    @property
    def has_lost_loop(self) -> bool:
        """True if the production's loop was closed before the run ended."""
        return self._loop is not None and self._loop.is_closed() and isinstance(self._values, AsyncIterable)

    def _end_late(self) -> None:
        problem = {"title": "The run took too long", "status": 504, "type": "about:blank"}
        Thread(target=self.end, args=["failed", problem], name="antiphon-run-end", daemon=True).start()

    def close(self, loop: asyncio.AbstractEventLoop) -> None:
        """Close a source that was not started."""
        if isinstance(self._values, AsyncIterable):
            asyncio.run_coroutine_threadsafe(self._aclose(), loop)
        else:
            self._values.close()

    # Producing

    async def _aproduce(self) -> None:
        values = self._values
        state: RunState = "done"
        problem = None
        try:
            async for data in values:
                await self.acall(self._write, data)
                if not self._hub.blocks:
                    await asyncio.sleep(0)
                if self.is_over:
                    break
        except asyncio.CancelledError:
            state = self.broken_off  # the source's loop has ended, unless another end is set
        except FAILURES as error:
            state, problem = "failed", self._problem(error)
        await self._aclose()
        if self._timer is not None:
            self._timer.cancel()
        self._task = None
        if state == self.broken_off:
            self.end(state, problem)  # a loop that is ending may not come back
        else:
            await self.acall(self.end, state, problem)

    async def acall(self, function: "Callable[..., T]", *arguments: Any) -> "T":
        """Call a function, even if the task is cancelled: on a thread if the store blocks."""
        step = partial(function, *arguments)
        return await Crossing().run_shielded(step) if self._hub.blocks else step()

    async def _aclose(self) -> None:
        values = self._values
        try:
            await values.aclose()
        except (*FAILURES, asyncio.CancelledError) as error:
            self._log(error)

    def _produce(self) -> None:
        state: RunState = "done"
        problem = None
        values = self._values
        try:
            for data in values:
                self._write(data)
                if self.is_over:
                    break
        except FAILURES as error:
            state, problem = "failed", self._problem(error)
        try:
            values.close()
        except FAILURES as error:
            self._log(error)
        if self._timer is not None and self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._timer.cancel)
        self.end(state, problem)

    def _encoded(self, values: Iterable[Any]) -> Generator[bytes]:
        yield from map(self._json, values)

    async def _aencoded(self, values: AsyncIterable[Any]) -> AsyncGenerator[bytes]:
        async for value in values:
            yield self._json(value)

    def _json(self, value: object) -> bytes:
        data = encode_json(value)
        if len(data) > self._bounds.keep.size:
            reason = f"a value of a run has {len(data):,} bytes of JSON, more than {self._bounds.keep.size:,}"
            raise explained("message-too-large", f"{reason}: yield less at once, or set max_bytes")
        return data

    def _problem(self, error: BaseException) -> dict[str, Any]:
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

    def begin(self, lines: Iterable[Line] = (), number: int = 0) -> None:
        """Begin an attempt, after the lines and the parts of the log that earlier ones have stored, given the number of
        the last value.
        """
        self.count = number
        self._parts.extend(
            _Part(each["last"], each["size"], beside=(each["name"], *each["beside"]))
            for each in sorted(
                self._ledger.beside(self.record.id) if number else (), key=lambda each: each.get("last", 0)
            )
            if "lines" in each
        )
        self._size = sum(part.size for part in self._parts)
        last = self._parts[-1].number if self._parts else 0
        for line in lines:
            if line.number > last:
                self._kept(self._part(line))
        self.append(Line(Kind.BEGIN, self.record.attempt, number, b""))

    def _part(self, line: Line) -> _Part:
        if line.kind != Kind.LARGE:
            return _Part(line.number, len(line.written), line.written)
        return _Part(line.number, int(line.text), line.written, (large_name(line),))

    def _write(self, text: bytes) -> None:
        """Write a value. If the store does not respond, keep trying for a while, then raise StoreUnavailable."""
        self.count += 1
        line = Line(Kind.VALUE, self.record.attempt, self.count, text)
        if len(text) > self._bounds.value:
            line = Line(Kind.LARGE, self.record.attempt, self.count, b"%d" % len(text))
            self._persist(lambda: self._ledger.put(self.record.id, large_name(line), {"value": text}))
        self.append(line)

    def append(self, line: Line) -> None:
        """Write a line to the log, and store what leaves the log for it elsewhere."""
        keep = self._kept(self._part(line))
        self._persist(lambda: self._hub.send(self._name, keep, line.written), is_patient=line.kind != Kind.BEGIN)

    def _persist(self, write: Callable[[], object], *, is_patient: bool = True) -> None:
        end = time.monotonic() + PATIENCE
        while not self.is_over:
            try:
                write()
                return
            except StoreUnavailable:  # which is already logged
                if not is_patient or time.monotonic() > end:
                    raise
            time.sleep(PAUSE)

    def _kept(self, part: _Part) -> Keep:
        """Return how many lines the log may keep with a new one. Earlier values are stored beside it, in parts."""
        self._lines.append(part)
        self._size += part.size
        bound = self._bounds.keep
        while self._size > bound.size and len(self._lines) > 1:
            self._drop((self._parts or self._lines).popleft())
        if len(self._lines) > max(2, bound.most * 3 // 4):
            self._store_part()
        return Keep(len(self._lines) if self._is_cut else bound.most, bound.size)

    def _drop(self, part: _Part) -> None:
        self._size -= part.size
        self._is_cut = self._is_cut or bool(part.line)
        for name in part.beside:
            self._persist(lambda name=name: self._ledger.drop(self.record.id, name))  # type: ignore[misc]

    def _store_part(self) -> None:
        """Store the oldest values of the log beside it, in a part with a fixed range of numbers, and let them leave
        it.
        """
        at = max(self._lines[0].number - 1, 0) // self._ledger.part
        last = (at + 1) * self._ledger.part
        leaving = list(takewhile(lambda each: each.number <= last, self._lines))
        for _ in leaving:
            self._lines.popleft()
        self._is_cut = True
        lines = b"\n".join([each.line for each in leaving])
        large = [name for each in leaving for name in each.beside]
        part = _Part(last, sum(each.size for each in leaving), beside=(part_name(at), *large))
        data = {"first": leaving[0].number, "last": last, "size": part.size, "lines": lines, "beside": large}
        self._persist(lambda: self._ledger.put_part(self.record, part_name(at), data))
        self._parts.append(part)

    # Ending

    def end(self, state: RunState, problem: "dict[str, Any] | None" = None) -> None:
        """End the run unless it has already ended and record the end. Stops the source; may block."""
        with self._lock:
            if self._end is not None:
                return
            self._end = RunEnd(state, self.count, problem)
        self._cancel()
        self._on_end(self, self._end, self._finish)

    def _finish(self) -> None:
        self.ended.set_result(None)
        self.hold(False)

    def hold(self, is_held: bool) -> None:
        """Let shutdowns of the apps wait for the run, or no longer."""
        for each in self.unfinished:
            each.add(self) if is_held else each.discard(self)

    def _cancel(self) -> None:
        task, loop = self._task, self._loop
        if task is not None and loop is not None:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(task.cancel)
