"""The requests that a worker names because its end cuts them off."""

import asyncio
import re
import socket
from types import SimpleNamespace

import pytest

from antiphon.cli.workers.connections import Connections, counted
from tests.helpers.rows import rows


@pytest.fixture
def connections():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield Connections(listener, 100, closes_idle=False)


def named(connections):
    """What is named, without the seconds."""
    return [re.sub(r" after \d+\.\d s$", "", each) for each in connections.unfinished()]


def wsgi(connections, path, begins):
    """Look while a WSGI application carries out a request, or while its body is open."""
    seen = []

    def app(environ, start_response):
        seen.append(named(connections))
        return (each for each in [b""])

    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path.encode().decode("latin-1"), "QUERY_STRING": "token=1"}
    body = counted(app, None, "wsgi", connections)(environ, None)
    seen.append(named(connections))
    body.close()
    return seen[begins]


def asgi(connections, path, begins, kind="http"):
    seen = []

    async def send(message):
        pass

    async def app(scope, receive, send):
        if begins:
            await send({"type": "http.response.start"})
        seen.append(named(connections))

    scope = {"type": kind, "method": "GET", "path": path, "query_string": b"token=1", "client": None}
    asyncio.run(counted(app, None, "asgi", connections)(scope, None, send))
    return seen[0]


def rsgi(connections, path, begins, kind="http"):
    seen = []

    async def app(scope, protocol):
        if begins:
            protocol.response_stream(200, [])
        seen.append(named(connections))

    scope = SimpleNamespace(proto=kind, method="GET", path=path, query_string="token=1", client="127.0.0.1:1")
    protocol = SimpleNamespace(response_stream=lambda status, headers: None)
    asyncio.run(counted(app, None, "rsgi", connections).__rsgi__(scope, protocol))
    return seen[0]


@rows(
    "path, begins, expected",
    ("/blocks", False, ["GET /blocks"]),
    ("/a\n2026-01-01T00:00:00Z ERROR b\u2028", False, ["GET /a%0A2026-01-01T00:00:00Z%20ERROR%20b%E2%80%A8"]),
    ("/stream", True, []),
)
def test_a_request_is_named_until_its_response_begins(connections, path, begins, expected):
    assert [each(connections, path, begins) for each in (wsgi, asgi, rsgi)] == [expected] * 3
    assert not connections.open


def test_a_websocket_is_not_named(connections):
    assert asgi(connections, "/ws", False, "websocket") == rsgi(connections, "/ws", False, "ws") == []


def test_ten_are_named_and_the_others_are_counted(connections):
    for number in range(13):
        connections.begin(number, None, {"method": "GET", "path": f"/{number}"})
    assert named(connections) == [*(f"GET /{number}" for number in range(10)), "and 3 more"]


def test_a_worker_for_one_connection_has_room_for_it():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert not Connections(listener, 1, closes_idle=False).refuses([])
