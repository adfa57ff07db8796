"""Exchanges with an async application: request bodies, delivered on demand, the channel of a response, and sockets."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator

from antiphon.concurrency.bridge import chunks_come_apart
from antiphon.concurrency.iterables import close_of
from antiphon.explanations import explained
from antiphon.handler.failures import FAILURES
from antiphon.http.headers import Headers
from antiphon.testing.errors import BrokenResponse, ContractError, task_position
from antiphon.testing.requests import ClientContent, ClientRequest
from antiphon.testing.servers.exchange import SERVER_ERROR, SERVER_ERROR_BODY, Head
from antiphon.websockets.channel import ABNORMAL, WebSocketClosed, WebSocketMessage

ABORT = 1.0
"""The number of seconds that a cancelled application has to end."""


class ResponseChannel:
    """A response in transit from the application to the reader, who is at most one chunk behind.

    ``is_complete`` is set when the application has sent everything, ``is_disconnected`` when the client has
    disconnected before that. ``fault`` is the first violation of the interface.
    """

    def __init__(self) -> None:
        self.head: Head | None = None
        self.is_complete = False
        self.is_disconnected = False
        self.fault: ContractError | None = None
        self.disconnect_error: Exception | None = None
        self._chunk: bytes | None = None
        self._rest: Iterator[bytes] = iter(())
        self._changed = asyncio.Event()

    async def wait_until(self, condition: Callable[[], object]) -> None:
        """Wait until a change in this response makes a condition true."""
        while not condition():
            await self._changed.wait()

    def notify(self) -> None:
        """Make all waiting tasks check their conditions again."""
        self._changed.set()
        self._changed = asyncio.Event()

    # The application's side

    def start(self, head: Head) -> None:
        """Start the response."""
        self.head = head
        self.notify()

    async def send(self, chunk: bytes) -> None:
        """Send a chunk as soon as the reader has taken the previous one; drop it after a disconnect."""
        await self.wait_until(lambda: self._chunk is None or self.is_disconnected)
        if self.is_disconnected or not chunk:
            await asyncio.sleep(0)  # other tasks must run, even if the application never waits for anything
        else:
            self._chunk = chunk
            self.notify()

    def finish(self, chunks: Iterable[bytes] = ()) -> None:
        """End the response with these chunks, which are taken as the response is read."""
        self._rest = iter(chunks)
        self.is_complete = True
        self.notify()

    def breach(self, complaint: str) -> ContractError:
        """Return the error to raise for a violation; the first one is kept for the client."""
        error = explained("application-breaks-contract", ContractError(complaint))
        self.fault = self.fault or error
        return error

    def refuse_after_disconnect(self, error: Exception) -> Exception:
        """Return the error to raise for sending after a disconnect; the application may let it escape."""
        self.disconnect_error = self.disconnect_error or error
        return self.disconnect_error

    # The reader's side

    @property
    def is_readable(self) -> bool:
        """True if ``take`` can immediately return a chunk or the end."""
        return self._chunk is not None or self.is_complete

    def take(self) -> bytes | None:
        """Return the waiting chunk; None at the end."""
        chunk, self._chunk = self._chunk, None
        if chunk is None:
            return next(self._rest, None)
        self.notify()
        return chunk

    def disconnect(self) -> None:
        """Disconnect the client, unless the response is complete. Unread chunks are dropped."""
        if not self.is_complete:
            self.is_disconnected = True
        if close := close_of(self._rest, None):
            close()
        self.notify()


class AsyncExchange:
    """One request, handled by one task, as under a server; an error that escapes the task is raised to the reader.

    ``on_end`` is called when the application has ended. With ``raise_errors=False``, an error before the start of the
    response results in a 500, and a later error cuts the response short.
    """

    def __init__(
        self,
        application: Callable[[], Awaitable[object]],
        response: ResponseChannel,
        *,
        raise_errors: bool,
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        self._response = response
        self._raise_errors = raise_errors
        self._on_end = on_end
        self._error: BaseException | None = None
        self._failures: list[BaseException] = []
        self._is_aborted = False
        self._task = asyncio.create_task(self._run(application))
        self._task.add_done_callback(lambda _: response.notify())

    async def _run(self, application: Callable[[], Awaitable[object]]) -> None:
        chunks_come_apart.set(True)
        FAILURES.set(self._failures)
        try:
            await application()
        except BaseException as error:
            self._error = None if self._is_aborted else error
        finally:
            self._on_end()

    async def head(self) -> Head:
        """Wait for the response to start and return its head."""
        response = self._response
        await response.wait_until(lambda: response.head or self._task.done())
        if response.head is None:
            self._check()
            if self._error is None:
                raise explained(
                    "application-breaks-contract", ContractError("the application ended without a response")
                )
            response.start(SERVER_ERROR)
            response.finish([SERVER_ERROR_BODY])
        assert response.head is not None  # noqa: S101 - this method has waited for it
        return response.head

    async def chunk(self) -> bytes | None:
        """Wait for the next chunk; None at the end."""
        response = self._response
        await response.wait_until(lambda: response.is_readable or self._task.done())
        if response.is_readable and (chunk := response.take()) is not None:
            return chunk
        self._check()
        if response.is_complete:
            return None
        if self._error is not None:
            raise BrokenResponse(f"the application failed before its response was complete: {self._error!r}")
        raise explained(
            "application-breaks-contract", ContractError("the application ended before its response was complete")
        )

    async def close(self) -> None:
        """Disconnect, unless the response is complete, and wait until the application has ended."""
        self._response.disconnect()
        await self._response.wait_until(self._task.done)
        try:
            self._check()
        finally:
            self._error = None  # its frames refer to this exchange
            self._failures.clear()

    async def abort(self) -> None:
        """Cancel the task. If it doesn't end within a second, abandon it."""
        self._is_aborted = True
        self._error = None
        self._failures.clear()
        self._response.disconnect()
        self._task.cancel()
        await asyncio.wait([self._task], timeout=ABORT)

    @property
    def failure(self) -> BaseException | None:
        """The error that the application has logged; None if it hasn't failed."""
        return self._failures[0] if self._failures else None

    def where(self) -> str:
        """Return where the task is waiting."""
        return task_position(self._task)

    def _check(self) -> None:
        """Raise a breach of contract or, if the test wants errors, an error that escaped the application."""
        if self._response.fault is not None:
            raise self._response.fault
        error = self._error
        if error is None or not self._raise_errors or error is self._response.disconnect_error:
            return
        if isinstance(error, asyncio.CancelledError):
            raise explained(
                "application-breaks-contract", "a cancellation escaped the application", RuntimeError
            ) from error
        raise error


