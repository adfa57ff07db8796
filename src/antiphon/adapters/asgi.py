"""ASGI (version 3): a scope as a head, a handler as an ASGI application."""

from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias

from antiphon.adapters.server_values import address, http_version, netloc, split_target
from antiphon.handler.contract import Handler, finish
from antiphon.handler.drive import run_async
from antiphon.http.errors import ClientDisconnected
from antiphon.http.head import Address
from antiphon.http.headers import combined
from antiphon.http.url import unquote
from antiphon.request.request import Request
from antiphon.response.fields import Fields, SharedFields
from antiphon.response.files import FileBody
from antiphon.response.message import Stream

if TYPE_CHECKING:
    from asyncio import Future

    from antiphon.adapters.disconnect import Watch

Message: TypeAlias = dict[str, Any]
Scope: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApplication: TypeAlias = Callable[
    [Scope, Receive, Callable[[MutableMapping[str, Any]], Awaitable[None]]], Awaitable[object]
]


class _Names(dict[str, bytes]):
    """The names of headers in bytes, those that are often asked for at hand."""

    def __missing__(self, name: str) -> bytes:
        return name.encode("latin-1", "replace")


_NAMES = _Names(
    (name, name.encode())
    for name in (
        "accept", "accept-charset", "accept-encoding", "accept-language", "authorization", "cache-control",
        "content-encoding", "content-length", "content-type", "cookie", "host", "if-match", "if-modified-since",
        "if-none-match", "if-range", "if-unmodified-since", "location", "origin", "range", "referer", "sec-fetch-site",
        "set-cookie", "transfer-encoding", "user-agent", "vary",
    )
)  # fmt: skip
_TELLING_OF_BODY = frozenset({b"content-length", b"transfer-encoding"})
_name = itemgetter(0)
UNBOUNDED = "uvicorn.protocols.http.httptools_impl"
"""The module of the one known server that bounds no header section. What it hands over are methods of its own."""
PATHSEND = "http.response.pathsend"
"""The extension by which a server sends a file that it is told the path of."""


def _encoded(fields: Fields) -> list[tuple[bytes, bytes]]:
    """Header fields in bytes."""
    return [(name.encode(), value.encode("latin-1")) for name, value in fields]


@lru_cache(maxsize=1024)
def _length_field(length: int) -> tuple[bytes, bytes]:
    return b"content-length", b"%d" % length


class ASGIHead:
    """A head that is read off a scope, with the body from ``receive``."""

    blocks = False
    _received: "Future[None] | None"
    _watch: "Watch | None"
    _fields: dict[bytes, bytes] | None
    """The headers by name; of several lines of one the last."""
    _combined: dict[str, str] | None = None
    """The headers by name, where one has several lines."""
    root_path: str
    """The scope's root_path."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self._receive = receive
        self.method: str = scope["method"]
        path: str = scope["path"]
        if path[:1] != "/":
            self.scope, path = _in_origin_form(scope)
        self.root_path = ""
        if root_path := scope.get("root_path"):
            self.root_path = root_path.rstrip("/")
            path = _below(path, self.root_path) or "/"
        self.path = path
        # What only the class has takes three times as long to read.
        self._fields = self._received = self._watch = None
        self._more, self._is_receiving = True, False

    @property
    def header_size(self) -> int:
        """The size where the server is known to bound none; the others have refused what is too large."""
        if _module_of(self._receive) != UNBOUNDED:
            return 0
        return sum([len(name) + len(value) + 32 for name, value in self.scope["headers"]])

    @property
    def has_body(self) -> bool:
        """False when neither a length nor a transfer coding is declared (RFC 9112 §6.3); unknown in HTTP/2 and 3."""
        scope, fields = self.scope, self._fields
        if fields is None:
            # To pass by the names takes less than a dictionary, which many a GET does without, and hardly another.
            if self.method == "GET":
                return not _TELLING_OF_BODY.isdisjoint(map(_name, scope["headers"])) or scope["http_version"] >= "2"
            fields = self._fields = dict(scope["headers"])
        return b"content-length" in fields or b"transfer-encoding" in fields or scope["http_version"] >= "2"

    @property
    def uncoded_length(self) -> int | None:
        """The declared length of a body that is not coded, where no header comes twice."""
        lines, fields = self.scope["headers"], self._fields
        if fields is None:
            fields = self._fields = dict(lines)
        if len(fields) != len(lines) or b"transfer-encoding" in fields or b"content-encoding" in fields:
            return None
        length = fields.get(b"content-length", b"")
        return int(length) if length.isdigit() and len(length) < 20 else None

    @property
    def raw_path(self) -> bytes | None:
        """The scope's raw_path, where the server has one."""
        raw: bytes | None = self.scope.get("raw_path")
        return raw.partition(b"?")[0] if raw and b"?" in raw else raw

    @property
    def query_string(self) -> bytes:
        """The scope's query_string."""
        return self.scope.get("query_string") or b""

    @property
    def scheme(self) -> str:
        """The scope's scheme."""
        return self.scope.get("scheme") or "http"

    @property
    def authority(self) -> str:
        """The Host header, else the server's address."""
        host = self.field("host")
        if host:
            return host
        server = self.scope.get("server")
        return netloc(*server) if server and server[1] else "localhost"

    @property
    def http_version(self) -> str:
        """The scope's http_version."""
        return http_version(self.scope.get("http_version") or "1.1")

    @property
    def client(self) -> Address | None:
        """The scope's client."""
        return address(*(self.scope.get("client") or (None, None)))

    def field(self, name: str) -> str | None:
        """A header; the lines of several are joined."""
        fields = self._fields
        if fields is None:
            fields = self._fields = dict(self.scope["headers"])
        key = _NAMES[name]
        last = fields.get(key)
        if last is None:
            return None
        lines: list[tuple[bytes, bytes]] = self.scope["headers"]
        if len(fields) == len(lines):
            return last.decode("latin-1")
        if self._combined is None:
            self._combined = combined(self.fields())
        return self._combined.get(name)

    def fields(self) -> list[tuple[str, str]]:
        """Every header."""
        return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self.scope["headers"]]

    async def receive(self) -> bytes:
        """The next http.request message that bears bytes."""
        self._is_receiving = True
        try:
            while self._more:
                message = await (self._receive() if self._watch is None else self._watch.message())
                if message["type"] == "http.disconnect":
                    raise ClientDisconnected("The client went away while the body was read.")
                self._more = message.get("more_body", False)
                if chunk := message.get("body"):
                    return chunk if type(chunk) is bytes else bytes(chunk)
            return b""
        finally:
            self._is_receiving = False
            if self._received is not None and not self._received.done():
                self._received.set_result(None)

    async def gone(self) -> None:
        """Wait until the client goes away. What comes of the body before that is left for ``receive``."""
        from asyncio import get_running_loop

        from antiphon.adapters.disconnect import Watch

        if self._is_receiving:  # a task that reads on while the response is written
            self._received = get_running_loop().create_future()
        if self._watch is None:
            self._watch = Watch(self._receive, is_read=self._more and self.has_body)
        if self._received is not None:
            await self._received
        await self._watch.gone()


