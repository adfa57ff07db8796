"""Errors that no code takes: a test sees them over each interface as over WSGI, and a client a 500 with a body."""

import asyncio
import http.client
from contextlib import closing

import pytest

from antiphon.testing import Client
from tests.adapters.conftest import scope
from tests.dialects import programs
from tests.helpers.rows import rows
from tests.helpers.waiting import DEADLINE

pytestmark = [pytest.mark.once, pytest.mark.axes("interface")]

FORM = {"content-type": "application/x-www-form-urlencoded"}
HOSTED = [programs.kay, programs.pyramid, programs.webob, programs.werkzeug]


def flask_in_a_test():
    app = programs.flask()
    app.testing = True
    return app


@pytest.mark.parametrize("interface", ["asgi", "rsgi"])
@rows("program", [flask_in_a_test, *HOSTED])
def test_a_test_client_raises_an_error_that_no_code_takes(program, interface):
    with Client(program(), interface) as client, pytest.raises(ZeroDivisionError):
        client.post("/fail", body=b"a=1", headers=FORM)


@pytest.mark.parametrize("interface", ["asgi", "rsgi"])
@rows("program", [programs.flask, *HOSTED])
def test_a_client_of_a_server_gets_a_500_with_a_body_and_a_type(program, interface):
    with (
        programs.served(program, interface) as address,
        closing(http.client.HTTPConnection(*address, timeout=DEADLINE)) as client,
    ):
        client.request("POST", "/fail", b"a=1", {**FORM, "Accept": "text/html"})
        answer = client.getresponse()
        assert (answer.status, answer.getheader("content-type")) == (500, "text/html; charset=utf-8")
        assert b"Internal Server Error" in answer.read()


@rows("testing", [True, False])
def test_testing_propagates_errors_to_whatever_calls_the_application(testing):
    app = programs.flask()
    app.testing = testing
    messages, received = [], [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive():
        return received.pop() if received else await asyncio.Event().wait()

    async def send(message):
        messages.append(message["type"])

    async def call():
        await app(scope("POST", "/fail", [(b"host", b"localhost"), (b"content-length", b"0")]), receive, send)

    if testing:
        with pytest.raises(ZeroDivisionError):
            asyncio.run(call())
    else:
        asyncio.run(call())
    assert messages[:1] == ([] if testing else ["http.response.start"])
