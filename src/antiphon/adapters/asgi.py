"""ASGI (version 3): read a scope as a head, and handle a server's request with a handler."""

from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable, MutableMapping
from contextlib import suppress
from contextvars import copy_context
from types import CoroutineType, coroutine
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from antiphon.adapters.heads import (
    HeadMembers,
    HintedSend,
    LengthFields,
    address,
    fitting,
    http_version,
    netloc,
    raising,
)
from antiphon.concurrency.iterables import Suspended, begin_steps
from antiphon.concurrency.loop import running_loop, thread
from antiphon.handler.contract import Handler, finish
from antiphon.handler.drive import run_async
from antiphon.handler.scope import rest, set_current_request
from antiphon.http.errors import IncompleteBody
from antiphon.http.head import NOT_PLAIN, Address
from antiphon.http.headers import LineIndex, encode_fields, find_line, index_lines, section_size
from antiphon.http.reads import ADDRESS, EVERYTHING, HTTP_VERSION, QUERY, record_read, recorded
from antiphon.http.urls.path import one_host, split_target
from antiphon.http.urls.url import unquote
from antiphon.request.request import NO_BODY, Request, new_request
from antiphon.request.shared_caches import tell_shared_caches
from antiphon.response.fields import Fields, SharedFields
from antiphon.response.files import FileBody, is_at_hand
from antiphon.response.message import Stream, message_of
from antiphon.response.response import Response
from antiphon.speedups import accelerated

if TYPE_CHECKING:
    from asyncio import Future, Task

    from antiphon.adapters.exchange import Observation

Message: TypeAlias = dict[str, Any]
Scope: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApplication: TypeAlias = Callable[
    [Scope, Receive, Callable[[MutableMapping[str, Any]], Awaitable[None]]], Awaitable[object]
]

UNBOUNDED = "uvicorn.protocols.http.httptools_impl"
"""The module of the only known server that doesn't limit the header section. Its ``receive`` is a method of a class
there.
"""
_HYPERCORN = "asyncio.queues"
"""The module whose class has the ``receive`` of Hypercorn."""
PATHSEND = "http.response.pathsend"
"""The extension with which a server sends a file by path."""
EARLY_HINT = "http.response.early_hint"
"""The extension with which a server sends early hints."""

_NOT_PLAIN = frozenset(name.encode() for name in NOT_PLAIN)


async def send_nothing(_: Message) -> None:
    """Drop a message that should have preceded a response that has already begun."""


