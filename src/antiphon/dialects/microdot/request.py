"""Microdot's request: its names and behaviour over a native request, and its body as an async file-like object."""

from collections.abc import AsyncIterable, AsyncIterator, Callable
from io import BytesIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon import Request as NativeRequest
from antiphon.dialects.microdot.errors import Absent, MalformedJSONError
from antiphon.dialects.microdot.mappings import MultiDict, NoCaseDict
from antiphon.embedding import DerivedHead, Head, lazy, query_fields_of, server_head, urlencoded_fields_of
from antiphon.http import BadRequest
from antiphon.http.cookies import split_cookies

if TYPE_CHECKING:
    from antiphon.dialects.microdot.application import Microdot
    from antiphon.dialects.microdot.multipart import FileUpload
    from antiphon.embedding import Connection


class AsyncBytesIO:
    """Bytes in memory with the async methods of a stream."""

    def __init__(self, data: bytes) -> None:
        self.stream = BytesIO(data)

    async def read(self, n: int = -1) -> bytes:
        """Return the next ``n`` bytes, or all remaining ones if it is -1."""
        return self.stream.read(n)

    async def readline(self) -> bytes:
        r"""Return the next line with its ``\n``; empty at the end."""
        return self.stream.readline()

    async def readexactly(self, n: int) -> bytes:
        """Return the next ``n`` bytes; fewer if the body ends earlier."""
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
    """A file-like reader of chunks, once from start to end."""

    def __init__(self, chunks: AsyncIterable[bytes]) -> None:
        self._source = chunks
        self._chunks: AsyncIterator[bytes] | None = None
        self._held = bytearray()
        self._at = 0
        """The start of the unread bytes in ``_held``."""

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
        """Return the next bytes that have already been received."""
        end = min(self._at + size, len(self._held))
        with memoryview(self._held) as held:
            taken = bytes(held[self._at : end])
        self._at = end
        return taken

    @property
    def _size(self) -> int:
        return len(self._held) - self._at

    async def read(self, n: int = -1) -> bytes:
        """Return the next ``n`` bytes, or all remaining ones if it is -1."""
        while (n < 0 or self._size < n) and await self._more():
            pass
        return self._take(self._size if n < 0 else n)

    async def readexactly(self, n: int) -> bytes:
        """Return the next ``n`` bytes; fewer if the body ends earlier."""
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


class _Retyped(DerivedHead):
    """A head with another Content-Type, which determines how the body is read."""

    def __init__(self, inner: Head, content_type: str | None) -> None:
        super().__init__(inner)
        self.field = lambda name: content_type if name == "content-type" else inner.field(name)


