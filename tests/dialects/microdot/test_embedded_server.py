"""Serving beside what else a program does on its loop."""

import asyncio
import socket
import threading
import time
from contextlib import asynccontextmanager, suppress
from functools import wraps
from http.client import IncompleteRead
from urllib.request import urlopen

import pytest

from antiphon.dialects.microdot import Microdot, asgi
from tests.dialects.microdot.asking import ask
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually


@pytest.fixture
def app():
    app = Microdot()
    app.get("/")(lambda request: "served")

    @app.get("/stream")
    async def stream(request):
        async def forever():
            while True:
                yield "x"
                await asyncio.sleep(0.01)

        return forever()

    return app


@pytest.fixture
def quiet(caplog, capfd):
    """Fails if anything is logged, or written to stderr."""
    yield
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
    assert capfd.readouterr().err == ""


def on_a_loop(test):
    """Run a coroutine function as a test, on a loop of its own."""

    @wraps(test)
    def run(**fixtures):
        asyncio.run(test(**fixtures))

    return run


def bound(app, port=0, host="127.0.0.1"):
    return app.start_server(host, port, start_serving=False)


@asynccontextmanager
async def start_server(app, port=0):
    task = asyncio.create_task(app.start_server("127.0.0.1", port))
    try:
        await asyncio.sleep(0)  # its first step, in which it listens
        yield task
    finally:
        app.shutdown()
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(task, 20)


async def answer(server):
    return await asyncio.to_thread(ask, server.port, "/")


def be_free(port):
    socket.create_server(("127.0.0.1", port)).close()


def is_free(port):
    with suppress(OSError):
        be_free(port)
        return True
    return None


@on_a_loop
async def test_a_server_serves_beside_what_else_the_loop_does(app, quiet):
    server = await bound(app)
    await server.start_serving()
    assert server.is_serving()
    await server.start_serving()
    assert await answer(server) == "served"
    assert isinstance(server, asyncio.AbstractServer)
    assert app.server is server
    server.close()
    await server.wait_closed()


@on_a_loop
async def test_a_host_with_addresses_of_both_kinds_is_served_over_ipv4(app, monkeypatch):
    look_up = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda _, *rest, **how: look_up("::1", *rest, **how) + look_up("127.0.0.1", *rest, **how)
    )
    server = await bound(app, host="both.example")
    assert server.sockets[0].getsockname() == ("127.0.0.1", server.port)
    server.close()


@pytest.mark.parametrize("serves", [True, False])
@on_a_loop
async def test_a_closed_server_has_no_address_and_serves_no_more(app, quiet, serves):
    server = await bound(app)
    if serves:
        await server.start_serving()
    server.close()
    assert (server.is_serving(), server.sockets) == (False, ())
    server.close()
    await server.wait_closed()
    be_free(server.port)
    for method in (server.start_serving, server.serve_forever):
        with pytest.raises(RuntimeError, match="is closed"):
            await method()
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("serves", [True, False])
@on_a_loop
async def test_closing_a_server_on_another_thread_is_waited_for(app, serves):
    server = await bound(app)
    if serves:
        await server.start_serving()
    waiting = asyncio.create_task(server.wait_closed())
    await asyncio.sleep(0)
    assert not waiting.done()
    threading.Thread(target=server.close).start()
    await asyncio.wait_for(waiting, 20)


@on_a_loop
async def test_a_server_is_served_forever_once_at_a_time(app):
    async with start_server(app):
        with pytest.raises(RuntimeError, match="already being awaited"):
            await app.server.serve_forever()
        assert await answer(app.server) == "served"


@pytest.mark.parametrize("answers", [True, False])
@on_a_loop
async def test_cancelling_serve_forever_closes_the_server(app, quiet, answers):
    server = await bound(app)
    task = asyncio.create_task(server.serve_forever())
    await asyncio.sleep(0)
    if answers:
        assert await answer(server) == "served"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    be_free(server.port)
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("cancels", [False, True])
def test_an_application_starts_again_where_it_was_shut_down_or_cancelled(app, port, quiet, cancels):
    async def serve():
        for _ in range(3):
            async with start_server(app, port) as task:
                assert await answer(app.server) == "served"
                if cancels:
                    task.cancel()

    for _ in range(2):
        asyncio.run(serve())


@pytest.mark.parametrize("answers", [True, False])
def test_a_server_ends_with_its_loop(app, quiet, answers):
    async def serve():
        server = await bound(app)
        await server.start_serving()
        if answers:
            assert await answer(server) == "served"
        return server

    server = asyncio.run(serve())
    eventually(lambda: is_free(server.port), f"port {server.port} is still taken")
    assert not server.is_serving()
    server.close()


