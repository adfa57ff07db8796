"""Dependencies whose sources wait or block, resolved by an application before its hooks and handlers."""

import asyncio
import threading

import pytest

from antiphon import App, Blueprint, Dependency
from antiphon.http import ServiceUnavailable
from tests.helpers.registration_positions import POSITIONS
from tests.helpers.rows import rows

User = Dependency[str]("user", fix="app.use(Users())")
Tenant = Dependency[str]("tenant")

pytestmark = pytest.mark.axes("interface", "style", "other")


def blocks(request):
    return f"ada on {threading.current_thread() is not threading.main_thread() and 'a thread'}"


async def waits(request):
    await asyncio.sleep(0)
    return f"ada on {asyncio.get_running_loop() and 'a loop'}"


@pytest.fixture(params=["waits", "blocks"])
def source(request):
    """Provides User by a source that waits, or by one that blocks on a thread: what it gives is returned."""
    function, options = {"waits": (waits, {}), "blocks": (blocks, {"blocking": True})}[request.param]
    gives = {"waits": "ada on a loop", "blocks": "ada on a thread"}[request.param]

    def provide(app, **more):
        app.provide(User, function, **options, **more)
        return gives

    return provide


@rows("around", ["nothing", "middleware", "middleware that waits"])
@rows("method", ["GET", "POST"])
def test_are_there_in_hooks_and_handlers_whatever_is_around(serving, style, source, around, method):
    app, seen = App(), []
    gives = source(app)

    if around == "middleware":

        @app.middleware
        def middleware(request):
            seen.append(User in request)
            yield

    if around == "middleware that waits":

        @app.middleware
        async def middleware_that_waits(request):
            seen.append(User in request)
            yield

    @app.before_request
    @style
    def before(request):
        seen.append(request[User])

    @app.route("/", ["GET", "POST"])
    @style
    def handler(request):
        return f"{request[User]}, {len(request.body)}"

    size = 100_000 if method == "POST" else 0
    assert serving(app).request(method, "/", body=bytes(size)).text == f"{gives}, {size}"
    assert seen == [False] * (around != "nothing") + [gives]


def test_are_resolved_in_a_blueprint_and_where_no_route_is(serving, style, source):
    app, shop = App(), Blueprint("shop", prefix="/shop")
    gives = source(app)
    shop.get("/")(style(lambda request: request[User]))
    app.register(shop)
    app.errorhandler(404)(lambda request, error: request[User])
    client = serving(app)
    assert (client.get("/shop/").text, client.get("/no").text) == (gives, gives)


def test_are_resolved_in_order_and_only_where_they_are_wanted(serving, style, source):
    app, called = App(), []
    source(app, when=lambda request: request.path == "/in", default=lambda request: "nobody")

    async def tenant(request):
        called.append(request.path)
        return f"tenant of {request[User]}"

    app.provide(Tenant, tenant)
    app.get("/<where>")(style(lambda request: f"{request[User]}, {request[Tenant]}"))
    client = serving(app)
    assert client.get("/in").text.startswith("ada on a ")
    assert client.get("/out").text == "nobody, tenant of nobody"
    assert called == ["/in", "/out"]


def test_a_source_that_fails_is_answered_inside_of_the_middleware(serving, style):
    app, seen = App(), []
    error = ServiceUnavailable("no users today")

    async def fails(request):
        await asyncio.sleep(0)
        raise error

    app.provide(User, fails)

    @app.middleware
    def around(request):
        response = yield
        seen.append(response.error)

    @app.get("/")
    @style
    def handler(request):
        raise AssertionError

    assert serving(app).get("/").status == 503
    assert seen == [error]


def test_a_middleware_comes_too_early_to_read_one(serving, style, source, caplog):
    app = App()
    source(app)

    @app.middleware
    def around(request):
        request[User]
        yield

    app.get("/")(style(lambda request: "x"))
    assert serving(app).get("/").status == 500
    assert "the dependency 'user' is not resolved" in caplog.text


@rows("position", [each for each in POSITIONS.values() if each.is_apart], ids=lambda each: each.prefix)
def test_those_of_an_outer_app_are_not_resolved_for_a_mounted_one(serving, style, source, position):
    app = App()
    source(app)
    inside = position.enter(app)
    inside.get("/")(style(lambda request: str(User in request)))
    assert serving(app).get(f"{position.prefix}/").text == "False"


@rows("position", [each for each in POSITIONS.values() if each.is_apart], ids=lambda each: each.prefix)
def test_those_of_an_outer_app_are_there_in_its_hooks_around_a_mounted_one(serving, style, source, position):
    app, seen = App(), []
    gives = source(app)
    app.before_request(style(lambda request: seen.append(request[User])))
    inside = position.enter(app)
    inside.post("/")(style(lambda request: str(len(request.body))))
    for size in (0, 100_000):
        assert serving(app).post(f"{position.prefix}/", body=bytes(size)).text == str(size)
    assert seen == [gives, gives]


def test_those_of_a_mounted_app_are_resolved_inside_of_it(serving, style, source):
    app, inner = App(), App()
    gives = source(inner)
    inner.get("/")(style(lambda request: request[User]))
    app.mount("/inner", inner)
    assert serving(app).get("/inner/").text == gives
