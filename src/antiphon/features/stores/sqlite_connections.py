"""One process's connections to a SQLite file.

SQLite locks its files with POSIX locks. A process that closes any of its descriptors of a file loses all its locks on
that file (sqlite.org/howtocorrupt.html §2.2). The next process to close the file would then consider itself the last
one and remove the write-ahead log. For that reason, only SQLite itself opens the file and the files next to it, and all
stores of one file share its connections.
"""

import logging
import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import Condition, Lock, RLock
from time import monotonic, sleep
from typing import Any, TypeAlias
from urllib.parse import quote
from weakref import WeakValueDictionary, finalize

RETRY_EVERY = 0.002
"""The number of seconds between attempts while other connections are writing."""

LOOK_EVERY = 1.0
"""The number of seconds between checks for whether the files are still the ones that were opened."""

FORK_PATIENCE = 1.0
"""The maximum number of seconds that a fork waits until no connection is in use."""

Identity: TypeAlias = tuple[int, int] | None
"""A file's device and inode, or None if the file is missing."""


class Connection(sqlite3.Connection):
    """A connection that waits up to ``patience`` seconds for others, retrying every few milliseconds.

    SQLite's own retries slow down to ten times a second, so those who wait longest are served last. SQLite also does
    not wait for connections that are preparing a new file, and its own waiting would block all of gevent's greenlets.
    """

    patience: float

    def execute(self, statement: str, values: Any = (), /) -> sqlite3.Cursor:
        deadline = 0.0
        while True:
            try:
                return super().execute(statement, values)
            except sqlite3.OperationalError as error:
                now = monotonic()
                deadline = deadline or now + self.patience
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or now > deadline:
                    raise
            sleep(RETRY_EVERY)


