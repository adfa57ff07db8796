"""A store in PostgreSQL, for many machines.

Each call is one statement that commits itself, so no lock outlives a round trip, and any pooler will do. An entry has
an array of names and one of values, so that the server itself merges changes. `rotate` moves the row with an update, so
a `delete_owned` that waits for the row follows it to its new key. A statement whose reply is lost is run again where
its version tells whether it was carried out.
"""

import copy
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon import explained
from antiphon.embedding import check_numbers, seconds_of
from antiphon.features import OwnedEntry, Store, StoreCount, StoreEntry, StoreUnavailable
from antiphon.features.stores import StoredKind, check_ttl, decode_value, encode_value, hash_key, owned_entries
from antiphon.features.stores.rows import new_version
from antiphon.types import Duration

if TYPE_CHECKING:
    from antiphon.features.stores import ChannelLog
    from antiphon.features.stores.postgres_connections import Row

T = TypeVar("T")

CLEAN_EVERY = 16
"""The number of writes by a process between deletions of expired rows."""
CLEANED = 32
"""The number of pages of each table that are looked through at once: far more than can have been added since."""
NOTED_EVERY = 60
"""The seconds between two records of an entry's use in a bounded store."""

NOW = "coalesce(%(now)s::float8, extract(epoch from clock_timestamp())::float8)"
"""The server's clock; another one if the store was given one."""
_T = f"(select {NOW} as t) as n"
_ROW = "format, names, vals, version, created, changed, expires, owner"
_NEW = "select %(id)s, %(format)s::smallint, %(names)b::bytea[], %(vals)b::bytea[], %(version)s, t, t, t + %(ttl)s"

_LOAD = f"select {_ROW} from {{s}}.entries where id = %(id)s and expires > {NOW}"  # noqa: S608 - our own names
_LOAD_BOUNDED = f"""
with used as (update {{s}}.bounded set used = {NOW} where id = (select id from {{s}}.bounded where id = %(id)s
    and abs(used - {NOW}) >= {NOTED_EVERY} for update skip locked))
select {_ROW} from {{s}}.bounded where id = %(id)s and expires > {NOW}"""  # noqa: S608
_RELOAD = f"""
select format, case when version <> %(known)s then names end, case when version <> %(known)s then vals end, version,
created, changed, expires, owner from {{s}}.entries where id = %(id)s and expires > {NOW}"""  # noqa: S608
_ADD = f"""
insert into {{s}}.entries as e (id, {_ROW}) {_NEW}, null from {_T}
on conflict (id) do update set format = excluded.format, names = excluded.names, vals = excluded.vals,
    version = excluded.version, created = excluded.created, changed = excluded.changed, expires = excluded.expires,
    owner = excluded.owner where e.expires <= excluded.changed or e.version = excluded.version
returning {_ROW}"""
_REPLACE = f"""
update {{s}}.entries set format = %(format)s, names = %(names)b::bytea[], vals = %(vals)b::bytea[],
    version = %(version)s, changed = t, expires = t + %(ttl)s from {_T}
where id = %(id)s and version in (%(known)s, %(version)s) and expires > t returning {_ROW}"""  # noqa: S608
_MERGED = """(select coalesce(array_agg(name), '{{}}'), coalesce(array_agg(val), '{{}}') from (
    select name, val from unnest(e.names, e.vals) as a (name, val)
        where {alive} and not name = any (%(names)b::bytea[] || %(remove)b::bytea[])
    union all select name, val from unnest(%(names)b::bytea[], %(vals)b::bytea[]) as b (name, val)) as m)"""
