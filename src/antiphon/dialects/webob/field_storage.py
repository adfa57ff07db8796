"""Forms and uploaded files with the attributes of ``cgi.FieldStorage``."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, cast

from antiphon.embedding import MultipartParser, Spool, Window, lazy
from antiphon.http.grammar import parse_parameters

if TYPE_CHECKING:
    from email.message import Message


_URLENCODED = "application/x-www-form-urlencoded"


class FieldStorage:
    """An uploaded file, or a form with its fields in ``list``. Use ``isinstance`` with it to recognize uploads.

    Requests create their own forms and files. To create one in a test, pass ``headers`` of a part or a request and
    ``fp``, a file with the content. Alternatively, pass an ``environ``; if its method is GET or HEAD, its query is
    read. Raises the same errors as a request's ``POST``.
    """

    name: str | None = None
    filename: str | None = None
    file: Any = None
    list: Any = None
    disposition = ""
    length = -1
    _value: Any = None

    def __init__(
        self,
        fp: IO[bytes] | None = None,
        headers: Any = None,
        outerboundary: bytes = b"",
        environ: Mapping[str, Any] | None = None,
        keep_blank_values: bool = False,
        **_options: Any,
    ) -> None:
        environ = os.environ if environ is None else environ
        method = str(environ.get("REQUEST_METHOD", "GET")).upper()
        is_query = method in ("GET", "HEAD")
        given = _headers_of(environ, is_query) if headers is None else headers
        self.headers = given
        self._describe(
            {name.lower(): str(value) for name, value in given.items()}, method == "POST" and not outerboundary
        )
        source = BytesIO(str(environ.get("QUERY_STRING", "")).encode("latin-1")) if is_query else fp or BytesIO()
        data = source.read(self.length)
        if self.type != _URLENCODED and not self.type.startswith("multipart/"):
            self.file = BytesIO(data)
        else:
            self.list = [field for field in _fields(data, self._content_type) if keep_blank_values or field.value != ""]

    def _describe(self, given: Any, is_form: bool) -> None:
        """Set the names, type and length from headers. For a form, the type is optional."""
        headers = {name.lower(): str(value) for name, value in given.items()}
        self.disposition, self.disposition_options = parsed_header(headers.get("content-disposition", ""))
        self.name = self.disposition_options.get("name")
        self.filename = self.disposition_options.get("filename")
        self._content_type = headers.get("content-type") or (_URLENCODED if is_form else "text/plain")
        self.type, self.type_options = parsed_header(self._content_type)
        length = headers.get("content-length", "")
        self.length = int(length) if length.isdecimal() and length.isascii() and len(length) < 19 else -1

    def __bool__(self) -> bool:
        return self.list is None or bool(self.list)

    @property
    def __class__(self) -> Any:
        """Pretend to be a ``cgi.FieldStorage`` for ``isinstance`` if other code has imported ``cgi``."""
        cgi = sys.modules.get("cgi")
        return type(self) if cgi is None else cgi.FieldStorage

    @__class__.setter
    def __class__(self, value: Any) -> None:  # required by type checkers
        raise AttributeError(f"the class of a form field can't be changed to {value!r:.200}")

    @property
    def value(self) -> Any:
        """A file's bytes, a field's text, or a form's fields."""
        if self.file is None:
            return self._value if self.list is None else self.list
        self.file.seek(0)
        data = self.file.read()
        self.file.seek(0)
        return data

    def make_file(self) -> IO[bytes]:
        """Return an unnamed temporary file for the content."""
        return cast("IO[bytes]", TemporaryFile())

    def __repr__(self) -> str:
        shown = (self.name, self.filename) if self.file is not None else (self.name, self.filename, self.value)
        return f"FieldStorage{shown!r}"

    # As a form

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def __contains__(self, key: object) -> bool:
        return any(field.name == key for field in self._own_fields())

    def __getitem__(self, key: str) -> Any:
        found = [field for field in self._own_fields() if field.name == key]
        if not found:
            raise KeyError(key)
        return found[0] if len(found) == 1 else found

    def keys(self) -> Any:
        """Return the names of the fields without duplicates."""
        return dict.fromkeys(field.name for field in self._own_fields()).keys()

    def getvalue(self, key: str, default: Any = None) -> Any:
        """Return a field's value, a list if it has several, or ``default`` if it is missing."""
        values = self.getlist(key)
        return values[0] if len(values) == 1 else values or default

    def getfirst(self, key: str, default: Any = None) -> Any:
        """Return a field's first value, or ``default`` if it is missing."""
        values = self.getlist(key)
        return values[0] if values else default

    def getlist(self, key: str) -> Any:
        return [field.value for field in self._own_fields() if field.name == key]

    def _own_fields(self) -> Any:
        if self.list is None:
            raise TypeError("only a form contains other fields, but this is a single field")
        return self.list


