"""Unnamed temporary files, and complete reading, writing and copying of files by descriptor."""

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from errno import EDQUOT, EFBIG, ENOSPC
from functools import cache
from typing import Self, TypeAlias

from antiphon.http.errors import InsufficientStorage

Way: TypeAlias = Callable[[int, int, int, int], int]
"""A function that copies up to ``length`` bytes from ``offset`` to another descriptor, and returns how many."""

_AT_ONCE = 64 << 20
_CHUNK = 1 << 20
_MOST_CHUNKS = 1024
"""The largest number of chunks in one call (IOV_MAX)."""


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write all bytes, with as many calls as necessary. Raises OSError."""
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def write_chunks(descriptor: int, chunks: Sequence[bytes | memoryview]) -> None:
    """Write chunks one after another, if possible with one call and without a copy. Raises OSError."""
    if not 1 < len(chunks) <= _MOST_CHUNKS or not hasattr(os, "writev"):
        write_all(descriptor, b"".join(chunks))
        return
    written = os.writev(descriptor, chunks)
    if written < sum(map(len, chunks)):
        write_all(descriptor, memoryview(b"".join(chunks))[written:])


if hasattr(os, "pread"):
    pread = os.pread
else:
    from threading import Lock

    _position = Lock()

    def pread(descriptor: int, length: int, offset: int, /) -> bytes:
        """A substitute for ``os.pread`` on systems that lack it, used by one caller at a time. It moves the
        position.
        """
        with _position:
            os.lseek(descriptor, offset, os.SEEK_SET)
            try:
                return os.read(descriptor, length)
            finally:
                os.lseek(descriptor, 0, os.SEEK_END)


def read_all(descriptor: int, length: int, offset: int) -> bytes:
    """Read ``length`` bytes from ``offset``, with as many calls as necessary. Raises OSError or EOFError."""
    data = pread(descriptor, length, offset)
    if len(data) == length:
        return data
    chunks = []
    while data:
        chunks.append(data)
        length -= len(data)
        offset += len(data)
        data = pread(descriptor, length, offset)
    if length:
        raise _cut_short(length)
    return b"".join(chunks)


def read_into(descriptor: int, target: memoryview, offset: int) -> int:
    """Read at least one byte from ``offset`` into ``target``. Return how many. Raises OSError or EOFError."""
    if not hasattr(os, "preadv"):
        data = pread(descriptor, len(target), offset)
        target[: len(data)] = data
        size = len(data)
    else:
        size = os.preadv(descriptor, [target], offset)
    if not size and target:
        raise _cut_short(len(target))
    return size


def _cut_short(missing: int) -> EOFError:
    return EOFError(f"a file ends {missing} bytes before the end of the data that was written to it")


def _by_copy_file_range(source: int, target: int, offset: int, length: int) -> int:
    return os.copy_file_range(source, target, length, offset_src=offset)


def _by_sendfile(source: int, target: int, offset: int, length: int) -> int:
    return os.sendfile(target, source, offset, length)


IN_KERNEL: list[Way] = []
"""Functions that copy without using this process's memory. Some file systems and kernels support none of them."""
if hasattr(os, "copy_file_range"):
    IN_KERNEL.append(_by_copy_file_range)
if hasattr(os, "sendfile"):
    IN_KERNEL.append(_by_sendfile)


def copy(source: int, target: int, offset: int, length: int, ways: Iterable[Way] = IN_KERNEL) -> None:
    """Copy ``length`` bytes from ``offset`` of a file to another file's position. Raises OSError or EOFError.

    ``ways`` are tried in order; if one stops early, the next one continues with the rest.
    """
    end = offset + length
    for way in ways:
        with suppress(OSError):
            while offset < end and (copied := way(source, target, offset, min(end - offset, _AT_ONCE))):
                offset += copied
    if offset < end:
        _copy_by_hand(source, target, offset, end)


def _copy_by_hand(source: int, target: int, offset: int, end: int) -> None:
    buffer = memoryview(bytearray(min(end - offset, _CHUNK)))
    while offset < end:
        size = read_into(source, buffer[: end - offset], offset)
        write_all(target, buffer[:size])
        offset += size


NO_ROOM = frozenset({ENOSPC, EDQUOT, EFBIG})
"""Errors for a full disk or quota, and for exceeding the largest file size of a file system or process."""


