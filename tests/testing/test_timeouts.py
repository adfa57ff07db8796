import asyncio
import threading
import time

import pytest

from antiphon.testing import AsyncClient, Client
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually


async def hanging_asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
    await forever()


async def hanging_rsgi(scope, protocol):
    await forever()


async def forever():
    await asyncio.Event().wait()


def hanging_wsgi(environ, start_response):
    threading.Event().wait(5)


HANGING = {"wsgi": hanging_wsgi, "asgi": hanging_asgi, "rsgi": hanging_rsgi}


@pytest.mark.parametrize("interface", ["wsgi", "asgi", "rsgi"])
def test_an_application_that_hangs_is_a_timeout_that_says_where(interface):
    client = Client(HANGING[interface], interface, timeout=0.25)
    with pytest.raises(TimeoutError, match="for the whole response") as raised:
        client.get("/x")
    assert str(raised.value).startswith("GET http://testserver/x has waited 0.25 seconds")
    assert f"in hanging_{interface}\n" in str(raised.value)
    client.close()


@rows("interface", ["wsgi", "asgi", "rsgi"])
def test_the_async_client_has_timeouts_too(interface):
    async def scenario():
        with pytest.raises(TimeoutError, match=f"in hanging_{interface}\n"):
            await AsyncClient(HANGING[interface], interface, timeout=0.5).get("/")

    asyncio.run(scenario())


def test_an_endless_body_is_a_timeout_when_all_of_it_is_wanted(applications, interface):
    def chunks():
        while True:
            time.sleep(0.001)
            yield b"x"

    client = Client(applications[interface](lambda seen: (200, [], chunks())), interface, timeout=0.2)
    with pytest.raises(TimeoutError, match="the whole response"):
        client.get("/")
    client.close()


def test_a_stream_that_falls_silent_is_a_timeout():
    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"once", "more_body": True})
        await forever()

    client = Client(application, timeout=0.1)
    with client.stream("GET", "/") as response:
        assert next(response) == b"once"
        with pytest.raises(TimeoutError, match="the next chunk of the body"):
            next(response)
    client.close()


def test_a_head_that_never_comes_is_a_timeout():
    client = Client(hanging_asgi, timeout=0.1)
    with pytest.raises(TimeoutError, match="the head of the response"), client.stream("GET", "/"):
        pass
    client.close()


def test_a_startup_that_hangs_is_a_timeout():
    with pytest.raises(TimeoutError, match="started up"), Client(hanging_asgi, timeout=0.1):
        pass


def test_a_timeout_of_the_application_is_its_own():
    async def application(scope, receive, send):
        raise TimeoutError("of the application")

    client = Client(application)
    with pytest.raises(TimeoutError, match="of the application"):
        client.get("/")
    client.close()


def test_a_blocked_event_loop_is_a_timeout_and_ends_when_it_is_free(monkeypatch):
    monkeypatch.setattr("antiphon.testing.loop_thread.MARGIN", 0.2)
    stopped, before = threading.Event(), {*threading.enumerate()}

    async def application(scope, receive, send):
        if scope["path"] == "/blocks":
            stopped.wait(10)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    client = Client(application, timeout=0.1)
    with pytest.raises(TimeoutError, match=r"the event loop has been blocked[\s\S]*in application"):
        client.get("/blocks")
    assert client.get("/").text == "ok"
    stopped.set()
    client.close()
    eventually(lambda: {*threading.enumerate()} <= before or None, "a loop goes on")
