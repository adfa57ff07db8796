"""The newest messages of one channel in this process, shared by all of its listeners.

A listener is only the number of its next item, so a slow listener costs no memory and doesn't delay others.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice
from math import inf
from threading import Condition, Lock, RLock
from typing import NamedTuple, TypeAlias

from antiphon.embedding import decode_json
from antiphon.features import MissedMessages
from antiphon.features.stores import Entry, Position
from antiphon.http import Event
from antiphon.types import ChannelMessage

BATCH = 64
"""The number of items that a listener receives at once."""

_id = re.compile("(0|[1-9][0-9]{0,17})-([1-9][0-9]{0,17})").fullmatch


def read_id(id_: str) -> Position | None:
    """Return the position for a message's id, or None for text that is not the id of a message."""
    found = _id(id_)
    return Position(int(found[1]), int(found[2])) if found else None


class Keep(NamedTuple):
    """The limits on a channel's kept messages: their number, and their total size in bytes, if it is limited."""

    most: int
    size: float = inf

    def widened(self, other: "Keep") -> "Keep":
        """Return limits that keep everything that either of these limits keeps."""
        return Keep(max(self.most, other.most), max(self.size, other.size))


Item: TypeAlias = Entry | MissedMessages
"""An item that a listener receives."""


def event_of(item: Item) -> Event:
    """Return the event that sends an item to a client."""
    return Event(item._asdict(), event="missed") if isinstance(item, MissedMessages) else item.event()


def message_of(item: Item) -> ChannelMessage | MissedMessages:
    """Return an item as ``listen`` yields it."""
    return item if isinstance(item, MissedMessages) else ChannelMessage(str(item.position), decode_json(item.data))


class Feed:
    """The newest items of a channel, within the bounds of ``keep``, in order of arrival, for all threads.

    ``position`` is the newest message's position, or None while none is known.
    """

    def __init__(self, name: str, keep: Keep) -> None:
        self.name = name
        self.keep = keep
        self.position: Position | None = None
        self.is_loaded = False
        self.users = 0
        self.loading = Lock()
        self._items: deque[Item] = deque()
        self._size = 0
        """The total size of the items in bytes."""
        self._end = 0
        """The number of the next item."""
        self._lock = RLock()  # it is acquired directly, which is faster than through the condition
        self._changed = Condition(self._lock)
        self._loops: dict[asyncio.AbstractEventLoop, set[asyncio.Future[None]]] = {}
        """The futures that tasks are waiting for, by event loop, since each loop is woken only once."""

    @property
    def end(self) -> int:
        """The number of the next item."""
        return self._end

    # For the store

    def load(self, entries: Sequence[Entry]) -> None:
        """Start with the messages kept in the store."""
        with self._lock:
            if not self.is_loaded:
                self._append(_with_gaps(entries, None))
                self.is_loaded = True

    def publish(self, entries: Sequence[Entry], after: Position | None) -> None:
        """Add the messages ``after`` a position, unless another thread has already added some."""
        with self._lock:
            if entries and self.position == after:
                items = _with_gaps(entries, after)
                is_told = bool(self._items) and isinstance(self._items[-1], MissedMessages)
                self._append(items[1:] if is_told and isinstance(items[0], MissedMessages) else items)

    def rewind(self, known: Position | None, to: Position | None) -> None:
        """Go back from a ``known`` position and notify the listeners, because the store has lost messages."""
        with self._lock:
            if self.position == known:
                self._append([MissedMessages(None, str(known), None)])
                self.position = to

    def _append(self, items: Sequence[Item]) -> None:
        for item in items:
            self._items.append(item)
            self._size += _size(item)
            if isinstance(item, Entry):
                self.position = item.position
        self._end += len(items)
        while len(self._items) > self.keep.most or self._size > self.keep.size:
            self._size -= _size(self._items.popleft())
        self._wake()

    def _wake(self) -> None:
        self._changed.notify_all()
        loops, self._loops = self._loops, {}
        for loop, futures in loops.items():
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(_wake_all, futures)

    # For listeners

    def take(self, number: int, last: str | None) -> tuple[list[Item], int]:
        """Return the items from a number on, and the number after them. ``last`` is the id of the listener's last
        item."""
        with self._lock:
            skipped = len(self._items) - (self._end - number)
            found = [*islice(self._items, max(0, skipped), max(0, skipped) + BATCH)]
            if skipped >= 0:
                return found, number + len(found)
            missed = MissedMessages(-skipped, last, _first_id(found))
            return [missed, *found], number - skipped + len(found)

    def all(self) -> list[Item]:
        """Return all items that are kept."""
        return self.numbered()[1]

    def numbered(self) -> tuple[int, list[Item]]:
        """Return the number of the oldest item, and all items that are kept."""
        with self._lock:
            return self._end - len(self._items), [*self._items]

    def find(self, since: Position) -> tuple[int, MissedMessages | None] | None:
        """Return the number of the item after a message, and the gap in between; None if the message is newer than all
        items.
        """
        with self._lock:
            if self.position is None or since > self.position:
                return None
            place = _place(self._items, since)
            start = self._end - len(self._items)
        return (start + place[0], place[1])

    def place_of_unknown(self, since: str, position: Position | None) -> tuple[int, MissedMessages]:
        """Return the number of the first item for a client whose id matches no message, and the notice for the client.

        The first item is the oldest one. But if the id belongs to the newest message's epoch and its message was lost
        with its server, the first item is the next one to arrive, since the client has received all earlier ones.
        """
        with self._lock:
            newest = self.position
            if position is not None and newest is not None and position.epoch == newest.epoch:
                return self._end, MissedMessages(None, since, None)
            return self._end - len(self._items), MissedMessages(None, since, _first_id(self._items))

    def wait(self, number: int, is_over: Callable[[], bool], seconds: float | None = None) -> None:
        """Wait on a thread until there is an item with this number, or until ``is_over``, which is checked after
        ``wake``.

        If ``seconds`` is given, wait no longer than that.
        """
        with self._lock:
            self._changed.wait_for(lambda: self._end > number or is_over(), seconds)

    def wake(self) -> None:
        """Wake the waiting threads so they check whether their wait is over."""
        with self._lock:
            self._changed.notify_all()

    async def wait_on_loop(self, number: int) -> None:
        """Wait on an event loop until there is an item with this number."""
        loop = asyncio.get_running_loop()
        with self._lock:
            if self._end > number:
                return
            future = loop.create_future()
            self._loops.setdefault(loop, set()).add(future)
        try:
            await future
        except BaseException:
            self._forget(loop, future)
            raise

    def _forget(self, loop: asyncio.AbstractEventLoop, future: "asyncio.Future[None]") -> None:
        with self._lock:
            futures = self._loops.get(loop)
            if futures is not None:
                futures.discard(future)
                if not futures:
                    del self._loops[loop]


