"""Files that a body is read from, and files that it is stored in."""

from collections.abc import Iterator
from io import BytesIO, RawIOBase
from typing import IO, TYPE_CHECKING, Any

from antiphon.embedding import Spool, Window

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_CHUNK = 64 << 10


class DisconnectionError(OSError):
    """A body that ended before all its bytes had arrived."""


class LimitedLengthFile(RawIOBase):
    """The next ``maxlen`` bytes of a file. Raises DisconnectionError if the file has fewer."""

    def __init__(self, file: IO[bytes], maxlen: int) -> None:
        self.file = file
        self.maxlen = maxlen
        self.remaining = maxlen

    def __repr__(self) -> str:
        return f"<{type(self).__name__}({self.file!r}, maxlen={self.maxlen})>"

    def fileno(self) -> int:
        """Return the descriptor of the file."""
        return self.file.fileno()

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Read bytes into a buffer, and return their number."""
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), self.remaining)
        data = self.file.read(wanted) if wanted else b""
        self.remaining -= len(data)
        if wanted and not data:
            raise cut_off(self.remaining)
        view[: len(data)] = data
        return len(data)


def cut_off(missing: int) -> DisconnectionError:
    """Return the error for a body with missing bytes."""
    return DisconnectionError(f"the client disconnected while it sent the body: {missing} more bytes were expected")


class StoredBody(Window):
    """A body that was stored, as a file that can be read again."""

    def __init__(self, spool: Spool) -> None:
        super().__init__(spool, 0, spool.size)
        self.spool = spool


class InMemoryFirst:
    """A file in memory, which is replaced by another one when it becomes too large."""

    def __init__(self, limit: int, make_file: Any) -> None:
        self.file: Any = BytesIO()
        self._limit = limit
        self._make_file = make_file
        self._size = 0

    def write(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._limit and type(self.file) is BytesIO:
            written = self.file.getvalue()
            self.file = self._make_file()
            self.file.write(written)
        self.file.write(data)

    def close(self) -> None:
        self.file.close()


def read_exactly(source: IO[bytes], length: int) -> bytes:
    data = source.read(length)
    if len(data) == length:
        return data
    return data + b"".join(_chunks(source, length - len(data)))


def copy(source: IO[bytes], length: int | None, target: Any) -> None:
    """Write as many bytes as ``length`` to ``target``, or all if it is None.

    Raises DisconnectionError if there are fewer, and what the source raises; then the target is closed.
    """
    try:
        for chunk in _chunks(source, length):
            target.write(chunk)
    except BaseException:
        target.close()
        raise


def _chunks(source: IO[bytes], length: int | None) -> Iterator[bytes]:
    while length is None or length > 0:
        data = source.read(_CHUNK if length is None else min(length, _CHUNK))
        if not data:
            if length is None:
                return
            raise cut_off(length)
        yield data
        length = None if length is None else length - len(data)
