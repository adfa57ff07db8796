"""Form parsing, which turns a stream and its content type into (stream, form, files).

A multipart form is written to a single spool. Its files are views of that spool unless a stream factory is given.
"""

import re
from collections.abc import Callable
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any, NoReturn, Protocol, cast

from antiphon.dialects._environ.forms import FIELD, FormFile, FormReader
from antiphon.dialects.werkzeug.datastructures.file_storage import FileStorage
from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.datastructures.structures import MultiDict
from antiphon.dialects.werkzeug.exceptions.base import BadRequest
from antiphon.dialects.werkzeug.exceptions.statuses import RequestEntityTooLarge
from antiphon.dialects.werkzeug.tokens import parse_options_header
from antiphon.dialects.werkzeug.urls.parts import url_decode
from antiphon.dialects.werkzeug.wsgi import get_content_length, get_input_stream
from antiphon.embedding import MultipartParser
from antiphon.http import BadRequest as NativeBadRequest
from antiphon.http import ContentTooLarge, parse_query
from antiphon.http.grammar import percent_decode

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Parsed = tuple[IO[bytes], Any, Any]
"""The stream, the fields and the files. Fields and files are instances of the storage class."""

_IN_MEMORY = 500 << 10
UNLIMITED = 1 << 62
"""More parts than any real form contains."""
_PART_CHARSETS = frozenset({"ascii", "us-ascii", "utf-8", "iso-8859-1"})

_undecoded = re.compile("[\udc80-\udcff]")


class StreamFactory(Protocol):
    """A function that creates a file object for an uploaded file to be written to and then read from."""

    def __call__(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        """Return the file object. Lengths are in bytes. The length of a single file is rarely known."""
        ...


def default_stream_factory(
    total_content_length: int | None,  # noqa: ARG001 - StreamFactory's parameters
    content_type: str | None,  # noqa: ARG001
    filename: str | None,  # noqa: ARG001
    content_length: int | None = None,  # noqa: ARG001
) -> IO[bytes]:
    """Return a file that is kept in memory while it is small."""
    return cast("IO[bytes]", SpooledTemporaryFile(max_size=_IN_MEMORY, mode="rb+"))


def parse_form_data(
    environ: "WSGIEnvironment",
    stream_factory: StreamFactory | None = None,
    max_form_memory_size: int | None = None,
    max_content_length: int | None = None,
    cls: Callable[..., Any] | None = None,
    silent: bool = True,
    *,
    max_form_parts: int | None = None,
) -> Parsed:
    """Parse the form of a request with a ``FormDataParser``."""
    parser = FormDataParser(
        stream_factory, max_form_memory_size, max_content_length, cls, silent, max_form_parts=max_form_parts
    )
    return parser.parse_from_environ(environ)


def read_fields(data: bytes) -> list[tuple[str, str]]:
    """Parse the fields of a query or a urlencoded form. Escaped bytes that are not UTF-8 stay escaped."""
    fields = parse_query(data)
    if (b"%" in data or not data.isascii()) and any("\ufffd" in name or "\ufffd" in value for name, value in fields):
        chunks = [chunk.partition(b"=") for chunk in data.replace(b"+", b" ").split(b"&") if chunk]
        return [(_text(name), _text(value)) for name, _, value in chunks]
    return fields


def has_more_fields(data: bytes, most: int | None) -> bool:
    """Return True if a query or a urlencoded form has more than ``most`` fields, counting empty ones."""
    return most is not None and len(data) >= most and data.count(b"&") >= most


def _text(written: bytes) -> str:
    text = percent_decode(written).decode("utf-8", "surrogateescape")
    return _undecoded.sub(lambda byte: f"%{ord(byte[0]) - 0xDC00:02X}", text)


class MalformedForm(BadRequest, ValueError):
    """Raised for a multipart form that Werkzeug accepts but this parser rejects. The 400 states the reason."""


class FormDataParser:
    """A parser of urlencoded and multipart forms. Other bodies are left in their stream.

    An incomplete form is treated as empty if the parser is ``silent``, and raises ValueError otherwise. A malformed
    multipart form always raises MalformedForm, since an empty result would look as if the client had sent an empty
    form. A multipart form raises RequestEntityTooLarge if the head of a part exceeds a limit, or if there is too much
    text around its parts. ``cls`` is the class of the fields and files.

    A form with more than ``max_form_parts`` fields and files raises RequestEntityTooLarge, as does a multipart form
    whose fields exceed ``max_form_memory_size`` bytes in total. For ``max_content_length``, see ``get_input_stream``.
    """

    charset = "utf-8"
    """The charset of text. In charsets other than UTF-8, invalid bytes become U+FFFD."""

    def __init__(
        self,
        stream_factory: StreamFactory | None = None,
        max_form_memory_size: int | None = None,
        max_content_length: int | None = None,
        cls: Callable[..., Any] | None = None,
        silent: bool = True,
        *,
        max_form_parts: int | None = None,
    ) -> None:
        self.stream_factory = stream_factory or default_stream_factory
        self.max_form_memory_size = max_form_memory_size
        self.max_content_length = max_content_length
        self.max_form_parts = max_form_parts
        self.cls = cls or MultiDict
        self.silent = silent

    def parse_from_environ(self, environ: "WSGIEnvironment") -> Parsed:
        """Parse a request's body."""
        stream = get_input_stream(environ, max_content_length=self.max_content_length)
        mimetype, options = parse_options_header(environ.get("CONTENT_TYPE"))
        return self.parse(stream, mimetype, get_content_length(environ), options)

    def parse(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str] | None = None
    ) -> Parsed:
        """Parse a stream that ends where the body ends. ``options`` contains the parameters of its media type."""
        try:
            if mimetype == "application/x-www-form-urlencoded":
                return self._parse_urlencoded(stream)
            if mimetype == "multipart/form-data":
                return self._parse_multipart(stream, content_length, options or {})
        except MalformedForm:
            raise
        except ValueError:
            if not self.silent:
                raise
        return stream, self.cls(), self.cls()

    def _parse_urlencoded(self, stream: IO[bytes]) -> Parsed:
        data = stream.read()
        if has_more_fields(data, self.max_form_parts):
            raise RequestEntityTooLarge
        if self.charset != "utf-8":
            return stream, url_decode(data, self.charset, cls=self.cls), self.cls()
        if not data.isascii():
            data.decode()
        return stream, self.cls(read_fields(data)), self.cls()

    def _parse_multipart(self, stream: IO[bytes], content_length: int | None, options: dict[str, str]) -> Parsed:
        boundary = options.get("boundary", "").encode("ascii")
        if not boundary:
            raise ValueError("Missing boundary")
        parser = MultiPartParser(
            self.stream_factory, self.max_form_memory_size, self.cls, max_form_parts=self.max_form_parts
        )
        parser.charset = self.charset
        form, files = parser.parse(stream, boundary, content_length)
        return stream, form, files


