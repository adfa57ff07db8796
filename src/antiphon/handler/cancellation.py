"""Cancellation of handlers and streams that wait on a loop, when the lifetimes of their requests end.

They are checked every 20 ms. Clients are watched only for those still waiting at the second check, because most have
ended by then.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context
from functools import partial
from typing import Protocol, Self

from antiphon.concurrency.process import DRAINING, GRACE_OVER
from antiphon.concurrency.timers import PerLoop
from antiphon.http.errors import ClientDisconnected, GatewayTimeout, HTTPError, ServiceUnavailable
from antiphon.request.lifetime import EndReason, Lifetime
from antiphon.request.request import Request

LOOK = 0.02
"""The number of seconds between two checks of everything that waits."""
SAFE = ("GET", "HEAD")
"""Methods whose handlers are cancelled when the client disconnects. Others aren't: half-finished writes are worse than
late ones.
"""


class CancellableHandler:
    """One call of a waiting handler in the current task, and the block in which it runs.

    ``on_disconnect`` determines whether it is cancelled when its client disconnects; None means that it depends on the
    method. A cancellation by this object leaves the block as an HTTPError.
    """

    __slots__ = ("_on_disconnect", "_reason", "_request", "_task", "_timer", "_watch", "_withdraw", "is_over")

    def __init__(self, request: Request, on_disconnect: bool | None) -> None:
        self._request = request
        self._on_disconnect = on_disconnect
        self._reason: EndReason | None = None
        self._withdraw: Callable[[], None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.is_over = False
        """True when the handler has ended."""

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a handler that waits for a loop has one
        self._task, loop = task, task.get_loop()
        lifetime: Lifetime | None = getattr(self._request, "_lifetime", None)  # if it was read
        if lifetime is not None and (remaining := lifetime.remaining) is not None:
            self._timer = loop.call_later(remaining, self.cancel, "deadline", context=Context())
        self._watch = watch_on(loop)
        self._watch.add(self)
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        # First: from here on, ``cancel`` must not reach what the task does next.
        self.is_over = True
        self._watch.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._withdraw is not None:
            self._withdraw()
            self._withdraw = None  # it refers to this object
        # With another cancellation, such as the server's, the task has to end without a response.
        is_alone = self._reason is not None and self._task.uncancel() == 0
        if is_alone and isinstance(error, asyncio.CancelledError):
            raise self._error() from error

    @property
    def is_cancelled(self) -> bool:
        """True if this has cancelled the handler, regardless of how the handler has reacted."""
        return self._reason is not None

    def watch(self) -> None:
        """Watch the client, if the handler is cancelled when the client disconnects."""
        wanted = self._on_disconnect
        if wanted or (wanted is None and self._request.method in SAFE):
            self._withdraw = self._request.lifetime._on_disconnect(self._leave)

    def _leave(self) -> None:
        self.cancel("disconnect")

    def drain(self) -> None:
        """Continue while the process is draining, until its time for open requests is over."""

    def cancel(self, reason: EndReason) -> None:
        """Cancel the handler, unless it has ended or was already cancelled; if a shield is up, cancel it once that
        ends.
        """
        if self.is_over or self._reason is not None:
            return
        lifetime: Lifetime | None = getattr(self._request, "_lifetime", None)
        if lifetime is None or not lifetime._hold(partial(self.cancel, reason)):
            self._reason = reason
            self._task.cancel()

    def _error(self) -> HTTPError:
        if self._reason == "deadline":
            return GatewayTimeout("The response took too long.")
        if self._reason == "disconnect":
            return ClientDisconnected("The client disconnected before the response.")
        return ServiceUnavailable("The server is shutting down.")


class Watchable(Protocol):
    """An object that waits for its request: a handler, or a stream that is being written."""

    def watch(self) -> None:
        """Watch the client from now on."""
        ...

    def cancel(self, reason: EndReason) -> None:
        """End, because the request's lifetime has ended."""
        ...


class LoopWatch:
    """Everything that waits on one loop: added since the last check, since the check before that, or already
    watched.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._new: set[Watchable] = set()
        self._old: set[Watchable] = set()
        self._watched: set[Watchable] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._withdraw = (DRAINING.subscribe_on_loop(self._drain), GRACE_OVER.subscribe_on_loop(self._end))

    def add(self, watched: Watchable) -> None:
        """Check a waiting object from now on, outside its request's context, which would otherwise be kept."""
        self._new.add(watched)
        if self._timer is None:
            self._timer = self._loop.call_later(LOOK, self._look, context=Context())

    def discard(self, watched: Watchable) -> None:
        """Stop checking an object that waited."""
        self._new.discard(watched)
        self._old.discard(watched)
        self._watched.discard(watched)
        if self._timer is None:
            self._drop_if_empty()

    def _look(self) -> None:
        self._timer = None
        # For those that were added after the announcement.
        if DRAINING.is_given:
            self._drain()
        if GRACE_OVER.is_given:
            self._end()
        for watched in self._old:
            watched.watch()
        self._watched |= self._old
        self._old, self._new = self._new, set()
        if self._old:
            # One timer for all that wait, because most have ended when it is due.
            self._timer = self._loop.call_later(LOOK, self._look, context=Context())
        else:
            self._drop_if_empty()

    def _drop_if_empty(self) -> None:
        """Forget this loop when nothing waits on it, while no check is due."""
        if not (self._new or self._old or self._watched):
            # The announcements would keep this object, and with it the loop.
            for withdraw in self._withdraw:
                withdraw()
            _watches.drop(self._loop)

    def _drain(self) -> None:
        for watched in (*self._new, *self._old, *self._watched):
            if isinstance(watched, CancellableHandler):
                watched.drain()

    def _end(self) -> None:
        for watched in (*self._new, *self._old, *self._watched):
            watched.cancel("drain")


_watches: PerLoop[LoopWatch] = PerLoop()


def watch_on(loop: asyncio.AbstractEventLoop) -> LoopWatch:
    """Return the watch of a loop, to which objects can be added."""
    watch = _watches.get(loop)
    if watch is None:
        watch = LoopWatch(loop)
        _watches.keep(loop, watch)
    return watch
