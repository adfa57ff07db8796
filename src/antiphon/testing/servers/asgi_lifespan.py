"""The server's side of the ASGI lifespan protocol (specification version 2.0)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from antiphon.explanations import explained
from antiphon.testing.errors import ContractError, LifespanError


class ASGILifespan:
    """One call of the application, from startup to shutdown.

    An application that ends, or fails, before it receives the first event does not support the protocol, and is served
    without it. With ``raise_errors`` off, one that fails later without having sent "failed" is served, too.
    """

    def __init__(self, application: Callable[..., Awaitable[object]], *, raise_errors: bool) -> None:
        self._application = application
        self._raise_errors = raise_errors
        self._events: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self._has_received = False
        self._stage = "startup"
        self.state: dict[str, Any] = {}

    async def startup(self) -> None:
        """Send the startup event. Raises LifespanError if the startup fails, or an error of the application."""
        self._task = asyncio.create_task(self._run())
        await self._run_stage("startup")

    async def shutdown(self) -> None:
        """Send the shutdown event, and wait until the application has ended. Raises as ``startup`` does."""
        if not self._task.done():
            await self._run_stage("shutdown")
            await asyncio.wait([self._task])
        self._check()

    async def _run_stage(self, stage: str) -> None:
        """Send a stage's event, and wait for the reply or for the application's end."""
        self._stage = stage
        self._reply: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._events.put_nowait({"type": f"lifespan.{stage}"})
        try:
            either: list[asyncio.Future[Any]] = [self._reply, self._task]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not self._reply.done():
                self._check()
            elif (complaint := self._reply.result()) is not None:
                await asyncio.wait([self._task])
                raise LifespanError(f"the {stage} has failed: {complaint}") from self._task.exception()
        except BaseException:
            self._task.cancel()
            raise

    def _check(self) -> None:
        """Raise an error that has escaped the application, unless the application does not support the lifespan."""
        error = self._task.exception() if self._task.done() else None
        if error and self._has_received and (self._raise_errors or isinstance(error, ContractError)):
            raise error

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        await self._application(scope, self._receive, self._send)

    async def _receive(self) -> dict[str, str]:
        self._has_received = True
        return await self._events.get()

    async def _send(self, message: dict[str, Any]) -> None:
        kind = message.get("type")
        if self._reply.done() or kind not in (
            f"lifespan.{self._stage}.complete",
            f"lifespan.{self._stage}.failed",
        ):
            raise explained(
                "application-breaks-contract",
                ContractError(f"a server accepts no such message during the {self._stage}: {kind!r}"),
            )
        self._reply.set_result(message.get("message", "") if kind.endswith("failed") else None)
