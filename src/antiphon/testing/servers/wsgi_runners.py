"""Runners that run WSGI applications item by item, on the calling thread or on a thread alongside an event loop."""

import asyncio
from collections import deque
from collections.abc import Callable, Generator
from contextlib import suppress
from contextvars import copy_context
from queue import SimpleQueue
from threading import Thread
from typing import Protocol, TypeAlias

from antiphon.explanations import explained
from antiphon.testing.errors import thread_position
from antiphon.testing.servers.exchange import Head

Item: TypeAlias = Head | bytes
"""The head or, after it, a chunk of the body."""

Items: TypeAlias = Generator[Item, None, None]

MAX_WRITTEN = 64 << 20
"""The maximum number of bytes to ``write`` on the calling thread, where the client can't read at the same time."""

ABORT = 1.0
"""The number of seconds that an aborted application on another thread has to end."""


class Runner(Protocol):
    """A runner for a response's generator, which runs only when its next item is requested."""

    def start(self, items: Items) -> None:
        """Accept the generator."""
        ...

    def push(self, item: Item) -> None:
        """Accept an item that the application writes."""
        ...

    async def next(self) -> Item | None:
        """Return the next item; None at the end. Raises an error that escapes the application."""
        ...

    async def close(self) -> None:
        """Close the generator. Raises an error that escapes the application."""
        ...

    async def abort(self) -> None:
        """Close the generator, now or as soon as the application returns to it. Raises nothing."""
        ...

    def where(self) -> str:
        """Return where the application is, as lines of a traceback."""
        ...


class InlineRunner:
    """A runner on the calling thread. Written items are stored until the application returns."""

    def __init__(self) -> None:
        self._ready: deque[Item | BaseException | None] = deque()

    def start(self, items: Items) -> None:
        """Accept the generator."""
        self._items = items
        self._written = 0

    def push(self, item: Item) -> None:
        """Store an item. Raises RuntimeError when the items take too much memory."""
        self._written += len(item) if isinstance(item, bytes) else 0
        if self._written > MAX_WRITTEN:
            raise explained(
                "bad-test-request",
                "too much was written without being read: give the client a timeout, and thus a thread",
                RuntimeError,
            )
        self._ready.append(item)

    async def next(self) -> Item | None:
        """Return the next item; None at the end."""
        if not self._ready:
            try:
                self._ready.append(next(self._items, None))
            except BaseException as error:
                self._ready.append(error)
        item = self._ready.popleft()
        if isinstance(item, BaseException):
            raise item
        return item

    async def close(self) -> None:
        """Close the generator."""
        self._items.close()

    async def abort(self) -> None:
        """Close the generator."""
        with suppress(Exception):
            self._items.close()

    def where(self) -> str:
        """Return an empty string, because the application has always returned by then."""
        return ""


class _ClientGone(ConnectionResetError):
    """The error that tells an application that the client has disconnected."""

    def __init__(self) -> None:
        super().__init__("the client has gone away")


class ThreadRunner:
    """A runner on a daemon thread, in the context of its caller, which runs on an event loop."""

    def __init__(self) -> None:
        self._is_disconnected = False
        self._loop = asyncio.get_running_loop()
        self._demands: SimpleQueue[asyncio.Future[Item | None] | None] = SimpleQueue()
        self._demand: asyncio.Future[Item | None] | None = None
        self._outcome: asyncio.Future[BaseException | None] = self._loop.create_future()

    def start(self, items: Items) -> None:
        """Accept the generator. The application is not called before the first item is requested."""
        self._thread = Thread(
            target=copy_context().run, args=(self._run, items), name="antiphon-testing-wsgi", daemon=True
        )
        self._thread.start()

    def push(self, item: Item) -> None:
        """Pass on an item, and wait until the next one is requested. Raises OSError if the client disconnects
        instead.
        """
        if not self._is_disconnected:
            demand, self._demand = self._demand, None
            self._call_on_loop(_fulfil, demand, item)
            self._await_demand()
        else:
            raise _ClientGone

    async def next(self) -> Item | None:
        """Return the next item; None at the end."""
        if self._outcome.done():
            return None
        demand: asyncio.Future[Item | None] = self._loop.create_future()
        self._demands.put(demand)
        try:
            return await demand
        finally:
            del demand  # it refers to an error, which refers to this frame

    async def close(self) -> None:
        """Close the generator once the application has returned to it."""
        self._demands.put(None)
        error = await asyncio.shield(self._outcome)
        if error is not None:
            raise error

    async def abort(self) -> None:
        """Close the generator. If that takes too long, abandon the thread."""
        self._demands.put(None)
        await asyncio.wait([self._outcome], timeout=ABORT)

    def where(self) -> str:
        """Return where the thread is, as lines of a traceback."""
        return thread_position(self._thread.ident)

    # On the thread

    def _run(self, items: Items) -> None:
        error: BaseException | None = None
        try:
            self._await_demand()
            for item in items:
                self.push(item)
        except BaseException as escaped:
            error = escaped
        try:
            items.close()
        except BaseException as escaped:
            error = escaped
        try:
            self._call_on_loop(self._finish, None if isinstance(error, _ClientGone) else error)
        finally:
            del error  # it refers to this frame

    def _await_demand(self) -> None:
        self._demand = self._demands.get()
        if self._demand is None:
            self._is_disconnected = True
            raise _ClientGone

    def _call_on_loop(self, function: Callable[..., object], *arguments: object) -> None:
        """Call a function on the loop, unless the loop is closed."""
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            if not self._loop.is_closed():
                raise

    def _finish(self, error: BaseException | None) -> None:
        """Fulfil the last request for an item, or store the error for ``close``."""
        demand, self._demand = self._demand, None
        if demand is not None:
            _fulfil(demand, None, error)
            error = None
        self._outcome.set_result(error)


def _fulfil(demand: "asyncio.Future[Item | None]", item: Item | None, error: BaseException | None = None) -> None:
    if demand.done():
        return
    if error is not None:
        demand.set_exception(error)
    else:
        demand.set_result(item)
