"""Microdot's request: its API over a native request, and its body as an async file-like object."""

from collections.abc import AsyncIterable, AsyncIterator, Callable
from io import BytesIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon import Request as NativeRequest
from antiphon.dialects.microdot.errors import Absent, MalformedJSONError
from antiphon.dialects.microdot.mappings import MultiDict, NoCaseDict
from antiphon.embedding import DerivedHead, Head, lazy
from antiphon.http import BadRequest
from antiphon.http.cookies import split_cookies
from antiphon.http.head import server_head

if TYPE_CHECKING:
    from antiphon.dialects.microdot.application import Microdot
    from antiphon.dialects.microdot.multipart import FileUpload
    from antiphon.websockets.connection import Connection


class AsyncBytesIO:
    """Bytes in memory that can be read like an async stream."""

    def __init__(self, data: bytes) -> None:
        self.stream = BytesIO(data)

    async def read(self, n: int = -1) -> bytes:
        """Return the next ``n`` bytes, or all remaining ones if ``n`` is -1."""
        return self.stream.read(n)

    async def readline(self) -> bytes:
        r"""Return the next line with its ``\n``; empty at the end."""
        return self.stream.readline()

    async def readexactly(self, n: int) -> bytes:
        """Return the next ``n`` bytes, or fewer if the body ends sooner."""
        return self.stream.read(n)

    async def readuntil(self, separator: bytes = b"\n") -> bytes:
        """Return the bytes up to and including a separator, or the rest if there is none."""
        start = self.stream.tell()
        found = self.stream.getvalue().find(separator, start)
        return self.stream.read(-1 if found < 0 else found + len(separator) - start)

    async def awrite(self, data: bytes) -> int:
        """Write bytes and return how many were written."""
        return self.stream.write(data)

    async def aclose(self) -> None:
        """Do nothing."""


class BodyReader:
    """A file-like reader of chunks. It reads them once, from start to end."""

    def __init__(self, chunks: AsyncIterable[bytes]) -> None:
        self._source = chunks
        self._chunks: AsyncIterator[bytes] | None = None
        self._held = bytearray()
        self._at = 0
        """The position of the first unread byte in ``_held``."""

    async def _more(self) -> bool:
        """Receive the next chunk. Return False at the end."""
        if self._chunks is None:
            self._chunks = aiter(self._source)
        chunk = await anext(self._chunks, b"")
        if self._at:
            del self._held[: self._at]
            self._at = 0
        self._held += chunk
        return bool(chunk)

    def _take(self, size: int) -> bytes:
        """Return the next bytes of those that have already been received."""
        end = min(self._at + size, len(self._held))
        with memoryview(self._held) as held:
            taken = bytes(held[self._at : end])
        self._at = end
        return taken

    @property
    def _size(self) -> int:
        return len(self._held) - self._at

    async def read(self, n: int = -1) -> bytes:
        """Return the next ``n`` bytes, or all remaining ones if ``n`` is -1."""
        while (n < 0 or self._size < n) and await self._more():
            pass
        return self._take(self._size if n < 0 else n)

    async def readexactly(self, n: int) -> bytes:
        """Return the next ``n`` bytes, or fewer if the body ends sooner."""
        return await self.read(n)

    async def readline(self) -> bytes:
        r"""Return the next line with its ``\\n``, or the rest if there is none."""
        return await self.readuntil()

    async def readuntil(self, separator: bytes = b"\n") -> bytes:
        """Return the bytes up to and including a separator, or the rest if there is none."""
        sought = 0
        while True:
            found = self._held.find(separator, self._at + sought)
            if found >= 0:
                return self._take(found + len(separator) - self._at)
            sought = max(self._size - len(separator) + 1, 0)
            if not await self._more():
                return self._take(self._size)


F = TypeVar("F", bound=Callable[..., Any])


_JSON = "application/json"


_OF_TYPE = ("_declared_type", "content_type", "mimetype", "charset", "form")
"""What a native request has read from its Content-Type."""


class _Retyped(DerivedHead):
    """A request head with a different Content-Type, which determines how the body is read."""

    def __init__(self, inner: Head, content_type: str | None) -> None:
        super().__init__(inner)
        self.field = lambda name: content_type if name == "content-type" else inner.field(name)


