"""`antiphon run`: binds a socket and supervises workers, or serves as a worker of another process."""

import asyncio
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from itertools import chain, repeat
from typing import NamedTuple, TypeAlias

import click

from antiphon.adapters.connection import explain_few_descriptors
from antiphon.cli.interface import Choice
from antiphon.cli.listener import GivenSocket, http_url, listen, listen_at, notify
from antiphon.cli.logs import tell
from antiphon.cli.target import Target
from antiphon.cli.workers.options import INHERITED, TOLD, ServerOptions
from antiphon.cli.workers.preloading import by_fork, preload
from antiphon.cli.workers.process import ChildProcess, Launch, by_command
from antiphon.cli.workers.supervisor import Supervisor
from antiphon.cli.workers.told import Told, encoded, serve_as_worker
from antiphon.features.metrics.folder import VARIABLE, folder_of


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


_SEEN_BY_ALL = "Warning: --debug shows the code and the values of the app to everyone who can reach {}."


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
    find: Callable[[], Target],
    requested: Choice | None,
    place: Place,
    options: ServerOptions,
    watched: Sequence[str] = (),
) -> int:
    """Serve the target that `find` returns until a signal ends the server; reload it when a file in `watched` changes.

    Returns the exit code, or raises one of `errors`.
    """
    inherited = os.environ.pop(INHERITED, None)
    os.environ.pop(TOLD, None)  # it may be set, but empty
    if inherited is not None:
        return serve_as_worker(inherited, Told(find, requested, options, place.is_for_loopback))
    target = find()
    if options.preloads:
        target = preload(target, requested)
    listeners, url = place.listen(1 if watched else options.workers)
    if options.tls is not None:
        url = url.replace("http://", "https://", 1)
    if options.debug and not place.is_for_loopback:
        click.secho(_SEEN_BY_ALL.format(url), err=True, fg="yellow")

    if few := explain_few_descriptors():
        options.logs.warn(f"Warning: {few}")

    def announce(choice: Choice | None) -> None:
        if choice is None:
            tell(f"Antiphon is waiting on {url} until {target} can be served")
            return
        by = f" with {options.workers} workers" if options.workers > 1 else ""
        tell(f"Antiphon serves {target} on {url}{by} ({choice.interface}: {choice.reason})")
        notify("READY=1")

    launch = _launch_of(target, requested, options, place.is_for_loopback)

    async def supervise() -> int:
        if not watched:
            return await Supervisor(listeners, options, announce, launch).run()
        from antiphon.cli.workers.reload import Reloader  # imported late: it imports watchfiles

        return await Reloader(listeners, options, announce, target, watched).run()

    with metrics_folder():
        return asyncio.run(supervise())


def _launch_of(target: Target, requested: Choice | None, options: ServerOptions, is_for_loopback: bool) -> Launch:
    """Return a function that launches workers: as forks if the target was preloaded, else with the same command.

    On Linux, the first ones are forks in any case, which need not import again what this process has just imported.
    """
    command = by_command(encoded(str(target), requested, options, is_for_loopback))
    if not options.preloads and sys.platform != "linux":  # elsewhere, a system's libraries may not survive a fork
        return command
    fork = by_fork(target, requested, options, is_for_loopback)
    forks = repeat(fork) if options.preloads else chain(repeat(fork, options.workers), repeat(command))

    async def launch(*inherited: int) -> ChildProcess:
        return await next(forks)(*inherited)

    return launch
