"""A store in a SQLite file, for the threads and processes on one machine."""

import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from antiphon import explained
from antiphon.embedding import seconds_of
from antiphon.features import Store, StoreCount, StoreUnavailable
from antiphon.features.stores import check_ttl, hash_key, unavailable
from antiphon.features.stores.rows import Row, RowStore, size_of
from antiphon.features.stores.sqlite_connections import Connection, Connections, connections_to
from antiphon.types import Duration

if TYPE_CHECKING:
    from antiphon.features.stores import ChannelLog

CLEAN_EVERY = 16
"""The number of writes by a process between deletions of expired rows."""
CLEANED = 64
"""The number of rows of each kind to delete at once: more than can have been added since the last deletion."""

_PREPARE = """
pragma synchronous = normal;
pragma journal_mode = wal;
create table if not exists entries (
    id blob primary key, data blob not null, version integer not null, created real not null, changed real not null,
    expires real not null, owner text
);
create index if not exists entries_expires on entries (expires);
create index if not exists entries_owner on entries (owner) where owner is not null;
create table if not exists bounded (
    id blob primary key, data blob not null, version integer not null, created real not null, changed real not null,
    expires real not null, owner text, used real not null, size integer not null
);
create index if not exists bounded_expires on bounded (expires);
create index if not exists bounded_owner on bounded (owner) where owner is not null;
create index if not exists bounded_used on bounded (used);
create table if not exists bounded_bytes (one integer primary key check (one = 1), sum integer not null);
create trigger if not exists bounded_more after insert on bounded begin
    insert or ignore into bounded_bytes values (1, 0); update bounded_bytes set sum = sum + new.size; end;
create trigger if not exists bounded_less after delete on bounded begin
    update bounded_bytes set sum = sum - old.size; end;
create table if not exists counters (id blob primary key, count integer not null, expires real not null) without rowid;
create index if not exists counters_expires on counters (expires);
create table if not exists channels (name text primary key, epoch integer not null, number integer not null)
    without rowid;
create table if not exists channel_messages (
    name text, number integer, data blob not null, primary key (name, number)) without rowid;
create table if not exists channel_members (
    name text, member text, token text, expires real not null, primary key (name, member, token)) without rowid;
create table if not exists channel_expiry (name text primary key, expires real not null) without rowid
"""
_COLUMNS = "data, version, created, changed, expires, owner"
_GET = f"select {_COLUMNS} from {{}} where id = ?"  # noqa: S608 - our own names
_OF_OWNER = f"select id, {_COLUMNS} from {{}} where owner = ?"  # noqa: S608
_PUT = f"""
insert into entries (id, {_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?) on conflict (id) do update set
    data = excluded.data, version = excluded.version, created = excluded.created, changed = excluded.changed,
    expires = excluded.expires, owner = excluded.owner
"""  # noqa: S608
_CLEAN = [
    f"delete from {table} where id in (select id from {table} where expires <= ? order by expires limit {CLEANED})"  # noqa: S608
    for table in ("entries", "bounded", "counters")
]
_PUT_BOUNDED = f"insert into bounded (id, {_COLUMNS}, used, size) values (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_IS_FULL = "select sum > ? from bounded_bytes"
_DROP_UNUSED = "delete from bounded where id in (select id from bounded order by used limit 1)"

NOTED_EVERY = 60.0
"""The minimum number of seconds between two records of an entry's use in a bounded store, since each of them takes a
write.
"""
_INCREMENT = """
insert into counters (id, count, expires) values (:id, :by, :end)
on conflict (id) do update set
    count = :by + case when expires > :now and expires <= :end then count else 0 end,
    expires = case when expires > :now and expires <= :end then expires else :end end
returning count, expires
"""


