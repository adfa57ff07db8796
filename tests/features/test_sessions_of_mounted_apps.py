"""The session of a mounted app: its own, which may have one store and one cookie with that of the outer app."""

import pytest

from antiphon import App
from antiphon.dialects import flask
from antiphon.features import MemoryStore, Sessions
from antiphon.testing import Client
from tests.helpers.handlers import in_style
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "style", "kind")
HTTPS = "https://shop.example.com"


@pytest.fixture
def shops(store, interface, style, clock):
    """An app in which another one is mounted, whose sessions are in one store; what each does can be set."""
    outer, inner = App(), App()
    does = {"before": lambda session: None, "inside": lambda session: None}
    for app in (outer, inner):
        app.use(Sessions(store))

    @outer.before_request
    def before(request):
        does["before"](request.session)

    def inside(request):
        does["inside"](request.session)
        return dict(request.session)

    inner.get("/")(in_style(style, inside))
    outer.get("/all")(lambda request: dict(request.session))
    outer.mount("/shop", inner)
    with Client(outer, interface, base_url=HTTPS, timeout=10.0) as client:
        yield does, client


def sets(**values):
    return lambda session: session.update(values)


@pytest.mark.parametrize("is_new", [True, False])
def test_keeps_what_both_have_changed_in_one_request(shops, is_new):
    does, client = shops
    if not is_new:
        does["inside"] = sets(old=1)
        client.get("/shop")
    does["before"], does["inside"] = sets(outer=2), sets(inner=3)
    assert client.get("/shop").status == 200
    does["before"] = does["inside"] = lambda session: None
    kept = {"outer": 2, "inner": 3} if is_new else {"old": 1, "outer": 2, "inner": 3}
    assert client.get("/all").json == client.get("/shop").json == kept


@pytest.mark.parametrize("ends", [True, False], ids=["ended", "rotated"])
def test_that_the_mounted_app_ends_has_no_data_of_it_any_more_and_one_that_it_rotates_has(shops, ends):
    does, client = shops
    does["inside"] = sets(old=1)
    client.get("/shop")
    change = (lambda session: session.clear()) if ends else (lambda session: session.rotate("ada"))
    does["before"], does["inside"] = sets(outer=2), change
    client.get("/shop")
    does["before"] = does["inside"] = lambda session: None
    kept = client.get("/all").json
    assert "old" not in kept if ends else kept == {"old": 1, "outer": 2}


def test_is_not_there_unless_the_mounted_app_uses_sessions(interface):
    outer, inner = App(), App()
    outer.use(Sessions(MemoryStore()))
    inner.get("/")(lambda request: dict(request.session))
    outer.mount("/shop", inner)
    response = Client(outer, interface, raise_errors=False).get("/shop")
    assert response.status == 500
    with pytest.raises(RuntimeError, match=r"'session' in this application: app\.use\(Sessions\(store\)\)"):
        Client(outer, interface, raise_errors=True).get("/shop")


def mounted(outer, *inner, host=None):
    """An application with sessions, in which others with sessions are mounted."""
    app = App()
    if outer is not None:
        app.use(outer)
    for number, sessions in enumerate(inner):
        below = App()
        below.use(sessions)
        app.mount(f"/in{number}", below, host=host)
    return app


@pytest.mark.once
@rows(
    "app, is_refused",
    (lambda one, other: mounted(Sessions(one), Sessions(other)), True),
    (lambda one, other: mounted(None, Sessions(one), Sessions(other)), True),
    (lambda one, other: mounted(Sessions(one), Sessions(one)), False),
    (lambda one, other: mounted(Sessions(one), Sessions(other, cookie="__Host-admin")), False),
    (lambda one, other: mounted(Sessions(one), Sessions(other), host="admin.example.com"), False),
)
def test_in_another_store_needs_another_cookie(app, is_refused):
    made = app(MemoryStore(), MemoryStore())
    if is_refused:
        with pytest.raises(ValueError, match=r"the app mounted at '/in\d'.* one cookie, '__Host-session', but two"):
            made.start()
    else:
        made.start()
        made.stop()


def test_a_mounted_flask_app_has_a_session_of_its_own_over_http(interface, store):
    inner = flask.Flask("inner")
    inner.secret_key = "k" * 32
    inner.get("/")(lambda: flask.session.setdefault("who", "ben"))
    outer = App()
    outer.use(Sessions(store))
    outer.get("/")(lambda request: request.session.setdefault("who", "ann"))
    outer.get("/who")(lambda request: request.session.get("who"))
    outer.mount("/inner", inner)
    with Client(outer, interface) as client:
        assert [client.get(path).text for path in ("/", "/inner/", "/who", "/inner/")] == ["ann", "ben", "ann", "ben"]
