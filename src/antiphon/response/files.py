"""What a file is as a response: its body, and the header fields that name, date and measure it."""

import os
import re
from errno import EACCES, EPERM
from functools import lru_cache
from stat import S_ISREG
from time import time
from typing import IO, TypeAlias

from antiphon.http.dates import format_date
from antiphon.http.errors import Forbidden, NotFound
from antiphon.http.etag import ETag
from antiphon.http.headers import HeaderFields, field_pairs
from antiphon.paths import NOT_THERE, absolute_path
from antiphon.response.fields import BYTES
from antiphon.response.file_body import FileBody, OpenFile, ReadableFile

Source: TypeAlias = str | os.PathLike[str] | ReadableFile | IO[bytes]
"""An absolute path, or a file object that gives bytes."""


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
"""Types that the standard library has under older names, or in later versions only."""

_no_name = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")

SETTLED = 2.0
"""Seconds after which a file's time tells its versions apart: clocks of file systems tick that slowly."""


def describe_file(
    source: Source,
    headers: HeaderFields = (),
    *,
    filename: str | None = None,
    as_attachment: bool = False,
    content_type: str | None = None,
    etag: bool = True,
    modified: bool = True,
) -> tuple[FileBody | OpenFile, str, list[tuple[str, str]]]:
    """The body, the media type, and the other header fields: ``headers``, and those of the file that are not in there.

    Raises NotFound for what is no regular file, Forbidden for what may not be read, ValueError for a relative path and
    for a ``filename`` that can't be sent, TypeError for what is neither a path nor a file of bytes.
    """
    fields: list[tuple[str, str]] = []
    body: FileBody | OpenFile
    if isinstance(source, str | os.PathLike):
        path = absolute_path(source)
        found = _stat(path)
        body = FileBody(path, 0, found.st_size)
        fields += _validators(found, etag, modified)
        own_name = path
    else:
        body = _open_file(source)
        own_name = getattr(source, "name", "")
    own_name = os.path.basename(own_name) if isinstance(own_name, str) else ""
    if body.length is not None:
        fields += [("content-length", str(body.length)), ("accept-ranges", "bytes")]
    if as_attachment or filename is not None:
        fields.append(("content-disposition", _disposition(as_attachment, filename, own_name)))
    given = [*field_pairs(headers)]
    own = {name.lower(): value for name, value in given}
    content_type = content_type or own.get("content-type") or guess_type(filename or own_name)
    return body, content_type, given + [field for field in fields if field[0] not in own]


def guess_type(name: str) -> str:
    """The media type that a file's name tells, the same on every machine; text is taken to be UTF-8."""
    kind = _type_by_suffix(os.path.splitext(name)[1].lower())
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


@lru_cache(maxsize=256)
def _type_by_suffix(suffix: str) -> str:
    from mimetypes import MimeTypes

    types = MimeTypes()
    suffix = os.path.splitext(types.suffix_map.get(suffix, suffix) if suffix else "")[1] or suffix
    if encoding := types.encodings_map.get(suffix):
        # A file that was made compressed is sent as that: it has no Content-Encoding, which clients would undo.
        return _COMPRESSED.get(encoding, BYTES)
    rare, usual = types.types_map
    return _TYPES.get(suffix) or usual.get(suffix) or rare.get(suffix) or BYTES


def _stat(path: str) -> os.stat_result:
    try:
        found = os.stat(path)
        is_readable = os.access(path, os.R_OK)
    except OSError as error:
        if error.errno in NOT_THERE:
            raise NotFound from error
        if error.errno in _REFUSED:
            raise Forbidden from error
        raise
    except ValueError as error:  # NUL, or what the file system's encoding has not
        raise NotFound from error
    if not S_ISREG(found.st_mode):
        raise NotFound
    if not is_readable:
        raise Forbidden
    return found


def _validators(found: os.stat_result, etag: bool, modified: bool) -> list[tuple[str, str]]:
    """ETag and Last-Modified of a file's present version."""
    now = time()
    fields = []
    if etag:
        # No inode: the machines behind one address have different ones for the same file.
        tag = ETag(f"{found.st_mtime_ns:x}-{found.st_size:x}", weak=found.st_mtime > now - SETTLED)
        fields.append(("etag", str(tag)))
    if modified:
        # Never after the moment of the response (RFC 9110 §8.8.2.1).
        fields.append(("last-modified", format_date(max(0.0, min(found.st_mtime, now)))))
    return fields


def _open_file(file: ReadableFile | IO[bytes]) -> OpenFile:
    if not hasattr(file, "read") or not hasattr(file, "close"):
        raise TypeError(f"a file is given as a path or as a file object, not as {type(file).__name__}")
    if not isinstance(file.read(0), bytes):
        raise TypeError("a file that is sent gives bytes: open it in binary mode, 'rb'")
    seek, tell, seekable = (getattr(file, name, None) for name in ("seek", "tell", "seekable"))
    if seek is None or tell is None or (seekable is not None and not seekable()):
        return OpenFile(file, None, None)
    offset = tell()
    seek(0, os.SEEK_END)
    length = max(0, tell() - offset)
    seek(offset)
    return OpenFile(file, offset, length)


def _disposition(as_attachment: bool, filename: str | None, own_name: str) -> str:
    from antiphon.http.content_disposition import ContentDisposition

    name = _no_name.sub("_", own_name) if filename is None else filename
    return str(ContentDisposition("attachment" if as_attachment else "inline", name or None))
