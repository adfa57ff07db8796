"""Where claims are kept: in a store, or in a table of the application's database, in the transaction of the handler.

In a table, an uncommitted row is a write in progress. In PostgreSQL, its key is locked until the transaction ends; in
SQLite, only one transaction writes. So a write that was interrupted leaves nothing behind, and a write that was
committed left its response. Methods are ``async`` for both; those of a store don't wait.
"""

import time
from collections.abc import Callable, Mapping
from secrets import randbits
from typing import Any, Protocol

from antiphon.app.connections import Connection
from antiphon.app.store import Store, StoreEntry, decode, encode, hash_key
from antiphon.explanations import explained
from antiphon.features.idempotency.claims import in_use

CLEAN_EVERY = 64
"""The number of claims by a process between deletions of expired rows."""

_LOCK = "pg_advisory_xact_lock(cast(6038115 as bigint))"
_IS_THERE = {
    "sqlite": "select 1 from sqlite_master where type = 'table' and name = 'antiphon_writes'",
    "postgresql": "select 1 where to_regclass('antiphon_writes') is not null",
}
_CREATE = (
    """create table if not exists antiphon_writes (id {bytes} primary key, data {bytes} not null,
    version bigint not null, changed double precision not null, expires double precision not null)""",
    "create index if not exists antiphon_writes_expires on antiphon_writes (expires)",
)
_NEW = {
    "sqlite": "values (:id, :data, :version, :now, :expires)",
    "postgresql": "select cast(:id as bytea), cast(:data as bytea), cast(:version as bigint),"
    " cast(:now as double precision), cast(:expires as double precision)"
    " where pg_try_advisory_xact_lock(cast(:lock as bigint))",
}
_ADD = """insert into antiphon_writes (id, data, version, changed, expires) {new}
on conflict (id) do update set data = excluded.data, version = excluded.version, changed = excluded.changed,
expires = excluded.expires where antiphon_writes.expires <= excluded.changed"""
_GET = "select data, version, changed, expires from antiphon_writes where id = :id and expires > :now"
# Without ``expires``, which has an index: PostgreSQL then changes the row in place.
_REPLACE = """update antiphon_writes set data = :data, version = :version, changed = :now
where id = :id and version = :known"""
_DELETE = "delete from antiphon_writes where id = :id and version = :known"
_CLEAN = """delete from antiphon_writes where id in
(select id from antiphon_writes where expires <= :now limit 256{skip})"""


class Claims(Protocol):
    """The claims of one request, by their keys."""

    clock: Callable[[], float]

    async def load(self, key: str) -> StoreEntry | None: ...
    async def add(self, key: str, data: Mapping[str, Any]) -> StoreEntry | None: ...
    async def replace(self, entry: StoreEntry, data: Mapping[str, Any]) -> StoreEntry | None: ...


class StoreClaims:
    """Claims as entries of a store, which expire after ``ttl`` seconds."""

    def __init__(self, store: Store, ttl: float) -> None:
        self._store = store
        self._ttl = ttl
        self.clock = store.clock

    async def load(self, key: str) -> StoreEntry | None:
        return self._store.load(key)

    async def add(self, key: str, data: Mapping[str, Any]) -> StoreEntry | None:
        return self._store.add(key, data, ttl=self._ttl)

    async def replace(self, entry: StoreEntry, data: Mapping[str, Any]) -> StoreEntry | None:
        return self._store.replace(entry.key, data, version=entry.version, ttl=self._ttl)


class WritesTable:
    """The table ``antiphon_writes`` of an application's database. It is created when a claim first misses it."""

    def __init__(self, name: str, ttl: float) -> None:
        self.name = name
        self.ttl = ttl
        self._is_ready = False
        self._claims = 0

    async def ready(self, connection: Connection, *, is_new: bool = True) -> None:
        """Create the table if it is missing, and delete expired rows from time to time.

        ``is_new`` is False if the transaction may have created the table itself, which others can't see yet. Raises
        RuntimeError for a connection that has no transaction, and for another kind of database.
        """
        self._claims += 1
        if self._claims % CLEAN_EVERY == 0:
            skip = " for update skip locked" if connection.dialect == "postgresql" else ""
            await connection.run(_CLEAN.format(skip=skip), now=time.time())
        if self._is_ready:
            return
        dialect = connection.dialect
        if dialect not in _IS_THERE:
            raise explained(
                "bad-inside",
                RuntimeError(f"IdempotentWrites(inside=...) needs PostgreSQL or SQLite, and {self.name} is {dialect}"),
            )
        found = await connection.run(_IS_THERE[dialect])
        if connection.commits_each:
            raise explained(
                "bad-inside",
                RuntimeError(
                    f"the connection of {self.name} commits each statement, so a write and its response can't be"
                    " committed together: begin a transaction in the dependency's source"
                ),
            )
        if found.row is not None:
            self._is_ready = is_new
            return
        # Not marked as ready, because this transaction may be rolled back, and the table with it.
        if dialect == "postgresql":
            await connection.run(f"select {_LOCK}")  # ``if not exists`` alone fails when several create it
        for statement in _CREATE:
            await connection.run(statement.format(bytes="bytea" if dialect == "postgresql" else "blob"))


class TableClaims:
    """Claims as rows, on the connection of one request."""

    def __init__(self, table: WritesTable, connection: Connection) -> None:
        self._table = table
        self.connection = connection
        self.clock = time.time

    async def load(self, key: str) -> StoreEntry | None:
        row = (await self.connection.run(_GET, id=hash_key(key), now=time.time())).row
        data = None if row is None else decode(bytes(row[0]))
        return None if row is None or data is None else StoreEntry(key, data, row[1], row[2], row[2], row[3])

    async def add(self, key: str, data: Mapping[str, Any]) -> StoreEntry | None:
        """Add a row. Raises Conflict (409) if a transaction that isn't over has added it."""
        id_, now, dialect = hash_key(key), time.time(), self.connection.dialect
        entry = StoreEntry(key, dict(data), randbits(63), now, now, now + self._table.ttl)
        values = {"id": id_, "data": encode(data), "version": entry.version, "now": now, "expires": entry.expires}
        if dialect == "postgresql":
            values["lock"] = int.from_bytes(id_[:8], signed=True)
        if (await self.connection.run(_ADD.format(new=_NEW[dialect]), **values)).rows == 1:
            return entry
        if await self.load(key) is None:
            raise in_use()
        return None

    async def replace(self, entry: StoreEntry, data: Mapping[str, Any]) -> StoreEntry | None:
        new = entry._replace(data=dict(data), version=randbits(63), changed=time.time())
        values = {"data": encode(data), "version": new.version, "now": new.changed, "known": entry.version}
        found = await self.connection.run(_REPLACE, id=hash_key(entry.key), **values)
        return new if found.rows == 1 else None

    async def delete(self, entry: StoreEntry) -> None:
        """Delete a row, unless it has changed."""
        await self.connection.run(_DELETE, id=hash_key(entry.key), known=entry.version)
