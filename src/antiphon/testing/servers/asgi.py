"""The server's side of ASGI 3, including lifespan and WebSockets, with checks of the messages that are sent."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, MutableMapping
from os.path import isabs
from typing import Any, TypeAlias

from antiphon.explanations import explained
from antiphon.http.link import Link
from antiphon.http.urls.url import unquote
from antiphon.testing.errors import ContractError, LifespanError
from antiphon.testing.requests import ClientRequest
from antiphon.testing.servers.async_exchange import (
    AsyncExchange,
    RequestBody,
    ResponseChannel,
    SocketChannel,
    SocketExchange,
)
from antiphon.testing.servers.exchange import Connection, Head, checked_head, checked_links, file_chunks
from antiphon.websockets.channel import WebSocketClosed


class ASGILifespan:
    """One call to the application, from startup to shutdown.

    An application that ends or fails before it receives the first event doesn't support the protocol, and is served
    without it. With ``raise_errors=False``, an application that fails later without having sent "failed" is also
    served.
    """

    def __init__(self, application: Callable[..., Awaitable[object]], *, raise_errors: bool) -> None:
        self._application = application
        self._raise_errors = raise_errors
        self._events: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self._has_received = False
        self._stage = "startup"
        self.state: dict[str, Any] = {}

    async def startup(self) -> None:
        """Send the startup event. Raises LifespanError if startup fails, or the error that the application raised."""
        self._task = asyncio.create_task(self._run())
        await self._run_stage("startup")

    async def shutdown(self) -> None:
        """Send the shutdown event and wait for the application to end. Raises the same errors as ``startup``."""
        if not self._task.done():
            await self._run_stage("shutdown")
            await asyncio.wait([self._task])
        self._check()

    async def _run_stage(self, stage: str) -> None:
        """Send a stage's event and wait for the reply or the application's end."""
        self._stage = stage
        self._reply: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._events.put_nowait({"type": f"lifespan.{stage}"})
        try:
            either: list[asyncio.Future[Any]] = [self._reply, self._task]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not self._reply.done():
                self._check()
            elif (complaint := self._reply.result()) is not None:
                await asyncio.wait([self._task])
                raise LifespanError(f"the {stage} failed: {complaint}") from self._task.exception()
        except BaseException:
            self._task.cancel()
            raise

    def _check(self) -> None:
        """Raise an error that has escaped the application, unless the application does not support the lifespan."""
        error = self._task.exception() if self._task.done() else None
        if error and self._has_received and (self._raise_errors or isinstance(error, ContractError)):
            raise error

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        await self._application(scope, self._receive, self._send)

    async def _receive(self) -> dict[str, str]:
        self._has_received = True
        return await self._events.get()

    async def _send(self, message: dict[str, Any]) -> None:
        kind = message.get("type")
        if self._reply.done() or kind not in (f"lifespan.{self._stage}.complete", f"lifespan.{self._stage}.failed"):
            raise explained(
                "application-breaks-contract",
                ContractError(f"a server accepts no such message during the {self._stage}: {kind!r}"),
            )
        self._reply.set_result(message.get("message", "") if kind.endswith("failed") else None)


Message: TypeAlias = MutableMapping[str, Any]
Scope: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApplication: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[object]]

VERSION = {"version": "3.0", "spec_version": "2.3"}
"""The versions that uvicorn and granian declare. Since spec version 2.4, ``send`` raises OSError after a disconnect."""

PATHSEND = "http.response.pathsend"
EARLY_HINT = "http.response.early_hint"


class ASGITransport:
    """An ASGI server. ``extra`` is added to each scope; its "extensions" can offer pathsend."""

    def __init__(self, application: ASGIApplication, connection: Connection, extra: Mapping[str, object]) -> None:
        self._application = application
        self._connection = connection
        self._extra = extra
        self._lifespan = ASGILifespan(application, raise_errors=connection.raise_errors)

    def open(self, request: ClientRequest) -> AsyncExchange:
        """Call the application with a scope for this request."""
        scope = self._scope(self._connection.check(request))
        response = ResponseChannel()
        body = RequestBody(request)
        call = ASGICall(body, scope, response)
        return AsyncExchange(
            lambda: self._application(scope, call.receive, call.send),
            response,
            raise_errors=self._connection.raise_errors,
            on_end=body.drop,
        )

    def open_socket(self, request: ClientRequest, subprotocols: list[str]) -> AsyncExchange:
        """Call the application with the scope of a handshake."""
        scope = socket_scope(self._scope(self._connection.check(request)), subprotocols)
        channel = SocketChannel()
        call = ASGISocket(channel, scope)
        return SocketExchange(
            lambda: self._application(scope, call.receive, call.send),
            channel,
            raise_errors=self._connection.raise_errors,
        )

    async def startup(self) -> None:
        """Run the lifespan's startup."""
        self._lifespan = ASGILifespan(self._application, raise_errors=self._connection.raise_errors)
        await self._lifespan.startup()

    async def shutdown(self) -> None:
        """Run the lifespan's shutdown."""
        await self._lifespan.shutdown()

    def _scope(self, request: ClientRequest) -> Scope:
        connection = self._connection
        _, host, port = request.origin
        scope: Scope = {
            "type": "http",
            "asgi": VERSION.copy(),
            "http_version": request.http_version,
            "method": request.method,
            "scheme": request.scheme,
            "path": unquote(request.raw_path),
            "raw_path": request.raw_path.encode(),
            "query_string": request.raw_query.encode(),
            "root_path": connection.root_path,
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in request.headers.items()],
            "client": connection.client,
            "server": (host, port),
            "state": self._lifespan.state.copy(),
            "extensions": {} if request.http_version == "1.0" else {EARLY_HINT: {}},
        }
        return scope | dict(self._extra)