class ASGIHead(HeadMembers):
    """The head of a request, read from a scope, with the body from ``receive``.

    ``send`` sends the start of the response and drops messages that should have preceded it.
    """

    blocks = False
    root_path = ""
    """The scope's root_path."""
    _next: Receive | None
    """The function that returns the next message, once something waits for the disconnect."""
    _receiving: "Future[None] | bool" = False
    """True while the body is being received; a future if a task is waiting for its end."""
    _fields: LineIndex
    """The headers by name."""
    _hinted = 0
    """The number of bytes of early hints sent so far."""
    watch: "Task[None] | None"
    """The task that waits for the disconnect, once requested. For ``call_asgi``."""
    uncoded_length: int | None
    """The declared length of an uncoded body."""
    has_body: bool
    """False if neither a length nor a transfer coding is declared (RFC 9112 §6.3); unknown in HTTP/2 and 3."""

    def __init__(self, scope: Scope, receive: Receive, send: Send = send_nothing) -> None:
        self.scope = scope
        self._receive = receive
        self.send = send
        self.method: str = scope["method"]
        path: str = scope["path"]
        if not path or path[0] != "/":
            self.scope, path = _in_origin_form(scope)
        if root_path := scope.get("root_path"):
            self.root_path = root_path.rstrip("/")
            path = _below(path, self.root_path) or "/"
        self.path = path
        self._fields, self.host_line, is_framed, self.uncoded_length = index_lines(self.scope["headers"])
        self.has_body = is_framed or scope.get("http_version", "1.1") >= "2"
        self._next = None
        self._has_more = True  # reading a class's default would take three times as long
        self.watch = None

    @property
    def header_size(self) -> int:
        """The size of the header section."""
        return section_size(self.scope["headers"])

    @property
    def has_limited_size(self) -> bool:
        """False if the server is known not to limit header sections; other servers refuse large ones."""
        return server_module(self._receive) != UNBOUNDED

    @property
    def raw_path(self) -> bytes | None:
        """The scope's raw_path, minus any query, if the server provides it."""
        raw: bytes | None = self.scope.get("raw_path")
        return raw.partition(b"?")[0] if raw and raw.find(b"?") >= 0 else raw

    def plain_target(self) -> tuple[object, ...] | None:
        """Return a key for the URL, from the server's own values, or None."""
        host, scope = self.host_line, self.scope
        if self.has_body or not host or self.method != "GET":
            return None
        if not _NOT_PLAIN.isdisjoint([name for name, _ in scope["headers"]]):
            return None
        get = scope.get
        return host, scope["path"], get("raw_path"), get("query_string"), get("root_path"), get("scheme"), get("type")

    @property
    def query_string(self) -> bytes:
        """The scope's query_string."""
        record_read(self, QUERY)
        return self.scope.get("query_string") or b""

    @property
    def scheme(self) -> str:
        """The scope's scheme."""
        return self.scope.get("scheme") or "http"

    @property
    def authority(self) -> str:
        """The Host header, or the server's address."""
        host = find_line(self._fields, "host")
        if host:
            return host
        server = self.scope.get("server")
        return netloc(*server) if server and server[1] else "localhost"

    http_version = recorded("_version", HTTP_VERSION)

    @property
    def _version(self) -> str:
        return http_version(self.scope.get("http_version") or "1.1")

    @property
    def client(self) -> Address | None:
        """The scope's client."""
        record_read(self, ADDRESS)
        return address(*(self.scope.get("client") or (None, None)))

    def field(self, name: str) -> str | None:
        """Return a header's value, with several lines joined."""
        record_read(self, name)
        return find_line(self._fields, name)

    def fields(self) -> list[tuple[str, str]]:
        """Return every header."""
        record_read(self, EVERYTHING)
        return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self.scope["headers"]]

    def receive(self) -> bytes | Coroutine[Any, Any, bytes]:
        """Return the next bytes of the body if they have arrived, otherwise a coroutine. Both raise
        ClientDisconnected.
        """
        while self._has_more:
            waiting: Any = (self._next or self._receive)()
            # One step by hand, because most bodies have arrived: then there is no coroutine of ours.
            steps = waiting if type(waiting) is CoroutineType else _awaited(waiting)
            message = begin_steps(steps, Suspended)
            if type(message) is Suspended:
                return cast("Coroutine[Any, Any, bytes]", self._receive_rest(steps, message.effect))
            if chunk := self._take(message):
                return chunk
        return b""

    def _take(self, message: Any) -> bytes:
        """Return the bytes of a message, if any. Raises ClientDisconnected."""
        if message["type"] == "http.disconnect":
            raise IncompleteBody("The client disconnected while the body was being read.")
        self._has_more = message.get("more_body", False)
        chunk = message.get("body") or b""
        return chunk if type(chunk) is bytes else bytes(chunk)

    @coroutine
    def _receive_rest(self, steps: Coroutine[Any, Any, Message], effect: object) -> Generator[Any, Any, bytes]:
        """Wait for a message, whose steps have yielded ``effect``, and for further ones until one has bytes."""
        self._receiving = True
        try:
            chunk = self._take((yield from rest(steps, effect)))
            while self._has_more and not chunk:
                chunk = self._take((yield from (self._next or self._receive)().__await__()))
            return chunk
        finally:
            waiter, self._receiving = self._receiving, False
            if not isinstance(waiter, bool) and not waiter.done():
                waiter.set_result(None)

    @property
    def takes_early_hints(self) -> bool:
        """True if the scope contains the extension for early hints."""
        return EARLY_HINT in (self.scope.get("extensions") or ()) and self._version != "1.0"

    def send_early_hints(self, links: Iterable[str]) -> None:
        """Send links before the response, from the loop or from a thread that works for it."""
        fit, self._hinted = fitting(links, self._hinted)
        if not fit or not self.takes_early_hints:
            return
        message = {"type": EARLY_HINT, "links": [link.encode("latin-1") for link in fit]}
        if thread.loop is not None:
            with suppress(RuntimeError):  # the loop has been closed
                thread.loop.call_soon_threadsafe(self._hint, message)
        elif running_loop() is not None:
            self._hint(message)

    def _hint(self, message: Message) -> None:
        if self.send is send_nothing:
            return
        if not isinstance(self.send, HintedSend):
            self.send = HintedSend(self.send)
        self.send.hint(message)

    def begin(self, start: Message) -> Awaitable[None]:
        """Send the start of the response after all early hints. Later hints are dropped."""
        send, self.send = self.send, send_nothing
        return send(start)

    @property
    def is_body_left(self) -> bool:
        """True if more of the body may come and no code is receiving it."""
        return self.has_body and self._has_more and not self._receiving

    async def drop_body(self) -> None:
        """Receive and drop the rest of the body. A message after that means that the client has left."""
        # Others that wait for messages get a disconnect, not parts of a body that is dropped.
        receive, self._next = self._next or self._receive, _receive_disconnect
        while (await receive()).get("more_body"):
            pass

    def wait_disconnect(self) -> "Task[None]":
        """Return the task, shared by all callers, that waits until the client disconnects. It ends with the request.

        Earlier messages with the body are left to ``receive``. The server is asked once for all waiters: after a
        cancellation, Granian may treat a second call as a disconnect.
        """
        if self.watch is None:
            from asyncio import create_task

            context = copy_context()
            context.run(set_current_request, None)  # the request refers to this head, which refers to the task
            self.watch = create_task(self._waiting(), context=context)
        return self.watch

    def _waiting(self) -> Coroutine[Any, Any, None]:
        """Return the coroutine that waits. It isn't wrapped in another one, because every waiting request has one."""
        from asyncio import get_running_loop

        from antiphon.adapters.disconnect import BufferedMessages, wait_disconnect

        if not (self._receiving or (self._has_more and self.has_body)):  # no code reads a body
            return wait_disconnect(self._receive)
        messages = BufferedMessages(self._receive)
        # Before the task begins: from now on, the body is read from there.
        self._next = messages.next
        if not self._receiving:
            return messages.wait_disconnect()
        # A task continues to read while the response is written.
        self._receiving = received = get_running_loop().create_future()
        return messages.wait_disconnect(received)