class Connections:
    """One process's connections to one file. Their number is the largest number that was ever in use at the same time.

    Each has one user at a time, so it does not matter which threads or greenlets use it. A new connection executes the
    statements of ``prepare``.
    """

    def __init__(self, path: Path, prepare: str) -> None:
        self.pid = os.getpid()
        self.writing = Lock()  # threads wait here in turn, without SQLite's polling
        self.writes = 0
        self._path = path
        self._prepare = prepare
        self._changed = Condition()
        self.idle: list[Connection] = []
        self._opened = 0
        """The number of connections, idle or lent."""
        self._files: list[Identity] = []
        """The database, its log and the log's index, as they were when opened; empty if there are no connections."""
        self._next_look = 0.0
        self._is_held = False
        finalize(self, _close_all, self.pid, self.idle)

    def take(self, patience: float) -> Connection:
        """Return a connection for one user, waiting up to ``patience`` seconds for other users.

        The caller returns it, or discards it if anything failed. Raises sqlite3.Error or OSError.
        """
        connection = self._take_idle(patience) or self._open(patience)
        connection.patience = patience
        return connection

    def give_back(self, connection: Connection) -> None:
        with self._changed:
            self.idle.append(connection)
            if self._is_held:
                self._changed.notify_all()

    def discard(self, connection: Connection | None) -> None:
        """Close a connection that was taken."""
        if connection is not None:
            connection.close()
        with self._changed:
            self._opened -= 1
            self._forget_files()
            self._changed.notify_all()

    def close(self) -> None:
        """Close the connections that are not in use."""
        with self._changed:
            self._opened -= len(self.idle)
            _close_all(self.pid, self.idle)
            self._forget_files()

    def hold(self, patience: float) -> bool:
        """Stop lending connections until ``release`` and wait until none is in use. Return False after
        ``patience``."""
        with self._changed:
            self._is_held = True
            return self._changed.wait_for(lambda: len(self.idle) == self._opened, patience)

    def release(self) -> None:
        with self._changed:
            self._is_held = False
            self._changed.notify_all()

    def _take_idle(self, patience: float) -> Connection | None:
        """Return an idle connection, or reserve one for the caller to open. Raises TimeoutError while connections are
        held."""
        with self._changed:
            if self._is_held and not self._changed.wait_for(lambda: not self._is_held, patience):
                raise TimeoutError(_IN_USE)
            now = monotonic()
            if self._files and (now >= self._next_look or not self.idle):
                self._next_look = 0.0  # check on every call until it succeeds
                self._look(patience)
                self._next_look = now + LOOK_EVERY
            if self.idle:
                return self.idle.pop()
            self._opened += 1
            return None

    def _open(self, patience: float) -> Connection:
        connection = None
        try:
            connection = self._connect()
            connection.patience = patience
            for statement in self._prepare.split(";\n"):  # lines in a trigger are not separate statements
                connection.execute(statement)
        except BaseException:
            self.discard(connection)
            raise
        with self._changed:
            self._files = self._files or self._identities()
        return connection

    def _connect(self) -> Connection:
        """Connect to the file. SQLite creates a new file, and the files next to it, accessible only to this user."""
        address = f"{self._path.as_uri()}?mode=rw"
        if self._path.exists():
            return _connect(address)
        with NamedTemporaryFile(prefix=f"{self._path.name}-", dir=self._path.parent) as private:
            return _connect(f"{address}c&modeof={quote(os.fsencode(private.name))}")

    def _forget_files(self) -> None:
        if not self._opened:
            self._files = []

    # Files that were removed while they were open

    def _identities(self) -> list[Identity]:
        return [_identity(f"{self._path}{suffix}") for suffix in ("", "-wal", "-shm")]

    def _look(self, patience: float) -> None:
        """Close all connections if the path now leads to different files. Raises TimeoutError."""
        found = self._identities()
        if found == self._files:
            return
        is_moved = found[0] != self._files[0]
        logging.getLogger("antiphon").error(
            "%s was %s while it was open: the last changes may be lost, and the current file is used instead. Stop all"
            " processes that use a store before you touch its files",
            self._path if is_moved else f"{self._path}-wal",
            "replaced" if found[0 if is_moved else 1] else "removed",
        )
        try:
            if not self.hold(patience):
                raise TimeoutError(_IN_USE)
            if is_moved and self.idle:
                self._leave(self.idle[-1])
            self.close()
        finally:
            self.release()

    def _leave(self, connection: Connection) -> None:
        """Complete a database that was moved and remove the log and the index that it left behind.

        A new database at its path must not have these files, or it would apply the changes of the old one.
        """
        connection.patience = 0.0
        with suppress(sqlite3.Error, OSError):
            connection.execute("pragma wal_checkpoint")
            connection.execute("begin immediate")  # excludes other processes until the connection is closed
            for suffix, opened in zip(("-wal", "-shm"), self._files[1:], strict=True):
                if _identity(f"{self._path}{suffix}") == opened:
                    os.unlink(f"{self._path}{suffix}")


_IN_USE = "others still use the previous file"


def _connect(address: str) -> Connection:
    return sqlite3.connect(
        address, timeout=0, isolation_level=None, check_same_thread=False, factory=Connection, uri=True
    )


def _identity(path: str) -> Identity:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _close_all(process: int, idle: list[Connection]) -> None:
    """Close connections, unless they belong to a parent process. The arguments keep the connections alive until then:
    as garbage in a cycle with their store, they could be finalized first, with a warning.
    """
    if process == os.getpid():
        while idle:
            idle.pop().close()


_all: "WeakValueDictionary[str, Connections]" = WeakValueDictionary()
"""Connections by file path."""
_inherited: list[Connections] = []
"""A parent process's connections, which this process must neither use nor close (sqlite.org/howtocorrupt.html §2.6).
"""
_lock = RLock()


def connections_to(path: Path, prepare: str) -> Connections:
    """Return this process's connections to a file, shared by all stores of the file."""
    with _lock:
        found = _all.get(name := str(path))
        if found is not None and found.pid != os.getpid():
            _inherited.append(found)
            found = None
        if found is None:
            found = _all[name] = Connections(path, prepare)
        return found


def _of_this_process() -> list[Connections]:
    return [each for each in _all.values() if each.pid == os.getpid()]


def _before_fork() -> None:
    """Close all connections, since the child would also close them when it ends."""
    _lock.acquire()
    for each in _of_this_process():
        each.hold(FORK_PATIENCE)
        each.close()


def _after_fork() -> None:
    for each in _of_this_process():
        each.release()
    _lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_lock.release)
