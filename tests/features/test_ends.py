"""The end of everything of a user, by one call, and what it must not touch."""

import asyncio
import gc
import json
import logging
import threading
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from types import SimpleNamespace
from uuid import UUID
from weakref import ref

import pytest

from antiphon import App, Request, Response, WebSocketClosed, abort
from antiphon.features import (
    APIKey,
    Basic,
    Bearer,
    CookieStore,
    MemoryStore,
    RefreshTokens,
    Runs,
    SessionLogin,
    Sessions,
    SQLiteStore,
    StoreUnavailable,
    Users,
    UserSource,
    ValkeyStore,
    login,
    login_required,
    logout,
)
from antiphon.features.ends import LONGEST_LOGIN, LOOK_EVERY, _Opened
from antiphon.features.sessions import DAY
from antiphon.features.users import TOKEN_LEEWAY
from antiphon.http.errors import BadRequest, Forbidden, ServiceUnavailable
from antiphon.testing import Client, ContractError, HandshakeRefused
from tests.helpers.rows import rows
from tests.helpers.stores import SHARED, place_of, store_at
from tests.helpers.waiting import DEADLINE, eventually

pytestmark = pytest.mark.once

NOWHERE = "redis://127.0.0.1:1"
SHOP = "https://shop.example"


def by_number(key):
    return SimpleNamespace(id=int(key))


def by_name(key):
    return SimpleNamespace(id=key)


class Shop:
    """An app in which users have all that can end. ``find`` is the loader."""

    def __init__(
        self,
        store=None,
        find=by_number,
        *,
        cookie=None,
        idle=DAY,
        header="X-API-Key",
        tokens=None,
        runs="runs",
        sources=(),
        **options,
    ):
        self.app = app = App(store=store or MemoryStore(), secret_keys=["k" * 32])
        self.find = find
        self.sessions = Sessions(cookie=cookie, idle=idle)
        self.keys = APIKey(find, header=header)
        self.tokens = tokens or RefreshTokens()
        self.runs = Runs(name=runs)
        self.users = Users(SessionLogin(find), self.keys, *sources, **options)
        for feature in (self.sessions, self.users, self.tokens, self.runs):
            app.use(feature)
        app.post("/login")(lambda request: login(request, find(request.form["who"])) or "")
        app.get("/me", before=login_required)(lambda request: repr(request.user.id))
        app.post("/logout")(lambda request: logout(request, everywhere=True) or "")

    def browser(self, who, interface="wsgi"):
        client = Client(self.app, interface, base_url="https://shop.example")
        client.post("/login", form={"who": who})
        return client

    def hold(self, who):
        """Let a user have one of each."""
        self.browser(who)
        self.keys.create(str(who))
        self.tokens.issue(str(who))
        self.runs.start(forever(), owner=self.find(who).id)

    def held(self, who):
        """Return how much a user has of each."""
        runs = self.runs.owned_by(self.find(who).id)
        return (
            len(self.sessions.owned_by(str(who))), len(self.keys.owned_by(str(who))),
            len(self.tokens.owned_by(str(who))), sum(run.state == "running" for run in runs),
        )  # fmt: skip


ENDS_OF_TESTS = [threading.Event()]


@pytest.fixture(autouse=True)
def _runs_end_with_their_test():
    """Else they write to their stores for ever, and the process does not end."""
    yield
    ended = ENDS_OF_TESTS[-1]
    ENDS_OF_TESTS.append(threading.Event())
    ended.set()


def forever():
    end = ENDS_OF_TESTS[-1]
    while not end.wait(0.02):
        yield 1


@pytest.mark.parametrize("by", ["session", "key"])
@pytest.mark.parametrize("style", ["def", "async def"])
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_all_ends_by_any_credentials(interface, by, style, kind, tmp_path):
    shop = Shop(MemoryStore() if kind == "memory" else SQLiteStore(tmp_path / "store.db"))

    async def out(request):
        logout(request, everywhere=True)
        return ""

    shop.app.post("/alogout")(out)
    shop.hold(7)
    shop.hold(8)
    thief, owner = shop.browser(7, interface), shop.browser(7, interface)
    key = shop.keys.create("7")
    assert thief.get("/me").text == "7"
    client, fields = (owner, {}) if by == "session" else (Client(shop.app, interface), {"x-api-key": key})
    assert client.post("/logout" if style == "def" else "/alogout", headers=fields).status == 200
    assert [each.get("/me").status for each in (thief, owner)] == [401, 401]
    assert (shop.held(7), shop.held(8)) == ((0, 0, 0, 0), (1, 1, 1, 1))


def test_an_administrator_gets_the_numbers():
    shop = Shop()
    for _ in range(2):
        shop.hold(7)
    assert shop.users.end(by_number(7)) == {"sessions": 2, "API keys": 2, "refresh tokens": 2, "runs": 2}
    assert shop.users.end(by_number(7)) == {"sessions": 0, "API keys": 0, "refresh tokens": 0, "runs": 0}


