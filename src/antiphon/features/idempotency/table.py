"""Where claims are kept: in a store, or in a table of the application's database, in the transaction of the handler.

In a table, an uncommitted row is a write in progress. In PostgreSQL, its key is locked until the transaction ends; in
SQLite, only one transaction writes. So a write that was interrupted leaves nothing behind, and a write that was
committed left its response. Methods are ``async`` for both; those of a store don't wait.
"""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, contextmanager
from secrets import randbits
from typing import Any, Protocol

from antiphon import Dependency, Request, explained
from antiphon.embedding import DatabaseConnection
from antiphon.features import Store, StoreEntry
from antiphon.features.idempotency.claims import in_use
from antiphon.features.stores import decode, encode, hash_key

CLEAN_EVERY = 64
"""The number of claims by a process between deletions of expired rows."""

_TABLE = "antiphon_writes"
_IS_FOREIGN = DatabaseConnection.IS_FOREIGN
_LOCK = "pg_catalog.pg_advisory_xact_lock(cast(6038115 as bigint))"
# In PostgreSQL, each request may have another search path, such as a schema for each tenant.
_FIND = {
    "sqlite": "select null, 1, null from sqlite_master where type = 'table' and name = :name",
    "postgresql": f"""
    select pg_catalog.quote_ident(coalesce(n.nspname, pg_catalog.current_schema())), c.oid is not null,
    (select owner.rolname from pg_catalog.pg_roles as owner where owner.oid operator(pg_catalog.=) c.relowner
        and c.relowner operator(pg_catalog.<>) n.nspowner and {_IS_FOREIGN.format(owner="c.relowner")})
    from (select pg_catalog.to_regclass(cast(:name as pg_catalog.text)) as found) as f
    left join pg_catalog.pg_class as c on c.oid operator(pg_catalog.=) f.found
    left join pg_catalog.pg_namespace as n on n.oid operator(pg_catalog.=) c.relnamespace""",  # noqa: S608 - our own names
}
_CREATE = (
    """create table if not exists {table} (id {bytes} primary key, data {bytes} not null,
    version bigint not null, changed double precision not null, expires double precision not null)""",
    "create index if not exists antiphon_writes_expires on {table} (expires)",
)
_ADD = """insert into {table} as t (id, data, version, changed, expires) {new}
on conflict (id) do update set data = excluded.data, version = excluded.version, changed = excluded.changed,
expires = excluded.expires where t.expires {le} excluded.changed"""
_GET = "select data, version, changed, expires from {table} where id {eq} :id and expires {gt} :now"
# Without ``expires``, which has an index: PostgreSQL then changes the row in place.
_REPLACE = """update {table} set data = :data, version = :version, changed = :now
where id {eq} :id and version {eq} :known"""
_DELETE = "delete from {table} where id {eq} :id and version {eq} :known"
_CLEAN = """delete from {table} where id in
(select id from {table} where expires {le} :now limit 256{skip})"""
_PARTS = {
    "sqlite": {"bytes": "blob", "skip": "", "eq": "=", "le": "<=", "gt": ">",
               "new": "values (:id, :data, :version, :now, :expires)"},
    "postgresql": {
        "bytes": "pg_catalog.bytea", "skip": " for update skip locked", "eq": "operator(pg_catalog.=)",
        "le": "operator(pg_catalog.<=)", "gt": "operator(pg_catalog.>)",
        "new": "select cast(:id as pg_catalog.bytea), cast(:data as pg_catalog.bytea), cast(:version as bigint),"
        " cast(:now as double precision), cast(:expires as double precision)"
        " where pg_catalog.pg_try_advisory_xact_lock(cast(:lock as bigint))",
    },
}  # fmt: skip
"""The parts of statements that differ. Whose functions and operators a name finds depends on the search path."""


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
    """The table ``antiphon_writes`` of an application's database. It is created when a claim misses it."""

    def __init__(self, name: str, ttl: float) -> None:
        self.name = name
        self.ttl = ttl
        self._claims = 0

    async def claims_on(self, connection: DatabaseConnection, table: str = _TABLE) -> "TableClaims":
        """Return the claims on a connection, in the table that it finds by this name. Create the table if it is
        missing, and delete expired rows from time to time.

        Raises RuntimeError for a connection that has no transaction, for another kind of database, and for a table of
        another role, which could read and change responses.
        """
        dialect = connection.dialect
        if dialect not in _FIND:
            raise explained(
                "bad-inside",
                f"IdempotentWrites(inside=...) needs PostgreSQL or SQLite, and {self.name} is {dialect}",
                RuntimeError,
            )
        schema, is_there, other = (await connection.run(_FIND[dialect], name=table)).row or (None, False, None)
        if connection.commits_each:
            raise explained(
                "bad-inside",
                f"the connection of {self.name} commits each statement, so a write and its response can't be"
                " committed together: begin a transaction in the dependency's source",
                RuntimeError,
            )
        if schema is not None and table == _TABLE:
            table = f"{schema}.{_TABLE}"
        if other is not None:
            raise explained(
                "bad-inside",
                f"the table {table} of {self.name} belongs to the role {other!r}, which could read and change"
                f" responses: have an administrator run `alter table {table} owner to <this user>`, or drop it",
                RuntimeError,
            )
        claims = TableClaims(self, connection, table, is_new=not is_there)
        if claims.is_new:
            await claims.create_table()
        self._claims += 1
        if self._claims % CLEAN_EVERY == 0:
            await claims.run(_CLEAN, now=time.time())
        return claims


