"""The ledger's own connections to its schema: agreements, the audit of previews, and what `antiphon changes` does.

They are of another role than the application's, and their transactions are apart from those of requests.
"""

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from threading import BoundedSemaphore
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import DictRow, dict_row

TRIGGER = "zz_antiphon_ledger"
_TABLE = """select c.oid::int8, c.oid::regclass::text as name, c.relkind::text, c.relrowsecurity,
    exists (select from pg_inherits as i join pg_class as p on p.oid = i.inhparent where (i.inhrelid = c.oid
        and p.relkind in ('r', 'p')) or (i.inhparent = c.oid and c.relkind = 'r')) as inherits,
    (select array_agg(a.attname::text order by a.attnum) from pg_index as i join pg_attribute as a
        on a.attrelid = c.oid and a.attnum = any (i.indkey) where i.indrelid = c.oid and i.indisprimary) as keys,
    (select array_agg(distinct a.attname::text) from pg_constraint as k join pg_attribute as a
        on a.attrelid = c.oid and a.attnum = any (k.conkey) where k.conrelid = c.oid and k.contype = 'f') as links,
    (select array_agg(attname::text) from pg_attribute
        where attrelid = c.oid and attnum > 0 and not attisdropped) as columns,
    (select nspowner = current_user::regrole from pg_namespace where nspname = 'antiphon_ledger') as is_ours,
    (select encode(tgargs, 'escape') from pg_trigger where tgrelid = c.oid and tgname = %(trigger)s
        and tgenabled = 'A') as arguments
from pg_class as c where c.oid = to_regclass(%(table)s)"""

_TRIGGERS = (
    """create or replace trigger zz_antiphon_ledger after insert or update or delete on {table}
    for each row execute function antiphon_ledger.note({arguments})""",
    """create or replace trigger zz_antiphon_ledger_truncate before truncate on {table}
    for each statement execute function antiphon_ledger.refuse_truncate()""",
    "alter table {table} enable always trigger zz_antiphon_ledger",
    "alter table {table} enable always trigger zz_antiphon_ledger_truncate",
)
_FORGET = "delete from antiphon_ledger.agreement where made < clock_timestamp() - interval '10 minutes'"


class BadTable(Exception):
    """The error for a table that can't be noted, or isn't."""