def test_what_cannot_end_is_told(caplog):
    app = App(store=MemoryStore())
    users = Users(Basic(lambda name, password: None), Bearer(by_number), APIKey(str))
    app.use(users)
    with caplog.at_level(logging.WARNING, "antiphon"):
        ended = users.end(7)
    assert ended == {"Basic credentials": None, "Bearer credentials": None, "API keys": None}
    assert "can't end a user's Basic credentials, Bearer credentials, API keys" in caplog.text
    assert "Users(..., revoke=function)" in caplog.text


def test_the_application_ends_what_only_it_knows(caplog):
    app, revoked = App(store=MemoryStore()), []
    users = Users(Bearer(by_number), revoke=lambda user: revoked.append(user.id) or 3)
    app.use(users)
    assert users.end(by_number(7)) == {"revoked": 3}
    assert (revoked, caplog.messages) == ([7], [])


@rows("make, told", [
    (lambda: Users(Bearer(str), revoke=lambda: 0), r"takes \(\), but is called with \(user\)"),
    (lambda: Users(Bearer(str), revoke=asyncio.sleep), "revoke"),
    (lambda: Users(Bearer(str), max_open=0), "max_open must be a number above 0, not 0"),
    (lambda: Users(Bearer(str)).end(object()), "Users.end: a object has no `id`"),
    (lambda: Users(Bearer(str)).disconnect(object()), "Users.disconnect: a object has no `id`"),
])  # fmt: skip
def test_mistakes_are_told(make, told):
    with pytest.raises((TypeError, ValueError), match=told):
        make()


def test_cookies_that_clients_keep_cannot_end():
    app = App(secret_keys=["k" * 32])
    app.use(Sessions(CookieStore(["k" * 32])))
    users = Users(SessionLogin(by_number))
    app.use(users)
    assert users.end(by_number(7)) == {"sessions": None}


@rows("interface", ["wsgi", "asgi", "rsgi"])
def test_an_outage_in_the_middle_names_what_has_ended(interface, caplog):
    shop = Shop(tokens=RefreshTokens(ValkeyStore(NOWHERE)))
    browser = shop.browser(7, interface)
    shop.keys.create("7")
    refused = browser.post("/logout")
    assert refused.status == 503
    assert "Ended: sessions, API keys, runs. Not ended: refresh tokens." in refused.json["detail"]
    assert (browser.get("/me").status, shop.keys.owned_by("7")) == (401, [])
    with pytest.raises(StoreUnavailable, match="Not ended: refresh tokens"):
        shop.users.end(by_number(7))


def test_an_error_of_the_application_stops_nothing_else(caplog):
    def revoke(user):
        raise LookupError("no table")

    shop = Shop(revoke=revoke)
    shop.hold(7)
    with pytest.raises(StoreUnavailable, match="Not ended: revoked"):
        shop.users.end(by_number(7))
    assert shop.held(7) == (0, 0, 0, 0)
    assert "no table" in caplog.text


def end_and_rest(one, who, *rest):
    for each in (who, *rest):
        one.hold(each)
    one.users.end(one.find(who))
    assert one.held(who) == (0, 0, 0, 0)
    assert [one.held(each) for each in rest] == [(1, 1, 1, 1)] * len(rest)


@rows(
    "who",
        "ann", "ann\0", "\0", "runs\0runs\0live", "api keys\0x-api-key\0ann", "kept\0requests",
        "ended users\0count", "é\1\2", "7",
)  # fmt: skip
def test_strange_ids_end_only_their_own(who):
    end_and_rest(Shop(find=by_name), who, "bob", "\0ann", "runs\0runs\0of ann", "ended users", "\1\2")


def test_numbers_texts_and_classes_are_told_apart():
    shop = Shop()
    shop.hold(1)
    runs = [shop.runs.start(forever(), owner=owner) for owner in ("1", UUID(int=1), 11)]
    shop.users.end(by_number(1))
    assert shop.held(1) == (0, 0, 0, 0)
    assert [shop.runs.find(run.id, owner=run.owner).state for run in runs] == ["running"] * 3


@rows("apart", [{"cookie": "__Host-b", "header": "X-B"}, {"store": True}])
def test_tenants_with_the_same_ids_are_apart(apart, tmp_path):
    store = MemoryStore()
    own = MemoryStore() if apart.pop("store", False) else store
    outer = App()
    one = Shop(store)
    other = Shop(own, lambda key: SimpleNamespace(id=int(key)), tokens=RefreshTokens(prefix="b"), runs="b", **apart)
    outer.mount("", one.app, host="a.example")
    outer.mount("", other.app, host="b.example")
    browsers = [Client(outer, base_url=f"https://{host}.example") for host in "ab"]
    for browser in browsers:
        browser.post("/login", form={"who": 7})
    for each in (one, other):
        each.keys.create("7")
        each.tokens.issue("7")
    assert [browser.get("/me").text for browser in browsers] == ["7", "7"]
    assert one.users.end(by_number(7)) == {"sessions": 1, "API keys": 1, "refresh tokens": 1, "runs": 0}
    assert [browser.get("/me").status for browser in browsers] == [401, 200]
    assert other.held(7) == (1, 1, 1, 0)


