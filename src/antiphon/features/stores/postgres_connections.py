"""One process's connections to a PostgreSQL database, and the tables that a store keeps there.

psycopg's own pool connects on threads of its own, which delay the end of a process and hide why a server can't be
reached. Here, each call connects where no idle connection is left, so there are no threads, and errors say their cause.
"""

import os
import re
from collections.abc import Callable, Generator, Mapping
from math import ceil
from threading import Lock
from time import monotonic, time
from typing import Any, TypeAlias, TypeVar
from weakref import finalize

import psycopg
from psycopg.errors import (
    DeadlockDetected,
    InsufficientPrivilege,
    InvalidSchemaName,
    SerializationFailure,
    UndefinedTable,
    UniqueViolation,
)

from antiphon.embedding import DatabaseConnection
from antiphon.features import Store
from antiphon.features.stores import unavailable
from antiphon.features.stores.circuit_breaker import CircuitBreaker, Turns

T = TypeVar("T")
Row: TypeAlias = tuple[Any, ...]

LOCK = 0x616E_7469_7068_6F6E
"""The advisory lock under which tables are made: the bytes of "antiphon"."""

CONFLICTS = 10
"""The number of times that a statement is repeated after the server has undone it because of another one."""

STRIPES = 16
"""The number of rows that share the count of a bounded store's bytes, so that few writers wait for each other."""

_ENTRIES = """create table {s}.%s (id bytea primary key, format smallint not null, names bytea[] not null,
    vals bytea[] not null, version bigint not null, created float8 not null, changed float8 not null,
    expires float8 not null, owner bytea%s) with (fillfactor = 80);
create index on {s}.%s (owner) where owner is not null;"""

# Nothing has an index on what each change changes, such as `expires`: then PostgreSQL updates rows in place (HOT), and
# tables don't grow. Text refuses NUL and lone surrogates, so names and owners are bytes.
MIGRATIONS = [
    f"""
{_ENTRIES % ("entries", "", "entries")}
{_ENTRIES % ("bounded", ", used float8, size bigint", "bounded")}
create index on {{s}}.bounded (used);
create table {{s}}.bounded_bytes (stripe int primary key, sum bigint not null) with (fillfactor = 10);
insert into {{s}}.bounded_bytes select n, 0 from generate_series(0, {STRIPES - 1}) as n;
create function {{s}}.bounded_measure() returns trigger language plpgsql as $$ begin
    new.size := pg_column_size(new.names) + pg_column_size(new.vals) + 512; new.used := new.changed; return new; end $$;
create function {{s}}.bounded_count() returns trigger language plpgsql as $$ begin
    if tg_op <> 'INSERT' then
        update {{s}}.bounded_bytes set sum = sum - old.size where stripe = get_byte(old.id, 0) % {STRIPES}; end if;
    if tg_op <> 'DELETE' then
        update {{s}}.bounded_bytes set sum = sum + new.size where stripe = get_byte(new.id, 0) % {STRIPES}; end if;
    return null; end $$;
create trigger measure before insert or update of vals on {{s}}.bounded
    for each row execute function {{s}}.bounded_measure();
create trigger count after insert or delete or update of vals, id on {{s}}.bounded
    for each row execute function {{s}}.bounded_count();
create table {{s}}.counters (id bytea primary key, count bigint not null, expires float8 not null)
    with (fillfactor = 50);
create table {{s}}.channels (name bytea primary key, epoch bigint not null, number bigint not null,
    timeline int not null, expires float8) with (fillfactor = 50);
create index on {{s}}.channels (expires) where expires is not null;
create table {{s}}.messages (name bytea, epoch bigint, number bigint, data bytea not null,
    primary key (name, epoch, number));
create table {{s}}.members (name bytea, member bytea, token text, expires float8 not null,
    primary key (name, member, token)) with (fillfactor = 50)
""",  # noqa: S608 - our own names
    # A B-tree keeps owners themselves, of up to 2,704 bytes.
    "".join(
        f"drop index if exists {{s}}.{table}_owner_idx; create index on {{s}}.{table} using hash (owner);"
        for table in ("entries", "bounded")
    ),
]
"""The statements that lead from each version of the tables to the next. Older releases use the newer tables, too."""


