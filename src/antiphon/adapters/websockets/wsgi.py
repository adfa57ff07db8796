"""WebSockets over WSGI, if the server exposes the connection: the handshake (RFC 6455 §4.2) and its handler."""

import _thread
import asyncio
import base64
import hashlib
import signal
import socket
from binascii import Error as NotBase64
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context
from errno import EPIPE
from functools import cache
from importlib.util import find_spec
from types import BuiltinFunctionType
from typing import TYPE_CHECKING, Any

from antiphon.adapters.connection import is_gevents, socket_of
from antiphon.adapters.exchange import Observation
from antiphon.adapters.websockets.handshake import converse, refusing
from antiphon.adapters.websockets.socket_channel import Frames, SocketChannel, agreed_extension
from antiphon.adapters.wsgi import WSGIHead
from antiphon.concurrency.process import DRAINING, call_first_at_exit, wait_sockets_closed
from antiphon.concurrency.timers import PerLoop
from antiphon.handler.contract import ON_LOOP, Handler, Steps
from antiphon.http.errors import BadRequest, HTTPError, NotImplementedByServer, ServiceUnavailable, UpgradeRequired
from antiphon.http.grammar import split_list
from antiphon.http.headers import encode_fields
from antiphon.http.limits import NO_BOUND
from antiphon.http.reads import record_read
from antiphon.request.request import Request
from antiphon.response.fields import Fields
from antiphon.response.message import Message
from antiphon.response.response import Response, seen
from antiphon.websockets.connection import WebSocketResponse

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from antiphon.adapters.websockets.socket_channel import SocketChannel


LOOK = 0.25
"""The seconds between two checks of whether the server is stopping."""
LAST_ENDS = 1.0
"""The maximum number of seconds to send close frames when the interpreter ends."""


def obstacle_of(environ: "WSGIEnvironment", connection: socket.socket) -> HTTPError | None:
    """Return the error for a handshake that can't be accepted on this connection; None if it can."""
    if hasattr(connection, "getpeercert"):
        return NotImplementedByServer("WebSockets over WSGI don't work if the server itself does TLS.")
    if not most_sockets(environ):
        return NotImplementedByServer("WebSockets need a server with several threads, or gevent with its monkey patch.")
    return None


def most_sockets(environ: "WSGIEnvironment") -> int:
    """Return the maximum number of open sockets in this process: each occupies a server thread, and one thread is left
    free.
    """
    if not isinstance(_thread.start_new_thread, BuiltinFunctionType):
        return NO_BOUND  # patched by gevent: a thread is a greenlet
    if is_gevents(environ) or not environ.get("wsgi.multithread"):
        return 0
    worker = _gunicorn_worker()
    return worker.cfg.threads - 1 if hasattr(worker, "tpool") else NO_BOUND


def _gunicorn_worker() -> Any:
    """Return the Gunicorn worker whose method handles SIGTERM in this process, or None if there is none."""
    worker = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return worker if hasattr(worker, "alive") and hasattr(worker, "cfg") else None


class OpenSockets:
    """The open sockets of a background loop. While there are any, the loop checks whether the server is stopping."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.count = 0
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Count a socket as open."""
        self.count += 1
        _drain_at_exit()
        self._look_soon()
        try:
            yield
        finally:
            self.count -= 1

    def _look_soon(self) -> None:
        if self._timer is None:
            # Not in the request's context, which the timer would keep.
            self._timer = self._loop.call_later(LOOK, self._look, context=Context())

    def _look(self) -> None:
        """Drain if Gunicorn's worker is stopping. The worker doesn't announce that, but waits for all threads."""
        self._timer = None
        worker = _gunicorn_worker()
        if worker is not None and not worker.alive:
            DRAINING.give()
        elif self.count:
            self._look_soon()


_open: PerLoop[OpenSockets] = PerLoop()


def open_sockets() -> OpenSockets:
    """Return the open sockets of the running loop."""
    loop = asyncio.get_running_loop()
    found = _open.get(loop)
    if found is None:
        found = OpenSockets(loop)
        _open.keep(loop, found)
    return found


@cache
def _drain_at_exit() -> None:
    """Close the sockets that are still open when the interpreter exits, for example after Ctrl-C."""
    call_first_at_exit(_drain)


def _drain() -> None:
    DRAINING.give()
    wait_sockets_closed(LAST_ENDS)


VERSION = "13"
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY_SIZE = 16