@rows("other, told", [
    ({"cookie": "__Host-b", "tokens": RefreshTokens(prefix="b")}, "two APIKey share a store"),
    ({"cookie": "__Host-b", "header": "X-B"}, "two RefreshTokens share a store"),
    ({"header": "X-B", "tokens": RefreshTokens(prefix="b")}, "two SessionLogin share a session"),
])  # fmt: skip
def test_tenants_that_share_credentials_are_refused(other, told):
    outer, store = App(), MemoryStore()
    for host, shop in [("a", Shop(store)), ("b", Shop(store, partial(by_number), **other))]:
        outer.mount("", shop.app, host=f"{host}.example")
    with pytest.raises(ValueError, match=told):
        Client(outer, base_url="https://a.example").get("/me")


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("how", ["end", "end_others"])
def test_a_login_under_way_comes_too_late(interface, kind, how, tmp_path, clock):
    store = MemoryStore(clock=clock) if kind == "memory" else SQLiteStore(tmp_path / "store.db", clock=clock)
    shop = Shop(store)
    begun, goes_on = threading.Event(), threading.Event()

    def slow(request):
        begun.set()
        assert goes_on.wait(DEADLINE)
        login(request, by_number(7), end_others=True)
        return ""

    shop.app.post("/slow")(slow)
    shop.app.post("/password")(lambda request: login(request, request.user, end_others=True) or "")
    browser, thief = shop.browser(7, interface), Client(shop.app, interface, base_url="https://shop.example")
    answer = []
    thread = threading.Thread(target=lambda: answer.append(thief.post("/slow")))
    thread.start()
    assert begun.wait(DEADLINE)
    clock.now -= 3600  # it is set back
    if how == "end":
        shop.users.end(by_number(7))
    else:
        assert browser.post("/password").status == 200
    goes_on.set()
    thread.join(DEADLINE)
    assert thief.get("/me").status == 401
    assert browser.get("/me").status == (401 if how == "end" else 200)
    assert shop.browser(7, interface).get("/me").text == "7"


class Late:
    """An app of a process, and a login to it that waits between the check of a password and what comes of it."""

    def __init__(self, store, way):
        self.shop = Shop(store, sources=[Basic(lambda name, password: by_number(name))])
        self.who, self.hidden = 0, []
        self.send = way(self, self.shop.app)
        self.hidden.append(login)
        self.client = Client(self.shop.app, "wsgi", base_url="https://shop.example")

    def begin(self):
        self.who += 1
        self.begun, self.goes_on = threading.Event(), threading.Event()

    def wait(self):
        self.begun.set()
        assert self.goes_on.wait(DEADLINE)

    def log_in(self, request):
        self.wait()
        login(request, by_number(self.who))

    def has_login(self):
        """Log in, and return whether that gave anything that is valid afterwards."""
        self.send(self.client)
        return sum(self.shop.held(self.who)[:3]) > 0


NEGOTIATE = {"authorization": "Negotiate YII="}


def by_path(late, app):
    app.get("/link/<token>")(lambda request: late.log_in(request) or "")
    return lambda client: client.get("/link/x")


def by_header(late, app):
    app.get("/")(lambda request: late.log_in(request) or "")
    return lambda client: client.get("/", headers={"x-user": "7"})


def by_negotiation(late, app):
    app.get("/")(lambda request: late.log_in(request) or "")
    return lambda client: client.get("/", headers=NEGOTIATE)


def in_middleware(late, app):
    @app.middleware
    def single_sign_on(request):
        late.log_in(request)
        yield

    app.get("/")(lambda request: "")
    return lambda client: client.get("/", headers=NEGOTIATE)


def before_the_handler(late, app):
    app.get("/", before=late.log_in)(lambda request: "")
    return lambda client: client.get("/")


def in_a_closure(late, app):
    app.tokens, wait = late.shop.tokens, late.wait

    def issue(request):
        wait()
        return app.tokens.issue(str(late.who))

    app.post("/")(issue)
    return lambda client: client.post("/")


def hidden(late, app):
    app.get("/")(lambda request: late.wait() or late.hidden[0](request, by_number(late.who)) or "")
    return lambda client: client.get("/")


def from_a_mounted_app(late, app):
    inner, tokens, wait = App(), late.shop.tokens, late.wait
    inner.post("/")(lambda request: wait() or tokens.issue(str(late.who)))
    app.mount("/inner", inner)
    return lambda client: client.post("/inner/")


def a_key(late, app):
    app.keys, wait = late.shop.keys, late.wait
    app.post("/")(lambda request: wait() or app.keys.create(str(late.who)))
    return lambda client: client.post("/")


def a_key_by_a_password(late, app):
    keys, wait = late.shop.keys, late.wait
    app.post("/")(lambda request: request.user and (wait() or keys.create(str(late.who))))
    return lambda client: client.post("/", headers={"authorization": f"Basic {b64encode(b'%d:' % late.who).decode()}"})


WAYS = [
    by_path, by_header, by_negotiation, in_middleware, before_the_handler, in_a_closure, hidden, from_a_mounted_app,
    a_key, a_key_by_a_password,
]  # fmt: skip


