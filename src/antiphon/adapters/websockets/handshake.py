"""WebSocket handshakes, for which a handler returns a response or a conversation, and handshakes over RSGI."""

from collections.abc import Callable, Iterable, MutableMapping, Sequence
from contextlib import suppress
from typing import Any, Protocol, TypeAlias

from antiphon.adapters.asgi import ASGIHead, Message, Receive, Scope, Send, server_module
from antiphon.adapters.exchange import Observation
from antiphon.adapters.rsgi import CLOSED, RSGIHead, RSGIScope
from antiphon.concurrency.crossing import Crossing
from antiphon.concurrency.iterables import aclose
from antiphon.handler.contract import Handler, finish
from antiphon.handler.drive import run_async
from antiphon.handler.failures import log_failure
from antiphon.http.errors import HTTPError
from antiphon.http.headers import encode_fields
from antiphon.http.limits import NO_BOUND
from antiphon.request.request import Request
from antiphon.request.shared_caches import tell_shared_caches
from antiphon.response.fields import Fields
from antiphon.response.message import Stream
from antiphon.response.response import Response
from antiphon.websockets.channel import ABNORMAL, NO_CODE, WebSocketClosed
from antiphon.websockets.connection import WebSocketResponse

DENIAL = "websocket.http.response"
"""The extension with which a server can send any response to a handshake, not only 403."""

GRANIAN = "granian._granian"
"""The module of the server that aborts its process if a refusal contains two header lines with the same name. Its
``receive`` is a method of a class there.
"""

HTTP_SCHEMES = {"ws": "http", "wss": "https"}
"""The HTTP scheme for each handshake scheme."""
SOCKET_SCHEMES = {http: socket for socket, http in HTTP_SCHEMES.items()}


class ASGIHandshake(ASGIHead):
    """The head of a handshake: a GET request without a body."""

    wait_disconnect = None  # type: ignore[assignment]  # nothing may be received before it is accepted or refused

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scheme = scope.get("scheme") or "ws"
        super().__init__({**scope, "method": "GET", "scheme": HTTP_SCHEMES.get(scheme, scheme)}, receive)
        self.has_body = False
        self.channel = ASGIChannel(scope.get("subprotocols") or (), receive, send)
        self._takes_response = DENIAL in (scope.get("extensions") or ())
        self._send = send
        self.begin_handshake = receive
        """Receive the message with which a server announces a handshake."""

    async def accept(self, subprotocol: str | None, fields: Fields) -> None:
        """Accept the handshake (101). Raises WebSocketClosed if the client has left."""
        headers = encode_fields([*fields])
        await self.channel.pass_on({"type": "websocket.accept", "subprotocol": subprotocol, "headers": headers})

    async def refuse(self, request: Request, response: Response) -> None:
        """Refuse the handshake with this response or, if the server can't send it, with the server's own 403."""
        status, fields, length, body, is_silent, may_be_stored = response._message("GET")
        if may_be_stored:
            fields = tell_shared_caches(request, fields)
        if not self._takes_response:
            if not isinstance(body, bytes):
                await close_stream(body)
            await self._send({"type": "websocket.close", "code": 1000, "reason": ""})
            return
        headers = [*encode_fields([*fields])]
        # It aborts its process at a second line of the same name.
        if server_module(self._receive) == GRANIAN:
            headers = in_one_line_each(headers)
        if length is not None:
            headers.append((b"content-length", b"%d" % length))
        start = {"type": f"{DENIAL}.start", "status": status, "headers": headers}
        if isinstance(body, bytes):
            await self._send(start)
            await self._send({"type": f"{DENIAL}.body", "body": b"" if is_silent else body})
        else:
            await self._refuse_by_stream(request, body, start, is_silent, fields)

    async def _refuse_by_stream(
        self, request: Request, body: Stream, start: Message, is_silent: bool, fields: Fields
    ) -> None:
        from antiphon.adapters.streaming import write_chunks

        async def send(message: Message) -> None:
            await self._send({**message, "type": f"{DENIAL}.body"})

        async def send_head() -> Callable[[Message], Any]:
            await self._send(start)
            return send

        if await write_chunks(request, body, send_head, is_silent, fields):
            await self._send({"type": f"{DENIAL}.body", "body": b""})


