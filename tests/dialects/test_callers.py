"""Callers of dialects' applications who differ in one sign only: alone, in a native application, and in its log."""

import json
import logging
from types import SimpleNamespace

import pytest

from antiphon.features import AccessLog, Cache, MemoryStore, OpenAPI, RateLimit, Tool, Tools
from antiphon.testing import Client
from tests.features.test_callers_told_apart import call
from tests.helpers import zygote
from tests.helpers.callers import COUNTED, KEYS, SIGNS, Site, send
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

PUBLIC = {"Cache-Control": "public, max-age=60"}


def flask():
    from antiphon.dialects.flask import Flask, request

    app = Flask("inner", root_path="/")
    app.get("/page")(lambda: (shown(request.headers.items(), request.environ), PUBLIC))
    app.post("/pay", endpoint="pay")(lambda: app.payments.append(1) or "paid")
    app.payments = []
    return app


def pyramid():
    from antiphon.dialects.pyramid.config import Configurator
    from antiphon.dialects.pyramid.response import Response

    def page(request):
        response = Response(shown(request.headers.items(), request.environ))
        response.headers.update(PUBLIC)
        return response

    config = Configurator()
    config.add_route("page", "/page")
    config.add_view(page, route_name="page")
    return config.make_wsgi_app()


def kay():
    from antiphon.dialects.kay import Response
    from antiphon.dialects.kay.app import KayApp
    from antiphon.dialects.kay.routing import Rule, ViewGroup

    def page(request):
        return Response(shown(request.headers.items(), request.environ), headers=PUBLIC)

    return KayApp(None, [ViewGroup(Rule("/page", endpoint="page", view=page))])


def microdot():
    from antiphon.dialects.microdot import Microdot

    app = Microdot()
    app.get("/page")(lambda request: (shown(request.headers.items(), {}) + f"{request.native.caller.key}", 200, PUBLIC))
    return app


def shown(headers, environ):
    names = ("REMOTE_USER", "SSL_CLIENT_S_DN", "HTTP_HOST")
    return f"{sorted(headers)} {[environ.get(name) for name in names]}"


DIALECTS = [flask, pyramid, kay, microdot]


@rows("name", SIGNS)
@rows("make", DIALECTS)
def test_a_cache_around_a_dialect_shows_a_caller_s_page_to_nobody_else(name, make):
    site = Site(name)
    site.app.use(Cache(MemoryStore()))
    site.app.mount("/dialect", make())
    for who in ("ann", "ben", "ann"):
        fields, environ = site.shows(who, "/dialect/page", "GET", b"")
        told = send(site.app, fields, "/dialect/page", "GET", **environ)[2]
        other = "ben" if who == "ann" else "ann"
        sent = [value for value in (*fields.values(), *environ.values()) if other not in value]
        assert all(value in told for value in sent if value != "SUCCESS"), told


@rows("name", COUNTED)
def test_a_limit_around_a_dialect_counts_each_caller(name):
    site = Site(name)

    @site.app.before_request
    def look_up(request):
        assert not site.sign.user or request.user is not None or "/log" in request.path

    site.app.use(RateLimit("1/hour", by=lambda request: request.caller.key if "/dialect" in request.path else None))
    site.app.mount("/dialect", flask())
    statuses = []
    for who in ("ann", "ben", "ann"):
        fields, environ = site.shows(who, "/dialect/pay")
        statuses.append(send(site.app, fields, "/dialect/pay", **environ)[0])
    assert statuses == [200, 200, 429]


@rows("name", SIGNS)
def test_a_confirmation_for_a_dialect_s_tool_is_not_used_by_another_caller(name):
    site, shop = Site(name), flask()
    site.app.mount("", shop)
    site.app.use(Tools(OpenAPI("Shop"), dialect=shop, tools={"pay": Tool(name="pay", confirm="Pay?")}))
    state = call(site, "ann")["result"]["requestState"]
    agreed = {"requestState": state, "inputResponses": {"confirmation": {"action": "accept", "content": {}}}}
    assert "another call" in call(site, "ben", **agreed)["error"]["message"]
    assert not shop.payments
    assert not call(site, "ann", **agreed)["result"]["isError"]
    assert len(shop.payments) == 1


def microdot_auth(kind):
    from antiphon.dialects.microdot import Microdot
    from antiphon.dialects.microdot.auth import BasicAuth, TokenAuth
    from antiphon.dialects.microdot.login import Login
    from antiphon.dialects.microdot.session import Session

    app = Microdot()
    if kind == "login":
        Session(app, secret_key="k" * 32)
        login = Login()
        login.user_loader(lambda key: SimpleNamespace(id=key))
        app.post("/login/<who>")(lambda request, who: login.login_user(request, SimpleNamespace(id=who)))
        guard = login
    else:
        guard = BasicAuth() if kind == "basic" else TokenAuth(header="X-Own-Key")
        guard.authenticate(lambda request, name, *_: SimpleNamespace(id=name.partition("-")[0]))
    app.post("/pay")(guard(lambda request: request.native.caller.key))
    return app


@rows("kind, shown", [
    ("basic", {"ann": {"authorization": "Basic YW5uOg=="}, "ben": {"authorization": "Basic YmVuOg=="}}),
    ("token", {who: {"x-own-key": f"{who}-secret"} for who in KEYS}),
    ("login", None),
])  # fmt: skip
@rows("interface", ["wsgi", "asgi", "rsgi"])
def test_the_log_names_microdot_s_user(kind, shown, interface, caplog):
    app = microdot_auth(kind)
    app.observe(AccessLog(extra=lambda exchange: {"caller": exchange.request.caller.key}))
    caplog.set_level(logging.INFO, "antiphon.access")
    logged = []
    for who in ("ann", "ben", "ann"):
        client = Client(app, interface, headers=shown[who] if shown else {})
        if not shown:
            client.post(f"/login/{who}", follow_redirects=False)
        told = client.post("/pay").text
        logged.append(caplog.records[-1].caller)
        assert told == logged[-1]
        assert told.endswith(f" {who}")
    assert logged[0] == logged[2]


FLASK_LOGIN = """
from antiphon.dialect_imports import install
install("flask")
import itertools, json
from flask import Flask
from flask_login import LoginManager, UserMixin, login_user
from antiphon import view
from antiphon.features import IdempotentWrites, MemoryStore
from antiphon.testing import Client

class User(UserMixin):
    def __init__(self, id): self.id = id

app, number = Flask("shop"), itertools.count(1)
app.secret_key = "k" * 32
LoginManager(app).user_loader(User)
app.post("/login/<who>")(lambda who: login_user(User(who)) and "")
pay = view(lambda request: f"{next(number)} {request.caller.key}", idempotent=IdempotentWrites(MemoryStore()))
app.post("/pay", endpoint="pay")(pay)
told = []
for interface in ("wsgi", "asgi", "rsgi"):
    for who in ("ann", "ben", "ann"):
        client = Client(app, interface)
        client.post(f"/login/{who}")
        told.append(client.post("/pay", headers={"idempotency-key": '"1"'}).text)
print(json.dumps(told))
"""


@pytest.mark.processes
def test_a_view_knows_the_user_of_flask_login_on_the_dialect():
    pytest.importorskip("flask_login")
    ran = zygote.run("-c", FLASK_LOGIN)
    told = [(each.split()[0], each.split()[-1]) for each in json.loads(ran.stdout or ran.stderr)]
    assert told == [("1", "ann"), ("2", "ben"), ("1", "ann")] * 3
