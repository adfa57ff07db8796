"""Messages of channels, their ids, the notice that replaces missed ones, and the interface of stores that keep them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import Any, NamedTuple, Protocol, TypeAlias

from antiphon.http.event import Event
from antiphon.serialization.json import decode_json


class ChannelMessage(NamedTuple):
    """A message of a channel: its ``id``, with which clients say what they have received, and its ``value``, decoded
    from JSON.
    """

    id: str
    value: Any


class Missed(NamedTuple):
    """A gap in the messages that a listener receives, because it was too slow, or away for too long.

    ``total`` is the number of missing messages, or None if it is unknown. ``after`` is the id of the last message that
    the listener received before the gap, if known, and ``before`` that of the first message after it.
    """

    total: int | None
    after: str | None
    before: str | None


class Position(NamedTuple):
    """The place of a message in its channel: the epoch, which changes when messages were lost, and its number.

    The numbers of a channel have no gaps, so that missing messages can be counted.
    """

    epoch: int
    number: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.number}"


_id = re.compile("(0|[1-9][0-9]{0,17})-([1-9][0-9]{0,17})").fullmatch


def read_id(id_: str) -> Position | None:
    """Return the position that an id stands for, or None for text that is not the id of a message."""
    found = _id(id_)
    return Position(int(found[1]), int(found[2])) if found else None


class Keep(NamedTuple):
    """The limits on a channel's kept messages: their number, and their total size in bytes, if that is limited."""

    most: int
    size: float = inf

    def widened(self, other: "Keep") -> "Keep":
        """Return bounds that keep everything that either of these bounds keeps."""
        return Keep(max(self.most, other.most), max(self.size, other.size))


class Entry:
    """A message as it is stored, shared by all listeners of a process."""

    __slots__ = ("_event", "data", "position", "read")

    def __init__(self, position: Position, data: bytes) -> None:
        self.position = position
        self.data = data
        self.read: object = None
        """The decoded data, for all listeners."""
        self._event: Event | None = None

    def message(self) -> ChannelMessage:
        """Return the message, with a separate value for each caller."""
        return ChannelMessage(str(self.position), decode_json(self.data))

    def event(self) -> Event:
        """Return the message's event, which is shared by all. Text is sent as it is, other values as JSON."""
        if self._event is None:
            text = decode_json(self.data) if self.data[:1] == b'"' else self.data.decode()
            self._event = Event(text, id=str(self.position))
        return self._event


Item: TypeAlias = Entry | Missed
"""An item that a listener gets."""


def event_of(item: Item) -> Event:
    """Return the event that sends an item to a client."""
    return Event(item._asdict(), event="missed") if isinstance(item, Missed) else item.event()


def message_of(item: Item) -> ChannelMessage | Missed:
    """Return an item as programs see it."""
    return item if isinstance(item, Missed) else item.message()


BATCH = 500
"""The number of messages that are read at once."""

LONGEST_WATCH = 1.0
"""The longest time for which ``watch`` waits, in seconds."""

Positions: TypeAlias = Mapping[str, Position | None]
"""The position of each channel's newest known message, by the channel's name; None for a channel without messages."""


class ChannelLog(Protocol):
    """The messages and members of channels in a store. All methods block, and raise StoreUnavailable."""

    def append(self, name: str, keep: int, data: bytes) -> Position:
        """Store a message and forget all but about the newest ``keep`` messages. Return its position."""
        ...

    def tail(self, name: str, most: int) -> list[Entry]:
        """Return the newest messages, oldest first."""
        ...

    def after(self, name: str, position: Position | None) -> list[Entry]:
        """Return the first messages after a position, up to BATCH. None stands for the beginning."""
        ...

    def newest(self, name: str) -> Position | None:
        """Return the position of the newest message, or None if there is none."""
        ...

    def watch(self, positions: Positions) -> Mapping[str, Sequence[Entry]]:
        """Wait up to LONGEST_WATCH until messages come after these positions, or until ``interrupt`` is called."""
        ...

    def interrupt(self) -> None:
        """Make ``watch`` check again, since this process has written, or listens to one more channel."""
        ...

    def expire(self, name: str, seconds: float) -> None:
        """Forget the messages of a channel so many seconds from now, instead of at another time or never."""
        ...

    def renew(self, name: str, token: str, members: Iterable[str], ttl: float) -> None:
        """Keep members present for ``ttl`` seconds from now, on behalf of the process with this token."""
        ...

    def withdraw(self, name: str, token: str, member: str) -> None:
        """End the presence of a member, on behalf of the process with this token."""
        ...

    def members(self, name: str) -> list[str]:
        """Return the members who are present, in any order, once for each process that reports them."""
        ...
