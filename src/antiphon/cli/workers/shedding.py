"""Load shedding: while a worker is late, requests wait in a queue of its own, or are refused with 503.

Otherwise they would wait where nothing sees them: in the server, in the event loop, in front of the threads. A worker
measures how late it is by a tick: a timer of its loop, or over WSGI a thread, which needs the interpreter like all
others. No request is checked while ticks come in time. When one is late, the state changes:

| state | a request | the other state follows |
|---|---|---|
| open | passes | when a tick is late by more than `LATE` |
| controlled | begins if there is room, or waits in an `AdmissionQueue` | after `CALM` seconds without one that waits |

On a loop, there is room for as many requests as begin within `_SLOW` seconds in one pass, at least one: a pass first
takes in all that have arrived, then lets the next ones begin. So a request's arrival is known to within one pass, and
the next one is chosen from all that wait.

On threads, there is room for a number of requests that follows the lateness: fewer, by a factor, while it is above
`_BUSY` or the process is always on the processor; else one more with each tick (additive increase, multiplicative
decrease, as in RFC 5681). Calls that compute hold each other up, those that wait for a database don't. A request no
longer counts once its response has begun, so that streams take no room, nor do open WebSockets.
"""

import asyncio
import logging
import random
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from math import ceil
from threading import Event, Lock, Thread
from typing import Any

from antiphon.adapters.asgi import ASGIHead
from antiphon.adapters.disconnect import BufferedMessages
from antiphon.adapters.rsgi import RSGIHead
from antiphon.adapters.servable import Servable
from antiphon.adapters.wsgi import WSGIHead
from antiphon.cli.workers.observed import Entrance
from antiphon.concurrency.admission import AdmissionQueue, Ticket
from antiphon.concurrency.workers import WORKERS, workers
from antiphon.handler.contract import RequestClass
from antiphon.http.head import Head

TICK = 0.02
"""Seconds from one tick to the next."""
LATE = 0.02
"""Seconds by which a tick may be late."""
CALM = 1.0
"""Seconds in which nothing waits, before requests pass without a check again."""
_QUICK, _SLOW = 0.005, 0.01
"""Seconds of a pass in which more requests may begin the next time, or only fewer."""
_BUSY, _ON_PROCESSOR = 0.01, 0.9
"""The average lateness in seconds, and the part of the time on a processor, at which there is less room on threads."""
_LESS, _WEIGHT = 0.8, 0.3
"""The factor of the room then, and the weight of the last tick in the average."""
_SWITCH = 0.0005
"""The switch interval of a controlled worker in seconds. The server's thread takes in one request each time."""
_PAUSE, _LONGEST_PAUSE, _SHARE = 0.0001, 0.005, 0.05
"""Seconds, and the share of a pass, in which the loop leaves the interpreter to that thread."""
_UNWATCHED = 0.2
"""Seconds for which a request waits before its client is watched."""
_TAKING_IN = 0.00006
"""Seconds in which the thread takes in a request."""
_UNUSED_THREADS = 4
"""The number of a server's threads over WSGI that are left for refusals."""
_REPORT = 10.0
"""Seconds between two lines of the log."""

_TEXT = "The server is overloaded. Try again later.\n"
_logger = logging.getLogger("antiphon")

Classify = Callable[[Head], RequestClass]


class _Room:
    """The room on threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._limit = float(most)
        self._lateness = 0.0
        self._used, self._seen = time.process_time(), time.monotonic()
        self.running = 0
        self._uncounted = 0.0

    def count_others(self, number: int) -> None:
        """Count requests that began before the control, of which the end is not known: fewer with each tick."""
        self._uncounted = number

    @property
    def is_left(self) -> bool:
        """True if another request may begin."""
        return self.running + int(self._uncounted) < int(self._limit)

    def adapt(self, late: float) -> None:
        """Adapt the room to the lateness of a tick."""
        self._lateness += _WEIGHT * (late - self._lateness)
        used, now = time.process_time(), time.monotonic()
        share = (used - self._used) / max(now - self._seen, TICK)
        self._used, self._seen = used, now
        less = _LESS ** (1 + late / TICK)
        self._uncounted *= less
        is_busy = self._lateness > _BUSY or share > _ON_PROCESSOR
        self._limit = max(1.0, self._limit * less) if is_busy else min(float(self._most), self._limit + 1)


class _Refusals:
    """The responses to requests that are refused, and the lines of the log about them."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._count = 0
        self._reported = 0.0

    def fields(self) -> list[tuple[str, str]]:
        """Return the fields of another response, with a time to try again that differs from client to client."""
        self._count += 1
        now = time.monotonic()
        if now - self._reported > _REPORT:
            self._reported = now  # first, as another thread may be here
            _logger.warning("the worker is overloaded: refused %d requests with 503 (--patience)", self._count)
            self._count = 0
        pause = ceil(self._patience * random.uniform(0.5, 2.0))  # noqa: S311 - no secret
        length = str(len(_TEXT))
        return [("content-type", "text/plain"), ("content-length", length), ("retry-after", str(max(1, pause)))]


