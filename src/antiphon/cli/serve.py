"""`antiphon run`: bind and supervise; or serve, in a process that a supervisor has started."""

import asyncio
import atexit
import logging
import os
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from ipaddress import ip_address
from threading import Event
from typing import NamedTuple, TypeAlias

import click

from antiphon.cli.control import INHERITED
from antiphon.cli.interface import Choice
from antiphon.cli.listener import http_url, listen, listen_at
from antiphon.cli.server_options import ServerOptions
from antiphon.cli.supervisor import Supervisor
from antiphon.cli.systemd import GivenSocket, notify
from antiphon.cli.target import Target

_SEEN_BY_ALL = "Warning: --debug shows the code and the values of the app to everyone who can reach {}."


class Port(NamedTuple):
    """A host and a port to listen on; 0 is a free one."""

    host: str
    port: int

    @property
    def is_for_loopback(self) -> bool:
        """True if only this machine can connect."""
        try:
            return self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError:
            return False

    def listen(self) -> tuple[socket.socket, str]:
        """Return a listening socket and its URL. Raises `Refused`."""
        listener = listen(self.host, self.port)
        return listener, http_url(self.host, listener)


class SocketPath(NamedTuple):
    """A path for a unix socket, and its permissions; None for those that the umask leaves."""

    path: str
    permissions: int | None

    @property
    def is_for_loopback(self) -> bool:
        """False: a proxy may stand before a unix socket."""
        return False

    def listen(self) -> tuple[socket.socket, str]:
        """Return a listening socket and its address, as proxies write it. Raises `Refused`."""
        listener = listen_at(self.path, self.permissions)
        return listener, f"unix:{listener.getsockname()}"


Place: TypeAlias = Port | SocketPath | GivenSocket
"""Where to listen."""


def serve(
    find: Callable[[], Target],
    requested: Choice | None,
    place: Place,
    options: ServerOptions,
    watched: Sequence[str] = (),
) -> int:
    """Serve the target that `find` returns until a signal ends it, and load it anew if a file in `watched` changes.

    Returns the exit code, or raises one of `errors`.
    """
    inherited = os.environ.pop(INHERITED, None)
    if inherited is not None:
        if options.debug:
            from antiphon.cli.debug.mode import switch_on  # late: it is seldom needed

            switch_on(is_for_loopback=place.is_for_loopback)
        return _work(inherited, find, requested, options)
    target = find()
    listener, url = place.listen()
    if options.debug and not place.is_for_loopback:
        click.secho(_SEEN_BY_ALL.format(url), err=True, fg="yellow")

    def announce(choice: Choice | None) -> None:
        if choice is None:
            click.echo(f"Antiphon waits on {url} until {target} can be served")
            return
        by = f" with {options.workers} workers" if options.workers > 1 else ""
        click.echo(f"Antiphon serves {target} on {url}{by} ({choice.interface}: {choice.reason})")
        notify("READY=1")

    async def supervise() -> int:
        warn = options.logs.warn
        if not watched:
            return await Supervisor(listener, options, announce, warn).run()
        from antiphon.cli.reload import Reloader  # late: it imports watchfiles

        return await Reloader(listener, options, announce, warn, target, watched).run()

    return asyncio.run(supervise())


def _work(inherited: str, find: Callable[[], Target], requested: Choice | None, options: ServerOptions) -> int:
    """Serve in this process, which ends without finalizing the interpreter: Granian's threads would fail then."""
    has_served = Event()
    atexit.register(_leave, has_served)  # first, so that it runs after all that others register
    from antiphon.cli.worker import work  # late: the supervisor does not need a server

    work(inherited, find, requested, options)
    has_served.set()
    return 0


def _leave(has_served: Event) -> None:
    if has_served.is_set():
        logging.shutdown()  # registered by an import of logging, so too early to have run
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(0)
