"""Dependencies to which a test gives other values: ``with app.override(dependency, value)``."""

import asyncio
import threading
from contextlib import ExitStack, contextmanager

import pytest

from antiphon import App, Blueprint, Dependency, Request
from antiphon.app.dispatch.plan import BARE
from antiphon.features import Bearer, MemoryStore, Sessions, Users, login_required
from tests.helpers.rows import rows
from tests.helpers.waiting import at_once

Tenant = Dependency[str]("tenant")
pytestmark = pytest.mark.axes("interface", "style")


async def real_waits(request):
    await asyncio.sleep(0)
    return "real"


def real_yields(request):
    yield "real"


def real_yields_once():
    yield "real"


REAL = {
    "on read": {"source": lambda request: "real"},
    "blocks": {"source": lambda request: "real", "blocking": True},
    "waits": {"source": real_waits},
    "yields": {"source": real_yields},
    "has a condition": {"source": lambda request: "other", "when": lambda _: False, "default": lambda _: "real"},
    "nothing": None,
}


async def waits(request):
    await asyncio.sleep(0)
    return f"fake of {request.path}"


def yields(request):
    yield f"fake of {request.path}"


async def waits_and_yields(request):
    await asyncio.sleep(0)
    yield f"fake of {request.path}"


FAKES = {"def": lambda request: f"fake of {request.path}", "async": waits, "yields": yields, "both": waits_and_yields}


def app_with(style, real):
    app = App()
    if real is not None:
        app.provide(Tenant, **real)
    app.get("/")(style(lambda request: request[Tenant]))
    return app


@rows("is_frozen", [True, False])
@rows("real", REAL)
def test_a_value_stands_for_any_source_until_the_end(serving, style, real, is_frozen):
    app = app_with(style, REAL[real])
    if is_frozen and REAL[real] is not None:
        assert serving(app).get("/").text == "real"
    with app.override(Tenant, "fake") as given:
        assert (given, serving(app).get("/").text) == ("fake", "fake")
    if REAL[real] is None:
        assert serving(app).get("/").status == 500
    else:
        assert serving(app).get("/").text == "real"


@rows("fake", FAKES)
@rows("real", ["on read", "waits", "yields"])
def test_a_source_is_called_with_each_request(serving, style, real, fake):
    app = app_with(style, REAL[real])
    assert serving(app).get("/").text == "real"
    with app.override(Tenant, source=FAKES[fake]):
        assert serving(app).get("/").text == "fake of /"
    assert serving(app).get("/").text == "real"


def test_the_caller_is_known_meanwhile(serving, style):
    """Also by a loader that waits, which is resolved for handlers that read the caller."""

    async def load(token):
        await asyncio.sleep(0)
        return token

    app = app_with(style, {"source": lambda request: "real"})
    app.use(Users(Bearer(load)))
    app.get("/me")(style(lambda request: f"{request.caller.key}"))
    fields = {"authorization": "Bearer ann"}
    before = serving(app).get("/me", headers=fields).text
    with app.override(Tenant, "fake"):
        assert serving(app).get("/me", headers=fields).text == before != "None"


def test_a_function_is_a_value_like_any_other(serving):
    app, Send = App(), Dependency[object]("send")
    app.provide(Send, lambda request: None)
    app.get("/")(lambda request: request[Send]("a"))
    with app.override(Send, str.upper):
        assert serving(app).get("/").text == "A"


def test_the_last_one_wins_whichever_ends_first(serving, style):
    app = app_with(style, REAL["on read"])
    client, first, second = serving(app), ExitStack(), ExitStack()
    first.enter_context(app.override(Tenant, "first"))
    second.enter_context(app.override(Tenant, source=waits))
    assert client.get("/").text == "fake of /"
    first.close()
    assert client.get("/").text == "fake of /"
    second.close()
    assert client.get("/").text == "real"


def test_a_source_for_writes_alone_is_replaced_where_it_is_called(serving, style):
    called = []

    async def fake(request):
        called.append(request.method)
        return "fake"

    app = app_with(style, {"source": lambda request: "real", "blocking": True, "only_writes": True})
    app.post("/")(style(lambda request: request[Tenant]))
    with app.override(Tenant, source=fake):
        serving(app).get("/")
        assert serving(app).post("/").text == "fake"
    assert called == (["POST"] if style.is_async else ["GET", "POST"])  # a def handler can call it where it reads


