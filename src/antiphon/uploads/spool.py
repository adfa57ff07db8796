"""The body of one request: bytes in memory while they are few, else all but the last of them in an unnamed file."""

import os
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import TypeAlias

from antiphon.uploads.descriptors import no_room_is_507, write_all
from antiphon.uploads.temporary_file import WRITE_TIMES, UnnamedFile

THRESHOLD = 512 << 10
"""Bytes that a body has in memory."""
BATCH = 1 << 20
"""Bytes that go to the file at once."""
BLOCK = 256 << 10
"""At multiples of which writes begin and end, and how long they are: file systems take that in a quarter less time. Of
twice as much Linux keeps a block of the file in one contiguous run of memory, which may take it long to find."""

_MOST_LOOSE = 256

Block: TypeAlias = list[bytes | memoryview]
"""The chunks of a block, of which the first and the last may be parts."""


class Spool:
    """Takes the chunks of a body in their order, and gives any part of them.

    Up to ``threshold`` bytes, of which ``data`` are the first, are kept in memory. More go to one file in ``folder``
    (None: where this system has temporary files), a batch at a time. Where blocking is allowed, ``write`` does that; an
    event loop calls ``add``, and when ``is_due`` says so ``flush``, on a thread unless ``flushes_at_once``. Once it is
    complete, any number of threads may read it, also while it is closed: they get what they want, or the ValueError of
    what is closed.
    """

    is_closed = False
    _loose = 0
    _file: UnnamedFile | None = None
    _written = 0

    def __init__(
        self, threshold: int = THRESHOLD, folder: str | os.PathLike[str] | None = None, data: bytes = b""
    ) -> None:
        self.size = len(data)
        """How many bytes it has been given."""
        self._chunks = [data] if data else []
        self._due_at = threshold + 1
        self._folder = folder

    @property
    def in_memory(self) -> bool:
        """Whether there is no file."""
        return self._file is None

    def write(self, data: bytes) -> None:
        """Add a chunk; and, if it's time for that, write to the file. Raises what ``flush`` does."""
        self.add(data)
        if self.is_due:
            self.flush()

    def add(self, data: bytes) -> None:
        """Add a chunk, in memory. Raises ValueError when it's closed."""
        if self.is_closed:
            raise _freed()
        if data:
            self._chunks.append(data)
            self.size += len(data)
            self._loose += 1
            if self._loose == _MOST_LOOSE:
                # Each chunk takes more than its bytes: of very small ones, many times as much.
                self._chunks[-_MOST_LOOSE:] = [b"".join(self._chunks[-_MOST_LOOSE:])]
                self._loose = 0

    def check_open(self) -> None:
        """Raise ValueError when it's closed."""
        if self.is_closed:
            raise _freed()

    @property
    def is_due(self) -> bool:
        """Whether so much waits in memory that it should be written to the file."""
        return self.size >= self._due_at

    @property
    def flushes_at_once(self) -> bool:
        """Whether an event loop may ``flush``: there is a file already, and what is written is taken at once."""
        return self._file is not None and WRITE_TIMES.are_short

    def flush(self) -> None:
        """Write what waits in memory to the file: complete blocks of it, or all where that is less than a block.

        Raises InsufficientStorage (507) when the disk is full, and other OSErrors; then all of it is freed. Raises
        ValueError when it's closed.
        """
        self.check_open()
        file = self._file
        blocks, rest = self._blocks()
        try:
            with no_room_is_507():
                file = file or UnnamedFile(self._folder)
                before = monotonic()
                file.reserve(self.size - len(rest) - file.size)
                for block in blocks:
                    file.append(block)
        except BaseException:
            self.close()
            if file is not None:
                file.discard()
            raise
        WRITE_TIMES.add(monotonic() - before)
        self._file = file
        self._written = file.size
        self._due_at = file.size + BATCH
        self._chunks = [rest] if rest else []
        self._loose = len(self._chunks)

    def _blocks(self) -> tuple[list[Block], bytes]:
        """What waits, as blocks of the file, and what begins one that is not complete."""
        blocks: list[Block] = []
        block: Block = []
        room = BLOCK - self._written % BLOCK
        for chunk in self._chunks:
            left: bytes | memoryview = chunk
            while len(left) >= room:
                left = memoryview(left)
                blocks.append([*block, left[:room]])
                block, left, room = [], left[room:], BLOCK
            if left:
                block.append(left)
                room -= len(left)
        return (blocks, b"".join(block)) if blocks else ([block], b"")

    def getvalue(self) -> bytes:
        """All of it, not copied if it came in one chunk. Raises ValueError when it is in a file, or closed."""
        if self._file is not None:
            raise ValueError(f"these {self.size} bytes are in a file: they are read in parts")
        return self._waiting()

    def read_at(self, offset: int, length: int) -> bytes:
        """As many of ``length`` bytes from ``offset`` as there are. Raises ValueError when it's closed, and OSError."""
        if offset < 0 or length < 0:
            raise ValueError(f"{length} bytes from {offset} are not to be had")
        file, written, waiting = self._file, self._written, self._waiting()
        if file is None:
            return waiting[offset : offset + length]
        end = min(offset + length, self.size)
        if offset >= written:
            return waiting[offset - written : max(end - written, 0)]
        if end <= written:
            return file.read_at(offset, end - offset)
        return file.read_at(offset, written - offset) + waiting[: end - written]

    def reader_of_file(self, offset: int, length: int) -> Callable[[], bytes] | None:
        """What reads those of ``length`` bytes from ``offset`` that are in the file, also while more is added.

        None where none of them are. What it is called for raises OSError.
        """
        file, length = self._file, min(length, self._written - offset)
        return partial(file.read_at, offset, length) if file is not None and length > 0 else None

    def read_into(self, target: memoryview, offset: int) -> int:
        """Read bytes from ``offset`` into ``target``: how many; none at the end only. Raises as ``read_at`` does."""
        file, written = self._file, self._written
        if file is None or offset >= written:
            data = self.read_at(offset, len(target))
            target[: len(data)] = data
            return len(data)
        return file.read_into(target[: written - offset], offset)

    def copy_to(self, descriptor: int, offset: int, length: int) -> None:
        """Write ``length`` bytes from ``offset`` to a file, by the kernel where it can.

        Raises ValueError when it's closed or doesn't have them, and OSError.
        """
        end = offset + length
        if not 0 <= offset <= end <= self.size:
            raise ValueError(f"{length} bytes from {offset} are not within {self.size}")
        file, written, waiting = self._file, self._written, self._waiting()
        if file is not None and offset < written:
            file.copy_to(descriptor, offset, min(end, written) - offset)
        if end > written:
            write_all(descriptor, waiting[max(offset - written, 0) : end - written])

    def share(self) -> "Spool":
        """Another hold on what is there, which stays when this one is closed. Neither is written to any more."""
        shared = Spool()
        waiting = self._waiting()
        shared._chunks = [waiting] if waiting else []
        shared._file = self._file
        shared._written = self._written
        shared.size = self.size
        return shared

    def close(self) -> None:
        """Let go of all of it. The file is freed, with its last reader and when nothing shares it. May be repeated."""
        self.is_closed = True
        self._file = None
        self._chunks = []

    def _waiting(self) -> bytes:
        """What is in memory, as one. Raises ValueError when it's closed: what was taken before that is whole."""
        chunks = self._chunks
        if len(chunks) > 1:
            chunks = self._chunks = [b"".join(chunks)]
            self._loose = 1
        if self.is_closed:
            self._chunks = []
            raise _freed()
        return chunks[0] if chunks else b""


def _freed() -> ValueError:
    return ValueError(
        "what a request brought is freed when it has ended: detach() an upload before that, to read it later"
    )
