"""Channels: messages from any process to all listeners, the presence of members, and each listener's position.

news = Channel("news", store)
await news.asend({"id": 7})
return Response.events(news.follow(request.last_event_id))
"""

import asyncio
import os
from collections import deque
from collections.abc import AsyncGenerator, Callable
from functools import partial
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from antiphon import explained
from antiphon.embedding import (
    DRAINING,
    Crossing,
    FeatureStore,
    RequestState,
    check_numbers,
    encode_json,
    errors_name_it,
    refuse_on_loop,
    seconds_of,
)
from antiphon.features import MissedMessages, Store
from antiphon.features.channels.feed import Feed, Item, Keep, event_of, message_of, read_id
from antiphon.features.channels.hub import Hub, hub_of
from antiphon.features.stores import Position
from antiphon.http import Event
from antiphon.types import ChannelMessage, Duration

R = TypeVar("R")

if TYPE_CHECKING:
    from antiphon import App


class ChannelListener:
    """A channel's messages for one listener, starting when the block is entered: ``async with``, or ``with`` on a
    thread.

    Iterate over it with ``async for``, or with ``for``; both end when the process drains. If messages are missing, it
    yields a ``MissedMessages``. A slow listener costs no memory: it misses the oldest messages.
    """

    def __init__(self, hub: Hub, name: str, keep: Keep, since: str | None) -> None:
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
        """Start listening. Raises StoreUnavailable if the messages can't be read."""
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
        """Start listening. Raises StoreUnavailable if the messages can't be read."""
        self._begin()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening. A thread that waits for a message wakes up without one."""
        with self._lock:
            self._is_closed = True
            feed, self._feed = self._feed, None
        if self._undrain is not None:
            self._undrain()
        if feed is not None:
            self._hub.leave(feed)
            feed.wake()

    def _begin_known(self) -> bool:
        """Start without waiting. Return False if this needs the store."""
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
            if not self._is_closed:  # it is closed if its task was cancelled while a thread was here
                self._feed = feed
                return
        self._hub.leave(feed)

    def _find(self, feed: Feed, *, is_caught_up: bool) -> bool:
        """Find the item to begin with. Return False if the message before it may not have arrived yet."""
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

    async def __anext__(self) -> ChannelMessage | MissedMessages:
        """Wait for the next message. Raises RuntimeError before the block is entered."""
        return message_of(await self._next_item())

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> ChannelMessage | MissedMessages:
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
        self._last = next(
            (str(item.position) for item in reversed(found) if not isinstance(item, MissedMessages)), self._last
        )

    def _opened(self) -> Feed:
        feed = self._feed
        if feed is None:
            message = "listen in a block: `async with channel.listen() as messages:`"
            raise explained("not-listening", message, RuntimeError)
        return feed


@errors_name_it
class Channel:
    """A named stream of messages from any process to all listeners, kept for clients that reconnect.

        news = Channel("news")

    By default, the ``store`` is that of the app that uses the channel: ``app.use(news)``. A MemoryStore serves one
    process; a SQLiteStore serves the processes on one machine, which check for messages 20 times a second; a
    PostgresStore or a ValkeyStore serves many machines. The newest ``max_messages`` messages are kept, in the store and
    in each process that listens. Each message may have ``max_message_size`` bytes of JSON: by default, up to 64 MiB in
    total. Of the channels without listeners, a MemoryStore keeps the messages of the 10,000 most recently used ones.
    """

    def __init__(
        self,
        name: str,
        store: Store | None = None,
        *,
        max_messages: int = 1000,
        max_message_size: int = 65_536,
        lease: Duration = 30.0,
    ) -> None:
        """In each process, one thread reads a store for all listeners, or up to 16 threads read a cluster.

        Two channels with the same name and store are one channel. If a process dies, its members stay present for
        another ``lease``, in seconds or a timedelta. Raises ValueError for a name that is empty or not valid Unicode,
        for a ``max_messages`` or a ``max_message_size`` below 1, and for a ``lease`` that is not above 0. Raises
        TypeError for any other store.
        """
        lease = seconds_of(lease)
        if not _is_text(name):
            raise explained("bad-feature-option", f"a channel's name must be text, not {name!r}")
        check_numbers(max_messages=max_messages, max_message_size=max_message_size, lease=lease)
        self._name = name
        self._stored_as = FeatureStore.name_of(name)
        self._stores = FeatureStore("Channel", store, client_side=True)  # hub_of refuses such a store
        self._keep = Keep(max_messages)
        self._max_message_size = max_message_size
        self._lease = lease
        self._hub: Hub | None = None if store is None else hub_of(store, self._stored_as, "Channel")
        self._process = os.getpid()

    def install(self, app: "App") -> None:
        """Use the app's store, unless the channel was given one. Raises RuntimeError if there is no store."""
        self._hub = hub_of(self._stores.taken_from(app), self._stored_as, "Channel")

    @property
    def name(self) -> str:
        """The name of the channel."""
        return self._name

    # Sending

    def send(self, value: object) -> str:
        """Send a value that JSON can express and return the message's id once it is stored.

        On an event loop, use ``asend``: there, this raises RuntimeError.

        Raises TypeError for any other value, ValueError for more than ``max_message_size`` bytes of JSON, and
        StoreUnavailable (503). After StoreUnavailable, the message may nevertheless be stored, now or later, if it
        reached the store but no reply came back.
        """
        refuse_on_loop("send()", "asend()")
        return str(self._own_hub().send(self._stored_as, self._keep, self._encode(value)))

    async def asend(self, value: object) -> str:
        """``send``, on an event loop."""
        data = self._encode(value)  # here, since another thread may change the value before it is encoded
        return str(await self._call(partial(self._own_hub().send, self._stored_as, self._keep, data)))

    asend.__qualname__ += " (in a def handler: send)"  # Python's warning that it is not awaited says this, too

    async def _call(self, function: "Callable[[], R]") -> "R":
        """Call a function on a thread if the store blocks."""
        return await asyncio.to_thread(function) if self._own_hub().blocks else function()

    def _encode(self, value: object) -> bytes:
        RequestState.check_effect(f"a message of channel {self._name!r}")
        data = encode_json(value)
        if len(data) > self._max_message_size:
            size = f"{len(data):,} bytes of JSON, more than {self._max_message_size:,}"
            fix = "send less, such as the id of a record that clients fetch, or set max_message_size"
            reason = f"a message of channel {self._name!r} has {size}: {fix}"
            raise explained("message-too-large", reason)
        return data

    # Receiving

    async def follow(self, since: str | None = None) -> AsyncGenerator[Event, None]:
        """Yield all messages after the one with the id ``since`` as events, and then new messages, for
        ``Response.events``.

        If ``since`` is None, as it is for a new client, the next message comes first. Text is sent as the event's data,
        other values as JSON. The first event is a comment, so that the client receives the response's head at once. If
        messages are missing because they are no longer kept, an event named "missed" contains the fields of
        ``MissedMessages``. This event is also sent for an unknown id, and after a restart of the server or a failover,
        which may have lost messages; all messages that are kept follow it. Raises StoreUnavailable (503).
        """
        async with self.listen(since=since) as listener:
            yield Event(comment="")
            while True:
                yield event_of(await listener._next_item())

    def listen(self, *, since: str | None = None) -> ChannelListener:
        """Return a listener for the messages after a given one, and then new ones. Use it in ``async with``, or in
        ``with`` on a thread.

        ``since`` is a message's id, as for ``follow``.
        """
        return ChannelListener(self._own_hub(), self._stored_as, self._keep, since)

    def messages(self) -> list[ChannelMessage]:
        """Return the stored messages, oldest first.

        Raises StoreUnavailable (503), and RuntimeError on an event loop.
        """
        refuse_on_loop("messages()", "amessages()")
        return self._messages()

    async def amessages(self) -> list[ChannelMessage]:
        """``messages``, on an event loop."""
        return await self._call(self._messages)

    def _messages(self) -> list[ChannelMessage]:
        hub = self._own_hub()
        feed = hub.join(self._stored_as, self._keep)
        try:
            hub.catch_up(feed)
            return [message for item in feed.all() if not isinstance(message := message_of(item), MissedMessages)]
        finally:
            hub.leave(feed)

    # Presence

    def present(self, member: str) -> "ChannelPresence":
        """Return a block, for ``async with`` or ``with``, during which a member is present.

        A member can be present more than once.

        Raises ValueError unless the member is valid text.
        """
        if not _is_text(member):
            raise explained("bad-feature-option", f"a member's name must be text, not {member!r}")
        return ChannelPresence(self._own_hub(), self._stored_as, member, self._lease)

    def members(self) -> list[str]:
        """Return the members that are present in any process, sorted by name.

        Raises StoreUnavailable (503), and RuntimeError on an event loop.
        """
        refuse_on_loop("members()", "amembers()")
        return self._members()

    async def amembers(self) -> list[str]:
        """``members``, on an event loop."""
        return await self._call(self._members)

    def _members(self) -> list[str]:
        return sorted({*self._own_hub().members(self._stored_as)})

    def _own_hub(self) -> Hub:
        """Return this process's hub, which is new if the process has forked since the last call."""
        if self._hub is None or self._process != os.getpid():
            self._hub, self._process = hub_of(self._stores.current, self._stored_as, "Channel"), os.getpid()
        return self._hub


class ChannelPresence:
    """A block in which a channel's member is present: ``async with news.present("ann"):``, or ``with`` on a thread."""

    def __init__(self, hub: Hub, channel: str, member: str, lease: float) -> None:
        self._hub = hub
        self._lease = channel, member, lease

    async def __aenter__(self) -> Self:
        """Make the member present. Raises StoreUnavailable (503)."""
        await self._call(self._hub.enter)
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        await self._call(self._hub.exit)

    async def _call(self, function: "Callable[[str, str, float], None]") -> None:
        if self._hub.blocks:  # whatever is cancelled: one who has entered must leave
            await Crossing().run_shielded(partial(function, *self._lease))
        else:
            function(*self._lease)

    def __enter__(self) -> Self:
        """Make the member present. Raises StoreUnavailable (503)."""
        self._hub.enter(*self._lease)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._hub.exit(*self._lease)


def _is_text(name: object) -> bool:
    if not isinstance(name, str) or not name:
        return False
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
