"""Views that one call adds to an application of any framework: their methods, parameters, URLs and visitors."""

import json
from contextlib import nullcontext
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from antiphon import App, Blueprint, Request, Response, Views, view
from antiphon.features import OpenAPI
from antiphon.frameworks.view_function import conversion_to
from antiphon.http import NotFound
from antiphon.testing import Client
from tests.frameworks import apps
from tests.frameworks.exchanges import FORM, ask, asking
from tests.helpers.rows import rows

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

KEY = "0d6e4a36-2ad4-4c3b-a5f5-9f1a3c7f1d9e"


@view(methods=("GET", "POST"))
def index(request: Request):
    if request.method == "POST":
        return Response.redirect(request.url_for("item", number=request.form["number"]))
    return [request.url_for(index), request.url_for("file", name="a/b c"), request.url_for(index, page=2)]


async def item(request: Request, number: int):
    return {"number": number + 1, "up": request.url_for("index")}


def file(request: Request, name: str):
    return {"name": name, "up": request.url_for("index"), "item": request.url_for(item, number=7)}


def key(request: Request, value: UUID):
    return {"version": value.version, "params": {name: str(each) for name, each in request.path_params.items()}}


VIEWS = Views({"/": index, "/items/<int:number>": item, "/files/<path:name>": file, "/keys/<uuid:value>": key})


def add_below(*places):
    """Add the views to an application, or to parts of it."""
    for place in places:
        VIEWS.add_to(place, "/feedback")


def _flask(app, blueprint):
    inner = blueprint("inner", "inner", url_prefix="/inner")
    add_below(app, inner)
    app.register_blueprint(inner)
    return app


def flask():
    from flask import Blueprint, Flask

    return _flask(Flask("suite"), Blueprint)


def quart():
    from quart import Blueprint, Quart

    return _flask(Quart("suite"), Blueprint)


def _django_urls():
    from django.urls import include, path

    urls, inner = [], []
    add_below(urls, inner)
    return [*urls, path("inner/", include(inner))]


def django_wsgi():
    return apps.django_wsgi()


def django_asgi():
    return apps.django_asgi()


def starlette():
    from starlette.applications import Starlette
    from starlette.routing import Mount

    app, inner = Starlette(), Starlette()
    add_below(app, inner)
    app.router.routes.append(Mount("/inner", inner))
    return app


def _mounting(app, inner, path):
    add_below(app, inner)
    app.mount(path, inner)
    return app


def fastapi():
    from fastapi import FastAPI

    return _mounting(FastAPI(), FastAPI(), "/inner")


def bottle():
    from bottle import Bottle

    return _mounting(Bottle(), Bottle(), "/inner/")


def litestar():
    from litestar import Litestar, Router

    app, inner = Litestar(openapi_config=None), Router("/inner", route_handlers=[])
    add_below(app, inner)
    app.register(inner)
    return app


def pyramid():
    from pyramid.config import Configurator

    config = Configurator()
    add_below(config)
    with config.route_prefix_context("inner"):
        VIEWS.add_to(config, "/feedback2")
    return config.make_wsgi_app()


def _twice_in(app):
    VIEWS.add_to(app, "/feedback")
    VIEWS.add_to(app, "/inner/feedback")
    return app


def falcon_wsgi():
    import falcon

    return _twice_in(falcon.App())


def falcon_asgi():
    import falcon.asgi

    return _twice_in(falcon.asgi.App())


def tornado():
    from tornado.web import Application

    return _twice_in(Application())


def sanic():
    from sanic import Blueprint

    app, inner = apps.bare_sanic(), Blueprint("inner", url_prefix="/inner")
    add_below(app, inner)
    app.blueprint(inner)
    return app


def aiohttp():
    from aiohttp import web

    app, inner = web.Application(), web.Application()
    add_below(app, inner)
    app.add_subapp("/inner", inner)
    return app


def antiphon():
    app, inner = App(cross_site_writes=True), Blueprint("inner", prefix="/inner")
    add_below(app, inner)
    app.register(inner)
    return app


FRAMEWORKS = (
    flask, django_wsgi, bottle, pyramid, falcon_wsgi, antiphon, quart, django_asgi, starlette, fastapi, litestar,
    falcon_asgi, aiohttp, tornado, sanic,
)  # fmt: skip


@pytest.fixture
def asked(make):
    """A function that sends a request to the application of a framework."""
    app, is_django = apps.made(make), make in (django_wsgi, django_asgi)
    with (
        apps.urls_of_django(_django_urls(), MIDDLEWARE=[]) if is_django else nullcontext(),
        asking(app, make.__name__) as ask_app,
    ):

        def asked(method, url, body=b""):
            status, fields, text = ask_app(method, url, FORM if body else {}, body)
            return status, dict(fields), text

        yield asked


