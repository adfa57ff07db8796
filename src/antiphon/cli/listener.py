"""The listening socket: either bound by `antiphon`, which reports if the port is already in use, or received from
systemd.

A single one is bound without SO_REUSEPORT, so no other server can share the port while it is open. Several workers have
one each, which share the port; a server that begins to share it later gets no connections.

New connections are distributed among the workers of a server, on Linux:

| the worker of a slot | new connections |
|---|---|
| serves, and its loop turns | each goes to one of these at random |
| serves, but its loop is late: it is blocked, overloaded or stopped | none, until it turns |
| serves, and its loop turns, but it is almost full (`--max-connections`) | none, until it has room |
| is starting or has ended | none; those that wait are served by the slot's next worker |
| any, if none turns and has room | each goes to one that serves; if none does, to any slot |

Each slot has a listening socket, kept open by the supervisor; all share one address (SO_REUSEPORT). A program in the
kernel chooses a socket for each connection, and the supervisor replaces it whenever a worker's state changes. If all
workers shared one socket, the kernel would prefer one that is idle, and a blocked one would go on accepting, since the
threads of its server need no Python.

A loop is late once it has broken its promise to turn. It promises again at each turn, which a thread causes, also while
there are no requests, since a stopped worker can't report anything. It doesn't promise while it is almost full.
"""

import asyncio
import errno
import os
import socket
import stat
import struct
import sys
import time
from array import array
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from threading import Event, Thread
from typing import NamedTuple, Protocol

from antiphon.adapters.connection import BACKLOG
from antiphon.cli.errors import Refused

OFTEN = 0.1
"""Seconds between two turns that are caused. This takes 2 milliseconds of CPU a second, in each process."""
LATE = 0.3
"""Seconds by which a turn may be late."""

_OF_CONNECTIONS = {
    "TCP_NODELAY": 1, "TCP_KEEPIDLE": 20, "TCP_KEEPALIVE": 20, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 4,
    "TCP_USER_TIMEOUT": 60_000,
}  # fmt: skip
"""The options of TCP connections: the client's system is asked each ten seconds, once it has been silent for 20, and a
connection ends if it hasn't responded for a minute, or if the client hasn't read for a minute what it was sent.
"""
_SO_ATTACH_REUSEPORT_CBPF = 51
_LOAD, _MODULO, _IF_EQUAL, _RETURN = 0x20, 0x94, 0x15, 0x06
"""Instructions of classic BPF (linux/bpf_common.h): BPF_LD+W+ABS, BPF_ALU+MOD+K, BPF_JMP+JEQ+K and BPF_RET+K."""
_RANDOM = 0xFFFFF000 + 56
"""The address of a random number: SKF_AD_OFF + SKF_AD_RANDOM."""


def direct(listeners: Sequence[socket.socket], chosen: Sequence[int]) -> None:
    """Direct new connections to some of the listeners, by their indexes, at random. Raises OSError."""
    program = [(_LOAD, 0, 0, _RANDOM), (_MODULO, 0, 0, len(chosen))]
    for number, index in enumerate(chosen):
        program += [(_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, index)]
    program.append((_RETURN, 0, 0, chosen[0]))  # never reached, but a program has to end
    code = array("B", b"".join(struct.pack("=HBBI", *each) for each in program))
    described = struct.pack("HP", len(program), code.buffer_info()[0])  # struct sock_fprog
    listeners[0].setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, described)


class Promising(Protocol):
    """The place of a worker."""

    @property
    def due(self) -> float | None:
        """The time by which the worker's loop has promised to turn and to have room; None if no worker is serving."""
        ...


class Balance:
    """The choice of the workers that get new connections."""

    def __init__(self, listeners: Sequence[socket.socket], slots: Sequence[Promising]) -> None:
        self._listeners = listeners
        self._slots = slots
        self._is_wanted = asyncio.Event()
        self._chosen = [*range(len(listeners))]
        self._until = 0.0

    def look(self) -> None:
        """Choose again soon, because a worker has begun to serve or has ended."""
        self._is_wanted.set()

    def has_turned(self, due: float) -> None:
        """Take in the promise of a worker: choose again if it was late, or may be late before the next look."""
        if due < self._until or len(self._chosen) < len(self._listeners):
            self.look()

    async def keep(self) -> None:
        """Choose at once, and again whenever something has changed."""
        while True:
            self._is_wanted.clear()
            now = time.monotonic()
            serving = {index: slot.due for index, slot in enumerate(self._slots) if slot.due is not None}
            punctual = [index for index, due in serving.items() if due > now]
            self._choose(punctual or [*serving] or [*range(len(self._listeners))])
            self._until = min((serving[index] or now for index in punctual), default=now + OFTEN)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_wanted.wait(), self._until - now)

    def _choose(self, chosen: list[int]) -> None:
        if chosen != self._chosen:
            with suppress(OSError):  # the kernel lacks memory, and has some at the next look
                direct(self._listeners, chosen)
                self._chosen = chosen


