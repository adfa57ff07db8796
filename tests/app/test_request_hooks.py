"""What a request is given to be called after it alone."""

import asyncio

import pytest

from antiphon import App, Blueprint, Response
from antiphon.handler.callables import describe
from antiphon.http.errors import Conflict, NotFound
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "style", "other")


class Mine(Exception):
    pass


def mark(name):
    """A hook that leaves its name in the response."""
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

    def test_for_a_path_without_a_route_is_called(self, serving, style, other):
        app = app_with(style)
        app.before_request(other(lambda request: request.on_response(other(mark("seen"))) and None))
        response = serving(app).get("/nowhere")
        assert (response.status, marks(response)) == (404, ["seen"])

    def test_for_one_request_is_not_called_for_the_next(self, serving, style, other):
        def handler(request):
            if "hook" in request.args:
                request.on_response(other(mark("once")))
            return "x"

        client = serving(app_with(style, handler))
        assert [marks(client.get(url)) for url in ("/?hook", "/", "/?hook")] == [["once"], [], ["once"]]

    def test_as_a_decorator_leaves_the_function(self):
        from antiphon import Request

        request = Request.blank("/")

        @request.on_response
        def hook(request, response): ...

        assert request._after_hooks == (hook,)


class TestOrder:
    def test_is_that_of_registering_and_before_all_others(self, serving, style, other):
        called = []

        def note(name):
            return lambda *_: called.append(name)

        app, shop = App(), Blueprint("shop")
        for scope, name in ((app, "app"), (shop, "shop")):
            scope.middleware(other.around(after=note(f"{name} closes")))
            scope.after_request(other(note(f"{name} after")))
            scope.before_request(other(lambda request, name=name: request.on_response(other(note(name))) and None))

        @shop.get("/")
        @style
        def handler(request):
            for name in ("first", "second"):
                request.on_response(other(note(name)))
            return "x"

        app.register(shop)
        serving(app).get("/")
        assert called == [
            "app", "shop", "first", "second", "shop after", "app after", "shop closes", "app closes"
        ]  # fmt: skip

    def test_of_both_styles_is_kept_and_each_is_where_it_belongs(self, serving, style, interface):
        called = []
        app = App()

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

    @pytest.mark.parametrize("where", ["middleware", "hook"])
    def test_on_the_way_back_is_next(self, serving, style, other, where):
        called = []

        def register(request, response):
            called.append("registers")
            request.on_response(other(lambda request, response: called.append("next")))

        app = app_with(style)
        app.middleware(other.around(after=lambda *_: called.append("outer")))

        @app.middleware
        def inner(request):
            response = yield
            if where == "middleware":
                register(request, response)

        if where == "hook":
            app.after_request(register)
        assert serving(app).get("/").status == 200
        assert called == ["registers", "next", "outer"]


class TestTheResponse:
    def test_may_be_replaced_for_those_that_follow(self, serving, style, other):
        seen = []

        def handler(request):
            request.on_response(other(lambda request, response: ("replaced", 202, {"x-new": "1"})))
            request.on_response(other(lambda request, response: seen.append(response.body)))
            return "x"

        app = app_with(style, handler)
        app.after_request(other(lambda request, response: seen.append(response.status)))
        response = serving(app).get("/")
        assert (response.status, response.text, response.headers["x-new"]) == (202, "replaced", "1")
        assert seen == [b"replaced", 202]

    def test_keeps_its_error_when_it_is_replaced(self, serving, style, other):
        seen = []

        def handler(request):
            request.on_response(other(lambda request, response: Response("replaced")))
            raise NotFound

        app = app_with(style, handler)
        app.after_request(other(lambda request, response: seen.append(type(response.error))))
        assert serving(app).get("/").text == "replaced"
        assert seen == [NotFound]

    def test_is_the_error_of_one_that_fails(self, serving, style, other, caplog):
        called = []

        def fails(error):
            def raises(request, response):
                raise error

            return other(raises)

        def handler(request):
            request.on_response(fails(LookupError("oh")))
            request.on_response(other(lambda request, response: called.append(response.status)))
            request.on_response(fails(Conflict("both")))
            return "x"

        app = app_with(style, handler)
        app.errorhandler(Conflict)(other(lambda request, error: "handled"))
        app.after_request(other(lambda request, response: called.append(response.status)))
        response = serving(app).get("/")
        assert (response.status, response.text) == (409, "handled")
        assert called == [500, 409]
        assert "LookupError: oh" in caplog.text
        assert "Conflict" not in caplog.text

    def test_is_an_error_that_names_one_that_returns_nonsense(self, serving, style, other, caplog):
        @other
        def mistaken(request, response):
            return 5

        assert serving(app_with(style, lambda request: request.on_response(mistaken) and "x")).get("/").status == 500
        assert describe(mistaken) in caplog.text
