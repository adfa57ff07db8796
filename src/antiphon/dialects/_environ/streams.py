"""The request body as a stream that ends where the body ends, unlike the ``wsgi.input`` of some servers."""

from collections.abc import Callable
from io import BufferedReader, BytesIO, RawIOBase
from typing import IO, TYPE_CHECKING, cast

from antiphon.embedding import split_list
from antiphon.http import ClientDisconnected, ContentTooLarge
from antiphon.http.grammar import OWS

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from _typeshed.wsgi import WSGIEnvironment

_MOST_DIGITS = 18
_CHUNK = 64 << 10


class LimitedStream(RawIOBase):
    """The next ``limit`` bytes of a stream or, with ``is_max``, all its bytes up to that limit.

    If the stream fails or ends early, the client is considered disconnected, and ``on_disconnect`` is called. Reading
    at the limit calls ``on_exhausted``. Both can be overridden.
    """

    too_large: type[Exception] = ContentTooLarge
    """The error for a body beyond the maximum."""
    disconnected: type[Exception] = ClientDisconnected
    """The error for a body that is cut short."""

    def __init__(self, stream: IO[bytes], limit: int, is_max: bool = False) -> None:
        self._stream = stream
        self._pos = 0
        self.limit = limit
        self._limit_is_max = is_max

    @property
    def is_exhausted(self) -> bool:
        """True if ``limit`` bytes have been read."""
        return self._pos >= self.limit

    def on_exhausted(self) -> bytes | None:
        """Handle a read at the limit by returning no bytes. Raises ``too_large`` if the limit is a maximum."""
        if self._limit_is_max:
            raise self.too_large
        return None

    def on_disconnect(self, error: Exception | None = None) -> bytes | None:
        """Handle a read that failed or returned no bytes. Raises ``disconnected`` unless the stream may end there."""
        if not self._limit_is_max or error is not None:
            raise self.disconnected
        return None

    def exhaust(self) -> bytes:
        return b"" if self.is_exhausted else self.readall()

    def _read_at_limit(self) -> bytes:
        if self._limit_is_max and not self._stream.read(1):
            return b""
        return self.on_exhausted() or b""

    def _take(self, read: Callable[[int], bytes], size: int) -> bytes:
        left = self.limit - self._pos
        if left <= 0:
            return self._read_at_limit()
        try:
            data = read(min(size, left))
        except (OSError, ValueError) as error:
            return self.on_disconnect(error=error) or b""
        if not data and size:
            return self.on_disconnect() or b""
        self._pos += len(data)
        return data

    def read(self, size: int | None = -1, /) -> bytes:
        """Read up to ``size`` bytes, or all that remain if ``size`` is -1 or None."""
        if size is None or size < 0:
            return self.readall()
        return self._take(self._stream.read, size)

    def readall(self) -> bytes:
        if self.is_exhausted:
            return self._read_at_limit()
        chunks = []
        while not self.is_exhausted and (chunk := self._take(self._stream.read, _CHUNK)):
            chunks.append(chunk)
        if self.is_exhausted and self._limit_is_max and (more := self._read_at_limit()):
            chunks.append(more)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def readline(self, size: int | None = -1, /) -> bytes:
        """Read the next line, or up to ``size`` bytes of it."""
        if self.is_exhausted:
            return b""
        return self._take(self._stream.readline, self.limit if size is None or size < 0 else size)

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Read bytes into a buffer and return how many were read."""
        view = memoryview(buffer).cast("B")
        data = self._take(self._stream.read, len(view))
        view[: len(data)] = data
        return len(data)

    def tell(self) -> int:
        """Return the number of bytes read so far."""
        return self._pos

    def readable(self) -> bool:
        return True


class _WholeBody(RawIOBase):
    """A body whose end the server marks: at least ``length`` bytes, or more if middleware decodes it."""

    def __init__(self, stream: IO[bytes], length: int, disconnected: type[Exception]) -> None:
        self._stream = stream
        self._missing = length
        self._disconnected = disconnected

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Read bytes into a buffer and return how many were read. Raises ``disconnected`` if the body ends early."""
        view = memoryview(buffer).cast("B")
        try:
            data = self._stream.read(len(view))
        except (OSError, ValueError) as error:
            raise self._disconnected from error
        if not data and self._missing > 0:
            raise self._disconnected
        self._missing -= len(data)
        view[: len(data)] = data
        return len(data)


def body_length(content_length: str | None = None, transfer_encoding: str | None = None) -> int | None:
    """Return the body's length in bytes, as given by two headers.

    Returns None if the length is unknown: if the body is chunked or there is no Content-Length. A malformed length is
    treated as 0.
    """
    if content_length is None or (transfer_encoding and _is_chunked(transfer_encoding)):
        return None
    digits = content_length.strip(OWS)
    return int(digits) if digits.isdigit() and digits.isascii() and len(digits) <= _MOST_DIGITS else 0


def _is_chunked(codings: str) -> bool:
    return "chunked" in [coding.lower() for coding in split_list(codings)]


def body_stream(
    environ: "WSGIEnvironment", kind: type[LimitedStream], safe_fallback: bool = True, maximum: int | None = None
) -> IO[bytes]:
    """Return the body as a stream that can be read to its end.

    If the end is unknown, the stream is empty or, with ``safe_fallback=False``, the server's own stream. Raises
    ``kind.too_large`` if the declared length exceeds ``maximum``; the stream raises it if the body turns out longer. If
    the server marks the end, an end before the declared length means that the client has disconnected.
    """
    stream: IO[bytes] = environ["wsgi.input"]
    length = _declared_length(environ)
    if length is not None and maximum is not None and length > maximum:
        raise kind.too_large
    if "wsgi.input_terminated" in environ:
        if length and type(stream) is not BytesIO and "HTTP_CONTENT_ENCODING" not in environ:
            stream = BufferedReader(_WholeBody(stream, length, kind.disconnected), _CHUNK)
        return stream if maximum is None else cast("IO[bytes]", kind(stream, maximum, True))
    if length is None:
        return BytesIO() if safe_fallback else stream
    return cast("IO[bytes]", kind(stream, length))


def read_body(environ: "WSGIEnvironment", kind: type[LimitedStream], maximum: int | None = None) -> bytes:
    """Read the whole body. Raises the same errors as ``body_stream``, or ``kind.disconnected``."""
    length = _declared_length(environ)
    if length is None or "wsgi.input_terminated" in environ:
        return body_stream(environ, kind, maximum=maximum).read()
    if maximum is not None and length > maximum:
        raise kind.too_large
    stream: IO[bytes] = environ["wsgi.input"]
    try:
        data = stream.read(length) if length else b""
    except (OSError, ValueError) as error:
        raise kind.disconnected from error
    return data if len(data) == length else data + kind(stream, length - len(data)).readall()


def _declared_length(environ: "WSGIEnvironment") -> int | None:
    return body_length(environ.get("CONTENT_LENGTH"), environ.get("HTTP_TRANSFER_ENCODING"))
