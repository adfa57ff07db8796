"""Forms in parts as browsers send them, for tests."""

import os
import sys
from collections.abc import Iterator, Mapping
from typing import IO, Any, cast

from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.datastructures.multidict import MultiDict
from antiphon.dialects.werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartEncoder
from antiphon.embedding import Spool, Window

_CHUNK = 16 << 10
_THRESHOLD = 500 << 10


def each_value(data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Return the names and values of a MultiDict, or of a mapping whose values may be lists."""
    if isinstance(data, MultiDict):
        yield from data.items(multi=True)
        return
    for name, value in data.items():
        for each in value if isinstance(value, list) else [value]:
            yield name, each


def stream_encode_multipart(
    data: Mapping[str, Any], use_tempfile: bool = True, threshold: int = _THRESHOLD, boundary: str | None = None
) -> tuple[IO[bytes], int, str]:
    """Return the form as a stream, its length, and the boundary.

    Values are text, or file objects with a ``filename`` or a ``name``. With ``use_tempfile`` a form of more than
    ``threshold`` bytes is on disk.
    """
    boundary = boundary or f"---------------antiphon{os.urandom(16).hex()}"
    spool = Spool(threshold=threshold if use_tempfile else sys.maxsize)
    encoder = MultipartEncoder(boundary.encode())
    for name, value in each_value(data):
        for event in _file_events(name, value) if hasattr(value, "read") else _field_events(name, value):
            spool.write(encoder.send_event(event))
    spool.write(encoder.send_event(Epilogue(b"")))
    return cast("IO[bytes]", Window(spool, 0, spool.size)), spool.size, boundary


def _field_events(name: str, value: object) -> Iterator[Event]:
    yield Field(name, Headers())
    yield Data(str(value).encode(), more_data=False)


def _file_events(name: str, file: Any) -> Iterator[Event]:
    filename = getattr(file, "filename", getattr(file, "name", None))
    headers = Headers(getattr(file, "headers", None))
    headers["Content-Type"] = getattr(file, "content_type", None) or _guessed_type(filename)
    yield Field(name, headers) if filename is None else File(name, filename, headers)
    yield Data(b"", more_data=True)
    while chunk := file.read(_CHUNK):
        yield Data(chunk, more_data=True)


def _guessed_type(filename: str | None) -> str:
    from mimetypes import guess_type

    return (filename and guess_type(filename)[0]) or "application/octet-stream"


def encode_multipart(values: Mapping[str, Any], boundary: str | None = None) -> tuple[str, bytes]:
    """Return the boundary, and the form as bytes."""
    stream, _, boundary = stream_encode_multipart(values, use_tempfile=False, boundary=boundary)
    return boundary, stream.read()
