"""Methods of the dispatch that programs override, by a subclass or on an application, as in Flask 3.1 and in 3.2."""

import pytest

from antiphon import Observer
from antiphon.dialects.flask import Flask, g, request
from antiphon.dialects.flask.ctx import RequestContext
from antiphon.dialects.flask.dispatch import STEPS
from antiphon.dialects.werkzeug.middleware.proxy_fix import ProxyFix
from antiphon.testing import Client
from tests.helpers.rows import rows

INTERFACES = ["wsgi", "asgi"]


def routes(app):
    @app.route("/")
    def index():
        return "index"

    @app.route("/async")
    async def asynchronous():
        return "async"

    @app.route("/fails")
    async def fails():
        raise ZeroDivisionError

    @app.route("/missing")
    def missing():
        raise LookupError

    app.register_error_handler(LookupError, lambda error: ("handled", 410))
    return app


def noting(name, base=Flask):
    """A class of applications whose method of a name notes its calls, and calls that of its base."""
    called = []

    def old(self, *arguments):
        called.append([type(each).__name__ for each in arguments])
        return getattr(super(Own, self), name)(*arguments)

    def new(self, ctx, *arguments):
        called.append([type(ctx).__name__, *[type(each).__name__ for each in arguments]])
        return getattr(super(Own, self), name)(ctx, *arguments)

    class Own(base):
        pass

    return Own, called, old, new


CALLED = {
    "full_dispatch_request": "/", "preprocess_request": "/", "dispatch_request": "/async", "process_response": "/",
    "finalize_request": "/async", "handle_exception": "/fails", "handle_user_exception": "/missing",
    "handle_http_exception": "/nowhere", "log_exception": "/fails", "make_default_options_response": "/",
    "do_teardown_request": "/", "do_teardown_appcontext": "/async",
}  # fmt: skip
ANSWERS = {"/": 200, "/async": 200, "/fails": 500, "/missing": 410, "/nowhere": 404}


@pytest.mark.axes("interface")
@pytest.mark.parametrize("interface", INTERFACES)
@rows("takes_context", [False, True], ids=["3.1", "3.2"])
@rows("name", STEPS)
def test_a_method_of_a_subclass_is_called(name, takes_context, interface):
    Own, called, old, new = noting(name)
    setattr(Own, name, new if takes_context else old)
    app = routes(Own(__name__))
    app.logger.disabled = True
    path = CALLED[name]
    with Client(app, interface, raise_errors=False) as client:
        method = "OPTIONS" if name.startswith("make_default") else "GET"
        assert client.request(method, path).status == ANSWERS[path]
    assert len(called) == 1
    assert (called[0][:1] == ["RequestContext"]) is takes_context


@rows("interface", INTERFACES)
def test_a_method_is_replaced_on_an_application(interface):
    app = routes(Flask(__name__))
    with Client(app, interface) as client:
        assert client.get("/").text == "index"
        before = app.dispatch_request
        app.dispatch_request = lambda: f"{before()} replaced"
        assert [client.get(path).text for path in ("/", "/async")] == ["index replaced", "async replaced"]
        del app.dispatch_request
        assert client.get("/").text == "index"
        app.handle_user_exception = lambda error: (type(error).__name__, 418)  # as flask-restful does
        assert (client.get("/fails").text, client.get("/nowhere").status) == ("ZeroDivisionError", 418)


@rows("interface", INTERFACES)
def test_other_methods_may_be_replaced(interface):
    class OwnContext(RequestContext):
        def match_request(self):
            super().match_request()
            self.g.matched = self.request.url_rule.endpoint

    class Own(Flask):
        def make_response(self, rv):
            return super().make_response([rv, g.matched] if isinstance(rv, str) else rv)

        def ensure_sync(self, func):
            ensured.append(func.__name__)
            return super().ensure_sync(func)

        def request_context(self, environ):
            return OwnContext(self, environ)

        def should_ignore_error(self, error):
            return True

    ensured, errors = [], []
    app = routes(Own(__name__))
    app.logger.disabled = True
    app.teardown_request(errors.append)
    with Client(app, interface, raise_errors=False) as client:
        assert client.get("/async").json == ["async", "asynchronous"]
        assert client.get("/fails").status == 500
    assert "asynchronous" in ensured
    assert errors == [None, None]


def test_steps_of_a_request_one_by_one():
    app = routes(Flask(__name__))
    with app.test_request_context("/nowhere") as ctx:
        error = ctx.request.routing_exception
        assert app.handle_user_exception(error) is app.handle_http_exception(e=error) is error
        response = app.finalize_request(error, from_error_handler=True)
        assert (response.status_code, app.process_response(response)) == (404, response)
        app.do_teardown_request(exc=None)
        app.do_teardown_appcontext(None)
        with pytest.raises(ZeroDivisionError):
            app.handle_user_exception(ZeroDivisionError())
        app.logger.disabled = True
        assert app.handle_exception(ZeroDivisionError()).status_code == 500
        assert request.path == "/nowhere"


@rows("interface", INTERFACES)
@rows("is_wrapped", [False, True])
def test_an_observer_is_told_of_each_request_once(interface, is_wrapped):
    class Noting(Observer):
        def sent(self, exchange):
            told.append((exchange.path, exchange.response.status))

    told = []
    app = routes(Flask(__name__))
    app.observe(Noting())
    if is_wrapped:
        app.wsgi_app = ProxyFix(app.wsgi_app)
    with Client(app, interface) as client:
        assert client.get("/async").text == "async"
    assert told == [("/async", 200)]
