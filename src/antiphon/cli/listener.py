"""The listening socket: bound by `antiphon` itself, so that a taken port is an error before anything starts.

It is bound without SO_REUSEPORT: no second server, of any kind, can share the port while it is open.
"""

import errno
import os
import socket

from antiphon.cli.errors import Refused

BACKLOG = 1024
"""How many connections the kernel keeps waiting."""


def listen(host: str, port: int) -> socket.socket:
    """Bind `host` and `port` (0: a free one) and listen. Raises `Refused`."""
    family, address = _resolve(host, port)
    try:
        listener = socket.create_server(address, family=family, backlog=BACKLOG)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # connections inherit it
        return listener
    except OSError as error:
        raise Refused(_refusal(error, _authority(host, port))) from None


def http_url(host: str, listener: socket.socket) -> str:
    """The address to open in a browser: `host` as it was given, and the port that `listener` has got."""
    return f"http://{_authority(host, listener.getsockname()[1])}"


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"  # RFC 3986 §3.2.2


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no host name"
        raise Refused(f"The host {host!r} does not resolve: {reason}.") from None
    # A name of both families, such as localhost, is served over IPv4: every client tries that one.
    family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return family, (str(address[0]), port)


def _refusal(error: OSError, address: str) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return (
                f"The address {address} is taken: another program listens there. "
                "End that one, or choose another port (--port 0 picks a free one)."
            )
        case errno.EACCES | errno.EPERM:
            return f"The address {address} is not permitted to this user. Choose a port above 1023."
        case errno.EADDRNOTAVAIL:
            return f"The address {address} is none of this machine's. --host 0.0.0.0 listens on all that are."
        case number:
            return f"The address {address} cannot be bound: {os.strerror(number) if number else error}."
