"""A request has one Host (RFC 9112 §3.2): any other is a 400 before an application sees it, over each interface."""

from io import BytesIO

import pytest

from antiphon import App, Observer, Response, abort, to_app
from antiphon.adapters.foreign.environ_host import BridgedApplication
from antiphon.testing import Client, HandshakeRefused
from tests.dialects import programs
from tests.dialects.programs import kept
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


def function():
    return to_app(lambda request: kept.append(request) or Response("", 404 if request.path == "/refuse" else 200))


def native():
    app = App()
    app.get("/hello")(lambda request: "hello")
    app.post("/refuse")(lambda request: kept.append(request) or abort(404))
    return app


FORM = {"files": {"file": ("f", b"x")}}
MAKERS = (*programs.ALL, function, native)


def made(make, interface="wsgi"):
    """Make a program, a plain WSGI application where it is one."""
    app = make()
    return app.application if interface == "wsgi" and isinstance(app, BridgedApplication) else app


@pytest.fixture(autouse=True)
def _nothing_is_kept():
    yield
    kept.clear()


OTHERS = (["a.example", "b.example"], ["a.example", "a.example"], ["a.example,b.example"], [""])


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("is_observed", [False, True], ids=["", "observed"])
@rows("make", MAKERS)
def test_others_are_refused(make, interface, is_observed):
    app = made(make, interface)
    if is_observed and hasattr(app, "observe"):
        app.observe(Observer())
    kept.clear()
    with Client(app, interface) as client:
        for hosts in OTHERS:
            assert client.post("/refuse", headers=[("host", host) for host in hosts], **FORM).status == 400
        assert not kept
        assert client.post("/refuse", headers={"host": "a.example"}, **FORM).status == 404
    assert len(kept) == 1


@rows("protocol", ["HTTP/1.0", "HTTP/1"])
@rows("make", MAKERS)
def test_an_old_client_may_have_none(make, protocol):
    """HTTP/1.0 has no Host. Granian calls it HTTP/1."""
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/hello", "SERVER_NAME": "a.example", "SERVER_PORT": "80"}
    environ |= {"wsgi.url_scheme": "http", "wsgi.input": BytesIO(), "SERVER_PROTOCOL": protocol}
    statuses = []
    b"".join(made(make)(environ, lambda status, *_: statuses.append(status[:3])))
    assert statuses == ["200"]


@rows("interface", ["asgi", "rsgi"])
@rows("make", [programs.flask, programs.microdot, native])
def test_a_handshake_has_one_too(make, interface):
    with Client(make(), interface) as client:
        for hosts in OTHERS:
            with (
                pytest.raises(HandshakeRefused) as refused,
                client.websocket("/", headers=[("host", host) for host in hosts]),
            ):
                pass
            assert refused.value.response.status == 400