def promise_turns(
    loop: asyncio.AbstractEventLoop | None, has_room: Callable[[], bool], promise: Callable[[float], object]
) -> None:
    """In a worker, call ``promise`` at each turn with the seconds within which the next one comes, if it has room.

    Without a loop, turns are those of a thread, which needs only the GIL.
    """
    has_turned = Event()
    has_turned.set()

    def turn() -> None:
        promise(OFTEN + LATE if has_room() else 0.0)
        has_turned.set()

    def turn_for_ever() -> None:
        while True:
            if has_turned.is_set():
                has_turned.clear()
                try:
                    turn() if loop is None else loop.call_soon_threadsafe(turn)
                except RuntimeError:  # the loop is closed
                    return
            time.sleep(OFTEN)

    Thread(target=turn_for_ever, name="antiphon-turns", daemon=True).start()


def listen(host: str, port: int, number: int = 1) -> list[socket.socket]:
    """Bind `host` and `port` (0 means any free port) and listen, with a number of sockets or one. Raises `Refused`."""
    family, address = _resolve(host, port)
    try:
        listeners = _bound(address, family, number if sys.platform == "linux" else 1)
        for listener in listeners:
            _set_options(listener)
        return listeners
    except OSError as error:
        raise Refused(_bind_failure(error, _authority(host, port))) from None


def _set_options(listener: socket.socket) -> None:
    """Set the options that connections inherit, by which they end if the client has disappeared."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _OF_CONNECTIONS.items():
        if (option := getattr(socket, name, None)) is not None:  # not each system has all of them
            listener.setsockopt(socket.IPPROTO_TCP, option, value)


def _bound(address: tuple[str, int], family: int, number: int) -> list[socket.socket]:
    """Return a number of sockets that share an address; only one if the kernel can't be told to choose among them."""
    if number == 1:
        return [socket.create_server(address, family=family, backlog=BACKLOG)]
    if address[1]:
        with socket.socket(family) as alone:  # a server that would share the address must not be joined
            alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            alone.bind(address)
    with ExitStack() as undo:
        listeners: list[socket.socket] = []
        for _ in range(number):
            listener = socket.create_server(address, family=family, backlog=BACKLOG, reuse_port=True)
            listeners.append(undo.enter_context(listener))
            address = listener.getsockname()[:2]  # with the port
        with suppress(OSError):
            direct(listeners, range(number))
            undo.pop_all()
            return listeners
    return _bound(address, family, 1)


def http_url(host: str, listener: socket.socket) -> str:
    """Return the URL to open in a browser, with the host as given and the port of `listener`."""
    return f"http://{_authority(host, listener.getsockname()[1])}"


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"  # RFC 3986 §3.2.2


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    try:
        name = host.encode() if host.isascii() else host  # as text, it would import the tables for other scripts
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a host name"
        raise Refused(f"The host {host!r} does not resolve: {reason}.") from None
    # A name with IPv4 and IPv6 addresses, such as localhost, is served over IPv4, which every client tries.
    family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return family, (str(address[0]), port)


def _bind_failure(error: OSError, address: str) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return (
                f"The address {address} is taken: another program listens there. "
                "Stop it, or choose another port (--port 0 picks a free one)."
            )
        case errno.EACCES | errno.EPERM:
            return f"This user is not allowed to listen on {address}. Choose a port above 1023."
        case errno.EADDRNOTAVAIL:
            return f"{address} is not an address of this machine. --host 0.0.0.0 listens on all of its addresses."
        case number:
            return f"The address {address} cannot be bound: {os.strerror(number) if number else error}."