_SETTINGS = {"search_path": "pg_catalog, pg_temp", "default_transaction_isolation": "read committed"}
_SET = "select " + ", ".join(f"pg_catalog.set_config('{name}', '{value}', false)" for name, value in _SETTINGS.items())
_SET_IF_DIRECT = f"{_SET} where pg_catalog.pg_backend_pid() operator(pg_catalog.=) %s::pg_catalog.int4".encode()
_READ_CLOCK = b"select extract(epoch from pg_catalog.clock_timestamp())::pg_catalog.float8"
_SET_LOCALLY = b"set transaction isolation level read committed; set local search_path = pg_catalog, pg_temp; "
"""What statements rely on, whatever the database's defaults are. Otherwise, other roles' functions could be called."""

_FOREIGN = f"""
select 'schema ' || quote_ident(n.nspname), r.rolname from pg_namespace as n join pg_roles as r on r.oid = n.nspowner
where n.nspname = %(schema)s and {DatabaseConnection.IS_FOREIGN.format(owner="n.nspowner")}
union all
select 'table ' || c.oid::regclass, r.rolname from pg_namespace as n join pg_class as c on c.relnamespace = n.oid
join pg_roles as r on r.oid = c.relowner where n.nspname = %(schema)s and c.relname = any (%(tables)s)
and c.relowner <> n.nspowner and {DatabaseConnection.IS_FOREIGN.format(owner="c.relowner")} limit 1""".encode()  # noqa: S608
_TABLES = [*re.findall(r"create table \{s\}\.(\w+)", ";".join(MIGRATIONS)), "migrations"]


class Connection(psycopg.Connection[Row]):
    """A connection that waits up to ``patience`` seconds for a reply: psycopg waits forever for a frozen server."""

    patience = 0.0
    is_direct = True
    """False if a pooler such as PgBouncer is in between, so that the next statement may reach another session."""

    def run(self, statement: bytes, values: Mapping[str, Any]) -> list[Row]:
        """Run a statement in a transaction of its own and return its rows. Raises psycopg.Error."""
        if self.is_direct:
            cursor = self.cursor(binary=True).execute(statement, values)
        else:  # one message, and so one transaction
            cursor = psycopg.ClientCursor(self).execute(_SET_LOCALLY + statement, values)
            while cursor.nextset():
                pass
        return cursor.fetchall() if cursor.description else []

    def wait(self, gen: Generator[Any, Any, T], interval: float = 0.1, timeout: float | None = None) -> T:
        if self.patience:
            gen = self._within(gen, monotonic() + self.patience)
        return super().wait(
            gen, interval, **({} if timeout is None else {"timeout": timeout})
        )  # older psycopg has none

    def _within(self, gen: Generator[Any, Any, T], end: float) -> Generator[Any, Any, T]:
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and monotonic() > end:
                    self.close()
                    raise psycopg.errors.ConnectionTimeout(f"no reply in {self.patience} seconds")
                wanted = gen.send(ready)
        except StopIteration as done:
            value: T = done.value
            return value


class Down(Exception):
    """The server did not respond. ``is_lost`` is true if it closed a connection, after which another one may work."""

    def __init__(self, error: Exception, *, is_lost: bool) -> None:
        super().__init__(str(error).strip())
        self.is_lost = is_lost


