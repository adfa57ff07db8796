"""Load shedding on an event loop, over ASGI and RSGI.

While requests wait, each pass starts as many as the loop can handle within a fortieth of the queue timeout. A pass is a
millisecond after the one before, so that requests which first await a body or a database show what they cost before
others start. They cost the time by which the next pass is late, so requests that mostly wait, for a database or for one
another, start as fast as they arrive. If requests take longer than half of the queue timeout from their start to their
response, each pass starts only one, and open requests go first. Every pass starts at least one.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Any

from antiphon.adapters.asgi import ASGIHead
from antiphon.adapters.heads import RequestClass, address
from antiphon.adapters.rsgi import RSGIHead
from antiphon.cli.workers.observed import Entrance, WrappedProtocol
from antiphon.cli.workers.shedding import (
    LONG,
    TEXT,
    TICK,
    UNWATCHED,
    Completion,
    Control,
    Peers,
    Refusals,
    Room,
    classifier,
)
from antiphon.concurrency.admission import BURST, AdmissionQueue, Ticket
from antiphon.concurrency.calls import Call
from antiphon.concurrency.process import wait_observers
from antiphon.concurrency.workers import WORKERS, workers
from antiphon.handler.contract import NotBegun
from antiphon.handler.scope import request_in
from antiphon.http.errors import ClientDisconnected
from antiphon.http.head import Head, server_head
from antiphon.request.caller import network_of
from antiphon.request.watching import unrecorded

_BEGINNING = 40
"""The queue timeout, divided by this, is how long a pass may spend on starting requests."""
_PAUSE = 0.001
"""Seconds from one pass to the next, if the loop is not busy."""
_WEIGHT = 0.1
"""The weight of the latest pass in the average time for starting a request."""
_WEIGHT_OF_LESS = 0.02
"""The same if it took less: what requests await may still arrive."""
_RECEIVING = 5
"""The passes of a loop until all that arrived while it was blocked is received: two for Granian, five for asyncio."""
_TRY_AGAIN_LATER = 1013
"""The code with which a WebSocket is refused (IANA's registry of WebSocket close codes)."""


_Run = Callable[..., Awaitable[object]]
_Refuse = Callable[[list[tuple[str, str]], Any, Any], Awaitable[object]]


class LoopAdmission:
    """The admission of requests to an application on an event loop, over ASGI or RSGI."""

    def __init__(self, entrance: Entrance, app: Any, queue_timeout: float, loop: asyncio.AbstractEventLoop) -> None:
        self._respond, self._loop = entrance.inner, loop
        self._classify = classifier(app)
        self._refusals = Refusals(queue_timeout)
        self._peers = Peers()
        self._on_loop, self._on_threads = AdmissionQueue(queue_timeout), AdmissionQueue(queue_timeout)
        self._most_queued = queue_timeout / BURST
        self._room = Room(WORKERS, Completion(queue_timeout / LONG))
        self._quota = self._left = 1
        self._beginning = self._begin_time = queue_timeout / _BEGINNING
        """The average number of seconds for starting a request."""
        self._completion = Completion(queue_timeout / BURST)
        self._pass_due = 0.0
        self._begun = 0
        """The number of requests that started in this pass."""
        self._is_scheduled = False
        self._due = 0.0
        self._was_blocked = False
        """True while the loop is receiving everything that arrived while it was blocked."""
        self._looked: float | None = None
        admit = self._admit_rsgi if hasattr(entrance, "__rsgi__") else self._admit_asgi
        self._control = Control(entrance, admit, self._room, lambda: sum(workers.load()), self._tick_next)

    # Ticks

    def _tick_next(self) -> None:
        self._due = self._loop.time() + TICK
        self._loop.call_at(self._due, self._tick)

    def _tick(self) -> None:
        late = self._loop.time() - self._due
        longest = self._refuse_queued()
        if late > UNWATCHED:
            self._was_blocked = True
            self._loop.call_soon(self._forget_block, _RECEIVING)
        is_waited = bool(self._on_loop or self._on_threads or workers.is_backed_up)
        if self._control.follow(late, is_waited, longest > self._most_queued / 2):
            self._tick_next()
        if self._on_threads:
            self._schedule()

    def _refuse_queued(self) -> float:
        """Refuse the requests that have waited too long for a thread, or longer than their clients. They have passed
        unchecked, so they wait in the threads' queue. Return the longest of these waits in seconds.
        """
        longest, now = 0.0, time.monotonic()

        def refusal(call: Call[Any]) -> NotBegun | None:
            nonlocal longest
            waited = now - call.queued
            longest = max(longest, waited)
            request = request_in(call.begun_in) if waited > UNWATCHED and call.begun_in is not None else None
            if request is None:
                return None
            head = server_head(request.head)
            client = unrecorded(head, lambda: head.client)
            has_left = client is not None and self._peers.has_left(client.port, call.queued)
            if not (has_left or waited > self._most_queued) or self._is_exempt(request.head):
                return None
            for observer in wait_observers:
                observer("left" if has_left else "refused", waited)
            return NotBegun(ClientDisconnected.status) if has_left else NotBegun(503, self._refusals.fields())

        workers.refuse(refusal)
        return longest

    def _is_exempt(self, head: Head) -> bool:
        return self._classify is not None and self._classify(head).is_exempt

    def _forget_block(self, passes: int) -> None:
        if passes:
            self._loop.call_soon(self._forget_block, passes - 1)
        self._was_blocked = passes > 0

    # Passes

    def _schedule(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self._pass_due = time.monotonic() + _PAUSE
            self._loop.call_later(_PAUSE, self._pass)

    def _pass(self) -> None:
        """Start the next requests. Their tasks run in the loop's next iteration, one after another."""
        self._is_scheduled = False
        if self._begun:
            self._adapt(max(1e-6, time.monotonic() - self._pass_due) / self._begun)
        self._left = self._quota
        for queue in (self._on_loop, self._on_threads):
            queue.drop(self._peers.has_left, UNWATCHED)
        while self._left > 0 and self._on_loop.begin():
            self._left -= 1
        self._begun = self._quota - self._left
        if self._on_loop or self._begun:
            self._on_loop.expire()
            self._schedule()
        while self._has_room and self._on_threads.begin():
            self._room.running += 1
        self._on_threads.expire()

    def _adapt(self, took: float) -> None:
        """Adapt the number of requests that may start to how late the pass is for each of those that started before."""
        self._begin_time += (_WEIGHT if took > self._begin_time else _WEIGHT_OF_LESS) * (took - self._begin_time)
        self._quota = 1 if self._completion.is_late else max(1, int(self._beginning / self._begin_time))

    def _may_begin(self, kind: RequestClass) -> bool:
        """Return True and reserve a place if a request may start immediately."""
        if kind.blocks:
            may_begin = self._has_room and not self._on_threads
            self._room.running += may_begin
            return may_begin
        may_begin = self._left > 0 and not self._on_loop
        self._left -= may_begin
        self._schedule()
        return may_begin

    @property
    def _has_room(self) -> bool:
        """True if a request that runs on a thread may start."""
        return self._room.is_left and not workers.is_backed_up

    def _queue_of(self, kind: RequestClass) -> AdmissionQueue:
        return self._on_threads if kind.blocks else self._on_loop

    async def _begins(self, kind: RequestClass, port: int | None) -> bool:
        """Wait for a request's turn; return True if it may start, False if it is refused or its client has left."""
        queue = self._queue_of(kind)
        decided: asyncio.Future[bool] = self._loop.create_future()
        decisions = list[bool]()

        def decide(begins: bool) -> None:
            decisions.append(begins)
            if not decided.done():  # it is cancelled one pass before its task is
                decided.set_result(begins)

        ticket = Ticket(kind.client, kind.is_low, decide, port)
        queue.join(ticket)
        self._schedule()
        try:
            return await decided
        except asyncio.CancelledError:
            queue.leave(ticket)
            if decisions == [True] and kind.blocks:
                self._room.running -= 1
                self._schedule()
            raise

    def _end(self, kind: RequestClass, began: float) -> None:
        if kind.blocks:
            self._room.end(began)
            self._schedule()
        else:
            self._completion.note(began)

    def _has_left(self, port: int | None) -> bool:
        """Return True if a request arrived while the loop was blocked and its client has disconnected since.

        All requests that the loop starts to handle in one pass arrived before the pass, so they share one check.
        """
        if not self._was_blocked:
            return False
        if self._looked is None:
            self._looked = time.monotonic()
            self._loop.call_soon(self._forget_look)
        return self._peers.has_left(port, self._looked)

    def _forget_look(self) -> None:
        self._looked = None

    def _admit_asgi(self, scope: Any, receive: Any, send: Any) -> Awaitable[object]:
        if scope["type"] == "lifespan":
            return self._respond(scope, receive, send)  # type: ignore[no-any-return]  # as ASGI says
        host, port = address(*scope.get("client") or (None, None)) or ("", 0)
        head = ASGIHead if scope["type"] == "http" else _asgi_handshake
        return self._admit(host, port, head, self._run_asgi, refuse_asgi, scope, receive, send)

    def _admit_rsgi(self, scope: Any, protocol: Any) -> Awaitable[object]:
        host, _, digits = (scope.client or "").rpartition(":")
        port = int(digits) if digits.isdecimal() else 0
        head = RSGIHead if scope.proto == "http" else _rsgi_handshake
        return self._admit(host, port, head, self._run_rsgi, refuse_rsgi, scope, protocol)

    def _admit(
        self, host: str, port: int | None, head: Callable[..., Head], run: _Run, refuse: _Refuse, *call: Any
    ) -> Awaitable[object]:
        """Pass a call of the server to the application, to a queue or to ``refuse``. WebSockets are of one class."""
        if self._has_left(port):
            return refuse(self._refusals.fields(), call[0], call[-1])
        kind = RequestClass(network_of(host)) if self._classify is None else self._classify(head(*call))
        if head not in (ASGIHead, RSGIHead):
            kind = RequestClass(kind.client or network_of(host))
        if kind.is_exempt:
            return self._respond(*call)  # type: ignore[no-any-return]  # as both interfaces say
        if not self._may_begin(kind):
            if self._queue_of(kind).refuses(kind.client, kind.is_low):
                return refuse(self._refusals.fields(), call[0], call[-1])
            return self._wait_and_run(kind, port, run, refuse, call)
        return run(kind, *call) if kind.blocks else self._respond(*call)

    async def _wait_and_run(
        self, kind: RequestClass, port: int | None, run: _Run, refuse: _Refuse, call: tuple[Any, ...]
    ) -> None:
        if await self._begins(kind, port):
            await run(kind, *call)
        else:
            await refuse(self._refusals.fields(), call[0], call[-1])

    async def _run_asgi(self, kind: RequestClass, scope: Any, receive: Any, send: Any) -> None:
        with ExitStack() as ended:
            ended.callback(self._end, kind, time.monotonic())

            def end_and_send(message: Any) -> Any:
                ended.close()  # only the first close ends it
                return send(message)

            await self._respond(scope, receive, end_and_send)

    async def _run_rsgi(self, kind: RequestClass, scope: Any, protocol: Any) -> None:
        with ExitStack() as ended:
            ended.callback(self._end, kind, time.monotonic())
            await self._respond(scope, _EndingProtocol(protocol, ended.close))


def _asgi_handshake(*call: Any) -> Head:
    from antiphon.adapters.websockets.handshake import ASGIHandshake  # imported late: few have WebSockets

    return ASGIHandshake(*call)


def _rsgi_handshake(*call: Any) -> Head:
    from antiphon.adapters.websockets.handshake import RSGIHandshake

    return RSGIHandshake(*call)


async def refuse_asgi(fields: list[tuple[str, str]], scope: Any, send: Any) -> None:
    """Respond to a request with 503 and these header fields, or close a WebSocket."""
    if scope["type"] != "http":
        await send({"type": "websocket.close", "code": _TRY_AGAIN_LATER})
        return
    encoded = [(name.encode(), value.encode()) for name, value in fields]
    await send({"type": "http.response.start", "status": 503, "headers": encoded})
    await send({"type": "http.response.body", "body": TEXT.encode()})


async def refuse_rsgi(fields: list[tuple[str, str]], scope: Any, protocol: Any) -> None:
    """Respond to a request with 503 and these header fields, or close a WebSocket."""
    if scope.proto != "http":
        protocol.close(403)
    else:
        protocol.response_str(503, fields, TEXT)


class _EndingProtocol(WrappedProtocol):
    """A server's protocol that calls a function when the response begins."""

    def __init__(self, protocol: Any, end: Callable[[], None]) -> None:
        super().__init__(protocol)
        self._end = end

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("response_", "accept")):
            self._end()
        return getattr(self._protocol, name)