class ASGICall:
    """One call to the application: ``receive`` and ``send``."""

    def __init__(self, body: RequestBody, scope: Scope, response: ResponseChannel) -> None:
        self._body = body
        self._is_body_received = False
        self._response = response
        self._start: Head | None = None
        self._hints: list[Link] = []
        self._extensions: Mapping[str, object] = scope.get("extensions") or {}
        self._raises_after_disconnect = _version(scope) >= (2, 4)

    async def receive(self) -> Message:
        """Return a message with the next chunk of the body.

        After the last chunk, waits until the client has disconnected or has received the whole response.
        """
        response, body = self._response, self._body
        if not (self._is_body_received or response.is_disconnected or response.is_complete):
            chunk = await body.next(response)
            if not body.is_broken:
                self._is_body_received = body.is_complete
                return {"type": "http.request", "body": chunk, "more_body": not body.is_complete}
        await response.wait_until(lambda: response.is_disconnected or response.is_complete or body.is_broken)
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Accept a message. Raises ContractError if it is malformed or out of order."""
        try:
            await self._take(message)
        except ValueError as error:
            raise self._response.breach(f"{error} (in the message {message!r:.300})") from error

    async def _take(self, message: Message) -> None:
        kind = message.get("type") if isinstance(message, Mapping) else None
        if self._response.is_complete:
            raise ValueError("the response is already complete")
        if kind == "http.response.start":
            if self._start is not None:
                raise ValueError("the response has begun already")
            self._start = read_head(message)._replace(early_hints=tuple(self._hints))
        elif kind == "http.response.body":
            chunk, more = read_body(message)
            self._send_head()
            await self._write(chunk, more)
        elif kind == EARLY_HINT and EARLY_HINT in self._extensions:
            if self._start is not None:
                raise ValueError("the response has begun already")
            self._hints += _read_links(message)
        elif kind == PATHSEND and PATHSEND in self._extensions:
            chunks = _read_file(message)
            self._send_head()
            self._response.finish(chunks)
        else:
            raise ValueError("a server accepts no such message here")

    def _send_head(self) -> None:
        """Prepare to send the head, which is sent with the first message of the body."""
        if self._start is None:
            raise ValueError("the response has not begun")
        if self._response.head is None:
            self._response.start(self._start)

    async def _write(self, chunk: bytes, more: bool) -> None:
        response = self._response
        if response.is_disconnected and self._raises_after_disconnect:
            raise response.refuse_after_disconnect(ConnectionResetError("the client has gone away"))
        if more:
            await response.send(chunk)
        else:
            response.finish([chunk])


def _version(scope: Scope) -> tuple[int, ...]:
    """Return the version of the HTTP specification that a scope declares."""
    return tuple(int(part) for part in scope["asgi"]["spec_version"].split("."))


def read_head(message: Mapping[str, Any]) -> Head:
    """Return the head in "http.response.start". Raises ValueError, like all functions below."""
    if message.get("trailers"):
        raise ValueError("trailers are an extension that was not offered")
    return checked_head(message.get("status"), read_fields(message))


def read_fields(message: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the header fields in a message."""
    return [_field(field) for field in _fields(message.get("headers", ()))]


def read_body(message: Mapping[str, Any]) -> tuple[bytes, bool]:
    """Return the chunk in "http.response.body", and True if more will follow."""
    chunk, more = message.get("body", b""), message.get("more_body", False)
    if type(chunk) is not bytes:
        raise ValueError(f"'body' must be bytes, not {type(chunk).__name__}")
    if type(more) is not bool:
        raise ValueError(f"'more_body' must be a bool, not {more!r}")
    return chunk, more


def _read_links(message: Mapping[str, Any]) -> list[Link]:
    """Return the links in "http.response.early_hint"."""
    links = message.get("links")
    if isinstance(links, str | bytes) or not isinstance(links, Iterable):
        raise ValueError(f"'links' must be an iterable of bytes, not {links!r}")
    if not all(type(line) is bytes for line in links):
        raise ValueError(f"'links' must be bytes, not {links!r}")
    return [link for line in links for link in checked_links(line.decode("latin-1"))]