class Away(MemoryStore):
    """A store that is away for the first call of each login."""

    is_away = False

    def load(self, key):
        if self.is_away and "ended users" in key and key.endswith("last"):
            raise StoreUnavailable("Please try again.")
        return super().load(key)


@rows("way", WAYS)
def test_a_login_under_way_comes_too_late_however_it_begins(way, clock):
    """The user ends in another process, and the clock is set before and after that."""
    store = Away(clock=clock)
    late, other = Late(store, way), Shop(store)
    with ThreadPoolExecutor() as threads:
        for before, after in [(0, 0), (-5, 0), (0, 300), (300, -300), (-300, 0)] * 2:
            late.begin()
            store.is_away = late.who % 2 == 0
            logging_in = threads.submit(late.has_login)
            assert late.begun.wait(DEADLINE)
            store.is_away = False
            clock.now += before
            other.users.end(by_number(late.who))
            clock.now += after
            late.goes_on.set()
            assert not logging_in.result()
            if way is from_a_mounted_app:  # which does not note when a request begins
                clock.now += LONGEST_LOGIN + 300
            assert any(late.has_login() for _ in range(2))  # the first one may have to be repeated


def check_in_a_hook(app, check):
    app.before_request(check)


def check_in_middleware(app, check):
    @app.middleware
    def checking(request):
        check(request)
        yield


@rows("check_in", [check_in_a_hook, check_in_middleware])
def test_a_user_who_ends_after_the_password_was_checked_gets_no_token(check_in, interface):
    """The code that checks the password leads to no login: another part of the app makes the token."""
    app = App(store=MemoryStore(), secret_keys=["k" * 32])
    users, tokens = Users(Bearer(by_number)), RefreshTokens()
    app.use(users)
    app.use(tokens)

    def check(request):
        users.end(by_number(7))  # as another process does right after the check

    check_in(app, check)
    app.post("/tokens")(lambda request: tokens.issue("7"))
    assert Client(app, interface).post("/tokens").status == 401
    assert tokens.owned_by("7") == []


@rows("step", [-5, -3600, 5, 300])
def test_a_clock_that_is_set_after_an_end_locks_nobody_out(step, clock):
    shop = Shop(MemoryStore(clock=clock))
    shop.users.end(by_number(7))
    clock.now += step
    assert shop.browser(7).get("/me").text == "7"
    visitor = Client(shop.app, base_url="https://shop.example")
    visitor.login(by_number(7))
    assert visitor.get("/me").text == "7"


@pytest.mark.axes("interface")
@pytest.mark.parametrize("how", ["end", "disconnect"])
@pytest.mark.parametrize("interface", ["asgi", "rsgi"])
def test_a_stream_that_begins_during_the_end_does_not_survive(interface, how):
    """The credentials, or a role, are checked, and taken away, before anything knows of the stream."""
    shop = Shop()
    checked, goes_on = threading.Event(), threading.Event()

    async def endless(request):
        assert request.user.id == 7
        checked.set()
        await asyncio.to_thread(goes_on.wait, DEADLINE)

        async def source():
            while True:
                yield b"."
                await asyncio.sleep(0.02)

        return Response(source())

    shop.app.get("/endless", before=login_required)(endless)
    browser = shop.browser(7, interface)
    over = threading.Event()

    def read():
        with suppress(ContractError), browser.stream("GET", "/endless") as answer:  # it is cut off
            for _ in answer:
                pass
        over.set()

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    assert checked.wait(DEADLINE)
    getattr(shop.users, how)(by_number(7))
    goes_on.set()
    assert over.wait(DEADLINE)


class Counting(MemoryStore):
    """A store that counts how often the number of the last end is read."""

    count = 0

    def load(self, key):
        self.count += "ended users" in key and key.endswith("last")
        return super().load(key)


def test_only_logins_pay_for_the_ends_of_users(interface):
    store = Counting()
    shop = Shop(store)
    app, keys, tokens = shop.app, shop.keys, shop.tokens
    app.get("/")(lambda request: "hello")
    app.post("/me", before=login_required)(lambda request: "")
    app.post("/key", before=login_required)(lambda request: keys.create("7"))
    app.post("/issue")(lambda request: tokens.issue("7"))
    app.get("/link")(lambda request: login(request, by_number(7)) or "")
    app.get("/link/<token>")(lambda request: login(request, by_number(7)) or str(request.app)[:0])
    app.get("/page/<name>")(lambda request: getattr(request, "path"))  # noqa: B009 - code that can't be followed
    browser = shop.browser(7, interface)

    def cost(method, path):
        before = store.count
        assert browser.request(method, path).status == 200
        return store.count - before

    free = [
        ("GET", "/"), ("GET", "/?a=1"), ("GET", "/me?a=1"), ("POST", "/me"), ("POST", "/key"), ("GET", "/link"),
        ("GET", "/page/a"),
    ]  # fmt: skip
    assert [cost(*each) for each in free] == [0] * len(free)
    assert [cost(*each) for each in [("POST", "/issue"), ("GET", "/link?token=x"), ("GET", "/link/x")]] == [1] * 3


