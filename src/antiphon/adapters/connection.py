"""Connections as seen by the operating system: whether clients have left or read slowly. Also listening sockets.

Servers that don't report this expose the connection, or the client's address, by which the connection is found among
the process's open descriptors.
"""

import os
import select
import socket
import stat
import struct
import sys
import time
from asyncio import sleep, to_thread
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from types import BuiltinFunctionType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from antiphon.adapters.heads import address
from antiphon.concurrency.process import call_after_fork

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from antiphon.http.head import Address


_DESCRIPTORS = "/dev/fd"
"""The folder that contains an entry for each open descriptor of this process, on systems that have such a folder."""
_KEYS = ("gunicorn.socket", "werkzeug.socket", "gunicorn.sock")
"""The environ keys under which servers pass connections: those of Gunicorn, Werkzeug, and Gunicorn's gevent worker."""
_NAMES_CLIENT = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP")
"""The keys of header fields in which proxies report a client. Servers replace the proxy's address with the client's."""
_AT_ONCE = 64 << 10
"""The number of bytes written to a connection between two checks."""
_MOST_KEPT = 1 << 20
"""The number of bytes that a server may buffer for a connection, if the system reports how much it has written."""
_LOOK, _LONGEST_LOOK = 0.001, 0.25
"""The seconds between two checks of a connection that accepts no data, at first and at most."""
_HUNG_UP = getattr(select, "POLLRDHUP", 0)
"""The event for a connection whose peer sends no more, even if there is unread data. Linux only."""


def socket_of(environ: "WSGIEnvironment") -> socket.socket | None:
    """Return the connection of a request, if its server exposes it, otherwise None."""
    for key in _KEYS:
        if (found := environ.get(key)) is not None:
            return found  # type: ignore[no-any-return]  # a socket: the server has read the request from it
    if is_gevents(environ):
        return getattr(getattr(environ["wsgi.input"], "raw", None), "_sock", None)
    return None


def is_gevents(environ: "WSGIEnvironment") -> bool:
    """Return True for an environ made by gevent's server."""
    return bool(environ.get("SERVER_SOFTWARE", "").startswith("gevent"))


def client_watch(environ: "WSGIEnvironment") -> Callable[[], bool] | None:
    """Return a function that tells whether a request's client has left; None if that can't be detected."""
    # Waitress notices only clients from which it reads, and only with an option.
    waitress = environ.get("waitress.client_disconnected")
    handed_out = socket_of(environ) or getattr(getattr(waitress, "__self__", None), "socket", None)
    if handed_out is not None:
        connection = Connection.of_descriptor(handed_out.fileno())
    else:
        connection = Connection.of_client(_direct_client(environ))
    return waitress if connection is None else connection.is_left


def _direct_client(environ: "WSGIEnvironment") -> "Address | None":
    """Return the address from which the server was called; None if a proxy has reported the client.

    In that case, the port isn't the client's own: it may belong to someone else at the same address.
    """
    client = address(environ.get("REMOTE_ADDR"), environ.get("REMOTE_PORT"))
    if client is None or any(client.host in environ.get(key, "") for key in _NAMES_CLIENT):
        return None
    return client


class OpenConnection(NamedTuple):
    """A connection among this process's descriptors, and the addresses of its two ends."""

    descriptor: int
    file: tuple[int, int]
    """The device and the inode."""
    own: Any
    peer: Any