_read_head = accelerated(ASGIHead)
"""The class, or the function in C that makes an instance of it in one pass."""


async def _awaited(waiting: Awaitable[Message]) -> Message:
    return await waiting


async def _receive_disconnect() -> Message:
    return {"type": "http.disconnect"}


def may_send_unbounded_header(receive: Receive) -> bool:
    """Return True if this may be the server without a limit for header sections.

    During the lifespan, only the package is known.
    """
    return server_module(receive).partition(".")[0] == UNBOUNDED.partition(".")[0]


def server_module(receive: Receive) -> str:
    """Return the name of the module whose class has the ``receive`` method; "builtins" for a plain function."""
    return type(getattr(receive, "__self__", None)).__module__


def _below(path: str, root_path: str) -> str:
    """Return a path without the root path, or the whole path if it isn't below the root path."""
    rest = path.removeprefix(root_path)
    return rest if not rest or rest.startswith("/") else path


def _in_origin_form(scope: Scope) -> tuple[Scope, str]:
    """Return the scope of a target in origin form, with Host from the target, and the decoded path.

    Some servers pass on a target that is a full URL unchanged. Its host must be extracted before it is decoded. In
    HTTP/2, a path must not be a URL (RFC 9113 §8.3.1), so it is kept and later refused.
    """
    path: str = scope["path"]
    if path and scope.get("http_version", "1.1") >= "2":
        return scope, path
    raw: bytes | None = scope.get("raw_path")
    parts = split_target(raw.decode("latin-1") if raw else path)
    if parts is None:
        return scope, path or "/"
    authority, sent = parts
    hosts = b",".join([value for name, value in scope["headers"] if name == b"host"])
    host = one_host(authority, hosts.decode("latin-1")).encode("latin-1", "replace")
    headers = [(b"host", host), *(field for field in scope["headers"] if field[0] != b"host")]
    raw_path = sent.encode("latin-1") if raw else None
    path = unquote(raw_path) if raw_path else sent
    return {**scope, "path": path, "raw_path": raw_path, "headers": headers}, path


class ObservedSend:
    """A ``send`` that passes messages to a server, and records in an observation those that the server has accepted."""

    __slots__ = ("_observation", "_send")

    def __init__(self, send: Send, observation: "Observation") -> None:
        self._send = send
        self._observation = observation

    async def __call__(self, message: Message) -> None:
        observation, kind = self._observation, message["type"]
        if kind == "http.response.start":
            # Before the send, which may fail: the log shows what would have been sent.
            observation.send_head(message["status"], message.get("headers", ()))
        try:
            await self._send(message)
        # Servers report a client that has left by an OSError.
        except OSError:
            observation.disconnected()
            raise
        if kind == "http.response.body":
            # After the send: only what the server has accepted is counted.
            observation.send_chunk(len(message.get("body", b"")))
            if not message.get("more_body", False):
                observation.sent()
        elif kind == PATHSEND:
            observation.send_file()
            observation.sent()

    async def send_both(self, start: Message, last: Message) -> None:
        """Send both messages of an in-memory response."""
        observation, send = self._observation, self._send
        observation.send_head(start["status"], start["headers"])
        try:
            await send(start)
            await send(last)
        except OSError:
            observation.disconnected()
            raise
        observation.send_whole(len(last["body"]))


