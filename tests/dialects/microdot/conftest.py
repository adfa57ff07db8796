"""Applications of the dialect behind each interface."""

import socket
from contextlib import ExitStack

import pytest

from antiphon.dialects.microdot import Microdot
from antiphon.testing import Client


@pytest.fixture
def serve(interface):
    with ExitStack() as stack:
        yield lambda app, **options: stack.enter_context(Client(app, interface, **options))


@pytest.fixture
def app():
    return Microdot()


@pytest.fixture
def answer(serve):
    """The response to a request whose handler returns a value, by default of an application of its own."""

    def ask(returned, method="GET", app=None):
        app = app or Microdot()

        @app.route("/", methods=[method])
        async def handler(request):
            return returned() if callable(returned) else returned

        return serve(app, follow_redirects=False).request(method, "/")

    return ask


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
