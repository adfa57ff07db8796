"""The request body as a file, bytes, text or JSON, and the files that it is read from or stored in."""

import sys
from collections.abc import Iterator
from functools import partial
from io import BufferedReader, BytesIO, RawIOBase
from typing import IO, TYPE_CHECKING, Any, cast

from antiphon.dialects.webob.descriptors import environ_getter
from antiphon.dialects.webob.exc import MalformedJSON, MalformedText
from antiphon.dialects.webob.request.head import UTF_8, RequestHead, codec_of
from antiphon.embedding import Spool, Window

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from antiphon.dialects.webob.descriptors import Attribute


_CHUNK = 64 << 10


class DisconnectionError(OSError):
    """Raised if a body ends before all of its bytes have arrived."""


class LimitedLengthFile(RawIOBase):
    """The next ``maxlen`` bytes of a file. Raises DisconnectionError if the file contains fewer."""

    def __init__(self, file: IO[bytes], maxlen: int) -> None:
        self.file = file
        self.maxlen = maxlen
        self.remaining = maxlen

    def __repr__(self) -> str:
        return f"<{type(self).__name__}({self.file!r}, maxlen={self.maxlen})>"

    def fileno(self) -> int:
        return self.file.fileno()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Read bytes into a buffer and return how many were read."""
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), self.remaining)
        data = self.file.read(wanted) if wanted else b""
        self.remaining -= len(data)
        if wanted and not data:
            raise cut_off(self.remaining)
        view[: len(data)] = data
        return len(data)


def cut_off(missing: int) -> DisconnectionError:
    return DisconnectionError(f"The client disconnected while sending the body ({missing} more bytes were expected)")


class StoredBody(Window):
    """A stored body as a file that can be read again."""

    def __init__(self, spool: Spool) -> None:
        super().__init__(spool, 0, spool.size)
        self.spool = spool


class InMemoryFirst:
    """A file in memory that is replaced with another file when it grows too large."""

    def __init__(self, limit: int, make_file: Any) -> None:
        self.file: Any = BytesIO()
        self._limit = limit
        self._make_file = make_file
        self._size = 0

    def write(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._limit and type(self.file) is BytesIO:
            written = self.file.getvalue()
            self.file = self._make_file()
            self.file.write(written)
        self.file.write(data)

    def close(self) -> None:
        self.file.close()


def read_exactly(source: IO[bytes], length: int) -> bytes:
    data = source.read(length)
    if len(data) == length:
        return data
    return data + b"".join(_chunks(source, length - len(data)))


def copy(source: IO[bytes], length: int | None, target: Any) -> None:
    """Copy ``length`` bytes to ``target``, or all bytes if ``length`` is None.

    Raises DisconnectionError if the source contains fewer, or the source's own error. On any error, the target is
    closed.
    """
    try:
        for chunk in _chunks(source, length):
            target.write(chunk)
    except BaseException:
        target.close()
        raise


def _chunks(source: IO[bytes], length: int | None) -> Iterator[bytes]:
    while length is None or length > 0:
        data = source.read(_CHUNK if length is None else min(length, _CHUNK))
        if not data:
            if length is None:
                return
            raise cut_off(length)
        yield data
        length = None if length is None else length - len(data)


class RequestBody(RequestHead):
    """The body of a request. It is read on first use and can then be read again."""

    request_body_tempfile_limit: int = 512 << 10
    """The maximum size in bytes of a body that is kept in memory after it is read."""

    body_file_raw: "Attribute[IO[bytes]]" = environ_getter("wsgi.input")
    is_body_seekable: "Attribute[bool]" = environ_getter("webob.is_body_seekable", False)

    @property
    def is_body_readable(self) -> bool:
        """True if the request has a body whose end is known from its length or marked by the server.

        Set it to True to declare that ``body_file_raw`` ends where the body ends.
        """
        environ = self.environ
        length = self.content_length
        if length:
            return True
        if length == 0 and "HTTP_TRANSFER_ENCODING" not in environ:
            return False
        return bool(
            environ.get("wsgi.input_terminated")
            or environ.get("webob.is_body_readable")
            or environ.get("mod_wsgi.input_chunked")
        )

    @is_body_readable.setter
    def is_body_readable(self, flag: object) -> None:
        self.environ["wsgi.input_terminated"] = bool(flag)

    # As a file

    @property
    def body_file(self) -> IO[bytes]:
        """The body as a file that ends where the body ends. It can be set to another file, of any length."""
        if not self.is_body_readable:
            return BytesIO()
        raw = self.body_file_raw
        length = self._declared_length
        if self.is_body_seekable or length is None:
            return raw
        # The file is cached so that a second reader continues where the first one stopped.
        limited, of_file = self.environ.get("webob._body_file", (None, None))
        if of_file is not raw:
            limited = BufferedReader(LimitedLengthFile(raw, length))
            self.environ["webob._body_file"] = limited, raw
        return cast("IO[bytes]", limited)

    @body_file.setter
    def body_file(self, value: IO[bytes]) -> None:
        if isinstance(value, bytes):
            raise ValueError("Excepted fileobj but received bytes.")
        self.content_length = None
        self.body_file_raw = value
        self.is_body_seekable = False
        self.is_body_readable = True

    @body_file.deleter
    def body_file(self) -> None:
        self.body = b""

    @property
    def _declared_length(self) -> int | None:
        """The length in Content-Length, or None if Transfer-Encoding declares a chunked body."""
        environ = self.environ
        if "HTTP_TRANSFER_ENCODING" in environ and environ.get("wsgi.input_terminated"):
            return None
        return self.content_length

    @property
    def body_file_seekable(self) -> IO[bytes]:
        """The body as a file that can be read again. The body is read and stored first if necessary."""
        if not self.is_body_seekable:
            self.make_body_seekable()
        return self.body_file_raw

    def make_body_seekable(self) -> None:
        """Store the body if it is not stored yet, and rewind its file.

        This also determines its length. Raises DisconnectionError if the body is cut short.
        """
        if self.is_body_seekable:
            self.body_file_raw.seek(0)
        else:
            self.copy_body()

    def copy_body(self) -> None:
        """Store a copy of the body that no other request shares, in memory or, if it is large, in a file.

        Raises DisconnectionError if the body is cut short.
        """
        if not self.is_body_readable:
            self.body = b""
            return
        self._copy_readable()

    def _copy_readable(self) -> bytes | None:
        """Store a copy of the body. Return it if it is known to be in memory."""
        source = self._source()
        length = self._declared_length
        if length is not None and length <= self.request_body_tempfile_limit:
            self.body = data = read_exactly(source, length)
            return data
        self._store(source, length)
        return None

    def _source(self) -> IO[bytes]:
        """Return the file to copy the body from. A partially read file continues at its position."""
        raw = self.body_file_raw
        if self.is_body_seekable:
            raw.seek(0)
            return raw
        limited, of_file = self.environ.get("webob._body_file", (None, None))
        return cast("IO[bytes]", limited) if of_file is raw else raw

    def _store(self, source: IO[bytes], length: int | None) -> None:
        if type(self).make_tempfile is not RequestBody.make_tempfile or "make_tempfile" in vars(self):
            target = InMemoryFirst(self.request_body_tempfile_limit, self.make_tempfile)
            copy(source, length, target)
            file = target.file
        else:
            spool = Spool(threshold=self.request_body_tempfile_limit)
            copy(source, length, spool)
            if spool.in_memory:
                self.body = spool.getvalue()
                return
            file = StoredBody(spool)
            from antiphon.embedding import ReceivedInput  # imported late, since it loads the servers

            if (at_end := self.environ.get(ReceivedInput.AT_END)) is not None:
                at_end.append(partial(_let_go, self.environ, file))
        size = file.seek(0, 2)
        file.seek(0)
        self.content_length = size
        self.body_file_raw = file
        self.is_body_seekable = True
        self.is_body_readable = True

    def make_tempfile(self) -> IO[bytes]:
        """Return a file for a large body. Subclasses may override it to choose another location."""
        from tempfile import TemporaryFile

        return cast("IO[bytes]", TemporaryFile())

    # As a whole

    @property
    def body(self) -> bytes:
        """The body as bytes. It can be set and deleted. Raises DisconnectionError if the body is cut short."""
        if not self.is_body_readable:
            return b""
        if self.is_body_seekable:
            self.body_file_raw.seek(0)
        elif (copied := self._copy_readable()) is not None:
            return copied
        file = self.body_file_raw
        length = self.content_length
        if type(file) is BytesIO:
            data = file.getvalue()
            return data if length is None else data[:length]
        data = file.read() if length is None else file.read(length)
        file.seek(0)
        return data

    @body.setter
    def body(self, value: bytes | None) -> None:
        if value is None:
            value = b""
        if not isinstance(value, bytes):
            raise TypeError(
                f"You can only set Request.body to bytes (not {type(value)!r}): assign a str to request.text"
            )
        environ = self.environ
        environ["CONTENT_LENGTH"] = str(len(value))
        environ["wsgi.input"] = BytesIO(value)
        environ["webob.is_body_seekable"] = True

    @body.deleter
    def body(self) -> None:
        self.body = b""

    @property
    def text(self) -> str:
        """The body as text in ``charset``.

        It can be set and deleted. Raises UnicodeDecodeError, or LookupError for an unsupported charset.
        """
        return self.body.decode(codec_of(self._text_charset))

    @text.setter
    def text(self, value: str) -> None:
        if not isinstance(value, str):
            raise TypeError(f"You can only set Request.text to a unicode string (not {type(value)!r})")
        self.body = value.encode(codec_of(self._text_charset))

    @text.deleter
    def text(self) -> None:
        self.body = b""

    @property
    def _text_charset(self) -> str:
        charset: str = self.charset
        if not charset:
            raise AttributeError("You cannot access Request.text unless charset is set")
        return charset

    @property
    def json_body(self) -> Any:
        """The body as JSON. It can be set and deleted. Malformed JSON raises a ValueError that is also a 400."""
        try:
            charset = self.charset
            if charset == UTF_8:
                return _json().loads(self.body.decode())
            is_wide = charset[:6].lower() in ("utf-16", "utf-32")
            return _json().loads(self.body if is_wide else self.text)  # json detects which of the two it is
        except (RecursionError, ValueError) as error:
            raise _malformed(error) from error

    @json_body.setter
    def json_body(self, value: Any) -> None:
        self.text = _json().dumps(value, separators=(",", ":"))

    @json_body.deleter
    def json_body(self) -> None:
        self.body = b""

    json = json_body


def _let_go(environ: dict[str, Any], file: StoredBody) -> None:
    """Close a stored body and release its form's fields, since an error's traceback may keep the environ alive."""
    file.close()
    file.spool.close()
    environ.pop("webob._parsed_post_vars", None)


def _json() -> Any:
    """Return the ``json`` attribute of ``webob.request``, which programs may replace with another module."""
    return sys.modules["antiphon.dialects.webob.request"].json


def _malformed(error: Exception) -> ValueError:
    """Return the error for a body that is not JSON. The error is also a response."""
    if isinstance(error, UnicodeDecodeError):
        return MalformedText(error.encoding, error.object, error.start, error.end, error.reason)
    if isinstance(error, RecursionError):
        return MalformedJSON("Arrays and objects are nested too deeply to be read")
    reason, text, position = (getattr(error, name, None) for name in ("msg", "doc", "pos"))
    return MalformedJSON(str(reason or error), text if isinstance(text, str) else "", position or 0)
