"""The two directions of a WebSocket between a test and an application."""

from collections import deque
from collections.abc import Awaitable, Callable

from antiphon.http.headers import Headers
from antiphon.testing.servers.async_exchange import AsyncExchange, ResponseChannel
from antiphon.testing.servers.exchange import Head
from antiphon.websockets.channel import ABNORMAL, WebSocketClosed, WebSocketMessage

UNREAD = 64
"""The maximum number of unread messages before the application waits in ``send``."""


class SocketChannel(ResponseChannel):
    """A handshake that is waiting for its response, and the messages after it.

    ``end`` is the end of the socket, from the side that closed it first.
    """

    def __init__(self) -> None:
        super().__init__()
        self.end: WebSocketClosed | None = None
        self.subprotocol: str | None = None
        self._to_application: deque[WebSocketMessage] = deque()
        self._to_test: deque[WebSocketMessage] = deque()

    @property
    def is_accepted(self) -> bool:
        """True if the handshake was accepted (101)."""
        return self.head is not None and self.head.status == 101

    # The application's side

    def accept(self, fields: list[tuple[str, str]], subprotocol: str | None) -> None:
        """Accept the handshake (101)."""
        self.subprotocol = subprotocol
        self.is_complete = True  # as an HTTP response
        self.start(Head(101, Headers(fields)))

    async def next_message(self) -> WebSocketMessage:
        """Wait for a message from the test. Raises WebSocketClosed."""
        await self.wait_until(lambda: self._to_application or self.end or self.is_disconnected)
        if self._to_application:
            return self._to_application.popleft()
        raise self._closed()

    async def put(self, message: WebSocketMessage) -> bool:
        """Send a message to the test. Return False if the socket is closed."""
        await self.wait_until(lambda: len(self._to_test) < UNREAD or self.end or self.is_disconnected)
        if self.end or self.is_disconnected:
            return False
        self._to_test.append(message)
        self.notify()
        return True

    # Both sides

    def close(self, code: int, reason: str) -> None:
        """Close the socket, unless it is already closed."""
        self.end = self.end or WebSocketClosed(code, reason)
        self.notify()

    def _closed(self) -> WebSocketClosed:
        """Return an error that nothing keeps, with how the socket was closed."""
        return WebSocketClosed(*(self.end or WebSocketClosed(ABNORMAL)).args)

    def disconnect(self) -> None:
        """Close the socket the way a disappearing client would."""
        super().disconnect()
        self.close(ABNORMAL, "")

    # The test's side

    @property
    def has_news(self) -> bool:
        """True if a message or the end has arrived."""
        return bool(self._to_test or self.end)

    def take_message(self) -> WebSocketMessage:
        """Return the next message from the application. Raises WebSocketClosed if there is none and none will come."""
        if self._to_test:
            message = self._to_test.popleft()
            self.notify()
            return message
        raise self._closed()

    def give(self, message: WebSocketMessage) -> None:
        """Send a message to the application. Raises WebSocketClosed."""
        if self.end is not None:
            raise self._closed()
        self._to_application.append(message)
        self.notify()


class SocketExchange(AsyncExchange):
    """A handshake and the messages after it, handled by one task."""

    def __init__(
        self, application: Callable[[], Awaitable[object]], channel: SocketChannel, *, raise_errors: bool
    ) -> None:
        super().__init__(application, channel, raise_errors=raise_errors)
        self.channel = channel

    async def receive(self) -> WebSocketMessage:
        """Wait for the next message from the application.

        Raises WebSocketClosed, from the error of the handler if that has failed, or an error that escaped the
        application.
        """
        await self.channel.wait_until(lambda: self.channel.has_news or self._task.done())
        if not self.channel.has_news:
            self._check()
        try:
            return self.channel.take_message()
        except WebSocketClosed as closed:
            raise closed from self.failure