EVERYWHERE = pytest.mark.parametrize("make", FRAMEWORKS)


@EVERYWHERE
def test_each_view_is_below_the_prefix(asked):
    assert json.loads(asked("GET", "/feedback/items/41")[2]) == {"number": 42, "up": "/feedback/"}
    assert json.loads(asked("GET", "/feedback/")[2]) == ["/feedback/", "/feedback/files/a/b%20c", "/feedback/?page=2"]
    assert json.loads(asked("GET", "/feedback/files/a/b%20c")[2]) == {
        "name": "a/b c", "up": "/feedback/", "item": "/feedback/items/7",
    }  # fmt: skip
    status, fields, _ = asked("POST", "/feedback/", b"number=7")
    assert (status, fields["location"].removeprefix("http://localhost")) == (303, "/feedback/items/7")


@EVERYWHERE
def test_a_parameter_is_converted_as_its_path_says(asked):
    assert json.loads(asked("GET", f"/feedback/keys/{KEY}")[2]) == {"version": 4, "params": {"value": KEY}}
    assert asked("GET", "/feedback/keys/seven")[0] == 404
    assert asked("GET", "/feedback/items/seven")[0] == 404


@EVERYWHERE
def test_other_methods_are_refused_with_those_that_are_allowed(asked):
    status, fields, _ = asked("PUT", "/feedback/")
    assert (status, sorted(fields["allow"].replace(" ", "").split(","))) == (405, ["GET", "HEAD", "OPTIONS", "POST"])
    status, fields, _ = asked("OPTIONS", "/feedback/")
    assert (status, fields["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    assert asked("DELETE", "/feedback/items/7")[0] == 405
    assert asked("HEAD", "/feedback/items/7")[0] == 200


@pytest.mark.parametrize("make", [each for each in FRAMEWORKS if each is not pyramid])
def test_urls_begin_with_a_prefix_of_the_framework_itself(asked):
    assert json.loads(asked("GET", "/inner/feedback/items/41")[2]) == {"number": 42, "up": "/inner/feedback/"}


def test_urls_begin_with_the_prefix_of_pyramids_configurator():
    answer = ask(apps.made(pyramid), "wsgi", "GET", "/inner/feedback2/items/41", {}, b"")
    assert json.loads(answer[2])["up"] == "/inner/feedback2/"


def test_frameworks_know_views_by_name():
    apps.need(flask)
    from flask import url_for

    app = flask()
    with app.test_request_context():
        assert url_for("feedback_item", number=7) == "/feedback/items/7"


def linking() -> Views:
    """Return views of which one links to another, by its name and by its function."""

    def b(request: Request):
        return "b"

    def a(request: Request):
        return [request.url_for("b"), request.url_for(b)]

    return Views({"/a": a, "/b": b})


LINKING = linking()


def _twice(app):
    LINKING.add_to(app, "/x")
    LINKING.add_to(app, "/y")


def _in_a_blueprint(app):
    shop = Blueprint("shop", prefix="/<tenant>/shop")
    LINKING.add_to(shop, "/fb")
    app.register(shop)


def _mounted(app):
    inner = App()
    LINKING.add_to(inner, "/fb")
    app.mount("/inner", inner)


def _beside_a_route_of_the_same_name(app):
    app.get("/own", name="b")(lambda request: "own")
    LINKING.add_to(app, "/fb")


def _beside_another_library(app):
    LINKING.add_to(app, "/fb")
    linking().add_to(app, "/other")


@rows("add, places", [
    (_twice, ["/x", "/y"]),
    (_in_a_blueprint, ["/ann%20b/shop/fb", "/bob/shop/fb"]),
    (_mounted, ["/inner/fb"]),
    (_beside_a_route_of_the_same_name, ["/fb"]),
    (_beside_another_library, ["/fb", "/other"]),
])  # fmt: skip
def test_a_view_in_an_app_links_to_the_views_below_its_own_prefix(add, places):
    app = App()
    add(app)
    for place in places:
        assert Client(app).get(f"{place}/a").json == [f"{place}/b", f"{place}/b"]


def test_a_view_in_an_app_links_to_its_routes_too():
    app = App()

    @app.get("/home")
    def home(request: Request):
        return "home"

    def links(request: Request):
        return [request.url_for(home), request.url_for("home"), request.url_for("fb_links"), request.url_for(links)]

    Views({"/": links}).add_to(app, "/fb")
    assert Client(app).get("/fb/").json == ["/home", "/home", "/fb/", "/fb/"]


def test_an_app_knows_views_by_the_prefix_and_the_function():
    app, shop = App(), Blueprint("shop", prefix="/shop")
    VIEWS.add_to(app, "/feed/back")
    VIEWS.add_to(shop, "/feedback")
    app.register(shop)
    assert app.url_for("feed_back_item", number=7) == "/feed/back/items/7"
    assert app.url_for("shop.feedback_item", number=7) == "/shop/feedback/items/7"


def test_a_route_of_an_app_has_the_arguments_of_its_view():
    app = App()
    app.use(OpenAPI(title="Suite", version="1"))
    VIEWS.add_to(app, "/feedback")
    paths = Client(app).get("/openapi.json").json["paths"]
    assert paths["/feedback/items/{number}"]["get"]["parameters"][0]["schema"]["type"] == "integer"
    assert {"get", "post"} <= paths["/feedback/"].keys()


def test_an_encoded_slash_in_a_parameter_does_not_move_the_prefix():
    def up(request: Request, name: str):
        return {"name": name, "up": request.url_for("up", name="c")}

    app = App()
    Views({"/<name>/up": up}).add_to(app, "/fb")
    assert Client(app, "asgi").get("/fb/a%2Fb/up").json == {"name": "a/b", "up": "/fb/c/up"}


def starlette_router():
    from starlette.applications import Starlette
    from starlette.routing import Mount, Router

    router = Router()
    VIEWS.add_to(router, "/feedback/")
    return Starlette(routes=[Mount("/inner", router)])


def fastapi_router():
    from fastapi import APIRouter, FastAPI

    app, router = FastAPI(), APIRouter(prefix="/of")
    VIEWS.add_to(router, "/feedback/")
    app.include_router(router, prefix="/inner")
    return app


def litestar_router():
    from litestar import Litestar, Router

    router = Router("/of", route_handlers=[])
    VIEWS.add_to(router, "/feedback/")
    return Litestar([router], openapi_config=None)


def aiohttp_router():
    from aiohttp import web

    app = web.Application()
    VIEWS.add_to(app.router, "/feedback/")
    return app


def aiohttp_table():
    from aiohttp import web

    app, table = web.Application(), web.RouteTableDef()
    VIEWS.add_to(table, "/feedback/")
    app.add_routes(table)
    return app


def antiphon_blueprint():
    app, inner = App(), Blueprint("inner", prefix="/inner")
    VIEWS.add_to(inner, "/feedback/")
    app.register(inner)
    return app


ROUTERS = {
    starlette_router: "/inner/feedback", fastapi_router: "/inner/of/feedback", litestar_router: "/of/feedback",
    aiohttp_router: "/feedback", aiohttp_table: "/feedback", antiphon_blueprint: "/inner/feedback",
}  # fmt: skip


@pytest.mark.parametrize("make", ROUTERS)
def test_views_are_added_to_a_router_whose_prefix_may_end_with_a_slash(make):
    with asking(apps.made(make), make.__name__) as ask_app:
        answer = ask_app("GET", f"{ROUTERS[make]}/items/41", {}, b"")
    assert json.loads(answer[2]) == {"number": 42, "up": f"{ROUTERS[make]}/"}


def test_a_part_of_a_framework_without_routes_is_refused():
    apps.need(pyramid)
    with pytest.raises(TypeError, match=r"can't be added to a pyramid\.router\.Router"):
        VIEWS.add_to(pyramid(), "/feedback")


@rows("made, error, text", [
    (lambda: Views({"/<a>.<b>": lambda request, a, b: ""}), ValueError, "a whole segment"),
    (lambda: Views({"items": lambda request: ""}), ValueError, "must begin with a slash"),
    (lambda: Views({"/": 7}), TypeError, "7"),
    (lambda: VIEWS.add_to(7), TypeError, "not to a builtins.int"),
    (lambda: view(methods="GET")(index), ValueError, "methods must be a collection"),
    (lambda: view(interface="http")(index), ValueError, "must be 'wsgi', 'asgi' or 'auto'"),
])  # fmt: skip
def test_mistakes_are_named(made, error, text):
    with pytest.raises(error, match=text):
        made()


def test_a_request_without_views_has_no_urls():
    with pytest.raises(RuntimeError, match="an application or Views"):
        Request.blank("/").url_for("index")


def test_a_number_in_a_path_is_no_time():
    for kind in (datetime, timedelta, datetime | None):
        convert = conversion_to(kind)
        for text in ("2026", "-1.5", "1e9"):
            with pytest.raises(NotFound):
                convert(text)
    assert conversion_to(datetime)("2026-01-31T12:00:00Z").year == 2026
    assert conversion_to(datetime | int)("2026") == 2026
