"""`antiphon run`: binds a socket and supervises workers.

With ``--preload``, the program is loaded once, before the supervisor starts its event loop, so that the supervisor has
only one thread when it forks workers, which share memory until they write to it. Other threads would not exist in the
worker, but locks that they held would remain locked.
"""

import asyncio
import atexit
import gc
import os
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from itertools import chain, repeat
from typing import NamedTuple, NoReturn, TypeAlias

import click

from antiphon.adapters.connection import explain_few_descriptors
from antiphon.cli.errors import BadCommand
from antiphon.cli.interface import Choice
from antiphon.cli.listener import GivenSocket, http_url, listen, listen_at, notify
from antiphon.cli.logs import tell
from antiphon.cli.target import Target
from antiphon.cli.workers.options import ServerOptions
from antiphon.cli.workers.process import ChildProcess, Launch, by_command
from antiphon.cli.workers.supervisor import Supervisor
from antiphon.cli.workers.told import Told, end_without_finalizing, import_work, serve_as_worker
from antiphon.features.metrics.folder import VARIABLE, folder_of

_FORKS = sys.platform == "linux"
"""True if the first workers are forks in any case. Elsewhere, a system's libraries may not survive a fork."""
_HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR2, signal.SIGCHLD)


class _OpenFile(NamedTuple):
    """An open file. Its descriptor may later belong to a different file."""

    descriptor: int
    device: int
    inode: int


class PreloadedTarget(Target):
    """A target that has been loaded."""

    name: str
    program: object

    def __str__(self) -> str:
        return self.name

    def load(self, requested: Choice | None) -> object:  # noqa: ARG002 - it was loaded for this interface
        """Return the application."""
        return self.program


def preload(target: Target, requested: Choice | None) -> PreloadedTarget:
    """Load a target and the server. Raises `BadCommand` as `load` does, or if the target has started threads."""
    import_work()
    end_without_finalizing()
    preloaded = PreloadedTarget(*target)
    preloaded.name, preloaded.program = str(target), target.load(requested)
    threads = [each.name for each in threading.enumerate() if each is not threading.current_thread()]
    if threads:
        raise BadCommand(
            f"{target} can't be preloaded: its import started {', '.join(threads)}, and workers would not have these"
            " threads. Start threads at the application's startup, or leave out --preload."
        )
    gc.collect()
    return preloaded


def by_fork(told: Told) -> Launch:
    """Return a function that launches workers as forks. They close the files that this process opens later."""
    gc.freeze()  # a collection in a worker would write to all objects, and so copy them
    kept = _open_files()
    hang_up = signal.getsignal(signal.SIGHUP)

    async def launch(*inherited: int) -> ChildProcess:
        sys.stdout.flush()
        sys.stderr.flush()
        if pid := os.fork():
            return ForkedProcess(pid)
        passed = {each for each in _open_files() if each.descriptor in inherited}
        _become_worker(lambda: serve_as_worker(",".join(map(str, inherited)), told), kept | passed, hang_up)

    return launch


def _become_worker(serve: Callable[[], int], kept: set[_OpenFile], hang_up: object) -> NoReturn:
    """Serve in a process that was forked from an event loop, and then end it without returning to the loop."""
    code = 1
    try:
        asyncio._set_running_loop(None)  # noqa: SLF001 - Python 3.11 does not reset it
        signal.set_wakeup_fd(-1)
        for number in _HANDLED:
            signal.signal(number, signal.SIG_DFL)
        if hang_up == signal.SIG_IGN:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        for each in _open_files() - kept:  # while connections of other workers stay open here, their ends go unnoticed
            os.close(each.descriptor)
        code = serve()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        atexit._run_exitfuncs()  # noqa: SLF001 - as the interpreter does when it exits
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _open_files() -> set[_OpenFile]:
    """Return the open files, except standard input, output and error."""
    found = set()
    for name in os.listdir("/dev/fd"):
        with suppress(OSError):  # the descriptor of the listing itself is now closed
            status = os.fstat(int(name))
            found.add(_OpenFile(int(name), status.st_dev, status.st_ino))
    return {each for each in found if each.descriptor > 2}


