"""Messages of channels, their ids, and the notice for missed messages."""

import re
from math import inf
from typing import Any, NamedTuple, TypeAlias

from antiphon.app.channel_log import Entry, Position
from antiphon.http.event import Event
from antiphon.serialization.json import decode_json


class ChannelMessage(NamedTuple):
    """A message of a channel: its ``id``, with which clients report what they have received, and its decoded JSON
    ``value``.
    """

    id: str
    value: Any


class MissedMessages(NamedTuple):
    """A gap in the messages that a listener receives, because it was too slow, or disconnected for too long.

    ``total`` is the number of missing messages, or None if unknown. ``after`` is the id of the last message received
    before the gap, if known, and ``before`` is the id of the first message after it.
    """

    total: int | None
    after: str | None
    before: str | None


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