@pytest.mark.parametrize("end", ["close", "cancel", "return"])
def test_a_stream_is_cut_off_by_the_end_of_the_loop(app, quiet, monkeypatch, end):
    monkeypatch.setattr("antiphon.dialects.microdot.serving.DRAIN", 0.01)

    async def serve():
        async with start_server(app) as task:
            response = await asyncio.to_thread(urlopen, f"http://127.0.0.1:{app.server.port}/stream", timeout=10)
            if end != "return":
                task.cancel() if end == "cancel" else app.shutdown()
                await asyncio.wait([task])
            return response

    with asyncio.run(serve()) as response, suppress(IncompleteRead, ConnectionResetError):
        assert set(response.read()) == {ord("x")}
    eventually(lambda: is_free(app.server.port), f"port {app.server.port} is still taken")


def test_a_server_whose_startup_fails_gives_its_address_back(port):
    async def startup(scope):
        raise ValueError

    app = asgi.Microdot(lifespan_startup=startup)
    with pytest.raises(Exception, match="startup"):
        asyncio.run(app.start_server("127.0.0.1", port))
    be_free(port)


@pytest.mark.parametrize("steps", range(4))
def test_a_server_whose_startup_fails_says_so_when_it_is_to_start_serving(quiet, steps):
    async def startup(scope):
        for _ in range(steps):
            await asyncio.sleep(0)
        raise ValueError("no database")

    async def slow_down():
        while True:
            time.sleep(0.01)
            await asyncio.sleep(0)

    async def serve():
        server = await bound(asgi.Microdot(lifespan_startup=startup))
        slow = asyncio.create_task(slow_down())  # each step of the loop takes longer than a look at the server waits
        with pytest.raises(RuntimeError, match=r"(?s)startup .* failed: .*ValueError: no database"):
            await server.start_serving()
        assert not server.is_serving()
        assert is_free(server.port)
        slow.cancel()
        await server.wait_closed()

    asyncio.run(serve())


@pytest.mark.parametrize("method", ["close_clients", "abort_clients"])
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
@on_a_loop
async def test_connections_of_a_server_are_closed_when_asked_for(app, quiet, method, host):
    server = await app.start_server(host, 0, start_serving=False)
    await server.start_serving()
    other = await bound(app)
    await other.start_serving()
    elsewhere = await asyncio.to_thread(urlopen, f"http://127.0.0.1:{other.port}/stream", timeout=10)
    response = await asyncio.to_thread(urlopen, f"http://127.0.0.1:{server.port}/stream", timeout=10)
    server.close()
    getattr(server, method)()
    with suppress(IncompleteRead, ConnectionResetError):
        await asyncio.to_thread(response.read)
    await asyncio.wait_for(server.wait_closed(), 20)
    assert elsewhere.read(1) == b"x"
    other.close()
    elsewhere.close()


@on_a_loop
async def test_what_was_sent_arrives_although_its_connection_is_closed(app, quiet):
    server = await bound(app)
    await server.start_serving()
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        await asyncio.to_thread(eventually, lambda: client.recv(4096, socket.MSG_PEEK), "no answer")
        server.close()
        server.close_clients()
        answered = await asyncio.to_thread(client.makefile("rb").read)
        assert answered.endswith(b"served")
    await server.wait_closed()


@on_a_loop
async def test_a_server_that_begins_where_another_has_begun_to_listen_is_closed(app, port):
    first, second = await bound(app, port), await bound(app, port)
    await first.start_serving()
    with pytest.raises(OSError, match="in use"):
        await second.serve_forever()
    assert second.sockets == ()
    first.close()
    await first.wait_closed()


def test_a_server_has_an_address_of_ipv6(app):
    async def serve():
        async with await app.start_server("::1", 0, start_serving=False) as server:
            assert server.sockets[0].getsockname()[0] == "::1"

    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    asyncio.run(serve())


@rows(
    "host, port, error, words",
    ("192.0.2.1", 5000, OSError, "192.0.2.1 port 5000"),
    ("999.1.1.1", 5000, socket.gaierror, None),
    ("127.0.0.1", "no port", socket.gaierror, None),
    ("127.0.0.1", 70000, OverflowError, "70000"),
    ("127.0.0.1", -1, OverflowError, "-1"),
)
def test_an_address_that_can_t_be_had_is_an_error(host, port, error, words):
    with pytest.raises(error, match=words):
        asyncio.run(Microdot().start_server(host, port))
