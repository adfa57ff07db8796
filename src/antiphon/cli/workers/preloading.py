"""`antiphon run --preload`: loads the program once and forks the workers, which share memory until they write to it.

The supervisor loads the program before it starts its event loop, so that it has only one thread when it forks. Other
threads would not exist in the worker, but locks that they held would remain locked.
"""

import asyncio
import atexit
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, NoReturn

from antiphon.cli.errors import BadCommand
from antiphon.cli.interface import Choice
from antiphon.cli.target import Target
from antiphon.cli.workers.options import ServerOptions
from antiphon.cli.workers.process import ChildProcess, Launch
from antiphon.cli.workers.told import Told, end_without_finalizing, serve_as_worker

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
    import antiphon.cli.workers.worker  # noqa: F401 - for the workers

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


def by_fork(target: Target, requested: Choice | None, options: ServerOptions, is_for_loopback: bool) -> Launch:
    """Return a function that launches workers as forks. They close the files that this process opens later."""
    gc.freeze()  # a collection in a worker would write to all objects, and so copy them
    told = Told(lambda: target, requested, options, is_for_loopback)
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
