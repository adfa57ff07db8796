"""Clients that disconnect before they get a response: noticing them, and recognizing the resulting errors."""

import asyncio
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from errno import ECONNRESET
from functools import partial
from typing import Any, TypeAlias

from antiphon.concurrency.loop import running_loop, thread
from antiphon.http.head import Head, server_head
from antiphon.request.request import Request
from antiphon.response.message import watched
from antiphon.response.response import Response

READ_AHEAD = 256 << 10
"""The maximum number of bytes of an unread body to receive. More stays with the server, and disconnects go
unnoticed.
"""

Receive: TypeAlias = Callable[[], Awaitable[dict[str, Any]]]


async def wait_disconnect(receive: Receive) -> None:
    """Wait until the client disconnects, for a request whose body is not being read."""
    while (await receive())["type"] != "http.disconnect":
        pass


class BufferedMessages:
    """The messages of an ASGI request, from which one task may read the body while another waits for the disconnect.

    A server has a single sequence of messages for both. Messages that arrive during the wait for the disconnect are
    kept until ``next`` returns them.
    """

    __slots__ = ("_kept", "_kept_bytes", "_receive", "_receiving", "_taken")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._receiving = asyncio.Lock()
        # Both are made when needed: an empty deque takes 600 bytes, and an event contains one.
        self._kept: deque[dict[str, Any]] | None = None
        self._kept_bytes = 0
        self._taken: asyncio.Event | None = None

    async def next(self) -> dict[str, Any]:
        """Return the next message for the reader of the body."""
        if not self._kept:
            async with self._receiving:
                if not self._kept:
                    # Looked at again: the other task may have received it while this one waited for the lock.
                    return await self._receive()
        message = self._kept.popleft()
        self._kept_bytes -= len(message.get("body", b""))
        if self._taken is not None:
            self._taken.set()
        return message

    async def wait_disconnect(self, begin: "asyncio.Future[None] | None" = None) -> None:
        """Wait until the client disconnects, but not before ``begin`` is done."""
        if begin is not None:
            await begin
        while True:
            while self._kept_bytes > READ_AHEAD:
                self._taken = asyncio.Event()
                await self._taken.wait()
            async with self._receiving:
                message = await self._receive()
                # Inside the lock: the reader would otherwise ask for the message after this one.
                self._keep(message)
            if message["type"] == "http.disconnect":
                return

    def _keep(self, message: dict[str, Any]) -> None:
        if self._kept is None:
            self._kept = deque()
        self._kept.append(message)
        self._kept_bytes += len(message.get("body", b""))


class ClientGone(ConnectionResetError):
    """The error that ``send``, or a body waiting for its next chunk, raises when the client has disconnected."""


def watch_over_wsgi(head: Head) -> Callable[[], bytes] | None:
    """Return a function that checks on a request's client, for a thread that waits for a chunk; None except over WSGI.

    It raises ClientGone if the client has left. Otherwise it returns an empty chunk, which WSGI allows for bodies that
    are not ready (PEP 3333): if nothing else shows that the client has left, the server may notice it then.
    """
    watch_client = getattr(server_head(head), "watch_client", None)
    return None if watch_client is None else partial(_look, watch_client())


def _look(is_client_gone: Callable[[], bool]) -> bytes:
    if is_client_gone():
        raise client_gone("The client has disconnected.")
    return b""


def client_gone(reason: str) -> ClientGone:
    """Return the error that servers expect from a body whose client has left. Waitress logs any error except its
    own.
    """
    waitress = sys.modules.get("waitress.channel")
    bases = (ClientGone,) if waitress is None else (ClientGone, waitress.ClientDisconnected)
    kind: type[ClientGone] = type("ClientGone", bases, {})
    return kind(ECONNRESET, reason)


def stems_from_disconnect(error: BaseException) -> bool:
    """Return True if an error was caused by a ClientGone that ``send`` raised."""
    chain = [error]
    for link in chain:
        if isinstance(link, ClientGone):
            return True
        causes = (link.__cause__, link.__context__, *getattr(link, "exceptions", ()))
        # Errors may refer to each other in a circle.
        chain += [cause for cause in causes if cause is not None and cause not in chain]
    return False


class _OpenStream:
    """A streamed response that can be ended as if its client had disconnected. ``loop`` sends it; None over WSGI. Its
    request is kept until then, since its credentials may have to be checked.
    """

    __slots__ = ("__weakref__", "_request", "is_cut", "is_over", "loop")

    def __init__(self, request: Request, loop: asyncio.AbstractEventLoop | None) -> None:
        self._request: Request | None = request
        self.loop = loop
        self.is_cut = self.is_over = False

    async def end(self) -> None:
        """Record that the response has ended."""
        self.is_over, self._request = True, None

    def cut(self) -> None:
        self.is_cut = True
        if self.loop is not None and (request := self._request) is not None:
            with suppress(RuntimeError):  # the loop is closed
                self.loop.call_soon_threadsafe(request._outermost.lifetime._cut)

    def check(self, _: object = None) -> None:
        """Raise the error with which a server's thread cuts the response off, once the stream has ended."""
        if self.is_cut:
            raise client_gone("This stream has been ended.")


def endable(request: Request, response: Response) -> tuple[Any, Response]:
    """Return what can be ended, and the response that can."""
    body: Any = response.body
    if hasattr(body, "cut"):  # a WebSocket's conversation
        return body, response
    blocks = request.head.blocks
    loop = None if blocks else running_loop() or thread.loop
    stream = _OpenStream(request, loop)
    request._outermost._defer_first(stream.end)  # this also keeps the stream as long as the request
    if blocks:
        if (note_end := getattr(server_head(request.head), "_note_end", None)) is not None:
            note_end(lambda: stream.is_cut)
        response = response.__copy__()
        response.body = watched(body, stream.check)
    return stream, response
