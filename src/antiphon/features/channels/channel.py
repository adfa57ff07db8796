"""Channels: messages from any process to all that listen, and who is there.

news = Channel("news", store)
await news.send({"id": 7})
return Response.events(news.after(request.last_event_id))
"""

import asyncio
import os
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

from antiphon.explanations import explained
from antiphon.features.channels.hub import Hub
from antiphon.features.channels.hubs import hub_of
from antiphon.features.channels.listener import ChannelListener
from antiphon.features.channels.message import ChannelMessage, Missed, event_of, message_of
from antiphon.features.stores.store import Store
from antiphon.http.durations import Duration, seconds_of
from antiphon.http.event import Event


class Channel:
    """Messages under a name, from any process to all that listen, and kept for those that come back.

    The ``store`` is a MemoryStore, for one process; a SQLiteStore, for those of one machine, which look for messages 20
    times a second; or a ValkeyStore, for many machines. The newest ``keep`` messages are kept, in the store and in each
    process that listens, each of at most ``max_message_size`` bytes of JSON: by default up to 64 MiB. In each process
    one thread reads a store, however many listen; of a cluster up to 16. Equal names in one store are one channel,
    others never are. ``lease`` is the time, in seconds or a timedelta, after which those who were present in a process
    that died are so no more. Raises ValueError for a name that is empty or no Unicode, a ``keep`` or a
    ``max_message_size`` below 1 and a ``lease`` that is not above 0, and TypeError for another store.
    """

    def __init__(
        self, name: str, store: Store, *, keep: int = 1000, max_message_size: int = 65_536, lease: Duration = 30.0
    ) -> None:
        lease = seconds_of(lease)
        if not _is_text(name):
            raise explained("bad-feature-option", ValueError(f"the name of a channel is text, not {name!r}"))
        if keep < 1:
            raise explained("bad-feature-option", ValueError(f"keep is a number of messages above 0, not {keep!r}"))
        if max_message_size < 1:
            reason = f"max_message_size is a number of bytes above 0, not {max_message_size!r}"
            raise explained("bad-feature-option", ValueError(reason))
        if not lease > 0:
            raise explained("bad-feature-option", ValueError(f"lease is a number of seconds above 0, not {lease!r}"))
        self._name = name
        self._store = store
        self._keep = keep
        self._max_message_size = max_message_size
        self._lease = lease
        self._hub = hub_of(store, name)
        self._process = os.getpid()

    @property
    def name(self) -> str:
        """The name of the channel."""
        return self._name

    # Messages out

    async def send(self, value: object) -> str:
        """Send a value that JSON has a form for, and return the id of the message. It is stored then.

        Raises TypeError for another value, ValueError for one of more than ``max_message_size`` bytes of JSON, and
        StoreUnavailable (503): then it may be stored, or be so later, if the store was reached and has not answered.
        """
        data = self._encode(value)
        hub = self._own_hub()
        if not hub.blocks:
            return str(hub.send(self._name, self._keep, data))
        return str(await asyncio.to_thread(hub.send, self._name, self._keep, data))

    def send_now(self, value: object) -> str:
        """Send a value, and wait on this thread until it is stored: ``send`` for `def` handlers."""
        return str(self._own_hub().send(self._name, self._keep, self._encode(value)))

    def _encode(self, value: object) -> bytes:
        from antiphon.serialization.json import encode_json

        data = encode_json(value)
        if len(data) > self._max_message_size:
            reason = (
                f"a message of channel {self._name!r} has {len(data):,} bytes of JSON, of {self._max_message_size:,}"
            )
            advice = "send less, such as the id of a record that clients fetch, or set max_message_size"
            raise explained("message-too-large", ValueError(f"{reason}: {advice}"))
        return data

    # Messages in

    async def after(self, since: str | None = None) -> AsyncIterator[Event]:
        """Give the events of all messages after one, and go on with those that come: for ``Response.events``.

        ``since`` is the id of a message; with None, as from a new client, the next one is the first. Text is the
        data of its event, and other values are, as JSON. The first event is a comment, so that the client has the
        head at once. An event named "missed", with the members of `Missed`, stands where messages are missing: those
        that are kept no more. So it does where a server was started again, or a replica took over, which may have lost
        some; and for an id that no message of this channel has, before all that is kept.
        Raises StoreUnavailable (503).
        """
        async with self.listen(since=since) as listener:
            yield Event(comment="")
            while True:
                yield event_of(await listener._next_item())

    def listen(self, *, since: str | None = None) -> ChannelListener:
        """Return the messages after one, and those that come, for `async with`; or for `with`, on a thread.

        ``since`` is the id of a message, as for ``after``.
        """
        return ChannelListener(self._own_hub(), self._name, self._keep, since)

    async def kept(self) -> list[ChannelMessage]:
        """Return the messages that are kept, the oldest first. Raises StoreUnavailable (503)."""
        hub = self._own_hub()
        return await asyncio.to_thread(self.kept_now) if hub.blocks else self.kept_now()

    def kept_now(self) -> list[ChannelMessage]:
        """Return the messages that are kept, the oldest first, and wait for them on this thread."""
        hub = self._own_hub()
        feed = hub.join(self._name, self._keep)
        try:
            hub.catch_up(feed)
            return [message for item in feed.all() if not isinstance(message := message_of(item), Missed)]
        finally:
            hub.leave(feed)

    # Who is there

    def present(self, member: str) -> "ChannelPresence":
        """Return a block, `async with` or `with`, in which a member is there. It may be there more than once.

        Raises ValueError for what is not text.
        """
        if not _is_text(member):
            raise explained("bad-feature-option", ValueError(f"the name of a member is text, not {member!r}"))
        return ChannelPresence(self._own_hub(), self._name, member, self._lease)

    async def who(self) -> list[str]:
        """Return who is there, in any process, in the order of names. Raises StoreUnavailable (503)."""
        return await asyncio.to_thread(self.who_now) if self._own_hub().blocks else self.who_now()

    def who_now(self) -> list[str]:
        """Return who is there, and wait for that on this thread."""
        return sorted({*self._own_hub().members(self._name)})

    def _own_hub(self) -> Hub:
        """Return the hub of this process, which may have been forked after the last call."""
        if self._process != os.getpid():
            self._hub, self._process = hub_of(self._store, self._name), os.getpid()
        return self._hub


