"""A request's body, in memory if it is small, otherwise in an unnamed file, and parts of it as file objects."""

import os
from collections.abc import Callable, Iterator
from errno import EINVAL
from functools import partial
from io import SEEK_END, BufferedReader, BytesIO, RawIOBase
from time import monotonic
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakSet

from antiphon.concurrency.loop import yield_to_loop
from antiphon.explanations import explained
from antiphon.http.errors import InsufficientStorage
from antiphon.uploads.temporary_file import WRITE_TIMES, UnnamedFile, write_all

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


T = TypeVar("T")

BATCH = 1 << 20
"""The number of bytes written to the file at a time."""
SHARE = 16 << 20
"""The maximum number of waiting bytes in memory in all spools of the process. Each spool may always keep one block."""
BLOCK = 256 << 10
"""The size of a write in bytes. Writes begin and end at a multiple of it, which saves file systems a quarter of the
time. Twice this size would need contiguous memory on Linux, which can take long to find.
"""
THRESHOLD = 5 * BLOCK
"""The maximum size of a body that is kept in memory, in bytes: a file of 1 MiB and the other fields of its form."""
CHUNK = 256 << 10
"""The default chunk size in bytes."""

# Freed at once, without touching a page. After that, glibc keeps up to twice as many freed bytes for later use
# (M_TRIM_THRESHOLD in mallopt(3)): a body and its copies. Otherwise, each large body may cost hundreds of page faults.
bytes(2 * THRESHOLD)


