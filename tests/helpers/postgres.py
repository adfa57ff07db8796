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

from tests.helpers.waiting import DEADLINE, eventually

OPTIONS = {"listen_addresses": "", "fsync": "off", "max_connections": "300", "shared_buffers": "16MB",
           "max_wal_senders": "0", "wal_level": "minimal", "lc_messages": "C"}  # fmt: skip


def execute(url, statement, *values):
    """Execute a statement in a database and return its rows, if it has any."""
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(statement, values or None)
        return found.fetchall() if found.description else []


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
        self.url = self.url_of("postgres")
        options = {**OPTIONS, "unix_socket_directories": os.fspath(self.folder), **options}
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self._command = [os.fspath(programs / "postgres"), "-D", os.fspath(self._data), *settings]
        self._make = [os.fspath(programs / "initdb"), "-D", os.fspath(self._data), "-U", "antiphon", "--auth=trust",
                      "--encoding=UTF8", "--locale=C", "--no-sync"]  # fmt: skip

        if primary is not None:
            self._make = [os.fspath(programs / "pg_basebackup"), "-D", os.fspath(self._data), "-R", "-h",
                          os.fspath(primary.folder), "-U", "antiphon", "--no-sync"]  # fmt: skip

    def url_of(self, database):
        return f"postgresql://antiphon@/{database}?host={self.folder}"

    def database(self):
        """Make a database and return its URL."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"create database {name} strategy file_copy")  # which takes half of the time
        return self.url_of(name)

    def execute(self, statement, *values):
        return execute(self.url, statement, *values)

    def start(self):
        if not self._data.exists():
            subprocess.run(self._make, stdout=subprocess.DEVNULL, check=True, cwd=self.folder, **self._as_user)
        self._start(*self._command)

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
