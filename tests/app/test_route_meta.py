"""Metadata of routes: typed keys of an extension, which its hooks read."""

import copy
import pickle

import pytest

from antiphon import App, Blueprint, Request, RouteKey
from antiphon.features import FileRoutes, route_options
from antiphon.testing import Client
from tests.helpers.rows import rows

FLAG = RouteKey[str]("flag")
COUNT = RouteKey[int]("count")


def told(request):
    meta = request.route.meta
    return {"flag": meta.get(FLAG), "count": meta.get(COUNT, 0), "keys": len(meta)}


@pytest.fixture
def app():
    app = App()
    app.get("/plain")(told)
    app.get("/both", meta={FLAG: "new", COUNT: 2})(told)
    return app


def test_hooks_and_middleware_read_it_before_the_handler(app, seen):
    app.before_request(lambda request: seen.append(request.route.meta.get(FLAG)))

    @app.middleware
    def around(request):
        seen.append(FLAG in request.route.meta)
        yield

    client = Client(app)
    client.get("/both")
    client.get("/missing")
    assert seen == [True, "new", False, None]


def test_routes_of_a_blueprint_have_its_own_and_that_of_those_around_it():
    inner = Blueprint("inner", prefix="/inner", meta={COUNT: 1})
    outer = Blueprint("outer", prefix="/outer", meta={FLAG: "beta", COUNT: 0})
    outer.register(inner)
    inner.get("/")(told)
    inner.get("/own", meta={FLAG: "own"})(told)
    outer.get("/")(told)
    outer.errorhandler(404)(lambda request, error: told(request))
    app = App()
    app.register(outer)
    client = Client(app)
    assert client.get("/outer/inner/").json == {"flag": "beta", "count": 1, "keys": 2}
    assert client.get("/outer/inner/own").json == {"flag": "own", "count": 1, "keys": 2}
    assert client.get("/outer/").json == {"flag": "beta", "count": 0, "keys": 2}
    assert client.get("/outer/missing").json == {"flag": "beta", "count": 0, "keys": 2}
    assert [route.meta.get(FLAG) for route in app.routes] == ["beta", "beta", "own"]


def test_a_page_has_that_of_its_options(tmp_path):
    (tmp_path / "about.py").write_text(
        "from antiphon import RouteKey\n"
        "from antiphon.features import route_options\n"
        "SHOWN = RouteKey('shown')\n"
        "@route_options(meta={SHOWN: True})\n"
        "def get(request):\n"
        "    return str(request.route.meta[SHOWN])\n"
    )
    app = App()
    app.use(FileRoutes(tmp_path))
    assert Client(app).get("/about").text == "True"
    assert route_options(meta={FLAG: "x"})


def test_a_request_without_a_route_has_none():
    meta = Request.blank().route.meta
    assert len(meta) == 0
    assert meta.get(FLAG) is None
    assert pickle.loads(pickle.dumps(Request.blank())).route.meta == meta


def test_what_is_not_there_is_an_error_with_its_name(app):
    with pytest.raises(KeyError, match="<RouteKey 'flag'>"):
        app.routes[0].meta[FLAG]


def test_keys_of_one_name_are_different(app):
    other = RouteKey[str]("flag")
    meta = app.routes[1].meta
    assert meta[FLAG] == "new"
    assert other not in meta
    assert [*meta] == [FLAG, COUNT]


def test_it_is_fixed_when_the_route_is_registered():
    given = {FLAG: "a"}
    app = App()
    app.get("/", meta=given)(told)
    given[FLAG] = "b"
    assert app.routes[0].meta[FLAG] == "a"
    with pytest.raises(TypeError):
        app.routes[0].meta[FLAG] = "c"
    assert copy.copy(app.routes[0]).meta[FLAG] == "a"


@rows("meta", [{"flag": "new"}, ["flag"], "flag", FLAG, {FLAG: 1, "flag": 2}])
def test_other_keys_are_refused(meta):
    with pytest.raises(TypeError, match=r"meta must have RouteKeys.*FLAG = RouteKey"):
        App().get("/", meta=meta)
    with pytest.raises(TypeError, match=r"meta must have RouteKeys.*FLAG = RouteKey"):
        Blueprint("shop", meta=meta)