class Spool:
    """A store for the chunks of a body, in order, from which any part can be read.

    Up to ``threshold`` bytes are kept in memory; ``data`` contains the first ones. More bytes go to one file in
    ``folder`` (None: the system's temporary folder), ``BATCH`` bytes at a time. While there are many large spools, both
    limits are lower. Code that may block calls ``write``. An event loop calls ``add``, and ``flush`` if ``is_due``, on
    a thread unless ``flushes_at_once``. Once all bytes are stored, any number of threads can read, even while the spool
    is being closed: they get their bytes or ValueError.
    """

    __slots__ = ("__weakref__", "_due_at", "_file", "_folder", "_waiting", "_written", "is_closed", "size")

    def __init__(
        self, folder: str | os.PathLike[str] | None = None, data: bytes = b"", threshold: int = THRESHOLD
    ) -> None:
        self.size = len(data)
        """The number of bytes stored so far."""
        self.is_closed = False
        self._waiting: bytes | BytesIO = data
        """The bytes that are not in the file: as they came, or in a buffer that grows, whose pages are used again."""
        self._file: UnnamedFile | None = None
        self._written = 0
        self._due_at = threshold + 1
        self._folder = folder

    @classmethod
    def over(cls, path: str | os.PathLike[str]) -> "Spool":
        """Return a spool whose bytes are those of an existing file. Don't add any. Raises OSError."""
        spool = cls()
        spool._file = file = UnnamedFile.over(path)
        spool._written = spool.size = file.size
        return spool

    @property
    def in_memory(self) -> bool:
        """True if there is no file."""
        return self._file is None

    def write(self, data: bytes) -> None:
        """Add a chunk, and write to the file if a write is due. Raises the same errors as ``flush``."""
        self.add(data)
        if self.is_due:
            self.flush()

    def add(self, data: bytes) -> None:
        """Add a chunk, in memory. Raises ValueError if the spool is closed."""
        if self.is_closed:
            raise _freed()
        waiting = self._waiting
        if not waiting:
            self._waiting = data
        elif isinstance(waiting, bytes):
            self._waiting = buffer = BytesIO(waiting)
            buffer.seek(0, SEEK_END)
            buffer.write(data)
        else:
            waiting.write(data)
        self.size += len(data)

    def check_open(self) -> None:
        """Raise ValueError if the spool is closed."""
        if self.is_closed:
            raise _freed()

    @property
    def is_due(self) -> bool:
        """True if enough bytes wait in memory to be written to the file."""
        return self.size >= self._due_at or (
            self.size - self._written >= BLOCK and self._due_at - self._written <= SHARE + 1 and self._exceeds_share()
        )

    def _exceeds_share(self) -> bool:
        """True if more bytes wait in memory here than the number of other large spools allows."""
        _large.add(self)
        return self.size - self._written > SHARE // len(_large)

    @property
    def flushes_at_once(self) -> bool:
        """True if an event loop may ``flush``, because there is already a file and writes are fast."""
        return self._file is not None and WRITE_TIMES.are_short

    def flush(self) -> None:
        """Write the bytes that wait in memory to the file: complete blocks, or all bytes if there is less than a block.

        Raises InsufficientStorage (507) if the disk is full, and other OSErrors; all bytes are then freed. Raises
        ValueError if the spool is closed.
        """
        self.check_open()
        file = self._file
        waiting = memoryview(self._whole())
        end = len(waiting) - (self.size % BLOCK if len(waiting) >= BLOCK else 0)
        try:
            with InsufficientStorage.if_disk_is_full():
                file = file or UnnamedFile(self._folder)
                before = monotonic()
                for start in range(-(self._written % BLOCK), end, BLOCK):
                    file.append(waiting[max(start, 0) : min(start + BLOCK, end)])
        except BaseException:
            self.close()
            if file is not None:
                file.discard()
            raise
        WRITE_TIMES.add(monotonic() - before)
        self._file = file
        self._written = file.size
        self._due_at = file.size + BATCH
        self._waiting = bytes(waiting[end:])

    async def aflush(self, may_block: bool) -> None:
        """Do what ``flush`` does: at once if this thread ``may_block``, otherwise without blocking the event loop."""
        if may_block:
            self.flush()
        elif self.flushes_at_once:
            self.flush()
            await yield_to_loop()
        else:
            await on_file_thread(self.flush)

    def getvalue(self) -> bytes:
        """Return all bytes, uncopied if they came in one chunk. Raises ValueError if they are in a file or the spool is
        closed.
        """
        if self._file is not None:
            raise explained("bad-file-use", f"these {self.size} bytes are in a file: they are read in parts")
        return self._whole()

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``. Raises ValueError if the spool is closed, and OSError."""
        if offset < 0 or length < 0:
            raise explained("bad-file-use", f"cannot read {length} bytes from {offset}: neither may be negative")
        file, written, waiting = self._file, self._written, self._waiting
        self.check_open()
        end = min(offset + length, self.size)
        part = slice(max(offset - written, 0), max(end - written, 0))
        if isinstance(waiting, bytes):
            rest = waiting[part]
        else:  # more may come: taken out as a whole, the buffer would be made anew
            with waiting.getbuffer() as view:
                rest = bytes(view[part])
        if file is None or offset >= written:
            return rest
        read = file.read_at(offset, min(end, written) - offset)
        return read + rest if rest else read

    def reader_of_file(self, offset: int, length: int) -> Callable[[], bytes] | None:
        """Return a function that reads the bytes in this range that are in the file.

        Return None if none of them are. The function works while more bytes are added, and raises OSError.
        """
        file, length = self._file, min(length, self._written - offset)
        return partial(file.read_at, offset, length) if file is not None and length > 0 else None

    def chunk_at(self, offset: int) -> bytes:
        """Return a chunk of at most ``CHUNK`` bytes from an offset; empty if no more are kept."""
        return self.read_at(offset, CHUNK) if offset < self.size else b""

    async def achunk_at(self, offset: int) -> bytes:
        """Do what ``chunk_at`` does, on an event loop: a thread reads the file."""
        read = self.reader_of_file(offset, CHUNK)
        return self.chunk_at(offset) if read is None else await on_file_thread(read)

    def read_all(self) -> bytes:
        """Return all bytes, uncopied if they came in one chunk and are in memory."""
        return self.getvalue() if self.in_memory else self.read_at(0, self.size)

    def read_into(self, target: memoryview, offset: int) -> int:
        """Read bytes from ``offset`` into ``target``. Return how many were read: 0 at the end. Raises the same errors
        as ``read_at``.
        """
        file, written = self._file, self._written
        if file is None or offset >= written:
            data = self.read_at(offset, len(target))
            target[: len(data)] = data
            return len(data)
        return file.read_into(target[: written - offset], offset)

    def copy_to(self, descriptor: int, offset: int, length: int) -> None:
        """Write ``length`` bytes from ``offset`` to a file; the kernel copies them if it can.

        Raises ValueError if the spool is closed or doesn't contain them, and OSError.
        """
        end = offset + length
        if not 0 <= offset <= end <= self.size:
            raise explained("bad-file-use", f"{length} bytes from {offset} are not within {self.size}")
        file, written, waiting = self._file, self._written, self._whole()
        if file is not None and offset < written:
            file.copy_to(descriptor, offset, min(end, written) - offset)
        if end > written:
            write_all(descriptor, memoryview(waiting)[max(offset - written, 0) : end - written])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Create a file that only this user can read, with all bytes. They are not written again if they are in an
        unnamed file of the same file system. Don't add any. Raises FileExistsError and other OSErrors.
        """
        while self._file is not None and self._written < self.size:
            self.flush()
        if self._file is None or not self._file.give_name(path):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
            try:
                self.copy_to(descriptor, 0, self.size)
            finally:
                os.close(descriptor)

    def share(self) -> "Spool":
        """Return a spool with the same bytes that stays open when this one is closed. Don't add bytes to either."""
        shared = Spool()
        shared._waiting = self._whole()
        shared._file = self._file
        shared._written = self._written
        shared.size = self.size
        return shared

    def close(self) -> None:
        """Free all bytes. The file is deleted with its last reader, unless another spool shares it. You can call it
        again.
        """
        self.is_closed = True
        _large.discard(self)
        self._file = None
        self._waiting = b""

    def _whole(self) -> bytes:
        """Return all bytes in memory as one object. Raises ValueError if the spool is closed, even during the call."""
        waiting = self._waiting
        if isinstance(waiting, BytesIO):
            self._waiting = waiting = waiting.getvalue()  # without a copy
        if self.is_closed:
            self._waiting = b""
            raise _freed()
        return waiting


