"""The listening unix socket and its file: what a server left behind is replaced, and nothing else is.

The file is removed when the socket is closed, so that the next server has the path while this one still drains.
"""

import errno
import os
import socket
import stat
from contextlib import ExitStack, suppress

from antiphon.cli.errors import Refused
from antiphon.cli.listener import BACKLOG


def listen_at(path: str | os.PathLike[str], permissions: int | None = None) -> socket.socket:
    """Bind a unix socket at `path` and listen. Its permissions are those given, or else what the umask leaves of 777.

    Raises `Refused`. A relative path is made absolute.
    """
    absolute = os.path.abspath(path)
    if not _is_utf8(absolute):
        raise Refused(f"The path {absolute!r} is not UTF-8, as it has to be for granian to serve there.")
    with ExitStack() as undo:
        listener = undo.enter_context(UnixListener(socket.AF_UNIX))
        try:
            _make_way(absolute)
            listener.bind(absolute)
            if permissions is not None:
                os.chmod(absolute, permissions)  # before anybody can connect
            listener.listen(BACKLOG)
        except OSError as error:
            raise Refused(_refusal(error, absolute)) from None
        undo.pop_all()
        return listener


class UnixListener(socket.socket):
    """A socket that removes its file when it is closed, unless another has taken the file's place."""

    _file: os.stat_result | None = None

    def bind(self, address: str) -> None:  # type: ignore[override]  # of the addresses of this family
        """Bind a path, at which there is nothing."""
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


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:  # how Python holds other bytes
        return False
    return True


def _make_way(path: str) -> None:
    """Remove a socket on which nobody listens. Raises `Refused` for anything else that is there, and OSError."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise Refused(f"At {path} there is no socket but something else, which is left alone. Choose another path.")
    with socket.socket(socket.AF_UNIX) as client:
        client.setblocking(False)  # a server that is busy would let it wait
        number = client.connect_ex(path)
    match number:
        case errno.ECONNREFUSED:
            os.unlink(path)
        case errno.EACCES | errno.EPERM:
            raise PermissionError(number, os.strerror(number))
        case _:
            raise Refused(
                f"The path {path} is taken: another program listens there. End that one, or choose another path."
            )


def _refusal(error: OSError, path: str) -> str:
    if error.errno is None:  # found by Python, not by the system
        return f"The path {path} is too long for a socket: it can have about 100 bytes."
    return f"There can be no socket at {path}: {os.strerror(error.errno)}."