class Request:
    """An HTTP request.

    ``native`` is the native request. The limits are attributes of the class, in bytes, and may be set at any time: they
    apply to the next request.
    """

    max_content_length = 16 * 1024
    """The limit for the body. A longer one results in a 413."""
    max_body_length = 16 * 1024
    """The limit for a body that is loaded into ``body``. A longer one is left to ``stream``."""
    max_readline = 2 * 1024
    """The limit for the request line. A longer one results in a 400."""

    G = SimpleNamespace

    app: "Microdot"
    """The application that handles the request; for a route of a mounted one, the outer application."""
    method: str
    """The method as sent."""
    path: str
    """The decoded path, without the query string."""

    url_prefix: str
    """The prefix of the mounted application that has the route."""
    subapp: "Microdot | None"
    """The mounted application that has the route; None if the route is the application's own."""
    route: Callable[..., Any] | None
    """The handler of the route."""
    url_args: dict[str, Any] | None
    """The values of the route's variable segments, by name."""
    files: "dict[str, FileUpload] | None" = None
    """The files of a multipart form, by field, in a route with ``@with_form_data``; else None."""
    failure: Exception | None
    """The unhandled error that results in a 500."""
    is_streamed: bool
    """True if the body is left to ``stream`` or not yet loaded."""

    create = Absent("servers are spoken to by antiphon's adapters; microdot.test_client makes requests for tests")
    sock = Absent("there is no socket behind WSGI, ASGI and RSGI; request.stream reads the body")

    connection: "Connection | None" = None
    """The connection of a handshake; None for other requests."""

    def __init__(self, app: "Microdot", native: NativeRequest) -> None:
        self.app = app
        self.native = native
        self.after_request_handlers: list[Callable[..., Any]] = []
        """The functions given to ``after_request``, in order."""
        head = native.head
        self.method = head.method
        self.path = head.path
        self.url_prefix = ""
        self.subapp = self.route = self.url_args = self.failure = None
        self.is_streamed = False

    # The head

    @lazy
    def url(self) -> str:
        """The decoded path, and the query string as sent."""
        return self.path if self.query_string is None else f"{self.path}?{self.query_string}"

    @lazy
    def query_string(self) -> str | None:
        """The query string as sent; None if it is empty."""
        return self.native.query_string.decode(errors="replace") or None

    @lazy
    def args(self) -> MultiDict:
        """The arguments of the query string."""
        return MultiDict.of(query_fields_of(self.native.head, self.native.limits))

    @lazy
    def headers(self) -> NoCaseDict:
        """The headers, with names written as in ``Content-Type``."""
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
        """The Content-Type as sent. Setting it changes how ``json`` and ``form`` are read."""
        return self.native.head.field("content-type")

    @content_type.setter
    def content_type(self, content_type: str | None) -> None:
        native = self.native
        native.head = _Retyped(native.head, content_type)
        vars(native).pop("mimetype", None)
        for name in ("json", "form"):
            vars(self).pop(name, None)

    @lazy
    def content_length(self) -> int:
        """The declared length of the body in bytes; 0 if it is not declared."""
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
        """The host and port of the client, if the server provides them; port 0 for a Unix socket."""
        client = self.native.client
        return (client.host, client.port or 0) if client else None

    @property
    def asgi_scope(self) -> dict[str, Any]:
        """The scope of the ASGI server. Raises AttributeError under another server."""
        self.native.head.fields()  # so that a cache knows that any header may be read
        scope: Any = getattr(server_head(self.native.head), "scope", None)
        if not isinstance(scope, dict):  # the scope of RSGI is different
            raise AttributeError("this is not an ASGI server", name="asgi_scope")
        return scope

    @property
    def environ(self) -> dict[str, Any]:
        """The environ of the WSGI server. Raises AttributeError under another server."""
        self.native.head.fields()  # as above
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
        """The body as a file-like object. Await its ``read``, ``readline``, ``readexactly`` and ``readuntil``."""
        return BodyReader(self.native.stream) if self.is_streamed else AsyncBytesIO(self.body)

    @lazy
    def json(self) -> Any:
        """The value of a JSON body; None if Content-Type is not application/json.

        Raises a ValueError, as the json module does, for a malformed body. The error results in a 400 unless it is
        handled.
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
        """The fields of a form; None if the body is not a form, and empty if it was left to ``stream``.

        A multipart form is read in routes with ``@with_form_data``, which sets the form to a plain dict with the last
        value of each field.
        """
        native = self.native
        if self.is_streamed:
            return MultiDict() if native.mimetype == "application/x-www-form-urlencoded" else None
        fields = urlencoded_fields_of(native)
        return None if fields is None else MultiDict.of(fields)

    # Context

    @lazy
    def g(self) -> SimpleNamespace:
        """A namespace for data that an application's layers share during this request."""
        return self.native.g if self.G is SimpleNamespace else self.G()

    def after_request(self, f: F) -> F:
        """Register a function to call with this request and its response, after those of the application.

        It may return another response. It is not called after an error. Usable as a decorator.
        """
        self.after_request_handlers.append(f)
        return f

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.url!r}>"


def vary_by(request: Request, header: str) -> None:
    """Record for Vary that the response depends on a header, named in lower case (RFC 9110 §12.5.5)."""
    if header not in request.native.consulted:
        request.native.consulted += (header,)
