"""Environs and requests made from values, for tests and scripts."""

import json
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any, Self
from urllib.parse import unquote

from antiphon.dialects._environ.places import text_of
from antiphon.dialects.werkzeug.datastructures.auth import Authorization
from antiphon.dialects.werkzeug.datastructures.combined import CombinedMultiDict
from antiphon.dialects.werkzeug.datastructures.environ_headers import EnvironHeaders
from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.datastructures.multidict import iter_multi_items
from antiphon.dialects.werkzeug.test.content import Content
from antiphon.dialects.werkzeug.test.destination import Destination, base_url_of
from antiphon.dialects.werkzeug.test.multipart_body import each_value, stream_encode_multipart
from antiphon.dialects.werkzeug.url_fields import encode_fields
from antiphon.dialects.werkzeug.urls.iri import iri_to_uri
from antiphon.dialects.werkzeug.wrappers.request import Request
from antiphon.http.headers import write_raw_utf8

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_URLENCODED = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"


class EnvironBuilder(Content, Destination):
    """A builder of environs.

    - ``path``: with a query, unless ``query_string`` is given, as text or as a mapping for ``args``.
    - ``base_url``: scheme, host, and the path of the application's root; by default http://localhost/.
    - ``data``: a body (text, bytes, a file object), or a mapping for a form: of text, file objects, tuples of a file
      object, a filename and a content type, or lists of these. ``input_stream``: a body as it is.
    - ``json``: a value that ``json_dumps`` turns into the body. ``auth``: an Authorization, or a name and a password.
    - ``environ_base``: keys that others replace. ``environ_overrides``: keys that replace all others.

    Raises ValueError for two queries, and for a base URL with one; TypeError for two bodies.
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
            raise TypeError("a body is given twice: as data and as json")
        if self.content_type is None:
            self.content_type = "application/json"
        return self.json_dumps(value)

    def _set_data(self, data: Any, input_stream: IO[bytes] | None) -> None:
        if not data:
            return
        if input_stream is not None:
            raise TypeError("a body is given twice: as data and as input_stream")
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
        """Return a builder with the values of an environ, which keywords replace."""
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
        """Return the environ."""
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
        """Return a request of this class, or of ``request_class``."""
        return (self.request_class if cls is None else cls)(self.get_environ())

    def close(self) -> None:
        """Close the files of the form."""
        if self.closed:
            return
        self.closed = True
        for _, file in iter_multi_items(self._files or ()):
            with suppress(Exception):
                file.close()


def _length_of(stream: IO[bytes]) -> int:
    """Return the number of bytes that are left."""
    position = stream.tell()
    end = stream.seek(0, 2)
    stream.seek(position)
    return (stream.tell() if end is None else end) - position


def create_environ(*args: Any, **kwargs: Any) -> "WSGIEnvironment":
    """Return an environ made from values: see ``EnvironBuilder``."""
    builder = EnvironBuilder(*args, **kwargs)
    try:
        return builder.get_environ()
    finally:
        builder.close()