def test_what_has_ended_by_itself_is_forgotten():
    shop = Shop()

    async def source():
        yield b"."

    async def short(request):
        return Response(source())

    shop.app.get("/short", before=login_required)(short)
    browser = shop.browser(7, "asgi")
    ends = shop.users._ending.of(shop.app)
    for _ in range(10):
        assert browser.get("/short").text == "."
    eventually(lambda: not any([*ends._open.values()]) or None, "streams are kept")
    eventually(lambda: ends._watched_in is None or None, "nothing is open, and is watched")


def test_a_request_that_has_ended_is_freed_while_another_is_open():
    shop, seen = Shop(), []

    async def source():
        yield b"."
        await asyncio.sleep(DEADLINE if len(seen) > 1 else 0)

    @shop.app.get("/stream", before=login_required)
    async def stream(request):
        await asyncio.sleep(0)
        seen.append(ref(request))
        return Response(source())

    browser, ends = shop.browser(7, "asgi"), shop.users._ending.of(shop.app)
    assert browser.get("/stream").text == "."
    with browser.stream("GET", "/stream") as still_open:
        assert next(iter(still_open)) == b"."
        eventually(lambda: ends._tasks or None, "what is open is not watched")
        eventually(lambda: gc.collect() < 0 or seen[0]() is None or None, "the first request is kept")


def test_a_file_and_an_anonymous_stream_are_left_alone(tmp_path):
    shop = Shop()
    (tmp_path / "file").write_bytes(b"x" * 300_000)
    shop.app.get("/file", before=login_required)(lambda request: Response.file(tmp_path / "file"))
    shop.app.get("/open")(lambda request: Response(iter([b"a", b"b"])))
    browser = shop.browser(7, "wsgi")
    assert len(browser.get("/file").body) == 300_000
    assert Client(shop.app, "wsgi").get("/open").text == "ab"
    assert shop.users._ending.of(shop.app)._open == {}


@pytest.mark.axes("interface")
def test_a_stream_that_middleware_returns_before_the_session_is_read(tmp_path, interface):
    app = App(store=SQLiteStore(tmp_path / "db"), secret_keys=["k" * 32])
    app.use(Sessions())
    app.use(Users(SessionLogin(by_name)))

    @app.middleware
    async def early(request):
        async def chunks():
            yield "early"

        yield Response.stream(chunks()) if "early" in request.args else None

    @app.post("/login")
    async def log_in(request):
        login(request, by_name("ann"))
        return "in"

    @app.get("/")
    async def page(request):
        return request.user.id

    client = Client(app, interface)
    assert [client.post("/login").text, client.get("/").text, client.get("/?early=1").text] == ["in", "ann", "early"]


def follow(client, kind, received):
    """Add what a stream or a socket sends, and None once it is over."""
    with suppress(ContractError, WebSocketClosed, ConnectionError):
        if kind == "stream":
            with client.stream("GET", "/endless") as answer:
                for chunk in answer:
                    received.append(chunk)
        else:
            with client.websocket("/socket") as socket:
                while True:
                    received.append(socket.receive())
    received.append(None)


def serve_endless(shop):
    ended = ENDS_OF_TESTS[-1]
    shop.app.post("/out")(lambda request: logout(request) or "")
    shop.app.post("/clear")(lambda request: request.session.clear() or "")
    shop.app.post("/other")(lambda request: login(request, by_number(8)) or "")
    shop.app.post("/alone")(lambda request: request.session.rotate(end_others=True) or "")

    @shop.app.get("/endless", before=login_required)
    def endless(request):
        if "x-as" in request.headers:
            shop.users.become(request, by_number(request.headers["x-as"]))

        def source():
            while not ended.wait(0.02):
                yield b"."

        return Response(source())

    @shop.app.websocket("/socket", before=login_required)
    async def feed(request, socket):
        while not ended.is_set():
            await socket.send(".")
            await asyncio.sleep(0.02)

    return shop


def opened(shop, headers, interface="asgi", kind="stream"):
    """Open a stream or a socket, and return what it receives, with None once it is over."""
    client, received = Client(shop.app, interface, base_url=SHOP, headers=headers), []
    threading.Thread(target=follow, args=(client, kind, received), daemon=True).start()
    eventually(lambda: received or None, "nothing is received")
    return received


def check_goes_on(received):
    seen = len(received)
    eventually(lambda: len(received) > seen or None, "it has ended")
    assert None not in received


def check_ends(received):
    eventually(lambda: received[-1] is None or None, "it goes on")


def with_cookie(shop, who="7"):
    """Log in, and return the header fields of that session."""
    logged_in = Client(shop.app, base_url=SHOP).post("/login", form={"who": who})
    return {"cookie": logged_in.headers["set-cookie"].partition(";")[0]}


