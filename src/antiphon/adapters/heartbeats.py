"""Chunks that are sent while a response is silent, so that proxies don't close its connection."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context, copy_context
from math import inf
from time import monotonic
from typing import Any, TypeAlias

from antiphon.concurrency.loop import wait_ended
from antiphon.response.message import Heartbeat

Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]


class BeatingSend:
    """The ``send`` of a server for one response, with a heartbeat whenever it has not been called for some seconds.

    Messages go one after another: while a heartbeat is sent, others wait. A heartbeat has its own short task, so
    the body runs in the task that sends it. ``lose_client`` is called if a heartbeat finds that the client has left.
    """

    def __init__(self, send: Send, heartbeat: Heartbeat, lose_client: Callable[[], None]) -> None:
        self._send = send
        self._seconds, chunk = heartbeat
        self._message = {"type": "http.response.body", "body": chunk, "more_body": True}
        self._lose_client = lose_client
        self._silent_since = monotonic()
        """The time of the last message; infinite while one is sent."""
        self._sending: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()
        self._look_after(self._seconds)

    async def __call__(self, message: dict[str, Any]) -> None:
        if self._sending is not None:
            await self.flush()
        self._silent_since = inf
        await self._send(message)
        self._silent_since = monotonic()

    async def flush(self) -> None:
        """Wait until a heartbeat that is being sent has been sent. Raises what the server raised."""
        if self._sending is not None:
            await self._sending

    async def stop(self) -> None:
        """Send no more heartbeats, and abandon one that is being sent."""
        self._timer.cancel()
        if self._sending is not None:
            self._sending.cancel()
            await wait_ended(self._sending)

    def _look(self) -> None:
        """Send a heartbeat if it is due. One timer serves all messages, since most are sent before it ends."""
        left = self._silent_since + self._seconds - monotonic()
        if left <= 0 and self._sending is None:
            self._sending = self._loop.create_task(self._beat(), context=self._context)
        self._look_after(left if 0 < left < self._seconds else self._seconds)

    def _look_after(self, seconds: float) -> None:
        # Not in the context of the request: a loop keeps a cancelled timer for a while, and the timer its context.
        self._timer = self._loop.call_later(seconds, self._look, context=Context())

    async def _beat(self) -> None:
        try:
            await self._send(self._message)
        except OSError:  # the servers' way to say that the client has disconnected
            self._lose_client()
        self._silent_since = monotonic()
        self._sending = None  # one that failed stays, so that the next message fails, too
