import asyncio
from pathlib import Path

import pytest

from antiphon import App, Request, Response, abort, to_app
from antiphon.http.errors import InternalServerError
from antiphon.testing import AsyncClient, BrokenResponse, Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")

INTERFACES = ["wsgi", "asgi", "rsgi"]


class Bug(Exception):
    pass


class Known(Exception):
    pass


def make_app(kind="def"):
    app = App()

    def fail(request: Request):
        raise Bug("in a handler")

    async def afail(request: Request):
        raise Bug("in a handler")

    app.get("/bug")(fail if kind == "def" else afail)

    @app.get("/abort/<int:status>")
    def refuse(request: Request):
        abort(request.path_params["status"])

    @app.get("/known")
    def known(request: Request):
        raise Known

    @app.errorhandler(Known)
    def told(request: Request, error: Known):
        return "Known.", 409

    @app.get("/said")
    def said(request: Request):
        return "It failed.", 500

    @app.get("/stream")
    def stream(request: Request):
        yield "one"
        raise Bug("in a stream")

    @app.get("/fine")
    def fine(request: Request):
        return "fine"

    return app


@pytest.fixture(params=INTERFACES)
def interface(request):
    return request.param


@rows("kind", ["def", "async def"])
def test_a_bug_in_a_handler_is_raised_with_its_traceback(interface, kind):
    with Client(make_app(kind), interface, raise_errors=True) as client:
        with pytest.raises(Bug) as raised:
            client.get("/bug")
        assert raised.traceback[-1].path == Path(__file__)
        assert client.get("/fine").text == "fine"


@rows("raise_errors", [None, False])
def test_otherwise_it_is_the_application_s_own_500(interface, raise_errors):
    client = Client(make_app(), interface, raise_errors=raise_errors)
    assert client.get("/bug").status == 500
    assert client.get("/bug").content_type == "application/problem+json"
    assert Client(make_app(), interface).get("/bug").status == 500


def test_an_async_client_raises_it_too(interface):
    async def scenario():
        async with AsyncClient(make_app("async def"), interface, raise_errors=True) as client:
            assert (await client.get("/fine")).text == "fine"
            with pytest.raises(Bug):
                await client.get("/bug")

    asyncio.run(scenario())


def test_a_client_on_the_thread_of_the_test_raises_it_too():
    with pytest.raises(Bug):
        Client(make_app(), "wsgi", timeout=None, raise_errors=True).get("/bug")


@rows("path, status", [("/abort/503", 503), ("/nowhere", 404), ("/known", 409), ("/said", 500)])
def test_what_was_answered_on_purpose_is_a_response(interface, path, status):
    assert Client(make_app(), interface, raise_errors=True).get(path).status == status


def test_an_error_that_was_aborted_with_500_is_raised(interface):
    with pytest.raises(InternalServerError):
        Client(make_app(), interface, raise_errors=True).get("/abort/500")


def test_an_error_of_which_a_handler_made_a_page_is_raised(interface):
    app = make_app()
    called = []

    class Chunks:
        def __iter__(self):
            return iter(["never read"])

        def close(self):
            called.append("close")

    @app.errorhandler(500)
    def page(request: Request, error: Exception):
        request.after_response(lambda: called.append("after"))
        return Response(Chunks())

    with pytest.raises(Bug):
        Client(app, interface, raise_errors=True).get("/bug")
    assert called == ["after", "close"]


@rows("raise_errors", [True, None])
def test_an_error_in_a_stream_is_raised(interface, raise_errors):
    with pytest.raises(Bug):
        Client(make_app(), interface, raise_errors=raise_errors).get("/stream")


@pytest.mark.parametrize("interface", ["wsgi", "asgi"])
def test_it_can_be_a_response_that_breaks_off(interface):
    with pytest.raises(BrokenResponse):
        Client(make_app(), interface, raise_errors=False).get("/stream")


def test_an_error_inside_a_mounted_application_is_raised(interface):
    app = App()
    app.mount("/inner", make_app())
    with pytest.raises(Bug):
        Client(app, interface, raise_errors=True).get("/inner/bug")


def test_a_served_function_s_error_is_raised(interface):
    @to_app
    def application(request: Request) -> Response:
        raise Bug

    with pytest.raises(Bug):
        Client(application, interface, raise_errors=True).get("/")


def lifespan_events(app):
    """Return a list to which the application's startup and shutdown append."""
    events = []
    app.on_startup(lambda: events.append("up"))
    app.on_shutdown(lambda: events.append("down"))
    return events


def test_the_application_is_started_once_for_all_clients(interface):
    app = make_app()
    events = lifespan_events(app)

    async def scenario():
        first = AsyncClient(app, interface, raise_errors=True)
        assert (await first.get("/fine")).text == "fine"
        assert events == ["up"]
        for raise_errors in (True, None):
            assert (await AsyncClient(app, interface, raise_errors=raise_errors).get("/fine")).text == "fine"
        assert events == ["up"]

    asyncio.run(scenario())
    app.stop()


@pytest.mark.parametrize("interface", ["asgi", "rsgi"])
def test_its_lifespan_is_that_of_the_client(interface):
    app = make_app()
    events = lifespan_events(app)

    async def scenario():
        async with AsyncClient(app, interface, raise_errors=True):
            assert events == ["up"]
        assert events == ["up", "down"]

    asyncio.run(scenario())


def test_the_client_s_app_is_the_one_that_was_given():
    app = make_app()
    assert Client(app, raise_errors=True).app is app
