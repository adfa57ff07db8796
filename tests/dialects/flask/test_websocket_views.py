"""`@app.websocket`, as in Quart. What these views and clients see was compared with Quart 0.20."""

import asyncio
import threading

import pytest

from antiphon import App, WebSocketClosed
from antiphon.dialects.flask import Blueprint, Flask, abort, g, has_websocket_context, request, session, websocket
from antiphon.testing import Client, HandshakeRefused
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually

bp = Blueprint("bp", __name__, url_prefix="/bp")


@bp.websocket("/json")
async def values():
    await websocket.send_json(await websocket.receive_json(), 1)
    await websocket.send_json(blueprint=websocket.blueprint, endpoint=websocket.endpoint)


@bp.websocket("/json/def")
def values_on_thread():
    websocket.send_json(websocket.receive_json(), 1)
    websocket.send_json(blueprint=websocket.blueprint, endpoint=websocket.endpoint)


def make_app():
    app = Flask(__name__)
    app.secret_key = "key"
    app.seen = []
    app.register_blueprint(bp)

    @app.before_request
    async def log_in():
        g.user = session.get("user", "?")
        if request.args.get("user") == "nobody":
            abort(401)

    @app.teardown_request
    def tear_down(error):
        app.seen.append("torn down")

    @app.errorhandler(KeyError)
    def no_key(error):
        return "no key", 404

    @app.websocket("/echo/<int:number>")
    @app.websocket("/echo", defaults={"number": 1})
    async def echo(number):
        try:
            while True:
                data = await websocket.receive()
                await websocket.send(data if isinstance(data, bytes) else f"{number} {websocket.args['q']} {data}")
        except asyncio.CancelledError:
            app.seen.append("cancelled")
            raise

    @app.websocket("/def/<int:number>")
    def echo_on_thread(number):
        assert threading.current_thread().name == "antiphon-websocket"
        try:
            while True:
                data = websocket.receive()
                websocket.send(data if isinstance(data, bytes) else f"{number} {websocket.args['q']} {data}")
        except WebSocketClosed:
            app.seen.append("closed")
            raise

    @app.websocket("/accept")
    async def accept():
        await websocket.accept({"X-A": "b"}, websocket.requested_subprotocols[1])
        await websocket.send(f"{g.user} {has_websocket_context()}")

    @app.websocket("/gather")
    async def gather():
        async def receiving():
            while True:
                await websocket.receive()

        await websocket.accept()
        await asyncio.gather(receiving(), asyncio.Event().wait())

    @app.websocket("/wait")
    async def wait():
        await websocket.send("waiting")
        await asyncio.Event().wait()

    @app.websocket("/return")
    async def refuse():
        return "no", 403, {"X-B": "c"}

    @app.websocket("/key")
    async def key():
        raise KeyError

    @app.websocket("/end")
    async def end():
        await websocket.accept()
        await websocket.close(4001, "full")

    @app.websocket("/end-early")
    async def end_early():
        await websocket.close(4001)

    @app.websocket("/nothing")
    async def nothing(): ...

    @app.websocket("/nothing/def")
    def nothing_on_thread(): ...

    @app.websocket("/late")
    async def late():
        await websocket.accept()
        abort(403)

    @app.websocket("/fail")
    async def fail():
        await websocket.accept()
        raise LookupError("inside")

    return app


@pytest.fixture
def app():
    return make_app()


def ended(app):
    return eventually(lambda: app.seen if "torn down" in app.seen else None, "the view goes on")