class ForkedProcess:
    """A process forked from this one. Create it on the event loop that waits for its end."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = asyncio.Event()
        _running.add(self)
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, _look_at_all)
        self.look()  # it may already have ended

    def look(self) -> None:
        """Record the end of the process if it has ended."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            _running.discard(self)
            self.returncode = os.waitstatus_to_exitcode(status)
            self._ended.set()

    async def wait(self) -> int:
        """Wait until the process has ended; return its exit code."""
        await self._ended.wait()
        assert self.returncode is not None  # noqa: S101
        return self.returncode


_running: set[ForkedProcess] = set()


def _look_at_all() -> None:
    for process in [*_running]:
        process.look()


@contextmanager
def metrics_folder() -> Iterator[None]:
    """Tell the workers the path of a metrics folder, which a worker creates when needed, and remove it at the end.

    A folder that the environment already specifies is left alone. If the system has no place for temporary files, there
    is no folder.
    """
    folder = None
    if VARIABLE not in os.environ:
        with suppress(OSError):
            folder = folder_of(os.getpid())
            os.environ[VARIABLE] = str(folder)
    try:
        yield
    finally:
        if folder is not None:
            del os.environ[VARIABLE]
            shutil.rmtree(folder, ignore_errors=True)


_SEEN_BY_ALL = "Warning: debug mode shows the code and the values of the app to everyone who can reach {}."


class Port(NamedTuple):
    """A host and a port to listen on; port 0 means any free port."""

    host: str
    port: int

    @property
    def is_for_loopback(self) -> bool:
        """True if only this machine can connect."""
        try:
            return self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError:
            return False

    def listen(self, number: int) -> tuple[list[socket.socket], str]:
        """Return listening sockets, one of them or this number, and their URL. Raises `Refused`."""
        listeners = listen(self.host, self.port, number)
        return listeners, http_url(self.host, listeners[0])


class SocketPath(NamedTuple):
    """A path for a unix socket, and its permissions; None means 777 minus the umask."""

    path: str
    permissions: int | None

    @property
    def is_for_loopback(self) -> bool:
        """False, since a unix socket may be behind a proxy."""
        return False

    def listen(self, _: int) -> tuple[list[socket.socket], str]:
        """Return a listening socket and its address, as proxies write it. Raises `Refused`."""
        listener = listen_at(self.path, self.permissions)
        return [listener], f"unix:{listener.getsockname()}"


Place: TypeAlias = Port | SocketPath | GivenSocket
"""The address to listen on."""


def serve(
    target: Target, requested: Choice | None, place: Place, options: ServerOptions, watched: Sequence[str] = ()
) -> int:
    """Serve a target until a signal ends the server; reload it when a file in `watched` changes.

    Returns the exit code, or raises one of `errors`.
    """
    if options.preloads:
        target = preload(target, requested)
    elif _FORKS and options.workers > 1:  # once, for all of them; a single one would leave it in two processes
        with suppress(ImportError):  # the workers tell why
            import_work()
    listeners, url = place.listen(1 if watched else options.workers)
    if options.tls is not None:
        url = url.replace("http://", "https://", 1)
    if options.debug and not place.is_for_loopback:
        click.secho(_SEEN_BY_ALL.format(url), err=True, fg="yellow")

    if few := explain_few_descriptors():
        options.logs.warn(few)

    def announce(choice: Choice | None) -> None:
        if choice is None:
            tell(f"Antiphon is waiting on {url} until {target} can be served")
            return
        by = f" with {options.workers} workers" if options.workers > 1 else ""
        tell(f"Antiphon serves {target} on {url}{by} ({choice.interface}: {choice.reason})")
        notify("READY=1")

    told = Told(target, requested, options, place.is_for_loopback)

    async def supervise() -> int:
        if not watched:
            return await Supervisor(listeners, options, announce, _launch_of(told)).run()
        from antiphon.cli.workers.reload import Reloader  # imported late: it imports watchfiles

        return await Reloader(listeners, announce, told, watched).run()

    with metrics_folder():
        return asyncio.run(supervise())


def _launch_of(told: Told) -> Launch:
    """Return a function that launches workers: as forks if the target was preloaded, else with the same command.

    If `_FORKS`, the first ones are forks in any case, which need not import again what this process has just imported.
    """
    options, command = told.options, by_command(told.encoded())
    if not (options.preloads or _FORKS):
        return command
    fork = by_fork(told)
    forks = repeat(fork) if options.preloads else chain(repeat(fork, options.workers), repeat(command))

    async def launch(*inherited: int) -> ChildProcess:
        return await next(forks)(*inherited)

    return launch
