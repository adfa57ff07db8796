"""The interface of stores that keep the messages and the members of channels for several processes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeAlias

from antiphon.features.channels.message import Entry, Position

BATCH = 500
"""The number of messages that are read at once."""

LONGEST_WATCH = 1.0
"""The longest time for which ``watch`` waits, in seconds."""

Positions: TypeAlias = Mapping[str, Position | None]
"""The position of the newest known message, by the names of channels; None for a channel without messages."""


class ChannelLog(Protocol):
    """The messages and members of channels in a store. All methods block, and raise StoreUnavailable."""

    def append(self, name: str, keep: int, data: bytes) -> Position:
        """Store a message, and forget those before the newest ``keep`` or so. Return its position."""
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
        """Wait until messages come after these positions, or ``interrupt`` is called, for up to LONGEST_WATCH."""
        ...

    def interrupt(self) -> None:
        """Make ``watch`` look again, since this process has written, or listens to one more channel."""
        ...

    def renew(self, name: str, token: str, members: Iterable[str], ttl: float) -> None:
        """Keep members present for ``ttl`` seconds from now, on behalf of the process with this token."""
        ...

    def withdraw(self, name: str, token: str, member: str) -> None:
        """End the presence of a member, on behalf of the process with this token."""
        ...

    def members(self, name: str) -> list[str]:
        """Return the present members, in any order, once for each process that reports them."""
        ...
