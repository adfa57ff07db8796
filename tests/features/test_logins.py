"""Logins that sessions keep: who is logged in, from when to when, on which devices, and who may not be."""

import time
from contextlib import ExitStack
from functools import partial
from hashlib import sha256
from typing import NamedTuple

import pytest
from itsdangerous import URLSafeSerializer

from antiphon import App, Request, Response, Signer
from antiphon.features import (
    Bearer,
    CookieStore,
    MemoryStore,
    PostgresStore,
    SessionLogin,
    Sessions,
    SQLiteStore,
    Users,
    ValkeyStore,
    login,
    login_required,
    logout,
)
from antiphon.testing import Client
from tests.helpers.handlers import in_style
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "style", "loading", "kind")

HTTPS = "https://shop.example.com"
NAME = "__Host-session"
PAGE = {"accept": "text/html"}


class User(NamedTuple):
    id: int
    name: str


ADA, BOB = User(1, "Ada"), User(2, "Bob")


ON_SERVERS = [pytest.param(kind, marks=pytest.mark.processes) for kind in ("postgres", "valkey")]


@pytest.fixture(params=["memory", "sqlite", "cookie", *ON_SERVERS])
def kind(request):
    return request.param


server_side = pytest.mark.parametrize("kind", ["memory", "sqlite", *ON_SERVERS], indirect=True)


@pytest.fixture
def store(kind, tmp_path, request):
    match kind:
        case "memory":
            return MemoryStore()
        case "sqlite":
            return SQLiteStore(tmp_path / "store.db")
        case "cookie":
            return CookieStore(["k" * 16])
        case "postgres":
            return PostgresStore(request.getfixturevalue("postgres"), timeout=30)
        case "valkey":
            return ValkeyStore(request.getfixturevalue("valkey").url, prefix=f"{tmp_path}:", timeout=30)


class Site:
    """An app with some users, in which a test says what a handler does, and browsers with cookies of their own."""

    def __init__(self, store, loading, style, interface, stack):
        self.users = {"1": ADA, "2": BOB}
        self.loaded = []
        self.app = App()
        self.app.use(Sessions(store))
        self.app.use(Users(SessionLogin(self._loader(loading)), login="login_page", blocking=loading == "blocking"))
        self._interface, self._stack = interface, stack

        def act(request: Request):
            result = self._do(request)
            return result if isinstance(result, Response) else Response.json({"result": result})

        handler = in_style(style, act)
        self.app.get("/")(handler)
        self.app.get("/account", name="account", before=login_required)(handler)
        self.app.get("/login")(login_page)

    def _loader(self, loading):
        def find(key):
            self.loaded.append(key)
            return self.users.get(key)

        return in_style("async def" if loading == "async" else "def", find)

    def browser(self):
        return self._stack.enter_context(
            Client(self.app, self._interface, base_url=HTTPS, follow_redirects=False, timeout=10.0)
        )

    def act(self, browser, do, **options):
        self._do = do
        return browser.get("/", **options)

    def name(self, browser):
        return self.act(browser, lambda request: request.user and request.user.name).json["result"]


def login_page(request: Request):
    return "Who are you?"


@pytest.fixture
def site(store, loading, style, interface):
    with ExitStack() as stack:
        stack.callback(store.close)
        yield Site(store, loading, style, interface, stack)


@pytest.fixture
def browser(site):
    return site.browser()


def as_user(user, **options):
    """A handler that logs a user in, and tells who is the user then."""

    def act(request):
        login(request, user, **options)
        return request.user.name

    return act


def as_nobody(**options):
    def act(request):
        logout(request, **options)
        return request.user

    return act


