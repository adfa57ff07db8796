"""Complete requests: creating, serializing, parsing, transcoding and sending them."""

import re
import sys
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any, Literal, Self, TypeAlias, overload
from urllib.parse import urlsplit

from antiphon.dialects._environ.calling import call_application
from antiphon.dialects.webob.descriptors import made_on_use
from antiphon.dialects.webob.multidict import NoVars
from antiphon.dialects.webob.request.body import RequestBody
from antiphon.dialects.webob.request.forms import (
    RequestForms,
    has_files,
    multipart,
    new_boundary,
    parse_fields,
    raw_bytes,
    urlencoded,
)
from antiphon.dialects.webob.request.head import (
    UTF_8,
    RequestTarget,
    codec_of,
    declared_charset,
    named_charset,
    with_charset,
)
from antiphon.dialects.webob.util import also_called
from antiphon.http import format_query
from antiphon.http.grammar import percent_decode

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


_PORTS = {"http": ":80", "https": ":443"}
_has_scheme = re.compile(r"[a-z]+:", re.IGNORECASE).match
_boundary = re.compile(r'boundary=("[^"]*"|[^ ;]+)', re.IGNORECASE).search


def environ_from_url(path: str) -> "WSGIEnvironment":
    """Return the environ of a GET request for a URL, or for a path on localhost.

    Raises TypeError for a fragment or a scheme other than `http` and `https`.
    """
    scheme, host = "http", "localhost:80"
    if _has_scheme(path):
        scheme, host, path, query, fragment = urlsplit(path)
        if fragment:
            raise TypeError(f"Path cannot contain a fragment ({fragment!r:.200})")
        path = f"{path}?{query}" if query else path
        host = _with_port(scheme, host, TypeError)
    before, _, query = path.partition("?")
    name, _, port = host.rpartition(":")
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": unquoted(before),
        "QUERY_STRING": query,
        "SERVER_NAME": name,
        "SERVER_PORT": port,
        "HTTP_HOST": host,
        "SERVER_PROTOCOL": "HTTP/1.0",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.input": BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def unquoted(path: str) -> str:
    """Decode a URL's path for an environ."""
    return percent_decode(path.encode()).decode("latin-1")


def _with_port(scheme: str, host: str, error: type[Exception]) -> str:
    if ":" in host.rpartition("]")[2]:
        return host
    if scheme not in _PORTS:
        raise error(f"Unknown scheme: {scheme!r:.200}")
    return host + _PORTS[scheme]


def set_base(environ: "WSGIEnvironment", base_url: str) -> None:
    """Set the scheme, the host and the application's path.

    Raises ValueError if the URL has a query, a fragment, or a scheme other than `http` and `https`.
    """
    scheme, host, path, query, fragment = urlsplit(base_url)
    if query or fragment:
        raise ValueError(f"base_url ({base_url!r:.200}) cannot have a query or fragment")
    if scheme:
        environ["wsgi.url_scheme"] = scheme
    if host:
        host = _with_port(scheme, host, ValueError)
        environ["SERVER_NAME"], _, environ["SERVER_PORT"] = host.rpartition(":")
        environ["HTTP_HOST"] = host
    if path:
        environ["SCRIPT_NAME"] = unquoted(path)


def set_form(environ: "WSGIEnvironment", data: Any, content_type: str | None = None, charset: str = "utf-8") -> None:
    """Set the body to bytes, ASCII text, or a form's fields as a mapping or pairs. None changes nothing.

    The method becomes POST unless it is PUT or PATCH. A file is a pair of filename and content, or an object with a
    filename. Raises ValueError if fields are given and the content type is not that of a form or does not allow files.
    """
    if data is None:
        return
    if environ["REQUEST_METHOD"] not in ("POST", "PUT", "PATCH"):
        environ["REQUEST_METHOD"] = "POST"
    if isinstance(data, str):
        data = data.encode("ascii")
    if not isinstance(data, bytes):
        data, content_type = _encoded([*(data.items() if hasattr(data, "items") else data)], content_type, charset)
    environ["wsgi.input"] = BytesIO(data)
    environ["webob.is_body_seekable"] = True
    environ["CONTENT_LENGTH"] = str(len(data))
    environ["CONTENT_TYPE"] = content_type or "application/x-www-form-urlencoded"


