"""A request has one Host (RFC 9112 §3.2): over ASGI and RSGI, any other is a 400 before an application sees it."""

import pytest

from antiphon import App, Observer, Response, to_app
from antiphon.dialects.flask import Flask
from antiphon.dialects.microdot import Microdot
from antiphon.dialects.pyramid.config import Configurator
from antiphon.testing import Client

pytestmark = pytest.mark.once


def flask(seen):
    app = Flask(__name__)
    app.route("/")(lambda: seen.append("flask") or "hello")
    return app


def microdot(seen):
    app = Microdot()
    app.get("/")(lambda request: seen.append("microdot") or "hello")
    return app


def pyramid(seen):
    def hello(request):
        seen.append("pyramid")
        return request.response

    config = Configurator()
    config.add_route("hello", "/")
    config.add_view(hello, route_name="hello")
    return config.make_wsgi_app()


def function(seen):
    return to_app(lambda request: seen.append("function") or Response("hello"))


def native(seen):
    app = App()
    app.get("/")(lambda request: seen.append("native") or "hello")
    return app


@pytest.mark.parametrize("interface", ["asgi", "rsgi"])
@pytest.mark.parametrize("is_observed", [False, True], ids=["", "observed"])
@pytest.mark.parametrize("make", [flask, microdot, pyramid, function, native])
def test_others_are_refused(make, interface, is_observed):
    seen = []
    app = make(seen)
    if is_observed:
        app.observe(Observer())
    with Client(app, interface) as client:
        assert client.get("/").status == 200
        seen.clear()
        for hosts in (["a.example", "b.example"], ["a.example", "a.example"], ["a.example,b.example"], [""]):
            assert client.get("/", headers=[("host", host) for host in hosts]).status == 400
        assert client.get("/", headers={"host": "a.example"}).status == 200
    assert len(seen) == 1
