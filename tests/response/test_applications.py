"""Applications are called with requests, and responses are applications, over every interface."""

import asyncio
import atexit
import inspect
import pickle
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from hypercorn.utils import is_asgi
from uvicorn import Config

from antiphon import App, Request, Response, aget_response, to_app
from antiphon.testing import AsyncClient, Client
from tests.helpers.observed_values import SyncValues
from tests.helpers.rows import rows


def wsgi_app(environ, start_response):
    start_response("201 Created", [("x-method", environ["REQUEST_METHOD"])])
    return [environ["wsgi.input"].read(), b"!"]


async def asgi_app(scope, receive, send):
    message = await receive()
    fields = [(b"x-method", scope["method"].encode())]
    await send({"type": "http.response.start", "status": 201, "headers": fields})
    await send({"type": "http.response.body", "body": message["body"] + b"!"})


@to_app
def function(request):
    return Response(request.body + b"!", 201, {"x-method": request.method})


app = App()


@app.post("/x")
async def handler(request):
    return request.body + b"!", 201, {"x-method": request.method}


applications = pytest.mark.parametrize("application", [wsgi_app, asgi_app, function, app])


# Requests


@applications
def test_a_request_is_put_to_an_application_on_a_loop(application):
    async def ask():
        return await (await aget_response(application, Request.blank("/x", "POST", body=b"hi"))).afreeze()

    response = asyncio.run(ask())
    assert (response.status, response.headers["x-method"], response.body) == (201, "POST", b"hi!")


# Responses


def answers():
    return [
        Response("hello", 201, {"x-a": "1"}),
        Response.json({"a": 1}),
        Response.stream(iter(["a", b"b"])),
        Response(None, 204),
        Response.redirect("/x"),
    ]


@rows("number", range(len(answers())))
@rows("interface", ["wsgi", "asgi"])
@rows("method", ["GET", "HEAD", "POST"])
def test_a_response_is_an_application(interface, number, method):
    expected = answers()[number].freeze()
    client = Client(answers()[number], interface=interface, follow_redirects=False)
    answered = client.request(method, "/any")
    assert (answered.status, answered.body) == (expected.status, b"" if method == "HEAD" else expected.body)
    assert dict(answered.headers) | dict(expected.headers) == dict(answered.headers)


def test_a_response_keeps_to_wsgi():
    environ, started = {"QUERY_STRING": ""}, []
    setup_testing_defaults(environ)

    def start_response(status, headers, exc_info=None):
        started.append((status, headers))
        return lambda data: None

    chunks = validator(Response("hello"))(environ, start_response)
    assert b"".join(chunks) == b"hello"
    chunks.close()
    fields = [*Response("hello").headers.items(), ("content-length", "5")]
    assert started == [("200 OK", fields)]


def test_a_response_is_an_application_with_a_lifespan():
    async def served():
        async with AsyncClient(Response("hello"), interface="asgi") as client:
            return [(await client.get("/")).text for _ in range(2)]

    assert asyncio.run(served()) == ["hello", "hello"]


@rows("interface", ["wsgi", "asgi", "rsgi"])
def test_a_response_can_be_served_over_every_interface(interface):
    assert Client(to_app(Response("hello", 201)), interface=interface).get("/x").text == "hello"


def test_a_response_can_be_mounted():
    outer = App()
    outer.mount("/gone", Response("Gone.", 410))
    assert Client(outer).get("/gone/x").status == 410


def test_servers_see_by_its_looks_that_a_response_speaks_asgi():
    response = Response("hello")
    assert inspect.iscoroutinefunction(response.__call__)
    assert is_asgi(response)
    config = Config(response, log_config=None)
    config.load()
    assert config.interface == "asgi3"


@rows("interface", ["wsgi", "asgi"])
def test_what_a_response_answers_leaves_nothing_behind(interface):
    client = Client(Response("hello"), interface=interface)
    before = atexit._ncallbacks()
    for _ in range(3):
        assert client.get("/").text == "hello"
    assert atexit._ncallbacks() == before


# Frozen ones


@rows("chunks", [["a", b"b"], (chunk for chunk in ["a", b"b"]), b"ab", "ab"])
def test_a_frozen_response_has_all_of_its_body(chunks):
    response = Response(chunks)
    assert response.freeze() is response
    assert (response.body, response.is_streamed) == (b"ab", False)
    assert pickle.loads(pickle.dumps(response)).body == b"ab"


def test_a_stream_that_fails_is_closed_and_raises():
    stream = SyncValues(["a", 5])
    with pytest.raises(TypeError, match="chunks must be bytes or text, not int"):
        Response(stream).freeze()
    assert stream.closed == 1


def test_an_async_stream_is_awaited():
    closed = []

    async def chunks():
        try:
            yield "a"
            yield b"b"
        finally:
            closed.append(True)

    async def freeze(response):
        return await response.afreeze()

    with pytest.raises(TypeError, match=r"await response\.afreeze\(\)"):
        Response(chunks()).freeze()
    assert asyncio.run(freeze(Response(chunks()))).body == b"ab"
    assert asyncio.run(freeze(Response(["a"]))).body == b"a"
    assert closed == [True]
