"""The server's side of a WebSocket over ASGI 3, and checks of the messages that are sent."""

from collections.abc import Mapping
from typing import Any

from antiphon.testing.servers.asgi import Message, Scope, read_body, read_fields, read_head
from antiphon.testing.servers.exchange import Head
from antiphon.testing.servers.socket_channel import SocketChannel
from antiphon.websockets.channel import WebSocketClosed

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
    """One call of the application with a handshake: ``receive`` and ``send``."""

    def __init__(self, channel: SocketChannel, scope: Scope) -> None:
        self._channel = channel
        self._is_announced = self._is_closed = False
        self._start: Head | None = None
        self._extensions: Mapping[str, object] = scope["extensions"]
        self._offered = scope["subprotocols"]

    async def receive(self) -> Message:
        """Return the handshake, then messages, then the end."""
        if not self._is_announced:
            self._is_announced = True
            return {"type": "websocket.connect"}
        try:
            message = await self._channel.next_message()
        except WebSocketClosed as end:
            return {"type": "websocket.disconnect", "code": end.code, "reason": end.reason}
        return {"type": "websocket.receive", "text" if isinstance(message, str) else "bytes": message}

    async def send(self, message: Message) -> None:
        """Accept a message. Raises ContractError for one that is malformed or out of order."""
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
        raise ValueError("a message is either 'text' or 'bytes'")
    if text is not None and type(text) is not str:
        raise ValueError(f"'text' is a str, not {type(text).__name__}")
    if data is not None and type(data) is not bytes:
        raise ValueError(f"'bytes' is bytes, not {type(data).__name__}")
    return text if text is not None else data  # type: ignore[return-value]  # one of them is there
