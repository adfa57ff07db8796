"""The response body: an iterable of chunks that is also available as bytes, text, JSON, and a writable file."""

import json
import zlib
from collections.abc import Iterable, Iterator
from struct import pack
from typing import IO, Any

from antiphon.dialects._environ.calling import part_of
from antiphon.dialects.webob.descriptors import header_getter, header_property, parse_int, serialize_int
from antiphon.dialects.webob.response.head import MediaTypes

_BLOCK = 1 << 18
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
"""The head of a gzip file. It omits the name and time so that equal bytes produce equal files."""


class AppIterRange:
    """The bytes of an iterable from ``start`` up to, but not including, ``stop``, or to the end if ``stop`` is None.

    Raises AssertionError if ``start`` is negative or ``stop`` comes before it.
    """

    def __init__(self, app_iter: Iterable[bytes], start: int, stop: int | None) -> None:
        if start < 0:
            raise AssertionError(f"Bad start: {start!r}")
        if stop is not None and stop < start:
            raise AssertionError(f"Bad stop: {stop!r}")
        self.app_iter = app_iter
        self.start = start
        self.stop = stop
        self._chunks = part_of(app_iter, start, None if stop is None else stop - start)

    def __iter__(self) -> "AppIterRange":
        return self

    def __next__(self) -> bytes:
        return next(self._chunks)

    next = __next__

    def close(self) -> None:
        iter_close(self.app_iter)


class EmptyResponse:
    """An empty body that replaces another body. Closing it also closes the other one."""

    def __init__(self, app_iter: Any = None) -> None:
        close = getattr(app_iter, "close", None)
        if close is not None:
            self.close = close

    def __iter__(self) -> "EmptyResponse":
        return self

    def __len__(self) -> int:
        return 0

    def __next__(self) -> bytes:
        raise StopIteration

    next = __next__


class ResponseBodyFile:
    """A response's body as a file that accepts text and bytes."""

    mode = "wb"
    closed = False

    def __init__(self, response: Any) -> None:
        self.response = response
        self.write = response.write

    def __repr__(self) -> str:
        return f"<body_file for {self.response!r}>"

    @property
    def encoding(self) -> str | None:
        """The charset that text is encoded in when it is written."""
        charset: str | None = self.response.charset
        return charset

    def writelines(self, seq: Iterable[str | bytes]) -> None:
        for item in seq:
            self.write(item)

    def close(self) -> None:
        """Raise NotImplementedError: a body stays open as long as its response does."""
        raise NotImplementedError("Response bodies cannot be closed")

    def flush(self) -> None:
        """Do nothing, since writes go directly to the body."""

    def tell(self) -> int:
        """Return the number of bytes written so far."""
        return sum(map(len, self.response.app_iter)) if self.response.has_body else 0

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False


def iter_close(iter: Any) -> None:  # noqa: A002 - WebOb's name
    close = getattr(iter, "close", None)
    if close is not None:
        close()


def iter_file(file: IO[bytes], block_size: int = _BLOCK) -> Iterator[bytes]:
    while data := file.read(block_size):
        yield data