def _encoded(fields: list[tuple[Any, Any]], content_type: str | None, charset: str) -> tuple[bytes, str]:
    files = has_files(fields)
    kind = content_type or ("multipart/form-data" if files else "application/x-www-form-urlencoded")
    if kind.startswith("multipart/form-data"):
        given = _boundary(kind)
        boundary = given[1].strip('"') if given else new_boundary()
        return multipart(fields, boundary, charset), kind if given else f"{kind}; boundary={boundary}"
    if not kind.startswith("application/x-www-form-urlencoded"):
        raise ValueError(f"Please provide `POST` data as bytes for content type `{kind:.200}`")
    if files:
        raise ValueError(f"Submiting files is not allowed for content type `{kind:.200}`: omit it")
    return urlencoded(fields, charset), kind


class RequestMessage(RequestForms, RequestTarget):
    """A request that can be converted to and from an HTTP message."""

    if TYPE_CHECKING:

        def __init__(self, environ: "WSGIEnvironment", **kw: Any) -> None: ...

    def as_bytes(self, skip_body: int = False) -> bytes:
        """Return the request as an HTTP message in bytes.

        ``skip_body`` omits the body. If it is a number above 1, only a longer body is omitted, and its length is shown.
        """
        line = f"{self.method} {self.url.removeprefix(self.host_url)} {self.http_version}"
        body = self._shown_body(skip_body)
        fields = [f"{name}: {value}" for name, value in sorted(self.headers.items())]
        head = [each.encode("latin-1") for each in (line, *fields)]
        return b"\r\n".join([*head, b"", body] if body else head)

    def _shown_body(self, skip_body: int) -> bytes:
        if not self.is_body_readable or (skip_body and skip_body <= 1):
            return b""
        body = self.body
        if skip_body and len(body) > skip_body:
            return f"<body skipped (len={len(body)})>".encode()
        return body

    def as_text(self, skip_body: int = False) -> str:
        """Return the request as an HTTP message in text. ``skip_body`` works as in ``as_bytes``.

        Raises UnicodeDecodeError, or LookupError for an unsupported charset.
        """
        return self.as_bytes(skip_body).decode(codec_of(self.charset))

    def __str__(self) -> str:
        try:
            return self.as_text()
        except (UnicodeDecodeError, LookupError):
            return self.as_bytes().decode("utf-8", "replace")

    @classmethod
    def from_bytes(cls, b: bytes) -> Self:
        """Parse an HTTP message in bytes. Raises ValueError if it is malformed or followed by more bytes."""
        file = BytesIO(b)
        request = cls.from_file(file)
        if file.tell() != len(b):
            raise ValueError("The string contains more data than expected")
        return request

    @classmethod
    def from_text(cls, s: str) -> Self:
        """Parse an HTTP message in text. Raises ValueError if it is malformed."""
        return cls.from_bytes(s.encode())

    @classmethod
    def from_file(cls, fp: "IO[Any]") -> Self:
        """Read one request from a binary or text file. Without a Content-Length, the body extends to the file's end.

        Raises ValueError if the request is malformed.
        """
        first = fp.readline()
        is_text = isinstance(first, str)
        line = first if is_text else first.decode("utf-8", "replace")
        try:
            method, target, version = line.rstrip("\r\n").split(None, 2)
        except ValueError:
            raise ValueError(f"Bad HTTP request line: {line!r:.200}") from None
        try:
            environ = environ_from_url(target)
        except TypeError as error:
            raise ValueError(str(error)) from None
        request = cls(environ, http_version=version, method=method.upper())
        del request.environ["HTTP_HOST"]
        for name, value in _fields(fp):
            known = request.headers.get(name)
            request.headers[name] = value if known is None else f"{known}, {value}"
        length = request.content_length
        body = fp.read() if length is None else fp.read(length)
        request.body = body.encode() if is_text else body
        return request


def _fields(fp: "IO[Any]") -> Any:
    """Yield the name and value of each header field. Raises ValueError for a malformed field."""
    while (line := fp.readline()).strip():
        text = line if isinstance(line, str) else line.decode("utf-8", "replace")
        name, colon, value = text.partition(":")
        if not colon:
            raise ValueError(f"Invalid header: {text!r:.200}")
        yield name, value.strip()


