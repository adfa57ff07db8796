"""WebSocket handshakes, to which a handler returns a response or a conversation, and handshakes over RSGI."""

from typing import Any, Protocol, TypeAlias

from antiphon.adapters.exchange import Observation
from antiphon.adapters.rsgi import CLOSED, RSGIHead, RSGIScope
from antiphon.adapters.websockets.asgi import HTTP_SCHEMES, ASGIHandshake, close_stream
from antiphon.concurrency.iterables import aclose
from antiphon.handler.contract import Handler, finish, log_failure
from antiphon.handler.drive import run_async
from antiphon.http.errors import HTTPError
from antiphon.http.limits import NO_BOUND
from antiphon.request.request import Request
from antiphon.response.fields import Fields
from antiphon.response.response import Response
from antiphon.websockets.channel import ABNORMAL, NO_CODE, WebSocketClosed
from antiphon.websockets.connection import WebSocketResponse

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
        """Accept the handshake (101): RSGI has no way to send a subprotocol and fields."""
        await self.channel.accept()

    async def refuse(self, _request: Request, response: Response) -> None:
        """Refuse the handshake with the status of a response."""
        status, _, _, body, _ = response._message("GET")
        if not isinstance(body, bytes):
            await close_stream(body)
        self._protocol.close(status)


class RSGIChannel:
    """The messages of a connection, over RSGI."""

    __slots__ = ("_protocol", "_transport", "limit", "subprotocols")

    def __init__(self, protocol: Any) -> None:
        self.subprotocols: tuple[str, ...] = ()  # since none can be negotiated
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
        self._transport = None

    def _open_transport(self) -> Any:
        if self._transport is None:
            raise WebSocketClosed(ABNORMAL)
        return self._transport

    async def _closed(self, error: Exception) -> Exception:
        """Return the end that a server's error stands for, or the error itself."""
        if type(error).__name__ != CLOSED:
            return error
        await self.close(ABNORMAL, "")
        return WebSocketClosed(ABNORMAL)


Handshake: TypeAlias = ASGIHandshake | RSGIHandshake

_SERVERS_OWN = frozenset({"connection", "content-length", "content-type", "transfer-encoding", "upgrade"})
"""Fields of a 101 that the server writes itself or that are not allowed."""


async def answer_handshake(handler: Handler, observation: Observation | None, *call: Any) -> None:
    """Handle a handshake with a handler, and run the conversation to its end.

    ``call`` contains the server's arguments for the application: three over ASGI, two over RSGI.
    """
    head: Handshake = ASGIHandshake(*call) if len(call) == 3 else RSGIHandshake(*call)
    await head.begin_handshake()
    request = Request(head)
    handler._unfinished.add(head)
    try:
        answer = handler._answer_handshake(request)
        response = answer if isinstance(answer, Response) else await answer
        del answer
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
                await run_async(finish(request))
        finally:
            handler._unfinished.discard(head)
            if observation is not None:
                observation.end()


async def refusing(response: Response) -> Response:
    """Return the response to a handshake that opens no conversation; one that it might have opened is ended."""
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
    """Accept a handshake, and run its conversation. An error in it is logged, and closes the socket."""
    connection, (_, fields, _, body, _) = response.connection, response._message("GET")
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
    log_failure(request, error, f" in the conversation of {request.route.answered_by}", response=response)
    if observation is not None:
        observation.fail(error)
