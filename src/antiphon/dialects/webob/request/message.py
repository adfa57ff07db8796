"""Requests as messages: bytes of HTTP/1.1, written and read (RFC 9112)."""

from io import BytesIO
from typing import IO, TYPE_CHECKING, Any, Self

from antiphon.dialects.webob.request.blank import environ_from_url
from antiphon.dialects.webob.request.charsets import codec_of
from antiphon.dialects.webob.request.forms import RequestForms
from antiphon.dialects.webob.request.target import RequestTarget

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class RequestMessage(RequestForms, RequestTarget):
    """A request that can be written as a message, and read from one."""

    if TYPE_CHECKING:

        def __init__(self, environ: "WSGIEnvironment", **kw: Any) -> None: ...

    def as_bytes(self, skip_body: int = False) -> bytes:
        """Return the request as a message. ``skip_body`` leaves the body out; a number above 1 does so with more
        bytes than that, and says how many.
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
        """Return the request as a message, in text. ``skip_body`` leaves the body out as in ``as_bytes``.

        Raises UnicodeDecodeError, and LookupError for a charset that requests can't have.
        """
        return self.as_bytes(skip_body).decode(codec_of(self.charset))

    def __str__(self) -> str:
        try:
            return self.as_text()
        except (UnicodeDecodeError, LookupError):
            return self.as_bytes().decode("utf-8", "replace")

    @classmethod
    def from_bytes(cls, b: bytes) -> Self:
        """Return the request in a message. Raises ValueError for a malformed one, and for bytes after it."""
        file = BytesIO(b)
        request = cls.from_file(file)
        if file.tell() != len(b):
            raise ValueError(f"{len(b) - file.tell()} bytes follow the request")
        return request

    @classmethod
    def from_text(cls, s: str) -> Self:
        """Return the request in a message. Raises ValueError for a malformed one."""
        return cls.from_bytes(s.encode())

    @classmethod
    def from_file(cls, fp: "IO[Any]") -> Self:
        """Read one request from a file of bytes or text; up to the file's end if it has no Content-Length.

        Raises ValueError for a malformed one.
        """
        first = fp.readline()
        is_text = isinstance(first, str)
        line = first if is_text else first.decode("utf-8", "replace")
        try:
            method, target, version = line.rstrip("\r\n").split(None, 2)
        except ValueError:
            raise ValueError(f"a request begins with method, target and version, not with {line!r:.200}") from None
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
    """Give name and value of each header field. Raises ValueError for a malformed one."""
    while (line := fp.readline()).strip():
        text = line if isinstance(line, str) else line.decode("utf-8", "replace")
        name, colon, value = text.partition(":")
        if not colon:
            raise ValueError(f"a header field has a name and a colon, unlike {text!r:.200}")
        yield name, value.strip()
