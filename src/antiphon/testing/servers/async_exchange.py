"""Exchanges with an application that is a coroutine on the running event loop: ASGI and RSGI."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator

from antiphon.concurrency.bridge import chunks_come_apart
from antiphon.concurrency.iterables import close_of
from antiphon.explanations import explained
from antiphon.testing.errors import BrokenResponse, ContractError, task_position
from antiphon.testing.servers.exchange import SERVER_ERROR, SERVER_ERROR_BODY, Head

ABORT = 1.0
"""Seconds that a cancelled application gets to end."""


class ResponseChannel:
    """A response in transit from the application to the reader, who is at most one chunk behind.

    ``is_complete`` is set when the application has sent everything, ``is_disconnected`` when the client has gone away
    before that. ``fault`` is the first breach of contract.
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
        """End the response with these chunks, which the reader takes as it reads."""
        self._rest = iter(chunks)
        self.is_complete = True
        self.notify()

    def breach(self, complaint: str) -> ContractError:
        """Return the error to raise for a breach of contract; the first one is kept for the client."""
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
        self._is_aborted = False
        self._task = asyncio.create_task(self._run(application))
        self._task.add_done_callback(lambda _: response.notify())

    async def _run(self, application: Callable[[], Awaitable[object]]) -> None:
        chunks_come_apart.set(True)
        try:
            await application()
        except BaseException as error:
            self._error = None if self._is_aborted else error
        finally:
            self._on_end()

    async def head(self) -> Head:
        """Wait for the response to start, and return its head."""
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
            self._error = None  # its frames keep this exchange

    async def abort(self) -> None:
        """Cancel the task. If it does not end within a second, it is left behind."""
        self._is_aborted = True
        self._error = None
        self._response.disconnect()
        self._task.cancel()
        await asyncio.wait([self._task], timeout=ABORT)

    def where(self) -> str:
        """Return where the task waits."""
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
                "application-breaks-contract", RuntimeError("a cancellation escaped the application")
            ) from error
        raise error
