"""Bodies in a content coding: a program whose own interface is WSGI gets them as they were sent."""

import gzip
import random

import pytest

from antiphon.adapters.foreign.environ_host import BridgedApplication
from antiphon.dialects.flask import Flask
from antiphon.dialects.flask import request as current
from antiphon.dialects.pyramid.config import Configurator
from antiphon.dialects.pyramid.response import Response
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.axes("interface")]


def told(body, environ):
    coding, length = environ["HTTP_CONTENT_ENCODING"], int(environ["CONTENT_LENGTH"])
    if coding == "gzip":
        assert length == len(body)
        body = gzip.decompress(body)
    return f"{coding} {len(body)}"


def flask():
    app = Flask(__name__)
    app.post("/", endpoint="def")(lambda: told(current.get_data(), current.environ))

    @app.post("/async")
    async def answer():
        return told(current.get_data(), current.environ)

    return app


def pyramid():
    config = Configurator()
    config.add_route("all", "/*path")
    config.add_view(lambda request: Response(told(request.body, request.environ)), route_name="all")
    return config.make_wsgi_app()


def plain():
    def application(environ, start_response):
        answer = told(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])), environ)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [answer.encode()]

    return BridgedApplication(application)


@rows("size", [100, 3 << 20])
@rows("coding", ["gzip", "own"])
@rows("program, path", [(flask, "/"), (flask, "/async"), (pyramid, "/"), (plain, "/")])
def test_a_coded_body_is_given_as_it_was_sent(program, path, coding, size, interface):
    content = random.Random(1).randbytes(size)
    body = gzip.compress(content) if coding == "gzip" else content
    with Client(program(), interface) as client:
        answer = client.post(path, body=body, headers={"content-encoding": coding})
    assert (answer.status, answer.text) == (200, f"{coding} {size}")
