"""ASGI 3, the server's side: a scope, what ``receive`` gives and what ``send`` takes."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeAlias

from antiphon.http.url import unquote
from antiphon.testing.sent_request import SentRequest
from antiphon.testing.servers.answer import Answer
from antiphon.testing.servers.asgi_lifespan import ASGILifespan
from antiphon.testing.servers.asgi_messages import read_body, read_file, read_head
from antiphon.testing.servers.connection import Connection
from antiphon.testing.servers.exchange import Head
from antiphon.testing.servers.request_body import RequestBody
from antiphon.testing.servers.task_exchange import TaskExchange

Message: TypeAlias = MutableMapping[str, Any]
Scope: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApplication: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[object]]

VERSION = {"version": "3.0", "spec_version": "2.3"}
"""As uvicorn and granian have it. From 2.4 on ``send`` raises OSError when the client has left."""

PATHSEND = "http.response.pathsend"


class ASGITransport:
    """Plays an ASGI server. ``extra`` is added to each scope: with "extensions", pathsend can be offered."""

    def __init__(self, application: ASGIApplication, connection: Connection, extra: Mapping[str, object]) -> None:
        self._application = application
        self._connection = connection
        self._extra = extra
        self._lifespan = ASGILifespan(application, raise_errors=connection.raise_errors)

    def open(self, request: SentRequest) -> TaskExchange:
        """Call the application with a scope for this request."""
        scope = self._scope(self._connection.check(request))
        answer = Answer()
        body = RequestBody(request)
        call = ASGICall(body, scope, answer)
        return TaskExchange(
            lambda: self._application(scope, call.receive, call.send),
            answer,
            raise_errors=self._connection.raise_errors,
            ended=body.drop,
        )

    async def startup(self) -> None:
        """Run the lifespan's startup."""
        self._lifespan = ASGILifespan(self._application, raise_errors=self._connection.raise_errors)
        await self._lifespan.startup()

    async def shutdown(self) -> None:
        """Run the lifespan's shutdown."""
        await self._lifespan.shutdown()

    def _scope(self, request: SentRequest) -> Scope:
        connection = self._connection
        _, host, port = request.origin
        scope: Scope = {
            "type": "http",
            "asgi": VERSION.copy(),
            "http_version": request.http_version,
            "method": request.method,
            "scheme": request.scheme,
            "path": unquote(request.raw_path),
            "raw_path": request.raw_path.encode(),
            "query_string": request.raw_query.encode(),
            "root_path": connection.root_path,
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in request.headers.items()],
            "client": connection.client,
            "server": (host, port),
            "state": self._lifespan.state.copy(),
            "extensions": {},
        }
        return scope | dict(self._extra)


class ASGICall:
    """The two functions that an application gets with one request."""

    def __init__(self, body: RequestBody, scope: Scope, answer: Answer) -> None:
        self._body = body
        self._body_given = False
        self._answer = answer
        self._start: Head | None = None
        self._extensions: Mapping[str, object] = scope.get("extensions") or {}
        self._raises_when_gone = _version(scope) >= (2, 4)

    async def receive(self) -> Message:
        """The next chunk of the body.

        After the last one this waits until the client leaves or has everything.
        """
        answer, body = self._answer, self._body
        if not (self._body_given or answer.left or answer.complete):
            chunk = await body.next(answer)
            if not body.broken:
                self._body_given = body.complete
                return {"type": "http.request", "body": chunk, "more_body": not body.complete}
        await answer.until(lambda: answer.left or answer.complete or body.broken)
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take a message in the order of the specification. Raises ContractError for any other."""
        try:
            await self._take(message)
        except ValueError as error:
            raise self._answer.refuse(f"{error} (in the message {message!r:.300})") from error

    async def _take(self, message: Message) -> None:
        kind = message.get("type") if isinstance(message, Mapping) else None
        if self._answer.complete:
            raise ValueError("the response is complete already")
        if kind == "http.response.start":
            if self._start is not None:
                raise ValueError("the response has begun already")
            self._start = read_head(message)
        elif kind == "http.response.body":
            chunk, more = read_body(message)
            self._begin()
            await self._write(chunk, more)
        elif kind == PATHSEND and PATHSEND in self._extensions:
            chunks = read_file(message)
            self._begin()
            self._answer.finish(chunks)
        else:
            raise ValueError("no server takes this here")

    def _begin(self) -> None:
        """Let the head go out, which waits for the first message of the body."""
        if self._start is None:
            raise ValueError("the response has not begun")
        if self._answer.head is None:
            self._answer.start(self._start)

    async def _write(self, chunk: bytes, more: bool) -> None:
        answer = self._answer
        if answer.left and self._raises_when_gone:
            raise answer.refuse_gone(ConnectionResetError("the client has gone away"))
        if more:
            await answer.send(chunk)
        else:
            answer.finish([chunk])


def _version(scope: Scope) -> tuple[int, ...]:
    """The version of the HTTP specification that a scope declares."""
    return tuple(int(part) for part in scope["asgi"]["spec_version"].split("."))
