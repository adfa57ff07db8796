"""WebSockets of extensions that take the connection out of the environ: flask-sock, and simple-websocket below it."""

from contextlib import suppress

import pytest

from antiphon import App, WebSocketClosed
from antiphon.dialects.flask import Flask, request
from antiphon.testing import Client
from tests.helpers.rows import rows

simple_websocket = pytest.importorskip("simple_websocket")
INTERFACES = ("asgi", "rsgi")


def sock_route(app, path, **options):
    """Register a view as flask-sock does, which can't be imported beside the dialect."""

    def decorator(function):
        def view(**values):
            socket = simple_websocket.Server(request.environ, **options)
            try:
                function(socket, **values)
            except simple_websocket.ConnectionClosed as end:
                app.config["ENDS"].append(int(end.reason))
            with suppress(simple_websocket.ConnectionClosed):
                socket.close()
            return ""

        app.add_url_rule(path, function.__name__, view, websocket=True)

    return decorator


def make_app():
    app = Flask(__name__)
    app.config["ENDS"] = []

    @sock_route(app, "/echo/<name>", subprotocols=["v2"], ping_interval=5)
    def echo(socket, name):
        while True:
            data = socket.receive()
            socket.send(f"{name}: {data}" if isinstance(data, str) else data)

    @sock_route(app, "/fail")
    def fail(socket):
        socket.send("a")
        raise LookupError("inside")

    return app


class TestTalk:
    def opened(self, app, path, interface, mounted, **options):
        if mounted:
            outer = App()
            outer.mount("/in", app)
            app, path = outer, f"/in{path}"
        return Client(app, interface).websocket(path, **options)

    @rows("interface", INTERFACES)
    @rows("mounted", [False, True])
    def test_messages(self, interface, mounted):
        app = make_app()
        with self.opened(app, "/echo/Ada", interface, mounted, subprotocols=["v1", "v2"]) as socket:
            assert socket.subprotocol == ("v2" if interface == "asgi" else None)
            for sent in ("hello", "x" * 200_000, b"\xff" * 70_000, ""):
                socket.send(sent)
                assert socket.receive() == (f"Ada: {sent}" if isinstance(sent, str) else sent)
            socket.close(4000)
        assert app.config["ENDS"] == [4000 if interface == "asgi" else 1000]

    @rows("interface", INTERFACES)
    @rows("mounted", [False, True])
    def test_error(self, interface, mounted, caplog):
        app = make_app()
        with self.opened(app, "/fail", interface, mounted) as socket:
            assert socket.receive() == "a"
            with pytest.raises(WebSocketClosed) as end:
                socket.receive()
        assert end.value.code == (1011 if interface == "asgi" else 1005)
        assert "LookupError" in caplog.text
