"""A listener of a channel: its place in the feed, and the wait for the next message."""

import asyncio
from collections import deque
from collections.abc import Callable
from threading import Lock
from types import TracebackType
from typing import Self

from antiphon.concurrency.draining import DRAINING
from antiphon.explanations import explained
from antiphon.features.channels.feed import Feed
from antiphon.features.channels.hub import Hub
from antiphon.features.channels.message import ChannelMessage, Item, Missed, Position, message_of, read_id


class ChannelListener:
    """The messages of a channel for one listener, from the beginning of the block: ``async with``, or ``with`` on a
    thread.

    Iterate over it with ``async for``, or with ``for``, which ends when the process drains. If messages are missing, it
    yields a ``Missed``. A slow listener costs no memory: it misses the oldest messages.
    """

    def __init__(self, hub: Hub, name: str, keep: int, since: str | None) -> None:
        self._hub = hub
        self._name = name
        self._keep = keep
        self._since = since
        self._last = since
        """The id of the last message that the listener received."""
        self._feed: Feed | None = None
        self._number = 0
        self._ready: deque[Item] = deque()
        self._is_closed = False
        self._lock = Lock()
        self._undrain: Callable[[], None] | None = None

    # The block

    async def __aenter__(self) -> Self:
        """Begin to listen. Raises StoreUnavailable if the messages can't be read."""
        try:
            if not self._begin_known():
                await asyncio.to_thread(self._begin)
        except BaseException:
            self.close()
            raise
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self.close()

    def __enter__(self) -> Self:
        """Begin to listen. Raises StoreUnavailable if the messages can't be read."""
        self._begin()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening. A thread that waits for a message wakes up, and receives none."""
        with self._lock:
            self._is_closed = True
            feed, self._feed = self._feed, None
        if self._undrain is not None:
            self._undrain()
        if feed is not None:
            self._hub.leave(feed)
            feed.wake()

    def _begin_known(self) -> bool:
        """Begin without waiting. Return False if the store has to be asked."""
        feed = self._hub.joined(self._name, self._keep)
        if feed is None:
            return False
        if not self._find(feed, is_caught_up=not self._hub.blocks):
            self._hub.leave(feed)
            return False
        self._keep_feed(feed)
        return True

    def _begin(self) -> None:
        feed = self._hub.join(self._name, self._keep)
        try:
            if not self._find(feed, is_caught_up=False):
                self._hub.catch_up(feed)  # the message may have reached another process first
                self._find(feed, is_caught_up=True)
        except BaseException:
            self._hub.leave(feed)
            raise
        self._keep_feed(feed)

    def _keep_feed(self, feed: Feed) -> None:
        with self._lock:
            if not self._is_closed:  # closed when its task was cancelled while a thread was here
                self._feed = feed
                return
        self._hub.leave(feed)

    def _find(self, feed: Feed, *, is_caught_up: bool) -> bool:
        """Find the place to begin at. Return False if the message to begin after may not be here yet."""
        if self._since is None:
            self._number = feed.end
            return True
        position: Position | None = read_id(self._since)
        found = None if position is None else feed.find(position)
        if found is None:
            if position is not None and not is_caught_up:
                return False
            found = feed.place_of_unknown(self._since, position)
        self._number, missed = found
        if missed is not None:
            self._ready.append(missed)
        return True

    # Messages

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ChannelMessage | Missed:
        """Wait for the next message. Raises RuntimeError before the block is entered."""
        return message_of(await self._next_item())

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> ChannelMessage | Missed:
        """Wait for the next message on this thread. Raises RuntimeError before the block is entered."""
        if self._undrain is None and not self._is_closed:
            self._undrain = DRAINING.subscribe(self._opened().wake)
        while not self._ready:
            if self._is_over():
                raise StopIteration
            feed = self._opened()
            feed.wait(self._number, self._is_over)
            self._take(feed)
        return message_of(self._ready.popleft())

    async def _next_item(self) -> Item:
        """Wait for the next item, in its stored form."""
        while not self._ready:
            if self._is_closed:
                raise StopAsyncIteration
            feed = self._opened()
            await feed.wait_on_loop(self._number)
            self._take(feed)
        return self._ready.popleft()

    def _is_over(self) -> bool:
        return self._is_closed or DRAINING.is_given

    def _take(self, feed: Feed) -> None:
        found, self._number = feed.take(self._number, self._last)
        self._ready.extend(found)
        self._last = next((str(item.position) for item in reversed(found) if not isinstance(item, Missed)), self._last)

    def _opened(self) -> Feed:
        feed = self._feed
        if feed is None:
            message = "listen in a block: `async with channel.listen() as messages:`"
            raise explained("not-listening", RuntimeError(message))
        return feed
