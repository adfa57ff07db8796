"""An error is freed with its request when that has ended, however it is answered: nothing is left to the collector."""

import gc
import logging
import weakref

import pytest

from antiphon import App, Limits
from antiphon.http.errors import HTTPError
from tests.app.conftest import STYLES, DefStyle
from tests.helpers.free_threading import frees_at_once
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually

pytestmark = [pytest.mark.axes("interface", "style"), frees_at_once]


class AtOnce(DefStyle):
    """Paints functions as ``async def`` that never wait."""

    def __call__(self, function):
        async def answers(*arguments):
            return function(*arguments)

        return answers


@pytest.fixture(params=[*STYLES, AtOnce("async def that never waits")], ids=lambda style: style.name)
def style(request):
    """A style, for the handler and what is around it."""
    return request.param


class Failure(Exception):
    """An error that nobody expects."""


class Refusal(HTTPError):
    """An error for the client."""

    status = 409


def fail(kept, kind, request):
    error = kind("That went wrong.")
    kept += [weakref.ref(error), weakref.ref(request)]
    try:
        raise error
    finally:
        del error  # or this very frame would keep it


def in_the_handler(app, style, fail):
    app.get("/")(style(fail))


def inside_of_middleware(app, style, fail):
    app.middleware(style.around())
    app.get("/")(style(fail))


def inside_of_middleware_that_throws(app, style, fail):
    app.middleware(style.around(), errors_at_yield=True)
    app.middleware(style.around(), errors_at_yield=True)
    app.get("/")(style(fail))


def in_a_hook_before(app, style, fail):
    app.before_request(style(fail))
    app.get("/")(style(lambda request: "Hello"))


def in_a_hook_after(app, style, fail):
    app.after_request(style(lambda request, response: fail(request)))
    app.get("/")(style(lambda request: "Hello"))


def in_middleware_before(app, style, fail):
    app.middleware(style.around(fail))
    app.get("/")(style(lambda request: "Hello"))


def in_middleware_after(app, style, fail):
    app.middleware(style.around(after=lambda request, response: fail(request)))
    app.get("/")(style(lambda request: "Hello"))


def in_a_handler_of_errors(app, style, fail):
    app.errorhandler(LookupError)(style(lambda request, error: fail(request)))

    def search(request):
        raise LookupError

    app.get("/")(style(search))


def answered_by_a_handler(app, style, fail):
    app.errorhandler(Exception)(style(lambda request, error: "Sorry"))
    app.get("/")(style(fail))


def raised_again_by_its_handler(app, style, fail):
    def again(request, error):
        raise error

    app.errorhandler(Exception)(style(again))
    app.get("/")(style(fail))


PLACES = (
    in_the_handler, inside_of_middleware, inside_of_middleware_that_throws, in_a_hook_before, in_a_hook_after,
    in_middleware_before, in_middleware_after, in_a_handler_of_errors, answered_by_a_handler,
    raised_again_by_its_handler,
)  # fmt: skip


@pytest.fixture
def no_collector():
    """Keeps the collector of cycles from running."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@rows("kind", [Failure, Refusal])
@rows("place", PLACES)
def test_a_raised_error(serving, style, no_collector, caplog, kind, place):
    caplog.set_level(logging.CRITICAL, "antiphon")  # records would keep it
    app, kept = App(), []
    place(app, style, lambda request: fail(kept, kind, request))
    client = serving(app)
    assert client.get("/").status == (409 if kind is Refusal else 500)
    assert len(kept) == 2
    wait_until_freed(kept)


@pytest.mark.parametrize("place", [in_the_handler, inside_of_middleware])
def test_a_raised_error_of_a_request_with_a_body(serving, style, no_collector, caplog, place):
    caplog.set_level(logging.CRITICAL, "antiphon")
    app, kept = App(), []
    place(Posts(app), style, lambda request: fail(kept, Failure, request))
    assert serving(app).post("/", body=b"{").status == 500
    assert len(kept) == 2
    wait_until_freed(kept)


class Posts:
    """Registers the handlers of an application for POST, too."""

    def __init__(self, app):
        self.middleware = app.middleware
        self.get = app.post


JSON = {"content-type": "application/json"}
REQUESTS = {
    "without a route": (("GET", "/nothing"), 404),
    "with another method": (("DELETE", "/"), 405),
    "with a body that is too large": (("POST", "/", bytes(2 << 10)), 413),
    "with a large body that is too large": (("POST", "/", bytes(128 << 10)), 413),
    "with a body that is malformed": (("POST", "/", b"{"), 400),
}


@rows("sent, status", REQUESTS.values(), ids=REQUESTS)
@rows("throws", [False, True], ids=["inside of middleware", "thrown into middleware"])
def test_an_error_in_a_request(serving, style, no_collector, sent, status, throws):
    app, kept = App(limits=Limits(body=1 << 10)), []

    @app.after_request
    def keep(request, response):
        kept.extend([weakref.ref(response.error), weakref.ref(request)])

    around = app.middleware(errors_at_yield=True) if throws else app.middleware
    around(style.around())
    app.post("/")(style(lambda request: str(request.json)))
    (method, path, *body) = sent
    assert serving(app).request(method, path, **({"body": body[0], "headers": JSON} if body else {})).status == status
    assert len(kept) == 2
    wait_until_freed(kept)


def wait_until_freed(kept):
    """Wait until nothing is there any more of which there are weak references: servers end a little later."""
    eventually(lambda: True if not any(each() is not None for each in kept) else None, "errors are still there", 2)
