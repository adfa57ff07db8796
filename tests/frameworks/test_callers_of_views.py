"""Callers of views who differ in one sign only, in frameworks and in their dialects, which know users of their own."""

import asyncio
import functools
import itertools
from types import ModuleType, SimpleNamespace

import pytest

from antiphon import App, Request, view
from antiphon.features import IdempotentWrites, MemoryStore, RateLimit, Runs, Signatures, sign
from antiphon.http import NotFound
from antiphon.testing import Client
from tests.helpers.callers import HOST, KEYS, STAGING, Site, send
from tests.helpers.callers import SIGNS as CALLERS
from tests.helpers.handlers import in_style
from tests.helpers.rows import rows

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

KEY = {"idempotency-key": '"order-1"'}


class User(SimpleNamespace):
    """A user, as each framework wants it."""

    is_authenticated = is_active = True
    is_anonymous = False

    def get_id(self):
        return self.pk

    def key(self):
        return self.pk


def site():
    """Return the views: a write, a write of signed requests, a limited one, and the start and the search of a run."""
    number, runs = itertools.count(1), Runs(MemoryStore())
    limit = RateLimit("1/hour", MemoryStore(clock=lambda: 1000.0), by=lambda request: request.caller.key)
    writes = IdempotentWrites(MemoryStore())

    def pay(request):
        return f"payment {next(number)}"

    def limited(request):
        return request.caller.key

    def start(request):
        return runs.start(iter([1]), owner=request.caller.key).id

    def find(request):
        try:
            return runs.find(request.json, owner=request.caller.key) and "found"
        except NotFound:
            return "nothing"

    return {
        "pay": view(pay, methods=("POST",), idempotent=writes),
        "signed": view(pay, methods=("POST",), idempotent=writes, signed_by=Signatures(KEYS, store=False)),
        "limited": view(limited, methods=("POST",), before=limit),
        "start": view(start, methods=("POST",)),
        "find": view(find, methods=("POST",)),
    }


def flask(package="flask"):
    pytest.importorskip(package)
    module = __import__(package, fromlist=["Flask"])
    app = module.Flask("suite", root_path="/")
    app.secret_key = "a key of the tests"
    for name, function in site().items():
        app.add_url_rule(f"/{name}", name, function)
    app.add_url_rule("/login/<who>", "login", lambda who: module.session.update(_user_id=who) or "", methods=["POST"])
    return app


def flask_login():
    """With the logins of Flask-Login, which users keep for a while."""
    logins, app = pytest.importorskip("flask_login"), flask()
    manager = logins.LoginManager(app)
    manager.user_loader(lambda key: User(pk=key))
    app.view_functions["login"] = lambda who: logins.login_user(User(pk=who), remember=True) and ""
    return app


def django():
    pytest.importorskip("django")
    from django.core.handlers.wsgi import WSGIHandler
    from django.http import HttpResponse
    from django.test import override_settings
    from django.urls import path

    def login(request, who):
        request.session["_auth_user_id"] = who
        return HttpResponse("")

    urls = ModuleType("urls")
    urls.urlpatterns = [path(name, function) for name, function in site().items()] + [path("login/<who>", login)]
    settings = {
        "ROOT_URLCONF": urls, "SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies",
        "ALLOWED_HOSTS": [f".{HOST}"], "SESSION_SAVE_EVERY_REQUEST": True,
        "MIDDLEWARE": ["django.contrib.sessions.middleware.SessionMiddleware", f"{__name__}.user_of_session"],
    }  # fmt: skip
    with override_settings(**settings):
        app = WSGIHandler()

    def call(environ, respond):
        with override_settings(**settings):
            return [b"".join(app(environ, respond))]

    return call


def user_of_session(get_response):
    def found(request):
        from django.utils.functional import SimpleLazyObject

        user = User(pk=request.session["_auth_user_id"]) if "_auth_user_id" in request.session else None
        request.user = SimpleLazyObject(lambda: user) if user else None
        return get_response(request)

    return found


def pyramid(package="pyramid"):
    pytest.importorskip(package)
    config = __import__(f"{package}.config", fromlist=["Configurator"]).Configurator()
    session = __import__(f"{package}.session", fromlist=["SignedCookieSessionFactory"])
    response = __import__(f"{package}.response", fromlist=["Response"])
    authentication = __import__(f"{package}.authentication", fromlist=["SessionAuthenticationHelper"])
    helper = authentication.SessionAuthenticationHelper()

    class Policy:
        def identity(self, request):
            return {"name": self.authenticated_userid(request)} if self.authenticated_userid(request) else None

        def authenticated_userid(self, request):
            return helper.authenticated_userid(request)

        def permits(self, request, context, permission):
            return True

        def remember(self, request, userid, **_):
            return helper.remember(request, userid)

        def forget(self, request, **_):
            return helper.forget(request)

    def login(request):
        helper.remember(request, request.matchdict["who"])
        return response.Response("")

    config.set_session_factory(session.SignedCookieSessionFactory("a key of the tests"))
    config.set_security_policy(Policy())
    for name, function in site().items():
        config.add_route(name, f"/{name}")
        config.add_view(function, route_name=name)
    config.add_route("login", "/login/{who}")
    config.add_view(login, route_name="login")
    return config.make_wsgi_app()