class TableClaims:
    """Claims as rows, on the connection of one request.

    ``is_new`` is true if the transaction has created the table itself, so that it is gone after a rollback.
    """

    def __init__(self, writes: WritesTable, connection: DatabaseConnection, table: str, *, is_new: bool) -> None:
        self._writes = writes
        self.connection = connection
        self.table = table
        self.is_new = is_new
        self.clock = time.time

    async def create_table(self) -> None:
        for statement in self._creation:
            await self.connection.run(statement)

    @property
    def _creation(self) -> list[str]:
        is_postgres = self.connection.dialect == "postgresql"  # where ``if not exists`` fails when several create it
        return [*[f"select {_LOCK}"] * is_postgres, *map(self._about, _CREATE)]

    def _about(self, statement: str) -> str:
        """Return a statement about the table."""
        return statement.format(table=self.table, **_PARTS[self.connection.dialect])

    async def run(self, statement: str, **values: Any) -> DatabaseConnection.Found:
        """Carry out a statement about the table."""
        return await self.connection.run(self._about(statement), **values)

    async def load(self, key: str) -> StoreEntry | None:
        row = (await self.run(_GET, id=hash_key(key), now=time.time())).row
        data = None if row is None else decode(bytes(row[0]), key)
        return None if row is None or data is None else StoreEntry(key, data, row[1], row[2], row[2], row[3])

    async def add(self, key: str, data: Mapping[str, Any]) -> StoreEntry | None:
        """Add a row. Raises Conflict (409) if a transaction that isn't over has added it."""
        now = time.time()
        entry = StoreEntry(key, dict(data), randbits(63), now, now, now + self._writes.ttl)
        values = _values_of(entry)
        if self.connection.dialect != "postgresql":
            del values["lock"]
        if (await self.run(_ADD, **values)).rows == 1:
            return entry
        if await self.load(key) is None:
            raise in_use()
        return None

    async def replace(self, entry: StoreEntry, data: Mapping[str, Any]) -> StoreEntry | None:
        new = entry._replace(data=dict(data), version=randbits(63), changed=time.time())
        values = {name: value for name, value in _values_of(new).items() if name not in ("expires", "lock")}
        found = await self.run(_REPLACE, known=entry.version, **values)
        return new if found.rows == 1 else None

    def again(self, entry: StoreEntry, known: StoreEntry | None) -> list[tuple[str, Callable[[int], object]]]:
        """Return the statements that write once more an entry that was added, or has replaced one that is ``known``,
        and what checks how many rows they change. That raises Conflict (409) if another request has written it.
        """

        def check(rows: int) -> None:
            if rows != 1:
                raise in_use()

        statement, values = self._about(_REPLACE if known else _ADD), _values_of(entry)
        literal = self.connection.literal(statement, known=known and known.version, **values)
        return [*[(each, int) for each in self._creation if self.is_new], (literal, check)]

    async def delete(self, entry: StoreEntry) -> None:
        """Delete a row, unless it has changed."""
        await self.run(_DELETE, id=hash_key(entry.key), known=entry.version)


def _values_of(entry: StoreEntry) -> dict[str, Any]:
    id_ = hash_key(entry.key)
    return {"id": id_, "data": encode(entry.data, entry.key), "version": entry.version, "now": entry.changed,
            "expires": entry.expires, "lock": int.from_bytes(id_[:8], signed=True)}  # fmt: skip


@asynccontextmanager
async def reopened(source: Any, request: Request, dependency: Dependency[Any]) -> AsyncIterator[object]:
    """Open another value of a dependency than the request's own, by the dependency's source."""
    if not source.yields:
        yield request[dependency]
    elif source.hook.is_async:
        async with asynccontextmanager(source.hook.function)(request) as value:
            yield value
    else:
        with contextmanager(source.hook.function)(request) as value:
            yield value