class TestServed:
    @rows("interface", ["asgi", "rsgi"])
    @rows("mounted", [False, True])
    @rows(
        "path, number, last",
        [("/echo/7?q=a", 7, "cancelled"), ("/echo?q=a", 1, "cancelled"), ("/def/7?q=a", 7, "closed")],
    )
    def test_messages(self, interface, mounted, path, number, last):
        app = make_app()
        served = app
        if mounted:
            served, path = App(), f"/in{path}"
            served.mount("/in", app)
        with Client(served, interface).websocket(path) as socket:
            for sent in ("hello", b"\xff", ""):
                socket.send(sent)
                assert socket.receive() == (sent if isinstance(sent, bytes) else f"{number} a {sent}")
        assert ended(app) == [last, "torn down"]

    @rows("interface", ["asgi", "rsgi"])
    @rows("path", ["/bp/json", "/bp/json/def"])
    def test_json(self, interface, path):
        app = make_app()
        with Client(app, interface).websocket(path) as socket:
            socket.send('{"a": 1}')
            assert socket.receive_as(list) == [{"a": 1}, 1]
            endpoint = "bp.values" if path == "/bp/json" else "bp.values_on_thread"
            assert socket.receive_as(dict) == {"blueprint": "bp", "endpoint": endpoint}

    @rows("interface", ["asgi", "rsgi"])
    @rows("path", ["/gather", "/wait"])
    def test_a_view_that_waits_for_something_else_is_cancelled(self, interface, path):
        app = make_app()
        with Client(app, interface).websocket(path):
            pass
        assert ended(app) == ["torn down"]

    @rows("interface", ["asgi", "rsgi"])
    @rows(
        "path, status",
        [("/return", 403), ("/key", 404), ("/end-early", 403), ("/echo?user=nobody", 401), ("/none", 404)],
    )
    def test_refusals(self, interface, path, status):
        app = make_app()
        with pytest.raises(HandshakeRefused) as refused, Client(app, interface).websocket(path):
            pass
        response = refused.value.response
        assert response.status == status
        assert interface == "rsgi" or path != "/return" or response.headers["x-b"] == "c"

    @rows("interface", ["asgi", "rsgi"])
    @rows(
        "path, code, reason",
            ("/end", 4001, "full"), ("/nothing", 1000, ""), ("/nothing/def", 1000, ""), ("/late", 1008, ""),
            ("/fail", 1011, ""),
    )  # fmt: skip
    def test_ends(self, interface, path, code, reason):
        app = make_app()
        with Client(app, interface, raise_errors=False).websocket(path) as socket:
            assert [*socket] == []
            end = socket.closed
        assert (end.code, end.reason) == ((code, reason) if interface == "asgi" else (1005, ""))


@rows("interface", ["asgi", "rsgi"])
@rows("path", ["/echo/7?q=1", "/def/7?q=1"])
@rows(
    "options, status",
    ({"origin": "https://evil.example"}, 403), ({"origin": "null"}, 403),
    ({"origin": None, "headers": {"cookie": "session=1"}}, 403),
    ({"headers": {"sec-fetch-site": "cross-site"}}, 403), ({"origin": "https://shop.example.com"}, 101), ({}, 101),
)  # fmt: skip
def test_pages_of_other_sites(interface, path, options, status):
    app = make_app()
    app.config["TRUSTED_ORIGINS"] = ["https://shop.example.com"]
    if status == 101:
        with Client(app, interface).websocket(path, **options) as socket:
            socket.send("hello")
            assert socket.receive() == "7 1 hello"
        return
    with pytest.raises(HandshakeRefused) as refused, Client(app, interface).websocket(path, **options):
        pass
    assert refused.value.response.status == status
    assert interface == "rsgi" or "TRUSTED_ORIGINS" in refused.value.response.text


def test_pages_of_other_sites_over_wsgi(app):
    """Extensions such as flask-sock take the server's connection out of the environ."""
    fields = {"upgrade": "websocket", "connection": "upgrade"}
    client = Client(app, "wsgi")
    assert client.get("/def/7", headers=fields | {"origin": "https://evil.example"}).status == 403
    assert client.get("/def/7", headers=fields).status == 501


def test_the_handshake_has_fields_a_subprotocol_and_a_session(app):
    @app.get("/login")
    def login():
        session["user"] = "Ada"
        return ""

    client = Client(app, "asgi")
    client.get("/login")
    with client.websocket("/accept", subprotocols=["v1", "v2"]) as socket:
        assert (socket.subprotocol, socket.response.headers["x-a"]) == ("v2", "b")
        assert socket.receive() == "Ada True"


def test_middleware_of_wsgi_around_the_application_sees_handshakes(app):
    inner = app.wsgi_app
    app.wsgi_app = lambda environ, start_response: (
        app.seen.append(environ["PATH_INFO"]) or inner(environ, start_response)
    )
    with Client(app, "asgi").websocket("/echo?q=a") as socket:
        socket.send("hello")
        assert socket.receive() == "1 a hello"
    assert ended(app) == ["/echo", "cancelled", "torn down"]
