"""The reloader: the program runs as a child of itself, and starts again when one of its files has changed."""

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
"""Seconds for open requests, before the program starts again."""
RUNS_AS_CHILD = "WERKZEUG_RUN_MAIN"
SOCKET = "WERKZEUG_SERVER_FD"


def is_running_from_reloader() -> bool:
    """Return True if this process is the child that serves."""
    return os.environ.get(RUNS_AS_CHILD) == "true"


def inherited_socket() -> int | None:
    """Return the file descriptor of the socket that the parent has opened for this process; None without one."""
    socket = os.environ.get(SOCKET)
    return int(socket) if socket and is_running_from_reloader() else None


def run_child(socket: int | None) -> NoReturn:
    """Run this program as a child, on a socket if there is one, as often as it asks for that. Then exit as it has."""
    environment = {**os.environ, RUNS_AS_CHILD: "true"}
    if socket is not None:
        os.set_inheritable(socket, True)
        environment[SOCKET] = str(socket)
    command = [sys.executable, *sys.orig_argv[1:]]
    code = AGAIN
    while code == AGAIN:
        code = 0
        with suppress(KeyboardInterrupt):  # the terminal has interrupted the child, too
            code = subprocess.call(command, env=environment, close_fds=False)  # noqa: S603 - it runs already
    sys.exit(code)


class Serving(Protocol):
    """A server that another thread can stop."""

    def serve_forever(self) -> None:
        """Serve until ``shutdown``."""
        ...

    def shutdown(self, within: float) -> None:
        """End ``serve_forever``, cut off requests that are open after so many seconds, and wait for that."""
        ...


def serve_until_changed(
    server: Serving, extra_files: Iterable[str], exclude_patterns: Iterable[str], interval: float
) -> NoReturn:
    """Serve on a thread, and exit with ``AGAIN`` when the file of a module, or an extra file, has changed."""
    extra, excluded = [*extra_files], [*exclude_patterns]
    before = _versions(extra, excluded)  # a developer may change a file as soon as it serves
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
    """Return the times of the files' last changes, in nanoseconds."""
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
    """A server that is a function, which nothing ends but the end of its process."""

    def __init__(self, function: Callable[[], object]) -> None:
        self._function = function

    def serve_forever(self) -> None:
        """Call the function."""
        self._function()

    def shutdown(self, within: float) -> None:
        """Leave the function as it is."""


def run_with_reloader(
    main_func: Callable[[], object],
    extra_files: Iterable[str] | None = None,
    exclude_patterns: Iterable[str] | None = None,
    interval: float = 1,
    reloader_type: str = "auto",  # noqa: ARG001 - there is one
) -> None:
    """Run this program as a child, and in that call a function, which serves, on a thread.

    The child is run again whenever a file of its modules, or one of ``extra_files``, has changed, except files that
    match ``exclude_patterns``. They are looked at each ``interval`` of seconds.
    """
    if not is_running_from_reloader():
        run_child(None)
    serve_until_changed(_Function(main_func), extra_files or (), exclude_patterns or (), interval)
