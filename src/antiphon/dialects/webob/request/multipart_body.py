"""Forms as bytes, from fields and files: for requests that are made here (RFC 7578)."""

import os
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from antiphon.http import format_query

_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


class Part(NamedTuple):
    """A part of a form: a file if it has a filename."""

    name: str
    content: bytes
    filename: str | None = None
    content_type: str | None = None


def has_files(fields: Iterable[tuple[Any, Any]]) -> bool:
    """Return True if a field is a file: a pair of filename and content, or an object with a filename."""
    return any(isinstance(value, (tuple, list)) or getattr(value, "filename", None) for _, value in fields)


def urlencoded(fields: Iterable[tuple[Any, Any]], charset: str = "utf-8") -> bytes:
    """Return fields as a urlencoded form."""
    if charset == "utf-8":
        return format_query([(_text(name), _text(value)) for name, value in fields]).encode()
    from urllib.parse import urlencode

    return urlencode([(name, value) for name, value in fields], encoding=charset).encode()


def multipart(fields: Iterable[tuple[Any, Any]], boundary: str, charset: str = "utf-8") -> bytes:
    """Return fields and files as a form in parts."""
    encode = _encoder(charset)
    written: list[bytes] = []
    for name, value in fields:
        part = _part(name, value, encode)
        written += [f"--{boundary}\r\n".encode(), encode(_head(part)), part.content, b"\r\n"]
    return b"".join([*written, f"--{boundary}--".encode()])


def new_boundary() -> str:
    """Return a boundary that no content contains by chance."""
    return os.urandom(10).hex()


def _part(name: Any, value: Any, encode: Callable[[str], bytes]) -> Part:
    if getattr(value, "filename", None):
        return Part(_text(name), _bytes(value.value, encode), value.filename, _type_of(value))
    if isinstance(value, (list, tuple)):
        filename, content = value
        content = content.read() if hasattr(content, "read") else content
        return Part(_text(name), _bytes(content, encode), filename, _guessed(filename))
    return Part(_text(name), _bytes(getattr(value, "value", value), encode))


def _head(part: Part) -> str:
    filename = "" if part.filename is None else f'; filename="{part.filename.translate(_ESCAPES)}"'
    content_type = "" if part.content_type is None else f"Content-Type: {part.content_type}\r\n"
    disposition = f'Content-Disposition: form-data; name="{part.name.translate(_ESCAPES)}"{filename}\r\n'
    return f"{disposition}{content_type}\r\n"


def _type_of(field: Any) -> str | None:
    if not getattr(field, "type", None):
        return _guessed(field.filename)
    options = [f'; {name}="{value}"' for name, value in sorted((field.type_options or {}).items())]
    return str(field.type) + "".join(options)


def _guessed(filename: str) -> str | None:
    from mimetypes import guess_type

    return guess_type(filename)[0]


def _encoder(charset: str) -> Callable[[str], bytes]:
    return lambda text: text.encode(charset)


def _bytes(value: Any, encode: Callable[[str], bytes]) -> bytes:
    return bytes(value) if isinstance(value, (bytes, bytearray)) else encode(str(value))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
