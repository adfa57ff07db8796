"""The visitor of a framework in its views: ``request.framework``, and what each framework has of it."""

import asyncio
import json
import sys
from contextlib import ExitStack
from types import ModuleType, SimpleNamespace

import pytest

from antiphon import App, Request, Views, view
from antiphon.features import Basic, CSRFTokens, MemoryStore, Sessions, Users
from antiphon.frameworks.recognition import framework_of_app
from antiphon.testing import Client
from tests.frameworks import apps
from tests.frameworks.exchanges import ask, asking

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

VALUES = ("user", "session", "csrf_token")
FIELDS = {
    "django_wsgi": "csrfmiddlewaretoken", "django_asgi": "csrfmiddlewaretoken", "litestar": "_csrf_token",
    "pyramid": "csrf_token", "tornado": "_xsrf",
}  # fmt: skip


def visitor(request: Request):
    native = request.framework
    if native.session is not None:
        native.session["seen"] = "yes"
    return {
        "user": native.user and str(native.user),
        "typed": native.user_as(type(native.user)) is native.user and native.user_as(bytes) is None,
        "session": native.session and native.session["seen"],
        "csrf_token": native.csrf_token and len(native.csrf_token) > 10,
        "csrf_field": native.csrf_field,
        "request": type(native.request).__name__,
    }


async def avisitor(request: Request):
    return visitor(request)


VIEWS = Views({"/def": visitor, "/async": avisitor})


def flask():
    from flask import Flask

    app = Flask("suite")
    app.secret_key = "a key of the tests"
    VIEWS.add_to(app)
    return app, lambda environ, respond: app(environ | {"REMOTE_USER": "ann"}, respond)


def quart():
    from quart import Quart

    app = Quart("suite")
    app.secret_key = "a key of the tests"
    VIEWS.add_to(app)
    return app, app


def _django(handler):
    def named(get_response):
        if asyncio.iscoroutinefunction(get_response):
            from asgiref.sync import markcoroutinefunction

            async def anamed(request):
                request.user = "ann"
                return await get_response(request)

            return markcoroutinefunction(anamed)

        def snamed(request):
            request.user = "ann"
            return get_response(request)

        return snamed

    named.sync_capable = named.async_capable = True
    settings = ModuleType("native_settings")
    settings.named, settings.urlpatterns = named, []
    VIEWS.add_to(settings.urlpatterns)
    return settings.urlpatterns, (settings, handler)


def django_wsgi():
    return _django(apps.django_wsgi)


def django_asgi():
    return _django(apps.django_asgi)


def starlette():
    from starlette.applications import Starlette
    from starlette.authentication import AuthCredentials, AuthenticationBackend, SimpleUser
    from starlette.middleware import Middleware
    from starlette.middleware.authentication import AuthenticationMiddleware
    from starlette.middleware.sessions import SessionMiddleware

    class Ann(AuthenticationBackend):
        async def authenticate(self, conn):
            return AuthCredentials(), type("User", (SimpleUser,), {"__str__": lambda self: self.username})("ann")

    app = Starlette(middleware=[
        Middleware(SessionMiddleware, secret_key="a key of the tests"),
        Middleware(AuthenticationMiddleware, backend=Ann()),
    ])  # fmt: skip
    VIEWS.add_to(app)
    return app, app


def litestar():
    from litestar import Litestar
    from litestar.config.csrf import CSRFConfig
    from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult, DefineMiddleware
    from litestar.middleware.session.client_side import CookieBackendConfig

    class Ann(AbstractAuthenticationMiddleware):
        async def authenticate_request(self, connection):
            return AuthenticationResult(user="ann", auth=None)

    session = CookieBackendConfig(secret=b"x" * 16)
    app = Litestar(
        middleware=[session.middleware, DefineMiddleware(Ann)], csrf_config=CSRFConfig("a key of the tests"),
        openapi_config=None,
    )  # fmt: skip
    VIEWS.add_to(app)
    return app, app


def pyramid():
    from pyramid.config import Configurator
    from pyramid.session import SignedCookieSessionFactory

    class Ann:
        def identity(self, request):
            return "ann"

    config = Configurator(session_factory=SignedCookieSessionFactory("a key of the tests"))
    config.set_security_policy(Ann())
    VIEWS.add_to(config)
    return config, config.make_wsgi_app()


def bottle():
    from bottle import Bottle

    app = Bottle()
    VIEWS.add_to(app)
    return app, lambda environ, respond: app(environ | {"REMOTE_USER": "ann"}, respond)


def falcon_wsgi():
    import falcon

    app = falcon.App()
    VIEWS.add_to(app)
    return app, app


def aiohttp():
    from aiohttp import web

    app = web.Application()
    VIEWS.add_to(app)
    return app, app


def sanic():
    app = apps.bare_sanic()
    VIEWS.add_to(app)
    return app, app


def tornado():
    from tornado.web import Application, RequestHandler

    class Tuned(Application):
        def add_handlers(self, host, rules):  # what an application does in a base class of its own
            for rule in rules:
                rule.target = type("Named", (rule.target,), {"get_current_user": lambda self: "ann"})
            super().add_handlers(host, rules)

    app = Tuned(xsrf_cookies=True, default_handler_class=RequestHandler)
    VIEWS.add_to(app)
    return app, app


