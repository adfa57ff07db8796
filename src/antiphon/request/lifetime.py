"""The lifetime of a request: its id, the time left for its response, what ends it early, and what is called after."""

import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import Context
from functools import partial
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeAlias, TypeVar
from weakref import WeakMethod

from antiphon.concurrency.loop import running_loop, thread, yield_to_loop
from antiphon.concurrency.process import DRAINING, call_after_fork
from antiphon.explanations import explained
from antiphon.http.head import Head, server_head

if TYPE_CHECKING:
    from asyncio import Future

    from antiphon.request.request import Request

P = ParamSpec("P")
T = TypeVar("T")

EndReason: TypeAlias = Literal["deadline", "disconnect", "drain"]
"""The reason why a request ends early: its deadline has passed, its client has disconnected, or the process is
draining.
"""


class Lifetime:
    """The time during which a request is needed: until its deadline passes, its client disconnects, or its process
    drains.

    An ``async def`` handler is cancelled when its deadline passes, and, if its route requests it, when its client
    disconnects. A ``def`` handler can't be cancelled, but it can check its lifetime. Servers report disconnects over
    ASGI and RSGI. Over WSGI, Antiphon checks the connection if the server exposes it or provides the client's address.
    """

    __slots__ = (
        "_after", "_ends_at", "_head", "_held", "_is_asked_for", "_is_client_gone", "_is_own_watch", "_shields",
        "_watch", "_watchers",
    )  # fmt: skip

    def __init__(self, head: Head, after: Callable[[Callable[[], object]], object]) -> None:
        self._after = WeakMethod(after)  # a method of the request, which holds its lifetime
        self._head: Any = server_head(head)
        self._ends_at = inf
        self._is_client_gone = False
        self._watchers: list[_Watcher] = []
        self._watch: Future[None] | None = None
        self._is_own_watch = False
        self._is_asked_for = False
        self._shields = 0
        self._held: Callable[[], object] | None = None

    @property
    def remaining(self) -> float | None:
        """The seconds left until the deadline, 0 when it has passed; None if there is no deadline."""
        return None if self._ends_at == inf else max(0.0, self._ends_at - monotonic())

    @property
    def is_client_gone(self) -> bool:
        """True if the client is known to have disconnected. Antiphon watches it from the first time you read this."""
        if (has_left := getattr(self._head, "has_left", None)) is not None:
            return self._is_client_gone or bool(has_left())
        if not (self._is_asked_for or self._is_client_gone) and self._is_told:
            self._is_asked_for = True
            self._watch_until_the_end()
        return self._is_client_gone

    @property
    def is_draining(self) -> bool:
        """True if the process accepts no new requests and exits when the open ones are finished (``antiphon run``)."""
        return DRAINING.is_given

    async def ended(self) -> EndReason:
        """Wait until the deadline passes, the client disconnects, or the process drains, and return the reason."""
        from asyncio import get_running_loop

        loop = get_running_loop()
        reason = loop.create_future()

        def end(why: EndReason) -> None:
            if not reason.done():
                reason.set_result(why)

        with ExitStack() as stack:
            stack.callback(self._on_disconnect(partial(end, "disconnect")))
            stack.callback(DRAINING.subscribe_on_loop(partial(end, "drain")))
            if (remaining := self.remaining) is not None:
                timer = loop.call_later(remaining, end, "deadline", context=Context())  # a loop keeps it when cancelled
                stack.callback(timer.cancel)
            why: EndReason = await reason
        return why

    def shield(self) -> AbstractContextManager[None]:
        """Return a context manager that protects the handler from cancellation: ``with request.lifetime.shield():``. If
        the deadline passes or the client disconnects during the block, the handler is cancelled after the block. Other
        cancellations, such as those by the server, aren't delayed.
        """
        return self._shielded()

    @contextmanager
    def _shielded(self) -> Iterator[None]:
        self._raise_shield(1)
        try:
            yield
        finally:
            self._raise_shield(-1)

    def _limit(self, seconds: float) -> None:
        """Set the deadline to this many seconds from now, unless it is already earlier."""
        self._ends_at = min(self._ends_at, monotonic() + seconds)

    def _renew(self) -> None:
        """Start over when a WebSocket is accepted: there is no deadline then, and the client can be watched."""
        self._ends_at = inf
        if self._watchers and self._watch is None and self._is_told:
            self._watch_client()

    def _on_disconnect(self, function: Callable[[], object]) -> Callable[[], None]:
        """Call a function on the running loop when the client disconnects; return the function that withdraws it.

        If the client has already left, the function is called soon, not at once.
        """
        from asyncio import get_running_loop

        loop = get_running_loop()
        if self._is_client_gone:
            return loop.call_soon(function).cancel
        watcher = _Watcher(self, function)
        self._watchers.append(watcher)
        if self._watch is None and self._is_told:
            self._watch_client()
        return watcher

    def _hold(self, cancel: Callable[[], object]) -> bool:
        """Keep the function that cancels the handler until no shield is up. Return False if no shield is up now."""
        if self._shields and self._held is None:
            self._held = cancel
        return self._shields > 0

    def _raise_shield(self, by: int) -> None:
        """Count a shield going up (1) or down (-1). When the last one is down, the held function is called soon."""
        self._shields += by
        if not self._shields and self._held is not None:
            held, self._held = self._held, None
            if loop := running_loop():
                loop.call_soon(held)

    @property
    def _is_told(self) -> bool:
        """True if the server reports disconnects."""
        return getattr(self._head, "wait_disconnect", None) is not None

    def _watch_client(self) -> None:
        """Wait in a task of this lifetime, unless the head has its own task, which ends with the request."""
        from asyncio import ensure_future

        waiting = self._head.wait_disconnect()
        watch: Future[None] = ensure_future(waiting)
        watch.add_done_callback(self._tell)
        self._watch, self._is_own_watch = watch, watch is not waiting

    def _tell(self, watch: "Future[None]") -> None:
        """Call the functions that wait for the client's disconnect.

        If the server fails to report it, the request continues.
        """
        if not watch.cancelled() and watch.exception() is None:
            self._cut()

    def _cut(self) -> None:
        """End as if the client had disconnected. Called on the loop."""
        self._is_client_gone = True
        watchers, self._watchers = self._watchers, []
        for watcher in watchers:
            watcher.function()

    def _withdraw(self, watcher: "_Watcher") -> None:
        """Remove a watcher: its function is no longer called."""
        if watcher in self._watchers:
            self._watchers.remove(watcher)
        if not self._watchers and self._watch is not None and self._is_own_watch:
            self._watch.cancel()
            self._watch = None

    def _watch_until_the_end(self) -> None:
        """Watch the client from now on, from a loop or from a thread that works for one."""
        if running_loop() is not None:
            self._withdraw_at_end(self._on_disconnect(bool))
        elif loop := thread.loop:
            from asyncio import run_coroutine_threadsafe

            self._withdraw_at_end(run_coroutine_threadsafe(self._look(), loop).result())

    def _withdraw_at_end(self, withdraw: Callable[[], None]) -> None:
        if (after := self._after()) is not None:
            after(_awaited(withdraw))

    async def _look(self) -> Callable[[], None]:
        """Watch the client, and wait briefly, so that a server that already knows of the disconnect can report it."""
        withdraw = self._on_disconnect(bool)
        await yield_to_loop()
        await yield_to_loop()
        return withdraw


