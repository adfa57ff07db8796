"""The session of a client, and logins without a login page: ``client.session`` and ``client.login``."""

import asyncio

import pytest

from antiphon import App
from antiphon.features import (
    Bearer,
    CookieStore,
    MemoryStore,
    SessionLogin,
    Sessions,
    SQLiteStore,
    Users,
    login_required,
    logout,
)
from antiphon.testing import AsyncClient, Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "kind")


class User:
    def __init__(self, number, name):
        self.id, self.name = number, name


USERS = {"1": User(1, "Ada"), "2": User(2, "Bob")}
ADA, BOB = USERS.values()


@pytest.fixture(params=["memory", "sqlite", "cookie"])
def kind(request):
    return request.param


@pytest.fixture
def store(kind, tmp_path):
    stores = {"memory": MemoryStore, "sqlite": lambda: SQLiteStore(tmp_path / "s.db"), "cookie": cookie_store}
    store = stores[kind]()
    yield store
    store.close()


def cookie_store():
    return CookieStore(["a secret key of the tests"])


@pytest.fixture
def app(store):
    app = App(trusted_proxies=["10.0.0.0/8"])
    app.use(Sessions(store))
    app.use(Users(SessionLogin(USERS.get)))
    app.get("/", before=login_required)(lambda request: request.user.name)

    @app.get("/cart")
    async def cart(request):
        return {"cart": request.session.get("cart", [])}

    @app.post("/cart")
    def add(request):
        request.session.setdefault("cart", []).append(request.form["item"])
        return ""

    @app.post("/logout")
    def leave(request):
        logout(request)
        return ""

    return app


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"base_url": "https://shop.example.com"},
        {"base_url": "http://shop.example.com:8080", "root_path": "/shop"},
        {"client": ("10.0.0.1", 80), "headers": {"x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.1"}},
    ],
)
def test_a_client_is_logged_in_as_by_a_login_page(app, interface, options):
    if (interface, *options) in {("rsgi", "base_url", "root_path"), ("wsgi", "client", "headers")}:
        options = {}  # RSGI has no root path, and over WSGI proxies are believed only on servers that are known
    root = options.get("root_path", "")
    with Client(app, interface, **options) as client, Client(app, interface, **options) as other:
        assert client.get(f"{root}/").status == 401
        client.login(ADA)
        assert client.get(f"{root}/").text == "Ada"
        assert other.get(f"{root}/").status == 401
        other.login(BOB)
        assert (client.get(f"{root}/").text, other.get(f"{root}/").text) == ("Ada", "Bob")
        client.login(BOB)
        assert client.get(f"{root}/").text == "Bob"
        client.post(f"{root}/logout")
        assert client.get(f"{root}/").status == 401


def test_a_session_is_read_as_it_is_now(app, interface):
    with Client(app, interface) as client:
        session = client.session
        assert (dict(session), "cart" in session, session.get("cart")) == ({}, False, None)
        assert list(client.cookies) == []
        client.post("/cart", form={"item": "tea"})
        assert (session["cart"], len(session)) == (["tea"], 1)
        with pytest.raises(KeyError, match="basket"):
            session["basket"]


def test_a_block_that_changes_nothing_or_fails_writes_nothing(app, interface):
    with Client(app, interface) as client:
        with client.session as session:
            assert session.is_new
        with pytest.raises(KeyError), client.session as session:
            session.update(cart=["tea"], size=session["none"])
        assert (client.get("/cart").json, list(client.cookies)) == ({"cart": []}, [])


def test_what_is_set_outside_of_a_block_is_an_error_that_says_so(app):
    with pytest.raises(TypeError, match=r"with client\.session as session: session\['cart'\] = "):
        Client(app).session["cart"] = ["tea"]
    with Client(app).session as session:
        pass
    with pytest.raises(RuntimeError, match="was saved"):
        session["cart"] = ["tea"]


def test_an_async_client_has_both_without_an_await(app, interface):
    async def use():
        async with AsyncClient(app, interface) as client:
            client.login(ADA)
            with client.session as session:
                session["cart"] = ["tea"]
            return (await client.get("/")).text, (await client.get("/cart")).json, dict(client.session)["cart"]

    assert asyncio.run(use()) == ("Ada", {"cart": ["tea"]}, ["tea"])


def entered(client):
    with client.session:
        pass


WITHOUT = {
    "no App": (lambda environ, start_response: [], TypeError, r"an App, .* not <function"),
    "no Sessions": (App(), RuntimeError, r"app\.use\(Sessions\(store\)\)"),
}


@rows("without", WITHOUT)
@rows("use", [lambda client: client.login(ADA), lambda client: dict(client.session), entered])
def test_without_sessions_the_error_names_the_fix(without, use):
    app, kind, says = WITHOUT[without]
    with pytest.raises(kind, match=says):
        use(Client(app))


def test_without_a_source_that_keeps_logins_the_error_names_the_fix():
    app = App()
    app.use(Sessions(MemoryStore()))
    with pytest.raises(RuntimeError, match=r"app\.use\(Users\("):
        Client(app).login(ADA)
    app.use(Users(Bearer(lambda token: None)))
    with pytest.raises(RuntimeError, match=r"SessionLogin\(find_user\)"):
        Client(app).login(ADA)