_ALIVE = "e.expires > excluded.changed"
_CHANGE = f"""
insert into {{s}}.entries as e (id, {_ROW}) {_NEW}, %(owner)s from {_T} on conflict (id) do update set
    (names, vals) = {_MERGED.format(alive=_ALIVE)}, format = excluded.format, version = excluded.version,
    created = case when {_ALIVE} then e.created else excluded.created end, changed = excluded.changed,
    expires = excluded.expires,
    owner = case when {_ALIVE} then coalesce(excluded.owner, e.owner) else excluded.owner end
where e.expires <= excluded.changed or e.format <= excluded.format returning {_ROW}"""
_CHANGE_KNOWN = f"""
update {{s}}.entries as e set (names, vals) = {_MERGED.format(alive="true")}, format = %(format)s, changed = t,
    version = %(version)s, expires = t + %(ttl)s, owner = coalesce(%(owner)s, owner) from {_T}
where id = %(id)s and expires > t and format <= %(format)s returning {_ROW}"""  # noqa: S608
_DELETE = f"delete from {{s}}.entries where id = %(id)s returning expires > {NOW}"  # noqa: S608
# The update refers to what was deleted, so that the deletion comes first. If the statement is run again, what has the
# new key was moved there by the first run: nobody else knew that key.
_ROTATE = f"""
with old as (select id from {{s}}.entries
    where id = %(id)s and expires > {NOW} and format <= %(format)s for update),
gone as (delete from {{s}}.entries where id = %(new)s and exists (select from old) returning 1),
moved as (update {{s}}.entries set id = %(new)s where id = (select id from old) and (select count(*) from gone) >= 0
    returning {_ROW})
select {_ROW} from moved union all
select {_ROW} from {{s}}.entries where %(again)s and id = %(new)s and not exists (select from old)"""  # noqa: S608
_OWNED = f"""
select id, {_ROW} from {{s}}.entries where owner = %(owner)s and expires > {NOW} order by created"""  # noqa: S608
_DELETE_OWNED = f"""
delete from {{s}}.entries where owner = %(owner)s and id = coalesce(%(only)s, id) and id is distinct from %(keep)s
returning expires > {NOW}"""  # noqa: S608
# The time is read once the row is locked: an earlier one would look like a clock that was set back.
_INCREMENT = f"""
insert into {{s}}.counters as c select %(id)s, %(by)s, t + %(ttl)s from {_T} on conflict (id) do update
set (count, expires) = (
    select %(by)s + case when alive then c.count else 0 end, case when alive then c.expires else t + %(ttl)s end
    from {_T} cross join lateral (select c.expires > t and c.expires <= t + %(ttl)s as alive) as a)
returning count, expires - {NOW}"""  # noqa: S608
_DROP_UNUSED = """
delete from {s}.bounded where id in (select id from {s}.bounded order by used limit 1 for update skip locked)
and (select sum(sum) from {s}.bounded_bytes) > %(most)s returning 1"""
_FROM_PAGE = "{pages} * (%(turn)s %% (pg_relation_size('{{s}}.{table}') / 8192 / {pages} + 1))"
_CLEAN_ONE = f"""
{{table}}_ as (delete from {{{{s}}}}.{{table}} where ctid = any (array(select ctid from {{{{s}}}}.{{table}}
    where ctid >= (select format('(%%s,0)', {_FROM_PAGE})::tid)
    and ctid < (select format('(%%s,0)', {{pages}} + {_FROM_PAGE})::tid) and expires <= {NOW} for update skip locked)))
"""  # noqa: S608
_CLEAN = f"""with {
    ",".join(_CLEAN_ONE.format(table=table, pages=CLEANED) for table in ("entries", "bounded", "counters"))
} select 1"""