class Database:
    """A store's calls to a database, from all of the app's processes. Each process, including a forked one, has its
    own connections.
    """

    def __init__(self, url: str, name: str, schema: str, timeout: float, most: int) -> None:
        self.schema = schema
        self.name = f"{schema} in {name}"
        self._open: Callable[[], _Own] = lambda: _Own(url, schema, timeout, Turns(most, timeout))
        self._own = self._open()
        self._statements: dict[str, bytes] = {}

    @property
    def own(self) -> "_Own":
        """This process's connections."""
        if self._own.pid != os.getpid():
            _inherited.append(self._own)
            self._own = self._open()
        return self._own

    def run(
        self,
        statement: str,
        values: dict[str, Any],
        clock: Callable[[], float] | None,
        *,
        reads: bool = False,
        tells: bool = False,
        waits: bool = False,
    ) -> list[Row]:
        """Run a statement and return its rows. Raises StoreUnavailable.

        If the connection is lost before the reply, a statement that ``reads`` is run again, as is one that ``tells`` by
        its row that it was carried out; without a row, that is unknown. With ``waits``, a statement is tried even while
        the server does not respond to other calls.
        """
        Store.refuse_on_loop()
        own, text = self.own, self._text(statement)
        values = {**values, "now": None if clock is None else clock()}
        try:
            with own.turns:
                guarded = own.breaker.call_unguarded if waits else own.breaker.call
                try:
                    return guarded(own.execute, text, values)
                except Down as error:
                    if not (error.is_lost and (reads or tells)):
                        raise
                    found = own.breaker.call_unguarded(own.execute, text, {**values, "again": True})
                    if tells and not found:
                        raise
                    return found
        except (Down, TimeoutError, psycopg.Error) as error:
            raise unavailable(self.name, error) from error

    def _text(self, statement: str) -> bytes:
        """Return a statement with the name of the schema."""
        found = self._statements.get(statement)
        if found is None:
            found = self._statements[statement] = statement.replace("{s}", f'"{self.schema}"').encode()
        return found

    def listen(self, topic: str) -> Connection | None:
        """Return a new connection that gets a topic's notices; None behind a pooler, which loses them.

        The caller closes it. Raises StoreUnavailable.
        """
        try:
            connection = self.own.connect()
            if not connection.is_direct:
                connection.close()
                return None
            connection.execute(f"listen {topic}".encode())
        except (Down, psycopg.Error) as error:
            raise unavailable(self.name, error) from error
        return connection

    def close(self) -> None:
        """Close the connections that are not in use. A later call opens new ones."""
        self.own.close()


_inherited: list["_Own"] = []
"""The connections of parent processes, which this process must neither use nor close."""


class _Own:
    """One process's connections, of which as many are kept as were ever in use at once."""

    def __init__(self, url: str, schema: str, timeout: float, turns: Turns) -> None:
        self.pid = os.getpid()
        self.turns = turns
        self.breaker = CircuitBreaker(Down)
        self.writes = int.from_bytes(os.urandom(2))
        """The number of writes, which begins at random, so that processes clean up different parts of a table."""
        self.clock: Callable[[], float] = time
        """The server's clock, as read by the newest connection; this machine's before there is any."""
        self._url, self._schema, self._timeout = url, schema, timeout
        self._idle: list[Connection] = []
        self._is_prepared = False
        self._lock = Lock()
        finalize(self, _close_all, self.pid, self._idle)

    def execute(self, statement: bytes, values: dict[str, Any]) -> list[Row]:
        """Run a statement that commits itself. Raises Down, or psycopg.Error if the server refuses it."""
        connection = self._take()
        try:
            for left in range(CONFLICTS, -1, -1):
                try:
                    return connection.run(statement, values)
                except (DeadlockDetected, SerializationFailure, UniqueViolation):
                    if not left:
                        raise
            return []
        except psycopg.Error as error:
            if isinstance(error, UndefinedTable | InvalidSchemaName):
                self._is_prepared = False  # someone has dropped the tables: the next connection makes them again
                self.close()
                connection.close()
            if is_down(error):
                self.close()  # the others lead to the same server
                connection.close()
                raise Down(error, is_lost=not isinstance(error, psycopg.errors.ConnectionTimeout)) from error
            raise
        finally:
            self._give_back(connection)

    def _take(self) -> Connection:
        """Return an idle connection whose server has not closed it, or a new one."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                break
            try:
                for _ in range(2):  # a farewell, then the end
                    connection.pgconn.consume_input()
                return connection
            except psycopg.Error:
                connection.close()
        connection = self.connect()
        try:
            connection.patience = self._timeout
            with self._lock:
                if not self._is_prepared:
                    migrate(connection, self._schema)
                    self._is_prepared = True
        except BaseException as error:
            connection.close()
            if isinstance(error, psycopg.Error) and is_down(error):
                raise Down(error, is_lost=False) from error
            raise
        return connection

    def connect(self) -> Connection:
        """Return a new connection. Raises Down."""
        longest = max(2, ceil(self._timeout))
        try:
            connection = Connection.connect(
                self._url, autocommit=True, connect_timeout=longest, fallback_application_name="antiphon"
            )
        except psycopg.Error as error:
            raise Down(error, is_lost=False) from error
        try:
            connection.patience = self._timeout
            # A pooler makes up a process id, and its sessions are not ours to set.
            connection.is_direct = bool(connection.execute(_SET_IF_DIRECT, [connection.info.backend_pid]).fetchall())
            ahead = -monotonic()
            ahead += connection.execute(_READ_CLOCK).fetchall()[0][0]
            self.clock = lambda: monotonic() + ahead
            connection.patience = 0.0
        except psycopg.Error as error:
            connection.close()
            raise Down(error, is_lost=False) from error
        return connection

    def _give_back(self, connection: Connection) -> None:
        if connection.closed or connection.info.transaction_status is not psycopg.pq.TransactionStatus.IDLE:
            connection.close()
        else:
            self._idle.append(connection)

    def close(self) -> None:
        _close_all(self.pid, self._idle)


def is_down(error: psycopg.Error) -> bool:
    """Return True if an error is the connection's or the server's, and not the statement's."""
    state = error.sqlstate
    if state is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    # 53300: it has too many connections; 25006: it has become a replica.
    return state[:2] == "08" or state[:3] == "57P" or state in ("53300", "25006")


