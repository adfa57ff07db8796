"""The body of a request as a stream that ends where the body does."""

from collections.abc import Callable
from io import BytesIO, RawIOBase
from typing import IO, TYPE_CHECKING, cast

from antiphon.dialects.werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from antiphon.dialects.werkzeug.http.lists import parse_list_header
from antiphon.http.grammar import OWS

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from _typeshed.wsgi import WSGIEnvironment

_MOST_DIGITS = 18
_CHUNK = 64 << 10


class LimitedStream(RawIOBase):
    """``limit`` bytes of a stream, or up to as many where that ``is_max``.

    Fewer bytes than promised, and an error of the stream, are a client that has left: see ``on_disconnect``. More than
    allowed raise RequestEntityTooLarge: see ``on_exhausted``. Both may be overridden.
    """

    def __init__(self, stream: IO[bytes], limit: int, is_max: bool = False) -> None:
        self._stream = stream
        self._pos = 0
        self.limit = limit
        self._limit_is_max = is_max

    @property
    def is_exhausted(self) -> bool:
        """Whether the limit is reached."""
        return self._pos >= self.limit

    def on_exhausted(self) -> bytes | None:
        """Called by a read at the limit; what it returns is read. Raises RequestEntityTooLarge if that is a maximum."""
        if self._limit_is_max:
            raise RequestEntityTooLarge
        return None

    def on_disconnect(self, error: Exception | None = None) -> bytes | None:
        """Called when nothing comes any more, or the stream has failed. Raises ClientDisconnected."""
        if not self._limit_is_max or error is not None:
            raise ClientDisconnected
        return None

    def exhaust(self) -> bytes:
        """Read what is left."""
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
        """Up to ``size`` bytes; all that is left where it is -1 or None."""
        if size is None or size < 0:
            return self.readall()
        return self._take(self._stream.read, size)

    def readall(self) -> bytes:
        """All that is left."""
        if self.is_exhausted:
            return self._read_at_limit()
        chunks = []
        while not self.is_exhausted and (chunk := self._take(self._stream.read, _CHUNK)):
            chunks.append(chunk)
        if self.is_exhausted and self._limit_is_max and (more := self._read_at_limit()):
            chunks.append(more)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def readline(self, size: int | None = -1, /) -> bytes:
        """The next line, or up to ``size`` bytes of it."""
        if self.is_exhausted:
            return b""
        return self._take(self._stream.readline, self.limit if size is None or size < 0 else size)

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Read bytes into a buffer: how many."""
        view = memoryview(buffer).cast("B")
        data = self._take(self._stream.read, len(view))
        view[: len(data)] = data
        return len(data)

    def tell(self) -> int:
        """How many bytes were read."""
        return self._pos

    def readable(self) -> bool:
        """True."""
        return True


def get_content_length(environ: "WSGIEnvironment") -> int | None:
    """How many bytes the body has; None where that is not said, or it comes in chunks, and 0 for what is no number."""
    return length_of_body(environ.get("CONTENT_LENGTH"), environ.get("HTTP_TRANSFER_ENCODING"))


def length_of_body(http_content_length: str | None = None, http_transfer_encoding: str | None = None) -> int | None:
    """The same, from the two headers."""
    if http_content_length is None or (http_transfer_encoding and _is_chunked(http_transfer_encoding)):
        return None
    digits = http_content_length.strip(OWS)
    return int(digits) if digits.isdigit() and digits.isascii() and len(digits) <= _MOST_DIGITS else 0


def _is_chunked(codings: str) -> bool:
    return "chunked" in [coding.lower() for coding in parse_list_header(codings)]


def get_input_stream(
    environ: "WSGIEnvironment", safe_fallback: bool = True, max_content_length: int | None = None
) -> IO[bytes]:
    """The body as a stream that can be read to its end; an empty one where nobody knows where that is.

    ``safe_fallback=False`` gives the server's own stream there. Raises RequestEntityTooLarge for a body that says that
    it is longer than ``max_content_length``, and while it is read for one that is.
    """
    stream: IO[bytes] = environ["wsgi.input"]
    length = get_content_length(environ)
    if length is not None and max_content_length is not None and length > max_content_length:
        raise RequestEntityTooLarge
    if "wsgi.input_terminated" in environ:
        return stream if max_content_length is None else _limited(stream, max_content_length, True)
    if length is None:
        return BytesIO() if safe_fallback else stream
    return _limited(stream, length, False)


def read_body(environ: "WSGIEnvironment", max_content_length: int | None = None) -> bytes:
    """All of the body, as ``get_input_stream`` gives it. Raises what that does, and ClientDisconnected."""
    length = get_content_length(environ)
    if length is None or "wsgi.input_terminated" in environ:
        return get_input_stream(environ, max_content_length=max_content_length).read()
    if max_content_length is not None and length > max_content_length:
        raise RequestEntityTooLarge
    stream: IO[bytes] = environ["wsgi.input"]
    try:
        data = stream.read(length) if length else b""
    except (OSError, ValueError) as error:
        raise ClientDisconnected from error
    return data if len(data) == length else data + LimitedStream(stream, length - len(data)).readall()


def _limited(stream: IO[bytes], limit: int, is_max: bool) -> IO[bytes]:
    return cast("IO[bytes]", LimitedStream(stream, limit, is_max))
