"""What a request is given to be called after it alone."""

import asyncio

import pytest

from antiphon import App
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "style", "other")


class Mine(Exception):
    pass


def mark(name):
    return lambda request, response: response.headers.add("x-hook", name)


def marks(response):
    return response.headers.getall("x-hook")


def app_with(style, handler=lambda request: "x"):
    app = App()
    app.get("/")(style(handler))
    return app


class TestRegistered:
    @rows("where", ["middleware", "before", "early", "handler", "error", "failing handler"])
    def test_anywhere_before_the_response_is_called(self, serving, style, other, where):
        def register_it(request):
            if where == "middleware":
                request.on_response(other(mark(where)))

        app = App()
        app.middleware(other.around(register_it))

        @app.before_request
        @other
        def before(request):
            if where in ("before", "early"):
                request.on_response(other(mark(where)))
            return "early" if where == "early" else None

        @app.get("/")
        @style
        def handler(request):
            if where in ("handler", "failing handler"):
                request.on_response(other(mark(where)))
            if where in ("error", "failing handler"):
                raise Mine
            return "x"

        @app.errorhandler(Mine)
        @other
        def handles(request, error):
            if where == "error":
                request.on_response(other(mark(where)))
            return "handled"

        response = serving(app).get("/")
        assert response.status == (500 if where in ("error", "failing handler") else 200)
        assert marks(response) == [where]

    def test_for_one_request_is_not_called_for_the_next(self, serving, style, other):
        def handler(request):
            if "hook" in request.args:
                request.on_response(other(mark("once")))
            return "x"

        client = serving(app_with(style, handler))
        assert [marks(client.get(url)) for url in ("/?hook", "/", "/?hook")] == [["once"], [], ["once"]]


class TestOrder:
    def test_of_both_styles_is_kept_and_each_is_where_it_belongs(self, serving, style, interface, app):
        called = []

        def runs_on_loop():
            try:
                return bool(asyncio.get_running_loop())
            except RuntimeError:
                return False

        def around(request):
            yield
            called.append(("closes", runs_on_loop()))

        app.middleware(around)
        app.after_request(lambda request, response: called.append(("after", runs_on_loop())))

        @app.get("/")
        @style
        def handler(request):
            async def waits(request, response):
                await asyncio.sleep(0)
                called.append(("waits", runs_on_loop()))

            request.on_response(waits)
            request.on_response(lambda request, response: called.append(("blocks", runs_on_loop())))
            request.on_response(waits)
            return "x"

        assert serving(app).get("/").status == 200
        there = style.is_async and interface != "wsgi"
        assert called == [
            ("waits", True), ("blocks", there), ("waits", True), ("after", there), ("closes", there)
        ]  # fmt: skip