async def call_asgi(handler: Handler, scope: Scope, receive: Receive, send: Send) -> None:
    """Handle a request from an ASGI server with a handler."""
    head = _read_head(scope, receive, send)
    request = new_request(head, NO_BODY)
    is_unfinished = False
    try:
        result = handler._respond_on_loop(request)
        if type(result) is not tuple:  # faster than ``isinstance`` for a response
            response = result if isinstance(result, Response) else await result  # type: ignore[misc]
            result = message_of(response._body, response._fields, response._status, head.method)  # noqa: SLF001
            if response.error is not None:
                send = raising(head, send, response.error)
            del response  # an error raised below refers to this frame, and its response to the error
        status, fields, length, body, is_silent, may_be_stored = result
        if may_be_stored:
            fields = tell_shared_caches(request, fields)
        headers = [*fields.encoded] if type(fields) is SharedFields else encode_fields(fields)
        if length is not None:
            headers.append(_LENGTHS[length])
        start = {"type": "http.response.start", "status": status, "headers": headers}
        if request._deferred or type(body) is not bytes:
            is_unfinished = True
            # The shutdown waits for it; a response in memory needs no more than the two sends.
            handler.unfinished.add(head)
            if not isinstance(body, bytes):
                await _send_stream(head, request, body, start, send, is_silent, fields)
                return
        begin, head.send = head.send, send_nothing  # as in `begin`, but without a call
        last = {"type": "http.response.body", "body": b"" if is_silent else body}
        if head.has_body and head._has_more:  # noqa: SLF001 - of a class here
            await begin(start)
            await _send_last(head, request, send, last)
        elif type(begin) is ObservedSend:
            observed: Any = begin
            await observed.send_both(start, last)
        else:
            await begin(start)
            await send(last)
    finally:
        try:
            if request._deferred:
                await run_async(finish(request), request=request)
        finally:
            request._crossing = None  # its context refers to the request
            if is_unfinished:
                handler.unfinished.discard(head)
            if head.watch is not None:
                # Its client may stay connected for the next request.
                head.watch.cancel()


_LENGTHS = LengthFields(lambda length: (b"content-length", b"%d" % length))


def _can_send_path(scope: Scope, request: Request, body: FileBody) -> bool:
    """Return True if the server can send a file by path and no ``after_response`` function can remove it first."""
    offered = PATHSEND in (scope.get("extensions") or ())
    return offered and not request._deferred and not body.offset and body.size_by_path() == body.length


async def _send_stream(
    head: ASGIHead, request: Request, body: Stream, start: Message, send: Send, is_silent: bool, fields: Fields
) -> None:
    """Send a response whose body is a file or a stream; a file is sent by path if the server supports that."""
    if type(body) is FileBody and not is_silent and _can_send_path(head.scope, request, body):
        await head.begin(start)
        await _send_last(head, request, send, {"type": PATHSEND, "path": body.path})
        return
    from antiphon.adapters.streaming import read_small_file, write_chunks

    if not is_silent and (content := await read_small_file(request, body, fields)) is not None:
        await head.begin(start)
        await _send_last(head, request, send, {"type": "http.response.body", "body": content})
        return

    async def send_head() -> Send:
        await head.begin(start)
        if not (is_silent or is_at_hand(body)):  # servers hold back the head until there is a body
            await send({"type": "http.response.body", "body": b"", "more_body": True})
        return send

    if await write_chunks(request, body, send_head, is_silent, fields):
        await _send_last(head, request, send, {"type": "http.response.body", "body": b""})


def _send_last(head: ASGIHead, request: Request, send: Send, message: Message) -> Awaitable[None]:
    return _send_without_body(head, request, send, message) if head.is_body_left else send(message)


async def _send_without_body(head: ASGIHead, request: Request, send: Send, message: Message) -> None:
    """Send the last message while no code receives the body: Hypercorn waits for space in its body queue, and ends the
    connection with the response, so there, the rest of a refused body is received before that end.
    """
    from asyncio import create_task

    if request.content.discard in request._deferred:
        if server_module(head._receive) != _HYPERCORN:  # noqa: SLF001 - of a class here
            await send(message)
            return
        await send({**message, "more_body": True})
        await request.content.discard()
        message = {"type": "http.response.body", "body": b""}
    dropping = create_task(head.drop_body())
    try:
        await send(message)
    finally:
        dropping.cancel()