def _awaited(function: Callable[[], object]) -> Callable[[], Awaitable[None]]:
    async def on_loop() -> None:
        function()

    return on_loop


class _Watcher:
    """A function that a lifetime calls when the client disconnects. Calling this object withdraws it.

    It is kept small because each waiting request has one.
    """

    __slots__ = ("_lifetime", "function")

    def __init__(self, lifetime: Lifetime, function: Callable[[], object]) -> None:
        self._lifetime = lifetime
        self.function = function

    def __call__(self) -> None:
        self._lifetime._withdraw(self)


def after_commit(request: "Request", function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
    """Call a function with the arguments once this request's transaction is committed, and never after a rollback.

    The transaction is that of the open dependency whose source is a generator: a database connection, if several are
    open, and the first one of these; or all those in which a transaction is open now. When the source has ended, the
    functions are called in the order in which they were passed, before the response is sent: ``def`` functions on a
    thread, ``async def`` functions on the loop. A failure is logged and doesn't change the response. If the source ends
    without a commit or a rollback, the response is a 500. Raises TypeError for anything that isn't callable, and
    RuntimeError if no such dependency is open.
    """
    called = deferrable("after_commit", function, *args, **kwargs)
    resources = transactions_of(request)
    if not resources:
        raise explained(
            "no-transaction",
            "after_commit needs an open transaction, and this request has no open dependency whose source is a"
            " generator: read the database's dependency first, request[DATABASE], which"
            " app.provide(DATABASE, source) provides",
            RuntimeError,
        )
    last, *others = resources
    ended = [each.after_commit(None) for each in others]
    last.after_commit((lambda: called() if all(each.is_committed for each in ended) else None) if ended else called)


def transactions_of(request: "Request", of: object = None) -> list[Any]:
    """The open dependencies that are committed last, also those of an outer application, or that ``of`` a connection;
    none if none is open.
    """
    opener: Request | None = request
    while opener is not None:
        opening = opener._opening
        resources: list[Any] = [] if opening is None else opening.in_transactions(of)
        if resources:
            return resources
        opener = opener._outer_request
    return []


def deferrable(method: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Callable[[], T]:
    """Return a function with its arguments. Raises TypeError, with the name of the method, for a non-function."""
    if not callable(function):
        raise explained(
            "wrong-arguments",
            f"{method} needs a function and its arguments, as in request.{method}(print, 1),"
            f" not the result of a call: {type(function).__name__}",
            TypeError,
        )
    return partial(function, *args, **kwargs) if args or kwargs else function


_IDS_AT_ONCE = 64

_unused_ids: list[str] = []
"""Random ids for future requests, made in batches, because one system call for many ids is faster than one for each."""
call_after_fork(_unused_ids.clear)  # the parent process uses them


def new_id() -> str:
    """Return a random id for a request."""
    try:
        return _unused_ids.pop()
    except IndexError:
        digits = os.urandom(16 * _IDS_AT_ONCE).hex()
        first, *others = (digits[start : start + 32] for start in range(0, len(digits), 32))
        _unused_ids.extend(others)
        return first