CHUNK = 64 << 10
"""The size of the chunks in which a body arrives, in bytes."""


class RequestBody:
    """The chunks of a body, up to its declared length.

    ``is_broken`` is set when the body is cut off, for example by a disconnect: the chunks end before the declared
    length, or reading one raises ConnectionError.
    """

    def __init__(self, request: ClientRequest) -> None:
        self._chunks, self._ready_chunks = _iterate(request.content)
        self._left = _expected_length(request)
        self._pending: asyncio.Future[bytes | None] | None = None
        self.is_broken = False

    @property
    def is_complete(self) -> bool:
        """True if the whole body has arrived."""
        return self._left == 0

    async def next(self, response: ResponseChannel) -> bytes:
        """Return the next chunk, or ``b""`` at the end or after a disconnect; for use on an event loop.

        An iterator that may block runs on a worker thread.
        """
        if self.is_complete or self.is_broken:
            return b""
        if self._ready_chunks:
            return self._count(next(self._ready_chunks, None))
        if self._pending is None:
            self._pending = asyncio.ensure_future(self._fetch())
            self._pending.add_done_callback(lambda _: response.notify())
        pending = self._pending
        await response.wait_until(lambda: pending.done() or response.is_disconnected or response.is_complete)
        self.is_broken = not pending.done() or isinstance(pending.exception(), ConnectionError)
        if self.is_broken:
            return b""
        self._pending = None
        return self._count(pending.result())

    def read(self) -> bytes:
        """Return the next chunk, or ``b""`` at the end; for use on a thread.

        Raises ConnectionError, as a socket does.
        """
        if self.is_complete or self.is_broken:
            return b""
        assert isinstance(self._chunks, Iterator)  # noqa: S101 - the WSGI transport has checked this
        return self._count(next(self._chunks, None))

    def drop(self) -> None:
        """Stop receiving."""
        if self._pending is not None:
            self._pending.cancel()

    async def _fetch(self) -> bytes | None:
        if isinstance(self._chunks, AsyncIterator):
            return await anext(self._chunks, None)
        return await asyncio.to_thread(next, self._chunks, None)

    def _count(self, chunk: bytes | None) -> bytes:
        if chunk is None:
            self.is_broken = self._left is not None
            self._left = self._left or 0
            return b""
        if not isinstance(chunk, bytes):
            raise explained(
                "bad-test-request", f"the chunks of a body must be bytes, not {type(chunk).__name__}", TypeError
            )
        if self._left is not None:
            chunk = chunk[: self._left]
            self._left -= len(chunk)
        return chunk


def _iterate(content: ClientContent) -> tuple[Iterator[bytes] | AsyncIterator[bytes], Iterator[bytes] | None]:
    """Return an iterator of a body's non-empty chunks, and the same iterator again if it never blocks."""
    if isinstance(content, bytes):
        chunks = (content[start : start + CHUNK] for start in range(0, len(content), CHUNK))
        return chunks, chunks
    if isinstance(content, list | tuple):
        chunks = (chunk for chunk in content if chunk)
        return chunks, chunks
    if isinstance(content, Iterable):
        return (chunk for chunk in content if chunk), None
    return (chunk async for chunk in content if chunk), None


def _expected_length(request: ClientRequest) -> int | None:
    """Return the number of bytes that the server reads (RFC 9112 §6.3); None if it reads to the end."""
    if "transfer-encoding" in request.headers:
        return None
    length = request.declared_length
    if length is None and request.http_version == "2" and request.content:
        return None
    return length or 0


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
