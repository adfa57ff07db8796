"""An application with WebSockets of its own, and of others that are mounted in it."""

from pathlib import Path

from simple_websocket import ConnectionClosed, Server
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket as StarletteSocket
from starlette.websockets import WebSocketDisconnect

from antiphon import App, Limits, Request, WebSocket
from antiphon.dialects.flask import Flask
from antiphon.dialects.flask import request as flask_request
from antiphon.dialects.microdot import Microdot
from antiphon.dialects.microdot.websocket import WebSocketError, with_websocket

app = App(limits=Limits(message=64 << 10))
microdot = Microdot()
flask = Flask(__name__)


def note(path: str | None, end: object) -> None:
    """Note the end that an application was told of."""
    if path:
        Path(path).write_text(str(end))


@app.websocket("/native/echo")
async def echo(request: Request, socket: WebSocket):
    async for message in socket:
        await socket.send(message)


@app.websocket("/native/numbers")
async def numbers(request: Request, socket: WebSocket):
    async for number in socket.values(int):
        await socket.send(number + 1)


async def starlette_echo(socket: StarletteSocket) -> None:
    await socket.accept("v2" if "v2" in socket.scope["subprotocols"] else None, [(b"x-inner", b"yes")])
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect as end:
        note(socket.query_params.get("path"), end.code)


@microdot.route("/echo")
@with_websocket
async def microdot_echo(request, ws):
    try:
        while True:
            await ws.send(await ws.receive())
    except WebSocketError:
        note(request.args.get("path"), "told")
        raise


@flask.route("/echo", websocket=True)
def flask_echo():
    socket = Server(flask_request.environ)
    try:
        while True:
            socket.send(socket.receive())
    except ConnectionClosed as end:
        note(flask_request.args.get("path"), int(end.reason))
    return ""


app.mount("/starlette", Starlette(routes=[WebSocketRoute("/echo", starlette_echo)]))
app.mount("/microdot", microdot)
app.mount("/flask", flask)
