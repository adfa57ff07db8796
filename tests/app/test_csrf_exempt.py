"""A route with ``csrf_exempt=True`` takes writes from anywhere: neither the app nor ``CSRFTokens`` checks them."""

import pytest

from antiphon import App, Blueprint
from antiphon.features import CSRFTokens, MemoryStore, Sessions
from antiphon.testing import Client
from tests.helpers.rows import rows

CROSS_SITE = [
    {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}, {"origin": "https://evil.example"},
    {"origin": "null"}, {},
]  # fmt: skip
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(params=[False, True], ids=["plain", "with tokens"])
def app(request):
    app = App()
    if request.param:
        app.use(Sessions(MemoryStore()))
        app.use(CSRFTokens())
    hooks = Blueprint("hooks", prefix="/hooks")

    @hooks.post("/paid", csrf_exempt=True)
    def paid(request):
        return f"paid {request.body.decode()}"

    @hooks.route("/later", ["PUT", "DELETE"], csrf_exempt=True)
    async def later(request):
        return f"later {request.body.decode()}"

    @hooks.post("/checked", csrf_exempt=False)
    def checked(request):
        return "checked"

    app.register(hooks)
    return app


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("sent", CROSS_SITE, ids=str)
def test_it_answers_them(app, interface, sent):
    client = Client(app, interface)
    for body in (b"a=1", b"a" * 100_000):
        assert client.post("/hooks/paid", headers={**FORM, **sent}, body=body).text == f"paid {body.decode()}"
    assert client.put("/hooks/later", headers=sent, body=b"2").text == "later 2"
    assert client.delete("/hooks/later", headers=sent).text == "later "


@rows("interface", ["wsgi", "asgi", "rsgi"])
def test_its_neighbours_refuse_them(app, interface):
    client = Client(app, interface)
    assert client.post("/hooks/checked", headers=CROSS_SITE[0]).status == 403
    assert client.post("/hooks/later", headers=CROSS_SITE[0]).status == 405
    assert client.post("/elsewhere", headers=CROSS_SITE[0]).status == 404


def test_another_method_of_its_path_is_checked():
    app = App()
    app.post("/orders", csrf_exempt=True)(lambda request: "made")
    app.delete("/orders")(lambda request: "deleted")
    client = Client(app)
    assert client.post("/orders", headers=CROSS_SITE[0]).text == "made"
    assert client.delete("/orders", headers=CROSS_SITE[0]).status == 403
