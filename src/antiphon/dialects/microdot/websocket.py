"""WebSockets, which handlers open while they handle a request."""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import wraps
from typing import Any, NoReturn

from antiphon import WebSocketClosed
from antiphon.dialects.microdot.errors import abort
from antiphon.dialects.microdot.request import Request
from antiphon.dialects.microdot.response import Response
from antiphon.embedding import check_cross_site, check_handshake
from antiphon.http import HTTPError, NotImplementedByServer
from antiphon.types import TrustedOrigins

Handler = Callable[..., Any]

UNBOUNDED_MESSAGE = 1 << 62


class WebSocketError(Exception):
    """Raised when a WebSocket has ended, whichever side closed it."""


class WebSocket:
    """The WebSocket of a request. ``closed`` is True once the handler has closed it."""

    CONT = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10

    max_message_length = -1
    """The maximum message size in bytes. 0 means no limit; -1 means ``Request.max_body_length``."""

    trusted_origins: Iterable[str] = ()
    """The origins of other sites whose pages may open a WebSocket, such as "https://shop.example.com"."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.closed = False

    async def handshake(self) -> None:
        """Respond to the handshake with 101, or with 403 if it comes from another site's page.

        If the request is not a handshake, respond with 400.
        """
        connection = self.request.connection
        if connection is None:
            refuse(self.request)
        try:
            check_cross_site(self.request.native, TrustedOrigins(self.trusted_origins), is_handshake=True)
        except HTTPError as error:
            abort(error.status, f"{error.detail} Add the origin to WebSocket.trusted_origins to allow it.")
        connection.limit_messages(self._limit())
        await self._called(connection.open())

    def _limit(self) -> int:
        limit = Request.max_body_length if self.max_message_length == -1 else self.max_message_length
        return limit or UNBOUNDED_MESSAGE

    async def receive(self) -> str | bytes:
        """Wait for the next message that is not empty. Raises WebSocketError."""
        while True:
            if message := await self._called(self._connection.receive()):
                return message  # type: ignore[no-any-return]  # the connection returns no other types

    async def send(self, data: str | bytes, opcode: int | None = None) -> None:
        """Send text or bytes.

        ``opcode`` selects between the two, and CLOSE closes the socket. The server handles pings and pongs, so they are
        not sent. Raises WebSocketError.
        """
        if opcode == self.CLOSE:
            await self._connection.close(1000, "")
        elif opcode not in (self.PING, self.PONG):
            if opcode == self.TEXT and not isinstance(data, str):
                data = data.decode()
            elif opcode == self.BINARY and isinstance(data, str):
                data = data.encode()
            await self._called(self._connection.send(data))

    async def close(self) -> None:
        """Close the socket, unless it is already closed."""
        if not self.closed:
            self.closed = True
            await self.send(b"", self.CLOSE)

    @property
    def _connection(self) -> Any:
        return self.request.connection

    async def _called(self, steps: Awaitable[Any]) -> Any:
        try:
            return await steps
        except WebSocketClosed as end:
            raise WebSocketError(f"Websocket connection closed: {end}") from end


def refuse(request: Request) -> NoReturn:
    """Refuse a request that is not a handshake, or that comes from a server without WebSocket support."""
    try:
        check_handshake(request.native)
    except NotImplementedByServer as error:
        abort(error.status, str(error.detail))
    except Exception:
        abort(400)
    abort(400)


async def websocket_upgrade(request: Request) -> WebSocket:
    """Accept a handshake inside a handler, which then uses the returned WebSocket."""
    socket = WebSocket(request)
    await socket.handshake()
    return socket


def websocket_wrapper(f: Handler, upgrade_function: Callable[[Request], Awaitable[WebSocket]]) -> Handler:
    """Turn a coroutine function of ``request, ws`` into a handler, using a function that opens ``ws``."""

    @wraps(f)
    async def handler(request: Request, *args: Any, **kwargs: Any) -> Any:
        socket = await upgrade_function(request)
        with suppress(WebSocketError, OSError):
            await f(request, socket, *args, **kwargs)
        await socket.close()
        return Response.already_handled

    return handler


def with_websocket(f: Handler) -> Handler:
    """Turn a coroutine function with the parameters ``request, ws`` into a handler that talks over a WebSocket.

    The WebSocket is closed when the function ends. If the function raises an error, it is logged, and the WebSocket is
    closed with 1011.
    """
    return websocket_wrapper(f, websocket_upgrade)
