"""Builders of environs and requests for tests and scripts: target, headers and body."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any, Self, cast
from urllib.parse import unquote, urlsplit, urlunsplit

from antiphon.dialects._environ.heads import text_of
from antiphon.dialects.werkzeug.datastructures.auth import Authorization
from antiphon.dialects.werkzeug.datastructures.file_storage import FileMultiDict
from antiphon.dialects.werkzeug.datastructures.headers import EnvironHeaders, Headers
from antiphon.dialects.werkzeug.datastructures.structures import CombinedMultiDict, MultiDict, iter_multi_items
from antiphon.dialects.werkzeug.routing.parts import encode_fields
from antiphon.dialects.werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartEncoder
from antiphon.dialects.werkzeug.urls.iri import iri_to_uri
from antiphon.dialects.werkzeug.wrappers.common_descriptors import MediaType
from antiphon.dialects.werkzeug.wrappers.request import Request
from antiphon.embedding import Spool, Window
from antiphon.http.headers import write_raw_utf8

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class Destination:
    """The parts of a URL, which can be changed."""

    host: str
    path: str
    request_uri: str
    script_root: str
    url_scheme: str
    _query_string: str | None
    _args: "MultiDict[str, Any] | None"

    def _set_path(self, path: str, query_string: Mapping[str, Any] | str | None) -> None:
        if "?" in path and query_string is not None:
            raise ValueError("give the query only once: in the path or as query_string")
        parts = urlsplit(path)
        self.path = iri_to_uri(parts.path)
        self.request_uri = path
        if "?" in path:
            query_string = parts.query
        if isinstance(query_string, str):
            self.query_string = query_string
        else:
            self.args = query_string if isinstance(query_string, MultiDict) else MultiDict(query_string or ())

    @property
    def base_url(self) -> str:
        """The application's scheme, host and root path, with a trailing slash."""
        return base_url_of(self.url_scheme, self.host, self.script_root)

    @base_url.setter
    def base_url(self, value: str | None) -> None:
        parts = urlsplit("http://localhost" if value is None else value)
        if parts.query or parts.fragment:
            raise ValueError("a base URL must not have a query or a fragment")
        self.script_root = parts.path.rstrip("/")
        self.host = parts.netloc
        self.url_scheme = parts.scheme

    @property
    def query_string(self) -> str:
        """The query. Setting it removes the ``args``."""
        if self._query_string is not None:
            return self._query_string
        return encode_fields(iter_multi_items(self._args)) if self._args else ""

    @query_string.setter
    def query_string(self, value: str | None) -> None:
        self._query_string = value
        self._args = None

    @property
    def args(self) -> "MultiDict[str, Any]":
        """The fields of the query. Raises AttributeError if the query was set as text."""
        if self._query_string is not None:
            raise AttributeError("args are not available, since the query was set as text")
        if self._args is None:
            self._args = MultiDict()
        return self._args

    @args.setter
    def args(self, value: "MultiDict[str, Any] | None") -> None:
        self._query_string = None
        self._args = value

    @property
    def server_name(self) -> str:
        return self.host.partition(":")[0]

    @property
    def server_port(self) -> int:
        """The port, which defaults to the scheme's."""
        digits = self.host.partition(":")[2]
        return int(digits) if digits.isascii() and digits.isdigit() else 443 if self.url_scheme == "https" else 80


def base_url_of(scheme: str, host: str, root: str) -> str:
    return urlunsplit((scheme, host, root, "", "")).rstrip("/") + "/"


class Content(MediaType):
    """A body: a stream, or a form's fields and files."""

    _charset = "utf-8"

    _form: "MultiDict[str, Any] | None"
    _files: FileMultiDict | None
    _input_stream: IO[bytes] | None = None

    def __init__(self, headers: Any) -> None:
        self.headers = headers if isinstance(headers, Headers) else Headers(_named(headers or ()))
        self._form = None
        self._files = None

    @property
    def content_type(self) -> str | None:
        """The content type, which defaults to the form's."""
        content_type = self.headers.get("Content-Type")
        if content_type is None and not self._input_stream:
            if self._files:
                return "multipart/form-data"
            if self._form:
                return "application/x-www-form-urlencoded"
        return content_type

    @content_type.setter
    def content_type(self, value: str | None) -> None:
        self._set_or_remove("Content-Type", value)

    @property
    def content_length(self) -> int | None:
        """The body's declared length in bytes."""
        return self.headers.get("Content-Length", type=int)

    @content_length.setter
    def content_length(self, value: int | str | None) -> None:
        self._set_or_remove("Content-Length", None if value is None else str(value))

    def _set_or_remove(self, name: str, value: str | None) -> None:
        if value is None:
            self.headers.remove(name)
        else:
            self.headers[name] = value

    @property
    def input_stream(self) -> IO[bytes] | None:
        """The body as a stream. Setting it removes the form."""
        return self._input_stream

    @input_stream.setter
    def input_stream(self, value: IO[bytes] | None) -> None:
        self._input_stream = value
        self._form = None
        self._files = None

    @property
    def form(self) -> "MultiDict[str, Any]":
        """The form's fields. Raises AttributeError if the body was set as a stream."""
        self._check_form()
        if self._form is None:
            self._form = MultiDict()
        return self._form

    @form.setter
    def form(self, value: "MultiDict[str, Any]") -> None:
        self._input_stream = None
        self._form = value

    @property
    def files(self) -> FileMultiDict:
        """The form's files. Raises AttributeError if the body was set as a stream."""
        self._check_form()
        if self._files is None:
            self._files = FileMultiDict()
        return self._files

    @files.setter
    def files(self, value: FileMultiDict) -> None:
        self._input_stream = None
        self._files = value

    def _check_form(self) -> None:
        if self._input_stream is not None:
            raise AttributeError("the form is not available, since the body was set as a stream")


