from functools import partial
from pathlib import Path

import pytest

from antiphon import App, Blueprint, Dependency, Response
from antiphon.handler.callables import describe
from antiphon.http.errors import NotFound
from tests.helpers.deferred_annotations import define
from tests.helpers.handlers import ASYNC_HANDLERS
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "style", "other")


def app_with(style, called):
    app = App()

    @app.get("/")
    @style
    def handler(request):
        called.append("handler")
        return "handler"

    @app.get("/fails")
    @style
    def fails(request):
        called.append("fails")
        raise NotFound("by the handler")

    return app


class TestOfOneRoute:
    def test_come_after_those_of_the_app_and_for_that_route_alone(self, serving, style, other, app):
        called = []
        shop = Blueprint("shop")

        def hook(name, answer=None):
            return other(lambda request: called.append(name) or answer)

        @shop.get("/", before=[hook("first"), hook("second")])
        @style
        def handler(request):
            called.append("handler")
            return "handler"

        @shop.get("/refused", before=hook("refuses", ("no", 403)))
        @style
        def refused(request):
            called.append("never")

        shop.get("/free", name="free")(handler)
        shop.before_request(hook("shop"))
        app.before_request(hook("app"))
        app.register(shop)
        client = serving(app)
        assert client.get("/").text == "handler"
        assert called == ["app", "shop", "first", "second", "handler"]
        called.clear()
        assert client.get("/refused").status == 403
        assert called == ["app", "shop", "refuses"]
        called.clear()
        assert client.get("/free").text == "handler"
        assert called == ["app", "shop", "handler"]

    @rows(
        "before, says",
        ([lambda: None], "request"),
        ([lambda request, other: None], "other"),
        ("hook", "must be a function or a RateLimit, not 'hook'"),
        (5, "must be a function or a RateLimit, not 5"),
        (lambda request: (yield), "yields"),
    )
    @pytest.mark.usefixtures("serving", "style", "other")
    def test_that_can_t_be_called_are_refused_at_once(self, before, says):
        with pytest.raises(TypeError, match=says):
            App().get("/", before=before)


class TestBefore:
    @rows(
        "answer, status, body",
            ("early", 200, b"early"), ("", 200, b""), ({}, 200, b"{}"), (("early", 401), 401, b"early"),
            (Response("early", 418), 418, b"early"),
        ids=repr,
    )  # fmt: skip
    def test_may_answer_early(self, serving, style, other, answer, status, body):
        called = []
        app = app_with(style, called)
        app.before_request(other(lambda request: called.append("first")))
        app.before_request(other(lambda request: answer))
        app.before_request(other(lambda request: called.append("never")))
        app.after_request(other(lambda request, response: called.append("after")))
        response = serving(app).get("/")
        assert (response.status, response.body) == (status, body)
        assert called == ["first", "after"]

    def test_that_return_nonsense_are_named_in_the_log(self, serving, style, other, caplog):
        app = app_with(style, [])

        @app.before_request
        @other
        def mistaken(request):
            return 5

        assert serving(app).get("/").status == 500
        assert describe(mistaken) in caplog.text


class TestAfter:
    def test_may_change_the_response(self, serving, style, other):
        app = app_with(style, [])

        @app.after_request
        @other
        def changes(request, response):
            response.headers["x-after"] = "1"
            response.status = 202

        response = serving(app).get("/")
        assert (response.status, response.text, response.headers["x-after"]) == (202, "handler", "1")

    def test_may_replace_the_response_for_those_that_follow(self, serving, style, other, seen):
        app = app_with(style, [])
        app.after_request(other(lambda request, response: seen.append(response.body)))
        app.after_request(other(lambda request, response: ("replaced", 202)))
        response = serving(app).get("/")
        assert (response.status, response.text) == (202, "replaced")
        assert seen == [b"replaced"]

    def test_that_fail_become_the_response_for_those_that_follow(self, serving, style, other, caplog, seen):
        error = LookupError("boom")
        app = app_with(style, [])
        app.after_request(other(lambda request, response: seen.append((response.status, response.error))))

        @app.after_request
        @other
        def fails(request, response):
            raise error

        assert serving(app).get("/").status == 500
        assert seen == [(500, error)]

    def test_that_return_nonsense_are_named_in_the_log(self, serving, style, other, caplog):
        app = app_with(style, [])

        @app.after_request
        @other
        def mistaken(request, response):
            return 5

        assert serving(app).get("/").status == 500
        assert describe(mistaken) in caplog.text