def _read_file(message: Mapping[str, Any]) -> Iterator[bytes]:
    """Return the chunks of the file whose path "http.response.pathsend" contains."""
    path = message.get("path")
    if type(path) is not str or not isabs(path):
        raise ValueError(f"'path' must be an absolute path, as a str, not {path!r}")
    try:
        return file_chunks(path)
    except OSError as error:
        raise ValueError(f"the file can't be sent: {error}") from error


def _fields(headers: object) -> Iterable[object]:
    if isinstance(headers, str | bytes | Mapping) or not isinstance(headers, Iterable):
        raise ValueError(f"'headers' must be an iterable of [name, value], not {headers!r}")
    return headers


def _field(field: Any) -> tuple[str, str]:
    try:
        name, value = field
    except (TypeError, ValueError):
        raise ValueError(f"a header must be [name, value], not {field!r}") from None
    if type(name) is not bytes or type(value) is not bytes:
        raise ValueError(f"a header's name and value must be bytes, not {name!r}: {value!r}")
    if name != name.lower():
        raise ValueError(f"a header's name must be in lower case, not {name!r}")
    return name.decode("latin-1"), value.decode("latin-1")


DENIAL = "websocket.http.response"


def socket_scope(scope: Scope, subprotocols: list[str]) -> Scope:
    """Return the scope of a handshake, made from the scope of the GET request."""
    others = {name: value for name, value in scope.items() if name != "method"}
    return others | {
        "type": "websocket",
        "scheme": "wss" if scope["scheme"] == "https" else "ws",
        "subprotocols": subprotocols,
        "extensions": {DENIAL: {}},
    }


class ASGISocket:
    """One call to the application with a handshake: ``receive`` and ``send``."""

    def __init__(self, channel: SocketChannel, scope: Scope) -> None:
        self._channel = channel
        self._is_announced = self._is_closed = False
        self._start: Head | None = None
        self._extensions: Mapping[str, object] = scope["extensions"]
        self._offered = scope["subprotocols"]

    async def receive(self) -> Message:
        """Return the handshake, then the messages, then the end."""
        if not self._is_announced:
            self._is_announced = True
            return {"type": "websocket.connect"}
        try:
            message = await self._channel.next_message()
        except WebSocketClosed as end:
            return {"type": "websocket.disconnect", "code": end.code, "reason": end.reason}
        return {"type": "websocket.receive", "text" if isinstance(message, str) else "bytes": message}

    async def send(self, message: Message) -> None:
        """Accept a message. Raises ContractError if it is malformed or out of order."""
        try:
            await self._take(message)
        except ValueError as error:
            raise self._channel.breach(f"{error} (in the message {message!r:.300})") from error

    async def _take(self, message: Message) -> None:
        kind = message.get("type") if isinstance(message, Mapping) else None
        channel = self._channel
        if kind == "websocket.accept" and channel.head is None and self._start is None:
            self._accept(message)
        elif kind == "websocket.close" and self._start is None and not self._is_closed:
            self._close(message)
        elif kind == "websocket.send" and channel.is_accepted and not self._is_closed:
            if not await channel.put(_read_message(message)):
                raise channel.refuse_after_disconnect(ConnectionResetError("the client has gone away"))
        elif DENIAL in self._extensions and channel.head is None and kind == f"{DENIAL}.start" and self._start is None:
            self._start = read_head(message)
        elif kind == f"{DENIAL}.body" and self._start is not None and not channel.is_complete:
            await self._deny(self._start, message)
        else:
            raise ValueError("a server accepts no such message here")

    def _accept(self, message: Message) -> None:
        subprotocol = message.get("subprotocol")
        if subprotocol is not None and subprotocol not in self._offered:
            raise ValueError(f"the client does not offer the subprotocol {subprotocol!r}")
        self._channel.accept(read_fields(message), subprotocol)

    def _close(self, message: Message) -> None:
        self._is_closed = True
        if self._channel.head is None:
            self._channel.start(read_head({"status": 403, "headers": [(b"content-length", b"0")]}))
            self._channel.finish()
        else:
            self._channel.close(message.get("code", 1000), message.get("reason") or "")

    async def _deny(self, start: Head, message: Message) -> None:
        chunk, more = read_body(message)
        if self._channel.head is None:
            self._channel.start(start)
        if more:
            await self._channel.send(chunk)
        else:
            self._channel.finish([chunk])


def _read_message(message: Mapping[str, Any]) -> str | bytes:
    text, data = message.get("text"), message.get("bytes")
    if (text is None) == (data is None):
        raise ValueError("a message must have either 'text' or 'bytes'")
    if text is not None and type(text) is not str:
        raise ValueError(f"'text' must be a str, not {type(text).__name__}")
    if data is not None and type(data) is not bytes:
        raise ValueError(f"'bytes' must be bytes, not {type(data).__name__}")
    return text if text is not None else data  # type: ignore[return-value]  # one of them is set
