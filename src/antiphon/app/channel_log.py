"""Messages of channels, and the interface of stores that keep them, beside members whose presence is a lease."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from antiphon.http.event import Event
from antiphon.serialization.json import decode_json


class Position(NamedTuple):
    """A message's position in its channel: its number, and the epoch, which changes when messages were lost.

    A channel's numbers have no gaps, so missing messages can be counted.
    """

    epoch: int
    number: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.number}"


class Entry:
    """A message in its stored form, shared by all of a process's listeners."""

    __slots__ = ("_event", "data", "position", "read")

    def __init__(self, position: Position, data: bytes) -> None:
        self.position = position
        self.data = data
        self.read: object = None
        """The decoded data, for all listeners."""
        self._event: Event | None = None

    def event(self) -> Event:
        """Return the message's event, shared by all listeners. Text is sent as is, other values as JSON."""
        if self._event is None:
            text = decode_json(self.data) if self.data[:1] == b'"' else self.data.decode()
            self._event = Event(text, id=str(self.position))
        return self._event


class ChannelLog(ABC):
    """The messages and members of a store's channels. All methods block, and raise StoreUnavailable.

    ``place`` says where they are: in a process, logs of one class and place share a reader, which calls ``watch``.
    """

    place: Hashable
    MOST_READ = 500
    """The number of messages after which one read of a channel ends, because memory must be bounded."""
    LONGEST_WATCH = 1.0
    """The maximum number of seconds for which ``watch`` waits."""
    Positions: TypeAlias = Mapping[str, Position | None]
    """The position of each channel's newest known message, by the channel's name; None for a channel without any."""

    @abstractmethod
    def append(self, name: str, keep: int, data: bytes) -> Position:
        """Store a message and return its position. Forget all but approximately the newest ``keep`` messages."""

    @abstractmethod
    def tail(self, name: str, most: int) -> list[Entry]:
        """Return the newest messages, oldest first."""

    @abstractmethod
    def after(self, name: str, position: Position | None) -> list[Entry]:
        """Return the first messages after a position, up to ``MOST_READ``. None means the beginning."""

    def newest(self, name: str) -> Position | None:
        """Return the position of the newest message, or None if there is none."""
        found = self.tail(name, 1)
        return found[0].position if found else None

    @abstractmethod
    def watch(self, positions: Positions) -> Mapping[str, Sequence[Entry]]:
        """Wait until messages arrive after these positions, ``interrupt`` is called, or LONGEST_WATCH ends."""

    @abstractmethod
    def interrupt(self) -> None:
        """Make ``watch`` check again, because this process has sent a message or has begun to listen to another
        channel.
        """

    @abstractmethod
    def expire(self, name: str, seconds: float) -> None:
        """Schedule a channel's messages to be forgotten in this many seconds, replacing any earlier schedule."""

    @abstractmethod
    def renew(self, name: str, token: str, members: Iterable[str], ttl: float) -> None:
        """Keep members present for ``ttl`` seconds from now, for the process with this token."""

    @abstractmethod
    def withdraw(self, name: str, token: str, member: str) -> None:
        """End a member's presence for the process with this token."""

    @abstractmethod
    def members(self, name: str) -> list[str]:
        """Return the members that are present, in any order, once for each process that reports them."""

    def close(self) -> None:  # noqa: B027 - most logs have nothing to close
        """End what ``watch`` has begun, such as a connection: nobody in this process listens any more.

        It must not wait or raise. A later ``watch`` begins again.
        """


class ChannelMessage(NamedTuple):
    """A message of a channel: its ``id``, with which clients report what they have received, and its decoded JSON
    ``value``.
    """

    id: str
    value: Any

    def __message__(self) -> object:
        """Return an object with the ``id`` and the ``value``, which a WebSocket sends as JSON."""
        return self._asdict()


class MissedMessages(NamedTuple):
    """A gap in the messages that a listener receives, because it was too slow, or disconnected for too long.

    ``total`` is the number of missing messages, or None if unknown. ``after`` is the id of the last message received
    before the gap, if known, and ``before`` is the id of the first message after it.
    """

    total: int | None
    after: str | None
    before: str | None

    def __message__(self) -> object:
        """Return an object with the names above, which a WebSocket sends as JSON."""
        return self._asdict()
