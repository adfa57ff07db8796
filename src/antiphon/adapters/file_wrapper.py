"""``wsgi.file_wrapper`` (PEP 3333): a file that a WSGI server sends itself."""

import os
from collections.abc import Callable, Iterable
from io import FileIO, RawIOBase, UnsupportedOperation
from typing import TYPE_CHECKING, Any

from antiphon.response.files import FileBody

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

BLOCK = 64 << 10
"""The number of bytes that a server reads at once if it can't do better."""


def wrap_file(body: object, environ: "WSGIEnvironment", is_silent: bool) -> Iterable[bytes] | None:
    """Return a file wrapped by this server; None if it has no wrapper, the file can't be opened, or it isn't sent."""
    wrapper: Callable[[object, int], Iterable[bytes]] | None = environ.get("wsgi.file_wrapper")
    if wrapper is None or type(body) is not FileBody or is_silent:
        return None
    try:
        return wrapper(FilePart(body), BLOCK)
    except (OSError, EOFError):
        return None


class FilePart(RawIOBase):
    """A file that contains only the bytes of a ``FileBody``.

    Reading raises EOFError if the file has become too short. If the server was given the descriptor, closing raises it
    too, because the server wouldn't notice. Only a whole file has a descriptor, because some servers send the file to
    its end.
    """

    _is_open = False

    def __init__(self, body: FileBody) -> None:
        self._file: FileIO = body.open()
        self._is_open = True
        self._start = body.offset
        self._end = body.offset + body.length
        self._has_shown_descriptor = False

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position, relative to the start of the part."""
        return self._file.tell() - self._start

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to a position in the part."""
        if whence == os.SEEK_SET:
            base = self._start
        else:
            # Relative to the part, not to the file.
            base = self._end if whence == os.SEEK_END else self._file.tell()
        return self._file.seek(max(self._start, base + offset)) - self._start

    def read(self, size: int | None = -1, /) -> bytes:
        """Read at most ``size`` bytes, with no more copies than a file makes."""
        left = max(0, self._end - self._file.tell())
        wanted = left if size is None or size < 0 else min(size, left)
        chunk = self._file.read(wanted)
        if wanted and not chunk:
            raise self._too_short()
        return chunk

    def readinto(self, buffer: Any, /) -> int:
        """Read into a buffer."""
        left = max(0, self._end - self._file.tell())
        with memoryview(buffer) as view:
            taken = self._file.readinto(view[:left])
        if not taken and left and len(buffer):
            raise self._too_short()
        return taken or 0

    def fileno(self) -> int:
        """Return the descriptor of a whole file. Raises UnsupportedOperation for a part."""
        if self._start or os.fstat(self._file.fileno()).st_size != self._end:
            raise UnsupportedOperation("this is part of a file")
        # From now on the server may send the file without ``read``, which would notice its end.
        self._has_shown_descriptor = True
        return self._file.fileno()

    def close(self) -> None:
        """Close the file."""
        if self.closed or not self._is_open:  # Python also closes an object whose file couldn't be opened
            return
        super().close()
        try:
            if self._has_shown_descriptor and os.fstat(self._file.fileno()).st_size < self._end:
                raise self._too_short()
        finally:
            self._file.close()

    def _too_short(self) -> EOFError:
        return EOFError(f"{self._file.name!r} became shorter while it was being sent")
