"""The sockets of an embedded server: the number of waiting connections, and those that it has accepted."""

import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from tempfile import TemporaryDirectory
from typing import Any

from antiphon.adapters.connection import connected_sockets

BACKLOG = 1024
"""The number of connections that the kernel keeps waiting."""

_EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
_DROP_UNSENT = struct.pack("ii", 1, 0)
"""To linger for no time after the close, as SO_LINGER takes it."""


def make_unknown_listener(family: socket.AddressFamily) -> socket.socket:
    """Return a non-blocking socket of a family. It listens on an address of this machine that is not announced."""
    listener = socket.socket(family)
    if family != socket.AF_UNIX:
        listener.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        listener.listen(0)
    elif sys.platform == "linux":
        listener.bind("")  # a name of the kernel's choice, which is not a file
        listener.listen(0)
    else:
        with TemporaryDirectory() as folder:
            listener.bind(os.path.join(folder, "nobody"))
            listener.listen(0)
    listener.setblocking(False)
    return listener


def count_waiting(listener: socket.socket) -> int:
    """Return how many connections wait at a listening socket to be accepted; 0 if the system does not provide that."""
    if sys.platform != "linux" or listener.family == socket.AF_UNIX:
        return 0
    information = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 28)
    return int.from_bytes(information[24:28], sys.byteorder)  # tcpi_unacked, which is that of a socket that listens


def close_accepted(address: Any, *, drop_unsent: bool = False) -> None:
    """Shut down all connections of this process that were accepted at the address of a listening socket.

    Data that was sent on them still arrives, unless it is dropped. Granian keeps its connections to itself, so they are
    found among the descriptors of the process. Raises NotImplementedError where the system does not list these.
    """
    for connection in _accepted(address):
        with suppress(OSError):  # closed by the client in the meantime
            if drop_unsent:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _DROP_UNSENT)
            connection.shutdown(socket.SHUT_RDWR)


def _accepted(address: Any) -> Iterator[socket.socket]:
    for _, connection in connected_sockets():
        if _is_accepted_at(address, connection):
            yield connection


def _is_accepted_at(address: Any, connection: socket.socket) -> bool:
    """Check the own address of a connection."""
    own = connection.getsockname()
    if not isinstance(own, tuple) or len(own) != len(address):  # the name of a unix socket, or IPv4 and IPv6
        return bool(own == address)
    return own[1] == address[1] and address[0] in (own[0], *_EVERY_ADDRESS)
