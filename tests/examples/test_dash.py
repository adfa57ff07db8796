"""Dash in frameworks that it doesn't know, by the backend in the examples: as by its own for Flask."""

import json
import logging
import re
from contextlib import ExitStack

import pytest

from antiphon.testing import Client
from tests.frameworks import apps
from tests.frameworks.exchanges import JSON, ask, asking
from tests.helpers.django_settings import settings_for_views

PREFIX = "/dash/"


def treble(number):
    """Return the call of a callback, as the page sends it."""
    return json.dumps({
        "output": "out.children",
        "outputs": {"id": "out", "property": "children"},
        "inputs": [{"id": "in", "property": "value", "value": number}],
        "changedPropIds": ["in.value"],
    }).encode()  # fmt: skip


SCRIPT = {
    "page": ("GET", "", {}, b""),
    "page of another path": ("GET", "some/page?q=1", {}, b""),
    "layout": ("GET", "_dash-layout", {}, b""),
    "callbacks": ("GET", "_dash-dependencies", {}, b""),
    "callback": (
        "POST",
        "_dash-update-component",
        JSON | {"cookie": "who=ada", "origin": "http://localhost"},
        treble(7),
    ),
    "no update": ("POST", "_dash-update-component", JSON, treble(0)),
    "failing": ("POST", "_dash-update-component", JSON, b'{"output": "no.children"}'),
    "health": ("GET", "health", {}, b""),
    "icon": ("GET", "_favicon.ico", {}, b""),
    "asset": ("GET", "assets/own.css", {}, b""),
    "missing asset": ("GET", "assets/none.css", {}, b""),
    "script": ("GET", "_dash-component-suites/dash/dcc/dash_core_components.js", {}, b""),
    "fingerprinted script": ("GET", "_dash-component-suites/dash/dcc/dash_core_components.v4_0_0m1.js", {}, b""),
    "missing script": ("GET", "_dash-component-suites/dash/dcc/none.js", {}, b""),
    "wrong method": ("POST", "_dash-layout", {}, b""),
    "API": ("POST", "api/double", JSON, b'{"number": 4}'),
}
COMPARED = {"content-type", "set-cookie", "x-own", "cache-control"}


@pytest.fixture(scope="module", autouse=True)
def django_settings():
    pytest.importorskip("dash", reason="dash is not installed")
    with settings_for_views():
        yield


@pytest.fixture(autouse=True)
def _quiet(caplog):
    caplog.set_level(logging.CRITICAL)


def dash_app(folder, **options):
    import dash

    app = dash.Dash(
        "shop", routes_pathname_prefix=PREFIX, requests_pathname_prefix=PREFIX, health_endpoint="health",
        assets_folder=str(folder), **options,
    )  # fmt: skip
    app.layout = dash.html.Div([dash.dcc.Input(id="in", value=1), dash.html.P(id="out")])

    @app.callback(dash.Output("out", "children"), dash.Input("in", "value"))
    def treble(value):
        if not value:
            raise dash.exceptions.PreventUpdate
        context = dash.callback_context
        context.response.set_cookie("seen", "1", samesite="Lax")
        context.response.set_header("x-own", context.headers["Host"])
        return f"{3 * value} {context.cookies.get('who')} {context.path} {context.triggered_id}"

    @app.callback(api_endpoint="/dash/api/double")
    def double(number):
        return {"double": 2 * number}

    app.setup_apis()
    return app


def flask(show):
    from flask import Flask

    app = Flask("suite")
    for number, rule in enumerate((PREFIX, f"{PREFIX}<path:path>")):
        app.add_url_rule(rule, str(number), show("wsgi"), methods=["GET", "POST"])
    return app


def bottle(show):
    from bottle import Bottle

    app = Bottle()
    for rule in (PREFIX, f"{PREFIX}<path:path>"):
        app.route(rule, ["GET", "POST"], show("wsgi"))
    return app


def django_asgi(show):
    return apps.django_asgi()


def starlette(show):
    from starlette.applications import Starlette
    from starlette.routing import Route

    return Starlette(routes=[Route(f"{PREFIX}{{path:path}}", show("asgi"), methods=["GET", "POST"])])


def aiohttp(show):
    from aiohttp import web

    app = web.Application()
    app.router.add_route("*", f"{PREFIX}{{path:.*}}", show("asgi"))
    return app


def answers(ask_one):
    """Return the answers to the script, as far as Dash decides them."""
    found = {}
    for name, (method, path, headers, body) in SCRIPT.items():
        status, fields, text = ask_one(method, PREFIX + path, headers, body)
        # What `get_response` gets of another framework's application is private: its reads can't be recorded.
        fields = [(key, value.removesuffix(", private")) for key, value in fields if key in COMPARED]
        if status == 204 or status >= 400:  # errors are the framework's, or problem details
            fields, text = [], ""
        text = re.sub('"end_id":"[^"]*"', "", text)  # of one process
        found[name] = status, fields, json.loads(text) if ("content-type", "application/json") in fields else text
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("assets")
    (folder / "own.css").write_text("p {color: red}")
    return folder


@pytest.fixture(scope="module")
def expected(folder):
    app = dash_app(folder)
    return answers(lambda *sent: ask(app.server, "wsgi", *sent))


@pytest.mark.parametrize("make", [flask, bottle, django_asgi, starlette, aiohttp])
def test_answers_are_those_of_dash_in_flask(make, folder, expected):
    pytest.importorskip(make.__name__.partition("_")[0])
    from examples.integrations.dash_server import DashServer, dash_view

    app = dash_app(folder, backend=DashServer)
    with ExitStack() as stack:
        if make is django_asgi:
            from django.urls import re_path

            stack.enter_context(apps.urls_of_django([re_path("^dash/", dash_view(app))]))
        made = make(lambda interface: dash_view(app))
        found = answers(stack.enter_context(asking(made, make.__name__)))
    assert found == expected
    assert found["callback"][0] == 200
    assert "21 ada" in str(found["callback"][2])


def test_the_page_shows_times_and_failures_in_debug(folder):
    from examples.integrations.dash_server import DashServer

    app = dash_app(folder, backend=DashServer)
    app.enable_dev_tools(debug=True, dev_tools_hot_reload=False)
    answer = Client(app.server).get(f"{PREFIX}_dash-layout")
    assert answer.headers["server-timing"].startswith("__dash_server;dur=")
    failed = Client(app.server).post(f"{PREFIX}_dash-update-component", json={"output": "no.children"})
    assert (failed.status, failed.headers["content-type"]) == (500, "text/html; charset=utf-8")
    assert "Callback function not found" in failed.text