def migrate(connection: Connection, schema: str) -> None:
    """Bring the tables up to date. Raises psycopg.Error."""
    if _version(connection, schema) >= len(MIGRATIONS):
        return
    quoted = f'"{schema}"'
    try:
        with connection.transaction():
            connection.execute(_SET_LOCALLY)
            # "create ... if not exists" fails if two processes run it at once.
            connection.execute("select pg_advisory_xact_lock(%s)", [LOCK])
            if not connection.execute("select 1 from pg_namespace where nspname = %s", [schema]).fetchall():
                connection.execute(f"create schema {quoted}".encode())
            if (known := _version(connection, schema)) < 0:
                connection.execute(f"create table {quoted}.migrations (version int not null)".encode())
            for statements in MIGRATIONS[max(known, 0) :]:
                connection.execute(statements.replace("{s}", quoted).encode())
            if known < len(MIGRATIONS):
                change = f"delete from {quoted}.migrations; insert into {quoted}.migrations values ({len(MIGRATIONS)})"  # noqa: S608
                connection.execute(change.encode())
    except InsufficientPrivilege as error:
        fix = f"have an administrator run `create schema {quoted} authorization <this user>`"
        raise InsufficientPrivilege(f"{error}; {fix}") from error


def _version(connection: Connection, schema: str) -> int:
    """Return the version of the tables, or -1 without tables. Raises psycopg.Error if another role owns any of them,
    since its triggers and views would run as this user.
    """
    for what, owner in connection.run(_FOREIGN, {"schema": schema, "tables": _TABLES}):
        raise psycopg.ProgrammingError(
            f"the {what} belongs to the role {owner!r}, which could read and change what is stored: have an"
            f" administrator run `alter {what} owner to <this user>`, or drop it"
        )
    if connection.run(b"select to_regclass(%(name)s)", {"name": f'"{schema}".migrations'}) == [(None,)]:
        return -1
    found = connection.run(f'select version from "{schema}".migrations'.encode(), {})  # noqa: S608
    return int(found[0][0]) if found else -1


def _close_all(process: int, idle: list[Connection]) -> None:
    """Close connections, unless they belong to a parent process."""
    if process == os.getpid():
        while idle:
            try:
                idle.pop().close()
            except IndexError:  # another thread was faster
                return