class LoopAdmission:
    """The admission of requests to an application that a loop serves, over ASGI or RSGI."""

    def __init__(self, entrance: Entrance, app: Any, patience: float, loop: asyncio.AbstractEventLoop) -> None:
        self._entrance, self._answer, self._loop = entrance, entrance.inner, loop
        self._classify: Classify | None = app._class_of if isinstance(app, Servable) else None  # noqa: SLF001
        self._refusals = _Refusals(patience)
        self._on_loop, self._on_threads = AdmissionQueue(patience), AdmissionQueue(patience)
        self._room = _Room(WORKERS)
        self._quota = self._left = 1
        self._taken_in = 0
        self._pause = _PAUSE
        self._is_controlled = self._is_asked = self._is_scheduled = False
        self._due = self._passed = self._waited_at = 0.0
        self._watches: set[asyncio.Task[None]] = set()
        self._interval = sys.getswitchinterval()
        entrance.call_before_next(self._start_ticking)

    # Ticks

    def _start_ticking(self) -> None:
        """Tick from the first request after a pause."""
        self._is_asked = False
        self._entrance.call_before_next(self._note_asked)
        self._tick_next()

    def _note_asked(self) -> None:
        self._is_asked = True

    def _tick_next(self) -> None:
        self._due = self._loop.time() + TICK
        self._loop.call_at(self._due, self._tick)

    def _tick(self) -> None:
        late = self._loop.time() - self._due
        if self._is_controlled:
            self._control(late)
        elif late > LATE:
            self._take_control()
        if self._is_controlled:
            self._tick_next()
        elif self._is_asked:
            self._start_ticking()
        else:  # nothing is asked, so nothing has to be measured
            self._entrance.call_before_next(self._start_ticking)

    def _take_control(self) -> None:
        self._is_controlled = True
        self._waited_at = self._passed = time.monotonic()
        self._room.count_others(sum(workers.load()))
        self._interval = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH)
        self._entrance.pass_to(self._admit_rsgi if hasattr(self._entrance, "__rsgi__") else self._admit_asgi)

    def _control(self, late: float) -> None:
        self._room.adapt(late)
        now = time.monotonic()
        if late > LATE or self._on_loop or self._on_threads:
            self._waited_at = now
        elif now - self._waited_at > CALM:
            self._is_controlled = False
            self._is_asked = True
            sys.setswitchinterval(self._interval)
            self._entrance.pass_to(self._answer)
        if self._on_threads:
            self._schedule()

    # Passes

    def _schedule(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self._leave_interpreter)

    def _leave_interpreter(self) -> None:
        """Leave the interpreter to the server's thread, so that it hands over what it has read, before the pass."""
        most = min(max((time.monotonic() - self._passed) * _SHARE, _PAUSE), _LONGEST_PAUSE)
        is_short = self._taken_in * _TAKING_IN > self._pause
        self._pause = min(2 * self._pause if is_short else max(self._pause * _LESS, _PAUSE), most)
        self._taken_in = 0
        time.sleep(self._pause)
        self._loop.call_soon(self._pass)

    def _pass(self) -> None:
        self._is_scheduled = False
        now = time.monotonic()
        elapsed, self._passed = now - self._passed, now
        if elapsed < _QUICK:
            self._quota = min(2 * self._quota, 64)
        elif elapsed > _SLOW:
            self._quota = max(self._quota // 2, 1)
        self._left = self._quota
        while self._left > 0 and self._on_loop.begin():
            self._left -= 1
        while self._room.is_left and self._on_threads.begin():
            self._room.running += 1
        self._on_loop.expire()
        self._on_threads.expire()
        if self._on_loop:
            self._schedule()

    def _may_begin(self, kind: RequestClass) -> bool:
        """Return True if a request may begin at once, and take its room."""
        self._taken_in += 1
        if kind.is_exempt:
            return True
        if kind.blocks:
            may_begin = self._room.is_left and not self._on_threads
            self._room.running += may_begin
            return may_begin
        may_begin = self._left > 0 and not self._on_loop
        self._left -= may_begin
        self._schedule()
        return may_begin

    async def _wait(
        self, kind: RequestClass, wait_left: Callable[[], Coroutine[Any, Any, None]], *, is_cancelled: bool
    ) -> bool:
        """Wait for the turn of a request; return True if it begins, but False if its client disconnects.

        The disconnect is waited for only after a while, since it takes the server's thread, too. ``is_cancelled`` says
        that this wait is cancelled when the other one ends.
        """
        queue = self._on_threads if kind.blocks else self._on_loop
        decided: asyncio.Future[bool] = self._loop.create_future()
        ticket = Ticket(kind.client, kind.is_low, decided.set_result)
        queue.join(ticket)
        self._schedule()
        if decided.done():
            return decided.result()
        watches: list[asyncio.Task[None]] = []

        def watch() -> None:
            watches.append(task := self._loop.create_task(wait_left()))
            self._watches.add(task)
            task.add_done_callback(self._watches.discard)
            task.add_done_callback(lambda _: _leave(queue, ticket, decided))

        timer = self._loop.call_later(_UNWATCHED, watch)
        try:
            return await decided
        except asyncio.CancelledError:
            queue.leave(ticket)
            raise
        finally:
            timer.cancel()
            if is_cancelled:
                for each in watches:
                    each.cancel()

    def _end(self, kind: RequestClass) -> None:
        if kind.blocks and not kind.is_exempt:
            self._room.running -= 1
            if self._on_threads:
                self._schedule()

    # ASGI

    def _admit_asgi(self, scope: Any, receive: Any, send: Any) -> Awaitable[object]:
        if scope["type"] == "lifespan":
            return self._answer(scope, receive, send)  # type: ignore[no-any-return]  # as ASGI says
        if self._classify is None or scope["type"] != "http":
            kind = RequestClass((scope.get("client") or ("",))[0])
        else:
            kind = self._classify(ASGIHead(scope, receive, send))
        if not self._may_begin(kind):
            return self._queue_asgi(kind, scope, receive, send)
        return self._run_asgi(kind, scope, receive, send) if kind.blocks else self._answer(scope, receive, send)

    async def _queue_asgi(self, kind: RequestClass, scope: Any, receive: Any, send: Any) -> None:
        messages = BufferedMessages(receive)
        if await self._wait(kind, messages.wait_disconnect, is_cancelled=False):
            await self._run_asgi(kind, scope, messages.next, send)
        elif scope["type"] == "http":
            fields = [(name.encode(), value.encode()) for name, value in self._refusals.fields()]
            await send({"type": "http.response.start", "status": 503, "headers": fields})
            await send({"type": "http.response.body", "body": _TEXT.encode()})
        else:
            await send({"type": "websocket.close", "code": 1013})

    async def _run_asgi(self, kind: RequestClass, scope: Any, receive: Any, send: Any) -> None:
        end = _Once(partial(self._end, kind))

        def end_and_send(message: Any) -> Any:
            end()
            return send(message)

        try:
            await self._answer(scope, receive, end_and_send)
        finally:
            end()

    # RSGI

    def _admit_rsgi(self, scope: Any, protocol: Any) -> Awaitable[object]:
        if self._classify is None or scope.proto != "http":
            kind = RequestClass((scope.client or "").rpartition(":")[0])
        else:
            kind = self._classify(RSGIHead(scope, protocol))
        if not self._may_begin(kind):
            return self._queue_rsgi(kind, scope, protocol)
        return self._run_rsgi(kind, scope, protocol) if kind.blocks else self._answer(scope, protocol)

    async def _queue_rsgi(self, kind: RequestClass, scope: Any, protocol: Any) -> None:
        if scope.proto != "http":
            if await self._wait(kind, _wait_for_ever, is_cancelled=True):
                await self._run_rsgi(kind, scope, protocol)
            else:
                protocol.close(1013)
        elif await self._wait(kind, partial(_wait_left, protocol), is_cancelled=True):
            await self._run_rsgi(kind, scope, protocol)
        else:
            protocol.response_str(503, self._refusals.fields(), _TEXT)

    async def _run_rsgi(self, kind: RequestClass, scope: Any, protocol: Any) -> None:
        end = _Once(partial(self._end, kind))
        try:
            await self._answer(scope, _EndingProtocol(protocol, end))
        finally:
            end()


async def _wait_left(protocol: Any) -> None:
    await protocol.client_disconnect()


async def _wait_for_ever() -> None:
    await asyncio.get_running_loop().create_future()


def _leave(queue: AdmissionQueue, ticket: Ticket, decided: "asyncio.Future[bool]") -> None:
    """Forget a request whose client has left. Its refusal is not sent to anyone."""
    queue.leave(ticket)
    if not decided.done():
        decided.set_result(False)


class _Once:
    """A function that is called at most once."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[[], object]) -> None:
        self._function: Callable[[], object] | None = function

    def __call__(self) -> None:
        if self._function is not None:
            function, self._function = self._function, None
            function()


class _EndingProtocol:
    """The protocol of a server, which calls a function when the response begins."""

    def __init__(self, protocol: Any, end: Callable[[], None]) -> None:
        self._protocol = protocol
        self._end = end

    def __call__(self) -> Any:
        return self._protocol()

    def __aiter__(self) -> Any:
        return self._protocol.__aiter__()

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("response_", "accept")):
            self._end()
        return getattr(self._protocol, name)


def _count_foreign_threads() -> int:
    """Return the number of threads that run Python although it did not start them: those of the server."""
    started = {thread.ident for thread in threading.enumerate() if not thread.name.startswith("Dummy-")}
    return len(sys._current_frames().keys() - started)  # noqa: SLF001 - public, and documented


class ThreadAdmission:
    """The admission of requests to an application that threads of a server serve, over WSGI."""

    def __init__(self, entrance: Entrance, app: Any, patience: float, threads: int) -> None:
        self._entrance, self._answer = entrance, entrance.inner
        self._classify: Classify | None = app._class_of if isinstance(app, Servable) else None  # noqa: SLF001
        self._refusals = _Refusals(patience)
        self._most = threads - _UNUSED_THREADS
        self._queue = AdmissionQueue(patience, threads // 4)
        self._room = _Room(self._most)
        self._lock = Lock()
        self._is_controlled = self._is_asked = False
        self._asked = Event()
        self._waited_at = 0.0
        self._interval = sys.getswitchinterval()
        entrance.call_before_next(self._note_asked)
        Thread(target=self._tick_for_ever, name="antiphon-admission", daemon=True).start()

    def _note_asked(self) -> None:
        self._is_asked = True
        self._asked.set()

    def _tick_for_ever(self) -> None:
        while True:
            self._asked.wait()
            due = time.monotonic() + TICK
            time.sleep(TICK)
            self._tick(time.monotonic() - due)

    def _tick(self, late: float) -> None:
        if self._is_controlled:
            self._control(late)
        elif late > LATE:
            self._is_controlled = True
            self._waited_at = time.monotonic()
            self._room.count_others(_count_foreign_threads())
            self._interval = sys.getswitchinterval()
            sys.setswitchinterval(_SWITCH)
            self._entrance.pass_to(self._admit)
        elif self._is_asked:
            self._is_asked = False
            self._entrance.call_before_next(self._note_asked)
        else:
            self._asked.clear()

    def _control(self, late: float) -> None:
        now = time.monotonic()
        with self._lock:
            self._room.adapt(late)
            self._begin_next()
            if late > LATE or self._queue:
                self._waited_at = now
        if now - self._waited_at > CALM:
            self._is_controlled = False
            sys.setswitchinterval(self._interval)
            self._entrance.pass_to(self._answer)
            self._entrance.call_before_next(self._note_asked)

    def _begin_next(self) -> None:
        while self._room.is_left and self._queue.begin():
            self._room.running += 1
        self._queue.expire()

    def _admit(self, environ: Any, start_response: Any) -> Any:
        head = WSGIHead(environ)
        kind = RequestClass(environ.get("REMOTE_ADDR", "")) if self._classify is None else self._classify(head)
        if kind.is_exempt:
            return self._answer(environ, start_response)
        if not self._begins(kind, head):
            start_response("503 Service Unavailable", self._refusals.fields())
            return [_TEXT.encode()]
        try:
            return self._answer(environ, start_response)
        finally:
            with self._lock:
                self._room.running -= 1
                self._begin_next()

    def _begins(self, kind: RequestClass, head: WSGIHead) -> bool:
        """Wait for the turn of a request; return True if it begins, unless its client has left by then."""
        decided, decisions = Event(), list[bool]()

        def decide(begins: bool) -> None:
            decisions.append(begins)
            decided.set()

        with self._lock:
            if self._room.is_left and not self._queue:
                self._room.running += 1
                return True
            self._queue.join(Ticket(kind.client, kind.is_low, decide))
        decided.wait()
        if decisions == [True] and head.has_left():
            with self._lock:
                self._room.running -= 1
                self._begin_next()
            return False
        return decisions == [True]
