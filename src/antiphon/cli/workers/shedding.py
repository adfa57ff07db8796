"""Load shedding: while a worker is overloaded, requests wait in its own queue or are refused with 503.

Otherwise they would wait unseen: in the server, in the event loop, or for a thread. A worker measures how late it is
with ticks: those of a timer on its loop or, over WSGI, of a thread, which has to acquire the GIL like all others, and
waits for the background loop. Requests are not checked while ticks are on time. When one is late, the state changes. It
is "controlled" at first, since many requests may have waited while the worker started.

| state | a request | the other state follows |
|---|---|---|
| open | passes | when a tick is late by more than `LATE` |
| controlled | begins if there is room, or waits in an `AdmissionQueue` | `CALM` seconds after the last request waited |

How many requests start depends on the time from their start to their response: as long as it is short, no request is
held back. On threads, there is room for a number of requests. It shrinks by a factor with each tick while responses
take longer than a twentieth of the queue timeout and ticks are late; otherwise it grows by one with each tick (additive
increase, multiplicative decrease, as in RFC 5681). Both conditions hold for calls that compute, since they delay each
other and the server, but not for calls that wait for a database. Over WSGI, there is room for one more than are running
while requests compute for `_SLICE` on average, and for one on a late tick. A request no longer counts once its response
has begun, so streams and open WebSockets take no room.
"""

import logging
import random
import time
from collections.abc import Callable
from math import ceil, inf
from threading import Event, Lock, Thread
from typing import Any

from antiphon.adapters.connection import Connection, open_connections
from antiphon.adapters.heads import RequestClass
from antiphon.adapters.servable import Servable
from antiphon.adapters.wsgi import WSGIHead
from antiphon.cli.workers.observed import Entrance
from antiphon.concurrency.admission import AdmissionQueue, Ticket
from antiphon.concurrency.background import started_loop
from antiphon.http.head import Head
from antiphon.request.caller import client_of

TICK = 0.02
"""Seconds from one tick to the next."""
LATE = 0.05
"""Seconds by which a tick may be late."""
CALM = 1.0
"""The number of seconds without waiting requests after which requests pass unchecked again."""
_BUSY = 0.01
"""The average lateness in seconds above which threads are considered to delay each other."""
_SLICE = 0.004
"""The average seconds of computing from which threads are considered to hold the GIL for whole intervals."""
LESS = 0.8
"""The factor by which the room shrinks on a tick, applied again for each tick's length that the tick is late."""
_WEIGHT = 0.3
"""The weight of the latest measurement in an average."""
LONG = 20
"""The queue timeout, divided by this, is how long requests on threads may take before their room shrinks."""
UNWATCHED = 0.2
"""Seconds of waiting after which a request goes on waiting only if its client is still connected."""
_LOOKING = 0.05
"""The maximum share of time spent checking connections."""
_UNUSED_THREADS = 4
"""The number of a WSGI server's threads that are reserved for refusals."""
_REPORT = 10.0
"""Seconds between two log messages."""

TEXT = "The server is overloaded. Try again later.\n"
_logger = logging.getLogger("antiphon")

Classify = Callable[[Head], RequestClass]


class Peers:
    """The ports of the clients that are connected to this process.

    Only ports are compared, since servers write addresses in different ways. If a client that has left happens to have
    the same port as another one, it counts as connected.
    """

    def __init__(self) -> None:
        self._ports = set[int]()
        self._looked = self._next = 0.0

    def has_left(self, port: int | None, since: float) -> bool:
        """Return True if the connection that a port had at the time `since` is known to be closed.

        This is unknown without a port, if the system doesn't list connections, or while checks would take too long.
        """
        if not port:
            return False
        if self._looked < since and time.monotonic() >= self._next:
            self._look()
        return self._looked >= since and port not in self._ports

    def _look(self) -> None:
        began = time.monotonic()
        try:
            found = [each for each in open_connections() if isinstance(each.peer, tuple)]
        except NotImplementedError:
            self._next = inf
            return
        # Uvicorn has not yet seen the end of what arrived while its loop was blocked.
        self._ports = {each.peer[1] for each in found if not Connection(each.descriptor, each.file[1]).is_left()}
        self._looked = began
        now = time.monotonic()
        self._next = now + (now - began) / _LOOKING


