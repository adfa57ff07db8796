"""`python -m scripts.trace`: the files and functions of Antiphon that one request passes, in the order of first calls.

Each request is asked for several times before it is traced: what is imported, planned or kept by then is not in the way
any more. Of several traces the shortest counts, without what a timer happens to call. `--functions` names the
functions, too.
"""

import asyncio
import sys
from argparse import ArgumentParser
from collections.abc import AsyncIterator, Callable, Iterator
from io import BytesIO
from itertools import count
from pathlib import Path
from threading import setprofile
from types import CodeType, FrameType
from typing import Any, NamedTuple

import antiphon
from antiphon import App, Request, Response, WebSocket
from antiphon.features import Cache, CookieStore, MemoryStore, OpenAPI, Sessions, Tools

PACKAGE = Path(antiphon.__file__).parent
WARM_UP = 3
TRACES = 5
Exchange = Callable[[], object]


class Passed(NamedTuple):
    """A function that was called, and its file in the package."""

    file: str
    function: str


def traced(exchange: Exchange) -> list[Passed]:
    """Return the functions of the package that are called in an exchange, each once. Any thread may call them."""
    for _ in range(WARM_UP):
        exchange()
    return min((called_in(exchange) for _ in range(TRACES)), key=len)


def called_in(exchange: Exchange) -> list[Passed]:
    """Return the functions of the package that are called in this exchange."""
    codes: dict[CodeType, None] = {}

    def look(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            codes[frame.f_code] = None

    setprofile(look)
    sys.setprofile(look)
    try:
        exchange()
    finally:
        sys.setprofile(None)
        setprofile(None)
    inline = {"<listcomp>", "<dictcomp>", "<setcomp>"}  # no calls since Python 3.12
    called = [(Path(code.co_filename), code.co_qualname) for code in codes if code.co_name not in inline]
    passed = [
        Passed(file.relative_to(PACKAGE).as_posix(), name) for file, name in called if file.is_relative_to(PACKAGE)
    ]
    return [*dict.fromkeys(passed)]


def over_wsgi(application: Any) -> Exchange:
    """Return an exchange with a WSGI application: a GET of `/`."""
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": "/", "SCRIPT_NAME": "", "QUERY_STRING": "", "HTTP_HOST": "example.com",
        "SERVER_NAME": "example.com", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(), "wsgi.errors": sys.stderr, "wsgi.multithread": True,
    }  # fmt: skip

    def exchange() -> None:
        chunks = application(dict(environ), expect_success)
        b"".join(chunks)
        getattr(chunks, "close", list)()

    return exchange


def over_asgi(
    application: Any,
    runner: asyncio.Runner,
    *headers: tuple[bytes, bytes],
    path: str = "/",
    body: bytes = b"",
    query: Callable[[], bytes] = bytes,
) -> Exchange:
    """Return an exchange with an ASGI application, on the loop of a runner: a GET of `/`, or a POST of the body."""
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST" if body else "GET",
        "scheme": "https", "path": path, "raw_path": path.encode(), "root_path": "", "client": None, "server": None,
        "headers": [(b"host", b"example.com"), *headers],
    }  # fmt: skip
    runner.run(started(application))

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            expect_success(str(message["status"]))

    def exchange() -> None:
        arriving = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            if not arriving:
                await asyncio.Event().wait()  # the client stays
            return arriving.pop()

        runner.run(application({**scope, "query_string": query()}, receive, send))

    return exchange


def over_socket(application: Any, runner: asyncio.Runner) -> Exchange:
    """Return an exchange with an ASGI application: a WebSocket at `/`, one message and its echo, and the end."""
    scope = {
        "type": "websocket", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "wss", "path": "/",
        "raw_path": b"/", "query_string": b"", "root_path": "", "client": None, "server": None, "subprotocols": [],
        "headers": [(b"host", b"example.com"), (b"upgrade", b"websocket"), (b"connection", b"upgrade")],
    }  # fmt: skip
    runner.run(started(application))

    def exchange() -> None:
        arriving: Iterator[dict[str, Any]] = iter([
            {"type": "websocket.connect"},
            {"type": "websocket.receive", "text": "hello"},
            {"type": "websocket.disconnect", "code": 1000, "reason": ""},
        ])  # fmt: skip
        sent: list[str] = []

        async def receive() -> dict[str, Any]:
            return next(arriving)

        async def send(message: dict[str, Any]) -> None:
            sent.append(message["type"])

        runner.run(application(dict(scope), receive, send))
        if sent != ["websocket.accept", "websocket.send"]:
            raise RuntimeError(f"a WebSocket was answered by {sent}")

    return exchange


