"""Sessions and users of a project, as settings.py declares them."""

import pytest

from antiphon.adapters.foreign.environ_host import BridgedApplication
from antiphon.dialects.kay import Response
from antiphon.dialects.kay.app import KayApp
from antiphon.dialects.kay.auth import login, logout
from antiphon.dialects.kay.auth.decorators import admin_required, login_required
from antiphon.dialects.kay.routing import Rule, ViewGroup
from antiphon.dialects.kay.sessions import renew_session
from antiphon.features import MemoryStore
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("client", "app")
PACKAGE = "antiphon.dialects.kay"
SECRET = "a key for tests, of more than 16 bytes"
STORES = {
    "cookie": {"SESSION_STORE": f"{PACKAGE}.sessions.sessionstore.SecureCookieSessionStore", "SECRET_KEY": SECRET},
    "server": {"SESSION_STORE": f"{PACKAGE}.sessions.sessionstore.GAESessionStore"},
    "own": {"SESSION_STORE": MemoryStore},
}


class Person:
    is_admin = False

    def __init__(self, name):
        self.name = name

    @classmethod
    def get(cls, key):
        return PEOPLE.get(key)

    @classmethod
    def get_by_key_name(cls, name):
        return PEOPLE.get(f"key of {name}")

    def key(self):
        return f"key of {self.name}"

    def check_password(self, password):
        return password == f"{self.name}'s oboe"


PEOPLE = {f"key of {name}": Person(name) for name in ("Ada", "Bob")}
PEOPLE["key of Bob"].is_admin = True


def show(request):
    return Response(f"{getattr(request.user, 'name', request.user)} {sorted(request.session.items())}")


def put(request):
    request.session["cart"] = [*request.session.get("cart", []), request.args["item"]]
    return Response("put")


def put_inside(request):
    request.session["cart"].append("inside")
    return Response("put")


def enter(request):
    return Response(str(login(request, request.form["name"], request.form["password"])))


def leave(request):
    logout(request)
    return show(request)


def renew(request):
    renew_session(request)
    return Response("renewed")


VIEWS = {
    "show": show,
    "put": put,
    "inside": put_inside,
    "login": enter,
    "logout": leave,
    "renew": renew,
    "unused": lambda request: Response("unused"),
    "user": login_required(lambda request: Response("for users")),
    "admin": admin_required(lambda request: Response("for admins")),
    "public": lambda request: Response(str(len(request.session)), headers={"Cache-Control": "public, s-maxage=9"}),
}


@pytest.fixture(params=STORES)
def app(request, tmp_path):
    return application(**STORES[request.param], SESSION_DATABASE=str(tmp_path / "sessions.db"))


def application(**more):
    declared = {
        "MIDDLEWARE_CLASSES": (
            f"{PACKAGE}.sessions.middleware.SessionMiddleware",
            f"{PACKAGE}.auth.middleware.AuthenticationMiddleware",
        ),
        "AUTH_USER_BACKEND": f"{PACKAGE}.auth.backends.datastore.DatastoreBackend",
        "AUTH_USER_MODEL": Person,
        "INSTALLED_APPS": (f"{PACKAGE}.sessions", f"{PACKAGE}.auth"),
        **more,
    }
    rules = [Rule(f"/{name}", endpoint=name, view=view) for name, view in VIEWS.items()]
    return BridgedApplication(KayApp(declared, [ViewGroup(*rules)]))


@pytest.fixture(params=["wsgi", "asgi", "rsgi"])
def client(request, app):
    with Client(app, request.param, follow_redirects=False) as client:
        yield client


ADA = {"name": "Ada", "password": "Ada's oboe"}


@pytest.mark.feature("kay-012")
def test_a_session_is_kept_for_its_visitor(client, app):
    client.get("/put?item=tea")
    client.get("/put?item=milk")
    client.get("/inside")
    assert client.get("/show").text == "AnonymousUser [('cart', ['tea', 'milk', 'inside'])]"
    with Client(app) as stranger:
        assert stranger.get("/show").text == "AnonymousUser []"