class NoRoomIs507:
    """A context manager that raises InsufficientStorage (507) instead of an OSError if there is no space left.

    It is not a generator, because the error would keep a generator's frames alive.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise InsufficientStorage("no disk space is left to store the request body") from error


_IN_MEMORY = frozenset({"tmpfs", "ramfs"})
_MOUNTS = "/proc/self/mountinfo"


@cache
def warn_of_memory(folder: str) -> None:
    """Log a warning, once per folder, if the files in a folder are in memory."""
    if (kind := file_system(folder)) not in _IN_MEMORY:
        return
    import logging

    logging.getLogger("antiphon").warning(
        "large request bodies are written to %r, which is in memory (%s): name a folder on a disk, as with TMPDIR",
        folder,
        kind,
    )


def file_system(folder: str) -> str | None:
    """Return the type of a folder's file system, such as "ext4"; None if it is unknown."""
    try:
        with open(_MOUNTS, encoding="utf-8", errors="replace") as mounts:
            device = os.stat(folder).st_dev
            number = f"{os.major(device)}:{os.minor(device)}"
            for line in mounts:
                mount, _, described = line.partition(" - ")
                if mount.split(" ", 3)[2] == number:
                    return described.partition(" ")[0]
    except OSError:
        pass
    return None


class UnnamedFile:
    """A temporary file that grows at its end and can be read anywhere, in ``folder`` or the system's temporary folder.

    The file is closed with its last reference, so a thread that is still reading never reads a different file with the
    same descriptor. Raises OSError if the file can't be created.

    Its room isn't reserved on the disk: on ext4, a file that is gone before its bytes are written back then never takes
    any, while freeing reserved room waits for the disk with the ``discard`` option (3.5 ms for 1 MiB, instead of 0.1).
    """

    __slots__ = ("_descriptor", "size")

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        from tempfile import TemporaryFile, gettempdir

        self._descriptor = -1
        self.size = 0
        """The number of bytes appended so far."""
        folder = gettempdir() if folder is None else os.fspath(folder)
        with TemporaryFile(buffering=0, dir=folder) as file:
            # A file object that is garbage-collected in a cycle, before this object, would warn that it wasn't closed.
            self._descriptor = os.dup(file.fileno())
        warn_of_memory(folder)

    @classmethod
    def over(cls, path: str | os.PathLike[str]) -> Self:
        """Return an existing file, which is only read. Raises OSError."""
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        file = cls.__new__(cls)
        file._descriptor = descriptor  # noqa: SLF001 - of this very class
        file.size = os.fstat(descriptor).st_size
        return file

    def discard(self) -> None:
        """Close the file now. Nothing reads it any more, but the traceback of an error may hold a reference for a long
        time.
        """
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with suppress(OSError):  # bytes that could not be written are no longer needed
                os.close(descriptor)

    __del__ = discard

    def append(self, chunks: Sequence[bytes | memoryview]) -> None:
        """Write chunks at the end. Raises OSError, after which it is unknown how much was written."""
        write_chunks(self._descriptor, chunks)
        self.size += sum(map(len, chunks))

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``, which must have been appended. Any number of threads can read at
        once.
        """
        return read_all(self._descriptor, length, offset)

    def read_into(self, target: memoryview, offset: int) -> int:
        """Read appended bytes from ``offset`` into ``target``. Return how many were read."""
        return read_into(self._descriptor, target, offset)

    def copy_to(self, descriptor: int, offset: int, length: int) -> None:
        """Write ``length`` appended bytes from ``offset`` to another file. Raises OSError."""
        copy(self._descriptor, descriptor, offset, length)


SLOW = 0.002
"""The number of seconds after which a write is considered slow: ten times as long as a write to memory takes."""
WARY = 16
"""The number of consecutive fast writes that are required after a slow one."""


class WriteTimes:
    """A record of how long writes take, on any thread, which predicts the next one. The first write is assumed to be
    slow.
    """

    __slots__ = ("_wary",)

    def __init__(self) -> None:
        self._wary = 1

    @property
    def are_short(self) -> bool:
        """True if the next write is likely to be fast."""
        return not self._wary

    def add(self, seconds: float) -> None:
        """Record how many seconds a write took."""
        self._wary = WARY if seconds >= SLOW else max(self._wary - 1, 0)


WRITE_TIMES = WriteTimes()
"""How long this process's writes take, for all file systems together, because one loop serves bodies on all of them."""
