"""Bodies that are files: sent in pieces, or by a server that recognises them and knows better ways."""

import os
from collections.abc import Iterator
from io import FileIO
from stat import S_ISREG
from typing import Protocol, Self

PIECE = 256 << 10
"""Bytes that are read at once: few, since each piece may cost a change of threads."""

_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NEVER_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)


class Windowed(Protocol):
    """A body of which any part can be sent in its place, as for ranges (RFC 9110 §14).

    Windows may be iterated one after another. Whoever sends windows closes, at the end, the body that they are of, if
    it has ``close``.
    """

    @property
    def length(self) -> int | None:
        """Its size in bytes; None where nobody knows, and then it has no windows."""
        ...

    def window(self, offset: int, length: int) -> "Windowed":
        """``length`` bytes from ``offset``, counted from this body's start. Raises ValueError for what is not in it."""
        ...

    def __iter__(self) -> Iterator[bytes]: ...


def is_at_hand(body: object) -> bool:
    """Whether the pieces of a body need not be waited for, since it is a file or made of parts of one."""
    return getattr(body, "is_at_hand", False)


class ReadableFile(Protocol):
    """The file objects that can be sent: they give bytes."""

    def read(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


class FileBody:
    """``length`` bytes of the file at an absolute path, from ``offset``. A value: it may be iterated again.

    The file is opened when its first piece is asked for, and closed in every case. Its pieces are ``length`` bytes in
    all, or they break off with an error: OSError when it can't be opened, EOFError when it has become too short.
    """

    __slots__ = ("length", "offset", "path")
    is_at_hand = True

    def __init__(self, path: str, offset: int, length: int) -> None:
        self.path = path
        self.offset = offset
        self.length = length

    def window(self, offset: int, length: int) -> Self:
        """A part of this part. Raises ValueError for what is not in it."""
        _check_window(offset, length, self.length)
        return type(self)(self.path, self.offset + offset, length)

    def __iter__(self) -> Iterator[bytes]:
        with self.open() as file:
            yield from _pieces(file, self.length)

    def open(self) -> FileIO:
        """The file, unbuffered, at ``offset``. Raises OSError or EOFError when it can't be sent any more."""
        file = FileIO(self.path, "rb", opener=_open)
        try:
            found = os.fstat(file.fileno())
            if not S_ISREG(found.st_mode):
                raise OSError(f"not a regular file: {self.path!r}")
            if found.st_size < self.offset + self.length:
                raise _too_short(self.offset + self.length - found.st_size)
            file.seek(self.offset)
        except BaseException:
            file.close()
            raise
        return file

    def size_by_path(self) -> int | None:
        """How large the file at the path is now. None where a server that is told the path could not send this."""
        try:
            found = os.stat(self.path)
            self.path.encode()
        except (OSError, UnicodeEncodeError):
            return None
        return found.st_size if S_ISREG(found.st_mode) and found.st_size >= self.offset + self.length else None

    def __repr__(self) -> str:
        return f"FileBody({self.path!r}, {self.offset}, {self.length})"


class OpenFile:
    """What comes from an open file object: ``length`` bytes from ``offset``, or its rest where both are None.

    It is its own iterator, and closing it closes the file.
    """

    __slots__ = ("_file", "_pieces", "length", "offset")
    is_at_hand = True

    def __init__(self, file: ReadableFile, offset: int | None, length: int | None) -> None:
        self._file = file
        self._pieces: Iterator[bytes] | None = None
        self.offset = offset
        self.length = length

    def window(self, offset: int, length: int) -> Self:
        """A part of this part, of the same file object. Raises ValueError for what is not in it."""
        if self.offset is None or self.length is None:
            raise ValueError("a file without a position has no windows")
        _check_window(offset, length, self.length)
        return type(self)(self._file, self.offset + offset, length)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._pieces is None:
            if self.offset is not None:
                self._file.seek(self.offset)  # type: ignore[attr-defined]  # it had an offset to be asked for
            self._pieces = _pieces(self._file, self.length)
        return next(self._pieces)

    def close(self) -> None:
        """Close the file object."""
        self._file.close()


def _open(path: str, flags: int) -> int:  # noqa: ARG001 - what io asks for lacks the flags for what is no file
    return os.open(path, _FLAGS | _NEVER_WAIT)


def _check_window(offset: int, length: int, available: int) -> None:
    if not 0 <= offset <= offset + length <= available:
        raise ValueError(f"{length} bytes from {offset} are not within {available}")


def _pieces(file: ReadableFile, length: int | None) -> Iterator[bytes]:
    """What is read, up to a length. Raises EOFError when there is less."""
    read = getattr(file, "read1", file.read)
    left = length
    while left is None or left > 0:
        piece: bytes | None = read(PIECE if left is None else min(PIECE, left))
        if piece is None:
            raise BlockingIOError("a file that does not block has nothing to be read yet")
        if not piece:
            if left is None:
                return
            raise _too_short(left)
        yield piece
        left = left and left - len(piece)


def _too_short(missing: int) -> EOFError:
    return EOFError(f"the file has become {missing} bytes shorter than what was promised of it")
