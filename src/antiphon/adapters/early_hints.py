"""Early hints (103, RFC 8297), sent to a server before there is a response.

ASGI has a message for them, and Gunicorn a function in the WSGI environ. RSGI can't send them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any, TypeAlias

from antiphon.concurrency.calls import Call
from antiphon.concurrency.crossing import WaitedTask
from antiphon.concurrency.loop import is_on_loop
from antiphon.http.headers import field_value

MOST_BYTES = 8 << 10
"""The maximum size of the links for one request, in bytes. Clients and proxies don't accept longer header sections."""

Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]
Callback: TypeAlias = Callable[[list[tuple[str, str]]], object]


def fitting(links: Iterable[str], hinted: int) -> tuple[list[str], int]:
    """Return the links that may still be sent after ``hinted`` bytes of links, and the new total.

    Raises ValueError for a link that is not allowed in a header.
    """
    fit = []
    for link in map(field_value, links):
        if hinted + len(link) <= MOST_BYTES:
            hinted += len(link)
            fit.append(link)
    return fit, hinted


def call_back(callback: Callback, links: list[str]) -> None:
    """Pass links to a WSGI server on its own thread.

    It may block, and with gevent no other thread may use its socket.

    A handler on the background loop leaves this to the thread that waits for it. A task started by such a handler has
    no waiting thread, so its hints are dropped.
    """
    give = partial(_give, callback, [("Link", link) for link in links])
    if not is_on_loop():
        give()
    elif isinstance(task := asyncio.current_task(), WaitedTask):
        task.thread.run(Call(give))


def _give(callback: Callback, fields: list[tuple[str, str]]) -> None:
    with suppress(Exception):  # the client has left, which the response will notice, or the response has already begun
        callback(fields)


class HintedSend:
    """The ``send`` of an ASGI response that is preceded by early hints.

    Calling it sends the start of the response after the hints.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._hints: list[dict[str, Any]] = []
        self._sending: asyncio.Task[None] | None = None

    def hint(self, message: dict[str, Any]) -> None:
        """Schedule a message with hints."""
        self._hints.append(message)
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_hints())

    async def _send_hints(self) -> None:
        try:
            while self._hints:
                with suppress(Exception):  # the client has left, which the response will notice
                    # One after another, in the order in which they were given.
                    await self._send(self._hints.pop(0))
        finally:
            self._sending = None  # its context may refer to the request, which refers to this object

    async def __call__(self, message: dict[str, Any]) -> None:
        # The head comes after all hints.
        if self._sending is not None:
            await self._sending
        await self._send(message)
