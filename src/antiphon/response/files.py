"""A file as a response: its body, and the header fields with its name, date and size."""

import os
import re
from collections.abc import Iterator
from errno import EACCES, EPERM
from functools import lru_cache
from io import FileIO, IOBase
from stat import S_ISREG
from time import time
from typing import IO, Protocol, Self, TypeAlias

from antiphon.explanations import explained
from antiphon.http.conditional import ETag
from antiphon.http.content_disposition import ContentDisposition
from antiphon.http.dates import format_http_date
from antiphon.http.errors import Forbidden, HTTPError, NotFound
from antiphon.http.headers import HeaderFields, field_pairs
from antiphon.http.media_type import MediaType
from antiphon.paths import NOT_THERE, absolute_path
from antiphon.response.fields import BYTES, NOT_SNIFFED
from antiphon.uploads.upload import Upload

CHUNK = 256 << 10
"""The number of bytes that are read at once. It is large because each chunk may cost a thread switch."""

_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_NEVER_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)

_REFUSED = frozenset({EACCES, EPERM})

_COMPRESSED = {
    "gzip": "application/gzip",
    "bzip2": "application/x-bzip2",
    "xz": "application/x-xz",
    "compress": "application/x-compress",
    "br": "application/x-brotli",
    "zstd": "application/zstd",
}
_TYPES = {
    ".avif": "image/avif",
    ".ico": "image/vnd.microsoft.icon",
    ".js": "text/javascript",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".otf": "font/otf",
    ".ttf": "font/ttf",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".zst": "application/zstd",
}
"""Types for which the standard library uses older names, or that it contains only in later versions."""

_NO_NAME = "[\x00-\x1f\x7f\ud800-\udfff]"

SETTLED = 2.0
"""The number of seconds after which a file's modification time identifies its version: some file systems have
timestamps as coarse as this.
"""