def gzip_app_iter(app_iter: Iterable[bytes]) -> Iterator[bytes]:
    """Compress chunks with gzip (RFC 1952) as they arrive and close the iterable at the end."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    checksum = size = 0
    try:
        yield _GZIP_HEAD
        for chunk in app_iter:
            checksum = zlib.crc32(chunk, checksum)
            size += len(chunk)
            if data := compressor.compress(chunk):
                yield data
        yield compressor.flush()
        yield pack("<2L", checksum, size & 0xFFFFFFFF)
    finally:
        iter_close(app_iter)


_OF_A_BODY = frozenset({"content-length", "content-md5"})
"""Headers that no longer apply when the body is replaced."""
_encode_json = json.JSONEncoder(separators=(",", ":")).encode


class ResponseContent(MediaTypes):
    """The body, stored in ``_app_iter`` as an iterable of bytes."""

    unicode_errors = "strict"
    """The way to handle bytes that are invalid in the charset, as for ``bytes.decode``."""
    default_body_encoding: str | None = "UTF-8"
    """The encoding of text if the Content-Type has no charset."""

    _app_iter: Any
    content_length = header_property("Content-Length", parse_int, serialize_int)
    content_md5 = header_getter("Content-MD5")

    # Chunks

    @property
    def app_iter(self) -> Any:
        """The body as an iterable of bytes. Setting it removes Content-Length. Deleting it empties the body."""
        return self._app_iter

    @app_iter.setter
    def app_iter(self, value: Any) -> None:
        if self._app_iter is not None:
            self.content_length = None
        self._app_iter = value

    @app_iter.deleter
    def app_iter(self) -> None:
        self._app_iter = []
        self.content_length = None

    @property
    def has_body(self) -> bool:
        """True unless the body is known to be empty. Does not read the body."""
        chunks = self._app_iter
        if isinstance(chunks, list) and len(chunks) == 1:
            return bool(chunks[0])
        return chunks is not None

    # Bytes

    @property
    def body(self) -> bytes:
        """The whole body as bytes. Reading it consumes the iterable and sets Content-Length.

        Setting raises TypeError for anything but bytes. Reading raises TypeError if a chunk is text, or AssertionError
        if the length differs from Content-Length.
        """
        chunks = self._app_iter
        if isinstance(chunks, list) and len(chunks) == 1:
            only: bytes = chunks[0]
            return only
        if chunks is None:
            raise AttributeError("No body has been set")
        body = _joined(chunks)
        self._app_iter = [body]
        if body:  # the Content-Length of a response to HEAD is that of a body that is not sent
            self._check_length(len(body))
        return body

    @body.setter
    def body(self, value: bytes) -> None:
        if not isinstance(value, bytes):
            hint = " (use Response.text)" if isinstance(value, str) else ""
            raise TypeError(f"You can only set the body to a binary type (not {type(value)!r}){hint}")
        lines = self._headerlist
        lines[:] = [line for line in lines if line[0].lower() not in _OF_A_BODY]
        lines.append(("Content-Length", str(len(value))))
        self._app_iter = [value]

    @body.deleter
    def body(self) -> None:
        self.body = b""

    def _check_length(self, length: int) -> None:
        declared = self.content_length
        if declared is None:
            self.content_length = length
        elif declared != length:
            raise AssertionError(f"Content-Length is different from actual app_iter length ({declared!r}!={length!r})")

    # Text

    @property
    def text(self) -> str:
        """The body as text, decoded with the Content-Type's charset or else ``default_body_encoding``.

        Raises AttributeError if both are missing, or TypeError if it is set to anything but text.
        """
        return self.body.decode(self._encoding(), self.unicode_errors)

    @text.setter
    def text(self, value: str) -> None:
        encoding = self._encoding()
        if not isinstance(value, str):
            raise TypeError(f"You can only set Response.text to a unicode string (not {type(value)!r})")
        self.body = value.encode(encoding)

    @text.deleter
    def text(self) -> None:
        del self.body

    unicode_body = ubody = text

    def _encoding(self) -> str:
        encoding = self.charset or self.default_body_encoding
        if not encoding:
            raise AttributeError("You cannot access Response.text unless charset or default_body_encoding is set")
        return encoding

    # JSON

    @property
    def json_body(self) -> Any:
        """The body as JSON in UTF-8. Setting it does not change the Content-Type."""
        return json.loads(self.body.decode())

    @json_body.setter
    def json_body(self, value: Any) -> None:
        self.body = to_json(value)

    @json_body.deleter
    def json_body(self) -> None:
        del self.body

    json = json_body

    # A file

    @property
    def body_file(self) -> ResponseBodyFile:
        """A file object that appends to the body. It can be set to a binary file, which is read when it is sent."""
        return ResponseBodyFile(self)

    @body_file.setter
    def body_file(self, file: Any) -> None:
        self.app_iter = iter_file(file)

    @body_file.deleter
    def body_file(self) -> None:
        del self.body

    def write(self, text: str | bytes) -> int:
        """Append bytes, or text in the response's charset, to the body and return the number of bytes.

        Raises TypeError for other types, or for text if the response has no charset.
        """
        data = text if isinstance(text, bytes) else self._encoded(text)
        if not isinstance(self._app_iter, list):
            self._read_into_list()
        self._app_iter.append(data)
        length = self.content_length
        if length is not None:
            self.content_length = length + len(data)
        return len(data)

    def _encoded(self, text: str) -> bytes:
        if not isinstance(text, str):
            raise TypeError(f"You can only write str to a Response.body_file, not {type(text)}")
        charset = self.charset
        if not charset:
            raise TypeError("You can only write text to Response if charset has been set")
        return text.encode(charset)

    def _read_into_list(self) -> None:
        chunks = self._app_iter
        try:
            self._app_iter = list(chunks)
        finally:
            iter_close(chunks)
        self.content_length = sum(map(len, self._app_iter))


def to_json(value: Any) -> bytes:
    """Serialize a value as JSON in UTF-8, without spaces."""
    return _encode_json(value).encode()


def _joined(chunks: Any) -> bytes:
    try:
        return b"".join(chunks)
    except TypeError:
        if isinstance(chunks, (list, tuple)) and any(isinstance(chunk, str) for chunk in chunks):
            raise TypeError("the chunks of app_iter must be bytes, not str: use Response.text for text") from None
        raise
    finally:
        iter_close(chunks)
