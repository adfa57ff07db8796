"""What every interface demands of a response. The checks raise ValueError, which says what is wrong."""

from collections.abc import Iterable, Iterator
from os import PathLike

from antiphon.http.headers import Headers
from antiphon.testing.servers.exchange import Head

FILE_CHUNK = 64 << 10
"""Bytes of a file that are read at once."""


def checked_status(status: object) -> int:
    """A status as a number of 200 to 999; what is below is no final response (RFC 9110 §15)."""
    if type(status) is not int or not 200 <= status <= 999:
        raise ValueError(f"a response's status is an int of 200 to 999, not {status!r}")
    return status


def checked_head(status: object, fields: Iterable[tuple[str, str]]) -> Head:
    """A head with a status and header fields that may be sent."""
    headers = Headers(fields)
    length = headers.get("content-length")
    if length is not None and not (length.isascii() and length.isdigit()):
        raise ValueError(f"a Content-Length is one number of bytes, not {length!r}")
    return Head(checked_status(status), headers)


def file_chunks(path: str | PathLike[str], start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The bytes of a file from ``start`` up to ``end``. It is opened at once: raises OSError."""
    file = open(path, "rb")  # noqa: SIM115 - the iterator closes it

    def read() -> Iterator[bytes]:
        with file:
            left = file.seek(0, 2) if end is None else end
            left -= file.seek(start)
            while left > 0 and (chunk := file.read(min(FILE_CHUNK, left))):
                left -= len(chunk)
                yield chunk

    return read()