class ReadableFile(Protocol):
    """A file object that can be sent: reading it returns bytes."""

    def read(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


FileSource: TypeAlias = str | os.PathLike[str] | ReadableFile | IO[bytes]
"""An absolute path, or a binary file object."""


def describe_file(
    source: FileSource,
    headers: HeaderFields = (),
    *,
    filename: str | None = None,
    as_attachment: bool = False,
    inline: bool = False,
    content_type: str | MediaType | None = None,
    etag: bool = True,
    modified: bool = True,
) -> "tuple[FileBody | OpenFile, str, list[tuple[str, str]]]":
    """Return the body, the media type, and the other header fields: ``headers``, followed by those of the file that
    ``headers`` lacks. Browsers save a file whose name may come from a client, and never guess its type.

    Raises NotFound for anything that is not a regular file, Forbidden if it may not be read, ValueError for a relative
    path, for a ``filename`` that can't be sent and for both ``as_attachment`` and ``inline``, TypeError for anything
    that is neither a path nor a binary file.
    """
    if as_attachment and inline:
        raise explained("wrong-file", "inline and as_attachment must not be used together")
    fields: list[tuple[str, str]] = []
    body: FileBody | OpenFile
    if isinstance(source, str | os.PathLike):
        path = absolute_path(source)
        found = _stat(path)
        body = FileBody(path, 0, found.st_size)
        fields += validators(found, etag, modified)
        own_name = path
    else:
        body = _open_file(source)
        own_name = getattr(source, "name", "")
    own_name = os.path.basename(own_name) if isinstance(own_name, str) else ""
    fields.append(NOT_SNIFFED)
    if body.length is not None:
        fields += measures(body.length)
    if as_attachment or filename is not None or isinstance(source, Upload):
        fields.append(("content-disposition", _disposition(not inline, filename, own_name)))
    given = [*field_pairs(headers)]
    own = {name.lower(): value for name, value in given}
    kind = str(content_type or own.get("content-type") or guess_type(filename or own_name))
    return body, kind, given + [field for field in fields if field[0] not in own]


@lru_cache(maxsize=1024)
def guess_type(name: str) -> str:
    """Return the media type for a file name, the same on every machine. Text is assumed to be UTF-8."""
    kind = _type_by_suffix(os.path.splitext(name)[1].lower())
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


@lru_cache(maxsize=256)
def _type_by_suffix(suffix: str) -> str:
    from mimetypes import MimeTypes

    types = MimeTypes()
    suffix = os.path.splitext(types.suffix_map.get(suffix, suffix) if suffix else "")[1] or suffix
    if encoding := types.encodings_map.get(suffix):
        # A compressed file is sent unchanged. With a Content-Encoding, clients would decompress it.
        return _COMPRESSED.get(encoding, BYTES)
    rare, usual = types.types_map
    return _TYPES.get(suffix) or usual.get(suffix) or rare.get(suffix) or BYTES


def _stat(path: str) -> os.stat_result:
    try:
        found = os.stat(path)
        is_readable = os.access(path, os.R_OK)
    except (OSError, ValueError) as error:
        raise _refusal(error) from error
    if not S_ISREG(found.st_mode):
        raise NotFound
    if not is_readable:
        raise Forbidden
    return found


def _refusal(error: OSError | ValueError) -> HTTPError:
    """Return the HTTP error for a file system error; an error that isn't about the path is re-raised."""
    if isinstance(error, ValueError):  # NUL, or characters that the file system's encoding lacks
        return NotFound()
    if error.errno in NOT_THERE:
        return NotFound()
    if error.errno in _REFUSED:
        return Forbidden()
    raise error


def measures(length: int) -> list[tuple[str, str]]:
    """Return the header fields for a body that supports range requests."""
    return [("content-length", str(length)), ("accept-ranges", "bytes")]


def validators(found: os.stat_result, etag: bool = True, modified: bool = True) -> list[tuple[str, str]]:
    """Return ETag and Last-Modified for the current version of a file."""
    now = time()
    # Must not be later than the response (RFC 9110 §8.8.2.1).
    moment = int(max(0.0, min(found.st_mtime, now)))
    fields = _validators(found.st_mtime_ns, found.st_size, found.st_mtime > now - SETTLED, moment)
    return [field for field, is_wanted in zip(fields, (etag, modified), strict=True) if is_wanted]


@lru_cache(maxsize=1024)
def _validators(time_ns: int, size: int, is_weak: bool, moment: int) -> tuple[tuple[str, str], tuple[str, str]]:
    # Without the inode: machines behind one address have different inodes for the same file.
    tag = ETag(f"{time_ns:x}-{size:x}", weak=is_weak)
    return ("etag", str(tag)), ("last-modified", format_http_date(moment))


def _open_file(file: ReadableFile | IO[bytes]) -> "OpenFile":
    if not hasattr(file, "read") or not hasattr(file, "close"):
        raise explained(
            "wrong-file", f"a file must be given as a path or a file object, not as {type(file).__name__}", TypeError
        )
    if not isinstance(file.read(0), bytes):
        raise explained("wrong-file", "a file to send must yield bytes: open it in binary mode, 'rb'", TypeError)
    seek, tell, seekable = (getattr(file, name, None) for name in ("seek", "tell", "seekable"))
    if seek is None or tell is None or (seekable is not None and not seekable()):
        return OpenFile(file, None, None)
    offset = tell()
    seek(0, os.SEEK_END)
    length = max(0, tell() - offset)
    seek(offset)
    return OpenFile(file, offset, length)


def _disposition(as_attachment: bool, filename: str | None, own_name: str) -> str:
    name = filename
    if name is None:
        name = own_name if own_name.isprintable() else re.sub(_NO_NAME, "_", own_name)
    return str(ContentDisposition("attachment" if as_attachment else "inline", name or None))


class Windowed(Protocol):
    """A body from which any part can be read, as ranges need (RFC 9110 §14).

    Iterate over its windows one after another. At the end, the sender closes the body that they belong to, if it has
    ``close``.
    """

    @property
    def length(self) -> int | None:
        """The size in bytes; None if it is unknown. Without a size there are no windows."""
        ...

    def window(self, offset: int, length: int) -> "Windowed":
        """Return ``length`` bytes of this body, starting at ``offset``. Raises ValueError if they lie outside it."""
        ...

    def __iter__(self) -> Iterator[bytes]: ...


def is_at_hand(body: object) -> bool:
    """Return True if a body's chunks are available without waiting: it is a file, or consists of parts of one."""
    return getattr(body, "is_at_hand", False)


def is_for_any_thread(body: object) -> bool:
    """Return True if any thread may read a body, waiting only for the disk: it is made from a file, or from bytes."""
    return getattr(body, "is_for_any_thread", False)


class FileBody:
    """A body that consists of ``length`` bytes, from ``offset``, of the file at an absolute path. It is a value: you
    can iterate over it again.

    The file is opened for the first chunk and always closed. The chunks contain ``length`` bytes in total, or end with
    an error: OSError if the file can't be opened, EOFError if it has become too short.
    """

    guess_type = staticmethod(guess_type)
    __slots__ = ("length", "offset", "path")
    is_at_hand = is_for_any_thread = True

    @staticmethod
    def opened(file: ReadableFile) -> "OpenFile":
        """Return a body that consists of the rest of an open file object."""
        return OpenFile(file, None, None)

    def __init__(self, path: str, offset: int, length: int) -> None:
        self.path = path
        self.offset = offset
        self.length = length

    def window(self, offset: int, length: int) -> Self:
        """Return a part of this body. Raises ValueError if the part lies outside it."""
        _check_window(offset, length, self.length)
        return type(self)(self.path, self.offset + offset, length)

    def __iter__(self) -> Iterator[bytes]:
        with self.open() as file:
            yield from _chunks(file, self.length)

    def open(self) -> FileIO:
        """Open the file, unbuffered, at ``offset``. Raises OSError or EOFError if it can no longer be sent."""
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
        """Return the file's current size, or None if a server that sends files by path couldn't send this body."""
        try:
            found = os.stat(self.path)
            self.path.encode()
        except (OSError, UnicodeEncodeError):
            return None
        return found.st_size if S_ISREG(found.st_mode) and found.st_size >= self.offset + self.length else None

    def __repr__(self) -> str:
        return f"FileBody({self.path!r}, {self.offset}, {self.length})"


class OpenFile:
    """A body from an open file object: ``length`` bytes from ``offset``, or the rest of the file if both are None.

    The body is its own iterator. Closing it closes the file.
    """

    __slots__ = ("_chunks", "_file", "length", "offset")
    is_at_hand = True

    def __init__(self, file: ReadableFile, offset: int | None, length: int | None) -> None:
        self._file = file
        self._chunks: Iterator[bytes] | None = None
        self.offset = offset
        self.length = length

    @property
    def is_for_any_thread(self) -> bool:
        """True for Python's own file objects if the length is known; others may belong to a thread, or block."""
        return self.length is not None and isinstance(self._file, IOBase)

    def window(self, offset: int, length: int) -> Self:
        """Return a part of this body, from the same file object. Raises ValueError if the part lies outside it."""
        if self.offset is None or self.length is None:
            raise explained("bad-file-use", "a file without a position has no windows")
        _check_window(offset, length, self.length)
        return type(self)(self._file, self.offset + offset, length)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._chunks is None:
            if self.offset is not None:
                self._file.seek(self.offset)  # type: ignore[attr-defined]  # then there is `seek`
            self._chunks = _chunks(self._file, self.length)
        return next(self._chunks)

    def close(self) -> None:
        """Close the file object."""
        self._file.close()


def _open(path: str, flags: int) -> int:  # noqa: ARG001 - with io's flags, opening a pipe blocks
    return os.open(path, _FLAGS | _NEVER_WAIT)


def open_itself(path: str) -> int:
    """Open the file at a path without following a symbolic link. Return the descriptor.

    Raises NotFound for a missing file, and Forbidden for a file that may not be read.
    """
    try:
        return os.open(path, _FLAGS | _NEVER_WAIT | _NO_LINK)
    except (OSError, ValueError) as error:
        raise _refusal(error) from error


def read_part(descriptor: int, offset: int, length: int) -> bytes:
    """Read a part of an open file at once. Raises EOFError if the file has become too short."""
    if offset:
        os.lseek(descriptor, offset, os.SEEK_SET)
    content = os.read(descriptor, length)
    while len(content) < length:
        if not (chunk := os.read(descriptor, length - len(content))):
            raise _too_short(length - len(content))
        content += chunk
    return content


def _check_window(offset: int, length: int, available: int) -> None:
    if not 0 <= offset <= offset + length <= available:
        raise explained("bad-file-use", f"{length} bytes from {offset} are not within {available}")


def _chunks(file: ReadableFile, length: int | None) -> Iterator[bytes]:
    """Read a file up to a length. Raises EOFError if the file is shorter."""
    read = getattr(file, "read1", file.read)
    left = length
    while left is None or left > 0:
        chunk: bytes | None = read(CHUNK if left is None else min(CHUNK, left))
        if chunk is None:
            raise BlockingIOError("a non-blocking file has nothing to read yet")
        if not chunk:
            if left is None:
                return
            raise _too_short(left)
        yield chunk
        left = left and left - len(chunk)


def _too_short(missing: int) -> EOFError:
    return EOFError(f"the file has become {missing} bytes shorter than was announced")
