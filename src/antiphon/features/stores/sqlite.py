"""A store in a file of SQLite, for the threads and processes of one machine."""

import os
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakSet, finalize

from antiphon.explanations import explained
from antiphon.features.stores.rows import Row, RowStore
from antiphon.features.stores.store import StoreCount, check_ttl, hash_key, unavailable

CLEAN_EVERY = 16
"""Writes, by each process, after which expired rows are deleted."""
CLEANED = 64
"""Rows of each kind that are deleted at once: more than were added since."""

LOOK_EVERY = 0.002
"""Seconds between two looks whether others have stopped writing."""

_PREPARE = """
pragma synchronous = normal;
pragma journal_mode = wal;
create table if not exists entries (
    id blob primary key, data blob not null, version integer not null, created real not null, changed real not null,
    expires real not null, owner text
);
create index if not exists entries_expires on entries (expires);
create index if not exists entries_owner on entries (owner) where owner is not null;
create table if not exists counters (id blob primary key, count integer not null, expires real not null) without rowid;
create index if not exists counters_expires on counters (expires)
"""
_COLUMNS = "data, version, created, changed, expires, owner"
_GET = f"select {_COLUMNS} from entries where id = ?"  # noqa: S608 - our own names
_OF_OWNER = f"select id, {_COLUMNS} from entries where owner = ?"  # noqa: S608
_PUT = f"""
insert into entries (id, {_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?) on conflict (id) do update set
    data = excluded.data, version = excluded.version, created = excluded.created, changed = excluded.changed,
    expires = excluded.expires, owner = excluded.owner
"""  # noqa: S608
_CLEAN = [
    f"delete from {table} where id in (select id from {table} where expires <= ? order by expires limit {CLEANED})"  # noqa: S608
    for table in ("entries", "counters")
]
_INCREMENT = """
insert into counters (id, count, expires) values (:id, :by, :end)
on conflict (id) do update set
    count = :by + case when expires > :now then count else 0 end,
    expires = case when expires > :now then expires else :end end
returning count, expires
"""

_pools: "WeakSet[_Connections]" = WeakSet()
_inherited: list["_Connections"] = []
"""Connections of a parent process, which this one must neither use nor close (sqlite.org/howtocorrupt.html §2.6)."""


def _close_idle() -> None:
    """Close the connections that nobody uses, before this process forks: the child would close them when it ends."""
    for pool in [*_pools]:
        pool.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_close_idle)


