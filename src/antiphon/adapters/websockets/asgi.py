"""WebSockets over ASGI (HTTP and WebSocket specification 2.3 to 2.5)."""

import asyncio
from collections.abc import Callable, Iterable, MutableMapping, Sequence
from contextlib import suppress
from typing import Any

from antiphon.adapters.asgi import ASGIApplication, ASGIHead, Message, Receive, Scope, Send, server_module
from antiphon.concurrency.iterables import aclose
from antiphon.http.headers import encode_fields
from antiphon.http.limits import NO_BOUND
from antiphon.request.request import Request
from antiphon.response.fields import Fields
from antiphon.response.message import Stream
from antiphon.response.response import Response
from antiphon.websockets.channel import ABNORMAL, NO_CODE, WebSocketClosed

DENIAL = "websocket.http.response"
"""The extension with which a server can send any response to a handshake, not only 403."""

GRANIAN = "granian._granian"
"""The module of the server that aborts its process for a refusal with two lines of one name.

Its ``receive`` is a method of a class in that module.
"""

HTTP_SCHEMES = {"ws": "http", "wss": "https"}
"""The schemes of requests, by the schemes that servers give to handshakes."""
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
        """Take the message with which a server announces a handshake."""

    async def accept(self, subprotocol: str | None, fields: Fields) -> None:
        """Accept the handshake (101). Raises WebSocketClosed if the client has left."""
        headers = encode_fields([*fields])
        await self.channel.pass_on({"type": "websocket.accept", "subprotocol": subprotocol, "headers": headers})

    async def refuse(self, request: Request, response: Response) -> None:
        """Refuse the handshake with this response or, if the server does not support that, with its 403."""
        status, fields, length, body, is_silent = response._message("GET")
        if not self._takes_response:
            if not isinstance(body, bytes):
                await close_stream(body)
            await self._send({"type": "websocket.close", "code": 1000, "reason": ""})
            return
        headers = [*encode_fields([*fields])]
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


def with_safe_refusals(application: ASGIApplication) -> ASGIApplication:
    """Return an application whose refusals of handshakes don't abort Granian's process."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_safely(message: MutableMapping[str, Any]) -> None:
            if message["type"] == f"{DENIAL}.start":
                message = {**message, "headers": in_one_line_each(message.get("headers", ()))}
            await send(dict(message))

        await application(scope, receive, send_safely if scope["type"] == "websocket" else send)  # type: ignore[arg-type]

    return call


def in_one_line_each(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return fields with one line for each name. Cookies can't be joined (RFC 6265 §3): only the first one is kept."""
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
        await asyncio.to_thread(close)


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

        Raises WebSocketClosed if the client has left. Servers report that with an OSError or, if they have sent an end
        themselves, with a RuntimeError.
        """
        try:
            await self._send(message)
        except (OSError, RuntimeError) as error:
            raise WebSocketClosed(ABNORMAL) from error
