"""``Limits(headers=...)`` binds over each interface if it was set, whatever the server's own limit is."""

import pytest

from antiphon import App, Blueprint, Limits
from antiphon.testing import HandshakeRefused
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "style")


def plain(style, **options):
    app = App(**options)
    app.get("/")(style(lambda request: "text"))
    app.websocket("/socket")(echo)
    return app


async def echo(request, socket):
    await socket.send("hello")


def mounted(style, **options):
    outer = App()
    outer.mount("", plain(style, **options))
    return outer


def around(style, **options):
    outer = App(**options)
    outer.mount("", plain(style))
    return outer


SET = {"limits": Limits(headers=8192)}


@rows("build", [plain, mounted, around])
@rows(
    "options, size, status",
    (SET, 1000, 200),
    (SET, 8192, 431),
    (SET, 60_000, 431),
    (SET | {"trusted_hosts": ["*"], "trusted_proxies": ["127.0.0.1"]}, 1000, 200),
    (SET | {"trusted_hosts": ["*"], "trusted_proxies": ["127.0.0.1"]}, 8192, 431),
    ({"limits": Limits(headers=None, body=5)}, 60_000, 200),
    ({"limits": Limits(headers=100_000)}, 99_000, 200),
    ({"limits": Limits(headers=100_000)}, 100_000, 431),
    ({"trusted_hosts": ["*"]}, 100_000, 200),
)
@rows("names", [["x-a"], ["content-type"], ["x-a", "x-b", "x-c"]])
def test_it_binds_if_it_was_set(serving, style, build, options, size, status, names):
    client = serving(build(style, **options))
    response = client.get("/", headers={name: "x" * (size // len(names)) for name in names})
    assert response.status == status
    if status == 431:
        assert response.json["type"] == "urn:antiphon:limit:headers"
        assert response.json["maximum"] == options["limits"].headers


@rows("build", [plain, mounted, around])
def test_it_binds_handshakes(serving, style, build, interface):
    client = serving(build(style, **SET))
    with pytest.raises(HandshakeRefused, match="431"), client.websocket("/socket", headers={"x-a": "x" * 8192}):
        pass


@rows("made", [lambda style: "app", lambda style: "route", lambda style: "blueprint"])
def test_where_it_could_not_bind_it_is_refused_at_the_start(serving, style, made):
    kind, app = made(style), App(**(SET if made(style) == "app" else {}))
    shop = Blueprint("shop", limits=SET["limits"] if kind == "blueprint" else None)
    shop.get("/", limits=None if kind == "blueprint" else SET["limits"])(style(lambda request: "text"))
    app.register(shop)
    client = serving(app)
    if kind == "app":
        assert client.get("/").text == "text"
    else:
        with pytest.raises(ValueError, match=r"before a route is found: App\(limits=Limits\(headers=8192"):
            client.get("/")