class _Descriptors:
    """The connections of this process as of the last scan of its descriptors.

    A scan makes no copies of descriptors, which another thread could take for connections, and asks only for the
    addresses of files that are new.
    """

    def __init__(self) -> None:
        self.lock = Lock()
        self._files: dict[int, tuple[int, int]] = {}
        self._found: dict[int, OpenConnection] = {}
        self._by_peer: dict[Any, set[int]] = {}
        self._began = 0.0

    def all(self, since: float) -> list[OpenConnection]:
        """Return all connections that were open at a time; later ones may be missing."""
        with self.lock:
            self._scan(since)
            return [*self._found.values()]

    def of_peer(self, peer: Any, since: float) -> list[OpenConnection]:
        """Return the connections to an address that were open at a time."""
        with self.lock:
            self._scan(since)
            return [self._found[descriptor] for descriptor in self._by_peer.get(peer, ())]

    def _scan(self, since: float) -> None:
        """Read the list of descriptors, unless that has been done since a time: threads share a scan."""
        # Another thread has read the list since then.
        if self._began > since:
            return
        began = time.monotonic()
        try:
            listed = set(map(int, os.listdir(_DESCRIPTORS)))
        except OSError:
            raise NotImplementedError(f"connections are found by {_DESCRIPTORS}, which this system lacks") from None
        for descriptor in self._files.keys() - listed:
            self._forget(descriptor)
        for descriptor in listed:
            try:
                status = os.fstat(descriptor)
            except OSError:  # closed in the meantime
                self._forget(descriptor)
                continue
            file = status.st_dev, status.st_ino
            if self._files.get(descriptor) != file:
                # The number may have been used again, for another file.
                self._forget(descriptor)
                self._files[descriptor] = file
                if stat.S_ISSOCK(status.st_mode):
                    self._learn(descriptor, file)
        self._began = began

    def _forget(self, descriptor: int) -> None:
        self._files.pop(descriptor, None)
        if (found := self._found.pop(descriptor, None)) is not None:
            same = self._by_peer[_host_and_port(found.peer)]
            same.discard(descriptor)
            if not same:
                del self._by_peer[_host_and_port(found.peer)]

    def _learn(self, descriptor: int, file: tuple[int, int]) -> None:
        with suppress(OSError), borrowed(descriptor) as each:  # closed in the meantime, or not connected
            self._found[descriptor] = found = OpenConnection(descriptor, file, each.getsockname(), each.getpeername())
            self._by_peer.setdefault(_host_and_port(found.peer), set()).add(descriptor)


def _host_and_port(address: Any) -> Any:
    return address[:2] if isinstance(address, tuple) else address


@contextmanager
def borrowed(descriptor: int) -> Iterator[socket.socket]:
    """Provide a socket for a descriptor that belongs to others, and leave it open. Raises OSError if it is closed."""
    each = socket.socket(fileno=descriptor)
    try:
        yield each
    finally:
        each.detach()


def progress(descriptor: int) -> tuple[int, int]:
    """Return how many bytes of a TCP connection the peer has acknowledged, and how many the system has yet to send.

    Both are 0 if the system doesn't tell.
    """
    if sys.platform != "linux":
        return 0, 0
    from fcntl import ioctl
    from termios import TIOCOUTQ

    try:
        with borrowed(descriptor) as connection:
            info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 128)
        queued = ioctl(descriptor, TIOCOUTQ, bytes(4))
    except OSError:
        return 0, 0
    # The last eight bytes are tcpi_bytes_acked of Linux.
    return int.from_bytes(info[120:], sys.byteorder), int.from_bytes(queued, sys.byteorder)


_descriptors = _Descriptors()
call_after_fork(_descriptors.__init__)  # type: ignore[misc]  # another thread may have held the lock


def open_connections(since: float | None = None) -> list[OpenConnection]:
    """Return the connections of this process that were open at a time; by default, now.

    Raises NotImplementedError if the system doesn't list them.
    """
    return _descriptors.all(time.monotonic() if since is None else since)


def is_still_open(descriptor: int, inode: int) -> bool:
    """Return False once the file with this inode is closed; its descriptor may then be reused."""
    try:
        return os.fstat(descriptor).st_ino == inode
    except OSError:
        return False