class TestALogin:
    def test_counts_at_once_and_from_then_on(self, site, browser):
        assert site.name(browser) is None
        assert site.act(browser, as_user(ADA)).json["result"] == "Ada"
        assert site.name(browser) == "Ada"
        assert site.loaded == ["1"]
        assert browser.get("/account").status == 200
        assert site.name(site.browser()) is None

    def test_ends_at_once_with_the_logout(self, site, browser):
        site.act(browser, as_user(ADA))
        response = site.act(browser, as_nobody())
        assert (response.json, response.headers["clear-site-data"]) == ({"result": None}, '"cache"')
        assert NAME not in browser.cookies
        assert site.name(browser) is None
        assert browser.get("/account", headers=PAGE).location == "/login?next=%2Faccount"

    def test_ends_with_the_data_that_the_handler_asks_the_browser_to_remove(self, site, browser):
        def act(request):
            logout(request)
            request.on_response(lambda request, response: response.headers.update({"clear-site-data": '"*"'}))

        assert "clear-site-data" not in site.act(browser, as_user(ADA)).headers
        assert site.act(browser, act).headers["clear-site-data"] == '"*"'

    def test_of_another_user_finds_nothing_of_the_first(self, site, browser):
        site.act(browser, as_user(ADA))
        site.act(browser, lambda request: request.session.update(cart=["tea"]))
        site.act(browser, as_user(ADA))
        assert site.act(browser, lambda request: request.session["cart"]).json["result"] == ["tea"]
        site.act(browser, as_user(BOB))
        assert site.name(browser) == "Bob"
        assert site.act(browser, lambda request: sorted(request.session)).json["result"] == ["_user_id"]

    def test_of_a_user_who_is_gone_is_nobody_s(self, site, browser):
        site.act(browser, as_user(ADA))
        del site.users["1"]
        assert site.name(browser) is None
        assert browser.get("/account").status == 401
        site.act(browser, as_user(BOB))
        assert site.name(browser) == "Bob"

    @server_side
    def test_has_a_key_that_nobody_knew_before(self, site, browser, store):
        site.act(browser, lambda request: request.session.update(a=1))
        planted = browser.cookies[NAME]
        attacker = site.browser()
        attacker.cookies.set(NAME, planted, secure=True)
        site.act(browser, as_user(ADA))
        assert browser.cookies[NAME] != planted
        assert site.name(attacker) is None
        (entry,) = store.owned_by("1")
        assert {**entry.data, "_login": ...} == {"a": 1, "_user_id": "1", "_login": ...}

    @pytest.mark.parametrize("kind", ["cookie"], indirect=True)
    def test_in_a_cookie_is_not_in_the_one_that_was_known_before(self, site, browser):
        site.act(browser, lambda request: request.session.update(a=1))
        attacker = site.browser()
        attacker.cookies.set(NAME, browser.cookies[NAME], secure=True)
        site.act(browser, as_user(ADA))
        assert site.name(attacker) is None

    @pytest.mark.parametrize("kind", ["cookie"], indirect=True)
    @pytest.mark.parametrize("found", [None, 1, ["1"], b"1"])
    def test_of_what_is_no_key_is_nobody_s(self, site, browser, found):
        site.act(browser, lambda request: request.session.update(_user_id=found))
        assert site.name(browser) is None
        assert site.loaded == []


class TestOtherDevices:
    @pytest.fixture
    def others(self, site, browser):
        """Ada on two devices and Bob on one."""
        phone, bobs = site.browser(), site.browser()
        for each, user in ((browser, ADA), (phone, ADA), (bobs, BOB)):
            site.act(each, as_user(user))
        return phone, bobs

    @server_side
    @pytest.mark.parametrize(
        ("act", "here", "there"),
        [
            (as_nobody(), None, "Ada"),
            (as_nobody(everywhere=True), None, None),
            (as_user(ADA), "Ada", "Ada"),
            (as_user(ADA, end_others=True), "Ada", None),
            (as_user(BOB, end_others=True), "Bob", "Ada"),
        ],
    )
    def test_are_logged_out_where_that_is_said(self, site, browser, others, act, here, there):
        assert site.act(browser, act).json["result"] == here
        assert [site.name(each) for each in (browser, others[0])] == [here, there]
        assert site.name(others[1]) == (None if here == "Bob" else "Bob")

    @pytest.mark.parametrize("kind", ["cookie"], indirect=True)
    @pytest.mark.parametrize("act", [as_nobody(everywhere=True), as_user(ADA, end_others=True)])
    def test_that_have_all_in_a_cookie_can_not_be_logged_out(self, site, browser, others, act):
        def fail(request):
            with pytest.raises(
                NotImplementedError,
                match=r"CookieStore can't .*SQLiteStore\(path\), PostgresStore\(url\) or ValkeyStore",
            ):
                act(request)

        assert site.act(browser, fail).status == 200
        assert site.name(others[0]) == "Ada"


