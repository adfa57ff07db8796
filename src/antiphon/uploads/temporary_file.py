"""A file that nobody can open by a name: its room on the disk is free as soon as no one holds it any more."""

import os
from collections.abc import Sequence
from contextlib import suppress

from antiphon.uploads.descriptors import copy, read_all, read_into, write_pieces
from antiphon.uploads.file_system import reserves_quickly, warn_of_memory
from antiphon.uploads.no_room import NO_ROOM


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

    def append(self, pieces: Sequence[bytes | memoryview]) -> None:
        """Write pieces at the end. Raises OSError, and then nobody knows how much was written."""
        write_pieces(self._descriptor, pieces)
        self.size += sum(map(len, pieces))

    def read_at(self, offset: int, length: int) -> bytes:
        """``length`` bytes from ``offset``, which were appended. Any number of threads may read at once."""
        return read_all(self._descriptor, length, offset)

    def read_into(self, target: memoryview, offset: int) -> int:
        """Read bytes from ``offset``, which were appended, into ``target``: how many."""
        return read_into(self._descriptor, target, offset)

    def copy_to(self, descriptor: int, offset: int, length: int) -> None:
        """Write ``length`` bytes from ``offset``, which were appended, to another file. Raises OSError."""
        copy(self._descriptor, descriptor, offset, length)
