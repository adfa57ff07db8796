"""A file as WSGI servers send it: what ``wsgi.file_wrapper`` is given (PEP 3333)."""

import os
from io import FileIO, RawIOBase, UnsupportedOperation
from typing import Any

from antiphon.response.file_body import FileBody

BLOCK = 64 << 10
"""Bytes that a server reads at once, if it has no better way."""


class SentFile(RawIOBase):
    """The bytes of a ``FileBody``, seen as a file that has no others.

    Reading raises EOFError where the file has become too short, and so does closing after a server has read from the
    descriptor, since it would not notice. Parts of a file have no descriptor: some servers send all that is there.
    """

    _is_open = False

    def __init__(self, body: FileBody) -> None:
        self._file: FileIO = body.open()
        self._is_open = True
        self._start = body.offset
        self._end = body.offset + body.length
        self._has_shown_descriptor = False

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """The position, from the start of the part."""
        return self._file.tell() - self._start

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to a position in the part."""
        if whence == os.SEEK_SET:
            base = self._start
        else:
            base = self._end if whence == os.SEEK_END else self._file.tell()
        return self._file.seek(max(self._start, base + offset)) - self._start

    def read(self, size: int | None = -1, /) -> bytes:
        """Read some bytes, with as few copies as a file does."""
        left = max(0, self._end - self._file.tell())
        wanted = left if size is None or size < 0 else min(size, left)
        piece = self._file.read(wanted)
        if wanted and not piece:
            raise self._cut()
        return piece

    def readinto(self, buffer: Any, /) -> int:
        """Read into a buffer."""
        left = max(0, self._end - self._file.tell())
        with memoryview(buffer) as view:
            taken = self._file.readinto(view[:left])
        if not taken and left and len(buffer):
            raise self._cut()
        return taken or 0

    def fileno(self) -> int:
        """The descriptor of a whole file."""
        if self._start or os.fstat(self._file.fileno()).st_size != self._end:
            raise UnsupportedOperation("this is a part of a file")
        self._has_shown_descriptor = True
        return self._file.fileno()

    def close(self) -> None:
        """Close the file."""
        if self.closed or not self._is_open:  # whose file couldn't be opened is closed, too, when it is let go
            return
        super().close()
        try:
            if self._has_shown_descriptor and os.fstat(self._file.fileno()).st_size < self._end:
                raise self._cut()
        finally:
            self._file.close()

    def _cut(self) -> EOFError:
        return EOFError(f"{self._file.name!r} has become shorter while it was sent")