_large: "WeakSet[Spool]" = WeakSet()
"""The open spools that contain at least a block."""


async def on_file_thread(function: Callable[[], T]) -> T:
    """Call a function on a thread that never waits for a body, because threads that do could wait for each other."""
    from antiphon.concurrency.crossing import Crossing

    return await Crossing.for_files().run(function)


def _freed() -> ValueError:
    return explained(
        "bad-file-use",
        "the body of a request is freed when the request ends: detach() an upload before that, to read it later",
    )


_BUFFER = 16 << 10


class Window(BufferedReader):
    """A read-only file object for ``length`` bytes of a spool, from ``offset`` on.

    It has its own position, and several threads can use it. Closing it doesn't close the spool; once the spool is
    closed, reading raises ValueError. Raises ValueError for a range outside the spool.
    """

    def __init__(self, spool: Spool, offset: int, length: int) -> None:
        super().__init__(_Part(spool, offset, length), _BUFFER)

    def chunks(self, size: int = CHUNK) -> Iterator[bytes]:
        """Return the remaining bytes, in chunks of ``size`` bytes. Raises ValueError for a size below 1."""
        if size < 1:
            raise explained("bad-file-use", f"a chunk must have at least one byte, not {size}")
        return iter(lambda: self.read(size), b"")


class _Part(RawIOBase):
    """The unbuffered file below a window."""

    def __init__(self, spool: Spool, offset: int, length: int) -> None:
        if not 0 <= offset <= offset + length <= spool.size:
            raise explained("bad-file-use", f"{length} bytes from {offset} are not within {spool.size}")
        self._spool = spool
        self._offset = offset
        self._length = length
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        start = self._position
        size = self._spool.read_into(memoryview(buffer)[: max(self._length - start, 0)], self._offset + start)
        self._position = start + size
        return size

    def readall(self) -> bytes:
        start = self._position
        data = self._spool.read_at(self._offset + start, max(self._length - start, 0))
        self._position = start + len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if whence == os.SEEK_CUR:
            offset += self._position
        elif whence == os.SEEK_END:
            offset += self._length
        elif whence != os.SEEK_SET:
            raise explained(
                "bad-file-use",
                f"whence must be 0, 1 or 2 (the start, the position or the end of the file), not {whence}",
            )
        if offset < 0:
            raise OSError(EINVAL, "there is nothing before the start of a file")
        self._position = offset
        return offset

    def tell(self) -> int:
        return self._position
