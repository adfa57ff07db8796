"""Header fields that a program sets: the same over each interface, and none that would be read as something else."""

import pytest

from antiphon import App
from antiphon.dialects import flask
from antiphon.dialects.microdot import Microdot
from antiphon.dialects.microdot import redirect as microdot_redirect
from antiphon.dialects.pyramid import httpexceptions
from antiphon.dialects.pyramid.config import Configurator
from antiphon.dialects.pyramid.response import Response as PyramidResponse
from antiphon.dialects.webob import Response as WebObResponse
from antiphon.dialects.webob.dec import wsgify
from antiphon.dialects.webob.exc import HTTPFound
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.axes("interface")]


def flask_app(fields, location):
    app = flask.Flask("app")
    app.add_url_rule("/fields", "fields", lambda: ("x", 302, fields))
    app.add_url_rule("/redirect", "redirect", lambda: flask.redirect(location))
    return app


def microdot_app(fields, location):
    app = Microdot()
    app.get("/fields")(lambda request: ("x", 302, dict(fields)))
    app.get("/redirect")(lambda request: microdot_redirect(location))
    return app


def pyramid_app(fields, location):
    config = Configurator()
    config.add_view(lambda request: PyramidResponse(b"x", 302, headerlist=fields), name="fields")
    config.add_view(lambda request: httpexceptions.HTTPFound(location), name="redirect")
    return config.make_wsgi_app()


def webob_app(fields, location):
    @wsgify
    def answer(request):
        return (
            WebObResponse(b"x", 302, headerlist=fields) if request.path == "/fields" else HTTPFound(location=location)
        )

    app = App()
    app.mount("", answer)
    return app


APPS = (flask_app, microdot_app, pyramid_app, webob_app)


def ask(make, interface, path, fields=(), location="/"):
    """The response; None for an error that a WSGI server would answer with a 500."""
    with Client(make([*fields], location), interface, follow_redirects=False) as client:
        try:
            return client.get(path)
        except ValueError:  # of the dialect: the client itself raises other errors for what a server can't send
            return None


@rows("make", APPS)
@rows("path", ["/fields", "/redirect"])
@rows(
    "location, sent",
    ("/\xe9", "/%C3%A9"),
    ("/\u20ac?\xe4=\U0001f4a5#\xe9", "/%E2%82%AC?%C3%A4=%F0%9F%92%A5#%C3%A9"),
    ("/%C3%A9\xe9", "/%C3%A9%C3%A9"),
    ("/\u2028\x85", "/%E2%80%A8%C2%85"),
    ("/plain?a=b&c=%20#d", "/plain?a=b&c=%20#d"),
)
def test_a_location_is_percent_encoded(make, interface, path, location, sent):
    response = ask(make, interface, path, [("Location", location)], location)
    assert (response.status, response.location.removeprefix("http://testserver")) == (302, sent)


NOT_SENT = [
    ("X A", "1"), ("X:A", "1"), ("X-A\xe9", "1"), ("", "1"), ("X\r\nB", "1"), ("X-A", "a\r\nb: c"), ("X-A", "a\nb"),
    ("X-A", "a\0"), ("X-A", "\x01"), ("X-A", "\x1b[2J"), ("X-A", "\x7f"), ("Location", "/a\r\nb: c"),
]  # fmt: skip


@rows("make", APPS)
@rows("field", NOT_SENT, ids=ascii)
def test_what_no_header_has_is_an_error(make, interface, field):
    response = ask(make, interface, "/fields", [field])
    assert response is None or response.status == 500
