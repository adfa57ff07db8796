"""Middleware that is opened when a dependency was read, and what completes responses."""

import pytest

from antiphon import App, Dependency, Request, Response
from antiphon.http.errors import Forbidden
from antiphon.testing import Client
from tests.helpers.handlers import in_style

pytestmark = pytest.mark.axes("interface", "color")

CART = Dependency[list[str]]("cart")
OPENED_BESIDE = Dependency[str]("opened beside")


@pytest.fixture(params=["def", "async def"])
def color(request):
    return request.param


@pytest.fixture
def app(color):
    """An application whose middleware for the cart notes what it is called for."""
    app = App()
    app.noted = []
    app.provide(CART, lambda request: [])

    def note(request):
        response = yield
        app.noted.append((request.path, [*request[CART]] if CART in request else None, response.status))
        response.headers["x-cart"] = "1"

    app.middleware(when_read=CART)(note)
    handlers = {"/plain": plain, "/reads": reads, "/streams": streams, "/defers": defers, "/hooks": hooks, "/no": fails}
    for path, handler in handlers.items():
        app.get(path)(in_style(color, handler))
    return app


def plain(request: Request):
    return "plain"


def reads(request: Request):
    request[CART].append("tea")
    return "reads"


def streams(request: Request):
    return Response.stream(iter(["a", "b"]))


def defers(request: Request):
    request.after_response(lambda: None)
    return "defers"


def hooks(request: Request):
    request.on_response(lambda request, response: request[CART].append("late"))
    return "hooks"


def fails(request: Request):
    request[CART].append("milk")
    raise Forbidden


NOT_READ = None
OPENED = {"/reads": ["tea"], "/streams": NOT_READ, "/defers": NOT_READ, "/hooks": ["late"], "/no": ["milk"]}
"""The paths whose requests open it, and what it sees in the place."""


@pytest.mark.parametrize("path", OPENED)
def test_it_is_opened_for_requests_that_have_read_the_dependency_or_may(app, interface, path):
    response = Client(app, interface).get(path)
    assert app.noted == [(path, OPENED[path], response.status)]
    assert response.headers["x-cart"] == "1"


@pytest.mark.parametrize("path", ["/plain", "/nowhere"])
def test_it_is_not_opened_for_others_where_it_is_alone(app, interface, color, path):
    Client(app, interface).get(path)
    assert app.noted in ([], [(path, NOT_READ, 200)] if (interface, color) == ("wsgi", "async def") else [])


@pytest.mark.parametrize("path", [*OPENED, "/plain", "/nowhere"])
def test_beside_others_it_is_opened_for_all(app, interface, path):
    app.after_request(lambda request, response: None)
    response = Client(app, interface).get(path)
    assert app.noted == [(path, OPENED.get(path), response.status)]


@pytest.mark.parametrize("path", ["/reads", "/no"])
def test_beside_a_dependency_that_is_closed_it_is_opened_once_and_sees_how_that_ends(app, interface, path):
    def opened(request):
        try:
            yield request.path
        finally:
            raise LookupError

    app.provide(OPENED_BESIDE, opened)
    app.before_request(lambda request: request[OPENED_BESIDE] and None)
    app.errorhandler(LookupError)(lambda request, error: Response("could not be closed", 500))
    with Client(app, interface, raise_errors=False) as client:
        answer = client.get(path)
    assert (answer.status, answer.headers.get("x-cart")) == (500, "1")
    assert app.noted == [(path, OPENED[path], 500)]


def test_it_is_a_plain_generator(app):
    async def note(request):
        yield

    with pytest.raises(TypeError, match="has when_read: it must be sync, without other options"):
        app.middleware(when_read=CART)(note)


SHARED = Response("shared")


@pytest.mark.parametrize("path", ["/shared", "/no", "/nowhere"])
def test_each_response_is_completed_when_all_is_closed(interface, color, path):
    app, early = App(), []
    app.get("/shared")(in_style(color, lambda request: SHARED))
    app.get("/no")(fails)
    app.provide(CART, lambda request: [])
    app.before_send(lambda request, response: response.headers.update({"x-path": request.path}))
    app.after_request(lambda request, response: early.append("x-path" in response.headers))
    response = Client(app, interface).get(path)
    assert (response.headers["x-path"], early) == (path, [False])
    assert "x-path" not in SHARED.headers


def test_a_response_that_a_hook_gives_again_and_again_is_completed_as_a_copy(interface):
    app, shared = App(), Response.text("moved")
    app.get("/<path:rest>")(lambda request, rest: "x")
    app.after_request(lambda request, response: shared)
    app.before_send(lambda request, response: response.headers.setdefault("x-path", request.path))
    with Client(app, interface) as client:
        assert [client.get(path).headers["x-path"] for path in ("/one", "/two")] == ["/one", "/two"]


def test_what_completes_responses_does_not_wait(app):
    async def complete(request, response):
        pass

    with pytest.raises(TypeError, match="complete"):
        app.before_send(complete)
