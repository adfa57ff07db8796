"""A connection on its event loop: the response to its handshake, its messages, and its end.

| state | ``_opened`` | ``closed`` | receives from the channel | ends it |
|---|---|---|---|---|
| asked: the handshake has no response | a future | None | nothing | ``refused``, by the server |
| open, and the handler receives | None | None | ``receive``, or ``_ahead`` for it | the client, ``end`` |
| open, and the handler is busy | None | None | ``_ahead``, after ``look_ahead`` | the client, ``end`` |
| interrupted, by a process that drains or a cancellation | None | the end | ``wait_acknowledged`` | |
| closed | None | the end | nothing | |

``closed`` is set once, by ``_ended``. After that, each method raises a copy of that error, because a raised error keeps
frames, and these keep the connection.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterable, Callable, Coroutine
from concurrent.futures import CancelledError as CallCancelled
from concurrent.futures import Future as CallFuture
from contextlib import suppress
from typing import Any, Final, TypeVar

from antiphon.concurrency.iterables import aclose
from antiphon.concurrency.loop import yield_to_loop
from antiphon.concurrency.timers import TimeSlice
from antiphon.http.errors import HTTPError
from antiphon.http.event import Event
from antiphon.http.headers import HeaderFields
from antiphon.http.limits import Limits
from antiphon.response.message import Stream
from antiphon.response.response import Response
from antiphon.serialization.json import encode_json
from antiphon.websockets.channel import (
    ABNORMAL,
    GOING_AWAY,
    POLICY_VIOLATION,
    TOO_BIG,
    Channel,
    UnreadMessages,
    WebSocketClosed,
    WebSocketMessage,
)

T = TypeVar("T")

CLOSING: Final = 1.0
"""The number of seconds for which the client can receive the close and everything sent before it."""


class Connection:
    """A connection as its handler and its server see it. Everything except ``wait_for`` must be used on its event loop.

    ``limits`` are those of the request; ``idle_timeout`` is in seconds. ``json_default`` is called with
    a value that can't be serialized to JSON.
    """

    __slots__ = (
        "_ahead", "_calls", "_channel", "_closed_signal", "_is_receiving", "_json_default", "_limit", "_limits",
        "_loop", "_on_demand", "_on_end", "_on_received", "_opened", "_time_slice", "_unread", "bytes_sent", "closed",
        "fields", "idle_timeout", "is_demanded", "is_interrupted", "last_received", "received", "sent", "subprotocol",
    )  # fmt: skip

    def __init__(
        self,
        channel: Channel,
        *,
        limits: Limits,
        subprotocol: str | None = None,
        idle_timeout: float | None = None,
        json_default: Callable[[Any], object] | None = None,
    ) -> None:
        self._channel = channel
        self._limits = limits
        self._limit = channel.limit = limits.message
        self._json_default = json_default
        self._loop = asyncio.get_running_loop()
        self._calls: set[CallFuture[Any]] | None = None
        """The calls for which threads wait."""
        self._opened: asyncio.Future[None] | None = self._loop.create_future()
        """A future that is done when the handshake is accepted or refused; None after that."""
        self._ahead: asyncio.Task[None] | None = None
        """The task that waits for messages while the handler is busy."""
        self._unread: UnreadMessages | None = None
        """The messages that have arrived in the meantime."""
        self._time_slice = TimeSlice()
        self._closed_signal: asyncio.Future[None] | None = None
        self._is_receiving = False
        self._on_demand: Callable[[], object] = bool
        self._on_end: Callable[[], object] | None = None
        self._on_received: Callable[[], object] | None = None
        self.subprotocol = subprotocol
        self.fields: HeaderFields = ()
        """Header fields for the response to the handshake."""
        self.idle_timeout = idle_timeout
        self.closed: WebSocketClosed | None = None
        """The end; None while the connection is open."""
        self.is_demanded = False
        """True once the handler wants the handshake to be accepted."""
        self.is_interrupted = False
        """True once this side ends the connection, whatever the handler does."""
        self.last_received: deque[WebSocketMessage] | None = None
        """The last received messages, if they are kept in case the handler fails."""
        self.received = 0
        self.sent = 0
        self.bytes_sent = 0

    # The handler's side

    async def open(self) -> None:
        """Accept the handshake and wait until that is done. Raises WebSocketClosed."""
        if self._opened is not None:
            opened = self._opened
            self.is_demanded = True
            self._on_demand()
            await asyncio.shield(opened)
        if self.closed is not None:
            raise self._ended()

    def limit_messages(self, limit: int) -> None:
        """Limit the size of all further messages, in bytes."""
        self._limit = self._channel.limit = limit

    async def receive(self) -> WebSocketMessage:
        """Wait for the next message. Raises WebSocketClosed."""
        if self._opened is not None:
            await self.open()
        self._is_receiving = True
        try:
            if self._time_slice.is_over(self._loop):
                await yield_to_loop()
            message: WebSocketMessage | None = None
            if self._unread and not self.is_interrupted:
                message = self._unread.take()
            elif self.closed is None:
                waits = self._ahead is not None or self.idle_timeout is not None
                message = await (self._wait_longer() if waits else self._channel.receive())
        except WebSocketClosed as end:
            raise self._ended(end) from None
        except asyncio.CancelledError:
            if self.is_interrupted:
                raise self._ended() from None
            raise
        finally:
            self._is_receiving = False
            if self._on_received is not None:
                on_received, self._on_received = self._on_received, None
                on_received()
        if message is None:
            raise self._ended()
        if len(message) * 4 > self._limit:
            await self._check_size(message)
        self.received += 1
        if self.last_received is not None:
            self.last_received.append(message)
        return message

    async def _wait_longer(self) -> WebSocketMessage | None:
        """Wait for the message that is being read ahead, or for a new one, for as long as the client may be idle.

        Return None if the connection is closed.
        """
        ahead = self._ahead = self._ahead or self._loop.create_task(self._read_ahead())
        try:
            async with asyncio.timeout(self.idle_timeout):
                await asyncio.wait([ahead])
        except TimeoutError:
            ahead.cancel()
            await self.end(GOING_AWAY, "No message arrived for too long.")
            return None
        if self._unread:
            return self._unread.take()
        if self.closed is None:
            await ahead  # raises the error that has ended it
        return None

    async def _read_ahead(self) -> None:
        """Receive messages and keep them: one, and more while the handler is busy."""
        unread = self._unread = self._unread or UnreadMessages()
        try:
            while True:
                unread.put(await self._channel.receive())
                if self._is_receiving:
                    return
                await unread.wait_room()
        except TimeoutError:
            on_end, self._ahead = self._on_end, None
            await self.end(POLICY_VIOLATION, "Too many messages are unread.")
            if on_end is not None:
                on_end()
        except WebSocketClosed as end:
            is_unheard = self.closed is None and not self._is_receiving
            self._ended(end)
            if is_unheard and self._on_end is not None:
                self._on_end()
        finally:
            self._ahead = None

    async def _check_size(self, message: WebSocketMessage) -> None:
        size = len(message.encode("utf-8", "surrogatepass")) if isinstance(message, str) else len(message)
        if size > self._limit:
            await self.end(TOO_BIG, f"A message may have at most {self._limit} bytes.")
            raise self._ended()

    async def receive_as(self, wanted: Any) -> Any:
        """Wait for the next message that contains a value of the given type, and reply to any other message with
        problem details as JSON.
        """
        from antiphon.serialization.readers import json_as

        while True:
            message = await self.receive()
            try:
                return json_as(message.encode() if isinstance(message, str) else message, wanted, limits=self._limits)
            except HTTPError as error:
                await self.send(error.problem())

    async def send(self, message: object) -> None:
        """Send text, bytes, or any other value as JSON. Raises WebSocketClosed."""
        if self._opened is not None:
            await self.open()
        sent = message if isinstance(message, str | bytes) else self._encoded(message)
        try:
            if self._time_slice.is_over(self._loop):
                await yield_to_loop()
            is_sent = self.closed is None
            if is_sent:
                await self._channel.send(sent)
        except WebSocketClosed as end:
            raise self._ended(end) from None
        except asyncio.CancelledError:
            if self.is_interrupted:
                raise self._ended() from None
            raise
        if not is_sent:
            raise self._ended()
        self.sent += 1
        self.bytes_sent += len(sent) if isinstance(sent, bytes) or sent.isascii() else len(sent.encode())

    async def send_each(self, source: AsyncIterable[object]) -> None:
        """Send the items of an async iterable and close the iterable. Raises WebSocketClosed."""
        try:
            async for item in source:
                if not isinstance(item, Event) or item.data is not None:
                    await self.send(item)
        finally:
            await aclose(source)

    def _encoded(self, message: object) -> WebSocketMessage:
        if isinstance(message, bytearray | memoryview):
            return bytes(message)
        if isinstance(message, Event):
            fields = {"event": message.event, "id": message.id, "data": message.data}
            if not isinstance(message.data, str | None):
                fields["data"] = encode_json(message.data, self._json_default).decode()
            message = {name: field for name, field in fields.items() if field is not None}
        elif (as_message := getattr(type(message), "__message__", None)) is not None:
            message = as_message(message)
        return encode_json(message, self._json_default).decode()

    async def close(self, code: int, reason: str) -> None:
        """Close the connection, unless it is already closed. The handshake is accepted first."""
        if self._opened is not None:
            await self.open()
        await self.end(code, reason)

    def wait_for(self, steps: Coroutine[Any, Any, T]) -> T:
        """Run steps on the connection's loop, blocking this thread until they have ended."""
        call = asyncio.run_coroutine_threadsafe(steps, self._loop)
        if self._calls is None:
            self._calls = set()
        self._calls.add(call)
        try:
            if self.is_interrupted:  # it may have been interrupted just before the call was added
                call.cancel()
            return call.result()
        except CallCancelled:
            raise (self._ended() if self.closed else WebSocketClosed(ABNORMAL)) from None
        finally:
            self._calls.discard(call)
            del call  # it refers to a raised error, whose frames refer to this one

    # The end

    async def end(self, code: int, reason: str = "") -> None:
        """Close the connection, unless it is already closed, even if something is waiting for it."""
        if self.closed is None:
            self._ended(WebSocketClosed(code, reason))
            await self.send_end()

    async def send_end(self) -> None:
        """Send the recorded close frame, without waiting for a client that no longer reads."""
        end, ahead = self._ended(), self._ahead
        self.let_go()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING):
                if ahead is not None:
                    await asyncio.wait([ahead])  # Granian doesn't send a close while something waits for messages
                await self._channel.close(end.code, end.reason)

    async def wait_acknowledged(self) -> None:
        """Wait until the client has replied to the close frame and to everything sent before it (RFC 6455 §7.1.1)."""
        with suppress(WebSocketClosed, TimeoutError):
            async with asyncio.timeout(CLOSING):
                while True:
                    await self._channel.receive()

    def interrupt(self, end: WebSocketClosed) -> bool:
        """Make every method raise this WebSocketClosed from now on, including the calls that threads are waiting for.

        Return True if the connection was still open, so a close frame has to be sent.
        """
        was_open = self.is_open
        self.is_interrupted = True
        self._ended(end)
        for call in [*(self._calls or ())]:
            call.cancel()
        return was_open

    def _ended(self, end: WebSocketClosed | None = None) -> WebSocketClosed:
        """Record the end, unless there already is one; return the error to raise for the recorded one."""
        if self.closed is None:
            assert end is not None  # noqa: S101 - only a recorded end is raised again
            self.closed = WebSocketClosed(end.code, end.reason)
            if self._closed_signal is not None and not self._closed_signal.done():
                self._closed_signal.set_result(None)
        return WebSocketClosed(self.closed.code, self.closed.reason)

    # The server's side

    @property
    def is_open(self) -> bool:
        """True if the handshake was accepted (101) and the connection has not been closed."""
        return self._opened is None and self.closed is None

    def on_demand(self, function: Callable[[], object]) -> None:
        """Call a function when the handler wants the handshake to be accepted."""
        self._on_demand = function

    def accepted(self) -> None:
        """Record that the handshake was accepted (101)."""
        opened, self._opened = self._opened, None
        if opened is not None and not opened.done():
            opened.set_result(None)

    def refused(self) -> None:
        """Record that the handshake was refused, so no message will ever arrive."""
        self._ended(WebSocketClosed(ABNORMAL, "The handshake was not accepted."))
        self.accepted()

    def look_ahead(self, on_end: Callable[[], object]) -> None:
        """Wait for messages while the handler is busy, and call ``on_end`` when the connection ends. Does nothing while
        the handler itself is receiving; ``on_received`` reports when it has received a message.
        """
        if self._is_receiving or self._ahead is not None or not self.is_open:
            return
        self._on_end = on_end
        self._ahead = self._loop.create_task(self._read_ahead())

    def on_received(self, function: Callable[[], object]) -> None:
        """Call a function once, when the handler has received its next message."""
        self._on_received = function

    def wait_closed(self) -> "asyncio.Future[None]":
        """Return the future that is done when the connection is closed. All callers share it."""
        if self._closed_signal is None:
            self._closed_signal = self._loop.create_future()
            if self.closed is not None:
                self._closed_signal.set_result(None)
        return self._closed_signal

    def let_go(self) -> None:
        """Stop waiting for messages."""
        self._on_received = self._on_end = None
        if self._ahead is not None:
            self._ahead.cancel()


class WebSocketResponse(Response):
    """The acceptance of a handshake (101, RFC 6455 §4.2.2). Its body is the conversation, which has no chunks.

    Header fields and cookies that you set are sent with the handshake if the server allows it.
    """

    __slots__ = {"connection": "The connection of the conversation."}

    def __init__(self, connection: Connection, conversation: Stream) -> None:
        super().__init__(headers=connection.fields)
        self._body = conversation
        self._status = 101
        self.connection = connection

    @property
    def is_accepting(self) -> bool:
        """True unless a different status was set, which refuses the handshake."""
        return self._status == 101
