"""The interface of stores that keep the messages and the members of channels for several processes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeAlias

from antiphon.features.channels.message import Entry, Position

BATCH = 500
"""Messages that are read at once."""

LONGEST_WATCH = 1.0
"""Seconds after which ``watch`` returns at the latest."""

Positions: TypeAlias = Mapping[str, Position | None]
"""The position of the newest message that is known, by the names of channels; None for one without messages."""


class ChannelLog(Protocol):
    """The messages and members of channels in a store. All methods block, and raise StoreUnavailable."""

    def append(self, name: str, keep: int, data: bytes) -> Position:
        """Store a message, and forget those before the newest ``keep``, or some more. Return its position."""
        ...

    def tail(self, name: str, most: int) -> list[Entry]:
        """Return the newest messages, the oldest of them first."""
        ...

    def after(self, name: str, position: Position | None) -> list[Entry]:
        """Return the first of the messages after a position, up to BATCH; those after None are all."""
        ...

    def newest(self, name: str) -> Position | None:
        """Return the position of the newest message; None if there is none."""
        ...

    def watch(self, positions: Positions) -> Mapping[str, Sequence[Entry]]:
        """Wait until messages come after these positions, or ``interrupt`` is called, for up to LONGEST_WATCH."""
        ...

    def interrupt(self) -> None:
        """Have ``watch`` look again, since this process has written, or listens to one more channel."""
        ...

    def renew(self, name: str, token: str, members: Iterable[str], ttl: float) -> None:
        """Have members be there for ``ttl`` seconds from now on, as seen by the process that has this token."""
        ...

    def withdraw(self, name: str, token: str, member: str) -> None:
        """Forget that a member is there, as seen by the process that has this token."""
        ...

    def members(self, name: str) -> list[str]:
        """Return the present members, in any order, and as often as processes see them."""
        ...
