"""A file that nobody can open by a name: its room on the disk is free as soon as no one holds it any more."""

import os
from collections.abc import Sequence
from contextlib import suppress
from functools import cache

from antiphon.uploads.descriptors import NO_ROOM, copy, read_all, read_into, write_chunks

_IN_MEMORY = frozenset({"tmpfs", "ramfs"})
_RESERVES_QUICKLY = frozenset({"ext4", "overlay"})
_MOUNTS = "/proc/self/mountinfo"


@cache
def warn_of_memory(folder: str) -> None:
    """Log a warning, once, where a folder's files are in memory, as far as the system tells."""
    if (kind := file_system(folder)) not in _IN_MEMORY:
        return
    import logging

    logging.getLogger("antiphon").warning(
        "large request bodies are written to %r, which is in memory (%s): name a folder on a disk, as by TMPDIR",
        folder,
        kind,
    )


@cache
def reserves_quickly(folder: str) -> bool:
    """Whether files grow in less time when room for what is written is reserved before.

    On ext4 that saves a quarter; what is above ext4 in containers is like it. XFS and Btrfs need as long either way,
    and file systems that can't do it have the C library write to every block, which takes three times as long.
    """
    return hasattr(os, "posix_fallocate") and file_system(folder) in _RESERVES_QUICKLY


def file_system(folder: str) -> str | None:
    """The kind of the file system that a folder is on, such as "ext4"; None where that can't be told."""
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
    """A temporary file in ``folder``, or where this system has them. It grows at its end, and is read anywhere.

    It is closed with its last reference, so that a thread that still reads it never reads another file, which has got
    its descriptor. Raises OSError when it can't be made.
    """

    __slots__ = ("_descriptor", "_reserves", "size")

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        from tempfile import TemporaryFile, gettempdir

        self._descriptor = -1
        self._reserves = False
        self.size = 0
        """How many bytes were appended."""
        folder = gettempdir() if folder is None else os.fspath(folder)
        with TemporaryFile(buffering=0, dir=folder) as file:
            # A file object would warn that it was not closed where it goes in a cycle, before this one.
            self._descriptor = os.dup(file.fileno())
        warn_of_memory(folder)
        self._reserves = reserves_quickly(folder)

    def discard(self) -> None:
        """Close it at once, when nobody reads it yet: the traceback of a failure may hold it for long."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with suppress(OSError):  # what could not be written is not wanted any more
                os.close(descriptor)

    __del__ = discard

    def reserve(self, length: int) -> None:
        """Have room for so many more bytes, where that is quicker than to have it found while they are written.

        Raises OSError where there is none.
        """
        if self._reserves:
            try:
                os.posix_fallocate(self._descriptor, self.size, length)
            except OSError as error:
                if error.errno in NO_ROOM:
                    raise
                self._reserves = False

    def append(self, chunks: Sequence[bytes | memoryview]) -> None:
        """Write chunks at the end. Raises OSError, and then nobody knows how much was written."""
        write_chunks(self._descriptor, chunks)
        self.size += sum(map(len, chunks))

    def read_at(self, offset: int, length: int) -> bytes:
        """``length`` bytes from ``offset``, which were appended. Any number of threads may read at once."""
        return read_all(self._descriptor, length, offset)

    def read_into(self, target: memoryview, offset: int) -> int:
        """Read bytes from ``offset``, which were appended, into ``target``: how many."""
        return read_into(self._descriptor, target, offset)

    def copy_to(self, descriptor: int, offset: int, length: int) -> None:
        """Write ``length`` bytes from ``offset``, which were appended, to another file. Raises OSError."""
        copy(self._descriptor, descriptor, offset, length)


SLOW = 0.002
"""Seconds for a batch from which on it was not taken at once: ten times what memory needs for one."""
WARY = 16
"""How many batches in a row have to be taken at once after one that was not."""


class WriteTimes:
    """How long the last batches took, whoever wrote them. Of the first one nothing is known."""

    __slots__ = ("_wary",)

    def __init__(self) -> None:
        self._wary = 1

    @property
    def are_short(self) -> bool:
        """Whether the next batch is likely to be taken at once."""
        return not self._wary

    def add(self, seconds: float) -> None:
        """Tell how long a batch took."""
        self._wary = WARY if seconds >= SLOW else max(self._wary - 1, 0)


WRITE_TIMES = WriteTimes()
"""Those of this process. Which file system it was is not told apart: a loop serves the bodies of all."""
