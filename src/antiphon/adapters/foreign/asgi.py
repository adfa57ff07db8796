"""An ASGI application as a handler. It is called with a scope for the request, and its messages become the response."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, MutableMapping
from typing import Any, Self

from antiphon.adapters.asgi import EARLY_HINT, ASGIApplication, ASGIHead, Message, Scope
from antiphon.adapters.disconnect import ClientGone, stems_from_disconnect
from antiphon.adapters.foreign import tell_around
from antiphon.adapters.heads import server_address
from antiphon.body.content import Content
from antiphon.concurrency.loop import wait_ended, yield_to_loop
from antiphon.explanations import explained
from antiphon.handler.callables import describe
from antiphon.handler.failures import log_failure
from antiphon.http.dates import Duration, seconds_of
from antiphon.http.errors import ClientDisconnected
from antiphon.http.head import server_head
from antiphon.http.limits import UNBOUNDED
from antiphon.request.request import Request
from antiphon.response.response import Response

_HONOURED_EXTENSIONS = ("tls",)
"""Extensions that are passed on unchanged: they only provide information and add no messages."""
_FRAMING_FIELDS = frozenset({"content-length", "transfer-encoding"})
_CODING_FIELDS = _FRAMING_FIELDS | {"content-encoding"}
"""Header fields that describe a body as it was sent, and are wrong once the body is decoded."""


def make_scope(request: Request, state: Mapping[str, Any] | None = None) -> Scope:
    """Return an HTTP scope (ASGI 3, HTTP specification 2.5) for a request.

    ``path`` is the full path, which begins with ``root_path``. ``raw_path`` is left out if the server hides it.
    ``state`` is copied. The rest is a copy of an ASGI server's scope, without the extensions that a server must
    support. Early hints are offered only if the server has an event loop and can send them: the application runs in its
    own task, and no WSGI server's thread waits for it.
    """
    head = request.head
    given = server_head(head)
    scope = dict(given.scope) if isinstance(given, ASGIHead) else {}
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
        "headers": _encoded_fields(request),
        "client": (head.client.host, head.client.port or 0) if head.client else None,
        "server": scope.get("server") or server_address(head),
        "state": None if state is None else dict(state),
        "extensions": {name: offered[name] for name in offered if name in _HONOURED_EXTENSIONS},
    }
    if head.takes_early_hints and not head.blocks:
        scope["extensions"][EARLY_HINT] = {}
    tell_around(request, scope)
    for optional in ("raw_path", "state"):
        if scope[optional] is None:
            del scope[optional]
    return scope


def _encoded_fields(request: Request) -> list[tuple[bytes, bytes]]:
    """Return the header fields. Host is the authority, which may come from HTTP/2 or a trusted proxy.

    They declare the length of a body that has been received: some applications, such as Django, read no other.
    """
    head, content = request.head, request.content
    sent = head.fields()
    if content.is_decoded or (content.is_complete and content.size and head.field("content-length") is None):
        no_longer = _CODING_FIELDS if content.is_decoded else _FRAMING_FIELDS
        sent = [field for field in sent if field[0] not in no_longer]
        sent.append(("content-length", str(content.size)))
    fields = [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in sent]
    host, authority = head.field("host"), head.authority
    if host != authority and (host or head.http_version >= "2"):
        others = [field for field in fields if field[0] != b"host"]
        return [(b"host", authority.encode("latin-1", "replace")), *others]
    return fields


GRACE = 5.0
"""The number of seconds that an application has to clean up before it is cancelled."""

_CONNECTION_FIELDS = frozenset({"connection", "keep-alive", "transfer-encoding"})
"""Header fields about a connection, which belongs to the server, not to the application (RFC 9110 §7.6.1)."""


def from_asgi(
    application: ASGIApplication, state: Mapping[str, Any] | None = None, *, grace: Duration = GRACE
) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """Return a handler that calls an ASGI application, which runs in its own task.

    The application receives the loaded body. If the body is not loaded, it receives the body itself, without a limit.

    ``state`` is the state of the application's lifespan (``ASGILifespan.state``), which may still be empty. A body sent
    as several messages is streamed: each ``send`` returns when its chunk has been consumed. When the client
    disconnects, or the rest of the body isn't needed (HEAD), the application receives a disconnect, and is cancelled
    unless it ends within ``grace``, in seconds or a timedelta. Its work after the response continues in the background.
    If the server reports disconnects, an application that is waiting in ``receive`` is also told of a disconnect before
    the response; it then runs to its end, and ClientDisconnected is raised. Raises the application's errors, and
    RuntimeError if it violates ASGI; once the response has started, the body's iterator raises these errors. If the
    application fails after a complete response, ``response.error`` is its error.
    """
    seconds = seconds_of(grace)

    async def handler(request: Request) -> Response:
        return await _ASGICall(application, request, seconds).response(request, make_scope(request, state))

    return handler


class _ASGICall:
    """One call to an application, with its ``receive`` and ``send``.

    As an async iterator, it is the response's body. It refers to the response only until it has returned it, and to an
    error only until it is raised, so nothing has to wait for the garbage collector.
    """

    _task: asyncio.Task[None]
    _response: Response | None = None
    _takes_hints = False
    _has_begun = False
    _is_complete = False
    _is_disconnected = False
    _error: BaseException | None = None

    def __init__(self, application: ASGIApplication, request: Request, grace: float) -> None:
        self._application = application
        self._request_body: Content | None = request.content
        self._is_loaded = request.content.is_complete or not request.head.has_body
        if not self._is_loaded:
            request.content.stream_as_sent()
        self._offset = 0
        self._grace = grace
        self._started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._over = asyncio.Event()
        self._chunks = Channel()
        self._lifetime = request.lifetime
        self._head = request.head
        self._withdraw: Callable[[], None] | None = None

    async def response(self, request: Request, scope: Scope) -> Response:
        """Start the application and return its response as soon as it has started."""
        self._takes_hints = EARLY_HINT in scope["extensions"]
        self._task = asyncio.create_task(self._run(scope))
        try:
            await self._started
        except BaseException:
            self._disconnect()
            self._task.cancel()
            await wait_ended(self._task)
            if self._error is not None:
                log_failure(request, self._error)
            raise
        # The response's body is this object: they must not refer to each other.
        response, self._response = self._response, None
        if response is None:
            self._raise_error()
            raise ClientDisconnected("The client disconnected before the response.")
        # Only for what is still to come: ``after_response`` makes a response take a slower way.
        if self._error is not None or not self._task.done():
            response.error = self._error
            request.after_response(self._finish)
        return response

    async def _run(self, scope: Scope) -> None:
        try:
            await self._application(scope, self._receive, self._send)
            if not (self._is_complete or self._is_disconnected):
                raise self._incomplete()
        except asyncio.CancelledError as error:
            if not (self._is_complete or self._is_disconnected):
                self._fail(self._fault("was cancelled before its response was complete", error))
        except BaseException as error:  # if raised by a task, SystemExit and KeyboardInterrupt would end the loop
            self._fail(error)
        finally:
            self._close()
            self._start(None)
            self._unwatch()

    def _incomplete(self) -> RuntimeError:
        if not self._has_begun:
            return self._fault("ended without a response: it has to send 'http.response.start' and a body")
        return self._fault("ended before its response did: its last 'http.response.body' must not set more_body")

    def _fail(self, error: BaseException) -> None:
        """Store an error for the waiting task, unless the application failed because of the disconnect."""
        if self._is_disconnected and stems_from_disconnect(error):
            return
        self._error = error

    async def _read(self, body: Content) -> tuple[bytes, bool]:
        """Return the next chunk of a loaded body, and True if there are more."""
        chunk = await body.aread_at(self._offset)
        self._offset += len(chunk)
        return chunk, self._offset < body.size

    async def _advance(self, body: Content) -> tuple[bytes, bool]:
        """Receive the next chunk of a body and return True if more may come."""
        return await body.aadvance(UNBOUNDED), not body.is_complete

    def _start(self, response: Response | None) -> None:
        """Pass the response to the waiting task, or None if there won't be one."""
        if not self._started.done():
            self._response = response
            self._started.set_result(None)

    async def _receive(self) -> Message:
        if self._request_body is not None and not self._over.is_set():
            body = self._request_body
            try:
                chunk, has_more = await (self._read(body) if self._is_loaded else self._advance(body))
            except ClientDisconnected:
                self._disconnect()
                return {"type": "http.disconnect"}
            if not has_more:
                self._request_body = None
            return {"type": "http.request", "body": chunk, "more_body": has_more}
        if not self._started.done():  # after that, the code that writes the response watches the client
            self._withdraw = self._withdraw or self._lifetime._on_disconnect(self._disconnect)
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        kind = message.get("type")
        self._check_connected()
        if self._is_complete:
            raise self._fault(f"sent {kind!r} after its response was complete")
        if kind == "http.response.start":
            self._take_head(message)
        elif kind == "http.response.body":
            await self._take_body(message)
        elif kind == EARLY_HINT and self._takes_hints:
            self._take_hints(message)
        else:
            raise self._fault(f"sent {kind!r}, which no extension in its scope offers")

    def _take_head(self, message: Mapping[str, Any]) -> None:
        if self._has_begun:
            raise self._fault("sent 'http.response.start' a second time")
        if message.get("trailers"):
            raise self._fault("announced trailers, which no extension in its scope offers")
        try:
            self._response = read_head(message)
        except (AttributeError, TypeError, ValueError) as error:
            raise self._fault(f"began an invalid response: {error}", error) from error
        self._has_begun = True

    def _take_hints(self, message: Mapping[str, Any]) -> None:
        """Pass on hints, unless the response has begun."""
        if self._has_begun:
            return
        try:
            self._head.send_early_hints([bytes(link).decode("latin-1") for link in message.get("links", ())])
        except (TypeError, ValueError) as error:
            raise self._fault(f"sent invalid early hints: {error}", error) from error

    async def _take_body(self, message: Mapping[str, Any]) -> None:
        chunk, has_more = message.get("body") or b"", message.get("more_body", False)
        if not self._has_begun:
            raise self._fault("sent a body without 'http.response.start' before it")
        if not isinstance(chunk, bytes | bytearray | memoryview):
            raise self._fault(f"sent a body of type {type(chunk).__name__}, but it must be bytes")
        response = None if self._started.done() else self._response
        if response is not None:
            self._unwatch()
            self._check_connected()
            response.body = self if has_more else bytes(chunk)
        if has_more or response is None:
            self._start(response)
            await self._stream(bytes(chunk))
        if not has_more:
            self._is_complete = True
            self._close()
            self._start(response)

    async def _stream(self, chunk: bytes) -> None:
        # An application that sends nothing but empty chunks must not keep the loop for itself.
        await (self._chunks.put(chunk) if chunk else yield_to_loop())
        self._check_connected()

    def _unwatch(self) -> None:
        withdraw, self._withdraw = self._withdraw, None  # it refers to this object
        if withdraw is not None:
            withdraw()

    def _check_connected(self) -> None:
        if self._is_disconnected:
            raise ClientGone("the client has gone away")

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        chunk = await self._chunks.get()
        if chunk is None:
            if not self._is_complete:
                self._raise_error()
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        """Tell the application that the rest of the body, if any, isn't needed, and wait until it has ended."""
        if not self._is_complete:
            self._disconnect()
            await wait_ended(self._task, self._grace)

    def _disconnect(self) -> None:
        self._is_disconnected = True
        self._close()

    def _close(self) -> None:
        """Return ``http.disconnect`` from every later ``receive`` and end the chunks."""
        # Both wake what waits: ``receive`` for a disconnect, ``send`` and the reader for a chunk.
        self._over.set()
        self._chunks.close()

    async def _finish(self) -> None:
        """Wait until the application's work after the response is done. Raises an error that has not been raised
        yet.
        """
        await self.aclose()
        await wait_ended(self._task)
        self._raise_error()

    def _raise_error(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            try:
                raise error
            finally:
                del error  # which refers to this frame

    def _fault(self, fault: str, cause: BaseException | None = None) -> RuntimeError:
        return application_fault(self._application, fault, cause)


def application_fault(application: ASGIApplication, fault: str, cause: BaseException | None = None) -> RuntimeError:
    """Return the error for an application that violates ASGI."""
    error = explained(
        "mounted-application-failed", f"the ASGI application {describe(application)} {fault}", RuntimeError
    )
    error.__cause__ = cause
    return error


def read_head(message: Mapping[str, Any]) -> Response:
    """Return the response without its body. It has a type and length only if the application sent them."""
    fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message.get("headers", ())]
    fields = [field for field in fields if field[0].lower() not in _CONNECTION_FIELDS]
    return Response(None, message.get("status", 0), fields)


class Channel:
    """An unbuffered channel of chunks between tasks on one loop: several tasks put chunks, one gets them."""

    def __init__(self) -> None:
        self._chunk: bytes | None = None
        self._emptied = asyncio.Event()
        self._filled = asyncio.Event()
        self._is_closed = False

    async def put(self, chunk: bytes) -> None:
        """Put a chunk and wait until it is taken or the channel is closed."""
        # Several tasks may send: the one that is woken first may fill it again.
        while self._chunk is not None and not self._is_closed:
            await self._emptied.wait()
        if not self._is_closed:
            self._chunk = chunk
            self._emptied.clear()
            self._filled.set()
            await self._emptied.wait()

    async def get(self) -> bytes | None:
        """Wait for the next chunk and take it. Return None once the channel is closed and empty."""
        while self._chunk is None and not self._is_closed:
            self._filled.clear()
            await self._filled.wait()
        chunk, self._chunk = self._chunk, None
        self._emptied.set()
        return chunk

    def close(self) -> None:
        """Accept no more chunks. A chunk that was already put can still be taken."""
        self._is_closed = True
        self._emptied.set()
        self._filled.set()
