"""A handshake passes what every GET request passes: hosts, proxies, blueprints, mounts, sessions, users, limits."""

import pytest

from antiphon import App, Blueprint, Request, TrustedProxies, WebSocket, current_request
from antiphon.cli.routes import table
from antiphon.features import MemoryStore, RateLimit, Sessions
from antiphon.testing import Client, HandshakeRefused
from tests.helpers.rows import rows


async def tell(request: Request, socket: WebSocket, **_params: object):
    await socket.accept()
    await socket.send(
        {
            "current": current_request().path,
            "url": str(request.url),
            "root": request.root_path,
            "params": dict(request.path_params),
        }
    )


def told(client, path, **options):
    with client.websocket(path, **options) as socket:
        return socket.receive_as(dict)


def refusal(client, path, **options):
    with pytest.raises(HandshakeRefused) as refused, client.websocket(path, **options):
        pass
    return refused.value.response.status


def test_blueprint():
    app, shop = App(), Blueprint("shop", prefix="/shop")
    shop.websocket("/live/<name>")(tell)
    app.register(shop)
    assert told(Client(app), "/shop/live/x")["params"] == {"name": "x"}


def test_mounted_application():
    outer, inner = App(), App()
    inner.websocket("/live/<int:number>")(tell)
    outer.mount("/inner", inner)

    @outer.middleware
    def mark(request: Request):
        response = yield
        response.headers["x-outer"] = str(response.status)

    client = Client(outer)
    with client.websocket("/inner/live/7") as socket:
        assert socket.response.headers["x-outer"] == "101"
        assert socket.receive_as(dict) == {
            "url": "http://testserver/inner/live/7", "root": "/inner", "params": {"number": 7}, "current": "/live/7",
        }  # fmt: skip
    assert refusal(client, "/inner/live/7", origin="https://evil.example") == 403


def test_trusted_hosts():
    app = App(trusted_hosts=["example.com"])
    app.websocket("/")(tell)
    assert refusal(Client(app), "/") == 421
    assert told(Client(app, base_url="http://example.com"), "/")["url"] == "http://example.com/"


def test_trusted_proxies():
    """A page of the site that the proxy serves by https may open a WebSocket."""
    app = App(trusted_proxies=TrustedProxies(["127.0.0.1"], headers=["x-forwarded-proto", "x-forwarded-host"]))
    app.websocket("/")(tell)
    headers = {"x-forwarded-proto": "https", "x-forwarded-host": "shop.example.com"}
    client = Client(app, headers=headers)
    assert told(client, "/", origin="https://shop.example.com")["url"] == "https://shop.example.com/"
    assert refusal(client, "/", origin="http://shop.example.com") == 403


def test_session_and_limit_of_rates(app):
    app.use(Sessions(MemoryStore()))
    app.use(RateLimit("3/minute"))

    @app.get("/login")
    def login(request: Request):
        request.session["name"] = "ada"
        return "welcome"

    def known(request: Request):
        return None if "name" in request.session else ("Who is it?", 401)

    @app.websocket("/", before=known)
    async def greet(request: Request, socket: WebSocket):
        await socket.send(request.session["name"])

    client = Client(app)
    assert refusal(client, "/") == 401
    client.get("/login")
    with client.websocket("/") as socket:
        assert socket.receive() == "ada"
    assert refusal(client, "/") == 429


def test_table_of_routes_has_it(app):
    app.websocket("/live")(tell)
    assert [row[:3] for row in table(app)] == [("WebSocket", "/live", "tell")]


def test_one_path_is_answered_once(app):
    app.get("/live")(lambda request: "page")
    app.websocket("/live")(tell)
    with pytest.raises(ValueError, match="GET /live is handled by both"):
        app._freeze()


@rows(
    "options, error",
    ({"subprotocols": "chat"}, ValueError),
    ({"subprotocols": ["a b"]}, ValueError),
    ({"idle_timeout": 0}, ValueError),
)
def test_wrong_options(options, error):
    with pytest.raises(error):
        App().websocket("/", **options)


def test_handler_without_a_socket():
    with pytest.raises(TypeError, match="is called with"):
        App().websocket("/")(lambda request: None)