async def started(application: Any) -> None:
    """Start an ASGI application, as a server does before the first request."""
    messages = iter([{"type": "lifespan.startup"}])

    async def receive() -> dict[str, str]:
        return next(messages, {}) or await asyncio.Event().wait()  # type: ignore[return-value]  # it waits for ever

    is_started = asyncio.Event()

    async def send(_: dict[str, Any]) -> None:
        is_started.set()

    lifespan = asyncio.ensure_future(application({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send))
    await is_started.wait()
    running.add(lifespan)


running: set[asyncio.Future[object]] = set()
"""The lifespans that go on until the loop is closed."""


def expect_success(status: str, *_: object) -> None:
    """Raise RuntimeError for another status than 200."""
    if not status.startswith("200"):
        raise RuntimeError(f"a request was answered by {status}")


def hello(is_async: bool) -> App:
    """Return an application that answers a constant text."""
    app = App()
    if is_async:

        @app.get("/")
        async def hello_async(_request: Request) -> str:
            return "Hello, world!"

    else:

        @app.get("/")
        def hello(_request: Request) -> str:
            return "Hello, world!"

    return app


def echo() -> App:
    """Return an application that sends the messages of a WebSocket back."""
    app = App()

    @app.websocket("/")
    async def echo(_request: Request, socket: WebSocket) -> None:
        async for message in socket:
            await socket.send(message)

    return app


def with_session() -> App:
    """Return an application that counts a session's requests."""
    app = App(secret_keys=["a key of 32 characters, and more"])
    app.use(Sessions(CookieStore(app.secret_keys)))

    @app.get("/")
    async def count(request: Request) -> str:
        request.session["count"] = request.session.get("count", 0) + 1
        return "counted"

    return app


def with_tool() -> App:
    """Return an application whose route is a tool for language models."""
    app = App(store=MemoryStore())
    api = OpenAPI("Lamps")
    app.use(api)
    app.use(Tools(api))

    @app.get("/lamps/<name>", tool=True)
    async def show_lamp(_request: Request, name: str) -> dict[str, str]:
        return {"name": name}

    return app


CALL = (
    b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call",'
    b' "params": {"name": "show_lamp", "arguments": {"name": "Globe"}}}'
)


def with_cached_stream() -> App:
    """Return an application whose stream is kept by its cache."""
    app = App(store=MemoryStore())
    app.use(Cache())

    async def lines() -> AsyncIterator[str]:
        yield "a line"

    @app.get("/")
    async def stream(_request: Request) -> Response:
        response = Response.stream(lines())
        response.cache_for(3600, public=True)
        return response

    return app


def flask_hello() -> Any:
    """Return an application in Flask's dialect that answers a constant text."""
    from antiphon.dialects.flask import Flask

    app = Flask("hello")

    @app.route("/")
    def hello() -> str:
        return "Hello, world!"

    return app


def exchanges(runner: asyncio.Runner) -> Iterator[tuple[str, Exchange]]:
    """Yield what is traced, with its title."""
    yield "hello over ASGI", over_asgi(hello(is_async=True), runner)
    yield "hello over WSGI", over_wsgi(hello(is_async=False))
    yield "a session read and written over ASGI", over_asgi(with_session(), runner)
    yield "a WebSocket's message over ASGI", over_socket(echo(), runner)
    yield "hello in Flask's dialect over WSGI", over_wsgi(flask_hello())
    fields = (b"content-type", b"application/json"), (b"content-length", b"%d" % len(CALL))
    yield "a tool's call over ASGI", over_asgi(with_tool(), runner, *fields, path="/mcp", body=CALL)
    numbers = count()  # each URL has an entry of its own, which is new
    into_cache = over_asgi(with_cached_stream(), runner, query=lambda: b"%d" % next(numbers))
    yield "a stream into the cache over ASGI", into_cache


def traces() -> Iterator[tuple[str, list[Passed]]]:
    """Yield each title with the functions that its request has passed."""
    with asyncio.Runner() as runner:
        for title, exchange in exchanges(runner):
            yield title, traced(exchange)


def main() -> None:
    """Print the files that each request passes, and how many functions of each."""
    parser = ArgumentParser(prog="python -m scripts.trace", description=__doc__)
    parser.add_argument("--functions", action="store_true", help="name the functions")
    options = parser.parse_args()
    for title, passed in traces():
        files = list(dict.fromkeys(each.file for each in passed))
        print(f"{title}: {len(files)} files, {len(passed)} functions")
        for file in files:
            functions = [each.function for each in passed if each.file == file]
            print(f"  {file} {', '.join(functions) if options.functions else len(functions)}")


if __name__ == "__main__":
    main()
