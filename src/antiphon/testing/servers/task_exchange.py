"""An application that is a coroutine on the running event loop, and the reader of its answer."""

import asyncio
from collections.abc import Awaitable, Callable

from antiphon.testing.errors import BrokenResponse, ContractError
from antiphon.testing.servers.answer import Answer
from antiphon.testing.servers.exchange import SERVER_ERROR, SERVER_ERROR_BODY, Head
from antiphon.testing.servers.standstill import task_position

ABORT = 1.0
"""Seconds that a cancelled application has to end."""


class TaskExchange:
    """One request, answered by one task, as under a server; what escapes that task is raised to the reader.

    ``ended`` is called when the application has: with what a server does then. With ``raise_errors`` off, an
    application's error is a 500 before the response began, and breaks it off after that.
    """

    def __init__(
        self,
        application: Callable[[], Awaitable[object]],
        answer: Answer,
        *,
        raise_errors: bool,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self._answer = answer
        self._raise_errors = raise_errors
        self._ended = ended
        self._error: BaseException | None = None
        self._aborted = False
        self._task = asyncio.create_task(self._run(application))
        self._task.add_done_callback(lambda _: answer.notify())

    async def _run(self, application: Callable[[], Awaitable[object]]) -> None:
        try:
            await application()
        except BaseException as error:
            self._error = None if self._aborted else error
        finally:
            self._ended()

    async def head(self) -> Head:
        """Wait for the response to begin."""
        answer = self._answer
        await answer.until(lambda: answer.head or self._task.done())
        if answer.head is None:
            self._check()
            if self._error is None:
                raise ContractError("the application has ended without a response")
            answer.start(SERVER_ERROR)
            answer.finish([SERVER_ERROR_BODY])
        assert answer.head is not None  # noqa: S101 - it was waited for
        return answer.head

    async def chunk(self) -> bytes | None:
        """Wait for the next chunk."""
        answer = self._answer
        await answer.until(lambda: answer.readable or self._task.done())
        if answer.readable and (chunk := answer.take()) is not None:
            return chunk
        self._check()
        if answer.complete:
            return None
        if self._error is not None:
            raise BrokenResponse(f"the application has failed before its response was complete: {self._error!r}")
        raise ContractError("the application has ended before its response was complete")

    async def close(self) -> None:
        """Let the client go away, unless it has got everything, and wait until the application has ended."""
        self._answer.leave()
        await self._answer.until(self._task.done)
        self._check()

    async def abort(self) -> None:
        """Cancel the task. One that will not end is left behind after a second."""
        self._aborted = True
        self._answer.leave()
        self._task.cancel()
        await asyncio.wait([self._task], timeout=ABORT)

    def where(self) -> str:
        """Where the task waits."""
        return task_position(self._task)

    def _check(self) -> None:
        """Raise a breach of contract, else what has escaped the application, if that is wanted."""
        if self._answer.fault is not None:
            raise self._answer.fault
        error = self._error
        if error is None or not self._raise_errors or error is self._answer.refusal:
            return
        if isinstance(error, asyncio.CancelledError):
            raise RuntimeError("a cancellation has escaped the application") from error
        raise error