@rows("by", [{}, {"x-as": "8"}])
def test_who_acts_as_another_ends_with_either(by, tmp_path):
    one, other = (serve_endless(Shop(SQLiteStore(tmp_path / "store.db"))) for _ in range(2))
    for who in 7, 8:
        received, of_other = opened(other, {**with_cookie(one), **by}), opened(other, with_cookie(one, "9"))
        one.users.end(by_number(who))
        check_ends(received) if by or who == 7 else check_goes_on(received)
        check_goes_on(of_other)


@rows(
    "interface, kind",
    [("asgi", "stream"), ("asgi", "socket"), ("rsgi", "stream"), ("rsgi", "socket"), ("wsgi", "stream")],
)
def test_a_logout_ends_only_what_its_session_opened_in_another_process(interface, kind, tmp_path):
    """Two applications with a file each have their own listener, as processes do."""
    one, other = (serve_endless(Shop(SQLiteStore(tmp_path / "store.db"))) for _ in range(2))
    phone, laptop = with_cookie(one), with_cookie(one)
    of_phone, of_laptop = (opened(other, each, interface, kind) for each in (phone, laptop))
    client = Client(one.app, base_url=SHOP)
    assert client.post("/out", headers=phone).status == 200
    check_ends(of_phone)
    check_goes_on(of_laptop)
    assert client.post("/out", headers=laptop).status == 200
    check_ends(of_laptop)


@rows(
    "interface, kind",
    [("asgi", "stream"), ("asgi", "socket"), ("rsgi", "stream"), ("rsgi", "socket"), ("wsgi", "stream")],
)
@rows("by", ["session", "key"])
def test_a_lost_role_closes_what_is_open_in_another_process_and_logs_nobody_out(interface, kind, by, tmp_path):
    one, other = (serve_endless(Shop(SQLiteStore(tmp_path / "store.db"))) for _ in range(2))
    roles = {7: "manager", 8: "manager"}
    for shop in (one, other):
        shop.app.before_request(lambda request: abort(403) if roles.get(getattr(request.user, "id", 0)) == "" else None)
    ann, bob = ({"x-api-key": one.keys.create(who)} if by == "key" else with_cookie(one, who) for who in "78")
    of_ann, of_bob = (opened(other, each, interface, kind) for each in (ann, bob))
    until_checked = 2 * LOOK_EVERY if (interface, kind, by) == ("asgi", "socket", "key") else 0
    time.sleep(until_checked)
    roles[7] = ""
    one.users.disconnect(by_number(7))
    check_ends(of_ann)
    check_goes_on(of_bob)
    client = Client(other.app, interface, base_url=SHOP, headers=ann)
    assert client.get("/endless").status == 403
    roles[7] = "customer"
    assert client.get("/me").text == "7"
    again = opened(other, ann, interface, kind)
    time.sleep(until_checked)
    check_goes_on(again)


@rows(
    "interface, kind",
    [("asgi", "stream"), ("asgi", "socket"), ("rsgi", "stream"), ("rsgi", "socket"), ("wsgi", "stream")],
)
@rows("by", ["session", "key", "address"])
def test_a_user_and_an_address_without_one_have_a_limited_number_of_streams_and_sockets(caplog, interface, kind, by):
    caplog.clear()
    shop, ended = Shop(max_open=3), []
    before = login_required if by != "address" else lambda request: None if request.user is None else abort(403)

    @shop.app.get("/endless", before=before)
    async def endless(request):
        async def source():
            try:
                while True:
                    yield b"."
                    await asyncio.sleep(0.02)
            finally:
                ended.append(request)

        return Response(source())

    @shop.app.websocket("/socket", before=before)
    async def feed(request, socket):
        try:
            async for message in socket:
                await socket.send(message)
        finally:
            ended.append(request)

    path = "/endless" if kind == "stream" else "/socket"
    with ExitStack() as every:

        def open_one(who):
            """Open one as a user, with credentials of its own, or at an address. Return what leaves, or the refusal."""
            proof = {"x-api-key": shop.keys.create(who)} if by == "key" else with_cookie(shop, who)
            proof, address = ({}, f"192.0.2.{who}") if by == "address" else (proof, "192.0.2.1")
            client = Client(shop.app, interface, base_url=SHOP, headers=proof, client=(address, 50000))
            opened = ExitStack()
            try:
                if kind == "socket":
                    opened.enter_context(client.websocket(path)).send("x")
                elif (response := opened.enter_context(client.stream("GET", path))).status != 200:
                    opened.close()
                    return response
            except HandshakeRefused as refused:
                return refused.response
            every.callback(opened.close)
            return opened.close

        leave, *_ = [open_one("7") for _ in range(3)]
        refused = open_one("7")
        assert refused.status == 429
        if kind == "socket":
            eventually(lambda: ended or None, "the handler that was refused goes on")
        assert callable(open_one("8"))
        before = len(ended)
        leave()
        eventually(lambda: len(ended) > before or None, "the client has not left")
        assert callable(eventually(lambda: each if callable(each := open_one("7")) else None, "there is no room"))
        assert open_one("7").status == 429
    (warning,) = [each.getMessage() for each in caplog.records if "3 open streams" in each.getMessage()]
    assert ("declare it if it is a proxy" in warning) == (by == "address")


