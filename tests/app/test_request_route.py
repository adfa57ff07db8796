"""``request.route``: what a log line, a metric or a middleware can say of the route that answers."""

import pytest

from antiphon import App, Blueprint, Limits

pytestmark = pytest.mark.axes("interface", "style")


def labelling(app):
    """An application that says in a header which route answered, as its middleware sees it before and after."""

    @app.middleware
    def label(request):
        before = request.route.pattern
        response = yield
        response.headers["x-pattern"] = f"[{before}] [{request.route.pattern}]"

    return app


def user(request):
    return request.route.pattern


def pattern(response):
    """The pattern that middleware saw, which is the same before and after the handler."""
    before, after = response.headers["x-pattern"].split(" ")
    assert before == after
    return before[1:-1]


@pytest.fixture
def client(serving, style):
    app, shop, admin = labelling(App()), Blueprint("shop", prefix="/<shop>"), Blueprint("admin", prefix="/admin")
    app.get("/users/<int:id>")(style(user))
    app.post("/users/<int:id>")(style(user))
    admin.get("/items/<item>", name="item")(style(user))
    shop.register(admin)
    app.register(shop)
    return serving(app)


class TestThePattern:
    @pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
    def test_is_there_for_methods_that_are_answered_by_themselves(self, client, method):
        assert pattern(client.request(method, "/users/7")) == "/users/<int:id>"
        assert pattern(client.request(method, "/corner/admin/items/tea")) == "/<shop>/admin/items/<item>"

    @pytest.mark.parametrize(("method", "path", "status"), [("GET", "/no/where", 404), ("PUT", "/users/7", 405)])
    def test_is_empty_where_no_route_answers(self, client, method, path, status):
        response = client.request(method, path)
        assert (response.status, pattern(response)) == (status, "")

    def test_is_empty_for_the_server_as_a_whole_and_for_the_other_form_of_a_path(self, serving):
        app = labelling(App(redirect_slashes=True))
        app.get("/list/")(user)
        client = serving(app)
        assert pattern(client.request("OPTIONS", "*")) == ""
        redirect = client.get("/list")
        assert (redirect.status, pattern(redirect)) == (308, "")

    def test_begins_below_the_prefix_in_an_app_that_is_mounted(self, serving):
        app, inner = labelling(App()), App()
        inner.get("/users/<int:id>")(user)
        app.mount("/<tenant>/api", inner)
        response = serving(app).get("/acme/api/users/7")
        assert (response.text, pattern(response)) == ("/users/<int:id>", "/<tenant>/api")


class TestTheRoute:
    def test_is_the_one_in_the_list_of_the_app(self, serving, style):
        app, shop, seen = App(limits=Limits(query=7)), Blueprint("shop", prefix="/shop", host="a.example"), []

        @shop.route("/<item>", ["GET", "PUT"], limits=Limits(fields=3))
        @style
        def item(request):
            seen.append((request.route, request.endpoint, request.blueprint, request.app))
            return "x"

        app.register(shop)
        client = serving(app, base_url="http://a.example")
        for method in ("GET", "PUT", "HEAD"):
            assert client.request(method, "/shop/tea").status == 200
        (route,) = app.routes
        assert seen == [(route, "shop.item", "shop", app)] * 3
        assert (route.pattern, route.methods, route.host) == ("/shop/<item>", ("GET", "PUT"), "a.example")
        assert (route.name, route.blueprint, route.app) == ("shop.item", "shop", app)
        assert (route.limits.query, route.limits.fields) == (7, 3)

    def test_is_false_without_name_and_methods_where_none_answers(self, serving):
        app, shop, seen = App(), Blueprint("shop", prefix="/shop"), []

        @app.after_request
        def after(request, response):
            route = request.route
            seen.append((response.status, bool(route), route.name, route.blueprint, route.methods, request.endpoint))

        shop.get("/tea")(user)
        app.register(shop)
        client = serving(app)
        for method, path in (("GET", "/no"), ("GET", "/shop/no"), ("PUT", "/shop/tea"), ("GET", "/shop/tea")):
            client.request(method, path)
        assert seen == [
            (404, False, "", None, (), None),
            (404, False, "", "shop", (), None),
            (405, False, "", "shop", (), None),
            (200, True, "shop.user", "shop", ("GET",), "shop.user"),
        ]


class TestTheHandler:
    def test_is_the_function_that_was_registered(self, serving, style, app):
        @app.before_request
        def check(request):
            if not getattr(request.route.handler, "is_open", False):
                return "closed", 403
            return None

        def door(request):
            return "come in"

        @style
        def hall(request):
            return "come in"

        door.is_open = True
        app.get("/door")(door)
        app.get("/hall")(hall)
        client = serving(app)
        assert (client.get("/door").status, client.get("/hall").status, client.get("/none").status) == (200, 403, 403)
