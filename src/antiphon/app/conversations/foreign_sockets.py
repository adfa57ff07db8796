"""WebSockets of other frameworks' applications: steps on a loop, or a connection taken from WSGI's environ.

Over ASGI and RSGI, the server frames the messages, so there is no such connection. A WSGI application then gets one end
of a socket pair. At the other end, the application's frames are converted to messages, and messages to frames.
"""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from antiphon.adapters.foreign.wsgi import from_wsgi, make_environ
from antiphon.app.conversations.conversation import SocketHandler, Steps, on_own_thread
from antiphon.app.route import SocketOptions
from antiphon.explanations import explained
from antiphon.handler.failures import failed
from antiphon.request.request import Request
from antiphon.response.response import Response
from antiphon.websockets.channel import ABNORMAL, FAILED, GOING_AWAY, NO_CODE, NORMAL, WebSocketClosed, shortened
from antiphon.websockets.connection import CLOSING, Connection
from antiphon.websockets.websocket import WebSocket

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from wsproto.connection import Connection as Frames


Talk: TypeAlias = Callable[[Request, Connection], Steps]


class ForeignSockets(SocketHandler):
    """A handler of handshakes that returns responses. ``talk`` returns the steps of a conversation.

    The steps choose a subprotocol themselves and may return a response instead of a conversation. They are told when
    the client disconnects; with ``cancels``, they are then cancelled if they are waiting for something else. ``blocks``
    means that each conversation occupies a thread, so the number of conversations is limited.
    """

    on_own_thread = staticmethod(on_own_thread)

    def __init__(self, talk: Talk, *, blocks: bool = False, cancels: bool = False) -> None:
        super().__init__(talk, SocketOptions(), (), cancels)
        self._talk = talk
        self._blocks = blocks

    @classmethod
    def of_wsgi(cls, application: "WSGIApplication") -> Self:
        """Return the handler for a WSGI application, which gets a thread, and a socket in its environ."""
        return cls(partial(_talk, application), blocks=True)

    async def respond(self, request: Request) -> Response:
        """Handle a handshake, even if something goes wrong."""
        try:
            response: Response = await self(request)
        except Exception as error:
            return failed(request, error)
        return response

    def check_end(self, returned: object) -> None:
        """Ignore the response of an application that has already sent frames."""

    def _steps(self, request: Request, connection: Connection) -> Steps:
        return self._talk(request, connection)


SOCKET = "werkzeug.socket"
"""The environ key for the connection, as in Werkzeug's server."""
LONGEST_HEAD = 64 << 10
"""The maximum size of the response to a handshake, in bytes."""
CHUNK = 64 << 10

_SERVERS_OWN = frozenset({b"connection", b"upgrade", b"sec-websocket-accept", b"sec-websocket-extensions"})


async def _talk(application: "WSGIApplication", request: Request, connection: Connection) -> Response:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    environ = make_environ(request)
    environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)  # the server compresses
    environ[SOCKET] = theirs
    handler = from_wsgi(application, lambda _: environ)

    def respond(request: Request, _: WebSocket) -> Response:
        return handler(request)

    carrying = asyncio.create_task(_Carrier(ours, connection).carry())
    try:
        response: Response = await on_own_thread(respond, request, WebSocket(connection, blocks=True), {}, connection)
        if connection.is_demanded:
            with suppress(OSError):  # it is closed
                theirs.shutdown(socket.SHUT_WR)
            await asyncio.wait([carrying], timeout=CLOSING)  # for the application's last data
            await connection.end(FAILED if response.status >= 500 else NORMAL)
        return response
    finally:
        carrying.cancel()
        try:
            await asyncio.wait([carrying])
        finally:
            ours.close()
            if not connection.is_demanded:  # else a thread of the application waits for it and closes it
                theirs.close()


class _Carrier:
    """A relay for one connection's frames and messages."""

    def __init__(self, ours: socket.socket, connection: Connection) -> None:
        self._socket = ours
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._frames: Frames

    async def carry(self) -> None:
        """Wait until the application responds to the handshake, then relay messages until it has closed its end."""
        from wsproto.connection import Connection as Frames
        from wsproto.connection import ConnectionType

        rest = await self._read_head()
        if rest is None:
            return
        self._frames = Frames(ConnectionType.CLIENT, trailing_data=rest)
        try:
            await self._connection.open()
        except WebSocketClosed:
            return
        inwards = self._loop.create_task(self._carry_in())
        outwards = self._loop.create_task(self._carry_out())
        try:
            ends = {inwards, outwards, self._connection.wait_closed()}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if not outwards.done():
                inwards.cancel()
                await self._tell_end()
                await outwards
        finally:
            inwards.cancel()
            outwards.cancel()
            await asyncio.wait([inwards, outwards])

    async def _read_head(self) -> bytes | None:
        """Read the response to the handshake; return the data after it, or None if there is none."""
        head = b""
        while b"\r\n\r\n" not in head:
            chunk = await self._loop.sock_recv(self._socket, CHUNK)
            head += chunk
            if not chunk or len(head) > LONGEST_HEAD:
                return None
        head, _, rest = head.partition(b"\r\n\r\n")
        status, *lines = head.split(b"\r\n")
        if not status.startswith(b"HTTP/1.1 101"):
            raise explained(
                "mounted-application-failed", f"the application responded to a handshake with {status!r}", RuntimeError
            )
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
        subprotocol = fields.pop(b"sec-websocket-protocol", None)
        self._connection.subprotocol = subprotocol.decode("latin-1") if subprotocol else None
        own = [(name, value) for name, value in fields.items() if name not in _SERVERS_OWN]
        self._connection.fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in own]
        return rest

    async def _carry_in(self) -> None:
        """Relay messages from the client to the application."""
        from wsproto.events import BytesMessage, TextMessage

        while True:
            try:
                message = await self._connection.receive()
            except WebSocketClosed:
                return
            await self._send(TextMessage(message) if isinstance(message, str) else BytesMessage(message))

    async def _carry_out(self) -> None:
        """Relay messages from the application to the client, until the application has closed its end."""
        parts: list[Any] = []
        is_open = True
        while is_open:
            for event in self._frames.events():
                is_open = await self._handle(event, parts) and is_open
            chunk = await self._loop.sock_recv(self._socket, CHUNK) if is_open else b""
            if not chunk:
                break
            self._frames.receive_data(chunk)

    async def _handle(self, event: Any, parts: list[Any]) -> bool:
        """Pass one event on. Return False at the end."""
        from wsproto.events import CloseConnection, Message, Ping

        if isinstance(event, Message):
            parts.append(event.data)
            if event.message_finished:
                message = type(event.data)().join(parts)
                parts.clear()
                with suppress(WebSocketClosed):  # the application notices that itself
                    await self._connection.send(bytes(message) if isinstance(message, bytearray) else message)
        elif isinstance(event, Ping):
            await self._send(event.response())
        elif isinstance(event, CloseConnection):
            await self._connection.close(_sendable(event.code), shortened(event.reason or ""))
            return False
        return True

    async def _tell_end(self) -> None:
        """Tell the application that the connection has ended."""
        from wsproto.events import CloseConnection

        end = self._connection.closed or WebSocketClosed(GOING_AWAY)
        await self._send(CloseConnection(_sendable(end.code), shortened(end.reason)))

    async def _send(self, event: Any) -> None:
        await self._loop.sock_sendall(self._socket, self._frames.send(event))


def _sendable(code: int) -> int:
    """Return a code, or an allowed replacement (RFC 6455 §7.4.1)."""
    return {NO_CODE: NORMAL, ABNORMAL: GOING_AWAY}.get(int(code), int(code))
