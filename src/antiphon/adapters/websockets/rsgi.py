"""WebSockets over RSGI (version 1.6): a handshake is accepted without fields, or refused with only a status."""

from typing import Any

from antiphon.adapters.rsgi import CLOSED, RSGIHead, RSGIScope
from antiphon.adapters.websockets.asgi import HTTP_SCHEMES, close_stream
from antiphon.http.limits import NO_BOUND
from antiphon.request.request import Request
from antiphon.response.fields import Fields
from antiphon.response.response import Response
from antiphon.websockets.closing import ABNORMAL, NO_CODE, WebSocketClosed

_CLOSE = 0
"""The kind of message that ends the connection."""
_LEFT = (CLOSED, "RSGIProtocolError")
"""The errors with which Granian says that a handshake can no longer be answered."""


class RSGIHandshake(RSGIHead):
    """The head of a handshake: that of a GET request without a body."""

    wait_disconnect = None  # type: ignore[assignment]  # nothing may be received before it is answered

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
        """Answer the handshake with 101: RSGI has no way to send a subprotocol and fields."""
        await self.channel.accept()

    async def refuse(self, _request: Request, response: Response) -> None:
        """Answer the handshake with the status of a response."""
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
        """Return the end that an error of the server means, or else the error."""
        if type(error).__name__ != CLOSED:
            return error
        await self.close(ABNORMAL, "")
        return WebSocketClosed(ABNORMAL)