class Connection:
    """A connection that a server doesn't expose. It is only inspected, and the server may close it at any time."""

    __slots__ = ("_descriptor", "_inode")

    def __init__(self, descriptor: int, inode: int) -> None:
        self._descriptor = descriptor
        self._inode = inode

    @classmethod
    def of_descriptor(cls, descriptor: int) -> Self | None:
        """Return the connection with the given descriptor; None if the system can't inspect it."""
        if sys.platform == "win32":
            return None
        try:
            return cls(descriptor, os.fstat(descriptor).st_ino)
        except OSError:  # closed
            return cls(descriptor, -1)

    @classmethod
    def of_client(cls, client: "Address | None", since: float | None = None) -> Self | None:
        """Return the connection of the client with this address; None if no connection or several are found.

        A client address can have connections to several of a server's addresses. The connection was open at the time
        ``since``; by default, it is open now.
        """
        if client is None or client.port is None:
            return None
        found = {}
        with suppress(NotImplementedError):
            for each in _descriptors.of_peer(tuple(client), time.monotonic() if since is None else since):
                # By file, because two descriptors may belong to one connection.
                found[each.file] = each.descriptor
        if len(found) != 1:
            return None
        [((_, inode), descriptor)] = found.items()
        return cls(descriptor, inode)

    def is_left(self) -> bool:
        """Return True if the client has closed the connection or its sending side, or if the server has closed it."""
        if not self._is_open:
            return True
        # gevent replaces ``poll`` with its own, which does not know this event.
        if _HUNG_UP and isinstance(select.poll, BuiltinFunctionType):
            return bool(self._poll(_HUNG_UP))
        return self._is_at_end()

    def is_full(self) -> bool:
        """Return True while the system accepts no more data for a client that is still connected."""
        return self._is_open and not self._poll(select.POLLOUT)

    def count_written(self) -> int | None:
        """Return how many bytes the server has written to a TCP connection so far; None if the system doesn't tell.

        Also None while no bytes are reported as acknowledged, which is always the case on gVisor and old kernels.
        """
        acknowledged, queued = progress(self._descriptor) if self._is_open else (0, 0)
        return acknowledged + queued if acknowledged else None

    @property
    def _is_open(self) -> bool:
        return is_still_open(self._descriptor, self._inode)

    def _poll(self, events: int) -> list[Any]:
        poll = select.poll()
        poll.register(self._descriptor, events)
        return poll.poll(0)

    def _is_at_end(self) -> bool:
        """Return True if nothing is left to read and nothing more will come. Unread data hides the end."""
        try:
            with borrowed(self._descriptor) as connection:
                if not select.select([connection], [], [], 0)[0]:
                    return False
                return not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except OSError:  # reset
            return True
        except ValueError:  # a descriptor that select can't handle
            return False


class Pace:
    """The pace at which a response's client reads, for servers that accept every chunk at once and buffer it.

    Without a known connection, nothing is delayed.
    """

    __slots__ = ("_began", "_client", "_connection", "_given", "_size", "_written")

    def __init__(self, client: "Address | None") -> None:
        self._client = client
        self._began = time.monotonic()
        self._connection: Connection | None = None
        self._size = self._given = 0
        self._written: int | None = None

    async def wait(self, size: int) -> None:
        """Count the bytes of the next chunk. After each 64 KiB, first wait while the system accepts no more data."""
        if self._size >= _AT_ONCE and (connection := await self._find()) is not None:
            self._size, pause = 0, _LOOK
            while connection.is_full() or self._is_ahead(connection):
                await sleep(pause)
                # A client that reads slowly is looked at less and less often.
                pause = min(2 * pause, _LONGEST_LOOK)
        self._size += size
        self._given += size

    async def _find(self) -> Connection | None:
        """Return the connection.

        It is searched for once, on a thread, because with thousands of connections this takes too long for an event
        loop.
        """
        if self._connection is None and self._client is not None:
            client, self._client = self._client, None
            self._connection = await to_thread(Connection.of_client, client, self._began)
        return self._connection

    def _is_ahead(self, connection: Connection) -> bool:
        """Return True while the server buffers a lot of data that it has yet to write."""
        written = connection.count_written()
        if written is None:
            return False
        if self._written is None:  # bytes are counted from here
            self._written, self._given = written, 0
        return self._given - (written - self._written) > _MOST_KEPT


BACKLOG = 1024
"""The maximum number of connections that the kernel queues."""

_EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
_DROP_UNSENT = struct.pack("ii", 1, 0)
"""The value of SO_LINGER for not lingering after the close."""