class Request:
    """An HTTP request.

    ``native`` is the native request. The limits, in bytes, are attributes of the class. They may be changed at any time
    and apply from the next request on.
    """

    max_content_length = 16 * 1024
    """The limit for the whole body. A longer body results in a 413."""
    max_body_length = 16 * 1024
    """The limit for a body that is loaded into ``body``. A longer body is left to ``stream``."""
    max_readline = 2 * 1024
    """The limit for the request line. A longer line results in a 400."""

    G = SimpleNamespace

    app: "Microdot"
    """The application that handles the request. For a mounted application's route, this is the outer application."""
    method: str
    """The method as sent."""
    path: str
    """The decoded path, without the query string."""

    url_prefix: str
    """The prefix of the mounted application that the route belongs to."""
    subapp: "Microdot | None"
    """The mounted application that the route belongs to; None for the application's own routes."""
    route: Callable[..., Any] | None
    """The route's handler."""
    url_args: dict[str, Any] | None
    """The values of the route's variable segments, by name."""
    files: "dict[str, FileUpload] | None" = None
    """The files of a multipart form by field name, in a route with ``@with_form_data``; otherwise None."""
    failure: Exception | None
    """The unhandled error that caused a 500."""
    has_begun = False
    """True if a function of the application has been called on a thread, or a coroutine function has ended."""
    is_streamed: bool
    """True if the body is left to ``stream``, or is not loaded yet."""

    create = Absent("antiphon's adapters make requests; for tests, use microdot.test_client")
    sock = Absent("there is no socket behind WSGI, ASGI and RSGI; request.stream reads the body")

    connection: "Connection | None" = None
    """The connection if the request is a WebSocket handshake, otherwise None."""

    def __init__(self, app: "Microdot", native: NativeRequest) -> None:
        self.app = app
        self.native = native
        self.after_request_handlers: list[Callable[..., Any]] = []
        """The functions registered with ``after_request``, in order."""
        head = native.head
        self.method = head.method
        self.path = head.path
        self.url_prefix = ""
        self.subapp = self.route = self.url_args = self.failure = None
        self.is_streamed = False

    # The request line and headers

    @lazy
    def url(self) -> str:
        """The decoded path, followed by the query string as sent."""
        return self.path if self.query_string is None else f"{self.path}?{self.query_string}"

    @lazy
    def query_string(self) -> str | None:
        """The query string as sent; None if it is empty."""
        return self.native.query_string.decode(errors="replace") or None

    @lazy
    def args(self) -> MultiDict:
        return MultiDict.of(self.native.args.items())

    @lazy
    def headers(self) -> NoCaseDict:
        """The headers. Their names have the form ``Content-Type``."""
        head = self.native.head
        fields = head.fields()
        different = dict(fields)
        if len(different) < len(fields):
            fields = [(name, head.field(name) or "") for name in different]
        return NoCaseDict.of_request(fields)

    @lazy
    def cookies(self) -> dict[str, str]:
        """The cookies sent by the client. Quoted values keep their quotes."""
        header = self.native.head.field("cookie")
        return dict(split_cookies(header)) if header else {}

    @property
    def content_type(self) -> str | None:
        """The Content-Type as sent. Assigning to it changes how ``json`` and ``form`` are read."""
        return self.native.head.field("content-type")

    @content_type.setter
    def content_type(self, content_type: str | None) -> None:
        native = self.native
        native.head = _Retyped(native.head, content_type)
        for read, names in ((native, _OF_TYPE), (self, ("json", "form"))):
            for name in names:
                vars(read).pop(name, None)

    @lazy
    def content_length(self) -> int:
        """The declared length of the body in bytes; 0 if none is declared."""
        return self.native.content_length or 0

    @lazy
    def scheme(self) -> str:
        """The scheme: ``"http"`` or ``"https"``."""
        return self.native.scheme

    @lazy
    def http_version(self) -> str:
        """The HTTP version, including the name: ``HTTP/1.1``."""
        return f"HTTP/{self.native.http_version}"

    @lazy
    def client_addr(self) -> tuple[str, int] | None:
        """The client's host and port, if the server provides them. The port of a Unix socket is 0."""
        client = self.native.client
        return (client.host, client.port or 0) if client else None

    @property
    def asgi_scope(self) -> dict[str, Any]:
        """The ASGI server's scope. Raises AttributeError under any other server."""
        self.native.head.fields()  # tells a cache that any header may be read
        scope: Any = getattr(server_head(self.native.head), "scope", None)
        if not isinstance(scope, dict):  # RSGI has a different scope
            raise AttributeError("the server is not an ASGI server", name="asgi_scope")
        return scope

    @property
    def environ(self) -> dict[str, Any]:
        """The WSGI server's environ. Raises AttributeError under any other server."""
        self.native.head.fields()  # as in asgi_scope
        head: Any = server_head(self.native.head)
        environ: dict[str, Any] = head.environ
        return environ

    # The body

    @lazy
    def body(self) -> bytes:
        """The whole body; empty if it was left to ``stream``."""
        return b"" if self.is_streamed else self.native.body

    @lazy
    def stream(self) -> AsyncBytesIO | BodyReader:
        """The body as an async file-like object with ``read``, ``readline``, ``readexactly`` and ``readuntil``."""
        return BodyReader(self.native.stream) if self.is_streamed else AsyncBytesIO(self.body)

    @lazy
    def json(self) -> Any:
        """The decoded JSON body; None if Content-Type is not application/json.

        A malformed body raises a ValueError like that of the json module, which results in a 400 unless it is handled.
        """
        native = self.native
        if native.head.field("content-type") != _JSON and native.mimetype != _JSON:
            return None
        if self.is_streamed:
            raise MalformedJSONError("the body exceeds Request.max_body_length: read it from request.stream")
        from antiphon.embedding import decode_json  # imported late: it loads msgspec

        try:
            return decode_json(native.body, depth=native.limits.json_depth)
        except BadRequest as error:
            raise MalformedJSONError.of(error, native.body) from error

    @lazy
    def form(self) -> MultiDict | None:
        """The fields of a form. None if the body is not a form; empty if it was left to ``stream``.

        A multipart form is only read in routes with ``@with_form_data``, which sets ``form`` to a plain dict with the
        last value of each field.
        """
        native = self.native
        if self.is_streamed:
            return MultiDict() if native.mimetype == "application/x-www-form-urlencoded" else None
        return MultiDict.of(native.form.items()) if native.mimetype == "application/x-www-form-urlencoded" else None

    # Context

    @lazy
    def g(self) -> SimpleNamespace:
        """A namespace that an application's layers share during this request."""
        return self.native.g if self.G is SimpleNamespace else self.G()

    def after_request(self, f: F) -> F:
        """Register a function to call with this request and its response, after the application's own.

        It may return another response. It is not called after an error. Usable as a decorator.
        """
        self.after_request_handlers.append(f)
        return f

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.url!r}>"


def vary_by(request: Request, header: str) -> None:
    """Record that the response depends on a header, given in lowercase, so that Vary lists it (RFC 9110 §12.5.5)."""
    if header not in request.native.consulted:
        request.native.consulted += (header,)