def kay():
    from antiphon.dialects.kay import Response as KayResponse
    from antiphon.dialects.kay.app import KayApp
    from antiphon.dialects.kay.routing import Rule, ViewGroup
    from antiphon.dialects.kay.werkzeug.wrappers import Request as KayRequest

    def login(request, who):
        response = KayResponse("")
        response.set_cookie("user", who)
        return response

    rules = [Rule(f"/{name}", endpoint=name, view=function) for name, function in site().items()]
    app = KayApp(None, [ViewGroup(*rules, Rule("/login/<who>", endpoint="login", view=login))])
    app.provide(
        KayRequest.user, lambda request: User(pk=request.cookies["user"]) if "user" in request.cookies else None
    )
    return app


FRAMEWORKS = {
    "flask": flask,
    "flask-login": flask_login,
    "django": django,
    "pyramid": pyramid,
    "flask dialect": functools.partial(flask, "antiphon.dialects.flask"),
    "pyramid dialect": functools.partial(pyramid, "antiphon.dialects.pyramid"),
    "kay dialect": kay,
}


def cookies_from(app, who):
    fields = [value for name, value in send(app, {}, f"/login/{who}")[1] if name.lower() == "set-cookie"]
    return {"cookie": "; ".join(field.partition(";")[0] for field in fields)}


SIGNS = {
    "authorization": lambda app, who: {"authorization": f"Bearer {who}"},
    "a key": lambda app, who: {"x-own-key": who},
    "a session": cookies_from,
    "a session behind a login": lambda app, who: cookies_from(app, who) | STAGING,
    "remote user": lambda app, who: {"REMOTE_USER": who},
    "certificate": lambda app, who: {"SSL_CLIENT_VERIFY": "SUCCESS", "SSL_CLIENT_S_DN": f"CN={who}"},
    "host": lambda app, who: {"HTTP_HOST": f"{who}.{HOST}"},
}
PROVEN = ("remote user", "certificate")


def asks(app, shown):
    """Return a function that sends a caller's request, with the sign that it has shown from the beginning."""
    known = {who: shown(app, who) for who in KEYS}

    def ask(who, path, body=b"{}", headers=KEY):
        given = known[who]
        environ = {name: value for name, value in given.items() if name.isupper()}
        fields = {name: value for name, value in given.items() if not name.isupper()}
        return send(app, {**headers, **fields}, path, body=body, **({"HTTP_HOST": HOST} | environ))[::2]

    return ask


@rows("make", FRAMEWORKS.values(), ids=FRAMEWORKS)
@rows("name", SIGNS)
def test_a_write_is_not_told_to_another_caller(make, name):
    ask = asks(make(), SIGNS[name])
    first, other, again = [ask(who, "/pay") for who in ("ann", "ben", "ann")]
    assert first == again == (200, "payment 1")
    assert other == (200, "payment 2") or (other[0] == 422 and "payment" not in other[1])


@rows("make", FRAMEWORKS.values(), ids=FRAMEWORKS)
def test_a_signed_write_is_not_told_to_another_signer(make):
    app = make()

    def ask(who):
        made = sign(Request.blank(f"https://{HOST}/signed", "POST", body=b"{}"), KEYS[who], keyid=who)
        fields = {name: made.headers[name] for name in ("signature", "signature-input", "content-digest")}
        return send(app, KEY | fields, "/signed")[::2]

    first, other, again = [ask(who) for who in ("ann", "ben", "ann")]
    assert first == again == (200, "payment 1")
    assert other == (200, "payment 2")


WITH_USERS = [name for name in FRAMEWORKS if name not in ("flask", "flask dialect")]


@rows("make, sign", [
    *[(make, SIGNS[name]) for make in FRAMEWORKS.values() for name in PROVEN],
    *[(FRAMEWORKS[name], cookies_from) for name in WITH_USERS],
])  # fmt: skip
def test_a_limit_counts_and_a_run_is_found_by_each_proven_caller(make, sign):
    ask = asks(make(), sign)
    assert [ask(who, "/limited")[0] for who in ("ann", "ben", "ann")] == [200, 200, 429]
    run = ask("ann", "/start")[1]
    found = [ask(who, "/find", body=b'"%b"' % run.encode())[1] for who in ("ann", "ben")]
    assert found == ["found", "nothing"]


@rows("name", ["flask-login", "django"])
def test_a_user_s_other_session_is_the_same_caller(name):
    """And a session cookie that the framework has sent anew."""
    app = FRAMEWORKS[name]()
    sessions = [cookies_from(app, "ann") for _ in range(2)]
    sessions.append({"cookie": f"{sessions[0]['cookie']}; _ga=1"})
    assert [send(app, KEY | each, "/pay")[::2] for each in sessions] == [(200, "payment 1")] * 3
    others = [cookies_from(app, "ben"), sessions[0] | {"x-own-key": "another"}, {"cookie": "shop=1"}]
    assert not any("payment 1" in send(app, KEY | each, "/pay")[2] for each in others)