class ChannelPresence:
    """A block in which a member of a channel is there: `async with news.present("ann"):`, or `with` on a thread."""

    def __init__(self, hub: Hub, channel: str, member: str, lease: float) -> None:
        self._hub = hub
        self._lease = channel, member, lease

    async def __aenter__(self) -> Self:
        """Have the member be there. Raises StoreUnavailable (503)."""
        if not self._hub.blocks:
            self._hub.enter(*self._lease)
            return self
        entering = asyncio.ensure_future(asyncio.to_thread(self._hub.enter, *self._lease))
        try:
            await asyncio.shield(entering)
        except asyncio.CancelledError:
            entering.add_done_callback(self._leave_late)
            raise
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if self._hub.blocks:
            await asyncio.to_thread(self._hub.exit, *self._lease)
        else:
            self._hub.exit(*self._lease)

    def __enter__(self) -> Self:
        """Have the member be there. Raises StoreUnavailable (503)."""
        self._hub.enter(*self._lease)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._hub.exit(*self._lease)

    def _leave_late(self, entering: "asyncio.Future[None]") -> None:
        """Leave, since the task was cancelled while it entered."""
        if not entering.cancelled() and entering.exception() is None:
            entering.get_loop().run_in_executor(None, self._hub.exit, *self._lease)


def _is_text(name: object) -> bool:
    if not isinstance(name, str) or not name:
        return False
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
