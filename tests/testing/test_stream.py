import asyncio
import time
from contextlib import nullcontext

import pytest

from antiphon.testing import AsyncClient, BrokenResponse, Client, ContractError
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("connect")


class Endless:
    """A body without an end that counts what was taken from it, and knows whether it was closed."""

    def __init__(self):
        self.taken = 0
        self.closed = False

    def __iter__(self):
        return self

    def __next__(self):
        self.taken += 1
        return b"%d" % self.taken

    def close(self):
        self.closed = True


def test_the_rest_can_be_read_at_once(connect):
    with connect(lambda seen: (200, [], [b"one", b"two", b"three"])).stream("GET", "/") as response:
        assert next(response) == b"one"
        assert response.read() == b"twothree"
        assert response.read() == b""


def test_reading_the_rest_is_bounded(connect):
    with (
        pytest.raises(RuntimeError, match="more than"),
        connect(lambda seen: (200, [], Endless()), max_body=100).stream("GET", "/") as response,
    ):
        response.read()


def test_an_endless_body_is_not_taken_ahead_of_its_reader(applications, interface):
    body = Endless()
    client = Client(applications[interface](lambda seen: (200, [], body)), interface, timeout=1)
    unnoticed = pytest.raises(TimeoutError) if interface == "asgi" else nullcontext()
    with unnoticed, client.stream("GET", "/") as response:
        for expected in range(1, 20):
            assert next(response) == b"%d" % expected
            time.sleep(0.001)
            assert body.taken <= expected + 2


@rows("chunks", [[b"ab"], [b"ab", b"cd"]])
def test_a_wrong_length_is_an_error_where_it_shows(connect, chunks):
    with connect(lambda seen: (200, [("content-length", "3")], chunks)).stream("GET", "/") as response:
        assert next(response) == b"ab"
        with pytest.raises(ContractError, match="Content-Length"):
            next(response)


class Boom(Exception):
    pass


def broken(seen):
    def chunks():
        yield b"one"
        yield b"two"
        raise Boom

    return 200, [], chunks()


def test_an_error_in_the_body_is_raised_once(connect):
    with connect(broken).stream("GET", "/") as response:
        assert next(response) == b"one"
        assert next(response) == b"two"
        with pytest.raises(Boom):
            list(response)
        assert list(response) == []


@pytest.mark.parametrize("interface", ["wsgi", "asgi"])
def test_without_raised_errors_the_body_breaks_off(applications, interface):
    client = Client(applications[interface](broken), interface, raise_errors=False)
    with pytest.raises(BrokenResponse, match="Boom"), client.stream("GET", "/") as response:
        list(response)
    client.close()


def test_rsgi_ends_a_failed_body_as_if_it_were_complete(applications):
    client = Client(applications["rsgi"](broken), "rsgi", raise_errors=False)
    assert client.get("/").body == b"onetwo"
    client.close()


def test_an_error_of_the_test_is_not_hidden(connect):
    with pytest.raises(ZeroDivisionError), connect(lambda seen: (200, [], Endless())).stream("GET", "/"):
        raise ZeroDivisionError


def test_asgi_applications_learn_that_the_client_has_gone():
    told = []

    async def application(scope, receive, send):
        async def watch():
            while (await receive())["type"] != "http.disconnect":
                pass
            told.append("gone")

        watcher = asyncio.create_task(watch())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not watcher.done():
            await send({"type": "http.response.body", "body": b"tick", "more_body": True})

    client = Client(application)
    with client.stream("GET", "/") as response:
        assert next(response) == b"tick"
        assert told == []
    assert told == ["gone"]
    client.close()


def test_asgi_applications_may_ask_for_an_error_when_the_client_has_gone():
    ended = []

    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"tick", "more_body": True})
        finally:
            ended.append(True)

    client = Client(application, extra={"asgi": {"version": "3.0", "spec_version": "2.4"}})
    with client.stream("GET", "/") as response:
        next(response)
    assert ended == [True]
    client.close()


def test_an_application_that_never_notices_is_an_error():
    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"tick", "more_body": True})

    client = Client(application, timeout=0.2)
    with pytest.raises(TimeoutError, match="now that the client has gone away"), client.stream("GET", "/") as response:
        next(response)
    client.close()


def test_rsgi_applications_learn_that_the_client_has_gone():
    from granian.rsgi import ProtocolClosed

    told = []

    async def application(scope, protocol):
        gone = asyncio.ensure_future(protocol.client_disconnect())
        transport = protocol.response_stream(200, [])
        try:
            while True:
                await transport.send_str("tick")
        except ProtocolClosed:
            told.append(gone.done())
            raise

    client = Client(application, "rsgi")
    with client.stream("GET", "/") as response:
        assert next(response) == b"tick"
        assert told == []
    assert told == [True]
    client.close()


@rows("timeout", [10, None])
def test_wsgi_bodies_are_closed_when_the_client_goes(timeout):
    body = Endless()

    def application(environ, start_response):
        start_response("200 OK", [])
        return body

    client = Client(application, "wsgi", timeout=timeout)
    with client.stream("GET", "/") as response:
        assert [next(response) for _ in range(3)] == [b"1", b"2", b"3"]
        assert not body.closed
    assert body.closed
    assert body.taken == 3
    client.close()


def test_the_async_client_streams(applications, interface):
    async def scenario():
        client = AsyncClient(applications[interface](lambda seen: (200, [], [b"one", b"two", b"three"])), interface)
        async with client.stream("GET", "/") as response:
            assert response.status == 200
            assert await anext(response) == b"one"
            assert await response.read() == b"twothree"
            assert [chunk async for chunk in response] == []
        async with client.stream("GET", "/") as response:
            assert [chunk async for chunk in response] == [b"one", b"two", b"three"]
        with pytest.raises(Boom):
            async with AsyncClient(applications[interface](broken), interface).stream("GET", "/") as response:
                [chunk async for chunk in response]

    asyncio.run(scenario())


def test_a_request_is_sent_while_its_response_is_read():
    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        more = True
        while more:
            message = await receive()
            more = message["more_body"]
            await send({"type": "http.response.body", "body": message["body"].upper(), "more_body": more})

    asked = []

    def questions():
        for question in b"abcdefgh":
            asked.append(question)
            yield bytes([question])

    client = Client(application)
    with client.stream("POST", "/", body=questions()) as response:
        assert next(response) == b"A"
        assert len(asked) < 8
        assert response.read() == b"BCDEFGH"
    client.close()