def test_a_user_who_was_not_found_by_the_session_leaves_its_cookie():
    """Two visitors of one machine's user are two callers."""
    logins, app = pytest.importorskip("flask_login"), flask()
    manager = logins.LoginManager(app)
    manager.user_loader(lambda key: None)
    manager.request_loader(lambda request: User(pk=request.headers["x-own-key"]))
    shared = {"x-own-key": "machine"}
    cookies = {who: cookies_from(app, who) for who in KEYS}
    told = [send(app, KEY | shared | cookies[who], "/pay")[::2] for who in ("ann", "ben", "ann")]
    assert (told[0], told[1][0], told[2]) == ((200, "payment 1"), 422, (200, "payment 1"))


@rows("user, key", [
    ({"identity": "ann"}, "ann"), ({"username": "ann"}, "ann"), ({}, None), ({"id": 7}, "7"),
])  # fmt: skip
def test_a_user_of_starlette_is_known_by_its_identity(user, key):
    pytest.importorskip("starlette")
    from starlette.applications import Starlette
    from starlette.authentication import AuthCredentials, AuthenticationBackend, BaseUser
    from starlette.middleware import Middleware
    from starlette.middleware.authentication import AuthenticationMiddleware
    from starlette.routing import Route

    made = type("Visitor", (BaseUser,), {"is_authenticated": True, "display_name": "someone", **user})()

    class Backend(AuthenticationBackend):
        async def authenticate(self, connection):
            return AuthCredentials(), made

    named = view(lambda request: request.caller.key)
    app = Starlette(routes=[Route("/", named)], middleware=[Middleware(AuthenticationMiddleware, backend=Backend())])
    told = Client(app, "asgi").get("/").text
    assert told.endswith(f" {key}") if key else ":address " in told


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("style", ["def", "async def"])
@rows("make", ["flask dialect", "pyramid dialect"])
def test_a_dialect_calls_views_over_each_interface(interface, style, make):
    app, number = FRAMEWORKS[make](), itertools.count(1)

    def pay(request):
        return f"{next(number)} {len(request.body)} {request.framework.session is not None}"

    own = view(in_style(style, pay), idempotent=IdempotentWrites(MemoryStore()))
    if make == "pyramid dialect":
        from antiphon.dialects.pyramid.config import Configurator

        config = Configurator()
        config.add_route("own", "/own")
        config.add_view(own, route_name="own")
        app = config.make_wsgi_app()
    else:
        app.post("/own", endpoint="own")(own)
    client = Client(app, interface, headers={"content-type": "text/plain"})
    for key, size in (("small", 10), ("large", 200_000)):
        for body in (b"x" * size, b"x" * size, iter([b"x" * size])):
            told = client.post("/own", body=body, headers={"idempotency-key": f'"{key}"'}).text
            assert told.split()[1:] == [f"{size}", str(make == "flask dialect")]
            assert told[0] == {"small": "1", "large": "2"}[key]
    assert client.post("/own", body=b"y", headers={"idempotency-key": '"large"'}).status == 422


def starlette():
    pytest.importorskip("starlette")
    from starlette.applications import Starlette
    from starlette.routing import Route

    return Starlette(routes=[Route(f"/{name}", function, methods=["POST"]) for name, function in site().items()])


def nested():
    """An Antiphon app that code of WSGI calls."""
    app, number = App(), itertools.count(1)
    app.use(IdempotentWrites(MemoryStore()))
    app.post("/pay", idempotent=True)(lambda request: f"payment {next(number)}")
    return lambda environ, respond: app({**environ}, respond)


@rows("make", [flask, FRAMEWORKS["flask dialect"], FRAMEWORKS["pyramid dialect"], kay, starlette, nested])
@rows("name", CALLERS)
def test_a_view_in_a_mounted_application_knows_the_caller_outside(make, name):
    outside = Site(name)
    outside.app.mount("/in", make())
    told = []
    for who in ("ann", "ben", "ann"):
        fields, environ = outside.shows(who, "/in/pay")
        told.append(send(outside.app, KEY | fields, "/in/pay", **environ)[::2])
    assert told[0] == told[2] == (200, "payment 1")
    assert told[1] == (200, "payment 2") or (told[1][0] == 422 and "payment" not in told[1][1])


def test_a_session_of_django_that_an_event_loop_can_t_load_is_left_alone():
    pytest.importorskip("django")
    from django.contrib.sessions.backends.base import SessionBase
    from django.utils.asyncio import async_unsafe

    from antiphon.frameworks.django import Django

    class Session(SessionBase):
        @async_unsafe
        def load(self):
            return {"_auth_user_id": "ann"}

    async def cookies():
        return Django().login_cookies(given)

    given = SimpleNamespace(user=User(pk="ann"), session=Session("a key of eight or more"))
    assert asyncio.run(cookies()) == ()
    assert Django().login_cookies(given) == ("sessionid", "csrftoken")
