"""The server's side of RSGI 1.6, as in Granian: scope and protocol objects for requests and WebSockets."""

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future
from importlib.util import find_spec
from threading import get_ident
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar, overload

from antiphon.http.headers import Headers
from antiphon.http.urls.url import unquote
from antiphon.testing.requests import ClientRequest
from antiphon.testing.servers.async_exchange import (
    AsyncExchange,
    RequestBody,
    ResponseChannel,
    SocketChannel,
    SocketExchange,
)
from antiphon.testing.servers.exchange import ClientAddress, Connection, Head, checked_head, file_chunks
from antiphon.websockets.channel import NO_CODE, WebSocketClosed

D = TypeVar("D")


class RSGIHeaders:
    """The header fields of a request. A non-ASCII value is present, but can't be read."""

    __slots__ = ("_fields",)

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._fields = fields

    def __contains__(self, name: str) -> bool:
        return any(key == name.lower() for key, _ in self._fields)

    def __getitem__(self, name: str) -> str:
        value = next((value for key, value in self._fields if key == name.lower()), None)
        if value is None:
            raise KeyError(name)
        return value if value.isascii() else ""

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    @overload
    def get(self, key: str, default: None = None) -> str | None: ...
    @overload
    def get(self, key: str, default: D) -> str | D: ...
    def get(self, key: str, default: object = None) -> object:
        """Return the first line of a field, or ``default``."""
        value = next((value for name, value in self._fields if name == key.lower()), None)
        return value if value is not None and value.isascii() else default

    def get_all(self, key: str) -> list[str]:
        """Return every line of a field."""
        return [value for name, value in self.items() if name == key.lower()]

    def keys(self) -> list[str]:
        """Return the distinct names, in lower case."""
        return list(dict(self._fields))

    def values(self) -> list[str]:
        """Return the value of every line."""
        return [value for _, value in self.items()]

    def items(self) -> list[tuple[str, str]]:
        """Return every line, as a lowercase name and a value."""
        return [(name, value) for name, value in self._fields if value.isascii()]


class RSGIScope(NamedTuple):
    """The scope of a request. ``path`` is decoded; bytes that are not UTF-8 are lost."""

    proto: str
    http_version: str
    rsgi_version: str
    server: str
    client: str
    scheme: str
    method: str
    path: str
    query_string: str
    authority: str | None
    headers: RSGIHeaders


def make_scope(request: ClientRequest, connection: Connection) -> RSGIScope:
    """Return the scope of a request. An HTTP/2 request has an authority instead of a Host header."""
    _, host, port = request.origin
    fields = request.headers.items()
    authority = None
    if request.http_version == "2":
        authority = request.headers.get("host")
        fields = [(name, value) for name, value in fields if name != "host"]
    return RSGIScope(
        proto="http",
        http_version=request.http_version.removesuffix(".0"),
        rsgi_version="1.6",
        server=_join((host, port)),
        client=_join(connection.client) if connection.client else "",
        scheme=request.scheme,
        method=request.method,
        path=unquote(request.raw_path),
        query_string=request.raw_query,
        authority=authority,
        headers=RSGIHeaders(fields),
    )


def _join(address: ClientAddress) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


if TYPE_CHECKING or find_spec("granian"):
    from granian.rsgi import ProtocolClosed, ProtocolError  # type: ignore[attr-defined]  # not marked as exported
else:  # not every platform has a wheel
    ProtocolError = RuntimeError
    ProtocolClosed = type("RSGIProtocolClosed", (RuntimeError,), {})

T = TypeVar("T")

RSGIApplication: TypeAlias = Callable[[RSGIScope, "RSGIProtocol"], Awaitable[object]]
Fields: TypeAlias = list[tuple[str, str]] | tuple[tuple[str, str], ...]


class RSGITransport:
    """An RSGI server. It calls the application's ``__rsgi__`` or, if it has none, the application itself."""

    def __init__(self, application: Any, connection: Connection) -> None:
        self._application = application
        self._call: RSGIApplication = getattr(application, "__rsgi__", application)
        self._connection = connection

    def open(self, request: ClientRequest) -> AsyncExchange:
        """Call the application with a scope and a protocol for this request."""
        scope = make_scope(request, self._connection)
        response = ResponseChannel()
        protocol = RSGIProtocol(RequestBody(request), response)
        return AsyncExchange(
            lambda: self._call(scope, protocol),
            response,
            raise_errors=self._connection.raise_errors,
            on_end=protocol.on_end,
        )

    def open_socket(self, request: ClientRequest, _subprotocols: list[str]) -> AsyncExchange:
        """Call the application with the scope and a protocol object of a handshake."""
        scope = make_scope(request, self._connection)._replace(proto="ws")
        channel = SocketChannel()
        protocol: Any = RSGISocketProtocol(channel)
        return SocketExchange(lambda: self._call(scope, protocol), channel, raise_errors=self._connection.raise_errors)

    async def startup(self) -> None:
        """Call ``__rsgi_init__``, if there is one."""
        await self._call_hook("__rsgi_init__")

    async def shutdown(self) -> None:
        """Call ``__rsgi_del__``, if there is one."""
        await self._call_hook("__rsgi_del__")

    async def _call_hook(self, name: str) -> None:
        """Call a method that expects a stopped loop, on a thread and with a stand-in for such a loop."""
        if (method := getattr(self._application, name, None)) is not None:
            await asyncio.to_thread(method, StoppedLoop(asyncio.get_running_loop()))


