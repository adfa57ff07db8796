"""Clients that leave: noticing it before they were answered, and what an application makes of it."""

import asyncio
from asyncio import Event, Lock
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from antiphon.http.head import Head, server_head


class ClientGone(OSError):
    """What ``send`` raises when nobody takes the response any more."""


def stems_from_leaving(error: BaseException) -> bool:
    """Whether an error was raised because ``send`` had said that the client has left."""
    chain = [error]
    for link in chain:
        if isinstance(link, ClientGone):
            return True
        causes = (link.__cause__, link.__context__, *getattr(link, "exceptions", ()))
        chain += [cause for cause in causes if cause is not None and cause not in chain]
    return False


class DisconnectWatcher:
    """Calls ``told`` when the client of a request leaves between ``watch`` and ``stop``, where the server tells that.

    The server must not be asked for anything else meanwhile: the body has been received, and nothing sent.
    """

    def __init__(self, head: Head, told: Callable[[], object]) -> None:
        self._gone: Callable[[], Awaitable[object]] | None = getattr(server_head(head), "gone", None)
        self._told = told
        self._task: asyncio.Task[None] | None = None

    def watch(self) -> None:
        """Begin to wait for it, unless that was begun before."""
        if self._task is None and self._gone is not None:
            self._task = asyncio.create_task(self._wait(self._gone))

    async def stop(self) -> None:
        """Wait no longer. Then somebody else may."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _wait(self, gone: Callable[[], Awaitable[object]]) -> None:
        with suppress(Exception):  # a server that can't tell any more is no reason to stop
            await gone()
            self._told()


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