@pytest.mark.feature("kay-010", "kay-011")
def test_a_user_is_found_by_the_session(client):
    client.get("/put?item=tea")
    assert client.post("/login", form={**ADA, "password": "guess"}).text == "False"
    assert client.post("/login", form={"name": "Eve", "password": "x"}).text == "False"
    assert client.get("/user").status == 401
    before = client.cookies["KAY_SID"]
    assert client.post("/login", form=ADA).text == "True"
    assert client.cookies["KAY_SID"] != before
    assert client.get("/show").text == "Ada [('_user', 'key of Ada'), ('cart', ['tea'])]"
    assert (client.get("/user").text, client.get("/admin").status) == ("for users", 403)
    assert client.get("/logout").text == "AnonymousUser []"
    assert client.get("/show").text == "AnonymousUser []"


@pytest.mark.feature("kay-010")
def test_another_user_of_a_browser_gets_nothing_of_the_first(client):
    client.post("/login", form=ADA)
    client.get("/put?item=secret")
    client.post("/login", form={"name": "Bob", "password": "Bob's oboe"})
    assert client.get("/show").text == "Bob [('_user', 'key of Bob')]"
    assert client.get("/admin").text == "for admins"


def test_a_session_that_is_not_used_sets_no_cookie(client):
    answer = client.get("/unused")
    assert [name for name in ("set-cookie", "vary", "cache-control") if name in answer.headers] == []


def test_shared_caches_keep_no_page_of_a_session(client):
    answer = client.get("/public")
    assert (answer.headers["vary"], answer.headers["cache-control"]) == ("Cookie", "private")


def test_the_cookie_is_httponly_and_lasts_as_the_settings_say():
    with Client(application(**STORES["own"], COOKIE_NAME="visitor", COOKIE_AGE=60)) as client:
        [cookie] = client.get("/put?item=tea").headers.getall("set-cookie")
    assert cookie.startswith("visitor=")
    assert {"HttpOnly", "SameSite=Lax", "Max-Age=60"} <= set(cookie.split("; "))


@rows("store", ["server", "own"])
def test_an_old_key_is_useless_after_a_renewal(store, tmp_path):
    with Client(application(**STORES[store], SESSION_DATABASE=str(tmp_path / "sessions.db"))) as client:
        client.get("/put?item=tea")
        old = client.cookies["KAY_SID"]
        client.get("/renew")
        assert "tea" in client.get("/show").text
        client.cookies.set("KAY_SID", old)
        assert client.get("/show").text == "AnonymousUser []"


def test_a_forged_cookie_is_no_session(client):
    client.get("/put?item=tea")
    client.cookies.set("KAY_SID", client.cookies["KAY_SID"][:-4] + "AAAA")
    assert client.get("/show").text == "AnonymousUser []"


@rows("key", [None, "", "short", "ReplaceItWithSecretString", "please set secret keys here"])
def test_a_secret_that_others_know_signs_no_cookie(key):
    app = application(**{**STORES["cookie"], "SECRET_KEY": key})
    with Client(app) as client, pytest.raises(ValueError, match=r"SECRET_KEY|secret key"):
        client.get("/show")


def test_what_is_missing_is_named():
    with Client(application(MIDDLEWARE_CLASSES=())) as client, pytest.raises(RuntimeError, match="SessionMiddleware"):
        client.get("/show")
    needs = application(AUTH_USER_BACKEND=None, **STORES["own"])
    with Client(needs) as client, pytest.raises(LookupError, match="AUTH_USER_BACKEND"):
        client.get("/unused")
    needs = application(AUTH_USER_MODEL=None, **STORES["own"])
    with Client(needs) as client, pytest.raises(LookupError, match="AUTH_USER_MODEL"):
        client.post("/login", form=ADA)
    with pytest.raises(ImportError, match="App Engine"):
        KayApp({"AUTH_USER_BACKEND": f"{PACKAGE}.auth.backends.googleaccount.GoogleBackend"})
    with pytest.raises(ImportError, match="a class of your own"):
        from antiphon.dialects.kay.auth.models import DatastoreUser  # noqa: F401
