"""Channels in a store's SQLite file, for the processes on one machine, by polling."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Event

from antiphon.features.stores import ChannelLog, Entry, Position
from antiphon.features.stores.sqlite import SQLiteStore
from antiphon.features.stores.sqlite_connections import Connection

POLL_EVERY = 0.05
"""The seconds between checks whether other processes have changed the file. Each check takes a few microseconds."""

_NUMBER = """
insert into channels values (?, ?, 1) on conflict (name) do update set number = number + 1 returning epoch, number
"""
_HEAD = "select epoch, number from channels where name = ?"
_MESSAGES = "select number, data from channel_messages where name = ? and number > ? order by number limit ?"
_EXPIRE = """
insert into channel_expiry values (?, ?) on conflict (name) do update set expires = excluded.expires
"""
_EXPIRED = "select name from channel_expiry where expires <= ? limit 16"
_FORGET = [f"delete from {table} where name = ?" for table in ("channels", "channel_messages", "channel_expiry")]  # noqa: S608 - our own names
_RENEW = """
insert into channel_members values (?, ?, ?, ?) on conflict (name, member, token)
do update set expires = excluded.expires
"""


class SQLiteLog(ChannelLog):
    """The messages and members of channels in a store's file."""

    def __init__(self, store: SQLiteStore) -> None:
        self._store = store
        self.place = str(store._path)
        self._woken = Event()
        self._wakings = 0
        """The number of wakings; a wait that ends at the same time as one doesn't notice it."""
        self._looked_at: tuple[Connection, int, int, ChannelLog.Positions] | None = None
        """The connection of the last check, the data version and wakings before it, and the positions it reached."""

    def append(self, name: str, keep: int, data: bytes) -> Position:
        with self._store._transaction() as connection:
            now = int(self._store.clock() * 1000)
            position = Position(*connection.execute(_NUMBER, [name, now]).fetchall()[0])
            connection.execute("insert into channel_messages values (?, ?, ?)", [name, position.number, data])
            oldest = position.number - keep
            connection.execute("delete from channel_messages where name = ? and number <= ?", [name, oldest])
        self.interrupt()
        return position

    def tail(self, name: str, most: int) -> list[Entry]:
        with self._reading() as connection:
            head = _head(connection, name)
            return [] if head is None else _entries(connection, name, head.epoch, head.number - most, most)

    def after(self, name: str, position: Position | None) -> list[Entry]:
        with self._reading() as connection:
            return _after(connection, name, position)

    def newest(self, name: str) -> Position | None:
        with self._reading() as connection:
            return _head(connection, name)

    def watch(self, positions: ChannelLog.Positions) -> dict[str, list[Entry]]:
        self._woken.wait(POLL_EVERY)
        self._woken.clear()
        wakings = self._wakings
        with self._store._connection() as connection:
            version = connection.execute("pragma data_version").fetchall()[0][0]
            if (connection, version, wakings, positions) == self._looked_at:
                return {}
            found = {name: entries for name in positions if (entries := _after(connection, name, positions[name]))}
            is_all = all(len(entries) < ChannelLog.MOST_READ for entries in found.values())
            ends = {**positions, **{name: entries[-1].position for name, entries in found.items()}}
            self._looked_at = (connection, version, wakings, ends) if is_all else None
        return found

    def interrupt(self) -> None:
        self._wakings += 1
        self._woken.set()

    def expire(self, name: str, seconds: float) -> None:
        with self._store._transaction() as connection:
            now = self._store.clock()
            connection.execute(_EXPIRE, [name, now + seconds])
            for expired in connection.execute(_EXPIRED, [now]).fetchall() if seconds > 0 else [(name,)]:
                for forget in _FORGET:
                    connection.execute(forget, expired)

    def renew(self, name: str, token: str, members: Iterable[str], ttl: float) -> None:
        with self._store._transaction() as connection:
            now = self._store.clock()
            connection.execute("delete from channel_members where name = ? and expires <= ?", [name, now])
            for member in members:
                connection.execute(_RENEW, [name, member, token, now + ttl])

    def withdraw(self, name: str, token: str, member: str) -> None:
        with self._store._transaction() as connection:
            connection.execute(
                "delete from channel_members where name = ? and member = ? and token = ?", [name, member, token]
            )

    def members(self, name: str) -> list[str]:
        with self._reading() as connection:
            query = "select member from channel_members where name = ? and expires > ?"
            return [member for (member,) in connection.execute(query, [name, self._store.clock()]).fetchall()]

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """Lend a connection that sees a snapshot of the file."""
        with self._store._connection() as connection:
            connection.execute("begin")
            yield connection
            connection.execute("commit")


def _head(connection: Connection, name: str) -> Position | None:
    found = connection.execute(_HEAD, [name]).fetchall()
    return Position(*found[0]) if found else None


def _after(connection: Connection, name: str, position: Position | None) -> list[Entry]:
    """Return the first messages after a position, or all messages if another file has replaced the old one."""
    head = _head(connection, name)
    if head is None or head == position:
        return []
    is_known = position is not None and position.epoch == head.epoch and position.number < head.number
    return _entries(
        connection, name, head.epoch, position.number if position is not None and is_known else 0, ChannelLog.MOST_READ
    )


def _entries(connection: Connection, name: str, epoch: int, after: int, most: int) -> list[Entry]:
    found = connection.execute(_MESSAGES, [name, after, most]).fetchall()
    return [Entry(Position(epoch, number), data) for number, data in found]