class RSGIProtocol:
    """The protocol object of a request, through which the application reads the body and responds once."""

    def __init__(self, body: RequestBody, response: ResponseChannel) -> None:
        self._body = body
        self._is_body_taken = False
        self._response = response
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[Any]] = set()

    # The request's body

    def __call__(self) -> "asyncio.Future[bytes]":
        """Return a future for the whole body. It raises ProtocolClosed if the body is cut short."""
        self._take_body()
        return self._future(self._read_all())

    def __aiter__(self) -> "RSGIProtocol":
        self._take_body()
        self._has_chunks_left = True
        return self

    def __anext__(self) -> "asyncio.Future[bytes]":
        """Return a future for the next chunk; the last one is empty, even if the body is cut short."""
        if not self._has_chunks_left:
            raise StopAsyncIteration
        return self._future(self._next_chunk())

    def _take_body(self) -> None:
        if self._is_body_taken:
            raise ProtocolError("RSGI protocol error")
        self._is_body_taken = True

    async def _read_all(self) -> bytes:
        chunks = []
        while chunk := await self._body.next(self._response):
            chunks.append(chunk)
        if self._body.is_broken:
            raise ProtocolClosed("RSGI transport is closed")
        return b"".join(chunks)

    async def _next_chunk(self) -> bytes:
        chunk = await self._body.next(self._response)
        self._has_chunks_left = chunk != b""
        return chunk

    # The response

    def response_empty(self, status: int = 200, headers: Fields = ()) -> None:
        """Send a response without a body."""
        self._respond(status, headers, ())

    def response_str(self, status: int = 200, headers: Fields = (), body: str = "") -> None:
        """Respond with text, encoded as UTF-8."""
        self._respond(status, headers, [self._typed(body, str).encode()])

    def response_bytes(self, status: int = 200, headers: Fields = (), body: bytes = b"") -> None:
        """Respond with bytes."""
        self._respond(status, headers, [self._typed(body, bytes)])

    def response_file(self, status: int, headers: Fields, file: str) -> None:
        """Respond with a file, given by its path."""
        self._respond(status, headers, self._file(file))

    def response_file_range(self, status: int, headers: Fields, file: str, start: int, end: int) -> None:
        """Respond with the bytes of a file from ``start`` up to ``end``."""
        if start >= end:
            raise ValueError("Invalid range")
        self._respond(status, headers, self._file(file, start, end))

    def response_stream(self, status: int = 200, headers: Fields = ()) -> "RSGIStream":
        """Respond with the chunks sent to the returned stream, until nothing refers to the stream any more."""
        self._start(status, headers)
        return RSGIStream(self._loop, self._response)

    def client_disconnect(self) -> "asyncio.Future[None]":
        """Return a future that resolves if the client disconnects before it has received the whole response."""
        return self._future(self._response.wait_until(lambda: self._response.is_disconnected))

    def on_end(self) -> None:
        """End the response when the application ends, and cancel the futures for which it is still waiting."""
        self._body.drop()
        for task in self._tasks:
            task.cancel()
        if self._response.head is not None and not self._response.is_complete:
            self._response.finish()

    def _future(self, coroutine: Coroutine[Any, Any, T]) -> "asyncio.Future[T]":
        """Return a future, as Granian does: unlike a coroutine, it runs even if it is not awaited."""
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _start(self, status: int, headers: Fields) -> None:
        if self._response.head is not None:
            raise self._response.breach("the application has already responded")
        try:
            self._response.start(checked_head(status, map(_field, _checked_list(headers))))
        except ValueError as error:
            raise self._response.breach(f"{error} (in the response {status!r}, {headers!r:.300})") from error

    def _respond(self, status: int, headers: Fields, chunks: Iterable[bytes]) -> None:
        self._start(status, headers)
        self._response.finish(chunks)

    def _typed(self, body: T, kind: type[T]) -> T:
        if not isinstance(body, kind):
            raise self._response.breach(f"this body must be {kind.__name__}, not {type(body).__name__}")
        return body

    def _file(self, path: str, start: int = 0, end: int | None = None) -> Iterable[bytes]:
        try:
            return file_chunks(self._typed(path, str), start, end)
        except OSError as error:
            raise self._response.breach(f"the file can't be sent: {error}") from error


