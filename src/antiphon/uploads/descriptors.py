"""Complete reading, writing and copying of files by descriptor, with the kernel's help where possible."""

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from errno import EDQUOT, EFBIG, ENOSPC
from typing import TypeAlias

from antiphon.http.errors import InsufficientStorage

Way: TypeAlias = Callable[[int, int, int, int], int]
"""A function that copies up to ``length`` bytes from ``offset`` to another descriptor, and returns their number."""

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
        """Replace ``os.pread`` on systems without it, one call at a time. Moves the position."""
        with _position:
            os.lseek(descriptor, offset, os.SEEK_SET)
            try:
                return os.read(descriptor, length)
            finally:
                os.lseek(descriptor, 0, os.SEEK_END)


def read_all(descriptor: int, length: int, offset: int) -> bytes:
    """Read ``length`` bytes from ``offset``, with as many calls as necessary. Raises OSError, EOFError."""
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
    """Read at least one byte from ``offset`` into ``target``. Return their number. Raises OSError, EOFError."""
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
"""Ways to copy without using memory of this process. Some file systems and kernels support none of them."""
if hasattr(os, "copy_file_range"):
    IN_KERNEL.append(_by_copy_file_range)
if hasattr(os, "sendfile"):
    IN_KERNEL.append(_by_sendfile)


def copy(source: int, target: int, offset: int, length: int, ways: Iterable[Way] = IN_KERNEL) -> None:
    """Copy ``length`` bytes from ``offset`` of a file to another file's position. Raises OSError, EOFError.

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
    """A context manager that raises InsufficientStorage (507) instead of an OSError for a lack of space.

    It is not a generator, because the error would keep a generator's frames alive.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise InsufficientStorage("no disk space is left to store the request body") from error
