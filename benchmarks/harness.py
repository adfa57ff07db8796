"""Plays a server's part, WSGI or ASGI, for an application in this process, and times its answers.

The requests of a batch are made before its clock starts, so nobody pays for making an environ or a scope.
Each is a fresh copy, which the application may change. Releasing it, with all that hangs on it, is in
everybody's time, as is garbage collection, which stays on.

The time is CPU time, user and system, of the whole process: handlers may run on other threads, and what other
programs take of the machine is nobody's.
"""

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable, Mapping
from io import BytesIO
from time import process_time_ns
from typing import Any, Protocol
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from .cases import Case, WrongAnswerError

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApplication = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

Clock = Callable[[], int]
"""Nanoseconds of CPU time; it is looked at right before and right after what is measured, and nowhere else."""

BATCH = 50
ASGI_VERSION = {"version": "3.0", "spec_version": "2.5"}


class Server(Protocol):
    """What serves one application."""

    def verify(self, case: Case) -> None:
        """Send the case's request once; raise WrongAnswerError unless the answer is right."""

    def sample(self, case: Case, calls: int) -> float:
        """Microseconds of CPU time a request, over `calls` requests, which is a multiple of BATCH."""

    def close(self) -> None:
        """Stop the application."""


class WsgiServer:
    """Serves a WSGI application."""

    def __init__(self, app: WSGIApplication, clock: Clock = process_time_ns) -> None:
        self.app = app
        self.clock = clock

    def verify(self, case: Case) -> None:
        started: list[tuple[str, list[tuple[str, str]]]] = []
        chunks = self.app(fresh_environ(environ_of(case), case.body), starter(started))
        body = b"".join(chunks)
        if hasattr(chunks, "close"):
            chunks.close()
        ((status, headers),) = started
        case.check(int(status[:3]), [(name.lower(), value) for name, value in headers], body)

    def sample(self, case: Case, calls: int) -> float:
        template = environ_of(case)
        elapsed = 0
        for _ in range(calls // BATCH):
            started: list[tuple[str, list[tuple[str, str]]]] = []
            environs = [fresh_environ(template, case.body) for _ in range(BATCH)]
            elapsed += self.timed(environs, starter(started))
            expect_statuses([int(status[:3]) for status, _ in started], case)
        return elapsed / calls / 1000

    def timed(self, environs: list[WSGIEnvironment], start_response: StartResponse) -> int:
        """Answer every request of the list, emptying it, and return the nanoseconds of CPU time that took."""
        app, clock = self.app, self.clock
        start = clock()
        while environs:
            chunks = app(environs.pop(), start_response)
            b"".join(chunks)
            if hasattr(chunks, "close"):
                chunks.close()
        return clock() - start

    def close(self) -> None:
        """WSGI applications are not told that their server stops."""


class AsgiServer:
    """Serves an ASGI application on a loop, between the lifespan's startup and shutdown."""

    def __init__(
        self,
        app: ASGIApplication,
        loop: asyncio.AbstractEventLoop,
        clock: Clock = process_time_ns,
        exchange: "type[Exchange] | None" = None,
    ) -> None:
        self.app = app
        self.exchange = exchange or Exchange
        self.clock = clock
        self.loop = loop
        self.lifespan = Lifespan(app)
        loop.run_until_complete(self.lifespan.tell("startup"))

    def verify(self, case: Case) -> None:
        exchange = self.exchange(scope_of(case), case.body, [])
        answered = exchange.answered
        self.loop.run_until_complete(self.timed([exchange]))
        (start,) = exchange.started
        headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in start["headers"]]
        case.check(start["status"], headers, b"".join(message.get("body", b"") for message in answered))

    def sample(self, case: Case, calls: int) -> float:
        return self.loop.run_until_complete(self.sampled(case, calls))

    async def sampled(self, case: Case, calls: int) -> float:
        template = scope_of(case)
        elapsed = 0
        for _ in range(calls // BATCH):
            started: list[Message] = []
            elapsed += await self.timed([self.exchange(template, case.body, started) for _ in range(BATCH)])
            expect_statuses([message["status"] for message in started], case)
        return elapsed / calls / 1000

    async def timed(self, exchanges: list["Exchange"]) -> int:
        """Answer every request of the list, emptying it, and return the nanoseconds of CPU time that took."""
        app, clock = self.app, self.clock
        start = clock()
        while exchanges:
            exchange = exchanges.pop()
            await app(exchange.scope, exchange.receive, exchange.send)
        return clock() - start

    def close(self) -> None:
        self.loop.run_until_complete(self.lifespan.tell("shutdown"))


class Exchange:
    """One request over ASGI, from a client that stays; how the answer starts is appended to `started`.

    Its body is let go of with the exchange, as a server lets go of what it has written.
    """

    __slots__ = ("answered", "body", "delivered", "scope", "started")

    def __init__(self, template: Mapping[str, Any], body: bytes, started: list[Message]) -> None:
        self.scope = {**template, "asgi": dict(ASGI_VERSION), "headers": list(template["headers"]), "state": {}}
        self.body = body
        self.started = started
        self.answered: list[Message] = []
        self.delivered = False

    async def receive(self) -> Message:
        if self.delivered:
            await asyncio.get_running_loop().create_future()
        self.delivered = True
        return {"type": "http.request", "body": self.body, "more_body": False}

    async def send(self, message: Message) -> None:
        (self.started if "status" in message else self.answered).append(message)


class Lifespan:
    """Tells an application of startup and shutdown; one that ends at once does not want to know."""

    def __init__(self, app: ASGIApplication) -> None:
        self.app = app
        self.task: asyncio.Future[None] | None = None
        self.events: asyncio.Queue[Message] = asyncio.Queue()
        self.replies: asyncio.Queue[Message] = asyncio.Queue()

    async def tell(self, event: str) -> None:
        if self.task is None:
            scope = {"type": "lifespan", "asgi": dict(ASGI_VERSION), "state": {}}
            self.task = asyncio.ensure_future(self.app(scope, self.events.get, self.replies.put))
        await self.events.put({"type": f"lifespan.{event}"})
        reply = asyncio.ensure_future(self.replies.get())
        waiting: set[asyncio.Future[Any]] = {self.task, reply}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if not reply.done():
            reply.cancel()
            self.task.exception()
        elif reply.result()["type"] != f"lifespan.{event}.complete":
            raise RuntimeError(f"{event} failed: {reply.result()}")


def starter(started: list[tuple[str, list[tuple[str, str]]]]) -> StartResponse:
    """A start_response that notes status and headers."""

    def start_response(
        status: str, headers: list[tuple[str, str]], _exc_info: object = None, /
    ) -> Callable[[bytes], object]:
        started.append((status, headers))
        return refuse_write

    return start_response


def refuse_write(_data: bytes) -> None:
    raise NotImplementedError("applications here return their body")


def expect_statuses(statuses: list[int], case: Case) -> None:
    if statuses != [case.status] * BATCH:
        raise WrongAnswerError(f"{case.name}: while timed, the statuses were {set(statuses)}")


def environ_of(case: Case) -> WSGIEnvironment:
    """All of a request's environ but its `wsgi.input`."""
    fields = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in case.headers.items()}
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if value := fields.pop(f"HTTP_{name}", None):
            fields[name] = value
    return {
        "REQUEST_METHOD": case.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": case.path.encode().decode("latin-1"),
        "QUERY_STRING": case.query,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "shop.example.com",
        "SERVER_PORT": "443",
        "REMOTE_ADDR": "192.0.2.7",
        "REMOTE_PORT": "51234",
        **fields,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def fresh_environ(template: WSGIEnvironment, body: bytes) -> WSGIEnvironment:
    return {**template, "wsgi.input": BytesIO(body)}


def scope_of(case: Case) -> dict[str, Any]:
    """All of a request's scope that an application cannot change."""
    return {
        "type": "http",
        "http_version": "1.1",
        "method": case.method,
        "scheme": "https",
        "path": case.path,
        "raw_path": case.path.encode(),
        "query_string": case.query.encode(),
        "root_path": "",
        "headers": tuple((name.encode(), value.encode("latin-1")) for name, value in case.headers.items()),
        "client": ("192.0.2.7", 51234),
        "server": ("192.0.2.1", 443),
    }


def compare(servers: Mapping[str, Server], case: Case, rounds: int, calls: int) -> dict[str, float]:
    """Microseconds of CPU time a request by name: the least of `rounds` samples, taken by turns."""
    for server in servers.values():
        server.verify(case)
        server.sample(case, BATCH)
    gc.collect()
    gc.freeze()
    best = dict.fromkeys(servers, float("inf"))
    for _ in range(rounds):
        for name, server in servers.items():
            best[name] = min(best[name], server.sample(case, calls))
    return best