class SQLiteStore(RowStore):
    """A store in a file, for any number of threads and processes of one machine. It outlives them, and ``kill -9``.

    The folder has to be there, and on a disk of this machine: network file systems lack the locks that SQLite needs.
    The file is made when it is first used, for this user only. ``timeout`` is the longest wait for other writers, in
    seconds. ``clock`` returns the seconds since 1970. After a power failure the file is whole, but the last changes
    may be lost. Raises ValueError for a folder that is not there, and for ":memory:".
    """

    def __init__(
        self, path: str | os.PathLike[str], *, timeout: float = 5.0, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(clock)
        if os.fspath(path) in ("", ":memory:"):
            raise explained("bad-feature-option", ValueError("SQLiteStore keeps a file: MemoryStore() is for memory"))
        self._path = Path(os.fspath(path)).absolute()
        if not self._path.parent.is_dir():
            raise explained(
                "missing-folder",
                ValueError(f"SQLiteStore needs the folder of its file: there is no {self._path.parent}"),
            )
        self._timeout = timeout
        self._connections = _Connections(self._path, timeout)

    @contextmanager
    def _reading(self) -> Iterator["_Rows"]:
        with self._connection() as connection:
            yield _Rows(connection)

    @contextmanager
    def _writing(self) -> Iterator["_Rows"]:
        with self._transaction() as connection:
            yield _Rows(connection)

    def increment(self, key: str, *, ttl: float, by: int = 1) -> StoreCount:
        check_ttl(ttl)
        with self._transaction() as connection:
            now = self._clock()
            values = {"id": hash_key(key), "by": by, "now": now, "end": now + ttl}
            count, expires = connection.execute(_INCREMENT, values).fetchall()[0]
        return StoreCount(count, expires - now)

    def close(self) -> None:
        """Close the connections that nobody uses. A call after that opens new ones."""
        self._own().close()

    def _own(self) -> "_Connections":
        """Return the connections of this process, which code in C may have forked after the last call."""
        connections = self._connections
        if connections.pid != os.getpid():
            _inherited.append(connections)
            connections = self._connections = _Connections(self._path, self._timeout)
        return connections

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Open the one write transaction that there is at a time, and clean up in every few of them."""
        own = self._own()
        if not own.writing.acquire(timeout=self._timeout):
            raise unavailable(str(self._path), TimeoutError("others of this process were writing for too long"))
        try:
            with self._connection() as connection:
                connection.execute("begin immediate")
                try:
                    yield connection
                    own.writes += 1
                    if own.writes % CLEAN_EVERY == 0:
                        for delete in _CLEAN:
                            connection.execute(delete, [self._clock()])
                    connection.execute("commit")
                except BaseException:
                    with suppress(sqlite3.Error):
                        connection.execute("rollback")
                    raise
        finally:
            own.writing.release()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection, which is closed if anything fails. Raises StoreUnavailable for what SQLite raises."""
        own = self._own()
        try:
            connection = own.take()
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
        except sqlite3.Error as error:
            raise unavailable(str(self._path), error) from error
        own.idle.append(connection)


class _Connection(sqlite3.Connection):
    """A connection that waits for others, up to ``patience`` seconds, by looking again every few milliseconds.

    SQLite itself looks ever more seldom, down to ten times a second, so that those who came first come last. It does
    not wait for others that prepare a new file, and its wait would hold up all greenlets of gevent.
    """

    patience: float

    def execute(self, statement: str, values: Any = (), /) -> sqlite3.Cursor:
        deadline = 0.0
        while True:
            try:
                return super().execute(statement, values)
            except sqlite3.OperationalError as error:
                now = time.monotonic()
                deadline = deadline or now + self.patience
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or now > deadline:
                    raise
            time.sleep(LOOK_EVERY)


class _Connections:
    """The connections of one process: as many as were used at once.

    Each has one user at a time, so that it does not matter on which threads, or greenlets, these run.
    """

    def __init__(self, path: Path, timeout: float) -> None:
        self.pid = os.getpid()
        self.idle: deque[_Connection] = deque()
        self.writing = Lock()  # threads wait here in turn, and not by SQLite's polling
        self.writes = 0
        self._path = path
        self._timeout = timeout
        _pools.add(self)
        finalize(self, _close_of, self.pid, self.idle)

    def take(self) -> _Connection:
        try:
            return self.idle.pop()
        except IndexError:
            return self._open()

    def _open(self) -> _Connection:
        with suppress(OSError):  # which SQLite reports
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(
            self._path, timeout=0, isolation_level=None, check_same_thread=False, factory=_Connection
        )
        connection.patience = self._timeout
        try:
            for statement in _PREPARE.split(";"):
                connection.execute(statement)
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        while self.idle:
            self.idle.pop().close()


def _close_of(process: int, idle: "deque[_Connection]") -> None:
    """Close connections, unless they are a parent's.

    It holds them until then: as garbage in one circle with their store, they could be finalized, with a warning, first.
    """
    if process == os.getpid():
        while idle:
            idle.pop().close()


class _Rows:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute

    def get(self, id_: bytes) -> Row | None:
        found = self._execute(_GET, [id_]).fetchall()
        return Row(*found[0]) if found else None

    def put(self, id_: bytes, row: Row) -> None:
        self._execute(_PUT, [id_, *row])

    def remove(self, id_: bytes) -> None:
        self._execute("delete from entries where id = ?", [id_])

    def of_owner(self, owner: str) -> list[tuple[bytes, Row]]:
        return [(id_, Row(*rest)) for id_, *rest in self._execute(_OF_OWNER, [owner]).fetchall()]
