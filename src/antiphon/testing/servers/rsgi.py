"""RSGI 1.6, the server's side, as Granian plays it: a scope and a protocol object."""

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeAlias, TypeVar

from granian.rsgi import ProtocolClosed, ProtocolError  # type: ignore[attr-defined]  # not marked as exported

from antiphon.testing.sent_request import SentRequest
from antiphon.testing.servers.answer import Answer
from antiphon.testing.servers.checks import checked_head, file_chunks
from antiphon.testing.servers.connection import Connection
from antiphon.testing.servers.request_body import RequestBody
from antiphon.testing.servers.rsgi_scope import RSGIScope, make_scope
from antiphon.testing.servers.stopped_loop import StoppedLoop
from antiphon.testing.servers.task_exchange import TaskExchange

T = TypeVar("T")

RSGIApplication: TypeAlias = Callable[[RSGIScope, "RSGIProtocol"], Awaitable[object]]
Fields: TypeAlias = list[tuple[str, str]] | tuple[tuple[str, str], ...]


class RSGITransport:
    """Plays an RSGI server: calls ``__rsgi__`` where the application has it, and it itself otherwise."""

    def __init__(self, application: Any, connection: Connection) -> None:
        self._application = application
        self._call: RSGIApplication = getattr(application, "__rsgi__", application)
        self._connection = connection

    def open(self, request: SentRequest) -> TaskExchange:
        """Call the application with a scope and a protocol for this request."""
        scope = make_scope(request, self._connection)
        answer = Answer()
        protocol = RSGIProtocol(RequestBody(request), answer)
        return TaskExchange(
            lambda: self._call(scope, protocol),
            answer,
            raise_errors=self._connection.raise_errors,
            ended=protocol.ended,
        )

    async def startup(self) -> None:
        """Call ``__rsgi_init__``, if there is one."""
        await self._notify("__rsgi_init__")

    async def shutdown(self) -> None:
        """Call ``__rsgi_del__``, if there is one."""
        await self._notify("__rsgi_del__")

    async def _notify(self, name: str) -> None:
        """Call a method for which the loop must not run, with one that seems to stand still."""
        if (method := getattr(self._application, name, None)) is not None:
            await asyncio.to_thread(method, StoppedLoop(asyncio.get_running_loop()))