class TextField(FieldStorage):
    def __init__(self, name: str, value: Any) -> None:
        self.headers = {}
        self._describe({}, is_form=False)
        self.name = name
        self._value = value


def parsed_header(line: str) -> tuple[str, dict[str, str]]:
    value, _, parameters = line.partition(";")
    return value.strip(), parse_parameters(parameters)


def _headers_of(environ: Mapping[str, Any], is_query: bool) -> dict[str, str]:
    if is_query:
        return {"content-type": _URLENCODED}
    sent = {"content-type": environ.get("CONTENT_TYPE"), "content-length": environ.get("CONTENT_LENGTH")}
    return {name: str(value) for name, value in sent.items() if value is not None}


def _fields(data: bytes, content_type: str) -> Iterator[FieldStorage]:
    from antiphon.dialects.webob.request import BaseRequest

    keys = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": content_type, "CONTENT_LENGTH": str(len(data))}
    form = BaseRequest({**keys, "wsgi.input": BytesIO(data), "webob.is_body_seekable": True}).POST
    for name, value in form.items():
        yield value if isinstance(value, FieldStorage) else TextField(name, value)


class FileField(FieldStorage):
    """An uploaded file: a view of the stored body that does not copy it. It is truthy even if it is empty."""

    def __init__(self, name: str, filename: str, spool: Spool, head: MultipartParser.Head, end: int) -> None:
        self.name = name
        """The name of the field."""
        self.filename = filename
        """The filename as the client sent it, which may be a path or anything else. Never save a file under it."""
        self._spool = spool
        self._head = head
        self._size = end - head.offset

    @lazy
    def file(self) -> IO[bytes]:
        """The content as a file object with its own position."""
        return Window(self._spool, self._head.offset, self._size)

    @property
    def value(self) -> bytes:
        """The file's content in memory. Reading it rewinds ``file``."""
        if "file" in vars(self):
            self.file.seek(0)
        return self._spool.read_at(self._head.offset, self._size)

    @lazy
    def headers(self) -> "Message":
        """The header fields of the file's part."""
        from email.message import Message

        message = Message()
        for name, value in self._head.fields:
            message[name.decode().title()] = value.decode("latin-1")
        return message

    @lazy
    def type(self) -> str:
        """The media type that the client claims, by default `text/plain`, without parameters."""
        return parsed_header(self._head.content_type or "text/plain")[0]

    @lazy
    def type_options(self) -> dict[str, str]:
        return parsed_header(self._head.content_type or "")[1]

    @lazy
    def disposition(self) -> str:
        """The part's Content-Disposition: `form-data`."""
        return "form-data"

    @lazy
    def disposition_options(self) -> dict[str, str]:
        return {"name": self.name or "", "filename": self.filename or ""}

    @lazy
    def length(self) -> int:
        """The length that the part declares, or -1. Clients rarely declare it."""
        claimed = dict(self._head.fields).get(b"content-length", b"")
        return int(claimed) if claimed.isdigit() and len(claimed) < 19 else -1


def fields_of(form: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the name and value of each field of a ``cgi.FieldStorage``, decoded as the field's headers declare."""
    for field in form.list or ():
        yield field.name, field if field.filename else _text_of(field)


def _text_of(field: Any) -> Any:
    from binascii import a2b_base64, a2b_qp

    value = field.value
    known: dict[object, Callable[[bytes], bytes]] = {"base64": a2b_base64, "quoted-printable": a2b_qp}
    undo = known.get(field.headers.get("Content-Transfer-Encoding", None))
    if undo is not None:
        value = undo(value.encode()).decode()
    charset = field.type_options.get("charset", "utf8")
    return value if charset == "utf8" else value.encode().decode(charset)
