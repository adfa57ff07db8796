"""A WSGI application's answer, a step at a time: on the thread that asks, or on one beside an event loop."""

import asyncio
from collections import deque
from collections.abc import Callable, Generator
from contextlib import suppress
from contextvars import copy_context
from queue import SimpleQueue
from threading import Thread
from typing import Protocol, TypeAlias

from antiphon.testing.servers.exchange import Head
from antiphon.testing.servers.standstill import thread_position

Item: TypeAlias = Head | bytes
"""First the head, then the chunks of the body."""

Items: TypeAlias = Generator[Item, None, None]

WRITTEN = 64 << 20
"""Bytes that an application may ``write`` on the thread that asks, where nobody can read meanwhile."""

ABORT = 1.0
"""Seconds that an application on another thread has to end when it is given up."""


class Steps(Protocol):
    """An application's answer, which advances only when its next item is asked for."""

    def start(self, items: Items) -> None:
        """Begin with an answer."""
        ...

    def push(self, item: Item) -> None:
        """Take an item from within the application."""
        ...

    async def next(self) -> Item | None:
        """The next item, None at the end. Raises what escapes the application."""
        ...

    async def close(self) -> None:
        """Close the answer where it stands. Raises what escapes the application."""
        ...

    async def abort(self) -> None:
        """Close the answer, or have it closed as soon as the application comes back. Raises nothing."""
        ...

    def where(self) -> str:
        """Where the application stands."""
        ...


class StepsHere:
    """Runs the application on the thread that asks. What it writes waits until it has returned."""

    def __init__(self) -> None:
        self._ready: deque[Item | BaseException | None] = deque()

    def start(self, items: Items) -> None:
        """Begin with an answer."""
        self._items = items
        self._written = 0

    def push(self, item: Item) -> None:
        """Keep an item. Raises RuntimeError when that takes too much memory."""
        self._written += len(item) if isinstance(item, bytes) else 0
        if self._written > WRITTEN:
            raise RuntimeError("too much was written without being read: give the client a timeout, and so a thread")
        self._ready.append(item)

    async def next(self) -> Item | None:
        """The next item."""
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
        """Close the answer."""
        self._items.close()

    async def abort(self) -> None:
        """Close the answer."""
        with suppress(Exception):
            self._items.close()

    def where(self) -> str:
        """Nowhere: when this is asked, the application has come back."""
        return ""


class StepsOnThread:
    """Runs the application on a daemon thread of its own, in the context of who asks.

    For use on an event loop.
    """

    def __init__(self) -> None:
        self.gone: OSError | None = None
        self._loop = asyncio.get_running_loop()
        self._demands: SimpleQueue[asyncio.Future[Item | None] | None] = SimpleQueue()
        self._demand: asyncio.Future[Item | None] | None = None
        self._ended: asyncio.Future[BaseException | None] = self._loop.create_future()

    def start(self, items: Items) -> None:
        """Begin with an answer; the application is not called before the first item is asked for."""
        self._thread = Thread(
            target=copy_context().run, args=(self._work, items), name="antiphon-testing-wsgi", daemon=True
        )
        self._thread.start()

    def push(self, item: Item) -> None:
        """Hand over an item, and wait for the next demand. Raises OSError if the client leaves instead."""
        if self.gone is None:
            demand, self._demand = self._demand, None
            self._call(_settle, demand, item)
            self._await_demand()
        else:
            raise self.gone

    async def next(self) -> Item | None:
        """The next item."""
        if self._ended.done():
            return None
        demand: asyncio.Future[Item | None] = self._loop.create_future()
        self._demands.put(demand)
        return await demand

    async def close(self) -> None:
        """Close the answer, once the application has come back to it."""
        self._demands.put(None)
        error = await asyncio.shield(self._ended)
        if error is not None:
            raise error

    async def abort(self) -> None:
        """Close the answer; leave the thread behind if it takes too long."""
        self._demands.put(None)
        await asyncio.wait([self._ended], timeout=ABORT)

    def where(self) -> str:
        """Where the thread is."""
        return thread_position(self._thread.ident)

    # On the thread

    def _work(self, items: Items) -> None:
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
        self._call(self._end, None if error is self.gone else error)

    def _await_demand(self) -> None:
        self._demand = self._demands.get()
        if self._demand is None:
            self.gone = ConnectionResetError("the client has gone away")
            raise self.gone

    def _call(self, function: Callable[..., object], *arguments: object) -> None:
        """Call a function on the loop, if that is still there."""
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            if not self._loop.is_closed():
                raise

    def _end(self, error: BaseException | None) -> None:
        """Answer the last demand, or keep the error for who closes."""
        if self._demand is not None:
            _settle(self._demand, None, error)
            error = None
        self._ended.set_result(error)


def _settle(demand: "asyncio.Future[Item | None]", item: Item | None, error: BaseException | None = None) -> None:
    if demand.done():
        return
    if error is not None:
        demand.set_exception(error)
    else:
        demand.set_result(item)