class RSGIProtocol:
    """What an application answers one request with. It must answer once."""

    def __init__(self, body: RequestBody, answer: Answer) -> None:
        self._body = body
        self._body_taken = False
        self._answer = answer
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[Any]] = set()

    # The request's body

    def __call__(self) -> "asyncio.Future[bytes]":
        """All of the body. Raises ProtocolClosed if it breaks off."""
        self._take_body()
        return self._future(self._read_all())

    def __aiter__(self) -> "RSGIProtocol":
        self._take_body()
        self._chunks_left = True
        return self

    def __anext__(self) -> "asyncio.Future[bytes]":
        """The next chunk; the last one is empty, and so is what comes of a body that breaks off."""
        if not self._chunks_left:
            raise StopAsyncIteration
        return self._future(self._next_chunk())

    def _take_body(self) -> None:
        if self._body_taken:
            raise ProtocolError("RSGI protocol error")
        self._body_taken = True

    async def _read_all(self) -> bytes:
        chunks = []
        while chunk := await self._body.next(self._answer):
            chunks.append(chunk)
        if self._body.broken:
            raise ProtocolClosed("RSGI transport is closed")
        return b"".join(chunks)

    async def _next_chunk(self) -> bytes:
        chunk = await self._body.next(self._answer)
        self._chunks_left = chunk != b""
        return chunk

    # The response

    def response_empty(self, status: int = 200, headers: Fields = ()) -> None:
        """Answer without a body."""
        self._respond(status, headers, ())

    def response_str(self, status: int = 200, headers: Fields = (), body: str = "") -> None:
        """Answer with text, as UTF-8."""
        self._respond(status, headers, [self._typed(body, str).encode()])

    def response_bytes(self, status: int = 200, headers: Fields = (), body: bytes = b"") -> None:
        """Answer with bytes."""
        self._respond(status, headers, [self._typed(body, bytes)])

    def response_file(self, status: int, headers: Fields, file: str) -> None:
        """Answer with a file, named by its path."""
        self._respond(status, headers, self._file(file))

    def response_file_range(self, status: int, headers: Fields, file: str, start: int, end: int) -> None:
        """Answer with the bytes of a file from ``start`` up to ``end``."""
        if start >= end:
            raise ValueError("Invalid range")
        self._respond(status, headers, self._file(file, start, end))

    def response_stream(self, status: int = 200, headers: Fields = ()) -> "RSGIStream":
        """Answer with what is sent to this transport, until nothing refers to it any more."""
        self._begin(status, headers)
        return RSGIStream(self._loop, self._answer)

    def client_disconnect(self) -> "asyncio.Future[None]":
        """A future that is done when the client has gone away before it had everything."""
        return self._future(self._answer.until(lambda: self._answer.left))

    def ended(self) -> None:
        """The application has ended, and with it a stream; what it still waits for is cancelled."""
        self._body.drop()
        for task in self._tasks:
            task.cancel()
        if self._answer.head is not None and not self._answer.complete:
            self._answer.finish()

    def _future(self, coroutine: Coroutine[Any, Any, T]) -> "asyncio.Future[T]":
        """A future, as Granian's awaitables are: it runs without being awaited, and is no coroutine."""
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _begin(self, status: int, headers: Fields) -> None:
        if self._answer.head is not None:
            raise self._answer.refuse("the application has answered already")
        try:
            self._answer.start(checked_head(status, map(_field, _checked_list(headers))))
        except ValueError as error:
            raise self._answer.refuse(f"{error} (in the response {status!r}, {headers!r:.300})") from error

    def _respond(self, status: int, headers: Fields, chunks: Iterable[bytes]) -> None:
        self._begin(status, headers)
        self._answer.finish(chunks)

    def _typed(self, body: T, kind: type[T]) -> T:
        if not isinstance(body, kind):
            raise self._answer.refuse(f"this body is {kind.__name__}, not {type(body).__name__}")
        return body

    def _file(self, path: str, start: int = 0, end: int | None = None) -> Iterable[bytes]:
        try:
            return file_chunks(self._typed(path, str), start, end)
        except OSError as error:
            raise self._answer.refuse(f"the file can't be sent: {error}") from error


class RSGIStream:
    """Takes the chunks of a response. Sending waits until the reader is no more than one chunk behind."""

    def __init__(self, loop: asyncio.AbstractEventLoop, answer: Answer) -> None:
        self._answer = answer
        weakref.finalize(self, _end, loop, answer).atexit = False

    async def send_bytes(self, data: bytes) -> None:
        """Send bytes. Raises ProtocolClosed when the client has gone away."""
        await self._send(data, bytes)

    async def send_str(self, data: str) -> None:
        """Send text, as UTF-8. Raises ProtocolClosed when the client has gone away."""
        await self._send(data, str)

    async def _send(self, data: bytes | str, kind: type) -> None:
        answer = self._answer
        if not isinstance(data, kind):
            raise answer.refuse(f"a chunk that is sent here is {kind.__name__}, not {type(data).__name__}")
        if not (answer.left or answer.complete):
            await answer.send(data.encode() if isinstance(data, str) else data)
        if answer.left or answer.complete:
            raise answer.refuse_gone(ProtocolClosed("RSGI transport is closed"))


def _end(loop: asyncio.AbstractEventLoop, answer: Answer) -> None:
    """End a response whose transport is gone; this may be called on any thread."""

    def finish() -> None:
        if not answer.complete:
            answer.finish()

    if not loop.is_closed():
        loop.call_soon_threadsafe(finish)


def _checked_list(headers: object) -> list[Any] | tuple[Any, ...]:
    if not isinstance(headers, list | tuple):
        raise ValueError(f"headers are a list, not {type(headers).__name__}")
    return headers


def _field(field: object) -> tuple[str, str]:
    """A header as the client gets it: Granian sends it as UTF-8, which is read as Latin-1."""
    match field:
        case (str(name), str(value)) if isinstance(field, tuple):
            return name, value.encode().decode("latin-1")
    raise ValueError(f"a header is a tuple of two str, not {field!r}")
