"""The reloader, which runs the program as its own child process and restarts it when one of its files changes."""

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
"""The seconds that open requests have to finish before a restart."""
RUNS_AS_CHILD = "WERKZEUG_RUN_MAIN"
SOCKET = "WERKZEUG_SERVER_FD"


def is_running_from_reloader() -> bool:
    """Return True if this process is the child that serves requests."""
    return os.environ.get(RUNS_AS_CHILD) == "true"


def inherited_socket() -> int | None:
    """Return the descriptor of the socket that the parent opened for this process, or None if it opened none."""
    socket = os.environ.get(SOCKET)
    return int(socket) if socket and is_running_from_reloader() else None


def run_child(socket: int | None) -> NoReturn:
    """Run this program as a child process and restart it whenever it asks for that. Exit with its exit code.

    The child inherits the ``socket``, if given.
    """
    environment = {**os.environ, RUNS_AS_CHILD: "true"}
    if socket is not None:
        os.set_inheritable(socket, True)
        environment[SOCKET] = str(socket)
    command = [sys.executable, *sys.orig_argv[1:]]
    code = AGAIN
    while code == AGAIN:
        code = 0
        with suppress(KeyboardInterrupt):  # the terminal interrupts the child too
            code = subprocess.call(command, env=environment, close_fds=False)  # noqa: S603 - this program's own command
    sys.exit(code)


class Serving(Protocol):
    """A server that another thread can stop."""

    def serve_forever(self) -> None:
        """Serve until ``shutdown`` is called."""
        ...

    def shutdown(self, within: float) -> None:
        """End ``serve_forever`` and wait until it has ended. Open requests are cut off after this many seconds."""
        ...


def serve_until_changed(
    server: Serving, extra_files: Iterable[str], exclude_patterns: Iterable[str], interval: float
) -> NoReturn:
    """Serve on a thread. Exit with ``AGAIN`` when a module's file or an extra file changes."""
    extra, excluded = [*extra_files], [*exclude_patterns]
    before = _versions(extra, excluded)  # before serving, since a file may change as soon as the server runs
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
    """Return the files' modification times in nanoseconds."""
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
    """A server made from a function that runs until its process ends."""

    def __init__(self, function: Callable[[], object]) -> None:
        self._function = function

    def serve_forever(self) -> None:
        self._function()

    def shutdown(self, within: float) -> None:
        """Do nothing: the function can't be stopped."""


def run_with_reloader(
    main_func: Callable[[], object],
    extra_files: Iterable[str] | None = None,
    exclude_patterns: Iterable[str] | None = None,
    interval: float = 1,
    reloader_type: str = "auto",  # noqa: ARG001 - there is only one type
) -> None:
    """Run this program as a child process that calls ``main_func`` on a thread to serve requests.

    The child is restarted when the file of a module or one of the ``extra_files`` changes, except files that match
    ``exclude_patterns``. The files are checked every ``interval`` seconds.
    """
    if not is_running_from_reloader():
        run_child(None)
    serve_until_changed(_Function(main_func), extra_files or (), exclude_patterns or (), interval)
