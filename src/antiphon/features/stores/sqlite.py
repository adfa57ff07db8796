"""A store in a file of SQLite, for the threads and processes of one machine."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from antiphon.explanations import explained
from antiphon.features.stores.rows import Row, RowStore
from antiphon.features.stores.sqlite_connections import Connections, connections_to
from antiphon.features.stores.store import StoreCount, check_ttl, hash_key, unavailable
from antiphon.http.durations import Duration, seconds_of

CLEAN_EVERY = 16
"""Writes, by each process, after which expired rows are deleted."""
CLEANED = 64
"""Rows of each kind that are deleted at once: more than were added since."""

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
    count = :by + case when expires > :now and expires <= :end then count else 0 end,
    expires = case when expires > :now and expires <= :end then expires else :end end
returning count, expires
"""


class SQLiteStore(RowStore):
    """A store in a file, for any number of threads and processes of one machine. It outlives them, and ``kill -9``.

    The folder has to be there, and on a disk of this machine: network file systems lack the locks that SQLite needs.
    The file is made when it is first used, for this user only. ``timeout`` is the longest wait for other writers, in
    seconds or a timedelta. ``clock`` returns the seconds since 1970. After a power failure the file is whole, but the
    last changes may be lost. Raises ValueError for a folder that is not there, and for ":memory:".
    """

    def __init__(
        self, path: str | os.PathLike[str], *, timeout: Duration = 5.0, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(clock)
        if os.fspath(path) in ("", ":memory:"):
            raise explained("bad-feature-option", ValueError("SQLiteStore keeps a file: MemoryStore() is for memory"))
        self._path = Path(os.path.realpath(path))
        if not self._path.parent.is_dir():
            raise explained(
                "missing-folder",
                ValueError(f"SQLiteStore needs the folder of its file: there is no {self._path.parent}"),
            )
        self._timeout = seconds_of(timeout)
        self._connections = connections_to(self._path, _PREPARE)

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

    def _own(self) -> Connections:
        """Return the connections of this process, which may have been forked after the last call."""
        if self._connections.pid != os.getpid():
            self._connections = connections_to(self._path, _PREPARE)
        return self._connections

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
            connection = own.take(self._timeout)
            try:
                yield connection
            except BaseException:
                own.discard(connection)
                raise
        except (sqlite3.Error, OSError) as error:
            raise unavailable(str(self._path), sqlite3.Error(_reason(error))) from error
        own.give_back(connection)


def _reason(error: sqlite3.Error | OSError) -> str:
    """Return for the log why the file can't be used, and what to do."""
    name = getattr(error, "sqlite_errorname", None)
    reason = f"{error} ({name})" if name else str(error)
    is_forbidden = getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
    if is_forbidden or isinstance(error, PermissionError):
        reason += ". This user needs the right to write to the file, and to its folder"
    return reason


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