class WSGIHandshake(WSGIHead):
    """The head of a handshake: a GET request without a body, handled on the background loop."""

    blocks = False
    wait_disconnect = None  # type: ignore[assignment]  # nothing may be received before it is accepted or refused

    def __init__(self, environ: "WSGIEnvironment") -> None:
        super().__init__(environ)
        self.has_body = False
        self.refusal: HTTPError | None = None
        """The error for a handshake that can't open a WebSocket on a server that supports them, or None."""
        self.channel: SocketChannel | None = None
        self._extension = ""
        connection = socket_of(environ)
        if connection is not None:
            self.refusal = _malformed(environ) or obstacle_of(environ, connection) or _missing()
            if self.refusal is None:
                self._open_channel(connection)

    def _open_channel(self, connection: socket.socket) -> None:
        extension, self._extension = agreed_extension(self.field("sec-websocket-extensions") or "") or (None, "")
        offered = split_list(self.field("sec-websocket-protocol") or "")
        self.channel = SocketChannel(connection, offered, Frames(extension))

    async def accept(self, subprotocol: str | None, fields: Fields) -> None:
        """Accept the handshake (101). Raises WebSocketClosed if the client has left."""
        assert self.channel is not None  # noqa: S101 - it can be accepted
        key = self.field("sec-websocket-key") or ""
        digest = hashlib.sha1(f"{key.strip()}{_GUID}".encode(), usedforsecurity=False).digest()
        head = [("Upgrade", "websocket"), ("Connection", "Upgrade")]
        head.append(("Sec-WebSocket-Accept", base64.b64encode(digest).decode()))
        if subprotocol is not None:
            head.append(("Sec-WebSocket-Protocol", subprotocol))
        if self._extension:
            head.append(("Sec-WebSocket-Extensions", self._extension))
        lines = [b"%s: %s\r\n" % field for field in encode_fields([*head, *fields])]
        await self.channel.open(b"HTTP/1.1 101 Switching Protocols\r\n%s\r\n" % b"".join(lines))


def _malformed(environ: "WSGIEnvironment") -> HTTPError | None:
    """Return the error for a handshake that does not follow RFC 6455 §4.2.1; None if it does."""
    options = [option.lower() for option in split_list(environ.get("HTTP_CONNECTION", ""))]
    if environ.get("SERVER_PROTOCOL") != "HTTP/1.1" or "upgrade" not in options:
        return BadRequest("A handshake must be an HTTP/1.1 request with `Connection: Upgrade`.")
    if environ.get("HTTP_SEC_WEBSOCKET_VERSION", "").strip() != VERSION:
        return UpgradeRequired(
            f"The WebSocket version must be {VERSION}.", upgrade="websocket", headers={"sec-websocket-version": VERSION}
        )
    try:
        key = base64.b64decode(environ.get("HTTP_SEC_WEBSOCKET_KEY", "").strip(), validate=True)
    except (NotBase64, ValueError):
        key = b""
    if len(key) != _KEY_SIZE:
        return BadRequest(f"The Sec-WebSocket-Key of a handshake must be {_KEY_SIZE} bytes in Base64.")
    return None


def _missing() -> HTTPError | None:
    """Return the error for a missing package; None if everything is installed."""
    if find_spec("wsproto") is None:
        return NotImplementedByServer("WebSockets over WSGI need wsproto: install `antiphon[websockets]`.")
    return None


class SocketEnded(BrokenPipeError):
    """The error that tells the server that a WebSocket has ended.

    There is no response to send, and the connection can be closed. All servers that expose their sockets treat it like
    a client that has left.
    """

    def __init__(self) -> None:
        super().__init__(EPIPE, "the connection was a WebSocket, which has ended")


class HandshakeHandler:
    """A handler of a single handshake. It returns a response only if the handshake doesn't open a conversation."""

    __slots__ = ("_handler", "_observation", "unfinished")

    def __init__(self, handler: Handler, observation: Observation | None) -> None:
        self.unfinished = handler.unfinished
        self._handler = handler
        self._observation = observation

    def _respond_on_thread(self, request: Request) -> Response | Message | Steps[Response]:
        """Handle a handshake; return the response, or the remaining steps, which raise SocketEnded after a
        conversation.
        """
        assert isinstance(request.head, WSGIHead)  # noqa: S101 - it was made for the environ
        record_read(request.head, "upgrade")  # for ``call_wsgi``, which doesn't see what is read from the new head
        head = request.head = WSGIHandshake(request.head.environ)
        if head.channel is not None:
            return self._respond(request, head, head.channel)
        # It goes on as a plain request, on this thread.
        head.blocks = True
        return self._handler._respond_on_thread(request)

    async def _respond(self, request: Request, head: WSGIHandshake, channel: "SocketChannel") -> Response:
        await ON_LOOP
        sockets = open_sockets()
        if sockets.count >= most_sockets(head.environ):
            head.channel, head.refusal = None, ServiceUnavailable("Too many WebSockets are open here.", retry_after=1)
            result = seen(self._handler._respond_on_loop(request))
            return result if isinstance(result, Response) else await result
        with sockets.one_more():
            result = self._handler._respond_to_handshake(request)
            response = result if isinstance(result, Response) else await result
            del result
            if not (isinstance(response, WebSocketResponse) and response.is_accepting):
                return await refusing(response)
            await self._hold(request, head, channel, response)
        raise SocketEnded

    async def _hold(
        self, request: Request, head: WSGIHandshake, channel: "SocketChannel", response: WebSocketResponse
    ) -> None:
        """Run a conversation to its end and close the connection."""
        self.unfinished.add(head)
        try:
            await converse(request, head, response, self._observation)
        finally:
            try:
                await channel.shut()
            finally:
                self.unfinished.discard(head)
                if self._observation is not None:
                    self._observation.sent()