class RSGIStream:
    """A streamed response. Sending waits until the reader is at most one chunk behind."""

    def __init__(self, loop: asyncio.AbstractEventLoop, response: ResponseChannel) -> None:
        self._response = response
        weakref.finalize(self, _finish, loop, response).atexit = False

    async def send_bytes(self, data: bytes) -> None:
        """Send bytes. Raises ProtocolClosed after a disconnect."""
        await self._send(data, bytes)

    async def send_str(self, data: str) -> None:
        """Send text, encoded as UTF-8. Raises ProtocolClosed after a disconnect."""
        await self._send(data, str)

    async def _send(self, data: bytes | str, kind: type) -> None:
        response = self._response
        if not isinstance(data, kind):
            raise response.breach(f"a chunk sent here must be {kind.__name__}, not {type(data).__name__}")
        if not (response.is_disconnected or response.is_complete):
            await response.send(data.encode() if isinstance(data, str) else data)
        if response.is_disconnected or response.is_complete:
            raise response.refuse_after_disconnect(ProtocolClosed("RSGI transport is closed"))


class StoppedLoop:
    """A running event loop that looks stopped to another thread, for ``__rsgi_init__`` and ``__rsgi_del__``.

    ``run_until_complete`` works; all other methods of the loop are called on the loop's own thread.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread = get_ident()

    def is_running(self) -> bool:
        """Return False."""
        return False

    def run_until_complete(self, awaitable: Awaitable[T]) -> T:
        """Wait for an awaitable that the loop runs."""

        async def run() -> T:
            return await awaitable

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._loop, name)
        if get_ident() == self._thread or not callable(attribute):
            return attribute

        def call(*arguments: Any, **options: Any) -> Any:
            outcome: Future[Any] = Future()

            def run() -> None:
                try:
                    outcome.set_result(attribute(*arguments, **options))
                except BaseException as error:
                    outcome.set_exception(error)

            self._loop.call_soon_threadsafe(run)
            return outcome.result()

        return call


def _finish(loop: asyncio.AbstractEventLoop, response: ResponseChannel) -> None:
    """End a response whose stream is no longer referenced. May be called on any thread."""

    def finish() -> None:
        if not response.is_complete:
            response.finish()

    if not loop.is_closed():
        loop.call_soon_threadsafe(finish)


def _checked_list(headers: object) -> list[Any] | tuple[Any, ...]:
    if not isinstance(headers, list | tuple):
        raise ValueError(f"headers must be a list, not {type(headers).__name__}")
    return headers


def _field(field: object) -> tuple[str, str]:
    """Return a header as the client receives it: Granian sends UTF-8, which is decoded as Latin-1."""
    match field:
        case (str(name), str(value)) if isinstance(field, tuple):
            return name, value.encode().decode("latin-1")
    raise ValueError(f"a header must be a tuple of two str, not {field!r}")


class RSGIMessage(NamedTuple):
    """A message: its kind (0 for the end, 1 for bytes, 2 for text) and its data."""

    kind: int
    data: str | bytes | None = None


class RSGISocketProtocol:
    """The protocol object of a handshake, which is accepted or closed with a status."""

    def __init__(self, channel: SocketChannel) -> None:
        self._channel = channel

    def accept(self) -> "asyncio.Future[RSGISocketTransport]":
        """Return a future for the transport of the messages."""
        if self._channel.head is not None:
            raise ProtocolError("RSGI protocol error")
        self._channel.accept([], None)
        return _future(_transport(self._channel))

    def close(self, status: int | None = None) -> tuple[int, bool]:
        """Refuse the handshake with a status, by default 403, or close the socket, always without a code."""
        if self._channel.head is None:
            self._channel.start(Head(status or 403, Headers([("content-length", "0")])))
            self._channel.finish()
            return status or 403, True
        self._channel.close(NO_CODE, "")
        return status or 0, False


class RSGISocketTransport:
    """The messages of an accepted socket."""

    def __init__(self, channel: SocketChannel) -> None:
        self._channel = channel

    def receive(self) -> "asyncio.Future[RSGIMessage]":
        """Return a future for the next message or the end."""
        return _future(self._receive())

    async def _receive(self) -> RSGIMessage:
        try:
            message = await self._channel.next_message()
        except WebSocketClosed:
            return RSGIMessage(0)
        return RSGIMessage(2 if isinstance(message, str) else 1, message)

    def send_bytes(self, data: bytes) -> "asyncio.Future[None]":
        """Send bytes. Raises ProtocolClosed when the socket is closed."""
        return _future(self._send(data, bytes))

    def send_str(self, data: str) -> "asyncio.Future[None]":
        """Send text. Raises ProtocolClosed when the socket is closed."""
        return _future(self._send(data, str))

    async def _send(self, data: str | bytes, kind: type) -> None:
        if not isinstance(data, kind):
            raise self._channel.breach(f"a message sent here must be {kind.__name__}, not {type(data).__name__}")
        if not await self._channel.put(data):
            raise self._channel.refuse_after_disconnect(ProtocolClosed("RSGI transport is closed"))


async def _transport(channel: SocketChannel) -> RSGISocketTransport:
    return RSGISocketTransport(channel)


def _future(coroutine: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
    """Return a future, as Granian does: unlike a coroutine, it runs even if it is not awaited."""
    return asyncio.get_running_loop().create_task(coroutine)