def by_session(path):
    def way(shop, who):
        phone = with_cookie(shop, who)
        return phone, lambda: Client(shop.app, base_url=SHOP).post(path, headers=phone)

    return way


def by_acting(end):
    """Let an administrator act as user 8, in a session or in one request."""

    def way(shop, who):
        administrator = with_cookie(shop, who)
        if end == "/out":
            return {**administrator, "x-as": "8"}, lambda: Client(shop.app, base_url=SHOP).post(
                end, headers=administrator
            )
        as_other = Client(shop.app, base_url=SHOP).post("/other", headers=administrator).headers["set-cookie"]
        return {"cookie": as_other.partition(";")[0]}, lambda: shop.sessions.delete_owned(who)

    return way


def by_the_last_key(shop, who):
    key = shop.keys.create(who)
    return {"x-api-key": key}, lambda: shop.keys.delete_owned(who, only=shop.keys.owned_by(who)[-1].id)


def by_token(end):
    def way(shop, who):
        token = shop.tokens.issue(who)
        return {"authorization": f"Bearer {who}"}, lambda: end(shop.tokens, token)

    return way


def a_device_is_deleted(shop, who):
    return by_token(lambda tokens, _: tokens.delete_owned(who))(shop, who)


def steal(tokens, first):
    tokens.rotate(tokens.rotate(first).token)
    with pytest.raises(BadRequest):
        tokens.rotate(first)


def until(seconds, who):
    """Return a JSON Web Token that ends then, as far as it can be read."""
    claims = json.dumps({"exp": time.time() - TOKEN_LEEWAY + seconds})
    return f"{who}.{b64encode(claims.encode()).decode()}.x"


SOON = 3.0
WAYS_TO_END = {
    "a session is cleared": by_session("/clear"),
    "another user logs in": by_session("/other"),
    "a session is deleted": lambda shop, who: (with_cookie(shop, who), lambda: shop.sessions.delete_owned(who)),
    "the others of a session end": lambda shop, who: (with_cookie(shop, who), by_session("/alone")(shop, who)[1]),
    "the session of who acts as another is cleared": by_acting("/out"),
    "the sessions of who has logged in as another are deleted": by_acting("deleted"),
    "an API key is deleted": by_the_last_key,
    "a refresh token is revoked": by_token(RefreshTokens.revoke),
    "a refresh token is stolen": by_token(steal),
    "a device is deleted": a_device_is_deleted,
    "an API key expires": lambda shop, who: ({"x-api-key": shop.keys.create(who, ttl=SOON)}, lambda: None),
    "a token expires": lambda shop, who: ({"authorization": f"Bearer {until(SOON, who)}"}, lambda: None),
}


def test_the_end_of_credentials_ends_only_what_they_opened_in_another_process(tmp_path):
    sources = [Bearer(lambda token: by_number(token.partition(".")[0]))]
    one, other = (serve_endless(Shop(SQLiteStore(tmp_path / "store.db"), sources=sources)) for _ in range(2))
    seen, every = {}, []
    for number, (name, way) in enumerate(WAYS_TO_END.items(), 10):
        of_laptop = opened(other, {"x-api-key": one.keys.create(str(number))})
        phone, end = way(one, str(number))
        seen[name] = opened(other, phone), of_laptop
        every.append(end)
    for end in every:
        end()
    with suppress(TimeoutError):
        eventually(lambda: all(of_phone[-1] is None for of_phone, _ in seen.values()) or None, "something goes on")
    assert [name for name, (of_phone, _) in seen.items() if of_phone[-1] is not None] == []
    for _, of_laptop in seen.values():
        check_goes_on(of_laptop)


@pytest.mark.processes
@rows("kind", ["memory", *SHARED])
def test_another_login_in_a_session_ends_nothing_until_its_logout(kind, request, tmp_path):
    store = MemoryStore() if kind == "memory" else store_at(place_of(kind, request, tmp_path))
    shop = serve_endless(Shop(store))
    phone, laptop = (Client(shop.app, base_url=SHOP, headers=with_cookie(shop)) for _ in range(2))
    of_phone = opened(shop, {"cookie": phone.headers["cookie"]})
    again = phone.post("/login", form={"who": 7}).headers["set-cookie"].partition(";")[0]
    assert laptop.post("/out").status == 200
    time.sleep(2.5 * LOOK_EVERY)
    check_goes_on(of_phone)
    assert Client(shop.app, base_url=SHOP, headers={"cookie": again}).post("/out").status == 200
    check_ends(of_phone)


def test_a_session_that_is_not_used_ends_what_it_has_opened():
    shop = serve_endless(Shop(MemoryStore(), idle=SOON))
    fields = with_cookie(shop)
    used, unused = opened(shop, fields), opened(shop, with_cookie(shop))
    client = Client(shop.app, base_url=SHOP, headers=fields)

    def has_ended():
        assert client.get("/me").status == 200  # which renews that session
        return unused[-1] is None or None

    eventually(has_ended, "it goes on")
    check_goes_on(used)


