"""The way back to ASGI: a scope made from a request, and an ASGI application as a handler."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, MutableMapping
from typing import Any, Self

from antiphon.adapters.asgi import ASGIApplication, ASGIHead, Message, Scope
from antiphon.adapters.disconnect import ClientGone, DisconnectWatcher, stems_from_leaving
from antiphon.adapters.server_values import server_address
from antiphon.body.content import Content
from antiphon.handler.contract import describe, log_failure
from antiphon.http.errors import ClientDisconnected
from antiphon.http.head import Head, server_head
from antiphon.request.request import Request
from antiphon.response.response import Response


class HandOver:
    """Who gives a chunk waits until it was taken, or until the end. Several may give, one takes."""

    def __init__(self) -> None:
        self._chunk: bytes | None = None
        self._changed_hands = asyncio.Event()
        self._arrived = asyncio.Event()
        self._has_ended = False

    async def give(self, chunk: bytes) -> None:
        """Have a chunk taken; at the end it may not be."""
        while self._chunk is not None and not self._has_ended:
            await self._changed_hands.wait()
        if not self._has_ended:
            self._chunk = chunk
            self._changed_hands.clear()
            self._arrived.set()
            await self._changed_hands.wait()

    async def take(self) -> bytes | None:
        """The next chunk; None at the end."""
        while self._chunk is None and not self._has_ended:
            self._arrived.clear()
            await self._arrived.wait()
        chunk, self._chunk = self._chunk, None
        self._changed_hands.set()
        return chunk

    def end(self) -> None:
        """Nothing more is given; a chunk that is on its way can still be taken."""
        self._has_ended = True
        self._changed_hands.set()
        self._arrived.set()


GRACE = 5.0
"""Seconds. An application that was told of its end has them to clean up, before it is cancelled."""

_HONOURED_EXTENSIONS = ("tls",)
"""Those that only tell: no message has to be understood for them."""
_OF_THE_CODED = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Fields about a body as it was sent, which it is no longer when it was decoded."""
_OF_THE_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding"})
"""Fields about a connection, which is that of the server, not of the application (RFC 9110 §7.6.1)."""


def make_scope(request: Request, state: Mapping[str, Any] | None = None) -> Scope:
    """An HTTP scope (ASGI 3, HTTP specification 2.5) for a request that came over any interface.

    ``path`` is the whole path, of which ``root_path`` is the beginning. ``raw_path`` is left out where the server
    hides it. ``state`` is what the application's lifespan made, and is copied. The rest is a copy of the scope of an
    ASGI server, without the extensions that a server has to honour.
    """
    head = request.head
    scope = _copy_of_the_server_s(head)
    offered = scope.get("extensions") or {}
    scope |= {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": head.http_version,
        "method": head.method,
        "scheme": head.scheme,
        "path": head.root_path + head.path,
        "raw_path": head.raw_path,
        "query_string": head.query_string,
        "root_path": head.root_path,
        "headers": _fields(request),
        "client": (head.client.host, head.client.port or 0) if head.client else None,
        "server": scope.get("server") or server_address(head),
        "state": None if state is None else dict(state),
        "extensions": {name: offered[name] for name in offered if name in _HONOURED_EXTENSIONS},
    }
    for optional in ("raw_path", "state"):
        if scope[optional] is None:
            del scope[optional]
    return scope


def _copy_of_the_server_s(head: Head) -> Scope:
    given = server_head(head)
    return dict(given.scope) if isinstance(given, ASGIHead) else {}


def _fields(request: Request) -> list[tuple[bytes, bytes]]:
    """The header, with Host as the authority has it, which may come from HTTP/2 or a trusted proxy."""
    head, content = request.head, request.content
    sent = head.fields()
    if content.is_decoded:
        sent = [field for field in sent if field[0] not in _OF_THE_CODED]
        sent.append(("content-length", str(content.size)))
    fields = [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in sent]
    host, authority = head.field("host"), head.authority
    if host != authority and (host or head.http_version >= "2"):
        others = [field for field in fields if field[0] != b"host"]
        return [(b"host", authority.encode("latin-1", "replace")), *others]
    return fields


def from_asgi(
    application: ASGIApplication, state: Mapping[str, Any] | None = None, *, grace: float = GRACE
) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """A handler that answers by an ASGI application, which runs as a task of its own, with the body that is loaded.

    ``state`` is what its lifespan has made, or is going to make (``ASGILifespan.state``). A body in several messages is
    streamed, each sent when the one before was taken. When the client leaves, or the rest of the body is not wanted
    (HEAD), the application is told, and cancelled unless it ends within ``grace`` seconds. What it does after its
    response goes on behind that. One that waits for it is told, too, when the client leaves before the response began,
    where the server tells that; it goes on to its end, and ClientDisconnected is raised.

    Raises what the application raises, and RuntimeError when it doesn't keep to ASGI; the body's iterator does so once
    the response has begun. An application that has failed after a whole response leaves its error in
    ``response.error``.
    """

    async def handler(request: Request) -> Response:
        return await _Call(application, request, grace).response(request, make_scope(request, state))

    return handler