class RequestTranscoding(RequestForms):
    """A request whose text can be transcoded."""

    if TYPE_CHECKING:

        def __init__(self, environ: "WSGIEnvironment", **kw: Any) -> None: ...

    def decode(self, charset: str | None = None, errors: str = "strict") -> Self:
        """Return a copy whose query and form are converted from a charset, by default this request's, to UTF-8.

        If the charset is UTF-8, the same request is returned. ``errors`` determines how malformed text is handled, as
        in `bytes.decode`. Raises LookupError for an unsupported charset, UnicodeDecodeError, or the same errors as
        ``POST``.
        """
        named = named_charset(charset or self.charset)
        if named == UTF_8:
            return self
        codec = codec_of(named)

        def text(data: bytes) -> str:
            return data.decode(codec, errors)

        written = self._content_type_raw
        decoded = self.__class__(self.environ.copy(), query_string=_in_utf_8(self.query_string, text))
        del decoded.charset
        if declared_charset(written):
            decoded._content_type_raw = with_charset(written, UTF_8)  # noqa: SLF001 - of the same class
        self._transcode_form(decoded, text)
        return decoded

    def _transcode_form(self, decoded: Self, text: Callable[[bytes], str]) -> None:
        if self.content_type == "application/x-www-form-urlencoded":
            decoded.body = _in_utf_8(self.body.decode("latin-1"), text).encode()
            return
        if self.content_type != "multipart/form-data":
            return
        from antiphon.embedding import MultipartParser

        fields = self._form(text)
        if not isinstance(fields, NoVars):
            boundary = MultipartParser.parse_boundary(self._content_type_raw).decode()
            decoded.body = multipart(fields.items(), boundary)


def _in_utf_8(query: str, text: Callable[[bytes], str]) -> str:
    """Convert a query or urlencoded form to UTF-8. Data without an equals sign has no fields and stays unchanged."""
    return format_query(parse_fields(raw_bytes(query).replace(b";", b"&"), text, None)) if "=" in query else query


Answer: TypeAlias = tuple[str, list[tuple[str, str]], Iterable[bytes]]
"""A response's status line, header fields and body."""
CaughtResponse: TypeAlias = tuple[str, list[tuple[str, str]], Iterable[bytes], Any]


class RequestSending(RequestBody):
    """A request that can be sent."""

    @made_on_use
    def ResponseClass() -> Any:  # noqa: N802 - WebOb's name
        from antiphon.dialects.webob.response import Response

        return Response

    @overload
    def call_application(self, application: "WSGIApplication", catch_exc_info: Literal[False] = False) -> Answer: ...
    @overload
    def call_application(self, application: "WSGIApplication", catch_exc_info: Literal[True]) -> CaughtResponse: ...
    def call_application(self, application: "WSGIApplication", catch_exc_info: bool = False) -> Answer | CaughtResponse:
        """Call a WSGI application and return the status line, header fields and body of its response.

        The caller must close the body. With ``catch_exc_info``, the error that the application passes to
        ``start_response`` is also returned, as a triple or None; otherwise, it is raised.
        """
        if self.is_body_seekable:
            self.body_file_raw.seek(0)
        caught: list[Any] = []
        body, status, fields = call_application(application, self.environ, caught=caught if catch_exc_info else None)
        return (status, fields, body, caught[-1] if caught else None) if catch_exc_info else (status, fields, body)

    @also_called("wsgi_application", "application")
    def send(self, application: "WSGIApplication | None" = None, catch_exc_info: bool = False) -> Any:
        """Send the request to a WSGI application or, if none is given, to the server in its URL. Return the response.

        With ``catch_exc_info``, an error that the application passes to ``start_response`` is not raised.
        """
        application = self.make_default_send_app() if application is None else application
        if catch_exc_info:
            status, fields, body, _ = self.call_application(application, catch_exc_info=True)
        else:
            status, fields, body = self.call_application(application)
        return self.ResponseClass(status=status, headerlist=list(fields), app_iter=body)

    get_response = send

    def make_default_send_app(self) -> "WSGIApplication":
        """Return the application that ``send`` calls by default, which sends requests to servers."""
        from antiphon.dialects.webob.client import send_request_app

        return send_request_app
