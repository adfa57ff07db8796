"""Users by their credentials, and pages that are for them alone."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import App, Blueprint, Dependency, HTTPError, Request, abort, current_request
from antiphon.features import (
    Basic,
    Bearer,
    MemoryStore,
    RateLimit,
    SessionLogin,
    Sessions,
    Users,
    UserSource,
    is_same_secret,
    login,
    login_required,
    logout,
)
from antiphon.http import Authorization
from antiphon.testing import Client, LifespanError
from tests.helpers.handlers import in_style
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.axes("interface", "style", "loading")]

ADA = {"authorization": str(Authorization.basic("ada", "an oboe: in the rain"))}
NOT_VALID = "The credentials in the Authorization header are not valid."
BOB = {"authorization": "Bearer k7Qz"}
BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def sources(calls, loading="sync"):
    def by_password(name, password):
        calls.append((name, password))
        return name if is_same_secret(password, "an oboe: in the rain") else None

    def by_token(token):
        calls.append(token)
        return {"k7Qz": "bob"}.get(token)

    style = "async def" if loading == "async" else "def"
    return Basic(in_style(style, by_password), realm="shop"), Bearer(in_style(style, by_token), realm="shop")


def make_app(loading="sync", style="def", *, login=None, calls=None):
    app = App()
    app.use(Users(*sources([] if calls is None else calls, loading), login=login, blocking=loading == "blocking"))

    def whoami(request: Request):
        return {"user": request.user}

    handler = in_style(style, whoami)
    app.get("/", name="home")(handler)
    app.get("/account", name="account", before=login_required)(handler)
    app.post("/account", name="change", before=login_required)(handler)

    @app.get("/login")
    def login_page(request):
        return "Who are you?"

    app.post("/login", name="log_in")(login_page)
    return app


class TestTheUser:
    @rows(
        "headers, user",
        ({}, None), (ADA, "ada"), (BOB, "bob"), ({"authorization": "bearer k7Qz"}, "bob"),
        ({"authorization": "Bearer other"}, None), ({"authorization": str(Authorization.basic("ada", "guess"))}, None),
        ({"authorization": "Basic ????"}, None), ({"authorization": "Bearer"}, None),
        ({"authorization": 'Digest username="ada"'}, None), ({"authorization": "\xff"}, None),
    )  # fmt: skip
    def test_is_whose_credentials_are_right(self, interface, style, loading, headers, user):
        with Client(make_app(loading, style), interface) as client:
            assert client.get("/", headers=headers).json == {"user": user}
            assert client.get("/account", headers=headers).status == (401 if user is None else 200)

    def test_is_looked_for_once_and_only_with_credentials(self, loading):
        calls = []
        client = Client(make_app(loading, calls=calls))
        client.get("/account")
        assert calls == []
        client.get("/account", headers=BOB)
        assert calls == ["k7Qz"]

    @rows(
        "hook, fix",
        (login_required, '@app.get("/", before=login_required)'),
        (RateLimit("5/minute"), '@app.get("/", before=RateLimit("5/minute"))'),
    )
    def test_is_no_decorator_and_says_how_it_is_given(self, hook, fix):
        def handled(request): ...

        for handler in (handled, App().get("/")(handled)):
            with pytest.raises(TypeError, match=re.escape(fix)) as raised:
                hook(handler)
            assert raised.value.__notes__ == ["To read more: antiphon explain hook-as-decorator"]


class TestUnauthorizedWithoutAChallenge:
    def test_has_those_of_the_users(self, interface, style, loading):
        app = make_app(loading, style)

        @app.get("/refused")
        def refused(request: Request):
            abort(401, "This token is too old.")

        with Client(app, interface) as client:
            for headers in ({}, BOB, {"authorization": "Bearer other"}):
                answer = client.get("/refused", headers=headers)
                assert (answer.status, answer.json["detail"]) == (401, "This token is too old.")
                token = 'Bearer realm="shop"' + (', error="invalid_token"' if headers else "")
                assert answer.headers["www-authenticate"] == f'Basic realm="shop", charset="UTF-8", {token}'

    def test_has_one_although_the_source_of_users_fails_to_give_it(self, interface, caplog):
        class Key(UserSource):
            def credentials(self, request):
                return None

            def challenge(self, request):
                raise OSError("the disk is full")

        app = App()
        app.use(Users(Key(lambda key: None)))
        app.get("/")(lambda request: abort(401))
        with Client(app, interface) as client:
            assert client.get("/").headers["www-authenticate"] == "Bearer"
        assert "the disk is full" in caplog.text


class TestLoginRequired:
    def test_challenges_programs(self, interface, loading):
        with Client(make_app(loading, login="login_page"), interface) as client:
            for accept in ("*/*", "application/json", "image/*"):
                response = client.get("/account", headers={"accept": accept})
                assert response.status == 401
                assert response.headers["www-authenticate"] == (
                    'Basic realm="shop", charset="UTF-8", Bearer realm="shop"'
                )
            refused = client.get("/account", headers={"authorization": "Bearer other"})
            assert 'error="invalid_token"' in refused.headers["www-authenticate"]
            assert "other" not in refused.text + refused.headers["www-authenticate"]

    def test_leads_browsers_to_the_login_page_with_the_way_back(self, interface, style):
        with Client(make_app(style=style, login="login_page"), interface, follow_redirects=False) as client:
            response = client.get("/account?page=2&a=%26", headers=BROWSER)
            assert (response.status, response.location) == (303, "/login?next=%2Faccount%3Fpage%3D2%26a%3D%2526")
            assert "accept" in response.headers["vary"].lower()
            assert client.post("/account", headers=BROWSER).location == "/login"
            assert client.get(f"/account?{'a' * 3000}", headers=BROWSER).location == "/login"

    @pytest.mark.parametrize(
        ("login", "said"),
        [("log_inn", r"login='log_inn'\): .* did you mean 'log_in'"), ("zzz", "no route is named 'zzz'")],
    )
    def test_a_login_page_that_is_no_route_is_an_error_at_the_start(self, interface, login, said):
        with (
            pytest.raises((LookupError, LifespanError), match=said),
            Client(make_app(login=login), interface) as client,
        ):
            client.get("/")

    def test_challenges_browsers_where_there_is_no_login_page(self):
        assert Client(make_app()).get("/account", headers=BROWSER).status == 401

    def test_is_for_blueprints_and_apps_too_and_leaves_out_the_login_page(self, interface):
        app = make_app(login="shop.enter")
        shop = Blueprint("shop", prefix="/shop")
        shop.get("/enter", name="enter")(lambda request: "Who are you?")
        shop.post("/enter", name="check")(lambda request: "Hello.")
        shop.get("/orders")(lambda request: "three")
        shop.before_request(login_required)
        app.register(shop)
        outer = App()
        outer.mount("/mounted", app)
        with Client(outer, interface, follow_redirects=False) as client:
            assert client.get("/mounted/shop/orders").status == 401
            location = client.get("/mounted/shop/orders", headers=BROWSER).location
            assert location == "/mounted/shop/enter?next=%2Fmounted%2Fshop%2Forders"
            assert client.get(location, headers=BROWSER).text == "Who are you?"
            assert client.post("/mounted/shop/enter").text == "Hello."
            assert client.get("/mounted/shop/orders", headers=BOB).text == "three"
            assert client.get("/mounted/").status == 200

    @rows("path, wanted", [
        ("/acme/orders/7?page=2", (303, "/acme/login?next=%2Facme%2Forders%2F7%3Fpage%3D2")),
        ("/acme/login", (200, None)),
        ("/orders", (401, None)),
        ("/x/new%20shop/orders/7", (303, "/new%20shop/login?next=%2Fx%2Fnew%2520shop%2Forders%2F7")),
    ])  # fmt: skip
    def test_a_login_page_has_the_parameters_of_the_request(self, path, wanted, interface, loading):
        app = App()
        app.use(Users(*sources([], loading), login="login", blocking=loading == "blocking"))
        app.before_request(login_required)
        app.get("/<tenant>/login", name="login")(lambda request, tenant: "Who are you?")
        for pattern in ("/<tenant>/orders/<int:id>", "/x/<tenant>/orders/<int:id>", "/orders"):
            app.get(pattern)(lambda request, **_: "three")
        with Client(app, interface, follow_redirects=False) as client:
            response = client.get(path, headers=BROWSER)
            assert (response.status, response.location) == wanted
            assert client.get("/acme/orders/7").status == 401

    def test_lets_nobody_in_where_nothing_finds_users(self):
        app = App()
        app.get("/", before=login_required)(lambda request: "secret")
        response = Client(app, raise_errors=False).get("/")
        assert response.status == 500
        assert "secret" not in response.text


def test_a_source_is_wanted_and_no_function():
    with pytest.raises(TypeError, match=r"Bearer\(find_user\)"):
        Users(lambda token: "ada")


@given(st.text() | st.binary(), st.text() | st.binary())
def test_secrets_are_the_same_or_not(given, known):
    as_bytes = [each.encode("utf-8", "surrogatepass") if isinstance(each, str) else each for each in (given, known)]
    assert is_same_secret(given, known) is (as_bytes[0] == as_bytes[1])
    assert is_same_secret(known, known)
    assert not is_same_secret(None, known)


WHO, KNOWN = Dependency[str | None]("who"), Dependency[str]("known")
SERVICE, KNOWN_SERVICE = Dependency[str | None]("service"), Dependency[str]("known service")


class TestDependenciesOfUsers:
    """Typed dependencies for the user, beside ``request.user``: of one ``Users``, or of several."""

    @pytest.fixture(params=["def", "async def"])
    def style(self, request):
        return request.param

    def test_the_one_that_is_never_none_refuses_where_it_is_read(self, style, loading):
        app = App()
        app.use(Users(*sources([], loading), blocking=loading == "blocking", login="login", required=KNOWN))
        app.get("/")(in_style(style, lambda request: request[KNOWN].upper()))
        app.get("/login", name="login")(in_style(style, lambda request: request[KNOWN]))
        client = Client(app, follow_redirects=False)
        assert client.get("/", headers=BOB).text == "BOB"
        assert client.get("/", headers=BROWSER).location == "/login?next=%2F"
        refused = client.get("/")
        assert (refused.status, refused.headers["www-authenticate"].partition(" ")[0]) == (401, "Basic")
        assert client.get("/login", headers=BROWSER).status == 401  # and not led to itself

    def test_change_with_a_login_and_a_logout(self, style):
        app = App()
        app.use(Sessions(MemoryStore()))
        app.use(Users(SessionLogin(str.upper, key=str.lower), dependency=WHO, required=KNOWN))

        @app.post("/")
        def log_in_and_out(request):
            seen = [request.user, request[WHO]]
            login(request, "ADA")
            seen += [request.user, request[WHO], request[KNOWN]]
            login(request, "BOB")
            seen += [request.user, request[WHO], request[KNOWN]]
            logout(request)
            return [*seen, request.user, request[WHO], _refused(lambda: request[KNOWN])]

        expected = [None, None, "ADA", "ADA", "ADA", "BOB", "BOB", "BOB", None, None, 401]
        assert Client(app).post("/").json == expected

    @pytest.mark.parametrize("order", [1, -1])
    def test_two_users_each_have_their_own(self, style, loading, order):
        app = App()
        people, programs = sources([], loading)
        features = [
            Users(people, dependency=WHO, required=KNOWN),
            Users(programs, dependency=SERVICE, required=KNOWN_SERVICE),
        ][::order]
        for feature in features:
            app.use(feature)
        app.get("/")(in_style(style, lambda r: [r.user, r[WHO], r[SERVICE]]))
        app.get("/people")(in_style(style, lambda request: request[KNOWN]))
        app.get("/programs")(in_style(style, lambda request: request[KNOWN_SERVICE]))
        app.get("/first", before=login_required)(in_style(style, lambda request: request.user))
        client = Client(app)
        first = "ada" if order == 1 else None
        assert client.get("/", headers=ADA).json == [first, "ada", None]
        assert client.get("/", headers=BOB).json == [None if first else "bob", None, "bob"]
        assert client.get("/people", headers=ADA).text == "ada"
        assert client.get("/people", headers=BOB).headers["www-authenticate"].startswith("Basic")
        assert client.get("/programs", headers=ADA).headers["www-authenticate"].startswith("Bearer")
        assert client.get("/first", headers=ADA if first else BOB).status == 200
        assert client.get("/first", headers=BOB if first else ADA).status == 401

    def test_a_second_one_without_its_own_place_is_refused(self):
        app = App()
        app.use(Users(Bearer(lambda token: None), dependency=WHO))
        with pytest.raises(ValueError, match=r"provides request\.user.*Users\(\.\.\., dependency="):
            app.use(Users(Bearer(lambda token: None)))


def _refused(read):
    try:
        read()
    except HTTPError as error:
        return error.status


@rows(
    "header, error, detail",
    (None, "", "Log in first."),
    ("Bearer", "", NOT_VALID),
    ("Bearer a b", ', error="invalid_token"', NOT_VALID),
    ("bearer  a=b, c", ', error="invalid_token"', NOT_VALID),
    ("Bearer unknown", ', error="invalid_token"', NOT_VALID),
    ("Basic YTpi", "", NOT_VALID),
)
def test_a_token_that_is_malformed_is_not_a_missing_one(header, error, detail):
    app = App()
    app.use(Users(Bearer(lambda token: None, realm="shop")))
    app.get("/", before=login_required)(lambda request: "in")
    refused = Client(app).get("/", headers={"authorization": header} if header else {})
    assert (refused.status, refused.headers["www-authenticate"]) == (401, f'Bearer realm="shop"{error}')
    assert refused.json["detail"] == detail


def test_a_loader_that_reads_what_is_provided_later_says_what_to_move(caplog):
    app, connection = App(), Dependency("connection")

    async def find(token):
        return current_request()[connection]

    async def connect(request):
        return "connected"

    app.use(Users(Bearer(find)))
    app.provide(connection, connect)
    app.get("/")(lambda request: str(request.user))
    assert Client(app, raise_errors=False).get("/", headers=BOB).status == 500
    assert (
        "move the line that provides 'connection' above the line that provides that source, such as app.use(Users(...))"
        in caplog.text
    )


class Repository:
    async def user(self, key):
        return key


def test_a_lambda_around_an_async_loader_is_named_itself():
    app = App(store=MemoryStore())
    app.use(Users(Bearer(lambda key: Repository().user(key))))
    app.get("/")(lambda request: str(request.user))
    message = rf"<lambda> \({re.escape(__file__)}:\d+\) returned a coroutine: write it as `async def`"
    with pytest.raises(TypeError, match=message):
        Client(app, raise_errors=True).get("/", headers=BOB)


class ByProxy(UserSource):
    header = "X-Remote-User"

    def credentials(self, request):
        name = request.headers.get("x-remote-user")
        return None if name is None else (name,)


class BySecret(ByProxy):
    header_is_secret = True


def named_by(source, where="app", **settings):
    app = inner = App(**settings)
    if where == "mount":
        inner = App()
        app.mount("/in", inner)
    inner.use(Users(source(str)))
    inner.get("/")(lambda request: str(request.user))
    return app


@rows(
    "source, where, peer, seen",
    [
        (ByProxy, "app", "10.0.0.1", "ada"),
        (ByProxy, "app", "192.0.2.1", "None"),
        (ByProxy, "mount", "10.0.0.1", "ada"),
        (ByProxy, "mount", "192.0.2.1", "None"),
        (BySecret, "app", "192.0.2.1", "ada"),
    ],
)
def test_a_header_that_a_proxy_sets_is_believed_from_the_proxy_alone(source, where, peer, seen, interface):
    app = named_by(source, where, trusted_proxies=["10.0.0.1"])
    client = Client(app, interface, client=(peer, 4000), headers={"x-remote-user": "ada"})
    assert client.get("/in/" if where == "mount" else "/").text == seen


@rows("where", "app", "mount")
def test_a_header_that_any_client_could_set_is_refused_when_the_app_starts(where, interface):
    assert Client(named_by(BySecret, where), interface).get("/in/" if where == "mount" else "/").text == "None"
    message = r"ByProxy believes the X-Remote-User header.*App\(trusted_proxies=.*header_is_secret = True in ByProxy"
    with pytest.raises(RuntimeError, match=message), Client(named_by(ByProxy, where), interface):
        pass


@rows("user, seen", ("ada", 200), ("", 401), (None, 401), (0, 200))
def test_empty_text_is_nobody(user, seen, interface, style, loading):
    app = App()
    app.use(Users(Bearer(in_style(style, lambda token: user)), blocking=loading == "blocking"))
    app.get("/", before=login_required)(in_style(style, lambda request: "in"))
    assert Client(app, interface).get("/", headers=BOB).status == seen
