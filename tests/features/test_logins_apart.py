"""Two kinds of users: the login of one is never that of the other, whoever shares a store or a cookie."""

import pytest

from antiphon import App, Dependency
from antiphon.features import (
    Bearer,
    CookieStore,
    MemoryStore,
    SessionLogin,
    Sessions,
    SQLiteStore,
    Users,
    ValkeyStore,
    login,
)
from antiphon.testing import Client
from tests.helpers.rows import rows

HTTPS = "https://shop.example.com"
KEYS = ["k" * 16], ["n" * 16, "k" * 16], ["o" * 16]
Admin = Dependency[str | None]("admin")
VISITORS, ADMINS = {"7": "visitor 7"}, {"7": "admin 7"}


def login_of(people):
    return SessionLogin(people.get, key=lambda _: "7")


def shop(store, people, cookie=None):
    app = App()
    app.use(Sessions(store, cookie=cookie))
    app.use(Users(login_of(people)))
    app.get("/login")(lambda request: login(request, people["7"]) or "Hello")
    app.get("/")(lambda request: {"user": request.user})
    return app


def test_a_second_login_in_one_app_is_refused():
    app = shop(MemoryStore(), VISITORS)
    with pytest.raises(ValueError, match=r"two SessionLogin.*Sessions\(store, cookie="):
        app.use(Users(login_of(ADMINS), dependency=Admin))


def test_one_login_may_serve_in_two_features():
    people, app = login_of(VISITORS), App()
    app.use(Sessions(MemoryStore()))
    app.use(Users(people))
    app.use(Users(Bearer(VISITORS.get), people, dependency=Admin))
    assert Client(app, "asgi").get("/").status == 404


def below_and_above(outer, inner):
    outer.mount("/admin", inner)
    return outer


def side_by_side(outer, inner):
    app = App()
    app.mount("/shop", outer)
    app.mount("", inner, host="admin.example.com")
    return app


@rows("mounted", [below_and_above, side_by_side])
@rows("stores", ["memory", "sqlite", "valkey", "cookie"])
def test_apps_that_share_a_session_share_their_users(mounted, stores, tmp_path):
    memory = MemoryStore()
    make = {
        "memory": lambda number: memory,
        "sqlite": lambda number: SQLiteStore(tmp_path / "sessions.db"),
        "valkey": lambda number: ValkeyStore("redis://127.0.0.1:1", prefix="shop:"),
        "cookie": lambda number: CookieStore(KEYS[number]),
    }[stores]
    app = mounted(shop(make(0), VISITORS), shop(make(1), ADMINS))
    with pytest.raises(ValueError, match="share a session"):
        Client(app, "asgi").get("/")
    app = mounted(shop(make(0), VISITORS), shop(make(1), VISITORS))
    assert Client(app, "asgi").get("/nowhere").status == 404


def test_signed_cookies_are_told_apart_by_their_keys_alone():
    app = below_and_above(shop(CookieStore(KEYS[0]), VISITORS), shop(CookieStore(KEYS[0]), ADMINS, cookie="admin"))
    with pytest.raises(ValueError, match="share a session"):
        Client(app, "asgi").get("/")
    app = below_and_above(shop(CookieStore(KEYS[0]), VISITORS), shop(CookieStore(KEYS[2]), ADMINS, cookie="admin"))
    assert Client(app, "asgi").get("/nowhere").status == 404


@rows("stores", ["one", "two"])
def test_the_session_of_one_cookie_is_none_of_another(stores):
    store = MemoryStore()
    outer = shop(store, VISITORS)
    outer.mount("/admin", shop(store if stores == "one" else MemoryStore(), ADMINS, cookie="__Host-admin"))
    client = Client(outer, "asgi", base_url=HTTPS)
    client.get("/login")
    client.cookies.set("__Host-admin", client.cookies["__Host-session"], secure=True)
    assert client.get("/").json == {"user": "visitor 7"}
    assert client.get("/admin/").json == {"user": None}
    client.get("/admin/login")
    assert client.get("/admin/").json == {"user": "admin 7"}
    client.cookies.set("__Host-session", client.cookies["__Host-admin"], secure=True)
    assert client.get("/").json == {"user": None}


def test_one_who_logs_out_everywhere_ends_no_session_of_the_other_users():
    store = MemoryStore()
    staff = Sessions(store, cookie="__Host-staff")
    apps = []
    for sessions, people in ((Sessions(store), VISITORS), (staff, ADMINS)):
        app = App()
        app.use(sessions)
        app.use(Users(login_of(people)))
        app.get("/login")(lambda request, people=people: login(request, people["7"]) or "Hello")
        app.get("/end")(lambda request: request.session.clear(everywhere=True) or "Goodbye")
        app.get("/")(lambda request: {"user": request.user})
        apps.append(app)
    visitor, admin, again = (Client(app, base_url=HTTPS) for app in (*apps, apps[1]))
    for client in (visitor, admin, again):
        client.get("/login")
    assert len(staff.owned_by("7")) == 2
    assert len(store.owned_by("7")) == 1
    assert admin.get("/end").text == "Goodbye"
    assert again.get("/").json == {"user": None}
    assert visitor.get("/").json == {"user": "visitor 7"}
    admin.get("/login")
    [session] = staff.owned_by("7")
    assert staff.delete_owned("7", only=session.id) == 1
    assert admin.get("/").json == {"user": None}
    assert visitor.get("/").json == {"user": "visitor 7"}
