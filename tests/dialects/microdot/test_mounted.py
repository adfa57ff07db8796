"""Applications in an application."""

import pytest

from antiphon import App, Limits
from antiphon.dialects.microdot import Microdot
from antiphon.testing import Client

pytestmark = pytest.mark.axes("interface")


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