def listen_at(path: str | os.PathLike[str], permissions: int | None = None) -> socket.socket:
    """Bind a unix socket at `path`, which may be relative, and listen. Raises `Refused`.

    The default permissions are 777, minus the umask.
    """
    absolute = os.path.abspath(path)
    if not is_utf8(absolute):
        raise Refused(f"The path {absolute!r} is not UTF-8, which Granian needs to serve there.")
    with ExitStack() as undo:
        listener = undo.enter_context(UnixListener(socket.AF_UNIX))
        try:
            _remove_stale_socket(absolute)
            listener.bind(absolute)
            if permissions is not None:
                os.chmod(absolute, permissions)  # before clients can connect
            listener.listen(BACKLOG)
        except OSError as error:
            raise Refused(_unix_bind_failure(absolute, error)) from None
        undo.pop_all()
        return listener


class UnixListener(socket.socket):
    """A socket that removes its file when closed, unless another file has taken its place."""

    _file: os.stat_result | None = None

    def bind(self, address: str) -> None:  # type: ignore[override]  # of the addresses of this family
        """Bind the socket to a path where no file exists."""
        super().bind(address)
        self._file = os.stat(address)

    def close(self) -> None:
        """Remove the file, then close."""
        if self._file is not None:
            path = self.getsockname()
            with suppress(OSError):
                if os.path.samestat(self._file, os.lstat(path)):
                    os.unlink(path)
            self._file = None
        super().close()


def is_utf8(path: str) -> bool:
    """Return True unless a path has bytes that are not UTF-8."""
    try:
        path.encode()
    except UnicodeEncodeError:  # Python represents other bytes as surrogates
        return False
    return True


def _remove_stale_socket(path: str) -> None:
    """Remove a socket on which nothing listens. Raises OSError, or `Refused` if the path contains anything else."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise Refused(f"The file at {path} is not a socket, so it is left alone. Choose another path.")
    with socket.socket(socket.AF_UNIX) as client:
        client.setblocking(False)  # a busy server would make it wait
        number = client.connect_ex(path)
    match number:
        case errno.ECONNREFUSED:
            os.unlink(path)
        case errno.EACCES | errno.EPERM:
            raise PermissionError(number, os.strerror(number))
        case _:
            raise Refused(f"The path {path} is taken: another program listens there. Stop it, or choose another path.")


def _unix_bind_failure(path: str, error: OSError) -> str:
    if error.errno is None:  # Python detected it, not the system
        return f"The path {path} is too long for a socket: the limit is about 100 bytes."
    return f"A socket can't be created at {path}: {os.strerror(error.errno)}."


_FIRST = 3
"""The first file descriptor that systemd passes."""


class GivenSocket(NamedTuple):
    """A socket that systemd keeps open, so connections wait in it while the service restarts."""

    descriptor: int

    @property
    def is_for_loopback(self) -> bool:
        """False, since only systemd knows who can connect to the socket."""
        return False

    def listen(self, _: int = 1) -> tuple[list[socket.socket], str]:
        """Return the listening socket and its address. Raises `Refused`."""
        try:
            listener = socket.socket(fileno=self.descriptor)
        except OSError as error:
            raise Refused(
                f"LISTEN_FDS is 1, but descriptor {self.descriptor} is not a socket ({error.strerror}): pass one that"
                " listens, or unset LISTEN_FDS and LISTEN_PID."
            ) from None
        listener.set_inheritable(False)
        if not listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            raise Refused("The socket that systemd passes does not listen: name a ListenStream, without Accept=yes.")
        if listener.family == socket.AF_UNIX:
            return [listener], f"unix:{listener.getsockname()}"
        _set_options(listener)
        return [listener], http_url(listener.getsockname()[0], listener)


def given_socket() -> GivenSocket | None:
    """Return the socket that systemd passes to this process, or None if it passes none.

    Raises `Refused` if it passes several.
    """
    names = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
    process, count, _ = (os.environ.get(name) for name in names)
    if process != str(os.getpid()) or count in (None, "0"):
        return None
    for name in names:  # processes started by this one must not see them
        os.environ.pop(name, None)
    if count is not None and not count.isdecimal():
        raise Refused(f"LISTEN_FDS must be the number of passed sockets, not {count!r}.")
    if count != "1":
        raise Refused(f"systemd passes {count} sockets, but only one is supported: name one ListenStream.")
    return GivenSocket(_FIRST)


def notify(state: str) -> None:
    """Send the state of this service, such as "READY=1", to systemd if requested (Type=notify)."""
    name = os.environ.pop("NOTIFY_SOCKET", "")
    if name:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(state.encode(), f"\0{name[1:]}" if name.startswith("@") else name)
