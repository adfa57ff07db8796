"""Hooks and dependencies for writes, which routes of safe methods do without."""

import pytest

from antiphon import App, Dependency
from antiphon.testing import Client
from tests.helpers.rows import rows

SENT = Dependency[str]("sent")


@pytest.mark.parametrize("color", ["def", "async def"])
@rows(
    "methods, method, called",
    (("GET",), "GET", []),
    (("GET",), "HEAD", []),
    (("QUERY",), "QUERY", []),
    (("POST",), "POST", ["hook", "dependency"]),
    (("GET", "POST"), "GET", ["hook", "dependency"]),
    (("PROPFIND",), "PROPFIND", ["hook", "dependency"]),
)
@pytest.mark.axes("interface", "color")
def test_they_are_called_where_a_route_answers_writes(interface, color, methods, method, called):
    app, calls = App(), []

    @app.route("/", methods)
    def handler(request):
        return "handler" if request.method in ("GET", "HEAD", "QUERY") else request[SENT]

    @app.route("/async", methods)
    async def waiting(request):
        return "handler" if request.method in ("GET", "HEAD", "QUERY") else request[SENT]

    app.provide(SENT, lambda request: calls.append("dependency") or "sent", blocking=True, only_writes=True)
    app.before_request(only_writes=True)(lambda request: calls.append("hook"))
    Client(app, interface).request(method, "/" if color == "def" else "/async")
    assert calls == called