def with_safe_refusals(send: Send) -> Send:
    """Return a function for an application to send with, whose refusals don't abort Granian's process."""

    async def send_safely(message: MutableMapping[str, Any]) -> None:
        if message["type"] == f"{DENIAL}.start":
            message = {**message, "headers": in_one_line_each(message.get("headers", ()))}
        await send(dict(message))

    return send_safely


def in_one_line_each(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return header fields with one line for each name. Cookies can't be joined (RFC 6265 §3): only the first one is
    kept.
    """
    lines: dict[bytes, bytes] = {}
    for given, value in headers:
        name = given.lower()
        if name not in lines:
            lines[name] = value
        elif name != b"set-cookie":
            lines[name] += b", " + value
    return [*lines.items()]


async def close_stream(body: Any) -> None:
    """Close a stream that will not be sent."""
    if hasattr(body, "__aiter__"):
        await aclose(None, body)
    elif close := getattr(body, "close", None):
        await Crossing().run_shielded(close)


class ASGIChannel:
    """The messages of a connection, over ASGI."""

    __slots__ = ("_receive", "_send", "limit", "subprotocols")

    def __init__(self, subprotocols: Sequence[str], receive: Receive, send: Send) -> None:
        self.subprotocols = subprotocols
        self.limit = NO_BOUND
        self._receive = receive
        self._send = send

    async def receive(self) -> str | bytes:
        """Wait for the next message."""
        message = await self._receive()
        if message["type"] == "websocket.receive":
            text: str | None = message.get("text")
            return message["bytes"] if text is None else text
        raise WebSocketClosed(message.get("code") or NO_CODE, message.get("reason") or "")

    async def send(self, message: str | bytes) -> None:
        """Send a message."""
        await self.pass_on({"type": "websocket.send", "text" if isinstance(message, str) else "bytes": message})

    async def close(self, code: int, reason: str) -> None:
        """Close the connection."""
        with suppress(WebSocketClosed):
            await self.pass_on({"type": "websocket.close", "code": code, "reason": reason})

    async def pass_on(self, message: Message) -> None:
        """Pass a message on to the server.

        Raises WebSocketClosed if the client has left. Servers report this with an OSError, or with a RuntimeError if
        they have sent a close themselves.
        """
        try:
            await self._send(message)
        except (OSError, RuntimeError) as error:
            raise WebSocketClosed(ABNORMAL) from error


_CLOSE = 0
"""The kind of message that ends the connection."""
_LEFT = (CLOSED, "RSGIProtocolError")
"""The errors with which Granian reports that a handshake can no longer be accepted or refused."""


class RSGIHandshake(RSGIHead):
    """The head of a handshake: a GET request without a body."""

    wait_disconnect = None  # type: ignore[assignment]  # nothing may be received before it is accepted or refused

    def __init__(self, scope: RSGIScope, protocol: Any) -> None:
        super().__init__(scope, protocol)
        self.method = "GET"
        self.has_body = False
        self.channel = RSGIChannel(protocol)

    @property
    def scheme(self) -> str:
        """The scheme of the HTTP request."""
        scheme: str = self.scope.scheme
        return HTTP_SCHEMES.get(scheme, scheme)

    async def begin_handshake(self) -> None:
        """Do nothing: RSGI announces no handshake."""

    async def accept(self, _subprotocol: str | None, _fields: Fields) -> None:
        """Accept the handshake (101). RSGI has no way to send a subprotocol or header fields."""
        await self.channel.accept()

    async def refuse(self, _request: Request, response: Response) -> None:
        """Refuse the handshake with the status of a response."""
        status, _, _, body, *_ = response._message("GET")
        if not isinstance(body, bytes):
            await close_stream(body)
        self._protocol.close(status)


class RSGIChannel:
    """The messages of a connection, over RSGI."""

    __slots__ = ("_protocol", "_transport", "limit", "subprotocols")

    def __init__(self, protocol: Any) -> None:
        self.subprotocols: tuple[str, ...] = ()  # none can be negotiated
        self.limit = NO_BOUND
        self._protocol = protocol
        self._transport: Any = None

    async def accept(self) -> None:
        """Open the connection. Raises WebSocketClosed if the client has left."""
        try:
            self._transport = await self._protocol.accept()
        except Exception as error:
            if type(error).__name__ not in _LEFT:
                raise
            raise WebSocketClosed(ABNORMAL) from error

    async def receive(self) -> str | bytes:
        """Wait for the next message."""
        transport = self._open_transport()
        try:
            message = await transport.receive()
        except Exception as error:
            raise await self._closed(error) from error
        if message.kind == _CLOSE:
            await self.close(NO_CODE, "")
            raise WebSocketClosed(NO_CODE)
        data: str | bytes = message.data
        return data

    async def send(self, message: str | bytes) -> None:
        """Send a message."""
        transport = self._open_transport()
        try:
            await (transport.send_str(message) if isinstance(message, str) else transport.send_bytes(message))
        except Exception as error:
            raise await self._closed(error) from error

    async def close(self, code: int, _reason: str) -> None:
        """Close the connection. Granian does so when the transport is no longer referenced."""
        self._protocol.close(code)
        # The last reference: this closes the connection.
        self._transport = None

    def _open_transport(self) -> Any:
        if self._transport is None:
            raise WebSocketClosed(ABNORMAL)
        return self._transport

    async def _closed(self, error: Exception) -> Exception:
        """Return the WebSocketClosed for a server's error, or the error itself."""
        if type(error).__name__ != CLOSED:
            return error
        await self.close(ABNORMAL, "")
        return WebSocketClosed(ABNORMAL)


Handshake: TypeAlias = ASGIHandshake | RSGIHandshake

_SERVERS_OWN = frozenset({"connection", "content-length", "content-type", "transfer-encoding", "upgrade"})
"""Header fields of a 101 that the server writes itself or that are not allowed."""


async def respond_to_handshake(handler: Handler, observation: Observation | None, *call: Any) -> None:
    """Handle a handshake with a handler and run the conversation to its end.

    ``call`` contains the server's arguments for the application: three over ASGI, two over RSGI.
    """
    head: Handshake = ASGIHandshake(*call) if len(call) == 3 else RSGIHandshake(*call)
    await head.begin_handshake()
    request = Request(head)
    handler.unfinished.add(head)
    try:
        result = handler._respond_to_handshake(request)
        response = result if isinstance(result, Response) else await result
        del result
        if isinstance(response, WebSocketResponse) and response.is_accepting:
            await converse(request, head, response, observation)
        else:
            if observation is not None:
                observation.send_head(response.status, ())
            await head.refuse(request, await refusing(response))
        del response  # an error raised below refers to this frame
    except BaseException as error:
        if observation is not None:
            observation.fail(error)
        raise
    finally:
        try:
            if request._deferred:
                await run_async(finish(request), request=request)
        finally:
            request._crossing = None  # its context refers to the request
            handler.unfinished.discard(head)
            if observation is not None:
                observation.end()


async def refusing(response: Response) -> Response:
    """Return the response to a handshake that doesn't open a conversation, and end any conversation in it."""
    if isinstance(response, WebSocketResponse):
        await aclose(None, response.body)
        response.body = b""
    return response


class AcceptedHead(Protocol):
    """The head of a handshake that can be accepted."""

    wait_disconnect: Any

    async def accept(self, subprotocol: str | None, fields: Fields, /) -> None:
        """Accept the handshake (101). Raises WebSocketClosed if the client has left."""
        ...


async def converse(
    request: Request, head: AcceptedHead, response: WebSocketResponse, observation: Observation | None
) -> None:
    """Accept a handshake and run its conversation. An error in it is logged and closes the socket."""
    connection, (_, fields, _, body, *_) = response.connection, response._message("GET")
    assert not isinstance(body, bytes)  # noqa: S101 - it is a stream
    try:
        try:
            await head.accept(connection.subprotocol, [field for field in fields if field[0] not in _SERVERS_OWN])
        except WebSocketClosed:
            await aclose(None, body)
            return
        connection.accepted()
        head.wait_disconnect = connection.wait_closed
        if observation is not None:
            observation.send_head(101, ())
        try:
            async for _ in body:  # type: ignore[union-attr]  # it is an async one
                pass
        except HTTPError as error:
            if error.status >= 500:
                _note_failure(request, response, error, observation)
        except Exception as error:
            _note_failure(request, response, error, observation)
    finally:
        if observation is not None:
            observation.send_chunk(connection.bytes_sent)
        await aclose(None, body)


def _note_failure(
    request: Request, response: WebSocketResponse, error: Exception, observation: Observation | None
) -> None:
    log_failure(request, error, f" in the conversation of {request.route.handled_by}", response=response)
    if observation is not None:
        observation.fail(error)