def test_dependencies_of_the_core_are_given_values_alike(serving, style, app):
    app.use(Sessions(MemoryStore()))
    app.use(Users(Bearer(lambda token: None)))
    app.get("/", before=login_required)(style(lambda request: request.user))
    app.get("/visits")(style(lambda request: str(request.session["visits"])))
    client = serving(app)
    assert client.get("/").status == 401
    with app.override(Request.user, "ada"), app.override(Request.session, {"visits": 3}):
        assert (client.get("/").text, client.get("/visits").text) == ("ada", "3")
    assert client.get("/").status == 401


def test_what_a_lifespan_yields_is_not_opened_if_it_is_overridden_at_startup(serving, style):
    opened, app = [], App()

    @app.lifespan
    @contextmanager
    def pool():
        opened.append("real")
        yield "real"

    @app.on_startup
    def warm_up():
        opened.append(f"warmed up {app[pool]}")

    app.get("/")(style(lambda request: request[pool] + app[pool]))
    with app.override(pool, "fake"), serving(app) as client:
        assert client.get("/").text == "fakefake"
    assert opened == ["warmed up fake"]
    with pytest.raises(
        RuntimeError, match=r"'pool' is available only from startup to shutdown, but was overridden at startup"
    ):
        app[pool]


def test_what_a_lifespan_has_yielded_is_overridden_meanwhile(serving, style, app):
    pool = app.lifespan(contextmanager(real_yields_once))
    app.get("/")(style(lambda request: request[pool] + app[pool]))
    with serving(app) as client:
        assert client.get("/").text == "realreal"
        with app.override(pool, "fake"):
            assert client.get("/").text == "fakefake"
        assert client.get("/").text == "realreal"
    with pytest.raises(TypeError, match=r"the lifespan 'real_yields_once' .*override\(real_yields_once, value\)"):
        app.override(pool, source=waits)


def test_threads_that_override_at_once_each_leave_it_as_it_was(serving, app):
    dependencies = [Dependency[str](f"dependency {number}") for number in range(4)]
    for dependency in dependencies:
        app.provide(dependency, real_waits)
    app.get("/")(lambda request: ",".join(request[dependency] for dependency in dependencies))
    client, wrong, start = serving(app), [], threading.Barrier(len(dependencies))

    def override(index):
        start.wait(10)
        for turn in range(10):
            with app.override(dependencies[index], f"{index}.{turn}"):
                if client.get("/").text.split(",")[index] != f"{index}.{turn}":
                    wrong.append((index, turn))

    at_once(override, range(len(dependencies)))
    assert (wrong, client.get("/").text) == ([], "real,real,real,real")


def test_one_of_a_mounted_app_and_of_a_blueprint_is_given_alike(serving, style):
    app, inner, shop = App(), app_with(style, REAL["waits"]), Blueprint("shop", prefix="/shop")
    app.provide(Tenant, **REAL["blocks"])
    shop.get("/")(style(lambda request: request[Tenant]))
    app.register(shop)
    app.mount("/inner", inner)
    client = serving(app)
    texts = lambda: [client.get("/shop/").text, client.get("/inner/").text]  # noqa: E731 - read often
    with app.override(Tenant, source=waits):
        assert texts() == ["fake of /shop/", "real"]
        with inner.override(Tenant, "inside"):
            assert texts() == ["fake of /shop/", "inside"]
    assert texts() == ["real", "real"]


def test_afterwards_the_routes_are_planned_as_before(app):
    app.provide(Tenant, lambda request: "real")
    app.get("/")(lambda request: request[Tenant])
    plan, _ = app._freeze().find(Request.blank("/"))
    with app.override(Tenant, source=waits):
        assert app._freeze().find(Request.blank("/"))[0].surroundings is not BARE
    assert app._freeze().find(Request.blank("/"))[0].surroundings is plan.surroundings is BARE


def test_an_app_that_serves_takes_no_routes_meanwhile(serving, style):
    app = app_with(style, REAL["on read"])
    serving(app).get("/")
    with app.override(Tenant, source=waits), pytest.raises(RuntimeError, match="already serves requests"):
        app.get("/late")(lambda request: "")


@rows(
    "given, options, says",
    (("Tenant", "fake"), {}, r"app\.override needs a dependency, not 'Tenant'"),
    ((Tenant,), {}, r"override\(tenant, value\), or override\(tenant, source=function\)"),
    ((Tenant, "fake"), {"source": waits}, r"override\(tenant, value\), or override\(tenant, source=function\)"),
    ((Tenant,), {"source": lambda: "fake"}, "request"),
    ((Tenant,), {"source": contextmanager(yields)}, "contextmanager"),
)
def test_mistakes_are_told(given, options, says):
    with pytest.raises(TypeError, match=says), App().override(*given, **options):
        pass
