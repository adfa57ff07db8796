"""A request has one Host (RFC 9112 §3.2): any other is a 400 before an application sees it, over each interface."""

from io import BytesIO

import pytest

from antiphon import App, Observer, Response, to_app
from antiphon.adapters.foreign.environ_host import BridgedApplication
from antiphon.dialects.flask import Flask
from antiphon.dialects.kay.app import KayApp
from antiphon.dialects.kay.routing import Rule, ViewGroup
from antiphon.dialects.kay.werkzeug.wrappers import Response as KayResponse
from antiphon.dialects.microdot import Microdot
from antiphon.dialects.pyramid.config import Configurator
from antiphon.dialects.webob.dec import wsgify
from antiphon.dialects.werkzeug.wrappers import Request as WerkzeugRequest
from antiphon.dialects.werkzeug.wrappers import Response as WerkzeugResponse
from antiphon.testing import Client, HandshakeRefused
from tests.helpers.rows import rows

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


def werkzeug(seen):
    return WerkzeugRequest.application(lambda request: seen.append("werkzeug") or WerkzeugResponse("hello"))


def webob(seen):
    return wsgify(lambda request: seen.append("webob"))


def kay(seen):
    view = Rule("/", endpoint="hello", view=lambda request: seen.append("kay") or KayResponse("hello"))
    return KayApp({}, [ViewGroup(view)])


def function(seen):
    return to_app(lambda request: seen.append("function") or Response("hello"))


def native(seen):
    app = App()
    app.get("/")(lambda request: seen.append("native") or "hello")
    return app


PLAIN = (werkzeug, webob, kay)
"""The makers of plain WSGI applications: no observer sees their requests."""
MAKERS = (flask, microdot, pyramid, function, native, *PLAIN)
OTHERS = (["a.example", "b.example"], ["a.example", "a.example"], ["a.example,b.example"], [""])


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("is_observed", [False, True], ids=["", "observed"])
@rows("make", MAKERS)
def test_others_are_refused(make, interface, is_observed):
    seen = []
    app = make(seen)
    if make in PLAIN and interface != "wsgi":
        app = BridgedApplication(app)
    if is_observed and make not in PLAIN:
        app.observe(Observer())
    with Client(app, interface) as client:
        assert client.get("/").status == 200
        seen.clear()
        for hosts in OTHERS:
            assert client.get("/", headers=[("host", host) for host in hosts]).status == 400
        assert client.get("/", headers={"host": "a.example"}).status == 200
    assert len(seen) == 1


@rows("protocol", ["HTTP/1.0", "HTTP/1"])
@rows("make", MAKERS)
def test_an_old_client_may_have_none(make, protocol):
    """HTTP/1.0 has no Host. Granian calls it HTTP/1."""
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "SERVER_NAME": "a.example", "SERVER_PORT": "80"}
    environ |= {"wsgi.url_scheme": "http", "wsgi.input": BytesIO(), "SERVER_PROTOCOL": protocol}
    statuses = []
    b"".join(make([])(environ, lambda status, *_: statuses.append(status[:3])))
    assert statuses == ["200"]


@rows("interface", ["asgi", "rsgi"])
@rows("make", [flask, microdot, native])
def test_a_handshake_has_one_too(make, interface):
    with Client(make([]), interface) as client:
        for hosts in OTHERS:
            with (
                pytest.raises(HandshakeRefused) as refused,
                client.websocket("/", headers=[("host", host) for host in hosts]),
            ):
                pass
            assert refused.value.response.status == 400
