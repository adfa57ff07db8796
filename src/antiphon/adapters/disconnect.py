"""Clients that leave: noticing it before they were answered, and what an application makes of it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from antiphon.http.derived_head import server_head
from antiphon.http.head import Head


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


class Departure:
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
