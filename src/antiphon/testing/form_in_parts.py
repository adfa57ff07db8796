"""A form with files, as browsers send it: ``multipart/form-data`` (RFC 7578, WHATWG HTML §4.10.21.8)."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from secrets import token_hex
from typing import NamedTuple, Protocol, TypeAlias, cast

from antiphon.http.grammar import find_control
from antiphon.response.files import guess_type


class Readable(Protocol):
    """A file object, in binary mode."""

    def read(self) -> bytes:
        """The rest of it."""
        ...


FileContent: TypeAlias = bytes | bytearray | memoryview | Readable

File: TypeAlias = FileContent | tuple[str, FileContent] | tuple[str, FileContent, str]
"""A file's content; or its filename and content, and perhaps its content type."""

Files: TypeAlias = Mapping[str, File | Sequence[File]]
"""Files by the name of their field; a list stands for the name several times."""

_line_breaks = re.compile(r"\r\n?|\n").sub
_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


class _Part(NamedTuple):
    """``filename`` and ``content_type`` are None for what is no file."""

    name: str
    content: bytes
    filename: str | None = None
    content_type: str | None = None

    @property
    def head(self) -> bytes:
        """The header fields. Raises ValueError for what can't be sent."""
        line = f'Content-Disposition: form-data; name="{_escaped(self.name)}"'
        if self.filename is not None:
            line += f'; filename="{_escaped(self.filename)}"\r\nContent-Type: {self.content_type}'
        return line.encode()


def encode_parts(fields: Iterable[tuple[str, str]], files: Files) -> tuple[bytes, str]:
    """The body, fields first, and its media type with the boundary. File objects are read to their end.

    A file that comes without a name has that of its file object, or of its field; one without a type that of its name.
    Raises TypeError for what is no file, ValueError for a name or a type that can't be sent.
    """
    if not isinstance(files, Mapping):
        raise TypeError(f"files are a mapping of field names to files, not {type(files).__name__}")
    parts = [_Part(_with_crlf(name), _with_crlf(text).encode()) for name, text in fields]
    parts += [_as_part(_with_crlf(name), file) for name, value in files.items() for file in _several(value)]
    boundary = f"----antiphon{token_hex(16)}"
    start = f"--{boundary}\r\n".encode()
    chunks = [chunk for part in parts for chunk in (start, part.head, b"\r\n\r\n", part.content, b"\r\n")]
    return b"".join([*chunks, f"--{boundary}--\r\n".encode()]), f"multipart/form-data; boundary={boundary}"


def _several(value: File | Sequence[File]) -> Sequence[File]:
    match value:
        case tuple((str(), *_)):
            return [cast("File", value)]
        case list() | tuple():
            return cast("Sequence[File]", value)
    return [cast("File", value)]


def _as_part(name: str, file: File) -> _Part:
    match file:
        case tuple((str(filename), content)):
            return _Part(name, _read(content), filename, _type_of(filename))
        case tuple((str(filename), content, str(content_type))):
            if find_control(content_type):
                raise ValueError(f"control characters can't stand in a content type: {content_type!r}")
            return _Part(name, _read(content), filename, content_type)
    opened = getattr(file, "name", None)
    filename = os.path.basename(opened) if isinstance(opened, str) else name
    return _Part(name, _read(file), filename, _type_of(filename))


def _read(content: object) -> bytes:
    read = getattr(content, "read", None)
    found = content if read is None else read()
    if isinstance(found, bytes | bytearray | memoryview):
        return bytes(found)
    raise TypeError(
        "a file is bytes, a file object in binary mode, (filename, either) or (filename, either, content type),"
        f" not {type(found).__name__}"
    )


def _type_of(filename: str) -> str:
    """The type that a browser would give it, which says nothing of a charset."""
    return guess_type(filename).partition(";")[0]


def _with_crlf(text: str) -> str:
    """Names and texts have their line breaks made CRLF; filenames and files are left as they are."""
    return _line_breaks("\r\n", text)


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)
