"""The socket that a systemd service receives (sd_listen_fds(3)), and its message that it is ready (sd_notify(3))."""

import os
import socket
from contextlib import suppress
from typing import NamedTuple

from antiphon.cli.errors import Refused
from antiphon.cli.listener import http_url

_FIRST = 3
"""The number of the first descriptor that systemd passes."""


class GivenSocket(NamedTuple):
    """A socket that systemd keeps open, so that connections wait in it while the service restarts."""

    descriptor: int

    @property
    def is_for_loopback(self) -> bool:
        """False, since only systemd knows what is in front of the socket."""
        return False

    def listen(self) -> tuple[socket.socket, str]:
        """Return the listening socket and its address. Raises `Refused`."""
        listener = socket.socket(fileno=self.descriptor)
        listener.set_inheritable(False)
        if not listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            raise Refused("The socket that systemd passes does not listen: name a ListenStream, without Accept=yes.")
        if listener.family == socket.AF_UNIX:
            return listener, f"unix:{listener.getsockname()}"
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # connections inherit it
        return listener, http_url(listener.getsockname()[0], listener)


def given_socket() -> GivenSocket | None:
    """Return the socket that systemd has for this process; None without one. Raises `Refused` if there are several."""
    names = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
    process, count, _ = (os.environ.get(name) for name in names)
    if process != str(os.getpid()) or count in (None, "0"):
        return None
    for name in names:  # processes that this one starts must not see them
        os.environ.pop(name, None)
    if count != "1":
        raise Refused(f"systemd passes {count} sockets, but only one is supported: name one ListenStream.")
    return GivenSocket(_FIRST)


def notify(state: str) -> None:
    """Send the state of this service, such as "READY=1", to systemd if it asks for that (Type=notify)."""
    name = os.environ.pop("NOTIFY_SOCKET", "")
    if name:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(state.encode(), f"\0{name[1:]}" if name.startswith("@") else name)
