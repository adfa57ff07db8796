"""Query and form fields as multidicts, cached in the environ. Reads and writes multipart forms (RFC 7578)."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import Any, NamedTuple, NoReturn, TypeAlias, cast

from antiphon import Limits
from antiphon.dialects._environ.forms import DelimiterLines, follows_bare_line_feed
from antiphon.dialects.webob.exc import HTTPRequestEntityTooLarge, HTTPRequestURITooLong, MalformedForm, decode_text
from antiphon.dialects.webob.field_storage import FileField
from antiphon.dialects.webob.multidict import GetDict, MultiDict, NestedMultiDict, NoVars
from antiphon.dialects.webob.request.body import RequestBody, StoredBody
from antiphon.dialects.webob.request.head import UTF_8, Decode, as_latin_1, declared_charset, decoder, named_charset
from antiphon.embedding import FormBounds, MultipartParser, Spool
from antiphon.http import BadRequest, ContentTooLarge, HTTPError, format_query, parse_query
from antiphon.http.grammar import percent_decode

_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


class Part(NamedTuple):
    """A part of a form. It is a file if it has a filename."""

    name: str
    content: bytes
    filename: str | None = None
    content_type: str | None = None


def has_files(fields: Iterable[tuple[Any, Any]]) -> bool:
    """Return True if any field is a file: a pair of filename and content, or an object with a filename."""
    return any(isinstance(value, (tuple, list)) or getattr(value, "filename", None) for _, value in fields)


def urlencoded(fields: Iterable[tuple[Any, Any]], charset: str = "utf-8") -> bytes:
    """Encode fields as a urlencoded form."""
    if charset == "utf-8":
        return format_query([(_text(name), _text(value)) for name, value in fields]).encode()
    from urllib.parse import urlencode

    return urlencode([(name, value) for name, value in fields], encoding=charset).encode()


def multipart(fields: Iterable[tuple[Any, Any]], boundary: str, charset: str = "utf-8") -> bytes:
    """Encode fields and files as a multipart form."""
    encode = _encoder(charset)
    written: list[bytes] = []
    for name, value in fields:
        part = _part(name, value, encode)
        written += [f"--{boundary}\r\n".encode(), encode(_head(part)), part.content, b"\r\n"]
    return b"".join([*written, f"--{boundary}--".encode()])


def new_boundary() -> str:
    """Return a random boundary that is practically certain not to occur in any content."""
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


_CHUNK = 64 << 10

_Part: TypeAlias = tuple[Any, ...]
"""The values of a `MultipartParser.Head`, followed by the offset in the body where the content ends."""


def read_parts(
    content_type: str, spool: Spool, data: bytes | None, limits: Limits, text: Decode | None
) -> Iterator[tuple[str, Any]]:
    """Yield a form's fields and files. ``data`` is the spool's content if it is in memory."""
    boundary = MultipartParser.parse_boundary(content_type)
    parts = None
    if data is not None and not follows_bare_line_feed(data, boundary):
        parts = MultipartParser.read_whole(data, boundary, limits)
    if parts is None:
        lines = DelimiterLines(boundary)
        parts = _index(spool, lines, boundary, limits)
        if lines.has_bare_line_feed:
            spool = _spooled(DelimiterLines(boundary).in_crlf(_chunks(spool)))
    return _read_parts(parts, spool, text)


def _chunks(spool: Spool) -> Iterator[bytes]:
    offset = 0
    while chunk := spool.read_at(offset, _CHUNK):
        yield chunk
        offset += len(chunk)


def _spooled(chunks: Iterable[bytes]) -> Spool:
    spool = Spool()
    for chunk in chunks:
        spool.write(chunk)
    return spool


def _index(spool: Spool, lines: DelimiterLines, boundary: bytes, limits: Limits) -> list[_Part]:
    """Return a form's parts. As in WebOb, a form without a delimiter has none."""
    parser = MultipartParser(boundary, limits=MultipartParser.Limits(limits.parts))
    bounds = FormBounds(limits)
    chunks = lines.in_crlf(_chunks(spool))
    try:
        parts = [part for chunk in chunks for part in bounds.count(parser.events_in(chunk))]
        parser.finish()
    except HTTPError:
        deque(chunks, maxlen=0)
        if lines.has_delimiter:
            raise
        return []
    return parts


