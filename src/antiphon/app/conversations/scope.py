"""The scope of a conversation, which ends when its process drains, and when its client has left unnoticed."""

import asyncio
from functools import partial
from typing import Self

from antiphon.concurrency.process import DRAINING, OPEN_SOCKETS
from antiphon.handler.cancellation import CancellableHandler
from antiphon.request.request import Request
from antiphon.websockets.closing import RESTARTING, WebSocketClosed
from antiphon.websockets.connection import Connection


class ConversationScope(CancellableHandler):
    """The block in which the handler of a WebSocket runs, once the handshake is answered.

    When the process drains, the connection is closed with 1012. A handler that waits for the client learns of that, and
    of a client that has left, by the end of its socket. Any other handler is cancelled: for a client that has left,
    only if the scope ``cancels`` it.
    """

    __slots__ = ("_answering", "_cancels", "_connection", "_sending", "_undrain")

    def __init__(self, request: Request, connection: Connection, *, cancels: bool = True) -> None:
        super().__init__(request, cancels)
        self._connection = connection
        self._cancels = cancels
        self._sending: asyncio.Task[None] | None = None
        self._answering: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        if (lifetime := self._lifetime) is not None:
            lifetime._renew()  # the deadline was that of the handshake
        super().__enter__()
        OPEN_SOCKETS.add(self._connection)
        self._undrain = DRAINING.subscribe_on_loop(self._drain)
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self._undrain()
        if self._answering is None:
            OPEN_SOCKETS.discard(self._connection)
        self._connection.let_go()
        super().__exit__(kind, error, traceback)

    def watch(self) -> None:
        """Listen to the client while the handler does not."""
        if not self._is_over:
            self._connection.look_ahead(self._leave_unheard)
            self._connection.on_received(partial(self._watch.add, self))

    def _leave_unheard(self) -> None:
        if self._cancels:
            self.cancel("disconnect")

    def _drain(self) -> None:
        """Close the connection, and make the handler end."""
        if self._is_over:
            return
        if self._connection.interrupt(WebSocketClosed(RESTARTING, "The server restarts.")):
            loop = self._task.get_loop()
            self._sending = loop.create_task(self._connection.send_end())
            self._answering = loop.create_task(self._wait_answered(self._sending))
        self.cancel("drain")

    async def _wait_answered(self, sending: "asyncio.Task[None]") -> None:
        """Let the process end once the client has answered the close: the server may still have to send it."""
        try:
            await asyncio.wait([sending])
            await self._connection.wait_answered()
        finally:
            OPEN_SOCKETS.discard(self._connection)

    async def wait_sent(self) -> None:
        """Wait until the end is sent, if the process drains."""
        if self._sending is not None:
            await asyncio.wait([self._sending])
