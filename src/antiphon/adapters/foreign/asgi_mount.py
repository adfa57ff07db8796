"""The lifespan (specification 2.0) and WebSockets of a mounted ASGI application."""

import asyncio
import logging
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any

from antiphon.adapters.asgi import ASGIApplication, Message, Scope
from antiphon.adapters.disconnect import ClientGone, stems_from_disconnect
from antiphon.adapters.foreign.asgi import GRACE, application_fault, make_scope, read_head
from antiphon.adapters.websockets.handshake import DENIAL, SOCKET_SCHEMES
from antiphon.concurrency.loop import wait_ended
from antiphon.explanations import explained
from antiphon.handler.callables import describe
from antiphon.request.request import Request
from antiphon.response.response import Response
from antiphon.websockets.channel import ABNORMAL, NORMAL, WebSocketClosed, shortened
from antiphon.websockets.connection import Connection


class ASGILifespan:
    """An async context manager that starts up an application, shuts it down, and returns its state.

    An application that ends or fails before it reports its startup doesn't support lifespans and is served without one;
    its error is logged if it had received the event. Raises RuntimeError with the application's own message if the
    application reports that startup or shutdown failed. If it has failed since its startup, raises that error.

    ``state`` is the dictionary that the application fills at startup, always the same object. An application that has
    not ended ``grace`` seconds after it reported a failure or its shutdown is cancelled.
    """

    _task: asyncio.Task[None]
    _reply: "asyncio.Future[str | None]"
    _error: BaseException | None = None

    def __init__(self, application: ASGIApplication, *, grace: float = GRACE) -> None:
        self.state: dict[str, Any] = {}
        self._application = application
        self._grace = grace

    async def __aenter__(self) -> dict[str, Any]:
        # The same object as before: requests refer to it.
        self.state.clear()
        self._events: asyncio.Queue[Message] = asyncio.Queue()
        self._has_asked = self._is_serving = False
        self._prepare("startup")
        self._task = asyncio.create_task(self._run())
        await self._replied()
        self._is_serving = not self._reply_is_missing
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
        """Wait until the application has reported the outcome of the stage or has ended."""
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
                f"{describe(self._application)} failed at {self._stage}: {complaint}",
                RuntimeError,
            ) from error

    def _serve_without(self) -> None:
        error = self._error
        if error is None or isinstance(error, Exception):
            self._error = None
            # One that fails before it receives the event just does not know lifespans.
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
        except BaseException as error:  # if raised by a task, SystemExit and KeyboardInterrupt would end the loop
            self._error = error
        finally:
            if not self._reply.done():
                self._reply_is_missing = True
                self._reply.set_result(None)

    async def _receive(self) -> Message:
        self._has_asked = True
        while True:
            try:
                event = await self._events.get()
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if not self._is_serving or task is None:
                    raise
                task.uncancel()  # the whole loop ends, so the outer application is about to shut this one down
            else:
                self._is_serving = False
                return event

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        kind = message.get("type")
        if self._reply.done() or kind not in (f"lifespan.{self._stage}.complete", f"lifespan.{self._stage}.failed"):
            raise explained(
                "mounted-application-failed",
                f"{describe(self._application)} sent {kind!r}, which is not allowed at {self._stage}",
                RuntimeError,
            )
        self._reply.set_result(str(message.get("message", "")) if kind.endswith("failed") else None)


def make_socket_scope(request: Request, state: Mapping[str, Any] | None = None) -> Scope:
    """Return a WebSocket scope (ASGI 3, HTTP and WebSocket specification 2.5) for a handshake."""
    channel = getattr(request.head, "channel", None)
    scope = make_scope(request, state)
    del scope["method"]
    scope |= {
        "type": "websocket",
        "scheme": SOCKET_SCHEMES.get(scope["scheme"], scope["scheme"]),
        "subprotocols": [*channel.subprotocols] if channel else [],
    }
    scope["extensions"][DENIAL] = {}
    return scope


class ASGIConversation:
    """A call to an application for a handshake, with its ``receive`` and ``send``.

    The application is told when the connection ends, whichever side ends it, and then runs to its own end.
    """

    _refusal: Response | None = None
    _has_responded = False
    _is_complete = False

    def __init__(self, application: ASGIApplication, connection: Connection) -> None:
        self._application = application
        self._connection = connection
        self._is_announced = False
        self._decided = asyncio.Event()
        """Set when the application has accepted or refused the handshake."""
        self._chunks: list[bytes] = []

    async def run(self, scope: Scope) -> Response | None:
        """Call the application; return its response if it refuses the handshake.

        Raises the application's errors, except those caused by a client that has left, and RuntimeError if it violates
        ASGI.
        """
        try:
            await self._application(scope, self._receive, self._send)
        except Exception as error:
            if not (self._connection.closed and stems_from_disconnect(error)):
                raise
        if self._refusal is None and self._has_responded:
            return None
        if self._refusal is None:
            raise self._fault("ended without accepting or closing the handshake")
        if not self._is_complete:
            raise self._fault("ended before its response did: its last body must not set more_body")
        if self._chunks:
            self._refusal.body = b"".join(self._chunks)
        return self._refusal

    async def _receive(self) -> Message:
        if not self._is_announced:
            self._is_announced = True
            return {"type": "websocket.connect"}
        await self._decided.wait()
        if self._refusal is not None:
            return {"type": "websocket.disconnect", "code": ABNORMAL, "reason": ""}
        try:
            message = await self._connection.receive()
        except WebSocketClosed as end:
            return {"type": "websocket.disconnect", "code": end.code, "reason": end.reason}
        return {"type": "websocket.receive", "text" if isinstance(message, str) else "bytes": message}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        kind = message.get("type")
        if self._refusal is None and self._has_responded and kind in ("websocket.send", "websocket.close"):
            await self._converse(message)
        elif not self._has_responded and kind == "websocket.accept":
            await self._accept(message)
        elif not self._has_responded and kind == "websocket.close":
            self._refuse(Response(None, 403))
            self._is_complete = True
        elif not self._has_responded and kind == f"{DENIAL}.start":
            self._refuse(self._read_head(message))
        elif self._refusal is not None and not self._is_complete and kind == f"{DENIAL}.body":
            self._chunks.append(bytes(message.get("body") or b""))
            self._is_complete = not message.get("more_body", False)
        else:
            raise self._fault(f"sent {kind!r}, which is not allowed there")

    async def _converse(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "websocket.close":
            await self._connection.close(message.get("code") or NORMAL, shortened(message.get("reason") or ""))
            return
        text = message.get("text")
        try:
            await self._connection.send(message.get("bytes") or b"" if text is None else text)
        except WebSocketClosed as end:
            raise ClientGone(str(end)) from end

    async def _accept(self, message: Mapping[str, Any]) -> None:
        head = self._read_head({"status": 200, "headers": message.get("headers") or ()})
        self._connection.fields = head.headers.items()
        self._connection.subprotocol = message.get("subprotocol")
        self._decide()
        try:
            await self._connection.open()
        except WebSocketClosed as end:
            raise ClientGone(str(end)) from end

    def _refuse(self, response: Response) -> None:
        self._refusal = response
        self._decide()

    def _decide(self) -> None:
        self._has_responded = True
        self._decided.set()

    def _read_head(self, message: Mapping[str, Any]) -> Response:
        try:
            return read_head(message)
        except (AttributeError, TypeError, ValueError) as error:
            raise self._fault(f"sent an invalid reply to a handshake: {error}", error) from error

    def _fault(self, fault: str, cause: BaseException | None = None) -> RuntimeError:
        return application_fault(self._application, fault, cause)