FORGED = {
    "tampered": lambda key, store: key[:9] + ("A" if key[9] != "A" else "B") + key[10:],
    "in the other case": lambda key, store: key.swapcase(),
    "without its first character": lambda key, store: key[1:],
    "without its last character": lambda key, store: key[:-1],
    "with more behind": lambda key, store: f"{key}A",
    "with spaces inside": lambda key, store: f"{key[:9]} {key[9:]}",
    "twice": lambda key, store: key + key,
    "with 8 KB behind": lambda key, store: key + "A" * 8192,
    "8 KB": lambda key, store: "A" * 8192,
    "empty": lambda key, store: "",
    "not ASCII": lambda key, store: "\xe9\xff" + key,
    "UTF-8": lambda key, store: "☃".encode().decode("latin-1") + key,
    "a query": lambda key, store: "' or 1=1 --",
    "the hash of it": lambda key, store: sha256(key.encode()).hexdigest(),
    "of another key": lambda key, store: CookieStore(["a" * 16]).change("", {"_user_id": "1"}, ttl=1000.0).key,
    "of another purpose": lambda key, store: Signer(["k" * 16], salt="other", digest="sha1").sign({"_user_id": "1"}),
    "of no time": lambda key, store: URLSafeSerializer("k" * 16, "cookie-session").dumps({"_user_id": "1"}),
    "expired": lambda key, store: expired(store),
}


def expired(store):
    entry = store.change(store.new_key(), {"_user_id": "1"}, ttl=0.001, owner="1")
    time.sleep(0.002)
    return entry.key


class TestAForgedCookie:
    @rows("forge", FORGED.values(), ids=FORGED)
    def test_is_nobody_s_and_never_an_error(self, site, browser, store, forge):
        site.act(browser, as_user(ADA))
        forged = forge(browser.cookies[NAME], store)
        with site.browser() as attacker:
            sent = {"cookie": f"{NAME}={forged}"}
            assert site.act(attacker, lambda request: request.user, headers=sent).json == {"result": None}
            assert attacker.get("/account", headers=sent).status == 401
            assert site.act(attacker, as_nobody(), headers=sent).json == {"result": None}
            assert site.act(attacker, as_user(BOB), headers=sent).json == {"result": "Bob"}
            assert attacker.cookies[NAME] != forged
            assert site.name(attacker) == "Bob"
        assert site.name(browser) == "Ada"


