"""The lifespan of an ASGI application (lifespan specification 2.0), as a context manager for its owner."""

import asyncio
import logging
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any

from antiphon.adapters.asgi import ASGIApplication, Message
from antiphon.adapters.foreign.asgi import GRACE
from antiphon.concurrency.loop import wait_ended
from antiphon.explanations import explained
from antiphon.handler.contract import describe


class ASGILifespan:
    """An async context manager that starts an application up and shuts it down, and gives its state.

    An application that ends, or fails, before it reports its startup does not support lifespans, and is served without
    one; its error is logged if it had received the event. Raises RuntimeError with the application's own message when
    it reports that startup or shutdown failed, and otherwise the error with which it has ended since its startup.

    ``state`` is the dictionary that the application fills at startup, always the same one. An application that has not
    ended ``grace`` seconds after it has reported a failure, or its shutdown, is cancelled.
    """

    _task: asyncio.Task[None]
    _reply: "asyncio.Future[str | None]"
    _error: BaseException | None = None

    def __init__(self, application: ASGIApplication, *, grace: float = GRACE) -> None:
        self.state: dict[str, Any] = {}
        self._application = application
        self._grace = grace

    async def __aenter__(self) -> dict[str, Any]:
        self.state.clear()
        self._events: asyncio.Queue[Message] = asyncio.Queue()
        self._has_asked = False
        self._prepare("startup")
        self._task = asyncio.create_task(self._run())
        await self._replied()
        if self._reply_is_missing:
            self._serve_without()
        return self.state

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not self._task.done():
            self._prepare("shutdown")
            await self._replied()
            await wait_ended(self._task, self._grace)
        self._raise_error()

    def _prepare(self, stage: str) -> None:
        self._stage = stage
        self._reply_is_missing = False
        self._reply = asyncio.get_running_loop().create_future()
        self._events.put_nowait({"type": f"lifespan.{stage}"})

    async def _replied(self) -> None:
        """Wait until the application has reported the outcome of the stage, or has ended."""
        try:
            complaint = await self._reply
        except asyncio.CancelledError:
            self._task.cancel()
            await wait_ended(self._task)
            raise
        if complaint is not None:
            await wait_ended(self._task, self._grace)
            error, self._error = self._error, None
            raise explained(
                "mounted-application-failed",
                RuntimeError(f"{describe(self._application)} failed at {self._stage}: {complaint}"),
            ) from error

    def _serve_without(self) -> None:
        error = self._error
        if error is None or isinstance(error, Exception):
            self._error = None
            if self._has_asked and error is not None:
                logging.getLogger("antiphon").warning(
                    "%s failed at startup, and is served without a lifespan",
                    describe(self._application),
                    exc_info=error,
                )
        self._raise_error()

    def _raise_error(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self._application(scope, self._receive, self._send)
        except asyncio.CancelledError:
            pass
        except BaseException as error:  # on a task's way out, SystemExit and KeyboardInterrupt would end the loop
            self._error = error
        finally:
            if not self._reply.done():
                self._reply_is_missing = True
                self._reply.set_result(None)

    async def _receive(self) -> Message:
        self._has_asked = True
        return await self._events.get()

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        kind = message.get("type")
        if self._reply.done() or kind not in (f"lifespan.{self._stage}.complete", f"lifespan.{self._stage}.failed"):
            raise explained(
                "mounted-application-failed",
                RuntimeError(f"{describe(self._application)} sent {kind!r}, which is not allowed at {self._stage}"),
            )
        self._reply.set_result(str(message.get("message", "")) if kind.endswith("failed") else None)
