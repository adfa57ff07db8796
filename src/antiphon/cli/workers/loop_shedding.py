"""Load shedding on an event loop, over ASGI and RSGI.

There is room for as many requests as begin within `_SLOW` seconds in one pass of the loop, at least one: a pass first
takes in all that have arrived, then lets the next ones begin. So a request's arrival is known to within one pass, and
the next one is chosen from all that wait.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from antiphon.adapters.asgi import ASGIHead
from antiphon.adapters.heads import address
from antiphon.adapters.rsgi import RSGIHead
from antiphon.cli.workers.observed import Entrance, WrappedProtocol
from antiphon.cli.workers.shedding import (
    CALM,
    LATE,
    LESS,
    SWITCH,
    TEXT,
    TICK,
    UNWATCHED,
    Peers,
    ProcessorShare,
    Refusals,
    Room,
    classifier,
)
from antiphon.concurrency.admission import AdmissionQueue, Ticket
from antiphon.concurrency.workers import WORKERS, workers
from antiphon.http.head import RequestClass

_QUICK, _SLOW = 0.005, 0.01
"""Seconds of a pass in which more requests may begin the next time, or only fewer."""
_PAUSE, _LONGEST_PAUSE, _SHARE = 0.0001, 0.005, 0.05
"""Seconds, and the share of a pass, in which the loop leaves the interpreter to that thread."""
_TRY_AGAIN_LATER = 1013
"""The code by which a WebSocket is refused (IANA's registry of WebSocket close codes)."""
_TAKING_IN = 0.00006
"""Seconds in which the thread takes in a request."""


class LoopAdmission:
    """The admission of requests to an application that a loop serves, over ASGI or RSGI."""

    def __init__(self, entrance: Entrance, app: Any, patience: float, loop: asyncio.AbstractEventLoop) -> None:
        self._entrance, self._answer, self._loop = entrance, entrance.inner, loop
        self._classify = classifier(app)
        self._refusals = Refusals(patience)
        self._peers = Peers()
        self._on_loop, self._on_threads = AdmissionQueue(patience), AdmissionQueue(patience)
        self._room = Room(WORKERS)
        self._processor = ProcessorShare()
        self._quota = self._left = 1
        self._taken_in = 0
        self._pause = _PAUSE
        self._is_controlled = self._is_asked = self._is_scheduled = False
        self._due = self._passed = self._waited_at = 0.0
        self._was_blocked = False
        """True while the loop takes in what has come while it was blocked."""
        self._looked: float | None = None
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
        if late > UNWATCHED:
            self._was_blocked = True
            self._loop.call_soon(self._loop.call_soon, self._forget_block)  # it takes two passes to take in all
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

    def _forget_block(self) -> None:
        self._was_blocked = False

    def _take_control(self) -> None:
        self._is_controlled = True
        self._waited_at = self._passed = time.monotonic()
        self._room.count_others(sum(workers.load()))
        self._interval = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH)
        self._entrance.pass_to(self._admit_rsgi if hasattr(self._entrance, "__rsgi__") else self._admit_asgi)

    def _control(self, late: float) -> None:
        self._room.adapt(late, self._processor.measure())
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
        self._pause = min(2 * self._pause if is_short else max(self._pause * LESS, _PAUSE), most)
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
        """Return True if a request may begin immediately, and reserve its place."""
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

    async def _begins(self, kind: RequestClass, port: int | None) -> bool:
        """Wait for the turn of a request; return True if it begins, False if its client has disconnected by then."""
        queue = self._on_threads if kind.blocks else self._on_loop
        decided: asyncio.Future[bool] = self._loop.create_future()
        decisions = list[bool]()

        def decide(begins: bool) -> None:
            decisions.append(begins)
            if not decided.done():  # it is cancelled a pass before its task knows that
                decided.set_result(begins)

        ticket = Ticket(kind.client, kind.is_low, decide)
        queue.join(ticket)
        self._schedule()
        try:
            begins = await decided
        except asyncio.CancelledError:
            queue.leave(ticket)
            if decisions == [True]:
                self._end(kind)
            raise
        if begins and time.monotonic() - ticket.arrived > UNWATCHED and self._peers.has_left(port, ticket.arrived):
            self._end(kind)
            return False
        return begins

    def _end(self, kind: RequestClass) -> None:
        if kind.blocks and not kind.is_exempt:
            self._room.running -= 1
            if self._on_threads:
                self._schedule()

    def _has_left(self, port: int | None) -> bool:
        """Return True for a request that arrived while the loop was blocked, if its client has disconnected since.

        All requests that the loop begins to handle in one pass have arrived before it, so they share a check.
        """
        self._taken_in += 1
        if not self._was_blocked:
            return False
        if self._looked is None:
            self._looked = time.monotonic()
            self._loop.call_soon(self._forget_look)
        return self._peers.has_left(port, self._looked)

    def _forget_look(self) -> None:
        self._looked = None

    # ASGI

    def _admit_asgi(self, scope: Any, receive: Any, send: Any) -> Awaitable[object]:
        if scope["type"] == "lifespan":
            return self._answer(scope, receive, send)  # type: ignore[no-any-return]  # as ASGI says
        host, port = address(*scope.get("client") or (None, None)) or ("", 0)
        if self._has_left(port):
            return self._refuse_asgi(scope, send)
        if self._classify is None or scope["type"] != "http":
            kind = RequestClass(host)
        else:
            kind = self._classify(ASGIHead(scope, receive, send))
        if not self._may_begin(kind):
            return self._queue_asgi(kind, port, scope, receive, send)
        return self._run_asgi(kind, scope, receive, send) if kind.blocks else self._answer(scope, receive, send)

    async def _queue_asgi(self, kind: RequestClass, port: int | None, scope: Any, receive: Any, send: Any) -> None:
        if await self._begins(kind, port):
            await self._run_asgi(kind, scope, receive, send)
        else:
            await self._refuse_asgi(scope, send)

    async def _refuse_asgi(self, scope: Any, send: Any) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": _TRY_AGAIN_LATER})
            return
        fields = [(name.encode(), value.encode()) for name, value in self._refusals.fields()]
        await send({"type": "http.response.start", "status": 503, "headers": fields})
        await send({"type": "http.response.body", "body": TEXT.encode()})

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
        host, _, digits = (scope.client or "").rpartition(":")
        port = int(digits) if digits.isdecimal() else 0
        if self._has_left(port):
            return self._refuse_rsgi(scope, protocol)
        kind = RequestClass(host)
        if self._classify is not None and scope.proto == "http":
            kind = self._classify(RSGIHead(scope, protocol))
        if not self._may_begin(kind):
            return self._queue_rsgi(kind, port, scope, protocol)
        return self._run_rsgi(kind, scope, protocol) if kind.blocks else self._answer(scope, protocol)

    async def _queue_rsgi(self, kind: RequestClass, port: int | None, scope: Any, protocol: Any) -> None:
        if await self._begins(kind, port):
            await self._run_rsgi(kind, scope, protocol)
        else:
            await self._refuse_rsgi(scope, protocol)

    async def _refuse_rsgi(self, scope: Any, protocol: Any) -> None:
        if scope.proto != "http":
            protocol.close(403)
        else:
            protocol.response_str(503, self._refusals.fields(), TEXT)

    async def _run_rsgi(self, kind: RequestClass, scope: Any, protocol: Any) -> None:
        end = _Once(partial(self._end, kind))
        try:
            await self._answer(scope, _EndingProtocol(protocol, end))
        finally:
            end()


class _Once:
    """A function that is called at most once."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[[], object]) -> None:
        self._function: Callable[[], object] | None = function

    def __call__(self) -> None:
        if self._function is not None:
            function, self._function = self._function, None
            function()


class _EndingProtocol(WrappedProtocol):
    """The protocol of a server, which calls a function when the response begins."""

    def __init__(self, protocol: Any, end: Callable[[], None]) -> None:
        super().__init__(protocol)
        self._end = end

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("response_", "accept")):
            self._end()
        return getattr(self._protocol, name)