def _size(item: Item) -> int:
    return len(item.data) if isinstance(item, Entry) else 0


def _wake_all(futures: "set[asyncio.Future[None]]") -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)


def _with_gaps(entries: Sequence[Entry], after: Position | None) -> list[Item]:
    """Return messages as items, with the gaps between and before them."""
    items: list[Item] = []
    for entry in entries:
        if after is not None and (gap := _gap(after, entry.position)) != 0:
            items.append(MissedMessages(gap, str(after), str(entry.position)))
        items.append(entry)
        after = entry.position
    return items


def _gap(before: Position, after: Position) -> int | None:
    """Return the number of messages missing between two positions.

    None means that the number is unknown and may be 0: in another epoch, the store may have lost messages before
    ``after``.
    """
    return after.number - before.number - 1 if after.epoch == before.epoch else None


def _place(items: "deque[Item]", since: Position) -> tuple[int, MissedMessages | None]:
    """Return the index of the item after a message that is not newer than all items, and the gap in between."""
    entries = [(index, item.position) for index, item in enumerate(items) if isinstance(item, Entry)]
    for index, position in reversed(entries):
        if position == since:
            return index + 1, None
        if position.epoch == since.epoch and position.number < since.number:  # this message was lost with its server
            after = [*islice(items, index + 1, None)]
            is_told = bool(after) and isinstance(after[0], MissedMessages)
            return index + 1 + is_told, MissedMessages(None, str(since), _first_id(after))
    first = entries[0][1] if entries else None
    gap = _gap(since, first) if first else None
    return 0, None if gap == 0 else MissedMessages(gap, str(since), str(first) if first else None)


def _first_id(items: "Sequence[Item] | deque[Item]") -> str | None:
    return next((str(item.position) for item in items if isinstance(item, Entry)), None)