class PostgresStore(Store):
    """A store in a PostgreSQL database (14 or newer), for any number of machines, also behind PgBouncer.

        app = App(store=PostgresStore(env("DATABASE_URL")))

    ``url`` is a libpq connection string, such as "postgresql://user:password@host/database". The store makes its tables
    on first use, in a ``schema`` of their own, and updates them when a newer release needs it. Nothing that was written
    is lost when the server restarts. ``timeout`` is the longest wait for a connection and for a reply, in seconds or a
    timedelta; a new connection may take two seconds. After that, StoreUnavailable (503) is raised, for the next second
    immediately by all calls except ``replace``. A process makes at most ``max_connections`` calls at once; further ones
    wait for up to ``timeout``.
    """

    def __init__(
        self,
        url: str,
        *,
        schema: str = "antiphon",
        timeout: Duration = 2.0,
        max_connections: int = 10,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """The reader of channels has one more connection. ``clock`` returns Unix time in seconds; by default, the
        server's clock decides.

        Raises ValueError for any other URL and for a schema that isn't a plain lowercase name. Raises ImportError
        unless `antiphon[postgres]` is installed.
        """
        if not re.fullmatch("(?!pg_)[a-z_][a-z0-9_]{0,39}", schema):
            reason = "up to 40 lowercase letters, digits and underscores, and must not begin with pg_"
            raise _bad(f"schema must be {reason}, not {schema!r}")
        check_numbers(1, max_connections=max_connections)
        self._place = _parse(url), schema
        from antiphon.features.stores.postgres_connections import Database

        known = dict(self._place[0])
        name = f"postgresql://{known.get('host', '')}/{known.get('dbname', '')}"
        self._database = Database(url, name, schema, seconds_of(timeout), max_connections)
        self._postgres_connections = {"PostgresStore": max_connections}
        self._clock = clock
        self.clock = clock or (lambda: self._database.own.clock())  # noqa: PLW0108 - of the process that calls it
        self._most: int | None = None

    def shares_entries(self, other: Store) -> bool:
        return isinstance(other, PostgresStore) and self._place == other._place  # noqa: SLF001 - of this very class

    def bounded(self, max_bytes: int) -> "PostgresStore":
        beside = copy.copy(self)
        beside._most = max_bytes  # noqa: SLF001 - of this very class
        return beside

    def channel_log(self, name: str) -> "ChannelLog":  # noqa: ARG002 - one log has all channels
        from antiphon.features.stores.postgres_log import PostgresLog

        return PostgresLog(self)

    def load(self, key: str) -> StoreEntry | None:
        statement = _LOAD if self._most is None else _LOAD_BOUNDED
        return _entry(key, self._run(statement, {"id": hash_key(key)}, reads=True))

    def reload(self, known: StoreEntry) -> StoreEntry | None:
        found = self._run(_RELOAD, {"id": hash_key(known.key), "known": known.version}, reads=True)
        return known if found and found[0][1] is None else _entry(known.key, found)

    def change(
        self,
        key: str,
        updates: Mapping[str, Any],
        *,
        ttl: float = Store.FOREVER,
        remove: Iterable[str] = (),
        create: bool = True,
        owner: str | None = None,
    ) -> StoreEntry | None:
        removed = {*remove}
        values = self._values(key, updates, ttl, removed) | {"remove": [_bytes(name) for name in removed]}
        values["owner"] = None if owner is None else _bytes(owner)
        entry = self._written(_entry(key, self._run(_CHANGE if create else _CHANGE_KNOWN, values)))
        if entry is None:
            self.load(key)  # which logs why it can't be read
            if create:
                raise StoreUnavailable.for_now(has_line=True)  # nothing is written over it
        return entry

    def add(self, key: str, data: Mapping[str, Any], *, ttl: float = Store.FOREVER) -> StoreEntry | None:
        return self._written(_entry(key, self._run(_ADD, self._values(key, data, ttl), tells=True)))

    def replace(
        self, key: str, data: Mapping[str, Any], *, version: int, ttl: float = Store.FOREVER
    ) -> StoreEntry | None:
        # The caller may have acted since it read the version, so recording that is worth a wait.
        values = self._values(key, data, ttl) | {"known": version}
        return self._written(_entry(key, self._run(_REPLACE, values, tells=True, waits=True)))

    def delete(self, key: str) -> bool:
        return self._run(_DELETE, {"id": hash_key(key)}) == [(True,)]

    def rotate(self, key: str, new_key: str) -> StoreEntry | None:
        if key == new_key:
            return self.load(key)
        ids = {"id": hash_key(key), "new": hash_key(new_key), "format": StoredKind.of(key).format}
        entry = _entry(new_key, self._run(_ROTATE, ids, tells=True))
        if entry is None:
            self.load(key)  # which logs why it can't be read
        return entry

    def owned_by(self, owner: str) -> list[OwnedEntry]:
        found = self._run(_OWNED, {"owner": _bytes(owner)}, reads=True)
        return owned_entries(owner, [(id_.hex(), [row]) for id_, *row in found], _entry)

    def delete_owned(self, owner: str, *, only: str | None = None, keep: str | None = None) -> int:
        if only is not None and not re.fullmatch("[0-9a-f]{64}", only):
            return 0
        ids = {"only": only and bytes.fromhex(only), "keep": None if keep is None else hash_key(keep)}
        return sum(alive for (alive,) in self._run(_DELETE_OWNED, {"owner": _bytes(owner), **ids}))

    def increment(self, key: str, *, ttl: float = Store.FOREVER, by: int = 1) -> StoreCount:
        check_ttl(ttl)
        return self._written(StoreCount(*self._run(_INCREMENT, {"id": hash_key(key), "by": by, "ttl": ttl})[0]))

    def close(self) -> None:
        """Close the connections that are not in use. A later call opens new ones."""
        self._database.close()

    def _values(self, key: str, data: Mapping[str, Any], ttl: float, removed: Iterable[str] = ()) -> dict[str, Any]:
        check_ttl(ttl)
        fields = {name: encode_value(name, value) for name, value in data.items()}
        names = [name for name in fields if name not in removed]
        return {
            "id": hash_key(key), "names": [_bytes(name) for name in names], "vals": [fields[name] for name in names],
            "format": StoredKind.of(key).format, "version": new_version(), "ttl": ttl,
        }  # fmt: skip

    def _run(
        self, statement: str, values: dict[str, Any], *, reads: bool = False, tells: bool = False, waits: bool = False
    ) -> "list[Row]":
        if self._most is not None:
            statement = statement.replace("{s}.entries", "{s}.bounded")
        return self._database.run(
            statement, {**values, "again": False}, self._clock, reads=reads, tells=tells, waits=waits
        )

    def _written(self, result: T) -> T:
        """Return a write's result, after making room in a bounded store, and occasionally deleting expired rows."""
        own = self._database.own
        own.writes += 1
        with suppress(StoreUnavailable):  # which is already logged, and the write has succeeded
            if own.writes % CLEAN_EVERY == 0:
                self._database.run(_CLEAN, {"turn": own.writes // CLEAN_EVERY}, self._clock)
            while self._most is not None and self._run(_DROP_UNUSED, {"most": self._most}):
                pass
        return result


def _parse(url: str) -> tuple[tuple[str, Any], ...]:
    """Return the parts of a connection string but for the password. Raises ValueError, which does not contain it."""
    try:
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict
    except ImportError as error:
        raise explained(
            "missing-package", ImportError("PostgresStore needs the driver: pip install 'antiphon[postgres]'")
        ) from error
    try:
        parts = conninfo_to_dict(url)
    except ProgrammingError:
        raise _bad('the URL must be one of libpq, such as "postgresql://user:password@host/database"') from None
    return tuple(sorted((name, value) for name, value in parts.items() if name != "password"))


def _bad(reason: str) -> ValueError:
    return explained("bad-feature-option", f"PostgresStore: {reason}")


def _bytes(text: str) -> bytes:
    """Return text as bytes: PostgreSQL's own text has no NUL and no lone surrogates."""
    return text.encode("utf-8", "surrogatepass")


def _entry(key: str, rows: "list[Any]") -> StoreEntry | None:
    """Return the entry in the only row; None without a row, or if its format is unknown."""
    if not rows:
        return None
    format_, names, values, version, created, changed, expires, owner = rows[0]
    if not StoredKind.of(key).can_read(format_):
        return None
    try:
        data = {
            name.decode("utf-8", "surrogatepass"): decode_value(value)
            for name, value in zip(names, values, strict=True)
        }
    except ValueError as error:
        StoredKind.of(key).log_unreadable(f"is damaged, {error!r}")
        return None
    text = None if owner is None else owner.decode("utf-8", "surrogatepass")
    return StoreEntry(key, data, version, created, changed, expires, text)
