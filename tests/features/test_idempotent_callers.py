"""The callers of idempotent writes: the answer to one is never given to another, however the app knows them."""

import asyncio
from contextvars import ContextVar
from functools import partial

import pytest

from antiphon import App, Blueprint, Dependency, Request, view
from antiphon.features import AccessLog, Bearer, IdempotentWrites, MemoryStore, Sessions, Users, UserSource
from antiphon.http import Unauthorized
from antiphon.testing import Client
from tests.frameworks.exchanges import ask
from tests.helpers.handlers import in_style
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.axes("interface", "style")]

NAMES = {"a": "ann", "b": "ben"}
CALLER = ContextVar("caller", default="nobody")
KNOWN = {}


def known(make):
    """Register a function that makes an app whose route at / knows its caller in some way."""
    KNOWN[make.__name__] = make
    return make


def name_of(request):
    name = NAMES.get(request.headers.get("x-api-key"))
    if name is None:
        raise Unauthorized("Send X-API-Key.")
    return name


def pays(app, style, find, **options):
    """Add a handler that answers with the name that ``find`` returns for a request."""

    app.post("/", idempotent=True, **options)(in_style(style, lambda request: {"paid by": find(request)}))


def from_g(request):
    return request.g.name


@known
def by_the_handler(app, style):
    pays(app, style, name_of)


@known
def by_a_hook(app, style):
    app.before_request(lambda request: setattr(request.g, "name", name_of(request)))
    pays(app, style, from_g)


@known
def by_a_hook_of_the_route(app, style):
    pays(app, style, from_g, before=lambda request: setattr(request.g, "name", name_of(request)))


@known
def by_a_hook_of_a_blueprint(app, style):
    part = Blueprint("part")
    part.before_request(lambda request: setattr(request.g, "name", name_of(request)))
    pays(part, style, from_g)
    app.register(part)


@known
def by_middleware(app, style):
    @app.middleware
    def around(request):
        request.g.name = name_of(request)
        yield

    pays(app, style, from_g)


@known
def by_middleware_before_routing(app, style):
    @app.middleware(before_routing=True)
    def around(request):
        request.g.name = name_of(request)
        yield

    pays(app, style, from_g)


@known
def by_a_dependency(app, style):
    caller = Dependency("caller")
    app.provide(caller, name_of)
    pays(app, style, lambda request: request[caller])


@known
def by_a_dependency_that_waits(app, style):
    caller = Dependency("caller")

    async def find(request):
        await asyncio.sleep(0)
        return name_of(request)

    app.provide(caller, find)
    pays(app, style, lambda request: request[caller])


@known
def by_a_source_of_users(app, style):
    class Key(UserSource):
        def credentials(self, request):
            key = request.headers.get("x-api-key")
            return None if key is None else (key,)

    app.use(Users(Key(NAMES.get)))
    pays(app, style, lambda request: request.user)


@known
def by_a_walk_over_all_fields(app, style):
    pays(app, style, lambda request: NAMES[dict(request.headers.items())["x-api-key"]])


@known
def by_a_cookie(app, style):
    pays(app, style, lambda request: request.cookies["name"])


@known
def by_a_cookie_beside_a_session(app, style):
    app.use(Sessions(MemoryStore()))
    pays(app, style, lambda request: request.cookies["name"])


@known
def by_any_cookie(app, style):
    pays(app, style, lambda request: dict(request.cookies)["name"])


@known
def by_the_host(app, style):
    pays(app, style, lambda request: request.host.partition(".")[0])


@known
def by_the_app_around_it(app, style):
    outer = App()

    @outer.before_request
    def hook(request):
        CALLER.set(name_of(request))

    pays(app, style, lambda request: CALLER.get())
    outer.mount("", app)
    return outer


SAME = {
    "user-agent": "another/2", "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "x-request-id": "another", "x-forwarded-for": "10.0.0.9", "accept": "text/html", "date": "now",
}  # fmt: skip


@rows("make", KNOWN.values(), ids=KNOWN)
def test_nobody_is_given_the_answer_of_somebody_else(make, interface, style):
    app = App()
    app.use(IdempotentWrites(MemoryStore()))
    app = make(app, style) or app

    def pay(key, name, **fields):
        headers = {"x-api-key": key, "cookie": f"name={name}", "idempotency-key": '"1"', **fields}
        base = f"https://{name if make is by_the_host else 'shop'}.example"
        return Client(app, interface, base_url=base, headers=headers, raise_errors=False).post("/")

    first = pay("a", "ann")
    assert (first.status, first.json) == (200, {"paid by": "ann"})
    other = pay("b", "ben")
    assert (other.status, other.headers["content-type"]) == (422, "application/problem+json")
    assert other.json["detail"].startswith("This Idempotency-Key was sent with ")
    again = pay("a", "ann", **SAME)
    assert (again.status, again.json) == (200, {"paid by": "ann"})


