"""PostgreSQL servers of the tests' own, which can be stopped, frozen and started again, and PgBouncer before one."""

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import psycopg

from tests.helpers.made_once import made_once
from tests.helpers.waiting import DEADLINE, eventually

OPTIONS = {"listen_addresses": "", "fsync": "off", "max_connections": "300", "shared_buffers": "16MB",
           "max_wal_senders": "0", "wal_level": "minimal", "lc_messages": "C"}  # fmt: skip


def execute(url, statement, *values):
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(statement, values or None)
        return found.fetchall() if found.description else []


_EMPTY = """
select pg_terminate_backend(pid, 1000) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid();
set lock_timeout = '1s'; set client_min_messages = error;
do $$ declare each name; begin
    for each in select nspname from pg_namespace where nspname !~ '^pg_|^information_schema$' loop
        execute format('drop schema %I cascade', each);
    end loop;
end $$;
create schema public authorization pg_database_owner; grant usage on schema public to public;
select 1 / count(*) from pg_database where datname = current_database() and datacl is null
    and not exists (select from pg_db_role_setting where setdatabase = pg_database.oid)"""
"""Empty a database, or fail if it has settings or rights of its own."""
_CAUGHT = "language plpgsql as $$ begin raise exception 'code of another role'; end $$"
_NUMBERS = ("int2", "int4", "int8", "numeric", "float8")
_OPERANDS = [
    *itertools.product(_NUMBERS, _NUMBERS),
    *((each, each) for each in ("bytea", "text", "name", "oid", "tid")),
]
_FUNCTIONS = """abs array_agg clock_timestamp current_database current_schema format generate_series get_byte
    pg_advisory_xact_lock pg_backend_pid pg_column_size pg_current_wal_lsn pg_has_role pg_notify pg_relation_size
    pg_try_advisory_xact_lock pg_walfile_name quote_ident set_config substr sum to_regclass unnest"""
_SIGNATURES = """
select distinct p.proname::text, (select array_agg(format_type(t, null) order by n)
    from unnest(p.proargtypes) with ordinality as a (t, n)) from pg_proc as p
where p.pronamespace = 'pg_catalog'::regnamespace and p.proname = any (%s)"""


def execute_as_another(url, statement):
    """Execute a statement as the role "mallory", who may create schemas, and tables in ``public``."""
    with psycopg.connect(url, autocommit=True) as connection:
        with suppress(psycopg.errors.DuplicateObject):
            connection.execute("create role mallory login")
        connection.execute(f"grant create on database {connection.info.dbname} to mallory")
        connection.execute("grant create on schema public to mallory; set role mallory")
        connection.execute(statement)


def plant_functions(url):
    """Have another role make its own functions, operators and types, by the names of the server's own, in ``public``,
    which is searched first.
    """
    execute_as_another(url, "select 1")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("set role mallory")
        signatures = connection.execute(_SIGNATURES, [_FUNCTIONS.split()]).fetchall()
        made = [f"create function public.{name}({', '.join(types or ())}) returns bigint {_CAUGHT}".replace(any_, own)
                for name, types in signatures for any_, own in _of_any(types or ())]  # fmt: skip
        for left, right in _OPERANDS:
            for kind, symbols in ("bool", "= <> < <= > >="), (left, "+ - * / %" if left in _NUMBERS else ""):
                made.append(f"create function public.{kind}_{left}({left}, {right}) returns {kind} {_CAUGHT}")
                made += [
                    f"create operator public.{symbol} (leftarg={left}, rightarg={right}, function=public.{kind}_{left})"
                    for symbol in symbols.split()
                ]
        made += [f"create type public.{name} as enum ('another')" for name in ("bytea", "float8", "oid", "regclass")]
        for statement in made:
            with suppress(psycopg.errors.DuplicateFunction, psycopg.errors.InvalidFunctionDefinition):
                connection.execute(statement)
    set_default(url, "search_path = public, pg_catalog")


def set_default(url, setting):
    """Set what new sessions of a database begin with."""
    execute(url, f"alter database {psycopg.conninfo.conninfo_to_dict(url)['dbname']} set {setting}")


def _of_any(types):
    """Return what to write for a type that stands for any."""
    anys = [each for each in types if each.startswith(("any", '"any"'))]
    if not anys:
        return [("", "")]
    return [(anys[0], each) for each in ("bytea[]", "text[]" if anys[0] == "anyarray" else "bytea", "bigint", "float8")]


