"""Messages of channels, their ids, and the notice that replaces missed messages."""

import re
from typing import Any, NamedTuple, TypeAlias

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

    The numbers of a channel have no gaps, so that what is missing can be counted.
    """

    epoch: int
    number: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.number}"


_id = re.compile("(0|[1-9][0-9]{0,17})-([1-9][0-9]{0,17})").fullmatch


def read_id(id_: str) -> Position | None:
    """Return the position that an id names, or None for text that is not an id of a channel."""
    found = _id(id_)
    return Position(int(found[1]), int(found[2])) if found else None


class Entry:
    """A message as it is stored, shared by all listeners of a process."""

    __slots__ = ("_event", "data", "position")

    def __init__(self, position: Position, data: bytes) -> None:
        self.position = position
        self.data = data
        self._event: Event | None = None

    def message(self) -> ChannelMessage:
        """Return the message, with a value of its own for each caller."""
        return ChannelMessage(str(self.position), decode_json(self.data))

    def event(self) -> Event:
        """Return the event of the message: the same one for all. Text is sent as it is, other values as JSON."""
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
