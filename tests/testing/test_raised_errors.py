from pathlib import Path

import pytest

from antiphon import App, Request, Response, abort
from antiphon.testing import BrokenResponse, Client
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


def test_a_client_on_the_thread_of_the_test_raises_it_too():
    with pytest.raises(Bug):
        Client(make_app(), "wsgi", timeout=None, raise_errors=True).get("/bug")


@rows("path, status", [("/abort/503", 503), ("/nowhere", 404), ("/known", 409), ("/said", 500)])
def test_what_was_answered_on_purpose_is_a_response(interface, path, status):
    assert Client(make_app(), interface, raise_errors=True).get(path).status == status


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
