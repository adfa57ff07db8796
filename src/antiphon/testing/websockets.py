"""The client's WebSockets: a test's handshake and the messages after it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from antiphon.serialization.json import encode_json
from antiphon.serialization.readers import OWN, json_as
from antiphon.testing.call import Call, Run
from antiphon.testing.errors import HandshakeRefused
from antiphon.testing.responses import ResponseHead
from antiphon.testing.servers.async_exchange import SocketExchange
from antiphon.testing.servers.exchange import Exchange, Head, Transport
from antiphon.websockets.channel import NORMAL, WebSocketClosed, WebSocketMessage, check_close

if TYPE_CHECKING:
    from typing_extensions import TypeForm  # PEP 747; type checkers know this module even if it is not installed

    from antiphon.testing.requests import ClientRequest

T = TypeVar("T")


class SocketTransport:
    """A transport that opens WebSockets with the given subprotocols."""

    def __init__(self, transport: Transport, subprotocols: list[str]) -> None:
        self._transport = transport
        self._subprotocols = subprotocols

    def open(self, request: "ClientRequest") -> Exchange:
        """Pass a handshake to the application."""
        return self._transport.open_socket(request, self._subprotocols)


class SocketCall(Call):
    """A handshake and the messages after it, with a time limit for each step."""

    async def open(self) -> Head:
        """Wait for the handshake to be accepted or refused. Raises HandshakeRefused."""
        head = await super().open()
        if head.status == 101:
            return head
        failure = getattr(self._exchange, "failure", None)  # over WSGI, there is no such exchange
        response = await self._limited(self._complete(head), "the rest of the response")
        self._is_over = True
        raise HandshakeRefused(response) from failure

    @property
    def exchange(self) -> SocketExchange:
        """The exchange of messages, once the socket is open."""
        return cast("SocketExchange", self._exchange)

    async def receive(self) -> WebSocketMessage:
        """Wait for the next message. Raises WebSocketClosed, from the error of the handler if that has failed."""
        try:
            return await self._limited(self.exchange.receive(), "a message")
        except WebSocketClosed:
            self._is_over = False  # the application may continue
            raise

    async def send(self, message: object) -> None:
        """Send text, bytes, or another value as JSON. Raises WebSocketClosed."""
        if isinstance(message, str | bytes):
            self.exchange.channel.give(message)
        else:
            self.exchange.channel.give(encode_json(message).decode())

    async def receive_as(self, wanted: Any) -> Any:
        """Wait for the next message and read its JSON as a type."""
        message = await self.receive()
        return json_as(message.encode() if isinstance(message, str) else message, wanted, limits=OWN)

    async def end(self, code: int, reason: str) -> None:
        """Close the socket, unless it is already closed."""
        check_close(code, reason)
        self.exchange.channel.close(code, reason)

    async def leave(self, error: BaseException | None = None) -> None:
        """Close the socket, unless it is already closed, and wait until the application has ended."""
        if error is None and not self._is_over:
            await self.end(NORMAL, "")
        await super().leave(error)


@contextmanager
def _ending() -> Iterator[None]:
    """End an iteration when the socket is closed, unless the handler has failed."""
    try:
        yield
    except WebSocketClosed as closed:
        if closed.__cause__ is not None:
            raise


class _Accepted:
    """A WebSocket that the application accepted with ``response``, a head with status 101."""

    def __init__(self, call: SocketCall, head: Head) -> None:
        self.response = ResponseHead(call.request, head, [])
        self._call = call

    @property
    def subprotocol(self) -> str | None:
        """The negotiated subprotocol; None if there is none."""
        return self._call.exchange.channel.subprotocol

    @property
    def closed(self) -> WebSocketClosed | None:
        """How the socket was closed: its ``code`` and ``reason``. None while it is open."""
        return self._call.exchange.channel.end


class ClientWebSocket(_Accepted):
    """A WebSocket that the application accepted with ``response``, a head with status 101."""

    def __init__(self, call: SocketCall, head: Head, run: Run) -> None:
        super().__init__(call, head)
        self._run = run

    def receive(self) -> WebSocketMessage:
        """Wait for the application's next message. Raises WebSocketClosed."""
        return self._run(self._call.receive())

    @overload
    def receive_as(self, wanted: type[T]) -> T: ...
    @overload
    def receive_as(self, wanted: "TypeForm[T]") -> T: ...
    def receive_as(self, wanted: Any) -> Any:
        """Wait for the next message and read its JSON as a type. Raises WebSocketClosed or HTTPError."""
        return self._run(self._call.receive_as(wanted))

    def send(self, message: object) -> None:
        """Send text, bytes, or any other value as JSON. Raises WebSocketClosed."""
        self._run(self._call.send(message))

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Close the socket, unless it is already closed. Raises ValueError for a code that is never sent."""
        self._run(self._call.end(code, reason))

    def __iter__(self) -> Iterator[WebSocketMessage]:
        with _ending():
            while True:
                yield self.receive()


class AsyncClientWebSocket(_Accepted):
    """A WebSocket that the application accepted with ``response``, a head with status 101."""

    def __init__(self, call: SocketCall, head: Head) -> None:
        super().__init__(call, head)
        self.receive = call.receive
        self.send = call.send

    @overload
    async def receive_as(self, wanted: type[T]) -> T: ...
    @overload
    async def receive_as(self, wanted: "TypeForm[T]") -> T: ...
    async def receive_as(self, wanted: Any) -> Any:
        """Wait for the next message and read its JSON as a type. Raises WebSocketClosed or HTTPError."""
        return await self._call.receive_as(wanted)

    async def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Close the socket, unless it is already closed. Raises ValueError for a code that is never sent."""
        await self._call.end(code, reason)

    async def __aiter__(self) -> AsyncIterator[WebSocketMessage]:
        with _ending():
            while True:
                yield await self._call.receive()