def test_the_refusal_names_the_field(interface, style):
    app = App()
    app.use(IdempotentWrites(MemoryStore()))
    pays(app, style, name_of)
    client = Client(app, interface, headers={"idempotency-key": '"1"'})
    assert client.post("/", headers={"x-api-key": "a"}).status == 200
    assert "with a different X-Api-Key before" in client.post("/", headers={"x-api-key": "b"}).json["detail"]


def test_what_features_read_is_not_the_caller(interface, style):
    app = App()
    app.use(AccessLog())
    app.use(Sessions(MemoryStore()))
    app.use(IdempotentWrites(MemoryStore()))

    @app.middleware(before_routing=True)
    def override(request):
        request.method = request.headers.get("x-http-method-override", request.method)
        yield

    pays(app, style, lambda request: request.accept_languages.best(["en", "de"], "en"))
    client = Client(app, interface, headers={"idempotency-key": '"1"'})
    assert client.post("/", headers={"cookie": "other=1", "x-api-key": "a"}).json == {"paid by": "en"}
    again = client.post("/", headers={"cookie": "other=2", "x-api-key": "b", "accept-language": "de"})
    assert again.json == {"paid by": "en"}


def test_by_says_all_about_the_caller(interface, style):
    app = App()
    app.use(IdempotentWrites(MemoryStore(), by=name_of))
    pays(app, style, lambda request: request.headers["x-try"])
    client = Client(app, interface, headers={"idempotency-key": '"1"'})
    asked = [client.post("/", headers={"x-api-key": key, "x-try": key + number}) for key in "ab" for number in "12"]
    assert [each.json["paid by"] for each in asked] == ["a1", "a1", "b1", "b1"]


def test_a_retry_in_a_mounted_app_is_known_before_its_user_is_loaded(interface, style):
    app, outer = App(), App()
    app.use(Users(Bearer({"a": "ann", "b": "ben"}.get)))
    app.use(IdempotentWrites(MemoryStore()))
    pays(app, style, lambda request: request.user)
    outer.mount("/shop", app)
    client = Client(outer, interface, headers={"idempotency-key": '"1"'})
    sent = [client.post("/shop/", headers={"authorization": f"Bearer {token}"}) for token in "aab"]
    assert [(each.status, each.json.get("paid by")) for each in sent] == [(200, "ann"), (200, "ann"), (422, None)]


def test_an_entry_from_before_is_still_answered(interface, style):
    store, app = MemoryStore(), App()
    app.use(IdempotentWrites(store))
    pays(app, style, name_of)
    client = Client(app, interface, headers={"idempotency-key": '"1"', "x-api-key": "a"})
    first = client.post("/")
    store.change("idempotent\n1", {}, remove=["caller_fields"], ttl=60)
    assert client.post("/").json == first.json


def flask_app(function):
    from flask import Flask, g, request

    app = Flask("pay")
    app.before_request(lambda: setattr(g, "name", NAMES[request.headers["x-api-key"]]))
    app.add_url_rule("/", view_func=function, methods=["POST"])
    return app, "wsgi", lambda _: g.name


def starlette_app(function):
    from starlette.applications import Starlette
    from starlette.routing import Route

    app = Starlette(routes=[Route("/", function, methods=["POST"])])

    async def around(scope, receive, send):
        if scope["type"] == "http":
            CALLER.set(NAMES[dict(scope["headers"])[b"x-api-key"].decode()])
        await app(scope, receive, send)

    return around, "asgi", lambda _: CALLER.get()


@rows("make", [flask_app, starlette_app])
@rows("knows", ["the view", "a hook of the view", "the framework"])
def test_a_view_knows_its_callers(make, knows):
    found = {}

    def hook(request):
        found["name"] = name_of(request)

    @view(before=hook if knows == "a hook of the view" else (), idempotent=IdempotentWrites(MemoryStore()))
    def pay(request: Request):
        if knows == "the framework":
            return {"paid by": by_framework(request)}
        return {"paid by": name_of(request) if knows == "the view" else found["name"]}

    app, interface, by_framework = make(pay)
    send = partial(ask, app, interface, "POST", "/")
    answers = [send({"idempotency-key": '"1"', "x-api-key": key}, b"") for key in "aba"]
    assert [status for status, *_ in answers] == [200, 422, 200]
    assert ["ann" in str(body) for *_, body in answers] == [True, False, True]