_MOST_DESCRIPTORS = 1 << 20
_OWN_DESCRIPTORS = 64
"""The number of descriptors that are kept for files, databases and other servers, unless a tenth of all is more."""


def raise_descriptor_limit() -> None:
    """Let this process open as many descriptors as it is allowed to."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else hard
    if soft < most and soft != resource.RLIM_INFINITY:
        with suppress(OSError, ValueError):  # macOS has another limit for each process
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def room_for_connections() -> int:
    """Return how many connections this process may have open, and still have descriptors for other files."""
    if sys.platform == "win32":
        return _MOST_DESCRIPTORS
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    descriptors = _MOST_DESCRIPTORS if soft == resource.RLIM_INFINITY else min(soft, _MOST_DESCRIPTORS)
    return max(1, descriptors - max(_OWN_DESCRIPTORS, descriptors // 10))


def reserved_for_probes(room: int) -> int:
    """Return how many of these connections are kept for probes: a twentieth, or 64 if that is at most a quarter."""
    return max(room // 20, min(64, room // 4))


def explain_few_descriptors() -> str:
    """Return a sentence if the limit of descriptors leaves room for few connections, even raised; otherwise ""."""
    raise_descriptor_limit()
    room = room_for_connections()
    if room > _OWN_DESCRIPTORS:
        return ""
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 4 * _OWN_DESCRIPTORS
    most = room - reserved_for_probes(room)
    return f"ulimit -n is {limit}, which leaves room for {most} connections in each worker: allow at least {needed}."


def make_unknown_listener(family: socket.AddressFamily) -> socket.socket:
    """Return a non-blocking listening socket of the given family, at an unannounced address of this machine."""
    listener = socket.socket(family)
    if family != socket.AF_UNIX:
        listener.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        listener.listen(0)
    elif sys.platform == "linux":
        listener.bind("")  # a name chosen by the kernel, not a file
        listener.listen(0)
    else:
        from tempfile import TemporaryDirectory

        with TemporaryDirectory() as folder:
            listener.bind(os.path.join(folder, "nobody"))
            listener.listen(0)
    listener.setblocking(False)
    return listener


def count_waiting(listener: socket.socket) -> int:
    """Return the number of connections in a listening socket's queue; 0 if the system does not provide that."""
    if sys.platform != "linux" or listener.family == socket.AF_UNIX:
        return 0
    information = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 28)
    return int.from_bytes(information[24:28], sys.byteorder)  # tcpi_unacked, the queue length of a listening socket


def close_accepted(address: Any, *, drop_unsent: bool = False) -> None:
    """Shut down all connections of this process that were accepted at the address of a listening socket.

    Data that was already sent still arrives, unless it is dropped. Granian doesn't expose its connections, so they are
    found among the process's descriptors. Raises NotImplementedError if the system doesn't list these.
    """
    for each in accepted_at(address):
        close(each, drop_unsent=drop_unsent)


def close(connection: OpenConnection, *, drop_unsent: bool = False) -> None:
    """Shut a connection down unless it has been closed. Data that was already sent still arrives, unless dropped."""
    # A copy, since the server may close its own descriptor at any time, and reuse it for another connection. No scan
    # may see it.
    with _descriptors.lock, suppress(OSError), socket.socket(fileno=os.dup(connection.descriptor)) as copy:
        if is_still_open(copy.fileno(), connection.file[1]):
            if drop_unsent:
                copy.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _DROP_UNSENT)
            copy.shutdown(socket.SHUT_RDWR)


def accepted_at(address: Any) -> list[OpenConnection]:
    """Return the connections that were accepted at the address of a listening socket."""
    return [each for each in open_connections() if _is_accepted_at(address, each.own)]


def _is_accepted_at(address: Any, own: Any) -> bool:
    """Return True if a connection's own address is the listening address."""
    if not isinstance(own, tuple) or len(own) != len(address):  # the name of a unix socket, or IPv4 and IPv6
        return bool(own == address)
    return own[1] == address[1] and address[0] in (own[0], *_EVERY_ADDRESS)