class MultiPartParser:
    """A parser of multipart forms that reads ``buffer_size`` bytes at a time. See ``FormDataParser``."""

    charset = "utf-8"

    def __init__(
        self,
        stream_factory: StreamFactory | None = None,
        max_form_memory_size: int | None = None,
        cls: Callable[..., Any] | None = None,
        buffer_size: int = 64 << 10,
        max_form_parts: int | None = None,
    ) -> None:
        self.stream_factory = stream_factory or default_stream_factory
        self.max_form_memory_size = max_form_memory_size
        self.max_form_parts = max_form_parts
        self.cls = cls or MultiDict
        self.buffer_size = buffer_size

    def fail(self, message: str) -> NoReturn:
        raise ValueError(message)

    def get_part_charset(self, headers: Headers) -> str:
        """Return a field's charset: the one it declares if that is ASCII, UTF-8 or ISO-8859-1, or else ``charset``."""
        content_type = headers.get("content-type")
        declared = parse_options_header(content_type)[1].get("charset", "").lower() if content_type else ""
        return declared if declared in _PART_CHARSETS else self.charset

    def parse(self, stream: IO[bytes], boundary: bytes, content_length: int | None) -> tuple[Any, Any]:
        """Return the fields and the files.

        Raises MalformedForm, RequestEntityTooLarge, or ValueError for an incomplete form.
        """
        most = UNLIMITED if self.max_form_parts is None else self.max_form_parts
        try:
            parser = MultipartParser(boundary, limits=MultipartParser.Limits(most))
        except ValueError as error:
            raise MalformedForm(str(error)) from None
        open_file = None if self.stream_factory is default_stream_factory else self._opener(content_length)
        reader = FormReader(self._decode, open_file, self.max_form_memory_size, self._extended_name)
        try:
            parts = reader.read(stream, parser, self.buffer_size)
        except ContentTooLarge as error:
            is_known = error.members.get("limit") in ("parts", FIELD)
            raise RequestEntityTooLarge(None if is_known else error.detail) from error
        except MultipartParser.Incomplete as error:
            self.fail(error.detail or str(error))
        except NativeBadRequest as error:
            raise MalformedForm(error.detail) from error
        fields = [(name, self._value(head, content)) for name, head, content in parts if isinstance(content, bytes)]
        files = [(name, self._file(name, head, content)) for name, head, content in parts if head.filename is not None]
        return self.cls(fields), self.cls(files)

    def _opener(self, content_length: int | None) -> Callable[[MultipartParser.Head], IO[bytes]]:
        def open_file(head: MultipartParser.Head) -> IO[bytes]:
            return self.stream_factory(
                total_content_length=content_length,
                filename=self._decode(head.filename or b""),
                content_type=head.content_type,
                content_length=headers_of(head).get("content-length", type=int) or 0,
            )

        return open_file

    def _extended_name(self, head: MultipartParser.Head) -> bytes | None:
        filename = extended_name(head)
        return None if filename is None else filename.encode(self.charset, "replace")

    def _value(self, head: MultipartParser.Head, content: bytes) -> str:
        charset = self.get_part_charset(headers_of(head)) if head.content_type else self.charset
        return content.decode(charset, "replace")

    def _file(self, name: str, head: MultipartParser.Head, content: Any) -> FileStorage:
        headers = None if isinstance(content, FormFile) else headers_of(head)
        return FileStorage(content, self._decode(head.filename or b""), name, headers=headers)

    def _decode(self, written: bytes) -> str:
        return written.decode(self.charset, "replace")


def extended_name(head: MultipartParser.Head) -> str | None:
    """Return the name in a part's ``filename*``, or None if it is missing, as it nearly always is."""
    if b"*" not in head.section:
        return None
    return parse_options_header(headers_of(head).get("content-disposition"))[1].get("filename")


def headers_of(head: MultipartParser.Head) -> Headers:
    return Headers([(name.decode().title(), value.decode("utf-8", "replace")) for name, value in head.fields])