class TestTheResponse:
    @pytest.mark.parametrize("known", [True, False])
    def test_depends_on_the_visitor_where_the_user_is_read(self, site, browser, known):
        if known:
            site.act(browser, as_user(ADA))
        headers = site.act(browser, lambda request: request.user and request.user.name).headers
        assert (headers["vary"], headers["cache-control"]) == ("cookie", "private")
        headers = browser.get("/account", headers=PAGE).headers
        assert "cookie" in headers["vary"]
        assert headers["cache-control"] == "private"

    @pytest.mark.parametrize("known", [True, False])
    def test_has_no_trace_where_nobody_asks_for_the_user(self, site, browser, known):
        if known:
            site.act(browser, as_user(ADA))
        for answer in (lambda request: "x", lambda request: Response("x", headers={"cache-control": "public"})):
            headers = site.act(browser, answer).headers
            assert "vary" not in headers
            assert headers.get("cache-control") in (None, "public")

    def test_of_code_that_logs_in_depends_on_no_credentials_unless_it_does(self, interface):
        app = App()
        app.use(Sessions(MemoryStore()))
        app.use(Users(SessionLogin({"1": ADA}.get)))

        @app.route("/", methods=["GET", "POST"])
        def begin(request: Request):
            if request.method == "POST":
                login(request, ADA)
            return "x"

        with Client(app, interface) as client:
            assert "vary" not in client.get("/?a=1", headers={"authorization": "Bearer x"}).headers

    def test_to_a_token_depends_on_no_cookie(self, store):
        app = App()
        app.use(Sessions(store))
        app.use(Users(Bearer({"k7Qz": ADA}.get), SessionLogin({"1": ADA}.get)))
        app.get("/")(lambda request: request.user.name)
        assert "vary" not in Client(app).get("/", headers={"authorization": "Bearer k7Qz"}).headers
        store.close()


class Other(NamedTuple):
    name: str


class TestTheKey:
    def site(self, **options):
        app = App()
        app.use(Sessions(MemoryStore()))
        app.use(Users(SessionLogin(lambda key: key, **options)))
        return app

    @rows(
        "user, options, error, match",
        (Other("ada"), {}, TypeError, r"an? Other has no `id`.*SessionLogin\(find_user, key=lambda user: user\.uuid\)"),
        ("ada", {}, TypeError, "str has no `id`"),
        (None, {}, TypeError, "NoneType has no `id`"),
        (User(None, "new"), {}, ValueError, "`id` of this User is None: save the user first"),
        (ADA, {"key": lambda user: user.id}, TypeError, "must be non-empty text: .*test_logins.* returned 1"),
        (ADA, {"key": lambda user: ""}, TypeError, "must be non-empty text"),
    )
    def test_of_nothing_is_an_error_that_names_the_fix(self, user, options, error, match):
        app = self.site(**options)

        @app.get("/")
        def log_in(request):
            with pytest.raises(error, match=match):
                login(request, user)
            return str(request.user)

        assert Client(app, base_url=HTTPS).get("/").text == "None"


class TestWhatIsMissing:
    @rows(
        "users, match",
        ([], r"app\.use\(Users\(\.\.\.\)\)"),
        ([Users(Bearer(str))], r"app\.use\(Users\(SessionLogin\(find_user\), \.\.\.\)\)"),
    )
    @rows("call", [lambda request: login(request, ADA), logout])
    def test_users_of_sessions_are_wanted(self, users, match, call):
        app = App()
        app.use(Sessions(MemoryStore()))
        for each in users:
            app.use(each)

        @app.get("/")
        def log_in(request):
            with pytest.raises(RuntimeError, match=match):
                call(request)
            return "x"

        assert Client(app).get("/").text == "x"


STORES = {"memory": MemoryStore, "cookie": partial(CookieStore, ["k" * 16])}


@rows("kind", [*STORES])
def test_each_login_begins_another_lifetime_of_the_session(kind, clock):
    app = App()
    app.use(Sessions(STORES[kind](clock=clock), idle=100, lifetime=150))
    app.use(Users(SessionLogin({"1": ADA}.get)))
    app.get("/cart")(lambda request: str(request.session.setdefault("cart", 7)))
    app.get("/login")(lambda request: login(request, ADA) or "")
    app.get("/")(lambda request: [request.user and request.user.name, sorted(request.session)])
    client = Client(app, base_url=HTTPS)
    client.get("/cart")
    logged_in = ["Ada", ["_user_id", "cart"]]
    for path, wait in (("/cart", 90), ("/login", 50), ("/", 90), ("/login", 50), ("/", 90), ("/", 59)):
        clock.now += wait
        assert client.get(path).status == 200
        assert client.get("/").json[1][-1:] == ["cart"]
    assert client.get("/").json == logged_in
    clock.now += 2
    assert client.get("/").json == [None, []]