PLACE = Dependency[object]("dependency")
REGISTER = {
    "get": lambda app: app.get("/<id>"),
    "before_request": lambda app: app.before_request,
    "after_request": lambda app: app.after_request,
    "errorhandler": lambda app: app.errorhandler(404),
    "on_startup": lambda app: app.on_startup,
    "on_shutdown": lambda app: app.on_shutdown,
    "middleware": lambda app: app.middleware,
    "lifespan": lambda app: app.lifespan,
    "provide": lambda app: partial(app.provide, PLACE),
    "provide, when": lambda app: lambda when: app.provide(PLACE, len, when=when),
    "provide, default": lambda app: lambda default: app.provide(PLACE, len, default=default),
}


TAKEN = dict.fromkeys(REGISTER, ("request",)) | {
    "after_request": ("request", "response"), "errorhandler": ("request", "error"), "on_startup": (),
    "on_shutdown": (), "lifespan": (),
}  # fmt: skip
YIELD = {"middleware", "lifespan"}


def generator(*parameters):
    return define(f"def made({', '.join(parameters)}):\n    yield")


class TestFunctionsThatCannotBeCalled:
    @rows(
        "where, function, given",
        ("get", lambda: "", "request"), ("get", lambda request, item, /: "", "request"),
        ("before_request", lambda request, response: None, "request"),
        ("after_request", lambda response: None, "request, response"),
        ("errorhandler", lambda error: "", "request, error"), ("on_startup", lambda app: None, ""),
        ("on_shutdown", lambda app: None, ""), ("middleware", generator(), "request"),
        ("lifespan", generator("app"), ""), ("provide", lambda: "", "request"),
        ("provide, when", lambda: "", "request"), ("provide, default", lambda: "", "request"),
    )  # fmt: skip
    def test_are_an_error_where_they_are_registered(self, where, function, given):
        with pytest.raises(TypeError) as raised:
            REGISTER[where](App())(function)
        assert describe(function) in str(raised.value)
        assert f"is called with ({given})" in str(raised.value)

    def test_may_take_more_than_they_are_given(self, serving, app):
        class Handler:
            def method(self, request, *more, page=1, **others):
                return f"{len(more)} {page} {len(others)}"

        app.get("/method")(Handler().method)
        app.get("/partial")(partial(Handler.method, Handler(), page=2))
        app.get("/class", name="class")(str)
        client = serving(app)
        assert (client.get("/method").text, client.get("/partial").text) == ("0 1 0", "0 2 0")
        assert client.get("/class").text == "<Request GET '/class'>"

    @rows("where", REGISTER)
    def test_may_have_annotations_that_only_type_checkers_understand(self, where):
        parameters = ", ".join(f"{name}: Unknown" for name in TAKEN[where])
        body = "yield" if where in YIELD else "pass"
        REGISTER[where](App())(define(f"def made({parameters}) -> Unknown: {body}"))


ON_THE_SPOT = {
    "when": lambda app, function: app.provide(PLACE, len, when=function),
    "default": lambda app, function: app.provide(PLACE, len, default=function),
    "to_python": lambda app, function: app.converter("hex", function),
    "to_url": lambda app, function: app.converter("hex", str, function),
    "immutable": lambda app, function: app.static("/static", Path(__file__).parent, immutable=function),
    "json_default": lambda _, function: App(json_default=function),
}


@rows("role, register", ON_THE_SPOT.items(), ids=ON_THE_SPOT)
@rows("function", ASYNC_HANDLERS.values(), ids=ASYNC_HANDLERS)
def test_what_nobody_awaits_is_not_async(role, register, function):
    with pytest.raises(TypeError, match=rf"`{role}` is called without `await`, so write it as `def`") as refused:
        register(App(), function)
    assert describe(function) in str(refused.value)


MISTAKES = {
    "mount swapped": (lambda app: app.mount(App(), "/shop"), r'mount\("/shop", application\)'),
    "a middleware's name": (lambda app: app.middleware("http"), r"not 'http': write `@app.middleware`"),
    "a hook's name": (lambda app: app.before_request("first"), "'first' is not a function"),
    "on_startup of a name": (lambda app: app.on_startup("first"), "'first' is not a function"),
    "a handler as methods": (lambda app: app.route("/", len), "methods must be a collection of methods"),
}


@rows("mistake, words", MISTAKES.values(), ids=MISTAKES)
def test_what_is_registered_by_mistake_is_an_error_in_words(mistake, words):
    with pytest.raises(TypeError, match=words):
        mistake(App())


@rows(
    "where, parameters, fix",
    ("before_request", ["request"], "app.middleware"), ("after_request", ["request", "response"], "app.middleware"),
    ("on_startup", [], "app.lifespan"), ("on_shutdown", [], "app.lifespan"),
)  # fmt: skip
def test_hooks_that_yield_are_an_error_where_they_are_registered(where, parameters, fix):
    hook = generator(*parameters)
    with pytest.raises(TypeError, match=fix) as raised:
        REGISTER[where](App())(hook)
    assert describe(hook) in str(raised.value)