def _read_parts(parts: list[_Part], spool: Spool, given: Decode | None) -> Iterator[tuple[str, Any]]:
    text = given or _utf_8
    for *values, end in parts:
        head = MultipartParser.Head._make(values)
        if head.name is None:
            continue
        name = text(head.name)
        if head.filename:
            yield name, FileField(name, text(head.filename), spool, head, end)
            continue
        content = spool.read_at(head.offset, end - head.offset)
        if head.filename is not None:
            yield name, content  # no file was chosen
        elif head.content_type is None or given is as_latin_1:
            yield name, text(content)
        else:
            yield name, (_own_decoder(head.content_type) or text)(content)


def _utf_8(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _own_decoder(content_type: str) -> Decode | None:
    """Return the decoder for a field that declares its own charset (RFC 7578 §5.1.2), or None if it declares none."""
    charset = declared_charset(content_type)
    return (decoder(charset) or _utf_8) if charset else None


_URLENCODED = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_FORMS = frozenset({"", _URLENCODED, _MULTIPART})


class RequestForms(RequestBody):
    """The fields of the query and the form. The form is parsed once and kept until the body is replaced."""

    max_query_fields: int | None = Limits().fields
    """The maximum number of fields in a query. More raise HTTPRequestURITooLong (414). None means no limit."""
    max_form_fields: int | None = Limits().fields
    """The maximum number of fields and files in a form. More raise HTTPRequestEntityTooLarge (413).

    None means no limit.
    """
    max_form_memory: int | None = Limits().memory
    """The maximum size in bytes of a form's fields, without files. More raise HTTPRequestEntityTooLarge (413)."""

    @property
    def GET(self) -> GetDict:  # noqa: N802 - WebOb's name
        """The fields of the query. Changes are written to the environ.

        Raises a UnicodeDecodeError that is also a 400 if the query is not UTF-8, or HTTPRequestURITooLong.
        """
        environ = self.environ
        query = environ.get("QUERY_STRING", "")
        charset = self._query_charset
        kept = environ.get("webob._parsed_query_vars")
        if (
            kept is not None
            and kept[1] == query
            and getattr(kept[0], "env", environ) is environ
            and _charset_of(kept[0]) == charset
        ):
            return cast("GetDict", kept[0])
        fields = GetDict.over(self._query_fields(None if charset == UTF_8 else decoder(charset)), environ)
        if charset != UTF_8:
            fields._charset = charset  # noqa: SLF001 - of this dialect
        environ["webob._parsed_query_vars"] = fields, query
        return fields

    def _query_fields(self, text: Decode | None) -> list[tuple[str, str]]:
        query = self.environ.get("QUERY_STRING", "")
        if not query:
            return []
        try:
            fields = parse_fields(raw_bytes(query).replace(b";", b"&"), text, self.max_query_fields)
        except ValueError:
            detail = f"The query has more than {self.max_query_fields} fields."
            raise HTTPRequestURITooLong(detail) from None
        if text is None and any("\ufffd" in name or "\ufffd" in value for name, value in fields):
            decode_text(percent_decode(raw_bytes(query)), "utf-8")
        return fields

    @property
    def POST(self) -> Any:  # noqa: N802 - WebOb's name
        """The fields and files of the form in the body, whatever the method, or NoVars if the body is not a form.

        Raises HTTPBadRequest if the form is malformed, HTTPRequestEntityTooLarge if it exceeds a limit, or
        DisconnectionError.
        """
        charset = named_charset(self.charset)
        kept = self.environ.get("webob._parsed_post_vars")
        if kept is not None and kept[1] is self.body_file_raw and _charset_of(kept[0]) == charset:
            return kept[0]
        fields = self._form(None if charset == UTF_8 else decoder(charset))
        if isinstance(fields, MultiDict):
            if charset != UTF_8:
                fields._charset = charset  # noqa: SLF001
            self.environ["webob._parsed_post_vars"] = fields, self.body_file_raw
        return fields

    def _form(self, text: Decode | None) -> Any:
        content_type = self.content_type
        if content_type not in _FORMS or (not content_type and self.method != "POST"):
            return NoVars(f"Not an HTML form submission (Content-Type: {content_type})")
        self.make_body_seekable()
        if self.method.upper() in ("GET", "HEAD") or (not content_type and "CONTENT_TYPE" in self.environ):
            return MultiDict()  # an empty or malformed Content-Type does not declare a form
        try:
            if content_type == _MULTIPART:
                return MultiDict.over([*self._parts(text)])
            return MultiDict.over(parse_fields(self._urlencoded(), text, self.max_form_fields))
        except ContentTooLarge as error:
            self._refuse(error.detail or str(error))
        except BadRequest as error:
            raise MalformedForm(error.detail or str(error)) from error
        except ValueError:
            self._refuse(f"The form has more than {self.max_form_fields} fields.")

    def _refuse(self, detail: str) -> NoReturn:
        raise HTTPRequestEntityTooLarge(detail)

    def _urlencoded(self) -> bytes:
        """Return the body. Raises HTTPRequestEntityTooLarge if it is too large to read into memory."""
        most = self.max_form_memory
        if most is not None and (self.content_length or 0) > most:
            self._refuse(f"The form has more than {most} bytes.")
        return self.body

    def _parts(self, text: Decode | None) -> Iterator[tuple[str, Any]]:
        """Return the fields and files of a multipart form."""
        return read_parts(self._content_type_raw, *self._stored(), self._limits(), text)

    def _stored(self) -> tuple[Spool, bytes | None]:
        """Return the body as a ``Spool``, along with its bytes if they are in memory."""
        file = self.body_file_raw
        if isinstance(file, StoredBody) and file.spool.size == self.content_length:
            return file.spool.share(), None  # keeps files readable after the request ends
        if type(file) is BytesIO or (self.content_length or 0) <= self.request_body_tempfile_limit:
            data = self.body
            return Spool(data=data), data
        spool = Spool(threshold=self.request_body_tempfile_limit)
        while chunk := file.read(_CHUNK):
            spool.write(chunk)
        file.seek(0)
        return spool, None

    @property
    def str_GET(self) -> "MultiDict[str, str]":  # noqa: N802 - WebOb's name
        """The undecoded fields of the query, with one character per byte (PEP 3333)."""
        return MultiDict(self._query_fields(as_latin_1))

    @property
    def str_POST(self) -> Any:  # noqa: N802 - WebOb's name
        """A form's undecoded fields and files, with one character per byte. Raises the same errors as ``POST``."""
        return self._form(as_latin_1)

    @property
    def str_params(self) -> "NestedMultiDict[str, Any]":
        """The fields of ``str_GET`` followed by those of ``str_POST``."""
        return NestedMultiDict(self.str_GET, self.str_POST)

    def _limits(self) -> Limits:
        fields, memory = self.max_form_fields, self.max_form_memory
        most = Limits().file  # higher than any possible number
        return Limits(
            parts=most if fields is None else fields,
            fields=most if fields is None else fields,
            files=most if fields is None else fields,
            form=most if memory is None else memory,
        )

    @property
    def params(self) -> "NestedMultiDict[str, Any]":
        """The fields of ``GET`` followed by those of ``POST``. Read-only."""
        return NestedMultiDict(self.GET, self.POST)


def _charset_of(fields: Any) -> str:
    charset: str = getattr(fields, "_charset", UTF_8)
    return charset


def parse_fields(data: bytes, text: Decode | None, most: int | None) -> list[tuple[str, str]]:
    """Parse the fields of a query or urlencoded form, decoded with ``text`` or else as UTF-8.

    Raises ValueError if there are more than ``most`` fields.
    """
    if text is None:
        return parse_query(data, most)
    if most is not None and data.count(b"&") >= most:
        raise ValueError(f"more than {most} fields")
    pieces = [piece.partition(b"=") for piece in data.replace(b"+", b" ").split(b"&") if piece]
    return [(text(percent_decode(name)), text(percent_decode(value))) for name, _, value in pieces]


def raw_bytes(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:  # servers never set such values, but tests may
        return text.encode()