def may_send_unbounded_header(receive: Receive) -> bool:
    """Whether the server is one of which a part is known to bound no header section."""
    return _module_of(receive).partition(".")[0] == UNBOUNDED.partition(".")[0]


def _module_of(receive: Receive) -> str:
    return type(getattr(receive, "__self__", None)).__module__


def _below(path: str, root_path: str) -> str:
    """A path without the root path; as it is, where it does not lie below that."""
    rest = path.removeprefix(root_path)
    return rest if not rest or rest.startswith("/") else path


def _in_origin_form(scope: Scope) -> tuple[Scope, str]:
    """A scope as if the target had been a path and Host what the target says, and the decoded path.

    Some servers hand on a target that is a whole URL as it came. What is a host in it shows before it is decoded only.
    """
    path: str = scope["path"]
    raw: bytes | None = scope.get("raw_path")
    parts = split_target(raw.decode("latin-1") if raw else path)
    if parts is None:
        return scope, path or "/"
    authority, sent = parts
    others = [field for field in scope["headers"] if field[0] != b"host"]
    headers = [(b"host", authority.encode("latin-1", "replace")), *others]
    raw_path = sent.encode("latin-1") if raw else None
    path = unquote(raw_path) if raw_path else sent
    return {**scope, "path": path, "raw_path": raw_path, "headers": headers}, path


async def call_asgi(handler: Handler, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request of an ASGI server."""
    head = ASGIHead(scope, receive)
    request = Request(head)
    try:
        response = await handler.answer(request)
        status, fields, length, body, silent = response.message(scope["method"])
        headers = fields.encoded if type(fields) is SharedFields else _encoded(fields)
        headers = [*headers] if length is None else [*headers, _length_field(length)]
        start = {"type": "http.response.start", "status": status, "headers": headers}
        if isinstance(body, bytes):
            await send(start)
            await send({"type": "http.response.body", "body": b"" if silent else body})
        elif type(body) is FileBody and not silent and _may_name(scope, request, body):
            await send(start)
            await send({"type": PATHSEND, "path": body.path})
        else:
            await _stream(request, body, start, head.gone, send, silent)
    finally:
        if request.deferred:
            await run_async(finish(request))


def _may_name(scope: Scope, request: Request, body: FileBody) -> bool:
    """Whether the server can send a body by its path. What is left for after might remove the file before that."""
    offered = PATHSEND in (scope.get("extensions") or ())
    return offered and not request.deferred and not body.offset and body.size_by_path() == body.length


async def _stream(
    request: Request, body: Stream, start: Message, gone: Callable[[], Awaitable[None]], send: Send, silent: bool
) -> None:
    from antiphon.adapters.streaming import write_chunks

    async def write(chunk: bytes) -> None:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def begin() -> Callable[[bytes], Awaitable[None]]:
        await send(start)
        if not silent:
            await write(b"")  # servers hold the head back until there is a body
        return write

    if await write_chunks(request, body, begin, gone, silent):
        await send({"type": "http.response.body", "body": b""})


async def call_lifespan(
    start: Callable[[], Awaitable[None]], stop: Callable[[], Awaitable[None]], receive: Receive, send: Send
) -> None:
    """Start and stop when the server says so; a failure is told to it."""
    for event, act in (("startup", start), ("shutdown", stop)):
        await receive()
        try:
            await act()
        except Exception as error:
            await send({"type": f"lifespan.{event}.failed", "message": f"{type(error).__name__}: {error}"})
            raise
        await send({"type": f"lifespan.{event}.complete"})


async def refuse_websocket(receive: Receive, send: Send) -> None:
    """Close a WebSocket before it opens, which the server answers with 403."""
    await receive()
    await send({"type": "websocket.close", "code": 1000})