def test_a_key_is_made_in_the_request_that_logs_in_a_visitor():
    shop = Shop()
    shop.app.post("/visit")(lambda request: request.session.update({"cart": 1}) or "")
    shop.app.post("/both")(lambda request: login(request, by_number(7)) or shop.keys.create("7"))
    visitor = Client(shop.app, base_url=SHOP)
    assert [visitor.post(path).status for path in ("/visit", "/both", "/both")] == [200] * 3


def test_a_refresh_token_ends_what_a_user_who_is_a_text_has_opened():
    app, tokens = App(store=MemoryStore()), RefreshTokens()
    app.use(Users(Bearer(lambda token: "ann")))
    app.use(tokens)
    shop = serve_endless(SimpleNamespace(app=app))
    token, received = tokens.issue("ann"), opened(shop, {"authorization": "Bearer x"})
    tokens.revoke(token)
    check_ends(received)


@rows(
    "interface, style, raised",
    [
        ("asgi", "def", None), ("asgi", "def", ServiceUnavailable), ("asgi", "def", Forbidden),
        ("asgi", "async def", None), ("wsgi", "async def", None),
    ],
)  # fmt: skip
def test_a_user_who_is_no_longer_found_loses_what_is_open(interface, style, raised, monkeypatch):
    """While one loader waits, the other's users are checked. Async ones are called on one loop."""
    monkeypatch.setattr("antiphon.features.ending.RENEWED_FOR", 0.1)
    known, loops, is_slow, goes_on = {"x", "y"}, set(), threading.Event(), threading.Event()

    def find(name):
        if name not in known and raised:
            raise raised
        return "ann" if name in known else None

    async def afind(token):
        loops.add(asyncio.get_running_loop())
        return find(token)

    def check(name, password):
        if is_slow.is_set():
            goes_on.wait(DEADLINE)
        return find(name)

    async def acheck(name, password):
        while is_slow.is_set() and not goes_on.is_set():
            await asyncio.sleep(0.02)
        return find(name)

    outage, app = raised is ServiceUnavailable, App(store=MemoryStore())
    app.use(Users(*(Bearer(find), Basic(check)) if style == "def" else (Bearer(afind), Basic(acheck))))
    shop = serve_endless(SimpleNamespace(app=app))
    revoked, other = (opened(shop, {"authorization": f"Bearer {token}"}, interface) for token in "xy")
    slow = opened(shop, {"authorization": f"Basic {b64encode(b'x:').decode()}"}, interface)
    time.sleep(1.5 * LOOK_EVERY)
    known.clear() if outage else known.remove("x")
    is_slow.set()
    if outage:
        time.sleep(1.5 * LOOK_EVERY)
        check_goes_on(revoked)
    else:
        check_ends(revoked)
        check_goes_on(slow)
    goes_on.set()
    check_goes_on(slow) if outage else check_ends(slow)
    check_goes_on(other)
    assert len(loops) <= (3 if interface == "asgi" else 1)  # one of each client


async def aleave(token):
    raise SystemExit


def leave(token):
    raise SystemExit


class Failing(Bearer):
    def credentials(self, request):
        raise LookupError("no header")


@rows("source", [Failing(str), Bearer(leave), Bearer(aleave)])
def test_a_source_that_fails_is_asked_again(caplog, source):
    class Stream:
        loop = None

    stream, request = Stream(), Request.blank("/", headers={"authorization": "Bearer x"})
    opened = _Opened(ref(stream), ref(request), "7", None)
    opened.is_asked = True
    asyncio.run(opened.ask_again([source], {}, 60.0))
    assert not opened.is_asked
    assert opened.checked_at < float("inf")
    asyncio.run(opened.ask_again([source], {}, 60.0))
    assert caplog.text.count("whether the user of open streams is still found can't be told") == 1


class OwnKey(UserSource):
    header, header_is_secret = "X-Own-Key", True

    def credentials(self, request):
        key = request.headers.get("x-own-key")
        return None if key is None else (key,)


BY_SOURCE = {  # what is sent, for each kind of credentials
    "session": lambda shop: with_cookie(shop, "7"),
    "API key": lambda shop: {"x-api-key": shop.keys.create("7")},
    "own source": lambda shop: {"x-own-key": "7"},
    "token": lambda shop: {"authorization": "Bearer 7"},
}


def test_a_user_who_leaves_the_table_loses_what_is_open_by_any_credentials(monkeypatch):
    """The loader finds empty text then, which is nobody; that it finds None, another test shows."""
    monkeypatch.setattr("antiphon.features.ending.RENEWED_FOR", 0.1)
    users = {"7": by_number("7"), "8": by_number("8")}
    find = lambda key: users.get(key, "")  # noqa: E731
    shop = serve_endless(Shop(find=find, sources=[OwnKey(find), Bearer(find)]))
    every = {kind: opened(shop, send(shop)) for kind, send in BY_SOURCE.items()}
    other = opened(shop, {"x-own-key": "8"})
    time.sleep(1.5 * LOOK_EVERY)
    for received in every.values():
        check_goes_on(received)
    del users["7"]
    for received in every.values():
        check_ends(received)
    check_goes_on(other)
