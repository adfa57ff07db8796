"""A Flask program moves to an app that has it mounted, step by step, and at each step its visitors notice nothing."""

from importlib import import_module

import pytest

from antiphon import App
from antiphon.features import CookieStore, Sessions
from antiphon.testing import Client
from tests.helpers.rows import rows

KEY = "the key that both apps have"
PACKAGES = ("flask", "antiphon.dialects.flask")


@pytest.fixture(params=PACKAGES)
def flask(request):
    return import_module(request.param)


@pytest.mark.axes("interface")
@pytest.mark.parametrize("interface", ["wsgi", "asgi", "rsgi"])
@rows("path", "/", "/visitor", "/moved")
def test_a_mounted_program_tells_caches_the_same_for_each_method(flask, interface, path):
    old = flask.Flask("old")
    old.secret_key = KEY
    old.add_url_rule("/", "home", view_func=lambda: "Hello")
    old.add_url_rule("/visitor", "visitor", view_func=lambda: flask.session.get("user", "nobody"))
    old.add_url_rule("/moved", "moved", view_func=lambda: flask.redirect("/"))
    app = App(secret_keys=[KEY])
    app.mount("", old)
    app.use(Sessions(CookieStore(app.secret_keys), cookie="session"))

    alone, client = old.test_client(), Client(app, interface, follow_redirects=False)
    for method in ("GET", "HEAD", "OPTIONS"):
        own, mounted = alone.open(path, method=method).headers, client.request(method, path).headers
        names = ("Cache-Control", "Vary", "Content-Length")
        assert [mounted.get(name) for name in names] == [own.get(name) for name in names], method