FRAMEWORKS = [
    flask, quart, django_wsgi, django_asgi, starlette, litestar, pyramid, bottle, falcon_wsgi, aiohttp, sanic, tornado,
]  # fmt: skip
DJANGOS = {
    "SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies", "ROOT_URLCONF": "native_settings",
    "MIDDLEWARE": ["django.contrib.sessions.middleware.SessionMiddleware", "native_settings.named"],
}  # fmt: skip


@pytest.mark.parametrize("path", ["/def", "/async"])
@pytest.mark.parametrize("make", FRAMEWORKS)
def test_a_view_has_what_its_framework_gives(make, path, monkeypatch):
    gave, app = apps.made(make)
    with ExitStack() as stack:
        if isinstance(app, tuple):
            from django.test import override_settings

            settings, handler = app
            monkeypatch.setitem(sys.modules, "native_settings", settings)
            stack.enter_context(override_settings(**DJANGOS))
            app = handler()
        ask_app = stack.enter_context(asking(app, make.__name__))
        status, fields, text = ask_app("GET", path, {}, b"")
    assert status == 200
    seen = json.loads(text)
    gives = framework_of_app(gave).gives
    assert {name for name in VALUES if seen[name]} == gives
    assert seen["user"] in (None, "ann")
    assert seen["csrf_field"] == FIELDS.get(make.__name__)
    if "session" in gives:
        assert any(name == "set-cookie" for name, _ in fields)


def test_the_native_request_has_its_own_type():
    apps.need(flask)
    from flask import Flask, request
    from flask import Request as FlaskRequest

    with Flask("suite").test_request_context():
        native = Request.from_framework(request).framework
        assert native.request_as(FlaskRequest) is request._get_current_object()
        with pytest.raises(TypeError, match="must be a flask"):
            native.request_as(App)


@pytest.mark.parametrize("path", ["/def", "/async"])
def test_a_visitor_who_is_not_authenticated_is_no_user(path):
    apps.need(starlette)
    from starlette.applications import Starlette
    from starlette.authentication import AuthenticationBackend
    from starlette.middleware import Middleware
    from starlette.middleware.authentication import AuthenticationMiddleware

    class Nobody(AuthenticationBackend):
        async def authenticate(self, conn):
            return None

    app = Starlette(middleware=[Middleware(AuthenticationMiddleware, backend=Nobody())])
    VIEWS.add_to(app)
    assert json.loads(ask(app, "asgi", "GET", path, {}, b"")[2])["user"] is None


def test_djangos_user_that_a_loop_can_not_load_is_an_error_that_says_what_to_await():
    apps.need(django_wsgi)
    from django.test import RequestFactory
    from django.utils.asyncio import async_unsafe
    from django.utils.functional import SimpleLazyObject

    given = RequestFactory().get("/")
    given.user = SimpleLazyObject(async_unsafe(lambda: SimpleNamespace(is_authenticated=True, name="ann")))

    async def read():
        return Request.from_framework(given).framework.user.name

    with pytest.raises(
        RuntimeError, match=r"await request.framework.request.auser\(\) instead of request.framework.user"
    ):
        asyncio.run(read())
    assert Request.from_framework(given).framework.user.name == "ann"
    assert asyncio.run(read()) == "ann"


def test_djangos_anonymous_user_is_no_user():
    apps.need(django_wsgi)
    from django.test import RequestFactory

    given = RequestFactory().get("/")
    given.user = SimpleNamespace(is_authenticated=False)  # AnonymousUser needs the models of an app
    assert Request.from_framework(given).framework.user is None


@pytest.mark.parametrize("name", ["user", "session"])
@pytest.mark.usefixtures("quiet")
def test_an_apps_attribute_in_a_view_leads_to_the_frameworks(name):
    apps.need(django_wsgi)
    from django.test import RequestFactory

    said = f"a view has no request.{name} of an app: read the framework's, request.framework.{name}"
    with pytest.raises(RuntimeError, match=said):
        view(lambda request: getattr(request, name))(RequestFactory().get("/"))


def test_an_app_gives_its_own_user_session_and_token():
    def form(request: Request):
        native = request.framework
        return {"field": native.csrf_field, "token": native.csrf_token}

    def visitor(request: Request):
        native = request.framework
        native.session["seen"] = "yes"
        return [native.user, request.session["seen"], native.request_as(Request) is request]

    @view(methods=["POST"])
    def send(request: Request):
        return "sent"

    app = App()
    app.use(Sessions(MemoryStore()))
    app.use(CSRFTokens())
    app.use(Users(Basic(lambda name, password: name)))
    Views({"/visitor": visitor, "/form": form, "/send": send}).add_to(app, "/fb")
    client = Client(app)
    assert client.get("/fb/visitor", headers={"authorization": "Basic YW5uOnNlY3JldA=="}).json == ["ann", "yes", True]
    assert client.post("/fb/send").status == 403
    sent = client.get("/fb/form").json
    assert client.post("/fb/send", form={sent["field"]: sent["token"]}).text == "sent"


def test_an_app_without_users_sessions_and_tokens_has_none():
    def visitor(request: Request):
        native = request.framework
        return [native.user, native.session, native.csrf_token, native.csrf_field]

    app, outer = App(), App()
    Views({"/": visitor}).add_to(app)
    outer.use(Sessions(MemoryStore()))
    outer.mount("/inner", app)
    assert Client(app).get("/").json == [None] * 4
    assert Client(outer).get("/inner/").json == [None] * 4


def test_a_request_without_an_app_has_no_native_request():
    with pytest.raises(RuntimeError, match="'framework'"):
        _ = Request.blank("/").framework