class Records:
    """The ledger's schema, by connections that are opened for each use: requests have ``most`` at once."""

    def __init__(self, url: str, most: int) -> None:
        self._url, self._turns = url, BoundedSemaphore(most)

    def _connect(self, *, autocommit: bool = False) -> "psycopg.Connection[DictRow]":
        own, path = psycopg.Connection[DictRow], "-c search_path=pg_catalog"
        return own.connect(self._url, autocommit=autocommit, row_factory=dict_row, options=path)

    def _run(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        with self._turns, self._connect(autocommit=True) as own:
            found = own.execute(statement.encode(), values)
            return found.fetchall() if found.description else [{"count": found.rowcount}]

    # Making the schema

    def create(self, tables: Mapping[str, Sequence[str]], role: str) -> None:
        """Make the schema, if it isn't there, and the tables' triggers. Raises BadTable, and errors of psycopg."""
        with self._connect() as own:
            if own.execute("select to_regnamespace('antiphon_ledger') as it").fetchone() == {"it": None}:
                self._create_schema(own, role)
            for table, columns in tables.items():
                known = self._described(own, table)
                arguments = [sql.Literal(each) for each in arguments_of(known, columns)]
                for statement in _TRIGGERS:
                    filled = {"table": sql.SQL(known["name"]), "arguments": sql.SQL(", ").join(arguments)}
                    own.execute(sql.SQL(statement).format(**filled))

    def _create_schema(self, own: "psycopg.Connection[DictRow]", role: str) -> None:
        own.execute("create schema antiphon_ledger")
        own.execute("revoke all on schema antiphon_ledger from public")
        own.execute("create extension if not exists hstore with schema antiphon_ledger")
        of_hstore = "select extnamespace::regnamespace::text as name from pg_extension where extname = 'hstore'"
        [found] = own.execute(of_hstore).fetchall()
        may_create = "select bool_or(has_schema_privilege(name, %s, 'create')) as it from unnest(%s::text[]) as name"
        if own.execute(may_create, [found["name"], [role, "public"]]).fetchone() == {"it": True}:
            raise BadTable(f"others can make functions in the schema of hstore, {found['name']}: move it to another")
        text = files("antiphon_ledger").joinpath("schema.sql").read_text("utf-8")
        text = text.replace("{{}}", "{}").replace("{hstore}", found["name"])
        own.execute(text.replace("{role}", sql.Identifier(role).as_string(own)).encode())

    def _described(self, own: "psycopg.Connection[DictRow]", table: str) -> dict[str, Any]:
        known: dict[str, Any] | None = own.execute(_TABLE, {"table": table, "trigger": TRIGGER}).fetchone()
        if known is None:
            raise BadTable(f"there is no table {table}: name it with its schema, as in 'public.orders'")
        if not known["is_ours"]:
            raise BadTable("the schema antiphon_ledger is of another role, whose functions would be called")
        if known["relkind"] not in ("r", "p") or known["inherits"]:
            raise BadTable(f"{table} must be a table, or the root of partitions, and inherit nothing")
        if not known["keys"]:
            raise BadTable(f"{table} has no primary key, so its rows can't be told apart")
        return known

    def described(self, tables: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
        """Return what the catalogue knows of tables. Raises BadTable for those that aren't noted as declared."""
        with self._connect() as own:
            found = [self._described(own, table) for table in tables]
        for known, columns in zip(found, tables.values(), strict=True):
            if lacks := [each for each in columns if each not in known["columns"]]:
                raise BadTable(f"{known['name']} has no columns {', '.join(lacks)}")
            if known["arguments"] != "".join(f"{each}\\000" for each in arguments_of(known, columns)):
                raise BadTable(f"{known['name']} is not noted as declared: run `antiphon changes create`")
        return found

    # Agreements

    def ask(self, caller: str, digest: str, route: str, question: str) -> str:
        """Return the id of an agreement that can be made and used once within ten minutes."""
        self._run(_FORGET)
        [found] = self._run(
            """insert into antiphon_ledger.agreement (caller, digest, route, question)
            values (%(caller)s, %(digest)s, %(route)s, %(question)s)
            on conflict (caller, digest) where used is null do update set question = excluded.question
            returning id::text""",
            caller=caller, digest=digest, route=route, question=question,
        )  # fmt: skip
        return str(found["id"])

    def asked(self, caller: str, ident: str, *, agrees: bool) -> str | None:
        """Return the question of an agreement that a caller may still make, or None, and make it if the caller does."""
        found = self._run(
            """update antiphon_ledger.agreement set agreed = case when %(agrees)s then clock_timestamp() else agreed end
            where id::text = %(ident)s and caller = %(caller)s and used is null
            and made > clock_timestamp() - interval '10 minutes' returning question""",
            ident=ident, caller=caller, agrees=agrees,
        )  # fmt: skip
        return found[0]["question"] if found else None

    # The journal

    def note(self, kind: str, caller: str, credential: str, agent: str, route: str, rows: int) -> None:
        """Write a line of the audit for a preview, which leaves no other."""
        self._run(
            """insert into antiphon_ledger.request (kind, caller, credential, agent, route, besides, rows, is_closed)
            values (%(kind)s, %(caller)s, %(credential)s, %(agent)s, %(route)s, '{}', %(rows)s, true)""",
            kind=kind, caller=caller, credential=credential, agent=agent, route=route, rows=rows,
        )  # fmt: skip

    def last(self, number: int) -> list[dict[str, Any]]:
        """Return the last lines of the audit, the newest first."""
        return self._run(
            """select id::text, kind, caller, credential, agent, route, at,
            (select count(*) from antiphon_ledger.journal as j where j.request = r.id)
            + case r.kind when 'write' then 0 else rows end as rows
            from antiphon_ledger.request as r order by at desc, id limit %(number)s""",
            number=number)  # fmt: skip

    def erase(self, table: str, key: Mapping[str, str]) -> int:
        """Remove the values of a row from all notes. Return the number of notes."""
        erase = "select antiphon_ledger.erase(%(table)s, %(key)s) as count"
        return int(self._run(erase, table=table, key=json.dumps(dict(key)))[0]["count"])

    def prune(self, seconds: float) -> None:
        """Delete the notes, the lines of the audit and the agreements that are older. Run this each day."""
        self._run("select antiphon_ledger.prune(clock_timestamp() - make_interval(secs => %(s)s))", s=seconds)


def arguments_of(known: Mapping[str, Any], columns: Sequence[str]) -> tuple[str, str]:
    """Return the arguments of a table's trigger: its key, and the columns whose values are noted as they are."""
    clear = dict.fromkeys([*known["keys"], *sorted(known["links"] or ()), *sorted(columns)])
    return array_of(known["keys"]), array_of([*clear])


def array_of(names: Sequence[str]) -> str:
    """Return names as the text of an array of PostgreSQL."""
    escaped = [name.replace("\\", "\\\\").replace('"', '\\"') for name in names]
    return "{" + ",".join(f'"{each}"' for each in escaped) + "}"