def _named(headers: Any) -> list[tuple[str, Any]]:
    """Return the headers that have a name, since a header without a name never reaches a server."""
    return [(name, value) for name, value in iter_multi_items(headers) if name]


_CHUNK = 16 << 10
_THRESHOLD = 500 << 10


def each_value(data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the names and values of a MultiDict, or of a mapping whose values may be lists."""
    if isinstance(data, MultiDict):
        yield from data.items(multi=True)
        return
    for name, value in data.items():
        for each in value if isinstance(value, list) else [value]:
            yield name, each


def stream_encode_multipart(
    data: Mapping[str, Any], use_tempfile: bool = True, threshold: int = _THRESHOLD, boundary: str | None = None
) -> tuple[IO[bytes], int, str]:
    """Encode a form and return it as a stream, its length, and the boundary.

    Values are text, or file objects with a ``filename`` or a ``name``. With ``use_tempfile``, a form larger than
    ``threshold`` bytes is written to disk.
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
    stream, _, boundary = stream_encode_multipart(values, use_tempfile=False, boundary=boundary)
    return boundary, stream.read()


_URLENCODED = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"


class EnvironBuilder(Content, Destination):
    """A builder of environs.

    - ``path``: the path, which may include the query.
    - ``query_string``: the query as text, or as a mapping for ``args``.
    - ``base_url``: the scheme, host and root path of the application, by default http://localhost/.
    - ``data``: the body as text, bytes or a file object, or a mapping for a form. The form's values are text, file
      objects, tuples of a file object, a filename and a content type, or lists of these.
    - ``input_stream``: the body as a file object that is passed on unchanged.
    - ``json``: a value that ``json_dumps`` converts to the body.
    - ``auth``: an Authorization, or a user name and password.
    - ``environ_base``: default keys of the environ.
    - ``environ_overrides``: keys of the environ that replace all others.

    Raises ValueError if two queries are given or the base URL has a query, or TypeError if two bodies are given.
    """

    server_protocol = "HTTP/1.1"
    wsgi_version = (1, 0)
    request_class: type[Request] = Request
    json_dumps = staticmethod(json.dumps)

    def __init__(
        self,
        path: str = "/",
        base_url: str | None = None,
        query_string: Mapping[str, Any] | str | None = None,
        method: str = "GET",
        input_stream: IO[bytes] | None = None,
        content_type: str | None = None,
        content_length: int | None = None,
        errors_stream: IO[str] | None = None,
        multithread: bool = False,
        multiprocess: bool = False,
        run_once: bool = False,
        headers: Headers | Iterable[tuple[str, str]] | Mapping[str, Any] | None = None,
        data: Any = None,
        environ_base: Mapping[str, Any] | None = None,
        environ_overrides: Mapping[str, Any] | None = None,
        mimetype: str | None = None,
        json: Any = None,
        auth: Authorization | tuple[str, str] | None = None,
    ) -> None:
        super().__init__(headers)
        self.closed = False
        self._set_path(path, query_string)
        self.base_url = None if base_url is None else iri_to_uri(base_url)
        self.method = method
        if content_type is not None:
            self.content_type = content_type
        self.errors_stream = sys.stderr if errors_stream is None else errors_stream
        self.multithread = multithread
        self.multiprocess = multiprocess
        self.run_once = run_once
        self.environ_base = environ_base
        self.environ_overrides = environ_overrides
        self.input_stream = input_stream
        self.content_length = content_length
        if auth is not None:
            self._set_auth(auth)
        self._set_data(self._with_json(data, json), input_stream)
        if mimetype is not None:
            self.mimetype = mimetype

    def _set_auth(self, auth: Authorization | tuple[str, str]) -> None:
        if isinstance(auth, tuple):
            auth = Authorization("basic", {"username": auth[0], "password": auth[1]})
        self.headers["Authorization"] = auth.to_header()

    def _with_json(self, data: Any, value: Any) -> Any:
        if value is None:
            return data
        if data is not None:
            raise TypeError("give the body only once: as data or as json")
        if self.content_type is None:
            self.content_type = "application/json"
        return self.json_dumps(value)

    def _set_data(self, data: Any, input_stream: IO[bytes] | None) -> None:
        if not data:
            return
        if input_stream is not None:
            raise TypeError("give the body only once: as data or as input_stream")
        if hasattr(data, "read"):
            data = data.read()
        if isinstance(data, (str, bytes)):
            body = data.encode() if isinstance(data, str) else data
            self.input_stream = BytesIO(body)
            if self.content_length is None:
                self.content_length = len(body)
            return
        for name, value in each_value(data):
            if isinstance(value, (tuple, dict)) or hasattr(value, "read"):
                self._add_file_from_data(name, value)
            else:
                self.form.setlistdefault(name).append(value)

    def _add_file_from_data(self, key: str, value: Any) -> None:
        if isinstance(value, tuple):
            self.files.add_file(key, *value)
        else:
            self.files.add_file(key, value)

    @classmethod
    def from_environ(cls, environ: "WSGIEnvironment", **kwargs: Any) -> Self:
        """Return a builder with the values of an environ. Keyword arguments replace some of them."""
        headers = Headers(EnvironHeaders(environ))
        host = headers.pop("Host", "") or environ["SERVER_NAME"]
        root = text_of(environ["SCRIPT_NAME"])
        values: dict[str, Any] = {
            "path": text_of(environ["PATH_INFO"]),
            "base_url": base_url_of(environ["wsgi.url_scheme"], host, root),
            "query_string": text_of(environ["QUERY_STRING"]),
            "method": environ["REQUEST_METHOD"],
            "input_stream": environ["wsgi.input"],
            "content_type": headers.pop("Content-Type", None),
            "content_length": headers.pop("Content-Length", None),
            "errors_stream": environ["wsgi.errors"],
            "multithread": environ["wsgi.multithread"],
            "multiprocess": environ["wsgi.multiprocess"],
            "run_once": environ["wsgi.run_once"],
            "headers": headers,
        }
        return cls(**(values | kwargs))

    # Building

    def get_environ(self) -> "WSGIEnvironment":
        body, length, content_type = self._body()
        target = write_raw_utf8(self.request_uri)
        environ: dict[str, Any] = {
            **(self.environ_base or {}),
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": write_raw_utf8(unquote(self.script_root)),
            "PATH_INFO": write_raw_utf8(unquote(self.path)),
            "QUERY_STRING": write_raw_utf8(self.query_string),
            "REQUEST_URI": target,
            "RAW_URI": target,
            "SERVER_NAME": self.server_name,
            "SERVER_PORT": str(self.server_port),
            "HTTP_HOST": self.host,
            "SERVER_PROTOCOL": self.server_protocol,
            "wsgi.version": self.wsgi_version,
            "wsgi.url_scheme": self.url_scheme,
            "wsgi.input": body,
            "wsgi.errors": self.errors_stream,
            "wsgi.multithread": self.multithread,
            "wsgi.multiprocess": self.multiprocess,
            "wsgi.run_once": self.run_once,
        }
        if content_type is not None:
            environ["CONTENT_TYPE"] = content_type
        if length is not None:
            environ["CONTENT_LENGTH"] = str(length)
        return environ | self._header_keys() | dict(self.environ_overrides or {})

    def _body(self) -> tuple[IO[bytes], int | None, str | None]:
        """Return the stream, its length and its content type."""
        stream, mimetype = self.input_stream, self.mimetype
        if stream is not None:
            return stream, _length_of(stream), self.content_type
        if mimetype == _MULTIPART:
            stream, length, boundary = stream_encode_multipart(CombinedMultiDict([self.form, self.files]))
            return stream, length, f'{mimetype}; boundary="{boundary}"'
        if mimetype == _URLENCODED:
            body = encode_fields(iter_multi_items(self.form)).encode()
            return BytesIO(body), len(body), self.content_type
        return BytesIO(), self.content_length, self.content_type

    def _header_keys(self) -> dict[str, str]:
        lines: dict[str, list[str]] = {}
        for name, value in self.headers.to_wsgi_list():
            if name.lower() not in ("content-type", "content-length"):
                lines.setdefault(f"HTTP_{name.upper().replace('-', '_')}", []).append(value)
        return {key: ", ".join(values) for key, values in lines.items()}

    def get_request(self, cls: "type[Any] | None" = None) -> Any:
        """Return a request of class ``cls``, by default ``request_class``."""
        return (self.request_class if cls is None else cls)(self.get_environ())

    def close(self) -> None:
        """Close the form's files."""
        if self.closed:
            return
        self.closed = True
        for _, file in iter_multi_items(self._files or ()):
            with suppress(Exception):
                file.close()


def _length_of(stream: IO[bytes]) -> int:
    """Return the number of bytes that remain in a stream."""
    position = stream.tell()
    end = stream.seek(0, 2)
    stream.seek(position)
    return (stream.tell() if end is None else end) - position


def create_environ(*args: Any, **kwargs: Any) -> "WSGIEnvironment":
    """Build an environ from the arguments of ``EnvironBuilder``."""
    builder = EnvironBuilder(*args, **kwargs)
    try:
        return builder.get_environ()
    finally:
        builder.close()
