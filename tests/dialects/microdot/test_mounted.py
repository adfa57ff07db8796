"""Applications in an application."""

import pytest

from antiphon import App, Limits
from antiphon.dialects.microdot import Microdot
from antiphon.testing import Client

pytestmark = pytest.mark.axes("interface")


def hooked(name):
    """An application of which the hooks leave their name."""
    app = Microdot()

    @app.before_request
    async def before(request):
        request.g.trail = [*getattr(request.g, "trail", []), f"before {name}"]

    @app.after_request
    async def after(request, response):
        response.headers["X-Trail"] = response.headers.get("X-Trail", "") + f" after {name}"

    @app.after_error_request
    async def after_error(request, response):
        response.headers["X-Trail"] = response.headers.get("X-Trail", "") + f" error {name}"

    @app.get(f"/{name}")
    async def handler(request):
        return request.g.trail

    @app.get(f"/{name}/fail")
    async def fail(request):
        raise ValueError

    @app.errorhandler(ValueError)
    def failed(request, error):
        return f"failed in {name}"

    return app


def test_hooks_of_a_mounted_application_are_for_all(serve):
    app, inner = hooked("outer"), hooked("inner")
    app.mount(inner, url_prefix="/sub")
    client = serve(app)
    response = client.get("/sub/inner")
    assert (response.json, response.headers["x-trail"]) == (["before outer", "before inner"], "after outer after inner")
    assert client.get("/outer").json == ["before outer", "before inner"]
    assert client.get("/outer/fail").text == "failed in inner"


def test_hooks_of_a_mounted_application_that_are_local(serve):
    app, inner = hooked("outer"), hooked("inner")
    app.mount(inner, url_prefix="/sub", local=True)
    client = serve(app)
    response = client.get("/sub/inner")
    assert (response.json, response.headers["x-trail"]) == (["before outer", "before inner"], "after inner after outer")
    response = client.get("/outer")
    assert (response.json, response.headers["x-trail"]) == (["before outer"], "after outer")
    response = client.get("/sub/inner/fail")
    assert (response.text, response.headers["x-trail"]) == ("failed in inner", "error inner error outer")
    assert client.get("/outer/fail").text == "failed in outer"


def test_mounted_applications_may_have_mounted_others(app, serve):
    middle, inner = Microdot(), Microdot()

    @inner.get("/<int:n>")
    async def handler(request, n):
        return [request.url_prefix, request.subapp is inner, n]

    middle.mount(inner, "/b")
    app.mount(middle, "/a")
    assert serve(app).get("/a/b/7").json == ["/a/b", True, 7]


def test_a_method_that_a_local_application_lacks_is_its_own_to_answer(serve):
    app, inner = hooked("outer"), hooked("inner")
    inner.errorhandler(405)(lambda request: (f"none at {request.url_prefix}", 405))
    inner.get("/<anything>/<more>")(lambda request, anything, more: "")
    app.mount(inner, "/sub", local=True)
    for path in ("/sub/inner", "/sub/x/y"):
        response = serve(app).put(path)
        trail = "error inner error outer"
        assert (response.status, response.text, response.headers["x-trail"]) == (405, "none at /sub", trail)
    assert serve(app).put("/outer").headers["x-trail"] == "error outer"


def test_an_application_in_a_native_one_is_held_to_its_limits(app, interface):
    @app.post("/fields")
    async def fields(request):
        return len(request.form)

    @app.post("/levels")
    async def levels(request):
        return str(request.json)

    outer = App()
    outer.mount("/m", app, limits=Limits(fields=5, json_depth=3))
    client = Client(outer, interface)
    assert client.post("/m/fields", form=[("a", "1")] * 6).status == 413
    assert client.post("/m/levels", json=[[[[]]]]).status == 400
    assert client.post("/m/levels", json=[[[]]]).text == "[[[]]]"


def test_a_request_that_is_dispatched_again_is_that_of_its_new_route_only(app, serve):
    inner = Microdot()

    @inner.get("/old/<int:number>")
    async def old(request, number):
        request.path = "/new"
        return await request.app.dispatch_request(request)

    @inner.after_request
    async def after(request, response):
        response.headers["X-After"] = response.headers.get("X-After", "") + "inner"

    @app.get("/new")
    async def new(request):
        return [request.url_prefix, request.subapp, request.url_args]

    app.mount(inner, url_prefix="/sub", local=True)
    assert serve(app).get("/sub/old/3").json == ["", None, {}]