def classifier(app: Any) -> Classify | None:
    """Return the function that classifies requests; None for an application of another library."""
    return app._class_of if isinstance(app, Servable) else None  # noqa: SLF001


class Completion:
    """The average time from the start of a request to its response, and whether it is too long."""

    def __init__(self, most: float) -> None:
        self._most = most
        self._average = 0.0

    def note(self, began: float) -> None:
        """Record that a request that started at this time has its response."""
        self._average += _WEIGHT * (time.monotonic() - began - self._average)

    @property
    def is_late(self) -> bool:
        """True if requests take longer than ``most`` seconds."""
        return self._average > self._most


class Room:
    """The room for requests on threads, at most ``most``."""

    def __init__(self, most: int, completion: Completion) -> None:
        self._most = most
        self._completion = completion
        self._limit = float(most)
        self._lateness = 0.0
        self._uncounted = self._computing = 0.0
        self.running = 0

    def count_others(self, number: int) -> None:
        """Count requests that started before the state changed, and whose ends are unknown: fewer with each tick."""
        self._uncounted = number

    @property
    def is_left(self) -> bool:
        """True if another request may start."""
        return self.running + int(self._uncounted) < int(self._limit)

    def end(self, began: float, computed: float = 0.0) -> None:
        """Free the place of a request that started at this time, and computed for so long until its response."""
        self.running -= 1
        self._computing += _WEIGHT * (computed - self._computing)
        self._completion.note(began)

    def restore(self) -> None:
        """Let as many requests start as at first."""
        self._limit = float(self._most)

    def adapt(self, late: float) -> None:
        """Adapt the room to a tick's lateness and to the time that requests take."""
        if self._computing > _SLICE:
            self._limit = 1.0 if late > _BUSY else self.running + 1.0
            return
        self._lateness += _WEIGHT * (late - self._lateness)
        less = LESS ** (1 + late / TICK)
        self._uncounted *= less
        if self._lateness > _BUSY and self._completion.is_late:
            self._limit = max(1.0, self._limit * less)
        else:
            self._limit = min(float(self._most), self._limit + 1)


class Refusals:
    """The responses to refused requests, and the log messages about them."""

    def __init__(self, queue_timeout: float) -> None:
        self._patience = queue_timeout
        self._count = 0
        self._reported = 0.0

    def fields(self) -> list[tuple[str, str]]:
        """Return the header fields of the next refusal, with a Retry-After that varies between clients."""
        self._count += 1
        now = time.monotonic()
        if now - self._reported > _REPORT:
            self._reported = now  # first, since another thread may run this, too
            _logger.warning("the worker is overloaded: refused %d requests with 503 (--queue-timeout)", self._count)
            self._count = 0
        pause = ceil(self._patience * random.uniform(0.5, 2.0))  # noqa: S311 - not a secret
        length = str(len(TEXT))
        return [("content-type", "text/plain"), ("content-length", length), ("retry-after", str(max(1, pause)))]


class Control:
    """The state of a worker: open or controlled, depending on its ticks."""

    def __init__(
        self,
        entrance: Entrance,
        admit: Callable[..., Any],
        room: Room,
        count_running: Callable[[], int],
        resume: Callable[[], object],
    ) -> None:
        self._entrance, self._respond, self._admit = entrance, entrance.inner, admit
        self._room, self._count_running, self._resume = room, count_running, resume
        self._is_controlled, self._is_asked = True, False
        entrance.pass_to(admit)
        entrance.call_before_next(self._start)

    def _start(self) -> None:
        """Resume ticks on the first request after a pause."""
        self._is_asked = False
        self._waited_at = time.monotonic()
        self._entrance.call_before_next(self._note_asked)
        self._resume()

    def _note_asked(self) -> None:
        self._is_asked = True

    def follow(self, late: float, is_waited: bool, is_backed_up: bool = False) -> bool:
        """Update the state on a tick. ``is_backed_up`` is true if requests have waited long for a thread. Return False
        if no tick is needed until the next request.
        """
        now = time.monotonic()
        if late > LATE or is_waited:
            self._waited_at = now
        if not self._is_controlled and (late > LATE or is_backed_up):
            self._is_controlled = True
            self._room.count_others(self._count_running())
            self._entrance.pass_to(self._admit)
        elif self._is_controlled and now - self._waited_at > CALM:
            self._is_controlled = False
            self._room.restore()
            self._is_asked = True
            self._entrance.pass_to(self._respond)
        if self._is_controlled:
            self._room.adapt(late)
        if self._is_controlled or is_waited:
            return True
        self._entrance.call_before_next(self._note_asked if self._is_asked else self._start)
        is_asked, self._is_asked = self._is_asked, False
        return is_asked


