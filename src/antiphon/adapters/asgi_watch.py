"""Watching for the client of an ASGI request to leave, while somebody may still read the body."""

from asyncio import Event, Lock
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

READ_AHEAD = 256 << 10
"""Bytes of an unread body beyond which it is left with the server, and nobody learns that the client leaves."""


class Watch:
    """The messages of a request of which some are waited for to see the client leave.

    The server has one sequence of messages for both: what comes of the body is kept until ``message`` takes it.
    """

    def __init__(self, receive: Callable[[], Awaitable[dict[str, Any]]], *, is_read: bool) -> None:
        self._receive = receive
        self._is_read = is_read
        """Whether there is a body that somebody may read."""
        self._turn = Lock()
        self._ahead: deque[dict[str, Any]] = deque()
        self._held = 0
        self._taken = Event()

    async def gone(self) -> None:
        """Wait until the client goes away."""
        while True:
            while self._held > READ_AHEAD:
                self._taken.clear()
                await self._taken.wait()
            async with self._turn:
                message = await self._receive()
                if self._is_read:
                    self._ahead.append(message)
                    self._held += len(message.get("body", b""))
            if message["type"] == "http.disconnect":
                return

    async def message(self) -> dict[str, Any]:
        """The next message for who reads the body."""
        if not self._ahead:
            async with self._turn:
                if not self._ahead:
                    return await self._receive()
        message = self._ahead.popleft()
        self._held -= len(message.get("body", b""))
        self._taken.set()
        return message
