"""An uploaded file: the names that the client sent, and the bytes, which are a view of the request's spool."""

import os
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress
from functools import partial
from io import UnsupportedOperation
from typing import TYPE_CHECKING, Protocol, Self

from antiphon.explanations import explained
from antiphon.http.headers import Headers, field_value
from antiphon.http.media_type import MediaType
from antiphon.lazy import lazy
from antiphon.paths import absolute_path
from antiphon.uploads.spool import CHUNK, Spool, Window, on_file_thread
from antiphon.uploads.temporary_file import safe_filename, save

if TYPE_CHECKING:
    from pathlib import Path

    from _typeshed import ReadableBuffer, WriteableBuffer


class PartHead(Protocol):
    """The data from a form part's header that an upload needs."""

    @property
    def content_type(self) -> str | None: ...
    @property
    def fields(self) -> Iterable[tuple[bytes, bytes]]: ...


class Upload:
    """An uploaded file: ``size`` bytes of a spool, from ``offset`` on, with the headers of their form part (RFC 7578
    §4).

    You can read it like a file, with one position; ``open`` returns file objects with their own positions. It is
    readable until its request has ended; after that, reading raises ValueError, unless you use ``detach``. If the form
    field was left empty, the upload is falsy: it has neither a name nor bytes, unlike an empty file that the user
    chose.
    """

    size: int
    """The size of the file in bytes."""
    field_name: str
    """The name of the form's field."""
    filename: str
    """The filename as the client sent it: a path, or anything else. Never save a file under this name."""
    _is_detached = False
    _begins_at = 0
    _is_opened = False

    def __init__(self, spool: Spool, offset: int, size: int, head: PartHead, name: str, filename: str) -> None:
        self._spool = spool
        self._offset = offset
        self._head = head
        self.size, self.field_name, self.filename = size, name, filename

    @property
    def name(self) -> str:
        """The file's name, as on other file objects: ``safe_filename``. The form field's name is ``field_name``."""
        return self.safe_filename

    @lazy
    def safe_filename(self) -> str:
        """The last part of ``filename``, made safe for any folder on any system; never empty."""
        return safe_filename(self.filename)

    @lazy
    def headers(self) -> Headers:
        """The header fields of the file's part in the form, leaving out malformed ones."""
        return Headers(well_formed(self._head.fields))

    @lazy
    def content_type(self) -> MediaType | None:
        """The media type that the client claims, with its parameters; None if it is missing or malformed."""
        return claimed_type(self._head)

    @property
    def mimetype(self) -> str:
        """The media type that the client claims, without parameters, in lower case; empty if it is missing."""
        claimed = self.content_type
        return f"{claimed.type}/{claimed.subtype}" if claimed is not None else ""

    def __bool__(self) -> bool:
        return self.filename != "" or self.size > 0

    def __repr__(self) -> str:
        return f"<Upload field_name={self.field_name!r} filename={self.filename!r} size={self.size}>"

    # As a file

    def open(self) -> Window:
        """Return the bytes as a standard library file object with its own position, at the start."""
        return Window(self._spool, self._offset, self.size)

    @lazy
    def _window(self) -> Window:
        window = self.open()
        window.seek(self._begins_at)
        self._is_opened = True
        return window

    @property
    def _readable(self) -> Window:
        self._spool.check_open()
        return self._window

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next ``size`` bytes, or all remaining bytes if ``size`` is -1, None or larger."""
        if not self._begins_at and (size is None or size == -1) and not self._is_opened:
            # Nearly always read this way; a window costs several times as much.
            data = self._spool.read_at(self._offset, self.size)
            self._begins_at = self.size
            return data
        return self._readable.read(size)

    async def aread(self, size: int | None = -1, /) -> bytes:
        """Read like ``read``, on an event loop. A thread reads bytes that aren't in memory."""
        if self._spool.in_memory:
            return self.read(size)
        return await on_file_thread(partial(self.read, size))

    def read1(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes, reading at most once."""
        return self._readable.read1(size)

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Read bytes into a buffer and return how many were read."""
        return self._readable.readinto(buffer)

    def readline(self, size: int | None = -1, /) -> bytes:
        r"""Return the next line with its ``\n``, or up to ``size`` bytes of it; empty at the end."""
        return self._readable.readline(size)

    def __iter__(self) -> Iterator[bytes]:
        r"""Return the remaining lines, each with its ``\n``."""
        return iter(self._readable)

    def chunks(self, size: int = CHUNK) -> Iterator[bytes]:
        """Return the remaining bytes, in chunks of ``size`` bytes. Raises ValueError for a size below 1."""
        return self._readable.chunks(size)

    async def achunks(self, size: int = CHUNK) -> AsyncIterator[bytes]:
        """``chunks``, on an event loop. A thread reads bytes that aren't in memory."""
        while chunk := await self.aread(size):
            yield chunk

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Set the position, relative to the start, the current position or the end (0, 1, 2), and return it.

        Raises OSError for a position before the start.
        """
        return self._readable.seek(offset, whence)

    def tell(self) -> int:
        """Return the position, in bytes from the start of this file."""
        return self._readable.tell()

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def writable(self) -> bool:
        """Return False: an upload never changes."""
        return False

    def isatty(self) -> bool:
        """Return False."""
        return False

    def fileno(self) -> int:
        """Raise UnsupportedOperation, because an upload isn't a separate file."""
        raise UnsupportedOperation("fileno")

    def write(self, data: "ReadableBuffer", /) -> int:  # noqa: ARG002
        """Raise UnsupportedOperation, as files opened for reading do."""
        raise UnsupportedOperation("write")

    def truncate(self, size: int | None = None, /) -> int:  # noqa: ARG002
        """Raise UnsupportedOperation, as files opened for reading do."""
        raise UnsupportedOperation("truncate")

    def flush(self) -> None:
        """Do nothing: file wrappers expect this method."""

    @property
    def closed(self) -> bool:
        """True if the file can't be read any more."""
        return self._spool.is_closed

    def close(self) -> None:
        """Free a file that ``detach`` has kept. Has no effect on other uploads, which are freed with their request."""
        if self._is_detached:
            self._spool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # As a whole

    def digest(self, algorithm: str = "sha256") -> str:
        """Return the hash of the bytes, in hexadecimal digits.

        Raises ValueError for an algorithm that hashlib doesn't support, or whose hashes have no fixed length
        ("shake_128").
        """
        from hashlib import file_digest, new

        digest = new(algorithm)
        if not digest.digest_size:
            raise explained(
                "bad-file-use", f"hashes by {algorithm!r} have no fixed length: use an algorithm such as 'sha256'"
            )
        with self.open() as file:
            return file_digest(file, lambda: digest).hexdigest()

    async def adigest(self, algorithm: str = "sha256") -> str:
        """Return the hash like ``digest``, on an event loop. A thread reads bytes that aren't in memory."""
        if self._spool.in_memory:
            return self.digest(algorithm)
        return await on_file_thread(partial(self.digest, algorithm))

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> "Path":
        """Copy the file to a path, or into a folder as ``safe_filename``. Return the path of the copy.

        The path must be absolute. The copy appears completely or not at all, with the permissions that ``open`` would
        give it. The system decides when it is written to disk: call ``os.fsync`` if it must survive a power failure.
        With ``overwrite``, an existing file or link is replaced; links aren't followed, and pipes and devices are never
        replaced.

        Raises FileExistsError if the path exists; of several concurrent callers with the same path, only one succeeds.
        Raises ValueError for a relative path, InsufficientStorage (507) if the disk is full, and other OSErrors.
        """
        from pathlib import Path

        target = absolute_path(path)
        self._spool.check_open()
        if os.path.isdir(target):
            target = os.path.join(target, self.safe_filename)
        save(target, partial(self._spool.copy_to, offset=self._offset, length=self.size), overwrite=overwrite)
        return Path(target)

    async def asave(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> "Path":
        """Copy the file like ``save``, on an event loop. A thread copies the file, and finishes a copy that has begun
        even if the task is cancelled.
        """
        return await on_file_thread(partial(self.save, path, overwrite=overwrite))

    def detach(self) -> "Upload":
        """Return an upload with the same bytes that stays readable until it is closed or dropped, even after the
        request has ended.

        If the upload is in memory, only its own bytes are kept; otherwise, the file with the whole body is kept.
        """
        spool, offset = self._spool, self._offset
        if spool.in_memory:
            kept, start = Spool(), 0
            kept.add(spool.read_at(offset, self.size))
        else:
            kept, start = spool.share(), offset
        detached = Upload(kept, start, self.size, self._head, name=self.field_name, filename=self.filename)
        detached._is_detached = True
        return detached


def claimed_type(head: PartHead) -> MediaType | None:
    """Return the media type of a form's part, or None if it is missing or malformed."""
    try:
        return MediaType.parse(head.content_type or "")
    except ValueError:
        return None


def well_formed(fields: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[str, str]]:
    """Return the header fields that are well-formed, as text."""
    for name, value in fields:
        with suppress(ValueError):
            yield name.decode(), field_value(value.decode("latin-1"))
