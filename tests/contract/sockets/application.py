"""The application that the socket servers serve: each case has its route, and ``/events`` tells what handlers saw."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from antiphon import (
    App,
    BlockingWebSocket,
    Dependency,
    Limits,
    Redirect,
    Request,
    Response,
    WebSocket,
    WebSocketClosed,
    abort,
)

LARGE = 64 << 10
MESSAGES, MESSAGE = 10_000, 4 << 10
"""The count and the size of the messages to a client that takes none."""

app = App(trusted_origins=["https://shop.example.com"], limits=Limits(message=1 << 20))
events: defaultdict[str, list[str]] = defaultdict(list)
connection = Dependency[str]("connection")
variable = ContextVar("variable", default="unset")


def note(request: Request, *seen: object) -> None:
    events[request.args.get("case", "")].append(" ".join(map(str, seen)))


def connect(request: Request) -> Iterator[str]:
    try:
        yield "connection"
    except BaseException as error:
        note(request, "rolled back for", type(error).__name__)
        raise
    note(request, "committed")


app.provide(connection, connect)


@app.middleware
def mark(request: Request) -> Iterator[Response]:
    variable.set("of middleware")
    response = yield
    response.headers["x-status"] = str(response.status)
    response.set_cookie("seen", "yes")


@app.get("/events")
def seen(request: Request):
    return events[request.args["case"]]


@app.get("/page")
def page(request: Request):
    response = Response("a page", headers=[("link", "</a>"), ("link", "</b>")])
    response.set_cookie("first", "1")
    return response


async def refusing(scope, receive, send):
    """Refuse each handshake with two lines of one name, as an ASGI application of its own."""
    if scope["type"] != "websocket":
        await app(scope, receive, send)
        return
    await receive()
    headers = [(b"set-cookie", b"a=1"), (b"link", b"</a>"), (b"Link", b"</b>"), (b"set-cookie", b"b=2")]
    await send({"type": "websocket.http.response.start", "status": 403, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": b"no"})


@app.on_shutdown
def shut_down() -> None:
    if path := events["shutdown"]:
        Path(path[0]).write_text("called")


@app.websocket("/echo", subprotocols=["v2", "v1"])
async def echo(request: Request, socket: WebSocket):
    async for message in socket:
        await socket.send(message)


@app.websocket("/late")
async def late(request: Request, socket: WebSocket):
    """Accept the handshake when ``/left`` has told that the client has left."""
    try:
        note(request, "waits")
        while "left" not in events[request.args["case"]]:
            await asyncio.sleep(0.01)
        await socket.send("hello")
    finally:
        note(request, "ended")


@app.get("/left")
def left(request: Request):
    note(request, "left")
    return "noted"


@app.websocket("/sync")
def echo_on_thread(request: Request, socket: BlockingWebSocket):
    for message in socket:
        socket.send(message)
    note(request, "closed", socket.closed.code)


@app.websocket("/about/<int:number>")
async def about(request: Request, socket: WebSocket, number: int):
    await socket.send({
        "number": number, "query": request.args.get("q"), "name": request.headers.get("x-name"),
        "cookie": request.cookies.get("a"), "url": str(request.url), "method": request.method,
        "subprotocol": socket.subprotocol,
    })  # fmt: skip


@app.websocket("/refuse")
async def refuse(request: Request, socket: WebSocket):
    await asyncio.sleep(0)
    abort(401, "Who is it?", challenge="Basic")


@app.websocket("/redirect")
async def redirect(request: Request, socket: WebSocket):
    raise Redirect("/login")


@app.websocket("/stream")
async def stream(request: Request, socket: WebSocket):
    async def chunks():
        for chunk in ("a", "b", "c"):
            yield chunk
            await asyncio.sleep(0.01)

    return chunks(), 403


@dataclass
class Move:
    x: int


@app.websocket("/moves")
async def moves(request: Request, socket: WebSocket):
    async for move in socket.values(Move):
        await socket.send(Move(move.x + 1))


@app.websocket("/variable")
async def say_variable(request: Request, socket: WebSocket):
    async for _ in socket:
        await socket.send(variable.get())


@app.websocket("/variable/def")
def say_variable_on_thread(request: Request, socket: BlockingWebSocket):
    for _ in socket:
        socket.send(variable.get())


@app.websocket("/close")
async def close(request: Request, socket: WebSocket):
    await socket.close(4001, request.args.get("reason", "full"))


@app.websocket("/return")
async def say_one_thing(request: Request, socket: WebSocket):
    await socket.send("one thing")


@app.websocket("/fail")
async def fail(request: Request, socket: WebSocket):
    assert request[connection]
    await socket.receive()
    raise LookupError("nothing")


@app.websocket("/listen")
async def listen(request: Request, socket: WebSocket):
    assert request[connection]
    request.after_response(lambda: note(request, "after"))
    await socket.send("listening")
    try:
        await socket.receive()
    except WebSocketClosed as end:
        note(request, "closed", end.code, end.reason)
        raise


@app.websocket("/push")
async def push(request: Request, socket: WebSocket):
    await socket.send("pushing")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        await asyncio.sleep(0.05)
        note(request, "cancelled", socket.closed.code if socket.closed else "open")
        raise


@app.websocket("/tell")
async def tell(request: Request, socket: WebSocket):
    """Send something now and then, until it is told that the client has left."""
    try:
        while True:
            await socket.send("news")
            await asyncio.sleep(0.02)
    finally:
        note(request, "told")


@app.websocket("/tell/def")
def tell_on_thread(request: Request, socket: BlockingWebSocket):
    try:
        while True:
            socket.send("news")
            time.sleep(0.02)
    finally:
        note(request, "told")


@app.websocket("/pour")
async def pour(request: Request, socket: WebSocket):
    """Send as fast as the server takes it, for ever."""
    try:
        while True:
            await socket.send("x" * LARGE)
    finally:
        note(request, "told")


@app.websocket("/impatient")
async def impatient(request: Request, socket: WebSocket):
    """Give up waiting, twice, then take what comes."""
    for _ in range(2):
        try:
            async with asyncio.timeout(0.05):
                await socket.receive()
        except TimeoutError:
            await socket.send("waited")
    async for message in socket:
        await socket.send(message)


@app.websocket("/many")
async def send_at_once(request: Request, socket: WebSocket):
    async def say(letter: str) -> None:
        for _ in range(20):
            await socket.send(letter * 5000)

    async with asyncio.TaskGroup() as group:
        for letter in "abcde":
            group.create_task(say(letter))


@app.websocket("/flood")
async def flood(request: Request, socket: WebSocket):
    for number in range(MESSAGES):
        await socket.send(b"x" * MESSAGE)
        events[request.args["case"]] = [str(number + 1)]


@app.websocket("/until-shutdown")
async def until_shutdown(request: Request, socket: WebSocket):
    events["shutdown"] = [request.args["path"]]
    await socket.send("ready")
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0.5)  # a process that is gone resets connections, with what clients have not read
        Path(request.args["path"] + ".handler").write_text("ended")
