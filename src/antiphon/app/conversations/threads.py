"""The threads of WebSockets whose handlers are ``def``: each has one of its own, for as long as it is open."""

import asyncio
from collections.abc import Callable, Mapping
from contextvars import copy_context
from threading import Thread
from typing import Any

from antiphon.concurrency.loop import thread
from antiphon.request.request import Request
from antiphon.websockets.closing import GOING_AWAY, WebSocketClosed
from antiphon.websockets.connection import Connection
from antiphon.websockets.websocket import WebSocket


async def on_own_thread(
    function: Callable[..., Any],
    request: Request,
    socket: WebSocket,
    params: Mapping[str, Any],
    connection: Connection,
) -> Any:
    """Call a ``def`` handler on a thread of its own, in the context of this task, and wait for its end.

    A thread can't be cancelled: if the task is cancelled, each method of the socket raises WebSocketClosed after that.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Any] = loop.create_future()
    context = copy_context()

    def run() -> None:
        thread.loop = loop
        error: BaseException | None = None
        result = None
        try:
            result = context.run(function, request, socket, **params)
        except BaseException as raised:
            error = raised
        loop.call_soon_threadsafe(_settle, ended, result, error)

    Thread(target=run, name="antiphon-websocket", daemon=True).start()
    cancelled: asyncio.CancelledError | None = None
    while not ended.done():
        try:
            await asyncio.wait([ended])
        except asyncio.CancelledError as error:
            cancelled = error
            connection.interrupt(WebSocketClosed(GOING_AWAY))
    if cancelled is None:
        return ended.result()
    ended.exception()  # which is known
    raise cancelled


def _settle(ended: "asyncio.Future[Any]", result: object, error: BaseException | None) -> None:
    if error is None:
        ended.set_result(result)
    elif isinstance(error, StopIteration):  # a future can't have it
        ended.set_exception(RuntimeError("the handler raised StopIteration"))
    else:
        ended.set_exception(error)