class _BriefLock:
    """A lock that no thread owns while it waits for the GIL. The thread that a Lock wakes owns it already."""

    def __init__(self) -> None:
        self._lock = Lock()

    def __enter__(self) -> None:
        while not self._lock.acquire(blocking=False):
            time.sleep(0.0001)  # lets its owner run

    def __exit__(self, *_: object) -> None:
        self._lock.release()


class ThreadAdmission:
    """The admission of requests to an application that a server's threads call, over WSGI.

    Up to ``most`` requests run at once. The server has ``threads``, on which others wait, since those that wait in the
    server are not seen. So requests are counted in both states, and room that is left is taken unchecked.
    """

    def __init__(self, entrance: Entrance, app: Any, queue_timeout: float, most: int, threads: int) -> None:
        self._respond = entrance.inner
        self._classify = classifier(app)
        self._refusals = Refusals(queue_timeout)
        self._queue = AdmissionQueue(queue_timeout, threads - most - _UNUSED_THREADS)
        self._room = Room(most, Completion(queue_timeout / LONG))
        self._lock = _BriefLock()
        self._asked = Event()
        entrance.pass_to(self._admit)
        self._control = Control(entrance, self._admit, self._room, int, self._asked.set)
        Thread(target=self._tick_for_ever, name="antiphon-admission", daemon=True).start()

    def _tick_for_ever(self) -> None:
        while True:
            self._asked.wait()
            self._tick(self._pause())

    def _pause(self) -> float:
        """Wait until the next tick; return how late this thread is, or the background loop, if that is later."""
        due = time.monotonic() + TICK
        time.sleep(TICK)
        if (background := started_loop()) is not None:
            turned = Event()
            background.loop.call_soon_threadsafe(turned.set)
            turned.wait(LATE)
        return time.monotonic() - due

    def _tick(self, late: float) -> None:
        self._asked.clear()  # first, since the next request may set it immediately
        with self._lock:
            is_due = self._control.follow(late, bool(self._queue))
            self._begin_next()
        if is_due:
            self._asked.set()

    def _begin_next(self) -> None:
        while self._room.is_left and self._queue.begin():
            self._room.running += 1
        self._queue.expire()

    def _admit(self, environ: Any, start_response: Any) -> Any:
        if not self._takes_room():
            head = WSGIHead(environ)
            kind = RequestClass(client_of(head)) if self._classify is None else self._classify(head)
            if kind.is_exempt:
                return self._respond(environ, start_response)
            if not self._begins(kind):
                start_response("503 Service Unavailable", self._refusals.fields())
                return [TEXT.encode()]
        began, before = time.monotonic(), time.thread_time()
        try:
            return self._respond(environ, start_response)
        finally:
            computed = time.thread_time() - before
            with self._lock:
                self._room.end(began, computed)
                self._begin_next()

    def _takes_room(self) -> bool:
        """Return True and reserve a place if a request may start immediately."""
        with self._lock:
            takes = self._room.is_left and not self._queue
            self._room.running += takes
        return takes

    def _begins(self, kind: RequestClass) -> bool:
        """Wait for a request's turn; return True if it may start, False if it is refused."""
        decided, decisions = Event(), list[bool]()

        def decide(begins: bool) -> None:
            decisions.append(begins)
            decided.set()

        ticket = Ticket(kind.client, kind.is_low, decide)
        with self._lock:
            if self._queue.refuses(kind.client, kind.is_low):
                return False
            self._queue.join(ticket)
        self._asked.set()  # the ticks may have paused before it joined
        decided.wait()
        return decisions == [True]
