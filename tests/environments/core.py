"""What is left of the package, such as the core alone: all of it is imported, and the core works.

python -m tests.environments.core

It imports nothing but the package and the standard library.
"""

import asyncio
import io
import pkgutil
import sys
from importlib import import_module

import antiphon
from antiphon import App, Request, Response, WebSocket

app = App()


@app.get("/")
def hello(request: Request) -> str:
    return "Hello"


@app.post("/form")
async def form(request: Request) -> dict[str, str]:
    return {"name": request.form["name"]}


@app.get("/stream")
async def stream(request: Request) -> Response:
    async def source():
        yield "one"
        yield "two"

    return Response.events(source())


@app.websocket("/echo")
async def echo(request: Request, socket: WebSocket) -> None:
    async for message in socket:
        await socket.send(message)


HOST = (b"host", b"localhost")
FORM = [HOST, (b"content-type", b"application/x-www-form-urlencoded"), (b"content-length", b"8")]
RESPONSES = [
    (("GET", "/", [HOST], b""), b"Hello"),
    (("POST", "/form", FORM, b"name=Ann"), b'{"name":"Ann"}'),
    (("GET", "/stream", [HOST], b""), b"data: one\n\ndata: two\n\n"),
]


async def over_asgi(scope, *messages):
    """Return what the application sends."""
    left, sent = [*messages], []
    later = asyncio.Event()

    async def receive():
        if not left:
            await later.wait()
        return left.pop(0)

    async def send(message):
        sent.append(message)

    shared = {"query_string": b"", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http"}
    await app({**shared, **scope}, receive, send)
    return sent


async def body_over_asgi(method, path, headers, body):
    scope = {"type": "http", "method": method, "path": path, "headers": headers}
    sent = await over_asgi(scope, {"type": "http.request", "body": body})
    return b"".join(message.get("body", b"") for message in sent)


def body_over_wsgi(method, path, headers, body):
    fields = {name.decode().upper().replace("-", "_"): value.decode() for name, value in headers}
    fields["HTTP_HOST"] = fields.pop("HOST")
    server = {"SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http"}
    call = {"REQUEST_METHOD": method, "PATH_INFO": path, "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO()}
    chunks = app({**server, **call, **fields}, lambda status, headers, exc_info=None: None)
    try:
        return b"".join(chunks)
    finally:
        getattr(chunks, "close", lambda: None)()


def import_all():
    """Import all modules that are left. One may lack a package of an extra, but nothing of ours."""
    for module in pkgutil.walk_packages(antiphon.__path__, "antiphon.", onerror=check_missing):
        if not module.name.endswith("__main__"):
            try:
                import_module(module.name)
            except ImportError:
                check_missing(module.name)


def check_missing(name):
    error = sys.exception()
    assert isinstance(error, ImportError), name
    is_ours = isinstance(error, ModuleNotFoundError) and (error.name or "").startswith("antiphon")
    assert not is_ours, f"{name}: {error}"


async def main():
    import_all()
    for call, expected in RESPONSES:
        assert await body_over_asgi(*call) == expected, call
        assert await asyncio.to_thread(body_over_wsgi, *call) == expected, call
    opening = {"type": "websocket.connect"}, {"type": "websocket.receive", "text": "Hi"}
    sent = await over_asgi(
        {"type": "websocket", "path": "/echo", "scheme": "ws", "headers": [HOST], "subprotocols": []},
        *opening,
        {"type": "websocket.disconnect", "code": 1000},
    )
    assert [message.get("text") for message in sent if message["type"] == "websocket.send"] == ["Hi"], sent


if __name__ == "__main__":
    asyncio.run(main())
