"""Views that are classes, beside Flask's."""

import asyncio
from asyncio import get_running_loop

from antiphon.dialects.flask import Flask
from antiphon.dialects.flask import views as our_views
from antiphon.testing import AsyncClient
from tests.dialects.flask.beside import ask_both
from tests.helpers.rows import rows


def program(package):
    app = package.Flask(__name__)
    views, request = package.module("views"), package.request

    class Plain(views.View):
        """Says hello."""

        def dispatch_request(self, name="nobody"):
            return f"{name} {request.method}"

    class Posting(Plain):
        methods = ("GET", "POST")

    class Waiting(views.View):
        async def dispatch_request(self, name):
            await asyncio.sleep(0)
            return f"{name} {request.path}"

    class Made(views.View):
        def __init__(self, prefix, suffix):
            self.prefix, self.suffix, self.count = prefix, suffix, 0

        def dispatch_request(self):
            self.count += 1
            return f"{self.prefix}{self.count}{self.suffix}"

    class Shared(Made):
        init_every_request = False

    class ByHand(Plain):
        methods = ("OPTIONS", "GET")
        provide_automatic_options = False

    class WithoutOptions(Plain):
        provide_automatic_options = False

    class Undefined(views.View):
        pass

    def tagged(tag):
        def decorate(function):
            def decorated(**values):
                return f"<{tag}>{function(**values)}</{tag}>"

            return decorated

        return decorate

    class Decorated(Plain):
        decorators = [tagged("b"), tagged("i")]  # noqa: RUF012 - as Flask declares it

    class Items(views.MethodView):
        def get(self, number=0):
            return f"get {number}"

        async def put(self, number=0):
            await asyncio.sleep(0)
            return f"put {number}", 201

    class MoreItems(Items):
        def delete(self, number=0):
            return f"delete {number}"

    class Mixin:
        def post(self):
            return "posted"

    class Mixed(Mixin, MoreItems):
        init_every_request = False

        def head(self):
            return "", {"X-Head": "own"}

        def options(self):
            return "own options"

    class Fewer(MoreItems):
        methods = ("GET", "PATCH")

    class None_(views.MethodView):
        pass

    rules = {
        "/plain": Plain, "/posting": Posting, "/hand": ByHand, "/without": WithoutOptions, "/undefined": Undefined,
        "/decorated": Decorated, "/items": Items, "/more": MoreItems, "/mixed": Mixed, "/fewer": Fewer, "/none": None_,
    }  # fmt: skip
    for path, cls in rules.items():
        app.add_url_rule(path, view_func=cls.as_view(cls.__name__.lower()))
    app.add_url_rule("/plain/<name>", view_func=app.view_functions["plain"])
    app.add_url_rule("/waiting/<name>", view_func=Waiting.as_view("waiting"))
    app.add_url_rule("/items/<int:number>", view_func=app.view_functions["items"])
    app.add_url_rule("/made", view_func=Made.as_view("made", "<", suffix=">"))
    app.add_url_rule("/shared", view_func=Shared.as_view("shared", "<", suffix=">"))
    app.add_url_rule("/only", view_func=Items.as_view("only"), methods=["GET"])
    blueprint = package.Blueprint("parts", __name__, url_prefix="/parts")
    blueprint.add_url_rule("/items", view_func=MoreItems.as_view("items"))
    app.register_blueprint(blueprint)
    app.add_url_rule("/names", "names", lambda: package.jsonify({
        name: [view.__name__, view.__doc__, view.__module__, view.view_class.__name__, sorted(view.methods or [])]
        for name, view in app.view_functions.items() if hasattr(view, "view_class")
    }))  # fmt: skip
    return app


PATHS = [
    "/plain", "/plain/Zoe", "/posting", "/hand", "/without", "/decorated", "/items", "/items/5", "/more", "/mixed",
    "/fewer", "/none", "/only", "/parts/items", "/waiting/Zoe", "/made", "/shared", "/undefined", "/names",
]  # fmt: skip
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")


@rows("path", PATHS)
def test_answers_as_on_flask(path):
    ask_both(program, [(path, {"method": method}) for method in METHODS])


def test_names_are_those_of_flask():
    from flask import views

    assert our_views.http_method_funcs == views.http_method_funcs


def gathering(count):
    """An application whose views answer when ``count`` requests are there."""
    app = Flask(__name__)
    arrived = []

    async def everybody():
        arrived.append(get_running_loop())
        while len(arrived) < count:
            await asyncio.sleep(0.001)
        return str(len({*arrived}))

    class Waiting(our_views.View):
        async def dispatch_request(self):
            return await everybody()

    class Items(our_views.MethodView):
        def put(self):
            return "put"

        async def get(self):
            return await everybody()

    class Shared(Items):
        init_every_request = False

    for path, cls in {"/view": Waiting, "/items": Items, "/shared": Shared}.items():
        app.add_url_rule(path, view_func=cls.as_view(path[1:]))
    return app


@rows("path", ["/view", "/items", "/shared"])
def test_async_methods_wait_on_the_loop_and_hold_no_threads(path):
    count = 200

    async def ask():
        async with AsyncClient(gathering(count), "asgi") as client:
            answers = await asyncio.gather(*[client.get(path) for _ in range(count)])
            assert {answer.text for answer in answers} == {"1"}

    asyncio.run(ask())


def test_an_application_with_async_methods_is_served_over_asgi():
    class Items(our_views.MethodView):
        def get(self):
            return ""

    app = Flask(__name__)
    app.add_url_rule("/items", view_func=Items.as_view("items"))
    assert app.interface == "wsgi"
    assert gathering(1).interface == "asgi"