class SQLiteStore(RowStore):
    """A store in a file, for any number of threads and processes on one machine.

        app = App(store=SQLiteStore("var/store.db"))

    The data outlives the processes, even after ``kill -9``. The folder must exist, on a local disk, because network
    file systems lack the locks that SQLite needs. The file is created on first use, accessible only to this user.
    ``timeout`` is the longest wait for other writers, in seconds or a timedelta. ``clock`` returns Unix time in
    seconds. After a power failure, the file is intact, but the last changes may be lost. Raises ValueError for a
    missing folder, and for ":memory:".
    """

    keeps_files: ClassVar[bool] = True

    def __init__(
        self, path: str | os.PathLike[str], *, timeout: Duration = 5.0, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(clock)
        if os.fspath(path) in ("", ":memory:"):
            raise explained("bad-feature-option", "SQLiteStore needs a file: use MemoryStore() for memory")
        self._path = Path(os.path.realpath(path))
        if not self._path.parent.is_dir():
            raise explained("missing-folder", f"SQLiteStore needs an existing folder: there is no {self._path.parent}")
        self._timeout = seconds_of(timeout)
        self._connections = connections_to(self._path, _PREPARE)
        self._most: int | None = None

    def shares_entries(self, other: Store) -> bool:
        return isinstance(other, SQLiteStore) and self._path == other._path  # noqa: SLF001 - of this very class

    def bounded(self, max_bytes: int) -> "SQLiteStore":
        beside = SQLiteStore(self._path, timeout=self._timeout, clock=self.clock)
        beside._most = max_bytes
        return beside

    def files_folder(self, *, make: bool) -> Path | None:
        folder = self._path.with_name(self._path.name + "-files")
        if make:
            folder.mkdir(0o700, exist_ok=True)
        return folder if make or folder.is_dir() else None

    def channel_log(self, name: str) -> "ChannelLog":  # noqa: ARG002 - one log has all channels
        from antiphon.features.stores.sqlite_log import SQLiteLog

        return SQLiteLog(self)

    def _reading(self) -> AbstractContextManager["_Rows"]:
        return _Reading(self._own(), self._path, self._timeout, self._rows)

    @contextmanager
    def _writing(self) -> Iterator["_Rows"]:
        with self._transaction() as connection:
            yield self._rows(connection)

    def _rows(self, connection: Connection) -> "_Rows":
        return _Rows(connection) if self._most is None else _BoundedRows(connection, self._most, self.clock())

    def increment(self, key: str, *, ttl: float = Store.FOREVER, by: int = 1) -> StoreCount:
        check_ttl(ttl)
        with self._transaction() as connection:
            now = self.clock()
            values = {"id": hash_key(key), "by": by, "now": now, "end": now + ttl}
            count, expires = connection.execute(_INCREMENT, values).fetchall()[0]
        return StoreCount(count, expires - now)

    def close(self) -> None:
        """Close the connections that are not in use. A later call opens new ones."""
        self._own().close()

    def _own(self) -> Connections:
        """Return this process's connections. A forked process gets new ones."""
        if self._connections.pid != os.getpid():
            self._connections = connections_to(self._path, _PREPARE)
        return self._connections

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """Open a write transaction, which excludes all others, and occasionally clean up in it."""
        own = self._own()
        if not own.writing.acquire(timeout=self._timeout):
            raise unavailable(str(self._path), TimeoutError("other threads of this process were writing for too long"))
        try:
            with self._connection() as connection:
                connection.execute("begin immediate")
                try:
                    yield connection
                    own.writes += 1
                    if own.writes % CLEAN_EVERY == 0:
                        for delete in _CLEAN:
                            connection.execute(delete, [self.clock()])
                    connection.execute("commit")
                except BaseException:
                    with suppress(sqlite3.Error):
                        connection.execute("rollback")
                    raise
        finally:
            own.writing.release()

    def _connection(self) -> "_Loan":
        return _Loan(self._own(), self._path, self._timeout)


class _Loan:
    """A borrowed connection, which is closed if anything fails. Raises StoreUnavailable for SQLite's errors.

    Each request with a session borrows one; a generator-based context manager would take four times as long.
    """

    __slots__ = ("_connections", "_path", "_timeout", "lent")

    def __init__(self, connections: Connections, path: Path, timeout: float) -> None:
        self._connections = connections
        self._path = path
        self._timeout = timeout

    def __enter__(self) -> Connection:
        Store.refuse_on_loop()
        try:
            self.lent = self._connections.take(self._timeout)
        except (sqlite3.Error, OSError) as error:
            raise self._unavailable(error) from error
        return self.lent

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if error is None:
            self._connections.give_back(self.lent)
            return
        try:
            self._connections.discard(self.lent)
        except (sqlite3.Error, OSError) as failure:
            error = failure
        if isinstance(error, sqlite3.Error | OSError):
            raise self._unavailable(error) from error

    def _unavailable(self, error: sqlite3.Error | OSError) -> StoreUnavailable:
        return unavailable(str(self._path), sqlite3.Error(_reason(error)))


class _Reading:
    """The rows, read through a borrowed connection."""

    __slots__ = ("_loan", "_rows")

    def __init__(
        self, connections: Connections, path: Path, timeout: float, rows: Callable[[Connection], "_Rows"]
    ) -> None:
        self._loan = _Loan(connections, path, timeout)
        self._rows = rows

    def __enter__(self) -> "_Rows":
        return self._rows(self._loan.__enter__())

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self._loan.__exit__(kind, error, traceback)


def _reason(error: sqlite3.Error | OSError) -> str:
    """Return a message for the log that explains why the file can't be used and what to do."""
    name = getattr(error, "sqlite_errorname", None)
    reason = f"{error} ({name})" if name else str(error)
    is_forbidden = getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
    if is_forbidden or isinstance(error, PermissionError):
        reason += ". This user needs write permission for the file and its folder"
    return reason


def _stored(owner: str | None) -> str | bytes | None:
    """Return an owner as it is stored: as bytes if it has lone surrogates, which SQLite's text can't have."""
    if owner is None or not re.search("[\ud800-\udfff]", owner):
        return owner
    return owner.encode("utf-8", "surrogatepass")


def _row(found: Sequence[Any]) -> Row:
    row = Row(*found)
    return row._replace(owner=row.owner.decode("utf-8", "surrogatepass")) if isinstance(row.owner, bytes) else row


class _Rows:
    table = "entries"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._execute = connection.execute

    def get(self, id_: bytes) -> Row | None:
        found = self._execute(_GET.format(self.table), [id_]).fetchall()
        return _row(found[0]) if found else None

    def put(self, id_: bytes, row: Row) -> None:
        self._execute(_PUT, [id_, *row[:-1], _stored(row.owner)])

    def remove(self, id_: bytes) -> None:
        self._execute(f"delete from {self.table} where id = ?", [id_])  # noqa: S608 - our own names

    def of_owner(self, owner: str) -> list[tuple[bytes, Row]]:
        found = self._execute(_OF_OWNER.format(self.table), [_stored(owner)]).fetchall()
        return [(id_, _row(rest)) for id_, *rest in found]


class _BoundedRows(_Rows):
    """Rows of up to ``most`` bytes in total, with the times of their last use."""

    table = "bounded"

    def __init__(self, connection: Connection, most: int, now: float) -> None:
        super().__init__(connection)
        self._most = most
        self._now = now

    def get(self, id_: bytes) -> Row | None:
        row = super().get(id_)
        if row is not None:
            self._note_use(id_)
        return row

    def _note_use(self, id_: bytes) -> None:
        """Record that an entry was used, unless others are writing: this never waits."""
        used = self._execute("select used from bounded where id = ?", [id_]).fetchall()
        if not used or abs(self._now - used[0][0]) < NOTED_EVERY:
            return
        patience, self._connection.patience = self._connection.patience, 0.0
        try:
            self._execute("update bounded set used = ? where id = ?", [self._now, id_])
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY):
                raise
        finally:
            self._connection.patience = patience

    def put(self, id_: bytes, row: Row) -> None:
        self.remove(id_)
        self._execute(_PUT_BOUNDED, [id_, *row[:-1], _stored(row.owner), self._now, size_of(row)])
        while self._execute(_IS_FULL, [self._most]).fetchall() == [(1,)]:
            self._execute(_DROP_UNUSED)
