"""Forms with files as tests pass them: fields, and files as bytes, as file objects, or with a name and a type."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from secrets import token_hex
from typing import Protocol, TypeAlias, cast

from antiphon.body.form_encoding import EncodedPart, encode_multipart
from antiphon.explanations import explained
from antiphon.http.grammar import find_control
from antiphon.response.files import guess_type


class Readable(Protocol):
    """A file object, in binary mode."""

    def read(self) -> bytes:
        """Read the rest of the file."""
        ...


FileContent: TypeAlias = bytes | bytearray | memoryview | Readable

File: TypeAlias = FileContent | tuple[str, FileContent] | tuple[str, FileContent, str]
"""A file: its content, or its filename and content, and perhaps its content type."""

ClientFiles: TypeAlias = Mapping[str, File | Sequence[File]]
"""Files by the name of their field; a list of files is one field that is sent several times."""

_line_breaks = re.compile(r"\r\n?|\n").sub


def encode_parts(fields: Iterable[tuple[str, str]], files: ClientFiles) -> tuple[bytes, str]:
    """Return the body, fields first, and its media type with the boundary. File objects are read to their end.

    A file without a filename gets the name of its file object or of its field; a file without a content type gets the
    type for its filename. Raises TypeError for a value that is not a file, ValueError for a name or a type that can't
    be sent.
    """
    if not isinstance(files, Mapping):
        raise explained(
            "bad-test-request", TypeError(f"files are a mapping of field names to files, not {type(files).__name__}")
        )
    parts = [EncodedPart(_with_crlf(name), _with_crlf(text).encode()) for name, text in fields]
    parts += [_as_part(_with_crlf(name), file) for name, value in files.items() for file in _listed(value)]
    boundary = f"----antiphon{token_hex(16)}"
    return encode_multipart(parts, boundary.encode()), f"multipart/form-data; boundary={boundary}"


def _listed(value: File | Sequence[File]) -> Sequence[File]:
    match value:
        case tuple((str(), *_)):
            return [cast("File", value)]
        case list() | tuple():
            return cast("Sequence[File]", value)
    return [cast("File", value)]


def _as_part(name: str, file: File) -> EncodedPart:
    match file:
        case tuple((str(filename), content)):
            return EncodedPart(name, _read(content), filename, _type_of(filename))
        case tuple((str(filename), content, str(content_type))):
            if find_control(content_type):
                raise explained(
                    "bad-test-request",
                    ValueError(f"control characters are not allowed in a content type: {content_type!r}"),
                )
            return EncodedPart(name, _read(content), filename, content_type.encode())
    opened = getattr(file, "name", None)
    filename = os.path.basename(opened) if isinstance(opened, str) else name
    return EncodedPart(name, _read(file), filename, _type_of(filename))


def _read(content: object) -> bytes:
    read = getattr(content, "read", None)
    found = content if read is None else read()
    if isinstance(found, bytes | bytearray | memoryview):
        return bytes(found)
    raise explained(
        "bad-test-request",
        TypeError(
            "a file is bytes, a file object in binary mode, (filename, either) or (filename, either, content type),"
            f" not {type(found).__name__}"
        ),
    )


def _type_of(filename: str) -> bytes:
    """Return the media type that a browser would send, without a charset."""
    return guess_type(filename).partition(";")[0].encode()


def _with_crlf(text: str) -> str:
    """Make every line break of a field's name or value CRLF."""
    return _line_breaks("\r\n", text)