class _Process:
    """A server in a folder of its own: nobody's where this is root, whom PostgreSQL and PgBouncer refuse to serve."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))  # a socket's path may have 107 bytes
        self._as_user = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._as_user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
        self._process = None

    def _start(self, *command):
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder, **self._as_user
        )
        eventually(self._answers, f"{command[0]} does not answer")

    def _answers(self):
        with suppress(psycopg.OperationalError), psycopg.connect(self.url, connect_timeout=2):
            return True

    def _end(self, number):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(number)
        self._process.wait(DEADLINE)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder)


class PostgresServer(_Process):
    """A server on a Unix socket. ``program`` is the path of ``postgres``. As a context manager it is started and ended.

    ``url`` leads to the database "postgres" as the superuser "antiphon", who needs no password; ``database()`` to a new
    one. With a ``primary``, it is the replica of that server until ``promote``.
    """

    def __init__(self, program, *, primary=None, **options):
        super().__init__()
        programs = Path(program).resolve().parent
        self._data = self.folder / "data"
        self._is_frozen = False
        self._numbers = itertools.count(1)
        self._returned = []
        self.url = self.url_of("postgres")
        options = {**OPTIONS, "unix_socket_directories": os.fspath(self.folder), **options}
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self._command = [os.fspath(programs / "postgres"), "-D", os.fspath(self._data), *settings]
        self._is_replica = primary is not None
        program, *more = ["initdb", "--auth=trust", "--encoding=UTF8", "--locale=C"]
        if primary is not None:
            program, *more = ["pg_basebackup", "-R", "-h", os.fspath(primary.folder)]
        self._make = [os.fspath(programs / program), "-D", os.fspath(self._data), "-U", "antiphon", "--no-sync", *more]

    def url_of(self, database):
        return f"postgresql://antiphon@/{database}?host={self.folder}"

    def database(self):
        return self.url_of(self._create(self._new_name()))

    def lend(self, request):
        """Return the URL of an empty database, which others get after what ``request`` belongs to, by another name.

        To empty one takes a third of what making one does.
        """
        name = self._new_name()
        while self._returned:
            with suppress(psycopg.Error):  # it stays as it is, as does one with settings of its own
                old = self._returned.pop()
                execute(self.url_of(old), _EMPTY)
                self.execute(f"alter database {old} rename to {name}")
                break
        else:
            self._create(name)
        request.addfinalizer(lambda: self._returned.append(name))
        return self.url_of(name)

    def _create(self, name):
        self.execute(f"create database {name} strategy file_copy")  # which takes half of the time
        return name

    def _new_name(self):
        return f"test_{next(self._numbers)}"

    def execute(self, statement, *values):
        return execute(self.url, statement, *values)

    def start(self):
        if not self._data.exists() and self._is_replica:
            self._make_data()
        elif not self._data.exists():  # a copy takes a tenth of the time
            subprocess.run(["cp", "-a", made_once("postgres", self._make_data), self._data], check=True)
        self._start(*self._command)

    def _make_data(self):
        subprocess.run(self._make, stdout=subprocess.DEVNULL, check=True, cwd=self.folder, **self._as_user)
        return self._data

    def stop(self):
        """End the server at once, as a crash would: it recovers when it starts again."""
        if self._is_frozen:
            self.thaw()
        self._end(signal.SIGQUIT)

    def restart(self):
        self.stop()
        self.start()

    def promote(self):
        self.execute("select pg_promote()")

    def freeze(self):
        """Have the server accept connections, as the system does for it, and answer nothing."""
        self._is_frozen = True
        self._signal(signal.SIGSTOP)

    def thaw(self):
        self._is_frozen = False
        self._signal(signal.SIGCONT)

    def _signal(self, number):
        for each in self._pids():
            with suppress(ProcessLookupError):  # its client has just left
                os.kill(each, number)

    def _pids(self):
        """The server's processes: each connection has one, in a session of its own."""
        if self._process.poll() is not None:
            return []
        found = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid="], stdout=subprocess.PIPE, text=True, check=True
        ).stdout.split()
        parent = self._process.pid
        return [parent, *(int(pid) for pid, of in zip(found[::2], found[1::2], strict=True) if int(of) == parent)]


class PgBouncer(_Process):
    """PgBouncer in transaction mode before a server, on a Unix socket. ``url_of`` takes a URL of the server's."""

    def __init__(self, program, server, **options):
        super().__init__()
        self._program = program
        self._server = server
        self.url = self.url_of(server.url)
        options = {
            "listen_addr": "", "unix_socket_dir": self.folder, "listen_port": 5432, "auth_type": "any",
            "pool_mode": "transaction", "default_pool_size": 10, "max_client_conn": 500, **options,
        }  # fmt: skip
        lines = [f"{name} = {value}" for name, value in options.items()]
        databases = f"* = host={server.folder} user=antiphon"
        (self.folder / "pgbouncer.ini").write_text("\n".join(["[databases]", databases, "[pgbouncer]", *lines, ""]))

    def url_of(self, url):
        return url.replace(os.fspath(self._server.folder), os.fspath(self.folder))

    def start(self):
        (self.folder / "pgbouncer.ini").chmod(0o644)
        self._start(self._program, os.fspath(self.folder / "pgbouncer.ini"))

    def stop(self):
        self._end(signal.SIGKILL)  # by a gentler signal, it would wait for its clients