class _Call:
    """One call of an application: what it receives and sends. As an async iterator it gives the response's body."""

    _task: asyncio.Task[None]
    _head: Response | None = None
    _is_complete = False
    _is_left = False
    _error: BaseException | None = None

    def __init__(self, application: ASGIApplication, request: Request, grace: float) -> None:
        self._application = application
        self._request_body: Content | None = request.content
        self._offset = 0
        self._grace = grace
        self._begun: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._over = asyncio.Event()
        self._chunks = HandOver()
        self._departure = DisconnectWatcher(request.head, self._leave)

    async def response(self, request: Request, scope: Scope) -> Response:
        """Start the application, and wait for its response, at least until that begins."""
        self._task = asyncio.create_task(self._run(scope))
        try:
            response = await self._begun
        except BaseException:
            self._leave()
            self._task.cancel()
            await ended(self._task)
            if self._error is not None:
                log_failure(request, self._error)
            raise
        if self._error is not None or not self._task.done():
            response.error = self._error
            request.after(self._finish)
        return response

    async def _run(self, scope: Scope) -> None:
        try:
            await self._application(scope, self._receive, self._send)
            if not (self._is_complete or self._is_left):
                raise self._missing()
        except asyncio.CancelledError as error:
            if not (self._is_complete or self._is_left):
                self._fail(self._wrong("was cancelled before its response was complete", error))
        except BaseException as error:  # on a task's way out, SystemExit and KeyboardInterrupt would end the loop
            self._fail(error)
        finally:
            self._over.set()
            self._chunks.end()
            if not self._begun.done():
                self._begun.set_exception(ClientDisconnected("The client went away before it was answered."))
            await self._departure.stop()

    def _missing(self) -> RuntimeError:
        if self._head is None:
            return self._wrong("ended without a response: it has to send 'http.response.start' and a body")
        return self._wrong("ended before its response did: its last 'http.response.body' has to come without more_body")

    def _fail(self, error: BaseException) -> None:
        """Keep an error for whoever waits; what comes of telling the application that the client has left is none."""
        if self._is_left and stems_from_leaving(error):
            return
        if not self._begun.done():
            self._begun.set_exception(error)
        else:
            self._error = error

    async def _receive(self) -> Message:
        if self._request_body is not None and not self._over.is_set():
            body = self._request_body
            chunk = await body.aread_at(self._offset)
            self._offset += len(chunk)
            has_more = self._offset < body.size
            if not has_more:
                self._request_body = None
            return {"type": "http.request", "body": chunk, "more_body": has_more}
        if not self._begun.done():  # after that, whoever writes the response watches
            self._departure.watch()
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        kind = message.get("type")
        self._check_left()
        if self._is_complete:
            raise self._wrong(f"sent {kind!r} when its response was complete")
        if kind == "http.response.start":
            self._begin(message)
        elif kind == "http.response.body":
            await self._take(message)
        else:
            raise self._wrong(f"sent {kind!r}, which no extension in its scope offers")

    def _begin(self, message: Mapping[str, Any]) -> None:
        if self._head is not None:
            raise self._wrong("sent 'http.response.start' a second time")
        if message.get("trailers"):
            raise self._wrong("announced trailers, which no extension in its scope offers")
        try:
            self._head = _read_head(message)
        except (AttributeError, TypeError, ValueError) as error:
            raise self._wrong(f"began a response that can't be: {error}", error) from error

    async def _take(self, message: Mapping[str, Any]) -> None:
        response, chunk, more = self._head, message.get("body") or b"", message.get("more_body", False)
        if response is None:
            raise self._wrong("sent a body without 'http.response.start' before it")
        if not isinstance(chunk, bytes | bytearray | memoryview):
            raise self._wrong(f"sent a body that is not bytes, but {type(chunk).__name__}")
        if not self._begun.done():
            await self._departure.stop()
            self._check_left()
        if self._begun.done() or more:
            await self._stream(response, bytes(chunk))
        else:
            response.body = bytes(chunk)
        if not more:
            self._is_complete = True
            self._over.set()
            self._chunks.end()
            if not self._begun.done():
                self._begun.set_result(response)

    async def _stream(self, response: Response, chunk: bytes) -> None:
        if not self._begun.done():
            response.body = self
            self._begun.set_result(response)
        if chunk:
            await self._chunks.give(chunk)
        self._check_left()

    def _check_left(self) -> None:
        if self._is_left:
            raise ClientGone("the client has gone away")

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        chunk = await self._chunks.take()
        if chunk is None:
            if not self._is_complete:
                self._raise_error()
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        """Tell the application that nobody takes more of the body, if there is more, and wait until it has ended."""
        if not self._is_complete:
            self._leave()
            await ended(self._task, self._grace)

    def _leave(self) -> None:
        self._is_left = True
        self._over.set()
        self._chunks.end()

    async def _finish(self) -> None:
        """Wait for what the application does behind its response. Raises what nobody has been told yet."""
        await self.aclose()
        await ended(self._task)
        self._raise_error()

    def _raise_error(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _wrong(self, fault: str, cause: BaseException | None = None) -> RuntimeError:
        error = RuntimeError(f"the ASGI application {describe(self._application)} {fault}")
        error.__cause__ = cause
        return error


async def ended(task: "asyncio.Task[None]", grace: float | None = None) -> None:
    """Wait until a task has ended, whoever cancels meanwhile. It is cancelled after ``grace`` seconds, if that is
    not None, and whenever the wait is."""
    interrupted = None
    while not task.done():
        try:
            await asyncio.wait([task], timeout=grace)
        except asyncio.CancelledError as error:
            interrupted = error
        if not task.done():
            task.cancel()
        grace = None
    if interrupted is not None:
        raise interrupted


def _read_head(message: Mapping[str, Any]) -> Response:
    """The response without its body, its content type and length as they were sent, or not."""
    fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message.get("headers", ())]
    fields = [field for field in fields if field[0].lower() not in _OF_THE_CONNECTION]
    return Response(None, message.get("status", 0), fields)
