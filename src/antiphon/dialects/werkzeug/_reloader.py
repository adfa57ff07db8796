"""The reloader: the program runs as its own child process, which is restarted when one of its files changes."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from fnmatch import fnmatch
from threading import Thread
from time import sleep
from typing import NoReturn, Protocol

AGAIN = 3
"""The exit code of a child that asks for a restart."""
GRACE = 1.0
"""Seconds that open requests get before a restart."""
RUNS_AS_CHILD = "WERKZEUG_RUN_MAIN"
SOCKET = "WERKZEUG_SERVER_FD"


def is_running_from_reloader() -> bool:
    """Return True if this process is the child that serves."""
    return os.environ.get(RUNS_AS_CHILD) == "true"


def inherited_socket() -> int | None:
    """Return the file descriptor of the socket that the parent opened for this process; None if there is none."""
    socket = os.environ.get(SOCKET)
    return int(socket) if socket and is_running_from_reloader() else None


def run_child(socket: int | None) -> NoReturn:
    """Run this program as a child, on a socket if there is one, whenever it asks for that; exit as the child did."""
    environment = {**os.environ, RUNS_AS_CHILD: "true"}
    if socket is not None:
        os.set_inheritable(socket, True)
        environment[SOCKET] = str(socket)
    command = [sys.executable, *sys.orig_argv[1:]]
    code = AGAIN
    while code == AGAIN:
        code = 0
        with suppress(KeyboardInterrupt):  # the terminal has interrupted the child, as well
            code = subprocess.call(command, env=environment, close_fds=False)  # noqa: S603 - it runs already
    sys.exit(code)


class Serving(Protocol):
    """A server that another thread can stop."""

    def serve_forever(self) -> None:
        """Serve until ``shutdown`` is called."""
        ...

    def shutdown(self, within: float) -> None:
        """End ``serve_forever``. Cut off open requests after this many seconds and wait for the end."""
        ...


def serve_until_changed(
    server: Serving, extra_files: Iterable[str], exclude_patterns: Iterable[str], interval: float
) -> NoReturn:
    """Serve on a thread. When the file of a module or an extra file changes, exit with ``AGAIN``."""
    extra, excluded = [*extra_files], [*exclude_patterns]
    before = _versions(extra, excluded)  # a developer may change a file as soon as the server runs
    Thread(target=server.serve_forever, daemon=True).start()
    while True:
        try:
            sleep(interval)
        except KeyboardInterrupt:
            sys.exit()
        now = _versions(extra, excluded)
        changed = [path for path, version in before.items() if now.get(path) != version]
        if changed:
            server.shutdown(GRACE)
            sys.stderr.write(f" * {changed[0]} has changed, restarting\n")
            sys.exit(AGAIN)
        before |= now


def _versions(extra: list[str], excluded: list[str]) -> dict[str, int]:
    """Return the modification times of the files, in nanoseconds."""
    found = {}
    for path in (*_module_files(), *extra):
        if not any(fnmatch(path, pattern) for pattern in excluded):
            try:
                found[path] = os.stat(path).st_mtime_ns
            except OSError:
                continue
    return found


def _module_files() -> Iterator[str]:
    for module in [*sys.modules.values()]:
        path = getattr(module, "__file__", None)
        if isinstance(path, str):
            yield path


class _Function:
    """A server that is a function, which ends only with its process."""

    def __init__(self, function: Callable[[], object]) -> None:
        self._function = function

    def serve_forever(self) -> None:
        """Call the function."""
        self._function()

    def shutdown(self, within: float) -> None:
        """Do nothing: the function continues."""


def run_with_reloader(
    main_func: Callable[[], object],
    extra_files: Iterable[str] | None = None,
    exclude_patterns: Iterable[str] | None = None,
    interval: float = 1,
    reloader_type: str = "auto",  # noqa: ARG001 - there is one
) -> None:
    """Run this program as a child, which calls a function on a thread in order to serve.

    The child is restarted when a file of its modules or one of ``extra_files`` changes, except files that match
    ``exclude_patterns``. They are checked every ``interval`` seconds.
    """
    if not is_running_from_reloader():
        run_child(None)
    serve_until_changed(_Function(main_func), extra_files or (), exclude_patterns or (), interval)
